"""Sound beside the frames: AUDIO as ComfyUI passes it, cut by frames, and as the track of a video file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_int
from ..ground.tensors import all_finite

_RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)  # that every codec takes; others are resampled
_MAX_FEATURES = 10_000  # num_frames of the wrapper's Wav2vec2 Embeds goes no further (088128b)
_MAX_RATE = 1_000_000
_BLOCK = 1 << 14  # samples handed to the encoder at a time


@dataclass(frozen=True, slots=True, eq=False)
class Soundtrack:
    """samples: channels n float32 in -1..1. rate: samples per second."""

    samples: Tensor
    rate: int

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.rate

    def cut(self, start: int, num_frames: int, fps: float) -> Soundtrack:
        """What sounds during frames start..start+num_frames, silence where there is none."""
        first, last = (round(Fraction(frame * self.rate) / Fraction(fps)) for frame in (start, start + num_frames))
        part = self.samples[:, first:last]
        lacking = last - first - part.shape[1]
        return Soundtrack(torch.nn.functional.pad(part, (0, lacking)), self.rate)

    def after(self, frames: int, fps: float) -> Soundtrack | None:
        """What sounds from frame `frames` on, None when there is nothing left."""
        samples = self.samples[:, round(Fraction(frames * self.rate) / Fraction(fps)) :]
        return Soundtrack(samples, self.rate) if samples.shape[1] else None

    def audio(self) -> dict[str, Any]:
        """As AUDIO."""
        return {"waveform": self.samples[None], "sample_rate": self.rate}

    def __repr__(self) -> str:
        return f"Soundtrack({self.seconds:.2f} s, {self.samples.shape[0]} channels at {self.rate} Hz)"


def soundtrack_of(audio: object) -> Soundtrack:
    """AUDIO (waveform [1, channels, samples], sample_rate) checked. Raises SVIError for anything else."""
    waveform = audio.get("waveform") if isinstance(audio, Mapping) else None
    if not isinstance(audio, Mapping) or not isinstance(waveform, Tensor):
        raise SVIError(f"audio must be an AUDIO, got {type(audio).__name__}: connect LoadAudio")
    if not waveform.is_floating_point():
        raise SVIError(f"audio must hold floats in -1..1, got {waveform.dtype}: divide 16-bit samples by 32768")
    rate = check_int("sample_rate of audio", audio.get("sample_rate"), minimum=1)
    if rate > _MAX_RATE:
        raise SVIError(f"sample_rate of audio must be {_MAX_RATE} or less, got {rate}: files have 16000 to 192000")
    if waveform.ndim != 3 or waveform.shape[0] != 1 or waveform.shape[1] not in (1, 2) or not waveform.shape[2]:
        raise SVIError(f"audio must be [1, 1 or 2 channels, samples], got {list(waveform.shape)}: connect one file")
    samples = waveform[0].detach().to("cpu", torch.float32)
    if not all_finite(samples):
        raise SVIError("audio has NaN or infinite samples: the node before it failed")
    return Soundtrack(samples, rate)


def check_covers(track: Soundtrack, *, frames: int, fps: float) -> None:
    """Raises SVIError unless features of `frames` frames at `fps` can be of this audio."""
    expected = track.seconds * fps
    slack = 2 + 0.01 * expected
    if frames < expected - slack:
        way = f"raise num_frames of the node that makes them to {round(expected)} (it cuts the audio there)"
        if round(expected) > _MAX_FEATURES:
            way = (
                f"the node that makes them goes to num_frames {_MAX_FEATURES}, so cut the audio into parts of at most "
                f"{_MAX_FEATURES / fps:.0f} s (Trim Audio Duration) and make a video of each"
            )
        raise SVIError(
            f"audio lasts {track.seconds:.2f} s, {expected:.0f} frames at {fps:g} fps, but its features end after "
            f"{frames}: {way}, or they are not at {fps:g} per second"
        )
    if frames > expected + slack:
        raise SVIError(
            f"audio lasts {track.seconds:.2f} s, {expected:.0f} frames at {fps:g} fps, but its features have {frames}: "
            f"they are of other audio, or not at {fps:g} per second"
        )


class TrackWriter:
    """The audio stream of a video that is being written, kept just ahead of its frames.

    container: PyAV's, open for writing. codec: an encoder of FFmpeg.
    """

    def __init__(self, container: Any, track: Soundtrack, *, codec: str) -> None:
        self.container, self.track = container, track
        self.stream = container.add_stream(codec, rate=track.rate if track.rate in _RATES else 48_000)
        self.stream.layout = self.layout
        if codec == "aac":
            self.stream.bit_rate = 192_000
        self.written = 0

    @property
    def layout(self) -> str:
        return "mono" if self.track.samples.shape[0] == 1 else "stereo"

    def write_until(self, seconds: float) -> None:
        """Hand over the samples before `seconds`."""
        end = min(round(seconds * self.track.rate), self.track.samples.shape[1])
        for block in self._blocks(end):
            for packet in self.stream.encode(block):
                self.container.mux(packet)

    def close(self) -> None:
        for packet in self.stream.encode():
            self.container.mux(packet)

    def _blocks(self, end: int) -> Iterator[Any]:
        import av

        while self.written < end:
            stop = min(end, self.written + _BLOCK)
            samples = self.track.samples[:, self.written : stop].clamp(-1, 1).contiguous().numpy()
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self.layout)
            frame.sample_rate = self.track.rate
            frame.pts = self.written
            frame.time_base = Fraction(1, self.track.rate)
            self.written = stop
            yield frame
