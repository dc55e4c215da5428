"""What the story editor of a Long Video shows: the plan, the error at its line, and what the reel has of it.

The plan is made by the functions that the node runs. What only the run knows (models, pixels, how many frames are on a
wire, how long the audio is) is taken as it mostly is, and notes say so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.words import shorten
from ...svi_embeds.reel.reel import check_reel_name
from ...svi_embeds.story.chain import ChainClip, ChainPlan
from ...svi_embeds.story.check import check_chain, check_loras, unused
from ...svi_embeds.story.plan import plan_chain
from ...svi_embeds.story.standing import Stood
from ...svi_embeds.story.text import AUTO, lost_separators, parse_story
from ..engine.native import check_native_plan
from ..host import files as host_files
from ..render.long_video import modes_of
from ..render.sources import ONE_LOW_STAGE
from ..running.around import notes_on_loras
from ..workflow.model.parse import parse_json
from .cards import MAX_CARDS, cards_of
from .places import Places
from .question import ONE_IMAGE, Question, TooMuchError
from .reel import reel_answer, stood_as
from .stands import STATES, Planned

MAX_QUESTIONS = 8
MAX_PLANNED = 5_000  # clips: what takes no second
_ALL_ROWS, _FIRST_ROWS, _LAST_ROWS = 120, 60, 40
_PROMPT = 80  # characters of one that are shown

# Values that decide no clip.
_FREE = ("fps", "resume", "skip_repeated")
# Values that no refusal depends on, whatever a link gives.
_SAFE = {"fps", "resume", "reel", "negative_prompt", "seed", "tiled_vae", "color_match_strength"}
_LONG = 10_001  # frames of a video to continue from, enough for any overlap


def answer(body: str) -> tuple[int, dict[str, Any]]:
    """The server's answer to the web page: {"nodes": [...]} -> status and {"answers": [...]}, in the same order.

    A node is {"values", "linked", "connected", "sampler"}: its widgets by name; which of them a link has whose value is
    not known; by name of its other inputs the type of the node behind them ("" where it cannot be seen); and the same
    of the settings node behind sampler_inputs, None where that cannot be seen. "around" may name the "loras" on the
    model. An answer's first "warns" notes are warnings: the page marks them. With "desk" true it has the clips as cards
    too, see `cards_of`.
    """
    try:
        asked = parse_json(body)
        nodes = asked.get("nodes") if isinstance(asked, dict) else None
        if not isinstance(nodes, list):
            raise SVIError("the request must be a JSON object with a list of nodes")
        if len(nodes) > MAX_QUESTIONS:
            raise SVIError(f"a request has at most {MAX_QUESTIONS} nodes, this one has {len(nodes)}: ask in parts")
        return 200, {"answers": [_answer(node) for node in nodes]}
    except SVIError as error:
        return 400, {"error": str(error)}


def _answer(node: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "error": None,
        "summary": "",
        "counts": {},
        "rows": [],
        "left_out": 0,
        "notes": [],
        "warns": 0,
        "reel": None,
    }
    places = Places("")
    notes: list[str] = []
    try:
        asked = Question.read(node)
        values = asked.values
        if "story" in asked.linked:
            said["notes"] = ["the story comes by a link: what it makes is known when it runs"]
            return said
        places = Places(values["story"])
        stood = stood_as(values["reel"]) if "reel" not in asked.linked and values["resume"] else ()
        plan, fills = _plan(asked, notes, stood=stood)
        settings, connected = asked.settings(), asked.chain()
        _check_chain(asked, plan)
        _check_loras(plan)
        warnings = [*lost_separators(values["story"]), *notes_on_loras(modes_of(plan), asked.loras)]
        others = [note for note in plan.notes if note not in warnings]
        notes = [*warnings, *others, *unused(plan, settings, connected), *notes]
    except TooMuchError as error:
        said["notes"] = [f"{error}: that is not planned while you type, but the node takes it"]
        return said
    except SVIError as error:
        said["error"] = places.error(error)
        return said
    if open_values := sorted((asked.linked & values.keys()) - {"reel"}):
        notes.append(f"planned with what the node shows for {', '.join(open_values)}: the link may give another value")
    said["summary"] = f"at least {plan.describe()}" if fills else plan.describe()
    said["notes"], said["warns"] = notes, len(warnings)
    found = None
    if "reel" not in asked.linked:
        found = reel_answer(
            values["reel"], Planned(plan, settings, connected.encodes_text, stood), resume=values["resume"],
            comparable=not asked.linked - {*_FREE, "reel"},
        )  # fmt: skip
        said["reel"] = found.said
    states = [each.state for each in found.stands] if found and found.stands else None
    said["counts"] = {state: states.count(state) for state in STATES} if states else {}
    shown = _shown(len(plan.clips))
    said["left_out"] = len(plan.clips) - len(shown)
    said["rows"] = [_row(plan, plan.clips[index], states[index] if states else None, places) for index in shown]
    if asked.desk:
        rows = [_row(plan, clip, states[clip.index] if states else None, places) for clip in plan.clips[:MAX_CARDS]]
        said["desk"] = cards_of(plan, rows, found, values["mend_limit"])
    return said


def plan_of_node(node: dict[str, Any], stood: tuple[Stood, ...] = ()) -> tuple[Planned, bool]:
    """The plan of a node, and whether it is known what the run will plan: values that a link gives are not, nor how
    many clips repeat=auto makes. node: see `answer`. stood: the chain of its reel. Raises SVIError as the node does."""
    asked = Question.read(node)
    if "story" in asked.linked:
        raise SVIError("the story comes by a link, and the batch brings stories: take the link off")
    plan, fills = _plan(asked, [], stood=stood)
    settings, connected = asked.settings(), asked.chain()
    _check_chain(asked, plan)
    return Planned(plan, settings, connected.encodes_text, stood), not fills and not asked.linked - _SAFE


def refusal_of(node: dict[str, Any]) -> str | None:
    """What a run of a node would say, when that is sure before it; see `answer` for the node. None for all else."""
    try:
        asked = Question.read(node)
    except SVIError:
        return None
    if asked.linked - _SAFE:  # a link may give any value
        try:
            check_reel_name(asked.values["reel"])
        except SVIError as error:
            return str(error)
        return None
    # An image loader gives all pictures of an animated file, so how many there are is not known.
    asked = replace(asked, connected={
        name: "" if kind in ONE_IMAGE else kind for name, kind in asked.connected.items()
    })  # fmt: skip
    said = None
    for frames in (1, asked.values["num_frames"], _LONG) if "start_image" in asked.connected else (0,):
        try:
            plan, _ = _plan(asked, [], as_frames=frames)
            _check_chain(asked, plan, frames)
            _check_loras(plan)
        except TooMuchError:
            return None
        except SVIError as error:
            said = said or str(error)
        else:
            return None
    return said


def _check_chain(asked: Question, plan: ChainPlan, start_frames: int | None = None) -> None:
    """Raises SVIError for a plan that could not be sampled with what is connected, as the node does."""
    settings, connected = asked.settings(), asked.chain(start_frames)
    check_chain(plan, settings, connected)
    if asked.native:
        split = settings.split_step if connected.low_noise and "split_step" not in asked.linked else None
        check_native_plan(plan, asked.connected, steps=asked.steps, split=split)


def _check_loras(plan: ChainPlan) -> None:
    if plan.lora_names:  # else no folder is looked into while someone types
        check_loras(plan, host_files.lora_files())


def _shown(count: int) -> list[int]:
    """Indices of the clips that are shown: all of a short chain, the first and the last ones of a long one."""
    if count <= _ALL_ROWS:
        return list(range(count))
    return [*range(_FIRST_ROWS), *range(count - _LAST_ROWS, count)]


def _row(plan: ChainPlan, clip: ChainClip, state: str | None, places: Places) -> dict[str, Any]:
    return {
        "clip": clip.index + 1,
        "line": clip.line,
        "select": places.line(clip.line),
        "frames": clip.num_frames,
        "overlap": clip.overlap_frames,
        "until": plan.shown_until(clip),
        "time": f"{plan.shown_until(clip) / plan.fps:.1f} s",
        "seed": str(clip.seed),  # more digits than numbers of JavaScript hold
        "mode": clip.mode,
        "model": clip.model,
        "takes": clip.takes,
        "last_seed": str(clip.take(clip.takes - 1).seed),
        "pick": clip.pick,
        "cut": bool(clip.index) and clip.led_by is None,
        "from": 0 if clip.follows or clip.led_by is None else clip.led_by + 1,
        "mend": clip.mend is not None,
        "loras": [f"{shorten(name, _PROMPT)} {strength:g}" for name, strength in (*clip.lora, *clip.lora_low)],
        "prompt": shorten(clip.prompt, _PROMPT),
        "state": state,
    }


def _plan(
    asked: Question, notes: list[str], *, as_frames: int = 0, stood: tuple[Stood, ...] = ()
) -> tuple[ChainPlan, bool]:
    """The plan, and whether it stands for a longer one: repeat=auto with a length that only the run knows.

    notes: gets what was assumed. as_frames: what start_image is taken to have instead. stood: the reel's chain.
    Raises SVIError as the node does.
    """
    values = asked.values
    blocks = parse_story(values["story"])
    check_reel_name(values["reel"])  # in this order, as the node answers
    if {"low_noise_model", "low_noise_sampler_inputs"} <= asked.connected.keys():
        raise SVIError(ONE_LOW_STAGE)
    if (count := sum(block.repeat for block in blocks)) > MAX_PLANNED:
        raise TooMuchError(f"the story makes {count} clips, more than {MAX_PLANNED}")
    start, ends = asked.count("start_image"), asked.count("end_images")

    settings = asked.settings()

    def plan(length: int | None, start_frames: int) -> ChainPlan:
        return plan_chain(values["story"], settings, asked.chain(start_frames, length), stood)

    # Who leaves out what is repeated continues from a clip.
    guesses = (values["num_frames"], 1) if values["skip_repeated"] else (1, values["num_frames"])
    frames, other = guesses if start is None else (start, start)
    if as_frames:
        frames = as_frames
    last = blocks[-1]
    if last.repeat != AUTO or not (asked.guided or "audio" in asked.connected):
        made, fills = plan(None, frames), False
    else:
        made, fills = plan(1, frames), True
        if made.clips[-1].line != last.line:
            made = plan(made.clips[-1].until + 1, frames)
        made = replace(made, length=None)
        notes.append(
            f"line {last.line} of the story makes as many clips as the audio or the poses need, which is known when it "
            "runs: one is shown"
        )
    if start is None:
        try:
            same = plan(made.clips[-1].until if fills else None, other).clips == made.clips
        except SVIError:
            same = False
        if not same:
            notes.append(
                "start_image is taken for a clip to continue from: one image makes another plan"
                if values["skip_repeated"]
                else "start_image is taken for one image: a clip to continue from makes another plan"
            )
    if ends is None and any(clip.end is not None for clip in made.clips):
        notes.append("how many end_images there are is known when it runs")
    return made, fills
