"""A run that makes some clips of a story and nothing else: what many machines make side by side."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost, Report, job_in, samplers
from helpers import frames
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.depends import Task, leading, read_only, work_of
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered

STORY = "a lake\n---\na boat\n---\nfog\n---\nrain\n---\nsun"
SCENES = "a lake\n---\na boat\n---\n[cut start=0]\na mill\n---\nits wheel\n---\n[cut start=1]\na hill"
IMAGES = {"start_images": frames(2, seed=5)}


def render(folder: Path, story: str, only: str = "", **options: Any) -> tuple[Rendered, FakeHost]:
    host, how = FakeHost(), {key: options.pop(key) for key in ("resume", "clips_per_run") if key in options}
    with ReelWriter(folder, fps=16) as writer:
        this = job_in(folder, story, **options)
        tasks = read_only(only, this.plan) if only else ()
        done = render_chain(this, writer, host, Report(), only=tasks, **{"resume": True, "mend_limit": 0, **how})
    return done, host


def seeds(host: FakeHost) -> list[int]:
    return [asked["seed"] for asked in samplers(host)]


def same(one: Reel, other: Reel) -> bool:
    """To the bit, and told alike."""
    return [(take.digest, take.video.sha256, take.tail.sha256, take.score, take.overlap) for take in one.clips] == [
        (take.digest, take.video.sha256, take.tail.sha256, take.score, take.overlap) for take in other.clips
    ]


def test_scenes_made_one_by_one_are_the_chain(tmp_path: Path) -> None:
    render(tmp_path / "whole", SCENES, **IMAGES)
    for order in itertools.permutations(["1-2", "3-4", "5"]):
        folder = tmp_path / "".join(order)
        for only in order:
            done, host = render(folder, SCENES, only, **IMAGES)
            assert len(seeds(host)) == len(done.sampled) == len(done.takes)
            assert open_reel(folder).clips == ()
        assert seeds(render(folder, SCENES, **IMAGES)[1]) == []
        assert same(open_reel(folder), open_reel(tmp_path / "whole"))
        assert open_reel(folder).spare == ()


def test_takes_made_one_by_one_are_scored_and_chosen_as_in_one_run(tmp_path: Path) -> None:
    render(tmp_path / "whole", SCENES, takes=3, **IMAGES)
    for clip, take in ((1, 3), (1, 1), (3, 2), (3, 1), (1, 2), (3, 3)):
        _, host = render(tmp_path / "r", SCENES, f"{clip}.{take}", takes=3, **IMAGES)
        assert seeds(host) == [3 + 42 * (clip - 1) + take - 1]
    for only in ("2, 4", "5"):
        render(tmp_path / "r", SCENES, only, takes=3, **IMAGES)
    done, host = render(tmp_path / "r", SCENES, takes=3, **IMAGES)
    assert seeds(host) == []
    assert same(open_reel(tmp_path / "r"), open_reel(tmp_path / "whole"))
    assert {take.of for take in open_reel(tmp_path / "r").takes_of(done.takes[0])} == {"", done.takes[0].clip}


@pytest.mark.parametrize("seed", range(8))
def test_any_order_that_the_dependencies_allow_gives_the_same(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    heads = ["", "takes=2", "takes=3 pick=2", "cut start=1", "cut", "from=1", "color=mean_std"]
    story = "\n---\n".join(f"[{head}]\n{head} {n}" if head else f"plain {n}" for n in range(5)
                           for head in [chance.choice(heads if n else heads[:3])])  # fmt: skip
    render(tmp_path / "whole", story, **IMAGES)
    plan, settings = (this := job_in(tmp_path / "r", story, **IMAGES)).plan, this.settings
    made: set[Task] = set()
    while work := work_of(plan, settings, made=made, chosen={
        clip.index for clip in plan.clips if all(Task(clip.index, take) in made for take in range(clip.takes))
    }).ready:  # fmt: skip
        task = chance.choice(work)
        _, host = render(tmp_path / "r", story, f"{task.clip + 1}.{task.take + 1}", **IMAGES)
        assert seeds(host) == [plan.clips[task.clip].take(task.take).seed]
        made.add(task)
    assert seeds(render(tmp_path / "r", story, **IMAGES)[1]) == []
    assert same(open_reel(tmp_path / "r"), open_reel(tmp_path / "whole"))


def test_mends_made_one_by_one_are_those_of_one_run(tmp_path: Path) -> None:
    mends = STORY.replace("a boat", "[mend seed=9]\na boat").replace("rain", "[mend seed=8]\nrain")
    for name in ("whole", "r"):
        render(tmp_path / name, STORY)
    render(tmp_path / "whole", mends)
    for only, seed in (("4", 8), ("2", 9)):
        before = open_reel(tmp_path / "r").clips
        assert seeds(render(tmp_path / "r", mends, only)[1]) == [seed]
        assert open_reel(tmp_path / "r").clips == before
    assert seeds(render(tmp_path / "r", mends)[1]) == []
    assert same(open_reel(tmp_path / "r"), open_reel(tmp_path / "whole"))


def test_the_video_shows_these_clips_and_what_leads_them(tmp_path: Path) -> None:
    render(tmp_path / "r", STORY, "1-2")
    done, host = render(tmp_path / "r", STORY, "3")
    assert seeds(host) == [87]
    assert [take.number for take in done.takes] == [0, 1, 2]
    assert (done.sampled, len(done.last_frames)) == ((2,), 5)
    assert seeds(render(tmp_path / "r", STORY, "2-3")[1]) == []
    assert seeds(render(tmp_path / "r", STORY, "2", resume=False)[1]) == [45]
    assert len(open_reel(tmp_path / "r").spare) == 3


def test_what_leads_is_never_made_beside(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match=r"clip 1 leads what is to be made \(only\), and reel r does not have it"):
        render(tmp_path / "r", STORY, "2")
    render(tmp_path / "r", STORY, "1.1", takes=2)
    with pytest.raises(SVIError, match=r"with all its takes: make it first, or leave only empty"):
        render(tmp_path / "r", STORY, "2", takes=2)
    stop = STORY.replace("a lake", "[pick=stop]\na lake")
    with pytest.raises(SVIError, match="clip 1 waits for you to choose"):
        render(tmp_path / "r", stop, "2")
    assert [take.seed for take in open_reel(tmp_path / "r").spare] == [3]


@pytest.mark.parametrize(("text", "said"), [
    ("0", "only must be clips by number"), ("a", "only must be clips by number"), ("3-2", "the story has clips 1..5"),
    ("6", "only names 6: the story has clips 1..5"), ("2.3", "clip 2 has 2 takes"), (",", "only names no clip"),
])  # fmt: skip
def test_a_text_that_names_no_clip_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SVIError, match=said):
        read_only(text, job_in(tmp_path, STORY, takes=2).plan)


def test_what_a_text_names(tmp_path: Path) -> None:
    plan = job_in(tmp_path, STORY, takes=2).plan
    assert read_only("2.2", plan) == {Task(1, 1)}
    assert read_only("2, 4-5", plan) == {Task(clip, take) for clip in (1, 3, 4) for take in (0, 1)}
    assert leading(plan, {3}) == {0, 1, 2}
    branch = job_in(tmp_path, "a\n---\nb\n---\n[from=1]\nc\n---\nd").plan
    assert leading(branch, {3}) == {0, 2}
    assert leading(branch, {0}) == set()
