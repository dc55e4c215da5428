"""Video files: a clip kept without loss, a chain's clips as one video. Frames stream; none is held but the current one.

Pixels become 8-bit as in ComfyUI's own savers (cut off, not rounded), so that a frame kept here equals one saved there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_choice
from .track import Soundtrack, TrackWriter

Pixels = npt.NDArray[np.uint8]  # H W 3


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """How a video is written.

    options: of the codec and of the container, those of DEFAULT_QUALITY among them. quality: the codec's scale, from
    best to worst, as option `option`; None without one. sound: codec of its audio.
    """

    id: str
    codec: str
    pixels: str
    suffix: str
    container: str
    options: dict[str, str]
    option: str | None = None
    quality: tuple[int, int] = (0, 0)
    tag: str | None = None
    sound: str = "aac"

    def at(self, quality: int) -> VideoFormat:
        """The same at a quality of 0..100, for formats with loss."""
        if self.option is None:
            return self
        best, worst = self.quality
        scale = str(round(worst + (best - worst) * quality / 100))
        return replace(self, options={**self.options, self.option: scale})


_FORMATS = (
    VideoFormat("h264", "libx264", "yuv420p", ".mp4", "mp4", {"preset": "medium", "movflags": "+faststart"},
                "crf", (8, 32)),
    VideoFormat("h265", "libx265", "yuv420p10le", ".mp4", "mp4",
                {"preset": "medium", "x265-params": "log-level=error", "movflags": "+faststart"}, "crf", (10, 34),
                "hvc1"),
    VideoFormat("ffv1", "ffv1", "bgr0", ".mkv", "matroska", {"level": "3", "slicecrc": "1"}, sound="flac"),
    VideoFormat("prores", "prores_ks", "yuv422p10le", ".mov", "mov", {"profile": "3", "vendor": "apl0"},
                sound="pcm_s16le"),
)  # fmt: skip
DEFAULT_QUALITY = 85
FORMATS: dict[str, VideoFormat] = {row.id: row.at(DEFAULT_QUALITY) for row in _FORMATS}
LOSSLESS = FORMATS["ffv1"]
# What FFV1 codes at once, of frames with sides of _SLICED at least. Left to itself it cuts them into as many as it has
# threads, and a file must not depend on the machine.
_SLICES, _SLICED = 16, 64
MAX_PIXELS = 2**26  # of a frame: the nodes' largest size, 8096 x 8096
# FFmpeg's names of plain containers; none of them names other files.
_CONTAINERS = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,ogg,flv,gif,asf"

# ITU-R BT.709 in the numbers of ISO/IEC 23091-2, which the file carries so that players do not guess.
_BT709, _LIMITED = 1, 1


def video_rate(fps: float) -> Fraction:
    """Frames per second as a fraction that containers keep: 24000/1001 for 23.976 and 23.98."""
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    return ntsc if abs(ntsc - fps) < 0.005 and fps != round(fps) else Fraction(fps).limit_denominator(1001)


def to_pixels(frame: Tensor) -> Pixels:
    """One frame of an IMAGE (H W 3 in 0..1) as 8-bit RGB, as ComfyUI's SaveImage and SaveVideo make it."""
    pixels: Pixels = (frame.to(torch.float32) * 255).clamp(0, 255).to(torch.uint8).contiguous().numpy()
    return pixels


def to_images(frames: Iterable[Pixels], count: int) -> Tensor:
    """`count` 8-bit frames, at least one, as IMAGE: F H W 3 in 0..1 float32."""
    images: Tensor | None = None
    for index, frame in enumerate(frames):
        if images is None:
            try:
                images = torch.empty((count, *frame.shape), dtype=torch.float32)
            except RuntimeError as error:
                raise SVIError(
                    f"{count} frames of {frame.shape[1]}x{frame.shape[0]} do not fit into memory: ask for fewer"
                ) from error
        images[index] = torch.from_numpy(frame.astype(np.float32) / 255.0)
    if images is None:
        raise SVIError("there is no frame to show")
    return images


def write_video(
    path: Path,
    frames: Iterable[Pixels],
    *,
    width: int,
    height: int,
    fps: float,
    video_format: VideoFormat = LOSSLESS,
    track: Soundtrack | None = None,
    after_frame: Callable[[], None] | None = None,
) -> int:
    """Write frames (H W 3 uint8) to a file that must not be there yet, on the disk when this returns. Returns how many.

    video_format: a row of FORMATS, or one `at` another quality. track: sound from frame 0 on, cut where the frames end.
    after_frame: called after each frame; what it raises ends the work. Whatever goes wrong, the file is gone.
    Raises OSError when the disk refuses, SVIError when PyAV lacks the codec.
    """
    import av

    count, convert = 0, _converter()
    try:
        with path.open("xb") as file:
            sink = _Sink(file)
            with av.open(sink, "w", format=video_format.container, options=_mux_options(video_format)) as container:
                stream = _add_stream(container, video_format, width=width, height=height, fps=fps)
                sound = TrackWriter(container, track, codec=video_format.sound) if track is not None else None
                for pixels in frames:
                    if sound:
                        sound.write_until(float((count + 1) / video_rate(fps)))
                    for packet in stream.encode(_frame(convert, pixels, video_format)):
                        container.mux(packet)
                    sink.check()
                    count += 1
                    if after_frame:
                        after_frame()
                for packet in stream.encode():
                    container.mux(packet)
                if sound:
                    sound.close()
            sink.check()
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise
    return count


class _Sink:
    """A file for PyAV that keeps what goes wrong for `check`: PyAV prints errors of some writes and continues."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None
        self.seek, self.tell, self.name = file.seek, file.tell, file.name

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                return self.file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def check(self) -> None:
        if self.error is not None:
            raise self.error


def _mux_options(video_format: VideoFormat) -> dict[str, str]:
    """bitexact: no random ids, so that the same frames give the same file where the codec does: FFV1, not H.264."""
    return {"fflags": "+bitexact"} | {key: value for key, value in video_format.options.items() if key == "movflags"}


def _add_stream(container: Any, video_format: VideoFormat, *, width: int, height: int, fps: float) -> Any:
    import av

    try:
        av.codec.Codec(video_format.codec, "w")
    except av.error.FFmpegError as error:
        raise SVIError(
            f"this PyAV cannot write {video_format.id} ({video_format.codec} is missing): choose another format, or "
            "install the PyAV of PyPI"
        ) from error
    options = {key: value for key, value in video_format.options.items() if key != "movflags"}
    if video_format is LOSSLESS and min(width, height) >= _SLICED:
        options["slices"] = str(_SLICES)
    stream = container.add_stream(video_format.codec, rate=video_rate(fps), options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, video_format.pixels
    context = stream.codec_context
    if video_format.tag:
        context.codec_tag = video_format.tag
    context.thread_type = "AUTO"
    if video_format is LOSSLESS:
        context.thread_count = min(_SLICES, os.cpu_count() or 1) if "slices" in options else 4
    else:
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED
    return stream


def _converter() -> Callable[..., Any]:
    """Makes frames of another format of them: one for all frames of a video. PyAV's `frame.reformat` sets one up for
    each frame, from 17 on with a thread for every core, and waits for these longer than the work takes."""
    import av
    from av.video.reformatter import VideoReformatter

    convert: Callable[..., Any] = VideoReformatter().reformat
    return partial(convert, threads=1) if int(av.__version__.partition(".")[0]) >= 17 else convert


def _frame(convert: Callable[..., Any], pixels: Pixels, video_format: VideoFormat) -> Any:
    import av

    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    if video_format is LOSSLESS:
        return convert(frame, format=video_format.pixels)
    return convert(frame, format=video_format.pixels, dst_colorspace="ITU709", dst_color_range=_LIMITED)


@contextmanager
def open_video(path: Path) -> Iterator[Any]:
    """A video file for PyAV to read: this file and no other, whatever is written in it.

    Left to itself, FFmpeg opens what a playlist names, on the disk and on the net, whatever the playlist's suffix.
    Raises OSError or av.error.FFmpegError for other files, and on decoding frames of more than MAX_PIXELS.
    """
    import av

    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    with av.open(str(path.absolute()), options=options) as container:  # a relative name could be that of a protocol
        yield container


def read_video(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
    """Frames start..stop (excluded) of a video, one at a time, H W 3 uint8.

    Raises SVIError for a file that is no video, or damaged, or ends before `stop`.
    """
    import av

    index, convert = 0, _converter()
    try:
        with open_video(path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                if stop is not None and index >= stop:
                    return
                if frame.is_corrupt:
                    raise SVIError(f"{path.name} is damaged at frame {index}")
                if index >= start:
                    yield convert(frame, format="rgb24").to_ndarray()
                index += 1
    except (av.error.FFmpegError, OSError, IndexError) as error:
        raise SVIError(f"{path.name} cannot be read as video, or only in part: {error}") from error
    if stop is not None and index < stop:
        raise SVIError(f"{path.name} ends after {index} frames, {stop} were expected: it is damaged")


def check_even(row: VideoFormat, *, width: int, height: int) -> None:
    """Raises SVIError for a size that the format cannot have: its colours are kept for every second pixel."""
    halved = {"yuv420p": (width, height), "yuv422p": (width,)}.get(row.pixels.removesuffix("10le"), ())
    if any(length % 2 for length in halved):
        what = "width and height" if len(halved) == 2 else "width"
        raise SVIError(
            f"{row.id} needs an even {what}, got {width}x{height}: choose format ffv1, or make the clips larger or "
            "smaller by a pixel"
        )


def check_format(name: str) -> VideoFormat:
    """The row of a format. Raises SVIError for an unknown one."""
    check_choice("format", name, tuple(FORMATS))
    return FORMATS[name]
