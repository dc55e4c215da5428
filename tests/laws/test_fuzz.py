"""Whatever comes in: a result that keeps its promises, or an SVIError. Nothing else, and no input changes.

SVI_FUZZ multiplies the number of cases. 1, as in CI: the same 10,000 each time, so that a change stands or falls by
what it changes. 20 for the long run: other cases each time.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz_values as values
import pytest
import torch
from fuzz_values import Strategy
from helpers import digest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clips.embeds import check_embeds, holds_image
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipSettings, Connected
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.recipes import END_PADDING_CHOICES, KNOWN_CHOICES, MODES, PADDING_CHOICES
from wanvideo_svi.wrapper_ext.host import files as host_files

TIMES = int(os.environ.get("SVI_FUZZ", "1"))
NODE_CASES, CALL_CASES = 300 * TIMES, 80 * TIMES
_SECONDS = 2.0 * (os.cpu_count() or 1)  # of all threads together, so that other work on the machine does not count

fuzz = settings(
    max_examples=NODE_CASES, deadline=None, database=None, derandomize=TIMES == 1,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)  # fmt: skip


def calm(call: Callable[[], Any], inputs: Any) -> Any:
    """The result of a call, or None after an SVIError. Anything else fails, and so do changed inputs and long work."""
    before, spent = digest(inputs), []
    result = None
    while not spent or (spent[-1] >= _SECONDS and len(spent) < 3):  # a busy machine may take long once
        started = time.process_time()
        with contextlib.suppress(SVIError):
            result = call()
        spent.append(time.process_time() - started)
    assert min(spent) < _SECONDS
    assert digest(inputs) == before
    return result


# Nodes

_TYPES: dict[str, Callable[[bool], Strategy]] = {
    "IMAGE": values.images,
    "MASK": values.masks,
    "LATENT": values.latent_dicts,
    "WANVAE": values.vaes,
    "WANVAE,VAE": lambda bad: st.one_of(values.vaes(bad), values.native_vaes(bad)),
    "CONDITIONING": values.conditionings,
    "CLIP_VISION_OUTPUT": values.visions,
    "WANVIDIMAGE_EMBEDS": values.embeds,
    "AUDIO": values.audios,
    "MULTITALK_EMBEDS": values.voices,
    "UNIANIMATE_POSE": values.poses,
    "BOOLEAN": lambda _: st.booleans(),
    "FLOAT": lambda bad: st.floats() if bad else st.floats(0, 1),
    "WANVIDIMAGE_CLIPEMBEDS": lambda bad: values.dicts(bad, {"clip_embeds": torch.zeros(1, 257, 8)}),
}
_BY_NAME: dict[str, Callable[[bool], Strategy]] = {
    "width": values.sizes,
    "height": values.sizes,
    "num_frames": values.counts,
    "length": lambda bad: values.counts(bad) if bad else st.just(9),
    "global_caption": lambda bad: st.text(max_size=30) if bad else st.just("a wood"),
    "images": lambda bad: values.images(bad, (1, 9)),
    "motion_frames": lambda bad: values.images(bad, (9,)),
    "pose_images": lambda bad: values.images(bad, (60,)),
    "keyframes": values.keyframe_texts,
    "story": values.stories,
    "start_image": lambda bad: values.images(bad, (9,)),
    "ref_image": lambda bad: values.images(bad, (1,)),
    "color_reference": lambda bad: values.images(bad, (1,)),
    "images_1": lambda bad: values.images(bad, (9,)),
    "images_2": lambda bad: values.images(bad, (9,)),
    "concat_mask": lambda bad: values.masks(bad),
    "shots": lambda bad: st.text(max_size=30) if bad else st.sampled_from(["a fox", "a fox\nrain", "a [shot cut] b"]),
    "keyframe_images": lambda bad: values.images(bad, (1, 2)),
}
# Without them a node has nothing to do.
_USUAL = (
    "start_image",
    "ref_image",
    "images_2",
    "motion_frames",
    "concat_latent_image",
    "vae",
    "high_embeds",
    "low_embeds",
)


def value_of(name: str, spec: tuple[Any, ...], *, bad: bool) -> Strategy:
    """Values of an input such as ComfyUI would let through; bad ones, or something else altogether."""
    kind, options = spec[0], spec[1] if len(spec) > 1 else {}
    if name in _BY_NAME and not (name == "motion_frames" and kind == "INT"):
        fitting = _BY_NAME[name](bad)
    elif isinstance(kind, list):
        fitting = st.sampled_from(kind) if kind else st.just("none")
    elif kind == "INT":
        fitting = values.numbers(bad, options.get("min", 0), min(options.get("max", 40), 10**6))
    elif name == "reel" and kind == "STRING":
        fitting = st.text(max_size=30) if bad else st.just("fuzz")
    elif kind == "STRING":
        fitting = st.text(max_size=30) if bad else st.just(options.get("default", ""))
    else:
        fitting = _TYPES[kind](bad) if kind in _TYPES else values.hostile
    return st.one_of(fitting, values.hostile) if bad else fitting


@st.composite
def node_inputs(draw: Callable[[Strategy], Any], cls: type[Any]) -> dict[str, Any]:
    """Half of the cases are such as a graph may well hold, the others have one or two bad inputs."""
    groups = cls.INPUT_TYPES()
    specs = dict(groups.get("required", {}))
    optional = groups.get("optional", {})
    if optional:
        usual = [name for name in _USUAL if name in optional and draw(st.integers(0, 7))]
        chosen = {*usual, *draw(st.lists(st.sampled_from(sorted(optional)), max_size=4))}
        specs |= {name: spec for name, spec in optional.items() if name in chosen}
    names = sorted(specs)
    bad = draw(st.lists(st.sampled_from(names), max_size=2)) if draw(st.booleans()) else []
    return {name: draw(value_of(name, specs[name], bad=name in bad)) for name in names}


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_a_node_answers_or_says_what_is_wrong(node_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = NODE_CLASS_MAPPINGS[node_id]
    if node_id == "WanVideoSVIReelAdd":  # outside ComfyUI there would be no folder for any clip
        monkeypatch.setattr(host_files, "reels_folder", lambda: tmp_path)

    @fuzz
    @given(inputs=node_inputs(cls))
    def check(inputs: dict[str, Any]) -> None:
        result = calm(lambda: getattr(cls(), cls.FUNCTION)(**inputs), inputs)
        if result is None:
            return
        outputs = result["result"] if isinstance(result, dict) else result
        assert len(outputs) == len(cls.RETURN_TYPES)
        for kind, value in zip(cls.RETURN_TYPES, outputs, strict=True):
            if value is None:  # of two kinds of input, only one was given
                assert node_id in ("WanVideoSVIAudioWindow", "WanVideoSVIPoseWindow")
            elif kind == "IMAGE":
                assert value.ndim == 4
                assert value.shape[3] == 3
                assert torch.isfinite(value).all()
            elif kind == "MASK":
                assert value.ndim == 3
                assert ((value >= 0) & (value <= 1)).all()
            elif kind == "STRING":
                assert isinstance(value, str)
            elif kind == "WANVIDIMAGE_EMBEDS" and holds_image(value):
                check_embeds(value)

    check()


# Functions that take what callers wrote or loaded


def _number(bad: bool) -> Strategy:
    return st.one_of(st.integers(), st.sampled_from(values.HUGE)) if bad else st.integers(0, 9)


def _rate(bad: bool) -> Strategy:
    return st.floats() if bad else st.sampled_from([16.0, 25, 23.976])


def _word(*good: str) -> Callable[[bool], Strategy]:
    return lambda bad: st.text(max_size=20) if bad else st.sampled_from(good)


_NAME = _word("images", "x.safetensors")
_ARGUMENTS: dict[str, Callable[[bool], Strategy]] = {
    **_BY_NAME,
    "text": lambda bad: st.one_of(
        values.stories(bad), values.keyframe_texts(bad), st.sampled_from(["a [shot cut] b", "0, 9, 40", "auto"])
    ),
    "prompt": _NAME, "shots": _NAME, "cuts": values.keyframe_texts, "name": _NAME,
    "path": _NAME, "global_caption": _NAME,
    "mode": _word("film", "shot", "i2v", "svi2_pro", "fun_inp"),
    "known_frames": _word("recipe", "overlap"),
    "padding": _word("recipe", "grey", "last"),
    "end_padding": _word("same", "end"),
    "drop": _word("new", "old"),
    "blend": _word("none", "cosine"),
    "color_match": _word("off", "mean_std"),
    "method": _word("mean_std", "histogram"),
    "polarity": _word("native", "wrapper"),
    "rate": _word("auto", "latent"),
    "scheduler": _word("euler", "unipc", "dpm++_sde"),
    "mask": values.masks, "masks": values.masks, "latent": values.latent_dicts, "embeds": values.embeds,
    "images": values.images, "audio": values.audios, "multitalk_embeds": values.voices, "humo_embeds": values.embeds,
    "unianimate_poses": values.poses, "control_embeds": values.embeds, "vae": values.vaes,
    "value": lambda _: values.hostile,
    "seed": _number, "num_frames": values.counts, "frames": values.counts, "length": values.counts,
    "fps": _rate, "voice_fps": _rate, "shift": _rate, "boundary": _rate, "strength": _rate,
    "color_match_strength": _rate,
    "settings": lambda _: st.builds(
        ClipSettings, mode=st.sampled_from(MODES), num_frames=values.counts(False), overlap_frames=st.integers(0, 9),
        end_frames=st.integers(0, 3), fun_or_fl2v_model=st.booleans(), known_frames=st.sampled_from(KNOWN_CHOICES),
        padding=st.sampled_from(PADDING_CHOICES), end_padding=st.sampled_from(END_PADDING_CHOICES),
        end_padding_frames=st.integers(1, 40), keyframes=values.keyframe_texts(False),
    ),
    "connected": lambda _: st.builds(
        Connected, start_image=st.integers(0, 20), ref_image=st.integers(0, 2), end_image=st.integers(0, 40),
        keyframe_images=st.integers(0, 2),
    ),
    "clips": lambda _: st.lists(st.integers(-2, 40), max_size=5),
    "overlaps": lambda _: st.lists(st.integers(-2, 9), max_size=4),
    "fun_or_fl2v_model": lambda _: st.booleans(),
    "first_clip_model": lambda _: st.booleans(),
    "repeat_padding_latents": lambda _: st.booleans(),
    "choices": lambda _: st.just(("a", "b")), "start_name": lambda _: st.just("start_image"),
    "factor": lambda _: st.sampled_from([8, 16]), "source": lambda _: st.just("a node"),
    "end_images": lambda _: st.one_of(st.none(), st.integers(0, 3)),
    "color_reference": lambda bad: st.one_of(st.none(), values.images(bad, (1,))),
    "reference": lambda bad: st.one_of(st.none(), values.images(bad, (1,))),
    "keys": lambda bad: st.dictionaries(
        st.text(max_size=9) if bad else st.sampled_from(["seed", "cfg", "cut", "mend", "from", "repeat"]),
        st.one_of(st.none(), st.booleans(), st.text(max_size=9) if bad else st.sampled_from(["1", "2", "auto"])),
        max_size=3,
    ),
    "numbers": lambda bad: st.text(max_size=9) if bad else st.sampled_from(["", "4, 7", "1 2"]),
    "at": _number, "by": _number,
    "tick": lambda _: st.none(), "take_first": lambda _: st.booleans(), "before": lambda _: st.none(),
}  # fmt: skip
# After "!": parameters that every caller has checked before.
_ENTRIES = [
    "story.settings.ChainSettings", "ground.checks.check_int", "ground.checks.check_strength",
    "ground.checks.check_share", "ground.checks.check_rate", "ground.checks.check_bool", "ground.checks.check_dict",
    "colour.match.target_of", "masks.concat.read_concat_mask!length,height,width", "drift.measure.measure_images",
    "clips.embeds.check_embeds", "clips.embeds.control_signal", "clips.vae.check_vae", "clips.vae.latent_size",
    "clips.made.encoded_from", "models.names.base_name", "models.names.wan_version", "models.names.noise_stage",
    "models.names.purpose", "ground.fingerprint.fingerprint", "ground.images.check_images",
    "ground.images.last_frames", "story.holocine.read_shots", "story.holocine.parse_prompt",
    "story.holocine.plan_scene", "clips.embeds.holds_voice", "guides.humo.humo_voice",
    "masks.keyframes.parse_keyframes", "clips.latent_space.read_latent", "clips.latents.make.shown_latents",
    "masks.known.check_mask", "masks.known.fit_temporal_mask!frames,height,width",
    "clips.pixels.plan.plan_clip!settings,connected", "clips.pixels.settings.ClipSettings",
    "clips.custom.settings.CustomSettings", "clips.latents.settings.LatentSettings",
    "clips.inpaint.settings.MaskSettings", "pair.plan.PairSettings", "guides.poses.pose_of", "recipes.recipe",
    "reel.reel.check_reel_name", "pair.sigmas.check_schedule", "pair.sigmas.sigmas_of", "pair.sigmas.split_step",
    "pair.sigmas.check_boundary", "files.track.soundtrack_of", "colour.stitch.stitch", "story.text.parse_story",
    "story.text.check_seed", "story.edit.set_prompt", "story.edit.set_keys", "story.edit.insert_after",
    "story.edit.remove", "story.edit.split", "story.edit.renumber", "timeline.latent_count", "timeline.frame_count",
    "timeline.latent_of_frame", "timeline.frames_of_latent", "timeline.chain_frames", "timeline.clip_start",
    "timeline.clips_needed", "guides.voice.speakers_of", "guides.voice.check_time_base", "guides.window.window_of",
]  # fmt: skip


@st.composite
def call_arguments(
    draw: Callable[[Strategy], Any], function: Callable[..., Any], checked: str
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments of the annotated types, one of them bad in most cases; those with a default are left out at times."""
    parameters = inspect.signature(function).parameters
    bad = draw(st.sampled_from([*(name for name in parameters if name not in checked.split(",")), None]))
    positional, named = [], {}
    for name, parameter in parameters.items():
        fitting = _ARGUMENTS.get(name, _number)(name == bad)
        if parameter.annotation in ("object", "Any") and name == bad:
            fitting = st.one_of(fitting, values.hostile)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional += draw(st.lists(values.images(name == bad), min_size=2, max_size=3))
        elif parameter.default is inspect.Parameter.empty or name == bad or draw(st.booleans()):
            named[name] = draw(fitting)
    return positional, named


@pytest.mark.parametrize("entry", _ENTRIES)
def test_a_function_answers_or_says_what_is_wrong(entry: str) -> None:
    path, _, checked = entry.partition("!")
    module, _, name = path.rpartition(".")
    function = getattr(importlib.import_module(f"wanvideo_svi.svi_embeds.{module}"), name)

    @settings(fuzz, max_examples=CALL_CASES)
    @given(arguments=call_arguments(function, checked))
    def check(arguments: tuple[list[Any], dict[str, Any]]) -> None:
        positional, named = arguments
        calm(lambda: function(*positional, **named), arguments)

    check()
