"""Where new nodes continue the canvas: on the place of those that they replaced, where they cover nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..model.scope import Node, Scope
from .carry import position, size

_GAP, _TITLE = 20.0, 30.0  # between nodes side by side; drawn above a node's position
_CELL = 1000.0  # of the grid in which neighbours are looked up
_MOST_CELLS = 400  # a node that covers more is looked at from everywhere

Box = tuple[float, float, float, float]


class Layout:
    """The canvases of a workflow while nodes are placed on them."""

    def __init__(self) -> None:
        self._canvases: dict[int, _Canvas] = {}

    def place(self, node: Node, freed: Sequence[Node]) -> None:
        """Move a node that grew to the first place where it covers no other: its own, then those of the freed nodes."""
        own = position(node)
        if own is None:
            return
        canvas = self._canvases.get(id(node.scope))
        if canvas is None:
            canvas = self._canvases[id(node.scope)] = _Canvas(node.scope)
        width, height = size(node)
        for x, y in (own, *(spot for part in freed if (spot := position(part)))):
            if canvas.is_free((x, y, width, height), node):
                node.raw["pos"] = [x, y]
                canvas.move(node)
                return


class _Canvas:
    """The boxes of a scope's nodes, by the cells of a grid that they touch."""

    def __init__(self, scope: Scope) -> None:
        self._cells: defaultdict[tuple[int, int] | None, dict[int, Box]] = defaultdict(dict)
        self._of: dict[int, list[tuple[int, int] | None]] = {}
        for node in scope.nodes.values():
            self.move(node)

    def move(self, node: Node) -> None:
        """Note where a node is now."""
        for cell in self._of.pop(id(node), ()):
            del self._cells[cell][id(node)]
        spot = position(node)
        if spot is None:
            return
        box = (*spot, *size(node))
        self._of[id(node)] = list(_cells(box))
        for cell in self._of[id(node)]:
            self._cells[cell][id(node)] = box

    def is_free(self, box: Box, node: Node) -> bool:
        """Whether a box covers no node but `node`."""
        cells = set(_cells(box))
        around = self._cells if None in cells else {*cells, None}
        return not any(
            key != id(node) and _meet(box, other) for cell in around for key, other in self._cells.get(cell, {}).items()
        )


def _cells(box: Box) -> Iterator[tuple[int, int] | None]:
    """Cells that a box touches, its margins included. None: more than anybody should count."""
    try:
        left, right = int((box[0] - _GAP) // _CELL), int((box[0] + box[2] + _GAP) // _CELL)
        top, bottom = int((box[1] - _TITLE) // _CELL), int((box[1] + box[3] + _TITLE) // _CELL)
    except (OverflowError, ValueError):  # infinite, or no number
        yield None
        return
    if not 0 < (right - left + 1) * (bottom - top + 1) <= _MOST_CELLS:
        yield None
        return
    yield from ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


def _meet(one: Box, other: Box) -> bool:
    return (
        one[0] < other[0] + other[2] + _GAP
        and other[0] < one[0] + one[2] + _GAP
        and one[1] - _TITLE < other[1] + other[3]
        and other[1] - _TITLE < one[1] + one[3]
    )
