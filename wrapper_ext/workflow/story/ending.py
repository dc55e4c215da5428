"""What happens to a chain's video after its clips: how it is joined, what works on it, and who saves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ....svi_embeds.errors import SVIError
from ..find.clips import EMBEDS, SAMPLERS
from ..find.joins import read_join
from ..find.native import NATIVE_DECODES, NATIVE_PRO
from ..find.videos import CONCATENATORS
from ..find.wires import At, Wires
from ..model.report import finding
from ..model.scope import BYPASSED, MUTED, Node, Source
from .reading import Reading, said

_RATES = ("frame_rate", "fps")
# Where nodes without a recorded signature save their rate.
_RATE_AT = {"CreateVideo": 0, "SaveWEBM": 2, "SaveAnimatedWEBP": 1, "SaveAnimatedPNG": 1}
# After these a video has other frames, so the rate of what follows is not the clips'.
_INTERPOLATES = re.compile(r"interpolat|vfi|rife", re.IGNORECASE)
# A reel does the same, or they change nothing.
_PLAIN = (
    "WanVideoDecode", *NATIVE_DECODES, "WanVideoSVIStitch", "ImageBatchExtendWithOverlap", "GetImageSizeAndCount",
    "WanVideoSVIMotionFrames", *CONCATENATORS,
)  # fmt: skip
_CLIPS = (*SAMPLERS, *EMBEDS, *NATIVE_PRO)  # what makes a clip, so that what is behind belongs to that
_ENDS = re.compile(r"save|preview|combine", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ending:
    """rate: frames per second; None when no node tells. audio: the sound of the video."""

    rate: float | None
    audio: Source | None


def read_ending(reading: Reading) -> Ending:
    """Says what of it a reel does not have."""
    last = len(reading.chain) - 1
    after = list(_after(reading.wires, reading.chain[-1].samplers[-1].node))
    worked = [node for node in after if not _is_saver(reading.wires, node) and node.type not in _PLAIN]
    if worked:
        names = ", ".join(map(said, worked))
        reading.note(last, f"{names} worked on the video before it was saved; a story has none")
    _joined(reading)
    return Ending(_rate(reading, any(map(_interpolates, worked))), _audio(reading, after))


def _after(wires: Wires, sampler: Node, *, enter_all: bool = True) -> Iterator[Node]:
    """The active nodes that a clip's video goes to, the nearest first, up to those that save it or begin a clip.

    enter_all: also beyond those that make other frames of it.
    """
    waiting = [use.node for use in wires.uses_through(sampler, 0)]
    seen: set[Node] = set()
    while waiting:
        node = waiting.pop(0)
        if node is None or node in seen or node.mode == MUTED or node.type in _CLIPS:
            continue
        seen.add(node)
        if node.mode != BYPASSED:
            yield node
            if _rate_of(wires, node) is not None or (not enter_all and _interpolates(node)):
                continue
        waiting += [use.node for use in wires.uses_through(node)]


def _interpolates(node: Node) -> bool:
    return bool(_INTERPOLATES.search(node.type))


def _is_saver(wires: Wires, node: Node) -> bool:
    if _interpolates(node):
        return False
    known = _ENDS.search(node.type) or _rate_of(wires, node) is not None
    return bool(known) or not any(True for _ in wires.uses_through(node))


def _rate_of(wires: Wires, node: Node) -> float | None:
    """Frames per second that a node saves with."""
    if _interpolates(node):
        return None
    for name in _RATES:
        try:
            rate = wires.value(At((), node), name)
        except SVIError:
            saved, place = node.raw.get("widgets_values"), _RATE_AT.get(node.type)
            rate = saved[place] if isinstance(saved, list) and place is not None and place < len(saved) else None
        if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 1 <= rate <= 120:
            return float(rate)
    return None


def _rate(reading: Reading, interpolated: bool) -> float | None:
    """Of the node that saves the clips' own frames: after the last clip, else after an earlier one."""
    wires, last = reading.wires, len(reading.chain) - 1
    for index in range(last, -1, -1):
        for node in _after(wires, reading.chain[index].samplers[-1].node, enter_all=False):
            if rate := _rate_of(wires, node):
                if interpolated and index < last:
                    reading.note(index, f"the rate of the video, {rate:g}, is that of {said(node)}: what saves the "
                                 "whole chain saves interpolated frames")  # fmt: skip
                return rate
    why = "only interpolated frames are saved" if interpolated else "no node that saves it tells"
    reading.note(last, f"the clips' frames per second are not known ({why}): fps stays 16")
    return None


def _audio(reading: Reading, after: list[Node]) -> Source | None:
    """The sound that the whole chain is saved with."""
    wires, last = reading.wires, len(reading.chain) - 1
    found: dict[Source, Node] = {}
    for node in after:
        at = At((), node)
        if not wires.linked(at, "audio") or wires.origin(at, "audio") is None:
            continue
        source = wires.hop(at, "audio")
        maker = wires.workflow.root.nodes.get(source.node) if source else None
        if source is None or maker is None or maker in reading.fed:
            reading.note(last, f"{said(node)} saves it with sound that is made from the video: the story has none")
        elif _kind(maker, source.slot) not in ("AUDIO", "*", None):
            reading.note(
                last, f"{said(node)} saves it with sound of {said(maker)} that is no AUDIO: the story has none"
            )
        else:
            found.setdefault(source, node)
    if len(found) > 1:
        reading.note(
            last, f"it is saved with different sounds; the story has that of {said(next(iter(found.values())))}"
        )
    return next(iter(found), None)


def _kind(node: Node, slot: int) -> object:
    """The type of an output, where the graph notes it."""
    outputs = node.raw.get("outputs")
    output = outputs[slot] if isinstance(outputs, list) and slot < len(outputs) else None
    return output.get("type") if isinstance(output, dict) else None


def _joined(reading: Reading) -> None:
    """Say once how the reel joins otherwise than the graph did."""
    hows: set[str] = set()
    held = False
    for node in reading.fed:
        try:
            hows.add(_how(reading, At((), node)))
            held |= node.type == "WanVideoSVIStitch" and reading.wires.value(At((), node), "color_match") != "off"
        except SVIError:  # saved in a way that is not known, so it was not looked at either
            continue
    if held:
        what = "the graph's joins hold colours; set color_match of the node, which does so clip by clip"
        reading.findings.append(finding("note", reading.embeds[-1].node, what, pattern="story"))
    if not hows & {"blend", "old"}:
        return
    blends = "blend" in hows
    did = "blended the clips" if blends else "dropped the end of the earlier clip"
    what = f"the graph's joins {did}; the reel drops the start of the later clip and does not blend"
    reading.findings.append(finding("note", reading.embeds[-1].node, what, pattern="story"))


def _how(reading: Reading, join: At) -> str:
    """What a join does where two clips overlap: blend, or drop the old or the new frames; "" when it is none."""
    wires = reading.wires
    if join.node.type == "WanVideoSVIStitch":
        return "blend" if wires.value(join, "blend") != "none" else str(wires.value(join, "drop"))
    if join.node.type in CONCATENATORS:
        found = read_join(reading.clips, join)
        return "old" if found and any(seam and seam.old for seam in found.seams) else ""
    if join.node.type == "ImageBatchExtendWithOverlap":
        cuts_old = wires.value(join, "overlap_side") == "source"
        return "blend" if wires.value(join, "overlap_mode") != "cut" else "old" if cuts_old else "new"
    return ""
