"""A high and a low noise model that sample one clip together: which steps each runs, and with which embeds.

Every check stands for something that WanVideoWrapper does on such a pair: it crashes with an error that does not say
why, or, worse, samples something else silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from ..clips.embeds import with_clean_latents
from ..clips.vae import latent_size
from ..errors import SVIError
from ..ground.checks import check_choice, check_int
from ..ground.words import write_info
from ..models.facts import ModelFacts
from ..models.names import SVI_ON_CONTROL, base_name, is_holocine, is_humo, is_pusa, is_svi, noise_stage, wan_version
from ..timeline import latent_count
from .embeds import check_pusa_noise, clean_latents_of_both, embeds_of_both
from .plot import draw_sigmas
from .sigmas import PUSA_SCHEDULER, check_boundary, check_schedule, count_high

BOUNDARIES: dict[str, float] = {"t2v": 0.875, "i2v": 0.9}  # Wan-Video/Wan2.2, wan/configs
# Saved graphs hold them: never rename one.
BOUNDARY_CHOICES: tuple[str, ...] = ("auto", *BOUNDARIES, "custom")

_VAE_FACTOR = 8  # pixels per latent in target_shape, for every model


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSettings:
    """The widgets of WanVideoHighLowPair by name, with their defaults.

    width, height: pixels. num_frames: 4k+1. boundary: one of BOUNDARY_CHOICES; auto takes what the high noise model was
    trained with. clean_index: the latent from which clean_latents are kept on, negative: from the end.

    Raises SVIError for a schedule or a boundary that is none.
    """

    width: int = 832
    height: int = 480
    num_frames: int = 81
    steps: int = 8
    shift: float = 5.0
    scheduler: str = "unipc"
    boundary: str = "auto"
    clean_index: int = 0
    custom_boundary: float = 0.9

    def __post_init__(self) -> None:
        check_schedule(self.scheduler, self.steps, self.shift)
        check_choice("boundary", self.boundary, BOUNDARY_CHOICES)
        if self.boundary == "custom":
            check_boundary(self.custom_boundary)
        latent_count(self.num_frames)
        latent_size(_VAE_FACTOR, width=self.width, height=self.height)
        check_int("clean_index", self.clean_index)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PairInputs:
    """What is connected beside the models.

    high_embeds, low_embeds: WANVIDIMAGE_EMBEDS; made here for a text-to-video model, shared when both models take an
    image. clean_latents: LATENT in the wrapper's space.
    """

    high_embeds: object = None
    low_embeds: object = None
    clean_latents: object = None


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A pair decided. sigmas: share of noise at each step. split: the first step of the low noise model.

    high_embeds, low_embeds: WANVIDIMAGE_EMBEDS for the two samplers. clean: (first latent, number) of each run of clean
    latents. notes: what was made or copied, and what users of such a pair regret.
    """

    high: ModelFacts
    low: ModelFacts
    scheduler: str
    steps: int
    shift: float
    boundary: float
    sigmas: tuple[float, ...]
    split: int
    high_embeds: dict[str, Any]
    low_embeds: dict[str, Any]
    clean: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.scheduler}, {self.steps} steps, shift {self.shift:g}, boundary {self.boundary:g}"

    @property
    def info(self) -> str:
        """What each model does, in words."""
        lines = [
            f"high noise: steps 0 to {self.split - 1} of {len(self.sigmas)}, {self.high}",
            f"low noise: steps {self.split} to {len(self.sigmas) - 1}, {self.low}",
            f"{self.title}: sigmas {', '.join(f'{s:.3f}' for s in self.sigmas)}",
        ]
        lines += [
            f"clean on both: {'latent' if count == 1 else f'{count} latents from'} {first}"
            for first, count in self.clean
        ]
        return write_info(lines, list(self.notes))

    def __repr__(self) -> str:
        return f"Pair({self.title}: high [0, {self.split}), low [{self.split}, {len(self.sigmas)}))"

    def picture(self) -> Image.Image:
        """Sigmas over steps, the boundary, and which model runs which."""
        names = [
            base_name(model.name) or stage for model, stage in ((self.high, "high noise"), (self.low, "low noise"))
        ]
        return draw_sigmas(
            self.sigmas, split=self.split, boundary=self.boundary, title=self.title, high=names[0], low=names[1]
        )


def plan_pair(high: ModelFacts, low: ModelFacts, settings: PairSettings, inputs: PairInputs, *, sigmas: Tensor) -> Pair:
    """Decide a pair. sigmas: share of noise at each step, [steps run] falling, from `sigmas_of` or the host.

    Raises SVIError for a pair that the host crashes on or samples wrongly without a message.
    """
    scheduler, steps, num_frames, index = settings.scheduler, settings.steps, settings.num_frames, settings.clean_index
    notes = _check_models(high, low)
    share = resolve_boundary(settings.boundary, settings.custom_boundary, high)
    split = count_high(sigmas, share)
    if not 0 < split < len(sigmas):
        whose, other = ("low", "high") if split == 0 else ("high", "low")
        raise SVIError(
            f"all {len(sigmas)} steps belong to the {whose} noise model (sigmas {float(sigmas[0]):.3f} to "
            f"{float(sigmas[-1]):.3f}, boundary {share:g}) and none to the {other} one: "
            f"{'raise' if split == 0 else 'lower'} shift, take more steps, or another boundary"
        )
    if len(sigmas) != steps:
        notes.append(f"{scheduler} runs {len(sigmas)} steps, not {steps}")
    size = (latent_count(num_frames), *latent_size(_VAE_FACTOR, width=settings.width, height=settings.height))
    stages = embeds_of_both(
        high, low, inputs.high_embeds, inputs.low_embeds, size=size, num_frames=num_frames, notes=notes
    )
    both, size = stages.both, stages.clip
    pixels = (size[1] // 2, size[2] // 2) if high.kind == "ti2v_5b" else size[1:]  # a 5B latent is 16 pixels wide
    clean = clean_latents_of_both(
        both, inputs.clean_latents, index, channels=high.out_dim, size=(size[0], *pixels), notes=notes
    )
    if inputs.clean_latents is None and index:
        notes.append(f"clean_index {index} has no effect: there are no clean_latents")
    if clean:
        _check_clean(high, scheduler, notes)
    check_pusa_noise(stages, clean, notes)
    return Pair(
        high=high, low=low, scheduler=scheduler, steps=steps, shift=float(settings.shift), boundary=share,
        sigmas=tuple(sigmas.tolist()), split=split,
        high_embeds=with_clean_latents(both["high_embeds"], clean),
        low_embeds=with_clean_latents(both["low_embeds"], clean),
        clean=tuple((entry["index"], entry["samples"].shape[2]) for entry in clean), notes=tuple(notes),
    )  # fmt: skip


def resolve_boundary(choice: str, custom: float, high: ModelFacts) -> float:
    """The boundary that `choice` (one of BOUNDARY_CHOICES) means for a pair with this high noise model."""
    check_choice("boundary", choice, BOUNDARY_CHOICES)
    if choice == "custom":
        return check_boundary(custom)
    if choice == "auto":
        choice = "t2v" if high.kind in ("t2v", "humo_small") else "i2v"
    return BOUNDARIES[choice]


def _check_models(high: ModelFacts, low: ModelFacts) -> list[str]:
    """Raises SVIError for models that cannot continue from each other's latents. Returns what users would regret."""
    if high.out_dim != low.out_dim:
        raise SVIError(
            f"high_model gives latents of {high.out_dim} channels, low_model of {low.out_dim}: one of them is a 5B "
            "model, whose VAE is another; take two models of one VAE"
        )
    if high.noise == "low" and low.noise == "high":
        raise SVIError(
            f"high_model is {base_name(high.name)}, low_model is {base_name(low.name)}: by their names they are swapped"
        )
    notes = []
    for stage, model, wrong in (("high", high, "low"), ("low", low, "high")):
        if model.fp8_matmul and model.unmerged and not model.merges and not model.gguf:
            raise SVIError(
                f"{stage}_model has unmerged LoRAs on a _fast quantization (fp8 matmul), which the wrapper's sampler "
                "refuses: set merge_loras on in the loader, or a quantization without _fast"
            )
        if model.noise == wrong:
            notes.append(f"{stage}_model is {base_name(model.name)}, a {wrong} noise model by its name")
        if model.is_5b:
            notes.append(
                f"{stage}_model is Wan 2.2 5B, which samples all noise levels alone and was not made for a pair"
            )
        if model.kind == "unknown":
            notes.append(f"{stage}_model takes {model.in_dim} channels; this pack cannot tell which embeds it needs")
        if is_humo(model.name) and not model.takes_voice:
            notes.append(f"{stage}_model is HuMo by its name, but has no layers for a voice: nobody speaks")
        if model.unmerged and not model.loras:
            notes.append(f"{stage}_model has LoRAs whose names are not known here, so they were not checked")
        notes += _lora_notes(stage, model)
    return notes


def _lora_notes(stage: str, model: ModelFacts) -> list[str]:
    notes = []
    for lora in model.loras:
        if (found := noise_stage(lora)) and found != stage:
            notes.append(f"{lora} on {stage}_model is for the {found} noise model, by its name")
        if model.kind == "fun_control" and is_svi(lora):
            notes.append(f"{lora} is on {stage}_model, a Fun Control model: {SVI_ON_CONTROL}")
        if stage == "high" and model.version == "2.2" and wan_version(lora) == "2.1":
            if is_pusa(lora) and is_holocine(model.name):
                notes.append(f"{lora} (Wan 2.1) on HoloCine (Wan 2.2): reported to work, the one exception")
            else:
                notes.append(
                    f"{lora} is a Wan 2.1 LoRA on a Wan 2.2 high noise model: its layers fit, so it loads without a "
                    "word, but it does not work properly there (reported exception: Pusa rank 512 on HoloCine)"
                )
    return notes


def _check_clean(high: ModelFacts, scheduler: str, notes: list[str]) -> None:
    if high.is_5b:
        return
    if PUSA_SCHEDULER not in scheduler:
        raise SVIError(
            f"clean latents need scheduler {PUSA_SCHEDULER} on both stages, got {scheduler}: another one adds noise to "
            "them at every step, silently"
        )
    named = any(is_pusa(name) for name in (high.name, *high.loras))
    if not named:
        notes.append(
            f"no Pusa LoRA is seen on {base_name(high.name) or 'high_model'}: clean latents need a model made for them"
        )
