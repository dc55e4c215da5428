"""One clip at latent level decided: what every latent will be. No torch, no latents."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

from ...errors import SVIError
from ...timeline import FRAMES_PER_LATENT, frame_count, latent_count

LatentKnown = Literal["first_latent", "anchor_and_motion", "inverted"]
LatentPadding = Literal["zero", "reference"]
LATENT_KNOWN_CHOICES: tuple[str, ...] = get_args(LatentKnown)
LATENT_PADDING_CHOICES: tuple[str, ...] = get_args(LatentPadding)
LATENT_END_PADDING_CHOICES: tuple[str, ...] = ("same", *LATENT_PADDING_CHOICES, "end")


@dataclass(frozen=True, slots=True, repr=False)
class LatentPlan:
    """What every latent of one clip is. All counts are latents; num_frames is frames.

    end_apart: the end is one latent more, which the host's decode drops again (its layout for models that are no Fun or
    FLF2V model).
    """

    num_frames: int
    anchor: int
    motion: int
    end: int
    known: LatentKnown
    padding: LatentPadding
    end_padding: str
    end_padding_latents: int
    end_apart: bool

    def __post_init__(self) -> None:
        clip = latent_count(self.num_frames)
        inside = self.anchor + self.motion + (0 if self.end_apart else self.end)
        if inside > clip:
            parts = f"anchor {self.anchor} + motion {self.motion} + end {self.end} latents"
            raise SVIError(
                f"{parts} do not fit into a clip of {self.num_frames} frames ({clip} latents): use fewer of them, or "
                f"num_frames {frame_count(inside + 1)} or more"
            )
        if self.end_apart and self.end != 1:
            raise SVIError(
                f"without fun_or_fl2v_model the end is exactly 1 latent, got {self.end}: set end_latents to 1, or turn "
                "fun_or_fl2v_model on"
            )
        if self.end_padding_latents and not self.gap:
            raise SVIError("no latent stands before the end: set end_padding to same, or use a longer clip")
        if self.end_padding_latents > self.gap:
            raise SVIError(
                f"end_padding_latents must be {self.gap} or less (the latents between motion and end), "
                f"got {self.end_padding_latents}"
            )
        if (self.end or self.known != "first_latent") and all(self.known_latents):
            raise SVIError(
                f"known_frames {self.known} keeps all {self.latents} latents, nothing would be generated: "
                "use fewer motion_latents or a longer clip"
            )

    @property
    def latents(self) -> int:
        """Conditioning latents: T, and one more when the end is apart."""
        return latent_count(self.num_frames) + (1 if self.end_apart else 0)

    @property
    def gap(self) -> int:
        """Latents between the motion latents and the end."""
        return self.latents - self.anchor - self.motion - self.end

    @property
    def roles(self) -> tuple[str, ...]:
        """One word for each latent."""
        before_end = self.end_padding_latents
        end_kind = self.padding if self.end_padding == "same" else self.end_padding
        return (
            *("anchor",) * self.anchor,
            *("motion",) * self.motion,
            *(f"{self.padding} padding",) * (self.gap - before_end),
            *(f"{end_kind} padding",) * before_end,
            *("end",) * self.end,
        )

    @property
    def runs(self) -> tuple[tuple[str, int, int], ...]:
        """The clip in order, as runs of latents with one role: the word, first and last latent."""
        found, start = [], 0
        for role, run in groupby(self.roles):
            stop = start + len(list(run))
            found.append((role, start, stop - 1))
            start = stop
        return tuple(found)

    @property
    def known_latents(self) -> tuple[int, ...]:
        """1 = the latent is kept. The end is kept under every rule."""
        if self.known == "inverted":
            return (0,) + (1,) * (self.latents - 1)
        kept = self.anchor + self.motion if self.known == "anchor_and_motion" else 1
        return (1,) * kept + (0,) * (self.latents - kept - self.end) + (1,) * self.end

    @property
    def known_values(self) -> tuple[int, ...]:
        """The same per frame: one for latent 0 (and for an end apart), four for any other."""
        first, *rest = self.known_latents
        apart = [rest.pop()] if self.end_apart else []
        return (first, *(v for v in rest for _ in range(FRAMES_PER_LATENT)), *apart)

    @property
    def overlap_frames(self) -> int:
        """Frames to drop from the clip's start when stitching.

        Anchor and motion latents decode to these frames. The motion latents' frames are the last ones of the clip
        before, and the anchor's in front of them belong to neither clip. 0 without motion latents.
        """
        return frame_count(self.anchor + self.motion) if self.motion else 0

    def __repr__(self) -> str:
        return f"LatentPlan({self.num_frames} frames: {self.anchor} + {self.motion} + {self.gap} + {self.end} latents)"
