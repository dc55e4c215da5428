"""What a pattern and a rewrite are, and what all rewrites carry over: links and values, by the names that old and new
node share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.clips import Clip, Clips
from ..find.match import Binding, Part
from ..find.wires import UNKNOWN, At, Origin, Wires
from ..model.definitions import Definition
from ..model.report import Finding, finding
from ..model.scope import Node, Source

_SIZED = ("WanVideoImageToVideoEncode", "WanVideoSVIEmbeds")
CONSTANTS = ("INTConstant", "PrimitiveNode", "PrimitiveInt")
# Nodes after which a video is as large as before.
_SAME_SIZE = (
    "ImageBatchMulti", "ColorMatch", "ColorMatchV2", "GetImageRangeFromBatch", "GetImageSizeAndCount",
    "ImageBatchExtendWithOverlap", "WanVideoSVIStitch", "WanVideoDecode",
)  # fmt: skip
SIZE_STEP = 16


class CannotRewriteError(SVIError):
    """A pattern that is recognised, with something in it that its replacement would not carry over."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something of old graphs that becomes a node of this pack.

    title: what people call it. shape: its nodes. read: what becomes of one that was found, None where nothing does;
    raises CannotRewriteError.
    """

    id: str
    title: str
    shape: Part
    read: Callable[[Carrier, At, Binding], Rewrite | None]


@dataclass(slots=True)
class Rewrite:
    """A node that becomes another, at its place.

    values, sources: of the new node. outputs: which output of the old node is which of the new. parts: nodes that only
    served the old one. findings: the rewrite itself, the defects that it repairs, and what is left to the user.
    links: inputs of nodes that stay, each with the output of the new node that it gets. helpers: rewrites of nodes that
    the new one needs beside it; they come before it. definition: of a new node that is not of this pack.
    """

    at: At
    pattern: Pattern
    new: str
    values: dict[str, Any]
    sources: dict[str, Source | None]
    outputs: Mapping[int, int]
    parts: list[Node] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    links: list[tuple[Node, str, int]] = field(default_factory=list)
    helpers: list[Rewrite] = field(default_factory=list)
    definition: Definition | None = None

    def agrees(self, other: Rewrite) -> bool:
        """Whether another use of the same subgraph calls for the same."""
        if (self.new, self.values, self.sources) != (other.new, other.values, other.sources):
            return False
        return len(self.helpers) == len(other.helpers) and all(
            mine.agrees(theirs) for mine, theirs in zip(self.helpers, other.helpers, strict=True)
        )


def known(values: dict[str, Any]) -> dict[str, Any]:
    """Without those that come by a link."""
    return {name: value for name, value in values.items() if value is not None}


def said(rewrite: Rewrite, how: str) -> Rewrite:
    """The rewrite, with the line of the report that tells it."""
    text = f"{rewrite.pattern.title} became {rewrite.new} ({how})"
    rewrite.findings.insert(0, finding("rewrite", rewrite.at.node, text, pattern=rewrite.pattern.id, fixed=True))
    return rewrite


class Carrier:
    """Reads what a rewrite carries over."""

    def __init__(self, wires: Wires, clips: Clips) -> None:
        self.wires, self.clips = wires, clips
        self._sized_like: dict[tuple[At, str], At] = {}

    def parts(self, at: At, found: Binding, names: tuple[str, ...]) -> list[Node]:
        """The pattern's nodes of these names. Raises CannotRewriteError when one is in another subgraph."""
        if any(found[name].at.path != at.path for name in names if name in found):
            raise CannotRewriteError("a part of it is in another subgraph: bring the clip's nodes into one")
        return [found[name].at.node for name in names if name in found]

    def number(self, at: At, name: str, what: str) -> int:
        """A whole number that the graph tells. Raises CannotRewriteError when only a run can."""
        value = self.wires.value(at, name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise CannotRewriteError(f"{what} is computed when the graph runs: give it as a number")
        return value

    def input(self, at: At, name: str, parts: list[Node]) -> tuple[Any, Source | None]:
        """The value or the link of an input. A constant node that only serves the parts becomes a value."""
        source = at.node.source(name)
        if source is None:
            value = self.wires.value(at, name)
            return (None if value is UNKNOWN else value), None
        feeder = at.node.scope.nodes.get(source.node)
        if feeder is not None and feeder.type in CONSTANTS:
            users = [use.node for use in self.wires.uses_through(feeder)]
            value = self.wires.value(at, name)
            if value is not UNKNOWN and all(user in (at.node, *parts) for user in users):
                return value, None
        return None, source

    def video(self, at: At, name: str) -> Source | None:
        """What a video input is linked to, nodes left out that only count its frames."""
        source = at.node.source(name)
        seen = set()
        while source is not None and source not in seen:
            seen.add(source)
            node = at.node.scope.nodes.get(source.node)
            if node is None or node.type != "GetImageSizeAndCount" or source.slot or node.source("image") is None:
                break
            source = node.source("image")
        return source

    def check_size(self, at: At) -> None:
        """Raises CannotRewriteError for a width or height that this pack's nodes refuse, where the graph tells it."""
        for name in ("width", "height"):
            size = self.wires.value(at, name)
            if isinstance(size, int) and size % SIZE_STEP and not at.node.source(name):
                raise CannotRewriteError(f"{name} {size} is not a multiple of {SIZE_STEP}: set one that is")

    def size(self, at: At, name: str, parts: list[Node]) -> tuple[Any, Source | None]:
        """Width or height. Where the graph measures the clip before, what that clip was given says the same."""
        given = self._first_sized(at, name)
        if given is at or not self._in_steps(given, name):
            return self.input(at, name, parts)
        # Linked where that clip's is linked, so that both follow the same node.
        source = given.node.source(name)
        return (None, source) if source else (self.wires.value(given, name), None)

    def _first_sized(self, at: At, name: str) -> At:
        """The first clip of those that were measured one for the next, down to this one; itself where none was."""
        walked: list[At] = []
        here = at
        while (here, name) not in self._sized_like:
            self._sized_like[here, name] = here
            walked.append(here)
            counter = self.wires.origin(here, name)
            clip = self._measured(counter) if counter and counter.type == "GetImageSizeAndCount" else None
            if clip is None or clip.embeds.path != at.path:
                break
            here = clip.embeds
        first = self._sized_like[here, name]
        for each in walked:
            self._sized_like[each, name] = first
        return first

    def _measured(self, counter: Origin) -> Clip | None:
        """The clip that a node measures, when nothing between could have resized it, and it has a size of its own."""
        origin = self.wires.origin(counter.at, "image")
        for _ in range(1000):
            if origin is None or origin.type not in _SAME_SIZE:
                return None
            if origin.type == "WanVideoDecode":
                clip = self.clips.made(origin)
                return clip if clip and clip.embeds.node.type in _SIZED else None
            origin = self.clips.tail(origin.at)
        return None

    def _in_steps(self, at: At, name: str) -> bool:
        """Whether a size is a multiple of what this pack's nodes take, for sure."""
        value = self.wires.value(at, name)
        if isinstance(value, int):
            return value % SIZE_STEP == 0
        origin = self.wires.origin(at, name)
        if origin is None or origin.type != "ImageResizeKJv2":
            return False
        step = self.wires.value(origin.at, "divisible_by")
        return isinstance(step, int) and step > 0 and step % SIZE_STEP == 0

    def nearest(self, at: At, source: Source, origin: Origin) -> Source:
        """The same output by the named wire that ends nearest to the node, if there is one."""
        found = []
        for node in at.node.scope.nodes.values():
            if node.type == "GetNode" and self.wires.behind(At(at.path, node)) == origin:
                found.append((_distance(at.node, node), str(node.id), Source(node.id, 0)))
        return min(found)[2] if found else source


def _distance(one: Node, other: Node) -> float:
    first, second = position(one), position(other)
    return abs(first[0] - second[0]) + abs(first[1] - second[1]) if first and second else float("inf")


def position(node: Node) -> tuple[float, float] | None:
    """Where a node stands on the canvas; None in an API graph."""
    return _pair(node.raw.get("pos"))


def size(node: Node) -> tuple[float, float]:
    """How large a node is drawn."""
    return _pair(node.raw.get("size")) or (210.0, 60.0)


def _pair(value: Any) -> tuple[float, float] | None:
    if isinstance(value, dict):  # some frontends saved them as {"0": x, "1": y}
        value = [value.get("0"), value.get("1")]
    if not isinstance(value, list) or len(value) < 2:
        return None
    first, second = value[:2]
    if not all(isinstance(part, (int, float)) and not isinstance(part, bool) for part in (first, second)):
        return None
    return float(first), float(second)
