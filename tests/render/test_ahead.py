"""The chain's video joined while its clips are made: the frames of one that is joined at the end, or none."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake_host import FakeHost, Report, job
from wanvideo_svi.svi_embeds.files import video as files_video
from wanvideo_svi.svi_embeds.files.track import Soundtrack
from wanvideo_svi.svi_embeds.files.video import FORMATS, open_video, read_video
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.render import ahead as ahead_module
from wanvideo_svi.wrapper_ext.render.ahead import JoinAhead
from wanvideo_svi.wrapper_ext.render.chain import render_chain


class Joining(Report):
    """A report that joins what it is told of, as the node's does."""

    def __init__(self, ahead: JoinAhead) -> None:
        super().__init__()
        self.ahead = ahead

    def settled(self, place: int, take: Take) -> None:
        self.ahead.add(place, take)

    def ending(self, place: int, digest: str, frames: Any, overlap: int) -> None:
        self.ahead.add_ending(place, digest, frames, overlap)


def render(folder: Path, story: str, *, ahead: JoinAhead | None = None, **options: Any) -> tuple[Reel, JoinAhead]:
    """A chain, and what was joined of it meanwhile."""
    ahead = ahead or JoinAhead(folder, fps=16)
    with ReelWriter(folder, fps=16) as writer:
        render_chain(job(story, **options), writer, FakeHost(), Joining(ahead), resume=True, mend_limit=0)
    return open_reel(folder), ahead


def frames_of(path: Path) -> np.ndarray:
    return np.stack(list(read_video(path)))


def joined_whole(reel: Reel, **options: Any) -> np.ndarray:
    path = reel.folder / "whole.mp4"
    reel.assemble(path, **options)
    found = frames_of(path)
    path.unlink()
    return found


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".svi_")]


STORY = "a\n---\nb\n---\nc"


def test_it_has_the_frames_of_a_video_that_is_joined_at_the_end(tmp_path: Path) -> None:
    reel, ahead = render(tmp_path, STORY)
    with ahead:
        assert ahead.finish(reel, tmp_path / "v.mp4")
    assert (frames_of(tmp_path / "v.mp4") == joined_whole(reel)).all()
    assert left(tmp_path) == []


def test_clips_are_joined_before_the_last_one_is_there(tmp_path: Path) -> None:
    assert seen_while_the_last_is_made(tmp_path / "r", STORY) == [0, 1]  # the last one is joined from memory


def test_clips_that_were_kept_are_joined_while_the_first_one_is_made(tmp_path: Path) -> None:
    render(tmp_path, STORY)[1].__exit__()
    assert seen_while_the_last_is_made(tmp_path, "a\n---\nb\n---\n[seed=9]\nc") == [0, 1]


def seen_while_the_last_is_made(folder: Path, story: str) -> list[int]:
    """The clips that were joined, the first of them before the last clip of the story was sampled."""
    seen: list[int] = []
    ahead = JoinAhead(folder, fps=16)
    written = threading.Event()
    real = ahead.reel.clip_frames

    def clip_frames(take: Take, *place: int) -> Any:
        yield from real(take, *place)
        seen.append(take.number)
        written.set()

    object.__setattr__(ahead, "reel", type("Told", (), {"clip_frames": staticmethod(clip_frames), "fps": 16.0})())
    host, work = FakeHost(), job(story)
    plan = work.plan
    sample = host.WanVideoSamplerFromSettings

    def slow(**inputs: Any) -> Any:
        if inputs["sampler_inputs"]["seed"] == plan.clips[-1].seed:
            assert written.wait(60)
        return sample(**inputs)

    host.WanVideoSamplerFromSettings = slow  # type: ignore[method-assign]
    with ReelWriter(folder, fps=16) as writer, ahead:
        render_chain(work, writer, host, Joining(ahead), resume=True)
        assert seen[0] == 0
        assert ahead.finish(open_reel(folder), folder / "v.mp4")
    return seen


@pytest.mark.parametrize("story", ["a", STORY, "a\n---\n[cut]\nb", "[takes=2]\na\n---\nb"])
def test_the_last_clip_is_joined_before_it_is_on_the_disk(tmp_path: Path, story: str) -> None:
    ahead, clips = JoinAhead(tmp_path, fps=16), story.count("---") + 1
    joined: list[int] = []
    with ReelWriter(tmp_path, fps=16) as writer, ahead:
        real = writer.add

        def add(new: Any, **options: Any) -> Take:
            if new.number == clips - 1:
                until = time.monotonic() + 60
                while ahead._coming.qsize() and time.monotonic() < until:
                    time.sleep(0.01)
                joined.append(len(open_reel(tmp_path).clips))
            return real(new, **options)

        writer.add = add  # type: ignore[method-assign]
        render_chain(job(story), writer, FakeHost(), Joining(ahead), resume=True)
        reel = open_reel(tmp_path)
        assert ahead.finish(reel, tmp_path / "v.mp4")
    assert joined == [clips - 1]
    assert ahead._ending is not None
    assert (frames_of(tmp_path / "v.mp4") == joined_whole(reel)).all()


@pytest.mark.parametrize(("digest", "overlap"), [("another", 5), (None, 4)])
def test_a_last_clip_that_is_another_on_the_disk_is_not_joined(
    tmp_path: Path, digest: str | None, overlap: int
) -> None:
    reel, first = render(tmp_path, "a\n---\nb")
    first.__exit__()
    ahead, last = JoinAhead(tmp_path, fps=16), reel.clips[1]
    assert last.overlap == 5
    with ahead:
        ahead.add(0, reel.clips[0])
        ahead.add_ending(1, digest or last.digest, torch.zeros(last.frames, last.height, last.width, 3), overlap)
        ahead.add(1, last)
        assert not ahead.finish(reel, tmp_path / "v.mp4")
    assert left(tmp_path) == []


def test_a_last_clip_that_never_came_to_the_disk_is_not_joined(tmp_path: Path) -> None:
    reel, first = render(tmp_path, "a\n---\nb")
    first.__exit__()
    ahead, last = JoinAhead(tmp_path, fps=16), reel.clips[1]
    with ahead:
        ahead.add(0, reel.clips[0])
        ahead.add_ending(1, last.digest, torch.zeros(last.frames, last.height, last.width, 3), last.overlap)
        assert not ahead.finish(reel, tmp_path / "v.mp4")


def test_a_clip_is_written_while_the_next_one_is_sampled_and_not_while_that_is_prepared(tmp_path: Path) -> None:
    host = FakeHost()
    events: list[str] = []

    def telling(event: str, real: Any) -> Any:
        def told(*args: Any, **inputs: Any) -> Any:
            time.sleep(0.05)
            events.append(event)
            return real(*args, **inputs)

        return told

    host.WanVideoDecode = telling("decoded", host.WanVideoDecode)  # type: ignore[method-assign]
    host.WanVideoSamplerFromSettings = telling("sampled", host.WanVideoSamplerFromSettings)  # type: ignore[method-assign]
    host.free_memory = telling("prepared", host.free_memory)  # type: ignore[method-assign]
    with ReelWriter(tmp_path, fps=16) as writer:
        add = writer.add

        def written(new: Any, **options: Any) -> Take:
            events.append("written")
            return add(new, **options)

        writer.add = written  # type: ignore[method-assign]
        render_chain(job(STORY), writer, host, Report(), resume=True)
    first, second, _ = [place for place, event in enumerate(events) if event == "written"]
    decoded = [place for place, event in enumerate(events) if event == "decoded"]
    for clip, place in ((0, first), (1, second)):
        assert events[decoded[clip] : place] == ["decoded", "prepared", "prepared"]


def test_clips_that_were_kept_are_in_it_too(tmp_path: Path) -> None:
    render(tmp_path, "a\n---\nb")[1].__exit__()
    reel, ahead = render(tmp_path, STORY)
    with ahead:
        assert ahead.finish(reel, tmp_path / "v.mp4")
    assert (frames_of(tmp_path / "v.mp4") == joined_whole(reel)).all()


def test_where_nothing_is_made_nothing_is_joined(tmp_path: Path) -> None:
    render(tmp_path, STORY)[1].__exit__()
    reel, ahead = render(tmp_path, STORY)
    with ahead:
        assert ahead.takes == []
        assert not ahead.finish(reel, tmp_path / "v.mp4")


@pytest.mark.parametrize("length", [1, 20, 40, 41, 1000])
def test_a_length_ends_it_where_the_reel_ends(tmp_path: Path, length: int) -> None:
    ahead = JoinAhead(tmp_path, fps=16, length=length)
    with ReelWriter(tmp_path, fps=16, length=length) as writer, ahead:
        render_chain(job(STORY), writer, FakeHost(), Joining(ahead), resume=True)
        reel = open_reel(tmp_path)
        assert reel.shown_frames == min(length, 41)
        assert ahead.finish(reel, tmp_path / "v.mp4")
    assert (frames_of(tmp_path / "v.mp4") == joined_whole(reel)).all()


def test_sound_is_that_of_a_video_that_is_joined_at_the_end(tmp_path: Path) -> None:
    track = Soundtrack(torch.sin(torch.arange(16_000 * 2) / 20)[None] / 2, 16_000)
    reel, ahead = render(tmp_path, STORY, ahead=JoinAhead(tmp_path, fps=16, track=track))
    with ahead:
        assert ahead.finish(reel, tmp_path / "v.mp4")
    reel.assemble(tmp_path / "whole.mp4", track=track)
    sounds = []
    for name in ("v.mp4", "whole.mp4"):
        with open_video(tmp_path / name) as container:
            sounds.append(np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1))
    assert (sounds[0] == sounds[1]).all()
    assert abs(sounds[0]).max() > 0.1


def test_takes_and_mends_that_change_the_chain_are_joined_as_a_whole_or_rightly(tmp_path: Path) -> None:
    for number, story in enumerate(["[takes=2]\na\n---\nb\n---\nc", "a\n---\n[mend]\nb\n---\nc", "a\n---\n[cut]\nb"]):
        folder = tmp_path / str(number)
        reel, ahead = render(folder, story)
        with ahead:
            if ahead.finish(reel, folder / "v.mp4"):
                assert (frames_of(folder / "v.mp4") == joined_whole(reel)).all()
            else:
                assert not (folder / "v.mp4").exists()
        assert left(folder) == []


def test_another_chain_than_was_joined_is_refused(tmp_path: Path) -> None:
    reel, ahead = render(tmp_path, STORY)
    (tmp_path / "v.mp4").write_bytes(b"before")
    with ahead:
        assert not ahead.finish(reel.up_to(2), tmp_path / "v.mp4")
    assert (tmp_path / "v.mp4").read_bytes() == b"before"
    assert left(tmp_path) == []


def test_a_run_that_ends_early_leaves_nothing(tmp_path: Path) -> None:
    _, ahead = render(tmp_path, STORY)
    with pytest.raises(KeyboardInterrupt), ahead:
        raise KeyboardInterrupt
    assert left(tmp_path) == []
    assert not any(thread.name == "svi-join" for thread in threading.enumerate())


def test_a_disk_that_refuses_is_left_to_the_joining_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ahead_module, "write_video", full)
    reel, ahead = render(tmp_path, STORY)
    with ahead:
        assert not ahead.finish(reel, tmp_path / "v.mp4")


def test_a_clip_that_is_damaged_meanwhile_is_left_to_the_joining_as_a_whole(tmp_path: Path) -> None:
    reel, first = render(tmp_path, STORY)
    first.__exit__()
    ahead = JoinAhead(tmp_path, fps=16)
    with ahead:
        (tmp_path / reel.clips[1].video.name).write_bytes(b"no video")
        for place, take in enumerate(reel.clips):
            ahead.add(place, take)
        assert not ahead.finish(reel, tmp_path / "v.mp4")
    assert left(tmp_path) == []


def test_it_is_coded_as_other_joined_videos_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = files_video.write_video

    def told(*args: Any, **options: Any) -> int:
        asked.append(options["video_format"])
        return real(*args, **options)

    monkeypatch.setattr(ahead_module, "write_video", told)
    reel, ahead = render(tmp_path, "a\n---\nb")
    with ahead:
        assert ahead.finish(reel, tmp_path / "v.mp4")
    assert asked == [FORMATS["h264"]]
    assert not any(thread.name == "svi-join" for thread in threading.enumerate())
