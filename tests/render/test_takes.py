"""Several takes of a clip: which are made, which is chosen, and what follows from it. And where a run stops."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fake_host import Cancelled, FakeHost, Report, job, samplers
from wanvideo_svi.svi_embeds.drift.figures import change, seam_between
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.takes import describe_takes, find_take
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered

STORY = "a lake\n---\na boat\n---\nthe fog lifts"


def render(folder: Path, story: str = STORY, **options: Any) -> tuple[Rendered, FakeHost, Report]:
    host, report, per_run = FakeHost(), Report(), options.pop("clips_per_run", 0)
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(job(story, **options), writer, host, report, resume=True, clips_per_run=per_run)
    return done, host, report


def seeds(host: FakeHost) -> list[int]:
    return [asked["seed"] for asked in samplers(host)]


def by_hand(reel: Reel, take: Take, before: Take | None) -> float:
    """The score as the help page says it."""
    look = reel.look(take)
    assert look is not None
    if before is None:
        return round(change(look.first, look.last).size, 3)
    first, led = reel.look(reel.clips[0]), reel.look(before)
    assert first is not None
    assert led is not None
    return round(change(first.mean, look.mean).size + seam_between(led, look).ratio - 1, 3)


def test_the_best_take_of_each_clip_leads_the_next(tmp_path: Path) -> None:
    done, host, report = render(tmp_path / "r", takes=3)
    assert seeds(host) == [3, 4, 5, 45, 46, 47, 87, 88, 89]
    assert done.sampled == (0, 1, 2)
    assert "clip 2 of 3, take 3 of 3: sampling" in [line.partition(", about")[0] for line in report.lines]
    reel = open_reel(tmp_path / "r")
    assert len(reel.clips) + len(reel.spare) == 9
    assert reel.problems() == []
    for index, clip in enumerate(reel.clips):
        takes, before = reel.takes_of(clip), reel.clips[index - 1] if index else None
        assert [take.take for take in takes] == [0, 1, 2]
        scores = [by_hand(reel, take, before) for take in takes]
        assert [take.score for take in takes] == scores
        assert takes.index(clip) == scores.index(min(scores))
        assert f"clip {index + 1}: take {takes.index(clip) + 1} of 3 is the best" in " ".join(done.notes)
        assert {take.led_by for take in takes} == {before.digest if before else ""}
    assert render(tmp_path / "r", takes=3)[0].sampled == ()


def test_all_takes_of_a_clip_share_what_conditions_it(tmp_path: Path) -> None:
    _, one, _ = render(tmp_path / "one")
    _, three, _ = render(tmp_path / "three", takes=3)
    assert three.count("WanVideoTextEncode") == one.count("WanVideoTextEncode") == 3
    assert three.count("WanVideoDecode") == 9


def test_the_first_take_is_the_clip_without_takes(tmp_path: Path) -> None:
    render(tmp_path / "r")
    done, host, _ = render(tmp_path / "r", "[takes=2 pick=1]\na lake\n---\na boat\n---\nthe fog lifts")
    assert seeds(host) == [4]
    assert done.sampled == (0,)


def test_another_take_makes_what_followed_anew_and_back_makes_nothing(tmp_path: Path) -> None:
    before, _, _ = render(tmp_path / "r", takes=2)
    second = before.takes[1]
    others = {take.digest for take in open_reel(tmp_path / "r").spare}
    other = 2 if second.take == 0 else 1
    story = f"a lake\n---\n[pick={other}]\na boat\n---\nthe fog lifts"
    done, host, _ = render(tmp_path / "r", story, takes=2)
    assert done.sampled == (2,)
    assert seeds(host) == [87, 88]
    assert done.takes[0] == before.takes[0]
    assert done.takes[1].digest in others
    back, host, _ = render(tmp_path / "r", takes=2)
    assert seeds(host) == []
    assert back.takes == before.takes


def test_a_person_picks_in_the_reel_and_the_story_has_the_last_word(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    before, _, _ = render(folder, takes=2)
    other = 2 if before.takes[1].take == 0 else 1
    assert main(["reel", "pick", str(folder), "2", str(other)]) == 0
    reel = open_reel(folder)
    assert [clip.digest for clip in reel.clips[:1]] == [before.takes[0].digest]
    assert len(reel.clips) == 2
    assert len(reel.clips) + len(reel.spare) == 6
    done, host, _ = render(folder, takes=2)
    assert seeds(host) == [87, 88]
    assert done.takes[1].take == other - 1
    assert not [note for note in done.notes if note.startswith("clip 2")]
    assert main(["reel", "pick", str(folder), "2", str(3 - other)]) == 0
    assert open_reel(folder).clips == before.takes  # with what that take led
    told, host, _ = render(folder, f"a lake\n---\n[pick={other}]\na boat\n---\nthe fog lifts", takes=2)
    assert seeds(host) == []
    assert told.takes == done.takes


def test_the_run_stops_where_a_person_is_to_choose(tmp_path: Path) -> None:
    story = "a lake\n---\n[takes=2 pick=stop]\na boat\n---\nthe fog lifts"
    done, host, _ = render(tmp_path / "r", story)
    assert seeds(host) == [3, 45, 46]
    assert len(done.takes) == 2
    assert done.waits.startswith("clip 2 waits for you to choose")
    again, host, _ = render(tmp_path / "r", story)
    assert (seeds(host), again.waits) == ([], done.waits)
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        writer.pick(find_take(writer.reel, 2, 2))
    chosen, host, _ = render(tmp_path / "r", story)
    assert (seeds(host), chosen.waits) == ([87], "")
    assert chosen.takes[1].seed == 46
    same, host, _ = render(tmp_path / "r", story.replace("stop", "2"))
    assert (seeds(host), same.takes) == ([], chosen.takes)


def test_the_last_clip_waits_for_nobody(tmp_path: Path) -> None:
    assert render(tmp_path / "r", "a lake\n---\n[takes=2 pick=stop]\na boat")[0].waits == ""


def test_a_chain_in_parts_is_the_chain_in_one_go(tmp_path: Path) -> None:
    story = "\n---\n".join(["a lake", "a boat", "[takes=2]\nfog", "rain", "sun", "night"])
    whole, _, _ = render(tmp_path / "whole", story)
    parts = []
    while not parts or parts[-1].waits:
        parts.append(render(tmp_path / "parts", story, clips_per_run=2)[0])
    assert [done.sampled for done in parts] == [(0, 1), (2, 3), (4, 5)]
    assert [len(done.takes) for done in parts] == [2, 4, 6]
    assert [bool(done.waits) for done in parts] == [True, True, False]
    assert [take.digest for take in parts[-1].takes] == [take.digest for take in whole.takes]
    one, other = open_reel(tmp_path / "whole"), open_reel(tmp_path / "parts")
    assert all((mine == theirs).all() for mine, theirs in zip(one.frames(), other.frames(), strict=True))


def test_a_kept_clip_does_not_count_for_the_gate(tmp_path: Path) -> None:
    render(tmp_path / "r", "a lake\n---\na boat")
    done, _, _ = render(tmp_path / "r", "a lake\n---\na boat\n---\nfog\n---\nrain", clips_per_run=1)
    assert (done.sampled, len(done.takes)) == ((2,), 3)


@pytest.mark.parametrize("at", range(4, 40, 5))
def test_takes_of_a_run_that_was_stopped_are_kept(tmp_path: Path, at: int) -> None:
    host = FakeHost()
    host.cancel_at = at
    with suppress(Cancelled), ReelWriter(tmp_path / "r", fps=16) as writer:
        render_chain(job(STORY, takes=3), writer, host, Report(), resume=True)
    assert open_reel(tmp_path / "r").problems() == []
    done, rest, _ = render(tmp_path / "r", takes=3)
    made = seeds(host)[: host.count("WanVideoDecode")]  # those that were decoded are on the disk
    assert not set(made[:-1]) & set(seeds(rest))
    assert [take.digest for take in done.takes] == [
        take.digest for take in render(tmp_path / "whole", takes=3)[0].takes
    ]


def test_takes_are_listed_and_named(tmp_path: Path) -> None:
    done, _, _ = render(tmp_path / "r", takes=2)
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        writer.pick(find_take(writer.reel, 1, 2))
    lines = describe_takes(open_reel(tmp_path / "r"))
    assert lines[0].split() == ["clip", "take", "seed", "score", "seconds", "prompt"]
    assert [line.split()[:3] for line in lines[1:3]][1] == ["1", "2", "picked"]
    with pytest.raises(SVIError, match=r"has take 1, 2, asked for 3"):
        find_take(open_reel(tmp_path / "r"), 1, 3)
    with pytest.raises(SVIError, match=r"has clips 1\.\."):
        find_take(open_reel(tmp_path / "r"), 9, 1)
    assert done.takes


def test_the_plan_tells_takes_and_their_seeds() -> None:
    plan = job("[takes=3]\na lake\n---\n[takes=2 pick=stop]\na boat\n---\nfog").plan
    column = [row[4] for row in plan.table()]
    assert column == ["takes", "3, seeds 3..5", "2, seeds 45..46, pick stop", ""]
    assert "takes" not in job(STORY).plan.table()[0]


def test_seeds_of_takes_meet_no_other_clips() -> None:
    plan = job("\n---\n".join("abcdef"), takes=20).plan
    all_seeds = [clip.take(number).seed for clip in plan.clips for number in range(clip.takes)]
    assert len(set(all_seeds)) == len(all_seeds) == 120
    met = job("a\n---\n[seed=4]\nb", takes=2).plan
    assert any("clips 1 and 2 have the same seed 4" in note for note in met.notes)


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ("[pick=3 takes=2]\na", "pick=3 is none of its takes, it has 2 takes"),
        ("[pick=2]\na", "takes is 1"),
        ("[pick=best]\na", "pick must be a whole number.*or auto, the best one by its score; or stop"),
        ("[takes=21]\na", r"takes must be 1\.\.20"),
    ],
)
def test_what_cannot_be_picked_is_said(story: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        job(story)
