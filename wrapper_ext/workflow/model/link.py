"""A link of a saved workflow."""

from __future__ import annotations

from typing import Any

_ID = (int, str)


class Link:
    """Where it comes from and goes to; `raw` is its JSON, a list of six, or in subgraphs an object."""

    __slots__ = ("id", "origin", "origin_slot", "raw", "target", "target_slot")

    def __init__(self, link_id: Any, origin: Any, origin_slot: int, target: Any, target_slot: int, raw: Any) -> None:
        self.id, self.origin, self.origin_slot = link_id, origin, origin_slot
        self.target, self.target_slot, self.raw = target, target_slot, raw

    @classmethod
    def read(cls, raw: Any) -> Link | None:
        """None for what is no link."""
        if isinstance(raw, dict):
            fields = [raw.get(key) for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
        elif isinstance(raw, list) and len(raw) >= 5:
            fields = raw[:5]
        else:
            return None
        link_id, origin, origin_slot, target, target_slot = fields
        if not (isinstance(link_id, _ID) and isinstance(origin, _ID) and isinstance(target, _ID)):
            return None
        if not isinstance(origin_slot, int) or not isinstance(target_slot, int) or min(origin_slot, target_slot) < 0:
            return None
        return cls(link_id, origin, origin_slot, target, target_slot, raw)

    def move_origin(self, slot: int) -> None:
        self.origin_slot = slot
        if isinstance(self.raw, dict):
            self.raw["origin_slot"] = slot
        else:
            self.raw[2] = slot


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one: saved graphs have null there at times."""
    return value if isinstance(value, list) else []
