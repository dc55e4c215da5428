"""P1: motion frames, padding and mask built from nodes become WanVideo SVI Embeds."""

from __future__ import annotations

from ...svi_embeds.recipes import MODES, RECIPES, KnownRule, Padding, Recipe
from .clips import Clip, Clips, modes_of
from .defects import mask_polarity, padding_with_last_frame
from .match import Binding
from .patterns import PIXEL_CHAIN, PIXEL_START
from .report import Finding, finding
from .rewrite import CannotRewriteError, Carrier, Rewrite
from .scope import Source
from .wires import At, Wires

_LINKS = ("vae", "clip_embeds", "control_embeds", "extra_latents", "add_cond_latents")
_VALUES = (
    "num_frames", "force_offload", "noise_aug_strength", "start_latent_strength", "end_latent_strength",
    "fun_or_fl2v_model", "tiled_vae",
)  # fmt: skip
# What the wrapper takes when an API graph leaves them out.
_LEFT_OUT = {"fun_or_fl2v_model": False, "tiled_vae": False}


def read_pixel_chain(wires: Wires, clips: Clips, carrier: Carrier, at: At, found: Binding) -> Rewrite:
    """The rewrite of one clip. Raises CannotRewriteError for what WanVideo SVI Embeds would not do the same way."""
    node = at.node
    parts = carrier.parts(at, found, ("motion", "canvas", "repeat", "invert", "mask_range"))
    if node.source("augment_empty_frames") or node.values().get("augment_empty_frames", 0) != 0:
        raise CannotRewriteError("augment_empty_frames is on, which WanVideo SVI Embeds does not have: set it to 0")
    overlap = carrier.number(found["motion"].at, "num_frames", "the count of motion frames")
    findings: list[Finding] = []
    clip = clips.of(at)
    known = _known(carrier, wires, at, found, overlap, findings)
    padding, reference = _padding(carrier, wires, clips, at, found, clip, findings)
    loras = modes_of(clips.loras(clip)) if clip else []
    row = choose_mode(padding=padding, overlap=overlap, known=known, loras=loras)
    if row.id == "shot" and known == "overlap" and overlap > 1:
        findings.append(finding(
            "defect", node, f"{overlap} frames are marked as known, and the shot LoRA was made for exactly one",
            "known_frames as the mode wants: frame 0 only", fixed=True,
        ))  # fmt: skip
        known = row.known
    values = {
        "mode": row.id, "overlap_frames": overlap,
        "known_frames": "recipe" if _alike(row.known, known, overlap) else known,
        "padding": "recipe" if row.padding == padding else padding,
    }  # fmt: skip
    sources: dict[str, Source | None] = {name: node.source(name) for name in _LINKS}
    saved = node.values()
    for name in _VALUES:
        if node.source(name) is None and name not in saved:
            values[name] = _LEFT_OUT.get(name, _default(name))
            continue
        values[name], sources[name] = carrier.input(at, name, parts)
    for name in ("width", "height"):
        values[name], sources[name] = carrier.size(at, name, parts)
    sources["start_image"] = carrier.video(found["motion"].at, "images")
    sources["ref_image"] = reference
    if values["noise_aug_strength"]:
        findings.append(finding(
            "note", node, "noise_aug_strength noised the padding too; now it noises the motion frames only",
        ))  # fmt: skip
    pattern = PIXEL_CHAIN if "canvas" in found else PIXEL_START
    said = f"{pattern.title} became WanVideoSVIEmbeds, mode {row.id}, {overlap} motion frame{'s' * (overlap > 1)}"
    findings.insert(0, finding("rewrite", node, said, pattern=pattern.id, fixed=True))
    kept = {name: value for name, value in values.items() if value is not None}
    return Rewrite(at, pattern, "WanVideoSVIEmbeds", kept, sources, {0: 0}, parts, findings)


def _default(name: str) -> object:
    return {"force_offload": True, "noise_aug_strength": 0.0, "num_frames": 81}.get(name, 1.0)


def _known(
    carrier: Carrier, wires: Wires, at: At, found: Binding, overlap: int, findings: list[Finding]
) -> KnownRule:  # fmt: skip
    """Which frames the graph means to keep."""
    if "canvas" not in found:
        return "overlap"
    canvas = found["canvas"].at
    if not wires.same(at, "num_frames", canvas, "num_frames"):
        raise CannotRewriteError("the canvas and the encode node have other counts of frames: give both the same")
    if not wires.linked(at, "temporal_mask"):
        findings.append(finding(
            "defect", at.node, "no temporal_mask is connected, so every frame of the padding is marked as known",
            "the motion frames only", fixed=True,
        ))  # fmt: skip
    elif wrong := mask_polarity(wires, at):
        findings.append(finding(wrong.kind, at.node, wrong.what, "white for the frames to keep", fixed=True))
    if "mask_range" not in found:
        return "overlap"
    kept = carrier.number(found["mask_range"].at, "num_frames", "the count of mask frames")
    if kept == 1:
        return "first_frame"
    if kept < overlap:
        raise CannotRewriteError(
            f"its mask keeps {kept} of {overlap} motion frames: there is no known_frames like that"
        )
    return "overlap"


def _padding(
    carrier: Carrier, wires: Wires, clips: Clips, at: At, found: Binding, clip: Clip | None, findings: list[Finding]
) -> tuple[Padding, Source | None]:  # fmt: skip
    """What fills the frames to generate, and the image that does."""
    if "canvas" not in found:
        return "grey", None
    canvas = found["canvas"].at
    if "repeat" not in found:
        if wires.linked(canvas, "control_images"):
            raise CannotRewriteError("control_images is something else than a repeated image")
        level = wires.value(canvas, "empty_frame_level")
        if level not in (0, 0.5):
            raise CannotRewriteError(
                f"empty_frame_level is {level}: WanVideo SVI Embeds pads with 0.5 (grey) or 0 (black)"
            )
        return ("grey" if level else "black"), None
    repeat = found["repeat"].at
    if not wires.same(repeat, "amount", at, "num_frames"):
        amount = carrier.number(repeat, "amount", "the count of padding frames")
        if amount < carrier.number(at, "num_frames", "num_frames"):
            raise CannotRewriteError(
                f"the padding image is repeated {amount} times only, fewer than the clip has frames"
            )
    origin = found["reference"]
    reference = carrier.video(repeat, "image")
    what = padding_with_last_frame(clips, origin)
    if not what:
        return "reference", reference
    original = _original(carrier, wires, at, clip)
    if original is None:
        findings.append(finding("defect", at.node, what, "connect the original image to ref_image, padding recipe"))
        return "last", None
    findings.append(finding("defect", at.node, what, "ref_image is the original image", fixed=True))
    return "reference", original


def _original(carrier: Carrier, wires: Wires, at: At, clip: Clip | None) -> Source | None:
    """The image that the chain began with."""
    first = clip.chain()[0] if clip else None
    if first is None or first is clip or first.embeds.path != at.path:
        return None
    origin = wires.origin(first.embeds, "start_image")
    source = carrier.video(first.embeds, "start_image")
    return carrier.nearest(at, source, origin) if source and origin else None


def choose_mode(*, padding: Padding, overlap: int, known: KnownRule, loras: list[str]) -> Recipe:
    """The row that a clip is of: the one its LoRA is for, else the one that differs least from what it does.

    loras: modes that the clip's LoRAs are for.
    """

    def difference(row: Recipe) -> tuple[bool, bool, bool, bool, int]:
        plain = row.guide is None and not row.inpaints and row.id != "i2v"
        return (
            row.id not in loras, not plain, row.padding != padding,
            not _alike(row.known, known, overlap) and row.motion_frames != overlap,
            (row.motion_frames != overlap) + (not _alike(row.known, known, overlap)),
        )  # fmt: skip

    both = {"film", "shot"} <= set(loras)
    return RECIPES["film_shot"] if both else min((RECIPES[mode] for mode in MODES), key=difference)


def _alike(one: KnownRule, other: KnownRule, overlap: int) -> bool:
    """With one motion frame, all of them and the first are the same."""
    return one == other or (overlap == 1 and {one, other} == {"overlap", "first_frame"})
