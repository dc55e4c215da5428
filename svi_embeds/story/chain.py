"""A chain as it is planned: one row per clip, every length and seed decided. No pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..clips.latents.plan import LatentPlan
from ..clips.latents.settings import LatentSettings
from ..clips.pixels.plan import ClipPlan
from ..clips.pixels.settings import ClipSettings
from ..errors import StoryError
from ..ground.words import not_shown, shorten
from ..models.names import base_name
from ..recipes import SVI2_PRO
from ..timeline import FRAMES_PER_LATENT
from .text import MAX_SEED, PICKS, Loras, Model

SEED_STEP = 42  # between the seeds of clips, as in the SVI authors' scripts; more than a clip has takes


@dataclass(frozen=True, slots=True)
class Mend:
    """How a clip is made between its neighbours: with settings of its own, ending on so many frames, or latents, of
    what leads the clips after it. is_new: it is put between two clips that stay, with none of its own before."""

    settings: ClipSettings | LatentSettings
    plan: ClipPlan | LatentPlan = field(compare=False)
    frames: int
    latents: int
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class ChainClip:
    """One clip of a chain.

    index: from 0. line: of the story. motion_frames: frames of the clip before (of the start image, in the first clip)
    that lead it. overlap_frames: how many of its own frames are dropped when the chain is joined, of the first clip
    those that `Beginning` leaves out.
    end: index into the end images. model: `first` is the model without the SVI LoRA. cfg: None for the sampler's own.
    until: frames of the chain up to this clip's end, from the first frame of clip 1 on, whether the video shows that
    or not: voice, poses and sound begin there. color: how its colours are held, None for the chain's own way.
    settings, plan: what the clip is made with, and what each of its frames or latents is.
    takes: how often it is made. pick: which take the chain continues from: one of PICKS, or a number from 1.
    led_by: index of the clip that leads it, None where a scene begins. scene: index of the first clip of its scene.
    start_image: which of the start images that begins with, None for the chain's own.
    number: what its seed is counted from: its index, unless clips were put in or taken out before it. stands: index of
    the clip in the reel's chain whose end leads what comes after this one; None where there is none. mend: None for a
    clip that goes where it will. lora, lora_low: of its own, on the model that samples it and on the low noise one.
    """

    index: int
    line: int
    prompt: str
    mode: str
    model: Model
    seed: int
    num_frames: int
    motion_frames: int
    overlap_frames: int
    known: str
    padding: str
    ref_strength: float
    end: int | None
    cfg: float | None
    until: int
    color: str | None
    settings: ClipSettings | LatentSettings
    plan: ClipPlan | LatentPlan = field(compare=False)  # it follows from the others and what leads the clip
    takes: int = 1
    pick: str = PICKS[0]
    led_by: int | None = None
    scene: int = 0
    start_image: int | None = None
    number: int = 0
    stands: int | None = field(default=None, compare=False)
    mend: Mend | None = None
    lora: Loras = ()
    lora_low: Loras = ()

    @property
    def follows(self) -> bool:
        """Whether it continues the clip before it; not where a scene begins, nor where another clip leads."""
        return self.led_by is not None and self.led_by == self.index - 1

    def take(self, number: int) -> ChainClip:
        """The clip as its take `number` (from 0) is made: with a seed of its own, one more each."""
        return self if not number else replace(self, seed=(self.seed + number) % (MAX_SEED + 1))

    @property
    def start(self) -> int:
        """Frame of the chain where it begins, its overlap included; counted as `until`."""
        return self.until - self.num_frames

    @property
    def adds(self) -> int:
        """Frames that the chain grows by."""
        return self.num_frames - self.overlap_frames

    def wrong(self, what: object, *, joint: str = ": ") -> StoryError:
        """An error about this clip, which names it."""
        return StoryError(what, line=self.line, clip=self.index + 1, joint=joint)

    @property
    def works_on_latents(self) -> bool:
        """Whether it is led by latents of the clip before, not by its frames."""
        return self.mode == SVI2_PRO.id

    @property
    def motion_latents(self) -> int:
        """Latents of the clip before that lead it; 0 unless it works on latents."""
        return (self.motion_frames - 1) // FRAMES_PER_LATENT if self.works_on_latents and self.motion_frames else 0


@dataclass(frozen=True, slots=True, repr=False)
class ChainPlan:
    """A chain, clip by clip.

    fps: frames per second. length: where the video is to end, when the story fills it (repeat=auto), counted as
    `ChainClip.until`; the last clip may go beyond. notes: what a reader should know, a sentence each. branches: by clip
    those clips that it leads without being the one before them.
    """

    clips: tuple[ChainClip, ...]
    fps: float
    default_motion_frames: int
    notes: tuple[str, ...] = ()
    length: int | None = None
    branches: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @property
    def lora_names(self) -> frozenset[str]:
        """Of all clips' own LoRAs."""
        return frozenset(name for clip in self.clips for name, _ in (*clip.lora, *clip.lora_low))

    @property
    def skipped_frames(self) -> int:
        """Frames of clip 1 that the joined chain leaves out at its start."""
        return self.clips[0].overlap_frames

    @property
    def total_frames(self) -> int:
        """Frames of the joined chain."""
        return self.clips[-1].until - self.skipped_frames

    @property
    def seconds(self) -> float:
        return self.total_frames / self.fps

    @property
    def video_length(self) -> int | None:
        """Frames that the video is to have, None for all of the joined chain's."""
        return None if self.length is None else self.length - self.skipped_frames

    @property
    def shown_frames(self) -> int:
        """Frames of the video: the joined chain up to its length."""
        return self.total_frames if self.video_length is None else min(self.video_length, self.total_frames)

    def motion_after(self, index: int) -> tuple[int, int]:
        """Frames and latents that the clips which clip `index` leads take from it.

        Of a clip that leads none: the mode's own number, so that the chain can be continued.
        """
        led = [self.clips[other] for other in self.branches.get(index, ())]
        led += [after for after in self.clips[index + 1 : index + 2] if after.led_by == index]
        if led:
            return max(clip.motion_frames for clip in led), max(clip.motion_latents for clip in led)
        last = self.clips[index]
        count = min(self.default_motion_frames, last.num_frames - 1)
        return max(1, count), SVI2_PRO.motion_latents if last.works_on_latents else 0

    def shown_until(self, clip: ChainClip) -> int:
        """Frames of the joined chain up to a clip's end."""
        return clip.until - self.skipped_frames

    def table(self) -> list[tuple[str, ...]]:
        """Heading and one row per clip, as text."""
        columns = {
            "takes": _takes_in_words,
            "begins": _begins_in_words,
            "mend": _mend_in_words,
            "lora": _loras_in_words,
        }
        columns = {name: tell for name, tell in columns.items() if any(map(tell, self.clips))}
        rows: list[tuple[str, ...]] = [
            ("clip", "mode", "model", "seed", *columns, "frames", "overlap", "adds", "total", "time", "prompt")
        ]
        for clip in self.clips:
            until = self.shown_until(clip)
            more = [tell(clip) for tell in columns.values()]
            rows.append((
                str(clip.index + 1), clip.mode, clip.model, str(clip.seed), *more, str(clip.num_frames),
                str(clip.overlap_frames), str(clip.adds), str(until), f"{until / self.fps:.1f} s",
                shorten(clip.prompt),
            ))  # fmt: skip
        return rows

    def describe(self) -> str:
        """How many clips, frames and seconds."""
        count = len(self.clips)
        frames = self.shown_frames
        cut = not_shown(self.skipped_frames, self.total_frames - frames)
        clips = f"{count} clip{'s' if count > 1 else ''}"
        return f"{clips}, {frames} frames, {frames / self.fps:.1f} s at {self.fps:g} fps{cut}"

    def __repr__(self) -> str:
        return f"ChainPlan({self.describe()})"


def _takes_in_words(clip: ChainClip) -> str:
    """As `3, seeds 7..9, pick stop`; "" for a single one."""
    pick = "" if clip.pick == PICKS[0] else f", pick {clip.pick}"
    if clip.takes == 1:
        return f"1{pick}" if pick else ""
    return f"{clip.takes}, seeds {clip.seed}..{clip.take(clip.takes - 1).seed}{pick}"


def _begins_in_words(clip: ChainClip) -> str:
    """As `cut, image 2` or `from clip 3`; "" where the clip continues from the one before, and for the first."""
    if clip.follows or (not clip.index and clip.start_image is None):
        return ""
    if clip.led_by is not None:
        return f"from clip {clip.led_by + 1}"
    image = clip.start_image
    return "cut" if image is None else f"{'cut, ' if clip.index else ''}start image {image}"


def _mend_in_words(clip: ChainClip) -> str:
    """As `between 3 and 5`."""
    return f"between {clip.index} and {clip.index + 2}" if clip.mend else ""


def _loras_in_words(clip: ChainClip) -> str:
    """As `name 0.8`."""
    return ", ".join(f"{base_name(name)} {strength:g}" for name, strength in (*clip.lora, *clip.lora_low))
