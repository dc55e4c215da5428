"""A clip sampled by diffusers' Wan image-to-video pipeline, outside ComfyUI. Nothing of diffusers is imported here."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from ..errors import SVIError
from ..timeline import latent_count
from .embeds import conditioning_of
from .made import EncodedClip
from .vae import FACTOR

_GIVEN = ("image", "last_image", "height", "width", "num_frames", "num_videos_per_prompt", "output_type", "return_dict")


def sample_clip(pipeline: Any, clip: EncodedClip, first_frame: Tensor, **options: Any) -> Tensor:
    """Sample one clip with a `WanImageToVideoPipeline`. Returns its frames F H W 3 in 0..1, on the CPU.

    clip: what `make_clip` gave; its frames, padding and mask take the place of those that the pipeline would make.
    first_frame: H W 3 in 0..1, the clip's first motion frame, for the pipeline's CLIP vision (Wan 2.1).
    options: of the pipeline's call, such as prompt, num_inference_steps, guidance_scale and generator.

    Raises SVIError for a pipeline of another kind, for options that the clip decides, and for a clip that the pipeline
    has no room for.
    """
    prepare = getattr(pipeline, "prepare_latents", None)
    if prepare is None or not hasattr(pipeline, "transformer") or not hasattr(pipeline, "vae"):
        raise SVIError(f"pipeline must be diffusers' WanImageToVideoPipeline, got {type(pipeline).__name__}")
    if getattr(pipeline.config, "expand_timesteps", False):
        raise SVIError(
            "this pipeline is for the 5B model, which takes no mask: load Wan 2.1 or 2.2 A14B image-to-video"
        )
    if given := [name for name in _GIVEN if name in options]:
        raise SVIError(f"the clip decides {', '.join(given)}: leave them out")
    if first_frame.ndim != 3 or first_frame.shape[-1] != 3:
        raise SVIError(f"first_frame must be H W 3, got {list(first_frame.shape)}: take one frame, as video[-5]")
    frames = int(clip.embeds["num_frames"])
    conditioning = conditioning_of(clip.embeds)
    latents, lat_h, lat_w = conditioning.shape[1:]
    if latents != latent_count(frames):
        raise SVIError(
            f"the clip has {latents} latents for {frames} frames, and the pipeline samples {latent_count(frames)}: "
            "turn fun_or_fl2v_model on for a clip with an end image, and use no extra_latents"
        )

    asked = inspect.signature(prepare)

    def with_clip(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        given = asked.bind(*args, **kwargs).arguments
        noise = given.get("latents")
        if noise is None:
            shape = (given["batch_size"], len(conditioning) - 4, latents, lat_h, lat_w)
            noise = _noise(shape, given.get("generator"), given["device"], given["dtype"])
        condition = conditioning.to(given["device"], given["dtype"]).expand(given["batch_size"], -1, -1, -1, -1)
        return noise.to(given["device"], given["dtype"]), condition

    pipeline.prepare_latents = with_clip
    try:
        made = pipeline(
            image=first_frame.movedim(-1, 0).unsqueeze(0),
            height=lat_h * FACTOR,
            width=lat_w * FACTOR,
            num_frames=frames,
            output_type="pt",
            **options,
        )
    finally:
        del pipeline.prepare_latents
    video: Tensor = made.frames[0].movedim(1, -1).float().cpu()
    return video


def _noise(shape: tuple[int, ...], generator: Any, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Noise as the pipeline makes it: on the generator's device, then moved."""
    if isinstance(generator, list):
        raise SVIError("generator must be one generator for the clip, got a list")
    place = device if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=place, dtype=dtype).to(device)
