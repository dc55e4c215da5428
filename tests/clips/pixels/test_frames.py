"""A clip's pixels: what the VAE is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import TraceVAE, frames, pixel_clip
from PIL import Image
from wanvideo_svi.svi_embeds.clips.pixels import compose
from wanvideo_svi.svi_embeds.clips.pixels.compose import add_noise
from wanvideo_svi.svi_embeds.ground.images import last_frames, resize_frames, to_video


def clip_video(**inputs) -> torch.Tensor:
    """What the VAE is given, as F H W C in 0..1."""
    vae = TraceVAE()
    pixel_clip(vae, **{"mode": "film", "width": 64, "height": 64, "num_frames": 17, **inputs})
    return (vae.video.permute(1, 2, 3, 0) + 1) / 2


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b.expand_as(a), atol=1e-6)


def test_film_is_five_motion_frames_then_mid_grey() -> None:
    previous = frames(17)
    video = clip_video(start_image=previous)
    assert video.shape == (17, 64, 64, 3)
    assert same(video[:5], previous[-5:])
    assert torch.equal(video[5:], torch.full_like(video[5:], 0.5))


def test_shot_is_the_last_frame_then_copies_of_the_original_image() -> None:
    previous, original = frames(17), frames(seed=1)
    video = clip_video(mode="shot", start_image=previous, ref_image=original)
    assert same(video[:1], previous[-1:])
    assert same(video[1:], original)


def test_svi2_wan21_leads_with_five_frames_and_pads_with_the_original() -> None:
    previous, original = frames(17), frames(seed=1)
    video = clip_video(mode="svi2_wan21", start_image=previous, ref_image=original)
    assert same(video[:5], previous[-5:])
    assert same(video[5:], original)


@pytest.mark.parametrize(("padding", "value"), [("grey", 0.5), ("black", 0.0)])
def test_flat_paddings_have_their_value(padding: str, value: float) -> None:
    video = clip_video(start_image=frames(5), padding=padding)
    assert torch.equal(video[5:], torch.full_like(video[5:], value))


def test_last_padding_repeats_the_last_motion_frame_without_its_noise() -> None:
    previous = frames(5)
    video = clip_video(start_image=previous, padding="last", noise_aug_strength=0.5)
    assert same(video[5:], previous[-1:])
    assert not same(video[4:5], previous[-1:])


def test_end_frames_close_the_clip() -> None:
    previous, end = frames(17), frames(2, seed=2)
    video = clip_video(start_image=previous, end_image=end)
    assert same(video[:5], previous[-5:])
    assert same(video[-2:], end)
    assert torch.equal(video[5:-2], torch.full_like(video[5:-2], 0.5))


def test_an_end_apart_is_one_frame_more() -> None:
    end = frames(seed=2)
    vae = TraceVAE()
    inputs = {"start_image": frames(), "end_image": end, "fun_or_fl2v_model": False}
    pixel_clip(vae, mode="i2v", width=64, height=64, num_frames=17, **inputs)
    assert vae.video.shape[1] == 18
    assert vae.calls == [{"device": torch.device("cpu"), "end_": True, "tiled": False}]
    assert same((vae.video.permute(1, 2, 3, 0)[-1:] + 1) / 2, end)


def test_noise_is_on_the_motion_frames_only() -> None:
    previous, original, end = frames(17), frames(seed=1), frames(seed=2)
    inputs = {"mode": "film_shot", "start_image": previous, "ref_image": original, "end_image": end}
    plain, noisy = clip_video(**inputs), clip_video(**inputs, noise_aug_strength=0.5)
    added = (noisy - plain)[:5] * 2
    assert 0.45 < float(added.std()) < 0.55
    assert torch.equal(noisy[5:], plain[5:])


def test_noise_leaves_a_shared_first_image_clean_as_reference() -> None:
    image = frames()
    video = clip_video(mode="shot", start_image=image, ref_image=image, noise_aug_strength=0.5)
    assert same(video[1:], image)
    assert not same(video[:1], image)


def test_noise_comes_from_the_pixels_alone() -> None:
    one, other = to_video(frames(2, seed=1)), to_video(frames(2, seed=2))
    torch.manual_seed(0)
    first = add_noise(one, 0.1)
    state = torch.get_rng_state()
    torch.manual_seed(5)
    assert torch.equal(add_noise(one, 0.1), first)
    torch.manual_seed(0)
    assert torch.equal(torch.get_rng_state(), state), "the global random state was used"
    assert not torch.equal(add_noise(other, 0.1) - other, first - one)


def test_noise_spares_values_of_exactly_minus_one_as_the_host_does() -> None:
    video = torch.full((3, 1, 8, 8), -1.0)
    assert torch.equal(add_noise(video, 1.0), video)


def test_resize_is_pillow_lanczos_on_8_bit_pixels() -> None:
    source = frames(2, height=40, width=100)
    resized = resize_frames(source, width=64, height=32)
    for frame, result in zip(source, resized, strict=True):
        pixels = Image.fromarray((frame.numpy() * 255).astype(np.uint8))
        expected = np.asarray(pixels.resize((64, 32), Image.Resampling.LANCZOS), np.float32) / 255
        assert np.array_equal(result.numpy(), expected)


def test_frames_of_the_right_size_are_not_rounded_to_8_bit() -> None:
    source = frames(2)
    assert resize_frames(source, width=64, height=64) is source


def test_each_distinct_image_is_resized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    real = compose.resize_frames

    def counted(images, **size):
        counts.append(len(images))
        return real(images, **size)

    monkeypatch.setattr(compose, "resize_frames", counted)
    image = frames(height=96, width=80)
    clip_video(mode="shot", start_image=image, ref_image=image.clone())
    assert counts == [1], "the first image is start and reference at once"
    counts.clear()
    clip_video(mode="film_shot", start_image=frames(81, height=96, width=80), ref_image=image)
    assert counts == [5, 1], "five motion frames of 81, and one reference for all the padding"


def test_last_frames_do_not_keep_the_clip_alive() -> None:
    clip = frames(17)
    tail = last_frames(clip, 5)
    assert torch.equal(tail, clip[-5:])
    assert tail.untyped_storage().nbytes() == 5 * 64 * 64 * 3 * 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_other_float_types_are_taken(dtype: torch.dtype) -> None:
    previous = frames(5).to(dtype)
    assert same(clip_video(start_image=previous)[:5], previous.float())


def test_only_frames_that_are_used_are_read() -> None:
    previous = frames(17)
    previous[:12] = float("nan")
    assert same(clip_video(start_image=previous)[:5], previous[-5:])
