"""What leads a clip: the end of the clip before it, or of what the chain goes on from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...svi_embeds.clips.repeats import receptive_field
from ...svi_embeds.story.beginning import frames_to_encode, whole_frames
from .job import Job


@dataclass(frozen=True, slots=True)
class Lead:
    """What leads a clip: frames F H W 3 in 0..1, and for 2.0 Pro latents C t h w. of: the end it is, see `Take.end`."""

    frames: Tensor | None
    latents: Tensor | None
    of: str = ""


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
