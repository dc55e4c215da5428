"""ComfyUI's progress as the engine hears it, and a cancel that reaches a thread beside the one that works."""

from __future__ import annotations

import threading
import types
from typing import Any

import pytest
from PIL import Image
from wanvideo_svi.wrapper_ext.host import comfy, show


class Interrupted(BaseException):
    pass


class Management(types.SimpleNamespace):
    """ComfyUI's flag, which is taken down by whoever hears of it."""

    InterruptProcessingException = Interrupted

    def __init__(self) -> None:
        super().__init__(flag=True)

    def interrupt_current_processing(self, value: bool = True) -> None:
        self.flag = value

    def throw_exception_if_processing_interrupted(self) -> None:
        if self.flag:
            self.flag = False
            raise Interrupted


def test_a_picture_in_another_thread_does_not_swallow_a_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    management = Management()

    class Bar:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def update_absolute(self, *_: Any) -> None:
            management.throw_exception_if_processing_interrupted()

    known = {"comfy.model_management": management, "comfy.utils": types.SimpleNamespace(ProgressBar=Bar)}
    monkeypatch.setattr(comfy, "module", known.get)
    show.show_picture("1", 1, 2, lambda: Image.new("RGB", (8, 8)))
    assert management.flag, "the thread that works has to hear of it"


def test_progress_of_other_threads_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[str, Any] = {}

    class Handler:
        def __init__(self, name: str) -> None:
            self.name = name

    registry = types.SimpleNamespace(unregister_handler=handlers.pop)
    progress = types.SimpleNamespace(
        ProgressHandler=Handler, get_progress_state=lambda: registry,
        add_progress_handler=lambda handler: handlers.update({handler.name: handler}),
    )  # fmt: skip
    known = {"comfy.model_management": object(), "comfy_execution.progress": progress}
    monkeypatch.setattr(comfy, "module", known.get)
    heard = []
    with comfy.hear_progress(lambda done, total: heard.append((done, total))):
        (handler,) = handlers.values()
        handler.update_handler("1", 1, 4, None, "p")
        thread = threading.Thread(target=handler.update_handler, args=("1", 2, 5, None, "p"))
        thread.start()
        thread.join()
        handler.update_handler("1", 2, 4, None, "p", image=None)
    assert heard == [(1, 4), (2, 4)]
    assert not handlers
