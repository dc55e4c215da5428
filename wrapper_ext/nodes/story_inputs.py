"""What the Long Video nodes have alike, whatever samples their clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...svi_embeds.colour.choices import COLOUR_TARGETS
from .inputs import color_inputs, size_inputs

_STORY = """A woman in a red coat walks through fresh snow, slow tracking shot.
---
She stops and looks up, the wind moves her hair.
---
Northern lights appear above her, she smiles."""

# What the wrapper's own examples use.
_NEGATIVE = (
    "overexposed, static, blurred details, subtitles, worst quality, low quality, jpeg artifacts, ugly, deformed, "
    "extra fingers, still picture, cluttered background"
)

# Widgets that most people leave as they are, see `fold`.
FOLDED = (
    "overlap_frames", "fps", "resume", "negative_prompt", "fun_or_fl2v_model", "tiled_vae", "color_match",
    "color_match_strength", "color_match_to", "skip_repeated", "takes", "clips_per_run", "mend", "mend_limit", "only",
)  # fmt: skip


# What they have, in groups between which each node has inputs of its own. Widgets are saved in this order.
CHAIN = (
    "story", "mode", "width", "height", "num_frames", "overlap_frames", "seed", "fps", "reel", "resume",
)  # fmt: skip
IMAGES = ("start_image", "ref_image", "end_images")
TEXT = ("negative_prompt", "clip_vision")
REST = (
    "fun_or_fl2v_model", "tiled_vae", "audio", "color_match", "color_match_strength", "color_match_to",
    "skip_repeated", "takes", "clips_per_run", "mend", "mend_limit", "start_images", "only",
)  # fmt: skip


def groups_of(modes: Sequence[str]) -> Callable[[Sequence[str]], dict[str, Any]]:
    """Gives the inputs of a group. modes: those that the node can make."""
    known = _inputs(modes)
    return lambda names: {name: known[name] for name in names}


def _inputs(modes: Sequence[str]) -> dict[str, Any]:
    from ...svi_embeds.story.text import MAX_SEED, MAX_TAKES

    return {
        "story": (
            "STRING",
            {
                "default": _STORY, "multiline": True,
                "tooltip": "One prompt per clip, with a line that holds only --- between clips. A prompt may begin "
                "with settings in brackets, for example [seed=7 frames=49 cfg=4 repeat=2]; the help page lists "
                "all of them.",
            },
        ),
        "mode": (
            list(modes),
            {
                "default": "film",
                "tooltip": "The mode that fits your SVI LoRA. Clip 1 is made as plain i2v when first_clip_model is "
                "connected, or when start_image has fewer frames than the mode needs.",
            },
        ),
        **size_inputs(),
        "num_frames": (
            "INT",
            {
                "default": 81, "min": 5, "max": 10001, "step": 4,
                "tooltip": "Frames of each clip, motion frames included: 4k+1, usually 81.",
            },
        ),
        "overlap_frames": (
            "INT",
            {
                "default": 0, "min": 0, "max": 1000, "step": 1,
                "tooltip": "How many frames two neighbouring clips share (motion frames). The joined video shows them "
                "once. 0 = what the mode needs.",
            },
        ),
        "seed": (
            "INT",
            {
                "default": 0, "min": 0, "max": MAX_SEED, "control_after_generate": False,
                "tooltip": "Seed of clip 1. Each later clip has the seed of the one before plus 42.",
            },
        ),
        "fps": (
            "FLOAT",
            {"default": 16.0, "min": 1.0, "max": 120.0, "step": 0.01,
             "tooltip": "Frames per second of the video."},
        ),
        "reel": (
            "STRING",
            {
                "default": "long_video",
                "tooltip": "Name of the folder in output/svi_reels that keeps the clips (ComfyUI's settings can name "
                "another place). A new name begins a new video.",
            },
        ),
        "resume": (
            "BOOLEAN",
            {
                "default": True,
                "tooltip": "On: clips on disk are kept when their prompt, settings and models have not changed. Off: "
                "every clip is rendered again.",
            },
        ),
        "start_image": (
            "IMAGE",
            {
                "tooltip": "The image that the video begins with, or a video clip of your own to continue from. Any "
                "size. svi2_pro encodes a clip and continues from its last latents."
            },
        ),
        "ref_image": (
            "IMAGE",
            {
                "tooltip": "The original image, for modes with reference padding and as the anchor of svi2_pro. Not "
                "connected: start_image if it is one image, or its first frame as the anchor of svi2_pro."
            },
        ),
        "end_images": (
            "IMAGE",
            {"tooltip": "Images for clips with [end=N] in the story: such a clip ends on image N, counted from 0. Any "
            "size."},
        ),
        "negative_prompt": (
            "STRING",
            {"default": _NEGATIVE, "multiline": True, "tooltip": "The negative prompt of every clip. Not used with "
            "text_embeds."},
        ),
        "clip_vision": (
            "CLIP_VISION",
            {"tooltip": "For Wan 2.1 models: encodes the first motion frame of each clip. Wan 2.2 models take none."},
        ),
        "fun_or_fl2v_model": (
            "BOOLEAN",
            {"default": True, "tooltip": "On for Fun InP and FLF2V models. Matters only with end images."},
        ),
        "tiled_vae": ("BOOLEAN", {"default": False, "tooltip": "Encode and decode in tiles: less memory."}),
        "audio": (
            "AUDIO",
            {
                "tooltip": "The sound of the video, from the first frame of clip 1 on. With multitalk_embeds on the "
                "settings node: the audio that those were made from."
            },
        ),
        **color_inputs("each clip, towards its end,"),
        "color_match_to": (
            list(COLOUR_TARGETS),
            {
                "default": "clip_1",
                "tooltip": "Which colours color_match holds: those of clip 1, or of the reference image. svi2_pro "
                "holds the mean and spread of its anchor.",
            },
        ),
        "skip_repeated": (
            "BOOLEAN",
            {
                "default": False,
                "tooltip": "For a start_image that is a clip of your own. On: the joined video leaves out the frames "
                "of clip 1 that repeat the end of your clip, so that both can be joined. No clip is rendered "
                "again.",
            },
        ),
        "takes": (
            "INT",
            {
                "default": 1, "min": 1, "max": MAX_TAKES, "step": 1,
                "tooltip": "How many versions (takes) of each clip are rendered, each with the next seed. The chain "
                "continues from the one with the least drift and seam; all are kept. For one clip: [takes=3 "
                "pick=2], or pick=stop to choose yourself.",
            },
        ),
        "clips_per_run": (
            "INT",
            {
                "default": 0, "min": 0, "max": 1000, "step": 1,
                "tooltip": "The run stops after this many new clips and joins the video so far; queue again to "
                "continue. 0 = all clips in one run.",
            },
        ),
        "mend": (
            "STRING",
            {
                "default": "",
                "tooltip": "Numbers of clips to render again between their neighbours, which stay as they are: 4, 7. "
                "The same as [mend] in the story. Works best with models trained with end frames: FLF2V, Fun InP, "
                "Wan 2.2 I2V.",
            },
        ),
        "mend_limit": (
            "FLOAT",
            {
                "default": 2.0, "min": 0.0, "max": 100.0, "step": 0.1,
                "tooltip": "How visible the seams of a mended clip may be: 1 = no seam to see, 2 = twice the usual "
                "step between frames. A worse one is kept as a take, and the earlier clip stays in the video. 0 = "
                "no limit.",
            },
        ),
        "start_images": (
            "IMAGE",
            {
                "tooltip": "Images for scenes that begin with [cut start=N] in the story, counted from 0. Any size. "
                "Without ref_image, each is also the reference of its scene."
            },
        ),
        "only": (
            "STRING",
            {
                "default": "",
                "tooltip": "Numbers of the only clips to render in this run: 3, 5-7, or 9.2 for take 2 of clip 9. The "
                "clips that lead them must be on disk. The video of this run shows only these; the next run with "
                "this empty uses them in the whole chain. Empty = all clips.",
            },
        ),
    }  # fmt: skip
