"""A take is deleted only when the chain can do without it, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from desk_reels import flat, keep
from faults import Disk
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.previews import clip_preview, picture
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter


def files(take: Take, reel: Reel) -> list[Path]:
    return [reel.folder / file.name for file in (take.video, take.tail)]


def test_a_spare_take_goes_with_its_files_and_previews_and_nothing_else(reel: Reel) -> None:
    (spare,) = reel.spare
    previews = [clip_preview(reel, spare), picture(reel, spare, last=True), picture(reel, spare, last=False)]
    others = [clip_preview(reel, reel.clips[1])]
    before = {path for path in reel.folder.rglob("*") if path.name != ".lock"}
    with ReelWriter(reel.folder, fps=16) as writer:
        assert writer.drop(writer.reel.spare[0]) == spare.video.size + spare.tail.size
        assert writer.reel.spare == ()
    found = open_reel(reel.folder)
    assert (found.clips, found.spare) == (reel.clips, ())
    after = {path for path in reel.folder.rglob("*") if path.name != ".lock"}
    assert before - after == {*files(spare, reel), *previews}
    assert after - before == set()
    assert others[0] in after
    assert found.problems() == []


def test_a_take_that_was_read_otherwise_goes_from_the_manifest_too(reel: Reel) -> None:
    """What is told of it decides, not which object tells it: else its files would go and the manifest name them."""
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.drop(reel.spare[0])
    assert open_reel(reel.folder).spare == ()


def test_of_several_spare_takes_only_the_one_that_was_asked_for_goes(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16) as writer:
        keep(writer, "e", flat(0), None, overlap=2, number=1, of="b" * 64, take=2)
        first, second = writer.reel.spare
        writer.drop(first)
        assert writer.reel.spare == (second,)
    assert all(path.exists() for path in files(second, reel))
    assert open_reel(reel.folder).problems() == []


def test_a_take_that_a_person_chose_is_chosen_no_more(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.pick(writer.reel.spare[0])  # the chain goes on from it
        writer.pick(writer.reel.clips[0])
        assert writer.reel.picked == {"b" * 64: "d" * 64, "a" * 64: "a" * 64}
        writer.set_chain(reel.clips)
        (chosen,) = writer.reel.spare
        writer.drop(chosen)
    assert open_reel(reel.folder).picked == {"a" * 64: "a" * 64}
    assert chosen.digest not in (reel.folder / "manifest.json").read_text()


def test_a_take_of_the_chain_is_refused_and_told_what_to_do(reel: Reel) -> None:
    before = (reel.folder / "manifest.json").read_bytes()
    for take in reel.clips:
        with ReelWriter(reel.folder, fps=16) as writer, pytest.raises(
            SVIError, match=r"take 1 of this clip is what reel reel continues from: pick another take first, queue"
        ):  # fmt: skip
            writer.drop(take)
    assert (reel.folder / "manifest.json").read_bytes() == before
    assert open_reel(reel.folder).problems() == []


def test_a_take_that_the_reel_does_not_have_is_refused(reel: Reel) -> None:
    (spare,) = reel.spare
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.drop(writer.reel.spare[0])
        with pytest.raises(SVIError, match="does not have this take any more"):
            writer.drop(spare)
    assert open_reel(reel.folder).clips == reel.clips


def test_nothing_is_deleted_while_a_run_writes_the_reel(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16), pytest.raises(SVIError, match="is being written by another run"), ReelWriter(
        reel.folder, fps=16
    ):  # fmt: skip
        pass
    assert all(path.exists() for path in files(reel.spare[0], reel))


@pytest.mark.parametrize("lasting", [False, True])
def test_a_disk_that_fails_anywhere_leaves_the_reel_with_the_take_or_without(reel: Reel, *, lasting: bool) -> None:
    whole = shutil.copytree(reel.folder, reel.folder.with_name("whole"))
    with ReelWriter(reel.folder, fps=16) as writer, (disk := Disk(reel.folder)).watching():
        writer.drop(writer.reel.spare[0])
    left = []
    for step in range(len(disk.seen)):
        shutil.rmtree(reel.folder)
        shutil.copytree(whole, reel.folder)
        with ReelWriter(reel.folder, fps=16) as writer, Disk(reel.folder, step, lasting=lasting).watching():
            try:
                writer.drop(writer.reel.spare[0])
            except SVIError as error:
                left.append((len(open_reel(reel.folder).spare), "could not be written" in str(error)))
            else:
                left.append((len(open_reel(reel.folder).spare), False))
        found = open_reel(reel.folder)
        assert found.clips == reel.clips
        assert found.problems() == []
    assert set(left) == {(1, True), (0, False)}
    assert len(left) > 5


def test_a_run_that_is_killed_in_between_leaves_a_whole_reel(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest says first that the take is gone: files that it does not name do not count."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReelWriter, "_delete", killed)
    with ReelWriter(reel.folder, fps=16) as writer, pytest.raises(KeyboardInterrupt):
        writer.drop(writer.reel.spare[0])
    monkeypatch.undo()
    found = open_reel(reel.folder)
    assert (found.clips, found.spare) == (reel.clips, ())
    assert all(path.exists() for path in files(reel.spare[0], reel))
    with ReelWriter(reel.folder, fps=16):
        pass
    assert not any(path.exists() for path in files(reel.spare[0], reel))
    assert found.problems() == []


def test_a_clip_that_was_dropped_counts_no_more_for_a_run(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16) as writer:
        assert writer.find("d" * 64) is not None
        writer.drop(writer.reel.spare[0])
        assert writer.find("d" * 64) is None
    assert "d" * 64 not in {take["digest"] for take in json.loads((reel.folder / "manifest.json").read_text())["takes"]}


@pytest.mark.parametrize("how", ["drop", "clean"])
def test_files_that_a_take_of_the_chain_has_too_stay(reel: Reel, how: str) -> None:
    """As a manifest of a stranger may say."""
    data = json.loads((reel.folder / "manifest.json").read_text())
    spare = data["takes"][3]
    spare["video"], spare["tail"] = data["takes"][1]["video"], data["takes"][2]["tail"]
    (reel.folder / "manifest.json").write_text(json.dumps(data))
    with ReelWriter(reel.folder, fps=16) as writer:
        if how == "drop":
            writer.drop(writer.reel.spare[0])
        else:
            writer.clean()
    assert open_reel(reel.folder).spare == ()
    assert open_reel(reel.folder).problems() == []
