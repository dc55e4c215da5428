"""The host's caches and its cancel: the same frames under each, each clip sampled once, a cancel within a step."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import Builder
from host.long_chains import FRAMES, PROMPTS, Scene, chain, hand_wired, long_only, pixels, reel_of, story
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import open_reel

# How ComfyUI is started. 1000 GB of free memory are never there: every result goes as soon as ComfyUI may drop it.
# An LRU cache of one holds nothing that is needed later.
CACHES = {"none": ["--cache-none"], "lru": ["--cache-lru", "1"], "pressure": ["--cache-ram", "1000", "1000"]}
KNOWS_PRESSURE = "--cache-ram"
CLIPS = 3
ADDED = FRAMES - 5  # frames that a later clip adds


def sampled(comfy: Comfy) -> int:
    """How many clips this start of ComfyUI has sampled."""
    return comfy.log.read_text(errors="replace").count("Sampling end")


@pytest.fixture(params=list(CACHES))
def cache(request: pytest.FixtureRequest, comfy: Comfy) -> Iterator[str]:
    """ComfyUI with a cache of this kind; back to the usual one behind it."""
    arguments = CACHES[request.param]
    if KNOWS_PRESSURE in arguments and KNOWS_PRESSURE not in (comfy.comfyui / "comfy" / "cli_args.py").read_text():
        pytest.skip(f"this ComfyUI knows no {KNOWS_PRESSURE}")
    comfy.stop()
    comfy.start(*arguments, log=f"cache_{request.param}.log")
    yield request.param
    comfy.stop()
    comfy.start(log=f"after_{request.param}.log")


def by_hand(prompts: tuple[str, ...]) -> dict[str, Any]:
    """A film chain wired by hand; its joined frames and its last motion frames are written out."""
    build = Builder()
    scene = Scene(build)
    joined, tail = hand_wired(build, scene, "film", 5, scene.first, prompts)
    build.dump(joined, "hand")
    build.dump(tail, "hand_tail")
    return build.graph


def long_video_and_readers(name: str, prompts: tuple[str, ...]) -> tuple[dict[str, Any], str, str]:
    """Long Video with the reel's nodes behind it; the ids of Long Video and of Reel Video."""
    graph, node = chain(story(prompts), name)
    build = Builder()
    build.graph = graph
    build.dump([node, 1], "tail")
    build.dump(build.link("WanVideoSVIReelFrames", reel=[node, 0], start_frame=0, count=0), "frames")
    video = build.add("WanVideoSVIReelVideo", reel=[node, 0], format="h264", quality=90, fps=16.0)
    return build.graph, node, video


@pytest.fixture(scope="module")
def usual(comfy: Comfy) -> dict[str, torch.Tensor]:
    """The frames of both chains under the cache that ComfyUI takes unasked."""
    comfy.run(by_hand(PROMPTS[:CLIPS]))
    comfy.run(long_video_and_readers("cache_usual", PROMPTS[:CLIPS])[0])
    return {"hand": comfy.load("hand")["value"], "long": comfy.load("frames")["value"]}


def test_a_chain_by_hand_is_the_same_under_each_cache(comfy: Comfy, usual: dict[str, torch.Tensor], cache: str) -> None:
    comfy.run(by_hand(PROMPTS[:CLIPS]))
    assert sampled(comfy) == CLIPS, f"{cache}: each clip once, though several nodes read it"
    frames = comfy.load("hand")["value"]
    assert torch.equal(frames, usual["hand"])
    assert torch.equal(comfy.load("hand_tail")["value"], frames[-5:])

    comfy.run(by_hand((*PROMPTS[: CLIPS - 1], "a heron lands")))
    again = comfy.load("hand")["value"]
    assert torch.equal(again[:-ADDED], frames[:-ADDED])
    assert not torch.equal(again[-ADDED:], frames[-ADDED:])


def test_a_long_video_keeps_its_clips_under_each_cache(
    comfy: Comfy, usual: dict[str, torch.Tensor], cache: str
) -> None:
    """Its reel is on the disk: whatever ComfyUI forgets, a clip that is there is not sampled again."""
    name = f"cache_{cache}"
    graph, node, video = long_video_and_readers(name, PROMPTS[:CLIPS])
    outputs = comfy.run(graph)
    assert f"0 kept, {CLIPS} made" in outputs[node]["text"][0]
    assert sampled(comfy) == CLIPS
    frames = comfy.load("frames")["value"]
    assert torch.equal(frames, usual["long"])
    assert f"{len(frames)} frames" in outputs[video]["text"][0]
    assert (pixels(reel_of(comfy, name)) == (frames.numpy() * 255).round()).all()

    comfy.run(graph)
    assert sampled(comfy) == CLIPS, "nodes that ComfyUI has forgotten run again, clips do not"

    graph, node, _ = long_video_and_readers(name, (*PROMPTS[: CLIPS - 1], "a heron lands"))
    assert f"{CLIPS - 1} kept, 1 made (clip {CLIPS})" in comfy.run(graph)[node]["text"][0]
    assert sampled(comfy) == CLIPS + 1
    edited = comfy.load("frames")["value"]
    assert torch.equal(edited[:-ADDED], frames[:-ADDED])
    assert not torch.equal(edited[-ADDED:], frames[-ADDED:])


@long_only
def test_memory_stays_flat_under_each_cache(comfy: Comfy, cache: str) -> None:
    """25 clips of 17 frames of 320x320, 21 MB each, by Long Video."""
    name = f"memory_{cache}"
    graph, _ = chain("[repeat=25]\na lake", name, width=320, height=320, steps=1)
    prompt = comfy.queue(graph)
    found: dict[int, float] = {}
    while 25 not in found:
        time.sleep(0.5)
        try:
            count = len(open_reel(comfy.base / "output" / "svi_reels" / name).clips)
        except SVIError:
            continue
        if count and count not in found:
            found[count] = comfy.resident_mb()
    comfy.wait(prompt)
    print(f"{cache}: MB after clip:", {count: round(mb) for count, mb in found.items()}, "joined", comfy.resident_mb())
    assert found[25] <= 1.05 * found[5]
    assert sampled(comfy) == 25


async def _cancelled(
    comfy: Comfy, graph: dict[str, Any], *, steps: int, after: int, path: str
) -> list[tuple[str, int]]:
    """Queues a graph, cancels it when a sampler of `steps` has done `after` of them; what was seen from then on.

    path: of the address that cancels, with {} for the prompt's id.
    """
    prompt, client = str(uuid.uuid4()), uuid.uuid4().hex
    seen: list[tuple[str, int]] = []
    async with (
        aiohttp.ClientSession(comfy.url, timeout=aiohttp.ClientTimeout(300)) as session,
        session.ws_connect(f"/ws?clientId={client}") as socket,
    ):
        async with session.post("/prompt", json={"prompt": graph, "client_id": client, "prompt_id": prompt}) as answer:
            assert answer.status == 200, await answer.text()
        cancelled = 0.0
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            kind, data = (said := json.loads(message.data))["type"], said.get("data", {})
            if kind == "progress" and data["max"] == steps:
                if cancelled:
                    seen.append(("step", data["value"]))
                elif data["value"] == after:
                    cancelled = time.monotonic()
                    body = {"job_ids": [prompt]} if "{}" not in path else {}
                    async with session.post(path.format(prompt), json=body) as answer:
                        if answer.status in (404, 405):
                            pytest.skip(f"this ComfyUI has no {path}")
                        assert answer.status == 200, await answer.text()
                        assert "cancelled" not in (told := await answer.text()) or '"cancelled": true' in told
            elif kind in ("execution_interrupted", "execution_success", "execution_error"):
                seen.append((kind, 0))
                print(f"{path}: {kind} {time.monotonic() - cancelled:.2f} s after the cancel")
                return seen
    raise AssertionError("the connection ended")


@pytest.mark.parametrize("path", ["/api/jobs/{}/cancel", "/api/jobs/cancel", "/interrupt"])
def test_a_cancel_stops_a_long_video_within_one_step(comfy: Comfy, path: str) -> None:
    """The step that runs is finished; none is begun. What was kept is there, and a later run goes on."""
    steps = 23
    graph, node = chain(story(), f"cancel_{len(path)}", width=128, height=128, steps=steps)
    seen = asyncio.run(_cancelled(comfy, graph, steps=steps, after=3, path=path))
    assert seen[-1][0] == "execution_interrupted"
    assert [value for kind, value in seen if kind == "step"] in ([], [4])
    folder = comfy.base / "output" / "svi_reels" / f"cancel_{len(path)}"
    assert not (folder / "manifest.json").exists() or open_reel(folder).clips == ()
    # The next prompt is not cancelled with it.
    graph, node = chain(story(PROMPTS[:1]), "after_cancel", num_frames=5)
    try:
        assert "1 clip" in comfy.run(graph)[node]["text"][0]
    except HostError as error:
        raise AssertionError("a cancel outlived its prompt") from error
