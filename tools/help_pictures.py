"""Draws web/docs/*.png, the pictures in the help pages, with the code that draws them on the nodes.

usage: python tools/help_pictures.py        (from the repository's root, with the pack installed)
"""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from wanvideo_svi.svi_embeds.clips.inpaint.canvas import reference_canvas
from wanvideo_svi.svi_embeds.clips.inpaint.make import make_temporal_mask
from wanvideo_svi.svi_embeds.clips.inpaint.settings import MaskInputs, MaskSettings
from wanvideo_svi.svi_embeds.ground.images import to_picture
from wanvideo_svi.svi_embeds.ground.settings import filled
from wanvideo_svi.svi_embeds.pair.plan import BOUNDARIES
from wanvideo_svi.svi_embeds.pair.plot import draw_sigmas
from wanvideo_svi.svi_embeds.pair.sigmas import count_high, sigmas_of
from wanvideo_svi.wrapper_ext.demo.scene import load_scene

DOCS = Path(__file__).resolve().parents[1] / "web" / "docs"


def pictures() -> dict[str, Image.Image]:
    """Every picture by file name."""
    scene = load_scene(161, image=None, video=None)
    size = {"num_frames": 81, "width": 384, "height": 224}
    left = torch.zeros(1, 224, 384)
    left[:, :, :192] = 1
    clip = scene[:81]
    references = {"image_1": scene[:1, 40:220, 60:260], "image_2": scene[80:81, :, :120]}
    canvas = reference_canvas(references, width=384, height=224)
    made = {
        "film": {"motion_frames": clip},
        "end": {"motion_frames": clip, "end_image": scene[120:121]},
        "keyframes": {"keyframes": "0, 40, -1", "keyframe_images": scene[[0, 60, 120]]},
        "region": {"motion_frames": clip, "region": left},
        "feather": {"motion_frames": clip, "feather": 2},
        "canvas": {"motion_frames": canvas.image, "overlap_frames": 1, "region": canvas.region,
                   "outside_region": "keep"},
    }  # fmt: skip
    sheets = {
        f"temporal_mask_{name}.png": make_temporal_mask(
            filled(MaskSettings, size | given), filled(MaskInputs, given)
        ).sheet()
        for name, given in made.items()
    }
    sigmas = sigmas_of("flowmatch_pusa", 8, 5.0)
    boundary = BOUNDARIES["t2v"]
    pair = draw_sigmas(
        sigmas.tolist(), split=count_high(sigmas, boundary), boundary=boundary, high="HoloCine", low="MAGREF",
        title="flowmatch_pusa, 8 steps, shift 5, boundary 0.875",
    )  # fmt: skip
    return {**sheets, "reference_canvas.png": to_picture(canvas.image), "high_low_pair.png": pair}


def main() -> None:
    for name, picture in pictures().items():
        picture.save(DOCS / name, optimize=True)
        print(f"web/docs/{name}")


if __name__ == "__main__":
    main()
