"""Mending: a clip made again between its neighbours, which stay, and clips put in and taken out."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import Cancelled, FakeHost, Report, job, job_in, samplers
from fixed_chains import FixedHost
from helpers import frames
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered

PROMPTS = ("a lake", "a boat", "fog", "rain", "sun", "night")


def told(*heads: str, prompts: tuple[str, ...] = PROMPTS) -> str:
    padded = (*heads, *("",) * (len(prompts) - len(heads)))
    return "\n---\n".join(f"{head}\n{prompt}".strip() for head, prompt in zip(padded, prompts, strict=True))


def render(folder: Path, story: str, *, host: Any = None, limit: float = 0, **options: Any) -> tuple[Rendered, Any]:
    host, per_run = host or FakeHost(), options.pop("clips_per_run", 0)
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(
            job_in(folder, story, **options), writer, host, Report(), resume=True, mend_limit=limit,
            clips_per_run=per_run,
        )  # fmt: skip
    return done, host


def seen(reel: Reel, clip: Take) -> list[bytes]:
    """Its frames as the video shows them."""
    return [pixels.tobytes() for pixels in reel.clip_frames(clip, clip.overlap)]


FAMILIES: dict[str, dict[str, Any]] = {
    "film": {},
    "shot": {"mode": "shot", "ref_image": frames(1, seed=2)},
    "svi2_wan22": {"mode": "svi2_wan22"},
    "fun_inp": {"mode": "fun_inp"},
    "svi2_pro": {"mode": "svi2_pro", "ref_image": frames(1, seed=2)},
}


@pytest.mark.parametrize("family", FAMILIES)
def test_one_clip_is_made_and_all_after_it_stay(tmp_path: Path, family: str) -> None:
    options = FAMILIES[family]
    before, _ = render(tmp_path / "r", told(), **options)
    reel = open_reel(tmp_path / "r")
    was = [seen(reel, clip) for clip in reel.clips]
    changed = (*PROMPTS[:2], "a storm", *PROMPTS[3:])
    done, host = render(tmp_path / "r", told("", "", "[mend]", prompts=changed), **options)
    assert done.sampled == (2,)
    assert host.count("WanVideoDecode") == 1
    after = open_reel(tmp_path / "r")
    assert [clip.digest for clip in after.clips[3:]] == [clip.digest for clip in before.takes[3:]]
    assert [clip.video for clip in after.clips[3:]] == [clip.video for clip in before.takes[3:]]
    now = [seen(after, clip) for clip in after.clips]
    assert [mine == theirs for mine, theirs in zip(now, was, strict=True)] == [True, True, False, True, True, True]
    assert now[2][-1] == was[2][-1]  # what leads the next clip is to the bit what it was
    led, kept = after.tail(after.clips[2]), reel.tail(before.takes[2])
    assert torch.equal(led[0], kept[0])
    assert (led[1] is None) == (kept[1] is None)
    assert led[1] is None or torch.equal(led[1], kept[1])
    assert any("clip 3 is mended between clips 2 and 4: its more visible seam is" in note for note in done.notes)
    assert after.clips[2].mended
    assert after.clips[3].led_by == after.clips[2].digest
    again, host = render(tmp_path / "r", told("", "", "[mend]", prompts=changed), **options)
    assert (again.sampled, host.calls) == ((), [])
    assert again.takes == done.takes


def test_it_ends_on_the_exact_frames_that_lead_the_next(tmp_path: Path) -> None:
    render(tmp_path / "r", told())
    kept = open_reel(tmp_path / "r").tail(open_reel(tmp_path / "r").clips[2])[0]
    _, host = render(tmp_path / "r", told("", "", "[mend seed=9]"))
    (asked,) = samplers(host)
    mask = asked["image_embeds"]["mask"]
    assert mask[:, -1].min() == 1  # the end is known
    _, other = render(tmp_path / "plain", told("", "", "[seed=9]"))
    assert samplers(other)[2]["image_embeds"]["mask"][:, -1].max() == 0
    reel = open_reel(tmp_path / "r")
    shown = torch.stack([torch.from_numpy(pixels.copy()) for pixels in reel.clip_frames(reel.clips[2], 12)])
    wanted = (kept * 255).clamp(0, 255).byte()
    assert torch.equal(shown[-1], wanted[-1])
    distance = (shown.float() - wanted.float()).abs().mean((1, 2, 3))
    assert distance.tolist() == sorted(distance.tolist(), reverse=True)  # faded in


def test_the_node_names_clips_by_number(tmp_path: Path) -> None:
    render(tmp_path / "r", told())
    done, _ = render(tmp_path / "r", told(), mend="3, 5")
    assert done.sampled == (2, 4)
    assert [row[4] for row in job_in(tmp_path / "r", told(), mend="3").plan.table()][:4] == [
        "mend", "", "", "between 2 and 4",
    ]  # fmt: skip


def test_a_mended_clip_stays_so_until_it_is_told_not_to(tmp_path: Path) -> None:
    before, _ = render(tmp_path / "r", told())
    mended, _ = render(tmp_path / "r", told("", "", "[mend seed=9]"))
    done, _ = render(tmp_path / "r", told("", "", "[seed=9]"))
    assert (done.sampled, done.takes) == ((), mended.takes)
    other = (*PROMPTS[:2], "a storm", *PROMPTS[3:])
    done, _ = render(tmp_path / "r", told("", "", "[seed=9]", prompts=other))
    assert done.sampled == (2,)
    done, _ = render(tmp_path / "r", told("", "", "[mend=off seed=9]"))
    assert done.sampled == (2, 3, 4, 5)
    done, _ = render(tmp_path / "r", told())
    assert [take.digest for take in done.takes] == [take.digest for take in before.takes]


def test_a_story_with_a_mend_in_a_new_reel_is_mended_once_it_is_there(tmp_path: Path) -> None:
    done, host = render(tmp_path / "r", told("", "", "[mend seed=9]"))
    assert host.count("WanVideoDecode") == 7
    assert done.takes[2].mended
    again, host = render(tmp_path / "r", told("", "", "[mend seed=9]"))
    assert (host.calls, again.takes) == ([], done.takes)
    assert done.takes[2].digest != open_reel(tmp_path / "r").spare[0].digest


def test_a_run_in_parts_is_mended_by_one_more(tmp_path: Path) -> None:
    done, _ = render(tmp_path / "r", told("", "", "[mend seed=9]"), clips_per_run=6)
    assert done.waits == "clip 3 is made as any so far: queue again to mend it between its neighbours"
    again, _ = render(tmp_path / "r", told("", "", "[mend seed=9]"), clips_per_run=6)
    assert (again.sampled, again.waits) == ((2,), "")
    whole, _ = render(tmp_path / "whole", told("", "", "[mend seed=9]"))
    assert [take.digest for take in again.takes] == [take.digest for take in whole.takes]


def test_a_clip_is_put_in_between_two_that_stay(tmp_path: Path) -> None:
    before, _ = render(tmp_path / "r", told())
    longer = (*PROMPTS[:2], "a gull", *PROMPTS[2:])
    done, host = render(tmp_path / "r", told(prompts=longer))
    assert done.sampled == (2,)
    assert [take.digest for take in done.takes[:2] + done.takes[3:]] == [take.digest for take in before.takes]
    assert done.takes[2].seed == 3 + 42 * 6  # no other clip's
    reel = open_reel(tmp_path / "r")
    assert reel.total_frames == 17 + 6 * 12
    assert torch.equal(reel.tail(reel.clips[2])[0], reel.tail(reel.clips[1])[0])
    again, host = render(tmp_path / "r", told(prompts=longer))
    assert (host.calls, again.takes) == ([], done.takes)
    back, host = render(tmp_path / "r", told())
    assert host.calls == []
    assert [take.digest for take in back.takes] == [take.digest for take in before.takes]


def test_a_clip_that_is_put_in_may_lead_on(tmp_path: Path) -> None:
    render(tmp_path / "r", told())
    longer = (*PROMPTS[:2], "a gull", *PROMPTS[2:])
    done, _ = render(tmp_path / "r", told("", "", "[mend=off]", prompts=longer))
    assert done.sampled == (2, 3, 4, 5, 6)


def test_a_clip_is_taken_out(tmp_path: Path) -> None:
    before, _ = render(tmp_path / "r", told())
    shorter = (*PROMPTS[:3], *PROMPTS[4:])
    done, _ = render(tmp_path / "r", told("", "", "", "[mend]", prompts=shorter))
    assert done.sampled == (3,)
    assert done.takes[3].seed == before.takes[4].seed
    assert done.takes[4].digest == before.takes[5].digest
    other, _ = render(tmp_path / "other", told())
    flowing, _ = render(tmp_path / "other", told(prompts=shorter))
    assert flowing.sampled == (3, 4)
    assert [take.seed for take in flowing.takes] == [take.seed for take in (*other.takes[:3], *other.takes[4:])]


def test_a_mend_that_shows_too_much_is_kept_as_a_take(tmp_path: Path) -> None:
    render(tmp_path / "r", told(), host=FixedHost())
    before = open_reel(tmp_path / "r")
    done, _ = render(tmp_path / "r", told("", "", "[mend seed=9]"), limit=0.5, host=FixedHost())
    assert done.sampled == (2,)
    assert [take.digest for take in done.takes] == [take.digest for take in before.clips]
    assert any(
        "more than mend_limit 0.5 (1 is none): what stood there stays, and this is kept as a take; try takes=3" in note
        for note in done.notes
    )
    again, host = render(tmp_path / "r", told("", "", "[mend seed=9]"), limit=0.5, host=FixedHost())
    assert (again.sampled, host.calls) == ((), [])
    picked, host = render(tmp_path / "r", told("", "", "[mend seed=9 pick=1]"), limit=0.5, host=FixedHost())
    assert host.calls == []
    assert picked.takes[2].mended
    lifted, _ = render(tmp_path / "r", told("", "", "[mend seed=9]"), limit=0)
    assert lifted.takes[2].digest == picked.takes[2].digest


def test_takes_of_a_mend_are_scored_with_both_seams(tmp_path: Path) -> None:
    render(tmp_path / "r", told())
    done, host = render(tmp_path / "r", told("", "", "[mend seed=9 takes=3]"))
    assert len(samplers(host)) == 3
    takes = open_reel(tmp_path / "r").takes_of(done.takes[2])
    assert [take.score for take in takes].index(min(take.score or 0 for take in takes)) == done.takes[2].take
    assert all(take.landing is not None and take.landing >= 1 for take in takes)


@pytest.mark.parametrize("at", range(5))
def test_a_mend_that_was_stopped_goes_on(tmp_path: Path, at: int) -> None:
    render(tmp_path / "r", told())
    before = open_reel(tmp_path / "r").clips
    host = FakeHost()
    host.cancel_at = at
    story = told("", "", "[mend seed=9]")
    with suppress(Cancelled):
        render(tmp_path / "r", story, host=host)
    assert open_reel(tmp_path / "r").problems() == []
    done, _ = render(tmp_path / "r", story)
    assert [take.digest for take in (*done.takes[:2], *done.takes[3:])] == [
        take.digest for take in (*before[:2], *before[3:])
    ]
    assert done.takes[2].mended


def test_the_command_says_what_a_mend_would_make(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    render(tmp_path / "r", told())
    assert main(["reel", "mend-plan", str(tmp_path / "r"), "3", "1"]) == 0
    said = capsys.readouterr().out
    assert "clip 3 (fog), made again: led by the end of clip 2, ending on the last 5 frames" in said
    assert "clips 4 to 6 stay" in said
    assert "clip 1 (a lake), made again: led by what the chain begins with" in said
    for clip, message in (("6", "no clip continues from it"), ("9", "has clips 1..6, asked for 9")):
        assert main(["reel", "mend-plan", str(tmp_path / "r"), clip]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("story", "options", "message"),
    [
        (told("", "", "", "", "", "[mend]"), {}, "none continues from this one"),
        (told("", "[mend]", "[cut]"), {}, "none continues from this one"),
        (told("", "[mend end=0]"), {"end_images": frames(1)}, "keep one of them"),
        (told(), {"mend": "9"}, "mend names clip 9, and the story makes 6"),
        (told(), {"mend": "3, x"}, "mend must be numbers of clips from 1, as in 4, 7; got 'x'"),
        (told("[mend=on]"), {}, "mend stands alone"),
        (told("", "[mend]"), {"fun_or_fl2v_model": False}, "fun_or_fl2v_model"),
    ],
)
def test_what_cannot_be_mended_is_said(story: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        job(story, **options)
