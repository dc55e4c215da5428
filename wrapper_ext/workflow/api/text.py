"""What the frontend makes of the texts of widgets when it sends them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ....svi_embeds.errors import SVIError

# Nodes whose `filename_prefix` takes values of other widgets and the date.
SAVE_NODES = {
    "CLIPSave", "LoraSave", "ModelSave", "Save3DAdvanced", "SaveAnimatedPNG", "SaveAnimatedWEBP", "SaveAudio",
    "SaveAudioAdvanced", "SaveAudioMP3", "SaveAudioOpus", "SaveGLB", "SaveGaussianSplat", "SaveImage",
    "SaveImageAdvanced", "SaveLatent", "SavePointCloud", "SaveSVGNode", "SaveVideo", "SaveWEBM", "VAESave",
}  # fmt: skip
_COMMENT = re.compile(r"/\*[\s\S]*?\*/|//[^\n\r\u2028\u2029]*")
_TOKEN = re.compile(r"\\[\s\S]|[\s\S]")
_NO_FILE_NAME = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE = re.compile("dd?|MM?|hh?|mm?|ss?|yyy?y?")


def plain_prompt(text: str) -> str:
    """A prompt without its comments, {a} as a. Raises SVIError for {a|b}, one of which would be drawn."""
    kept, depth = [], 0
    for token in _TOKEN.findall(_COMMENT.sub("", text)):
        if token == "|" and depth:
            raise SVIError("the frontend draws one of {a|b} at random")
        if token == "{":
            depth += 1
        elif token == "}" and depth:
            depth -= 1
        else:
            kept.append(token)
    return re.sub(r"\\([{}|])", r"\1", "".join(kept))


def fill_in(text: str, value_of: Callable[[str, str], Any], now: datetime) -> str:
    """A file name with its %date:...% and %Node.widget%.

    value_of: the value of a node's widget, the node by its name for this purpose or by its title; KeyError for none,
    whose place stays as it is written.
    """

    def replace(match: re.Match[str]) -> str:
        node, dot, widget = match[1].partition(".")
        if not dot or "." in widget:
            return _DATE.sub(lambda part: _date(part[0], now), node[5:]) if node.startswith("date:") else match[0]
        try:
            return _NO_FILE_NAME.sub("_", _as_script(value_of(node, widget)))
        except KeyError:
            return match[0]

    return re.sub("%([^%]+)%", replace, text)


def _date(part: str, now: datetime) -> str:
    if part[0] == "y":
        return {"yy": f"{now.year % 100:02}", "yyyy": str(now.year)}.get(part, part)
    number = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}[part[0]]
    return str(number).zfill(len(part))


def _as_script(value: Any) -> str:
    """A value as JavaScript writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
