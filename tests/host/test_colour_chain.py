"""A chain whose colours are held, in a real host: it renders, and after a kill it goes on to the same bytes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from host.comfyui import Comfy
from host.graphs import Builder
from host.long_chains import Scene, long_video, settings, story
from wanvideo_svi.svi_embeds.colour.match import match_latents
from wanvideo_svi.svi_embeds.drift.measure import measure_reel
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import read_video
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel

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


def test_a_pro_chain_and_its_nodes_hold_the_anchors_statistics(comfy: Comfy) -> None:
    build = Builder()
    scene = Scene(build)
    pro = {"mode": "svi2_pro", "ref_image": scene.reference, "vae": scene.vae, "t5": scene.t5}
    for reel, method in (("pro_free", "off"), ("pro_held", "mean_std")):
        arguments = settings(build, scene.first)
        long_video(build, story(PROMPTS[:3]), reel=reel, sampler_inputs=arguments, color_match=method, **pro)
    anchor = build.encode(scene.vae, scene.reference)
    build.dump(anchor, "anchor")
    comfy.run(build.graph)
    target = comfy.load("anchor")["samples"][0]
    free, held = reel_of(comfy, "pro_free"), reel_of(comfy, "pro_held")
    assert (clip_pixels(free)[0] == clip_pixels(held)[0]).all()  # the first clip is what it is
    # Clip 2 is led by the same in both, so its last latent was the same before it was held.
    raw, matched = (reel.tail(reel.clips[1])[1] for reel in (free, held))
    assert raw is not None
    assert matched is not None
    assert torch.allclose(matched[:, -1:], match_latents(raw[:, -1:], target, strength=1.0, tail=1), atol=1e-5)
    assert torch.allclose(matched[:, -1:].mean((1, 2, 3)), target.mean((1, 2, 3)), atol=1e-4)
    wanted, before, after = (part.std((1, 2, 3), correction=0).log() for part in (target, raw[:, -1:], matched[:, -1:]))
    assert ((after - wanted).abs() <= (before - wanted).abs() + 1e-3).all()


def test_stitch_holds_a_clip_to_the_first_one(comfy: Comfy) -> None:
    build = Builder()
    vae, model, text = build.vae(), build.model(), build.text()
    clips = []
    for index in range(2):
        lead = clips[-1] if clips else build.images()
        embeds = build.full(
            "WanVideoSVIEmbeds", vae=vae, mode="film" if index else "i2v", width=64, height=64, num_frames=17,
            start_image=lead,
        )  # fmt: skip
        clips.append(build.decode(vae, build.sample(model, embeds, text, seed=index)))
    first, second = clips
    for name, method in (("free", "off"), ("held", "mean_std")):
        joined = build.full(
            "WanVideoSVIStitch", images_1=first, images_2=second, overlap_frames=5, color_match=method
        )  # fmt: skip
        build.dump(joined, name)
    build.dump(first, "first")
    comfy.run(build.graph)
    free, held, start = (comfy.load(name)["value"] for name in ("free", "held", "first"))
    count = len(start)
    assert torch.equal(held[:count], free[:count])
    assert not torch.equal(held[count:], free[count:])
    far, near = ((images[-1].mean() - start.mean()).abs() for images in (free, held))
    assert near <= far
