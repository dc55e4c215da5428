"""A workflow given as JSON migrated, with this pack's nodes as they are: for the command and for the web page."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from ...svi_embeds.errors import SVIError
from ..nodes.table import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from ..workflow.model.definitions import Definition, define
from ..workflow.model.graph import Workflow
from ..workflow.model.parse import parse_json
from ..workflow.model.report import Report
from ..workflow.rewrite.migrate import migrate
from ..workflow.story.as_story import as_story as make_story


@lru_cache(maxsize=1)
def own_nodes() -> dict[str, Definition]:
    """Definitions of this pack's nodes, by id."""
    return {
        node_id: define(node_id, node, NODE_DISPLAY_NAME_MAPPINGS[node_id])
        for node_id, node in NODE_CLASS_MAPPINGS.items()
    }


def migrate_value(value: Any, *, as_story: bool = False) -> tuple[Any, Report]:
    """A migrated copy of a workflow (a saved one or an API graph), and what was found and done.

    as_story: make the chain one SVI Long Video, native where its samplers are. Raises SVIError for what is no workflow,
    and for a chain that cannot be a story.
    """
    with _no_collecting():
        workflow = Workflow(value, own_nodes())
        report = (make_story if as_story else migrate)(workflow, own_nodes())
    return workflow.raw, report


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Without Python's search for circular garbage, which would go through all of torch again and again meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def answer(body: str) -> tuple[int, dict[str, Any]]:
    """The server's answer to the web page: {"workflow", "as_story"} -> status and {"workflow", "report", "lines"}."""
    try:
        asked = parse_json(body)
        if not isinstance(asked, dict):
            raise SVIError("the request must be a JSON object with a workflow")
        value, report = migrate_value(asked.get("workflow"), as_story=asked.get("as_story") is True)
    except SVIError as error:
        return 400, {"error": str(error)}
    return 200, {"workflow": value, "report": report.as_json(), "lines": report.lines()}
