"""image_embeds as native models take them: raw latents, masks in native polarity, CLIP vision, an empty LATENT.

What the model makes of it is ComfyUI's, comfy/model_base.py, WAN21.concat_cond: `process_latent_in` of the latents, 16
(or 48) channels at a time, and 1 - mask; a mask of four channels is taken as it is, one of a single channel repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ...ground.words import write_info
from ...masks.known import concat_from_known, count_concat, per_frame, unpack_known
from ..embeds import describe_embeds
from ..embeds_native import NativeParts, native_parts
from ..latent_space import VAE_CHANNELS
from ..latent_space import to_native as raw_of
from ..native_sources import RawLatents, channel_groups, raw_latents_of
from ..vae import CHANNELS
from .conditioning import VisionFeatures, check_conditioning, vision_states, with_values


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NativeClip:
    """One clip as native nodes hand it on.

    concat_latent_image: 1 C T h w in native space, C = 16 or 48, twice that with a control signal in front.
    concat_mask: 1 4 T h w float32, 0 = kept. concat_mask_index: the channel that the mask goes before.
    reference_latents: 1 C 1 h w each, in native space, for Fun models. clip_vision, negative_clip_vision: objects with
    `penultimate_hidden_states`.
    shape: of the LATENT to sample, 1 C T h w. trim_front, trim_end: latents to drop from what was sampled.
    info: what it is and what was adjusted, in words.
    """

    concat_latent_image: Tensor
    concat_mask: Tensor
    concat_mask_index: int = 0
    reference_latents: tuple[Tensor, ...] = ()
    clip_vision: Any = None
    negative_clip_vision: Any = None
    shape: tuple[int, int, int, int, int]
    trim_front: int = 0
    trim_end: int = 0
    info: str = field(default="")

    def condition(self, conditioning: object, *, name: str = "positive", negative: bool = False) -> list[list[Any]]:
        """A CONDITIONING with this clip in it; the given one stays. negative: takes the negative's CLIP vision."""
        values: dict[str, Any] = {"concat_latent_image": self.concat_latent_image, "concat_mask": self.concat_mask}
        before = [entry for _, entry in check_conditioning(name, conditioning)]
        if self.concat_mask_index or any("concat_mask_index" in entry for entry in before):
            values["concat_mask_index"] = self.concat_mask_index
        if self.reference_latents:
            values["reference_latents"] = list(self.reference_latents)
        vision = self.negative_clip_vision if negative and self.negative_clip_vision is not None else self.clip_vision
        if vision is not None:
            values["clip_vision_output"] = vision
        return with_values(name, conditioning, values)

    def latent(self) -> dict[str, Tensor]:
        """An empty LATENT to sample."""
        return {"samples": torch.zeros(self.shape)}

    def __repr__(self) -> str:
        return f"NativeClip({list(self.concat_latent_image.shape)}, mask before channel {self.concat_mask_index})"


def to_native(embeds: object, *, clip_vision_output: Any = None) -> NativeClip:
    """Image-to-video embeds, this pack's or the wrapper's own, as native models take them. Nothing given is changed.

    clip_vision_output: CLIP vision of ComfyUI's own, for both prompts, in place of what the embeds hold.
    Raises SVIError for embeds that do not read, and for what a native model cannot be given.
    """
    parts = native_parts(embeds)
    vision_states(clip_vision_output)
    raw = raw_latents_of(parts.embeds)
    latents, channels, index = raw.latents, raw.latents.shape[0], 0
    if parts.control is not None:
        groups = parts.control.detach().cpu().float().chunk(channel_groups(parts.control))
        control = torch.cat([raw_of(group) for group in groups])
        index, latents = len(control), torch.cat([control.to(latents.dtype), latents])
    known = parts.known.detach().to("cpu", torch.float32)
    references: tuple[Tensor, ...] = ()
    if parts.reference is not None:
        references = (raw_of(parts.reference.detach().cpu().float().transpose(0, 1)[:, :1])[None],)
    sampled = channels if channels in VAE_CHANNELS else CHANNELS
    return NativeClip(
        concat_latent_image=latents[None],
        concat_mask=concat_from_known(known)[None],
        concat_mask_index=index,
        reference_latents=references,
        clip_vision=_vision(parts.clip_vision) if clip_vision_output is None else clip_vision_output,
        negative_clip_vision=_vision(parts.negative_clip_vision) if clip_vision_output is None else None,
        shape=(1, sampled, *latents.shape[1:]),
        trim_front=parts.in_front,
        trim_end=parts.behind,
        info=_words(parts, raw, known, vision_given=clip_vision_output is not None),
    )


def _vision(features: Tensor | None) -> VisionFeatures | None:
    return None if features is None else VisionFeatures(features.detach().cpu().clone())


def _words(parts: NativeParts, raw: RawLatents, known: Tensor, *, vision_given: bool) -> str:
    values = per_frame(unpack_known(known, end_apart=bool(parts.behind)))
    total = raw.latents.shape[1]
    said = [
        f"{count} {what}"
        for count, what in (
            (raw.carried, "as the VAE made them"),
            (raw.zeros, "zero for the model"),
            (raw.converted, "converted back from the wrapper's space (the last bits are rounded)"),
        )
        if count
    ]
    head = [
        describe_embeds(parts.embeds),
        f"concat_mask (native): {count_concat(values)}",
        f"concat_latent_image: {total} latents, {', '.join(said)}",
    ]
    notes = []
    if vision_given and parts.clip_vision is not None:
        notes.append("clip_vision_output takes the place of the CLIP vision in image_embeds")
    if parts.in_front:
        notes.append(
            f"{parts.in_front} of the {total} latents stand in front of the clip: drop as many from what was sampled, "
            "before it is decoded (Trim Video Latent with trim_latent)"
        )
    if parts.behind:
        notes.append(
            f"the last of the {total} latents is the end apart: drop it from what was sampled, before it is decoded "
            f"(Latent Cut, dim t, index 0, amount {total - 1})"
        )
    if parts.control is not None:
        notes.append(
            f"control stands before the mask (concat_mask_index {parts.control.shape[0]}), for Fun Control models; "
            "those of Wan 2.1 (48 input channels) take no mask, and here they get every image latent, where the "
            "wrapper's sampler zeroes all but the first"
        )
    if parts.reference is not None:
        notes.append("the Fun reference goes as reference_latents: only models that were made for one read it")
    if raw.latents.shape[0] == 48:
        notes.append(
            "48 channels: for models of the 5B kind that take conditioning latents (100 or 148 input channels). The "
            "plain 5B model takes none: its start goes through Wan22ImageToVideoLatent"
        )
    if parts.left_out:
        notes.append(f"not carried over: {', '.join(parts.left_out)}")
    return write_info(head, notes)
