"""What the page asks of a Long Video node, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.settings import filled
from ...svi_embeds.story.settings import ChainConnected, ChainSettings
from ..render.mend import MEND_LIMIT
from ..running.around import loras_of

MAX_STORY = 2**20  # characters
_INTS = ("width", "height", "num_frames", "overlap_frames", "seed", "split_step", "takes")
_FLOATS = ("fps", "color_match_strength")
_BOOLS = ("resume", "fun_or_fl2v_model", "tiled_vae", "skip_repeated")
_TEXTS = ("story", "mode", "reel", "negative_prompt", "color_match", "color_match_to", "mend")
_MAX_WORD = 1000  # characters of a choice or a name

# Nodes that give one image, and the settings node, whose inputs tell whether there is something to follow.
ONE_IMAGE = ("LoadImage", "LoadImageOutput")
_SETTINGS = "WanVideoSamplerSettings"
_GUIDES = ("multitalk_embeds", "unianimate_poses")
_NO_GUIDE = "WanVideoEmptyEmbeds"


class TooMuchError(SVIError):
    """More than is planned while someone types; the node itself may take it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A node as the page sees it. guided: whether the settings node may bring a voice or poses. text: whether it may
    bring text_embeds. loras: files of those on the model. native: whether ComfyUI's own nodes sample; steps: of these,
    None where that is not known."""

    values: Mapping[str, Any]
    linked: frozenset[str]
    connected: Mapping[str, str]
    guided: bool
    text: bool
    loras: tuple[str, ...] = ()
    desk: bool = False
    native: bool = False
    steps: int | None = None

    @staticmethod
    def read(node: Any) -> Question:
        """Raises SVIError for what no page of this pack sends."""
        if not isinstance(node, dict):
            raise SVIError("a node must be a JSON object")
        given, linked = node.get("values"), node.get("linked")
        if not isinstance(given, dict) or not isinstance(linked, list):
            raise SVIError("a node must have values by name and a list of linked ones")
        values: dict[str, Any] = {name: _number(name, given.get(name)) for name in (*_INTS, *_FLOATS)}
        for name in _BOOLS:
            if not isinstance(given.get(name), bool):
                raise SVIError(f"{name} must be true or false")
            values[name] = given[name]
        for name in _TEXTS:
            text = given.get(name)
            most = MAX_STORY if name in ("story", "negative_prompt") else _MAX_WORD
            if not isinstance(text, str):
                raise SVIError(f"{name} must be text")
            if len(text) > most:
                raise TooMuchError(f"{name} has {len(text)} characters, more than {most}")
            values[name] = text
        limit = given.get("mend_limit", MEND_LIMIT)  # decides nothing of the plan
        values["mend_limit"] = _number("mend_limit", limit)
        connected = _connected(node.get("connected"))
        sampler = node.get("sampler")
        loras, desk = loras_of(node.get("around")), node.get("desk") is True
        if "model" in connected:  # ComfyUI's own sampling: nothing to follow, and the prompts are encoded
            steps = given.get("steps")
            known = isinstance(steps, int) and "steps" not in linked and "sigmas" not in connected
            return Question(
                values, frozenset(map(str, linked)), connected, guided=False, text=False, loras=loras, desk=desk,
                native=True, steps=steps if known else None,
            )  # fmt: skip
        if connected.get("sampler_inputs") != _SETTINGS or not isinstance(sampler, dict):
            return Question(
                values, frozenset(map(str, linked)), connected, guided=True, text=True, loras=loras, desk=desk
            )
        behind = _connected(sampler)
        follows = any(name in behind for name in _GUIDES)
        embeds = behind.get("image_embeds", _NO_GUIDE) != _NO_GUIDE
        return Question(
            values, frozenset(map(str, linked)), connected, guided=follows or embeds, text="text_embeds" in behind,
            loras=loras, desk=desk,
        )  # fmt: skip

    def settings(self) -> ChainSettings:
        """Raises SVIError as the node does."""
        return filled(ChainSettings, self.values)

    def chain(self, start_frames: int | None = None, length: int | None = None) -> ChainConnected:
        """What is connected. start_frames: how many start_image is taken to have; None: one where that is not known."""
        there = self.connected.keys()
        texts = [name for name in ("t5", "clip", "text_embeds") if name in there]
        if self.text and not texts:
            texts = ["text_embeds"]
        start = self.count("start_image") if start_frames is None else start_frames
        return ChainConnected(
            start_frames=1 if start is None else start, reference_frames=int("ref_image" in there),
            end_images=self.count("end_images"), start_images=self.count("start_images"), length=length,
            first_clip_model="first_clip_model" in there,
            first_clip_low_noise_model="first_clip_low_noise_model" in there,
            low_noise=not there.isdisjoint(("low_noise_model", "low_noise_sampler_inputs")), texts=tuple(texts),
            clip_vision="clip_vision" in there,
        )  # fmt: skip

    def count(self, name: str) -> int | None:
        """Images at an input; None where that is not known before the run."""
        if name not in self.connected:
            return 0
        return 1 if self.connected[name] in ONE_IMAGE else None


def _number(name: str, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 2**64:
        raise SVIError(f"{name} must be a number")
    if name in (*_FLOATS, "mend_limit"):
        return float(value)
    if value != int(value):
        raise SVIError(f"{name} must be a whole number, got {value}")
    return int(value)


def _connected(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(kind, str) for kind in value.values()):
        raise SVIError("connected must be types of nodes by name of the input")
    return value
