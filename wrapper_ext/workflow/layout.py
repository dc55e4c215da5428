"""Where new nodes go on the canvas: on the place of those that they replaced, where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence

from .rewrite import position, size
from .scope import Node

_GAP = 20.0
_MAX_NODES = 2000  # beyond that, nobody looks at the layout, and looking for room takes long

Box = tuple[float, float, float, float]


def place(node: Node, freed: Sequence[Node]) -> None:
    """Move a node that grew to the first place where it covers no other: its own, then those of the freed nodes."""
    own = position(node)
    if own is None or len(node.scope.nodes) > _MAX_NODES:
        return
    others = [_box(other) for other in node.scope.nodes.values() if other is not node]
    width, height = size(node)
    spots = [own, *(spot for part in freed if (spot := position(part)))]
    for x, y in spots:
        if not any(_meet((x, y, width, height), other) for other in others if other):
            node.raw["pos"] = [x, y]
            return


def _box(node: Node) -> Box | None:
    spot = position(node)
    return None if spot is None else (*spot, *size(node))


def _meet(one: Box, other: Box) -> bool:
    title = 30.0  # drawn above a node's position
    return (
        one[0] < other[0] + other[2] + _GAP
        and other[0] < one[0] + one[2] + _GAP
        and one[1] - title < other[1] + other[3]
        and other[1] - title < one[1] + one[3]
    )
