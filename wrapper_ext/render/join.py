"""A reel joined to one video file, and what that file is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..host import comfy
from ..host import show as host_show

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...svi_embeds.files.track import Soundtrack
    from ...svi_embeds.reel.reel import Reel
    from ...svi_embeds.story.depends import Task


def sound_name(track: Soundtrack | None) -> str:
    """What a video's file name says of its sound, so that one with other sound is not taken for it."""
    from ...svi_embeds.ground.fingerprint import fingerprint

    return "" if track is None else f"_a{fingerprint([track.samples, track.rate])[:8]}"


def cut_name(reel: Reel) -> str:
    """The same of a video that ends before the chain does."""
    return f"_{reel.shown_frames}f" if reel.shown_frames < reel.total_frames else ""


def clip_numbers(tasks: Collection[Task]) -> str:
    """The clips of some tasks by number, from 1: "2, 5-7"."""
    from ...svi_embeds.masks.known import format_runs

    return format_runs(sorted({task.clip + 1 for task in tasks}))


def part_name(tasks: Collection[Task]) -> str:
    """What a video's file name says where it shows some clips alone; "" for a whole chain."""
    return f"_clip{clip_numbers(tasks).replace(', ', '_')[:60]}" if tasks else ""


def assemble(reel: Reel, path: Any, node_id: str | None, **options: Any) -> None:
    """Join a reel's clips to a file with progress on a node; cancel leaves no file."""
    host_show.show_text(node_id, f"joining {len(reel.clips)} clips")

    def progress(done: int, total: int) -> None:
        comfy.stop_if_cancelled()
        if done % 16 == 0 or done == total:
            host_show.show_progress(node_id, done, total)

    reel.assemble(path, progress=progress, **options)
