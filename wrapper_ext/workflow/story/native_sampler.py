"""The native samplers of a chain's clips: what becomes models, cfg and seeds of WanVideo SVI Long Video (native)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.native import NATIVE_SAMPLERS, noise_of
from ..find.wires import At, Origin
from ..model.scope import ACTIVE, Source
from .native_pass import FIRST_MODELS, Pass, Sampling, read_pass
from .native_steps import check_pair, check_single, put, read_names, read_sigmas
from .reading import Reading, said, some

_MODELS = ("model", "low_noise_model")


def read_sampling(reading: Reading) -> Sampling:
    """Raises SVIError for samplers that a story cannot say."""
    counts = {len(clip.samplers) for clip in reading.chain}
    if len(counts) > 1 or max(counts) > 2:
        raise SVIError("the clips have different numbers of samplers, or more than two: a story has one pair")
    for index in range(len(reading.chain)):
        _check_wiring(reading, index)
    passes = [
        [read_pass(reading, index, at) for at in clip.samplers] for index, clip in enumerate(reading.chain)
    ]  # fmt: skip
    made = Sampling(passes)
    if len({each.is_custom for clip in passes for each in clip}) > 1:
        raise SVIError("some of the chain's samplers take sigmas and others steps: a story has one kind")
    for index, clip in enumerate(passes):
        (check_pair if len(clip) > 1 else check_single)(reading, index, clip)
    (read_sigmas if passes[0][0].is_custom else read_names)(reading, made)
    _read_cfgs(reading, made)
    _read_models(reading, made)
    return made


def read_seeds(reading: Reading) -> list[Any]:
    """Each clip's seed; None when it is drawn at each run, or only a run can tell. Says what of seeds is wrong."""
    found: list[Any] = []
    for index, clip in enumerate(reading.chain):
        noise = noise_of(reading.wires, clip.samplers[0])
        if noise is None:
            raise reading.refuse(index, "the seed of its noise is not known", clip.samplers[0].node)
        found.append(noise[1] if isinstance(noise[1], int) else None)
    again = [index for index, seed in enumerate(found) if seed is not None and seed in found[:index]]
    if again:
        reading.note(
            again[0], f"{some(again)} had a seed that a clip before them has too, and equal noise in every clip adds "
            "up to artefacts: take seed=... out of their blocks, and each clip gets one of its own",
        )  # fmt: skip
    return found


def _check_wiring(reading: Reading, index: int) -> None:
    """Raises SVIError when a clip's samplers are wired in a way that a story does not have."""
    wires, clip = reading.wires, reading.chain[index]
    first = clip.samplers[0]
    latent = wires.origin(first, "latent_image")
    if not reading.alike(latent, Origin(clip.embeds, 2)):
        raise reading.refuse(
            index, f"latent_image of its sampler comes from {_what(latent)}, not straight from "
            f"{said(clip.embeds.node)}", first.node,
        )  # fmt: skip
    for before, at in pairwise(clip.samplers):
        latent = wires.origin(at, "latent_image")
        if latent != Origin(before, 0):
            raise reading.refuse(
                index, f"latent_image of its second sampler comes from {_what(latent)}, not straight from the output "
                "of the first", at.node,
            )  # fmt: skip
    for at in clip.samplers:
        if other := [use.node for use in wires.uses_through(at.node, 1) if use.node and use.node.mode == ACTIVE]:
            raise reading.refuse(
                index, f"{said(other[0])} takes denoised_output of {said(at.node)}, and a story has its output", at.node
            )
        inner = [each.node for each in clip.samplers]
        for use in wires.uses_through(at.node, 0):
            node = use.node
            if node and node.mode == ACTIVE and node.type in NATIVE_SAMPLERS and node not in inner:
                raise reading.refuse(index, f"{said(node)} continues {said(at.node)} too", node)


def _what(origin: Origin | None) -> str:
    return said(origin.at.node) if origin else "nothing"


def _check_conditioning(reading: Reading, index: int, each: Pass) -> None:
    pro = reading.embeds[index]
    for slot, name in enumerate((each.positive, each.negative)):
        origin = reading.wires.origin(each.guide, name) if name else None
        if name and not reading.alike(origin, Origin(pro, slot)):
            raise reading.refuse(
                index, f"{name} of {said(each.guide.node)} comes from {_what(origin)}, not straight from "
                f"{('positive', 'negative')[slot]} of {said(pro.node)}", each.guide.node,
            )  # fmt: skip


def _read_cfgs(reading: Reading, made: Sampling) -> None:
    """The chain's cfg: that of most clips. A clip's own goes into its block."""
    found = [clip[0].cfg for clip in made.passes]
    cfg = Counter(found).most_common(1)[0][0]
    index = found.index(cfg)
    each = made.passes[index][0]
    put(reading, made, "cfg", cfg, each.guide)
    if isinstance(made.values.get("cfg"), int):
        made.values["cfg"] = float(cfg)
    made.cfgs = [None if other == cfg or isinstance(other, Origin) else float(other) for other in found]
    linked = [place for place, other in enumerate(found) if other != cfg and isinstance(other, Origin)]
    if linked:
        reading.note(
            linked[0], f"cfg of {some(linked)} comes from another node than the story's, that of clip {index + 1}"
        )


def _read_models(reading: Reading, made: Sampling) -> None:
    """The last clip's models, and those of the first where they are others."""
    wires, first, others = reading.wires, [], []
    for index, clip in enumerate(made.passes):
        for each in clip:
            _check_conditioning(reading, index, each)
    for stage, name in enumerate(_MODELS[: len(made.passes[0])]):
        guides = [clip[stage].guide for clip in made.passes]
        models = [wires.origin(at, "model", passing=False) for at in guides]
        for index, model in enumerate(models[1:], start=1):
            if not reading.alike(model, models[-1]):
                what = "its model is not that of the last clip: a story has one for all but the first"
                raise reading.refuse(index, what, guides[index].node)
        made.sources[name] = _model(reading, len(guides) - 1, guides[-1])
        first.append(_model(reading, 0, guides[0]))
        others.append(not reading.alike(models[0], models[-1]))
    # One of a pair is not enough: the clip without the SVI LoRA samples with both.
    if any(others):
        made.sources |= dict(zip(FIRST_MODELS, first, strict=False))


def _model(reading: Reading, index: int, guide: At) -> Source:
    found = reading.link(index, guide, "model", passing=False)
    if found is None:
        raise reading.refuse(index, f"{said(guide.node)} has no model", guide.node)
    return found
