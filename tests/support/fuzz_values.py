"""Values for the fuzz tests: what a caller may well pass, and what none should."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from helpers import TraceVAE, frames, pixel_clip
from hypothesis import strategies as st
from native_vae import NativeVAE
from torch import Tensor

Strategy = st.SearchStrategy[Any]

SIZES = (16, 32, 48, 64)
COUNTS = (1, 2, 4, 5, 6, 9, 13, 17, 21, 33)
HUGE = (2**31, 2**63, -(2**63), 10**30, 100_000_001, 1_000_000_000_001)

hostile: Strategy = st.one_of(
    st.sampled_from([
        None, True, False, 0, -1, 1, 3, 7, 1.5, -0.0, float("nan"), float("inf"), -float("inf"), 1e308, "", " ", "x",
        "5", "cuda:0", "meta", "\x00", "..", "é中\u202e", b"x", (), [], {}, [None], {"samples": None}, object, *HUGE,
    ]),
    st.text(max_size=20),
    st.builds(torch.zeros, st.sampled_from([(0,), (1,), (0, 8, 8, 3), (1, 0, 8), (2, 2, 2, 2, 2, 2)])),
)  # fmt: skip


# In what follows, `bad` asks for values of the right kind that no caller should pass.


def numbers(bad: bool, low: int, high: int) -> Strategy:
    """Whole numbers, small ones where they are good."""
    if bad:
        return st.one_of(st.integers(low, high), st.sampled_from([low - 1, low, high, high + 1, *HUGE]))
    return st.integers(low, min(high, low + 6))


def sizes(bad: bool) -> Strategy:
    return st.one_of(st.integers(-8, 100), st.sampled_from(HUGE)) if bad else st.sampled_from(SIZES)


def counts(bad: bool) -> Strategy:
    return st.one_of(st.integers(-3, 40), st.sampled_from(HUGE)) if bad else st.sampled_from((9, 13, 17, 21, 33))


@st.composite
def tensors(draw: Callable[[Strategy], Any], bad: bool, *shape: Strategy) -> Tensor:
    """A tensor of a shape, in 0..1; a bad one is of another type, or has bad values, strides or axes."""
    made = torch.rand([draw(side) for side in shape], generator=torch.Generator().manual_seed(draw(st.integers(0, 9))))
    kind = draw(st.integers(0, 7)) if bad else 7
    if kind == 0 and made.numel():
        made.view(-1)[0] = draw(st.sampled_from([float("nan"), float("inf"), -0.5, 1.7, 255.0]))
    elif kind == 1:
        made = made.to(draw(st.sampled_from([torch.uint8, torch.int64, torch.bool, torch.complex64])))
    elif kind == 2:
        made = made.flatten(0, 1)
    elif kind == 3:
        made = made.unsqueeze(0)
    elif kind in (4, 5):
        made = made.to(draw(st.sampled_from([torch.float16, torch.bfloat16, torch.float64])))
    elif kind == 6:
        made = made.transpose(0, -1).contiguous().transpose(0, -1)
    elif kind == 7:
        made = made.requires_grad_()
    return made


def images(bad: bool, good_counts: tuple[int, ...] = (1, 1, 5, 9, 17)) -> Strategy:
    side = st.sampled_from((1, 7, 256, 32, 32, 32)) if bad else st.sampled_from((32, 32, 32, 48))
    count = st.sampled_from((0, 1, 2, 9)) if bad else st.sampled_from(good_counts)
    return tensors(bad, count, side, side, st.sampled_from((1, 2, 3, 5)) if bad else st.sampled_from((3, 3, 3, 4)))


def masks(bad: bool) -> Strategy:
    side = st.sampled_from((1, 2, 4, 6, 8, 16))
    return tensors(bad, st.sampled_from((0, *COUNTS)) if bad else st.sampled_from(COUNTS), side, side)


def latents(bad: bool) -> Strategy:
    side = st.sampled_from((1, 2, 4, 5)) if bad else st.just(4)
    channels = st.sampled_from((4, 16, 48)) if bad else st.just(16)
    return tensors(
        bad,
        st.sampled_from((0, 1, 2)) if bad else st.just(1),
        channels,
        numbers(False, 1, 5) if bad else st.sampled_from((1, 3, 3)),
        side,
        side,
    )


@st.composite
def dicts(draw: Callable[[Strategy], Any], bad: bool, value: dict[str, Any]) -> Any:
    """A dict; of a bad one, a part is missing or bad."""
    if not bad:
        return value
    made = copy.copy(value)
    key = draw(st.sampled_from(sorted(made)))
    if draw(st.booleans()):
        made.pop(key, None)
    else:
        made[key] = draw(hostile)
    return made


def latent_dicts(bad: bool) -> Strategy:
    return st.booleans().flatmap(
        lambda inside: latents(bad and inside).flatmap(lambda samples: dicts(bad and not inside, {"samples": samples}))
    )


def _embeds(mode: str, size: int, count: int) -> Any:
    start = frames(9, height=size, width=size)
    reference = frames(1, height=size, width=size, seed=1)
    made = pixel_clip(
        TraceVAE(), mode=mode, width=size, height=size, num_frames=count, start_image=start, ref_image=reference
    )
    return dict(made.embeds)


_EMBEDS = [_embeds(mode, size, count) for mode, size, count in (("film", 32, 9), ("shot", 32, 9), ("film", 32, 17))] + [
    {"target_shape": (16, 3, 4, 4), "num_frames": 9, "control_embeds": None}
]


def embeds(bad: bool) -> Strategy:
    return st.sampled_from(_EMBEDS).flatmap(lambda made: dicts(bad, made))


def vaes(bad: bool) -> Strategy:
    if bad:
        return st.one_of(st.builds(TraceVAE, upsampling_factor=st.just(16)), hostile)
    return st.builds(TraceVAE, dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]))


def native_vaes(bad: bool) -> Strategy:
    """ComfyUI's own."""
    odd = st.builds(NativeVAE, channels=st.sampled_from((4, 48)), model=st.sampled_from((None, torch.nn.Identity())))
    return odd if bad else st.builds(NativeVAE, fails=st.booleans())


def visions(bad: bool) -> Strategy:
    """CLIP_VISION_OUTPUT."""
    states = tensors(bad, st.just(1), st.sampled_from((1, 3)), st.just(8))
    return states.map(lambda each: SimpleNamespace(penultimate_hidden_states=each))


@st.composite
def conditionings(draw: Callable[[Strategy], Any], bad: bool) -> Any:
    """One prompt or two, plain or of a native image-to-video node."""
    side, count = st.sampled_from((2, 4, 5) if bad else (4,)), st.just(3)
    channels, masks_of = (st.sampled_from(each) for each in (((4, 16, 32, 48), (1, 2, 4)) if bad else ((16,), (1, 4))))
    entry = {
        "concat_latent_image": draw(tensors(bad, st.just(1), channels, count, side, side)),
        "concat_mask": draw(tensors(bad, st.just(1), masks_of, count, side, side)),
        "clip_vision_output": draw(visions(bad)),
        "concat_mask_index": draw(st.sampled_from((0, 16, -1))) if bad else 0,
        "pooled_output": None,
    }
    entry = draw(st.sampled_from(({"pooled_output": None}, draw(dicts(bad, entry)))))
    return [[torch.zeros(1, 3, 8), entry]] * draw(st.sampled_from((0, 1, 2) if bad else (1, 2)))


def keyframe_texts(bad: bool) -> Strategy:
    if bad:
        tricky = st.sampled_from(["5", "8, 5", "0-1000000000", "1,,2", "--1", "9" * 5000])
        return st.one_of(tricky, st.text("0123456789-, ", max_size=12))
    return st.sampled_from(["", "", "8", "7-8"])


def stories(bad: bool) -> Strategy:
    good = ["a fox runs", "[seed=3]\nrain", "[repeat=2 frames=17]\nsnow", "[mode=film overlap=5]\nx"]
    odd = ["[end=0]\nx", "[repeat=auto]\nx", "[repeat=999999999]\nx", "[frames=1e9]\nx", "", "["]
    block = st.one_of(st.sampled_from([*good, *odd]), st.text(max_size=15)) if bad else st.sampled_from(good)
    return st.lists(block, min_size=1, max_size=4).map("\n---\n".join)


def audios(bad: bool) -> Strategy:
    lengths = st.sampled_from((0, 1)) if bad else st.sampled_from((800, 16000))
    samples = tensors(bad, st.just(1), st.sampled_from((1, 2)), lengths)
    good = st.fixed_dictionaries({"waveform": samples, "sample_rate": st.sampled_from([8000, 16000])})
    return good.flatmap(lambda made: dicts(bad, made))


def voices(bad: bool) -> Strategy:
    features = tensors(bad, st.sampled_from((0, 1, 9)) if bad else st.just(60), st.just(12), st.just(8))
    return st.fixed_dictionaries({
        "audio_features": st.lists(features, min_size=1, max_size=2), "audio_scale": st.just(1.0),
        "audio_cfg_scale": st.just(1.0), "ref_target_masks": st.one_of(st.none(), masks(bad)),
    }).flatmap(lambda made: dicts(bad, made))  # fmt: skip


def poses(bad: bool) -> Strategy:
    count = st.sampled_from((0, 1, 9)) if bad else st.just(60)
    pose = tensors(bad, st.just(1), st.just(3), count, st.sampled_from(SIZES), st.sampled_from(SIZES))
    good = st.fixed_dictionaries(
        {
            "pose": pose,
            "ref": st.none(),
            "strength": st.just(1.0),
            "start_percent": st.just(0.0),
            "end_percent": st.just(1.0),
        }
    )
    return good.flatmap(lambda made: dicts(bad, made))
