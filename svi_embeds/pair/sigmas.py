"""The noise levels (sigmas) that the wrapper's schedulers walk through, and where a high/low pair changes models.

Every formula and its rounding follow the wrapper's own schedulers (WanVideoWrapper, wanvideo/schedulers), so that a
step whose sigma is the boundary itself falls on the same side.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_int

_TRAIN_STEPS = 1000
_LEAST = 0.003 / 1.002  # the lowest unshifted sigma of DiffSynth's flow schedulers
_CAUSVID = (999, 934, 862, 756, 603, 410, 250, 140, 74)
_DISTILL = (999, 750, 500, 250)
_RCM = (math.atan(120), 1.5, 1.4, 1.0)  # angles
_LONGCAT_STEPS = 50


def shifted(sigmas: Tensor, shift: float) -> Tensor:
    """Sigmas (any shape, 0..1) moved towards noise: shift * s / (1 + (shift - 1) * s)."""
    return shift * sigmas / (1 + (shift - 1) * sigmas)


def _linear(steps: int, shift: float) -> Tensor:
    top = shifted(torch.tensor(1 - 1 / _TRAIN_STEPS, dtype=torch.float64).float(), shift).item()
    return shifted(torch.from_numpy(np.linspace(top, 0, steps + 1)[:-1]), shift)


def _euler(steps: int, shift: float) -> Tensor:
    ends = shifted(torch.tensor([_TRAIN_STEPS, 1], dtype=torch.float32) / _TRAIN_STEPS, shift)
    top, bottom = (value * _TRAIN_STEPS for value in ends.tolist())
    return shifted(torch.from_numpy(np.linspace(top, bottom, steps)) / _TRAIN_STEPS, shift)


def _pusa(steps: int, shift: float) -> Tensor:
    return shifted(torch.linspace(1, 0, steps + 1)[:-1], shift)


def _picked(steps: int, shift: float) -> Tensor:
    every = torch.linspace(1, _LEAST, _TRAIN_STEPS)
    return shifted(every[[round(i * (_TRAIN_STEPS / steps)) for i in range(steps)]], shift)


def _deis(steps: int, shift: float) -> Tensor:
    sigmas = torch.from_numpy(1 - np.linspace(1, 1 / _TRAIN_STEPS, steps + 1))
    return shifted(sigmas, shift).flip(0)[:-1]


def _sa_ode(steps: int, shift: float) -> Tensor:
    t = torch.linspace(0, 1, steps + 1)
    return shifted(1 - t if steps <= 10 else 0.5 * (1 + torch.cos(math.pi * t)), shift)[:-1]


def _longcat(steps: int, shift: float) -> Tensor:
    every = torch.arange(_LONGCAT_STEPS, 0, -1) * (_TRAIN_STEPS // _LONGCAT_STEPS)
    picked = torch.linspace(0, _LONGCAT_STEPS, steps + 1)[:-1].floor().long()
    return shifted(every[picked].float() / 1000, shift)


def _causvid(steps: int, shift: float) -> Tensor:  # noqa: ARG001
    return torch.tensor(_CAUSVID[:steps]) / 1000


def _distill(steps: int, shift: float) -> Tensor:
    if steps != len(_DISTILL):
        raise SVIError(f"flowmatch_distill is made for {len(_DISTILL)} steps, got {steps}: set steps to 4")
    every = torch.linspace(1, 0, _TRAIN_STEPS + 1)[:-1]
    return shifted(every, shift)[[_TRAIN_STEPS - step for step in _DISTILL]] * _TRAIN_STEPS / 1000


def _rcm(steps: int, shift: float) -> Tensor:  # noqa: ARG001
    return noise_levels("rcm", torch.tensor(_RCM[:steps], dtype=torch.float32))


_FORMULAS: dict[str, Callable[[int, float], Tensor]] = {
    "unipc": _linear, "dpm++": _linear, "dpm++_sde": _linear,
    "euler": _euler, "lcm": _euler,
    "longcat_distill_euler": _longcat,
    "deis": _deis,
    "res_multistep": _picked, "er_sde": _picked,
    "flowmatch_causvid": _causvid, "flowmatch_distill": _distill, "flowmatch_pusa": _pusa,
    "sa_ode_stable": _sa_ode,
    "rcm": _rcm,
}  # fmt: skip

# The schedulers of the wrapper of 2026-05-24, in its order: what the node offers outside ComfyUI.
SCHEDULERS: tuple[str, ...] = (
    "unipc", "unipc/beta", "dpm++", "dpm++/beta", "dpm++_sde", "dpm++_sde/beta", "euler", "euler/beta",
    "longcat_distill_euler", "deis", "lcm", "lcm/beta", "res_multistep", "er_sde", "flowmatch_causvid",
    "flowmatch_distill", "flowmatch_pusa", "multitalk", "sa_ode_stable", "rcm", "vibt_unipc",
)  # fmt: skip
PUSA_SCHEDULER = "flowmatch_pusa"
MAX_STEPS = 10_000
MIN_SHIFT, MAX_SHIFT = 0.01, 1000  # the wrapper's samplers end there; far below, the formulas divide by zero


def check_schedule(scheduler: object, steps: object, shift: object) -> None:
    """Raises SVIError for what no scheduler takes."""
    if not isinstance(scheduler, str):
        raise SVIError(f"scheduler must be a name, got {type(scheduler).__name__}: choose one from the list")
    if scheduler == "multitalk":
        raise SVIError(
            "scheduler multitalk is the MultiTalk sampler's own loop and serves no high/low pair: choose another"
        )
    if check_int("steps", steps, minimum=1) > MAX_STEPS:
        raise SVIError(f"steps must be {MAX_STEPS} or less, got {steps}: Wan models take 4 to 50")
    if isinstance(shift, bool) or not isinstance(shift, (int, float)) or not MIN_SHIFT <= shift <= MAX_SHIFT:
        raise SVIError(f"shift must be a number {MIN_SHIFT} to {MAX_SHIFT}, got {shift!r}: Wan models take 3 to 12")


def noise_levels(scheduler: str, raw: Tensor) -> Tensor:
    """A scheduler's own sigmas as shares of noise, 0..1. rcm counts in angles: sin / (sin + cos), as the host does."""
    return torch.sin(raw) / (torch.sin(raw) + torch.cos(raw)) if scheduler == "rcm" else raw


def sigmas_of(scheduler: str, steps: int, shift: float) -> Tensor:
    """The share of noise at the start of each step, float32 [steps run], falling; some schedulers run fewer steps.

    Raises SVIError for bad values, and for a scheduler that only the wrapper itself can compute (the beta family, and
    any that this pack does not know).
    """
    check_schedule(scheduler, steps, shift)
    formula = _FORMULAS.get(scheduler)
    if formula is None:
        raise SVIError(
            f"the sigmas of {scheduler} are computed by WanVideoWrapper only: run this inside ComfyUI, or choose "
            f"one of {', '.join(_FORMULAS)}"
        )
    return formula(steps, float(shift)).float()


def count_high(sigmas: Tensor, boundary: float) -> int:
    """How many of `sigmas` (falling, one per step) are at or above `boundary`: the steps of the high noise model."""
    return int((sigmas >= boundary).sum())


def split_step(*, scheduler: str, steps: int, shift: float, boundary: float) -> int:
    """The first step of the low noise model: the high one runs [0, split), the low one [split, steps).

    boundary: share of noise, 0..1, from which a step belongs to the high noise model (Wan 2.2: 0.875 T2V, 0.900 I2V).
    0 or `steps` mean that one model does all the work. Raises SVIError as `sigmas_of`, and for another boundary.
    """
    return count_high(sigmas_of(scheduler, steps, shift), check_boundary(boundary))


def check_boundary(boundary: object) -> float:
    """`boundary` when it is a number between 0 and 1. Raises SVIError otherwise."""
    if isinstance(boundary, bool) or not isinstance(boundary, (int, float)) or not 0 < boundary < 1:
        raise SVIError(f"boundary must be a number between 0 and 1 (Wan 2.2: 0.875 T2V, 0.9 I2V), got {boundary!r}")
    return float(boundary)
