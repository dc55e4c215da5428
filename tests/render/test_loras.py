"""LoRAs of a clip's own: on the model of that clip alone, by their files, and refused where they would do nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_host import PAIR, FakeHost, Report, job, sampler, samplers
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.check import check_loras
from wanvideo_svi.svi_embeds.story.text import format_story, parse_story
from wanvideo_svi.wrapper_ext.engine.check import check_job
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.run import Rendered


def render(folder: Path, story: str, **options: Any) -> tuple[Rendered, FakeHost]:
    host = FakeHost()
    with ReelWriter(folder, fps=16) as writer:
        done = render_chain(job(story, **options), writer, host, Report(), resume=True)
    return done, host


def test_one_clip_has_them_and_the_others_do_not(tmp_path: Path) -> None:
    _, host = render(tmp_path / "r", "a\n---\n[lora=snow.safetensors:0.8,fog.safetensors]\nb\n---\nc")
    models = [asked["model"] for asked in samplers(host)]
    assert models == ["main", "main with [('snow.safetensors', 0.8), ('fog.safetensors', 1.0)]", "main"]


def test_both_stages_of_a_pair_have_their_own(tmp_path: Path) -> None:
    _, host = render(
        tmp_path / "r", "a\n---\n[lora=h.safetensors lora_low=l.safetensors:0.5]\nb", mode="svi2_wan22", **PAIR
    )
    assert [asked["model"] for asked in samplers(host)] == [
        "high", "low", "high with [('h.safetensors', 1.0)]", "low with [('l.safetensors', 0.5)]",
    ]  # fmt: skip


def test_they_and_their_files_decide_the_clip(tmp_path: Path) -> None:
    story = "a\n---\n[lora=snow.safetensors]\nb\n---\nc"
    first, _ = render(tmp_path / "r", story, lora_prints={"snow.safetensors": "1"})
    assert render(tmp_path / "r", story, lora_prints={"snow.safetensors": "1"})[0].sampled == ()
    assert render(tmp_path / "r", story, lora_prints={"snow.safetensors": "2"})[0].sampled == (1,)  # it came out equal
    stronger = story.replace("safetensors]", "safetensors:1.1]")
    assert render(tmp_path / "r", stronger, lora_prints={"snow.safetensors": "1"})[0].sampled == (1, 2)
    back, host = render(tmp_path / "r", story, lora_prints={"snow.safetensors": "1"})
    assert (host.calls, back.takes) == ([], first.takes)


def test_names_with_blanks_stand_in_quotes() -> None:
    (block,) = parse_story('[lora="my folder/a snow:0.5",b.safetensors seed=3]\na lake')
    assert block.lora == (("my folder/a snow", 0.5), ("b.safetensors", 1.0))
    assert block.seed == 3
    (again,) = parse_story(format_story([block]))
    assert again.lora == block.lora


def model(**noted: Any) -> Any:
    class Inner:
        diffusion_model = SimpleNamespace(in_dim=36, out_dim=16, dim=5120, model_type="i2v")

        def __getitem__(self, key: str) -> Any:
            return {"sd": {}, "gguf_reader": None, "fp8_matmul": False, "model_name": "", "lora": None, **noted}[key]

    return SimpleNamespace(model=Inner(), patches={}, model_options={"transformer_options": {"merge_loras": False}})


@pytest.mark.parametrize(
    ("noted", "message"),
    [
        (
            {"sd": None},
            "clip 2 .*: snow cannot be put on the model of sampler_inputs: .* merge_loras off",
        ),
        ({"fp8_matmul": True}, "it multiplies in fp8"),
        ({"sd": None, "gguf_reader": object()}, None),
        ({}, None),
    ],
)
def test_a_model_that_would_leave_them_out_is_refused_by_name(noted: dict[str, Any], message: str | None) -> None:
    this = job("a\n---\n[lora=snow]\nb", sampler={**sampler(), "model": model(**noted)})
    if message is None:
        check_job(this)
    else:
        with pytest.raises(SVIError, match=message):
            check_job(this)


def test_a_name_that_is_no_file_is_refused_with_the_nearest() -> None:
    plan = job("a\n---\n[lora=snoww.safetensors]\nb").plan
    with pytest.raises(SVIError, match=r"clip 2 \(line 3 .*did you mean snow\.safetensors\?"):
        check_loras(plan, ["snow.safetensors", "other.safetensors"])
    check_loras(plan, ["snoww.safetensors"])


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ("[lora=,]\na", "a LoRA has no name"),
        ("[lora=a:200]\na", "the strength of a must be a number"),
        ("a\n---\n[lora_low=a]\nb", "lora_low is for the low noise model, and there is none"),
    ],
)
def test_what_cannot_be_is_said(story: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        check_job(job(story))


def test_the_plan_tells_them() -> None:
    table = job("a\n---\n[lora=styles/snow.safetensors:0.8]\nb").plan.table()
    assert [row[4] for row in table] == ["lora", "", "snow 0.8"]
