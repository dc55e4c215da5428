"""Threads that give way to others."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress


def give_way() -> None:
    """This thread, and those that it starts, get the processor when nothing else wants it. On other systems than Linux,
    where a thread cannot say so of itself alone, nothing happens."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
