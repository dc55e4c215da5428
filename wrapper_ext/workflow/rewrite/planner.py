"""Which nodes of a workflow become which of this pack, pattern by pattern."""

from __future__ import annotations

from ....svi_embeds.errors import SVIError
from ..find.clips import Clips
from ..find.match import match
from ..find.wires import At, Wires
from ..model.report import Finding, finding
from .carry import CannotRewriteError, Carrier, Pattern, Rewrite
from .keyframe_canvas import ENCODE
from .keyframes import KEYFRAMES, TEMPORAL_MASK
from .pixel_chain import PIXEL_CHAIN, PIXEL_START
from .pro import PRO
from .stitch import STITCH_EXTEND, STITCH_OLD
from .wanex import WANEX

# Of those that begin at the same type of node the first that makes something of it counts.
PATTERNS = (STITCH_OLD, STITCH_EXTEND, KEYFRAMES, PIXEL_CHAIN, PIXEL_START, PRO, WANEX)
_BY_TYPE: dict[str, list[Pattern]] = {}
for _pattern in PATTERNS:
    for _type in _pattern.shape.types:
        _BY_TYPE.setdefault(_type, []).append(_pattern)


class Planner:
    """Plans the rewrites of a workflow without changing it."""

    def __init__(self, wires: Wires, clips: Clips) -> None:
        self.wires, self.clips = wires, clips
        self.carrier = Carrier(wires, clips)

    def plan(self) -> tuple[list[Rewrite], list[Finding]]:
        """The rewrites, and findings about what is only reported."""
        planned: dict[int, Rewrite | None] = {}
        refused: set[int] = set()
        findings: list[Finding] = []
        for at in self.wires.places():
            node = at.node
            if id(node) in refused:
                continue
            try:
                rewrite = self._of(at)
                if id(node) in planned and not _agree(planned[id(node)], rewrite):
                    raise CannotRewriteError("the uses of this subgraph differ in what it would become")
            except SVIError as error:
                refused.add(id(node))
                findings.append(finding("left", node, str(error)))
                continue
            planned[id(node)] = rewrite
        kept = [rewrite for key, rewrite in planned.items() if rewrite and key not in refused]
        return [each for rewrite in kept for each in (*rewrite.helpers, rewrite)], findings

    def _of(self, at: At) -> Rewrite | None:
        for pattern in _BY_TYPE.get(at.node.type, ()):
            found = match(self.clips.videos, at, pattern.shape)
            if found and (rewrite := pattern.read(self.carrier, at, found)):
                return rewrite
        if at.node.type == ENCODE and self._is_led(at):
            raise CannotRewriteError("frames of another clip lead it in a way that this migration does not know")
        return None

    def _is_led(self, at: At) -> bool:
        """Whether an encode node gets more than a plain first image."""
        origin = self.wires.origin(at, "start_image")
        return origin is not None and origin.type != TEMPORAL_MASK and self.clips.made(origin) is not None


def _agree(one: Rewrite | None, other: Rewrite | None) -> bool:
    """Whether two uses of a subgraph call for the same."""
    return one is other if one is None or other is None else one.agrees(other)
