"""The same for API graphs: {id: {class_type, inputs}}, where an input is a value or [id, output]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .definitions import Definition
from .scope import Node, Scope, Source, Use, is_default_title
from .signatures import LEFT_OUT


class ApiScope(Scope):
    """The nodes of an API graph: {id: {class_type, inputs}}."""

    def _load(self) -> None:
        for key, raw in self.raw.items():
            if isinstance(raw, dict) and isinstance(raw.get("class_type"), str):
                self.nodes[key] = Node(self, key, raw)
        self._index: dict[int | str, list[tuple[Node, str]]] = {}
        for node in self.nodes.values():
            for name in self.input_names(node):
                source = self.source(node, name)
                if source is not None:
                    self._index.setdefault(source.node, []).append((node, name))

    def type_of(self, raw: Mapping[str, Any]) -> str:
        return str(raw["class_type"])

    def title_of(self, raw: Mapping[str, Any]) -> str:
        meta = raw.get("_meta")
        title = meta.get("title") if isinstance(meta, dict) else None
        return title if isinstance(title, str) else ""

    def _inputs(self, node: Node) -> dict[str, Any]:
        inputs = node.raw.get("inputs")
        return inputs if isinstance(inputs, dict) else {}

    def source(self, node: Node, name: str) -> Source | None:
        value = self._inputs(node).get(name)
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], int):
            return None
        if not isinstance(value[0], (str, int)) or str(value[0]) not in self.nodes:
            return None
        return Source(str(value[0]), value[1])

    def source_at(self, node: Node, index: int) -> Source | None:
        names = self.input_names(node)
        return self.source(node, names[index]) if index < len(names) else None

    def values(self, node: Node) -> dict[str, Any]:
        given = {name: value for name, value in self._inputs(node).items() if self.source(node, name) is None}
        return LEFT_OUT.get(node.type, {}) | given

    def input_names(self, node: Node) -> list[str]:
        return [name for name in self._inputs(node) if self.source(node, name)]

    def uses(self, node: Node) -> Iterator[Use]:
        for target, name in self._index.get(node.id, ()):
            source = self.source(target, name)
            if source is not None and source.node == node.id and target.id in self.nodes:
                yield Use(target, name, source.slot)

    def disconnect(self, node: Node, name: str) -> None:
        if self.source(node, name):
            del node.raw["inputs"][name]

    def connect(self, source: Source, node: Node, name: str, kind: str) -> None:  # noqa: ARG002
        node.raw.setdefault("inputs", {})[name] = [source.node, source.slot]
        self._index.setdefault(source.node, []).append((node, name))

    def remove(self, node: Node) -> None:
        for use in list(self.uses(node)):
            if use.node is not None and use.input is not None:
                self.disconnect(use.node, use.input)
        if self.nodes.pop(node.id, None) is not None:
            del self.raw[str(node.id)]

    def replace(
        self, node: Node, definition: Definition, values: Mapping[str, Any], sources: Mapping[str, Source | None],
        outputs: Mapping[int, int],
    ) -> None:  # fmt: skip
        for use in list(self.uses(node)):
            if use.node is None or use.input is None:
                continue
            if use.slot in outputs:
                use.node.raw["inputs"][use.input] = [node.id, outputs[use.slot]]
            else:
                self.disconnect(use.node, use.input)
        default_title = is_default_title(node.title, node.type)
        node.raw["class_type"] = node.type = definition.id
        node.raw["inputs"] = {**definition.defaults(), **values}
        for name, source in sources.items():
            if source is not None:
                self.connect(source, node, name, "")
        if default_title and isinstance(node.raw.get("_meta"), dict):
            node.raw["_meta"]["title"] = definition.title

    def untitle(self, node: Node) -> None:
        if isinstance(node.raw.get("_meta"), dict):
            del node.raw["_meta"]

    def add(self, definition: Definition, values: Mapping[str, Any], pos: tuple[float, float]) -> Node:  # noqa: ARG002
        numbers = (int(key) for key in self.nodes if str(key).isdecimal())
        key = str(max(numbers, default=0) + 1)
        raw = {
            "class_type": definition.id, "inputs": {**definition.defaults(), **values},
            "_meta": {"title": definition.title},
        }  # fmt: skip
        self.raw[key] = raw
        self.nodes[key] = node = Node(self, key, raw)
        return node

    def set_value(self, node: Node, name: str, value: Any) -> None:
        node.raw.setdefault("inputs", {})[name] = value

    def tidy(self) -> None:
        """Nothing to do: edits are made in the JSON itself."""
