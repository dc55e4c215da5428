"""Padding that is not encoded again: the latents are those of the whole clip, bit for bit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import TraceVAE, custom_clip, frames, pixel_clip
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip
from wanvideo_svi.svi_embeds.clips.repeats import NO_REPEATS, constant_runs, find_repeats, receptive_field
from wanvideo_svi.svi_embeds.timeline import Timeline, frames_of_latent, latent_count
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE

FIELD = 112  # of the Wan 2.1 encoder, 28 latents


class CountingVAE(DemoVAE):
    """Keeps how many frames each call encodes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.encoded: list[int] = []

    def encode(self, videos: Any, device: torch.device, *, end_: bool = False, tiled: bool = False) -> Tensor:
        self.encoded += [video.shape[1] for video in videos]
        return super().encode(videos, device, end_=end_, tiled=tiled)


@pytest.fixture(scope="module")
def vae() -> CountingVAE:
    return CountingVAE()


def both(vae: CountingVAE, **inputs: Any) -> tuple[Clip, Clip, list[int]]:
    """The clip with and without repeats, and how many frames each encoded."""
    arguments: dict[str, Any] = {"width": 16, "height": 16, "start_image": frames(9, height=16, width=16), **inputs}
    vae.encoded.clear()
    clips = [pixel_clip(vae, repeat_padding_latents=repeat, **arguments) for repeat in (True, False)]
    return clips[0], clips[1], list(vae.encoded)


def test_field_is_read_off_the_encoder(vae: CountingVAE) -> None:
    assert receptive_field(vae) == FIELD
    assert receptive_field(TraceVAE()) is None  # no encoder to read it off: everything is encoded


@pytest.mark.parametrize("frame", [0, 3, 4])
def test_no_latent_sees_further_back(vae: CountingVAE, frame: int) -> None:
    video = torch.full((3, 129, 16, 16), 0.25)
    other = video.clone()
    other[:, frame] = -1
    device = torch.device("cpu")
    one, two = (vae.encode([each], device)[0] for each in (video, other))
    last = (frame + FIELD) // 4
    assert not torch.equal(one[:, : last + 1], two[:, : last + 1])
    assert torch.equal(one[:, last + 1 :], two[:, last + 1 :])
    assert one.shape[1] > last + 1


@pytest.mark.parametrize(
    ("inputs", "encoded"),
    [
        ({"mode": "shot", "num_frames": 161}, 121),
        ({"mode": "film", "num_frames": 161}, 125),
        ({"mode": "film", "num_frames": 161, "tiled_vae": True, "width": 80}, 125),
        ({"mode": "shot", "num_frames": 121}, 121),  # nothing to save yet
        ({"mode": "film", "num_frames": 161, "noise_aug_strength": 0.1, "known_frames": "inverted"}, 125),
        ({"mode": "shot", "num_frames": 161, "end_image": frames(1, seed=3), "fun_or_fl2v_model": False}, 122),
        ({"mode": "shot", "num_frames": 165, "end_image": frames(2, seed=3), "end_strength": 0.5}, 125),
        (
            {"mode": "film", "num_frames": 301, "end_image": frames(1, seed=3), "end_padding": "end",
             "end_padding_frames": 131},
            301 - 44 - 8,
        ),
        (
            {"mode": "fun_inp", "num_frames": 301, "keyframes": "9, 150-151", "keyframe_images": frames(3, seed=3)},
            301 - 20 - 32,
        ),
    ],
)  # fmt: skip
def test_clip_is_the_same_bit_for_bit(vae: CountingVAE, inputs: dict[str, Any], encoded: int) -> None:
    reference = frames(1, height=16, width=16, seed=5)
    short, whole, counts = both(vae, ref_image=reference, **inputs)
    assert torch.equal(short.embeds["image_embeds"], whole.embeds["image_embeds"])
    assert torch.equal(short.embeds["mask"], whole.embeds["mask"])
    total = whole.plan.timeline.total_frames
    assert counts == [encoded, total]
    assert [(tile.first, tile.last, tile.picture.tobytes()) for tile in short.tiles] == [
        (tile.first, tile.last, tile.picture.tobytes()) for tile in whole.tiles
    ]
    assert ("repeat the ones before them" in short.info) == (encoded < total)


def test_bf16_is_the_same_bit_for_bit() -> None:
    short, whole, counts = both(
        CountingVAE(dtype=torch.bfloat16), mode="shot", num_frames=129, width=16, height=16, start_image=frames(1)
    )
    assert counts == [121, 129]
    assert torch.equal(short.embeds["image_embeds"], whole.embeds["image_embeds"])


def test_custom_embeds_are_the_same_bit_for_bit(vae: CountingVAE) -> None:
    vae.encoded.clear()
    short, whole = (
        custom_clip(vae=vae, width=16, height=16, length=201, start_image=frames(6), repeat_padding_latents=repeat)
        for repeat in (True, False)
    )
    assert vae.encoded == [125, 201]
    assert torch.equal(short.embeds["image_embeds"], whole.embeds["image_embeds"])


def test_region_is_encoded_in_full(vae: CountingVAE) -> None:
    region = torch.zeros(1, 16, 16)
    region[:, 4:12, 4:12] = 1
    _, _, counts = both(vae, mode="fun_inp", num_frames=161, region=region, known_frames="inverted")
    assert counts == [161, 161]


class RestlessVAE(CountingVAE):
    """Has the encoder's shape, yet its latents never settle."""

    def encode(self, videos: Any, device: torch.device, *, end_: bool = False, tiled: bool = False) -> Tensor:
        latents = super().encode(videos, device, end_=end_, tiled=tiled)
        return latents + torch.arange(latents.shape[2]).view(1, 1, -1, 1, 1)


def test_latents_that_do_not_settle_are_encoded_in_full() -> None:
    short, whole, counts = both(RestlessVAE(), mode="film", num_frames=161)
    assert counts == [125, 161, 161]
    assert torch.equal(short.embeds["image_embeds"], whole.embeds["image_embeds"])
    assert "all frames were encoded" in short.info


class MoodyConv(torch.nn.Conv3d):
    """Rounds otherwise for long clips, as libraries do that pick a kernel by size."""

    def forward(self, video: Tensor) -> Tensor:
        made = super().forward(video)
        return made if video.shape[2] < 35 else made + 1e-6


def test_what_rounds_by_length_is_encoded_in_full() -> None:
    moody = CountingVAE()
    conv = MoodyConv(32, 32, 1)
    conv.load_state_dict(moody.model.quant_conv.state_dict())
    moody.model.quant_conv = conv.requires_grad_(False)
    short, whole, counts = both(moody, mode="film", num_frames=161)
    assert counts == [161, 161]
    assert torch.equal(short.embeds["image_embeds"], whole.embeds["image_embeds"])
    assert "all frames were encoded" in short.info


@given(
    latents=st.integers(2, 120),
    motion=st.integers(0, 9),
    end=st.integers(0, 5),
    keyframes=st.sets(st.integers(10, 400), max_size=5),
    field=st.sampled_from([0, 3, 8, 112]),
)
def test_only_settled_padding_is_left_out(latents: int, motion: int, end: int, keyframes: set[int], field: int) -> None:
    count = 4 * latents - 3
    if motion + end >= count:
        return
    inside = tuple(sorted(frame for frame in keyframes if motion <= frame < count - end))
    if len(inside) >= count - motion - end:
        return
    line = Timeline(count, motion_frames=motion, end_frames=end, keyframes=inside)
    repeats = find_repeats(constant_runs(line), field)
    pictures = [role if role == "padding" else f"{role} {frame}" for frame, role in enumerate(line.roles)]
    left_out = {latent for run in repeats.runs for latent in run}
    frames_left_out = {frame for latent in left_out for frame in frames_of_latent(latent)}
    # What is left out sees one picture only, and so does the latent before it.
    for latent in left_out:
        seen = {pictures[frame] for frame in range(4 * (latent - 1) - field, 4 * latent + 1)}
        assert seen == {"padding"}
    kept = [frame for frame in range(count) if frame not in frames_left_out]
    assert repeats.frames == len(frames_left_out)
    assert repeats.frames_in(slice(0, count)) == repeats.frames
    for frame, picture in enumerate(pictures):
        assert pictures[kept[repeats.short_index(frame)]] == picture
    # Each of the others sees the same as in the whole clip.
    for position, latent in enumerate(latent for latent in range(latents) if latent not in left_out):
        for back in range(min(field + 4, 4 * position + 1)):
            assert pictures[kept[4 * position - back]] == pictures[4 * latent - back]
    values = torch.arange(latents - len(left_out))[None, :, None, None]
    assert repeats.spread(values).shape[1] == latents == latent_count(count)


def test_nothing_to_repeat() -> None:
    assert find_repeats([range(1, 1000)], None) == NO_REPEATS
    assert find_repeats([range(1, 117)], FIELD) == NO_REPEATS
    latents = torch.rand(16, 5, 2, 2)
    assert NO_REPEATS.spread(latents) is latents
