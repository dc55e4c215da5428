"""Holding colours: drift that feeds on itself is taken back, what did not drift stays, seams do not jump."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from drift_scenes import DRIFTS, UNDRIFTED, drawing, drifted, harm, jump, measured, photograph, run_chain
from fake_host import job, render, samplers
from helpers import frames, latent_clip
from torch import Tensor
from wanvideo_svi.svi_embeds.colour.look import measure
from wanvideo_svi.svi_embeds.colour.match import colour_sample, find_match, match_clip, match_latents, sample_video
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.drift.figures import Drift
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import to_images, to_pixels
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.render.colour import ColourHold

LONG = bool(os.environ.get("SVI_LONG_TESTS"))
PICTURE = photograph()
HAS_MKL = importlib.util.find_spec("color_matcher") is not None
NEEDS_MKL = pytest.mark.skipif(not HAS_MKL, reason="color-matcher is not installed")
METHODS = ["mean_std", "histogram", pytest.param("mkl", marks=NEEDS_MKL)]


@functools.cache
def let_go(scene: str, name: str, gradual: bool = False) -> Drift:
    """What a chain comes to that nothing holds. The same for every method, and it takes long."""
    picture = PICTURE if scene == "photograph" else drawing()
    return measured(run_chain(picture, DRIFTS[name], gradual=gradual))


@pytest.mark.parametrize(
    ("method", "gradual"),
    [("mean_std", True), ("mean_std", False), ("histogram", False), pytest.param("mkl", False, marks=NEEDS_MKL)],
)
@pytest.mark.parametrize("name", DRIFTS)
def test_drift_over_twenty_clips_is_held_and_no_seam_gets_worse(name: str, method: str, gradual: bool) -> None:
    free = let_go("photograph", name, gradual)
    held = measured(run_chain(PICTURE, DRIFTS[name], method=method, gradual=gradual))
    assert free.change(free.worst).culprit == name
    assert held.drift < 1
    _is_held(free, held, name)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", DRIFTS if LONG else ["contrast", "cast"])  # the one that bends most, and the colours
def test_a_scene_with_flat_and_white_areas_is_held_too(name: str, method: str) -> None:
    free = let_go("drawing", name)
    held = measured(run_chain(drawing(), DRIFTS[name], method=method))
    assert held.drift < 0.3 * free.drift
    # Curves that bend flat areas move their edges: a little, but it is there.
    _is_held(free, held, name, tolerance=0.15 if method == "histogram" else 0.05)


def _is_held(free: Drift, held: Drift, name: str, tolerance: float = 0.05) -> None:
    before, after = (abs(getattr(drift.change(19), name)) for drift in (free, held))
    assert after <= (0.2 if name == "cast" else 0.1) * before
    for seam, other in zip(held.seams, free.seams, strict=True):
        assert jump(seam) <= jump(other) + tolerance
    assert held.seam <= free.seam + 0.02


@pytest.mark.parametrize("method", METHODS)
def test_a_clip_that_did_not_drift_is_hardly_changed(method: str) -> None:
    first, *_, last = drifted(PICTURE, [lambda frame: frame] * 12)
    matched = match_clip(last, colour_sample(first), method=method, tail=2)
    assert (matched - last).abs().mean() < 1 / 255


@pytest.mark.parametrize("method", METHODS)
def test_the_start_of_a_clip_stays_and_its_end_has_the_colours(method: str) -> None:
    first, second = drifted(PICTURE, [lambda frame: frame, lambda frame: frame * 0.8])
    held = match_clip(second, colour_sample(first), method=method, lead=2, tail=2)
    assert torch.equal(held[:2], second[:2])
    assert measure(held[-1]).exposure == pytest.approx(measure(first[-1]).exposure, rel=0.01)
    exposures = [measure(frame).exposure for frame in held[2:]]
    assert all(later >= earlier - 1e-3 for earlier, later in itertools.pairwise(exposures))
    half = match_clip(second, colour_sample(first), method=method, strength=0.5, lead=2, tail=2)
    middle = (measure(second[-1]).exposure + measure(held[-1]).exposure) / 2
    assert measure(half[-1]).exposure == pytest.approx(middle, rel=0.01)


def test_sharpness_is_left_alone() -> None:
    first, second = drifted(PICTURE, [lambda frame: frame, lambda frame: frame * 0.8])
    held = match_clip(second, colour_sample(first), method="mean_std", tail=len(second))
    scale = measure(held[-1]).contrast / measure(second[-1]).contrast
    assert measure(held[-1]).sharpness == pytest.approx(measure(second[-1]).sharpness * scale**2, rel=0.02)


def test_off_and_no_strength_change_nothing() -> None:
    clip, target = frames(4), colour_sample(frames(1, seed=3))
    assert match_clip(clip, target, method="off") is clip
    assert match_clip(clip, target, method="mean_std", strength=0) is clip


@pytest.mark.parametrize("count", [1, 9])
def test_a_clip_gives_one_sample_in_memory_and_from_disk(count: int) -> None:
    clip = frames(count, height=40, width=56)
    stored = [to_pixels(frame) for frame in clip]
    assert torch.equal(colour_sample(clip), sample_video(stored, count=count, height=40, width=56))
    assert len(colour_sample(frames(8, height=256, width=256))) <= 2**16
    assert to_images(stored, count).shape == clip.shape


def test_flat_pictures_and_wrong_settings_are_answered() -> None:
    flat = torch.full((2, 16, 16, 3), 0.4)
    target = colour_sample(torch.full((1, 16, 16, 3), 0.6))
    for method in ("mean_std", "histogram"):
        assert match_clip(flat, target, method=method, tail=2)[-1].mean() == pytest.approx(0.6, abs=0.01)
    for wrong in ({"method": "best"}, {"method": "mean_std", "strength": 2}):
        with pytest.raises(SVIError):
            match_clip(flat, target, **wrong)  # type: ignore[arg-type]


def test_mkl_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("color_matcher", "color_matcher.mvgd_matcher"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SVIError, match="pip install color-matcher"):
        find_match(colour_sample(frames(1)), colour_sample(frames(1)), "mkl")


# Stitch


def test_a_stitched_clip_is_held_to_the_first_clip_or_to_a_reference() -> None:
    first, second = drifted(PICTURE, [lambda frame: frame, lambda frame: frame * 0.8])
    plain, _ = stitch(first, second, overlap_frames=2)
    joined, notes = stitch(first, second, overlap_frames=2, color_match="mean_std")
    assert torch.equal(joined[: len(first)], plain[: len(first)])
    assert measure(joined[-1]).exposure == pytest.approx(measure(first[-1]).exposure, rel=0.01)
    assert any("colours of the first clip" in note for note in notes)
    bright = (first[:1] * 1.3).clamp(0, 1)
    joined, notes = stitch(first, second, overlap_frames=2, color_match="mean_std", color_reference=bright)
    assert measure(joined[-1]).exposure == pytest.approx(measure(bright[0]).exposure, rel=0.01)
    assert any("color_reference" in note for note in notes)


# Pro


def test_motion_latents_get_the_anchors_statistics() -> None:
    generator = torch.Generator().manual_seed(0)
    anchor = torch.randn(1, 16, 1, 8, 8, generator=generator)
    drifting = torch.randn(1, 16, 5, 8, 8, generator=generator) * 1.5 + 0.4
    given: dict[str, Any] = {
        "anchor_samples": {"samples": anchor}, "num_frames": 17, "prev_samples": {"samples": drifting},
    }  # fmt: skip
    free = latent_clip(**given).embeds["image_embeds"]
    held = latent_clip(**given, motion_match=1.0)
    wanted = anchor[0].mean((1, 2, 3)), anchor[0].std((1, 2, 3), correction=0)
    latents = held.embeds["image_embeds"]
    motion = latents[:, 1:2]
    torch.testing.assert_close(motion.mean((1, 2, 3)), wanted[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(motion.std((1, 2, 3), correction=0), wanted[1], atol=1e-5, rtol=1e-5)
    assert torch.equal(latents[:, :1], free[:, :1])
    assert "anchor's mean and spread" in held.info
    half = latent_clip(**given, motion_match=0.5).embeds["image_embeds"][:, 1:2]
    torch.testing.assert_close(half, (free[:, 1:2] + motion) / 2)
    with pytest.raises(SVIError, match="motion_match"):
        latent_clip(**given, motion_match=2.0)


def test_latents_are_held_along_a_ramp() -> None:
    latents = torch.randn(16, 6, 4, 4, generator=torch.Generator().manual_seed(1)) + 1
    held = match_latents(latents, torch.zeros(16, 1, 4, 4), strength=1.0, lead=2, tail=1)
    assert torch.equal(held[:, :2], latents[:, :2])
    assert held[:, -1].mean().abs() < 1e-5
    with pytest.raises(SVIError, match="16 channels"):
        match_latents(torch.zeros(8, 1, 4, 4), torch.zeros(16, 1, 4, 4), strength=1.0)


# Long Video


def colours(folder: Path) -> list[Tensor]:
    reel = open_reel(folder)
    return [reel.tail(take)[0] for take in reel.clips]


def test_a_chain_is_held_clip_by_clip_and_resumes_to_the_same(tmp_path: Path) -> None:
    render(tmp_path / "free", job())
    done, _, _ = render(tmp_path / "held", job(color_match="mean_std"))
    assert done.sampled == (0, 1, 2)
    assert torch.equal(colours(tmp_path / "held")[0], colours(tmp_path / "free")[0])  # clip 1 is the measure
    assert not torch.equal(colours(tmp_path / "held")[1], colours(tmp_path / "free")[1])
    again, host, _ = render(tmp_path / "held", job(color_match="mean_std"))
    assert again.sampled == ()
    assert not samplers(host)
    # Stopped after clip 2, then on: the third is made from what lies on disk.
    render(tmp_path / "whole", job("a lake\n---\na boat", color_match="mean_std"))
    on, _, _ = render(tmp_path / "whole", job(color_match="mean_std"))
    assert on.sampled == (2,)
    assert torch.equal(colours(tmp_path / "whole")[2], colours(tmp_path / "held")[2])


def test_a_story_switches_it_off_for_a_clip(tmp_path: Path) -> None:
    story = "a lake\n---\n[color=off]\na boat\n---\nthe fog lifts"
    assert [block.color for block in parse_story(story)] == [None, "off", None]
    render(tmp_path / "free", job())
    render(tmp_path / "held", job(story, color_match="histogram"))
    free, held = colours(tmp_path / "free"), colours(tmp_path / "held")
    assert torch.equal(free[1], held[1])
    assert not torch.equal(free[2], held[2])


def test_settings_of_it_make_clips_anew_and_off_keeps_older_reels(tmp_path: Path) -> None:
    render(tmp_path, job())
    assert render(tmp_path, job(color_match="off", color_match_strength=0.3))[0].sampled == ()
    assert render(tmp_path, job(color_match="mean_std"))[0].sampled == (1, 2)
    assert render(tmp_path, job(color_match="mean_std", color_match_strength=0.5))[0].sampled == (1, 2)
    assert render(tmp_path, job(color_match="mean_std"))[0].sampled == ()
    assert render(tmp_path, job(color_match="mean_std", color_match_to="reference"))[0].sampled == (0, 1, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"color_match": "best"}, "color_match must be one of"),
        ({"color_match": "mean_std", "color_match_strength": 3.0}, "color_match_strength"),
        ({"color_match": "mean_std", "color_match_to": "clip_9"}, "color_match_to"),
        ({"color_match": "mean_std", "color_match_to": "reference", "start_image": frames(5)}, "connect ref_image"),
    ],
)
def test_what_cannot_be_held_is_refused_before_any_call(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        render(tmp_path, job(**options))
    assert not list(tmp_path.glob("clip_*"))


def latents_of(folder: Path) -> list[Tensor]:
    reel = open_reel(folder)
    found = [reel.tail(take)[1] for take in reel.clips]
    return [each for each in found if each is not None]


def test_a_pro_chain_holds_its_last_latents(tmp_path: Path) -> None:
    render(tmp_path / "free", job(mode="svi2_pro"))
    render(tmp_path / "held", job(mode="svi2_pro", color_match="mean_std"))
    free, held = latents_of(tmp_path / "free"), latents_of(tmp_path / "held")
    assert len(free) == len(held) == 3
    assert torch.equal(free[0], held[0])  # the first clip begins from the anchor alone
    assert not torch.equal(free[1], held[1])
    spread = [each[:, -1:].mean((1, 2, 3)).std() for each in (free[1], held[1])]
    assert spread[1] != spread[0]


def test_a_pro_clip_before_a_clip_led_by_frames_still_begins_where_it_was(tmp_path: Path) -> None:
    story = "[mode=svi2_pro]\na lake\n---\n[mode=svi2_pro]\na boat\n---\n[mode=film]\nthe fog lifts"
    this = job(story, mode="svi2_pro", color_match="mean_std")
    clip = this.plan.clips[1]
    assert this.plan.motion_after(1)[1] == 0
    latents = torch.randn(1, 16, 5, 8, 8, generator=torch.Generator().manual_seed(2)) + 1
    hold = ColourHold(this, tmp_path)
    held = hold.latents(clip, {"samples": latents}, lambda: torch.zeros(16, 1, 8, 8))["samples"]
    assert torch.equal(held[:, :, :2], latents[:, :, :2])  # anchor and motion
    assert held[:, :, -1].mean().abs() < 1e-5


def test_a_clip_that_ends_on_an_image_is_left_alone(tmp_path: Path) -> None:
    story = "a lake\n---\n[end=0]\na boat"
    ends = {"end_images": frames(1, seed=9)}
    render(tmp_path / "free", job(story, **ends))
    render(tmp_path / "held", job(story, color_match="mean_std", **ends))
    assert torch.equal(colours(tmp_path / "free")[1], colours(tmp_path / "held")[1])


def test_holding_leaves_a_chain_alone_that_stays_alike_and_not_one_that_changes() -> None:
    """Why it is off by default; docs/explanation/drift.md has all figures."""
    assert harm(UNDRIFTED["a short pan"], "mean_std")[0] < 1
    assert harm(UNDRIFTED["somebody comes in"], "mean_std")[0] > 5
