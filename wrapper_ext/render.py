"""A chain rendered clip by clip through the host's own nodes, into a reel.

A loop, not a node expansion: memory stays flat, and what a cache would have kept, the reel keeps on disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor

from ..svi_embeds.chain import ChainClip, ChainPlan, latent_choices
from ..svi_embeds.checks import check_choice, check_share
from ..svi_embeds.clip import make_clip
from ..svi_embeds.clip_video import read_video
from ..svi_embeds.colour import check_mkl, colour_sample, match_clip, match_latents, sample_video
from ..svi_embeds.colour_choices import COLOUR_CHOICES, COLOUR_TARGETS
from ..svi_embeds.errors import SVIError
from ..svi_embeds.fingerprint import fingerprint
from ..svi_embeds.frames import last_frames, resize_frames, to_picture
from ..svi_embeds.guides import POSES, VOICE, Guides
from ..svi_embeds.latents import make_latent_clip, shown_latents
from ..svi_embeds.plan import plan_clip
from ..svi_embeds.reel import Take
from ..svi_embeds.reel_writer import ReelWriter

FIRST_MODELS = ("first_clip_model", "first_clip_low_noise_model")
MAIN_MODELS = ("model", "low_noise_model")
# Changes when the same inputs give another clip, so that reels of before are not taken for true.
_RENDERING = 1
# Sampler arguments that the chain decides. What the clips follow (VOICE, POSES) counts by its part for each clip.
PER_CLIP = ("model", "image_embeds", "text_embeds", "seed", "samples", VOICE, POSES)
# Where a model waits and how it is moved decides nothing about what it gives: what people change after running out of
# memory must not cost them the clips they have.
MEMORY_INPUTS = ("block_swap_args", "force_offload", "load_device", "vram_management_args")
_NOT_DECIDING = (*PER_CLIP, *MEMORY_INPUTS)
# Kept of each clip's end at least: what film wants, so that a chain can go on without its last clip being made again.
_TAIL_FRAMES, _TAIL_LATENTS = 5, 2
_TEXTS_AHEAD = 16


class Host(Protocol):
    """What rendering needs of the host; the module `host` is one."""

    def call(self, node_id: str, **inputs: Any) -> tuple[Any, ...]: ...
    def device(self) -> torch.device: ...
    def offload_device(self) -> torch.device: ...
    def free_memory(self) -> None: ...
    def stop_if_cancelled(self) -> None: ...


class Report(Protocol):
    """Where progress goes. done, total: clips. picture: the last frame of the clip that was finished."""

    def text(self, line: str) -> None: ...
    def clip(self, done: int, total: int, picture: Image.Image | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that decides a chain's clips.

    sampler: the host's SAMPLER_ARGS. low_sampler: those of the low noise stage. split_step: the step at which it takes
    over, 0 for what the two say. first_model, first_low_model: models without the SVI LoRA.
    text: exactly one of t5, clip and text_embeds; negative_prompt goes with the first two.
    color_match, color_match_strength: how the end of each clip is brought back to the colours of color_match_to, the
    first clip or the reference; of clips on latents to the anchor's statistics. See `colour`.
    guides: what the clips follow frame by frame; it comes with the sampler settings.
    origin: a digest of the graph upstream of what cannot be looked into, by name: vae, t5, clip, clip_vision,
    sampler_inputs and low_noise_sampler_inputs (but for their models), FIRST_MODELS and MAIN_MODELS.
    """

    plan: ChainPlan
    vae: Any
    width: int
    height: int
    sampler: Mapping[str, Any]
    low_sampler: Mapping[str, Any] | None = None
    split_step: int = 0
    first_model: Any = None
    first_low_model: Any = None
    start_image: Tensor | None = None
    ref_image: Tensor | None = None
    end_images: Tensor | None = None
    t5: Any = None
    clip: Any = None
    text_embeds: Mapping[str, Any] | None = None
    negative_prompt: str = ""
    clip_vision: Any = None
    fun_or_fl2v_model: bool = True
    tiled_vae: bool = False
    color_match: str = "off"
    color_match_strength: float = 1.0
    color_match_to: str = "clip_1"
    guides: Guides = field(default_factory=Guides)
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> Tensor | None:
        """The original image: ref_image, or the start image when that is one."""
        if self.ref_image is None and self.start_image is not None and len(self.start_image) == 1:
            return self.start_image
        return self.ref_image


@dataclass(frozen=True, slots=True)
class _Lead:
    """What leads a clip: frames F H W 3 in 0..1, and for 2.0 Pro latents C t h w."""

    frames: Tensor | None
    latents: Tensor | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """takes: the chain on disk. sampled: which clips (from 0) were made anew. last_frames: of the last clip, those that
    would lead the next. notes: what a reader should know, a sentence each."""

    takes: tuple[Take, ...]
    sampled: tuple[int, ...]
    last_frames: Tensor
    notes: tuple[str, ...] = ()


def render_chain(job: Job, writer: ReelWriter, host: Host, report: Report, *, resume: bool) -> Rendered:
    """Render what the reel does not have yet. resume: whether clips that are still true are taken from it.

    Raises SVIError before anything is sampled when the job does not fit together. Whatever is raised later, a cancel
    too, every clip finished until then is in the reel.
    """
    return _Renderer(job, writer, host, report).run(resume)


class _Renderer:
    def __init__(self, job: Job, writer: ReelWriter, host: Host, report: Report) -> None:
        self.job, self.writer, self.host, self.report = job, writer, host, report
        check_job(job)
        self.text = _Texts(job, host)
        self.sampler_print = fingerprint({key: value for key, value in job.sampler.items() if key not in _NOT_DECIDING})
        self.low_print = (
            fingerprint({key: value for key, value in job.low_sampler.items() if key not in _NOT_DECIDING})
            if job.low_sampler is not None else ""
        )  # fmt: skip
        self.ref_print = fingerprint(job.reference)
        self.encoded: dict[str, dict[str, Any]] = {}  # images as LATENT, by fingerprint
        self.spent: list[float] = []
        self.first_colours: tuple[str, Tensor] | None = None  # with the digest of the clip they are of
        self.notes: list[str] = []

    def run(self, resume: bool) -> Rendered:
        plan = self.job.plan
        takes: list[Take] = []
        sampled: list[int] = []
        lead = _Lead(self.job.start_image, None)
        for clip in plan.clips:
            self.host.stop_if_cancelled()
            digest = self._digest(clip, lead)
            kept = self._kept(clip, digest) if resume else None
            if kept is None:
                self._say(clip, "sampling")
                take, lead = self._render(clip, lead, digest, takes)
                sampled.append(clip.index)
                picture = None if lead.frames is None else to_picture(lead.frames[-1:])
                self.report.clip(clip.index + 1, len(plan.clips), picture)
            else:
                self._say(clip, "kept")
                take, lead = kept
            takes.append(take)
        self.writer.set_chain(takes)
        if lead.frames is None:
            raise SVIError("the last clip left no frames")
        last = lead.frames[-plan.motion_after(len(takes) - 1)[0] :]
        return Rendered(tuple(takes), tuple(sampled), last, tuple(self.notes))

    def _kept(self, clip: ChainClip, digest: str) -> tuple[Take, _Lead] | None:
        """The clip's take and what it leaves for the next, if the reel has it whole."""
        take = self.writer.find(digest)
        if take is None:
            return None
        frames, latents = self.job.plan.motion_after(clip.index)
        if take.tail_frames < frames or take.tail_latents < latents:
            wanted = f"{frames} of its last frames" + (f" and {latents} of its latents" if latents else "")
            self.notes.append(f"clip {clip.index + 1} was made again: the clip after it needs {wanted}, less was kept")
            return None
        try:
            return take, _Lead(*self.writer.reel.tail(take))
        except SVIError:  # damaged in a way that its size and time do not show
            return None

    def _say(self, clip: ChainClip, doing: str) -> None:
        count = len(self.job.plan.clips)
        left = ""
        if self.spent:
            left = f", about {_duration(sum(self.spent) / len(self.spent) * (count - clip.index))} left"
        self.report.text(f"clip {clip.index + 1} of {count}: {doing}{left}")

    # What decides a clip

    def _digest(self, clip: ChainClip, lead: _Lead) -> str:
        job = self.job
        models = FIRST_MODELS if clip.model == "first" else MAIN_MODELS
        texts = job.t5 is not None or job.clip is not None
        facts: dict[str, Any] = {
            "rendering": _RENDERING,
            "index": clip.index,
            "row": [
                clip.mode, clip.seed, clip.num_frames, clip.motion_frames, clip.known, clip.padding, clip.ref_strength,
                clip.model, clip.cfg,
            ],
            "text": [clip.prompt, job.negative_prompt] if texts else fingerprint(job.text_embeds),
            "size": [job.width, job.height],
            "lead": fingerprint(self._used_of(clip, lead)),
            "ref": self.ref_print if self._uses_reference(clip) else None,
            "end": None if clip.end is None else [fingerprint(self._end(clip)), job.fun_or_fl2v_model],
            "tiled": job.tiled_vae,
            **self._colour_facts(clip),
            "guides": job.guides.print_of(clip, width=job.width, height=job.height),
            "sampler": [self.sampler_print, self.low_print, job.split_step],
            "origin": {
                name: job.origin.get(name, "")
                for name in ("sampler_inputs", "low_noise_sampler_inputs", "vae", "t5", "clip", "clip_vision", *models)
            },
        }  # fmt: skip
        return fingerprint(facts)

    def _colour(self, clip: ChainClip) -> str:
        """How a clip's colours are held. The first clip is what the others are held to; an end image has its own."""
        method = clip.color or self.job.color_match
        if clip.end is not None:
            return "off"
        held_to_itself = clip.index == 0 and (clip.works_on_latents or self.job.color_match_to == "clip_1")
        return "off" if held_to_itself or not self.job.color_match_strength else method

    def _colour_facts(self, clip: ChainClip) -> dict[str, Any]:
        """What of it decides a clip; nothing where colours are left alone, as in reels of before there was this."""
        method, job = self._colour(clip), self.job
        if method == "off":
            return {}
        return {
            "color": [
                "latents" if clip.works_on_latents else method, job.color_match_strength, job.color_match_to,
                self.ref_print if job.color_match_to == "reference" else None,
            ]
        }  # fmt: skip

    def _used_of(self, clip: ChainClip, lead: _Lead) -> Tensor | None:
        """The part of the lead that a clip is made from."""
        if clip.works_on_latents:
            return None if lead.latents is None else lead.latents[:, -clip.motion_latents :]
        return None if lead.frames is None else lead.frames[-clip.motion_frames :]

    def _uses_reference(self, clip: ChainClip) -> bool:
        if clip.works_on_latents:
            return True
        return plan_clip(
            mode=clip.mode, num_frames=clip.num_frames, start_frames=clip.motion_frames,
            reference_frames=int(self.job.reference is not None), overlap_frames=clip.motion_frames,
            end_frames=int(clip.end is not None), known_frames=clip.known, padding=clip.padding,
            fun_or_fl2v_model=self.job.fun_or_fl2v_model,
        ).reference_from is not None  # fmt: skip

    def _end(self, clip: ChainClip) -> Tensor | None:
        if clip.end is None or self.job.end_images is None:
            return None
        return self.job.end_images[clip.end : clip.end + 1]

    # One clip

    def _render(self, clip: ChainClip, lead: _Lead, digest: str, before: list[Take]) -> tuple[Take, _Lead]:
        started = time.monotonic()
        text = self.text.of(clip)
        embeds = self._latent_embeds(clip, lead) if clip.works_on_latents else self._embeds(clip, lead)
        samples = self._hold_latents(clip, self._sample(clip, embeds, text))
        del embeds
        images = self._decode(samples)
        if len(images) != clip.num_frames:
            raise SVIError(
                f"clip {clip.index + 1} came out with {len(images)} frames instead of {clip.num_frames}: a setting of "
                "the sampler (loop_args, context windows) changes the length, which a chain cannot have"
            )
        tail_frames, tail_latents = self.job.plan.motion_after(clip.index)
        tail_frames = max(tail_frames, min(_TAIL_FRAMES, len(images) - 1))
        images = self._hold_colours(clip, images, before)
        if clip.works_on_latents:
            tail_latents = max(tail_latents, _TAIL_LATENTS)
        latents = None
        if tail_latents:
            # Copied: a view would keep the whole clip in memory.
            latents = shown_latents("samples", samples)[0][:, -tail_latents:].clone()
        del samples
        tail = last_frames(images, tail_frames)
        self._say(clip, "saving")
        take = self.writer.add(
            digest, images, before=before, overlap=clip.overlap_frames, tail=tail, latents=latents, prompt=clip.prompt,
            seed=clip.seed, mode=clip.mode, seconds=time.monotonic() - started,
            after_frame=self.host.stop_if_cancelled,
        )  # fmt: skip
        del images
        self.host.free_memory()
        self.spent.append(time.monotonic() - started)
        return take, _Lead(tail, latents)

    def _hold_colours(self, clip: ChainClip, images: Tensor, before: list[Take]) -> Tensor:
        """The clip with the colours of what it is held to, towards its end."""
        method, job = self._colour(clip), self.job
        if method == "off" or clip.works_on_latents:
            return images
        if job.color_match_to == "reference" and job.reference is not None:
            target = colour_sample(job.reference)
        else:
            target = self._first_clip_colours(before[0])
        return match_clip(
            images, target, method=method, strength=job.color_match_strength, lead=clip.overlap_frames,
            tail=job.plan.motion_after(clip.index)[0],
        )  # fmt: skip

    def _first_clip_colours(self, first: Take) -> Tensor:
        """From the disk, so that a run that was stopped goes on with the same."""
        if self.first_colours is None or self.first_colours[0] != first.video.sha256:
            frames = read_video(self.writer.folder / first.video.name)
            sample = sample_video(frames, count=first.frames, height=first.height, width=first.width)
            self.first_colours = first.video.sha256, sample
        return self.first_colours[1]

    def _hold_latents(self, clip: ChainClip, samples: dict[str, Any]) -> dict[str, Any]:
        """Samples whose last latents have the anchor's statistics, channel by channel."""
        if not clip.works_on_latents or self._colour(clip) == "off":
            return samples
        anchor = self._encode(self.job.reference)["samples"][0]
        latents = samples["samples"]
        held = match_latents(
            latents[0], anchor.to(latents.device), strength=self.job.color_match_strength,
            lead=1 + clip.motion_latents, tail=self.job.plan.motion_after(clip.index)[1],
        )  # fmt: skip
        return {**samples, "samples": held[None]}

    def _embeds(self, clip: ChainClip, lead: _Lead) -> dict[str, Any]:
        job = self.job
        start = lead.frames
        vision = None
        if job.clip_vision is not None and start is not None:
            first = start[len(start) - clip.motion_frames :][:1]
            (vision,) = self.host.call("WanVideoClipVisionEncode", clip_vision=job.clip_vision, image_1=first)
        made = make_clip(
            job.vae, mode=clip.mode, width=job.width, height=job.height, num_frames=clip.num_frames, start_image=start,
            ref_image=job.reference, end_image=self._end(clip), clip_embeds=vision,
            fun_or_fl2v_model=job.fun_or_fl2v_model, tiled_vae=job.tiled_vae, overlap_frames=clip.motion_frames,
            known_frames=clip.known, padding=clip.padding, ref_strength=clip.ref_strength, device=self.host.device(),
            offload_device=self.host.offload_device(), before_encode=self.host.stop_if_cancelled,
        )  # fmt: skip
        self.host.free_memory()
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _latent_embeds(self, clip: ChainClip, lead: _Lead) -> dict[str, Any]:
        job = self.job
        known, padding = latent_choices(clip)
        end = self._end(clip)
        made = make_latent_clip(
            anchor_samples=self._encode(job.reference), num_frames=clip.num_frames,
            prev_samples=None if lead.latents is None else {"samples": lead.latents[None]},
            motion_latents=clip.motion_latents or 1, end_samples=None if end is None else self._encode(end),
            known_frames=known, padding=padding, ref_strength=clip.ref_strength,
            fun_or_fl2v_model=job.fun_or_fl2v_model,
        )  # fmt: skip
        embeds: dict[str, Any] = made.embeds  # type: ignore[assignment]
        return embeds

    def _encode(self, image: Tensor | None) -> dict[str, Any]:
        """An image at the clips' size as LATENT, each distinct one once."""
        if image is None:
            raise SVIError("there is no image to encode")
        key = fingerprint(image)
        if key not in self.encoded:
            sized = resize_frames(image[..., :3], width=self.job.width, height=self.job.height)
            (self.encoded[key],) = self.host.call(
                "WanVideoEncode", vae=self.job.vae, image=sized, enable_vae_tiling=self.job.tiled_vae
            )
        return self.encoded[key]

    def _sample(self, clip: ChainClip, embeds: dict[str, Any], text: Any) -> dict[str, Any]:
        job = self.job
        ours = {"image_embeds": job.guides.join(clip, embeds), "text_embeds": text, "seed": clip.seed}
        if clip.cfg is not None:
            ours["cfg"] = clip.cfg
        ours |= job.guides.of(clip, width=job.width, height=job.height)
        high = {**job.sampler, **ours}
        if clip.model == "first":
            high["model"] = job.first_model
        if job.low_sampler is None:
            return self._run_sampler(high)
        low = {**job.low_sampler, **ours}
        if clip.model == "first":
            low["model"] = job.first_low_model
        if job.split_step:
            high |= {"start_step": 0, "end_step": job.split_step}
            low |= {"start_step": job.split_step, "end_step": -1}
        return self._run_sampler({**low, "samples": self._run_sampler(high)})

    def _run_sampler(self, arguments: dict[str, Any]) -> dict[str, Any]:
        samples: dict[str, Any] = self.host.call("WanVideoSamplerFromSettings", sampler_inputs=arguments)[0]
        return samples

    def _decode(self, samples: dict[str, Any]) -> Tensor:
        images: Tensor = self.host.call(
            "WanVideoDecode", vae=self.job.vae, samples=samples, enable_vae_tiling=self.job.tiled_vae
        )[0]
        return images


class _Texts:
    """Prompts encoded, each distinct one once, some of those ahead together, and let go after their last clip."""

    def __init__(self, job: Job, host: Host) -> None:
        self.job, self.host = job, host
        self.known: dict[str, Any] = {}
        self.negative: Any = None
        self.last_use = {clip.prompt: clip.index for clip in job.plan.clips}

    def of(self, clip: ChainClip) -> Any:
        if self.job.text_embeds is not None:
            return self.job.text_embeds
        if clip.prompt not in self.known:
            # What was passed over because its clip was kept is let go too.
            self.known = {prompt: text for prompt, text in self.known.items() if self.last_use[prompt] >= clip.index}
            ahead = dict.fromkeys(later.prompt for later in self.job.plan.clips[clip.index :])
            wanted = [prompt for prompt in ahead if prompt not in self.known][:_TEXTS_AHEAD]
            for prompt in wanted:
                self.host.stop_if_cancelled()
                self.known[prompt] = self._encode(prompt, last=prompt == wanted[-1])
        text = self.known[clip.prompt]
        if self.last_use[clip.prompt] == clip.index:
            del self.known[clip.prompt]
        return text

    def _encode(self, prompt: str, *, last: bool) -> Any:
        """last: whether the text encoder may leave the GPU after this one."""
        job = self.job
        if job.t5 is not None:
            return self.host.call(
                "WanVideoTextEncode", t5=job.t5, positive_prompt=prompt, negative_prompt=job.negative_prompt,
                force_offload=last,
            )[0]  # fmt: skip
        (positive,) = self.host.call("CLIPTextEncode", clip=job.clip, text=prompt)
        if self.negative is None:
            (self.negative,) = self.host.call("CLIPTextEncode", clip=job.clip, text=job.negative_prompt)
        return self.host.call("WanVideoTextEmbedBridge", positive=positive, negative=self.negative)[0]


def check_job(job: Job) -> None:
    """Raises SVIError for parts that do not fit together, before anything is sampled."""
    clips = job.plan.clips
    check_choice("color_match", job.color_match, COLOUR_CHOICES)
    check_choice("color_match_to", job.color_match_to, COLOUR_TARGETS)
    check_share("color_match_strength", job.color_match_strength)
    methods = {clip.color or job.color_match for clip in clips} - {"off"}
    if methods and job.color_match_to == "reference" and job.reference is None:
        raise SVIError(
            "color_match_to reference needs the original image: connect ref_image, or hold the colours of clip_1"
        )
    if "mkl" in methods:
        check_mkl()
    if any(clip.works_on_latents for clip in clips) and job.reference is None:
        raise SVIError("svi2_pro needs an anchor: connect ref_image, the original image (or a single start_image)")
    if job.clip_vision is not None and any(clip.works_on_latents for clip in clips):
        raise SVIError("svi2_pro is for Wan 2.2, which takes no CLIP vision: disconnect clip_vision")
    _check_text(job)
    _check_samplers(job)
    main, first = [("the model of sampler_inputs", job.sampler["model"])], [("first_clip_model", job.first_model)]
    if job.low_sampler is not None:
        main.append(("the low noise model", job.low_sampler["model"]))
        first.append(("first_clip_low_noise_model", job.first_low_model))
    uses = {clip.model for clip in clips}
    for name, model in (main if "main" in uses else []) + (first if "first" in uses else []):
        job.guides.check_model(name, model)


def _check_text(job: Job) -> None:
    given = [name for name, value in (("t5", job.t5), ("clip", job.clip), ("text_embeds", job.text_embeds))
             if value is not None]  # fmt: skip
    if len(given) != 1:
        came = f"got {' and '.join(given)}" if given else "none is connected"
        raise SVIError(
            f"the prompts need exactly one of t5, clip and text_embeds, {came}: t5 (WanVideo T5 Text Encoder Loader) "
            "or clip encode the story's prompts, text_embeds is one prompt for all clips"
        )
    prompts = {clip.prompt for clip in job.plan.clips}
    if job.text_embeds is not None:
        if len(prompts) > 1:
            raise SVIError(
                f"the story has {len(prompts)} prompts, but text_embeds is one prompt for all clips: connect t5 or "
                "clip instead"
            )
        return
    for clip in job.plan.clips:
        if not clip.prompt:
            raise SVIError(f"clip {clip.index + 1} (line {clip.line} of the story) has no prompt: write one")


def _check_samplers(job: Job) -> None:
    stages = [("sampler_inputs", job.sampler), ("low_noise_sampler_inputs", job.low_sampler)]
    for name, stage in stages:
        if stage is None:
            continue
        if not isinstance(stage, Mapping) or "model" not in stage or not isinstance(stage.get("steps"), int):
            raise SVIError(f"{name} must come from WanVideo Sampler Settings")
        if stage.get("samples") is not None:
            raise SVIError(f"{name} has samples connected, but the chain makes its own: disconnect them")
    low = job.low_sampler
    uses_first = any(clip.model == "first" for clip in job.plan.clips)
    if low is None:
        if job.split_step:
            raise SVIError(
                "split_step needs low_noise_model or low_noise_sampler_inputs: connect one, or set split_step to 0"
            )
        if job.first_low_model is not None:
            raise SVIError("first_clip_low_noise_model needs low_noise_model: connect it, or disconnect this one")
        return
    if uses_first and job.first_low_model is None:
        raise SVIError("first_clip_model needs first_clip_low_noise_model beside it: a pair samples with two models")
    for key in ("steps", "shift", "scheduler"):
        ours, theirs = job.sampler.get(key), low.get(key)
        if isinstance(ours, (int, float, str)) and isinstance(theirs, (int, float, str)) and ours != theirs:
            raise SVIError(
                f"both samplers of a pair need one {key}, got {ours} (sampler_inputs) and {theirs} "
                "(low_noise_sampler_inputs): set both alike, or wire them from WanVideo High/Low Pair"
            )
    steps = job.sampler["steps"]
    end, start = (job.split_step,) * 2 if job.split_step else (job.sampler.get("end_step"), low.get("start_step"))
    # The wrapper also takes a noise level there (WanVideo Sigma To Step): the step at which it is passed.
    is_split = 1 <= end < steps if isinstance(end, int) else isinstance(end, float) and 0 < end < 1
    if not is_split or end != start:
        raise SVIError(
            f"the high noise sampler must end at the step where the low noise one starts, within 1..{steps - 1}: got "
            f"end_step {end} and start_step {start}; set split_step, or both (WanVideo High/Low Pair finds the step)"
        )
    if low.get("add_noise_to_samples"):
        raise SVIError(
            "low_noise_sampler_inputs has add_noise_to_samples on, which noises what is half done: turn it off"
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
