"""Where the time of a chain's clips went, as the node says it after a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost, Report, job
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.engine import spent as spent_module
from wanvideo_svi.wrapper_ext.engine.spent import Spent, Steps
from wanvideo_svi.wrapper_ext.render.chain import render_chain


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def steps_of(*heard: tuple[float, int]) -> Steps:
    """heard: seconds since the report before, and how many steps are done."""
    clock = Clock()
    steps = Steps(clock)
    for seconds, done in heard:
        clock.now += seconds
        steps.heard(done, 4)
    return steps


def test_the_first_step_of_a_call_counts_as_long_as_the_others() -> None:
    assert steps_of((9.0, 1), (4.0, 2), (4.0, 3), (4.0, 4)).total == pytest.approx(16.0)


def test_a_second_stage_is_a_call_of_its_own() -> None:
    pair = steps_of((9.0, 1), (4.0, 2), (7.0, 1), (4.0, 2))
    assert pair.total == pytest.approx(16.0)


def test_reports_that_are_left_out_since_they_come_fast_count_too() -> None:
    assert steps_of((1.0, 1), (1.0, 5), (0.5, 7)).total == pytest.approx(1.0 + 0.5 + 0.25)


def test_a_bar_of_loading_that_goes_back_to_0_is_not_of_steps() -> None:
    clock = Clock()
    steps = Steps(clock)
    for _ in range(2):  # the stages of a pair
        for seconds, done, whole in [
            (1.0, 1, 1300), (1.0, 700, 1300), (1.0, 1300, 1300), (0.0, 0, 1300),
            (9.0, 1, 3), (4.0, 2, 3), (4.0, 3, 3),
        ]:  # fmt: skip
            clock.now += seconds
            steps.heard(done, whole)
    assert steps.total == pytest.approx(6 * 4.0)


def test_stages_of_other_lengths_are_calls_of_their_own() -> None:
    clock = Clock()
    steps = Steps(clock)
    for seconds, done, whole in [(9.0, 1, 2), (4.0, 2, 2), (9.0, 3, 6), (4.0, 4, 6), (4.0, 6, 6)]:
        clock.now += seconds
        steps.heard(done, whole)
    assert steps.total == pytest.approx(4.0 + 4.0 + 4.0 + (2 + 6 - 4) * 3.0)


@pytest.mark.parametrize("heard", [(), ((9.0, 1),), ((9.0, 1), (7.0, 1))])
def test_steps_that_were_not_heard_are_not_told(heard: tuple[tuple[float, int], ...]) -> None:
    assert steps_of(*heard).total is None


class SlowHost(FakeHost):
    """Takes its time on a clock of its own: 2 s of loading before 4 steps of 3 s, 1 s of what else it does."""

    def __init__(self, clock: Clock, *, tells: bool = True) -> None:
        super().__init__()
        self.clock, self.tells = clock, tells

    def call(self, node_id: str, **inputs: Any) -> tuple[Any, ...]:
        if node_id == "WanVideoSamplerFromSettings":
            self.clock.now += 2
            for step in range(4):
                self.clock.now += 3
                if self.tells and self.tell:
                    self.tell(step + 1, 4)
        else:
            self.clock.now += 1
        return super().call(node_id, **inputs)


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, *, tells: bool = True, **options: Any) -> str:
    clock = Clock()
    monkeypatch.setattr(spent_module.time, "monotonic", clock)
    for kind in (Spent, Steps):
        monkeypatch.setattr(kind.__init__, "__defaults__", (clock,))
    with ReelWriter(folder, fps=16) as writer:
        return render_chain(job(**options), writer, SlowHost(clock, tells=tells), Report(), resume=True).spent


def test_it_tells_steps_from_what_the_sampler_does_besides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of each of three clips: 14 s of sampler, 12 of them steps; 1 s to decode; three prompts, a second each.
    assert said(tmp_path, monkeypatch) == (
        "a clip took 15.0 s: steps 12.0 s, models and LoRAs to the GPU and back 2.0 s, VAE 1.0 s, all else 0.0 s; "
        "text 3.0 s in all"
    )
    assert said(tmp_path, monkeypatch) == ""  # all were kept


def test_without_reports_of_progress_the_sampler_is_one_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sampler 14.0 s, VAE 1.0 s" in said(tmp_path, monkeypatch, tells=False)


def test_clip_vision_and_takes_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, monkeypatch, clip_vision="seen", takes=2, story="a") == (
        "a clip took 15.5 s: steps 12.0 s, models and LoRAs to the GPU and back 2.0 s, VAE 1.0 s, CLIP vision 0.5 s, "
        "all else 0.0 s; text 2.0 s in all"  # one prompt alone is encoded twice, see the wrapper's engine
    )


def test_the_parts_are_what_the_whole_is(tmp_path: Path) -> None:
    with ReelWriter(tmp_path, fps=16) as writer:
        text = render_chain(job(), writer, FakeHost(), Report(), resume=True).spent
    whole, *parts = map(float, re.findall(r"([\d.]+) s", text))
    assert sum(parts) == pytest.approx(whole, abs=0.3)
