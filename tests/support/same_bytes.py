"""What this pack makes of fixed inputs, as digests: run in processes of their own by test_determinism.

usage: same_bytes.py THREADS FOLDER

Sizes are such that torch divides the work among its threads.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from fake_host import FakeHost
from faults import files_of, render, same_but_names
from helpers import TraceVAE, digest, frames, latent_clip, mask_clip, pixel_clip
from PIL import Image
from wanvideo_svi.svi_embeds.clips.embeds_file import save_embeds
from wanvideo_svi.svi_embeds.clips.inpaint.canvas import reference_canvas
from wanvideo_svi.svi_embeds.colour.choices import COLOUR_CHOICES
from wanvideo_svi.svi_embeds.colour.stitch import stitch
from wanvideo_svi.svi_embeds.drift.measure import measure_images
from wanvideo_svi.svi_embeds.recipes import MODES
from wanvideo_svi.svi_embeds.story.holocine import plan_scene


def _picture(image: Image.Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def _film(count: int, seed: int) -> torch.Tensor:
    """Frames with a cast and a contrast of their own."""
    return frames(count, height=240, width=320, seed=seed) * (0.9 - 0.1 * seed) + 0.05 * seed


def _latents(seed: int) -> dict[str, torch.Tensor]:
    return {"samples": torch.randn(1, 16, 5, 60, 104, generator=torch.Generator().manual_seed(seed))}


def _clip(folder: Path, mode: str) -> str:
    made = pixel_clip(
        TraceVAE(), mode=mode, width=320, height=240, num_frames=33, start_image=_film(9, 0), ref_image=_film(1, 1),
        noise_aug_strength=0.1,
    )  # fmt: skip
    file = folder / f"{mode}.safetensors"
    save_embeds(made.embeds, file)
    return digest([made.embeds, _picture(made.sheet()), made.info]) + hashlib.sha256(file.read_bytes()).hexdigest()


def _drift(_: Path) -> str:
    found = measure_images(torch.cat([_film(6, 0), _film(6, 1)]), clip_frames=6, reference=_film(1, 0))
    return digest([found.drift.as_dict(), _picture(found.picture("drift"))])


def _reel(folder: Path) -> str:
    render(folder / "reel", FakeHost())
    return digest(same_but_names(files_of(folder / "reel")))


MAKERS: dict[str, Callable[[Path], Any]] = {
    **{f"clip {mode}": (lambda folder, mode=mode: _clip(folder, mode)) for mode in MODES},
    "latent clip": lambda _: digest(
        latent_clip(
            anchor_samples=_latents(0), prev_samples=_latents(1), end_samples=_latents(2), motion_match=0.7,
            num_frames=81, padding="reference",
        ).embeds
    ),
    "temporal mask": lambda _: digest(
        mask_clip(
            width=320, height=240, num_frames=33, motion_frames=_film(9, 0), keyframes="20",
            keyframe_images=_film(1, 1), feather=4,
        ).known_mask
    ),
    "canvas": lambda _: digest(reference_canvas({"image": _film(2, 0)}, width=640, height=480).image),
    **{
        f"stitch {method}": lambda _, method=method: digest(
            stitch(_film(17, 0), _film(17, 1), overlap_frames=5, blend="linear", color_match=method)[0]
        )
        for method in COLOUR_CHOICES
    },
    "drift": _drift,
    "reel": _reel,
    "scene": lambda _: digest(repr(plan_scene(global_caption="a wood", shots="a fox\nrain", num_frames=81))),
}  # fmt: skip


def main(threads: int, folder: Path) -> dict[str, str]:
    torch.set_num_threads(threads)
    made = {}
    for name, make in MAKERS.items():
        place = folder / name
        place.mkdir(parents=True)
        made[name] = make(place)
    return made


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
