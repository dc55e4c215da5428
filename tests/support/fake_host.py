"""A host that stands in for the wrapper's, and a chain to render with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from helpers import TraceVAE, frames
from torch import Tensor
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.ground.settings import filled
from wanvideo_svi.svi_embeds.guides.follow import guides_of
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from wanvideo_svi.wrapper_ext.engine.job import Job, Sources
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.standing import stood_in


class Cancelled(Exception):  # noqa: N818 - as ComfyUI's, no error
    pass


class FakeHost:
    """Answers the host's nodes with values that depend on what they were given. calls: what was asked, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.cancel_at: int | None = None
        self.tell: Callable[[float, float], None] | None = None

    def call(self, node_id: str, **inputs: Any) -> tuple[Any, ...]:
        if len(self.calls) == self.cancel_at:
            raise Cancelled
        self.calls.append((node_id, inputs))
        return getattr(self, node_id)(**inputs)

    def count(self, node_id: str) -> int:
        return sum(1 for name, _ in self.calls if name == node_id)

    def device(self) -> torch.device:
        return torch.device("cpu")

    offload_device = device

    def free_memory(self) -> None: ...
    def stop_if_cancelled(self) -> None: ...

    def WanVideoLoraSelect(
        self, lora: str, strength: float, merge_loras: bool, prev_lora: list[Any] | None = None
    ) -> tuple[Any]:
        assert merge_loras is False
        return ([*(prev_lora or []), (lora, strength)],)

    @contextmanager
    def hear_progress(self, tell: Callable[[float, float], None]) -> Iterator[None]:
        self.tell = tell
        try:
            yield
        finally:
            self.tell = None

    def WanVideoSetLoRAs(self, model: Any, lora: list[Any]) -> tuple[Any]:
        return (f"{model} with {lora}",)

    def WanVideoTextEncode(self, **inputs: Any) -> tuple[Any]:
        return ({"prompt": inputs["positive_prompt"]},)

    def CLIPTextEncode(self, clip: Any, text: str) -> tuple[Any]:  # noqa: ARG002
        return ([[text, {}]],)

    def WanVideoTextEmbedBridge(self, positive: Any, negative: Any) -> tuple[Any]:
        return ({"prompt": positive[0][0], "negative": negative[0][0]},)

    def WanVideoClipVisionEncode(self, clip_vision: Any, image_1: Tensor) -> tuple[Any]:  # noqa: ARG002
        return ({"clip_embeds": image_1.mean().expand(1, 257, 8), "negative_clip_embeds": None},)

    def WanVideoEncode(self, vae: TraceVAE, image: Tensor, enable_vae_tiling: bool) -> tuple[Any]:  # noqa: ARG002
        return ({"samples": vae.encode([image.movedim(-1, 0) * 2 - 1], torch.device("cpu"))},)

    def WanVideoSamplerFromSettings(self, sampler_inputs: dict[str, Any]) -> tuple[Any, Any]:
        embeds = sampler_inputs["image_embeds"]
        if "image_embeds" in embeds:
            latents = embeds["image_embeds"]
        else:
            latents = embeds["humo_image_cond"][4:, : embeds["target_shape"][1] - embeds["humo_reference_count"]]
        noise = {key: value for key, value in sampler_inputs.items() if key != "model"}
        seed = int(fingerprint([noise, str(sampler_inputs["model"])])[:8], 16)
        made = torch.randn(1, *latents.shape, generator=torch.Generator().manual_seed(seed))
        return {"samples": made, "generator_state": torch.zeros(1), "end_image": None}, {"samples": made}

    def WanVideoDecode(self, vae: Any, samples: dict[str, Any], enable_vae_tiling: bool) -> tuple[Tensor]:  # noqa: ARG002
        latents = samples["samples"]
        seed = int(fingerprint(latents)[:8], 16)
        return (frames(4 * latents.shape[2] - 3, seed=seed),)


class Report:
    """draws: whether it looks at the pictures, which take longer than all else here."""

    def __init__(self, *, draws: bool = False) -> None:
        self.draws = draws
        self.lines: list[str] = []
        self.done: list[tuple[int, int]] = []
        self.pictures: list[Any] = []

    def text(self, line: str) -> None:
        self.lines.append(line)

    def settled(self, place: int, take: Any) -> None: ...

    def ending(self, place: int, digest: str, frames: Any, overlap: int) -> None: ...

    def clip(self, done: int, total: int) -> None:
        self.done.append((done, total))

    def picture(self, done: int, total: int, draw: Any) -> None:  # noqa: ARG002
        if self.draws:
            self.pictures.append(draw())


def sampler(model: str = "main", **inputs: Any) -> dict[str, Any]:
    """SAMPLER_ARGS as WanVideoSamplerSettings gives them."""
    return {
        "model": model, "image_embeds": {"stands": "in"}, "shift": 5.0, "steps": 8, "cfg": 1.0, "seed": 0,
        "scheduler": "euler", "riflex_freq_index": 0, "text_embeds": None, "force_offload": True, "samples": None,
        "denoise_strength": 1.0, "start_step": 0, "end_step": -1, "add_noise_to_samples": False, **inputs,
    }  # fmt: skip


STORY = "a lake\n---\na boat\n---\nthe fog lifts"


def job(story: str = STORY, **options: Any) -> Job:
    """options: fields of `ChainSettings` and of `Sources`."""
    given: dict[str, Any] = {
        "mode": "film", "num_frames": 17, "seed": 3, "width": 64, "height": 64, "negative_prompt": "bad",
        "vae": TraceVAE(), "sampler": sampler(), "start_image": frames(1, seed=1), "t5": "T5",
        "origin": {"model": "m1"}, **options,
    }  # fmt: skip
    assert set(given) <= {*ChainSettings.__slots__, *Sources.__slots__}
    given["guides"] = guides_of(given["sampler"], given.get("low_sampler"))
    settings, sources = filled(ChainSettings, given), filled(Sources, given)
    return Job(plan=plan_chain(story, settings, sources.connected()), settings=settings, sources=sources)


def job_in(folder: Path, story: str, **options: Any) -> Job:
    """A job whose plan knows the reel in a folder, as the node's does."""
    this = job(story, **options)
    plan = plan_chain(story, this.settings, this.sources.connected(), stood_in(folder))
    return Job(plan=plan, settings=this.settings, sources=this.sources)


def render(folder: Path, this: Job, *, resume: bool = True, cancel_at: int | None = None, draws: bool = False):
    host, report = FakeHost(), Report(draws=draws)
    host.cancel_at = cancel_at
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(this, writer, host, report, resume=resume)
    return done, host, report


PAIR = {"sampler": sampler("high"), "low_sampler": sampler("low"), "split_step": 4}


def samplers(host: FakeHost) -> list[dict[str, Any]]:
    return [inputs["sampler_inputs"] for node_id, inputs in host.calls if node_id == "WanVideoSamplerFromSettings"]
