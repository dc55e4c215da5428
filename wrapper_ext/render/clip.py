"""One clip of a chain made by the host's own nodes: what conditions it, sampled, decoded, its colours held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.latents.make import make_latent_clip, shown_latents
from ...svi_embeds.clips.latents.settings import LatentInputs, LatentSettings
from ...svi_embeds.clips.pixels.make import make_clip
from ...svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from ...svi_embeds.clips.vae import Encoder
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.ground.images import last_frames, resize_frames
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.story.chain import ChainClip, Mend
from ...svi_embeds.story.text import Loras
from ...svi_embeds.timeline import frame_count
from .colour import ColourHold
from .job import Host, Job
from .lead import Lead, video_to_encode
from .mend import land, shown
from .text import Texts

# Kept of each clip's end at least: what film wants, so that a chain can go on without its last clip being made again.
_TAIL_FRAMES, _TAIL_LATENTS = 5, 2


@dataclass(frozen=True, slots=True, eq=False)
class Conditioned:
    """What all takes of a clip are sampled with. models: with the LoRAs of the clip's own, the low noise one second.
    end: what a mended clip ends on."""

    embeds: dict[str, Any]
    text: Any
    models: tuple[Any, Any]
    end: Lead | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A take. images: F H W 3 in 0..1. leads: what it leaves for the next clip, at least. landing: of a mended clip,
    how visible it is where it comes to what stays, as `Seam.ratio`."""

    images: Tensor
    leads: Lead
    landing: float | None = None


class ClipMaker:
    """Makes the clips of a job."""

    def __init__(self, job: Job, host: Host, colour: ColourHold) -> None:
        self.job, self.host, self.colour = job, host, colour
        self.text = Texts(job, host, colour.folder)
        self.video, self.notes = video_to_encode(job)
        self.encoded: dict[str, dict[str, Any]] = {}  # images as LATENT, by fingerprint

    def condition(self, clip: ChainClip, lead: Lead, end: Lead | None) -> Conditioned:
        """What a clip is sampled with, once for all its takes. end: what it is to end on, when it is mended."""
        text = self.text.of(clip)
        settings = clip.settings if clip.mend is None or end is None else clip.mend.settings
        if isinstance(settings, LatentSettings):
            embeds = self._latent_embeds(clip, settings, lead, end)
        else:
            embeds = self._embeds(clip, settings, lead, end)
        return Conditioned(embeds, text, self._models(clip), end)

    def make(self, take: ChainClip, conditioned: Conditioned, take_of: Callable[[int], Take]) -> Made:
        """A take of a clip. take_of: gives the take on disk that the chain has of a clip, which colours are held to.

        Raises SVIError when it comes out with another length.
        """
        samples = self._sample(take, conditioned)
        samples = self.colour.latents(take, samples, lambda: self._anchor(take)["samples"][0])
        images = self._decode(samples)
        if len(images) != take.num_frames:
            raise SVIError(
                f"clip {take.index + 1} came out with {len(images)} frames instead of {take.num_frames}: a setting of "
                "the sampler (loop_args, context windows) changes the length, which a chain cannot have"
            )
        if conditioned.end is not None and take.mend is not None:
            landing = land(images, shown(conditioned.end, take.mend.frames))
            return Made(images, conditioned.end, landing)
        tail_frames, tail_latents = self.job.plan.motion_after(take.index)
        tail_frames = max(tail_frames, min(_TAIL_FRAMES, len(images) - 1))
        images = self.colour.images(take, images, take_of)
        if take.works_on_latents:
            tail_latents = max(tail_latents, _TAIL_LATENTS)
        latents = None
        if tail_latents:
            # Copied: a view would keep the whole clip in memory.
            latents = shown_latents("samples", samples)[0][:, -tail_latents:].clone()
        return Made(images, Lead(last_frames(images, tail_frames), latents))

    def end_of(self, clip: ChainClip) -> Tensor | None:
        """The image that a clip ends on."""
        images = self.job.sources.end_images
        if clip.end is None or images is None:
            return None
        return images[clip.end : clip.end + 1]

    def _embeds(self, clip: ChainClip, settings: ClipSettings, lead: Lead, end: Lead | None) -> dict[str, Any]:
        sources, start, vision = self.job.sources, lead.frames, None
        reference = sources.scene(clip.start_image).reference
        ends_on = self.end_of(clip)
        if clip.mend is not None and end is not None:
            ends_on = shown(end, clip.mend.frames)
        if sources.clip_vision is not None and start is not None:
            first = start[len(start) - clip.motion_frames :][:1]
            (vision,) = self.host.call("WanVideoClipVisionEncode", clip_vision=sources.clip_vision, image_1=first)
        made = make_clip(
            settings,
            ClipInputs(start_image=start, ref_image=reference, end_image=ends_on, clip_embeds=vision),
            Encoder(
                vae=sources.vae, tiled=self.job.settings.tiled_vae, device=self.host.device(),
                offload_device=self.host.offload_device(), before_encode=self.host.stop_if_cancelled,
            ),
        )  # fmt: skip
        self.host.free_memory()
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _latent_embeds(
        self, clip: ChainClip, settings: LatentSettings, lead: Lead, ends_on: Lead | None
    ) -> dict[str, Any]:
        end, previous = self.end_of(clip), None
        if lead.latents is not None:
            previous = {"samples": lead.latents[None]}
        elif self.video is not None and clip.led_by is None and clip.start_image is None:
            previous = self._encode(self.video)
        end_samples = None if end is None else self._encode(end)
        if clip.mend is not None and ends_on is not None:
            end_samples = self._ending(clip.mend, ends_on)
        made = make_latent_clip(
            settings, LatentInputs(anchor_samples=self._anchor(clip), prev_samples=previous, end_samples=end_samples)
        )
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _ending(self, mend: Mend, end: Lead) -> dict[str, Any]:
        """The latents that a mended clip ends on: those that were kept, or else the frames encoded."""
        if end.latents is not None and end.latents.shape[1] >= mend.latents:
            return {"samples": end.latents[None, :, -mend.latents :]}
        return self._encode(shown(end, frame_count(mend.latents)))

    def _anchor(self, clip: ChainClip) -> dict[str, Any]:
        return self._encode(self.job.sources.scene(clip.start_image).anchor)

    def _encode(self, image: Tensor | None) -> dict[str, Any]:
        """An image, or a video, at the clips' size as LATENT, each distinct one once."""
        if image is None:
            raise SVIError("there is no image to encode")
        key = fingerprint(image)
        if key not in self.encoded:
            settings = self.job.settings
            sized = resize_frames(image[..., :3], width=settings.width, height=settings.height)
            (self.encoded[key],) = self.host.call(
                "WanVideoEncode", vae=self.job.sources.vae, image=sized, enable_vae_tiling=settings.tiled_vae
            )
        return self.encoded[key]

    def _models(self, clip: ChainClip) -> tuple[Any, Any]:
        """The model that samples a clip and the low noise one, None without, with the LoRAs of its own."""
        sources = self.job.sources
        if clip.model == "first":
            high, low = sources.first_model, sources.first_low_model
        else:
            high, low = sources.sampler["model"], (sources.low_sampler or {}).get("model")
        return self._with_loras(high, clip.lora), self._with_loras(low, clip.lora_low)

    def _with_loras(self, model: Any, loras: Loras) -> Any:
        """A copy of the model that has them too, unmerged; the model itself stays as it is."""
        chosen = None
        for name, strength in loras:
            more: dict[str, Any] = {} if chosen is None else {"prev_lora": chosen}
            (chosen,) = self.host.call(
                "WanVideoLoraSelect", lora=name, strength=strength, merge_loras=False, **more
            )  # fmt: skip
        if not chosen:
            return model
        return self.host.call("WanVideoSetLoRAs", model=model, lora=chosen)[0]

    def _sample(self, clip: ChainClip, given: Conditioned) -> dict[str, Any]:
        settings, sources = self.job.settings, self.job.sources
        ours = {
            "image_embeds": sources.guides.join(clip, given.embeds), "text_embeds": given.text, "seed": clip.seed,
        }  # fmt: skip
        if clip.cfg is not None:
            ours["cfg"] = clip.cfg
        ours |= sources.guides.of(clip, width=settings.width, height=settings.height)
        high = {**sources.sampler, **ours, "model": given.models[0]}
        if sources.low_sampler is None:
            return self._run_sampler(high)
        low = {**sources.low_sampler, **ours, "model": given.models[1]}
        if settings.split_step:
            high |= {"start_step": 0, "end_step": settings.split_step}
            low |= {"start_step": settings.split_step, "end_step": -1}
        return self._run_sampler({**low, "samples": self._run_sampler(high)})

    def _run_sampler(self, arguments: dict[str, Any]) -> dict[str, Any]:
        samples: dict[str, Any] = self.host.call("WanVideoSamplerFromSettings", sampler_inputs=arguments)[0]
        return samples

    def _decode(self, samples: dict[str, Any]) -> Tensor:
        images: Tensor = self.host.call(
            "WanVideoDecode", vae=self.job.sources.vae, samples=samples, enable_vae_tiling=self.job.settings.tiled_vae
        )[0]
        return images
