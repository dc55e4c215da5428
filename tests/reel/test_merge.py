"""Takes of one reel brought into another."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_host import FakeHost, Report, job_in
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.merge import all_takes, copy_reel, take_in, takes_told
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.depends import read_only
from wanvideo_svi.wrapper_ext.render.chain import render_chain

STORY = "[takes=2]\na\n---\nb"


def made(folder: Path, story: str = STORY, only: str = "", fps: float = 16) -> Reel:
    with ReelWriter(folder, fps=fps) as writer:
        this = job_in(folder, story)
        tasks = read_only(only, this.plan) if only else ()
        render_chain(this, writer, FakeHost(), Report(), resume=True, only=tasks)
    return open_reel(folder)


def test_spare_takes_come_and_the_chain_stays(tmp_path: Path) -> None:
    one, other = made(tmp_path / "one", only="1.1"), made(tmp_path / "other", only="1.2")
    with ReelWriter(one.folder, fps=16) as writer:
        assert [take.take for take in take_in(writer, other)] == [1]
        assert take_in(writer, other) == [], "and once"
    home = open_reel(one.folder)
    assert (home.clips, len(home.spare), home.problems()) == ((), 2, [])
    made(one.folder)
    whole = made(tmp_path / "whole")
    assert [take.digest for take in open_reel(one.folder).clips] == [take.digest for take in whole.clips]


def test_the_chain_comes_too_with_its_speed_and_a_pick_at_home_stays(tmp_path: Path) -> None:
    other = made(tmp_path / "other", fps=24)
    copy_reel(other.folder, tmp_path / "home")
    spare = next(take for take in other.spare if take.take != other.clips[0].take)
    with ReelWriter(tmp_path / "home", fps=24) as writer:
        writer.pick(spare)
        picked = dict(writer.reel.picked)
        take_in(writer, other, chain=True)
    home = open_reel(tmp_path / "home")
    assert ([take.digest for take in home.clips], home.fps) == ([take.digest for take in other.clips], 24)
    assert home.picked == picked


def test_a_chain_that_is_damaged_is_not_taken(tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    (other.folder / other.clips[0].video.name).write_bytes(b"x")
    with (
        ReelWriter(tmp_path / "home", fps=16) as writer,
        pytest.raises(SVIError, match="is not as it was written, so its chain is not taken"),
    ):
        take_in(writer, other, chain=True)
    assert len(all_takes(open_reel(tmp_path / "home"))) in (0, 2), "what is whole may have come"


def test_files_that_are_gone_are_left_out_of_a_copy(tmp_path: Path) -> None:
    reel = made(tmp_path / "one")
    (reel.folder / reel.clips[1].video.name).unlink()
    copy_reel(reel.folder, tmp_path / "copy")
    copy = open_reel(tmp_path / "copy")
    assert [copy.is_whole(take) for take in copy.clips] == [True, False]
    assert len(made(tmp_path / "copy").clips) == 2


def test_a_manifest_that_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="is damaged: it is not text"):
        takes_told(b"\xff\xfe", tmp_path)
    with pytest.raises(SVIError, match="damaged or not of this pack"):
        takes_told(b"{", tmp_path)
