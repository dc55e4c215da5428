"""What several tests need: seeded frames, a VAE that shows what it was given, digests of values, bounds of work."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.custom.make import CustomClip, make_custom_clip
from wanvideo_svi.svi_embeds.clips.custom.settings import CustomInputs, CustomSettings
from wanvideo_svi.svi_embeds.clips.inpaint.make import TemporalMask, make_temporal_mask
from wanvideo_svi.svi_embeds.clips.inpaint.settings import MaskInputs, MaskSettings
from wanvideo_svi.svi_embeds.clips.latents.make import LatentClip, make_latent_clip
from wanvideo_svi.svi_embeds.clips.latents.settings import LatentInputs, LatentSettings
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip, make_clip
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from wanvideo_svi.svi_embeds.clips.vae import Encoder
from wanvideo_svi.svi_embeds.ground.settings import filled
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.writer import NewTake, ReelWriter
from wanvideo_svi.svi_embeds.story.chain import ChainPlan
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainConnected, ChainSettings


def frames(count: int = 1, *, height: int = 64, width: int = 64, channels: int = 3, seed: int = 0) -> Tensor:
    """Seeded random IMAGE: F H W C in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, height, width, channels, generator=generator)


def planned(story: str, **options: Any) -> ChainPlan:
    """A story as a chain. options: fields of `ChainSettings` and of `ChainConnected`."""
    return plan_chain(story, *sort(options, ChainSettings, ChainConnected))


def add_take(
    writer: ReelWriter, digest: str, images: Tensor, *, before: Sequence[Take],
    after_frame: Callable[[], None] | None = None, **facts: Any,
) -> Take:  # fmt: skip
    """A clip kept in a reel. facts: further fields of `NewTake`."""
    known = {"overlap": 0, "prompt": "", "seed": 0, "mode": "film", "seconds": 0.0, **facts}
    return writer.add(NewTake(digest=digest, images=images, **known), before=before, after_frame=after_frame)


class TraceVAE:
    """Has the host's VAE interface, keeps what it was asked to encode, and averages pixels into latents.

    One latent per 1 + 4 + 4 + ... frames, as the Wan VAE's. It stands in where a test is about what the VAE gets.
    """

    def __init__(self, *, dtype: torch.dtype = torch.float32, upsampling_factor: int = 8) -> None:
        self.dtype, self.upsampling_factor = dtype, upsampling_factor
        self.channels = 48 if upsampling_factor == 16 else 16  # the 5B model's VAE, or Wan 2.1's
        self.model = self
        self.videos: list[Tensor] = []
        self.calls: list[dict[str, Any]] = []
        self.devices: list[torch.device] = []

    def to(self, device: torch.device) -> TraceVAE:
        self.devices.append(device)
        return self

    def encode(
        self, videos: Sequence[Tensor], device: torch.device, *, end_: bool = False, tiled: bool = False
    ) -> Tensor:
        self.videos += [video.clone() for video in videos]
        self.calls.append({"device": device, "end_": end_, "tiled": tiled})
        return torch.stack([self._latents(video, end_) for video in videos])

    def _latents(self, video: Tensor, end_: bool) -> Tensor:
        body = video[:, :-1] if end_ else video
        chunks = [body[:, :1], *(body[:, i : i + 4] for i in range(1, body.shape[1] - 3, 4))]
        if end_:
            chunks.append(video[:, -1:])
        factor = self.upsampling_factor
        small = [torch.nn.functional.avg_pool2d(chunk.float().mean(1), factor) for chunk in chunks]
        latents = torch.stack(small, dim=1)
        return latents.mean(0, keepdim=True).repeat(self.channels, 1, 1, 1)

    @property
    def video(self) -> Tensor:
        """The only video it was given: C F H W in -1..1."""
        (video,) = self.videos
        return video


def sort(given: dict[str, Any], *kinds: Any) -> list[Any]:
    """Keywords as one object of each kind, by the names of its fields; none may be left over."""
    assert not set(given) - {field.name for kind in kinds for field in fields(kind)}
    return [filled(kind, given) for kind in kinds]


def pixel_clip(vae: Any, *, tiled_vae: bool = False, **given: Any) -> Clip:
    """`make_clip` with what it takes as keywords."""
    return make_clip(*sort({"vae": vae, "tiled": tiled_vae, **given}, ClipSettings, ClipInputs, Encoder))


def latent_clip(**given: Any) -> LatentClip:
    """`make_latent_clip` with what it takes as keywords."""
    return make_latent_clip(*sort(given, LatentSettings, LatentInputs))


def custom_clip(vae: Any = None, **given: Any) -> CustomClip:
    """`make_custom_clip` with what it takes as keywords."""
    if vae is None:
        return make_custom_clip(*sort(given, CustomSettings, CustomInputs))
    return make_custom_clip(*sort({"vae": vae, **given}, CustomSettings, CustomInputs, Encoder))


def mask_clip(**given: Any) -> TemporalMask:
    """`make_temporal_mask` with what it takes as keywords."""
    return make_temporal_mask(*sort(given, MaskSettings, MaskInputs))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when what runs inside takes more of the processor, whatever else runs on it.

    seconds: several times what it takes; work of another order takes minutes.
    """
    began = time.process_time()
    yield
    spent = time.process_time() - began
    assert spent < seconds, f"{spent:.1f} s, the bound is {seconds:g}"


def digest(value: Any) -> str:
    """A hash of a value with all the tensors in it: equal before and after means nothing was changed."""
    sha = hashlib.sha256()

    def walk(item: Any) -> None:
        if isinstance(item, Tensor):
            sha.update(f"{item.dtype}{list(item.shape)}".encode())
            sha.update(item.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        elif isinstance(item, dict):
            for key in sorted(item):
                sha.update(repr(key).encode())
                walk(item[key])
        elif isinstance(item, (list, tuple)):
            for inner in item:
                walk(inner)
        else:
            sha.update(repr(item).encode())

    walk(value)
    return sha.hexdigest()


def rows(packed: Tensor) -> list[str]:
    """A packed mask 4 T h w, the same at every pixel, as one string of four digits per latent."""
    flat = packed.float().flatten(2)
    assert bool((flat == flat[..., :1]).all()), "the mask differs between pixels"
    return ["".join(f"{v:g}" for v in column) for column in flat[..., 0].T.tolist()]


# What the wrapper's I2V encode makes of 9 frames, by inputs: start frames, an end image, fun_or_fl2v_model (on unless
# given) and temporal_mask. Groups of four digits are latents, digits their four channels.
MASK_VECTORS: dict[str, tuple[dict[str, Any], str]] = {
    "start 1": ({"start": 1}, "1111 0000 0000"),
    "start 5": ({"start": 5}, "1111 1111 0000"),
    "start 4": ({"start": 4}, "1111 1110 0000"),
    "start 5, mask [1]": ({"start": 5, "mask": (1.0,)}, "1111 0000 0000"),
    "start 5 + end 1, fun": ({"start": 5, "end": True, "mask": (1, 0, 0, 0, 0, 0, 0, 0, 1.0)}, "1111 0000 0001"),
    "start 1 + end 1 apart, mask of 9": (
        {"start": 1, "end": True, "fun": False, "mask": (1, 0, 0, 0, 0, 0, 0, 0, 1.0)},
        "1111 0000 0001 0000",
    ),
    "start 1 + end 1 apart, mask of 10": (
        {"start": 1, "end": True, "fun": False, "mask": (1, 0, 0, 0, 0, 0, 0, 0, 0, 1.0)},
        "1111 0000 0000 1111",
    ),
    "start 1, mask of 13": ({"start": 1, "mask": (0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1.0)}, "0000 1111 0001"),
    "mask [1, 1, 1]": ({"start": 1, "mask": (1, 1, 1.0)}, "1111 1100 0000"),
}
