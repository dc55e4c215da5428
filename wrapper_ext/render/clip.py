"""One clip of a chain made by an engine: what conditions it, sampled, decoded, its colours held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.comfy_vae import OUT_OF_MEMORY
from ...svi_embeds.clips.latents.make import make_latent_clip, shown_latents
from ...svi_embeds.clips.latents.settings import LatentInputs, LatentSettings
from ...svi_embeds.clips.pixels.make import make_clip
from ...svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.ground.images import last_frames, resize_frames
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.story.chain import ChainClip, Mend
from ...svi_embeds.timeline import frame_count
from ..engine.engine import Engine, Given
from ..engine.job import Job
from .colour import ColourHold
from .lead import Lead, video_to_encode
from .mend import land, shown
from .text import Texts

# Kept of each clip's end at least: what film wants, so that a chain can go on without its last clip being made again.
_TAIL_FRAMES, _TAIL_LATENTS = 5, 2


@dataclass(frozen=True, slots=True, eq=False)
class Conditioned:
    """What all takes of a clip are made with. end: what a mended clip ends on."""

    given: Given
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

    def __init__(self, job: Job, engine: Engine, colour: ColourHold) -> None:
        self.job, self.engine, self.colour = job, engine, colour
        self.text = Texts(job, engine, colour.folder)
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
        return Conditioned(Given(embeds, text, self.engine.models(clip)), end)

    def make(self, take: ChainClip, conditioned: Conditioned, take_of: Callable[[int], Take]) -> Made:
        """A take of a clip. take_of: gives the take on disk that the chain has of a clip, which colours are held to.

        Raises SVIError when it comes out with another length.
        """
        samples = self.engine.sample(take, conditioned.given)
        samples = self.colour.latents(take, samples, lambda: self._anchor(take)["samples"][0])
        images = self.engine.decode(samples)
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
        return Made(images, Lead(last_frames(images, tail_frames), latents, self.engine.space))

    def end_of(self, clip: ChainClip) -> Tensor | None:
        """The image that a clip ends on."""
        images = self.job.sources.end_images
        if clip.end is None or images is None:
            return None
        return images[clip.end : clip.end + 1]

    def _embeds(self, clip: ChainClip, settings: ClipSettings, lead: Lead, end: Lead | None) -> dict[str, Any]:
        start, vision = lead.frames, None
        reference = self.job.sources.scene(clip.start_image).reference
        ends_on = self.end_of(clip)
        if clip.mend is not None and end is not None:
            ends_on = shown(end, clip.mend.frames)
        if start is not None:
            vision = self.engine.vision(start[len(start) - clip.motion_frames :][:1])
        made = make_clip(
            settings,
            ClipInputs(start_image=start, ref_image=reference, end_image=ends_on, clip_embeds=vision),
            self.engine.encoder(),
        )
        if OUT_OF_MEMORY in made.info:
            self.notes.append(f"clip {clip.index + 1}: {OUT_OF_MEMORY}")
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _latent_embeds(
        self, clip: ChainClip, settings: LatentSettings, lead: Lead, ends_on: Lead | None
    ) -> dict[str, Any]:
        end, previous = self.end_of(clip), None
        if lead.latents is not None:
            previous = {"samples": lead.latents_in(self.engine.space)[None]}
        elif self.video is not None and clip.led_by is None and clip.start_image is None:
            previous = self._encode(self.video)
        end_samples = None if end is None else self._encode(end)
        if clip.mend is not None and ends_on is not None:
            end_samples = self._ending(clip.mend, ends_on)
        anchor = self._anchor(clip)
        made = make_latent_clip(
            replace(settings, latent_space=self.engine.space),
            LatentInputs(anchor_samples=anchor, prev_samples=previous, end_samples=end_samples),
        )
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _ending(self, mend: Mend, end: Lead) -> dict[str, Any]:
        """The latents that a mended clip ends on: those that were kept, or else the frames encoded."""
        if end.latents is not None and end.latents.shape[1] >= mend.latents:
            return {"samples": end.latents_in(self.engine.space)[None, :, -mend.latents :]}
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
            self.encoded[key] = self.engine.encode(sized)
        return self.encoded[key]
