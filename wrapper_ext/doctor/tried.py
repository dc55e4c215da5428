"""Hosts that tests/host was run in, and when. docs/how-to/install.md and docs/reference/hosts.md say the same."""

from __future__ import annotations

from collections.abc import Mapping

# Version -> day of the last tries there, oldest version first; docs/reference/hosts.md says what was run.
COMFYUI: Mapping[str, str] = {"0.3.64": "2026-11-30", "0.33.0": "2026-11-30"}
FRONTENDS: Mapping[str, str] = {"1.27.10": "2026-11-30", "1.49.6": "2026-11-30", "1.58.1": "2026-11-30"}


def tried(version: str, among: Mapping[str, str]) -> str:
    """When a version was tried, or which others were."""
    if version in among:
        return f"tried with this pack on {among[version]}"
    days = dict.fromkeys(among.values())
    each = "; ".join(f"{_join([it for it in among if among[it] == day])} on {day}" for day in days)
    return f"not tried with this pack, which was tried in {each}"


def _join(words: list[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]])
