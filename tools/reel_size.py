"""What a frame of a reel takes on disk, measured on videos given: python tools/reel_size.py VIDEO...

Each video is scaled to 832x480, the host's way of resizing, and written as a reel writes its clips. The figure in
wrapper_ext/doctor/files.py comes from here; docs/reference/hosts.md has the table.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import islice
from pathlib import Path

from wanvideo_svi.svi_embeds.files.video import read_video, to_images, to_pixels, write_video
from wanvideo_svi.svi_embeds.ground.images import resize_frames

WIDTH, HEIGHT, FRAMES = 832, 480, 81


def bytes_per_frame(video: Path) -> tuple[int, int]:
    """Frames measured, the first 81 at most, and bytes of the file per frame."""
    pixels = list(islice(read_video(video), FRAMES))
    frames = resize_frames(to_images(pixels, len(pixels)), width=WIDTH, height=HEIGHT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mkv"
        count = write_video(path, map(to_pixels, frames), width=WIDTH, height=HEIGHT, fps=16.0)
        return count, path.stat().st_size // count


if __name__ == "__main__":
    for name in sys.argv[1:]:
        count, size = bytes_per_frame(Path(name))
        print(f"{Path(name).name}: {count} frames, {size:,} bytes each")
