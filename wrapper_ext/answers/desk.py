"""What the desk asks: which reels there are, the clips of one, a changed story, and to delete what nobody needs.

The chain of a node is asked of `story.answer`, as the story editor does, so that both show the same. Names of reels and
takes are looked up, never put into a path as they come. Previews are made by one thread, on Linux of the lowest
priority, which rests as long as it worked while ComfyUI runs a graph: sampling may wait for it by milliseconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.checks import check_int
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.previews import clip_preview, picture, seam_preview
from ...svi_embeds.reel.reel import Reel, check_reel_name
from ...svi_embeds.reel.writer import ReelWriter
from ...svi_embeds.story import edit
from ...svi_embeds.story.text import MAX_CLIPS
from ..host import files as host_files
from ..host import requests as host_requests
from ..workflow.model.parse import parse_json
from .cards import cards_of_reel
from .question import MAX_STORY
from .reel import now_of, read_reel, video_of
from .reels import list_all

_MAX_WORD = 1000
_MAX_KEYS = 20


def answer(body: str) -> tuple[int, dict[str, Any]]:
    """The server's answer to the desk: {"ask": one of ASKS, ...} -> status and what is asked, or {"error"}."""
    try:
        asked = parse_json(body)
        ask = asked.get("ask") if isinstance(asked, dict) else None
        if not isinstance(ask, str) or ask not in ASKS:
            raise SVIError(f"the request must be a JSON object with ask, one of {', '.join(ASKS)}")
        return 200, ASKS[ask](asked)
    except SVIError as error:
        return 400, {"error": str(error)}


def _reels(_: Mapping[str, Any]) -> dict[str, Any]:
    """All reels, newest first."""
    return list_all(host_files.reels_folder())


def _one(asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"reel"}: a reel's clips as cards, for one that no node of the graph writes."""
    reel = _reel(asked.get("reel"))
    video, is_current = video_of(reel)
    said = {
        "folder": f"output/{reel.folder.parent.name}/{reel.name}", "clips": len(reel.clips), "video": video,
        "is_current": is_current, "now": now_of(reel.folder),
    }  # fmt: skip
    return {"reel": said, "desk": cards_of_reel(reel)}


def _delete(asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"reel", "take"}: deletes a take that the chain does not use."""
    reel = _reel(asked.get("reel"))
    with ReelWriter(reel.folder, fps=reel.fps, length=reel.length) as writer:
        return {"size": writer.drop(_take(writer.reel, asked.get("take")))}


def _clean(asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"reel"}: deletes all that its chain does not use."""
    reel = _reel(asked.get("reel"))
    with ReelWriter(reel.folder, fps=reel.fps, length=reel.length) as writer:
        takes, size = writer.clean()
    return {"takes": takes, "size": size}


def _edit(asked: Mapping[str, Any]) -> dict[str, Any]:
    """{"story", "mend", "do", ...}: the story and the node's mend after an edit, see EDITS. Nothing is kept of it."""
    story = _text(asked, "story", MAX_STORY)
    mend = _text(asked, "mend", MAX_STORY)
    do = asked.get("do")
    if not isinstance(do, str) or do not in EDITS:
        raise SVIError(f"do must be one of {', '.join(EDITS)}")
    story, mend = EDITS[do](story, mend, asked)
    return {"story": story, "mend": mend}


def _prompt(story: str, mend: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    """clip, text: another prompt."""
    return edit.set_prompt(story, _clip(asked), _text(asked, "text", MAX_STORY)), mend


def _set(story: str, mend: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    """clip, keys: settings of its block, None to take one out; also: the same of another clip, in the same step. With
    mend taken out, its number on the node goes too."""
    also = asked.get("also")
    if also is not None:
        if not isinstance(also, dict) or "also" in also:
            raise SVIError("also must be settings of one other clip")
        story, mend = _set(story, mend, also)
    clip, keys = _clip(asked), asked.get("keys")
    if not isinstance(keys, dict) or not keys or len(keys) > _MAX_KEYS:
        raise SVIError("keys must be settings of a story by name")
    for name, value in keys.items():
        if not (value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= _MAX_WORD)):
            raise SVIError(f"{name[:40]} must be text, true, false or null")
    changed = edit.set_keys(story, clip, keys)
    if "mend" in keys and not keys["mend"]:
        mend = _without(mend, clip + 1)
    return changed, mend


def _insert(story: str, mend: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    """after, text: a new clip behind that one, 0 for before the first."""
    after = _number(asked, "after", 0)
    return edit.insert_after(story, after - 1, _text(asked, "text", MAX_STORY)), edit.renumber(mend, at=after - 1, by=1)


def _remove(story: str, mend: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    """clip: taken out."""
    clip = _clip(asked)
    return edit.remove(story, clip), edit.renumber(mend, at=clip, by=-1)


def _branch(story: str, mend: str, asked: Mapping[str, Any]) -> tuple[str, str]:
    """clip, last, text: a new clip at the end, which continues where that clip ends."""
    clip, last = _clip(asked), _number(asked, "last", 1)
    if clip >= last:
        raise SVIError(f"clip must be one of the {last} that there are, got {clip + 1}")
    story = edit.insert_after(story, last - 1, _text(asked, "text", MAX_STORY), {"from": str(clip + 1)})
    return story, edit.renumber(mend, at=last - 1, by=1)  # nothing to do, unless the page saw a shorter story


ASKS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "reels": _reels, "reel": _one, "edit": _edit, "delete": _delete, "clean": _clean,
}  # fmt: skip
EDITS: dict[str, Callable[[str, str, Mapping[str, Any]], tuple[str, str]]] = {
    "prompt": _prompt, "set": _set, "insert": _insert, "remove": _remove, "branch": _branch,
}  # fmt: skip


def clip_file(query: Mapping[str, str]) -> Path:
    """reel, take: the small video of a take. Raises SVIError when there is none."""
    reel = _reel(query.get("reel"))
    return clip_preview(reel, _take(reel, query.get("take")), _Rest())


def seam_file(query: Mapping[str, str]) -> Path:
    """reel, before, take: the small video of where two takes meet."""
    reel = _reel(query.get("reel"))
    return seam_preview(reel, _take(reel, query.get("before")), _take(reel, query.get("take")), _Rest())


def frame_file(query: Mapping[str, str]) -> Path:
    """reel, take, at (first or last): a frame of a take."""
    reel = _reel(query.get("reel"))
    return picture(reel, _take(reel, query.get("take")), last=query.get("at") == "last")


class _Rest:
    """Rests after each frame as long as it took, while ComfyUI runs a graph."""

    def __init__(self) -> None:
        self.since = time.monotonic()

    def __call__(self) -> None:
        if host_requests.is_at_work():
            time.sleep(min(1.0, time.monotonic() - self.since))
        self.since = time.monotonic()


def _reel(name: object) -> Reel:
    """A reel by its name. Raises SVIError when there is none that can be read."""
    name = check_reel_name(name)
    reel = read_reel(host_files.reels_folder() / name)
    if reel is None:
        raise SVIError(f"there is no reel {name} any more")
    return reel


def _take(reel: Reel, digest: object) -> Take:
    found = next((take for take in (*reel.clips, *reel.spare) if take.digest == digest), None)
    if found is None:
        raise SVIError(f"reel {reel.name} does not have this take any more")
    return found


def _clip(asked: Mapping[str, Any]) -> int:
    """The clip that is meant, from 0; pages count from 1."""
    return _number(asked, "clip", 1) - 1


def _number(asked: Mapping[str, Any], name: str, least: int) -> int:
    number = check_int(name, asked.get(name), minimum=least)
    if number > MAX_CLIPS:  # it may have thousands of digits
        raise SVIError(f"{name} must be at most {MAX_CLIPS}: no story has more clips")
    return number


def _without(numbers: str, number: int) -> str:
    """The numbers of clips that a node's mend names, without one."""
    names = [name for name in re.split(r"[\s,]+", numbers) if name]
    return numbers if str(number) not in names else ", ".join(name for name in names if name != str(number))


def _text(asked: Mapping[str, Any], name: str, most: int) -> str:
    text = asked.get(name)
    if not isinstance(text, str):
        raise SVIError(f"{name} must be text")
    if len(text) > most:
        raise SVIError(f"{name} has {len(text)} characters, the desk edits up to {most}")
    return text
