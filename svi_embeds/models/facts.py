"""What a model of the wrapper is, read from the object that flows through WANVIDEOMODEL wires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import SVIError
from .names import base_name, noise_stage, wan_version

Kind = Literal["t2v", "i2v", "i2v_22", "i2v_5b", "humo", "humo_small", "fun_control", "ti2v_5b", "unknown"]

_TITLES: dict[Kind, str] = {
    "t2v": "text-to-video",
    "i2v": "image-to-video with image cross-attention (Wan 2.1)",
    "i2v_22": "image-to-video without image cross-attention (Wan 2.2)",
    "i2v_5b": "image-to-video of Wan 2.2 5B (Fun InP)",
    "humo": "HuMo, which follows a voice",
    "humo_small": "the small HuMo (1.7B), which follows a voice",
    "fun_control": "Fun Control",
    "ti2v_5b": "Wan 2.2 5B",
    "unknown": "a model of a kind that this pack does not know",
}
_SMALL_WIDTH = 1536
_MASK = 4  # channels of the packed mask
_CHANNELS_5B = 48  # latent channels of the 5B models, which have a VAE of their own
_FUN_CHANNELS = (32, 48, 52, 148)  # WanVideoWrapper, nodes_sampler.py: what takes a control signal
_TEXT_CHANNELS = 16
VOICE_LAYERS = "audio_proj"  # what the wrapper calls HuMo's layers for a voice


@dataclass(frozen=True, slots=True, repr=False)
class ModelFacts:
    """What a model is.

    in_dim, out_dim: channels it takes and gives. image_attention: it attends to CLIP vision. voice_layers: it has those
    of HuMo.
    name: its file, "" when the wrapper does not say. loras: the files of its LoRAs, as far as they are known.
    unmerged: LoRA weights are applied while sampling. merges: its loader was told to merge LoRAs. fp8_matmul: its
    quantization ends in _fast. gguf: its file is a GGUF.
    """

    in_dim: int
    out_dim: int
    image_attention: bool
    voice_layers: bool = False
    name: str = ""
    loras: tuple[str, ...] = ()
    unmerged: bool = False
    merges: bool = False
    fp8_matmul: bool = False
    gguf: bool = False

    @property
    def kind(self) -> Kind:
        if self.is_5b and self.in_dim == self.out_dim:
            return "ti2v_5b"
        if self.is_5b and self.in_dim == 2 * self.out_dim + _MASK:
            return "i2v_5b"
        if self.voice_layers:
            return "humo_small" if self.in_dim == _TEXT_CHANNELS else "humo"
        if self.in_dim == _TEXT_CHANNELS:
            return "t2v"
        if self.in_dim == 36:
            return "i2v" if self.image_attention else "i2v_22"
        return "fun_control" if self.in_dim in _FUN_CHANNELS else "unknown"

    @property
    def is_5b(self) -> bool:
        """Whether it is one of the 5B models."""
        return self.out_dim == _CHANNELS_5B

    @property
    def takes_image(self) -> bool:
        """Whether its embeds must hold image latents and a mask."""
        return self.kind in ("i2v", "i2v_22", "i2v_5b")

    @property
    def takes_voice(self) -> bool:
        """Whether its embeds are HuMo's."""
        return self.kind in ("humo", "humo_small")

    @property
    def takes_empty(self) -> bool:
        """Whether its embeds must hold a size and nothing else."""
        return self.kind in ("t2v", "ti2v_5b")

    @property
    def version(self) -> str | None:
        """2.1 or 2.2, by its layers or else its name."""
        if self.kind == "i2v" or self.takes_voice:
            return "2.1"
        if self.kind == "i2v_22" or self.is_5b:
            return "2.2"
        return wan_version(self.name)

    @property
    def noise(self) -> str | None:
        """The stage that its name tells: high, low or None."""
        return noise_stage(self.name)

    def __str__(self) -> str:
        name = f"{base_name(self.name)}: " if self.name else ""
        return f"{name}{_TITLES[self.kind]}, {self.in_dim} channels"

    def __repr__(self) -> str:
        return f"ModelFacts({self})"


def model_facts(name: str, model: Any, *, loras: tuple[str, ...] = ()) -> ModelFacts:
    """What `model` (WANVIDEOMODEL, given as input `name`) is.

    loras: files of LoRAs that the object does not name, those of WanVideo Set LoRAs.
    Raises SVIError for anything that is no model of the wrapper.
    """
    transformer = getattr(getattr(model, "model", None), "diffusion_model", None)
    in_dim, out_dim = (getattr(transformer, key, None) for key in ("in_dim", "out_dim"))
    if not (isinstance(in_dim, int) and isinstance(out_dim, int)):
        raise SVIError(f"{name} must be a WANVIDEOMODEL, got {type(model).__name__}: connect WanVideo Model Loader")
    own = _entry(model, "lora") or ()
    named = tuple(str(lora.get("name", "")) for lora in own if isinstance(lora, Mapping) and lora.get("strength") != 0)
    options = getattr(model, "model_options", None) or {}
    return ModelFacts(
        in_dim=in_dim, out_dim=out_dim,
        image_attention=getattr(transformer, "model_type", "") in ("i2v", "fl2v"),
        voice_layers=getattr(transformer, VOICE_LAYERS, None) is not None,
        name=str(_entry(model, "model_name") or ""),
        loras=tuple(dict.fromkeys(base_name(lora) for lora in (*named, *loras) if lora)),
        unmerged=bool(getattr(model, "patches", None)),
        merges=bool(options.get("transformer_options", {}).get("merge_loras", False)),
        fp8_matmul=bool(_entry(model, "fp8_matmul")),
        gguf=_entry(model, "gguf_reader") is not None,
    )  # fmt: skip


def seen_facts(name: str, model: Any) -> ModelFacts | None:
    """The same; None for what cannot be looked into."""
    try:
        return model_facts(name, model)
    except SVIError:
        return None


def _entry(model: Any, key: str) -> Any:
    """A value that the wrapper's loader noted on the model; None where this version notes none."""
    try:
        return model.model[key]
    except (KeyError, TypeError):
        return None


def is_small(model: Any) -> bool:
    """Whether a model of the wrapper is as narrow as the 1.3B and 1.7B ones; False for what cannot be looked into."""
    return getattr(getattr(getattr(model, "model", None), "diffusion_model", None), "dim", None) == _SMALL_WIDTH


def lacks_layers(model: Any, name: str) -> bool:
    """Whether a model of the wrapper has no layers of this name; False for what cannot be looked into."""
    transformer = getattr(getattr(model, "model", None), "diffusion_model", None)
    return transformer is not None and getattr(transformer, name, None) is None


def takes_no_loras(model: Any) -> str:
    """Why LoRAs cannot be put on a loaded model of the wrapper, and what to do; "" where they can, or it is not known.

    Source: the wrapper's sampler of 2026-05-24: without the weights that it was loaded from (`sd`) it puts LoRAs on
    layers that leave them out, silently, and refuses fp8 matmul when it samples.
    """
    try:
        weights, gguf, fp8 = (model.model[key] for key in ("sd", "gguf_reader", "fp8_matmul"))
    except (KeyError, TypeError, AttributeError):
        return ""
    if fp8:
        return "it multiplies in fp8 (quantization with fast): load it with a quantization without"
    if gguf is None and weights is None:
        return "LoRAs were merged into it when it was loaded: turn merge_loras off in WanVideo Lora Select"
    return ""


def is_reloaded(model: Any) -> bool:
    """Whether the wrapper's sampler loads the weights of a loaded model again at every call, from what its loader read;
    also where that is not known. It keeps those that LoRAs were merged into (`sd`, of the sampler of 2026-05-24)."""
    try:
        return model.model["sd"] is not None or model.model["gguf_reader"] is not None
    except (KeyError, TypeError, AttributeError):
        return True
