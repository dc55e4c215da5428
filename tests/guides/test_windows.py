"""Windows of a voice and of a dance: which frames a clip gets, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from guided import Pose, cut, dance, numbered, numbers, pose_numbers, voice
from helpers import frames
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.timeline import clip_start, clips_needed
from wanvideo_svi.wrapper_ext.host import nodes as host_nodes


def cut_poses(poses: Any = None, **options: Any) -> dict[str, Any]:
    asked = {"clip_index": 0, "num_frames": 17, "overlap_frames": 1, "start_frame": -1, "width": 64, "height": 64,
             "end": "hold", "unianimate_poses": poses, **options}  # fmt: skip
    return dict(zip(Pose.RETURN_NAMES, Pose().cut(**asked), strict=True))


# Arithmetic


@given(st.integers(1, 400), st.integers(1, 30).map(lambda k: 4 * k + 1), st.data())
def test_clips_needed_is_the_least_number_that_reaches_the_end(
    total: int, num_frames: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, num_frames - 1))
    count = clips_needed(total, num_frames=num_frames, overlap_frames=overlap)

    def reach(clips: int) -> int:
        return clip_start(clips - 1, num_frames=num_frames, overlap_frames=overlap) + num_frames

    assert reach(count) >= total
    assert count == 1 or reach(count - 1) < total


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap_frames": 17}, "smaller than the clip"),
        ({"num_frames": 16}, "4k\\+1"),
        ({"clip_index": -1}, "clip_index must be 0"),
        ({"clip_index": 2, "start_frame": 30}, "both clip_index 2 and start_frame 30"),
    ],
)
def test_numbers_that_make_no_clip_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SVIError, match=message):
        cut(voice(numbered(100)), **options)
    with pytest.raises(SVIError, match=message):
        cut_poses(dance(100), **options)


# A voice


def test_each_clip_gets_its_frames_and_the_two_after_them() -> None:
    whole = voice(numbered(60))
    for index, start in enumerate((0, 16, 32)):
        made = cut(whole, clip_index=index)
        assert numbers(made["multitalk_embeds"]["audio_features"][0]) == list(range(start, start + 19))
        assert made["start_frame"] == start
        assert made["clips"] == 4
    assert numbers(whole["audio_features"][0]) == list(range(60))


def test_scales_and_masks_stay() -> None:
    masks = torch.ones(2, 8, 8)
    made = cut(voice(numbered(60), numbered(60, first=100), masks=masks), clip_index=1)["multitalk_embeds"]
    assert made["ref_target_masks"] is masks
    assert (made["audio_scale"], made["audio_cfg_scale"]) == (1.5, 2.0)
    assert [numbers(speaker)[0] for speaker in made["audio_features"]] == [16, 116]


def test_start_frame_says_where_instead_of_clip_index() -> None:
    made = cut(voice(numbered(60)), start_frame=7)
    assert numbers(made["multitalk_embeds"]["audio_features"][0])[0] == 7
    assert made["start_frame"] == 7


def test_start_frame_does_not_tell_how_many_clips_there_are() -> None:
    made = [cut(voice(numbered(60)), start_frame=7), cut_poses(dance(60), start_frame=7),
            cut_poses(pose_images=frames(20), start_frame=7)]  # fmt: skip
    assert [part["clips"] for part in made] == [0, 0, 0]
    assert not any("needs" in part["info"] for part in made)
    with pytest.raises(SVIError, match="begins at frame 80, but the audio ends after 60: use fewer clips"):
        cut(voice(numbered(60)), start_frame=80, end="hold")


def test_one_tensor_is_one_speaker() -> None:
    made = cut({**voice(), "audio_features": numbered(60)}, clip_index=1)
    assert numbers(made["multitalk_embeds"]["audio_features"][0])[:2] == [16, 17]


def test_the_end_is_silent_held_or_refused() -> None:
    whole = voice(numbered(30))
    assert numbers(cut(whole, clip_index=1)["multitalk_embeds"]["audio_features"][0]) == [*range(16, 30), *[0] * 5]
    held = cut(whole, clip_index=1, end="hold")
    assert numbers(held["multitalk_embeds"]["audio_features"][0]) == [*range(16, 30), *[29] * 5]
    assert "its last 3 of 17 frames hold the last sound" in held["info"]
    with pytest.raises(SVIError, match="frames 16-32, but it ends after 30: 3 frames are missing"):
        cut(whole, clip_index=1, end="error")


def test_recorded_silence_fills_the_end_where_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_nodes, "silent_voice", lambda count: numbered(count, first=900))
    whole = voice(numbered(30))
    made = numbers(cut(whole, clip_index=1)["multitalk_embeds"]["audio_features"][0])
    assert made == [*range(16, 30), 900, 901, 902, 903, 904]
    other = voice(numbered(30, channels=5))
    assert numbers(cut(other, clip_index=1)["multitalk_embeds"]["audio_features"][0])[-5:] == [0] * 5


def test_a_speaker_who_ends_first_is_silent_till_the_other_ends() -> None:
    whole = voice(numbered(20), numbered(60, first=100), masks=torch.ones(2, 8, 8))
    made = cut(whole, clip_index=2)
    assert made["clips"] == 4
    assert [numbers(s)[:2] for s in made["multitalk_embeds"]["audio_features"]] == [[0, 0], [132, 133]]


@pytest.mark.parametrize("end", ["hold", "error"])
def test_a_speaker_who_ends_first_is_silent_whatever_comes_at_the_end(end: str) -> None:
    """Not cut short, and not holding his last sound while the other talks."""
    whole = voice(numbered(20, first=1), numbered(60, first=100), masks=torch.ones(2, 8, 8))
    first, second = cut(whole, clip_index=1, end=end)["multitalk_embeds"]["audio_features"]
    assert numbers(first) == [17, 18, 19, 20, *[0] * 15]
    assert numbers(second) == list(range(116, 135))
    first, second = cut(whole, clip_index=2, end=end)["multitalk_embeds"]["audio_features"]
    assert numbers(first) == [0] * 19
    assert len(second) == 19
    assert len(whole["audio_features"][0]) == 20


def test_audio_shorter_than_one_clip() -> None:
    made = cut(voice(numbered(10)))
    assert numbers(made["multitalk_embeds"]["audio_features"][0]) == [*range(10), *[0] * 9]
    assert made["clips"] == 1
    assert "its last 7 of 17 frames are silent" in made["info"]
    with pytest.raises(SVIError, match="7 frames are missing; use longer audio"):
        cut(voice(numbered(10)), end="error")


@pytest.mark.parametrize("end", ["hold", "error"])
def test_more_clips_than_audio_are_refused(end: str) -> None:
    with pytest.raises(SVIError, match=r"begins at frame 80, but the audio ends after 60 \(enough for 4 clips\)"):
        cut(voice(numbered(60)), clip_index=5, end=end)


def test_a_clip_after_the_audio_is_silent_when_that_is_asked_for() -> None:
    made = cut(voice(numbered(60)), clip_index=5)
    assert numbers(made["multitalk_embeds"]["audio_features"][0]) == [0] * 19
    assert "no frame of the audio" in made["info"]
    assert "its last 17 of 17 frames are silent" in made["info"]


def test_another_frame_rate_is_refused() -> None:
    with pytest.raises(SVIError, match="the video has 16 fps, the audio features 25 per second: after 17 frames lips"):
        cut(voice(numbered(60)), fps=16.0)
    assert cut(voice(numbered(60)), fps=16.0, audio_fps=16.0)["clips"] == 4


@pytest.mark.parametrize(
    ("embeds", "message"),
    [
        (voice(numbered(9), numbered(9)), "2 speakers need ref_target_masks to know whose mouth moves, got none"),
        (voice(numbered(9), numbered(9), masks=torch.ones(1, 8, 8)), "as many ref_target_masks, got 1"),
        (voice(torch.zeros(2, 9, 2, 3)), "must be .frames, blocks, channels., got .2, 9, 2, 3.: a stereo file is one"),
        (voice(numbered(9).int()), "must be a tensor of floats, got torch.int32"),
        (voice(), "has no speaker"),
        ({"audio_scale": 1.0}, "has no audio_features"),
        ({"audio_emb_slice": torch.zeros(1)}, "is cut to a clip already"),
        (voice(numbered(9), audio_stride=2), "has 2 audio entries per frame"),
        (numbered(9), "must be a dict"),
    ],
)
def test_features_that_the_sampler_would_get_wrong_are_refused(embeds: Any, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        cut(embeds)


def test_either_voice_and_not_both() -> None:
    with pytest.raises(SVIError, match="none is connected"):
        cut()
    with pytest.raises(SVIError, match="both are connected"):
        cut(voice(numbered(9)), humo_embeds={})
    with pytest.raises(SVIError, match="joined with humo_embeds only"):
        cut(voice(numbered(9)), image_embeds={})


def test_a_window_of_a_window_takes_no_more_than_it_holds() -> None:
    """Clip 2 cut from clip 1's window would be silent; the first part of a longer window is not."""
    whole = voice(numbered(60))
    first = cut(whole, clip_index=1)["multitalk_embeds"]
    with pytest.raises(SVIError, match="multitalk_embeds is cut to frames 16-32 already, by another window, and this "):
        cut(first, clip_index=1)
    longer = cut(whole, start_frame=10, num_frames=33)["multitalk_embeds"]
    again = cut(longer, clip_index=1)["multitalk_embeds"]["audio_features"][0]
    assert numbers(again)[:17] == list(range(26, 43))
    poses = cut_poses(dance(60), clip_index=1)["unianimate_poses"]
    with pytest.raises(SVIError, match="unianimate_poses is cut to frames 16-32 already"):
        cut_poses(poses, clip_index=1)
    assert pose_numbers(cut_poses(poses)) == list(range(16, 33))


def test_a_size_that_no_clip_has_is_refused_before_that_of_the_poses() -> None:
    """Nobody should draw poses at 65 pixels for it."""
    with pytest.raises(SVIError, match="width must be a multiple of 16, got 65: use 64 or 80"):
        cut_poses(dance(60), width=65)


# The sound itself


def sound(seconds: float, *, rate: int = 1000, channels: int = 1) -> dict[str, Any]:
    count = round(seconds * rate)
    return {"waveform": (torch.arange(count) / count).expand(1, channels, count), "sample_rate": rate}


def test_the_clips_sound_comes_out() -> None:
    made = cut(voice(numbered(60)), clip_index=1, audio=sound(2.4, channels=2))["audio"]
    assert made["sample_rate"] == 1000
    assert made["waveform"].shape == (1, 2, 680)
    assert torch.equal(made["waveform"][0, 0], sound(2.4)["waveform"][0, 0, 640:1320])
    last = cut(voice(numbered(60)), clip_index=3, audio=sound(2.4))["audio"]["waveform"]
    assert last.shape == (1, 1, 680)
    assert (last[..., 480:] == 0).all()


def test_features_of_other_audio_are_refused() -> None:
    with pytest.raises(
        SVIError, match=r"audio lasts 12.00 s, 300 frames at 25 fps, but its features end after 81: raise"
    ):
        cut(voice(numbered(81)), audio=sound(12))
    with pytest.raises(SVIError, match="75 frames at 25 fps, but its features have 300"):
        cut(voice(numbered(300)), audio=sound(3))


def test_audio_beyond_what_the_features_node_takes_is_to_be_split() -> None:
    with pytest.raises(SVIError, match=r"goes to num_frames 10000, so cut the audio into parts of at most 400 s"):
        cut(voice(numbered(10_000, channels=1)), audio=sound(600, rate=10))
    with pytest.raises(SVIError, match="raise num_frames of the node that makes them to 10000"):
        cut(voice(numbered(81)), audio=sound(400, rate=10))


def test_outputs_without_an_input_stop_what_hangs_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_nodes, "blocked", lambda why: why)
    made = cut(voice(numbered(60)))
    assert made["audio"] == "audio of SVI Audio Window is empty: audio is not connected"
    assert "humo_embeds is not connected" in made["image_embeds"]


@pytest.mark.parametrize(
    "audio",
    [{"waveform": torch.zeros(1, 6, 100), "sample_rate": 10}, {"waveform": torch.zeros(2, 1, 100), "sample_rate": 10},
     {"waveform": torch.zeros(1, 1, 0), "sample_rate": 10}, {"waveform": torch.full((1, 1, 24), torch.nan),
     "sample_rate": 10}, {"sample_rate": 10}, torch.zeros(1, 1, 100), {"waveform": torch.zeros(1, 1, 9)},
     {"waveform": torch.zeros(1, 1, 24, dtype=torch.int16), "sample_rate": 10},
     {"waveform": torch.zeros(1, 1, 24, dtype=torch.complex64), "sample_rate": 10},
     {"waveform": torch.zeros(1, 1, 24), "sample_rate": 2**63}],
)  # fmt: skip
def test_what_is_no_audio_is_refused(audio: Any) -> None:
    with pytest.raises(SVIError, match="audio"):
        cut(voice(numbered(60)), audio=audio)


# A dance


def test_each_clip_gets_its_poses() -> None:
    for index, start in enumerate((0, 16, 32)):
        made = cut_poses(dance(60), clip_index=index)
        assert pose_numbers(made) == list(range(start, start + 17))
        assert (made["clips"], made["start_frame"]) == (4, start)
        assert made["unianimate_poses"]["strength"] == 0.8


def test_motion_frames_get_the_poses_they_were_made_with() -> None:
    clips = [pose_numbers(cut_poses(dance(60), clip_index=index, overlap_frames=5)) for index in (0, 1)]
    assert clips[0][-5:] == clips[1][:5]


def test_the_last_pose_is_held_or_refused() -> None:
    made = cut_poses(dance(20), clip_index=1)
    assert pose_numbers(made) == [16, 17, 18, 19, *[19] * 13]
    assert "the last one is held for 13 frames" in made["info"]
    with pytest.raises(SVIError, match="poses 16-32, but there are 20: 13 are missing"):
        cut_poses(dance(20), clip_index=1, end="error")
    with pytest.raises(SVIError, match="begins at frame 32, but there are 20 poses"):
        cut_poses(dance(20), clip_index=2)


def test_poses_of_another_size_are_refused() -> None:
    with pytest.raises(SVIError, match="the poses are 96x64, the clip is 64x64: they must be the same"):
        cut_poses(dance(20, size=(64, 96)))
    with pytest.raises(SVIError, match="pose_images are 64x96"):
        cut_poses(pose_images=frames(20, height=96, width=64))


def test_pose_pictures_are_cut_too() -> None:
    pictures = frames(20)
    made = cut_poses(pose_images=pictures, clip_index=1)
    assert torch.equal(made["pose_images"][:4], pictures[16:])
    assert torch.equal(made["pose_images"][4:], pictures[-1:].expand(13, -1, -1, -1))


def test_a_reference_pose_is_spoken_of() -> None:
    assert "leave reference_pose_image unconnected" in cut_poses(dance(20, ref=torch.zeros(1, 3, 64, 64)))["info"]


@pytest.mark.parametrize(
    ("poses", "message"),
    [
        ({**dance(9), "pose": torch.zeros(9, 64, 64, 3)}, "must be floats .1, 3, frames, H, W."),
        ({**dance(9), "pose": torch.zeros(1, 3, 0, 64, 64)}, "must be floats"),
        ({**dance(9), "pose": None}, "lacks pose"),
        ({"pose": dance(9)["pose"]}, "lacks strength, start_percent, end_percent"),
        ([], "must be a dict"),
    ],
)
def test_poses_that_the_sampler_would_crash_on_are_refused(poses: Any, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        cut_poses(poses)


def test_a_dance_must_be_connected() -> None:
    with pytest.raises(SVIError, match="none is connected"):
        cut_poses()
