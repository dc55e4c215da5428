"""Sigmas and the step at which a pair changes models. tests/host compares every scheduler with the wrapper's own."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.pair.sigmas import SCHEDULERS, count_high, sigmas_of, split_step

COMPUTED = tuple(
    name for name in SCHEDULERS if "beta" not in name and name not in ("multitalk", "vibt_unipc", "flowmatch_distill")
)

# Counts measured on the wrapper's own schedulers, 8 steps: (0.875, 0.900) at shift 5 and at shift 8.
MEASURED = {
    **dict.fromkeys(("unipc", "dpm++_sde", "res_multistep", "flowmatch_pusa"), ((4, 3), (5, 4))),
    **dict.fromkeys(("euler", "lcm"), ((3, 3), (4, 4))),
}


@pytest.mark.parametrize("scheduler", MEASURED)
def test_split_step_is_what_was_measured_on_the_wrapper(scheduler: str) -> None:
    found = tuple(
        tuple(split_step(scheduler=scheduler, steps=8, shift=shift, boundary=boundary) for boundary in (0.875, 0.9))
        for shift in (5, 8)
    )
    assert found == MEASURED[scheduler]


@pytest.mark.parametrize(("shift", "boundary"), [(7, 0.875), (9, 0.9)])
def test_a_step_at_the_boundary_itself_belongs_to_the_high_model_once(shift: int, boundary: float) -> None:
    sigmas = sigmas_of("flowmatch_pusa", 8, shift)
    assert sigmas[4] == torch.tensor(boundary), "the case is only a tie when the sigma is the boundary"
    assert split_step(scheduler="flowmatch_pusa", steps=8, shift=shift, boundary=boundary) == 5


@given(st.sampled_from(COMPUTED), st.integers(1, 50), st.floats(0.5, 15))
def test_sigmas_fall_from_noise_towards_the_picture(scheduler: str, steps: int, shift: float) -> None:
    sigmas = sigmas_of(scheduler, steps, shift)
    assert 1 <= len(sigmas) <= steps
    assert bool((sigmas[:-1] > sigmas[1:]).all())
    assert 0 < sigmas[-1] <= sigmas[0] <= 1 + 1e-6


@given(st.sampled_from(COMPUTED), st.integers(2, 50), st.floats(1, 12), st.floats(0.05, 0.99), st.floats(0.05, 0.99))
def test_a_lower_boundary_never_gives_the_high_model_fewer_steps(
    scheduler: str, steps: int, shift: float, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    split = {b: split_step(scheduler=scheduler, steps=steps, shift=shift, boundary=b) for b in (low, high)}
    assert 0 <= split[high] <= split[low] <= steps


@given(st.integers(4, 50), st.floats(1, 12), st.sampled_from([0.875, 0.9]))
def test_the_split_is_where_the_sigmas_pass_the_boundary(steps: int, shift: float, boundary: float) -> None:
    sigmas = sigmas_of("unipc", steps, shift)
    split = count_high(sigmas, boundary)
    assert bool((sigmas[:split] >= boundary).all())
    assert bool((sigmas[split:] < boundary).all())


def test_schedulers_with_steps_of_their_own_run_those() -> None:
    assert len(sigmas_of("rcm", 8, 5)) == 4
    assert len(sigmas_of("flowmatch_causvid", 20, 5)) == 9
    assert len(sigmas_of("flowmatch_distill", 4, 5)) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("unipc/beta", 8, 5), "computed by WanVideoWrapper only"),
        (("vibt_unipc", 8, 5), "computed by WanVideoWrapper only"),
        (("multitalk", 8, 5), "serves no high/low pair"),
        (("flowmatch_distill", 8, 5), "made for 4 steps, got 8"),
        (("unipc", 0, 5), "steps must be 1 or more"),
        (("unipc", 8.0, 5), "steps must be a whole number"),
        (("unipc", 8, 0), "shift must be a number 0.01 to 1000"),
        (("euler", 8, 1e-16), "shift must be a number 0.01 to 1000"),
        (("euler", 8, 1e39), "shift must be a number 0.01 to 1000"),
        (("unipc", 8, float("nan")), "shift must be a number 0.01 to 1000"),
        (({}, 8, 5), "scheduler must be a name, got dict"),
    ],
)
def test_what_no_scheduler_takes_is_refused(values: tuple[object, object, object], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        sigmas_of(*values)  # type: ignore[arg-type]


@pytest.mark.parametrize("boundary", [0, 1, -0.5, 2, True, "0.9", float("nan")])
def test_a_boundary_that_is_no_share_of_noise_is_refused(boundary: object) -> None:
    with pytest.raises(SVIError, match="boundary must be a number between 0 and 1"):
        split_step(scheduler="unipc", steps=8, shift=5, boundary=boundary)  # type: ignore[arg-type]
