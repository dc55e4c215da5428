"""Padding that needs no encoding: past the VAE's receptive field, latents of a frame that repeats are all the same.

The Wan VAE's encoder is causal in time and streams 1 + 4 + 4 + ... frames, so a latent depends on its own frames and a
fixed number before them. Where all of those are one picture, the latent equals the one before it, bit for bit. Such
latents are left out of what is encoded and copied afterwards; what follows them sees the same frames behind it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..masks.known import format_runs
from ..timeline import FRAMES_PER_LATENT, Timeline, frames_of_latent
from .vae import Encoder, WanVAE, encode_video

# Two that must agree are encoded in every run: the second shows that the latents have indeed settled.
_WITNESSES = 2


def receptive_field(vae: WanVAE) -> int | None:
    """Frames before a latent's own last one that it depends on: 112 for the Wan 2.1 VAE. None when it is not known.

    Read off the encoder's convolutions in the order in which they are registered, which is the order in which they run
    in the wrapper's VAE (wanvideo/wan_video_vae.py, Encoder3d) and in diffusers' (AutoencoderKLWan). A kernel of k
    frames looks k - 1 frames back, each of them as long as the strides before it make it.
    """
    encoder = getattr(getattr(vae, "model", None), "encoder", None)  # a tiny VAE has no model
    if not isinstance(encoder, nn.Module):
        return None
    back, step = 0, 1
    for module in encoder.modules():
        if isinstance(module, nn.Conv3d):
            back += (int(module.kernel_size[0]) - 1) * int(module.dilation[0]) * step
            step *= int(module.stride[0])
    return back if step == FRAMES_PER_LATENT else None


@torch.inference_mode()
def keeps_bits(vae: WanVAE, *, short: int, whole: int, size: tuple[int, int], device: torch.device) -> bool:
    """Whether `short` latents come out with the bits that they have among `whole`. size: h w. The VAE is on `device`.

    All of the encoder works in chunks of one size, but for a last 1x1x1 convolution over the whole clip (`conv1` in the
    wrapper's VAE, `quant_conv` in diffusers'). Kernels are picked by size: on a CPU in float32 a short clip of small
    frames can get another one (seen with torch 2.13 and 2.14), which rounds otherwise. So it is tried.
    """
    last = next((module for module in vae.model.children() if isinstance(module, nn.Conv3d)), None)
    if last is None:
        return False
    like = next(last.parameters())
    shape = (1, last.in_channels, whole, *size)
    probe = torch.linspace(-1, 1, math.prod(shape), device=device).to(like.dtype).view(shape)
    return torch.equal(last(probe[:, :, :short].contiguous()), last(probe)[:, :, :short])


@dataclass(frozen=True, slots=True)
class Repeats:
    """Latents of a clip that equal the one before them: runs of them, ascending. What is left is the short clip."""

    runs: tuple[range, ...] = ()

    @property
    def latents(self) -> int:
        """How many there are."""
        return sum(map(len, self.runs))

    @property
    def frames(self) -> int:
        """How many frames they hold."""
        return FRAMES_PER_LATENT * self.latents

    def frames_in(self, span: slice) -> int:
        """How many frames of `span` they hold."""
        held = (_frames_of(run) for run in self.runs)
        return sum(max(0, min(span.stop, run.stop) - max(span.start, run.start)) for run in held)

    def short_index(self, frame: int) -> int:
        """Where the picture of a clip's frame is in the short clip."""
        for run in reversed(self.runs):
            held = _frames_of(run)
            if frame >= held.start:
                return self.short_index(held.start - 1) + max(0, frame - held.stop + 1)
        return frame

    def have_settled(self, short: Tensor) -> bool:
        """Whether the latents before each run are the same, bit for bit. short: C T h w, of the short clip."""
        left_out = 0
        for run in self.runs:
            first = run.start - left_out
            if not torch.equal(short[:, first - 1], short[:, first - _WITNESSES]):
                return False
            left_out += len(run)
        return True

    def spread(self, short: Tensor) -> Tensor:
        """The whole clip's latents from those of the short one. C T h w."""
        if not self.runs:
            return short
        total = short.shape[1] + self.latents
        kept = [latent for latent in range(total) if not any(latent in run for run in self.runs)]
        return short[:, [bisect_right(kept, latent) - 1 for latent in range(total)]]


NO_REPEATS = Repeats()


def find_repeats(constant: Iterable[range], field: int | None) -> Repeats:
    """Latents that need no encoding.

    constant: runs of frames of a clip that show one picture each, ascending. field: see `receptive_field`; with None
    there are no repeats.
    """
    if field is None:
        return NO_REPEATS
    runs = []
    for run in constant:
        settled = -(-(run.start + field) // FRAMES_PER_LATENT)
        repeats = range(settled + _WITNESSES, (run.stop - 1) // FRAMES_PER_LATENT + 1)
        if repeats:
            runs.append(repeats)
    return Repeats(tuple(runs))


def constant_runs(line: Timeline) -> list[range]:
    """Runs of frames that show one picture, by a clip's timeline: its paddings."""
    fills = ("padding", "end_padding")
    return [range(segment.start, segment.stop) for segment in line.segments if segment.role in fills]


def _frames_of(latents: Sequence[int]) -> range:
    return range(frames_of_latent(latents[0]).start, frames_of_latent(latents[-1]).stop)


def encode_repeating(
    encoder: Encoder,
    video: Tensor,
    repeats: Repeats,
    whole: Callable[[], Tensor],
    *,
    latents: int,
    end_apart: bool = False,
) -> tuple[Tensor, list[str]]:
    """A clip's latents C T h w, equal to those of all its frames encoded, and notes.

    video: C F H W in -1..1 without the frames of `repeats`. whole: makes the video with them, for when its latents have
    not settled where they should. latents: T of the whole clip.
    """
    if not repeats.runs:
        return encode_video(encoder, video, latents=latents, end_apart=end_apart), []
    short = latents - repeats.latents
    if _keeps_bits(encoder, video, short=short, whole=latents):
        encoded = encode_video(encoder, video, latents=short, end_apart=end_apart)
        if repeats.have_settled(encoded):
            spans = format_runs([latent for run in repeats.runs for latent in run])
            return repeats.spread(encoded), [f"latents {spans} repeat the ones before them (constant padding)"]
        del encoded
    said = "repeated latents would differ from encoded ones with this VAE here, so all frames were encoded"
    return encode_video(encoder, whole(), latents=latents, end_apart=end_apart), [said]


def _keeps_bits(encoder: Encoder, video: Tensor, *, short: int, whole: int) -> bool:
    height, width = (side // encoder.vae.upsampling_factor for side in video.shape[2:])
    sizes = [(height, width)]
    if encoder.tiled:
        sizes.append((max(1, height // 2), max(1, width // 2)))  # of the wrapper's tiles
    return all(keeps_bits(encoder.vae, short=short, whole=whole, size=size, device=encoder.device) for size in sizes)
