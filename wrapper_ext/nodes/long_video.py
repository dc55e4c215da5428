"""WanVideoSVILongVideo: a whole chain in one node."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.colour.choices import COLOUR_TARGETS
from ...svi_embeds.errors import SVIError
from ..host import comfy
from ..host import files as host_files
from ..host import show as host_show
from .inputs import CATEGORY, color_inputs, fold, size_inputs

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


class WanVideoSVILongVideo:
    """A chain of clips from a story, rendered into a reel."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Renders a whole chain from a story: one prompt per block, clip after clip, each kept on disk as soon as it is "
        "done. A stopped run continues where it was, and after an edit only the clips that it changes are made again."
    )
    FUNCTION = "render"
    OUTPUT_NODE = True
    RETURN_TYPES = ("SVI_REEL", "IMAGE", "VIDEO", "STRING")
    RETURN_NAMES = ("reel", "last_frames", "video", "info")
    OUTPUT_TOOLTIPS = (
        "The clips on disk, for the SVI Reel nodes.",
        "What would lead the next clip: the last frames of the last clip, exact, in the video or not.",
        "The joined chain as a video file (H.264), for Save Video.",
        "The plan, clip by clip, and what was kept and made.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.story.text import CHAIN_MODES, MAX_SEED, MAX_TAKES

        inputs = {
            "required": {
                "sampler_inputs": (
                    "SAMPLER_ARGS",
                    {
                        "tooltip": "From WanVideo Sampler Settings: model and every sampler option. Its image_embeds "
                        "(WanVideo Empty Embeds serves) and seed are replaced per clip."
                    },
                ),
                "vae": ("WANVAE", {"tooltip": "From WanVideo VAE Loader."}),
                "story": (
                    "STRING",
                    {
                        "default": _STORY, "multiline": True,
                        "tooltip": "One prompt per clip, blocks separated by a line ---. A block may begin with "
                        "settings, as [seed=7 frames=49 overlap=5 mode=i2v model=first end=0 cfg=4 repeat=2].",
                    },
                ),
                "mode": (
                    list(CHAIN_MODES),
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
            },
            "optional": {
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
                "t5": (
                    "WANTEXTENCODER",
                    {
                        "lazy": True,
                        "tooltip": "From WanVideo T5 Text Encoder Loader: encodes the prompts. Not loaded where the "
                        "reel has them all."
                    },
                ),
                "clip": ("CLIP", {"lazy": True, "tooltip": "Instead of t5: ComfyUI's own text encoder (type wan)."}),
                "text_embeds": (
                    "WANVIDEOTEXTEMBEDS",
                    {"tooltip": "Instead of t5 and clip: one prompt for all clips, encoded before."},
                ),
                "negative_prompt": (
                    "STRING",
                    {"default": _NEGATIVE, "multiline": True, "tooltip": "Of every clip; not used with text_embeds."},
                ),
                "clip_vision": (
                    "CLIP_VISION",
                    {"tooltip": "For Wan 2.1: sees the first motion frame of each clip. Wan 2.2 takes none."},
                ),
                "first_clip_model": (
                    "WANVIDEOMODEL",
                    {"tooltip": "The model without the SVI LoRA, for the first clip: with it motion freezes there."},
                ),
                "low_noise_model": (
                    "WANVIDEOMODEL",
                    {
                        "tooltip": "The low noise model of a Wan 2.2 pair, with the settings of sampler_inputs (whose "
                        "model is then the high one). Set split_step."
                    },
                ),
                "low_noise_sampler_inputs": (
                    "SAMPLER_ARGS",
                    {"tooltip": "Instead of low_noise_model, where the two stages differ in settings, as in cfg."},
                ),
                "first_clip_low_noise_model": (
                    "WANVIDEOMODEL",
                    {"tooltip": "The low noise model without the SVI LoRA, beside first_clip_model."},
                ),
                "split_step": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 10000, "step": 1,
                        "tooltip": "Step at which the low noise model takes over. 0 = end_step and start_step of the "
                        "two settings nodes.",
                    },
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
            },
            "hidden": {"unique_id": "UNIQUE_ID", "prompt": "PROMPT"},
        }  # fmt: skip
        return fold(
            inputs,
            "overlap_frames", "fps", "resume", "negative_prompt", "fun_or_fl2v_model", "tiled_vae", "color_match",
            "color_match_strength", "color_match_to", "skip_repeated", "takes", "clips_per_run", "mend", "mend_limit",
            "only",
        )  # fmt: skip

    @classmethod
    def VALIDATE_INPUTS(cls, story: str | None = None) -> bool | str:
        """Answers what is wrong with the node before anything runs; a linked story is None here."""
        from .troubles import trouble_of

        if not comfy.has_wrapper():
            return comfy.INSTALL_HINT
        return True if story is None else trouble_of(story) or True

    @classmethod
    def IS_CHANGED(cls, reel: str | None = None, **_: Any) -> str:
        """Another value each time the reel is found not to be as this process left it."""
        from ...svi_embeds.reel.reel import check_reel_name
        from ..render.long_video import changes_of

        try:
            folder = host_files.reels_folder() / check_reel_name(reel)
        except SVIError:
            return ""
        return str(changes_of(folder))

    def check_lazy_status(
        self, unique_id: str | None = None, prompt: dict[str, Any] | None = None, **inputs: Any
    ) -> list[str]:
        """Text encoders that are to be loaded for this run."""
        from ..render.long_video import encoders_to_load

        return encoders_to_load(inputs, unique_id=unique_id, prompt=prompt)

    def render(
        self, unique_id: str | None = None, prompt: dict[str, Any] | None = None, **inputs: Any
    ) -> dict[str, Any]:
        from ..render.long_video import render_story

        comfy.require_wrapper()
        done = render_story(inputs, unique_id=unique_id, prompt=prompt)
        host_show.show_text(unique_id, f"Last run: {done.info.splitlines()[0]}")
        shown = {"images": [host_files.output_file(done.video)], "animated": (True,), "text": [done.info]}
        return {
            # The last is for programs that queue the graph, as `wanvideo-svi render`.
            "ui": {**shown, "svi_run": [{"made": done.made, "waits": done.waits}]},
            "result": (done.reel, done.last_frames, host_show.video_from_file(done.video), done.info),
        }


NODE_CLASS_MAPPINGS = {"WanVideoSVILongVideo": WanVideoSVILongVideo}
NODE_DISPLAY_NAME_MAPPINGS = {"WanVideoSVILongVideo": "WanVideo SVI Long Video"}
