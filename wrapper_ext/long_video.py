"""What WanVideoSVILongVideo does: from its inputs and the graph around it to a reel and one video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ..svi_embeds.chain import ChainPlan, plan_chain
from ..svi_embeds.encode import check_vae
from ..svi_embeds.errors import SVIError
from ..svi_embeds.frames import check_images, check_pixels
from ..svi_embeds.guides import guides_of
from ..svi_embeds.reel import Reel, check_reel_name, reel_state
from ..svi_embeds.reel_writer import ReelWriter
from ..svi_embeds.soundtrack import soundtrack_of
from ..svi_embeds.words import align, write_info
from . import host
from .around import notes_on_loras
from .graph_digest import graph_digest
from .nodes_reel import assemble, cut_name, sound_name
from .render import FIRST_MODELS, PER_CLIP, Rendered, render_chain
from .render_colour import colour_method
from .render_job import Job, check_job
from .sampler_wiring import RunningGraph, lora_names
from .voice_rate import voice_rate


@dataclass(frozen=True, slots=True)
class _Left:
    """A reel as this process left it. video: the joined one. changes: how often it had been changed from outside."""

    state: str
    video: Path
    changes: int


# So that a finished chain is not run again, and one that was changed since is.
_left: dict[str, _Left] = {}


def changes_of(folder: Path) -> int:
    """How often a reel was changed from outside since this process wrote it first, the change at hand included."""
    left = _left.get(str(folder))
    if left is None:
        return 0
    return left.changes + (reel_state(folder, left.video) != left.state)


def render_story(
    sampler_inputs: Mapping[str, Any],
    vae: Any,
    story: str,
    mode: str,
    width: int,
    height: int,
    num_frames: int,
    overlap_frames: int,
    seed: int,
    fps: float,
    reel: str,
    resume: bool,
    start_image: Tensor | None = None,
    ref_image: Tensor | None = None,
    end_images: Tensor | None = None,
    text_embeds: Mapping[str, Any] | None = None,
    audio: Mapping[str, Any] | None = None,
    unique_id: str | None = None,
    prompt: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> tuple[Reel, Tensor, Path, str]:
    """A story rendered into a reel, for the node `unique_id` of the graph `prompt`; see `plan_chain` and `Job`.

    Returns the reel, its last frames, the joined video's file, and the plan with what was done, in words.
    """
    check_reel_name(reel)
    check_vae(vae)
    images: dict[str, Tensor | None] = {}
    notes: list[str] = []
    for name, image in (("start_image", start_image), ("ref_image", ref_image), ("end_images", end_images)):
        images[name] = None
        if image is not None:
            checked, said = check_images(name, image)
            check_pixels(name, checked)
            images[name] = checked
            notes += said
    start, ref, ends = images["start_image"], images["ref_image"], images["end_images"]
    if ref is not None and len(ref) > 1:
        raise SVIError(f"ref_image must be one image, got a batch of {len(ref)}: ImageFromBatch picks one")
    if not isinstance(sampler_inputs, Mapping):
        raise SVIError("sampler_inputs must come from WanVideo Sampler Settings")
    low = inputs.get("low_noise_sampler_inputs")
    if low is not None and not isinstance(low, Mapping):
        raise SVIError("low_noise_sampler_inputs must come from WanVideo Sampler Settings")
    guides = guides_of(sampler_inputs, low, silence=host.silent_voice)
    track = soundtrack_of(audio) if audio is not None else None
    plan = plan_chain(
        story, mode=mode, num_frames=num_frames, overlap_frames=overlap_frames, seed=seed, fps=fps,
        start_frames=0 if start is None else len(start), reference_frames=0 if ref is None else 1,
        end_images=0 if ends is None else len(ends), fun_or_fl2v_model=inputs.get("fun_or_fl2v_model", True),
        first_clip_model=inputs.get("first_clip_model") is not None,
        length=guides.frames or (round(track.seconds * fps) if track else None),
        skip_repeated=inputs.get("skip_repeated", False),
    )  # fmt: skip
    graph = RunningGraph(prompt or {})
    notes += guides.check(
        plan, width=width, height=height, fun_or_fl2v_model=inputs.get("fun_or_fl2v_model", True), track=track,
        voice_fps=voice_rate(graph, unique_id or ""),
    )  # fmt: skip
    texts = [name for name in ("t5", "clip") if inputs.get(name) is not None]
    own = sampler_inputs.get("text_embeds") if isinstance(sampler_inputs, Mapping) else None
    if own is not None and (texts or text_embeds is not None):
        notes.append("text_embeds of sampler_inputs are not used: the chain has text of its own")
    elif own is not None:
        text_embeds = own
    origin = _origins(graph, unique_id or "")
    if resume and not origin.get("model"):
        resume = False
        notes.append("where the models come from cannot be seen in this graph, so no clip was taken from the reel")
    if (low_model := inputs.get("low_noise_model")) is not None:
        if low is not None:
            raise SVIError("connect low_noise_model or low_noise_sampler_inputs, not both")
        low = {**sampler_inputs, "model": low_model}
    job = Job(
        plan=plan, vae=vae, width=width, height=height, sampler=sampler_inputs, start_image=start, ref_image=ref,
        end_images=ends, text_embeds=text_embeds, origin=origin, first_model=inputs.get("first_clip_model"),
        low_sampler=low, guides=guides,
        first_low_model=inputs.get("first_clip_low_noise_model"),
        **{name: inputs[name] for name in _JOB_INPUTS if name in inputs},
    )  # fmt: skip
    check_job(job)
    notes += unused(job)
    if settings := graph.source(unique_id or "", "sampler_inputs"):
        notes += notes_on_loras(modes_of(plan), lora_names(graph, settings[0], "model"))
    folder = host.reels_folder() / reel
    changes = changes_of(folder)
    with ReelWriter(folder, fps=fps, length=plan.video_length) as writer:
        done = render_chain(job, writer, host, _NodeReport(unique_id), resume=resume)
        video = folder / f"{reel}_{writer.reel.chain}_{fps:g}fps{sound_name(track)}{cut_name(writer.reel)}.mp4"
        if not video.is_file() or video.is_symlink():
            assemble(writer.reel, video, unique_id, track=track)
        finished = writer.reel
    _left[str(folder)] = _Left(reel_state(folder, video), video, changes)
    info = _describe(plan, finished, done, [*plan.notes, *done.notes, *notes])
    return finished, done.last_frames, video, info


_JOB_INPUTS = (
    "t5", "clip", "negative_prompt", "clip_vision", "split_step", "fun_or_fl2v_model", "tiled_vae", "color_match",
    "color_match_strength", "color_match_to",
)  # fmt: skip


def _origins(graph: RunningGraph, node_id: str) -> dict[str, str]:
    """Where the objects that a chain is made with come from, by the names that `Job.origin` wants."""

    def digest(name: str, node: str = node_id, ignore: tuple[str, ...] = ()) -> str:
        return graph_digest(graph, node, name, file_state=host.file_print, ignore=ignore)

    origin = {name: digest(name) for name in ("vae", "t5", "clip", "clip_vision", "low_noise_model", *FIRST_MODELS)}
    for settings, model in (("sampler_inputs", "model"), ("low_noise_sampler_inputs", "low_noise_model")):
        source = graph.source(node_id, settings)
        if source is None:
            continue
        if graph.source(source[0], "model"):
            # The chain's own seed and embeds count, not those that stand in for them on the settings node.
            origin[settings] = digest(settings, ignore=PER_CLIP)
            origin[model] = digest("model", source[0])
        else:  # something stands between: all of it counts
            origin[settings] = origin[model] = digest(settings)
    return {name: value for name, value in origin.items() if value}


class _NodeReport:
    """Progress on the running node."""

    def __init__(self, node_id: str | None) -> None:
        self.node_id = node_id

    def text(self, line: str) -> None:
        host.show_text(self.node_id, line)

    def clip(self, done: int, total: int, picture: Image.Image | None) -> None:
        host.show_progress(self.node_id, done, total, picture)


def modes_of(plan: ChainPlan) -> set[str]:
    """Modes of the clips that run with the main model, which has the SVI LoRA."""
    return {clip.mode for clip in plan.clips if clip.model == "main"}


def unused(job: Job) -> list[str]:
    """What is connected and decides nothing."""
    clips, notes = job.plan.clips, []
    if job.end_images is not None and all(clip.end is None for clip in clips):
        notes.append("end_images are not used: no block of the story says end=0")
    if job.first_model is not None and all(clip.model == "main" for clip in clips):
        notes.append(
            "first_clip_model is not used: clip 1 goes on from a video, as the SVI LoRA was made to ([model=first] in "
            "its block uses it)"
            if clips[0].motion_latents
            else "first_clip_model is not used: every block says model=main"
        )
    from_anchor = clips[0].works_on_latents and not clips[0].motion_latents
    if job.start_image is not None and job.start_image is not job.anchor and from_anchor:
        notes.append("start_image is not used: svi2_pro begins from its anchor, which is ref_image")
    if job.color_match != "off" and all(colour_method(job, clip) == "off" for clip in clips):
        notes.append(
            "color_match holds no clip here: clip 1 is what the others are held to, clips with end or [color=off] are "
            "left alone, and so are all at strength 0"
        )
    if job.low_sampler is not None and job.low_sampler.get("cfg") != job.sampler.get("cfg"):
        cut = [str(clip.index + 1) for clip in clips if clip.cfg is not None]
        if cut:
            notes.append(f"cfg of the story is that of both stages in clip {', '.join(cut)}")
    return notes


def _describe(plan: ChainPlan, reel: Reel, done: Rendered, notes: list[str]) -> str:
    made = ", ".join(str(index + 1) for index in done.sampled)
    kept = len(plan.clips) - len(done.sampled)
    head = [
        f"{plan.describe()}; {kept} kept, {len(done.sampled)} made{f' (clip {made})' if made else ''}",
        f"reel {reel.name} in output/{reel.folder.parent.name}",
        *align(plan.table()),
    ]
    if reel.spare:
        size = sum(take.video.size + take.tail.size for take in reel.spare) / 2**20
        said = f"{len(reel.spare)} takes that the chain does not use are kept too ({size:.0f} MB)"
        notes = [*notes, f'{said}: wanvideo-svi reel clean "{reel.name}" deletes them']
    return write_info(head, notes)
