"""Voices and dances in a real host: what its sampler reads of a window, and chains that follow one."""

from __future__ import annotations

import json
import random
from typing import Any

from host.comfyui import Comfy
from host.graphs import HUMO_FILE, Builder, Link

SIZE = {"width": 64, "height": 64}
FRAMES, LATENTS = 17, 5
SIZED = {**SIZE, "num_frames": FRAMES}


class Guided(Builder):
    """Graphs of clips that follow a voice or a dance."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.prompt = self.vae(), self.text()
        self.first = self.images()

    def embeds(self, mode: str, start: Link, *, vision: bool = True) -> Link:
        links = {}
        if vision:
            clip = self.link("SVITestClipVision", clip_name="-")
            links["clip_embeds"] = self.full("WanVideoClipVisionEncode", clip_vision=clip, image_1=start)
        return self.full("WanVideoSVIEmbeds", vae=self.encoder, mode=mode, start_image=start, ref_image=self.first,
                         **SIZED, **links)  # fmt: skip

    def window(self, kind: str, index: int, **inputs: Any) -> str:
        size = SIZE if kind == "Pose" else {}
        return self.full(f"WanVideoSVI{kind}Window", clip_index=index, num_frames=FRAMES, overlap_frames=1, **size,
                         **inputs)[0]  # fmt: skip


def draw_cases(count: int) -> list[dict[str, Any]]:
    """Random chains, and a clip of each that has at least one frame of the whole."""
    random_of = random.Random(11)
    cases = []
    while len(cases) < count:
        frames = 4 * random_of.randint(1, 20) + 1
        overlap = random_of.choice([0, 1, 1, 5, random_of.randrange(frames)]) % frames
        clips = random_of.randint(1, 12)
        length = (frames - overlap) * (clips - 1) + frames + random_of.randint(-frames + 1, 40)
        index = random_of.randrange(clips)
        if 0 <= index * (frames - overlap) < length:
            cases.append({"index": index, "frames": frames, "overlap": overlap, "total": length,
                          "fps": random_of.choice([16.0, 24.0, 25.0, 30.0])})  # fmt: skip
    return cases


def ask(comfy: Comfy, model: Link, graph: Builder, cases: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    text = graph.text()
    reads = graph.link("SVITestReads", model=model, text_embeds=text, cases=json.dumps(cases), what=what)
    shown = graph.add("PreviewAny", source=reads)
    return json.loads(comfy.run(graph.graph)[shown]["text"][0])


def test_the_sampler_reads_exactly_the_windows_frames(comfy: Comfy) -> None:
    """The wrapper's own sampler, MultiTalk and UniAnimate; entries of the whole hold their own number."""
    graph, cases = Builder(), draw_cases(50)
    for case, seen in zip(cases, ask(comfy, graph.talk_and_dance_model(), graph, cases, "talk"), strict=True):
        start = case["index"] * (case["frames"] - case["overlap"])
        last = case["total"] - 1
        (voice,) = seen["multitalk_audio"]  # of one speaker: for each frame the entries -2..2
        assert [frame[2] for frame in voice] == [min(start + i, last) for i in range(case["frames"])], case
        for i, frame in enumerate(voice):
            # The two entries before a window cannot be handed over; the wrapper holds its first one.
            assert frame == [min(max(start + i + k, start), last) for k in range(-2, 3)], case
        # Pose 0 three times more in front, then one entry for each latent: none cut off, none filled up.
        poses = [min(start + i, last) for i in range(case["frames"])]
        assert seen["poses"] == [poses[0]] * 3 + poses, case
        assert seen["pose_latents"] == (case["frames"] - 1) // 4 + 1, case


def test_humos_sampler_reads_exactly_the_windows_frames(comfy: Comfy) -> None:
    graph, cases = Builder(), draw_cases(50)
    model = graph.model(HUMO_FILE)
    for case, seen in zip(cases, ask(comfy, model, graph, cases, "humo"), strict=True):
        start = case["index"] * (case["frames"] - case["overlap"])
        last = case["total"] - 1
        for latent, entries in enumerate(seen["humo_audio"]):
            first = 4 * latent - 5
            wanted = [0 if first + k < 0 or (latent == 0 and k < 3) else min(start + first + k, last) for k in range(8)]
            assert entries == wanted, (case, latent)
