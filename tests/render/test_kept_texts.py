"""Prompts that were encoded once are not encoded again, and no text encoder is loaded for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import FakeHost, Report, job
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import texts
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.long_video import encoders_to_load
from wanvideo_svi.wrapper_ext.render.text import NotLoaded

ORIGIN = {"model": "m1", "t5": "umt5"}


class Encoder:
    """As the wrapper's: without weights of its own, which its node takes from `state_dict` and deletes there."""

    def __init__(self, *, buffer: bool = False) -> None:
        self.model = torch.nn.Linear(2, 2, device="meta")
        self.state_dict = {name: torch.ones(value.shape) for name, value in self.model.named_parameters()}
        if buffer:
            self.model.register_buffer("seen", torch.zeros(1))

    @property
    def is_loaded(self) -> bool:
        return not any(value.is_meta for value in self.model.parameters())


class LoadingHost(FakeHost):
    """Moves the text encoder as the wrapper's node does."""

    def WanVideoTextEncode(self, **inputs: Any) -> tuple[Any]:
        encoder = inputs["t5"]["model"]
        if hasattr(encoder, "state_dict"):
            for name, value in encoder.state_dict.items():
                setattr(encoder.model, name, torch.nn.Parameter(value.clone()))
            del encoder.state_dict
        assert encoder.is_loaded
        return super().WanVideoTextEncode(**inputs)


def render(folder: Path, story: str, *, host: FakeHost | None = None, **options: Any) -> list[str]:
    """Prompts that the text encoder was asked for."""
    host, this = host or FakeHost(), job(story, **{"origin": ORIGIN, **options})
    with ReelWriter(folder, fps=16) as writer:
        render_chain(this, writer, host, Report(), resume=True)
    return [inputs["positive_prompt"] for node, inputs in host.calls if node == "WanVideoTextEncode"]


def test_a_run_that_changes_one_prompt_encodes_that_one(tmp_path: Path) -> None:
    assert render(tmp_path, "a\n---\nb\n---\nc") == ["a", "b", "c"]
    # Once more, so that the wrapper lets go of the encoder's old copy before it moves it back.
    assert render(tmp_path, "a\n---\nx\n---\nc") == ["x", "x"]
    assert render(tmp_path, "a\n---\nb\n---\nc\n---\na") == []


def test_an_encoder_without_weights_of_its_own_is_so_again_afterwards(tmp_path: Path) -> None:
    encoder, host = Encoder(), LoadingHost()
    weights = encoder.state_dict
    assert render(tmp_path, "a\n---\nb", host=host, t5={"model": encoder}) == ["a", "b"]
    assert encoder.state_dict is weights
    assert all(value.is_meta for value in encoder.model.parameters())
    told = [inputs["force_offload"] for node, inputs in host.calls if node == "WanVideoTextEncode"]
    assert told == [False, False]  # what is given back need not be moved
    assert render(tmp_path, "a\n---\nx", host=LoadingHost(), t5={"model": encoder}) == ["x"]


def test_an_encoder_is_given_back_where_encoding_fails(tmp_path: Path) -> None:
    class FailingHost(LoadingHost):
        def WanVideoTextEncode(self, **inputs: Any) -> tuple[Any]:
            super().WanVideoTextEncode(**inputs)
            raise torch.OutOfMemoryError

    encoder = Encoder()
    weights = encoder.state_dict
    with pytest.raises(torch.OutOfMemoryError):
        render(tmp_path, "a", host=FailingHost(), t5={"model": encoder})
    assert encoder.state_dict is weights
    assert not encoder.is_loaded


@pytest.mark.parametrize("kind", ["used before", "with a buffer"])
def test_an_encoder_that_cannot_be_given_back_is_moved_by_the_wrapper(tmp_path: Path, kind: str) -> None:
    encoder, host = Encoder(buffer=kind == "with a buffer"), LoadingHost()
    if kind == "used before":
        host.WanVideoTextEncode(t5={"model": encoder}, positive_prompt="before")
    assert render(tmp_path, "a", host=host, t5={"model": encoder})[-2:] == ["a", "a"]
    told = [inputs["force_offload"] for node, inputs in host.calls if node == "WanVideoTextEncode"]
    assert told[-2:] == [False, True]
    assert encoder.is_loaded
    assert not hasattr(encoder, "state_dict")


def test_the_frames_are_those_of_a_run_that_encodes_all(tmp_path: Path) -> None:
    render(tmp_path / "kept", "a\n---\nb\n---\nc")
    render(tmp_path / "kept", "c\n---\nb\n---\na")
    render(tmp_path / "new", "c\n---\nb\n---\na")
    one, other = (open_reel(tmp_path / name) for name in ("kept", "new"))
    assert [take.video.sha256 for take in one.clips] == [take.video.sha256 for take in other.clips]
    assert [take.digest for take in one.clips] == [take.digest for take in other.clips]


def test_another_encoder_or_negative_prompt_encodes_all_again(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb")
    assert render(tmp_path, "a\n---\nb", origin={**ORIGIN, "t5": "another"}) == ["a", "b"]
    assert render(tmp_path, "a\n---\nb", negative_prompt="worse") == ["a", "b"]


def test_where_the_encoder_comes_from_unknown_nothing_is_kept(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb", origin={"model": "m1"})
    assert not (tmp_path / texts.FOLDER).exists()


def test_clean_deletes_the_texts(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb")
    assert len(list((tmp_path / texts.FOLDER).iterdir())) == 2
    with ReelWriter(tmp_path, fps=16) as writer:
        writer.clean()
    assert not (tmp_path / texts.FOLDER).exists()


def test_a_damaged_text_is_encoded_again(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb")
    for file in (tmp_path / texts.FOLDER).iterdir():
        file.write_bytes(b"no text")
    assert render(tmp_path, "b\n---\na") == ["b", "a"]


def test_without_an_encoder_a_text_that_is_gone_is_told(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb")
    assert render(tmp_path, "b\n---\na", t5=NotLoaded()) == []
    for file in (tmp_path / texts.FOLDER).iterdir():
        file.unlink()
    with pytest.raises(SVIError, match=r"clip 1: its prompt was kept .* queue again"):
        render(tmp_path, "a b\n---\na", t5=NotLoaded())


# Whether the node asks for its encoder

PROMPT = {
    "1": {"class_type": "LoadWanVideoT5TextEncoder", "inputs": {"model_name": "umt5.safetensors"}},
    "3": {"class_type": "WanVideoSVILongVideo", "inputs": {"t5": ["1", 0]}},
}


@pytest.fixture
def reel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(host_files, "reels_folder", lambda: tmp_path)
    return tmp_path / "r"


def asked(story: str, prompt: dict[str, Any] = PROMPT, **more: Any) -> list[str]:
    inputs = {"story": story, "reel": "r", "negative_prompt": "bad", "t5": None, **more}
    return encoders_to_load(inputs, unique_id="3", prompt=prompt)


def origin() -> str:
    from wanvideo_svi.wrapper_ext.running.digest import graph_digest
    from wanvideo_svi.wrapper_ext.running.wiring import RunningGraph

    return graph_digest(RunningGraph(PROMPT), "3", "t5", file_state=host_files.file_print)


def test_the_encoder_is_loaded_only_where_a_prompt_is_missing(reel: Path) -> None:
    assert asked("a\n---\nb") == ["t5"]
    render(reel, "a\n---\nb", origin={"model": "m1", "t5": origin()})
    assert asked("a\n---\nb") == []
    assert asked("b\n---\n[repeat=3]\na") == []
    assert asked("a\n---\nx") == ["t5"]
    assert asked("a\n---\nb", negative_prompt="worse") == ["t5"]
    other = {**PROMPT, "1": {**PROMPT["1"], "inputs": {"model_name": "other.safetensors"}}}
    assert asked("a\n---\nb", other) == ["t5"]


def test_what_is_no_story_and_no_reel_loads_the_encoder_so_that_the_run_says_so(reel: Path) -> None:
    assert asked("[fram=1]\na") == ["t5"]
    assert asked("a", reel="../r") == ["t5"]
    assert asked("a", reel=None) == ["t5"]
    assert not reel.exists()


def test_an_encoder_that_is_not_connected_or_loaded_already_is_not_asked_for(reel: Path) -> None:  # noqa: ARG001
    assert encoders_to_load({"story": "a", "reel": "r"}, unique_id="3", prompt=PROMPT) == []
    assert asked("a", t5="T5") == []


def test_a_job_without_the_encoder_is_planned_as_with_it(tmp_path: Path) -> None:  # noqa: ARG001
    one, other = job("a\n---\nb"), job("a\n---\nb", t5=NotLoaded())
    assert one.plan == other.plan
    assert one.sources.connected() == replace(other.sources, t5="T5").connected() == other.sources.connected()
