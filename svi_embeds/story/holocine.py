"""HoloCine prompts: a scene and its shots as one text, and the frames at which the shots change.

Form and rules follow HoloCine's own scripts (yihao-meng/HoloCine): cuts stand at frames 4t+1, and cuts that are not
given divide the clip evenly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..clips.strip import Piece, Strip
from ..errors import SVIError
from ..ground.checks import check_int
from ..ground.words import shorten, write_info
from ..timeline import FRAMES_PER_LATENT, latent_count, latent_of_frame

TOKEN_LIMIT = 512
TRAINED_FRAMES = (81, 161, 241)

_GLOBAL, _SHOTS, _CUT = "[global caption]", "[per shot caption]", "[shot cut]"
_WEIGHT = re.compile(r":[\d.]+\)")
_COUNT = re.compile(r"\s*This scene contains (\d+) shots\.$")


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens in one clip: a caption for all of it, and one for each shot.

    Raises SVIError for text that the prompt's form, or the wrapper, would take for something else.
    """

    caption: str
    shots: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.shots:
            raise SVIError("a scene needs at least one shot: write one a line")
        for name, text in (("global_caption", self.caption), *((f"shot {i + 1}", t) for i, t in enumerate(self.shots))):
            _check_text(name, text)
        if _COUNT.search(self.caption):
            raise SVIError('global_caption ends with "This scene contains N shots.": leave that out, it is added')

    @property
    def prompt(self) -> str:
        """The scene in HoloCine's form."""
        return (
            f"{_GLOBAL} {self.caption} This scene contains {len(self.shots)} shots. "
            f"{_SHOTS} {f' {_CUT} '.join(self.shots)}"
        )


def _check_text(name: str, text: str) -> None:
    if not isinstance(text, str) or not text:
        raise SVIError(f"{name} is empty: say what is to be seen")
    if text != tidy(text):
        raise SVIError(f"{name} must be one line without double blanks, got {text[:60]!r}")
    for marker in (_GLOBAL, _SHOTS, _CUT):
        if marker in text:
            raise SVIError(f"{name} contains {marker}, which the prompt's form uses: take it out")
    if "|" in text:
        raise SVIError(
            f"{name} contains |, at which the wrapper splits a prompt into parts of equal length, not at your cuts: "
            "write / or a comma"
        )
    if "[1]" in text:
        raise SVIError(f"{name} contains [1], which turns on EchoShot in the wrapper: write (1) or [character1]")
    bracket = text.find("(")
    if bracket >= 0 and (weight := _WEIGHT.search(text, bracket)):
        raise SVIError(
            f"{name} contains {shorten(text[bracket : weight.end()])}, which the wrapper takes for a weighted part: "
            "write it without brackets"
        )


def read_shots(text: str) -> tuple[str, ...]:
    """Shots of a text: blocks between lines of `---`, or one a line where there is no such line. Blanks are tidied."""
    if not isinstance(text, str):
        raise SVIError(f"shots must be text, got {type(text).__name__}")
    parts = re.split(r"^\s*-{3,}\s*$", text, flags=re.MULTILINE)
    if len(parts) == 1:
        parts = [line for line in text.splitlines() if line.strip()]
    elif empty := [i + 1 for i, part in enumerate(parts) if not part.strip()]:
        raise SVIError(f"block {empty[0]} of shots is empty: remove its line of ---, or write the shot")
    return tuple(tidy(part) for part in parts)


def tidy(text: str) -> str:
    """Text on one line with single blanks."""
    return " ".join(text.split())


def parse_prompt(prompt: str) -> Scene:
    """The scene of a prompt in HoloCine's form. Raises SVIError for any other text."""
    text = tidy(prompt)
    head, found, rest = text.partition(_SHOTS)
    if not text.startswith(_GLOBAL) or not found:
        raise SVIError(f"a HoloCine prompt reads {_GLOBAL} ... {_SHOTS} ... {_CUT} ..., got {text[:60]!r}")
    caption = head.removeprefix(_GLOBAL).strip()
    shots = tuple(part.strip() for part in rest.split(_CUT))
    counted = _COUNT.search(caption)
    if counted is None:
        raise SVIError('the global caption must end with "This scene contains N shots."')
    if int(counted[1]) != len(shots):
        raise SVIError(f"the global caption says {counted[1]} shots, the prompt has {len(shots)}")
    return Scene(caption[: counted.start()], shots)


def snap_cut(frame: int) -> int:
    """The frame 4t+1 nearest to `frame` at which a shot can begin (ties go to even t, as Python rounds)."""
    return FRAMES_PER_LATENT * round((frame - 1) / FRAMES_PER_LATENT) + 1


def auto_cuts(num_frames: int, shots: int) -> tuple[int, ...]:
    """The frames at which shots 2, 3, ... begin when they are equally long."""
    latent_count(num_frames)
    check_int("shots", shots, minimum=1)
    return _legal([snap_cut(round(i * num_frames / shots)) for i in range(1, shots)], num_frames)


def read_cuts(text: str, num_frames: int, shots: int) -> tuple[tuple[int, ...], list[str]]:
    """The frames at which shots 2, 3, ... begin, and notes on those that were moved.

    text: auto (or nothing), or frames like 41, 81. Raises SVIError unless there is one fewer than shots, each inside
    the clip and after the one before.
    """
    latent_count(num_frames)
    if not isinstance(text, str):
        raise SVIError(f"cuts must be text, got {type(text).__name__}")
    if text.strip().lower() in ("", "auto"):
        return auto_cuts(num_frames, shots), []
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if bad := next((word for word in words if not re.fullmatch(r"\d{1,6}", word)), None):
        raise SVIError(f"cuts must be auto or frames like 41, 81; got {bad!r}")
    asked = [int(word) for word in words]
    if len(asked) != shots - 1:
        raise SVIError(
            f"{shots} shots need {shots - 1} cuts, got {len(asked)}: one frame for each shot after the first"
        )
    cuts = [snap_cut(frame) for frame in asked]
    notes = [
        f"cut {was} moved to {now}: shots begin at 4t+1" for was, now in zip(asked, cuts, strict=True) if was != now
    ]
    return _legal(cuts, num_frames), notes


def _legal(cuts: Sequence[int], num_frames: int) -> tuple[int, ...]:
    for before, cut in zip([0, *cuts], cuts, strict=False):
        if not before < cut < num_frames:
            why = (
                f"after the cut at {before}"
                if cut <= before and before
                else f"from 1 to {num_frames - FRAMES_PER_LATENT}"
            )
            raise SVIError(
                f"{len(cuts) + 1} shots do not fit into {num_frames} frames: a cut falls at {cut}, it must lie {why}; "
                "take fewer shots, more frames or other cuts"
            )
    return tuple(cuts)


def estimate_tokens(text: str) -> int:
    """About how many tokens the text encoder makes of `text`: a rule of thumb, there is no tokenizer here.

    Latin words: one token for each five letters begun; other scripts one for each sign; numbers and punctuation one
    each.
    """
    words = re.findall(r"[A-Za-z\u00c0-\u024f]+|\d+|[^\sA-Za-z\u00c0-\u024f\d]", text)
    return 1 + sum(math.ceil(len(word) / 5) if word[0].isalpha() and ord(word[0]) < 0x250 else 1 for word in words)


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """A scene in a clip. cuts: frames at which shots 2, 3, ... begin. notes: what was moved, or users would regret."""

    scene: Scene
    num_frames: int
    cuts: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def cut_latents(self) -> tuple[int, ...]:
        """The latents at which shots 2, 3, ... begin."""
        return tuple(latent_of_frame(cut) for cut in self.cuts)

    @property
    def summary(self) -> str:
        tokens = estimate_tokens(self.scene.prompt)
        return f"{len(self.scene.shots)} shots in {self.num_frames} frames, about {tokens} of {TOKEN_LIMIT} tokens"

    @property
    def info(self) -> str:
        """Each shot with its frames, in words."""
        edges = (0, *self.cuts, self.num_frames)
        shots = [
            f"shot {i + 1}, frames {edges[i]} to {edges[i + 1] - 1}: {shot}" for i, shot in enumerate(self.scene.shots)
        ]
        return write_info([self.summary, *shots], self.notes)


def plan_scene(*, global_caption: str, shots: str, num_frames: int, cuts: str = "auto") -> ScenePlan:
    """Decide a scene. shots: as `read_shots` reads them. cuts: as `read_cuts`. Raises SVIError like those and Scene."""
    if not isinstance(global_caption, str):
        raise SVIError(f"global_caption must be text, got {type(global_caption).__name__}")
    scene = Scene(tidy(global_caption), read_shots(shots))
    frames, notes = read_cuts(cuts, num_frames, len(scene.shots))
    tokens = estimate_tokens(scene.prompt)
    if tokens > TOKEN_LIMIT:
        notes.append(
            f"about {tokens} tokens (estimated, without a tokenizer): the text encoder cuts at {TOKEN_LIMIT}, so the "
            "last shots are lost; write less"
        )
    if num_frames not in TRAINED_FRAMES:
        notes.append(f"HoloCine was trained with {', '.join(map(str, TRAINED_FRAMES))} frames, not {num_frames}")
    return ScenePlan(scene, num_frames, frames, tuple(notes))


def strip_of_scene(plan: ScenePlan) -> Strip:
    """The strip of WanVideoHoloCinePrompt: its shots, and no mask."""
    edges = (0, *plan.cuts, plan.num_frames)
    pieces = tuple(
        Piece(f"shot_{index + 1}", edges[index], edges[index + 1], shot[:100])
        for index, shot in enumerate(plan.scene.shots)
    )
    count = len(plan.scene.shots)
    many = f"{count} shot{'s' if count > 1 else ''}"
    return Strip(
        title=f"{many}: {plan.num_frames} frames, {latent_count(plan.num_frames)} latents",
        num_frames=plan.num_frames,
        pieces=pieces,
        said=(plan.summary, *(f"shot {i + 1}: frames {piece.span}" for i, piece in enumerate(pieces))),
        notes=plan.notes,
    )
