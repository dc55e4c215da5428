"""LATENTs: what is read and what is refused, and the two spaces."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers import digest
from wanvideo_svi.svi_embeds.clips.latent_space import (
    guess_space,
    in_wrapper_space,
    read_latent,
    samples_of,
    to_native,
    to_wrapper,
)
from wanvideo_svi.svi_embeds.errors import SVIError


def image_latents(
    seed: int, *, channels: int = 16, count: int = 5, contrast: float = 1.0, offsets: float = 0.6
) -> torch.Tensor:
    """Normalised latents of something like a picture: each channel an offset and a smooth field of its own spread.

    contrast scales the fields; offsets is the size of the offsets, which is large for a picture of one strong colour.
    """
    generator = torch.Generator().manual_seed(seed)
    offset = torch.randn(channels, 1, 1, 1, generator=generator) * offsets
    spread = torch.exp(torch.randn(channels, 1, 1, 1, generator=generator) * 0.3 - 0.3) * contrast
    coarse = torch.randn(channels, count, 6, 8, generator=generator)
    field = torch.nn.functional.interpolate(coarse, size=(24, 32), mode="bilinear")
    return offset + field / field.std() * spread


def test_a_latent_is_read_as_channels_latents_height_width() -> None:
    samples = torch.randn(1, 16, 3, 4, 6)
    for given in (samples, samples[0]):
        read, notes = read_latent("x", {"samples": given})
        assert torch.equal(read, samples[0])
        assert notes == []
    image, _ = read_latent("x", {"samples": samples[:, :, 0]})
    assert torch.equal(image, samples[0, :, :1])


def test_of_a_batch_the_first_is_taken_and_said_or_it_is_refused() -> None:
    batch = {"samples": torch.randn(3, 16, 2, 4, 4)}
    read, notes = read_latent("prev_samples", batch)
    assert torch.equal(read, batch["samples"][0])
    assert notes == ["prev_samples is a batch of 3: the first is used"]
    with pytest.raises(SVIError, match=r"must be one LATENT \[1, C, T, h, w\], got a batch: \[3, 16, 2, 4, 4\]"):
        read_latent("prev_samples", batch, take_first=False)


@pytest.mark.parametrize(
    ("latent", "message"),
    [
        (None, "x must be a LATENT"),
        ({"samples": [1]}, "x must be a LATENT"),
        ({"samples": torch.zeros(1, 16, 0, 4, 4)}, r"x is empty: \[1, 16, 0, 4, 4\]"),
        ({"samples": torch.zeros(16, 4, 4)}, r"x must be \[1, C, T, h, w\], got \[16, 4, 4\]"),
        ({"samples": torch.zeros(5, 16, 4, 4)}, r"must be \[1, C, T, h, w\] with 16 .* got \[5, 16, 4, 4\]"),
        ({"samples": torch.zeros(16, 16, 4, 4)}, r"could be \[C, T, h, w\] or a batch of images"),
        ({"samples": torch.zeros(1, 4, 4, 4)}, r"must be \[1, C, T, h, w\] with 16"),
        ({"samples": torch.full((1, 16, 1, 4, 4), float("nan"))}, "x has NaN or infinite values"),
        ({"samples": torch.zeros(1, 16, 1, 4, 4, dtype=torch.int64)}, "x must hold floats of 16 bits"),
        (
            {"samples": torch.zeros(1, 16, 1, 4, 4).to(torch.float8_e4m3fn)},
            "must hold floats of 16 bits",
        ),
    ],
)
def test_what_is_no_latent_is_refused(latent: Any, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        read_latent("x", latent)


def ulps(a: torch.Tensor, b: torch.Tensor, scale: torch.Tensor) -> float:
    """The largest difference in units in the last place of `scale`."""
    ulp = torch.finfo(a.dtype).eps * torch.exp2(torch.floor(torch.log2(scale.double().abs())))
    return float(((a.double() - b.double()).abs() / ulp).max())


@pytest.mark.parametrize("channels", [16, 48])
def test_there_and_back_is_the_same_latent(channels: int) -> None:
    """To two units in the last place of value plus mean: taking the mean off a value rounds at that size."""
    raw = torch.randn(channels, 5, 8, 8, generator=torch.Generator().manual_seed(0)) * 2
    mean = to_native(torch.zeros(channels, 1, 1, 1))
    normalised = to_wrapper(raw)
    assert ulps(to_native(normalised), raw, raw.abs() + mean.abs()) <= 2
    assert not torch.equal(normalised, raw)


def test_the_mean_becomes_zero_and_one_deviation_one() -> None:
    mean = to_native(torch.zeros(16, 1, 1, 1))
    assert mean.flatten()[:2].tolist() == pytest.approx([-0.7571, -0.7089])
    assert float(to_wrapper(mean).abs().max()) == 0
    deviation = (to_native(torch.ones(16, 1, 1, 1)) - mean).flatten()
    assert deviation[:2].tolist() == pytest.approx([2.8184, 1.4541])


def test_only_native_latents_are_converted() -> None:
    latents = torch.randn(16, 2, 4, 4)
    assert in_wrapper_space(latents, "wrapper") is latents
    assert torch.equal(in_wrapper_space(latents, "native"), to_wrapper(latents))
    with pytest.raises(SVIError, match="latent_space must be one of wrapper, native; got 'auto'"):
        in_wrapper_space(latents, "auto")


def test_other_channel_counts_have_no_known_space() -> None:
    with pytest.raises(SVIError, match="latents of 4 channels have no known space"):
        to_wrapper(torch.zeros(4, 1, 2, 2))


@pytest.mark.parametrize("channels", [16, 48])
def test_the_space_of_picture_like_latents_is_told_and_never_wrong(channels: int) -> None:
    told = {"native": 0, "wrapper": 0}
    for seed in range(200):
        normalised = image_latents(seed, channels=channels)
        for space, latents in (("wrapper", normalised), ("native", to_native(normalised))):
            guess, why = guess_space(latents)
            assert guess in (None, space), (seed, why)
            told[space] += guess == space
    assert min(told.values()) > 60, told


@pytest.mark.parametrize(
    "kind",
    [{"contrast": 0.2}, {"contrast": 0.2, "offsets": 1.2}, {"offsets": 1.0}, {"offsets": 1.6}, {"contrast": 2.0}],
)
def test_pictures_of_other_statistics_are_hardly_ever_guessed_wrong(kind: dict[str, float]) -> None:
    """Dark, flat or of one strong colour: not what the guess assumes, so that it must rather ask."""
    wrong = 0
    for seed in range(200):
        normalised = image_latents(seed, **kind)
        wrong += guess_space(normalised)[0] == "native"
        wrong += guess_space(to_native(normalised))[0] == "wrapper"
    assert wrong <= 2


def test_few_pixels_tell_nothing() -> None:
    assert guess_space(torch.randn(16, 5, 6, 6)) == (None, "36 latent pixels are too few to tell")


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_flat_latents_tell_nothing(value: float) -> None:
    assert guess_space(torch.full((16, 3, 8, 8), value)) == (None, "no latent shows detail in every channel")


def test_padding_behind_a_picture_does_not_hide_it() -> None:
    raw = to_native(image_latents(3))
    padded = torch.cat([raw[:, :1], torch.zeros(16, 20, 24, 32)], dim=1)
    space, why = guess_space(padded)
    assert space == "native"
    assert why == "native, by channel statistics more than 10000 to 1"


def test_conversion_leaves_its_input_alone() -> None:
    latents = torch.randn(16, 2, 4, 4)
    before = digest(latents)
    to_wrapper(latents)
    to_native(latents)
    assert digest(latents) == before
    assert samples_of(latents)["samples"].shape == (1, 16, 2, 4, 4)
