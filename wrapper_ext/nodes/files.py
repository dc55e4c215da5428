"""image_embeds to and from files."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import write_info
from ..host import files as host_files
from ..host import show as host_show
from .inputs import CATEGORY, EMBEDS_OUTPUTS


class WanVideoSVISaveEmbeds:
    """image_embeds to a file in the output folder."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Saves image_embeds as .safetensors in ComfyUI's output folder, equal bit for bit when loaded again: encode "
        "once and sample often, or look into it with wanvideo-svi inspect. Takes embeds of the wrapper's own nodes too."
    )
    FUNCTION = "save"
    OUTPUT_NODE = True
    RETURN_TYPES = ("WANVIDIMAGE_EMBEDS", "STRING", "STRING")
    RETURN_NAMES = ("image_embeds", "file", "info")
    OUTPUT_TOOLTIPS = (
        "The same embeds, to continue with.",
        "The file as SVI Load Embeds names it.",
        "What the file holds, and what was left out.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "image_embeds": ("WANVIDIMAGE_EMBEDS", {"tooltip": "From SVI Embeds, or any image-to-video encode."}),
                "filename_prefix": (
                    "STRING",
                    {
                        "default": "svi_embeds/clip",
                        "tooltip": "Name in ComfyUI's output folder, folders in front allowed; a number is added.",
                    },
                ),
                "strict": (
                    "BOOLEAN",
                    {
                        "default": True,
                        "tooltip": "On: refuse embeds with something in them that a file cannot hold. Off: leave that "
                        "out, and say what.",
                    },
                ),
            }
        }

    def save(self, image_embeds: Any, filename_prefix: str, strict: bool) -> dict[str, Any]:
        """image_embeds: a dict of image-to-video. Returns it, the file's name and what it holds."""
        from ...svi_embeds.clips.embeds import describe_embeds
        from ...svi_embeds.clips.embeds_file import save_embeds

        described = describe_embeds(image_embeds)
        path, name = host_files.new_output_file(filename_prefix)
        left_out = save_embeds(image_embeds, path, strict=strict)
        info = write_info([f"saved to {name}", described], [f"left out: {item}" for item in left_out])
        return {"ui": {"text": [info]}, "result": (image_embeds, name, info)}


class WanVideoSVILoadEmbeds:
    """image_embeds from a file."""

    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Loads image_embeds that SVI Save Embeds or the demo wrote, from ComfyUI's input and output folders, with "
        "their masks and a contact sheet drawn from the latents."
    )
    FUNCTION = "load"
    HAS_INTERMEDIATE_OUTPUT = True  # its picture comes with a node from the cache too
    RETURN_TYPES = EMBEDS_OUTPUTS.types
    RETURN_NAMES = EMBEDS_OUTPUTS.names
    OUTPUT_TOOLTIPS = (*EMBEDS_OUTPUTS.tooltips[:3], "What the file holds, and what was left out when it was saved.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "file": (
                    host_files.list_files(),
                    {"tooltip": "A .safetensors file in ComfyUI's input or output folder, or a folder inside them."},
                )
            }
        }

    @classmethod
    def VALIDATE_INPUTS(cls, file: str | None = None, input_types: Any = None) -> bool | str:  # noqa: ARG003
        """Takes files that were saved after the list was made, which ComfyUI's own check would refuse.

        file is None when it is linked. input_types is there so that ComfyUI lets a text be linked (file of SVI Save
        Embeds).
        """
        if file is None:
            return True
        try:
            host_files.find_file(file)
        except SVIError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, file: str) -> str:
        """Time and size of the file: it may be written again under its name."""
        return host_files.file_state(host_files.find_file, file)

    def load(self, file: str) -> dict[str, Any]:
        """file: a name as `host_files.find_file` takes it."""
        from ...svi_embeds.clips.embeds_file import load_embeds_and_gaps
        from ...svi_embeds.clips.made import encoded_from

        embeds, left_out = load_embeds_and_gaps(host_files.find_file(file))
        clip = encoded_from(embeds)
        info = write_info([file, clip.info], [f"left out when it was saved: {item}" for item in left_out])
        return {
            "ui": {"images": host_show.show(clip.sheet(), "svi_load_embeds")},
            "result": (clip.embeds, clip.known_mask, clip.concat_mask, info),
        }


NODE_CLASS_MAPPINGS = {
    "WanVideoSVISaveEmbeds": WanVideoSVISaveEmbeds,
    "WanVideoSVILoadEmbeds": WanVideoSVILoadEmbeds,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "WanVideoSVISaveEmbeds": "WanVideo SVI Save Embeds",
    "WanVideoSVILoadEmbeds": "WanVideo SVI Load Embeds",
}
