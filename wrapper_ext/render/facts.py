"""What decides a clip: every field of its row, of what it is made with and of the chain's settings, but those named.

A digest of these facts says whether a clip on disk is still true. A field that is added to one of them counts by
itself, unless it has its default, so that older reels stay true; one that decides nothing is named in NOT_DECIDING.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from ...svi_embeds.clips.latents.settings import LatentSettings
from ...svi_embeds.clips.pixels.settings import ClipSettings
from ...svi_embeds.ground.fingerprint import fingerprint
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.check import colour_method
from ...svi_embeds.story.settings import ChainSettings

# Changes when the same inputs give another clip, so that older reels are not taken for true.
_RENDERING = 1

# Fields that decide nothing of a clip's frames, and why.
NOT_DECIDING: dict[type, dict[str, str]] = {
    ChainClip: {
        "line": "where its block stands in the text",
        "index": "where it stands in the video; its number counts",
        "stands": "where it stood in the reel",
        "overlap_frames": "what the video leaves out of it",
        "until": "where it is in the video; voice and poses count by their part for it",
        "settings": "counts by its own fields",
        "plan": "follows from the settings and what leads the clip",
        "takes": "how often it is made; each take has a seed of its own",
        "pick": "which take is chosen",
        "led_by": "counts by what leads it",
        "start_image": "counts by what leads it, and by the original image",
    },
    ChainSettings: {
        "mode": "each clip has its own",
        "num_frames": "each clip has its own",
        "overlap_frames": "each clip has its own",
        "seed": "each clip has its own",
        "fps": "how fast the video plays",
        "skip_repeated": "what the video leaves out of clip 1",
        "takes": "each clip has its own",
        "mend": "each clip has its own",
    },
    ClipSettings: {"repeat_padding_latents": "the latents are the same either way"},
    LatentSettings: {"motion_latents": "follows from the motion frames"},
}
# Fields that count in the form that `facts_of` gives them, which is that of the first reels.
IN_OWN_FORM: dict[type, frozenset[str]] = {
    ChainClip: frozenset({
        "number", "mend", "prompt", "mode", "model", "seed", "num_frames", "motion_frames", "known", "padding",
        "ref_strength", "end", "cfg", "color", "scene",
    }),
    ChainSettings: frozenset({
        "width", "height", "negative_prompt", "split_step", "fun_or_fl2v_model", "tiled_vae", "color_match",
        "color_match_strength", "color_match_to",
    }),
    # Of what a clip is made with, these are the row's and the chain's.
    ClipSettings: frozenset({
        "mode", "width", "height", "num_frames", "overlap_frames", "known_frames", "padding", "ref_strength",
        "fun_or_fl2v_model",
    }),
    LatentSettings: frozenset({"num_frames", "known_frames", "padding", "ref_strength", "fun_or_fl2v_model"}),
}  # fmt: skip


def facts_of(clip: ChainClip, settings: ChainSettings, *, encodes_text: bool) -> dict[str, Any]:
    """Facts that decide a clip, by name, as far as they are known without models and images.

    encodes_text: whether prompts are encoded, rather than one text that was encoded before.
    """
    return {
        "rendering": _RENDERING,
        "index": clip.number,
        **({} if clip.mend is None else {"mended": True}),
        "row": [
            clip.mode, clip.seed, clip.num_frames, clip.motion_frames, clip.known, clip.padding, clip.ref_strength,
            clip.model, clip.cfg,
        ],
        "text": [clip.prompt, settings.negative_prompt] if encodes_text else None,
        "size": [settings.width, settings.height],
        "end": None if clip.end is None else [clip.end, settings.fun_or_fl2v_model],
        "tiled": settings.tiled_vae,
        **colour_facts(clip, settings, None),
        **_others("clip", clip),
        **_others("made", clip.settings),
        **_others("chain", settings),
    }  # fmt: skip


def _others(of: str, row: ChainClip | ChainSettings | ClipSettings | LatentSettings) -> dict[str, Any]:
    told = NOT_DECIDING[type(row)].keys() | IN_OWN_FORM[type(row)]
    return {
        f"{of}.{field.name}": value
        for field in fields(row)
        if field.name not in told and (value := getattr(row, field.name)) != field.default
    }


def colour_facts(clip: ChainClip, settings: ChainSettings, reference_print: str | None) -> dict[str, Any]:
    """What of holding colours decides a clip; nothing where they are left alone, as in older reels.

    reference_print: a digest of the reference image, None where that is not known.
    """
    method = colour_method(clip, settings)
    if method == "off":
        return {}
    return {
        "color": [
            "latents" if clip.works_on_latents else method, settings.color_match_strength, settings.color_match_to,
            reference_print if settings.color_match_to == "reference" else None,
        ]
    }  # fmt: skip


def prints_of(plan: ChainPlan, settings: ChainSettings, *, encodes_text: bool) -> Iterator[str]:
    """A digest per clip of those facts, of it and of all clips that lead it: where two are equal, nothing on the node
    differs."""
    prints: list[str] = []
    for clip in plan.clips:
        lead = None if clip.led_by is None else prints[clip.led_by]
        prints.append(print_of(clip, settings, lead, encodes_text=encodes_text))
        yield prints[-1]


def print_of(clip: ChainClip, settings: ChainSettings, lead: str | None, *, encodes_text: bool) -> str:
    """See `prints_of`. lead: the print of the clip that leads it, None where a scene begins."""
    if lead is None:
        lead = "" if clip.start_image is None else f"start image {clip.start_image}"
    facts = facts_of(clip, settings, encodes_text=encodes_text)
    return fingerprint([facts, settings.split_step, lead])[:32]
