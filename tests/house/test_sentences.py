"""What the core says of bad input, and of good input, word by word.

The words are the way out that a user is given, so a change of them is read: write data/sentences.json anew with
UPDATE_SNAPSHOTS=1, and look at its diff.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import frames, mask_clip
from pairs import Model as PairModel
from pairs import clean, i2v22, image_embeds, pair, t2v
from pro_clips import clip, latent
from project import DATA
from snapshots import check_snapshot
from wanvideo_svi.svi_embeds import recipes, timeline
from wanvideo_svi.svi_embeds.clips.latents.make import _compose
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.masks.known import count_concat, count_known, mask_strip
from wanvideo_svi.svi_embeds.timeline import MAX_FRAMES, Timeline

SNAPSHOT = DATA / "sentences.json"


def inpainted(**inputs: Any) -> Any:
    return mask_clip(**{"num_frames": 17, "width": 64, "height": 64, **inputs})


def lora(name: str) -> dict[str, Any]:
    return {"lora": [{"name": name, "path": f"{name}.safetensors", "strength": 1.0}]}


def fast(name: str) -> Any:
    model = t2v(name, fp8_matmul=True)
    model.patches = {"blocks.0.self_attn.q.weight": [1]}
    return model


def five(name: str = "Wan2_2-TI2V-5B") -> PairModel:
    return PairModel(48, out_dim=48, name=f"{name}.safetensors")


NAN = torch.full((1, 16, 1, 8, 8), float("nan"))
SAYS: dict[str, Callable[[], Any]] = {
    # timeline
    "clip of 0 frames": lambda: timeline.latent_count(0),
    "clip of 1 frame": lambda: timeline.latent_count(1),
    "clip of 2 frames": lambda: timeline.latent_count(2),
    "clip of 80 frames": lambda: timeline.latent_count(80),
    "clip of -3 frames": lambda: timeline.latent_count(-3),
    "longest clip": lambda: timeline.latent_count(MAX_FRAMES),
    "longer than the longest clip": lambda: timeline.latent_count(MAX_FRAMES + 4),
    "0 latents": lambda: timeline.frame_count(0),
    "1 latent": lambda: timeline.frame_count(1),
    "frame -1": lambda: timeline.latent_of_frame(-1),
    "frame 0": lambda: timeline.latent_of_frame(0),
    "latent -1": lambda: timeline.frames_of_latent(-1),
    "latent 0": lambda: timeline.frames_of_latent(0),
    "overlaps of no clips": lambda: timeline.chain_frames([], [1]),
    "overlaps of a clip": lambda: timeline.chain_frames([81], [1, 1]),
    "a chain of 0 frames": lambda: timeline.clips_needed(0, num_frames=81, overlap_frames=5),
    "a chain of 1 frame": lambda: timeline.clips_needed(1, num_frames=81, overlap_frames=5),
    "a negative overlap": lambda: timeline.clips_needed(99, num_frames=81, overlap_frames=-1),
    "no overlap": lambda: timeline.clips_needed(162, num_frames=81, overlap_frames=0),
    "an overlap as long as the clip": lambda: timeline.clips_needed(162, num_frames=81, overlap_frames=81),
    **{
        f"line {inputs}": lambda inputs=inputs: Timeline(**{"num_frames": 17, **inputs})
        for inputs in (
            {"motion_frames": -1}, {"end_frames": -1}, {"end_padding_frames": -1}, {"end_padding_frames": 2},
            {"end_frames": 2, "end_apart": True}, {"end_frames": 1, "end_padding_frames": 0},
            {"motion_frames": 17}, {"motion_frames": 12, "end_frames": 5}, {"motion_frames": 13, "end_frames": 4},
            {"end_frames": 1, "end_padding_frames": 17}, {"end_frames": 1, "end_padding_frames": 15},
            {"keyframes": (-1,)}, {"keyframes": (17,)}, {"keyframes": (16,)}, {"keyframes": (0,)},
            {"keyframes": (1.5,)},
            {"keyframes": (5, 3)}, {"keyframes": (4, 4)}, {"motion_frames": 5, "keyframes": (4,)},
            {"motion_frames": 5, "keyframes": (5,)}, {"end_frames": 1, "keyframes": (16,)},
            {"end_frames": 1, "keyframes": (15,)}, {"keyframes": tuple(range(17))},
            {"motion_frames": 5, "end_frames": 1, "keyframes": tuple(range(5, 16))},
            {"motion_frames": 5, "end_frames": 1, "keyframes": tuple(range(6, 16))},
            {"motion_frames": 1, "end_frames": 1, "end_padding_frames": 3, "keyframes": (14,)},
        )
    },
    # recipes
    "padding of a name": lambda: recipes.resolve_padding(recipes.recipe("film"), "white"),
    "known frames of a name": lambda: recipes.resolve_known(recipes.recipe("film"), "all"),
    "end padding of a name": lambda: recipes.resolve_end_padding("grey", "white"),
    "end padding same": lambda: recipes.resolve_end_padding("grey", "same"),
    "a mode of a name": lambda: recipes.recipe("flim"),
    # masks
    "a mask counted": lambda: count_known([1.0, 0.5, 0.0, 0.0]),
    "a mask counted in the other view": lambda: count_concat([1.0, 0.5, 0.0, 0.0]),
    "a mask as signs": lambda: mask_strip([1.0, 0.5, 0.0], signs="#+."),
    # temporal mask
    **{
        f"empty level {level!r}": lambda level=level: inpainted(motion_frames=frames(5), empty_level=level).info
        for level in (True, "grey", -0.1, 1.1, 0, 1, 0.5)
    },
    "end frames, on": lambda: inpainted(motion_frames=frames(5), end_image=frames(1)).info,
    "end frames, off": lambda: inpainted(
        motion_frames=frames(1), end_image=frames(1), overlap_frames=1, fun_or_fl2v_model=False
    ).info,
    "a bad end": lambda: inpainted(motion_frames=frames(5), end_image=frames(1)[0]),
    "a bad keyframe": lambda: inpainted(keyframe_images=frames(1)[0], keyframes="3"),
    "bad motion frames": lambda: inpainted(motion_frames=frames(5)[0]),
    "images with alpha and a coarse region": lambda: inpainted(
        motion_frames=frames(5, channels=4), end_image=frames(1, channels=4), region=torch.ones(1, 5, 5)
    ).info,
    # latents
    **{
        f"latents {name}": lambda inputs=inputs: clip(**inputs).info
        for name, inputs in {
            "plain": {},
            "with motion": {"prev_samples": latent(5)},
            "matched": {"prev_samples": latent(5), "motion_match": 0.5},
            "matched without motion": {"motion_match": 0.5},
            "matched too much": {"motion_match": 1.5},
            "ref_strength nan": {"ref_strength": float("nan")},
            "end_strength nan": {"end_strength": float("nan")},
            "anchor_strength text": {"anchor_strength": "1"},
            "ref_strength without reference": {"ref_strength": 0.5},
            "ref_strength with reference": {"ref_strength": 0.5, "padding": "reference"},
            "end settings without an end": {"end_strength": 0.5, "end_padding": "reference"},
            "end settings with an end": {"end_strength": 0.5, "end_padding": "reference", "end_samples": latent()},
            "clip_embeds": {"clip_embeds": 5},
            "nothing to generate": {"num_frames": 1},
            "full": {"num_frames": 5, "prev_samples": latent(5)},
            "no motion wanted": {"prev_samples": latent(5), "motion_latents": 0},
            "more motion than there is": {"prev_samples": latent(2), "motion_latents": 3},
            "as much motion as there is": {"prev_samples": latent(2), "motion_latents": 2},
            "prev_samples without a latent that shows": {
                "prev_samples": {**latent(1), "drop_last": True, "has_ref": True}
            },
            "negative end": {"end_samples": latent(2), "end_latents": -1},
            "more end than there is": {"end_samples": latent(2), "end_latents": 3},
            "as much end as there is": {"end_samples": latent(2), "end_latents": 2},
            "end of latents that are none": {"end_samples": {"samples": 5}},
            "prev of latents that are none": {"prev_samples": {"samples": 5}},
            "anchor of 48 channels": {"anchor_samples": latent(channels=48)},
            "anchor of odd size": {"anchor_samples": latent(size=(7, 8))},
            "anchor wider than high": {"anchor_samples": latent(size=(8, 12))},
            "end of another size": {"end_samples": latent(size=(8, 10))},
            "prev of another size": {"prev_samples": latent(5, size=(8, 10))},
            "NaN": {"anchor_samples": {"samples": NAN}},
        }.items()
    },
    "an anchor that is not there": lambda: _compose(
        SimpleNamespace(roles=("anchor",)), {"anchor": None, "end": None}, strengths={}  # type: ignore[arg-type]
    ),
    # pairs
    **{
        f"pair {name}": make
        for name, make in {
            "good": lambda: pair(t2v(), t2v("Wan2_2-T2V-A14B-LOW")).info,
            "swapped": lambda: pair(t2v("Wan2_2-T2V-A14B-LOW"), t2v("Wan2_2-T2V-A14B-HIGH")),
            "two high": lambda: pair(t2v(), t2v("Wan2_2-T2V-A14B-HIGH")).info,
            "two low": lambda: pair(t2v("Wan2_2-T2V-A14B-LOW"), t2v("Wan2_2-T2V-A14B-LOW")).info,
            "of two VAEs": lambda: pair(five(), t2v("low")),
            "of 5B": lambda: pair(five(), five(), high_embeds=image_embeds(), clean_latents=clean()).info,
            "all high": lambda: pair(t2v(), t2v("low"), boundary="custom", custom_boundary=0.01).info,
            "all low": lambda: pair(t2v(), t2v("low"), boundary="custom", custom_boundary=0.999999, shift=0.1).info,
            "one high": lambda: pair(t2v(), t2v("low"), steps=2, shift=1.0).info,
            "fp8 with loras, high": lambda: pair(fast("high"), t2v("low")),
            "fp8 with loras, low": lambda: pair(t2v("high"), fast("low")),
            "pusa on another model": lambda: pair(
                t2v(**lora("Wan21_PusaV1_LoRA_14B_rank512")), t2v("Wan2_2-T2V-A14B-LOW")
            ).info,
            "pusa on holocine": lambda: pair(
                t2v("Wan2_2-T2V-HoloCine-HIGH", **lora("Wan21_PusaV1_LoRA_14B_rank512")), t2v("Wan2_2-T2V-HoloCine-LOW")
            ).info,
            "lora of the other stage": lambda: pair(
                t2v(**lora("Wan22_lightning_LOW")), t2v("Wan2_2-T2V-A14B-LOW", **lora("Wan22_lightning_HIGH"))
            ).info,
            "clean without pusa's scheduler": lambda: pair(t2v(), t2v("low"), clean_latents=clean()),
            "clean without pusa": lambda: pair(
                t2v(), t2v("low"), clean_latents=clean(), scheduler="flowmatch_pusa"
            ).info,
            "clean on a model without a name": lambda: pair(
                PairModel(16), PairModel(16), clean_latents=clean(), scheduler="flowmatch_pusa"
            ).info,
            "image models": lambda: pair(i2v22("HIGH"), i2v22("LOW"), high_embeds=image_embeds()).info,
        }.items()
    },
}  # fmt: skip


def said_by(make: Callable[[], Any]) -> str:
    try:
        return str(make())
    except SVIError as error:
        return f"SVIError: {error}"


def test_each_is_said_in_the_recorded_words() -> None:
    check_snapshot(SNAPSHOT, {name: said_by(make) for name, make in SAYS.items()})


@pytest.mark.parametrize("name", SAYS)
def test_no_sentence_is_empty_or_a_programmers(name: str) -> None:
    said = said_by(SAYS[name])
    assert said
    assert "None" not in said
