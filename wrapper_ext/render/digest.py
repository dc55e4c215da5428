"""The digest of a take: of all that decides it, once what leads it is known. One on disk with the same is true."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.pixels.plan import ClipPlan
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.guides.follow import POSES, VOICE
from ...svi_embeds.story.chain import ChainClip
from ..engine.job import Job
from ..running.digest import MEMORY_INPUTS
from .clip import ClipMaker
from .facts import colour_facts, facts_of
from .lead import Lead
from .mend import end_facts

FIRST_MODELS = ("first_clip_model", "first_clip_low_noise_model")
MAIN_MODELS = ("model", "low_noise_model")
# Sampler arguments that the chain decides. What the clips follow (VOICE, POSES) counts by its part for each clip.
PER_CLIP = ("model", "image_embeds", "text_embeds", "seed", "samples", VOICE, POSES)
_NOT_DECIDING = (*PER_CLIP, *MEMORY_INPUTS)
_BY_ORIGIN = ("sampler",)  # ComfyUI's SAMPLER, which cannot be looked into


class Digests:
    """Of the takes of a job. maker: knows what clips end on, and what of a video leads the first."""

    def __init__(self, job: Job, maker: ClipMaker) -> None:
        self.job, self.maker = job, maker
        self.encodes_text = job.sources.connected().encodes_text
        sources = job.sources
        ignored = _NOT_DECIDING if sources.engine == "wrapper" else (*_NOT_DECIDING, *_BY_ORIGIN)
        self.sampler_print = _sampler_print(sources.sampler, ignored)
        self.low_print = _sampler_print(sources.low_sampler, ignored)
        self.prints: dict[int | None, tuple[str, str]] = {}  # of the original image and the anchor, by start image
        self.followed: dict[int, str | None] = {}  # what clips follow, by their index

    def of(self, clip: ChainClip, lead: Lead, end: Lead | None) -> str:
        settings, sources = self.job.settings, self.job.sources
        models = FIRST_MODELS if clip.model == "first" else MAIN_MODELS
        facts: dict[str, Any] = {
            **facts_of(clip, settings, encodes_text=self.encodes_text),
            **({} if self.encodes_text else {"text": fingerprint(sources.text_embeds)}),
            "lead": fingerprint(self._used_of(clip, lead)),
            "ref": self._reference_print(clip),
            "end": None if clip.end is None else [fingerprint(self.maker.end_of(clip)), settings.fun_or_fl2v_model],
            **colour_facts(clip, settings, self._prints(clip)[0]),
            **({"loras": loras} if (loras := self._lora_prints(clip)) else {}),
            **end_facts(clip, end, fun_or_fl2v_model=settings.fun_or_fl2v_model),
            "guides": self._followed_by(clip),
            **({} if sources.engine == "wrapper" else {"engine": sources.engine}),
            "sampler": [self.sampler_print, self.low_print, settings.split_step],
            "origin": {
                name: sources.origin.get(name, "")
                for name in ("sampler_inputs", "low_noise_sampler_inputs", "vae", "t5", "clip", "clip_vision", *models)
            },
        }  # fmt: skip
        return fingerprint(facts)

    def read_ahead(self, index: int) -> None:
        """Reads what a clip follows while the one before is sampled: 0.4 s for its poses at 832x480x81."""
        self._followed_by(self.job.plan.clips[index])

    def _followed_by(self, clip: ChainClip) -> str | None:
        if clip.index not in self.followed:
            settings, guides = self.job.settings, self.job.sources.guides
            self.followed[clip.index] = guides.print_of(clip, width=settings.width, height=settings.height)
        return self.followed[clip.index]

    def _used_of(self, clip: ChainClip, lead: Lead) -> Tensor | None:
        """The part of the lead that a clip is made from."""
        if clip.works_on_latents:
            if lead.latents is None:
                return self.maker.video if clip.led_by is None and clip.start_image is None else None
            return lead.latents[:, -clip.motion_latents :]
        return None if lead.frames is None else lead.frames[-clip.motion_frames :]

    def _prints(self, clip: ChainClip) -> tuple[str, str]:
        """Digests of the original image and of the anchor of a clip's scene."""
        if clip.start_image not in self.prints:
            scene = self.job.sources.scene(clip.start_image)
            original = fingerprint(scene.reference)
            anchor = original if scene.anchor is scene.reference else fingerprint(scene.anchor)
            self.prints[clip.start_image] = original, anchor
        return self.prints[clip.start_image]

    def _lora_prints(self, clip: ChainClip) -> list[str]:
        """What tells the files of a clip's own LoRAs."""
        prints = self.job.sources.lora_prints
        return [prints.get(name, "") for name, _ in (*clip.lora, *clip.lora_low)]

    def _reference_print(self, clip: ChainClip) -> str | None:
        original, anchor = self._prints(clip)
        if clip.works_on_latents:
            return anchor
        return original if isinstance(clip.plan, ClipPlan) and clip.plan.reference_from is not None else None


def _sampler_print(sampler: Mapping[str, Any] | None, ignored: Collection[str]) -> str:
    """A digest of the sampler arguments that decide every clip; "" without any."""
    if sampler is None:
        return ""
    return fingerprint({key: value for key, value in sampler.items() if key not in ignored})
