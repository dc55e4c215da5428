"""What was found wrong with a graph as it was queued, for the node that is then asked about its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar

from ...svi_embeds.errors import SVIError

# Of the graph that is being queued, in the task that queues it: story -> what is wrong.
TROUBLES: ContextVar[Mapping[str, str] | None] = ContextVar("svi_troubles", default=None)


def trouble_of(story: str) -> str | None:
    """What is wrong with the node that has this story in the graph that is being queued, or with the story itself."""
    if found := (TROUBLES.get() or {}).get(story):
        return found
    from ...svi_embeds.story.text import parse_story

    try:
        parse_story(story)
    except SVIError as error:
        return str(error)
    return None
