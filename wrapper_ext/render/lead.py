"""What leads a clip: the end of the clip before it, or of what the chain goes on from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...svi_embeds.clips.latent_space import LatentSpace, to_native, to_wrapper
from ...svi_embeds.clips.repeats import receptive_field
from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.reel import Reel
from ...svi_embeds.story.beginning import frames_to_encode, whole_frames
from ..engine.job import Job


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads a clip: frames F H W 3 in 0..1, and for 2.0 Pro latents C t h w in `space`. of: the end it is, see
    `Take.end`."""

    frames: Tensor | None
    latents: Tensor | None
    space: LatentSpace = "wrapper"
    of: str = ""

    def latents_in(self, space: LatentSpace) -> Tensor:
        """The latents in a space. Raises SVIError when there are none."""
        if self.latents is None:
            raise SVIError("the clip before left no latents")
        if space == self.space:
            return self.latents
        return to_native(self.latents) if space == "native" else to_wrapper(self.latents)


def lead_of(reel: Reel, take: Take, of: str = "") -> Lead:
    """What a take on the disk leaves for the next clip. Raises SVIError when that cannot be read."""
    return Lead(*reel.tail(take), reel.tail_space(take), of)


def video_to_encode(job: Job) -> tuple[Tensor | None, list[str]]:
    """The frames of start_image whose last latents lead a first clip on latents, F H W 3, and notes; None without any.

    Those before them change nothing in these latents, so that a video of any length takes the memory of a short one.
    """
    motion, video = job.plan.clips[0].motion_latents, job.sources.start_image
    if not motion or video is None:
        return None, []
    total = len(video)
    count = frames_to_encode(total, motion_latents=motion, field=receptive_field(job.sources.vae))
    notes = []
    if count < whole_frames(total):
        notes.append(
            f"the last {count} of {total} frames of start_image are encoded: what leads clip 1 depends on no other"
        )
    return video[total - count :], notes


def frames_of(lead: Lead) -> Tensor:
    """Those that every clip leaves, also one that works on latents."""
    if lead.frames is None:
        raise SVIError("the clip left no frames")
    return lead.frames
