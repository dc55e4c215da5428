"""What the web pages ask the server."""

from __future__ import annotations

from typing import Any

from .host import requests as host_requests


def add_routes() -> None:
    """Register the routes in a running ComfyUI; outside of one, nothing happens."""
    host_requests.add_route("/wanvideo_svi/migrate", _migrate)
    host_requests.add_route("/wanvideo_svi/plan", _plan)
    host_requests.add_route("/wanvideo_svi/story", _story)
    host_requests.before_queueing(_look_at)


def _look_at(request: dict[str, Any]) -> dict[str, Any]:
    from .answers.queue import look_at

    return look_at(request)


def _migrate(body: str) -> tuple[int, dict[str, object]]:
    from .answers.migrate import answer

    return answer(body)


def _plan(body: str) -> tuple[int, dict[str, object]]:
    from .answers.plan import answer

    return answer(body)


def _story(body: str) -> tuple[int, dict[str, object]]:
    from .answers.story import answer

    return answer(body)
