"""What is set for a whole chain, and what is connected to it: all that its plan and its checks need."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..colour.choices import COLOUR_CHOICES, COLOUR_TARGETS
from ..errors import SVIError
from ..ground.checks import check_bool, check_choice, check_int, check_rate, check_share
from ..timeline import latent_count
from .text import CHAIN_MODES, MAX_TAKES, check_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """The widgets of SVI Long Video, but for the story and what concerns its reel.

    mode: of every clip whose block names none; one of CHAIN_MODES. num_frames: of every clip, 4k+1. overlap_frames:
    motion frames, 0 means the mode's own. seed: of the first clip. fps: frames per second of the video.
    skip_repeated: leave out of the video what clip 1 shows again of start_image, see `Beginning`.
    width, height: of every clip, in pixels. negative_prompt: of every clip. split_step: the step at which the low noise
    model takes over, 0 for what the two samplers say. fun_or_fl2v_model: as on WanVideoSVIEmbeds. tiled_vae: encode and
    decode in tiles.
    color_match, color_match_strength: how the end of each clip is brought back to the colours of color_match_to, the
    first clip or the reference; of clips on latents to the anchor's statistics. See `colour`.
    takes: of every clip whose block does not say how many. mend: numbers of clips, from 1, that are made between their
    neighbours, as "4, 7".
    """

    mode: str
    num_frames: int
    overlap_frames: int = 0
    seed: int = 0
    fps: float = 16.0
    skip_repeated: bool = False
    width: int = 832
    height: int = 480
    negative_prompt: str = ""
    split_step: int = 0
    fun_or_fl2v_model: bool = True
    tiled_vae: bool = False
    color_match: str = "off"
    color_match_strength: float = 1.0
    color_match_to: str = "clip_1"
    takes: int = 1
    mend: str = ""

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, CHAIN_MODES)
        latent_count(self.num_frames)
        check_int("overlap_frames", self.overlap_frames, minimum=0)
        check_seed(self.seed)
        check_bool("skip_repeated", self.skip_repeated)
        check_rate("fps", self.fps)
        check_choice("color_match", self.color_match, COLOUR_CHOICES)
        check_choice("color_match_to", self.color_match_to, COLOUR_TARGETS)
        check_share("color_match_strength", self.color_match_strength)
        if check_int("takes", self.takes, minimum=1) > MAX_TAKES:
            raise SVIError(f"takes must be 1..{MAX_TAKES}, got {self.takes}")
        _ = self.mended

    @property
    def mended(self) -> frozenset[int]:
        """Indices of the clips in `mend`. Raises SVIError for a text that names none."""
        return frozenset(number - 1 for number in read_mend(self.mend))


def read_mend(text: str) -> list[int]:
    """The numbers of clips in `mend`, from 1. Raises SVIError for a text that names none."""
    if not isinstance(text, str):
        raise SVIError(f"mend must be text, numbers of clips as in 4, 7; got {type(text).__name__}")
    names = [name for name in re.split(r"[\s,]+", text.strip()) if name]
    wrong = [name for name in names if not re.fullmatch(r"[1-9][0-9]{0,5}", name)]
    if wrong:
        raise SVIError(f"mend must be numbers of clips from 1, as in 4, 7; got {wrong[0][:40]!r}")
    return [int(name) for name in names]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainConnected:
    """What is connected to a chain: how many images, and which models and texts there are.

    start_frames, reference_frames: frames in start_image and ref_image, 0 without. end_images: how many; None when that
    is not known yet. start_images: how many images other scenes may begin with, as end_images. length: frames that the
    audio or the poses last, None without.
    first_clip_model, first_clip_low_noise_model: models without the SVI LoRA. low_noise: whether a second model takes
    over where the first one stops. texts: which of t5, clip and text_embeds there are.
    """

    start_frames: int = 1
    reference_frames: int = 1
    end_images: int | None = None
    start_images: int | None = None
    length: int | None = None
    first_clip_model: bool = True
    first_clip_low_noise_model: bool = False
    low_noise: bool = False
    texts: tuple[str, ...] = ("t5",)
    clip_vision: bool = False

    def __post_init__(self) -> None:
        check_bool("first_clip_model", self.first_clip_model)
        if self.length is not None:
            check_int("length", self.length, minimum=1)

    @property
    def has_original(self) -> bool:
        """Whether there is an original image: ref_image, or a start image that is one."""
        return bool(self.reference_frames) or self.start_frames == 1

    @property
    def has_anchor(self) -> bool:
        """Whether there is what clips on latents hold on to: the original, or the first frame of a video."""
        return bool(self.reference_frames or self.start_frames)

    @property
    def encodes_text(self) -> bool:
        """Whether the story's prompts are encoded, rather than one text that was encoded before."""
        return "text_embeds" not in self.texts
