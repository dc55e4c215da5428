"""Clips of ComfyUI's native samplers with SVI 2.0 Pro: which there are, how they follow each other, what is wrong.

They are migrated as a story only. Sources: KJNodes' WanImageToVideoSVIPro, ComfyUI-Wan-SVI2Pro-FLF, and ComfyUI's own
samplers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ....svi_embeds.errors import SVIError
from ....svi_embeds.story.chain import SEED_STEP
from ..model.report import Finding, finding
from .videos import KEEPERS
from .wires import At, Origin, Wires

NATIVE_PRO = ("WanImageToVideoSVIPro", "WanImageToVideoSVIProFLF")
NATIVE_SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
NATIVE_DECODES = ("VAEDecode", "VAEDecodeTiled")
# Where a sampler's conditioning is, and where nodes on the way take theirs: guiders and what passes conditioning on.
_CONDITIONING = ("guider", "positive", "conditioning", "cond1", "conditioning_1")
# What stands in for a clip before where there is none: the first clip of a chain has to be wired to something too.
_NO_CLIP = ("Encode", "Empty")
_MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class NativeClip:
    """A clip of native samplers, as the graph tells it.

    pro: the node that conditions it. samplers: in the order in which they run. length: its frames, anchor and motion
    included; None when only a run can tell, as is motion_latents, which is 0 where nothing of a clip before leads it.
    cut_latents: how many latents were taken off its end on the way to where it was asked for.
    """

    pro: At
    samplers: tuple[At, ...]
    length: int | None
    motion_latents: int | None
    cut_latents: int | None = 0

    @property
    def overlap_frames(self) -> int | None:
        """Frames at its start that are none of its own: the anchor's, and four for each motion latent."""
        return None if self.motion_latents is None else 1 + 4 * self.motion_latents

    def before(self, wires: Wires) -> NativeClip | None:
        """The clip that it continues from."""
        return native_clip(wires, wires.origin(self.pro, "prev_samples")) if self.motion_latents != 0 else None


def native_clip(wires: Wires, origin: Origin | None) -> NativeClip | None:
    """The native Pro clip that a video or a latent is, from its first frame on; None when it is none for sure.

    A video may be resized or matched in colour, and has all the clip's frames; of latents the end may be cut off.
    """
    cut: int | None = 0
    for _ in range(_MAX_STEPS):
        if origin is None:
            return None
        kind, at = origin.type, origin.at
        if kind in NATIVE_SAMPLERS:
            return _clip_of(wires, at, cut)
        if kind in NATIVE_DECODES:
            origin = wires.origin(at, "samples")
        elif kind == "WanCutLastSlot":
            slots = _value(wires, at, "slots_to_cut")
            cut = cut + slots if isinstance(slots, int) and cut is not None else None
            origin = wires.origin(at, "latents")
        elif kind in KEEPERS and not origin.slot:
            origin = wires.origin(at, KEEPERS[kind])
        else:
            return None
    return None


def _clip_of(wires: Wires, last: At, cut: int | None) -> NativeClip | None:
    samplers = [last]
    while len(samplers) < _MAX_STEPS:
        origin = wires.origin(samplers[0], "latent_image")
        if origin is None or origin.type not in NATIVE_SAMPLERS or origin.at in samplers:
            break
        samplers.insert(0, origin.at)
    pro = next((found for at in (last, *samplers) if (found := _pro(wires, at))), None)
    if pro is None:
        return None
    length, motion = _value(wires, pro, "length"), _value(wires, pro, "motion_latent_count")
    led = wires.linked(pro, "prev_samples") and not _is_no_clip(wires.origin(pro, "prev_samples"))
    return NativeClip(
        pro, tuple(samplers), length if isinstance(length, int) else None,
        (motion if isinstance(motion, int) else None) if led else 0, cut,
    )  # fmt: skip


def _pro(wires: Wires, sampler: At) -> At | None:
    """The Pro node that conditions a sampler."""
    here: At | None = sampler
    for _ in range(20):
        origin = next((found for name in _CONDITIONING if here and (found := wires.origin(here, name))), None)
        if origin is None or origin.type in NATIVE_SAMPLERS:
            return None
        if origin.type in NATIVE_PRO:
            return origin.at
        here = origin.at
    return None


def _is_no_clip(origin: Origin | None) -> bool:
    return origin is None or any(word in origin.type for word in _NO_CLIP)


def _value(wires: Wires, at: At, name: str) -> object:
    try:
        return wires.value(at, name)
    except SVIError:
        return None


def native_defects(wires: Wires) -> Iterator[Finding]:
    """What is known to be wrong in chains of native Pro clips: said, not repaired."""
    for at in wires.places():
        if at.node.type in NATIVE_PRO and (wrong := _no_motion(wires, at)):
            yield wrong
    yield from _equal_noise(wires, native_clips(wires))


def native_clips(wires: Wires) -> dict[At, NativeClip]:
    """The native Pro clips that run, by the sampler that begins each."""
    clips: dict[At, NativeClip] = {}
    for at in wires.places():
        if at.node.type in NATIVE_SAMPLERS and (clip := _clip_of(wires, at, 0)):
            known = clips.get(clip.samplers[0])
            if known is None or len(known.samplers) < len(clip.samplers):
                clips[clip.samplers[0]] = clip
    return clips


def _no_motion(wires: Wires, at: At) -> Finding | None:
    count = _value(wires, at, "motion_latent_count")
    if count != 0 or isinstance(count, bool) or not wires.linked(at, "prev_samples"):
        return None
    if _is_no_clip(wires.origin(at, "prev_samples")):
        return None
    what = "prev_samples is connected, but motion_latent_count is 0: nothing of the clip before is used"
    return finding("defect", at.node, what, "motion_latent_count 1")


def _equal_noise(wires: Wires, clips: dict[At, NativeClip]) -> Iterator[Finding]:
    """Clips whose noise an earlier clip of their chain has too."""
    followed = {before.samplers[0] for clip in clips.values() if (before := clip.before(wires))}
    done: set[At] = set()
    for first in [at for at in clips if at not in followed] or list(clips):
        chain: dict[At, NativeClip] = {}
        here: NativeClip | None = clips[first]
        while here is not None and here.samplers[0] not in chain:
            chain[here.samplers[0]] = here
            here = here.before(wires)
        earlier: dict[object, tuple[At, NativeClip]] = {}
        for at, clip in reversed(chain.items()):
            source = next((found for sampler in clip.samplers if (found := noise_of(wires, sampler))), None)
            if source is None:
                continue
            holder, key = source
            other = earlier.setdefault((key, clip.length), (holder, clip))
            if other[1] is clip or at in done:
                continue
            done.add(at)
            yield _said(holder, other[0], key)


def noise_of(wires: Wires, sampler: At) -> tuple[At, object] | None:
    """The node that a sampler's noise is set in, and what is equal where the noise is: a seed, or what gives one."""
    name, holder = "seed" if sampler.node.type == "KSampler" else "noise_seed", sampler
    if sampler.node.type == "SamplerCustomAdvanced":
        origin = wires.origin(sampler, "noise")
        if origin is None or origin.type == "DisableNoise":
            return None
        if origin.type != "RandomNoise":
            return origin.at, (origin.at.node, origin.slot)
        holder = origin.at
    elif sampler.node.type != "KSampler" and _value(wires, sampler, "add_noise") not in ("enable", True):
        return None
    linked = wires.origin(holder, name)
    value = _value(wires, holder, name)
    if isinstance(value, int) and not _is_drawn(linked.at if linked else holder):
        return holder, value
    # Another at each run, but one for all that take it from there.
    if linked is not None:
        return holder, (linked.at.node, linked.slot)
    return (holder, (holder.node, 0)) if isinstance(value, int) else None


def _is_drawn(at: At) -> bool:
    saved = at.node.raw.get("widgets_values")
    return isinstance(saved, list) and "randomize" in saved[:6]


def _said(at: At, other: At, key: object) -> Finding:
    way = "give each clip a seed of its own"
    if at.node is other.node:
        seed = "it makes several clips with one seed" + (f", {key}" if isinstance(key, int) else "")
    elif isinstance(key, int):
        seed, way = f"its seed {key} is also that of node {other.node.id}", f"seed {key + SEED_STEP}"
    else:
        seed = f"its seed comes from the same node as that of node {other.node.id}"
    found = finding("defect", at.node, f"{seed}, and equal noise in every clip adds up to artefacts", way)
    return replace(found, about="noise")
