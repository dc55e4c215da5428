"""SVI nodes of other packs: what they do, and which node here does the same. They are named, not replaced.

Most make conditioning for ComfyUI's native samplers, whose models and samplers this migration does not exchange. As a
story chains of some become one node that samples natively itself.
Sources: KJNodes' WanImageToVideoSVIPro, and the public code and input names of ComfyUI-Wan-SVI2Pro-FLF, Wan22FMLF,
IAMCCS-nodes and the native SVI packs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..model.report import Finding, finding
from ..model.scope import Node
from .wires import Wires

_NATIVE = "it conditions native samplers: with WanVideo Sampler in their place, "
_LATENT = (
    "WanVideo SVI Latent Embeds takes anchor_samples and prev_samples by the same names (latent_space native for what "
    "VAE Encode and KSampler made)"
)
_STORY = "Or one WanVideo SVI Long Video in mode svi2_pro makes the whole chain"
_NATIVE_STORY = (
    "migrated as a story, the chain becomes one WanVideo SVI Long Video (native), mode svi2_pro, with the models and "
    "sampler that it has"
)


@dataclass(frozen=True, slots=True)
class Other:
    """A node of another pack. advice: what does the same here. modes: advice by a saved choice of the node, which then
    decides whether it has to do with SVI at all."""

    pattern: str
    title: str
    advice: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)


OTHERS: Mapping[str, Other] = {
    "WanImageToVideoSVIPro": Other(
        "P3", "native SVI 2.0 Pro",
        f"{_NATIVE_STORY}; of a loop, write its story by hand. Single clips: {_NATIVE}{_LATENT}, motion_latent_count "
        "as motion_latents, length as num_frames",
    ),
    "WanImageToVideoSVIProFLF": Other(
        "P3", "native SVI 2.0 Pro with an end",
        f"{_NATIVE_STORY}, where use_end_samples is off: end_images, and end= in its story, are what clips end on. "
        f"Single clips: {_NATIVE}{_LATENT}; end_samples too, with fun_or_fl2v_model on (without use_end_samples: leave "
        "it out), and motion_latent_count as motion_latents",
    ),
    "WanCutLastSlot": Other(
        "P3", "the end's latents cut off before the next clip",
        "it works on latents of WanVideo Sampler as well: keep it before prev_samples of WanVideo SVI Latent Embeds, "
        "and take 4 frames a slot off the end of the earlier clip where the clips are joined",
    ),
    "WanSVIProAdvancedI2V": Other(
        "P3", "native SVI 2.0 Pro with extras",
        f"{_NATIVE}{_LATENT}: start_image encoded as anchor_samples, prev_latent as prev_samples, end_image encoded as "
        "end_samples, and overlap_frames / 4 as motion_latents. Its boosts, middle_image and strengths have no "
        f"counterpart. {_STORY}",
    ),
    "WanAdvancedI2V": Other(
        "P3", "native image to video in a mode for long videos",
        modes={
            "SVI": f"{_NATIVE}{_LATENT}: start_image encoded as anchor_samples, prev_latent as prev_samples, end_image "
            "encoded as end_samples, and continue_frames_count (latents in this mode) as motion_latents. What it adds "
            f"to them (decay, extrapolation, other strengths in each stage) has no counterpart. {_STORY}",
            "AUTO_CONTINUE": f"{_NATIVE}WanVideo SVI Embeds, mode film, takes motion_frames as start_image, "
            "continue_frames_count as overlap_frames, and end_image by the same name",
        },
    ),
    "WanAdvancedExtractLastFrames": Other(
        "P3", "last latents of a clip",
        "WanVideo SVI Latent Embeds takes the last latents of prev_samples itself: motion_latents says how many",
    ),
    "WanAdvancedExtractLastImages": Other(
        "P6", "last frames of a clip", "WanVideo SVI Embeds takes the last overlap_frames of start_image itself"
    ),
    "Wan22FirstLastImageToVideoSVIMXD": Other(
        "P3", "native SVI 2.0 Pro from images",
        f"{_NATIVE}{_LATENT}: start_image encoded as anchor_samples, prev_latent as prev_samples, and "
        "continue_frames_count (it counts latents) as motion_latents. It ignores its end_image; end_samples there does "
        "not",
    ),
    "IAMCCS_WanImageMotion": Other(
        "P3", "native SVI 2.0 Pro with amplified motion",
        f"{_NATIVE}{_LATENT}, motion_latent_count as motion_latents. Its motion above 1 amplifies the motion latents "
        f"and has no counterpart: with motion 1, or safety_preset base, it is SVI 2.0 Pro as it is. {_STORY}",
    ),
    "LuyWanImageToVideoSVIPro": Other(
        "P3", "native SVI 2.0 Pro with a target picture",
        f"{_NATIVE}{_LATENT}, motion_latent_count as motion_latents, and target_photo_samples as end_samples. It "
        f"scales anchor and motion latents and fades to the target, which has no counterpart. {_STORY}",
    ),
    "WanVideoEnhanceSVI": Other(
        "P3", "native SVI 2.0 Pro with amplified motion",
        f"{_NATIVE}{_LATENT}, motion_latent_count as motion_latents. Its motion_amplitude above 1 has no counterpart. "
        f"{_STORY}",
    ),
    "WanVideoSVIProEmbeds_EnhancedMotion": Other(
        "P2", "SVI Pro Embeds with amplified motion",
        "in its place WanVideo SVI Latent Embeds takes the same inputs, motion_latent_count as motion_latents. Its "
        "motion_intensity and the mask that goes with it have no counterpart: SVI 2.0 Pro keeps the anchor alone",
    ),
    "WanSVIImageToVideo": Other(
        "P6", "native SVI image to video",
        f"{_NATIVE}WanVideo SVI Embeds, mode film (it pads with grey too), takes motion_frames as start_image and "
        "num_motion_frames as overlap_frames. For latents of your own there is WanVideo I2V Custom Embeds, which reads "
        "the same mask polarity",
    ),
    "SVIExtractLastFrames": Other(
        "P6", "last latents for native SVI",
        "WanVideo SVI Latent Embeds takes the last latents of prev_samples itself, WanVideo SVI Embeds the last frames "
        "of start_image",
    ),
    "SVIExtractLastImages": Other(
        "P6", "last frames of a clip", "WanVideo SVI Embeds takes the last overlap_frames of start_image itself"
    ),
}  # fmt: skip


def others(wires: Wires) -> Iterator[Finding]:
    """Nodes of other packs with the way to the same thing here: each kind once, with the nodes that are of it."""
    found: dict[tuple[str, str, int], list[Node]] = {}
    for at in wires.places():
        node = at.node
        advice = _advice(node)
        nodes = found.setdefault((node.type, advice, id(node.scope)), []) if advice else []
        if node not in nodes:
            nodes.append(node)
    for (kind, advice, _), nodes in found.items():
        other = OTHERS[kind]
        also = f" (and node{'s' * (len(nodes) > 2)} {', '.join(str(node.id) for node in nodes[1:])})"
        said = f"{other.title}{also if nodes[1:] else ''}"
        yield finding("left", nodes[0], said, advice, pattern=other.pattern)


def _advice(node: Node) -> str:
    """What does the same here as this node as it is set, or ""."""
    other = OTHERS.get(node.type)
    if other is None or not other.modes:
        return other.advice if other else ""
    chosen = next((value for value in _saved(node) if isinstance(value, str) and value in other.modes), "")
    return other.modes.get(chosen, "")


def _saved(node: Node) -> list[object]:
    """Its values, by no name: where a choice stands differs between the versions of a node, what it says does not."""
    inputs, values = node.raw.get("inputs"), node.raw.get("widgets_values")
    held = values if values is not None else inputs
    if isinstance(held, dict):
        return list(held.values())
    return held if isinstance(held, list) else []
