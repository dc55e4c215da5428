"""What the values on the node say of a clip: the part of its digest that is known without models and images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..svi_embeds.chain import ChainClip
from ..svi_embeds.fingerprint import fingerprint
from .render_colour import colour_facts
from .render_job import Job

# Changes when the same inputs give another clip, so that reels of before are not taken for true.
_RENDERING = 1


def values_of(job: Job, clip: ChainClip) -> dict[str, Any]:
    """Facts that decide a clip, by name, as far as the plan and the node's own values hold them."""
    return {
        "rendering": _RENDERING,
        "index": clip.index,
        "row": [
            clip.mode, clip.seed, clip.num_frames, clip.motion_frames, clip.known, clip.padding, clip.ref_strength,
            clip.model, clip.cfg,
        ],
        "text": [clip.prompt, job.negative_prompt] if job.encodes_text else None,
        "size": [job.width, job.height],
        "end": None if clip.end is None else [clip.end, job.fun_or_fl2v_model],
        "tiled": job.tiled_vae,
        **colour_facts(job, clip, None),
    }  # fmt: skip


def prints_of(job: Job) -> Iterator[str]:
    """A digest per clip of those facts, of it and of all clips before it: equal ones, and nothing on the node differs.

    The clips before count since each is led by the one before.
    """
    print_ = ""
    for clip in job.plan.clips:
        print_ = fingerprint([values_of(job, clip), job.split_step, print_])[:32]
        yield print_
