"""The Chinese texts, and what of an English one a translation must have."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from project import ROOT

ZH = ROOT / "locales" / "zh"


def load(name: str) -> dict[str, Any]:
    return json.loads((ZH / name).read_text(encoding="utf-8"))


CHINESE = re.compile(r"[\u4e00-\u9fff]")


NUMBER = re.compile(r"(?<![A-Za-z0-9_.])\d+(?:\.\d+)?")  # not the digits of a name, as in A14B


NAME = re.compile(r"[a-z0-9_]+", re.ASCII)


def tooltip_lags(english: str, translated: str, choices: Sequence[str] = ()) -> list[str]:
    """Numbers, ids, and choices of its own input that an English tooltip has and the translation lacks."""
    names = set(re.findall(r"\b[a-z0-9_]*[a-z]_[a-z0-9_]+\b", english))
    names |= {choice for choice in choices if f"{choice}:" in english}
    return sorted(
        names - set(NAME.findall(translated)) | set(NUMBER.findall(english)) - set(NUMBER.findall(translated))
    )
