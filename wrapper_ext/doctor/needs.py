"""What each node of this pack needs of the host: a table, and what of it a host lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..host.comfy import COMFYUI_NODES, RENAMED_INPUTS, WRAPPER_NODE, called, names_of
from .contract import Node, inputs


@dataclass(frozen=True, slots=True)
class Need:
    """A node of the host with the inputs that count.

    called: this pack runs it, so it must not require more than these inputs without a default.
    lost: what does not work without it; "" means the whole node. instead: what is done without it, where that serves.
    """

    node: str
    inputs: tuple[str, ...] = ()
    called: bool = False
    lost: str = ""
    instead: str = ""


_WRAPPER = Need(WRAPPER_NODE)  # what comfy.has_wrapper asks for
# A sampler without start_step reads embeds of 20 channels: it is older than every wrapper that this pack supports.
_SAMPLER = Need("WanVideoSampler", ("model", "image_embeds", "start_step", "end_step"))
# As old as ComfyUI's own video type, which the output needs.
_VIDEO = Need("SaveVideo", ("video",), lost="the video output")
_TILES = ("tile_size", "overlap", "temporal_size", "temporal_overlap")
_POSES = Need("WanVideoUniAnimatePoseInput", ("pose_images",))

NEEDS: Mapping[str, tuple[Need, ...]] = {
    "WanVideoSVIEmbeds": (_WRAPPER, _SAMPLER, Need("WanVideoVAELoader")),
    "WanVideoSVILatentEmbeds": (_SAMPLER,),
    "WanVideoI2VCustomEmbeds": (_SAMPLER,),
    "WanVideoSVIMotionFrames": (),
    "WanVideoSVIStitch": (),
    "WanVideoSVIMaskPolarity": (),
    "WanVideoSVITemporalMask": (Need(WRAPPER_NODE, ("start_image", "temporal_mask", "fun_or_fl2v_model")),),
    "WanVideoReferenceCanvas": (),
    "WanVideoSVISaveEmbeds": (),
    "WanVideoSVILoadEmbeds": (_SAMPLER,),
    "WanVideoSVIToNative": (),
    "WanVideoSVIFromNative": (_SAMPLER,),
    "WanVideoHighLowPair": (
        _WRAPPER, _SAMPLER, Need("WanVideoSampler", ("steps", "shift", "scheduler")), Need("WanVideoModelLoader"),
        Need("WanVideoScheduler", ("scheduler", "steps", "shift", "start_step", "end_step"), called=True,
             instead="finds the split from its own table of noise levels, not the wrapper's"),
    ),
    "WanVideoHoloCinePrompt": (),
    "WanVideoSVILoraInfo": (),
    "WanVideoSVIAudioWindow": (
        Need("MultiTalkWav2VecEmbeds", ("num_frames", "fps"), lost="MultiTalk and InfiniteTalk"),
        Need("WanVideoSampler", ("multitalk_embeds",), lost="MultiTalk and InfiniteTalk"),
        Need("HuMoEmbeds", ("num_frames", "width", "height"), lost="HuMo"),
        Need("MultiTalkSilentEmbeds", ("num_frames",), called=True,
             instead="fills what a voice lacks with zeros, not with the wrapper's recorded silence"),
    ),
    "WanVideoSVIPoseWindow": (_POSES, Need("WanVideoSampler", ("unianimate_poses",))),
    "WanVideoSVILongVideoNative": (
        Need("KSamplerAdvanced", ("model", "add_noise", "noise_seed", "steps", "cfg", "sampler_name", "scheduler",
                                  "positive", "negative", "latent_image", "start_at_step", "end_at_step",
                                  "return_with_leftover_noise"), called=True),
        Need("CLIPTextEncode", ("clip", "text"), called=True),
        Need("VAEEncode", ("pixels", "vae"), called=True),
        Need("VAEDecode", ("samples", "vae"), called=True),
        Need("VAEEncodeTiled", ("pixels", "vae", *_TILES), called=True, lost="tiled_vae"),
        Need("VAEDecodeTiled", ("samples", "vae", *_TILES), called=True, lost="tiled_vae"),
        Need("CLIPVisionEncode", ("clip_vision", "image", "crop"), called=True, lost="clip_vision"),
        Need("LoraLoaderModelOnly", ("model", "lora_name", "strength_model"), called=True, lost="lora="),
        Need("SamplerCustom", ("model", "add_noise", "noise_seed", "cfg", "positive", "negative", "sampler", "sigmas",
                               "latent_image"), called=True, lost="sampler and sigmas"),
    ),
    "WanVideoSVILongVideo": (
        _WRAPPER,
        Need("WanVideoSamplerSettings", ("model", "image_embeds", "steps", "shift", "scheduler", "start_step",
                                         "end_step")),
        Need("WanVideoSamplerFromSettings", ("sampler_inputs",), called=True),
        Need("WanVideoDecode", ("vae", "samples", "enable_vae_tiling"), called=True),
        Need("WanVideoTextEncode", ("t5", "positive_prompt", "negative_prompt", "force_offload"), called=True,
             lost="t5"),
        Need("CLIPTextEncode", ("clip", "text"), called=True, lost="clip"),
        Need("WanVideoTextEmbedBridge", ("positive", "negative"), called=True, lost="clip"),
        Need("WanVideoClipVisionEncode", ("clip_vision", "image_1"), called=True, lost="clip_vision"),
        Need("WanVideoEncode", ("vae", "image", "enable_vae_tiling"), called=True, lost="svi2_pro"),
        Need("WanVideoLoraSelect", ("lora", "strength", "prev_lora", "merge_loras"), called=True, lost="lora="),
        Need("WanVideoSetLoRAs", ("model", "lora"), called=True, lost="lora="),
        Need("WanVideoSamplerSettings", ("multitalk_embeds",), lost="voices"),
        Need("WanVideoSamplerSettings", ("unianimate_poses",), lost="poses"),
        _VIDEO,
    ),
    "WanVideoSVIReelOpen": (),
    "WanVideoSVIReelFrames": (),
    "WanVideoSVIReelVideo": (_VIDEO,),
    "WanVideoSVIReelAdd": (),
    "WanVideoSVIDrift": (),
}  # fmt: skip

# What these make goes into native samplers too, through WanVideoSVIToNative, and of the wrapper they need nothing then.
NATIVE = (
    "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVILoadEmbeds",
    "WanVideoSVIFromNative",
)  # fmt: skip

# Replaced by nodes of this pack, or read from saved graphs.
_READ = (
    WRAPPER_NODE, "WanVideoSVIProEmbeds", "WanVideoVACEStartToEndFrame", "WanVideoEmptyEmbeds", "WanVideoLoraSelect",
    "WanVideoSetLoRAs", "WanVideoTextEncodeCached",
)  # fmt: skip


def watched() -> list[str]:
    """Nodes of the host that this pack calls, reads or replaces, sorted."""
    return sorted({need.node for needs in NEEDS.values() for need in needs}.union(_READ))


def asked() -> list[str]:
    """What a host is asked for: these nodes, by all their names, sorted."""
    return sorted({name for node in watched() for name in names_of(node)})


def renamed(live: Mapping[str, Node]) -> dict[str, str]:
    """Nodes that a host calls otherwise: its name by this pack's."""
    found = {node: called(node, live) for node in watched()}
    return {node: name for node, name in found.items() if name not in (None, node)}


def by_our_names(live: Mapping[str, Node]) -> dict[str, Node]:
    """A host's nodes, with those that it calls otherwise by this pack's names."""
    return {**live, **{node: live[name] for node, name in renamed(live).items()}}


def lacks(need: Need, live: Mapping[str, Node], recorded: Mapping[str, Node]) -> Iterator[str]:
    """What a host with the nodes `live` lacks of a need, a sentence each. recorded: the contract's nodes, for types."""
    node = live.get(need.node)
    if node is None:
        yield f"{'ComfyUI' if need.node in COMFYUI_NODES else 'the wrapper'} has no node {need.node}"
        return
    if "error" in node:
        yield f"{need.node} does not say its inputs ({node['error']})"
        return
    there, known = inputs(node), inputs(recorded[need.node])
    others = {other: name for name, other in RENAMED_INPUTS.get(need.node, {}).items() if name not in there}
    there = {others.get(name, name): spec for name, spec in there.items()}
    if gone := [name for name in need.inputs if name not in there]:
        yield f"{need.node} has no input {', '.join(gone)}"
    for name in need.inputs:
        if name in there and there[name]["type"] != known[name]["type"]:
            yield f"{name} of {need.node} is {there[name]['type']}, was {known[name]['type']}"
    if need.called:
        for name, spec in node["required"].items():
            if others.get(name, name) not in need.inputs and "default" not in spec:
                yield f"{need.node} requires {name}"
