"""Encoded prompts beside a reel: the same when read, none when they are not what was written, within bounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from faults import as_nobody
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.fingerprint import fingerprint
from wanvideo_svi.svi_embeds.reel import texts
from wanvideo_svi.svi_embeds.reel.texts import delete_texts, keep_text, kept_text, text_key

KEY = text_key("t5", "umt5", "a lake", "bad")
# As WanVideo TextEncode gives it.
TEXT = {
    "prompt_embeds": [torch.randn(7, 16, dtype=torch.bfloat16)], "negative_prompt_embeds": [torch.randn(3, 16)],
    "echoshot": False, "nag_params": {"nag_scale": 11.0, "inplace": True}, "extra": None, "name": "ü", "pair": (1, [2]),
}  # fmt: skip


def test_a_text_is_read_as_it_was_kept(tmp_path: Path) -> None:
    assert keep_text(tmp_path, KEY, TEXT)
    found = kept_text(tmp_path, KEY)
    assert found is not None
    assert fingerprint(found) == fingerprint(TEXT)
    assert [type(value) for value in found.values()] == [type(value) for value in TEXT.values()]
    assert found["prompt_embeds"][0].dtype == torch.bfloat16


_TENSORS = st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool]).flatmap(
    lambda dtype: st.lists(st.integers(0, 3), max_size=3).map(lambda shape: torch.zeros(shape, dtype=dtype))
)
_VALUES = st.recursive(
    st.one_of(
        _TENSORS, st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4))
def test_whatever_an_encoder_gives_comes_back(tmp_path_factory: pytest.TempPathFactory, text: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("texts")
    assert keep_text(folder, KEY, text)
    assert fingerprint(kept_text(folder, KEY)) == fingerprint(text)


def test_a_part_of_a_larger_tensor_is_kept_alone(tmp_path: Path) -> None:
    large = torch.randn(4096, 512)
    keep_text(tmp_path, KEY, {"prompt_embeds": [large[:2]], "same": large[:2]})
    (file,) = (tmp_path / texts.FOLDER).iterdir()
    assert file.stat().st_size < 20_000


def test_a_text_with_what_cannot_be_kept_is_not(tmp_path: Path) -> None:
    for value in (object(), {1: 2}, {"model": torch.nn.Linear(1, 1)}, {"set": {1}}, float("inf")):
        assert not keep_text(tmp_path, KEY, {"text": value})
    assert kept_text(tmp_path, KEY) is None
    assert not (tmp_path / texts.FOLDER).exists() or not list((tmp_path / texts.FOLDER).iterdir())


@pytest.mark.parametrize("change", ["kind", "origin", "prompt", "negative"])
def test_another_encoder_or_prompt_has_another_text(change: str) -> None:
    named = {"kind": "t5", "origin": "umt5", "prompt": "a lake", "negative": "bad"}
    assert text_key(**named) == KEY
    assert text_key(**{**named, change: "other"}) != KEY


@pytest.mark.parametrize("at", [0, 7, 40, -200, -1])
def test_a_text_that_is_not_what_was_written_is_none(tmp_path: Path, at: int) -> None:
    keep_text(tmp_path, KEY, TEXT)
    (file,) = (tmp_path / texts.FOLDER).iterdir()
    data = bytearray(file.read_bytes())
    data[at] ^= 0xFF
    file.write_bytes(data)
    assert kept_text(tmp_path, KEY) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 64, b"\0" * 100])
def test_a_file_that_is_no_text_is_none(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / texts.FOLDER / f"{KEY}.safetensors"
    place.parent.mkdir()
    place.write_bytes(content)
    assert kept_text(tmp_path, KEY) is None


def test_a_text_under_another_ones_name_is_read_as_what_it_is_called(tmp_path: Path) -> None:
    # Who can write into the folder can write any text; the print guards against damage.
    keep_text(tmp_path, KEY, TEXT)
    other = text_key("t5", "umt5", "a boat", "bad")
    assert kept_text(tmp_path, other) is None


def test_links_are_not_followed(tmp_path: Path) -> None:
    keep_text(tmp_path / "one", KEY, TEXT)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / texts.FOLDER).symlink_to(tmp_path / "one" / texts.FOLDER)
    assert kept_text(tmp_path / "two", KEY) is None
    assert not keep_text(tmp_path / "two", KEY, TEXT)
    assert delete_texts(tmp_path / "two") == 0
    assert kept_text(tmp_path / "one", KEY) is not None


def test_the_folder_keeps_within_its_bound_and_lets_go_of_what_was_used_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [text_key("t5", "umt5", str(number), "") for number in range(4)]
    for number, key in enumerate(keys[:3]):
        keep_text(tmp_path, key, TEXT)
        os.utime(tmp_path / texts.FOLDER / f"{key}.safetensors", (number, number))
    size = sum(path.stat().st_size for path in (tmp_path / texts.FOLDER).iterdir())
    assert kept_text(tmp_path, keys[0]) is not None  # used now
    monkeypatch.setattr(texts, "MAX_BYTES", size)
    keep_text(tmp_path, keys[3], TEXT)
    assert [kept_text(tmp_path, key) is not None for key in keys] == [True, False, True, True]


def test_deleting_texts_leaves_what_is_not_theirs(tmp_path: Path) -> None:
    keep_text(tmp_path, KEY, TEXT)
    (tmp_path / texts.FOLDER / "notes.txt").write_text("mine")
    assert delete_texts(tmp_path) > 0
    assert [path.name for path in (tmp_path / texts.FOLDER).iterdir()] == ["notes.txt"]


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with as_nobody(), pytest.raises(SVIError, match="texts could not be written"):
            keep_text(tmp_path, KEY, TEXT)
    finally:
        tmp_path.chmod(0o755)
