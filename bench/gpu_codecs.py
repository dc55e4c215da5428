"""How long the codecs of reels and of their videos take alone: `write_video` of this pack, without ComfyUI."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np


def _noise(frames: int, width: int, height: int) -> Any:
    """Pixels that have nothing to do with each other, as random weights make them: F H W 3."""
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)


def _natural(frames: int, width: int, height: int) -> Any:
    """Shapes of many sizes that move past a slower ground, with a film's grain: F H W 3."""
    draw = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0 : width + 4 * frames].astype(np.float32)
    layers = []
    for _ in range(2):
        layer = np.zeros((*rows.shape, 3), np.float32)
        for octave in range(7):
            for channel in range(3):
                a, b, c = draw.normal(0, 0.004 * 2**octave, 2), draw.uniform(0, 6.3), draw.uniform(0.5, 1)
                layer[..., channel] += c * 40 * 0.6**octave * np.sin(a[0] * columns + a[1] * rows + b)
        layers.append(layer)
    near = layers[0][..., :1] > 10
    video = np.empty((frames, height, width, 3), np.uint8)
    for frame in range(frames):
        ground, front = (slice(speed * frame, speed * frame + width) for speed in (1, 4))
        shown = np.where(near[:, front], layers[0][:, front], layers[1][:, ground])
        grain = draw.normal(0, 1.5, (height, width, 3)).astype(np.float32)
        video[frame] = np.clip(shown + grain + 128, 0, 255)
    return video


def time_codecs(folder: Path, *, frames: int, width: int, height: int) -> dict[str, Any]:
    """By video and format: seconds, the file's size in MB, and seconds per pass (3). Both: as a chain ends, `_end`."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from svi_embeds.files.video import FORMATS, write_video

    told = {}
    for name, make in (("natural", _natural), ("noise", _noise)):
        video = make(frames, width, height)
        for kind in ("ffv1", "h264"):
            row, spent = FORMATS[kind], []
            path = folder / f"codec{row.suffix}"
            for _ in range(3):
                path.unlink(missing_ok=True)
                start = time.monotonic()
                write_video(path, video, width=width, height=height, fps=16.0, video_format=row)
                spent.append(round(time.monotonic() - start, 3))
            told[f"{name}, {kind}"] = {"seconds": sorted(spent)[1], "passes": spent, "mb": path.stat().st_size / 1e6}
            path.unlink()
        spent = [_end(folder, video) for _ in range(3)]
        told[f"{name}, both"] = {"seconds": sorted(spent)[1], "passes": spent, "mb": 0.0}
    return told


def _end(folder: Path, video: Any) -> float:
    """Seconds until a clip is kept and joined: looked at and kept by one thread, coded by one that gives way beside it,
    both from an IMAGE."""
    import torch

    from svi_embeds.colour.look import glance
    from svi_embeds.files.threads import give_way
    from svi_embeds.files.video import FORMATS, to_pixels, write_video

    images = torch.from_numpy(video).float() / 255
    size = {"width": images.shape[2], "height": images.shape[1], "fps": 16.0}
    paths = {kind: folder / f"end{FORMATS[kind].suffix}" for kind in ("ffv1", "h264")}

    def keep() -> None:
        glance(images, None)
        write_video(paths["ffv1"], map(to_pixels, images), video_format=FORMATS["ffv1"], **size)

    def join() -> None:
        give_way()
        write_video(paths["h264"], map(to_pixels, images), video_format=FORMATS["h264"], **size)

    threads = [threading.Thread(target=work) for work in (keep, join)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = round(time.monotonic() - start, 3)
    for path in paths.values():
        path.unlink()
    return spent
