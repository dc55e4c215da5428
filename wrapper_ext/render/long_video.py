"""What a Long Video node does: from its inputs and the graph around it to a reel and one video."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.track import soundtrack_of
from ...svi_embeds.ground.settings import filled
from ...svi_embeds.ground.words import align, write_info
from ...svi_embeds.models.facts import is_reloaded
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.reel import Reel, check_reel_name, reel_state
from ...svi_embeds.reel.writer import ReelWriter
from ...svi_embeds.story.chain import ChainPlan
from ...svi_embeds.story.check import check_loras, unused
from ...svi_embeds.story.depends import Task, read_only
from ...svi_embeds.story.plan import plan_chain
from ...svi_embeds.story.settings import ChainSettings
from ..engine.check import check_job
from ..engine.job import EngineName, Job
from ..host import comfy
from ..host import files as host_files
from ..host import show as host_show
from ..running.around import notes_on_loras
from ..running.digest import graph_digest
from ..running.voice_rate import voice_rate
from ..running.wiring import RunningGraph, lora_names
from .ahead import JoinAhead
from .chain import render_chain
from .join import assemble, clip_numbers, cut_name, part_name, sound_name
from .mend import MEND_LIMIT
from .run import Rendered
from .sources import sources_of, stretched
from .standing import stood_in
from .text import ENCODERS, all_kept


@dataclass(frozen=True, slots=True)
class _Left:
    """A reel as this process left it. video: the joined one. changes: how often it had been changed from outside.
    waits: whether the chain ends before its story does, so that the next run goes on."""

    state: str
    video: Path
    changes: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run leaves: the reel, its last frames, the joined video's file, and the plan with what was done, in words.
    made, waits: see `Rendered`."""

    reel: Reel
    last_frames: Tensor
    video: Path
    info: str
    made: int
    waits: str


# So that a finished chain is not run again, and one that was changed since is.
_left: dict[str, _Left] = {}


def changes_of(folder: Path) -> int:
    """How often a reel was changed from outside since this process wrote it first, the current change included; a run
    that is to continue counts too."""
    left = _left.get(str(folder))
    if left is None:
        return 0
    return left.changes + (left.waits or reel_state(folder, left.video) != left.state)


def render_story(
    inputs: Mapping[str, Any], *, engine: EngineName = "wrapper", unique_id: str | None = None,
    prompt: Mapping[str, Any] | None = None,
) -> Finished:  # fmt: skip
    """A story rendered into a reel, for the node `unique_id` of the graph `prompt`.

    inputs: the node's, by name; see `ChainSettings` and `Sources`.
    """
    reel: str = inputs["reel"]
    check_reel_name(reel)
    graph = RunningGraph(prompt or {})
    sources, notes = sources_of(inputs, graph, unique_id or "", engine)
    guides, audio = sources.guides, inputs.get("audio")
    track = soundtrack_of(audio) if audio is not None else None
    settings = filled(ChainSettings, inputs)
    length = guides.frames or (round(track.seconds * settings.fps) if track else None)
    connected = sources.connected(length)
    folder, resume = host_files.reels_folder() / reel, bool(inputs["resume"])
    only = inputs.get("only") or ""
    plan = plan_chain(inputs["story"], settings, connected, stood_in(folder) if resume or only else ())
    tasks = read_only(only, plan) if only else ()
    notes += guides.check(plan, settings, track=track, voice_fps=voice_rate(graph, unique_id or ""))
    if resume and not sources.origin.get("model"):
        resume = False
        notes.append("where the models come from cannot be seen in this graph, so no clip was taken from the reel")
    if names := plan.lora_names:
        check_loras(plan, host_files.lora_files())
        sources = replace(sources, lora_prints={name: host_files.file_print(name) for name in sorted(names)})
    job = Job(plan=plan, settings=settings, sources=sources)
    check_job(job)
    notes += stretched(sources, width=settings.width, height=settings.height)
    notes += [*unused(plan, settings, connected), *_one_cfg(job), *_held_twice(job)]
    wired = graph.source(unique_id or "", "sampler_inputs")
    loras = lora_names(graph, wired[0] if wired else unique_id or "", "model")
    notes += notes_on_loras(modes_of(plan), loras)
    changes = changes_of(folder)
    ahead = JoinAhead(folder, fps=settings.fps, track=track, length=plan.video_length)
    with ReelWriter(folder, fps=settings.fps, length=plan.video_length) as writer, ahead:
        done = render_chain(
            job, writer, comfy, _NodeReport(unique_id, ahead), resume=resume,
            clips_per_run=inputs.get("clips_per_run", 0), mend_limit=inputs.get("mend_limit", MEND_LIMIT), only=tasks,
        )  # fmt: skip
        finished = writer.reel
        if tasks:
            notes.append(
                "the chain in the reel is unchanged: a run with only empty (Queue all on the desk) adds these clips"
            )
            asked = {plan.clips[task.clip].number for task in tasks}
            shown = tuple(take for take in done.takes if take.number in asked)
            finished = replace(writer.reel, clips=shown, length=None)
            if any(take.number != clip.number for take, clip in zip(shown, plan.clips, strict=False)):
                track = None  # it is the sound of the whole chain
        of_what = f"{sound_name(track)}{cut_name(finished)}{part_name(tasks)}"
        video = folder / f"{reel}_{finished.chain}_{settings.fps:g}fps{of_what}.mp4"
        if (not video.is_file() or video.is_symlink()) and not ahead.finish(finished, video):
            assemble(finished, video, unique_id, track=track)
    _left[str(folder)] = _Left(reel_state(folder, video), video, changes, bool(done.waits))
    info = _describe(plan, finished, done, tasks, [*plan.notes, *done.notes, *notes])
    return Finished(finished, done.last_frames, video, info, done.made, done.waits)


def encoders_to_load(
    inputs: Mapping[str, Any], *, engine: EngineName = "wrapper", unique_id: str | None = None,
    prompt: Mapping[str, Any] | None = None,
) -> list[str]:  # fmt: skip
    """Names of the text encoders that a run needs, of those that are connected and not loaded yet (None): none where
    its reel has every prompt of the story. inputs: the node's, by name."""
    waiting = [name for name in ENCODERS if name in inputs and inputs[name] is None]
    if not waiting:
        return []
    graph = RunningGraph(prompt or {})
    origin = {
        name: graph_digest(graph, unique_id or "", name, file_state=host_files.file_print) for name in waiting
    }  # fmt: skip
    try:
        folder = host_files.reels_folder() / check_reel_name(inputs.get("reel"))
        kept = all_kept(folder, str(inputs.get("story")), str(inputs.get("negative_prompt", "")), origin, engine)
    except SVIError:  # the run says it
        return waiting
    return [] if kept else waiting


class _NodeReport:
    """Progress on the running node."""

    def __init__(self, node_id: str | None, ahead: JoinAhead) -> None:
        self.node_id, self.ahead = node_id, ahead

    def settled(self, place: int, take: Take) -> None:
        self.ahead.add(place, take)

    def ending(self, place: int, digest: str, frames: Tensor, overlap: int) -> None:
        self.ahead.add_ending(place, digest, frames, overlap)

    def text(self, line: str) -> None:
        host_show.show_text(self.node_id, line)

    def clip(self, done: int, total: int) -> None:
        host_show.show_progress(self.node_id, done, total)

    def picture(self, done: int, total: int, draw: Callable[[], Image.Image]) -> None:
        if host_show.is_watched():
            host_show.show_picture(self.node_id, done, total, draw)


def modes_of(plan: ChainPlan) -> set[str]:
    """Modes of the clips that run with the main model, which has the SVI LoRA."""
    return {clip.mode for clip in plan.clips if clip.model == "main"}


def _one_cfg(job: Job) -> list[str]:
    """A note where a clip's own cfg takes the place of two that differ."""
    low = job.sources.low_sampler
    if low is None or low.get("cfg") == job.sources.sampler.get("cfg"):
        return []
    cut = [str(clip.index + 1) for clip in job.plan.clips if clip.cfg is not None]
    return [f"cfg of the story is that of both stages in clip {', '.join(cut)}"] if cut else []


def _held_twice(job: Job) -> list[str]:
    """A note where the wrapper holds a model twice. It uploads the weights again at every call of its sampler, so that
    leaving them on the card saves nothing: 3.1 s a clip as ever, and 31.6 GiB instead of 19.6 (14B fp8 on an H200).
    Weights that LoRAs were merged into it moves to RAM and back instead, which is saved."""
    stages = {"sampler_inputs": job.sources.sampler, "low_noise_sampler_inputs": job.sources.low_sampler}
    off = [
        name
        for name, stage in stages.items()
        if stage and stage.get("force_offload") is False and is_reloaded(stage.get("model"))
    ]
    if not off or len(job.plan.clips) < 2:
        return []
    said = (
        f"force_offload is off in {' and '.join(off)}: it saves no time in a chain, since the wrapper uploads the "
        "weights for every clip all the same, and it holds them twice meanwhile; turn it on"
    )
    return [said]


def _describe(plan: ChainPlan, reel: Reel, done: Rendered, tasks: Collection[Task], notes: list[str]) -> str:
    """tasks: the clips that the run was to make, none for all."""
    made = ", ".join(str(index + 1) for index in done.sampled)
    kept = len(done.takes) - len(done.sampled)
    counts = f"{kept} kept, {len(done.sampled)} made{f' (clip {made})' if made else ''}"
    head = [
        f"only clip {clip_numbers(tasks)}, which the video shows alone; of {plan.describe()}: {counts}"
        if tasks
        else f"{plan.describe()}; {counts}",
        *([f"{done.waits}; {len(done.takes)} of {len(plan.clips)} clips are in the video"] if done.waits else []),
        *([done.spent] if done.spent else []),
        f"reel {reel.name} in output/{reel.folder.parent.name}",
        *align(plan.table()),
    ]
    if reel.spare:
        size = reel.spare_size / 2**20
        said = f"{len(reel.spare)} takes that the chain does not use are kept too ({size:.0f} MB)"
        notes = [*notes, f'{said}: wanvideo-svi reel clean "{reel.name}" deletes them']
    return write_info(head, notes)
