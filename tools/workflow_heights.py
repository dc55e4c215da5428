"""How tall a node stands in ComfyUI: on the canvas and as a Vue node, with its file missing, and after a run.

Measured in ComfyUI 0.33.0 with the frontends 1.49.6 and 1.58.1, at zoom 1, nodes 400 wide: `getBoundingClientRect` of
`[data-node-id]` and what is in it (a Vue node), `getBounding` and `computeSize` (canvas).
tests/host/test_layout_page.py measures the templates there, so that figures that no longer hold are found.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from workflow_nodes import WIDGET_TYPES, definition, has_control

TITLE = 30  # of the canvas: a node's `size` is without it, on Vue nodes too
_SLOT = 20  # a row of inputs and outputs, in both


class _In(NamedTuple):
    """The same thing in both."""

    canvas: int
    vue: int


_WIDGET = _In(24, 28)  # the canvas shows all, and a second one for a seed; Vue nodes fold the advanced ones away
_TEXT = _In(54, 68)  # a text box at its least
_STRIP = _In(98, 94)  # our strip of a clip, with its margins
_PLAN = _In(186, 186)  # our plan of a story at its least
_PICTURE = _In(240, 240)  # on a node that ran
_VIDEO = _In(480, 0)  # of Long Video, 800 wide: the canvas grows by it, a Vue node finds room in itself
_REST = _In(14, 68)  # of a Vue node: header 28, margins 16, badges 20, and 4 between its parts
_VUE_ADVANCED = 24  # at a Vue node's foot: "Show advanced inputs"
_VUE_MISSING = 32  # "Error" there, when its file is missing or a run failed on it

_STRIPS = {
    "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVITemporalMask",
    "WanVideoHoloCinePrompt",
}  # fmt: skip
_PICTURES = (_STRIPS - {"WanVideoHoloCinePrompt"}) | {"WanVideoReferenceCanvas", "WanVideoHighLowPair"}
_PLANS = {"WanVideoSVILongVideo", "WanVideoSVILongVideoNative"}
# Widgets that newer hosts than the recorded one have.
_NEWER = {"CreateVideo": 1}
# Heights that are chosen, without the title: what these nodes show is as large as they are, from about 340 on, and the
# bar of a sound takes 60.
_CHOSEN = {"LoadImage": 400, "LoadVideo": 400, "LoadAudio": 180, "SaveVideo": 400, "SaveImage": 400}

_LINE, _NOTE = 25, 66  # of a note: a line with its share of the space between paragraphs, and the rest of the node
_LETTER, _NOTE_SIDES = 6.0, 60  # its width
_MARKS = re.compile(r"[*`]")


class Height(NamedTuple):
    """saved: what `size` of the saved node holds. kept: what it takes at most, with its title."""

    saved: int
    kept: int


def height_of(node_type: str, *, linked: Collection[str], room: int) -> Height:
    """linked: its inputs that something is wired to. room: more for its texts."""
    if node_type in _CHOSEN:
        return Height(_CHOSEN[node_type], TITLE + _CHOSEN[node_type] + _VUE_MISSING)
    known = definition(node_type)
    widgets = {name: options for name, (kind, options) in known["inputs"].items() if kind in WIDGET_TYPES}
    inputs = len(known["inputs"]) - len(widgets) + len(widgets.keys() & set(linked))
    canvas = vue = _SLOT * max(inputs, len(known["outputs"]))
    folds = False
    for name, options in widgets.items():
        canvas += _TEXT.canvas if options.get("multiline") else _WIDGET.canvas * (1 + has_control(name, options))
        if options.get("advanced") and name not in linked:
            folds = True
        else:
            vue += _TEXT.vue if options.get("multiline") else _WIDGET.vue
    more = [_WIDGET] * _NEWER.get(node_type, 0) + [_STRIP] * (node_type in _STRIPS) + [_PLAN] * (node_type in _PLANS)
    canvas += _REST.canvas + sum(each.canvas for each in more)
    vue += _REST.vue + sum(each.vue for each in more)
    picture = _PICTURE if node_type in _PICTURES else _VIDEO if node_type in _PLANS else _In(0, 0)
    saved = vue - TITLE + room
    foot = _VUE_ADVANCED * folds + _VUE_MISSING
    return Height(saved, TITLE + max(max(saved, canvas) + picture.canvas, saved + foot + picture.vue))


def note_height(text: str, width: int) -> Height:
    """Of a note that shows all of its text."""
    letters = (width - _NOTE_SIDES) / _LETTER
    paragraphs: list[str] = []
    for line in text.strip().split("\n"):
        if paragraphs and line and paragraphs[-1] and not line.startswith(("- ", "#", "**")):
            paragraphs[-1] += f" {line.strip()}"
        else:
            paragraphs.append(line)
    lines = sum(-(-len(_MARKS.sub("", paragraph)) // letters) for paragraph in paragraphs if paragraph)
    saved = int(_LINE * lines) + _NOTE
    return Height(saved, TITLE + saved)
