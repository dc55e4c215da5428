"""The node that keeps clips of hand-wired chains, as ComfyUI calls it, and what reads them then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fake_host import Cancelled, FakeHost
from helpers import frames
from long_video_node import LongVideo, Open
from long_video_node import run as render
from node_calls import call
from torch import Tensor
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import read_video
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import show as host_show

ReelAdd = NODE_CLASS_MAPPINGS["WanVideoSVIReelAdd"]

pytestmark = pytest.mark.usefixtures("fake")


def add(images: Tensor, before: Reel | None = None, **inputs: Any) -> tuple[Reel, Tensor, str]:
    connected = {} if before is None else {"reel_before": before}
    name = {"reel": "walk"} if before is None else {}
    answer = call("WanVideoSVIReelAdd", **{"images": images, **name, **connected, **inputs})
    assert answer["ui"] == {"text": [answer["result"][2]]}
    return answer["result"]


def chain(*seeds: int, **inputs: Any) -> list[tuple[Reel, Tensor, str]]:
    """A graph of as many nodes, each behind the one before."""
    made: list[tuple[Reel, Tensor, str]] = []
    for seed in seeds:
        made.append(add(frames(17, seed=seed), made[-1][0] if made else None, **inputs))
    return made


def stitched(*seeds: int) -> np.ndarray:
    clips = {f"images_{number}": frames(17, seed=seed) for number, seed in enumerate(seeds, 1)}
    images, _ = call("WanVideoSVIStitch", **clips)
    return (images * 255).to(torch.uint8).numpy()


def test_what_comes_out(tmp_path: Path, fake: FakeHost) -> None:
    first, second = chain(1, 2)
    reel, motion, info = second
    assert reel.folder == tmp_path / "svi_reels" / "walk"
    assert torch.equal(motion, call("WanVideoSVIMotionFrames", images=frames(17, seed=2))[0])
    assert info.splitlines() == [
        "clip 2 of reel walk: 17 frames, the first 5 are dropped; written",
        "29 frames, 1.8 s at 16 fps so far, in output/svi_reels/walk",
    ]
    assert first[2].startswith("clip 1 of reel walk: 17 frames; written\n17 frames, 1.1 s")
    assert fake.texts[-2:] == ["clip 2 of reel walk", info.splitlines()[0]]
    again = chain(1, 2)[1]
    assert again[2].startswith("clip 2 of reel walk: 17 frames, the first 5 are dropped; it was there already")
    other = chain(1, 12)[1]
    assert "1 clip that the reel had here is not in its chain any more" in other[2]
    assert '- the reel keeps 1 spare take (0 MB): wanvideo-svi reel clean "walk" deletes such' in other[2]


def test_frames_go_to_the_disk_one_by_one_and_a_cancel_ends_that(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, int, int]] = []
    monkeypatch.setattr(host_show, "show_progress", lambda *told: seen.append(told))
    reel = add(frames(17), unique_id="7")[0]
    assert seen == [("7", 16, 17), ("7", 17, 17)]

    def cancelled() -> None:
        raise Cancelled

    monkeypatch.setattr(comfy, "stop_if_cancelled", cancelled)
    with pytest.raises(Cancelled):
        add(frames(17, seed=1), reel)
    assert len(open_reel(reel.folder).clips) == 1


def test_the_reel_nodes_drift_and_the_command_read_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = chain(1, 2, 3, prompt="a fox", seed=7)[-1][0]
    wanted = stitched(1, 2, 3)
    opened, last, info = Open().open("walk", 0)
    assert opened == reel
    assert torch.equal(last, frames(17, seed=3)[-5:])
    assert "walk: 3 clips, 41 frames" in info
    images, _ = call("WanVideoSVIReelFrames", reel=reel, count=0)
    assert (images.mul(255).round().byte().numpy() == wanted).all()
    video = call("WanVideoSVIReelVideo", reel=reel, format="ffv1")["result"][0]
    assert (np.stack(list(read_video(video))) == wanted).all()
    drift = call("WanVideoSVIDrift", reel=reel)["result"]
    assert len(drift[3].splitlines()) > 3
    capsys.readouterr()
    reels = ["--reels", str(tmp_path / "svi_reels")]
    assert main(["reel", "check", "walk", *reels]) == 0
    assert main(["reel", "ls", "walk", *reels]) == 0
    assert "by_hand  7     17      5" in capsys.readouterr().out
    assert main(["reel", "takes", "walk", *reels]) == 0
    assert capsys.readouterr().out.count("a fox") == 3
    monkeypatch.chdir(tmp_path)
    assert main(["reel", "assemble", "walk", *reels, "--format", "ffv1", "--out", "all.mkv"]) == 0
    assert (np.stack(list(read_video(tmp_path / "all.mkv"))) == wanted).all()


def test_a_reel_goes_on_from_where_it_was_opened_clip_by_clip() -> None:
    add(frames(17, seed=1))
    for seed in (2, 3):
        opened, last, _ = Open().open("walk", 0)
        assert torch.equal(last, frames(17, seed=seed - 1)[-5:])
        before = Open.IS_CHANGED("walk")
        add(frames(17, seed=seed), opened)
        assert Open.IS_CHANGED("walk") != before
    reel = open_reel(opened.folder)
    assert (np.stack(list(reel.frames())) == stitched(1, 2, 3)).all()
    reel = add(frames(17, seed=12), Open().open("walk", 1)[0])[0]
    assert (np.stack(list(open_reel(reel.folder).frames())) == stitched(1, 12)).all()


def test_the_first_clip_sets_the_rate() -> None:
    reel = add(frames(17), fps=24.0)[0]
    assert reel.fps == open_reel(reel.folder).fps == 24
    second, _, info = add(frames(17, seed=1), reel)
    assert second.fps == 24
    assert "fps is" not in info
    third, _, info = add(frames(17, seed=2), second, fps=30.0)
    assert third.fps == 24
    assert "- fps is 30 here, but the reel has 24: its first clip sets it" in info


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"reel": ""}, "reel is empty: type a name for the folder that keeps the clips, or connect reel_before"),
        ({"reel": "../out"}, "reel must be a name"),
        ({"reel": None}, "reel must be a name"),
        ({"reel_before": "walk"}, "reel_before must come from SVI Reel Add of the clip before, or .*, got str"),
        ({"fps": -1.0}, "fps must be more than 0"),
        ({"fps": float("nan")}, "fps must be more than 0"),
        ({"overlap_frames": 5}, "overlap_frames is 5, but the first clip of a reel shares no frames .* connect reel_b"),
        ({"images": None}, "images must be an IMAGE tensor"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        add(**{"images": frames(17), **inputs})
    assert not (tmp_path / "svi_reels" / "walk").exists()


def test_a_chain_has_one_reel() -> None:
    reel = add(frames(17))[0]
    assert len(add(frames(17, seed=1), reel, reel="walk")[0].clips) == 2
    with pytest.raises(SVIError, match=r"reel is run, but reel_before is walk: a chain has one reel. Leave reel empty"):
        add(frames(17, seed=1), reel, reel="run")


def test_what_is_known_before_the_run_is_said_then() -> None:
    check = ReelAdd.VALIDATE_INPUTS
    assert check(reel="walk", overlap_frames=-1, new_scene=False) is True
    assert check(reel="walk", overlap_frames=0, new_scene=True) is True
    assert "reel is empty" in check(reel="", overlap_frames=-1)
    assert "reel must be a name" in check(reel="a/b")
    assert "the first clip of a reel" in check(reel="walk", overlap_frames=5)
    assert check(reel=None, overlap_frames=None, new_scene=None) is True, "what is linked is not known yet"
    # A link is None in what ComfyUI gives; an input that is not connected is not in it.
    assert check(reel="", overlap_frames=5, new_scene=False, reel_before=None) is True
    assert "reel must be a name" in check(reel="a/b", reel_before=None)
    assert "begins a new scene" in check(reel="", overlap_frames=5, new_scene=True, reel_before=None)


def test_comfyui_runs_the_chain_again_only_when_clips_are_gone() -> None:
    """The first node's answer alone moves, and all behind it run with it."""
    state = lambda: ReelAdd.IS_CHANGED(reel="walk", images=None)  # noqa: E731
    before = state()
    reel = chain(1, 2, 3)[-1][0]
    assert state() == before
    chain(1, 2, 13)
    chain(1, 2, 3)
    main(["reel", "clean", str(reel.folder)])
    assert state() == before, "what is spare is no clip of the chain"
    (reel.folder / open_reel(reel.folder).clips[1].video.name).unlink()
    gone = state()
    assert gone != before
    assert chain(1, 2, 3)[-1][0].problems() == []
    assert state() == gone, "and so it is not run once more for nothing"
    for path in reel.folder.iterdir():
        path.unlink()
    reel.folder.rmdir()
    assert state() not in (before, gone)
    assert (np.stack(list(chain(1, 2, 3)[-1][0].frames())) == stitched(1, 2, 3)).all()
    assert ReelAdd.IS_CHANGED() == ReelAdd.IS_CHANGED(reel="", images=None) == ""


def test_a_clip_that_is_found_to_be_gone_is_made_again_by_the_next_run() -> None:
    reels = [made[0] for made in chain(1, 2, 3)]
    before = ReelAdd.IS_CHANGED(reel="walk")
    path = reels[2].folder / reels[1].clips[1].video.name
    path.write_bytes(path.read_bytes()[:-1] + b"x")  # as long as it was
    assert ReelAdd.IS_CHANGED(reel="walk") == before
    with pytest.raises(SVIError, match="clip 2 of reel walk is gone or was changed on the disk: queue again"):
        add(frames(17, seed=13), reels[1])
    again = ReelAdd.IS_CHANGED(reel="walk")
    assert again != before
    chain(1, 2, 13)
    assert ReelAdd.IS_CHANGED(reel="walk") == again
    assert open_reel(reels[0].folder).problems() == []


def test_a_reel_of_long_video_and_this_node_put_each_other_aside_and_say_so() -> None:
    theirs = render(reel="walk")["result"][0]
    info = add(frames(17, seed=1))[2]
    assert "- 2 clips that the reel had here are not in its chain any more, and kept as spare" in info
    assert "- SVI Long Video made that chain: give this one a reel of its own" in info
    back = render(reel="walk")["result"]
    assert "2 kept, 0 made" in back[3]
    assert "1 takes that the chain does not use are kept too" in back[3]
    assert [clip.digest for clip in back[0].clips] == [clip.digest for clip in theirs.clips]
    assert "when that runs with this reel again, it puts this one aside" in add(frames(17, seed=1), back[0])[2]
    assert LongVideo.IS_CHANGED(reel="walk") != "0"


def test_a_reel_from_elsewhere_keeps_its_folder(tmp_path: Path) -> None:
    """The folder of reels in the settings may change while a graph is open."""
    reel = add(frames(17))[0]
    moved = tmp_path / "moved" / "walk"
    moved.parent.mkdir()
    reel.folder.rename(moved)
    assert add(frames(17, seed=1), replace(reel, folder=moved))[0].folder == moved
