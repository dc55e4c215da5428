"""Cuts and branches: what leads a clip that does not go on from the one before it, and what stays apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import FakeHost, Report, job, samplers
from helpers import frames, planned
from wanvideo_svi.svi_embeds.drift.measure import measure_reel
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.check import unused
from wanvideo_svi.svi_embeds.story.text import format_story, parse_story
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered

IMAGES = frames(3, seed=8)


def render(folder: Path, story: str, **options: Any) -> tuple[Rendered, FakeHost]:
    host = FakeHost()
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(
            job(story, start_images=IMAGES, **options), writer, host, Report(), resume=True
        )  # fmt: skip
    return done, host


def test_a_scene_is_the_chain_that_begins_with_its_image(tmp_path: Path) -> None:
    """To the bit, but for its seeds, which count on."""
    done, _ = render(tmp_path / "both", "a lake\n---\na boat\n---\n[cut start=1]\na street\n---\na tram")
    host = FakeHost()
    with ReelWriter(tmp_path / "alone", fps=16) as writer:
        alone = render_chain(
            job("[seed=87]\na street\n---\n[seed=129]\na tram", start_image=IMAGES[1:2]), writer, host, Report(),
            resume=True,
        )  # fmt: skip
    both, other = open_reel(tmp_path / "both"), open_reel(tmp_path / "alone")
    assert [take.seed for take in done.takes] == [3, 45, 87, 129]
    assert [take.follows for take in done.takes] == [True, True, False, True]
    assert [take.led_by for take in done.takes][2:] == ["", done.takes[2].digest]
    assert [take.overlap for take in done.takes] == [0, 5, 0, 5]
    pairs = zip(both.clip_frames(done.takes[3]), other.clip_frames(alone.takes[1]), strict=True)
    assert all((mine == theirs).all() for mine, theirs in pairs)
    assert both.total_frames == 17 + 12 + 17 + 12


def test_scenes_do_not_make_each_other_anew(tmp_path: Path) -> None:
    story = "a lake\n---\na boat\n---\n[cut start=1]\na street\n---\na tram"
    first, _ = render(tmp_path / "r", story)
    done, _ = render(tmp_path / "r", story.replace("a lake", "a pond"))
    assert done.sampled == (0, 1)
    assert done.takes[2:] == first.takes[2:]
    done, _ = render(tmp_path / "r", story.replace("start=1", "start=2"))
    assert done.sampled == (2, 3)


def test_a_branch_goes_on_from_the_clip_that_is_named(tmp_path: Path) -> None:
    done, _ = render(tmp_path / "r", "a lake\n---\na boat\n---\n[from=1]\na storm")
    assert done.takes[2].led_by == done.takes[0].digest
    assert not done.takes[2].follows
    reel = open_reel(tmp_path / "r")
    alone, _ = render(tmp_path / "alone", "a lake\n---\n[seed=87]\na storm")
    other = open_reel(tmp_path / "alone")
    assert all(
        (mine == theirs).all()
        for mine, theirs in zip(reel.clip_frames(done.takes[2]), other.clip_frames(alone.takes[1]), strict=True)
    )
    again, _ = render(tmp_path / "r", "a lake\n---\na ship\n---\n[from=1]\na storm")
    assert again.sampled == (1,)
    assert again.takes[2] == done.takes[2]


def test_what_a_branch_needs_is_kept_of_the_clip_that_leads_it(tmp_path: Path) -> None:
    plan = planned("a\n---\nb\n---\n[from=1 overlap=9]\nc", mode="film", num_frames=17)
    assert plan.motion_after(0) == (9, 0)
    assert plan.motion_after(1) == (5, 0)
    render(tmp_path / "r", "a\n---\nb")
    done, _ = render(tmp_path / "r", "a\n---\nb\n---\n[from=1 overlap=9]\nc")
    assert any("clip 1 was made again: a clip that it leads needs 9" in note for note in done.notes)


def test_pro_scenes_hold_on_to_their_own_anchor(tmp_path: Path) -> None:
    story = "a lake\n---\na boat\n---\n[cut start=1]\na street\n---\na tram"
    done, host = render(tmp_path / "r", story, mode="svi2_pro", ref_image=None)
    anchors = [inputs["image"] for name, inputs in host.calls if name == "WanVideoEncode"]
    assert len(anchors) == 2
    assert torch.equal(anchors[1], IMAGES[1:2])
    held = [asked["image_embeds"]["image_embeds"] for asked in samplers(host)]
    assert not torch.equal(held[0][:, 0], held[2][:, 0])
    assert torch.equal(held[2][:, 0], held[3][:, 0])
    assert len(done.takes) == 4


def test_colours_are_held_within_a_scene(tmp_path: Path) -> None:
    story = "a lake\n---\na boat\n---\n[cut start=1]\na street\n---\na tram"
    free, _ = render(tmp_path / "free", story)
    held, _ = render(tmp_path / "held", story, color_match="mean_std")
    assert [mine.video.sha256 == theirs.video.sha256 for mine, theirs in zip(free.takes, held.takes, strict=True)][
        ::2
    ] == [True, True]
    changed, _ = render(tmp_path / "held", story.replace("a lake", "a pond"), color_match="mean_std")
    assert changed.sampled == (0, 1)


def test_seams_and_drift_do_not_reach_across_a_cut(tmp_path: Path) -> None:
    render(tmp_path / "r", "a lake\n---\na boat\n---\n[cut start=1]\na street\n---\n[from=1]\na storm")
    found = measure_reel(open_reel(tmp_path / "r"))
    assert [seam is not None for seam in found.drift.seams] == [True, False, False]
    assert [change.size == 0 for change in found.drift.changes] == [True, False, True, True]
    assert [line.split()[-1] for line in found.drift.lines()[2:]][2:] == ["cut", "cut"]
    assert found.picture("cut").width == 1000


def test_the_plan_tells_what_a_clip_begins_with() -> None:
    plan = planned(
        "[start=2]\na\n---\nb\n---\n[cut]\nc\n---\n[cut start=0]\nd\n---\n[from=2]\ne", mode="film", num_frames=17
    )
    assert [row[4] for row in plan.table()] == [
        "begins",
        "start image 2",
        "",
        "cut",
        "cut, start image 0",
        "from clip 2",
    ]
    assert [clip.scene for clip in plan.clips] == [0, 0, 2, 3, 0]
    assert [clip.led_by for clip in plan.clips] == [None, 0, None, None, 1]
    assert "begins" not in planned("a\n---\nb", mode="film", num_frames=17).table()[0]


def test_a_repeated_block_is_cut_once() -> None:
    plan = planned("a\n---\n[cut repeat=3]\nb", mode="film", num_frames=17)
    assert [clip.led_by for clip in plan.clips] == [None, None, 1, 2]
    plan = planned("a\n---\nb\n---\n[from=1 repeat=2]\nc", mode="film", num_frames=17)
    assert [clip.led_by for clip in plan.clips] == [None, 0, 0, 2]


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ("a\n---\n[start=1]\nb", "start=1 is what a new scene begins with: write cut beside it"),
        ("a\n---\n[cut start=3]\nb", r"start=3 is none of the start images: there are 3 \(0\.\.2\)"),
        ("a\n---\n[cut from=1]\nb", "keep one of them"),
        ("a\n---\n[from=2]\nb", r"from=2 is not a clip that could lead it: the clips before it are 1\.\.1"),
        ("[from=1]\na", "there is none before it"),
        ("[cut=yes]\na", "cut stands alone: write cut, without =yes"),
        ("[cut cut]\na", "cut is set twice"),
    ],
)
def test_what_cannot_be_is_said(story: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        job(story, start_images=IMAGES)


def test_start_images_that_no_scene_uses_are_told() -> None:
    this = job("a\n---\nb", start_images=IMAGES)
    assert any(
        "start_images are not used" in note for note in unused(this.plan, this.settings, this.sources.connected())
    )


def test_what_is_written_is_read() -> None:
    text = "[start=1 takes=2]\na\n---\n[cut start=0 repeat=2]\nb\n---\n[from=1 pick=2 takes=3]\nc"
    blocks = parse_story(text)
    assert [(block.cut, block.start, block.source) for block in blocks] == [
        (False, 1, None), (True, 0, None), (False, None, 1),
    ]  # fmt: skip
    read = parse_story(format_story(blocks))
    assert [(b.cut, b.start, b.source, b.takes, b.pick, b.repeat) for b in read] == [
        (b.cut, b.start, b.source, b.takes, b.pick, b.repeat) for b in blocks
    ]
