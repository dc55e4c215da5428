"""What the web pages ask the server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .host import requests as host_requests


def add_routes() -> None:
    """Register the routes in a running ComfyUI; outside of one, nothing happens."""
    host_requests.add_route("/wanvideo_svi/migrate", _migrate)
    host_requests.add_route("/wanvideo_svi/plan", _plan)
    host_requests.add_route("/wanvideo_svi/story", _story)
    host_requests.add_route("/wanvideo_svi/desk", _desk)
    host_requests.add_file_route("/wanvideo_svi/desk/clip", "video/mp4", _clip)
    host_requests.add_file_route("/wanvideo_svi/desk/seam", "video/mp4", _seam)
    host_requests.add_file_route("/wanvideo_svi/desk/frame", "image/jpeg", _frame)
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


def _desk(body: str) -> tuple[int, dict[str, object]]:
    from .answers.desk import answer

    return answer(body)


def _clip(query: Mapping[str, str]) -> Path:
    from .answers.desk import clip_file

    return clip_file(query)


def _seam(query: Mapping[str, str]) -> Path:
    from .answers.desk import seam_file

    return seam_file(query)


def _frame(query: Mapping[str, str]) -> Path:
    from .answers.desk import frame_file

    return frame_file(query)
