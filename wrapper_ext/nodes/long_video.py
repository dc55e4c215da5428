"""A whole chain in one node: WanVideoSVILongVideo, and WanVideoSVILongVideoNative."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from ...svi_embeds.errors import SVIError
from ..host import comfy
from ..host import files as host_files
from ..host import show as host_show
from .inputs import CATEGORY, fold
from .story_inputs import CHAIN, FOLDED, IMAGES, REST, TEXT, groups_of


class _LongVideo:
    """What the Long Video nodes do alike. ENGINE: whose nodes sample."""

    ENGINE: ClassVar[Literal["wrapper", "native"]]
    CATEGORY = CATEGORY
    FUNCTION = "render"
    OUTPUT_NODE = True
    RETURN_TYPES = ("SVI_REEL", "IMAGE", "VIDEO", "STRING")
    RETURN_NAMES = ("reel", "last_frames", "video", "info")
    OUTPUT_TOOLTIPS = (
        "The clips on disk, for the SVI Reel nodes.",
        "The exact last frames of the last clip, in the video or not: connect them to start_image of a chain that "
        "continues.",
        "The joined video (H.264), for Save Video.",
        "The plan, clip by clip, with what was kept and what was rendered.",
    )

    @classmethod
    def VALIDATE_INPUTS(cls, story: str | None = None) -> bool | str:
        """Answers what is wrong with the node before anything runs; a linked story is None here."""
        from .troubles import trouble_of

        if cls.ENGINE == "wrapper" and not comfy.has_wrapper():
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

        return encoders_to_load(inputs, engine=self.ENGINE, unique_id=unique_id, prompt=prompt)

    def render(
        self, unique_id: str | None = None, prompt: dict[str, Any] | None = None, **inputs: Any
    ) -> dict[str, Any]:
        from ..render.long_video import render_story

        if self.ENGINE == "wrapper":
            comfy.require_wrapper()
        done = render_story(inputs, engine=self.ENGINE, unique_id=unique_id, prompt=prompt)
        host_show.show_text(unique_id, f"Last run: {done.info.splitlines()[0]}")
        shown = {"images": [host_files.output_file(done.video)], "animated": (True,), "text": [done.info]}
        return {
            # The last is for programs that queue the graph, as `wanvideo-svi render`.
            "ui": {**shown, "svi_run": [{"made": done.made, "waits": done.waits}]},
            "result": (done.reel, done.last_frames, host_show.video_from_file(done.video), done.info),
        }


class WanVideoSVILongVideo(_LongVideo):
    """A chain of clips from a story, rendered into a reel by the wrapper's nodes."""

    ENGINE = "wrapper"
    DESCRIPTION = (
        "Renders a whole chain from a story: one prompt per block, clip after clip, each kept on disk as soon as it is "
        "done. A stopped run continues where it was, and after an edit only the clips that it changes are made again."
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ...svi_embeds.story.text import CHAIN_MODES

        group = groups_of(CHAIN_MODES)
        inputs = {
            "required": {
                "sampler_inputs": (
                    "SAMPLER_ARGS",
                    {
                        "tooltip": "From WanVideo Sampler Settings: the model and all sampler options. Its "
                        "image_embeds (connect WanVideo Empty Embeds) and its seed are replaced for each clip."
                    },
                ),
                "vae": ("WANVAE", {"tooltip": "From WanVideo VAE Loader."}),
                **group(CHAIN),
            },
            "optional": {
                **group(IMAGES),
                "t5": (
                    "WANTEXTENCODER",
                    {
                        "lazy": True,
                        "tooltip": "From WanVideo T5 Text Encoder Loader: encodes the prompts. Not loaded when the "
                        "reel has all of them encoded already."
                    },
                ),
                "clip": ("CLIP", {"lazy": True, "tooltip": "Instead of t5: ComfyUI's own text encoder (type wan)."}),
                "text_embeds": (
                    "WANVIDEOTEXTEMBEDS",
                    {"tooltip": "Instead of t5 and clip: one encoded prompt for all clips."},
                ),
                **group(TEXT),
                "first_clip_model": (
                    "WANVIDEOMODEL",
                    {"tooltip": "The model without the SVI LoRA. Clip 1 is sampled with it, because the LoRA would "
                    "freeze its motion."},
                ),
                "low_noise_model": (
                    "WANVIDEOMODEL",
                    {
                        "tooltip": "The low noise model of a Wan 2.2 pair; sampler_inputs then has the high noise "
                        "model. Both use the same sampler settings. Set split_step too."
                    },
                ),
                "low_noise_sampler_inputs": (
                    "SAMPLER_ARGS",
                    {"tooltip": "Instead of low_noise_model, when the low noise stage needs settings of its own, for "
                    "example another cfg."},
                ),
                "first_clip_low_noise_model": (
                    "WANVIDEOMODEL",
                    {"tooltip": "The low noise model without the SVI LoRA. A pair needs it together with "
                    "first_clip_model."},
                ),
                "split_step": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 10000, "step": 1,
                        "tooltip": "Step at which the low noise model takes over. 0 = as end_step and start_step of "
                        "the two settings nodes say.",
                    },
                ),
                **group(REST),
            },
            "hidden": {"unique_id": "UNIQUE_ID", "prompt": "PROMPT"},
        }  # fmt: skip
        return fold(inputs, *FOLDED)


class WanVideoSVILongVideoNative(_LongVideo):
    """The same through ComfyUI's own sampling: no wrapper, no model of the wrapper's."""

    ENGINE = "native"
    DESCRIPTION = (
        "Renders a whole chain from a story through ComfyUI's own sampling (Load Diffusion Model, Load CLIP, Load "
        "VAE): one prompt per block, each clip kept on disk as soon as it is done. Needs no WanVideoWrapper. Same "
        "stories, reels, takes and desk as WanVideo SVI Long Video."
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        from ..engine.modes import NATIVE_MODES
        from ..host.nodes import native_choices

        group = groups_of(NATIVE_MODES)
        inputs = {
            "required": {
                "model": (
                    "MODEL",
                    {
                        "tooltip": "From Load Diffusion Model, with the SVI LoRA (LoraLoaderModelOnly) and other "
                        "patches (ModelSamplingSD3). For a Wan 2.2 pair, the high noise model."
                    },
                ),
                "clip": (
                    "CLIP",
                    {
                        "lazy": True,
                        "tooltip": "From Load CLIP (type wan): encodes the prompts. Not loaded when the reel has all "
                        "of them encoded already."
                    },
                ),
                "vae": ("VAE", {"tooltip": "From Load VAE: a Wan VAE."}),
                **group(CHAIN),
                "steps": ("INT", {"default": 20, "min": 1, "max": 10000, "tooltip": "Sampling steps of each clip, "
                "both models of a pair together. 4 to 8 with a distill LoRA."}),
                "cfg": (
                    "FLOAT",
                    {
                        "default": 3.5, "min": 0.0, "max": 100.0, "step": 0.1, "round": 0.01,
                        "tooltip": "Guidance of each clip. 1 with a distill LoRA. [cfg=4] in the story sets it for "
                        "one clip.",
                    },
                ),
                "sampler_name": (native_choices("sampler_name"), {"default": "euler", "tooltip": "As on KSampler."}),
                "scheduler": (native_choices("scheduler"), {"default": "simple", "tooltip": "As on KSampler."}),
            },
            "optional": {
                **group(IMAGES),
                **group(TEXT),
                "first_clip_model": (
                    "MODEL",
                    {"tooltip": "The model without the SVI LoRA. Clip 1 is sampled with it, because the LoRA would "
                    "freeze its motion."},
                ),
                "low_noise_model": ("MODEL", {"tooltip": "The low noise model of a Wan 2.2 pair. Set split_step."}),
                "first_clip_low_noise_model": (
                    "MODEL",
                    {"tooltip": "The low noise model without the SVI LoRA. A pair needs it together with "
                    "first_clip_model."},
                ),
                "split_step": (
                    "INT",
                    {
                        "default": 0, "min": 0, "max": 10000, "step": 1,
                        "tooltip": "Step at which low_noise_model takes over, like end_at_step of the first KSampler "
                        "(Advanced). 0 without a low noise model.",
                    },
                ),
                **group(REST),
                "sampler": (
                    "SAMPLER", {"tooltip": "Instead of sampler_name, together with sigmas: as on SamplerCustom."}
                ),
                "sigmas": (
                    "SIGMAS",
                    {"tooltip": "Instead of steps and scheduler, together with sampler. split_step counts in them."},
                ),
            },
            "hidden": {"unique_id": "UNIQUE_ID", "prompt": "PROMPT"},
        }  # fmt: skip
        return fold(inputs, *FOLDED, "sampler_name", "scheduler")


NODE_CLASS_MAPPINGS: dict[str, type[Any]] = {
    "WanVideoSVILongVideo": WanVideoSVILongVideo,
    "WanVideoSVILongVideoNative": WanVideoSVILongVideoNative,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVILongVideo": "WanVideo SVI Long Video",
    "WanVideoSVILongVideoNative": "WanVideo SVI Long Video (native)",
}
