"""SVI long-video conditioning as plain tensors and plans: embeds for a clip in a few lines, with or without ComfyUI.

Imports torch, einops, safetensors, numpy, PIL and av; never ComfyUI. What stands in `__all__` is this package's public
face; a name is loaded when it is first asked for. The rooms behind it:

- `timeline`, `recipes`: frame and latent arithmetic, the table of SVI variants (no torch)
- `ground`, `files`: plain checks, words, tensors and images; bytes on the disk, videos, sound
- `masks`, `colour`, `models`: known and concat masks; looks and matching; what models and LoRAs say of themselves
- `clips`: `image_embeds`, the VAE, contact sheets, and a room for each kind of clip: `pixels`, `latents` (2.0 Pro),
  `custom`, `inpaint` (a mask for the host's own encode); in each the settings, the plan, what decides it, what makes
  it; `native` gives embeds to ComfyUI's own models, and takes theirs
- `story`, `reel`: a text, the chain planned from it; a chain's clips on the disk
- `guides`, `drift`, `pair`: voice and poses for each clip; drift measured; high and low noise models
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FROM = {
    "errors": ("SVIError", "StoryError"),
    "recipes": ("RECIPES", "Recipe", "recipe"),
    "clips.vae": ("Encoder",),
    "clips.comfy_vae": ("ComfyVAE", "as_wan_vae"),
    "clips.torch_vae": ("DiffusersVAE", "TorchVAE"),
    "clips.embeds": ("check_embeds", "conditioning_of", "describe_embeds"),
    "clips.embeds_file": ("load_embeds", "save_embeds"),
    "clips.pixels.settings": ("ClipInputs", "ClipSettings"),
    "clips.pixels.make": ("Clip", "make_clip"),
    "clips.latents.settings": ("LatentInputs", "LatentSettings"),
    "clips.latents.make": ("LatentClip", "make_latent_clip"),
    "clips.pipeline": ("sample_clip",),
    "clips.native.to_native": ("NativeClip", "to_native"),
    "clips.native.from_native": ("from_native",),
    "colour.stitch": ("stitch",),
    "ground.images": ("last_frames",),
    "story.chain": ("ChainClip", "ChainPlan"),
    "story.plan": ("plan_chain",),
    "story.settings": ("ChainConnected", "ChainSettings"),
    "reel.reel": ("Reel", "open_reel"),
    "reel.writer": ("NewTake", "ReelWriter"),
    "drift.measure": ("measure_reel",),
}
_PLACES = {name: place for place, names in _FROM.items() for name in names}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
