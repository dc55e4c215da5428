"""P4: WanEx I2VCustomEmbeds becomes WanVideo I2V Custom Embeds."""

from __future__ import annotations

import re

from ..find.match import Binding, Part
from ..find.wires import At
from ..model.report import finding
from .carry import Carrier, Pattern, Rewrite, known, said

_OUTPUTS = {3: 4, 4: 1, 5: 2}  # debug_info, previews of latent and mask
_SAMPLES = re.compile("sampler|guide", re.IGNORECASE)


def _read(carrier: Carrier, at: At, _: Binding) -> Rewrite:
    node = at.node
    values, sources = {}, {}
    for name in ("width", "height", "length", "concat_mask_index"):
        values[name], sources[name] = carrier.input(at, name, [])
    for name in ("concat_latent_image", "start_image", "concat_mask"):
        sources[name] = node.source(name)
    rewrite = Rewrite(at, WANEX, "WanVideoI2VCustomEmbeds", known(values), sources, dict(_OUTPUTS))
    said(rewrite, "masks in native polarity and native latents are read as they were")
    left = []
    if sources["concat_latent_image"] is None and sources["start_image"] is not None:
        left.append("connect WanVideo VAE Loader to vae, for start_image")
    if carrier.wires.linked(at, "clip_vision_output"):
        left.append("connect WanVideo ClipVision Encode to clip_embeds, in place of clip_vision_output")
    behind = {use.node for use in carrier.wires.uses_through(node) if use.slot in (0, 1, 2) and use.node}
    for sampler in sorted(behind, key=lambda other: str(other.id)):
        way = (
            "put WanVideo Sampler in its place: image_embeds from here, text_embeds from WanVideo TextEncode "
            "(your prompts are still in the graph), a model of WanVideo Model Loader"
        )
        if not _SAMPLES.search(sampler.type):
            way = "it goes with the native sampler behind it, in whose place WanVideo Sampler comes"
        what = f"it took its conditioning from node {node.id}, which now makes image_embeds"
        rewrite.findings.append(finding("left", sampler, what, way))
    if left:
        rewrite.findings.append(finding("left", node, "the wrapper's own types are needed", "; ".join(left)))
    return rewrite


WANEX = Pattern("P4", "WanEx I2VCustomEmbeds", Part("wanex", ("WanEx_I2VCustomEmbeds",)), _read)
