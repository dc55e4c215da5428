"""What a Long Video is made of, from its inputs and the graph around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...svi_embeds.clips.vae import check_vae
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.images import check_images, check_pixels
from ...svi_embeds.guides.follow import guides_of
from ..engine.job import EngineName, Sources
from ..host import files as host_files
from ..host import nodes as host_nodes
from ..running.digest import graph_digest
from ..running.wiring import RunningGraph
from .digest import FIRST_MODELS, PER_CLIP
from .text import ENCODERS, NotLoaded

ONE_LOW_STAGE = "connect low_noise_model or low_noise_sampler_inputs, not both"
_SHAPE = 0.03  # how much of its width an image may be stretched before that is noted
_NATIVE_SAMPLING = ("steps", "cfg", "sampler_name", "scheduler", "sampler", "sigmas")


def sources_of(
    inputs: Mapping[str, Any], graph: RunningGraph, node_id: str, engine: EngineName
) -> tuple[Sources, list[str]]:
    """What the chain of a node is made of, checked one by one, and notes. inputs: the node's, by name."""
    images, notes = _images(inputs)
    if engine == "native":
        return _of_comfyui(inputs, images, graph, node_id), notes
    sources, said = _of_the_wrapper(inputs, images, graph, node_id)
    return sources, [*notes, *said]


def stretched(sources: Sources, *, width: int, height: int) -> list[str]:
    """Notes on images that have another shape than the clips. width, height: of these, in pixels, checked."""
    images = {"start_image": sources.start_image, "ref_image": sources.ref_image}
    images |= {"end_images": sources.end_images, "start_images": sources.start_images}
    notes = []
    for name, image in images.items():
        if image is None:
            continue
        own_height, own_width = image.shape[1:3]
        if abs(own_width * height - own_height * width) > _SHAPE * own_height * width:
            notes.append(
                f"{name} is {own_width}x{own_height} and the clips are {width}x{height}, so it is stretched: crop it "
                "first (Upscale Image with crop center) to keep its shapes"
            )
    return notes


def _images(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    images: dict[str, Any] = {}
    notes: list[str] = []
    for name in ("start_image", "ref_image", "end_images", "start_images"):
        if (image := inputs.get(name)) is not None:
            images[name], said = check_images(name, image)
            check_pixels(name, images[name])
            notes += said
    if (count := len(images.get("ref_image", ()))) > 1:
        raise SVIError(f"ref_image must be one image, got a batch of {count}: ImageFromBatch picks one")
    return images, notes


def _of_comfyui(
    inputs: Mapping[str, Any], images: Mapping[str, Any], graph: RunningGraph, node_id: str
) -> Sources:  # fmt: skip
    """For ComfyUI's own sampling; see `engine.native`."""
    clip = inputs.get("clip")
    if clip is None and graph.source(node_id, "clip"):
        clip = NotLoaded()  # see `encoders_to_load`
    sampler = {name: inputs.get(name) for name in ("model", *_NATIVE_SAMPLING)}
    if inputs.get("sigmas") is not None:  # these have no say then
        sampler |= {"steps": None, "sampler_name": None, "scheduler": None}
    low_model = inputs.get("low_noise_model")
    links = ("model", "low_noise_model", "vae", "clip", "clip_vision", *FIRST_MODELS)
    origin = {name: _digest(graph, node_id, name) for name in links}
    # Sigmas count by their values.
    origin["sampler_inputs"] = _digest(graph, node_id, "sampler")
    return Sources(
        engine="native", vae=inputs["vae"], sampler=sampler,
        low_sampler=None if low_model is None else {**sampler, "model": low_model},
        first_model=inputs.get("first_clip_model"), first_low_model=inputs.get("first_clip_low_noise_model"),
        clip=clip, clip_vision=inputs.get("clip_vision"),
        origin={name: value for name, value in origin.items() if value}, **images,
    )  # fmt: skip


def _of_the_wrapper(
    inputs: Mapping[str, Any], images: Mapping[str, Any], graph: RunningGraph, node_id: str
) -> tuple[Sources, list[str]]:
    check_vae(inputs["vae"])
    notes: list[str] = []
    sampler, low = inputs["sampler_inputs"], inputs.get("low_noise_sampler_inputs")
    if not isinstance(sampler, Mapping):
        raise SVIError("sampler_inputs must come from WanVideo Sampler Settings")
    if low is not None and not isinstance(low, Mapping):
        raise SVIError("low_noise_sampler_inputs must come from WanVideo Sampler Settings")
    guides = guides_of(sampler, low, silence=host_nodes.silent_voice)
    if (low_model := inputs.get("low_noise_model")) is not None:
        if low is not None:
            raise SVIError(ONE_LOW_STAGE)
        low = {**sampler, "model": low_model}
    texts: dict[str, Any] = {name: inputs.get(name) for name in ("t5", "clip", "text_embeds")}
    for name in ENCODERS:
        if texts[name] is None and name in inputs and graph.source(node_id, name):
            texts[name] = NotLoaded()  # see encoders_to_load
    if (own := sampler.get("text_embeds")) is not None:
        if any(text is not None for text in texts.values()):
            notes.append("text_embeds of sampler_inputs are not used: the chain has text of its own")
        else:
            texts["text_embeds"] = own
    sources = Sources(
        vae=inputs["vae"], sampler=sampler, low_sampler=low, first_model=inputs.get("first_clip_model"),
        first_low_model=inputs.get("first_clip_low_noise_model"), clip_vision=inputs.get("clip_vision"), guides=guides,
        origin=_origins(graph, node_id), **texts, **images,
    )  # fmt: skip
    return sources, notes


def _origins(graph: RunningGraph, node_id: str) -> dict[str, str]:
    """Where the objects that a chain is made with come from, by the names that `Sources.origin` wants."""

    def digest(name: str, node: str = node_id, ignore: tuple[str, ...] = ()) -> str:
        return _digest(graph, node, name, ignore)

    origin = {name: digest(name) for name in ("vae", "t5", "clip", "clip_vision", "low_noise_model", *FIRST_MODELS)}
    for settings, model in (("sampler_inputs", "model"), ("low_noise_sampler_inputs", "low_noise_model")):
        source = graph.source(node_id, settings)
        if source is None:
            continue
        if graph.source(source[0], "model"):
            # The chain's own seed and embeds count, not those that stand in for them on the settings node.
            origin[settings] = digest(settings, ignore=PER_CLIP)
            origin[model] = digest("model", source[0])
        else:  # something stands between: all of it counts
            origin[settings] = origin[model] = digest(settings)
    return {name: value for name, value in origin.items() if value}


def _digest(graph: RunningGraph, node_id: str, name: str, ignore: tuple[str, ...] = ()) -> str:
    return graph_digest(graph, node_id, name, file_state=host_files.file_print, ignore=ignore)
