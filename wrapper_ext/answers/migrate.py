"""The server's answer to a page that wants a saved graph migrated."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.errors import SVIError
from ..migration import migrate_value
from ..workflow.model.parse import parse_json


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
