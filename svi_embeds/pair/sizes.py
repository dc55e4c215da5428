"""How many latents the stages of a high/low pair sample, and how many the first hands to the second.

A sampler that gets fewer latents than it has noise for puts copies of the first one before them, and says nothing
(WanVideoWrapper 088128b of 2026-05-24, nodes_sampler.py, under vid2vid). All that follows then stands too late, and as
much is lost at the end. With references that is so even for the same embeds on both stages: HuMo has noise for the R
latents of its references behind the clip's T, Phantom gives its own no noise, and both drop the last R at the end of
each stage. So the second stage of HuMo takes T + R and gives T, and the first one must give it T + R.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..clips.embeds import dropped_latents, holds_image, is_end_apart, reference_latents, sampled_size
from ..errors import SVIError
from ..timeline import frame_count

Size = tuple[int, int, int]


def check_sizes(
    both: Mapping[str, Mapping[str, Any]], made: Sequence[str], size: Size, notes: list[str]
) -> tuple[Size, dict[str, int]]:
    """T, h, w of the clip that both stages sample, and the latents of each stage with its references.

    both: the embeds of the stages by input name. made: those that were made here, for a clip of `size`.
    Raises SVIError when the second stage does not continue with just what the first one gives.
    """
    high, low = (sampled_size(name, embeds) for name, embeds in both.items())
    dropped = dropped_latents("high_embeds", both["high_embeds"])
    if (high[0] - dropped, *high[1:]) != low:
        raise _different(both, made, high, low, dropped)
    clip = (low[0] - reference_latents("low_embeds", both["low_embeds"]), *low[1:])
    if clip != size:
        notes.append(f"width, height and num_frames are not used: the embeds are for {times(clip)} latents (T x h x w)")
    return clip, {"high_embeds": high[0], "low_embeds": low[0]}


def _different(
    both: Mapping[str, Mapping[str, Any]], made: Sequence[str], high: Size, low: Size, dropped: int
) -> SVIError:
    apart = [name for name, embeds in both.items() if holds_image(embeds) and is_end_apart(embeds)]
    behind = reference_latents("low_embeds", both["low_embeds"])
    if high[1:] == low[1:] and (dropped or behind) and not made:
        # num_frames of HuMo Embeds counts no references, that of Phantom Embeds does.
        count = low[0] + dropped - reference_latents("high_embeds", both["high_embeds"])
        way = f"make high_embeds for {frame_count(count)} frames"
        if behind:
            way += ", or leave reference_images of HuMo Embeds unconnected"
    elif apart:
        way = f"the end image of {apart[0]} stands in a latent of its own; make it with fun_or_fl2v_model on"
    elif made:
        way = "set width, height and num_frames here to those of the embeds"
    else:
        way = "make both for the same width, height and num_frames"
    drops = f", of which its sampler drops {dropped} (references)" if dropped else ""
    more = f", {behind} of them for HuMo's references behind the clip" if behind else ""
    fewer = high[0] - dropped < low[0] and high[1:] == low[1:]
    silent = " (the wrapper would repeat the first one silently)" if fewer else ""
    return SVIError(
        f"high_embeds are for {times(high)} latents (T x h x w){drops}, low_embeds for {times(low)}{more}: both stages "
        f"sample the same latents{silent}; {way}"
    )


def times(size: Sequence[int]) -> str:
    """8 x 8."""
    return " x ".join(map(str, size))
