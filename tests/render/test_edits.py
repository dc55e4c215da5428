"""Any edits of any story, one after another on one reel: nothing is made twice, nothing stale kept, nothing lost."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import FakeHost, Report, job, samplers
from helpers import frames
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import to_pixels
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.chain import ChainPlan
from wanvideo_svi.svi_embeds.story.depends import Task, needs_of, work_of
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.wrapper_ext.engine.choose import engine_of
from wanvideo_svi.wrapper_ext.engine.job import Job
from wanvideo_svi.wrapper_ext.engine.spent import Spent
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.clip import ClipMaker
from wanvideo_svi.wrapper_ext.render.colour import ColourHold
from wanvideo_svi.wrapper_ext.render.lead import Lead
from wanvideo_svi.wrapper_ext.render.standing import stood_in

EDITS = int(os.environ.get("SVI_EDITS", "80"))
SMALL: dict[str, Any] = {
    "num_frames": 13, "width": 32, "height": 32, "start_image": frames(1, height=32, width=32),
    "start_images": frames(2, height=32, width=32, seed=5), "negative_prompt": "",
}  # fmt: skip


@dataclass
class Block:
    prompt: str
    keys: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        head = " ".join(f"{key}={value}" if value else key for key, value in self.keys.items())
        return f"[{head}]\n{self.prompt}" if head else self.prompt


class Editor:
    """A story that somebody edits. Some edits make one that cannot be, which is refused and taken back."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.count = 0
        self.blocks = [self.new() for _ in range(4)]

    def new(self) -> Block:
        self.count += 1
        return Block(f"prompt {self.count}")

    def text(self) -> str:
        return "\n---\n".join(block.text() for block in self.blocks)

    def edit(self) -> str:
        """Changes the story, and says how."""
        draw, blocks = self.draw, self.blocks
        index = draw.randrange(len(blocks))
        kind = draw.choice(
            [
                "prompt",
                "seed",
                "insert",
                "remove",
                "append",
                "takes",
                "cut",
                "start",
                "from",
                "mend",
                "mend",
                "mend",
                "flow",
                "plain",
            ]
        )
        keys = blocks[index].keys
        if kind == "insert" and len(blocks) < 7:
            blocks.insert(index, self.new())
        elif kind == "remove" and len(blocks) > 2:
            del blocks[index]
        elif kind == "append" and len(blocks) < 7:
            blocks.append(self.new())
        elif kind == "prompt":
            blocks[index].prompt = self.new().prompt
        elif kind == "seed":
            keys["seed"] = str(draw.randrange(1000, 10**6))
        elif kind == "takes":
            keys |= {"takes": "2", "pick": draw.choice("12")}
        elif kind == "start":
            keys |= {"cut": "", "start": draw.choice("01")}
        elif kind == "from":
            keys["from"] = str(draw.randrange(1, max(2, index + 1)))
        elif kind == "flow":
            keys["mend"] = "off"
        elif kind == "plain":
            keys.clear()
        else:
            keys[kind if kind in ("cut", "mend") else "seed"] = "" if kind in ("cut", "mend") else "7"
        return f"{kind} {index}"


def planned(folder: Path, text: str) -> Job:
    this = job(text, **SMALL)
    return Job(
        plan=plan_chain(text, this.settings, this.sources.connected(), stood_in(folder)), settings=this.settings,
        sources=this.sources,
    )  # fmt: skip


def by_hand(this: Job, folder: Path, ends: dict[int, Lead]) -> list[torch.Tensor]:
    """Every clip's chosen take, made anew from what leads it, without a reel. ends: of the clips that are mended."""
    maker = ClipMaker(this, engine_of(this, FakeHost(), Spent()), ColourHold(this, folder))
    made: list[torch.Tensor] = []
    leads: list[Lead] = []
    for row in this.plan.clips:
        clip = row if row.index in ends else replace(row, mend=None)
        start = Lead(this.sources.scene(clip.start_image).start_image, None)
        lead = start if clip.led_by is None else leads[clip.led_by]
        take = clip.take(int(clip.pick) - 1 if clip.pick.isdecimal() else 0)
        found = maker.make(take, maker.condition(clip, lead, ends.get(clip.index)), list)
        made.append(found.images)
        leads.append(found.leads)
    return made


def ends_of(this: Job, before: Reel | None) -> dict[int, Lead]:
    """What mended clips end on: the end of what stood there."""
    return {
        clip.index: Lead(*before.tail(before.clips[clip.stands]))
        for clip in this.plan.clips
        if clip.mend and before is not None and clip.stands is not None
    }


@pytest.mark.parametrize("part", range(4))
def test_edits_make_what_they_change_and_no_more(tmp_path: Path, part: int) -> None:
    """SVI_EDITS=1000 tries so many."""
    editor, folder = Editor(part), tmp_path / "r"
    asked: set[str] = set()
    takes: set[str] = set()
    history: list[str] = []
    mends = 0
    for _ in range(EDITS // 4):
        kept = [Block(block.prompt, dict(block.keys)) for block in editor.blocks]
        history.append(editor.edit() if history else "begin")
        try:
            this = planned(folder, editor.text())
        except SVIError:
            editor.blocks = kept
            continue
        before = open_reel(folder) if folder.exists() else None
        ends = ends_of(this, before)
        mends += bool(ends)
        if any(clip.mend and clip.index not in ends for clip in this.plan.clips):
            editor.blocks = kept  # would be made twice, first as any: another test's
            continue
        host = FakeHost()
        with ReelWriter(folder, fps=16) as writer:
            done = render_chain(this, writer, host, Report(), resume=True, mend_limit=0)
        where = f"{part}: {history}"
        made = [fingerprint([call, str(call["model"])]) for call in map(_plain, samplers(host))]
        assert len(set(made)) == len(made), where
        assert not set(made) & asked, f"made twice, {where}"
        asked |= set(made)
        reel = open_reel(folder)
        there = {take.digest for take in (*reel.clips, *reel.spare)}
        assert takes <= there, f"lost, {where}"
        takes = there
        for take, wanted in zip(done.takes, by_hand(this, folder, ends), strict=True):
            shown = list(reel.clip_frames(take))
            assert all((one == to_pixels(other)).all() for one, other in zip(shown, wanted, strict=True)), (
                f"stale, {where}"
            )
    assert len(asked) > EDITS // 8
    assert mends > EDITS // 40  # of the stories that were rendered


def _plain(call: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.items() if key != "model"} | {"model": str(call["model"])}


# What waits for what


def changed_by(folder: Path, text: str, clip: int, **options: Any) -> set[int]:
    """The clips that are made anew when the prompt of one is another."""
    with ReelWriter(folder, fps=16) as writer:
        render_chain(job(text, **SMALL, **options), writer, FakeHost(), Report(), resume=True)
        blocks = text.split("\n---\n")
        blocks[clip] += " and a bird"
        done = render_chain(
            job("\n---\n".join(blocks), **SMALL, **options), writer, FakeHost(), Report(), resume=True
        )  # fmt: skip
    return set(done.sampled)


def reached_from(plan: ChainPlan, needs: list[frozenset[int]], clip: int) -> set[int]:
    """All clips that wait for one, through others too."""
    found = {clip}
    for other in range(clip + 1, len(plan.clips)):
        if needs[other] & found:
            found.add(other)
    return found


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a\n---\nb\n---\nc", {}),
        ("a\n---\nb\n---\n[cut]\nc\n---\nd\n---\n[from=2]\ne", {}),
        ("a\n---\n[cut start=0]\nb\n---\n[from=1]\nc\n---\nd", {"color_match": "mean_std"}),
        ("a\n---\nb\n---\n[from=1]\nc\n---\n[from=2]\nd\n---\n[cut]\ne", {"color_match": "mean_std"}),
        ("[takes=2 pick=1]\na\n---\nb\n---\n[cut start=1]\nc", {}),
    ],
)
def test_what_waits_for_a_clip_is_what_a_change_of_it_makes_anew(
    tmp_path: Path, text: str, options: dict[str, Any]
) -> None:
    this = job(text, **SMALL, **options)
    needs = [needs_of(this.plan, clip, this.settings) for clip in this.plan.clips]
    for clip in range(len(this.plan.clips)):
        made = changed_by(tmp_path / str(clip), text, clip, **options)
        assert made == reached_from(this.plan, needs, clip), clip


def test_any_order_that_it_allows_makes_every_take_once() -> None:
    this = job("[takes=3]\na\n---\n[takes=2]\nb\n---\n[cut]\nc\n---\n[from=1]\nd\n---\ne", **SMALL)
    draw = random.Random(1)
    for _ in range(50):
        made: set[Task] = set()
        chosen: set[int] = set()
        while (work := work_of(this.plan, this.settings, made=made, chosen=chosen)).ready:
            assert all(clip not in chosen for needs in work.waiting.values() for clip in needs)
            task = draw.choice(work.ready)
            made.add(task)
            of_clip = {Task(task.clip, number) for number in range(this.plan.clips[task.clip].takes)}
            if of_clip <= made:
                chosen.add(task.clip)
        assert not work.waiting
        assert len(made) == 8


def test_scenes_are_ready_side_by_side() -> None:
    this = job("a\n---\nb\n---\n[cut]\nc\n---\nd\n---\n[cut]\ne", **SMALL)
    work = work_of(this.plan, this.settings)
    assert work.ready == (Task(0, 0), Task(2, 0), Task(4, 0))
    assert work.waiting == {Task(1, 0): {0}, Task(3, 0): {2}}


def test_nothing_waits_for_a_clip_that_is_mended(tmp_path: Path) -> None:
    text = "a\n---\nb\n---\nc\n---\nd"
    with ReelWriter(tmp_path, fps=16) as writer:
        render_chain(job(text, **SMALL), writer, FakeHost(), Report(), resume=True)
    mended = text.replace("b", "[mend]\nb")
    this = planned(tmp_path, mended)
    needs = [needs_of(this.plan, clip, this.settings) for clip in this.plan.clips]
    assert needs == [set(), {0}, set(), {2}]
    new = job(mended, **SMALL)
    assert needs_of(new.plan, new.plan.clips[2], new.settings) == {1}
