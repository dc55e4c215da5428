"""The desk shows what the story editor shows and what the reel has, and changes what was asked and no more."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import types
from pathlib import Path
from typing import Any

import pytest
from desk_reels import shows, write_reel
from fake_host import Cancelled, FakeHost
from faults import as_nobody
from long_video_node import run
from story_node import node
from wanvideo_svi.svi_embeds.drift import figures
from wanvideo_svi.svi_embeds.drift.figures import drift_of
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.previews import FOLDER, previews_size, seam_at
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.text import parse_story
from wanvideo_svi.wrapper_ext.answers import cards as desk_cards
from wanvideo_svi.wrapper_ext.answers import desk, reels
from wanvideo_svi.wrapper_ext.answers import reel as story_reel
from wanvideo_svi.wrapper_ext.answers import story as story_answer
from wanvideo_svi.wrapper_ext.answers.desk import ASKS, EDITS, clip_file, frame_file, seam_file
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host import requests as host_requests
from wanvideo_svi.wrapper_ext.render.now import Now, rendered_now, renders


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reel with a spare take of its second clip, of which tests make copies."""
    return write_reel(tmp_path_factory.mktemp("kept") / "reel", spare=True).folder


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of reels."""
    monkeypatch.setattr(host_files, "comfy_folders", lambda: {"output": tmp_path.resolve()})
    for cache in (story_reel._read_last, reels._looked, desk_cards._looks):
        cache.clear()
    return tmp_path.resolve() / "svi_reels"


@pytest.fixture
def reel(kept: Path, root: Path) -> Reel:
    return copied(kept, root, "reel")


def copied(kept: Path, root: Path, name: str) -> Reel:
    return open_reel(Path(shutil.copytree(kept, root / name)))


def asked(ask: str, **more: Any) -> dict[str, Any]:
    """What the desk is answered."""
    status, said = desk.answer(json.dumps({"ask": ask, **more}))
    json.dumps(said, allow_nan=False)
    assert status == 200, said
    return said


def refused(ask: str, **more: Any) -> str:
    """What the desk is told that does not get what it asks for."""
    status, said = desk.answer(json.dumps({"ask": ask, **more}))
    assert status == 400, said
    assert list(said) == ["error"]
    return str(said["error"])


def edited(do: str, story: str, *, mend: str = "", **more: Any) -> tuple[str, str]:
    said = asked("edit", do=do, story=story, mend=mend, **more)
    assert set(said) == {"story", "mend"}
    return said["story"], said["mend"]


def shown(**values: Any) -> dict[str, Any]:
    """The story editor's answer with cards."""
    status, said = story_answer.answer(json.dumps({"nodes": [{**node(**values), "desk": True}]}))
    assert status == 200
    json.dumps(said, allow_nan=False)
    (found,) = said["answers"]
    assert found["error"] is None, found["error"]
    return dict(found)


def cards(**values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shown(**values)["desk"]["cards"]
    return found


def change_takes(folder: Path, **facts: Any) -> Reel:
    """A reel whose manifest says otherwise of its takes; a value that is a list is one for each."""
    data = json.loads((folder / "manifest.json").read_text())
    for index, take in enumerate(data["takes"]):
        take.update({name: value[index] if isinstance(value, list) else value for name, value in facts.items()})
    (folder / "manifest.json").write_text(json.dumps(data))
    return open_reel(folder)


FOUR = "a\n---\nb\n---\nc\n---\nd"
SCENES = "a\n---\nb\n---\n[cut]\nc\n---\nd"


# Cards of a planned chain


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "story", [FOUR, SCENES, "a\n---\n[repeat=200 seed=5]\nb", "[takes=2 pick=2]\na\n---\n[mend]\nb\n---\nc"]
)
def test_cards_are_the_story_editors_rows_and_more(story: str) -> None:
    run(FOUR)
    found = shown(story=story)
    plain = json.loads(json.dumps({**found, "desk": None}))
    for row in found["rows"]:
        card = found["desk"]["cards"][row["clip"] - 1]
        assert {name: card[name] for name in row} == row
    assert [card["clip"] for card in found["desk"]["cards"]] == list(range(1, len(found["desk"]["cards"]) + 1))
    states = [card["state"] for card in found["desk"]["cards"]]
    assert found["counts"] == {state: states.count(state) for state in ("kept", "stale", "to do")}
    status, said = story_answer.answer(json.dumps({"nodes": [node(story=story)]}))
    assert (status, {**said["answers"][0], "desk": None}) == (200, plain)


@pytest.mark.usefixtures("fake")
def test_a_card_tells_the_takes_that_the_reel_has(root: Path) -> None:
    run(FOUR, takes=2)
    reel = open_reel(root / "test")
    found = cards(story=FOUR, takes=2)
    assert [card["state"] for card in found] == ["kept"] * 4
    for card, take in zip(found, reel.clips, strict=True):
        assert (card["take"], card["file"], card["missing"]) == (take.digest, take.video.name[-12:-4], 0)
        assert card["there"] == [told(each, reel) for each in reel.takes_of(take)]
        assert len(card["there"]) == 2
        assert [each["in_chain"] for each in card["there"]].count(True) == 1
    for card in cards(story=FOUR, takes=1):  # what the story asks for no more
        assert [each["wanted"] for each in card["there"]] == [True, False]


def told(take: Take, reel: Reel) -> dict[str, Any]:
    return {
        "id": take.digest, "file": take.video.name[-12:-4], "number": take.take + 1,
        "name": f"{'M' if take.mended else ''}{take.take + 1}", "seed": str(take.seed),
        "score": take.score, "mended": False, "seconds": take.seconds, "frames": take.frames, "overlap": take.overlap,
        "step": 1, "size": sum((reel.folder / file.name).stat().st_size for file in (take.video, take.tail)),
        "in_chain": take in reel.clips, "wanted": True,
    }  # fmt: skip


@pytest.mark.usefixtures("fake")
def test_what_the_next_run_makes_is_told_before_it(root: Path) -> None:
    assert shown(story=FOUR)["desk"]["make"] == {"clips": 4, "takes": 4, "seconds": None}
    run(FOUR)
    change_takes(root / "test", seconds=[8.5, 0.0, 8.5, 0.0])  # the median of what took any time: 0.5 s a frame
    assert shown(story=FOUR)["desk"]["make"] == {"clips": 0, "takes": 0, "seconds": 0}
    found = shown(story=FOUR.replace("c", "C"))["desk"]
    assert [card["state"] for card in found["cards"]] == ["kept", "kept", "stale", "stale"]
    assert [card["missing"] for card in found["cards"]] == [0, 0, 1, 1]
    assert found["make"] == {"clips": 2, "takes": 2, "seconds": 17}
    found = shown(story=FOUR, takes=3)["desk"]  # one take of clip 1 is kept; what follows hangs on which is best
    assert [card["missing"] for card in found["cards"]] == [2, 3, 3, 3]
    assert found["make"] == {"clips": 4, "takes": 11, "seconds": round(0.5 * 17 * 11)}
    found = shown(story=f"{FOUR}\n---\n[frames=33]\ne")["desk"]
    assert [card["state"] for card in found["cards"]] == ["kept"] * 4 + ["to do"]
    assert found["make"] == {"clips": 1, "takes": 1, "seconds": round(0.5 * 33)}
    assert "1 made (clip 5)" in run(f"{FOUR}\n---\n[frames=33]\ne")["result"][3]
    assert shown(story=FOUR, resume=False)["desk"]["make"]["takes"] == 4
    assert shown(story=FOUR, linked=["num_frames"])["desk"]["make"] is None


@pytest.mark.usefixtures("fake")
def test_a_clip_that_is_to_do_has_no_take_and_a_stale_one_that_of_before(root: Path) -> None:
    run("a\n---\nb")
    reel = open_reel(root / "test")
    kept, stale, to_do = cards(story="a\n---\nB\n---\nc")
    assert (kept["take"], stale["take"], to_do["take"]) == (*(take.digest for take in reel.clips), None)
    assert (stale["there"][0]["id"], to_do["there"], to_do["file"]) == (reel.clips[1].digest, [], "")


@pytest.mark.usefixtures("fake")
def test_a_clip_that_is_to_do_shows_the_takes_that_it_has_already(root: Path) -> None:
    run("a\n---\nb")
    with ReelWriter(root / "test", fps=16) as writer:
        writer.set_chain(writer.reel.clips[:1])  # the second is spare
    _, card = cards(story="a\n---\n[takes=2]\nb")
    assert (card["state"], card["take"], card["missing"]) == ("to do", None, 1)
    assert [each["id"] for each in card["there"]] == [open_reel(root / "test").spare[0].digest]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("story", [FOUR, SCENES])
def test_drift_and_seams_are_those_of_the_drift_report(story: str, root: Path) -> None:
    run(story)
    reel = open_reel(root / "test")
    looks = [reel.look(take) for take in reel.clips]
    wanted = drift_of([look for look in looks if look], begins=[2] if "cut" in story else [])
    for found in (cards(story=story), asked("reel", reel="test")["desk"]["cards"]):
        firsts = {0, 2} if "cut" in story else {0}
        for index, card in enumerate(found):
            changed, seam = wanted.change(index), wanted.seams[index - 1] if index else None
            drift = None if index in firsts else {"size": round(changed.size, 2), "culprit": changed.culprit}
            assert card["drift"] == drift
            at, count = seam_at(reel.clips[index - 1], reel.clips[index])
            assert card["seam"] == (
                None if index in firsts or seam is None else {"ratio": round(seam.ratio, 2), "at": at, "frames": count}
            )
        assert [card["scene"] for card in found] == ([1, 1, 3, 3] if "cut" in story else [1] * 4)
        assert [card["cut"] for card in found] == [False, False, "cut" in story, False]


def test_a_seam_is_told_of_takes_that_meet_in_the_chain_alone(reel: Reel) -> None:
    seams = [[0, 1, 1], [0, 1, 0], [0, 1, 1]]
    for led_by, known in zip(("b" * 64, "e" * 64, ""), seams, strict=True):
        change_takes(reel.folder, led_by=["", "a" * 64, led_by, "a" * 64])
        found = asked("reel", reel="reel")["desk"]["cards"]
        assert [card["seam"] is not None for card in found] == [bool(each) for each in known]


def test_without_a_look_there_is_neither_drift_nor_seam(reel: Reel) -> None:
    (reel.folder / reel.clips[0].tail.name).write_bytes(b"garbage")
    found = asked("reel", reel="reel")["desk"]["cards"]
    assert [card["drift"] for card in found] == [None] * 3
    assert [card["seam"] is not None for card in found] == [False, False, True]


def test_a_prompt_too_long_to_edit_is_no_text_but_is_shown() -> None:
    short, long = "a" * desk_cards._MAX_PROMPT, "b" * (desk_cards._MAX_PROMPT + 1)
    first, second = cards(story=f"{short}\n---\n{long}")
    assert (first["text"], second["text"]) == (short, None)
    assert second["prompt"].startswith("bbb")
    assert len(second["prompt"]) <= 80


def test_of_a_long_chain_a_thousand_cards_are_shown_and_all_is_counted() -> None:
    found = shown(story=f"[repeat={desk_cards.MAX_CARDS + 3}]\na")["desk"]
    assert (len(found["cards"]), found["left_out"]) == (desk_cards.MAX_CARDS, 3)
    assert found["make"]["clips"] == desk_cards.MAX_CARDS + 3
    assert found["fps"] == 16


def test_a_chain_that_is_not_planned_has_no_cards() -> None:
    for values in ({"story": ""}, {"linked": ["story"]}):
        status, said = story_answer.answer(json.dumps({"nodes": [{**node(**values), "desk": True}]}))
        assert status == 200
        assert "desk" not in said["answers"][0]


# Cards of a reel


def test_a_reel_alone_is_shown_as_cards(reel: Reel) -> None:
    said = asked("reel", reel="reel")
    assert said["reel"] == {
        "folder": "output/svi_reels/reel", "clips": 3, "video": None, "is_current": False, "now": None,
    }  # fmt: skip
    found = said["desk"]
    assert (found["fps"], found["left_out"], found["make"]) == (16, 0, None)
    assert [card["prompt"] for card in found["cards"]] == [card["text"] for card in found["cards"]] == [
        "a lake", "a boat", "fog"
    ]  # fmt: skip
    assert [card["until"] for card in found["cards"]] == [9, 16, 23]
    assert [card["time"] for card in found["cards"]] == ["0.6 s", "1.0 s", "1.4 s"]
    assert [card["seed"] for card in found["cards"]] == ["0", "7", "0"]
    assert [card["take"] for card in found["cards"]] == [take.digest for take in reel.clips]
    assert [[each["id"][0] for each in card["there"]] for card in found["cards"]] == [["a"], ["b", "d"], ["c"]]
    assert [each["in_chain"] for each in found["cards"][1]["there"]] == [True, False]


def test_what_a_reel_leaves_out_at_its_start_is_not_in_its_times(reel: Reel) -> None:
    change_takes(reel.folder, overlap=[4, 2, 2, 2])
    assert [card["until"] for card in asked("reel", reel="reel")["desk"]["cards"]] == [5, 12, 19]


@pytest.mark.usefixtures("reel")
def test_of_a_long_reel_a_thousand_cards_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_cards, "MAX_CARDS", 2)
    found = asked("reel", reel="reel")["desk"]
    assert (len(found["cards"]), found["left_out"]) == (2, 1)


@pytest.mark.parametrize("name", ["../reel", "", None, 3, ["reel"], "a\0", "NUL", "x" * 500, "\ud800"])
def test_a_reel_is_asked_for_by_a_name_of_one(name: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "reels_folder", lambda: pytest.fail("a folder was looked for"))
    for ask in ("reel", "delete", "clean"):
        assert "reel must be a name" in refused(ask, reel=name, take="a")
    for find in (clip_file, frame_file, seam_file):
        with pytest.raises(SVIError, match="reel must be a name"):
            find({"reel": name, "take": "a", "before": "a"})  # type: ignore[dict-item]


def test_a_reel_that_is_not_there_is_told_and_not_made(root: Path) -> None:
    for ask in ("reel", "delete", "clean"):
        assert refused(ask, reel="other", take="a") == "there is no reel other any more"
    assert not root.exists()


def test_a_reel_that_cannot_be_read_is_told_to_every_ask(reel: Reel, root: Path) -> None:
    (reel.folder / "manifest.json").write_text("[")
    for ask in ("reel", "delete", "clean"):
        assert "manifest.json is damaged" in (said := refused(ask, reel="reel", take="a" * 64))
        assert str(root) not in said


# The reels


def listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = asked("reels")["reels"]
    return found


def test_a_reel_is_listed_with_its_length_and_size(reel: Reel, root: Path) -> None:
    first = reel.clips[0]
    frame_file({"reel": "reel", "take": first.digest})
    (reel.folder / "mine.txt").write_bytes(b"x" * 1000)
    size = sum(path.stat().st_size for path in reel.folder.rglob("*") if path.is_file())
    assert 0 < previews_size(reel.folder) < size
    said = asked("reels")
    assert (said["folder"], said["path"], said["left_out"]) == ("output/svi_reels", str(root), 0)
    (row,) = said["reels"]
    assert row.pop("size") == size
    assert row == {
        "name": "reel", "state": "whole", "trouble": "", "clips": 3, "frames": 23, "seconds": 23 / 16, "fps": 16.0,
        "spare": 1, "spare_size": reel.spare_size, "changed": (reel.folder / "manifest.json").stat().st_mtime_ns,
        "thumb": {"take": first.digest, "file": first.video.name[-12:-4]}, "video": None, "is_current": False,
        "now": None,
    }  # fmt: skip


def test_the_size_tells_of_previews_that_came_since(reel: Reel) -> None:
    before = listed()[0]["size"]
    (reel.folder / FOLDER).mkdir()
    between = listed()[0]["size"]
    clip_file({"reel": "reel", "take": "a" * 64})
    assert listed()[0]["size"] - between == previews_size(reel.folder) > 0
    assert between >= before


def test_the_video_of_the_chain_is_named(reel: Reel) -> None:
    name = f"reel_{reel.chain}_16fps.mp4"
    (reel.folder / name).write_bytes(b"x")
    video = {"filename": name, "subfolder": "svi_reels/reel", "type": "output"}
    for row in (listed()[0], asked("reel", reel="reel")["reel"]):
        assert (row["video"], row["is_current"]) == (video, True)


def test_a_reel_that_somebody_writes_is_running(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16):
        assert listed()[0]["state"] == "running"
    assert listed()[0]["state"] == "whole"
    renders(reel.folder, Now(1, 0, 3, time.time() - 100))
    try:
        for row in (listed()[0], asked("reel", reel="reel")["reel"]):
            assert 99 <= row["now"].pop("seconds") <= 200
            assert row["now"] == {"clip": 2, "take": 1, "takes": 3}
        assert listed()[0]["state"] == "running"
    finally:
        renders(reel.folder, None)
    assert (listed()[0]["state"], listed()[0]["now"]) == ("whole", None)


def test_where_a_run_is_can_be_seen_until_it_ends(fake: FakeHost, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, int]] = []

    def call(*args: Any, **inputs: Any) -> Any:
        now = shown(story="a\n---\nb", takes=2)["reel"]["now"]
        if now and (place := (now["clip"], now["take"], now["takes"])) not in seen:
            seen.append(place)
        return fake.call(*args, **inputs)

    monkeypatch.setattr(comfy, "call", call)
    run("a\n---\nb", takes=2)
    assert seen == [(1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 2)]
    assert rendered_now(root / "test") is None
    fake.cancel_at = len(fake.calls) + 3
    with pytest.raises(Cancelled):
        run("A\n---\nb")
    assert seen[4:] == [(1, 1, 1)]
    assert rendered_now(root / "test") is None


@pytest.mark.parametrize("how", ["gone", "cut", "grown", "spare gone", "link"])
def test_a_reel_whose_files_are_not_all_there_is_damaged(how: str, reel: Reel, tmp_path: Path) -> None:
    path = reel.folder / (reel.spare[0].tail if how == "spare gone" else reel.clips[2].video).name
    if how == "cut":
        os.truncate(path, 10)
    elif how == "grown":
        path.write_bytes(path.read_bytes() + b"x")
    elif how == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.unlink()
    (row,) = listed()
    assert (row["state"], row["clips"], row["trouble"]) == ("damaged", 3, "")


@pytest.mark.parametrize("text", ["[", "{}", '{"format": "wanvideo-svi reel", "version": 99}', "\ud800"])
def test_a_reel_whose_manifest_cannot_be_read_is_damaged_and_the_others_are_listed(
    text: str, reel: Reel, kept: Path, root: Path
) -> None:
    (reel.folder / "manifest.json").write_text(text, errors="surrogatepass")
    copied(kept, root, "other")
    rows = {row["name"]: row for row in listed()}
    assert (rows["reel"]["state"], rows["other"]["state"]) == ("damaged", "whole")
    assert "is damaged, or not of this version" in rows["reel"]["trouble"]
    assert str(root) not in rows["reel"]["trouble"]
    assert rows["reel"]["thumb"] is None


def test_a_file_that_goes_after_a_look_is_seen_by_the_next(reel: Reel) -> None:
    now = reel.folder.stat().st_mtime_ns
    assert listed()[0]["state"] == "whole"
    (reel.folder / reel.clips[2].video.name).unlink()
    os.utime(reel.folder, ns=(now, now))  # within a tick of the disk's clock
    assert listed()[0]["state"] == "damaged"


def test_the_files_of_a_reel_that_stands_still_are_looked_at_once(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(reel.folder, (1000, 1000))
    first = listed()
    monkeypatch.setattr(Reel, "has", lambda *_: pytest.fail("files were looked at again"))
    assert listed() == first
    monkeypatch.undo()


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
def test_a_folder_that_may_not_be_looked_into_hides_no_other(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = Path(tempfile.mkdtemp())
    outside.chmod(0o755)
    monkeypatch.setattr(host_files, "comfy_folders", lambda: {"output": outside})
    for name in ("mine", "theirs"):
        copied(kept, outside / "svi_reels", name)
    (outside / "svi_reels" / "theirs").chmod(0)
    with as_nobody():
        assert [row["name"] for row in listed()] == ["mine"]
    shutil.rmtree(outside)


def test_figures_are_worked_out_once(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page asks for the same chain again and again."""
    first = asked("reel", reel="reel")
    assert any(card["drift"] for card in first["desk"]["cards"])
    monkeypatch.setattr(figures, "_tones", lambda *_: pytest.fail("it was worked out again"))
    monkeypatch.setattr(Reel, "look", lambda *_: pytest.fail("it was read again"))
    assert asked("reel", reel=reel.name) == first


def test_the_newest_reels_come_first_and_no_more_than_a_page_shows(
    kept: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, name in enumerate("cabd"):
        copied(kept, root, name)
        os.utime(root / name / "manifest.json", (1000 - age, 1000 - age))
    assert [row["name"] for row in listed()] == ["c", "a", "b", "d"]
    monkeypatch.setattr(reels, "MAX_REELS", 3)
    said = asked("reels")
    assert ([row["name"] for row in said["reels"]], said["left_out"]) == (["c", "a", "b"], 1)


def test_folders_that_are_no_reels_are_left_out(kept: Path, root: Path) -> None:
    for name in ("good 1", "-x", ".hidden", "a;b", "x" * 121, "CON"):
        shutil.copytree(kept, root / name)
    (root / "empty").mkdir()
    (root / "file").write_text("x")
    assert [row["name"] for row in listed()] == ["good 1"]


def test_without_a_folder_there_are_no_reels() -> None:
    assert asked("reels")["reels"] == []


# Deleting


def test_a_take_is_deleted_by_its_digest(reel: Reel) -> None:
    (spare,) = reel.spare
    clip_file({"reel": "reel", "take": spare.digest})
    assert asked("delete", reel="reel", take=spare.digest) == {"size": spare.video.size + spare.tail.size}
    assert open_reel(reel.folder).spare == ()
    assert open_reel(reel.folder).problems() == []
    assert list((reel.folder / FOLDER).iterdir()) == []
    assert refused("delete", reel="reel", take=spare.digest) == "reel reel does not have this take any more"
    assert "pick another take first" in refused("delete", reel="reel", take=reel.clips[0].digest)
    assert open_reel(reel.folder).clips == reel.clips


def test_cleaning_leaves_the_chain_alone(reel: Reel) -> None:
    clip_file({"reel": "reel", "take": "a" * 64})
    size = reel.spare_size + previews_size(reel.folder)
    assert asked("clean", reel="reel") == {"takes": 1, "size": size}
    found = open_reel(reel.folder)
    assert (found.clips, found.spare, found.fps, found.length) == (reel.clips, (), reel.fps, reel.length)
    assert found.problems() == []
    assert sorted(path.name for path in reel.folder.iterdir() if path.name != ".lock") == sorted(
        ["manifest.json", *(file.name for take in reel.clips for file in (take.video, take.tail))]
    )


def test_a_reel_keeps_its_rate_and_length_when_something_is_deleted(reel: Reel) -> None:
    data = json.loads((reel.folder / "manifest.json").read_text())
    (reel.folder / "manifest.json").write_text(json.dumps({**data, "fps": 24.5, "length": 11}))
    asked("delete", reel="reel", take="d" * 64)
    asked("clean", reel="reel")
    found = open_reel(reel.folder)
    assert (found.fps, found.length) == (24.5, 11)


def test_nothing_is_deleted_of_a_reel_that_is_being_written(reel: Reel) -> None:
    with ReelWriter(reel.folder, fps=16):
        for ask in ("delete", "clean"):
            assert "is being written by another run" in refused(ask, reel="reel", take="d" * 64)
    assert open_reel(reel.folder).spare == reel.spare


# Edits


def test_a_prompt_is_another() -> None:
    assert edited("prompt", "# mine\na\n---\nb", clip=2, text="boat") == ("# mine\na\n---\nboat", "")
    assert edited("prompt", "[repeat=3]\na", clip=2, text="b", mend="1, 3")[1] == "1, 3"
    assert [block.prompt for block in parse_story(edited("prompt", "[repeat=3]\na", clip=2, text="b")[0])] == [
        "a", "b", "a"
    ]  # fmt: skip


def test_settings_are_set_and_taken_out() -> None:
    assert edited("set", "a\n---\nb", clip=2, keys={"seed": "7", "cut": True})[0] == "a\n---\n[seed=7 cut]\nb"
    assert edited("set", "[seed=7 cut]\na", clip=1, keys={"seed": None})[0] == "[cut]\na"
    assert edited("set", "a\n---\nb", clip=2, keys={"mend": False})[0] == "a\n---\n[mend=off]\nb"


def test_settings_of_another_clip_come_in_the_same_step() -> None:
    """As picking a take of a clip that another is led by needs."""
    story, mend = edited(
        "set", FOUR, clip=2, keys={"pick": "2"}, mend="2, 3",
        also={"clip": 3, "keys": {"mend": None, "seed": "9"}},
    )  # fmt: skip
    assert story == "a\n---\n[pick=2]\nb\n---\n[seed=9]\nc\n---\nd"
    assert mend == "2"
    for also in ([], 3, "x", {"also": None, "clip": 1, "keys": {"cut": True}}):
        assert refused("edit", do="set", story=FOUR, mend="", clip=2, keys={"cut": True}, also=also) == (
            "also must be settings of one other clip"
        )


def test_an_also_that_is_none_changes_nothing_at_all() -> None:
    assert "clip" in refused(
        "edit", do="set", story=FOUR, mend="", clip=2, keys={"cut": True}, also={"clip": 9, "keys": {"cut": True}}
    )
    assert "keys must be" in refused(
        "edit", do="set", story=FOUR, mend="", clip=2, keys={"cut": True}, also={"clip": 1}
    )


@pytest.mark.parametrize(
    ("keys", "mend", "left"),
    [
        ({"mend": None}, "1, 3 4", "1, 4"), ({"mend": False}, "3", ""), ({"mend": None}, "1,  4", "1,  4"),
        ({"mend": True}, "1, 3", "1, 3"), ({"seed": "3"}, "1, 3", "1, 3"), ({"mend": None}, "33", "33"),
    ],
)  # fmt: skip
def test_a_mend_that_is_taken_out_goes_from_the_node_too(keys: dict[str, Any], mend: str, left: str) -> None:
    assert edited("set", FOUR, clip=3, keys=keys, mend=mend)[1] == left


def test_a_clip_is_put_in_and_the_numbers_on_the_node_follow() -> None:
    assert edited("insert", FOUR, after=2, text="x", mend="1, 2, 3") == ("a\n---\nb\n---\nx\n---\nc\n---\nd", "1, 2, 4")
    assert edited("insert", FOUR, after=0, text="x", mend="1, 4") == (f"x\n---\n{FOUR}", "2, 5")
    assert edited("insert", FOUR, after=4, text="x", mend="4") == (f"{FOUR}\n---\nx", "4")


def test_a_clip_is_taken_out_and_the_numbers_on_the_node_follow() -> None:
    assert edited("remove", FOUR, clip=2, mend="1, 2, 3") == ("a\n---\nc\n---\nd", "1, 2")
    assert edited("remove", FOUR, clip=4, mend="4") == ("a\n---\nb\n---\nc", "")
    assert "only clip" in refused("edit", do="remove", story="a", mend="", clip=1)


def test_a_branch_goes_on_from_a_clip_at_the_end() -> None:
    assert edited("branch", FOUR, clip=2, last=4, text="x", mend="3") == (f"{FOUR}\n---\n[from=2]\nx", "3")
    assert "clip must be one of the 4" in refused("edit", do="branch", story=FOUR, mend="", clip=5, last=4, text="x")


def test_a_branch_behind_what_the_page_saw_as_the_last_clip_moves_the_numbers_too() -> None:
    """A page may have seen a shorter story."""
    story, mend = edited("branch", FOUR, clip=1, last=2, text="x", mend="2, 3")
    assert (story, mend) == ("a\n---\nb\n---\n[from=1]\nx\n---\nc\n---\nd", "2, 4")


@pytest.mark.parametrize("number", [0, -1, 5, 10**6, 10**300, True, 1.0, "1", None, [1], {}])
def test_clips_are_counted_from_one_to_the_last(number: object) -> None:
    edits: list[tuple[str, dict[str, Any]]] = [
        ("prompt", {"text": "x"}), ("remove", {}), ("set", {"keys": {"seed": "1"}}),
    ]  # fmt: skip
    for do, more in edits:
        said = refused("edit", do=do, story=FOUR, mend="", clip=number, **more)
        assert "clip" in said
        assert len(said) < 500
    assert refused("edit", do="branch", story=FOUR, mend="", clip=1, last=number, text="x")
    if number != 0:
        assert refused("edit", do="insert", story=FOUR, mend="", after=number, text="x")


@pytest.mark.parametrize(
    ("do", "wrong", "message"),
    [
        ("none", {}, "do must be one of prompt, set, insert, remove, branch"), (["prompt"], {}, "do must be one of"),
        ("prompt", {"text": None}, "text must be text"), ("prompt", {"text": 3}, "text must be text"),
        ("prompt", {"story": None}, "story must be text"), ("prompt", {"mend": None}, "mend must be text"),
        ("prompt", {"text": "x" * (desk.MAX_STORY + 1)}, "the desk edits up to 1048576"),
        ("prompt", {"story": "x" * (desk.MAX_STORY + 1)}, "the desk edits up to 1048576"),
        ("prompt", {"text": "[x]"}, ""), ("prompt", {"text": ""}, ""), ("prompt", {"story": "[fram=5]\na"}, "fram"),
        ("set", {"keys": {}}, "keys must be settings"), ("set", {"keys": []}, "keys must be settings"),
        ("set", {"keys": {str(key): None for key in range(21)}}, "keys must be settings"),
        ("set", {"keys": {"seed": 7}}, "seed must be text, true, false or null"),
        ("set", {"keys": {"seed": "9" * 1001}}, "seed must be text, true, false or null"),
        ("set", {"keys": {"x" * 10**6: 7}}, "must be text, true"), ("set", {"keys": {"fram": "5"}}, "fram"),
        ("insert", {"mend": "x"}, "mend must be numbers of clips"),
        ("remove", {"mend": "9" * 5000}, "mend must be numbers of clips"),
    ],
)  # fmt: skip
def test_an_edit_that_is_none_is_refused_in_a_sentence(do: object, wrong: dict[str, Any], message: str) -> None:
    good = {"story": FOUR, "mend": "", "clip": 1, "after": 1, "text": "x", "keys": {"seed": "1"}}
    if message or wrong["text"] == "[x]":
        status, said = desk.answer(json.dumps({"ask": "edit", "do": do, **good, **wrong}))
        if not message:  # written so that it is a prompt again
            assert (status, parse_story(said["story"])[0].prompt) == (200, "[x]")
            return
        assert status == 400
        assert message in said["error"]
        assert len(said["error"]) < 500
    else:
        assert refused("edit", do=do, **{**good, **wrong})


def test_every_ask_and_edit_has_its_test() -> None:
    assert list(ASKS) == ["reels", "reel", "edit", "delete", "clean"]
    assert list(EDITS) == ["prompt", "set", "insert", "remove", "branch"]


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"ask": 3}', '{"ask": "none"}', '{"ask": ["reels"]}', "{"])
def test_what_no_desk_asks_is_refused(body: str) -> None:
    status, said = desk.answer(body)
    assert status == 400
    assert said["error"]


# Files


def test_the_files_of_takes_are_found_by_names(reel: Reel) -> None:
    first, second = reel.clips[:2]
    assert shows(clip_file({"reel": "reel", "take": first.digest}), list(reel.clip_frames(first)))
    assert shows(
        seam_file({"reel": "reel", "before": first.digest, "take": second.digest}),
        [*reel.clip_frames(first), *reel.clip_frames(second, 2)],
    )
    frames = list(reel.clip_frames(second))
    for at, wanted in (("first", frames[2]), ("last", frames[-1]), ("", frames[2])):
        assert shows(frame_file({"reel": "reel", "take": second.digest, "at": at}), [wanted])
    (spare,) = reel.spare
    assert shows(clip_file({"reel": "reel", "take": spare.digest}), list(reel.clip_frames(spare)))


def test_a_take_that_the_reel_does_not_have_has_no_file(reel: Reel, kept: Path, root: Path) -> None:
    other = change_takes(copied(kept, root, "other").folder, prompt="x")
    for take in ("", "a", None, "e" * 64, f"{'a' * 64}/../x", reel.clips[0].video.name):
        for find in (clip_file, frame_file, seam_file):
            with pytest.raises(SVIError, match="does not have this take any more"):
                find({"reel": "other", "take": take, "before": other.clips[0].digest})  # type: ignore[dict-item]
        with pytest.raises(SVIError, match="does not have this take any more"):
            seam_file({"reel": "other", "take": other.clips[0].digest, "before": take})  # type: ignore[dict-item]
    assert not (other.folder / FOLDER).exists()


@pytest.mark.usefixtures("reel")
def test_making_a_preview_rests_as_long_as_it_works_while_a_graph_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    now, each = [0.0], [0.03]

    def monotonic() -> float:
        now[0] += each[0]
        return now[0]

    monkeypatch.setattr(desk, "time", types.SimpleNamespace(sleep=slept.append, monotonic=monotonic))
    at_work = {"is": False}
    monkeypatch.setattr(host_requests, "is_at_work", lambda: at_work["is"])
    clip_file({"reel": "reel", "take": "a" * 64})
    assert slept == []
    at_work["is"] = True
    clip_file({"reel": "reel", "take": "b" * 64})
    assert slept == [pytest.approx(0.03)] * 9
    slept.clear()
    each[0] = 10.0
    clip_file({"reel": "reel", "take": "c" * 64})
    assert slept == [1.0] * 9
