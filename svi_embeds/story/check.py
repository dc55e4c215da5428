"""Whether the parts of a chain fit together, as far as its settings and what is connected tell."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ..colour.choices import check_mkl
from ..errors import SVIError
from .chain import ChainClip, ChainPlan
from .settings import ChainConnected, ChainSettings


def colour_method(clip: ChainClip, settings: ChainSettings) -> str:
    """How a clip's colours are held. The first clip of a scene is what the others are held to; an end image has its
    own."""
    held_to_itself = clip.index == clip.scene and (clip.works_on_latents or settings.color_match_to == "clip_1")
    if clip.end is not None or clip.mend or held_to_itself or not settings.color_match_strength:
        return "off"
    return clip.color or settings.color_match


def check_chain(plan: ChainPlan, settings: ChainSettings, connected: ChainConnected) -> None:
    """Raises SVIError for a chain that could not be sampled with what is connected."""
    clips = plan.clips
    methods = {clip.color or settings.color_match for clip in clips} - {"off"}
    if methods and settings.color_match_to == "reference" and not connected.has_original:
        raise SVIError(
            "color_match_to reference needs the original image: connect ref_image, or hold the colours of clip_1"
        )
    if "mkl" in methods:
        check_mkl()
    if any(clip.works_on_latents for clip in clips):
        if not connected.has_anchor:
            raise SVIError("svi2_pro needs an anchor: connect ref_image, the original image (or a start_image)")
        if connected.clip_vision:
            raise SVIError("svi2_pro is for Wan 2.2, which takes no CLIP vision: disconnect clip_vision")
    _check_text(plan, connected)
    if not connected.low_noise:
        for clip in clips:
            if clip.lora_low:
                raise clip.wrong("lora_low is for the low noise model, and there is none: use lora, or connect it")
        if settings.split_step:
            raise SVIError(
                "split_step needs low_noise_model or low_noise_sampler_inputs: connect one, or set split_step to 0"
            )
        if connected.first_clip_low_noise_model:
            raise SVIError("first_clip_low_noise_model needs low_noise_model: connect it, or disconnect this one")
    elif any(clip.model == "first" for clip in clips) and not connected.first_clip_low_noise_model:
        raise SVIError("first_clip_model needs first_clip_low_noise_model beside it: a pair samples with two models")


def _check_text(plan: ChainPlan, connected: ChainConnected) -> None:
    if len(connected.texts) != 1:
        came = f"got {' and '.join(connected.texts)}" if connected.texts else "none is connected"
        raise SVIError(
            f"the prompts need exactly one of t5, clip and text_embeds, {came}: t5 (WanVideo T5 Text Encoder Loader) "
            "or clip encode the story's prompts, text_embeds is one prompt for all clips"
        )
    if not connected.encodes_text:
        if (prompts := len({clip.prompt for clip in plan.clips})) > 1:
            raise SVIError(
                f"the story has {prompts} prompts, but text_embeds is one prompt for all clips: connect t5 or clip "
                "instead"
            )
        return
    for clip in plan.clips:
        if not clip.prompt:
            raise clip.wrong("has no prompt: write one", joint=" ")


def check_loras(plan: ChainPlan, there: Sequence[str]) -> None:
    """Raises SVIError, at its clip, for a LoRA that is none of the files `there`, as ComfyUI names them."""
    known = set(there)
    for clip in plan.clips:
        for name, _ in (*clip.lora, *clip.lora_low):
            if name not in known:
                near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
                meant = f"did you mean {near[0]}?" if near else "press R to read the folders again"
                raise clip.wrong(f"lora {name[:100]} is not in ComfyUI's loras folders: {meant}")


def unused(plan: ChainPlan, settings: ChainSettings, connected: ChainConnected) -> list[str]:
    """What is connected, or set, and decides nothing, a sentence each."""
    clips, notes = plan.clips, []
    if connected.end_images != 0 and all(clip.end is None for clip in clips):
        notes.append("end_images are not used: no block of the story says end=0")
    if connected.first_clip_model and all(clip.model == "main" for clip in clips):
        notes.append(
            "first_clip_model is not used: clip 1 continues from a video, as the SVI LoRA was made to ([model=first] "
            "in its block uses it)"
            if clips[0].motion_latents
            else "first_clip_model is not used: every block says model=main"
        )
    from_anchor = clips[0].works_on_latents and not clips[0].motion_latents
    if connected.start_frames and connected.reference_frames and from_anchor:
        notes.append("start_image is not used: svi2_pro begins from its anchor, which is ref_image")
    if connected.start_images and all(clip.start_image is None for clip in clips):
        notes.append("start_images are not used: no block of the story says cut start=0")
    if settings.color_match != "off" and all(colour_method(clip, settings) == "off" for clip in clips):
        notes.append(
            "color_match holds no clip here: clip 1 is what the others are held to, clips with end or [color=off] are "
            "left alone, and so are all at strength 0"
        )
    return notes
