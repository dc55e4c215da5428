"""What a chain is rendered from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from ...svi_embeds.guides.follow import Guides
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.settings import ChainConnected, ChainSettings

EngineName = Literal["wrapper", "native"]


class Host(Protocol):
    """What rendering needs of the host; the module `host.comfy` is one."""

    def call(self, node_id: str, **inputs: Any) -> tuple[Any, ...]: ...
    def device(self) -> torch.device: ...
    def offload_device(self) -> torch.device: ...
    def free_memory(self) -> None: ...
    def stop_if_cancelled(self) -> None: ...
    def hear_progress(self, tell: Callable[[float, float], None]) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a scene begins with, F H W C in 0..1, and the image that was connected as the original, 1 H W C."""

    start_image: Tensor | None
    ref_image: Tensor | None

    @property
    def reference(self) -> Tensor | None:
        """The original image: ref_image, or the start image when that is one."""
        if self.ref_image is None and self.start_image is not None and len(self.start_image) == 1:
            return self.start_image
        return self.ref_image

    @property
    def anchor(self) -> Tensor | None:
        """What clips on latents hold on to: the original image, or else the first frame of the video gone on from."""
        if self.reference is None and self.start_image is not None:
            return self.start_image[:1]
        return self.reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a chain is made of: models, texts and images.

    engine: whose nodes sample, encode and decode. sampler: the wrapper's SAMPLER_ARGS, or what `engine.native` says.
    low_sampler: those of the low noise stage. first_model, first_low_model: models
    without the SVI LoRA. Of t5, clip and text_embeds there is exactly one.
    guides: what the clips follow frame by frame; it comes with the sampler settings.
    origin: a digest of the graph upstream of what cannot be looked into, by name: vae, t5, clip, clip_vision,
    sampler_inputs and low_noise_sampler_inputs (but for their models), FIRST_MODELS and MAIN_MODELS. lora_prints: what
    tells the files of the story's LoRAs from others of their names, by name.
    """

    vae: Any
    sampler: Mapping[str, Any]
    engine: EngineName = "wrapper"
    low_sampler: Mapping[str, Any] | None = None
    first_model: Any = None
    first_low_model: Any = None
    start_image: Tensor | None = None
    ref_image: Tensor | None = None
    end_images: Tensor | None = None
    start_images: Tensor | None = None
    t5: Any = None
    clip: Any = None
    text_embeds: Mapping[str, Any] | None = None
    clip_vision: Any = None
    guides: Guides = field(default_factory=Guides)
    origin: Mapping[str, str] = field(default_factory=dict)
    lora_prints: Mapping[str, str] = field(default_factory=dict)

    def scene(self, start: int | None) -> Scene:
        """The images of a scene that begins with one of the start images, or as the chain does."""
        if start is None or self.start_images is None:
            return Scene(self.start_image, self.ref_image)
        return Scene(self.start_images[start : start + 1], self.ref_image)

    def models_of(self, clip: ChainClip) -> tuple[Any, Any]:
        """The model that samples a clip and the low noise one, None without."""
        if clip.model == "first":
            return self.first_model, self.first_low_model
        return self.sampler["model"], (self.low_sampler or {}).get("model")

    def connected(self, length: int | None = None) -> ChainConnected:
        """What of it a plan and its checks need to know. length: of the audio or the poses, in frames."""

        def count(images: Tensor | None) -> int:
            return 0 if images is None else len(images)

        texts = {"t5": self.t5, "clip": self.clip, "text_embeds": self.text_embeds}
        return ChainConnected(
            start_frames=count(self.start_image), reference_frames=count(self.ref_image),
            end_images=count(self.end_images), start_images=count(self.start_images), length=length,
            first_clip_model=self.first_model is not None,
            first_clip_low_noise_model=self.first_low_model is not None, low_noise=self.low_sampler is not None,
            texts=tuple(name for name, value in texts.items() if value is not None),
            clip_vision=self.clip_vision is not None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that decides a chain's clips."""

    plan: ChainPlan
    settings: ChainSettings
    sources: Sources
