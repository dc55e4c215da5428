"""Conditioning prepared: everything up to the VAE, which is left out. Rivals are the host's nodes, or restated."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.pixels.make import make_clip
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from wanvideo_svi.svi_embeds.clips.vae import Encoder

from . import host

WIDTH, HEIGHT, FRAMES, MOTION = 832, 480, 81, 5
DTYPE = torch.bfloat16  # the wrapper's usual precision of the VAE


class NoVAE:
    """Has the wrapper's interface and gives empty latents: what is left is the preparation."""

    dtype, upsampling_factor = DTYPE, 8

    def __init__(self) -> None:
        self.model = self

    def to(self, *_: Any, **__: Any) -> NoVAE:
        return self

    def encode(self, videos: Sequence[Tensor], *_: Any, **__: Any) -> Tensor:
        (video,) = videos
        assert video.dtype == DTYPE
        return torch.zeros(1, 16, (video.shape[1] - 1) // 4 + 1, video.shape[2] // 8, video.shape[3] // 8)


def _images(count: int, *, width: int = 1280, height: int = 720, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, height, width, 3, generator=generator)


# --- shot: one motion frame, then the reference


def shot_ours() -> Callable[[], object]:
    last, reference, vae = _images(1), _images(1, seed=1), NoVAE()

    def run() -> None:
        made = make_clip(
            ClipSettings(mode="shot", width=WIDTH, height=HEIGHT, num_frames=FRAMES),
            ClipInputs(start_image=last, ref_image=reference),
            Encoder(vae=vae),
        )
        assert made.embeds["num_frames"] == FRAMES

    return run


def shot_floor() -> Callable[[], object]:
    """Each image resized once, each frame written once: no way of making that tensor does less."""
    last, reference = _images(1), _images(1, seed=1)

    def run() -> None:
        video = torch.empty(3, FRAMES, HEIGHT, WIDTH, dtype=DTYPE)
        video[:, :1] = _to_video(_lanczos(last)).to(DTYPE)
        video[:, 1:] = _to_video(_lanczos(reference)).to(DTYPE).contiguous()

    return run


def shot_host(collect: bool = True) -> Callable[[], object]:
    """The host's encode with `empty_frame_pad_image`. collect: with the runs of Python's collector that it makes."""
    last, reference, vae = _images(1), _images(1, seed=1), NoVAE()
    encode = _encoder(collect=collect)
    return lambda: encode(vae, start_image=last, empty_frame_pad_image=reference)


def shot_community() -> Callable[[], object]:
    """RepeatImageBatch, VACE-start-to-end, InvertMask, the host's encode: what shared graphs wire for a clip."""
    last, reference, vae = _images(1), _images(1, seed=1), NoVAE()
    encode = _encoder()
    if host.available():
        repeat, place, invert = (
            host.node(name) for name in ("RepeatImageBatch", "WanVideoVACEStartToEndFrame", "InvertMask")
        )

        def run() -> None:
            (padding,) = repeat.repeat(reference, FRAMES)
            frames, masks = place.process(FRAMES, 0.5, start_image=last, control_images=padding)
            (known,) = invert.invert(masks)
            encode(vae, start_image=frames, temporal_mask=known)

        return run

    def restated() -> None:
        padding = reference.repeat(FRAMES, 1, 1, 1)
        frames = torch.ones_like(padding) * 0.5
        masks = torch.ones(padding.shape[:3])
        frames[:1], masks[:1] = last, 0
        empty = masks.sum(dim=(1, 2)) > 0.5 * masks[0].numel()
        for frame in range(FRAMES):
            if empty[frame]:
                frames[frame] = padding[frame]
        encode(vae, start_image=frames, temporal_mask=1.0 - masks)

    return restated


# --- film: five motion frames, then grey


def film_ours() -> Callable[[], object]:
    clip, vae = _images(FRAMES, width=WIDTH, height=HEIGHT), NoVAE()

    def run() -> None:
        settings = ClipSettings(mode="film", width=WIDTH, height=HEIGHT, num_frames=FRAMES)
        make_clip(settings, ClipInputs(start_image=clip), Encoder(vae=vae))

    return run


def film_host(collect: bool = True) -> Callable[[], object]:
    clip, vae = _images(FRAMES, width=WIDTH, height=HEIGHT), NoVAE()
    encode = _encoder(collect=collect)
    return lambda: encode(vae, start_image=clip[-MOTION:])


# --- the host's encode


def _encoder(*, collect: bool = True) -> Callable[..., object]:
    if not host.available():
        return partial(_restated_encode, collect=collect)
    made = host.node("WanVideoImageToVideoEncode")
    if not collect:
        vars(sys.modules[type(made).__module__])["gc"] = SimpleNamespace(collect=lambda: 0)

    def encode(vae: NoVAE, **images: Tensor) -> object:
        return made.process(WIDTH, HEIGHT, FRAMES, True, 0.0, 1.0, 1.0, vae=vae, fun_or_fl2v_model=True, **images)

    return encode


def _restated_encode(
    vae: NoVAE,
    *,
    start_image: Tensor,
    empty_frame_pad_image: Tensor | None = None,
    temporal_mask: Tensor | None = None,
    collect: bool = True,
) -> object:
    """What the host's encode does with these inputs, step by step, the tensors that it makes included."""
    lat_h, lat_w = HEIGHT // 8, WIDTH // 8
    if temporal_mask is None:
        mask = torch.zeros(1, FRAMES, lat_h, lat_w, dtype=DTYPE)
        mask[:, : len(start_image)] = 1
    else:
        small = torch.nn.functional.interpolate(temporal_mask.unsqueeze(1), size=(lat_h, lat_w), mode="nearest")
        mask = small.squeeze(1).unsqueeze(0).to(DTYPE)
    per_pixel = mask.clone()
    mask = torch.cat([torch.repeat_interleave(mask[:, 0:1], repeats=4, dim=1), mask[:, 1:]], dim=1)
    mask = mask.view(1, mask.shape[1] // 4, 4, lat_h, lat_w).movedim(1, 2)[0]
    frames = _to_video(_lanczos(start_image))
    grey = torch.zeros(3, FRAMES - len(start_image), HEIGHT, WIDTH, dtype=DTYPE)
    video = torch.cat([frames.to(DTYPE), grey], dim=1)
    if empty_frame_pad_image is not None:
        padding = _to_video(_lanczos(empty_frame_pad_image.clone())).to(DTYPE)
        padding = torch.cat([padding, padding[:, -1:].expand(-1, FRAMES - 1, -1, -1)], dim=1)
        empty = per_pixel[0].mean(dim=(-2, -1)) < 0.5
        empty[: len(start_image)] = False
        video[:, empty] = padding[:, empty]
    if collect:
        gc.collect()
    latents = vae.encode([video], None)
    if collect:
        gc.collect()
    return latents, mask.cpu()


def _lanczos(images: Tensor) -> Tensor:
    """The host's resize, F H W 3, which makes three lists of frames on the way."""
    if images.shape[1:3] == (HEIGHT, WIDTH):
        return images
    pictures = [Image.fromarray(np.clip(255.0 * image.numpy(), 0, 255).astype(np.uint8)) for image in images]
    pictures = [picture.resize((WIDTH, HEIGHT), resample=Image.Resampling.LANCZOS) for picture in pictures]
    return torch.stack([torch.from_numpy(np.asarray(picture).astype(np.float32) / 255.0) for picture in pictures])


def _to_video(frames: Tensor) -> Tensor:
    return frames.permute(3, 0, 1, 2) * 2 - 1


# --- masks


def masks_ours(frames: int = 1001) -> Callable[[], object]:
    """As `make_clip` makes them: packed from one value per frame."""
    from einops import repeat
    from wanvideo_svi.svi_embeds.masks.keyframes import known_masks
    from wanvideo_svi.svi_embeds.masks.known import pack_known

    values = [1] + [0] * (frames - 1)

    def run() -> None:
        columns = pack_known(torch.tensor(values, dtype=torch.float32))
        repeat(columns, "c t -> c t h w", h=HEIGHT // 8, w=WIDTH // 8).contiguous()
        known_masks(values, height=HEIGHT // 8, width=WIDTH // 8)

    return run


def masks_pixels(frames: int = 1001) -> Callable[[], object]:
    """Through masks of full size, as VACE-start-to-end, InvertMask and the host's encode make them."""

    def run() -> None:
        masks = torch.ones(frames, HEIGHT, WIDTH)
        masks[:1] = 0
        known = 1.0 - masks
        small = torch.nn.functional.interpolate(known.unsqueeze(1), size=(HEIGHT // 8, WIDTH // 8), mode="nearest")
        mask = small.squeeze(1).unsqueeze(0).to(DTYPE)
        mask = torch.cat([torch.repeat_interleave(mask[:, 0:1], repeats=4, dim=1), mask[:, 1:]], dim=1)
        mask.view(1, mask.shape[1] // 4, 4, HEIGHT // 8, WIDTH // 8).movedim(1, 2).contiguous()

    return run
