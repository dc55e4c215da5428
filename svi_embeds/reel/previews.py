"""Small videos and pictures of a reel's takes, for pages that show many of them: made once and kept in its folder
`previews`, within MAX_BYTES. They are no part of the reel: `clean` deletes them, and they are made again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import SafetensorError, safe_open

from ..errors import SVIError
from ..files.bounded import delete_all, keep_within, listed, used
from ..files.header import read_header
from ..files.video import FORMATS, Pixels, to_pixels, write_video
from ..files.whole import moved_in
from .manifest import Take
from .reel import Reel, writing

FOLDER = "previews"
MAX_BYTES = 256 * 2**20  # of a reel's previews; what nobody looked at for longest goes first
LONG_SIDE = 384  # pixels of a video, of the longer side
PICTURE_SIDE = 320  # of a picture
MAX_FRAMES = 600  # of a video: of a longer clip every second frame, or every third
SEAM_FRAMES = 16  # on either side of a seam
_FILE = re.compile(r"(clip_\d{4,}_[0-9a-f]{8}_[0-9a-f]{8}_(clip|first\d+|last)|seam_[0-9a-f]{16})\.(mp4|jpg)")
_VIDEO = replace(FORMATS["h264"].at(50), options={**FORMATS["h264"].at(50).options, "preset": "veryfast", "g": "12"})
_JPEG_QUALITY = 80

Pause = Callable[[], None]


def clip_preview(reel: Reel, take: Take, pause: Pause = lambda: None) -> Path:
    """A whole clip as a small H.264 video, silent; made when it is not there yet.

    pause: called after each frame, so that others get the processor. Raises SVIError for a clip that cannot be read,
    and when the disk refuses.
    """
    step = step_of(take)
    frames = (pixels for index, pixels in enumerate(reel.clip_frames(take)) if index % step == 0)
    return _video(reel, f"{_stem(take)}_clip.mp4", frames, (take.width, take.height), reel.fps / step, pause)


def step_of(take: Take) -> int:
    """Every how many-th frame of a clip its preview shows."""
    return -(-take.frames // MAX_FRAMES)


def seam_preview(reel: Reel, before: Take, after: Take, pause: Pause = lambda: None) -> Path:
    """The last frames of a clip and the first ones that the next adds to the video; see `clip_preview`."""
    name = hashlib.sha256(f"{_stem(before)} {_stem(after)} {after.overlap}".encode()).hexdigest()[:16]

    def frames() -> Iterator[Pixels]:
        yield from reel.clip_frames(before, *_before_seam(before))
        yield from reel.clip_frames(after, *_after_seam(after))

    return _video(reel, f"seam_{name}.mp4", frames(), (before.width, before.height), reel.fps, pause)


def seam_at(before: Take, after: Take) -> tuple[int, int]:
    """Of a seam's preview: the frame with which the second clip begins, and how many frames there are."""
    first, last = _before_seam(before), _after_seam(after)
    return first[1] - first[0], first[1] - first[0] + last[1] - last[0]


def picture(reel: Reel, take: Take, *, last: bool) -> Path:
    """The first frame that a clip adds to the video, or its last one, as a small JPEG; see `clip_preview`."""
    path = _place(reel, f"{_stem(take)}_{'last' if last else f'first{take.overlap}'}.jpg")
    if _is_there(path):
        return path
    pixels = _last_frame(reel, take) if last else next(reel.clip_frames(take, take.overlap, take.overlap + 1))
    shown = Image.fromarray(pixels)
    shown.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    with writing(f"reel {reel.name}: {FOLDER}/{path.name}"), moved_in(path) as (beside,):
        shown.save(beside, quality=_JPEG_QUALITY)
    keep_within(path, _FILE, MAX_BYTES)
    return path


def delete_previews(folder: Path, takes: tuple[Take, ...] | None = None) -> int:
    """Delete a reel's previews, or those of some takes. Returns how many bytes they had. folder: of the reel."""
    stems = ("",) if takes is None else tuple(f"{_stem(take)}_" for take in takes)
    return delete_all(folder / FOLDER, _FILE, stems)


def previews_size(folder: Path) -> int:
    """Bytes of a reel's previews. folder: of the reel."""
    return sum(state.st_size for _, state in listed(folder / FOLDER, _FILE))


def _stem(take: Take) -> str:
    """A take that is made again has another."""
    return Path(take.video.name).stem


def _before_seam(take: Take) -> tuple[int, int]:
    return max(0, take.frames - SEAM_FRAMES), take.frames


def _after_seam(take: Take) -> tuple[int, int]:
    return take.overlap, min(take.frames, take.overlap + SEAM_FRAMES)


def _last_frame(reel: Reel, take: Take) -> Pixels:
    """From the clip's tail, which has it exact: the video would be decoded up to there."""
    path = reel.path(take.tail)
    try:
        if read_header(path).shapes["frames"] != (take.tail_frames, take.height, take.width, 3):
            raise ValueError("its frames have another shape than was written")
        with safe_open(path, framework="pt") as file:
            return to_pixels(file.get_slice("frames")[take.tail_frames - 1 : take.tail_frames][0])
    except (SafetensorError, OSError, ValueError, KeyError, IndexError) as error:
        raise SVIError(f"reel {reel.name}: {take.tail.name} cannot be read: {error}") from error


def _video(
    reel: Reel, name: str, frames: Iterator[Pixels], size: tuple[int, int], fps: float, pause: Pause
) -> Path:  # fmt: skip
    path = _place(reel, name)
    if _is_there(path):
        return path
    scale = min(1.0, LONG_SIDE / max(size))
    width, height = (max(2, round(side * scale / 2) * 2) for side in size)

    def small() -> Iterator[Pixels]:
        for pixels in frames:
            yield np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2))

    with writing(f"reel {reel.name}: {FOLDER}/{name}"), moved_in(path) as (beside,):
        write_video(beside, small(), width=width, height=height, fps=fps, video_format=_VIDEO, after_frame=pause)
    keep_within(path, _FILE, MAX_BYTES)
    return path


def _place(reel: Reel, name: str) -> Path:
    folder = reel.folder / FOLDER
    with writing(f"reel {reel.name}: {FOLDER}"):
        if folder.is_symlink():
            raise SVIError(f"reel {reel.name}: its {FOLDER} is a link, which is not followed: delete it")
        folder.mkdir(exist_ok=True)
    return folder / name


def _is_there(path: Path) -> bool:
    """Whether a preview was made before; it counts as looked at now."""
    try:
        is_link = path.is_symlink()
    except OSError:
        return False
    if is_link:
        raise SVIError(
            f"reel {path.parent.parent.name}: {FOLDER}/{path.name} is a link, which is not followed: delete it"
        )
    return used(path)
