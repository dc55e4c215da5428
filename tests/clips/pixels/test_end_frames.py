"""A clip that ends on given frames: which are kept, what stands before them, and how strong they are."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from helpers import TraceVAE, frames, pixel_clip, rows
from project import PAGES
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.recipes import MODES, RECIPES

PAGE = (PAGES / "WanVideoSVIEmbeds.md").read_text()
LAST_COLUMNS = re.findall(r"^\| (\d) \| ([01 ]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def clip(mode: str = "film", vae: Any = None, **inputs: Any) -> Clip:
    defaults = {"width": 64, "height": 64, "num_frames": 17, "start_image": frames(17), "end_image": frames(1, seed=2)}
    return pixel_clip(vae or TraceVAE(), mode=mode, **{**defaults, **inputs})


def test_the_help_page_has_the_table() -> None:
    assert [int(count) for count, *_ in LAST_COLUMNS] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("count", "on", "off"), LAST_COLUMNS)
@pytest.mark.parametrize("mode", MODES)
def test_the_last_columns_are_those_of_the_help_page(mode: str, count: str, on: str, off: str) -> None:
    inputs = {"ref_image": frames(seed=1), "end_image": frames(int(count), seed=2)}
    columns = rows(clip(mode, **inputs).embeds["mask"])
    assert columns[-len(on.split()) :] == on.split()
    assert set("".join(columns[2 : -len(on.split())])) <= {"0"}, "what stands before the end is generated"
    one = {**inputs, "fun_or_fl2v_model": False, "overlap_frames": 1}
    if mode == "dance":  # its poses have no latent more
        with pytest.raises(SVIError, match="dance takes no end_image with fun_or_fl2v_model off"):
            clip(mode, **one)
    elif off.strip() == "refused":
        with pytest.raises(SVIError, match="without fun_or_fl2v_model the end is exactly 1 frame"):
            clip(mode, **one)
    else:
        apart = rows(clip(mode, **one).embeds["mask"])
        assert len(apart) == len(columns) + 1
        assert f"{apart[-1]}, one latent more" == off.strip()
        assert apart[-2] == "0000"


@pytest.mark.parametrize("mode", MODES)
def test_end_frames_stand_beside_motion_frames_and_padding(mode: str) -> None:
    vae, start, reference, end = TraceVAE(), frames(17), frames(seed=1), frames(2, seed=2)
    made = clip(mode, vae=vae, start_image=start, ref_image=reference, end_image=end)
    video = (vae.video.permute(1, 2, 3, 0) + 1) / 2
    motion = RECIPES[mode].motion_frames
    torch.testing.assert_close(video[:motion], start[-motion:])
    torch.testing.assert_close(video[-2:], end)
    filler = reference if RECIPES[mode].padding == "reference" else torch.full_like(reference, 0.5)
    torch.testing.assert_close(video[motion:-2], filler.expand(15 - motion, -1, -1, -1))
    assert made.known_mask[-2:].min() == 1
    assert made.embeds["svi"]["end_frames"] == 2


def test_end_frames_takes_the_first_frames_of_the_batch() -> None:
    vae, batch = TraceVAE(), frames(9, seed=2)
    made = clip(vae=vae, end_image=batch, end_frames=2)
    torch.testing.assert_close((vae.video.permute(1, 2, 3, 0)[-2:] + 1) / 2, batch[:2])
    assert made.embeds["end_image"].shape[1] == 2
    assert made.known_mask[:, 0, 0].tolist() == [1.0] * 5 + [0.0] * 10 + [1.0] * 2


def test_end_frames_makes_one_of_a_batch_for_an_end_apart() -> None:
    made = clip("i2v", end_image=frames(9), end_frames=1, fun_or_fl2v_model=False)
    assert made.plan.timeline.end_apart


def test_end_strength_scales_the_latents_that_hold_end_frames() -> None:
    for count, first in ((1, 4), (4, 4), (5, 3)):
        inputs = {"end_image": frames(count, seed=2)}
        plain = clip(**inputs).embeds["image_embeds"]
        made = clip(**inputs, end_strength=0.8)
        assert torch.equal(made.embeds["image_embeds"][:, first:], plain[:, first:] * 0.8)
        assert torch.equal(made.embeds["image_embeds"][:, :first], plain[:, :first])
        assert "latents of the end scaled by 0.8" in made.info
    apart = {"mode": "i2v", "fun_or_fl2v_model": False}
    plain, made = clip(**apart).embeds["image_embeds"], clip(**apart, end_strength=0.5).embeds["image_embeds"]
    assert torch.equal(made[:, 5:], plain[:, 5:] * 0.5)
    assert torch.equal(made[:, :5], plain[:, :5])


@pytest.mark.parametrize("kind", ["grey", "black", "reference", "last", "end"])
def test_the_frames_before_the_end_can_have_a_padding_of_their_own(kind: str) -> None:
    vae, start, reference, end = TraceVAE(), frames(17), frames(seed=1), frames(2, seed=2)
    inputs = {"start_image": start, "ref_image": reference, "end_image": end}
    made = clip("film_shot", vae=vae, **inputs, end_padding=kind, end_padding_frames=4)
    video = (vae.video.permute(1, 2, 3, 0) + 1) / 2
    grey = torch.full_like(reference, 0.5)
    expected = {"grey": grey, "black": torch.zeros_like(grey), "reference": reference, "last": start[-1:],
                "end": end[:1]}[kind]  # fmt: skip
    torch.testing.assert_close(video[5:11], reference.expand(6, -1, -1, -1))
    torch.testing.assert_close(video[11:15], expected.expand(4, -1, -1, -1))
    torch.testing.assert_close(video[15:], end)
    assert rows(made.embeds["mask"]) == ["1111", "1111", "0000", "0000", "0011"], "it changes pixels, not the mask"
    assert "padding 5-10 (ref_image), end padding 11-14 (" in made.info
    assert [tile.role for tile in made.tiles[5:-2]] == ["reference padding", f"{kind} padding"]


def test_ref_strength_spares_latents_with_another_padding_in_them() -> None:
    inputs = {"ref_image": frames(seed=1), "end_padding": "grey"}
    plain = clip("shot", **inputs).embeds["image_embeds"]
    scaled = clip("shot", **inputs, ref_strength=0.5)
    assert torch.equal(scaled.embeds["image_embeds"][:, 1:4], plain[:, 1:4] * 0.5)
    assert torch.equal(scaled.embeds["image_embeds"][:, 4:], plain[:, 4:])
    assert "(latents 1-3)" in scaled.info


def test_ref_strength_scales_reference_before_the_end_too() -> None:
    inputs = {"ref_image": frames(seed=1), "ref_strength": 0.5}
    same = clip("shot", **inputs).embeds["image_embeds"]
    split = clip("shot", **inputs, end_padding="reference", end_padding_frames=11)
    assert torch.equal(split.embeds["image_embeds"], same)
    alone = clip("film", **inputs, end_padding="reference", end_padding_frames=9)
    assert "reference padding scaled by 0.5 (latents 3)" in alone.info


def test_the_whole_gap_can_be_padding_of_the_end() -> None:
    made = clip("shot", ref_image=frames(), end_padding="grey", end_padding_frames=15, ref_strength=0.5)
    assert not made.plan.timeline.padding
    assert "ref_strength 0.5 has no effect: no latent holds padding alone" in made.info


def test_a_ref_image_for_the_end_padding_alone_is_used() -> None:
    vae, reference = TraceVAE(), frames(seed=1)
    made = clip("film", vae=vae, ref_image=reference, end_padding="reference")
    torch.testing.assert_close((vae.video.permute(1, 2, 3, 0)[13:16] + 1) / 2, reference.expand(3, -1, -1, -1))
    assert "ref_image is not used" not in made.info


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"end_frames": 2}, "end_frames is 2, but end_image has 1 frames: give it that many, or set end_frames to 0"),
        ({"end_frames": 2, "end_image": None}, "end_frames is 2, but there is no end_image: connect one"),
        ({"end_frames": -1}, "end_frames must be 0 or more, got -1"),
        ({"end_strength": -0.1}, "end_strength must be a number of 0 or more"),
        ({"end_padding": "white"}, "end_padding must be one of same, grey, reference, black, last, end; got 'white'"),
        ({"end_padding": "grey", "end_padding_frames": 12}, "end_padding_frames must be 11 or less .* got 12"),
        ({"end_padding": "grey", "end_padding_frames": 0}, "end_padding_frames must be 1 or more, got 0"),
        ({"end_padding": "reference"}, "film needs ref_image"),
        ({"end_padding": "last", "start_image": None, "mode": "i2v"}, "padding last needs motion frames"),
    ],
)
def test_an_end_that_cannot_be_made_is_refused(inputs: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        clip(**inputs)


def test_settings_of_the_end_without_an_end_are_said_to_do_nothing() -> None:
    info = clip(end_image=None, end_strength=0.5, end_padding="grey").info
    assert "end_strength 0.5 has no effect: there is no end_image" in info
    assert "end_padding grey has no effect: there is no end_image" in info
