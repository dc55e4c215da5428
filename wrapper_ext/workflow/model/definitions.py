"""What a node that a migration puts into a graph looks like: its inputs, widgets and outputs, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ....svi_embeds.errors import SVIError

_WIDGETS = ("INT", "FLOAT", "STRING", "BOOLEAN", "COMBO")


class Input(NamedTuple):
    """kind: the type of its link. widget: whether it has one. control: whether the frontend adds one behind it."""

    kind: str
    widget: bool
    default: Any
    control: bool


@dataclass(frozen=True, slots=True)
class Definition:
    """inputs: by name, in order. outputs: (name, type)."""

    id: str
    title: str
    inputs: Mapping[str, Input]
    outputs: tuple[tuple[str, str], ...]

    def defaults(self) -> dict[str, Any]:
        """What the widgets hold when nobody touched them."""
        return {name: spec.default for name, spec in self.inputs.items() if spec.widget}

    def widget_values(self, values: Mapping[str, Any]) -> list[Any]:
        """A saved node's widget values, by position. Raises KeyError for a value that has no widget."""
        named = self.defaults()
        for name in values:
            named[name]
        named |= values
        saved: list[Any] = []
        for name, value in named.items():
            saved.append(value)
            if self.inputs[name].control:
                saved.append("fixed")
        return saved

    def read_values(self, saved: Any) -> dict[str, Any]:
        """Widget values by name; those at the end that an older version of the node lacked are the defaults.

        Raises SVIError for more than the node has.
        """
        if isinstance(saved, dict):
            return {**self.defaults(), **saved}
        names = [
            name for widget, spec in self.inputs.items() if spec.widget
            for name in ([widget, ""] if spec.control else [widget])
        ]  # fmt: skip
        if not isinstance(saved, list) or len(saved) > len(names):
            raise SVIError(f"this {self.id} was saved by a newer version of this pack: update the pack first")
        return self.defaults() | {name: value for name, value in zip(names, saved, strict=False) if name}

    @property
    def size(self) -> tuple[int, int]:
        """About what the node needs on the canvas."""
        sockets = max(sum(not spec.widget for spec in self.inputs.values()), len(self.outputs))
        tall = sum(isinstance(spec.default, str) and "\n" in spec.default for spec in self.inputs.values())
        widgets = sum(spec.widget for spec in self.inputs.values())
        return 400, 60 + 20 * sockets + 24 * widgets + 200 * tall


def define(node_id: str, node: Any, title: str) -> Definition:
    """The definition of a node class of this pack."""
    inputs = {}
    groups = node.INPUT_TYPES()
    for group in ("required", "optional"):
        for name, spec in groups.get(group, {}).items():
            options = spec[1] if len(spec) > 1 else {}
            inputs[name] = read_input(name, spec[0], options)
    kinds = tuple(kind if isinstance(kind, str) else "COMBO" for kind in node.RETURN_TYPES)
    return Definition(node_id, title, inputs, tuple(zip(node.RETURN_NAMES, kinds, strict=True)))


def read_input(name: str, kind: Any, options: Mapping[str, Any]) -> Input:
    """An input as a node declares it: kind is a type's name, or the list of a combo's values."""
    if not isinstance(kind, str):
        default = options.get("default", next(iter(kind), ""))
        return Input("COMBO", True, default, False)
    widget = kind in _WIDGETS and not options.get("forceInput")
    control = bool(options.get("control_after_generate", name == "seed")) and widget
    empty = {"STRING": "", "BOOLEAN": False}.get(kind, 0)
    return Input(kind, widget, options.get("default", empty) if widget else None, control)
