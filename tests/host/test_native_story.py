"""Native Pro chains wired by hand, migrated as a story, both run in a real host: the same frames."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from host.comfyui import Comfy
from host.graphs import Link
from host.long_chains import reel_of
from host.native_graphs import NATIVE_I2V, NativeBuilder
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value

PROMPTS = ("a lake at dawn", "a boat appears", "the fog lifts")
SEEDS = (3, 45, 1000)  # the third is none that a story counts to
LENGTHS = (17, 21, 17)
HIGH, LOW = "native_high.safetensors", "native_low.safetensors"
SAMPLING = {"steps": 3, "cfg": 1.5, "sampler_name": "euler", "scheduler": "simple"}


class ByHand(NativeBuilder):
    """A chain as people wire it. decoded: what each of its clips becomes."""

    def __init__(
        self, kind: str, *, motion: int = 1, first: str | None = None, video: int = 0, guider: str = "CFGGuider"
    ) -> None:
        """first: the model of the first clip. video: frames of one that it goes on from."""
        super().__init__()
        self.kind, self.first, self.guider = kind, first, guider
        clip, vae = self.link("SVITestCLIP"), self.native_vae()
        anchor = self.link("VAEEncode", pixels=self.images(1, seed=5), vae=vae)
        self.decoded: list[Link] = []
        before: dict[str, Link] = {}
        if video:
            before["prev_samples"] = self.link("VAEEncode", pixels=self.images(video, seed=6), vae=vae)
        for index, prompt in enumerate(PROMPTS):
            text = [self.link("CLIPTextEncode", clip=clip, text=each) for each in (prompt, "bad")]
            pro = self.add(
                "WanImageToVideoSVIPro", positive=text[0], negative=text[1], length=LENGTHS[index],
                anchor_samples=anchor, motion_latent_count=motion, **before,
            )  # fmt: skip
            samples = self._sampled(pro, index)
            before = {"prev_samples": samples}
            self.decoded.append(self.link("VAEDecode", samples=samples, vae=vae))

    def _sampled(self, pro: str, index: int) -> Link:
        seed = SEEDS[index]
        given: dict[str, Any] = {"positive": [pro, 0], "negative": [pro, 1]}
        if self.kind == "KSampler":
            model = self.native_model(self.first if self.first and not index else NATIVE_I2V)
            return self.link(
                "KSampler", model=model, seed=seed, latent_image=[pro, 2], denoise=1.0, **SAMPLING, **given
            )
        samples: Link = [pro, 2]
        for stage, name in enumerate((HIGH, LOW)):
            model = self.native_model(self.first if self.first and not index else name)
            samples = self._stage(model, stage, seed, samples, given)
        return samples

    def _stage(self, model: Link, stage: int, seed: int, samples: Link, given: dict[str, Any]) -> Link:
        if self.kind == "KSamplerAdvanced":
            return self.link(
                "KSamplerAdvanced", model=model, add_noise="disable" if stage else "enable",
                noise_seed=0 if stage else seed, latent_image=samples, start_at_step=stage,
                end_at_step=10_000 if stage else 1, return_with_leftover_noise="disable" if stage else "enable",
                **SAMPLING, **given,
            )  # fmt: skip
        whole = self.link(
            "BasicScheduler", model=self.native_model(HIGH), scheduler="simple", steps=SAMPLING["steps"], denoise=1.0
        )
        split = self.add("SplitSigmas", sigmas=whole, step=1)
        shared = {
            "sampler": self.link("KSamplerSelect", sampler_name="euler"), "sigmas": [split, stage],
            "latent_image": samples,
        }  # fmt: skip
        if self.kind == "SamplerCustom":
            return self.link(
                "SamplerCustom", model=model, add_noise=not stage, noise_seed=seed, cfg=SAMPLING["cfg"], **shared,
                **given,
            )  # fmt: skip
        noise = self.link("DisableNoise") if stage else self.link("RandomNoise", noise_seed=seed)
        given |= {"start_percent": 0.0, "end_percent": 1.0} if self.guider == "ScheduledCFGGuidance" else {}
        guider = self.link(self.guider, model=model, cfg=SAMPLING["cfg"], **given)
        return self.link("SamplerCustomAdvanced", noise=noise, guider=guider, **shared)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("pair", {"kind": "KSamplerAdvanced"}), ("two latents", {"kind": "KSamplerAdvanced", "motion": 2}),
        ("first", {"kind": "KSamplerAdvanced", "first": NATIVE_I2V}), ("one", {"kind": "KSampler"}),
        ("video", {"kind": "KSampler", "video": 9}),
        ("custom", {"kind": "SamplerCustom"}), ("advanced", {"kind": "SamplerCustomAdvanced"}),
        ("scheduled", {"kind": "SamplerCustomAdvanced", "guider": "ScheduledCFGGuidance"}),
    ],
)  # fmt: skip
def test_a_chain_by_hand_and_its_story_have_the_same_frames(
    native_comfy: Comfy, name: str, options: dict[str, Any]
) -> None:
    hand = ByHand(**options)
    graph, report = migrate_value(copy.deepcopy(hand.graph), as_story=True)
    (node,) = [key for key, each in graph.items() if each["class_type"] == "WanVideoSVILongVideoNative"]
    inputs = graph[node]["inputs"]
    inputs["reel"] = f"story {name}"
    assert "[seed=1000" in inputs["story"]
    said = native_comfy.run(graph)[node]["text"][0]
    assert "0 kept, 3 made" in said, report.lines()
    reel = reel_of(native_comfy, inputs["reel"])
    for index, clip in enumerate(hand.decoded):
        hand.dump(clip, f"{name} {index}")
    native_comfy.run(hand.graph)
    seen = set()
    for index, take in enumerate(reel.clips):
        theirs = (native_comfy.load(f"{name} {index}")["value"] * 255).clamp(0, 255).byte().numpy()
        ours = np.stack(list(reel.clip_frames(take, 0)))
        assert ours.shape == theirs.shape
        assert (ours == theirs).all(), f"clip {index + 1}: {np.abs(ours.astype(int) - theirs.astype(int)).max()} of 255"
        seen.add(theirs[-9:].tobytes())
    assert len(seen) == len(PROMPTS)  # else equal frames would say little
