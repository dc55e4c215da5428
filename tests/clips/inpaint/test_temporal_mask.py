"""Keyframes, regions and feather: the two inputs for the host's encode, and the same clip by mode fun_inp."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from helpers import MASK_VECTORS, TraceVAE, digest, frames, mask_clip, pixel_clip, rows
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.inpaint.make import TemporalMask
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.masks.keyframes import feather_known, parse_keyframes
from wanvideo_svi.svi_embeds.masks.known import pack_known

SIZE = {"width": 64, "height": 64, "num_frames": 17}


def temporal_mask(**inputs: Any) -> TemporalMask:
    return mask_clip(**{**SIZE, **inputs})


def clip(vae: Any = None, mode: str = "fun_inp", **inputs: Any) -> Clip:
    return pixel_clip(vae or TraceVAE(), mode=mode, **{**SIZE, **inputs})


def strip(made: TemporalMask) -> str:
    return made.info.splitlines()[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  ", ()),
        ("40", (40,)),
        ("0-4, 40, 76-80", (0, 1, 2, 3, 4, 40, 76, 77, 78, 79, 80)),
        ("-1", (80,)),
        ("-5--1", (76, 77, 78, 79, 80)),
        ("10 - 12,-1", (10, 11, 12, 80)),
        ("78--1", (78, 79, 80)),
        ("-81", (0,)),
    ],
)
def test_keyframes_are_read(text: str, expected: tuple[int, ...]) -> None:
    assert parse_keyframes(text, num_frames=81) == expected


@given(st.lists(st.integers(0, 80), unique=True, max_size=20))
def test_any_ascending_frames_written_down_are_read_back(numbers: list[int]) -> None:
    numbers.sort()
    assert parse_keyframes(", ".join(map(str, numbers)), num_frames=81) == tuple(numbers)
    assert parse_keyframes(",".join(f"{n - 81}" for n in numbers), num_frames=81) == tuple(numbers)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4-", "keyframes part '4-' is neither a frame nor a range"),
        ("1, x, 3", "keyframes part 'x' is neither a frame"),
        ("1.5", r"keyframes part '1\.5' is neither a frame"),
        ("0-4,,40", "keyframes has an empty part in '0-4,,40'"),
        ("1, 2,", "keyframes has an empty part"),
        ("40-20", r"keyframes part '40-20' runs backwards \(frame 40 to 20\)"),
        ("-1--5", "keyframes part '-1--5' runs backwards"),
        ("81", r"keyframes part '81' is outside the clip: its 81 frames are 0-80"),
        ("76-90", "keyframes part '76-90' is outside the clip"),
        ("-82", "keyframes part '-82' is outside the clip"),
        ("1--", "keyframes part '1--' is neither a frame"),
    ],
)
def test_a_malformed_part_is_quoted(text: str, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        parse_keyframes(text, num_frames=81)


def test_film_on_fun_inp_is_five_frames_then_grey() -> None:
    previous = frames(17)
    made = temporal_mask(motion_frames=previous)
    assert torch.equal(made.frames[:5], previous[-5:])
    assert torch.equal(made.frames[5:], torch.full((12, 64, 64, 3), 0.5))
    assert made.known_mask.shape == (17, 8, 8)
    assert strip(made) == "█████" + "·" * 12
    assert torch.equal(made.known_mask + made.concat_mask, torch.ones(17, 8, 8))
    assert made.fun_or_fl2v_model is True
    assert "temporal_mask (wrapper): 5 white + 12 black (kept: 0-4)" in made.info


def test_keyframes_and_end_stand_where_they_were_put() -> None:
    start, keys, end = frames(), frames(3, seed=1), frames(2, seed=2)
    made = temporal_mask(motion_frames=start, overlap_frames=1, keyframes="6-7, -4", keyframe_images=keys,
                         end_image=end)  # fmt: skip
    assert strip(made) == "█·····██·····█·██"
    for position, image in ((0, start[0]), (6, keys[0]), (7, keys[1]), (13, keys[2]), (15, end[0]), (16, end[1])):
        assert torch.equal(made.frames[position], image)
    assert float((made.frames[14] - 0.5).abs().max()) == 0
    assert "frames: motion 0, padding 1-5, keyframe 6-7, padding 8-12, keyframe 13, padding 14, end 15-16" in made.info


def test_keyframes_alone_make_a_clip() -> None:
    made = temporal_mask(keyframes="0, 8, -1", keyframe_images=frames(3))
    assert strip(made) == "█·······█·······█"


def test_empty_level_fills_what_is_generated() -> None:
    made = temporal_mask(motion_frames=frames(5), empty_level=0.25)
    assert float((made.frames[5:] - 0.25).abs().max()) == 0


def left_half() -> Tensor:
    region = torch.zeros(1, 32, 32)
    region[:, :, :16] = 1
    return region


def test_only_the_region_of_known_frames_is_known_and_the_rest_is_empty() -> None:
    start = frames(5)
    made = temporal_mask(motion_frames=start, region=left_half())
    assert made.known_mask[0].tolist() == [[1.0] * 4 + [0.0] * 4] * 8
    assert float(made.known_mask[5:].max()) == 0
    assert torch.equal(made.frames[:5, :, :32], start[:, :, :32])
    assert float((made.frames[:5, :, 32:] - 0.5).abs().max()) == 0
    assert "known frames are filled with 0.5 outside region" in made.info
    wide = temporal_mask(motion_frames=start, region=torch.ones(1, 30, 90))
    assert "region was stretched from 90x30 to 64x64" in wide.info
    kept = temporal_mask(motion_frames=start, region=left_half(), outside_region="keep")
    assert torch.equal(kept.frames[:5], start)
    assert torch.equal(kept.known_mask, made.known_mask)


def test_a_region_for_each_frame_is_its_own() -> None:
    region = torch.zeros(17, 8, 8)
    for frame in range(17):
        region[frame, frame % 8] = 1
    made = temporal_mask(motion_frames=frames(5), region=region)
    for frame in range(5):
        assert made.known_mask[frame].sum(1).tolist() == [8.0 if row == frame else 0.0 for row in range(8)]


@pytest.mark.parametrize(
    ("values", "feather", "expected"),
    [
        ([1, 1, 1, 1, 1, 0, 0], 0, [1, 1, 1, 1, 1, 0, 0]),
        ([1, 1, 1, 1, 1, 0, 0], 1, [1, 1, 1, 1, 0.5, 0, 0]),
        ([1, 1, 1, 1, 1, 0, 0], 3, [1, 1, 0.75, 0.5, 0.25, 0, 0]),
        ([1, 1, 0, 1, 0, 0, 1], 1, [1, 0.5, 0, 0.5, 0, 0, 0.5]),
        ([0, 0, 1, 1, 1, 0, 0], 1, [0, 0, 0.5, 1, 0.5, 0, 0]),
        ([1, 1, 0, 0, 1, 1, 1], 1, [1, 0.5, 0, 0, 0.5, 1, 1]),
        ([1, 1, 1], 2, [1, 1, 1]),
    ],
)
def test_known_fades_at_the_border_to_generated_frames(values: list, feather: int, expected: list) -> None:
    assert feather_known(values, feather) == pytest.approx(expected)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 8))
def test_feather_by_brute_force(known: list[bool], feather: int) -> None:
    values = [float(v) for v in known]
    generated = [i for i, v in enumerate(values) if not v]

    def expected(i: int) -> float:
        nearest = min((abs(i - g) for g in generated), default=10**6)
        return values[i] * min(1.0, nearest / (feather + 1))

    if values[0] and expected(0) < 1:
        with pytest.raises(SVIError, match=f"feather {feather} reaches frame 0"):
            feather_known(values, feather)
    else:
        assert feather_known(values, feather) == pytest.approx([expected(i) for i in range(len(values))])


def brute_force(known: Tensor) -> Tensor:
    """Packed mask 4 T h w from F h w, one value after the other."""
    total = (len(known) - 1) // 4 + 1
    packed = torch.zeros(4, total, *known.shape[1:])
    for t in range(total):
        for c in range(4):
            packed[c, t] = known[0 if t == 0 else 4 * t - 3 + c]
    return packed


def test_200_random_clips_pack_as_by_brute_force_in_both_ways() -> None:
    draw = random.Random(7)
    for case in range(200):
        total = draw.randint(3, 9)
        count = 4 * (total - 1) + 1
        motion = draw.choice([0, 1, 4, 5])
        end = draw.choice([0, 0, 1, 3])
        free = list(range(motion, count - end))
        keys = sorted(draw.sample(free, draw.randint(0 if motion or end else 1, min(4, len(free) - 1))))
        generator = torch.Generator().manual_seed(case)
        region = draw.choice([None, torch.rand(1, 5, 7, generator=generator).round(),
                              torch.rand(count, 8, 8, generator=generator)])  # fmt: skip
        inputs: dict[str, Any] = {
            "num_frames": count, "width": 64, "height": 64, "region": region, "overlap_frames": motion,
            "end_image": frames(end) if end else None, "keyframes": ", ".join(map(str, keys)),
            "keyframe_images": frames(len(keys)) if keys else None,
        }  # fmt: skip
        start = frames(6) if motion else None
        made = mask_clip(motion_frames=start, **inputs)
        known = torch.zeros(count, 8, 8)
        for frame in [*range(motion), *keys, *range(count - end, count)]:
            known[frame] = 1
            if region is not None:
                one = region[min(frame, len(region) - 1)]
                for y in range(8):
                    for x in range(8):
                        known[frame, y, x] = one[y * one.shape[0] // 8, x * one.shape[1] // 8]
        assert torch.equal(made.known_mask, known), case
        embeds = clip(start_image=start, **inputs).embeds
        assert torch.equal(embeds["mask"], brute_force(known)), case
        assert torch.equal(pack_known(made.known_mask), brute_force(known)), case


@pytest.mark.parametrize("name", MASK_VECTORS)
def test_the_packed_masks_of_the_table_come_out_of_frames_and_ends(name: str) -> None:
    """The rows that no temporal_mask of the caller's changes."""
    case, expected = MASK_VECTORS[name]
    if "mask" in case and not case.get("end"):
        values = [float(v) for v in case["mask"][:9]] + [0.0] * (9 - len(case["mask"]))
        known = [i for i, v in enumerate(values) if v]
        made = temporal_mask(num_frames=9, keyframes=", ".join(map(str, known)), keyframe_images=frames(len(known)))
    elif case.get("end"):
        fun = case.get("fun", True)
        made = temporal_mask(num_frames=9, motion_frames=frames(1), overlap_frames=1, end_image=frames(),
                             fun_or_fl2v_model=fun)  # fmt: skip
        expected = "1111 0000 0001" if fun else "1111 0000 0000 1111"
    else:
        made = temporal_mask(num_frames=9, motion_frames=frames(9), overlap_frames=case["start"])
    packed = pack_known(made.known_mask, end_apart=made.plan.timeline.end_apart)
    assert " ".join(rows(packed)) == expected


def test_both_ways_give_the_vae_the_same_pixels() -> None:
    """What the host does with frames (times 2, minus 1) is what mode fun_inp encodes."""
    inputs: dict[str, Any] = {
        "end_image": frames(2, height=50, width=70, seed=2), "keyframes": "8, 10", "region": left_half(),
        "keyframe_images": frames(2, height=90, width=64, seed=3),
    }  # fmt: skip
    previous = frames(17, height=48, width=80)
    for outside in ("empty", "keep"):
        made = temporal_mask(motion_frames=previous, outside_region=outside, **inputs)
        vae = TraceVAE()
        embeds = clip(vae, start_image=previous, outside_region=outside, **inputs).embeds
        assert torch.equal(vae.video, (made.frames * 2 - 1).permute(3, 0, 1, 2))
        assert torch.equal(embeds["mask"], pack_known(made.known_mask))


def test_without_fun_an_end_stands_behind_the_clip() -> None:
    start, end = frames(), frames(seed=2)
    made = temporal_mask(motion_frames=start, overlap_frames=1, end_image=end, fun_or_fl2v_model=False)
    assert torch.equal(made.frames, start)
    assert made.known_mask[:, 0, 0].tolist() == [1.0] + [0.0] * 16 + [1.0]
    assert made.fun_or_fl2v_model is False
    assert "temporal_mask has 18 masks; connect the same end_image to WanVideo ImageToVideo Encode" in made.info
    alone = temporal_mask(end_image=end, fun_or_fl2v_model=False)
    assert alone.fun_or_fl2v_model is True, "an end alone only works with it on"
    assert len(alone.frames) == 17


def test_the_sheet_names_keyframes_and_is_split_at_them() -> None:
    made = temporal_mask(motion_frames=frames(), overlap_frames=1, keyframes="8", keyframe_images=frames(seed=1))
    spans = [(tile.role, tile.first, tile.last) for tile in made.tiles]
    assert spans == [("motion", 0, 0), ("grey padding", 1, 7), ("keyframe", 8, 8), ("grey padding", 9, 16)]
    assert made.sheet().width >= 900
    assert repr(made).startswith("TemporalMask(ClipPlan(fun_inp")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "fun_inp needs motion_frames: .* and so do keyframes"),
    "keyframe outside": ({"keyframes": "17", "keyframe_images": frames()}, "part '17' is outside the clip"),
    "keyframe is motion": (
        {"motion_frames": frames(5), "keyframes": "3", "keyframe_images": frames()},
        r"keyframe 3 is one of the 5 motion frames \(0-4\): leave it out, or set overlap_frames lower",
    ),
    "keyframe is end": (
        {"end_image": frames(2), "keyframes": "15", "keyframe_images": frames()},
        r"keyframe 15 is one of the 2 end frames \(from 15 on\)",
    ),
    "keyframe twice": ({"keyframes": "3, 3", "keyframe_images": frames(2)}, "keyframes must ascend, got 3 after 3"),
    "keyframes descend": ({"keyframes": "9, 3", "keyframe_images": frames(2)}, "must ascend, got 3 after 9"),
    "too few images": ({"keyframes": "3-5", "keyframe_images": frames(2)}, "has 3 frame.s., keyframe_images 2: give"),
    "too many images": ({"keyframes": "3", "keyframe_images": frames(2)}, "has 1 frame.s., keyframe_images 2: give"),
    "no images": ({"keyframes": "3"}, r"keyframes has 1 frame\(s\), keyframe_images 0: give one image for each"),
    "images without frames": (
        {"motion_frames": frames(5), "keyframe_images": frames()}, "but keyframes is empty: write the frame of each"
    ),
    "all known": ({"keyframes": "0-16", "keyframe_images": frames(17)}, "leave nothing to generate"),
    "malformed": ({"keyframes": "a-b", "keyframe_images": frames()}, "part 'a-b' is neither a frame nor a range"),
    "region length": (
        {"motion_frames": frames(5), "region": torch.ones(5, 8, 8)},
        "region has 5 masks, the clip 17 frames: give one for all frames, or one for each",
    ),
    "region values": ({"motion_frames": frames(5), "region": torch.ones(1, 8, 8) * 2}, r"region must hold values in"),
    "region and an end apart": (
        {"motion_frames": frames(), "overlap_frames": 1, "end_image": frames(), "fun_or_fl2v_model": False,
         "region": torch.ones(1, 8, 8)},
        "region with an end behind the clip .* turn fun_or_fl2v_model on, or set outside_region to keep",
    ),
    "far too long a number": ({"keyframes": "9" * 5000}, "is neither a frame nor a range"),
    "feather": (
        {"motion_frames": frames(5), "feather": 5},
        "feather 5 reaches frame 0: only frames 0-4 are known there, so feather must be 4 or less",
    ),
    "feather negative": ({"motion_frames": frames(5), "feather": -1}, "feather must be 0 or more"),
    "five and an end apart": (
        {"motion_frames": frames(5), "end_image": frames(), "fun_or_fl2v_model": False},
        "goes with exactly 1 motion frame, got 5",
    ),
    "keyframes and an end apart": (
        {"motion_frames": frames(), "overlap_frames": 1, "end_image": frames(), "fun_or_fl2v_model": False,
         "keyframes": "3", "keyframe_images": frames()},
        "keyframes go with an end_image only when fun_or_fl2v_model is on",
    ),
    "one image for five": ({"motion_frames": frames()}, "motion_frames has 1: for the first clip set overlap_frames"),
    "level": ({"motion_frames": frames(5), "empty_level": 1.5}, "empty_level must be a number from 0 to 1, got 1.5"),
    "outside": ({"motion_frames": frames(5), "outside_region": "x"}, "outside_region must be one of empty, keep"),
    "length": ({"motion_frames": frames(5), "num_frames": 18, "keyframes": "-1"}, r"num_frames must be 4k\+1"),
    "no length": ({"motion_frames": frames(5), "num_frames": None}, "num_frames must be a whole number, got None"),
    "no text": ({"motion_frames": frames(5), "keyframes": [3]}, "keyframes must be text like .* got list"),
    "no tick": ({"motion_frames": frames(5), "fun_or_fl2v_model": "false"}, "must be true or false, got str 'false'"),
    "size": ({"motion_frames": frames(5), "width": 70}, "width must be a multiple of 16"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_what_came_and_what_to_do(name: str) -> None:
    inputs, message = REFUSED[name]
    with pytest.raises(SVIError, match=message):
        temporal_mask(**inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"mode": "film", "keyframes": "9", "keyframe_images": frames()}, "mode film takes no keyframes, .* fun_inp"),
        ({"mode": "film", "region": torch.ones(1, 8, 8)}, "mode film takes no region and no feather"),
        ({"mode": "film", "feather": 1}, "mode film takes no region and no feather"),
        ({"region": torch.ones(1, 8, 8), "temporal_mask": torch.ones(17, 8, 8)}, "temporal_mask replaces keyframes"),
        ({"feather": 1, "temporal_mask": torch.ones(17, 8, 8)}, "temporal_mask replaces keyframes, region and feather"),
        ({"outside_region": "x"}, "outside_region must be one of empty, keep"),
    ],
)
def test_what_a_mode_does_not_take_is_refused(inputs: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        clip(**{"start_image": frames(17), **inputs})


def test_nothing_that_is_passed_in_is_changed() -> None:
    inputs = {
        "motion_frames": frames(17), "end_image": frames(2), "keyframe_images": frames(), "region": left_half(),
    }  # fmt: skip
    before = digest(inputs)
    made = temporal_mask(**inputs, keyframes="9", feather=2)
    made.frames.zero_()
    made.known_mask.zero_()
    assert digest(inputs) == before
