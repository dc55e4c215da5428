"""What the readers of a chain share: its clips, what they were told to say, and how they refuse."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.clips import Clip, Clips
from ..find.wires import UNKNOWN, At, Origin, Wires
from ..model.report import Finding, finding
from ..model.scope import Node, Source

_DEEP = 6


class Reading:
    """A chain that is read. Clips are counted from 0 here and from 1 in what it says.

    fed: the nodes that the chain's clips feed, the clips' own among them. findings: what has been said so far.
    """

    def __init__(self, wires: Wires, clips: Clips, chain: list[Clip], fed: Set[Node]) -> None:
        self.wires, self.clips, self.chain, self.fed = wires, clips, chain, fed
        self.embeds = [clip.embeds for clip in chain]
        self.findings: list[Finding] = []

    def note(self, index: int, what: str) -> None:
        self.findings.append(finding("note", self.embeds[index].node, what))

    def refuse(self, index: int, what: str, node: Node | None = None) -> SVIError:
        where = (node or self.embeds[index].node).id
        return SVIError(f"clip {index + 1} cannot become part of a story: {what} (node {where})")

    def value(self, index: int, at: At, name: str) -> Any:
        """A widget's value; None when only a run can tell. Raises SVIError when it was saved in an unknown way."""
        try:
            value = self.wires.value(at, name)
        except SVIError as error:
            raise self.refuse(index, str(error), at.node) from None
        return None if value is UNKNOWN else value

    def number(self, index: int, at: At, name: str) -> int:
        value = self.value(index, at, name)
        if not isinstance(value, int):
            raise self.refuse(index, f"its {name} is computed when the graph runs", at.node)
        return value

    def link(self, index: int, at: At, name: str, *, passing: bool = True, needed: bool = True) -> Source | None:
        """A link for what an input gets, past named wires; None when it has no link.

        Raises SVIError when no link can bring it to the story's node. needed: also when nothing makes it.
        """
        if not self.wires.linked(at, name):
            return None
        found = self.wires.hop(at, name, passing=passing)
        if found is None and self.wires.origin(at, name) is not None:
            raise self.refuse(
                index, f"{name} of {at.node.title} is made inside a subgraph that has no output for it: add one, or "
                "unpack the subgraph", at.node,
            )  # fmt: skip
        if found is None and needed:
            raise self.refuse(index, f"{name} of {at.node.title} is linked to nothing that runs", at.node)
        if found is not None and self._is_fed(found):
            raise self.refuse(index, f"{name} of {at.node.title} is made from the chain's own video", at.node)
        return found

    def _is_fed(self, source: Source) -> bool:
        return self.wires.workflow.root.nodes.get(source.node) in self.fed

    def alike(self, one: Origin | None, other: Origin | None, *, deep: int = _DEEP) -> bool:
        """Whether two outputs are the same, or of two nodes with the same settings and the same behind them."""
        if one == other:
            return True
        if one is None or other is None or deep == 0 or (one.type, one.slot) != (other.type, other.slot):
            return False
        first, second = one.at.node, other.at.node
        names = first.scope.input_names(first)
        if set(names) != set(second.scope.input_names(second)) or _saved(first) != _saved(second):
            return False
        return all(
            self.alike(self.wires.origin(one.at, name), self.wires.origin(other.at, name), deep=deep - 1)
            for name in names
        )


def _saved(node: Node) -> Any:
    """A node's widget values as saved: without names, but in API graphs."""
    return node.values() if isinstance(node.raw.get("inputs"), dict) else node.raw.get("widgets_values")


def some(indices: list[int]) -> str:
    """Clips in words: "clip 2", "clips 2, 3"."""
    return f"clip{'s' * (len(indices) > 1)} {', '.join(str(index + 1) for index in indices)}"


def said(node: Node) -> str:
    return f"{node.title} (node {node.id})"


def declared(at: At, names: tuple[str, ...]) -> dict[str, Any]:
    """Widget values of a node without a recorded signature, as it declares them; what is not known is
    left out."""
    values = at.node.raw.get("widgets_values")
    if isinstance(values, list):
        return dict(zip(names, values, strict=False))
    if isinstance(values, dict):
        return values
    inputs = at.node.raw.get("inputs")
    return inputs if isinstance(inputs, dict) else {}
