"""How the clips of a chain hold their colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from ...svi_embeds.colour.match import colour_sample, match_clip, match_latents, sample_video
from ...svi_embeds.files.video import read_video
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.check import colour_method
from ..engine.job import Job


class ColourHold:
    """Holds the clips of a job. folder: of its reel."""

    def __init__(self, job: Job, folder: Path) -> None:
        self.job, self.folder = job, folder
        self._first: tuple[str, Tensor] | None = None  # with the digest of the clip it is of

    def images(self, clip: ChainClip, images: Tensor, take_of: Callable[[int], Take]) -> Tensor:
        """The clip with the colours of what it is held to, towards its end; `images` are changed.

        take_of: gives the take on disk of a clip before it, by that clip's index.
        """
        settings, sources = self.job.settings, self.job.sources
        method = colour_method(clip, settings)
        if method == "off" or clip.works_on_latents:
            return images
        reference = sources.scene(clip.start_image).reference
        if settings.color_match_to == "reference" and reference is not None:
            target = colour_sample(reference)
        else:
            target = self._first_clip(take_of(clip.scene))
        # Where a scene begins nothing leads: what the video leaves out of it must not change what is in it.
        lead = 0 if clip.led_by is None else clip.overlap_frames
        return match_clip(
            images, target, method=method, strength=settings.color_match_strength, lead=lead,
            tail=self.job.plan.motion_after(clip.index)[0], in_place=True,
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
        if not clip.works_on_latents or colour_method(clip, self.job.settings) == "off":
            return samples
        latents = samples["samples"]
        # The clip behind may be led by frames, not by latents: then it is the last latent that leads it.
        held = match_latents(
            latents[0], anchor().to(latents.device), strength=self.job.settings.color_match_strength,
            lead=1 + clip.motion_latents, tail=max(1, self.job.plan.motion_after(clip.index)[1]),
        )  # fmt: skip
        return {**samples, "samples": held[None]}
