"""Which steps a clip's native samplers run, and what says the same in a story: steps or sigmas, and their split."""

from __future__ import annotations

from typing import Any

from ..find.wires import At, Origin
from .native_pass import LAST, NAMED, Pass, Sampling
from .reading import Reading, said, some

# Samplers that draw noise at the start only: of the others the second one's seed decides too.
_DRAW_ONCE = (
    "euler", "euler_cfg_pp", "heun", "heunpp2", "dpm_2", "lms", "dpm_fast", "dpmpp_2m", "dpmpp_2m_cfg_pp", "ipndm",
    "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp", "gradient_estimation", "ddim", "uni_pc", "uni_pc_bh2",
)  # fmt: skip


def check_single(reading: Reading, index: int, clip: list[Pass]) -> None:
    (each,) = clip
    node = each.at.node
    if not each.noise:
        raise reading.refuse(index, "its sampler adds no noise", node)
    if each.steps is None:
        return
    steps = each.settings["steps"]
    if each.steps[0] != 0 or each.steps[1] < (steps if isinstance(steps, int) else LAST):
        raise reading.refuse(
            index, f"its sampler runs steps {each.steps[0]} to {each.steps[1]} only, and a story runs them all", node
        )


def check_pair(reading: Reading, index: int, clip: list[Pass]) -> None:
    high, low = clip
    if not high.noise or low.noise:
        which, does = ("first", "adds no noise") if not high.noise else ("second", "adds noise again")
        raise reading.refuse(index, f"its {which} sampler {does}", (low if high.noise else high).at.node)
    for name in ("cfg", *(() if high.is_custom else NAMED)):
        one, other = (each.cfg if name == "cfg" else each.settings[name] for each in clip)
        if one != other:
            raise reading.refuse(
                index, f"its two samplers differ in {name}, {_word(one)} and {_word(other)}, and those of a story have "
                "one", low.at.node,
            )  # fmt: skip
    if high.steps is None or low.steps is None:
        return  # their sigmas are looked at where they are read
    (start, split), (again, end) = high.steps, low.steps
    steps = high.settings["steps"]
    last = steps if isinstance(steps, int) else LAST
    if start != 0 or split != again or not 0 < split < last or end < last:
        raise reading.refuse(
            index, f"its samplers run steps {start} to {split} and {again} to {end} of {_word(steps)}, and a story's "
            "second continues where the first ends, up to the last", low.at.node,
        )  # fmt: skip
    if not high.leaves_noise:
        raise reading.refuse(
            index, "return_with_leftover_noise of its first sampler is off, so that it ends free of noise: turn it on",
            high.at.node,
        )  # fmt: skip


def _word(key: Any) -> str:
    return said(key.at.node) if isinstance(key, Origin) else f"{key:g}" if isinstance(key, float) else str(key)


def read_names(reading: Reading, made: Sampling) -> None:
    """steps, sampler_name, scheduler and split_step: those of the last clip where the clips differ."""
    last = made.passes[-1]
    for name in NAMED:
        put(reading, made, name, last[0].settings[name], last[0].at)
        _say_others(reading, name, [clip[0].settings[name] for clip in made.passes])
    if len(last) > 1:
        splits = [clip[1].steps[0] if clip[1].steps else None for clip in made.passes]
        made.values["split_step"] = splits[-1]
        _say_others(reading, "split between its samplers", splits)
        _second_seeds(reading, made, last[0].settings["sampler_name"])


def read_sigmas(reading: Reading, made: Sampling) -> None:
    """sampler, sigmas and split_step: those of the last clip where the clips differ."""
    wires, end = reading.wires, len(made.passes) - 1
    takers, splits = [], []
    for index, clip in enumerate(made.passes):
        taker, split = (clip[0].at, None) if len(clip) == 1 else _split(reading, index, clip)
        takers.append(taker)
        splits.append(split)
    last = made.passes[-1][0]
    made.sources["sampler"] = reading.link(end, last.at, "sampler")
    made.sources["sigmas"] = reading.link(end, takers[-1], "sigmas")
    for name, found in (
        ("sampler", [clip[0].settings["sampler"] for clip in made.passes]),
        ("sigmas", [wires.origin(taker, "sigmas") for taker in takers]),
    ):
        _say_others(reading, name, found)
    if splits[-1] is not None:
        made.values["split_step"] = splits[-1]
        _say_others(reading, "split of its sigmas", splits)
        _second_seeds(reading, made, _sampler_name(reading, end, last.settings["sampler"]))


def _split(reading: Reading, index: int, clip: list[Pass]) -> tuple[At, int]:
    """The node that splits a pair's sigmas, and where. Raises SVIError when they are not two parts of the same."""
    high, low = (each.settings["sigmas"] for each in clip)
    if not reading.alike(clip[0].settings["sampler"], clip[1].settings["sampler"]):
        raise reading.refuse(index, "its two samplers have different samplers connected", clip[1].at.node)
    parts = [(origin.type, origin.slot) for origin in (high, low)]
    if parts != [("SplitSigmas", 0), ("SplitSigmas", 1)] or not reading.alike(high, Origin(low.at, 0)):
        raise reading.refuse(
            index, f"the sigmas of its samplers come from {said(high.at.node)} and {said(low.at.node)}, and a story "
            "splits one schedule at a step, as Split Sigmas does", clip[1].at.node,
        )  # fmt: skip
    step = reading.number(index, high.at, "step")
    if step < 1:
        raise reading.refuse(index, f"its sigmas are split at step {step}", high.at.node)
    return high.at, step


def _second_seeds(reading: Reading, made: Sampling, sampler_name: Any) -> None:
    """Say where a second sampler's seed was another one than the first's, if the sampler draws noise on the way."""
    if sampler_name in _DRAW_ONCE:
        return
    differing = [
        index for index, (high, low) in enumerate(made.passes)
        if _seed(reading, index, high.at) != _seed(reading, index, low.at)
    ]  # fmt: skip
    if differing:
        reading.note(
            differing[0], f"the samplers of {some(differing)} have two seeds each; in the story both have the first's, "
            "which tells where the sampler draws noise on the way",
        )  # fmt: skip


def _seed(reading: Reading, index: int, at: At) -> Any:
    """What tells one seed from another."""
    if at.node.type == "SamplerCustomAdvanced":
        origin = reading.wires.origin(at, "noise")
        if origin is None or origin.type != "RandomNoise":
            return None
        at = origin.at
    value = reading.value(index, at, "noise_seed")
    return reading.wires.origin(at, "noise_seed") if value is None else value


def _sampler_name(reading: Reading, index: int, sampler: Origin) -> Any:
    return reading.value(index, sampler.at, "sampler_name") if sampler.type == "KSamplerSelect" else None


def put(reading: Reading, made: Sampling, name: str, key: Any, at: At) -> None:
    """A widget's value, or its link."""
    if isinstance(key, Origin):
        made.sources[name] = reading.link(len(made.passes) - 1, at, name)
    else:
        made.values[name] = key


def _say_others(reading: Reading, name: str, found: list[Any]) -> None:
    """Say which clips have another setting than the last."""
    last = found[-1]
    for index, other in enumerate(found):
        linked = isinstance(other, Origin) and isinstance(last, Origin)
        if other != last and not (linked and reading.alike(other, last)):
            reading.note(index, f"its sampler's {name} differs from that of the last clip, which the story takes")
