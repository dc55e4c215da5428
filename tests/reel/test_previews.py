"""Previews show the frames of their takes, are made once, stay within their bytes, and leave all else alone."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from desk_reels import HEIGHT, WIDTH, decoded, flat, keep, shows
from faults import Disk, as_nobody
from safetensors.torch import save_file
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import previews
from wanvideo_svi.svi_embeds.reel.previews import (
    FOLDER,
    LONG_SIDE,
    PICTURE_SIDE,
    SEAM_FRAMES,
    clip_preview,
    delete_previews,
    picture,
    previews_size,
    seam_at,
    seam_preview,
    step_of,
)
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter

Make = Callable[[Reel], Path]
KINDS: dict[str, Make] = {
    "clip": lambda reel: clip_preview(reel, reel.clips[1]),
    "seam": lambda reel: seam_preview(reel, reel.clips[0], reel.clips[1]),
    "first": lambda reel: picture(reel, reel.clips[1], last=False),
    "last": lambda reel: picture(reel, reel.clips[1], last=True),
}
VIDEOS = ("clip", "seam")


def names(reel: Reel) -> list[str]:
    """What lies in its previews."""
    return sorted(path.name for path in (reel.folder / FOLDER).glob("*"))


def all_of(reel: Reel) -> dict[str, Path]:
    return {kind: make(reel) for kind, make in KINDS.items()}


# What is shown


def test_a_clips_preview_shows_all_its_frames_at_its_rate(reel: Reel) -> None:
    for take, clip in zip((*reel.clips, *reel.spare), (0, 1, 2, 2), strict=True):
        path = clip_preview(reel, take)
        wanted = list(reel.clip_frames(take))
        assert shows(path, wanted)
        assert not shows(path, wanted[::-1])
        assert not shows(path, [*flat(clip + 1).mul(255).numpy()])
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.average_rate, stream.width, stream.height) == (16, WIDTH, HEIGHT)
            assert [each.type for each in container.streams] == ["video"]


def test_a_seams_preview_goes_from_the_end_of_one_clip_to_what_the_next_adds(reel: Reel) -> None:
    before, after = reel.clips[:2]
    wanted = [*reel.clip_frames(before), *reel.clip_frames(after, 2)]
    path = seam_preview(reel, before, after)
    assert shows(path, wanted)
    assert seam_at(before, after) == (9, 16)
    at, count = seam_at(before, after)
    assert shows(path, [*list(reel.frames())[:at], *list(reel.frames())[at:count]])


def test_of_long_clips_a_seam_shows_what_is_near_it(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SEAM_FRAMES", 3)
    before, after = reel.clips[1:]
    assert seam_at(before, after) == (3, 6)
    assert shows(seam_preview(reel, before, after), [*reel.clip_frames(before, 6), *reel.clip_frames(after, 2, 5)])
    assert SEAM_FRAMES == 16


def test_the_first_picture_is_the_first_frame_that_a_clip_adds(reel: Reel) -> None:
    for take in reel.clips:
        assert shows(picture(reel, take, last=False), [next(reel.clip_frames(take, take.overlap))])


def test_the_last_picture_is_the_last_frame_and_takes_the_tail_alone(reel: Reel) -> None:
    wanted = [list(reel.clip_frames(take))[-1] for take in reel.clips]
    for take, frame in zip(reel.clips, wanted, strict=True):
        (reel.folder / take.video.name).unlink()
        assert shows(picture(reel, take, last=True), [frame])


def test_a_long_clip_is_thinned_and_plays_as_long(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    take = reel.clips[0]
    assert step_of(take) == 1
    monkeypatch.setattr(previews, "MAX_FRAMES", 4)
    assert step_of(take) == 3
    path = clip_preview(reel, take)
    assert shows(path, list(reel.clip_frames(take))[::3])
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == pytest.approx(16 / 3, rel=1e-3)
    for most, step in ((9, 1), (8, 2), (5, 2), (1, 9)):
        monkeypatch.setattr(previews, "MAX_FRAMES", most)
        assert step_of(take) == step


@pytest.mark.parametrize(
    ("width", "height", "video", "shot"),
    [
        (800, 402, (384, 192), (320, 161)), (402, 800, (192, 384), (161, 320)), (33, 47, (32, 48), (33, 47)),
        (2, 3, (2, 4), (2, 3)), (3000, 1, (384, 2), (320, 1)), (384, 384, (384, 384), (320, 320)),
    ],
)  # fmt: skip
def test_sizes_are_bounded_and_those_of_videos_even(
    width: int, height: int, video: tuple[int, int], shot: tuple[int, int], tmp_path: Path
) -> None:
    images = flat(0, 2, width=width, height=height)
    with ReelWriter(tmp_path / "reel", fps=16) as writer:
        take = keep(writer, "a", images, [], tail=images[-1:].clone())
    reel = writer.reel
    assert decoded(clip_preview(reel, take)).shape == (2, *video[::-1], 3)
    for last in (False, True):
        assert decoded(picture(reel, take, last=last)).shape == (1, *shot[::-1], 3)
    assert max(video) <= LONG_SIDE
    assert max(shot) <= PICTURE_SIDE


def test_others_get_the_processor_after_each_frame(reel: Reel) -> None:
    pauses: list[int] = []
    clip_preview(reel, reel.clips[0], lambda: pauses.append(1))
    assert len(pauses) == 9
    seam_preview(reel, *reel.clips[:2], lambda: pauses.append(2))
    assert pauses.count(2) == 16


# Made once


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_is_made_once(kind: str, reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    path = KINDS[kind](reel)
    before = path.read_bytes()

    def read(*_: object) -> Iterator[None]:
        yield pytest.fail("a clip was read again")

    monkeypatch.setattr(Reel, "clip_frames", read)
    monkeypatch.setattr(previews, "safe_open", lambda *_: pytest.fail("a tail was read again"))
    assert KINDS[kind](open_reel(reel.folder)) == path
    assert path.read_bytes() == before


def test_a_take_that_is_made_anew_gets_previews_of_its_own(reel: Reel) -> None:
    before = all_of(reel)
    with ReelWriter(reel.folder, fps=16) as writer:
        first, _, third = writer.reel.clips
        again = keep(writer, "b", flat(0), [first], overlap=2)  # as after other models: another picture
        writer.set_chain([first, again, third])
    new = open_reel(reel.folder)
    after = all_of(new)
    assert all(before[kind] != after[kind] for kind in KINDS)
    assert shows(after["clip"], list(new.clip_frames(new.clips[1])))
    assert not shows(after["clip"], list(decoded(before["clip"])))


def test_another_overlap_is_another_seam_and_another_first_picture(reel: Reel) -> None:
    before = all_of(reel)
    data = json.loads((reel.folder / "manifest.json").read_text())
    data["takes"][1]["overlap"] = 4
    (reel.folder / "manifest.json").write_text(json.dumps(data))
    changed = open_reel(reel.folder)
    after = all_of(changed)
    assert [kind for kind in KINDS if before[kind] != after[kind]] == ["seam", "first"]
    assert shows(after["first"], [next(changed.clip_frames(changed.clips[1], 4))])


def test_what_nobody_looked_at_for_longest_goes_first(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [clip_preview(reel, take) for take in reel.clips[:2]]
    size = max(path.stat().st_size for path in made)
    monkeypatch.setattr(previews, "MAX_BYTES", int(size * 2.5))
    for age, path in zip((2000, 1000), made, strict=True):
        os.utime(path, (age, age))
    (reel.folder / FOLDER / "mine.txt").write_bytes(b"x" * size * 9)
    assert clip_preview(reel, reel.clips[1]) == made[1]  # looked at: now the other one is older
    third = clip_preview(reel, reel.clips[2])
    assert names(reel) == sorted([made[1].name, third.name, "mine.txt"])
    assert previews_size(reel.folder) <= size * 2.5


def test_one_that_is_larger_than_all_may_be_is_there_alone(reel: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "MAX_BYTES", 1)
    for make in KINDS.values():
        path = make(reel)
        assert names(reel) == [path.name]


def test_the_size_is_that_of_the_previews_alone(reel: Reel) -> None:
    assert previews_size(reel.folder) == 0
    made = all_of(reel).values()
    (reel.folder / FOLDER / "mine.mp4").write_bytes(b"x" * 99)
    assert previews_size(reel.folder) == sum(path.stat().st_size for path in made) > 0


# Deleted


def test_clean_deletes_all_previews_and_nothing_else(reel: Reel) -> None:
    made = all_of(reel)
    size = previews_size(reel.folder) + reel.spare_size
    mine = ["mine.mp4", "clip_0001.mp4", "seam_0123456789abcdef.mp4.part", "a"]
    for name in mine:
        (reel.folder / FOLDER / name).write_bytes(b"mine")
    (reel.folder / FOLDER / made["clip"].name.replace("clip_0002", "clip_0009")).mkdir()  # named as one of ours
    with ReelWriter(reel.folder, fps=16) as writer:
        assert writer.clean() == (1, size)
    assert names(reel) == sorted([*mine, made["clip"].name.replace("clip_0002", "clip_0009")])
    assert open_reel(reel.folder).problems() == []


def test_clean_deletes_the_folder_that_is_left_empty(reel: Reel) -> None:
    all_of(reel)
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.clean()
    assert not (reel.folder / FOLDER).exists()
    assert shows(clip_preview(reel, reel.clips[0]), list(reel.clip_frames(reel.clips[0])))


def test_those_of_some_takes_are_deleted_alone(reel: Reel) -> None:
    first, second = reel.clips[:2]
    kept = [clip_preview(reel, first), picture(reel, first, last=True)]
    gone = [clip_preview(reel, second), picture(reel, second, last=True), picture(reel, second, last=False)]
    size = sum(path.stat().st_size for path in gone)
    assert delete_previews(reel.folder, (second,)) == size
    assert names(reel) == sorted(path.name for path in kept)
    assert delete_previews(reel.folder, (second,)) == 0


# Links


def test_a_folder_of_previews_that_is_a_link_is_neither_written_to_nor_emptied(reel: Reel, tmp_path: Path) -> None:
    made = all_of(reel)
    elsewhere = tmp_path / "elsewhere"
    (reel.folder / FOLDER).rename(elsewhere)
    (reel.folder / FOLDER).symlink_to(elsewhere)
    before = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    for make in KINDS.values():
        with pytest.raises(SVIError, match="previews is a link, which is not followed"):
            make(reel)
    assert previews_size(reel.folder) == 0
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.drop(writer.reel.spare[0])
        writer.clean()
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == before
    assert len(before) == len(made)
    assert (reel.folder / FOLDER).is_symlink()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leads", ["to a file", "to nothing"])
def test_a_preview_that_is_a_link_is_not_followed(kind: str, leads: str, reel: Reel, tmp_path: Path) -> None:
    path, target = KINDS[kind](reel), tmp_path / "target"
    if leads == "to a file":
        target.write_bytes(b"secret")
        os.utime(target, (1000, 1000))
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(SVIError, match=f"{path.name} is a link, which is not followed"):
        KINDS[kind](reel)
    with ReelWriter(reel.folder, fps=16) as writer:
        writer.clean()
    assert path.is_symlink()
    assert target.exists() == (leads == "to a file")
    if target.exists():
        assert (target.read_bytes(), target.stat().st_mtime) == (b"secret", 1000)


def test_a_clip_that_is_a_link_is_not_shown(reel: Reel, tmp_path: Path) -> None:
    for file in (reel.clips[1].video, reel.clips[1].tail):
        (reel.folder / file.name).rename(tmp_path / file.name)
        (reel.folder / file.name).symlink_to(tmp_path / file.name)
    for make in KINDS.values():
        with pytest.raises(SVIError, match="is a link, which is not followed"):
            make(reel)
    assert names(reel) == []


# What goes wrong


@pytest.mark.parametrize("how", ["gone", "cut", "another", "garbage"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_take_is_told_and_leaves_nothing(kind: str, how: str, reel: Reel) -> None:
    take = reel.clips[1]
    path = reel.folder / (take.tail if kind == "last" else take.video).name
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size // 3)
    elif how == "another":  # of another size than the manifest says
        data = json.loads((reel.folder / "manifest.json").read_text())
        data["takes"][1]["width"] += 2
        (reel.folder / "manifest.json").write_text(json.dumps(data))
    else:
        path.write_bytes(b"garbage" * 1000)
    with pytest.raises(SVIError, match=path.name.rpartition(".")[0]) as said:
        KINDS[kind](open_reel(reel.folder))
    assert len(str(said.value)) < 1000
    assert names(reel) == []


def test_a_tail_without_frames_is_told(reel: Reel) -> None:
    path = reel.folder / reel.clips[1].tail.name
    for tensors in ({}, {"latents": torch.zeros(1)}):
        save_file(tensors, path)
        with pytest.raises(SVIError, match=f"{path.name} cannot be read"):
            KINDS["last"](reel)
    data = json.loads((reel.folder / "manifest.json").read_text())
    data["takes"][1]["tail_frames"] = 0
    (reel.folder / "manifest.json").write_text(json.dumps(data))
    with pytest.raises(SVIError, match="cannot be read"):
        KINDS["last"](open_reel(reel.folder))


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fails_anywhere_is_told_and_leaves_no_half_of_a_file(kind: str, reel: Reel) -> None:
    with (disk := Disk(reel.folder)).watching():
        whole = KINDS[kind](reel)
    steps, said = len(disk.seen), []
    for step in range(steps):
        shutil.rmtree(reel.folder / FOLDER)
        with Disk(reel.folder, step).watching():
            try:
                assert KINDS[kind](reel) == whole
            except SVIError as error:
                said.append(str(error))
                assert names(reel) == []
            else:
                assert names(reel) == [whole.name]
    assert all(f"{FOLDER}/{whole.name} could not be written" in each for each in said)
    assert len(said) >= steps - 3  # that a move is brought to the disk is tried alone


def test_a_cancel_leaves_nothing(reel: Reel) -> None:
    def cancel() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clip_preview(reel, reel.clips[0], cancel)
    assert names(reel) == []


def test_a_file_in_the_place_of_the_folder_is_told_and_stays(reel: Reel) -> None:
    (reel.folder / FOLDER).write_text("mine")
    for make in KINDS.values():
        with pytest.raises(SVIError, match="previews could not be written"):
            make(reel)
    assert delete_previews(reel.folder) == previews_size(reel.folder) == 0
    assert (reel.folder / FOLDER).read_text() == "mine"


@pytest.fixture
def unprivileged(kept: Path) -> Iterator[Reel]:
    """The reel where everyone may read it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield open_reel(Path(shutil.copytree(kept, folder / "reel")))
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
@pytest.mark.parametrize("closed", ["reel", "previews", "previews unseen"])
def test_a_folder_that_may_not_be_written_to_is_told(closed: str, unprivileged: Reel) -> None:
    if closed != "reel":
        (unprivileged.folder / FOLDER).mkdir()
        (unprivileged.folder / FOLDER).chmod(0o555 if closed == "previews" else 0)
    for make in KINDS.values():
        with as_nobody(), pytest.raises(SVIError, match=r"previews.* could not be written: .*permissions"):
            make(unprivileged)
    with as_nobody():
        assert previews_size(unprivileged.folder) == 0


def test_no_manifest_leads_a_preview_outside(reel: Reel, tmp_path: Path) -> None:
    """Names of files are of one form, and nothing else of a manifest gets into a path."""
    good = (reel.folder / "manifest.json").read_text()
    before = sorted(tmp_path.rglob("*"))
    for name in ("../../x.mkv", "/x.mkv", "clip_0001_aaaaaaaa_/../bbb.mkv", "clip_0001_aaaaaaaa_00000000.mkv\n"):
        data = json.loads(good)
        data["takes"][1]["video"]["name"] = name
        (reel.folder / "manifest.json").write_text(json.dumps(data))
        with pytest.raises(SVIError, match="none of this reel's"):
            open_reel(reel.folder)
    data = json.loads(good)
    data["takes"][1].update(
        mode="../../x", values="../../x", prompt="../../x", led_by="/x", of="../x", digest="../../d"
    )
    data["chain"][1] = "../../d"
    (reel.folder / "manifest.json").write_text(json.dumps(data))
    made = all_of(open_reel(reel.folder))
    assert {path.parent for path in made.values()} == {reel.folder / FOLDER}
    assert set(tmp_path.rglob("*")) - set(before) == {reel.folder / FOLDER, *made.values()}


def test_previews_are_no_strays_of_the_reel(reel: Reel) -> None:
    made = all_of(reel)
    assert reel.problems() == []
    with ReelWriter(reel.folder, fps=16):  # a run that deletes what belongs to no clip
        pass
    assert all(path.is_file() for path in made.values())
    assert np.stack(list(open_reel(reel.folder).frames())).shape == (23, HEIGHT, WIDTH, 3)
