"""Every key of a story changes what is rendered: one that is read and then forgotten would do nothing, and say nothing.

A key has two stories that differ in it alone, and what must differ when they are rendered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from fake_host import PAIR, FakeHost, Report, job, samplers
from helpers import frames
from native_host import NATIVE_PAIR, NativeHost, native_job, native_model
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.chain import ChainClip, ChainPlan
from wanvideo_svi.svi_embeds.story.text import _FIELDS, KEYS, Block, parse_story
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered


@dataclass(frozen=True)
class Run:
    plan: ChainPlan
    done: Rendered
    host: FakeHost


def argument(name: str) -> Callable[[Run], Any]:
    """What the sampler gets, call by call."""
    return lambda run: [asked[name] for asked in samplers(run.host)]


def embeds(run: Run) -> list[str]:
    """Those that the sampler gets, without what this pack notes beside them."""
    return [
        fingerprint({key: value for key, value in asked["image_embeds"].items() if not key.startswith("svi/")})
        for asked in samplers(run.host)
    ]


def joined_length(run: Run) -> int:
    return run.plan.total_frames


def times_sampled(run: Run) -> int:
    return len(samplers(run.host))


def takes_that_lead(run: Run) -> list[int]:
    return [take.take for take in run.done.takes]


@dataclass(frozen=True)
class Use:
    """Settings of the third clip of four, with the key and otherwise. shown: what differs. options: see `job`."""

    settings: str
    otherwise: str
    shown: Callable[[Run], Any]
    options: dict[str, Any]

    def stories(self) -> list[str]:
        return [
            f"a lake\n---\na boat\n---\n{f'[{each}]' if each else ''}\nfog\n---\nrain"
            for each in (self.settings, self.otherwise)
        ]


def use(settings: str, otherwise: str = "", *, shown: Callable[[Run], Any], **options: Any) -> Use:
    return Use(settings, otherwise, shown, options)


USES = {
    "seed": use("seed=8", shown=argument("seed")),
    "frames": use("frames=21", shown=joined_length),
    "overlap": use("overlap=9", shown=embeds),
    "mode": use("mode=shot", shown=embeds),
    "known": use("known=first_frame", shown=embeds),
    "padding": use("padding=black", shown=embeds),
    "ref_strength": use("padding=reference ref_strength=0.5", "padding=reference", shown=embeds),
    "end": use("end=0", shown=embeds, end_images=frames(1, seed=4)),
    "model": use("model=first", shown=argument("model"), first_model="plain"),
    "repeat": use("repeat=2", shown=joined_length),
    "cfg": use("cfg=4", shown=argument("cfg")),
    "color": use("color=mean_std", shown=embeds),  # of the clip that it leads
    "takes": use("takes=2", shown=times_sampled),
    "pick": use("takes=2 pick=1", "takes=2 pick=2", shown=takes_that_lead),
    "cut": use("cut", shown=embeds),
    "start": use("cut start=1", "cut", shown=embeds, start_images=frames(2, seed=8)),
    "from": use("from=1", shown=embeds),
    "mend": use("mend", shown=times_sampled),  # in a new reel it is made as any first
    "lora": use("lora=snow", shown=argument("model")),
    "lora_low": use("lora_low=snow", shown=argument("model"), mode="svi2_wan22", **PAIR),
}

ADD = (
    "add it to USES, with what differs by it. A key is read in svi_embeds/story/text.py (_KEYS, or _FLAGS, and a field "
    "of Block), carried by svi_embeds/story/chain.py (ChainClip) and plan.py beside it, and used in wrapper_ext: what "
    "conditions a clip in render/clip.py, what samples it in engine/wrapper.py and engine/native.py"
)
# What stands in for the options of `Use` in a job of ComfyUI's own sampling.
NATIVE = {**{name: value for name, value in NATIVE_PAIR.items() if name in PAIR}, "first_model": native_model("plain")}


def rendered(folder: Path, story: str, options: dict[str, Any]) -> Run:
    this, host = job(story, **options), FakeHost()
    with ReelWriter(folder, fps=16) as writer:
        return Run(this.plan, render_chain(this, writer, host, Report(), resume=False), host)


def rendered_natively(folder: Path, story: str, options: dict[str, Any]) -> list[Any]:
    """What comes of it: the samples, which depend on all that the sampler gets, the length, and the takes."""
    this, host = native_job(story, **{name: NATIVE.get(name, value) for name, value in options.items()}), NativeHost()
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(this, writer, host, Report(), resume=False)
    samples = [fingerprint(inputs["samples"]) for name, inputs in host.calls if name == "VAEDecode"]
    return [samples, this.plan.total_frames, [take.take for take in done.takes]]


def planned_clips(run: Run) -> list[ChainClip]:
    """Wherever their blocks stand in the text."""
    return [replace(clip, line=0) for clip in run.plan.clips]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_changes_what_is_rendered(key: str, tmp_path: Path) -> None:
    assert key in USES, f"the key {key} is shown by no render: {ADD}"
    name, names = _FIELDS.get(key, key), {field.name for field in fields(Block)} - {"line"}
    assert name in names, f"Block in svi_embeds/story/text.py has no field {name}, which the key {key} is read to"
    stories = USES[key].stories()
    blocks = zip(*map(parse_story, stories), strict=True)
    differ = {each for pair in blocks for each in names if getattr(pair[0], each) != getattr(pair[1], each)}
    assert differ == {name}, f"the two stories of {key} must differ in it alone"
    one, other = (rendered(tmp_path / str(at), story, USES[key].options) for at, story in enumerate(stories))
    assert planned_clips(one) != planned_clips(other), (
        f"{key} is read, and the plan is the same with it: carry it in ChainClip (svi_embeds/story/chain.py), with a "
        "default, and fill that in `_clip` (svi_embeds/story/plan.py)"
    )
    assert USES[key].shown(one) != USES[key].shown(other), (
        f"{key} is planned, and then forgotten: use it in wrapper_ext, render/clip.py (what conditions a clip) or "
        "engine/wrapper.py (what samples it)"
    )


@pytest.mark.parametrize("key", USES)
def test_a_key_changes_what_comfyuis_own_sampling_renders_or_is_refused(key: str, tmp_path: Path) -> None:
    one, other = USES[key].stories()
    try:
        made = rendered_natively(tmp_path / "0", one, USES[key].options)
    except SVIError as error:
        assert key in str(error), "it is refused for something else"  # noqa: PT017
        return
    assert made != rendered_natively(tmp_path / "1", other, USES[key].options), (
        f"{key} is forgotten by WanVideo SVI Long Video (native): use it in wrapper_ext/engine/native.py, or refuse it "
        "in check_native_plan there"
    )


def test_every_row_is_of_a_key() -> None:
    gone = USES.keys() - set(KEYS)
    assert not gone, f"USES has {', '.join(sorted(gone))}, which no story may say: _KEYS in svi_embeds/story/text.py"
