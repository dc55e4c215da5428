"""One model of saved workflows (UI format) and API graphs: nodes, links and values by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....svi_embeds.errors import SVIError
from .api_scope import ApiScope
from .definitions import Definition
from .link import as_list
from .parse import copy_json
from .scope import Scope

MAX_NODES = 50_000


def is_api_graph(value: Any) -> bool:
    """Whether a JSON value is an API graph: {id: {class_type, inputs}}."""
    return (
        isinstance(value, dict)
        and "nodes" not in value
        and any(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in value.values())
    )


class Workflow:
    """A workflow: its top level and its subgraphs by id. `raw` is a copy of what was loaded."""

    def __init__(self, raw: Any, own: Mapping[str, Definition] | None = None) -> None:
        """own: this pack's nodes. Raises SVIError for what is no workflow and no API graph, or too large."""
        own = own or {}
        if not isinstance(raw, dict):
            raise SVIError(f"a workflow is a JSON object, got {type(raw).__name__}")
        self.raw = copy_json(raw)
        self.is_api = is_api_graph(raw)
        self.root = ApiScope(self.raw, own) if self.is_api else Scope(self.raw, own)
        self.subgraphs: dict[str, Scope] = {}
        definitions = self.raw.get("definitions")
        for entry in as_list(definitions.get("subgraphs")) if isinstance(definitions, dict) else ():
            if isinstance(entry, dict) and isinstance(entry.get("id"), str) and isinstance(entry.get("nodes"), list):
                self.subgraphs.setdefault(entry["id"], Scope(entry, own, name=str(entry.get("name") or entry["id"])))
        if sum(len(scope.nodes) for scope in self.scopes) > MAX_NODES:
            raise SVIError(f"a workflow of more than {MAX_NODES} nodes is not read")

    @property
    def scopes(self) -> list[Scope]:
        return [self.root, *self.subgraphs.values()]

    def save(self) -> dict[str, Any]:
        """The JSON: what was loaded, with the edits."""
        for scope in self.scopes:
            scope.tidy()
        return self.raw
