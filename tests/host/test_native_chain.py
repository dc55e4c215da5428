"""A story through ComfyUI's own sampling in a real host: the frames of a chain wired by hand, resume, no wrapper."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from farms import same
from host.comfyui import Comfy
from host.graphs import WORKFLOWS, Link, api_graph
from host.long_chains import pixels, reel_of, story
from host.native_graphs import NATIVE_I2V, NATIVE_VAE, NativeBuilder
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.farm.render import Options, render
from wanvideo_svi.wrapper_ext.farm.show import PlainShow
from wanvideo_svi.wrapper_ext.farm.stories import Story

FRAMES, SEED, STEPS = 17, 3, 3
SIZE = {"width": 64, "height": 64}
PROMPTS = ("a lake at dawn", "a boat appears", "the fog lifts")
SAMPLING = {"steps": STEPS, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"}
HIGH, LOW = "native_high.safetensors", "native_low.safetensors"


class Chain(NativeBuilder):
    """A chain's parts: those that the node and the chain wired by hand share."""

    def __init__(self) -> None:
        super().__init__()
        self.clip = self.link("SVITestCLIP")
        self.vae = self.native_vae()
        self.start = self.images(1, seed=5)

    def text(self, prompt: str) -> Link:
        return self.link("CLIPTextEncode", clip=self.clip, text=prompt)

    def story(self, reel: str, prompts: tuple[str, ...] = PROMPTS, **inputs: Any) -> str:
        return self.add(
            "WanVideoSVILongVideoNative", clip=self.clip, vae=self.vae, start_image=self.start, story=story(prompts),
            **{**SIZE, "num_frames": FRAMES, "overlap_frames": 0, "seed": SEED, "fps": 16.0, "reel": reel,
               "resume": True, "negative_prompt": "bad", **SAMPLING, **inputs},
        )  # fmt: skip

    def pair(self, node: str, prompt: str, seed: int, **inputs: Any) -> Link:
        """One clip of a pair by hand: a node that conditions it, and two of KSampler Advanced."""
        made = self.add(node, positive=self.text(prompt), negative=self.text("bad"), **inputs)
        samples: Link = [made, 2]
        for stage, model in enumerate((HIGH, LOW)):
            samples = self.link(
                "KSamplerAdvanced", model=self.native_model(model), add_noise="disable" if stage else "enable",
                noise_seed=seed, positive=[made, 0], negative=[made, 1], latent_image=samples,
                start_at_step=stage, end_at_step=10_000 if stage else 1,
                return_with_leftover_noise="disable" if stage else "enable", **SAMPLING,
            )  # fmt: skip
        return samples


def by_hand_pro(chain: Chain, prompts: tuple[str, ...] = PROMPTS) -> list[Link]:
    """KJNodes' own node of SVI 2.0 Pro, clip after clip; what each decodes to."""
    anchor = chain.link("VAEEncode", pixels=chain.start, vae=chain.vae)
    decoded, before = [], None
    for index, prompt in enumerate(prompts):
        more = {} if before is None else {"prev_samples": before}
        before = chain.pair(
            "WanImageToVideoSVIPro", prompt, SEED + 42 * index, length=FRAMES, anchor_samples=anchor,
            motion_latent_count=1, **more,
        )  # fmt: skip
        decoded.append(chain.link("VAEDecode", samples=before, vae=chain.vae))
    return decoded


def by_hand_film(chain: Chain, prompts: tuple[str, ...] = PROMPTS) -> list[Link]:
    """ComfyUI's own WanImageToVideo, each clip led by the last five frames of the one before."""
    lead, decoded = chain.start, []
    for index, prompt in enumerate(prompts):
        made = chain.add(
            "WanImageToVideo", positive=chain.text(prompt), negative=chain.text("bad"), vae=chain.vae,
            start_image=lead, length=FRAMES, batch_size=1, **SIZE,
        )  # fmt: skip
        samples = chain.link(
            "KSampler", model=chain.native_model(), seed=SEED + 42 * index, positive=[made, 0], negative=[made, 1],
            latent_image=[made, 2], denoise=1.0, **SAMPLING,
        )  # fmt: skip
        decoded.append(chain.link("VAEDecode", samples=samples, vae=chain.vae))
        lead = chain.link("ImageFromBatch", image=decoded[-1], batch_index=FRAMES - 5, length=5)
    return decoded


def dumped(host: Comfy, chain: Chain, clips: list[Link], name: str) -> np.ndarray:
    """The clips as they are kept, in 8 bit."""
    for index, clip in enumerate(clips):
        chain.dump(clip, f"{name} {index}")
    host.run(chain.graph)
    found = [host.load(f"{name} {index}")["value"] for index in range(len(clips))]
    return np.stack([(frames * 255).clamp(0, 255).byte().numpy() for frames in found])


def clips_of(host: Comfy, reel: str) -> np.ndarray:
    found = reel_of(host, reel)
    return np.stack([np.stack(list(found.clip_frames(take, 0))) for take in found.clips])


def test_a_pro_pair_has_the_frames_of_the_chain_wired_by_hand(native_comfy: Comfy) -> None:
    chain = Chain()
    pair = {"model": chain.native_model(HIGH), "low_noise_model": chain.native_model(LOW), "split_step": 1}
    node = chain.story("native pro", mode="svi2_pro", ref_image=chain.start, **pair)
    said = native_comfy.run(chain.graph)[node]["text"][0]
    assert "0 kept, 3 made" in said
    assert "a clip took " in said
    theirs = Chain()
    assert (clips_of(native_comfy, "native pro") == dumped(native_comfy, theirs, by_hand_pro(theirs), "pro")).all()
    assert len(pixels(reel_of(native_comfy, "native pro"))) == 3 * FRAMES - 2 * 5


def test_film_has_the_frames_of_the_chain_wired_by_hand(native_comfy: Comfy) -> None:
    chain = Chain()
    chain.story("native film", mode="film", model=chain.native_model(NATIVE_I2V))
    native_comfy.run(chain.graph)
    theirs = Chain()
    assert (clips_of(native_comfy, "native film") == dumped(native_comfy, theirs, by_hand_film(theirs), "film")).all()


def test_a_sampler_and_sigmas_sample_as_their_names_do(native_comfy: Comfy) -> None:
    chain = Chain()
    model = chain.native_model(NATIVE_I2V)
    chain.story("native names", PROMPTS[:2], mode="film", model=model)
    sigmas = chain.link("BasicScheduler", model=model, scheduler="simple", steps=STEPS, denoise=1.0)
    chain.story("native sigmas", PROMPTS[:2], mode="film", model=model, sigmas=sigmas,
                sampler=chain.link("KSamplerSelect", sampler_name="euler"))  # fmt: skip
    native_comfy.run(chain.graph)
    one, other = (clips_of(native_comfy, f"native {name}") for name in ("names", "sigmas"))
    assert (one == other).all()


def test_kills_change_nothing(native_comfy: Comfy) -> None:
    def graph(reel: str) -> dict[str, Any]:
        chain = Chain()
        pair = {"model": chain.native_model(HIGH), "low_noise_model": chain.native_model(LOW), "split_step": 1}
        chain.story(reel, mode="svi2_pro", ref_image=chain.start, **pair)
        return chain.graph

    native_comfy.run(graph("whole"))
    folder = native_comfy.base / "output" / "svi_reels" / "killed"
    seen = []
    for kill in range(3):
        native_comfy.queue(graph("killed"))
        until = time.monotonic() + 300
        while time.monotonic() < until and not (folder.exists() and len(open_reel(folder).clips) > min(kill, 1)):
            time.sleep(0.05)
        native_comfy.kill()
        seen.append(len(open_reel(folder).clips))
        native_comfy.start(log=f"killed_{kill}.log")
    print("clips in the reel at each kill:", seen)
    assert seen[0] < 3
    native_comfy.run(graph("killed"))
    whole, killed = (reel_of(native_comfy, name) for name in ("whole", "killed"))
    assert [take.video.sha256 for take in whole.clips] == [take.video.sha256 for take in killed.clips]
    assert [take.tail.sha256 for take in whole.clips] == [take.tail.sha256 for take in killed.clips]


def test_takes_scenes_and_mends_are_those_of_every_long_video(native_comfy: Comfy) -> None:
    chain = Chain()
    model = chain.native_model(NATIVE_I2V)
    chain.story("native takes", PROMPTS, mode="film", model=model, takes=2)
    native_comfy.run(chain.graph)
    before = reel_of(native_comfy, "native takes")
    assert len(before.clips) == 3
    assert len(before.spare) == 3
    chain = Chain()
    node = chain.story(
        "native takes", (PROMPTS[0], f"[mend]\n{PROMPTS[1]}", PROMPTS[2]), mode="film", takes=2, mend_limit=0.0,
        model=chain.native_model(NATIVE_I2V),
    )  # fmt: skip
    said = native_comfy.run(chain.graph)[node]["text"][0]
    after = reel_of(native_comfy, "native takes")
    assert "clip 2 is mended between clips 1 and 3" in said
    assert [a.digest == b.digest for a, b in zip(before.clips, after.clips, strict=True)] == [True, False, True]


def test_the_shipped_workflow_runs(native_comfy: Comfy) -> None:
    """With tiny models, and without its LoRAs, which do not fit them."""
    graph = json.loads((WORKFLOWS / "long_video_native_svi2_pro.json").read_text())
    graph = api_graph(graph)
    source = {node_id: node["inputs"]["model"] for node_id, node in graph.items()
              if node["class_type"] == "LoraLoaderModelOnly"}  # fmt: skip
    for node in graph.values():
        inputs = node["inputs"]
        for name, link in inputs.items():
            while isinstance(link, list) and link[0] in source:
                link = inputs[name] = source[link[0]]
        if node["class_type"] == "UNETLoader":
            inputs["unet_name"] = HIGH if "high" in inputs["unet_name"] else LOW
        if node["class_type"] == "VAELoader":
            inputs["vae_name"] = NATIVE_VAE
        if node["class_type"] == "CLIPLoader":
            node |= {"class_type": "SVITestCLIP", "inputs": {}}
        if node["class_type"] == "LoadImage":
            node |= {"class_type": "SVITestImages", "inputs": Chain().graph[Chain().start[0]]["inputs"]}
        if node["class_type"] == "WanVideoSVILongVideoNative":
            inputs |= {**SIZE, "num_frames": FRAMES, "steps": 2, "split_step": 1}
    for node_id in source:
        del graph[node_id]
    native_comfy.run(graph)
    assert len(pixels(reel_of(native_comfy, "svi_native_story"))) == 4 * FRAMES - 3 * 5


def test_the_farm_renders_native_stories(native_comfy: Comfy, tmp_path: Path) -> None:
    chain = Chain()
    node = chain.story("native hand", PROMPTS[:2], mode="film", model=chain.native_model(NATIVE_I2V))
    native_comfy.run(chain.graph)
    arguments = ("--cpu", "--base-directory", str(native_comfy.base), *native_comfy.arguments)
    # As many threads as the tests' own: with another number the last bits differ.
    options = Options(
        out=tmp_path, comfyui=native_comfy.comfyui, python=native_comfy.python, arguments=arguments, threads=1
    )  # fmt: skip
    asked = [Story(name="s", text=chain.graph[node]["inputs"]["story"], where="row 1")]
    said: list[str] = []
    _, code = render(lambda _: json.loads(json.dumps(chain.graph)), asked, [], options, PlainShow(said.append))
    assert code == 0, said
    one, other = open_reel(tmp_path / "reels" / "s"), reel_of(native_comfy, "native hand")
    assert [take.digest for take in one.clips] == [take.digest for take in other.clips]
    assert same(one, other)


def test_without_the_wrapper_it_renders(bare_comfy: Comfy) -> None:
    bare_comfy.make_native_models()
    chain = Chain()
    chain.story("bare", PROMPTS[:2], mode="film", model=chain.native_model(NATIVE_I2V))
    bare_comfy.run(chain.graph)
    assert len(clips_of(bare_comfy, "bare")) == 2
