"""Chains of every kind, on a host whose frames are the same bits on every machine."""

from __future__ import annotations

from typing import Any

import torch
from fake_host import PAIR, FakeHost, sampler
from guided import dance, numbered, voice
from helpers import frames
from torch import Tensor


class FixedHost(FakeHost):
    """Samples and decodes to values that only the seed decides, the same bits on every machine: no arithmetic."""

    def WanVideoSamplerFromSettings(self, sampler_inputs: dict[str, Any]) -> tuple[Any, Any]:
        shape = sampler_inputs["image_embeds"]["image_embeds"].shape
        generator = torch.Generator().manual_seed(sampler_inputs["seed"])
        made = {"samples": torch.rand(1, *shape, generator=generator)}
        return {**made, "end_image": None, "seed": sampler_inputs["seed"]}, made

    def WanVideoDecode(self, vae: Any, samples: dict[str, Any], enable_vae_tiling: bool) -> tuple[Tensor]:  # noqa: ARG002
        return (frames(4 * samples["samples"].shape[2] - 3, seed=samples["seed"]),)


REFERENCE = frames(1, seed=2)


CHAINS: dict[str, dict[str, Any]] = {
    "film": {},
    "film from a video": {"start_image": frames(33, seed=4)},
    "film from a video, colours of the reference": {
        "story": "a lake", "start_image": frames(9, seed=4), "ref_image": REFERENCE, "color_match": "mean_std",
        "color_match_to": "reference",
    },
    "shot": {"mode": "shot", "ref_image": REFERENCE},
    "shot from a video": {"mode": "shot", "ref_image": REFERENCE, "start_image": frames(33, seed=4)},
    "first clip model": {"first_model": "plain", "origin": {"model": "m1", "first_clip_model": "m0"}},
    "first clip model, from a video": {"first_model": "plain", "start_image": frames(33, seed=4)},
    "pro": {"mode": "svi2_pro", **PAIR},
    "pro with a reference": {"mode": "svi2_pro", "ref_image": REFERENCE},
    "pro with an overlap of its own": {"mode": "svi2_pro", "story": "[overlap=9]\na\n---\n[overlap=9]\nb\n---\nc"},
    "pro behind film": {"story": "a\n---\n[mode=svi2_pro]\nb\n---\nc", "ref_image": REFERENCE},
    "ends": {"story": "a\n---\n[end=1 cfg=2.5]\nb", "end_images": frames(2, seed=4), "tiled_vae": True},
    "talk": {"mode": "talk", "ref_image": REFERENCE, "sampler": sampler(multitalk_embeds=voice(numbered(40)))},
    "dance": {"mode": "dance", "ref_image": REFERENCE, "sampler": sampler(unianimate_poses=dance(40))},
    "one prompt": {"story": "[repeat=3]\nthe same", "t5": None, "text_embeds": {"prompt": "encoded before"}},
}  # fmt: skip
