"""Contact sheets: what they show."""

from __future__ import annotations

import torch
from helpers import TraceVAE, frames, pixel_clip
from wanvideo_svi.svi_embeds.clips.pixels.make import Clip
from wanvideo_svi.svi_embeds.clips.sheet import MAX_TILES


def clip(mode: str = "film", **inputs) -> Clip:
    defaults = {"width": 128, "height": 64, "num_frames": 81, "start_image": frames(81, width=128)}
    return pixel_clip(TraceVAE(), mode=mode, **{**defaults, **inputs})


def spans(made: Clip) -> list[tuple[str, int, int, float]]:
    return [(tile.role, tile.first, tile.last, tile.known) for tile in made.tiles]


def test_long_runs_of_equal_frames_are_folded_and_motion_frames_are_not() -> None:
    assert spans(clip()) == [*(("motion", i, i, 1.0) for i in range(5)), ("grey padding", 5, 80, 0.0)]


def test_a_run_is_split_where_the_mask_changes() -> None:
    mask = torch.zeros(81, 8, 8)
    mask[:5] = 1
    mask[40:44] = 1
    assert spans(clip(temporal_mask=mask))[5:] == [
        ("grey padding", 5, 39, 0.0),
        ("grey padding", 40, 43, 1.0),
        ("grey padding", 44, 80, 0.0),
    ]


def test_tiles_show_the_pixels_of_their_frames() -> None:
    red, blue = torch.zeros(81, 64, 128, 3), torch.zeros(1, 64, 128, 3)
    red[..., 0], blue[..., 2] = 1, 1
    made = clip("shot", start_image=red, ref_image=blue)
    assert [tile.picture.getpixel((5, 5)) for tile in made.tiles] == [(255, 0, 0), (0, 0, 255)]


def test_kept_frames_are_framed_white_and_generated_ones_black() -> None:
    sheet = clip().sheet()
    colours = [sheet.getpixel((x, 60)) for x in range(sheet.width)]
    assert colours.count((255, 255, 255)) >= 5 * 2 * 7
    assert colours.count((0, 0, 0)) >= 2 * 7
    assert colours.index((255, 255, 255)) < colours.index((0, 0, 0))


def test_many_frames_are_shortened_and_the_picture_stays_bounded() -> None:
    made = clip("i2v", start_image=frames(60, width=128), overlap_frames=60)
    assert len(made.tiles) == 61
    assert made.sheet().width < (MAX_TILES + 1) * (3 * 128 + 40)


def test_tiles_do_not_keep_the_clip_alive() -> None:
    made = clip()
    assert sum(tile.picture.width * tile.picture.height * 3 for tile in made.tiles) < 6 * 3 * 128 * 128 * 3


def test_a_long_title_and_the_legend_do_not_overlap() -> None:
    mask = torch.zeros(81, 8, 8)
    mask[0] = 1
    mask[10:30, 0, 0] = 1
    short, long = (
        clip("i2v").sheet(),
        clip("svi2_wan21", ref_image=frames(), temporal_mask=mask, overlap_frames=1).sheet(),
    )
    assert short.width == 900
    assert long.width > 900
