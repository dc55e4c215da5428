"""The table of SVI variants: a new variant is a new row.

Sources: the SVI authors' test scripts and pipeline (vita-epfl/Stable-Video-Infinity), the wrapper's own nodes, and
what users report. Where the authors and the users differ, the row follows the users and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from .errors import SVIError
from .ground.checks import check_choice

KnownRule = Literal["overlap", "first_frame", "inverted"]
Padding = Literal["grey", "reference", "black", "last"]
EndPadding = Literal[Padding, "end"]
Guide = Literal["voice", "poses"]

# Padding that repeats an image, and so has something for ref_strength to scale.
IMAGE_PADDING: tuple[Padding, ...] = ("reference", "last")

# Combo values of the nodes; "recipe" means what the mode's row says. Saved graphs hold them: never rename one.
KNOWN_CHOICES: tuple[str, ...] = ("recipe", *get_args(KnownRule))
PADDING_CHOICES: tuple[str, ...] = ("recipe", *get_args(Padding))
# What fills the frames right before the end; "same" means what fills the rest.
END_PADDING_CHOICES: tuple[str, ...] = ("same", *get_args(EndPadding))


@dataclass(frozen=True, slots=True)
class Recipe:
    """One SVI variant.

    motion_frames: how many of the previous clip's last frames lead the clip.
    padding: what fills the frames to generate. known: which frames the model is told to keep.
    loras: LoRA files it goes with. base: models it goes with. note: what its users should know. inpaints: whether
    those models were trained with any frames or regions known, so that keyframes and a region make sense. guide: what
    the sampler gets besides, one entry for each frame of the clip. channels: of those models' latents; SVI LoRAs exist
    for 16 alone. most_frames: of a clip that the LoRA was made for, where its authors say that more do harm.
    """

    id: str
    motion_frames: int
    padding: Padding
    known: KnownRule
    loras: tuple[str, ...]
    base: str
    note: str
    inpaints: bool = False
    guide: Guide | None = None
    channels: tuple[int, ...] = (16,)
    most_frames: int | None = None


# Source: the SVI authors, github.com/vita-epfl/Stable-Video-Infinity/issues/51.
_SVI2_FRAMES = 81

_ROWS = (
    Recipe(
        "film", 5, "grey", "overlap",
        ("svi-film", "svi-film-opt-10212025", "svi-film-transitions"), "Wan 2.1 I2V 14B 480p",
        "A prompt per clip; motion continues across the seam. The authors' script keeps frame 0 only "
        "(known_frames: first_frame); users keep all five.",
    ),
    Recipe(
        "shot", 1, "reference", "first_frame",
        ("svi-shot",), "Wan 2.1 I2V 14B 480p",
        "One scene, one prompt. Exactly one frame is kept; the original image fills the rest.",
    ),
    Recipe(
        "tom", 1, "grey", "first_frame",
        ("svi-tom",), "Wan 2.1 I2V 14B 480p",
        "Cartoon stream.",
    ),
    Recipe(
        "talk", 1, "reference", "first_frame",
        ("svi-talk",), "Wan 2.1 I2V 14B + MultiTalk or InfiniteTalk",
        "25 fps. The wrapper starts the audio of every clip at 0: SVI Audio Window cuts it to the clip.",
        guide="voice",
    ),
    Recipe(
        "dance", 1, "reference", "first_frame",
        ("svi-dance",), "Wan 2.1 I2V 14B + UniAnimate",
        "Added to UniAnimate, not instead of it. Load the LoRA through the model loader; leave the reference pose "
        "unconnected. SVI Pose Window cuts the poses to the clip.",
        guide="poses",
    ),
    Recipe(
        "film_shot", 5, "reference", "overlap",
        ("svi-film", "svi-shot"), "Wan 2.1 I2V 14B 480p",
        "Both LoRAs together: motion continues and the reference holds the character.",
    ),
    Recipe(
        "svi2_wan21", 5, "reference", "first_frame",
        ("SVI 2.0 for Wan 2.1",), "Wan 2.1 I2V 14B",
        "Five frames lead the clip, yet only frame 0 is kept.",
        most_frames=_SVI2_FRAMES,
    ),
    Recipe(
        "svi2_wan22", 1, "reference", "first_frame",
        ("SVI 2.0 high noise", "SVI 2.0 low noise"), "Wan 2.2 I2V A14B pair",
        "More than 3 motion frames bring artefacts, users say.",
        most_frames=_SVI2_FRAMES,
    ),
    Recipe(
        "fun_inp", 5, "grey", "overlap",
        ("svi-film",), "Wan 2.1 Fun InP",
        "Any frame can be given: keyframes and a region too. fun_or_fl2v_model stays on.",
        inpaints=True, channels=(16, 48),
    ),
    Recipe(
        "i2v", 1, "grey", "overlap",
        (), "any Wan I2V",
        "Plain image-to-video: the first clip, which needs no SVI LoRA (there it only freezes motion).",
        channels=(16, 48),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LatentRecipe:
    """The SVI variant that works on latents. motion_latents: how many of the previous clip's last latents lead it."""

    id: str
    motion_latents: int
    loras: tuple[str, ...]
    base: str
    note: str
    channels: tuple[int, ...] = (16,)
    most_frames: int | None = None


SVI2_PRO = LatentRecipe(
    "svi2_pro", 1,
    ("SVI 2.0 Pro high noise", "SVI 2.0 Pro low noise"), "Wan 2.2 I2V A14B pair",
    "No decode and encode between clips; the original image is the anchor of every clip.",
    most_frames=_SVI2_FRAMES,
)  # fmt: skip

RECIPES: dict[str, Recipe] = {row.id: row for row in _ROWS}
MODES: tuple[str, ...] = tuple(RECIPES)


def too_long(row: Recipe | LatentRecipe, num_frames: int) -> list[str]:
    """That a clip has more frames than the LoRA of its mode was made for; [] where it has not."""
    if row.most_frames is None or num_frames <= row.most_frames:
        return []
    said = (
        f"{row.id} was made for clips of up to {row.most_frames} frames, and with more the colours degrade, its "
        f"authors say: make more clips of {row.most_frames} instead of one of {num_frames}"
    )
    return [said]


def recipe(mode: str) -> Recipe:
    """The row of `mode`. Raises SVIError for an unknown mode."""
    check_choice("mode", mode, MODES)
    return RECIPES[mode]


def check_channels(row: Recipe | LatentRecipe, channels: int) -> None:
    """Raises SVIError when the models of a mode have latents of another VAE. channels: those that the VAE makes."""
    if channels not in row.channels:
        able = " and ".join(other.id for other in RECIPES.values() if channels in other.channels)
        raise SVIError(
            f"mode {row.id} is for {row.base}, whose latents have {row.channels[0]} channels, and this VAE makes "
            f"{channels}: load the Wan 2.1 VAE"
            + (f"; for a 5B model there are modes {able}, and no SVI LoRA" if able else "")
        )


def resolve_known(row: Recipe, choice: str) -> KnownRule:
    """The known rule that `choice` (one of KNOWN_CHOICES) means for this recipe."""
    if choice == "recipe":
        return row.known
    check_choice("known_frames", choice, KNOWN_CHOICES)
    return cast(KnownRule, choice)


def resolve_padding(row: Recipe, choice: str) -> Padding:
    """The padding that `choice` (one of PADDING_CHOICES) means for this recipe."""
    if choice == "recipe":
        return row.padding
    check_choice("padding", choice, PADDING_CHOICES)
    return cast(Padding, choice)


def resolve_end_padding(fill: Padding, choice: str) -> EndPadding:
    """The padding before the end that `choice` (one of END_PADDING_CHOICES) means in a clip padded with `fill`."""
    if choice == "same":
        return fill
    check_choice("end_padding", choice, END_PADDING_CHOICES)
    return cast(EndPadding, choice)
