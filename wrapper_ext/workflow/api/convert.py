"""The API graph that ComfyUI's frontend would send for a saved workflow, of what a running host says of its nodes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ....svi_embeds.errors import SVIError
from ..model.files import read_workflow
from ..model.graph import Workflow, is_api_graph
from ..model.scope import BYPASSED, MUTED
from .ids import keep_apart
from .places import At, Graph, properties_of
from .text import SAVE_NODES, fill_in, plain_prompt
from .widgets import Spec, frontends_own
from .wires import Sent, Wires

_EXPORT = "export the graph with *Workflow > Export (API)* and take that file"


def read_graph(path: Path) -> Any:
    """What `to_api` takes, of a file: the API graph that a picture or video carries beside its workflow, else that.

    Raises SVIError for a file that holds neither.
    """
    found = read_workflow(path, first="prompt")
    return found if is_api_graph(found) else read_workflow(path)


def to_api(
    workflow: dict[str, Any], nodes: Mapping[str, Any], *, now: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """A saved workflow as API graph: {id: {class_type, inputs, _meta}}, where an input is a value or [id, output].

    nodes: the JSON of `/object_info`. now: what %date:...% of file names takes. An API graph is given back as it is.
    Raises SVIError for what is no workflow, a node that the host does not know, and what only the frontend can tell:
    widgets of its own, and words that it draws at random.
    """
    read = Workflow(workflow)
    if not read.is_api:
        keep_apart(read)
        return _Sender(Graph(Workflow(read.raw), nodes), now or datetime.now()).send()
    for node in read.root.nodes.values():
        if node.type not in nodes:
            raise SVIError(_unknown(node.type, f"{node.title} (node {node.id})"))
    return read.raw


class _Sender:
    def __init__(self, graph: Graph, now: datetime) -> None:
        self._graph, self._wires, self._now = graph, Wires(graph), now

    def send(self) -> dict[str, dict[str, Any]]:
        sent = {}
        for at in self._graph.walk():
            if at.node.mode in (MUTED, BYPASSED) or self._graph.is_virtual(at) or self._graph.inside(at):
                continue
            definition = self._graph.known.get(at.node.type)
            if definition is None:
                raise SVIError(_unknown(at.node.type, str(at)))
            entries = at.place.scope.entries(at.node)
            shown = {entry["name"] for entry in entries if entry.get("widget") and entry.get("link") is None}
            if own := frontends_own(at.node.type, definition, self._graph.values(at), shown):
                raise SVIError(f"{at}: {own}: {_EXPORT}")
            title = at.node.raw.get("title") or definition.get("display_name") or at.node.type
            sent[at.id] = {"class_type": at.node.type, "inputs": self._inputs(at), "_meta": {"title": title}}
        return sent

    def _inputs(self, at: At) -> dict[str, Any]:
        inputs: dict[str, Any] = {}
        for name in at.place.scope.input_names(at.node):
            source = self._wires.source(at, name)
            if source is not None:
                inputs[name] = [source.id, source.slot] if isinstance(source, Sent) else _wrap(source.value)
        for name, (spec, value) in self._graph.values(at).items():
            if name not in inputs:
                primitive = self._primitive(at, name)
                inputs[name] = _wrap(self._value(at, spec, value if primitive is None else primitive))
        return inputs

    def _value(self, at: At, spec: Spec, value: Any) -> Any:
        """What the frontend sends for what a widget holds."""
        if not isinstance(value, str):
            return value
        if spec.options.get("dynamicPrompts") and spec.widget == "STRING":
            try:
                return plain_prompt(value)
            except SVIError as error:
                raise SVIError(f"{spec.name} of {at}: {error}: write one of them, or {_EXPORT}") from None
        if spec.name == "filename_prefix" and at.node.type in SAVE_NODES:
            return fill_in(value, self._value_by_title, self._now)
        return value

    def _primitive(self, at: At, name: str) -> Any:
        """The value of the PrimitiveNode that an input is linked to; None for no such link."""
        source = at.place.scope.source(at.node, name)
        origin = at.place.scope.nodes.get(source.node) if source else None
        if origin is None or origin.type != "PrimitiveNode":
            return None
        values = origin.raw.get("widgets_values")
        value = values[0] if isinstance(values, list) and values else None
        if isinstance(value, str) and properties_of(origin).get("Run widget replace on values"):
            return fill_in(value, self._value_by_title, self._now)
        return value

    def _value_by_title(self, name: str, widget: str) -> Any:
        nodes = list(self._graph.walk())
        named = [at for at in nodes if properties_of(at.node).get("Node name for S&R") == name]
        for at in (named or [at for at in nodes if at.node.title == name])[:1]:
            return self._graph.values(at)[widget][1]
        raise KeyError(name)


def _wrap(value: Any) -> Any:
    """Lists are links in an API graph: the frontend boxes those that are values."""
    return {"__value__": value} if isinstance(value, list) else value


def _unknown(kind: str, where: str) -> str:
    return (
        f"ComfyUI has no node {kind}, which {where} is: install its pack there, or mute it in the graph; if it is one "
        f"that only the frontend has, {_EXPORT}"
    )
