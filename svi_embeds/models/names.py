"""What the file names of models and LoRAs say: Wan version, noise stage, what it is for.

Wan 2.1 and 2.2 text-to-video models (and most LoRAs) differ in nothing but their weights, so the name is all there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Version = Literal["2.1", "2.2"]
Noise = Literal["high", "low"]

_VERSION = re.compile(r"(?:wan|^)[-_. ]?v?2[-_. ]?([12])(?!\d)")
# Names without a version: models and LoRAs that exist for one of them only.
_ONLY_22 = re.compile(r"a14b|holocine|(?:high|low)[-_ ]?noise|ti2v[-_ ]?5b")
_ONLY_21 = re.compile(
    r"magref|phantom|humo|1[._]3b|svi[-_](?:film|shot|tom|talk|dance)|(?:480|720)p|pusa[-_]?v1(?![-_.]?\d)"
)
_NOISE = re.compile(
    r"(?<![a-z])(high|low)(?:[-_ ]?noise)?(?![a-z])|(?<=[a-z])(?-i:(High|Low)(?:Noise)?(?![a-z]))", re.IGNORECASE
)


def base_name(path: str) -> str:
    """A path's file name without its ending, in either system's way of writing paths."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    return re.sub(r"\.(?:safetensors|gguf|pt|pth|ckpt|bin)$", "", name, flags=re.IGNORECASE)


def wan_version(path: str) -> Version | None:
    """The Wan version that a file name tells, or None."""
    name = base_name(path).lower()
    if found := _VERSION.search(name):
        return "2.1" if found.group(1) == "1" else "2.2"
    if _ONLY_22.search(name):
        return "2.2"
    return "2.1" if _ONLY_21.search(name) else None


def noise_stage(path: str) -> Noise | None:
    """The stage of a high/low pair that a file name tells, or None (also when it names both)."""
    found = {(match[1] or match[2]).lower() for match in _NOISE.finditer(base_name(path))}
    if found == {"high"}:
        return "high"
    return "low" if found == {"low"} else None


def is_pusa(path: str) -> bool:
    """Whether a file is a Pusa model or LoRA, by its name."""
    return "pusa" in base_name(path).lower()


def is_svi(path: str) -> bool:
    """Whether a file is an SVI LoRA, by its name."""
    found = purpose(path)
    return found is not None and found.is_svi


def is_fun_control(path: str) -> bool:
    """Whether a file is a Fun Control model, by its name."""
    name = base_name(path).lower()
    return "fun" in name and "control" in name


def is_holocine(path: str) -> bool:
    """Whether a file is a HoloCine model, by its name."""
    return "holocine" in base_name(path).lower()


def is_humo(path: str) -> bool:
    """Whether a file is a HuMo model, by its name."""
    return "humo" in base_name(path).lower()


def is_magref(path: str) -> bool:
    """Whether a file is a MAGREF model, by its name."""
    return "magref" in base_name(path).lower()


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a LoRA is for. modes: of SVI Embeds, or svi2_pro for the latent node. avoid: what it must not meet."""

    title: str
    modes: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()

    @property
    def is_svi(self) -> bool:
        """Whether it is one of the SVI LoRAs."""
        return self.title.startswith("SVI")


# Source: the SVI authors, github.com/vita-epfl/Stable-Video-Infinity/issues/81.
SVI_ON_CONTROL = "SVI LoRAs were trained without controls, and their authors say they must be trained again for them"
WAN22_HIGH = "the Wan 2.2 high noise model: no Wan 2.1 LoRA works properly there"
_FIRST = "the first clip of a chain: there it only freezes motion"
# Patterns of file names; the first that is found counts.
PURPOSES: tuple[tuple[str, Purpose], ...] = (
    (r"svi.*film.*shot", Purpose("SVI film and shot merged", ("film_shot",), (_FIRST,))),
    (r"svi[-_ ]?film[-_ ]?transition", Purpose("SVI 1.0 film, transitions", ("film", "fun_inp"), (_FIRST,))),
    (r"svi[-_ ]?film", Purpose("SVI 1.0 film", ("film", "fun_inp"), (_FIRST,))),
    (r"svi[-_ ]?shot", Purpose("SVI 1.0 shot", ("shot",), (_FIRST,))),
    (r"svi[-_ ]?tom", Purpose("SVI 1.0 tom", ("tom",), (_FIRST,))),
    (
        r"svi[-_ ]?talk",
        Purpose("SVI 1.0 talk", ("talk",), ("the wrapper's MultiTalk encode, which ignores custom embeds",)),
    ),
    (
        r"svi[-_ ]?dance",
        Purpose("SVI 1.0 dance", ("dance",), ("WanVideo Set LoRAs: load it through the model loader",)),
    ),
    (
        r"svi.*v?2.*pro|svi.*pro",
        Purpose("SVI 2.0 Pro", ("svi2_pro",), ("pixel padding: its zeros are zero latents", _FIRST)),
    ),
    (r"svi.*(?:v2|2\.0|v?2[-_]0)", Purpose("SVI 2.0", ("svi2_wan21", "svi2_wan22"), (_FIRST,))),
    (
        r"pusa",
        Purpose("Pusa (clean frames anywhere)", (), ("clean frames with another scheduler than flowmatch_pusa",)),
    ),
    (
        r"lightx2v|lightning|distill|causvid|accvid|fusionx|turbo",
        Purpose("step distillation", (), ("cfg above 1, and more steps than it was made for",)),
    ),
)


def purpose(path: str) -> Purpose | None:
    """What a LoRA is for by its file name, or None."""
    name = base_name(path).lower()
    return next((found for pattern, found in PURPOSES if re.search(pattern, name)), None)
