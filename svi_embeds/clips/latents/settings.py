"""What a clip at latent level is asked for, and what is connected to it. No latent is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...ground.checks import check_bool, check_choice, check_int, check_share, check_strength
from ...recipes import SVI2_PRO
from ...timeline import latent_count
from ..latent_space import LATENT_SPACES
from .plan import LATENT_END_PADDING_CHOICES, LATENT_KNOWN_CHOICES, LATENT_PADDING_CHOICES


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentSettings:
    """The widgets of WanVideoSVILatentEmbeds by name, with their defaults.

    num_frames: 4k+1. motion_latents: how many of the last latents of the clip before are taken. motion_match: how much
    (0..1) of the anchor's mean and spread per channel these get. known_frames: one of LATENT_KNOWN_CHOICES.
    padding: zeros, or copies of the anchor's last latent, which ref_strength multiplies. end_latents: how many of
    end_samples' first latents the clip ends on, 0 means all. end_padding: what the last end_padding_latents before the
    end are, unless it is `same`. fun_or_fl2v_model: off puts the end into a latent of its own behind the clip.
    latent_space: that of all LATENTs that come in.

    Raises SVIError for a value that no clip takes.
    """

    num_frames: int = 81
    motion_latents: int = SVI2_PRO.motion_latents
    known_frames: str = "first_latent"
    padding: str = "zero"
    anchor_strength: float = 1.0
    ref_strength: float = 1.0
    fun_or_fl2v_model: bool = True
    end_latents: int = 0
    end_strength: float = 1.0
    end_padding: str = "same"
    end_padding_latents: int = 1
    latent_space: str = "wrapper"
    motion_match: float = 0.0

    def __post_init__(self) -> None:
        for name in ("anchor_strength", "ref_strength", "end_strength"):
            check_strength(name, getattr(self, name))
        check_choice("known_frames", self.known_frames, LATENT_KNOWN_CHOICES)
        check_choice("padding", self.padding, LATENT_PADDING_CHOICES)
        check_choice("end_padding", self.end_padding, LATENT_END_PADDING_CHOICES)
        check_choice("latent_space", self.latent_space, LATENT_SPACES)
        check_int("motion_latents", self.motion_latents, minimum=0)
        check_int("end_latents", self.end_latents, minimum=0)
        check_int("end_padding_latents", self.end_padding_latents, minimum=1)
        check_bool("fun_or_fl2v_model", self.fun_or_fl2v_model)
        check_share("motion_match", self.motion_match)
        latent_count(self.num_frames)

    @property
    def strengths(self) -> dict[str, float]:
        """What multiplies latents, by their role in the plan."""
        return {"anchor": self.anchor_strength, "end": self.end_strength, "reference padding": self.ref_strength}


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentConnected:
    """How many latents each input has; of prev_samples those that it shows. None when it is not connected."""

    anchor_samples: int = 1
    prev_samples: int | None = None
    end_samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LatentInputs:
    """What is connected. anchor_samples: LATENT of the original image (or of several frames).

    prev_samples: LATENT of the clip before; its last latents are taken. end_samples: LATENT that the clip ends on.
    """

    anchor_samples: dict[str, Any]
    prev_samples: dict[str, Any] | None = None
    end_samples: dict[str, Any] | None = None
    clip_embeds: dict[str, Any] | None = None
