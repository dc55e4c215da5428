"""References on a white canvas, and the region that they cover."""

from __future__ import annotations

import pytest
import torch
from helpers import TraceVAE, digest, frames, pixel_clip
from hypothesis import given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.clips.inpaint.canvas import SNAP, place_boxes, reference_canvas
from wanvideo_svi.svi_embeds.errors import SVIError


def test_references_stand_on_white_and_only_their_pixels_are_region() -> None:
    one, two = torch.zeros(1, 100, 50, 3), torch.zeros(1, 30, 90, 3) + 0.2
    made = reference_canvas({"image_1": one, "image_2": two}, width=320, height=192)
    assert made.image.shape == (1, 192, 320, 3)
    assert made.region.shape == (1, 192, 320)
    inside = made.region.bool()
    assert float(made.image[~inside].min()) == 1
    assert float(made.image[inside].max()) <= 0.2 + 1 / 255
    (x, y, w, h), (x2, *_) = made.boxes
    assert float(made.region[0, y : y + h, x : x + w].min()) == 1
    assert x2 > x
    assert w / h == pytest.approx(0.5, abs=0.02), "not stretched"
    assert int(made.region.sum()) == sum(w * h for _, _, w, h in made.boxes)


@given(
    st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), min_size=1, max_size=9), st.integers(8, 90),
    st.integers(8, 90), st.integers(0, 40),
)  # fmt: skip
def test_boxes_never_overlap_or_leave_the_canvas(sizes: list, columns: int, lines: int, margin: int) -> None:
    width, height = 8 * columns, 8 * lines
    try:
        boxes = place_boxes(sizes, width, height, margin)
    except SVIError:
        assert min(width, height) < 10 * (margin + 2 * SNAP), "refused only where there is little room"
        return
    taken = torch.zeros(height, width, dtype=torch.int)
    for x, y, w, h in boxes:
        assert x % SNAP == y % SNAP == 0
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        taken[y : y + h, x : x + w] += 1
    assert int(taken.max()) == 1


def test_one_reference_takes_the_whole_canvas() -> None:
    ((x, y, w, h),) = place_boxes([(832, 480)], 832, 480, 0)
    assert (x, y, w, h) == (0, 0, 832, 480)


def test_a_batch_is_many_references() -> None:
    made = reference_canvas({"image_1": frames(3)}, width=320, height=192, margin=8)
    assert len(made.boxes) == 3
    assert repr(made) == "Canvas(320x192, 3 references)"


def test_the_canvas_makes_magrefs_first_frame_by_mode_fun_inp() -> None:
    made = reference_canvas({"image_1": frames(height=40, width=40)}, width=64, height=64, margin=8)
    vae = TraceVAE()
    embeds = pixel_clip(
        vae, mode="fun_inp", width=64, height=64, num_frames=9, start_image=made.image, overlap_frames=1,
        region=made.region, outside_region="keep",
    ).embeds  # fmt: skip
    assert torch.equal((vae.video[:, 0] + 1) / 2, (made.image[0] * 2 - 1).permute(2, 0, 1) / 2 + 0.5)
    assert float((vae.video[:, 1:]).abs().max()) == 0
    (box,) = made.boxes
    x, y, w, h = (value // 8 for value in box)
    expected = torch.zeros(8, 8)
    expected[y : y + h, x : x + w] = 1
    assert torch.equal(embeds["mask"][0, 0], expected)
    assert float(embeds["mask"][:, 1:].max()) == 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"images": {}}, "there is no reference"),
        ({"margin": 200}, r"1 references with a margin of 200 do not fit on 320x192"),
        ({"level": 2}, "level must be a number from 0"),
        ({"width": 4}, "width must be 8 or more, got 4"),
        ({"images": {"image_1": frames() * 255}}, "image_1 must hold pixels in 0..1"),
        ({"images": {"image_1": torch.zeros(64, 64, 3)}}, "image_1 must have 4 axes"),
    ],
)
def test_bad_input_is_refused(inputs: dict, message: str) -> None:
    given_inputs = {"images": {"image_1": frames()}, "width": 320, "height": 192, **inputs}
    images = given_inputs.pop("images")
    with pytest.raises(SVIError, match=message):
        reference_canvas(images, **given_inputs)


def test_references_are_left_as_they_were() -> None:
    images = {"image_1": frames(2), "image_2": frames(height=20)}
    before = digest(images)
    reference_canvas(images, width=320, height=192).image.zero_()
    assert digest(images) == before
