"""What decides a clip cannot be forgotten: every field of what a chain is rendered from counts, but those named."""

from __future__ import annotations

import threading
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import PAIR, FakeHost, Report, job, render, sampler
from guided import dance
from helpers import frames, planned
from native_host import native_sampler
from native_vae import NativeVAE
from wanvideo_svi.svi_embeds.clips.latents.settings import LatentSettings
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipSettings
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.guides.follow import Guides
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.chain import ChainClip
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from wanvideo_svi.wrapper_ext.engine.job import Sources
from wanvideo_svi.wrapper_ext.render.chain import _Renderer
from wanvideo_svi.wrapper_ext.render.digest import FIRST_MODELS, MAIN_MODELS, Digests
from wanvideo_svi.wrapper_ext.render.facts import IN_OWN_FORM, NOT_DECIDING, facts_of
from wanvideo_svi.wrapper_ext.render.lead import Lead

SETTINGS = ChainSettings(mode="film", num_frames=17, color_match="mean_std")
# A clip on which every field has a say: held to the first one, and, in the other, ending on an image.
HELD = planned("a\n---\nb", mode="film", num_frames=17).clips[1]
ENDING = planned("a\n---\n[end=0]\nb", mode="film", num_frames=17, end_images=1).clips[1]


PRO_CLIP = planned("a\n---\nb", mode="svi2_pro", num_frames=17).clips[1]


def other(value: Any) -> Any:
    """A value of the same kind that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value} otherwise" if isinstance(value, str) else 7


def changed(row: Any, name: str) -> Any:
    """A copy with another value in one field, whether that would be let in or not."""
    made = replace(row)
    object.__setattr__(made, name, other(getattr(row, name)))
    return made


def check_counts(kind: type, name: str, counts: bool) -> None:
    """That a field counts unless it is named as one that does not."""
    of, tables = f"{name} of {kind.__name__}", "wrapper_ext/render/facts.py"
    if name in NOT_DECIDING[kind]:
        assert not counts, f"{of} decides a clip: take it out of NOT_DECIDING in {tables}"
    elif name in IN_OWN_FORM[kind]:
        assert counts, (
            f"{of} stands in IN_OWN_FORM of {tables}, and `facts_of` there does not use it: give it its form there, or "
            "take it out of the table, and it counts by itself"
        )
    else:
        assert counts, f"{of} decides nothing: `_others` in {tables} leaves it out"


def facts(clip: ChainClip, settings: ChainSettings) -> str:
    return fingerprint(facts_of(clip, settings, encodes_text=True))


@pytest.mark.parametrize("kind", [ChainClip, ChainSettings, ClipSettings, LatentSettings])
def test_tables_name_fields_that_there_are_and_each_once(kind: type) -> None:
    names = {field.name for field in fields(kind)}
    gone = (NOT_DECIDING[kind].keys() | IN_OWN_FORM[kind]) - names
    assert not gone, f"wrapper_ext/render/facts.py names {gone}, which {kind.__name__} has not"
    twice = NOT_DECIDING[kind].keys() & IN_OWN_FORM[kind]
    assert not twice, f"wrapper_ext/render/facts.py has {twice} of {kind.__name__} in both tables"
    assert all(NOT_DECIDING[kind].values())


@pytest.mark.parametrize("name", [field.name for field in fields(ChainClip)])
def test_every_field_of_a_clip_counts_but_those_named(name: str) -> None:
    if name == "settings":  # their fields count one by one, below
        return
    counts = any(facts(clip, SETTINGS) != facts(changed(clip, name), SETTINGS) for clip in (HELD, ENDING))
    check_counts(ChainClip, name, counts)


@pytest.mark.parametrize("kind", [ChainClip, ChainSettings, ClipSettings, LatentSettings])
def test_a_field_that_counts_by_itself_has_a_default(kind: type) -> None:
    """With its default it is left out of the facts, so a clip of before it is still the same clip."""
    told = NOT_DECIDING[kind].keys() | IN_OWN_FORM[kind]
    bare = [field.name for field in fields(kind) if field.name not in told and field.default is MISSING]
    assert not bare, (
        f"{', '.join(bare)} of {kind.__name__}: give it a default, so that reels of before stay true (or name it in "
        "NOT_DECIDING of wrapper_ext/render/facts.py, with the reason why it decides nothing)"
    )


@pytest.mark.parametrize("kind", [ClipSettings, LatentSettings])
def test_every_setting_that_a_clip_is_made_with_counts_but_those_named(kind: type) -> None:
    """Those of the row and of the chain count there: they are what this one is filled from."""
    clip = HELD if kind is ClipSettings else PRO_CLIP
    for field in fields(kind):
        otherwise = replace(clip, settings=changed(clip.settings, field.name))
        counts = facts(clip, SETTINGS) != facts(otherwise, SETTINGS)
        if field.name in IN_OWN_FORM[kind]:
            assert not counts, f"{field.name} of {kind.__name__} counts twice: with the row or the chain, and by itself"
        else:
            check_counts(kind, field.name, counts)


@pytest.mark.parametrize("name", [field.name for field in fields(ChainSettings)])
def test_every_setting_of_a_chain_counts_but_those_named(name: str) -> None:
    if name == "split_step":  # it counts with the samplers, below
        return
    counts = any(facts(clip, SETTINGS) != facts(clip, changed(SETTINGS, name)) for clip in (HELD, ENDING))
    check_counts(ChainSettings, name, counts)


def test_a_field_that_is_added_counts_by_itself_and_spares_reels_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Longer(ChainSettings):
        shift: float = 5.0

    for table in (NOT_DECIDING, IN_OWN_FORM):
        monkeypatch.setitem(table, Longer, table[ChainSettings])
    before = facts(HELD, ChainSettings(mode="film", num_frames=17))
    assert facts(HELD, Longer(mode="film", num_frames=17)) == before
    assert facts(HELD, Longer(mode="film", num_frames=17, shift=7.0)) != before


STORY = "a\n---\n[end=0]\nb"
FILM = {"mode": "shot", "ref_image": frames(1, seed=2), "end_images": frames(1, seed=3)}
PRO = {**FILM, **PAIR, "mode": "svi2_pro"}
# Its second scene begins with an image of its own, which is the original there.
SCENES = {"mode": "shot", "story": "a\n---\n[cut start=1]\nb\n---\nc", "start_images": frames(2, seed=5)}
INPUTS = ("sampler_inputs", "low_noise_sampler_inputs", "vae", "t5", "clip", "clip_vision")
ORIGINS = (*INPUTS, *FIRST_MODELS, *MAIN_MODELS)
# Fields of Sources, each with a chain in which it has a say and another value there. Objects that cannot be looked into
# count by where the graph has them from.
POSES = sampler(unianimate_poses=dance(40))
# Values that both engines could be asked with.
NATIVE = {**FILM, "engine": "native", "vae": NativeVAE(), "sampler": native_sampler(), "t5": None, "clip": "CLIP"}
CHANGES: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {
    "engine": [(NATIVE, {"engine": "wrapper"})],
    "sampler": [(FILM, {"sampler": sampler(shift=7.0)})],
    "low_sampler": [(PRO, {"low_sampler": sampler("low", cfg=3.5)})],
    "ref_image": [(FILM, {"ref_image": frames(1, seed=7)}), (PRO, {"ref_image": frames(1, seed=7)})],
    "end_images": [(FILM, {"end_images": frames(1, seed=7)}), (PRO, {"end_images": frames(1, seed=7)})],
    "start_images": [
        (SCENES, {"start_images": frames(2, seed=7)}),
        ({**SCENES, "mode": "svi2_pro"}, {"start_images": frames(2, seed=7)}),
    ],
    "lora_prints": [({"story": "[lora=a.safetensors]\na"}, {"lora_prints": {"a.safetensors": "other"}})],
    "text_embeds": [
        ({"t5": None, "story": "[repeat=2]\na", "text_embeds": {"prompt": "a"}}, {"text_embeds": {"prompt": "b"}})
    ],
    "guides": [({**FILM, "sampler": POSES}, {"guides": Guides()})],
    "origin": [
        ({**PRO, "first_model": "plain", "first_low_model": "plain", "story": "[model=first]\na\n---\nb"},
         {"origin": {"model": "m1", name: "another"}})
        for name in ORIGINS
    ],
}  # fmt: skip
BY_ORIGIN = {
    "vae": "vae", "t5": "t5", "clip": "clip", "clip_vision": "clip_vision",
    "first_model": FIRST_MODELS[0], "first_low_model": FIRST_MODELS[1],
}  # fmt: skip
BY_LEAD = {"start_image"}  # its last frames lead clip 1


def digests(folder: Path, options: dict[str, Any], sources: dict[str, Any]) -> list[str]:
    """Of a chain's clips, each led by the same frames and latents."""
    this = job(**{"story": STORY, **options})
    this = replace(this, sources=replace(this.sources, **sources))
    with ReelWriter(folder, fps=16) as writer:
        renderer = _Renderer(this, writer, FakeHost(), Report())
        lead = Lead(frames(17, seed=9), torch.ones(16, 5, 8, 8))
        return [renderer.digests.of(clip, lead, None) for clip in this.plan.clips]


def test_what_a_clip_follows_is_read_ahead_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    this = job(STORY, **FILM, sampler=POSES)
    whole = digests(tmp_path / "whole", {**FILM, "sampler": POSES}, {})
    print_of, read = Guides.print_of, []

    def counted(guides: Guides, clip: ChainClip, **size: int) -> str | None:
        read.append(clip.index)
        return print_of(guides, clip, **size)

    monkeypatch.setattr(Guides, "print_of", counted)
    lead = Lead(frames(17, seed=9), torch.ones(16, 5, 8, 8))
    with ReelWriter(tmp_path / "ahead", fps=16) as writer:
        made = _Renderer(this, writer, FakeHost(), Report()).digests
        made.read_ahead(1)
        assert read == [1]
        assert [made.of(clip, lead, None) for clip in this.plan.clips] == whole
        assert [made.of(clip, lead, None) for clip in this.plan.clips] == whole
    assert read == [1, 0]


def test_a_chain_reads_ahead_what_its_next_clip_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead: list[tuple[int, str]] = []
    monkeypatch.setattr(
        Digests, "read_ahead", lambda _, index: ahead.append((index, threading.current_thread().name[:8]))
    )
    render(tmp_path, job("a\n---\nb\n---\nc", **FILM, sampler=POSES))
    assert ahead == [(1, "svi-reel"), (2, "svi-reel")]


@pytest.mark.parametrize("name", [field.name for field in fields(Sources)])
def test_everything_a_chain_is_made_of_counts(tmp_path: Path, name: str) -> None:
    if name in BY_ORIGIN:
        assert BY_ORIGIN[name] in ORIGINS
        return
    if name in BY_LEAD:
        found = [Lead(frames(17, seed=seed), None) for seed in (1, 2)]
        with ReelWriter(tmp_path, fps=16) as writer:
            renderer = _Renderer(job(), writer, FakeHost(), Report())
            first = renderer.job.plan.clips[0]
            assert renderer.digests.of(first, found[0], None) != renderer.digests.of(first, found[1], None)
        return
    assert name in CHANGES, f"say in `Digests.of` how {name} counts, and in CHANGES here how it is changed"
    for options, change in CHANGES[name]:
        assert digests(tmp_path, options, {}) != digests(tmp_path, options, change), (name, change)


def test_the_split_of_a_pair_counts(tmp_path: Path) -> None:
    assert digests(tmp_path, PRO, {}) != digests(tmp_path, {**PRO, "split_step": 3}, {})
