"""What each native sampler of a clip is set to: which steps it runs, with which noise, model and conditioning.

Sources: ComfyUI's KSampler, KSamplerAdvanced, SamplerCustom, SamplerCustomAdvanced and their guiders (0.33),
KJNodes' ScheduledCFGGuidance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..find.wires import At, Origin
from ..model.scope import Source
from .reading import Reading, said

LAST = 10_000  # KSampler Advanced's own word for the last step
NAMED = ("steps", "sampler_name", "scheduler")
CUSTOM = ("sampler", "sigmas")
FIRST_MODELS = ("first_clip_model", "first_clip_low_noise_model")
_CONDITIONS = ("positive", "negative")
_RANGE = ("start_percent", "end_percent")
_GUIDERS: Mapping[str, tuple[str, ...]] = {
    "CFGGuider": ("model", *_CONDITIONS, "cfg"), "BasicGuider": ("model", "conditioning"),
    "ScheduledCFGGuidance": ("model", *_CONDITIONS, "cfg", *_RANGE),
}  # fmt: skip
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "denoise", *NAMED),
    "KSamplerAdvanced": (
        "add_noise", "noise_seed", "start_at_step", "end_at_step", "return_with_leftover_noise", *NAMED,
    ),
    "SamplerCustom": ("add_noise", "noise_seed", *CUSTOM),
    "SamplerCustomAdvanced": ("noise", "guider", *CUSTOM),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pass:
    """One sampler of a clip.

    at: it. guide: what takes its model and conditioning, itself or its guider. positive, negative: their names there;
    None for a guider without a negative. cfg: a number, or the output that gives it. settings: by name, numbers and
    texts or the outputs that give them; of a custom sampler the outputs that give sampler and sigmas. noise: whether it
    adds some. steps: the first that it runs and the one before which it ends; None for a custom sampler, whose sigmas
    say so. leaves_noise: whether what it gives is not yet free of noise.
    """

    at: At
    guide: At
    positive: str
    negative: str | None
    cfg: Any
    settings: dict[str, Any]
    noise: bool
    steps: tuple[int, int] | None
    leaves_noise: bool

    @property
    def is_custom(self) -> bool:
        return self.steps is None


@dataclass(slots=True)
class Sampling:
    """passes: each clip's samplers. values, sources: of the story's node. cfgs: of each clip whose cfg is not the
    chain's, else None."""

    passes: list[list[Pass]]
    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, Source | None] = field(default_factory=dict)
    cfgs: list[float | None] = field(default_factory=list)

    @property
    def has_first(self) -> bool:
        return FIRST_MODELS[0] in self.sources


def read_pass(reading: Reading, index: int, at: At) -> Pass:
    """A sampler of a clip. Raises SVIError for one whose settings are not known, or that a story has no word for."""
    guide = _guide(reading, index, at)
    _check_inputs(reading, index, at, guide)
    plain = guide.node.type == "BasicGuider"
    positive, negative = ("conditioning", None) if plain else _CONDITIONS
    cfg = 1.0 if plain else _key(reading, index, guide, "cfg")
    _check_range(reading, index, guide, cfg)
    custom = at.node.type.startswith("SamplerCustom")
    settings = {
        name: _made(reading, index, at, name) if custom else _key(reading, index, at, name)
        for name in (CUSTOM if custom else NAMED)
    }
    noise = _adds_noise(reading, index, at)
    steps, leaves = None if custom else (0, LAST), False
    if at.node.type == "KSampler" and reading.value(index, at, "denoise") != 1:
        raise reading.refuse(index, "denoise of its sampler is not 1", at.node)
    if at.node.type == "KSamplerAdvanced":
        steps = reading.number(index, at, "start_at_step"), reading.number(index, at, "end_at_step")
        leaves = reading.value(index, at, "return_with_leftover_noise") != "disable"
    return Pass(at, guide, positive, negative, cfg, settings, noise, steps, leaves)


def _guide(reading: Reading, index: int, at: At) -> At:
    if at.node.type != "SamplerCustomAdvanced":
        return at
    origin = reading.wires.origin(at, "guider")
    if origin is None or origin.type not in _GUIDERS:
        what = said(origin.at.node) if origin else "nothing"
        raise reading.refuse(index, f"its guider is {what}, and a story samples as CFGGuider does", at.node)
    return origin.at


def _check_range(reading: Reading, index: int, guide: At, cfg: Any) -> None:
    """Raises SVIError for a guider that does not guide every step alike. At cfg 1 it does in any range."""
    if guide.node.type != "ScheduledCFGGuidance" or cfg == 1:
        return
    if isinstance(cfg, Origin):
        what = f"cfg of {said(guide.node)} comes from {said(cfg.at.node)}, and may be one for each step"
        raise reading.refuse(index, f"{what}; a story has one for all", guide.node)
    start, end = (reading.value(index, guide, name) for name in _RANGE)
    if (start, end) != (0, 1):
        what = f"{said(guide.node)} guides from {start} to {end} only, and a story at every step"
        raise reading.refuse(index, what, guide.node)


def _check_inputs(reading: Reading, index: int, at: At, guide: At) -> None:
    known = (*_SETTINGS[at.node.type], "model", "latent_image", "cfg", *_CONDITIONS)
    for each, names in ((at, known), (guide, _GUIDERS.get(guide.node.type, known))):
        for name in each.node.scope.input_names(each.node):
            if name not in names:
                raise reading.refuse(index, f"{name} is connected to {said(each.node)}", each.node)


def _adds_noise(reading: Reading, index: int, at: At) -> bool:
    kind = at.node.type
    if kind == "KSampler":
        return True
    if kind != "SamplerCustomAdvanced":
        return reading.value(index, at, "add_noise") in ("enable", True)
    origin = reading.wires.origin(at, "noise")
    if origin is None or origin.type not in ("RandomNoise", "DisableNoise"):
        what = said(origin.at.node) if origin else "nothing"
        raise reading.refuse(
            index, f"its noise comes from {what}, and that of a story from a seed (RandomNoise)", at.node
        )
    return origin.type == "RandomNoise"


def _key(reading: Reading, index: int, at: At, name: str) -> Any:
    """A widget's value, or the output that gives it when only a run can tell."""
    value = reading.value(index, at, name)
    return _made(reading, index, at, name) if value is None else value


def _made(reading: Reading, index: int, at: At, name: str) -> Origin:
    origin = reading.wires.origin(at, name)
    if origin is None:
        raise reading.refuse(index, f"{name} of {said(at.node)} is linked to nothing that runs", at.node)
    return origin
