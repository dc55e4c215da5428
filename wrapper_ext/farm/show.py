"""A batch's progress in a terminal: one live table of workers and stories, or plain lines where nobody looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...svi_embeds.ground.words import align, shorten, visible
from .estimate import estimate
from .jobs import Job
from .prepare import Prepared

_ROWS = 12  # stories that are shown at once
_DONE = ("done", "kept", "failed")


class PlainShow:
    """A line for whatever happens to a story. say: prints a line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._lock = threading.Lock()

    def begin(self, stories: Sequence[Prepared], jobs: int) -> None:
        self._line(f"{len(stories)} stories, {sum(each.kept for each in stories)} of them done before; {jobs} jobs")
        for each in stories:
            if each.error:
                self._line(f"{each.name}: {each.error}")

    def story(self, name: str, state: str) -> None:
        self._line(f"{name}: {state}")

    def worker(self, name: str, state: str) -> None: ...

    def note(self, line: str) -> None:
        self._line(line)

    def _line(self, line: str) -> None:
        with self._lock:
            self.say(visible(line))


class LiveShow:
    """The same as a table that is drawn over itself; what went wrong stands above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self.console = Console()
        self.workers: dict[str, str] = {}
        self.stories: dict[str, str] = {}
        self.total: int | None = None  # until the workers are there
        self.jobs, self.began = 0, time.monotonic()
        self._lock = threading.Lock()
        self.live = Live(console=self.console, refresh_per_second=4, get_renderable=self._table)  # asks at once

    def __enter__(self) -> LiveShow:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def begin(self, stories: Sequence[Prepared], jobs: int) -> None:
        with self._lock:
            self.total, self.jobs = len(stories), jobs
            for each in stories:
                if each.kept or each.error:
                    self.stories[each.name] = "kept: done before" if each.kept else f"failed: {each.error}"

    def story(self, name: str, state: str) -> None:
        with self._lock:
            self.stories.pop(name, None)  # what happened last stands last
            self.stories[name] = state

    def worker(self, name: str, state: str) -> None:
        with self._lock:
            self.workers[name] = state

    def note(self, line: str) -> None:
        self.console.print(visible(line), markup=False, highlight=False)

    def _table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            done = sum(state.startswith(_DONE) for state in self.stories.values())
            minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
            doing = "getting ready" if self.total is None else f"{done} of {self.total} stories ({self.jobs} jobs)"
            table = Table(title=f"{doing}, {minutes} min {seconds:02} s", expand=True)
            for column in ("", "now"):
                table.add_column(column, overflow="ellipsis", no_wrap=True)
            for name, state in sorted(self.workers.items()):
                table.add_row(Text(name, "bold"), Text(visible(state)))
            for name, state in list(self.stories.items())[-_ROWS:]:
                table.add_row(Text(shorten(name, 30)), Text(visible(state)))
        return table


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """A report as a table, with what went wrong below it."""
    rows: list[tuple[str, ...]] = [("story", "state", "clips", "takes made", "seconds", "retries", "worker", "GPU MB")]
    for row in report["stories"]:
        rows.append((
            shorten(row["story"], 30), row["state"], str(row["clips"] or "?"), str(row["takes_made"]),
            f"{row['seconds']:.0f}", str(row["retries"]), ", ".join(row["workers"]), str(row["memory_mb"] or "-"),
        ))  # fmt: skip
    wrong = [f"- {row['story']}: {row['error']}" for row in report["stories"] if row["error"]]
    states = [row["state"] for row in report["stories"]]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return [*align(rows), f"{counts or 'nothing'} in {report['seconds']:.0f} s", *wrong]


def plan_lines(
    ready: Sequence[Prepared], jobs: Sequence[Job], workers: Sequence[int], *, seconds: float, frame_bytes: float
) -> list[str]:
    """What a batch would do. workers: numbers of them to tell the time for. seconds: of a take. frame_bytes: that a
    reel takes for a frame."""
    rows: list[tuple[str, ...]] = [("story", "clips", "to make", "jobs", "one after another")]
    frames = 0
    for each in ready:
        mine = [job for job in jobs if job.story == each.name]
        clips = "?" if each.planned is None else str(len(each.planned.plan.clips))
        if each.planned is not None and mine:
            frames += sum(clip.takes * clip.num_frames for clip in each.planned.plan.clips)
        said = (clips, "-", "done before", "-") if each.kept else (clips, "-", each.error, "-") if each.error else (
            clips, str(each.makes), str(len(mine)), str(each.path)
        )  # fmt: skip
        rows.append((shorten(each.name, 30), *said))
    lines = [*align(rows), f"up to {frames * frame_bytes / 1e9:.1f} GB of reels for {frames} frames"]
    one = estimate(jobs, 1, lambda job: seconds * job.makes)
    for count in workers:
        found = estimate(jobs, count, lambda job: seconds * job.makes)
        speed = one.seconds / found.seconds if found.seconds else 1.0
        lines.append(
            f"{count} worker{'s' if count > 1 else ''}: {found.seconds / 60:.0f} min at {seconds:g} s a take, "
            f"{speed:.1f} times as fast as one; at least {found.path / 60:.0f} min with any number"
        )
    return lines
