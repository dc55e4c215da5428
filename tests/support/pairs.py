"""Models as a pair looks at them, and the pair that is planned of two."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from guided import humo
from helpers import sort
from wanvideo_svi.svi_embeds.clips.embeds import Beside, build_embeds, svi_record
from wanvideo_svi.svi_embeds.models.facts import model_facts
from wanvideo_svi.svi_embeds.pair.plan import (
    Pair,
    PairInputs,
    PairSettings,
    plan_pair,
)
from wanvideo_svi.svi_embeds.pair.sigmas import sigmas_of

FRAMES, SIZE = 17, 64


class Model:
    """What the wrapper's loader gives, as far as a pair looks at it."""

    def __init__(
        self, in_dim: int, *, attention: bool = False, name: str = "", out_dim: int = 16, **noted: Any
    ) -> None:
        self.model = self._Inner()
        self.model.diffusion_model = SimpleNamespace(
            in_dim=in_dim, out_dim=out_dim, dim=5120, model_type="i2v" if attention else "t2v"
        )
        self.model.noted = {"model_name": name, "lora": None, "fp8_matmul": False, "gguf_reader": None, **noted}
        self.patches: dict[str, Any] = {}
        self.model_options = {"transformer_options": {"merge_loras": False}}

    class _Inner:
        diffusion_model: Any
        noted: dict[str, Any]

        def __getitem__(self, key: str) -> Any:
            return self.noted[key]


def t2v(name: str = "Wan2_2-T2V-A14B-HIGH", **noted: Any) -> Model:
    return Model(16, name=f"{name}.safetensors", **noted)


def i2v(name: str = "Wan2_1-I2V-14B-480P", **noted: Any) -> Model:
    return Model(36, attention=True, name=f"{name}.safetensors", **noted)


def i2v22(noise: str, **noted: Any) -> Model:
    return Model(36, name=f"Wan2_2-I2V-A14B-{noise}.safetensors", **noted)


def image_embeds(
    *, frames: int = FRAMES, size: int = 8, vision: bool = True, whole: bool = True, channels: int = 16
) -> dict[str, Any]:
    count = (frames - 1) // 4 + 1
    mask = torch.zeros(4, count, size, size)
    mask[:, 0, : size if whole else size // 2] = 1
    record = svi_record(mode="i2v", overlap_frames=1, known_frames="overlap", padding="grey", known_per_frame=[1])
    return dict(
        build_embeds(
            num_frames=frames,
            latents=torch.randn(channels, count, size, size),
            mask=mask,
            record=record,
            beside=Beside(clip_embeds={"clip_embeds": torch.zeros(1, 257, 1280)} if vision else None),
        )
    )


def clean(count: int = 1, *, size: int = 8) -> dict[str, Any]:
    return {"samples": torch.randn(1, 16, count, size, size)}


def pair(high: Any, low: Any, **inputs: Any) -> Pair:
    facts = [
        model_facts(f"{stage}_model", model, loras=inputs.pop(f"{stage}_loras", ()))
        for stage, model in (("high", high), ("low", low))
    ]
    given = {"width": SIZE, "height": SIZE, "num_frames": FRAMES, **inputs}
    settings, connected = sort(given, PairSettings, PairInputs)
    sigmas = sigmas_of(settings.scheduler, settings.steps, settings.shift)
    return plan_pair(*facts, settings, connected, sigmas=sigmas)


def humo_model(
    name: str = "Wan2_1-HuMo-14B_fp8_e4m3fn_scaled_KJ", *, small: bool = False, layers: bool = True
) -> Model:
    """As the wrapper loads it: no image cross-attention, and layers for a voice. layers: False without those."""
    model = Model(16 if small else 36, name=f"{name}.safetensors")
    model.model.diffusion_model.audio_proj = torch.nn.Identity() if layers else None
    return model


def made_for(frames: int, **options: Any) -> dict[str, Any]:
    """HuMo Embeds for a clip of so many frames, with a voice that never is silent."""
    made = humo(count=(frames - 1) // 4 + 1, **options)
    return {**made, "humo_audio_emb": made["humo_audio_emb"] + 1}
