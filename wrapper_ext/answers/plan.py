"""What the strips on the nodes ask: the plan of a node, from its widgets and from what is connected.

Counts of images and latents are not known before the run. Where the node that an input comes from does not tell, the
usual is assumed, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ...svi_embeds.clips.custom.decide import decide_custom, strip_of_custom
from ...svi_embeds.clips.custom.settings import CustomConnected, CustomSettings
from ...svi_embeds.clips.inpaint.decide import decide_temporal_mask, strip_of_mask
from ...svi_embeds.clips.inpaint.settings import MODE, MaskSettings
from ...svi_embeds.clips.latents.decide import decide_latent_clip, strip_of_latents
from ...svi_embeds.clips.latents.settings import LatentConnected, LatentSettings
from ...svi_embeds.clips.pixels.decide import decide_clip
from ...svi_embeds.clips.pixels.settings import ClipSettings, Connected
from ...svi_embeds.clips.pixels.show import strip_of_clip
from ...svi_embeds.clips.strip import Strip
from ...svi_embeds.clips.vae import CHANNELS
from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.checks import check_dict
from ...svi_embeds.ground.json_text import read_json
from ...svi_embeds.ground.settings import filled
from ...svi_embeds.masks.keyframes import parse_keyframes
from ...svi_embeds.recipes import RECIPES
from ...svi_embeds.story.holocine import plan_scene, strip_of_scene
from ...svi_embeds.timeline import latent_count
from ..nodes.table import NODE_CLASS_MAPPINGS
from ..running.around import loras_of, note_on_size, notes_on_loras

MAX_PLANS = 64  # in one request
MAX_FRAMES = 10_001  # of one clip, as many as the nodes' widgets give
MAX_KEYFRAMES = 1000
MAX_CHARACTERS = 4 * 2**20
_MAX_SAID = 2000  # characters of one error, which may quote a setting

# Node types by what comes out of them: one image, or a whole clip.
_ONE_IMAGE = {"LoadImage", "LoadImageOutput", "WanVideoReferenceCanvas"}
_WHOLE_CLIP = {
    "WanVideoDecode", "VAEDecode", "VAEDecodeTiled", "VHS_LoadVideo", "VHS_LoadVideoPath", "WanVideoSVIReelFrames",
    "WanVideoSVIStitch",
}  # fmt: skip


class _TooLongError(SVIError):
    """What the node runs, but its strip does not show."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """How many frames or latents an input is taken to have. sure: whether the node that it comes from tells."""

    name: str
    count: int
    said: str
    sure: bool = False


@dataclass
class Asked:
    """One node: its settings, the defaults filled in, and by input the type of the node that it comes from."""

    values: dict[str, Any]
    connected: dict[str, str]
    assumed: list[Assumed] = field(default_factory=list)

    def whole(self, name: str) -> int:
        """A setting as a count, 0 when it is none: what is wrong with it is said by the plan."""
        value = self.values.get(name)
        return value if isinstance(value, int) and 0 < value <= MAX_FRAMES else 0

    def frames(self, name: str, usual: int) -> int:
        """Frames of an IMAGE input. usual: what a batch there has at least, when the plan is to work."""
        source = self.connected.get(name)
        if source is None:
            return 0
        usual = max(usual, 1)
        if source in _ONE_IMAGE:
            self.assumed.append(Assumed(name, 1, f"1 image ({source})", sure=True))
            return 1
        if source in _WHOLE_CLIP:
            count = max(usual, self.whole("num_frames") or self.whole("length"), 5)
            self.assumed.append(Assumed(name, count, f"a whole clip ({source}), {count} frames assumed"))
            return count
        said = f"{'at least ' if name in ('start_image', 'motion_frames') else ''}{usual}"
        self.assumed.append(Assumed(name, usual, f"{said} frame{'s' if usual > 1 else ''} assumed"))
        return usual

    def latents(self, name: str, usual: int) -> int | None:
        """Latents of a LATENT input, None when it is not connected."""
        if name not in self.connected:
            return None
        usual = max(usual, 1)
        self.assumed.append(Assumed(name, usual, f"{usual} latent{'s' if usual > 1 else ''} assumed"))
        return usual

    def keyframe_images(self) -> int:
        try:
            frames = parse_keyframes(self.values["keyframes"], num_frames=self.values["num_frames"])
        except SVIError:  # the plan says so
            frames = ()
        if len(frames) > MAX_KEYFRAMES:
            raise _TooLongError(f"the strip shows up to {MAX_KEYFRAMES} keyframes, here are {len(frames)}")
        return self.frames("keyframe_images", len(frames))


@lru_cache(maxsize=16)
def _inputs(node: str) -> dict[str, Any]:
    """Every input of one of this pack's nodes, with its default where it has one."""
    groups = NODE_CLASS_MAPPINGS[node].INPUT_TYPES()
    return {name: spec[1] for group in groups.values() for name, spec in group.items()}


def _clip(asked: Asked) -> Strip:
    row = RECIPES.get(str(asked.values["mode"]))
    connected = Connected(
        start_image=asked.frames("start_image", asked.whole("overlap_frames") or (row.motion_frames if row else 1)),
        ref_image=asked.frames("ref_image", 1),
        end_image=asked.frames("end_image", asked.whole("end_frames")),
        keyframe_images=asked.keyframe_images(),
        temporal_mask="temporal_mask" in asked.connected,
        region="region" in asked.connected,
        control_embeds="control_embeds" in asked.connected,
        extra_latents="extra_latents" in asked.connected,
    )
    return strip_of_clip(decide_clip(filled(ClipSettings, asked.values), connected))


def _mask(asked: Asked) -> Strip:
    connected = Connected(
        start_image=asked.frames("motion_frames", asked.whole("overlap_frames") or RECIPES[MODE].motion_frames),
        end_image=asked.frames("end_image", asked.whole("end_frames")),
        keyframe_images=asked.keyframe_images(),
        region="region" in asked.connected,
    )
    return strip_of_mask(decide_temporal_mask(filled(MaskSettings, asked.values), connected))


def _latents(asked: Asked) -> Strip:
    clip = latent_count(asked.values["num_frames"])
    connected = LatentConnected(
        anchor_samples=asked.latents("anchor_samples", 1) or 1,
        prev_samples=asked.latents("prev_samples", max(clip, asked.whole("motion_latents"))),
        end_samples=asked.latents("end_samples", asked.whole("end_latents")),
    )
    return strip_of_latents(decide_latent_clip(filled(LatentSettings, asked.values), connected))


def _custom(asked: Asked) -> Strip:
    channels = None
    if "concat_latent_image" in asked.connected:
        channels = 2 * CHANNELS if asked.values["concat_mask_index"] == CHANNELS else CHANNELS
        asked.assumed.append(Assumed("concat_latent_image", channels, f"{channels} channels assumed"))
    connected = CustomConnected(
        concat_latent_image=channels,
        start_image=asked.frames("start_image", 1),
        vae="vae" in asked.connected,
        concat_mask="concat_mask" in asked.connected,
    )
    return strip_of_custom(decide_custom(filled(CustomSettings, asked.values), connected))


def _scene(asked: Asked) -> Strip:
    return strip_of_scene(plan_scene(**asked.values))


_PLANS: dict[str, Callable[[Asked], Strip]] = {
    "WanVideoSVIEmbeds": _clip,
    "WanVideoSVITemporalMask": _mask,
    "WanVideoSVILatentEmbeds": _latents,
    "WanVideoI2VCustomEmbeds": _custom,
    "WanVideoHoloCinePrompt": _scene,
}


def plan_of(question: object) -> dict[str, Any]:
    """The strip of one node, or {"error"}, what its run would say, or {"beyond"}, why it is not shown.

    Each with what was assumed.

    question: {"node", "values", "connected", "linked"}: a node's type; its widgets' values by name; by name of a
    connected input the type of the node that it comes from; names of widgets whose value comes from a link.
    """
    asked = Asked({}, {})
    linked: list[str] = []
    try:
        given = check_dict("a plan's question", question, "the page sends one")
        node, linked = _read_question(given, asked)
        shown = {**_PLANS[node](asked).as_json(), **_said(asked, linked)}
        shown["notes"] += _notes_on(node, asked, linked, given.get("around"))
        return shown
    except _TooLongError as error:
        return {"beyond": str(error), **_said(asked, linked)}
    except SVIError as error:
        said = str(error)
        return {"error": said if len(said) <= _MAX_SAID else f"{said[:_MAX_SAID]}...", **_said(asked, linked)}


def _notes_on(node: str, asked: Asked, linked: list[str], around: Any) -> list[str]:
    """What stands around the node and does not fit it."""
    values = asked.values
    notes = [] if {"width", "height"} & {*linked} else note_on_size(around, values.get("width"), values.get("height"))
    mode = "svi2_pro" if node == "WanVideoSVILatentEmbeds" else values.get("mode")
    return notes + (notes_on_loras([mode], loras_of(around)) if isinstance(mode, str) and "mode" not in linked else [])


def _said(asked: Asked, linked: list[str]) -> dict[str, Any]:
    return {
        "assumed": [
            {"name": each.name, "count": each.count, "said": f"{each.name}: {each.said}", "sure": each.sure}
            for each in asked.assumed
        ],
        "linked": [f"{name}: from link, {_short(asked.values[name])} assumed" for name in linked],
    }


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:40]}..."


def _read_question(given: dict[str, Any], asked: Asked) -> tuple[str, list[str]]:
    """The node's type and its linked widgets; settings and connections go into `asked`."""
    node = given.get("node")
    if not isinstance(node, str) or node not in _PLANS:
        raise SVIError(f"there is no plan for {_short(node)}: one of {', '.join(_PLANS)}")
    inputs = _inputs(node)
    asked.values.update({name: options["default"] for name, options in inputs.items() if "default" in options})
    values, connected, linked = (given.get(name, kind()) for name, kind in _PARTS)
    for (name, kind), part in zip(_PARTS, (values, connected, linked), strict=True):
        if not isinstance(part, kind):
            raise SVIError(f"{name} of a plan's question must be a {kind.__name__}, got {type(part).__name__}")
    for name in asked.values:
        value = values.get(name, asked.values[name])
        if not isinstance(value, (bool, int, float, str)):
            raise SVIError(f"{name} must be a number, a text, true or false, got {type(value).__name__}")
        asked.values[name] = value
    for length in (asked.values.get("num_frames"), asked.values.get("length")):
        if isinstance(length, int) and length > MAX_FRAMES:
            raise _TooLongError(f"the strip shows clips of up to {MAX_FRAMES} frames, got {_short(length)}")
    asked.connected.update({name: str(connected[name])[:200] for name in inputs if name in connected})
    return node, [name for name in asked.values if name in linked]


_PARTS: tuple[tuple[str, type], ...] = (("values", dict), ("connected", dict), ("linked", list))


def answer(body: str) -> tuple[int, dict[str, Any]]:
    """The server's answer to the page: {"plans": questions} -> status and {"plans": answers}, in order."""
    try:
        if len(body) > MAX_CHARACTERS:
            raise SVIError(f"the request has {len(body)} characters, at most {MAX_CHARACTERS} are read")
        asked = read_json(body)
        plans = asked.get("plans") if isinstance(asked, dict) else None
        if not isinstance(plans, list):
            raise SVIError("the request must be a JSON object with a list of plans")
        if len(plans) > MAX_PLANS:
            raise SVIError(f"the request has {len(plans)} plans, at most {MAX_PLANS} are answered at once")
    except ValueError as error:  # SVIError, and JSON that is none
        return 400, {"error": str(error)}
    return 200, {"plans": [plan_of(question) for question in plans]}
