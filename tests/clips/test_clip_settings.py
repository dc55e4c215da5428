"""Settings and inputs are the node's own: a field for each widget, with its default, checked when they are made."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clips.custom.settings import CustomConnected, CustomInputs, CustomSettings
from wanvideo_svi.svi_embeds.clips.inpaint.settings import MaskInputs, MaskSettings
from wanvideo_svi.svi_embeds.clips.latents.settings import LatentConnected, LatentInputs, LatentSettings
from wanvideo_svi.svi_embeds.clips.pixels.settings import ClipInputs, ClipSettings, Connected
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.settings import filled
from wanvideo_svi.svi_embeds.pair.plan import PairInputs, PairSettings

ENCODER = {"vae", "tiled_vae", "force_offload"}  # what an `Encoder` is made of
NODES: dict[str, tuple[Any, Any, set[str]]] = {
    "WanVideoSVIEmbeds": (ClipSettings, ClipInputs, ENCODER),
    "WanVideoSVILatentEmbeds": (LatentSettings, LatentInputs, set()),
    "WanVideoI2VCustomEmbeds": (CustomSettings, CustomInputs, ENCODER),
    "WanVideoSVITemporalMask": (MaskSettings, MaskInputs, set()),
    "WanVideoHighLowPair": (PairSettings, PairInputs, {"high_model", "low_model"}),
}
CONNECTED = {
    "WanVideoSVIEmbeds": Connected,
    "WanVideoSVILatentEmbeds": LatentConnected,
    "WanVideoI2VCustomEmbeds": CustomConnected,
}
SETTINGS = [kind for kind, *_ in NODES.values()]


def inputs_of(node: str) -> dict[str, dict[str, Any]]:
    groups = NODE_CLASS_MAPPINGS[node].INPUT_TYPES()
    return {name: spec[1] for group in ("required", "optional") for name, spec in groups[group].items()}


@pytest.mark.parametrize("node", NODES)
def test_every_widget_is_a_field_of_the_settings_with_the_same_default(node: str) -> None:
    kind, _, others = NODES[node]
    widgets = {name: spec["default"] for name, spec in inputs_of(node).items() if "default" in spec}
    wanted = {name: (type(value), value) for name, value in widgets.items() if name not in others}
    assert {field.name: (type(field.default), field.default) for field in fields(kind)} == wanted


@pytest.mark.parametrize("node", NODES)
def test_every_other_input_is_a_field_of_the_inputs(node: str) -> None:
    _, kind, others = NODES[node]
    required = NODE_CLASS_MAPPINGS[node].INPUT_TYPES()["required"]
    sockets = {name for name, spec in inputs_of(node).items() if "default" not in spec} - others
    assert {field.name for field in fields(kind)} == sockets
    assert {field.name for field in fields(kind) if field.default is MISSING} == sockets & set(required)


@pytest.mark.parametrize("node", CONNECTED)
def test_what_is_counted_is_an_input_of_the_node(node: str) -> None:
    assert {field.name for field in fields(CONNECTED[node])} <= set(inputs_of(node))


@pytest.mark.parametrize(("kind", "name"), [(kind, field.name) for kind in SETTINGS for field in fields(kind)])
def test_no_field_takes_a_value_that_is_none(kind: Any, name: str) -> None:
    known = {"boundary": "custom"} if name == "custom_boundary" else {}  # it counts with that one alone
    with pytest.raises(SVIError, match=r"got .*object"):
        kind(**{**known, name: object()})


def test_settings_are_read_by_name_and_what_is_not_there_gets_its_default() -> None:
    values = {"mode": "shot", "width": 64, "vae": object(), "unknown": 5}
    assert filled(ClipSettings, values) == ClipSettings(mode="shot", width=64)


def test_a_mask_for_the_host_is_a_clip_of_the_same_settings() -> None:
    mask = MaskSettings(num_frames=17, width=64, height=96, overlap_frames=1, end_frames=2, keyframes="8", feather=1,
                        outside_region="keep", fun_or_fl2v_model=False)  # fmt: skip
    shared = {field.name for field in fields(MaskSettings)} - {"empty_level"}
    assert {name: getattr(mask.of_clip, name) for name in shared} == {name: getattr(mask, name) for name in shared}
    assert mask.of_clip.mode == "fun_inp"
