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
                "tooltip": "One prompt per clip, blocks separated by a line ---. A block may begin with settings, "
                "as [seed=7 frames=49 overlap=5 mode=i2v model=first end=0 cfg=4 repeat=2].",
            },
        ),
        "mode": (
            list(modes),
            {
                "default": "film",
                "tooltip": "The SVI LoRA of the chain. The first clip is plain i2v when first_clip_model is "
                "connected or start_image has too few frames for the mode.",
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
                "tooltip": "Motion frames between clips, dropped once when joined. 0 = what the mode needs.",
            },
        ),
        "seed": (
            "INT",
            {
                "default": 0, "min": 0, "max": MAX_SEED, "control_after_generate": False,
                "tooltip": "Of the first clip; each clip after it gets 42 more.",
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
                "tooltip": "Name of the folder that keeps the clips, in output/svi_reels unless the settings "
                "say otherwise.",
            },
        ),
        "resume": (
            "BOOLEAN",
            {
                "default": True,
                "tooltip": "On: clips of the reel that are still true are kept. Off: every clip is made again.",
            },
        ),
        "start_image": (
            "IMAGE",
            {
                "tooltip": "What the video begins with: an image, or a clip of your own to continue from. Any "
                "size. svi2_pro encodes the clip and continues from its last latents."
            },
        ),
        "ref_image": (
            "IMAGE",
            {
                "tooltip": "The original image, for modes with reference padding and as svi2_pro's anchor. "
                "Left out: start_image, if it is one image; its first frame as svi2_pro's anchor."
            },
        ),
        "end_images": (
            "IMAGE",
            {"tooltip": "Images that clips with end=N in the story end on; N counts from 0. Any size."},
        ),
        "negative_prompt": (
            "STRING",
            {"default": _NEGATIVE, "multiline": True, "tooltip": "Of every clip; not used with text_embeds."},
        ),
        "clip_vision": (
            "CLIP_VISION",
            {"tooltip": "For Wan 2.1: sees the first motion frame of each clip. Wan 2.2 takes none."},
        ),
        "fun_or_fl2v_model": (
            "BOOLEAN",
            {"default": True, "tooltip": "On for Fun InP and FLF2V models. Matters only with end images."},
        ),
        "tiled_vae": ("BOOLEAN", {"default": False, "tooltip": "Encode and decode in tiles: less memory."}),
        "audio": (
            "AUDIO",
            {
                "tooltip": "The sound of the video, from the first frame of clip 1 on. With multitalk_embeds "
                "on the settings node: what they were made of."
            },
        ),
        **color_inputs("each clip, towards its end,"),
        "color_match_to": (
            list(COLOUR_TARGETS),
            {
                "default": "clip_1",
                "tooltip": "Whose colours color_match holds: those of the first clip, or of the reference "
                "image. svi2_pro holds its anchor's statistics.",
            },
        ),
        "skip_repeated": (
            "BOOLEAN",
            {
                "default": False,
                "tooltip": "On: the video leaves out the frames of clip 1 that show the end of start_image "
                "again, so that it continues where that ends. No clip is made again for it.",
            },
        ),
        "takes": (
            "INT",
            {
                "default": 1, "min": 1, "max": MAX_TAKES, "step": 1,
                "tooltip": "How often each clip is made, each time with the next seed; the best one by its "
                "drift and seam leads on. All stay in the reel. [takes=3 pick=2] in a block, or pick=stop.",
            },
        ),
        "clips_per_run": (
            "INT",
            {
                "default": 0, "min": 0, "max": 1000, "step": 1,
                "tooltip": "The run ends after so many new clips, with the video so far; queue again to "
                "continue. 0 = all clips in one run.",
            },
        ),
        "mend": (
            "STRING",
            {
                "default": "",
                "tooltip": "Clips that are made again between their neighbours, which stay, by number: 4, 7. "
                "As [mend] in a block. For models that take end frames: FLF2V, Fun InP, Wan 2.2 I2V.",
            },
        ),
        "mend_limit": (
            "FLOAT",
            {
                "default": 2.0, "min": 0.0, "max": 100.0, "step": 0.1,
                "tooltip": "How visible the seams of a mended clip may be, 1 is none: a worse one is kept as a "
                "take, and what stood there stays. 0 = any.",
            },
        ),
        "start_images": (
            "IMAGE",
            {
                "tooltip": "Images that scenes with [cut start=N] in the story begin with; N counts from 0. "
                "Any size. Without ref_image each is the original of its scene."
            },
        ),
        "only": (
            "STRING",
            {
                "default": "",
                "tooltip": "Makes only these clips now, by number: 3, 5-7, or 9.2 for the second take of clip "
                "9. What leads them must be in the reel. The next run with this empty takes them in. Empty = "
                "the whole chain.",
            },
        ),
    }  # fmt: skip
