"""What is wrong in a graph of clips, whoever made it. What a rewrite can repair, it repairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ....svi_embeds.errors import SVIError
from ....svi_embeds.models.names import SVI_ON_CONTROL, base_name, is_fun_control, is_svi
from ....svi_embeds.story.chain import SEED_STEP
from ..model.report import Finding, Kind, finding
from .clips import Clip, Clips
from .joins import join_defects
from .wires import At, Origin, Wires

# Outputs that are masks: whether black or white means kept there.
_CONCAT_MASKS = {
    ("WanVideoVACEStartToEndFrame", 1), ("VideoContinuationGenerator", 1), ("WanVideoSVIEmbeds", 2),
    ("WanVideoSVILatentEmbeds", 2), ("WanVideoI2VCustomEmbeds", 2), ("WanVideoSVITemporalMask", 2),
}  # fmt: skip
_KNOWN_MASKS = {
    ("WanVideoSVIEmbeds", 1), ("WanVideoSVILatentEmbeds", 1), ("WanVideoI2VCustomEmbeds", 3),
    ("WanVideoSVITemporalMask", 1),
}  # fmt: skip
_MASK_STEPS = {
    "GetImageRangeFromBatch": "masks", "InvertMask": "mask", "ReplaceImagesInBatch": "original_masks",
}  # fmt: skip
_TAKES_KNOWN = ("WanVideoImageToVideoEncode", "WanVideoSVIEmbeds")


@dataclass(frozen=True, slots=True)
class SeedFix:
    """A clip whose seed an earlier clip of its chain has too. seed: a fresh one; None where there is nothing to repair,
    or where it comes by a link."""

    clip: Clip
    found: Finding
    seed: int | None


def equal_seeds(wires: Wires, clips: Clips) -> list[SeedFix]:
    """Clips that have the seed of an earlier one."""
    fixes: list[SeedFix] = []
    done: set[int] = set()
    runs = Counter(id(at.node) for clip in clips.all for at in clip.samplers)
    for end in clips.ends():
        chain = end.chain()
        taken = {seed for clip in chain if isinstance(seed := clips.seed(clip), int)}
        first: dict[int, Clip] = {}
        for clip in chain:
            seed = clips.seed(clip)
            if not isinstance(seed, int):
                continue
            earlier = first.setdefault(seed, clip)
            if earlier is clip or id(clip) in done:
                continue
            done.add(id(clip))
            fresh = seed + SEED_STEP
            while fresh in taken:
                fresh += SEED_STEP
            taken.add(fresh)
            shared = any(runs[id(at.node)] > 1 for at in clip.samplers)
            linked = any(wires.linked(at, "seed") for at in clip.samplers)
            node, other = clip.samplers[0].node, earlier.samplers[0].node
            what = (
                f"it makes several clips with one seed, {seed}" if node is other
                else f"its seed {seed} is also that of node {other.id}"
            )  # fmt: skip
            if not any(map(clips.is_svi, chain)):  # methods that SVI knows nothing of take one noise on purpose
                what += ", and no SVI LoRA is known to be on its model: with one, equal noise would add up to artefacts"
                fixes.append(SeedFix(clip, finding("note", node, what), None))
                continue
            what += ", and equal noise in every clip adds up to artefacts"
            found = finding("defect", node, what, _seed_way(fresh, linked=linked, shared=shared))
            fixes.append(SeedFix(clip, found, None if linked or shared else fresh))
    return fixes


def _seed_way(fresh: int, *, linked: bool, shared: bool) -> str:
    if shared:
        return "make the seed an input of the subgraph, and give each of its uses another"
    return "give each clip a seed of its own" if linked else f"seed {fresh}"


def mask_polarity(wires: Wires, at: At) -> Finding | None:
    """A mask of the other polarity in temporal_mask."""
    if at.node.type not in _TAKES_KNOWN:
        return None
    origin = wires.origin(at, "temporal_mask")
    inverted = False
    for _ in range(100):
        if origin is None or origin.type not in _MASK_STEPS:
            break
        inverted ^= origin.type == "InvertMask"
        origin = wires.origin(origin.at, _MASK_STEPS[origin.type])
    if origin is None:
        return None
    source = (origin.type, origin.slot)
    if (source in _CONCAT_MASKS and not inverted) or (source in _KNOWN_MASKS and inverted):
        return finding(
            "defect", at.node, f"temporal_mask comes from node {origin.at.node.id} with black for the frames to keep, "
            "but white means kept here: the frames to generate are marked as finished",
            "put one InvertMask before temporal_mask" if source in _CONCAT_MASKS else "take the InvertMask out",
        )  # fmt: skip
    return None


def no_motion(wires: Wires, at: At) -> Finding | None:
    """prev_samples that no motion latent is taken from."""
    name = {"WanVideoSVIProEmbeds": "motion_latent_count", "WanVideoSVILatentEmbeds": "motion_latents"}.get(
        at.node.type
    )
    if name is None or not wires.linked(at, "prev_samples"):
        return None
    try:
        value = wires.value(at, name)
    except SVIError:
        return None
    if value != 0 or isinstance(value, bool):
        return None
    return finding(
        "defect",
        at.node,
        f"prev_samples is connected, but {name} is 0: nothing of the clip before is used",
        f"{name} 1",
    )


def padding_with_last_frame(clips: Clips, reference: Origin | None) -> str:
    """What is wrong with the image that fills the frames to generate, or ""."""
    earlier = clips.picks_last_frame(reference) if reference else None
    if earlier is None:
        return ""
    return (
        "the frames to generate are padded with the last frame of the clip before, so each clip takes its colours from "
        "the drift of the last one"
    )


def svi_on_control(clips: Clips) -> Iterator[Finding]:
    """SVI LoRAs on Fun Control models, by the names of their files: a note for each loader."""
    said: set[int] = set()
    for at, model, loras in (found for clip in clips.all for found in clips.models(clip)):
        lora = next(filter(is_svi, loras), None)
        if lora and is_fun_control(model) and id(at.node) not in said:
            said.add(id(at.node))
            what = f"{base_name(model)} is a Fun Control model, and {base_name(lora)} is used on it"
            yield finding("note", at.node, f"{what}: {SVI_ON_CONTROL}")


def standing(wires: Wires, clips: Clips, *, repaired: Collection[int]) -> Iterator[Finding]:
    """Defects of nodes that no rewrite touches. repaired: identities of those that one does."""
    for at in wires.places():
        if id(at.node) in repaired:
            continue
        for check in (mask_polarity, no_motion):
            if found := check(wires, at):
                yield found
        yield from join_defects(clips, at)
    for clip in clips.all:
        if id(clip.embeds.node) in repaired or clip.before is None:
            continue
        padded = clip.shape.get("reference") if clip.shape else wires.origin(clip.embeds, "ref_image")
        if what := padding_with_last_frame(clips, padded):
            kind: Kind = "defect" if clips.is_svi(clip) else "note"
            yield finding(kind, clip.embeds.node, what, "pad with the original image")
    yield from svi_on_control(clips)
