"""Embeds from the caller's latents and mask: what WanEx I2VCustomEmbeds does for native graphs."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from helpers import TraceVAE, custom_clip, digest, frames, rows
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.custom.make import CustomClip
from wanvideo_svi.svi_embeds.clips.custom.settings import SPACE_CHOICES
from wanvideo_svi.svi_embeds.clips.latent_space import to_native
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.images import resize_centre
from wanvideo_svi.svi_embeds.masks.concat import POLARITY_CHOICES, RATE_CHOICES, read_concat_mask

SIZE = {"width": 64, "height": 64}


def latent(count: int = 5, *, channels: int = 16, seed: int = 0, size: tuple[int, int] = (8, 8)) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {"samples": torch.randn(1, channels, count, *size, generator=generator)}


def masks(*values: float, size: tuple[int, int] = (8, 8)) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None].expand(-1, *size).contiguous()


def clip(**inputs: Any) -> CustomClip:
    given = {**SIZE, "length": 17, "concat_latent_image": latent(), "latent_space": "wrapper", **inputs}
    return custom_clip(**given)


def wanex_concat(mask: Tensor, length: int) -> Tensor:
    """The model's mask channels 4 T h w in native polarity, by the rule as `facts` and the node's users tell it.

    As many masks as frames: the first four times, then groups of four. Any other count: each mask is a latent's, and
    ComfyUI generates what has none. Written down a second time, one value after the other.
    """
    total = (length - 1) // 4 + 1
    packed = torch.ones(4, total, *mask.shape[1:])
    for t in range(total):
        for c in range(4):
            if len(mask) == length:
                packed[c, t] = mask[0] if t == 0 else mask[4 * (t - 1) + 1 + c]
            elif t < len(mask):
                packed[c, t] = mask[t]
    return packed


def test_packed_masks_are_the_inverse_of_what_wanex_makes() -> None:
    draw = random.Random(3)
    seen = set()
    for case in range(60):
        total = draw.randint(2, 12)
        length = 4 * (total - 1) + 1
        kind = draw.choice(["pixel", "latent", "single", "short"])
        count = {"pixel": length, "latent": total, "single": 1, "short": draw.randint(1, total)}[kind]
        choose = (lambda: float(draw.randint(0, 1))) if case % 3 else draw.random
        mask = masks(*(choose() for _ in range(count)))
        if case % 4 == 0:
            mask = torch.rand(count, 8, 8, generator=torch.Generator().manual_seed(case))
        made = clip(
            length=length, concat_latent_image=latent(total), concat_mask=mask,
            mask_rate="latent" if kind == "short" else "auto",
        )  # fmt: skip
        assert torch.equal(made.embeds["mask"], 1 - wanex_concat(mask, length)), (length, count, kind)
        seen.add(kind)
    assert len(seen) == 4


def test_one_black_and_eighty_white_keep_the_first_latent_alone() -> None:
    made = clip(length=81, concat_latent_image=latent(21), concat_mask=masks(0.0, *[1.0] * 80))
    assert rows(made.embeds["mask"]) == ["1111"] + ["0000"] * 20
    assert made.concat_mask[:, 0, 0].tolist() == [0.0] + [1.0] * 80
    assert made.known_mask[:, 0, 0].tolist() == [1.0] + [0.0] * 80
    assert "mask: 81 mask(s), one per frame, native polarity (black = kept)" in made.info
    assert "concat_mask (native): 1 black + 80 white" in made.info
    assert made.embeds["svi"]["overlap_frames"] == 1


def test_wrapper_polarity_reads_the_same_mask_the_other_way() -> None:
    values = (1.0, 1.0, *[0.0] * 15)
    white = clip(concat_mask=masks(*values), mask_polarity="wrapper")
    black = clip(concat_mask=1 - masks(*values))
    assert torch.equal(white.embeds["mask"], black.embeds["mask"])
    assert "wrapper polarity (white = kept)" in white.info


def test_a_mask_of_the_other_polarity_is_asked_about() -> None:
    values = (1.0, *[0.0] * 16)
    for polarity, mask, other in (("native", masks(*values), "wrapper"), ("wrapper", 1 - masks(*values), "native")):
        note = f"concat_mask, read as {polarity}, keeps most frames but not the first"
        assert (
            f"{note}: if it was made for the other side, set mask_polarity to {other}"
            in clip(concat_mask=mask, mask_polarity=polarity).info
        )
        assert note not in clip(concat_mask=1 - mask, mask_polarity=polarity).info


@pytest.mark.parametrize(
    ("count", "rate", "expected", "said"),
    [
        (1, "auto", "1111 0000 0000 0000 0000", "one per frame"),
        (17, "auto", "1111 1111 1111 1111 1111", "one per frame"),
        (5, "auto", "1111 1111 1111 1111 1111", "one per latent"),
        (3, "latent", "1111 1111 1111 0000 0000", "latents 3-4 have none and are generated"),
        (3, "pixel", "1111 1100 0000 0000 0000", "frames 3-16 have none and are generated"),
        (5, "pixel", "1111 1111 0000 0000 0000", "frames 5-16 have none and are generated"),
        (1, "latent", "1111 0000 0000 0000 0000", "latents 1-4 have none and are generated"),
        (12, "pixel", "1111 1111 1111 1110 0000", "frames 12-16 have none and are generated"),
    ],
)
def test_each_count_is_read_by_its_rule(count: int, rate: str, expected: str, said: str) -> None:
    made = clip(concat_mask=masks(*[0.0] * count), mask_rate=rate)
    assert rows(made.embeds["mask"]) == expected.split()
    assert said in made.info


@pytest.mark.parametrize(
    ("count", "rate", "message"),
    [
        (
            3,
            "auto",
            r"could mean two things: per frame .* frames 0-2 \(mask_rate pixel\), per latent frames 0-8",
        ),
        (4, "auto", r"per latent frames 0-12 \(mask_rate latent, what WanEx does\): set mask_rate"),
        (
            9,
            "auto",
            r"give one per frame or one per latent. Or is the rest to be generated\? Then per frame they",
        ),
        (18, "auto", "concat_mask has 18 masks, the clip 17 frames: cut it to that many"),
        (18, "pixel", "concat_mask has 18 masks, the clip 17 frames"),
        (6, "latent", "concat_mask has 6 masks, the clip 5 latents"),
    ],
)
def test_a_count_that_could_mean_two_things_is_refused_with_both(count: int, rate: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        clip(concat_mask=masks(*[0.0] * count), mask_rate=rate)


def test_a_mask_of_another_size_is_cut_at_the_centre_and_resized() -> None:
    mask = torch.ones(1, 64, 128)
    mask[:, :, :32] = 0  # cut away: the clip is square
    mask[:, :32, 32:96] = 0
    made = clip(concat_mask=mask)
    kept = made.embeds["mask"][0, 0]
    assert kept[0].tolist() == [1.0] * 8
    assert kept[-1].tolist() == [0.0] * 8
    assert 0 < float(made.known_per_frame[0]) < 1
    assert "partly white" in made.info
    assert "one per frame, native polarity (black = kept); cut at the centre and resized from 128x64" in made.info


def test_fractions_reach_the_model_as_they_are() -> None:
    for value in (0.1, 0.3, 0.7):
        white = clip(concat_mask=masks(*[value] * 17), mask_polarity="wrapper").embeds["mask"]
        assert torch.equal(white, torch.full_like(white, value))


def test_latents_and_mask_are_copies_of_the_mask_type_that_the_latents_have() -> None:
    given = {"samples": latent()["samples"].to(torch.bfloat16)}
    made = clip(concat_latent_image=given, concat_mask=masks(0.0, 0.0, *[1.0] * 15))
    made.embeds["image_embeds"].zero_()
    assert float(given["samples"].abs().max()) > 0
    assert made.embeds["mask"].dtype == torch.bfloat16
    assert made.embeds["svi"]["overlap_frames"] == 2


def test_a_batch_axis_of_one_is_taken_and_a_larger_one_refused() -> None:
    mask = masks(0.0, *[1.0] * 16)
    assert torch.equal(clip(concat_mask=mask[None]).embeds["mask"], clip(concat_mask=mask).embeds["mask"])
    with pytest.raises(SVIError, match="concat_mask must have 3 axes"):
        clip(concat_mask=mask[None].expand(2, -1, -1, -1))


def test_latents_go_to_the_model_as_they_are_or_converted() -> None:
    given = latent()
    made = clip(concat_latent_image=given)
    assert torch.equal(made.embeds["image_embeds"], given["samples"][0])
    assert torch.equal(made.latents, given["samples"][0])
    native = {"samples": to_native(given["samples"][0])[None]}
    converted = clip(concat_latent_image=native, latent_space="native")
    torch.testing.assert_close(converted.embeds["image_embeds"], given["samples"][0])
    assert "concat_latent_image, native space, converted to the wrapper's" in converted.info


def test_auto_space_decides_on_overwhelming_evidence_and_says_so_or_asks() -> None:
    generator = torch.Generator().manual_seed(6)
    normalised = torch.nn.functional.interpolate(
        torch.randn(1, 16, 5, 3, 3, generator=generator), size=(5, 8, 8), mode="trilinear"
    )
    normalised = normalised / normalised.std() + torch.randn(1, 16, 1, 1, 1, generator=generator) * 0.3
    native = {"samples": to_native(normalised[0])[None]}
    made = clip(concat_latent_image=native, latent_space="auto")
    assert "read as native, by channel statistics more than 10000 to 1" in made.info
    assert "converted to the wrapper's" in made.info
    torch.testing.assert_close(made.embeds["image_embeds"], normalised[0])
    kept = clip(concat_latent_image={"samples": normalised}, latent_space="auto")
    assert "read as wrapper, by channel statistics more than 10000 to 1" in kept.info
    assert torch.equal(kept.embeds["image_embeds"], normalised[0])
    with pytest.raises(SVIError, match=r"auto cannot tell for sure .* \(no latent shows detail .* set latent_space"):
        clip(concat_latent_image={"samples": torch.zeros(1, 16, 5, 8, 8)}, latent_space="auto")


def test_without_a_mask_the_frames_of_start_image_are_kept() -> None:
    vae, start = TraceVAE(), frames(5)
    made = clip(concat_latent_image=None, start_image=start, vae=vae)
    assert rows(made.embeds["mask"]) == ["1111", "1111", "0000", "0000", "0000"]
    video = (vae.video.permute(1, 2, 3, 0) + 1) / 2
    torch.testing.assert_close(video[:5], start)
    assert float((video[5:] - 0.5).abs().max()) == 0
    assert "no concat_mask: the frames of start_image are kept (5)" in made.info
    masked = clip(concat_latent_image=None, start_image=start, vae=TraceVAE(), concat_mask=masks(0.0))
    assert rows(masked.embeds["mask"]) == ["1111", *["0000"] * 4]
    assert masked.embeds["svi"]["known_frames"] == "concat_mask"


def test_without_a_mask_given_latents_are_all_generated() -> None:
    made = clip()
    assert rows(made.embeds["mask"]) == ["0000"] * 5
    assert "no concat_mask: every frame is generated" in made.info


def test_start_image_is_cut_at_the_centre_and_to_length_and_said() -> None:
    wide = torch.zeros(20, 64, 128, 3)
    wide[:, :, 32:96] = 1
    vae = TraceVAE()
    made = clip(concat_latent_image=None, start_image=wide, vae=vae)
    assert float(vae.video.min()) == 1, "the middle of the picture"
    assert "- start_image was cut from 20 to 17 frames" in made.info
    assert "- start_image was cut at the centre and resized from 128x64" in made.info
    assert "- the mask keeps every frame: nothing is generated" in made.info


def test_start_image_beside_latents_is_said_to_be_unused() -> None:
    vae = TraceVAE()
    made = clip(start_image=frames(5), vae=vae)
    assert "start_image is not used: concat_latent_image is connected" in made.info
    assert not vae.videos


def test_resize_at_the_centre_keeps_what_fits_and_is_plain_bilinear() -> None:
    images = torch.rand(2, 3, 30, 50)
    tall = resize_centre(images, height=60, width=20)
    cut = images[..., 20:30]
    assert torch.equal(tall, torch.nn.functional.interpolate(cut, size=(60, 20), mode="bilinear"))
    flat = resize_centre(images, height=10, width=50)
    assert torch.equal(flat, torch.nn.functional.interpolate(images[..., 10:20, :], size=(10, 50), mode="bilinear"))


def test_a_tiny_image_is_never_cut_away() -> None:
    assert resize_centre(torch.ones(1, 1, 4, 4), height=16, width=512).min() == 1
    assert resize_centre(torch.ones(1, 1, 4, 4), height=512, width=16).min() == 1


def test_32_channels_with_the_mask_between_become_control_and_image() -> None:
    given = latent(channels=32)
    made = clip(concat_latent_image=given, concat_mask_index=16, concat_mask=masks(0.0))
    control = made.embeds["control_embeds"]
    assert torch.equal(control["control_images"], given["samples"][0, :16])
    assert (control["start_percent"], control["end_percent"]) == (0.0, 1.0)
    assert torch.equal(made.embeds["image_embeds"], given["samples"][0, 16:])
    assert torch.equal(made.latents, given["samples"][0, 16:])
    assert "the first 16 went to control_embeds" in made.info


def test_32_channels_behind_the_mask_stay_together() -> None:
    given = latent(channels=32)
    native = torch.cat([to_native(half) for half in given["samples"][0].split(16)])[None]
    made = clip(concat_latent_image={"samples": native}, latent_space="native")
    torch.testing.assert_close(made.embeds["image_embeds"], given["samples"][0])
    assert made.embeds["control_embeds"] is None
    assert made.latents.shape[0] == 16
    assert "for models with 52 input channels only" in made.info


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"concat_latent_image": None}, "nothing to condition on: connect concat_latent_image, or start_image"),
    "no vae": ({"concat_latent_image": None, "start_image": frames(5)}, "start_image needs a vae"),
    "5B vae": (
        {"concat_latent_image": None, "start_image": frames(5), "vae": TraceVAE(upsampling_factor=16)},
        "start_image needs the Wan 2.1 VAE",
    ),
    "bad pixels": (
        {"concat_latent_image": None, "start_image": frames(5) * 255, "vae": TraceVAE()}, "divide by 255"
    ),
    "length": ({"length": 16}, r"num_frames must be 4k\+1"),
    "size": ({"width": 72}, "width must be a multiple of 16, got 72: use 64 or 80"),
    "latents too few": ({"concat_latent_image": latent(4)},
                        "has 4 latents, a clip of 17 frames has 5: set length to 13, or encode 17 frames"),
    "latents of another size": ({"concat_latent_image": latent(size=(8, 10))},
                                "is 10x8 latent pixels, the clip 8x8: set width and height to 80 and 64"),
    "odd latents": ({"concat_latent_image": latent(size=(9, 11))},
                    "is 11x9 latent pixels, both must be even .* multiples of 16"),
    "48 channels": ({"concat_latent_image": latent(channels=48)}, "has 48 channels, .* models take 16"),
    "index with 16": ({"concat_mask_index": 16}, "concat_mask_index 16 with latents of 16 channels is a layout"),
    "odd index": ({"concat_mask_index": 4, "concat_latent_image": latent(channels=32)}, "concat_mask_index 4 with lat"),
    "negative index": ({"concat_mask_index": -1}, "concat_mask_index must be 0 or more"),
    "polarity": ({"concat_mask": masks(0.0), "mask_polarity": "white"}, "mask_polarity must be one of native, wrapper"),
    "rate": ({"concat_mask": masks(0.0), "mask_rate": "x"}, "mask_rate must be one of auto, pixel, latent"),
    "space": ({"latent_space": "raw"}, "latent_space must be one of auto, native, wrapper"),
    "mask values": ({"concat_mask": masks(2.0)}, r"concat_mask must hold values in 0\.\.1, got 2\.\.2"),
    "2-D mask": ({"concat_mask": torch.zeros(8, 8)}, "concat_mask must have 3 axes"),
    "clip vision": ({"clip_embeds": torch.zeros(1)}, "clip_embeds must be a dict"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_what_came_and_what_to_do(name: str) -> None:
    inputs, message = REFUSED[name]
    with pytest.raises(SVIError, match=message):
        clip(**inputs)


def test_the_vae_is_left_alone_when_the_mask_is_bad() -> None:
    vae = TraceVAE()
    with pytest.raises(SVIError, match="could mean two things"):
        clip(concat_latent_image=None, start_image=frames(5), vae=vae, concat_mask=masks(0.0, 0.0, 0.0))
    assert not vae.devices


def test_nothing_that_is_passed_in_is_changed() -> None:
    inputs = {
        "concat_latent_image": latent(channels=32), "concat_mask": masks(0.0, *[1.0] * 16, size=(20, 30)),
        "clip_embeds": {"clip_embeds": torch.randn(1, 257, 8)},
    }  # fmt: skip
    before = digest(inputs)
    made = clip(**inputs, concat_mask_index=16)
    made.embeds["image_embeds"].zero_()
    made.embeds["mask"].zero_()
    assert digest(inputs) == before
    assert made.sheet().width >= 900


def test_choices_that_saved_graphs_hold() -> None:
    assert POLARITY_CHOICES == ("native", "wrapper")
    assert RATE_CHOICES == ("auto", "pixel", "latent")
    assert SPACE_CHOICES == ("auto", "native", "wrapper")


def test_the_mask_reader_returns_a_tensor_of_its_own() -> None:
    mask = masks(*[0.0] * 17)
    packed, _ = read_concat_mask(mask, length=17, height=8, width=8, polarity="native", rate="auto")
    packed.zero_()
    assert torch.equal(mask, masks(*[0.0] * 17))
