"""How the clips of a chain hold their colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ..svi_embeds.chain import ChainClip
from ..svi_embeds.clip_video import read_video
from ..svi_embeds.colour import colour_sample, match_clip, match_latents, sample_video
from ..svi_embeds.reel_manifest import Take
from .render_job import Job


def colour_method(job: Job, clip: ChainClip) -> str:
    """How a clip's colours are held. The first clip is what the others are held to; an end image has its own."""
    held_to_itself = clip.index == 0 and (clip.works_on_latents or job.color_match_to == "clip_1")
    if clip.end is not None or held_to_itself or not job.color_match_strength:
        return "off"
    return clip.color or job.color_match


def colour_facts(job: Job, clip: ChainClip, reference_print: str | None) -> dict[str, Any]:
    """What of it decides a clip; nothing where colours are left alone, as in reels of before there was this.

    reference_print: a digest of the reference image, None where that is not known.
    """
    method = colour_method(job, clip)
    if method == "off":
        return {}
    return {
        "color": [
            "latents" if clip.works_on_latents else method, job.color_match_strength, job.color_match_to,
            reference_print if job.color_match_to == "reference" else None,
        ]
    }  # fmt: skip


class ColourHold:
    """Holds the clips of a job. folder: of its reel."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job, self.folder = job, folder
        self._first: tuple[str, Tensor] | None = None  # with the digest of the clip it is of

    def images(self, clip: ChainClip, images: Tensor, before: Callable[[], list[Take]]) -> Tensor:
        """The clip with the colours of what it is held to, towards its end; `images` are changed.

        before: gives the clips before it, on disk.
        """
        method, job = colour_method(self.job, clip), self.job
        if method == "off" or clip.works_on_latents:
            return images
        if job.color_match_to == "reference" and job.reference is not None:
            target = colour_sample(job.reference)
        else:
            target = self._first_clip(before()[0])
        # In clip 1 nothing leads: what the video leaves out of it must not change what is in it.
        lead = clip.overlap_frames if clip.index else 0
        return match_clip(
            images, target, method=method, strength=job.color_match_strength, lead=lead,
            tail=job.plan.motion_after(clip.index)[0], in_place=True,
        )  # fmt: skip

    def _first_clip(self, first: Take) -> Tensor:
        """From the disk, so that a run that was stopped goes on with the same."""
        if self._first is None or self._first[0] != first.video.sha256:
            frames = read_video(self.folder / first.video.name)
            sample = sample_video(frames, count=first.frames, height=first.height, width=first.width)
            self._first = first.video.sha256, sample
        return self._first[1]

    def latents(self, clip: ChainClip, samples: dict[str, Any], anchor: Callable[[], Tensor]) -> dict[str, Any]:
        """Samples whose last latents have the anchor's statistics, channel by channel. anchor: gives it, C t h w."""
        if not clip.works_on_latents or colour_method(self.job, clip) == "off":
            return samples
        latents = samples["samples"]
        # The clip behind may be led by frames, not by latents: then it is the last latent that leads it.
        held = match_latents(
            latents[0], anchor().to(latents.device), strength=self.job.color_match_strength,
            lead=1 + clip.motion_latents, tail=max(1, self.job.plan.motion_after(clip.index)[1]),
        )  # fmt: skip
        return {**samples, "samples": held[None]}
