"""A chain whose colours are held, in a real host: it renders, and after a kill it goes on to the same bytes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from host.comfyui import Comfy
from host.graphs import Builder
from host.test_long_video import Scene, long_video, settings, story
from wanvideo_svi.svi_embeds.clip_video import read_video
from wanvideo_svi.svi_embeds.drift_video import measure_reel
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import Reel, open_reel

PROMPTS = ("a lake at dawn", "a boat appears", "the fog lifts", "gulls take off", "evening light", "night falls")


def chain(reel: str, **inputs: Any) -> dict[str, Any]:
    build = Builder()
    scene = Scene(build)
    long_video(
        build, story(PROMPTS), mode="shot", reel=reel, sampler_inputs=settings(build, scene.first), vae=scene.vae,
        start_image=scene.start, ref_image=scene.reference, t5=scene.t5, **inputs,
    )  # fmt: skip
    return build.graph


def reel_of(comfy: Comfy, name: str) -> Reel:
    return open_reel(comfy.base / "output" / "svi_reels" / name)


def clip_pixels(reel: Reel) -> list[Any]:
    """Each clip's frames as they lie on disk."""
    return [np.stack(list(read_video(reel.folder / clip.video.name))) for clip in reel.clips]


def clips_so_far(folder: Path) -> int:
    try:
        return len(open_reel(folder).clips)
    except SVIError:
        return 0


def test_six_held_clips_resume_after_a_kill_to_the_same_bytes(comfy: Comfy) -> None:
    held = {"color_match": "mean_std", "color_match_strength": 1.0, "color_match_to": "clip_1"}
    comfy.run(chain("free"))
    comfy.run(chain("held", **held))
    free, whole = reel_of(comfy, "free"), reel_of(comfy, "held")
    assert len(whole.clips) == 6
    held_pixels, free_pixels = (clip_pixels(reel) for reel in (whole, free))
    assert (held_pixels[0] == free_pixels[0]).all()  # clip 1 is what the others are held to
    assert all((one != other).any() for one, other in zip(held_pixels[1:], free_pixels[1:], strict=True))
    # Random weights drift wildly: the last frame of each clip, which leads the next, has the colours of clip 1.
    ends = [clip.last for clip in measure_reel(whole).drift.clips]
    target = measure_reel(whole).drift.clips[0].mean
    others = [clip.last for clip in measure_reel(free).drift.clips]
    for end, other in zip(ends[1:], others[1:], strict=True):
        assert abs(end.exposure - target.exposure) <= abs(other.exposure - target.exposure) + 0.01

    folder = comfy.base / "output" / "svi_reels" / "killed"
    comfy.queue(chain("killed", **held))
    deadline = time.monotonic() + 400
    while clips_so_far(folder) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    comfy.kill()
    assert 3 <= clips_so_far(folder) < 6
    comfy.start()
    comfy.run(chain("killed", **held))
    again = reel_of(comfy, "killed")
    for mine, theirs in zip(clip_pixels(again), held_pixels, strict=True):
        assert (mine == theirs).all()
    for one, other in zip(again.clips, whole.clips, strict=True):
        assert torch.equal(again.tail(one)[0], whole.tail(other)[0])
