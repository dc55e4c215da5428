"""The nodes as ComfyUI sees them. A saved graph is a promise: the snapshot holds it."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TraceVAE, digest, frames
from native_vae import NativeVAE
from node_calls import call, visible_inputs
from project import DATA, ROOT
from snapshots import check_snapshot
from wanvideo_svi import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS, WEB_DIRECTORY
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.nodes import table

SNAPSHOT = DATA / "nodes.json"
HOST = json.loads((DATA / "host_contract.json").read_text())["nodes"]


HOST_CHOICES = ("file", "lora", "scheduler", "name")  # combos whose values are the host's, or whatever files there are

WIDGET_TYPES = ("INT", "FLOAT", "STRING", "BOOLEAN")


def signature(cls: type) -> dict[str, Any]:
    """What a saved graph depends on: inputs in order with type, default, range and choices, and outputs."""
    inputs = {}
    for group, entries in visible_inputs(cls).items():
        for name, (kind, *rest) in entries.items():
            options = {key: value for key, value in (rest[0] if rest else {}).items() if key != "tooltip"}
            inputs[name] = {"group": group, "type": kind, **options}
    return {"inputs": inputs, "outputs": [list(pair) for pair in zip(cls.RETURN_NAMES, cls.RETURN_TYPES, strict=True)]}


def test_saved_graphs_keep_working() -> None:
    """A change here breaks graphs that people saved: only additions at the end of the inputs are harmless.

    After such an addition write the snapshot anew with UPDATE_SNAPSHOTS=1, and read its diff.
    """
    now = {node_id: signature(cls) for node_id, cls in NODE_CLASS_MAPPINGS.items()}
    recorded = check_snapshot(SNAPSHOT, now)
    moved = [node_id for node_id in now if list(now[node_id]["inputs"]) != list(recorded[node_id]["inputs"])]
    assert not moved, (
        f"inputs of {', '.join(moved)} stand in another order, and saved graphs have values by their place"
    )


def test_every_node_has_a_name_and_stands_in_the_menu() -> None:
    lacks = set(NODE_CLASS_MAPPINGS) - set(NODE_DISPLAY_NAME_MAPPINGS)
    assert not lacks, f"NODE_DISPLAY_NAME_MAPPINGS in the file of the node in wrapper_ext/nodes/ lacks {sorted(lacks)}"
    gone = set(NODE_DISPLAY_NAME_MAPPINGS) - set(NODE_CLASS_MAPPINGS)
    assert not gone, f"NODE_DISPLAY_NAME_MAPPINGS in wrapper_ext/nodes/ names {sorted(gone)}, which are no nodes"
    for node_id, cls in NODE_CLASS_MAPPINGS.items():
        assert cls.CATEGORY == "WanVideoWrapper/SVI", node_id


def test_the_table_has_the_nodes_of_every_file() -> None:
    files = {path.stem for path in Path(table.__file__).parent.glob("*.py")} - {"table"}
    having = {name for name in files if hasattr(import_module(f"{table.__package__}.{name}"), "NODE_CLASS_MAPPINGS")}
    lacks = having - {topic.__name__.rpartition(".")[2] for topic in table._TOPICS}
    assert not lacks, f"ComfyUI gets no node of {sorted(lacks)}: import it in wrapper_ext/nodes/table.py, into _TOPICS"


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_every_input_and_output_is_explained(node_id: str) -> None:
    cls = NODE_CLASS_MAPPINGS[node_id]
    assert len(cls.DESCRIPTION) > 40
    assert len(cls.OUTPUT_TOOLTIPS) == len(cls.RETURN_TYPES) == len(cls.RETURN_NAMES)
    for entries in visible_inputs(cls).values():
        for name, (kind, *options) in entries.items():
            assert options, name
            assert len(options[0]["tooltip"]) > 10, name
            if isinstance(kind, list) and name not in HOST_CHOICES:
                assert all(value.isascii() and value.isidentifier() for value in kind), name
                assert options[0]["default"] in kind


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_what_a_node_shows_comes_from_the_cache_too(node_id: str) -> None:
    """ComfyUI since 0.19 sends what a cached node showed only for outputs and for nodes that say so."""
    cls = NODE_CLASS_MAPPINGS[node_id]
    if not getattr(cls, "OUTPUT_NODE", False):
        assert getattr(cls, "HAS_INTERMEDIATE_OUTPUT", False) == ('"ui": ' in inspect.getsource(cls))


MOST_IN_SIGHT = 8
SAMPLES_ITSELF = {"WanVideoSVILongVideoNative"}  # steps and cfg are on the node, not on a settings node


def widgets_of(cls: type) -> dict[str, dict[str, Any]]:
    """Options of the inputs that have a widget, by name, in the order of a saved graph's widgets_values."""
    return {
        name: options[0]
        for entries in visible_inputs(cls).values()
        for name, (kind, *options) in entries.items()
        if isinstance(kind, list) or (kind in WIDGET_TYPES and not options[0].get("forceInput"))
    }


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_at_most_eight_widgets_stay_in_sight(node_id: str) -> None:
    widgets = widgets_of(NODE_CLASS_MAPPINGS[node_id])
    folded = {name for name, options in widgets.items() if options.get("advanced")}
    assert len(widgets) - len(folded) <= MOST_IN_SIGHT + 2 * (node_id in SAMPLES_ITSELF)
    assert len(folded) != 1, "one folded widget gives its row to the button that shows it"
    assert all("default" in widgets[name] for name in folded), "what one must choose stays in sight"
    flagged = {
        name
        for entries in visible_inputs(NODE_CLASS_MAPPINGS[node_id]).values()
        for name, (_, *options) in entries.items()
        if "advanced" in options[0]
    }
    assert flagged == folded, "inputs without a widget cannot be folded"


def test_the_page_knows_every_node_that_folds() -> None:
    script = (ROOT / WEB_DIRECTORY / "svi_folded.js").read_text(encoding="utf-8")
    known = re.findall(r'"(WanVideo\w+)"', script)
    folding = [
        node_id
        for node_id, cls in NODE_CLASS_MAPPINGS.items()
        if any(options.get("advanced") for options in widgets_of(cls).values())
    ]
    assert sorted(known) == sorted(folding)


@pytest.mark.parametrize(
    ("node_id", "linked", "asked_for"),
    [
        ("WanVideoSVIEmbeds", "keyframe_images", "keyframes"),
        ("WanVideoSVITemporalMask", "keyframe_images", "keyframes"),
        ("WanVideoSVILongVideo", "low_noise_model", "split_step"),
        ("WanVideoSVILatentEmbeds", "prev_samples", "latent_space"),
        ("WanVideoI2VCustomEmbeds", "concat_mask", "mask_polarity"),
        ("WanVideoSVIAudioWindow", "multitalk_embeds", "clip_index"),
        ("WanVideoSVIPoseWindow", "unianimate_poses", "clip_index"),
    ],
)
def test_what_a_linked_input_asks_for_stays_in_sight(node_id: str, linked: str, asked_for: str) -> None:
    cls = NODE_CLASS_MAPPINGS[node_id]
    assert any(linked in entries for entries in visible_inputs(cls).values())
    assert "advanced" not in widgets_of(cls)[asked_for]


def test_inputs_shared_with_the_host_keep_its_names_types_and_defaults() -> None:
    theirs = HOST["WanVideoImageToVideoEncode"]["input"]
    theirs = {**theirs["required"], **theirs["optional"]}
    groups = NODE_CLASS_MAPPINGS["WanVideoSVIEmbeds"].INPUT_TYPES()
    ours = {**groups["required"], **groups["optional"]}
    assert set(theirs) - set(ours) == {"augment_empty_frames", "empty_frame_pad_image"}
    for name in set(theirs) & set(ours):
        kind, *options = theirs[name]
        # The VAE may be ComfyUI's too; whatever a saved graph links still fits.
        assert ours[name][0] == ("WANVAE,VAE" if name == "vae" else kind), name
        if options and "default" in options[0]:
            assert ours[name][1]["default"] == options[0]["default"], name


def test_embeds_node_gives_embeds_both_masks_and_info() -> None:
    answer = call(
        "WanVideoSVIEmbeds", vae=TraceVAE(), mode="shot", width=64, height=64, start_image=frames(81),
        ref_image=frames(seed=1),
    )  # fmt: skip
    embeds, known, concat, info = answer["result"]
    assert embeds["image_embeds"].shape == (16, 21, 8, 8)
    assert known[:, 0, 0].tolist() == [1.0] + [0.0] * 80
    assert torch.equal(known + concat, torch.ones(81, 8, 8))
    assert info.startswith("shot: 81 frames at 64x64")
    assert answer["ui"] == {"images": []}, "outside ComfyUI there is nowhere to show a picture"


def test_force_offload_moves_the_vae_and_off_leaves_it() -> None:
    for force_offload, moves in ((True, 2), (False, 1)):
        vae = TraceVAE()
        call("WanVideoSVIEmbeds", vae=vae, width=64, height=64, start_image=frames(5), force_offload=force_offload)
        assert len(vae.devices) == moves


def test_embeds_node_says_what_to_install_when_the_host_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy, "running", lambda: True)
    monkeypatch.setattr(comfy, "has_wrapper", lambda: False)
    with pytest.raises(SVIError, match="ComfyUI-WanVideoWrapper is not installed: install it with ComfyUI-Manager"):
        call("WanVideoSVIEmbeds", vae=TraceVAE(), width=64, height=64, start_image=frames(5))


def test_embeds_node_needs_no_wrapper_with_comfyuis_own_vae(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy, "has_wrapper", lambda: False)
    monkeypatch.setattr(comfy, "require_wrapper", lambda: pytest.fail("asked for"))
    embeds = call("WanVideoSVIEmbeds", vae=NativeVAE(), width=64, height=64, start_image=frames(5))["result"][0]
    assert embeds["image_embeds"].shape == (16, 21, 8, 8)
    custom = call("WanVideoI2VCustomEmbeds", vae=NativeVAE(), width=64, height=64, length=81, start_image=frames(5))[
        "result"
    ][0]
    assert torch.equal(custom["image_embeds"], embeds["image_embeds"])


def test_a_vae_input_takes_both_kinds_by_a_type_that_frontends_split() -> None:
    """At commas alone: a space would become part of the type."""
    for node_id in ("WanVideoSVIEmbeds", "WanVideoI2VCustomEmbeds"):
        groups = NODE_CLASS_MAPPINGS[node_id].INPUT_TYPES()
        assert {**groups["required"], **groups["optional"]}["vae"][0] == "WANVAE,VAE"


def test_motion_frames_are_the_tail_and_the_first_of_them_is_for_clip_vision() -> None:
    clip = frames(17)
    motion, rest, first, info = call("WanVideoSVIMotionFrames", images=clip)
    assert torch.equal(motion, clip[-5:])
    assert torch.equal(rest, clip[:-5])
    assert torch.equal(first, clip[12:13])
    assert info == "17 frames: 12 + 5 motion frames"
    info = call("WanVideoSVIMotionFrames", images=frames(17, channels=4))[3]
    assert info.splitlines()[1] == "- alpha of images was dropped"


def test_motion_frames_leave_something_of_the_clip() -> None:
    with pytest.raises(SVIError, match="smaller than the clip, got 5 of 5 frames"):
        call("WanVideoSVIMotionFrames", images=frames(5))


@pytest.mark.parametrize(
    ("node_id", "name", "others"),
    [
        ("WanVideoSVIMotionFrames", "images", {}),
        ("WanVideoSVIStitch", "images_1", {"images_2": frames(9)}),
        ("WanVideoSVIStitch", "images_2", {"images_1": frames(9)}),
        ("WanVideoSVIStitch", "color_reference", {
            "images_1": frames(9), "images_2": frames(9), "color_match": "mean_std",
        }),
        ("WanVideoSVIPoseWindow", "pose_images", {"width": 64, "height": 64, "num_frames": 17}),
        ("WanVideoSVIDrift", "images", {"clip_frames": 3}),
        ("WanVideoSVIDrift", "reference", {"images": frames(9), "clip_frames": 3}),
    ],
)  # fmt: skip
def test_frames_that_a_decode_spoilt_go_no_further(node_id: str, name: str, others: dict[str, Any]) -> None:
    spoilt = frames(9)
    spoilt[0, 0, 0, 0] = torch.nan
    with pytest.raises(SVIError, match=f"{name} has NaN or infinite pixels: the node before it failed"):
        call(node_id, **{name: spoilt}, **others)


def test_stitch_node_joins_and_says_where_frames_went() -> None:
    images, info = call("WanVideoSVIStitch", images_1=frames(17), images_2=frames(17, channels=4))
    assert len(images) == 29
    assert info.splitlines() == ["17 + 17 - 5 (start of the later clip) = 29 frames", "- alpha of images_2 was dropped"]
    _, info = call("WanVideoSVIStitch", images_1=frames(17), images_2=frames(17), overlap_frames=1, drop="old")
    assert info == "17 + 17 - 1 (end of the earlier clip) = 33 frames"


def test_stitch_says_that_a_colour_reference_is_not_used() -> None:
    given = {"images_1": frames(17), "images_2": frames(17), "color_reference": frames(1)}
    assert "color_reference is not used: color_match is off" in call("WanVideoSVIStitch", **given)[1]
    assert "not used" not in call("WanVideoSVIStitch", **given, color_match="mean_std")[1]


def test_mask_polarity_gives_both_views_of_one_fact() -> None:
    concat = torch.ones(81, 4, 4)
    concat[0] = 0
    known, same, info = call("WanVideoSVIMaskPolarity", mask=concat)
    assert torch.equal(same, concat)
    assert torch.equal(known, 1 - concat)
    assert "known_mask (wrapper temporal_mask): 1 white + 80 black (kept: 0)" in info
    assert "concat_mask (native, VACE, WanEx): 1 black + 80 white" in info
    again, back, _ = call("WanVideoSVIMaskPolarity", mask=known, mask_is="known_mask")
    assert torch.equal(again, known)
    assert torch.equal(back, concat)


def test_mask_polarity_asks_about_a_mask_that_looks_like_the_other_view() -> None:
    known = torch.zeros(81, 4, 4)
    known[0] = 1
    note = "- most frames are kept, but not the first: is mask a known_mask? Then set mask_is to it"
    assert call("WanVideoSVIMaskPolarity", mask=known)[2].splitlines()[-1] == note
    assert "most frames" not in call("WanVideoSVIMaskPolarity", mask=known, mask_is="known_mask")[2]


def test_mask_polarity_refuses_a_view_it_does_not_know() -> None:
    with pytest.raises(SVIError, match="mask_is must be one of known_mask, concat_mask; got 'native'"):
        call("WanVideoSVIMaskPolarity", mask=torch.ones(9, 4, 4), mask_is="native")


def test_mask_polarity_refuses_a_2d_mask() -> None:
    with pytest.raises(SVIError, match="mask must have 3 axes"):
        call("WanVideoSVIMaskPolarity", mask=torch.ones(4, 4))


def test_nodes_leave_their_inputs_as_they_were() -> None:
    inputs = {"images_1": frames(17), "images_2": frames(17), "images": frames(17), "mask": torch.rand(9, 4, 4)}
    before = digest(inputs)
    call("WanVideoSVIStitch", images_1=inputs["images_1"], images_2=inputs["images_2"])
    call("WanVideoSVIMotionFrames", images=inputs["images"])
    call("WanVideoSVIMaskPolarity", mask=inputs["mask"])
    call("WanVideoSVIEmbeds", vae=TraceVAE(), width=64, height=64, start_image=inputs["images"])
    assert digest(inputs) == before


def latent(count: int = 1, *, seed: int = 0) -> dict[str, torch.Tensor]:
    return {"samples": torch.randn(1, 16, count, 8, 8, generator=torch.Generator().manual_seed(seed))}


def test_latent_embeds_node_gives_embeds_masks_info_and_the_frames_to_trim() -> None:
    vision = {"clip_embeds": torch.ones(1, 2, 3)}
    answer = call("WanVideoSVILatentEmbeds", anchor_samples=latent(), prev_samples=latent(21, seed=1), motion_latents=2,
                  clip_embeds=vision)  # fmt: skip
    embeds, known, concat, info, overlap = answer["result"]
    assert overlap == 9
    assert embeds["clip_context"] is vision["clip_embeds"]
    assert known[:, 0, 0].tolist() == [1.0] + [0.0] * 80
    assert concat[:, 0, 0].tolist() == [0.0] + [1.0] * 80
    assert info.startswith("svi2_pro: 81 frames")
    assert answer["ui"] == {"images": []}


def test_custom_embeds_node_gives_its_outputs_in_order() -> None:
    vision = {"clip_embeds": torch.ones(1, 2, 3)}
    concat_mask = torch.ones(17, 8, 8)
    concat_mask[0] = 0
    given = latent(5)
    answer = call("WanVideoI2VCustomEmbeds", width=64, height=64, length=17, concat_latent_image=given,
                  concat_mask=concat_mask, latent_space="wrapper", clip_embeds=vision)  # fmt: skip
    embeds, preview, concat, known, info = answer["result"]
    assert torch.equal(preview["samples"], given["samples"])
    assert torch.equal(concat, concat_mask)
    assert torch.equal(known, 1 - concat_mask)
    assert embeds["clip_context"] is vision["clip_embeds"]
    assert info.startswith("custom: 17 frames at 64x64")
    preview["samples"].zero_()
    assert float(embeds["image_embeds"].abs().max()) > 0, "the preview is a copy"


def test_custom_embeds_node_moves_the_vae_and_passes_on_how_to_encode() -> None:
    for force_offload, moves in ((True, 2), (False, 1)):
        vae = TraceVAE()
        call("WanVideoI2VCustomEmbeds", vae=vae, width=64, height=64, length=17, start_image=frames(5), tiled_vae=True,
             force_offload=force_offload)  # fmt: skip
        assert len(vae.devices) == moves
        assert vae.calls[0]["tiled"] is True


@pytest.mark.parametrize("node_id", ["WanVideoSVIEmbeds", "WanVideoI2VCustomEmbeds"])
def test_cancel_is_asked_for_before_the_vae_runs(node_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class CancelledError(Exception):
        pass

    def cancel() -> None:
        raise CancelledError

    monkeypatch.setattr(comfy, "stop_if_cancelled", cancel)
    vae = TraceVAE()
    with pytest.raises(CancelledError):
        call(node_id, vae=vae, width=64, height=64, start_image=frames(5))
    assert not vae.devices


def test_temporal_mask_node_gives_its_outputs_in_order() -> None:
    answer = call("WanVideoSVITemporalMask", width=64, height=64, num_frames=17, motion_frames=frames(17))
    made, temporal, concat, fun, info = answer["result"]
    assert made.shape == (17, 64, 64, 3)
    assert temporal[:, 0, 0].tolist() == [1.0] * 5 + [0.0] * 12
    assert torch.equal(concat, 1 - temporal)
    assert fun is True
    assert info.splitlines()[1] == "█████" + "·" * 12


def test_reference_canvas_node_takes_references_in_the_order_of_their_names() -> None:
    black, grey = torch.zeros(1, 40, 40, 3), torch.full((1, 40, 40, 3), 0.5)
    answer = call("WanVideoReferenceCanvas", width=320, height=192, image_1=black, image_3=None, image_2=grey)
    canvas, region, boxes, info = answer["result"]
    (x1, y1, *_), (x2, y2, *_) = boxes
    assert canvas[0, y1, x1].tolist() == [0.0] * 3
    assert canvas[0, y2, x2].tolist() == pytest.approx([0.5] * 3, abs=0.01)
    assert region[0, y1, x1] == region[0, y2, x2] == 1
    assert info.splitlines()[0] == "2 references on 320x192"
