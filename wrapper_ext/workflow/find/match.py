"""Finding a pattern of nodes: declarations of what hangs on which input, and one function that looks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .videos import Videos
from .wires import At, Origin

Binding = dict[str, Origin]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where the pattern ends: any output. name: what it is called in the binding."""

    name: str


@dataclass(frozen=True, slots=True)
class Same:
    """The output of this name that was found before (of a Part or a Leaf). output: another one of the same node."""

    name: str
    output: int | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """No link."""


@dataclass(frozen=True, slots=True)
class LastFramesOf:
    """The last frames of a video, by whatever node takes them. name: that node in the binding. video: what it gets."""

    name: str
    video: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """The first of these that fits."""

    specs: tuple[Spec, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A node. name: what it is called in the binding. output: which of its outputs, None for any.

    inputs: what hangs on them; those that are not named are free. widgets: values that they must have.
    """

    name: str
    types: tuple[str, ...]
    output: int | None = 0
    inputs: Mapping[str, Spec] = field(default_factory=dict)
    widgets: Mapping[str, Any] = field(default_factory=dict)


Spec = Part | Leaf | Same | Absent | LastFramesOf | OneOf


def match(videos: Videos, at: At, part: Part) -> Binding | None:
    """What stands for the names of a pattern whose root is the node `at`, or None.

    Raises SVIError when a widget that decides was saved in a way that is not known.
    """
    if at.node.type not in part.types:
        return None
    return next(_inputs(videos, at, list(part.inputs.items()), {part.name: Origin(at, 0)}), None)


def _inputs(videos: Videos, at: At, rest: list[tuple[str, Spec]], binding: Binding) -> Iterator[Binding]:
    if not rest:
        yield binding
        return
    (name, spec), *others = rest
    for found in _fit(videos, at, name, spec, binding):
        yield from _inputs(videos, at, others, found)


def _fit(videos: Videos, at: At, name: str, spec: Spec, binding: Binding) -> Iterator[Binding]:
    if isinstance(spec, OneOf):
        for one in spec.specs:
            yield from _fit(videos, at, name, one, binding)
        return
    if isinstance(spec, Absent):
        if not videos.wires.linked(at, name):
            yield binding
        return
    origin = videos.wires.origin(at, name)
    if origin is None:
        return
    if isinstance(spec, Leaf):
        yield {**binding, spec.name: origin}
    elif isinstance(spec, Same):
        before = binding.get(spec.name)
        if before and before.at == origin.at and (before.slot if spec.output is None else spec.output) == origin.slot:
            yield binding
    elif isinstance(spec, LastFramesOf):
        if last := videos.last_frames(origin):
            yield {**binding, spec.name: origin, spec.video: last.video}
    elif origin.type in spec.types and spec.output in (None, origin.slot):
        found = {**binding, spec.name: origin}
        for complete in _inputs(videos, origin.at, list(spec.inputs.items()), found):
            if all(videos.wires.value(origin.at, widget) == value for widget, value in spec.widgets.items()):
                yield complete
