"""A clip's embeds and HuMo's as one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from guided import clip, cut, humo, join
from helpers import frames
from wanvideo_svi.svi_embeds.clips.embeds import build_empty
from wanvideo_svi.svi_embeds.errors import SVIError


def test_the_clip_stands_where_humo_has_its_image() -> None:
    ours, theirs = clip(), humo()
    made = join(theirs, ours, clip_index=1)
    assert torch.equal(made["humo_image_cond"], torch.cat([ours["mask"], ours["image_embeds"]]))
    assert torch.equal(made["humo_image_cond_neg"][:4], ours["mask"])
    assert (made["humo_image_cond_neg"][4:] == 3).all()
    assert made["target_shape"] == (16, 5, 8, 8)
    assert made["num_frames"] == 17
    assert made["humo_audio_emb"][:, 0, 0].tolist() == list(range(16, 35))
    assert made["humo_audio_cfg_scale"] == 5.5
    assert "image_embeds" not in made  # would take the sampler's other way
    assert "mask" not in made
    assert theirs["humo_audio_emb"][0, 0, 0] == 0


def test_references_stand_behind_the_clip_and_are_kept() -> None:
    ours = clip()
    made = join(humo(refs=2), ours)
    assert made["humo_image_cond"].shape == (20, 7, 8, 8)
    assert torch.equal(made["humo_image_cond"][4:, :5], ours["image_embeds"])
    assert (made["humo_image_cond"][4:, 5:] == 7).all()
    assert (made["humo_image_cond"][:4, 5:] == 1).all()
    assert (made["humo_image_cond_neg"][4:] == 3).all()
    assert (made["target_shape"], made["humo_reference_count"], made["num_frames"]) == ((16, 7, 8, 8), 2, 17)


def test_clip_vision_goes_along() -> None:
    vision = {"clip_embeds": torch.ones(1, 257, 8), "negative_clip_embeds": None}
    made = join(humo(), clip(clip_embeds=vision))
    assert made["clip_context"] is vision["clip_embeds"]
    assert "negative_clip_context" not in made


def test_without_a_clip_only_the_audio_is_cut() -> None:
    made = cut(humo_embeds=humo(refs=1), clip_index=3)
    assert made["image_embeds"]["humo_audio_emb"][:, 0, 0].tolist() == [*range(48, 60), *[0] * 7]
    assert made["image_embeds"]["humo_audio_emb_neg"].shape == made["image_embeds"]["humo_audio_emb"].shape
    assert made["image_embeds"]["target_shape"] == (16, 6, 8, 8)
    assert made["clips"] == 4


@pytest.mark.parametrize(
    ("theirs", "ours", "message"),
    [
        (humo(count=6), {}, "made for 21 frames, the clip has 17: set num_frames of HuMo Embeds to 17"),
        (humo(count=6, refs=1), {}, "made for 21 frames"),
        (humo(size=10), {}, "humo_embeds are 80x80, the clip is 64x64"),
        (humo(channels=48), {}, "image_embeds has 20 channels with its mask, HuMo's have 52"),
        (humo(), {"end_image": frames(1), "fun_or_fl2v_model": False}, "an end image apart"),
        ({**humo(), "humo_image_cond": None}, {}, "humo_image_cond of humo_embeds must be floats"),
        ({**humo(), "humo_audio_emb": torch.zeros(3, 5)}, {}, "must be floats .frames, 5, 1280."),
        (build_empty(num_frames=17, lat_h=8, lat_w=8), {}, "humo_embeds holds no audio"),
    ],
)
def test_what_does_not_fit_is_refused(theirs: dict[str, Any], ours: dict[str, Any], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        join(theirs, clip(**ours))


def test_the_wrappers_own_pro_embeds_are_joined_too() -> None:
    pro = {key: clip()[key] for key in ("image_embeds", "num_frames", "lat_h", "lat_w", "mask")}
    made = join(humo(refs=1), pro)
    assert torch.equal(made["humo_image_cond"][:, :5], torch.cat([pro["mask"], pro["image_embeds"]]))


@pytest.mark.parametrize(
    "key",
    ["control_embeds", "add_cond_latents", "extra_latents", "pusa_noise_multipliers", "story_mem_latents"],
)
def test_what_would_be_lost_on_the_way_is_refused(key: str) -> None:
    with pytest.raises(SVIError, match=rf"\({key}\), which HuMo's embeds have no place for: disconnect it"):
        join(humo(), {**clip(), key: [1]})
    assert join(humo(), {**clip(), key: None})


def test_embeds_of_another_length_are_refused_without_a_clip_too() -> None:
    with pytest.raises(SVIError, match="made for 21 frames, the clip has 17: set num_frames of HuMo Embeds to 17"):
        cut(humo_embeds=humo(count=6, refs=1))


def test_a_clip_must_be_image_to_video() -> None:
    with pytest.raises(SVIError, match="image_embeds lacks image_embeds, mask"):
        join(humo(), build_empty(num_frames=17, lat_h=8, lat_w=8))


def test_humo_has_one_rate() -> None:
    with pytest.raises(SVIError, match="always 25 per second: set audio_fps to 25"):
        cut(humo_embeds=humo(), audio_fps=16.0, fps=16.0)
    with pytest.raises(SVIError, match="the video has 16 fps, the audio features 25"):
        cut(humo_embeds=humo(), fps=16.0)
