"""P2: the wrapper's SVI Pro Embeds become WanVideo SVI Latent Embeds."""

from __future__ import annotations

from dataclasses import replace

from ..find.defects import no_motion
from ..find.match import Absent, Binding, Leaf, OneOf, Part
from ..find.wires import At
from .carry import Carrier, Pattern, Rewrite, known, said


def _read(carrier: Carrier, at: At, _: Binding) -> Rewrite:
    node = at.node
    sources = {name: node.source(name) for name in ("anchor_samples", "prev_samples")}
    values = {}
    for name, new in (("num_frames", "num_frames"), ("motion_latent_count", "motion_latents")):
        if name == "motion_latent_count" and sources["prev_samples"] is None:
            continue
        values[new], sources[new] = carrier.input(at, name, [])
    rewrite = Rewrite(at, PRO, "WanVideoSVILatentEmbeds", known(values), sources, {0: 0})
    if wrong := no_motion(carrier.wires, at):
        rewrite.values["motion_latents"], rewrite.sources["motion_latents"] = 1, None
        rewrite.findings.append(replace(wrong, fixed=True))
    return said(rewrite, "anchor, motion latents and zero padding")


PRO = Pattern(
    "P2", "the wrapper's SVI Pro Embeds",
    Part(
        "pro", ("WanVideoSVIProEmbeds",),
        inputs={"anchor_samples": Leaf("anchor"), "prev_samples": OneOf((Leaf("previous"), Absent()))},
    ),
    _read,
)  # fmt: skip
