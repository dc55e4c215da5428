"""Voices and dances in a real host: what its sampler reads of a window, and chains that follow one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import torch
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

    def embeds(self, mode: str, start: Link, *, vision: bool = True, frames: int = FRAMES) -> Link:
        links = {}
        if vision:
            clip = self.link("SVITestClipVision", clip_name="-")
            links["clip_embeds"] = self.full("WanVideoClipVisionEncode", clip_vision=clip, image_1=start)
        return self.full("WanVideoSVIEmbeds", vae=self.encoder, mode=mode, start_image=start, ref_image=self.first,
                         **SIZE, num_frames=frames, **links)  # fmt: skip

    def window(self, kind: str, index: int, **inputs: Any) -> str:
        size = SIZE if kind == "Pose" else {}
        values = {"clip_index": index, "num_frames": FRAMES, "overlap_frames": 1, **size, **inputs}
        return self.full(f"WanVideoSVI{kind}Window", **values)[0]  # fmt: skip


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


def probed(comfy: Comfy, name: str, clips: int) -> list[dict[str, torch.Tensor]]:
    """What the transformer got at the first step of each clip."""
    return [comfy.load(f"{name}_{index}") for index in range(clips)]


def test_a_dance_chain_follows_its_poses(comfy: Comfy) -> None:
    """Three clips with UniAnimate's layers, and the whole dance in one clip: in the middle they get the same tokens."""
    frames, latents, total = 33, 9, 97
    graph = Guided()
    model = graph.link("SVITestProbe", model=graph.talk_and_dance_model(), name="dance")
    poses = graph.full("WanVideoUniAnimatePoseInput", pose_images=graph.images(total, seed=9))
    clip = graph.first
    for index in range(3):
        embeds = graph.embeds("dance", clip, frames=frames)
        window = graph.window("Pose", index, unianimate_poses=poses, num_frames=frames)
        samples = graph.sample(model, embeds, graph.prompt, seed=index, unianimate_poses=[window, 0])
        clip = graph.decode(graph.encoder, samples)
        graph.dump(embeds, f"dance_embeds_{index}")
        graph.dump(clip, f"dance_clip_{index}")
    comfy.run(graph.graph)
    seen = probed(comfy, "dance", 3)
    whole = Guided()
    model = whole.link("SVITestProbe", model=whole.talk_and_dance_model(), name="whole")
    poses = whole.full("WanVideoUniAnimatePoseInput", pose_images=whole.images(total, seed=9))
    embeds = whole.embeds("dance", whole.first, frames=total)
    samples = whole.sample(model, embeds, whole.prompt, steps=1, unianimate_poses=poses)
    whole.dump(samples, "whole_samples")
    comfy.run(whole.graph)
    (all_of_it,) = probed(comfy, "whole", 1)
    for index, got in enumerate(seen):
        embeds = comfy.load(f"dance_embeds_{index}")
        assert torch.equal(got["y"], torch.cat([embeds["mask"], embeds["image_embeds"]]).to(got["y"]))
        assert comfy.load(f"dance_clip_{index}")["value"].shape == (frames, 64, 64, 3)
        # 13 frames from the clip's ends, where no layer sees an edge.
        middle = latents // 2
        at = 8 * index + middle
        tokens = all_of_it["dwpose"][:, :, at]
        assert got["dwpose"].shape == (1, 72, latents, 4, 4)
        assert torch.allclose(got["dwpose"][:, :, middle], tokens, atol=1e-4), index
        assert not torch.allclose(all_of_it["dwpose"][:, :, at + 1], tokens, atol=1e-4)


def test_a_talk_chain_reaches_decode_with_two_speakers(comfy: Comfy) -> None:
    """MultiTalk's layers with random weights, features that hold their number, three clips."""
    graph = Guided()
    model = graph.link("SVITestProbe", model=graph.talk_and_dance_model(), name="talk")
    voice = graph.link("SVITestVoice", frames=60, speakers=2)
    clip = graph.first
    for index in range(3):
        window = graph.window("Audio", index, multitalk_embeds=voice)
        samples = graph.sample(model, graph.embeds("talk", clip), graph.prompt, seed=index,
                               multitalk_embeds=[window, 0])  # fmt: skip
        clip = graph.decode(graph.encoder, samples)
    graph.add("SaveImage", images=clip, filename_prefix="talk")
    answer = comfy.run(graph.graph)
    assert sum(len(found.get("images", [])) for found in answer.values()) >= FRAMES
    for index, got in enumerate(probed(comfy, "talk", 3)):
        heard = got["multitalk_audio"][..., 2, 0, 0].int().tolist()
        start = 16 * index
        assert heard == [[start + i + 1000 * speaker for i in range(FRAMES)] for speaker in range(2)]


def humo_graph(name: str, *, references: int, combine: bool) -> Guided:
    """Three shot clips with HuMo; with this pack's join, or with the wrapper's Combine Embeds."""
    graph = Guided()
    model = graph.link("SVITestProbe", model=graph.model(HUMO_FILE), name=name)
    links = {"reference_images": graph.images(references, seed=4)} if references else {}
    whole = graph.full("HuMoEmbeds", whisper_model=graph.link("SVITestWhisper", model="-"), vae=graph.encoder,
                       audio=graph.link("SVITestAudio", seconds=2.0), **SIZED, **links)  # fmt: skip
    graph.dump(whole, f"{name}_whole")
    clip = graph.first
    for index in range(3):
        embeds = graph.embeds("shot", clip, vision=False)
        graph.dump(embeds, f"{name}_embeds_{index}")
        if combine:
            window = graph.window("Audio", index, humo_embeds=whole)
            joined = graph.link("WanVideoCombineEmbeds", embeds_1=[window, 1], embeds_2=embeds)
        else:
            joined = [graph.window("Audio", index, humo_embeds=whole, image_embeds=embeds), 1]
        clip = graph.decode(graph.encoder, graph.sample(model, joined, graph.prompt, seed=index))
    graph.dump(clip, f"{name}_last")
    return graph


@pytest.mark.parametrize("references", [0, 2])
def test_what_a_humo_model_gets_for_three_clips(comfy: Comfy, references: int) -> None:
    name = f"humo{references}"
    comfy.run(humo_graph(name, references=references, combine=False).graph)
    whole = comfy.load(f"{name}_whole")
    assert whole["humo_audio_emb"].shape == (50, 5, 1280)
    for index, got in enumerate(probed(comfy, name, 3)):
        embeds = comfy.load(f"{name}_embeds_{index}")
        y = torch.cat([embeds["mask"], embeds["image_embeds"]])
        tail = whole["humo_image_cond"][:, LATENTS:]
        assert tail.shape[1] == references
        assert torch.equal(got["y"], torch.cat([y, tail.to(y)], dim=1).to(got["y"]))
        assert got["x"].shape == (16, LATENTS + references, 8, 8)
        assert got["humo_audio"].shape == (LATENTS + references, 8, 5, 1280)
        start = 16 * index
        for latent in range(1, LATENTS):  # latent 1 looks at one entry before the window, which is zeros
            first = start + 4 * latent - 5
            wanted = torch.stack(
                [
                    whole["humo_audio_emb"][entry] if start <= entry < 50 else torch.zeros(5, 1280)
                    for entry in range(first, first + 8)
                ]
            )
            assert torch.equal(got["humo_audio"][latent], wanted.half().float()), (index, latent)
        assert not got["humo_audio"][LATENTS:].any()
    assert comfy.load(f"{name}_last")["value"].shape[0] == FRAMES  # references are dropped after sampling


def test_the_wrappers_combine_gives_the_same_without_references(comfy: Comfy) -> None:
    comfy.run(humo_graph("joined", references=0, combine=False).graph)
    comfy.run(humo_graph("combined", references=0, combine=True).graph)
    assert torch.equal(comfy.load("joined_last")["value"], comfy.load("combined_last")["value"])


def test_the_wrappers_combine_goes_wrong_with_references(comfy: Comfy) -> None:
    """Why this pack joins by itself: the wrapper puts zeros before the noise, and the clip comes out short."""
    comfy.run(humo_graph("combined1", references=1, combine=True).graph)
    for got in probed(comfy, "combined1", 3):
        assert got["x"].shape == (16, LATENTS + 1, 8, 8)
        assert not got["x"][:, 0].any()
    assert comfy.load("combined1_last")["value"].shape[0] == FRAMES - 4


def test_an_output_whose_input_is_missing_stops_what_hangs_on_it(comfy: Comfy) -> None:
    graph = Guided()
    window = graph.window("Audio", 0, multitalk_embeds=graph.link("SVITestVoice", frames=60, speakers=1))
    empty = graph.add("SVITestDump", value=[window, 1], name="blocked")
    full = graph.add("SVITestDump", value=[window, 0], name="passed")
    answer = comfy.run(graph.graph)
    assert full in answer
    assert empty not in answer


def test_recorded_silence_is_the_wrappers_own(comfy: Comfy) -> None:
    graph = Guided()
    window = graph.window("Audio", 3, multitalk_embeds=graph.link("SVITestVoice", frames=60, speakers=1))
    graph.add("SVITestDump", value=[window, 0], name="quiet")
    graph.dump(graph.link("MultiTalkSilentEmbeds", num_frames=7), "silence")
    comfy.run(graph.graph)
    voice = comfy.load("quiet")["audio_features/0"]
    assert voice[:12, 0, 0].int().tolist() == list(range(48, 60))
    assert torch.equal(voice[12:], comfy.load("silence")["audio_features"])
