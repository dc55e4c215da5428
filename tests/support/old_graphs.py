"""Saved graphs as people made them before this pack, for the tests of the migration."""

from __future__ import annotations

import random
from typing import Any

Raw = dict[str, Any]

# Outputs of the old nodes: (name, type).
OUTPUTS: dict[str, list[tuple[str, str]]] = {
    "LoadImage": [("IMAGE", "IMAGE"), ("MASK", "MASK")],
    "ImageResizeKJv2": [("IMAGE", "IMAGE"), ("width", "INT"), ("height", "INT"), ("mask", "MASK")],
    "WanVideoVAELoader": [("vae", "WANVAE")],
    "WanVideoModelLoader": [("model", "WANVIDEOMODEL")],
    "WanVideoLoraSelect": [("lora", "WANVIDLORA")],
    "WanVideoSetLoRAs": [("model", "WANVIDEOMODEL")],
    "LoadWanVideoT5TextEncoder": [("wan_t5_model", "WANTEXTENCODER")],
    "WanVideoTextEncode": [("text_embeds", "WANVIDEOTEXTEMBEDS")],
    "WanVideoImageToVideoEncode": [("image_embeds", "WANVIDIMAGE_EMBEDS")],
    "WanVideoSVIProEmbeds": [("image_embeds", "WANVIDIMAGE_EMBEDS")],
    "WanVideoSampler": [("samples", "LATENT"), ("denoised_samples", "LATENT")],
    "WanVideoDecode": [("images", "IMAGE")],
    "WanVideoEncode": [("samples", "LATENT")],
    "WanVideoVACEStartToEndFrame": [("images", "IMAGE"), ("masks", "MASK")],
    "GetImageSizeAndCount": [("image", "IMAGE"), ("width", "INT"), ("height", "INT"), ("count", "INT")],
    "GetImageRangeFromBatch": [("IMAGE", "IMAGE"), ("MASK", "MASK")],
    "GetImagesFromBatchIndexed": [("IMAGE", "IMAGE")],
    "ImageFromBatch": [("IMAGE", "IMAGE")],
    "ImageFromBatch+": [("IMAGE", "IMAGE")],
    "VHS_SelectImages": [("IMAGE", "IMAGE")],
    "VHS_SplitImages": [("IMAGE_A", "IMAGE"), ("A_count", "INT"), ("IMAGE_B", "IMAGE"), ("B_count", "INT")],
    "VHS_GetImageCount": [("count", "INT")],
    "VHS_MergeImages": [("IMAGE", "IMAGE"), ("count", "INT")],
    "ImageBatch": [("IMAGE", "IMAGE")],
    "BatchImagesNode": [("IMAGE", "IMAGE")],
    "CM_IntBinaryOperation": [("INT", "INT")],
    "easy mathInt": [("INT", "INT")],
    "easy simpleMath": [("int", "INT"), ("float", "FLOAT"), ("boolean", "BOOLEAN")],
    "ComfyMathExpression": [("FLOAT", "FLOAT"), ("INT", "INT"), ("BOOL", "BOOLEAN")],
    "SimpleCalculatorKJ": [("FLOAT", "FLOAT"), ("INT", "INT"), ("BOOLEAN", "BOOLEAN")],
    "PrimitiveInt": [("INT", "INT")],
    "RepeatImageBatch": [("IMAGE", "IMAGE")],
    "InvertMask": [("MASK", "MASK")],
    "SolidMask": [("MASK", "MASK")],
    "ReplaceImagesInBatch": [("IMAGE", "IMAGE"), ("MASK", "MASK")],
    "INTConstant": [("value", "INT")],
    "SimpleMath+": [("INT", "INT"), ("FLOAT", "FLOAT")],
    "ImageBatchMulti": [("images", "IMAGE")],
    "ImageBatchExtendWithOverlap": [
        ("source_images", "IMAGE"), ("start_images", "IMAGE"), ("extended_images", "IMAGE"),
    ],
    "VHS_VideoCombine": [("Filenames", "VHS_FILENAMES")],
    "PreviewImage": [],
    "Note": [],
    "Reroute": [("", "*")],
    "GetNode": [("IMAGE", "*")],
    "SetNode": [("*", "*")],
    "VideoContinuationGenerator": [("continuation_video_frames", "IMAGE"), ("continuation_frame_masks", "MASK")],
    "VAELoader": [("VAE", "VAE")],
    "VAEEncode": [("LATENT", "LATENT")],
    "VAEDecode": [("IMAGE", "IMAGE")],
    "CLIPTextEncode": [("CONDITIONING", "CONDITIONING")],
    "CLIPVisionEncode": [("CLIP_VISION_OUTPUT", "CLIP_VISION_OUTPUT")],
    "WanEx_I2VCustomEmbeds": [
        ("positive", "CONDITIONING"), ("negative", "CONDITIONING"), ("latent", "LATENT"), ("debug_info", "STRING"),
        ("concat_latent_preview", "LATENT"), ("concat_mask_preview", "MASK"),
    ],
    "KSamplerAdvanced": [("LATENT", "LATENT")],
    "WanImageToVideoSVIPro": [
        ("positive", "CONDITIONING"), ("negative", "CONDITIONING"), ("latent", "LATENT"),
    ],
    "WanImageToVideoSVIProFLF": [
        ("positive", "CONDITIONING"), ("negative", "CONDITIONING"), ("latent", "LATENT"),
    ],
    "WanCutLastSlot": [("trimmed_latents", "LATENT")],
    "KSampler": [("LATENT", "LATENT")],
    "SamplerCustomAdvanced": [("output", "LATENT"), ("denoised_output", "LATENT")],
    "RandomNoise": [("NOISE", "NOISE")],
    "DisableNoise": [("NOISE", "NOISE")],
    "ScheduledCFGGuidance": [("GUIDER", "GUIDER")],
    "CFGGuider": [("GUIDER", "GUIDER")],
    "BasicGuider": [("GUIDER", "GUIDER")],
    "SamplerCustom": [("output", "LATENT"), ("denoised_output", "LATENT")],
    "KSamplerSelect": [("SAMPLER", "SAMPLER")],
    "BasicScheduler": [("SIGMAS", "SIGMAS")],
    "SplitSigmas": [("high_sigmas", "SIGMAS"), ("low_sigmas", "SIGMAS")],
    "UNETLoader": [("MODEL", "MODEL")],
    "LoraLoaderModelOnly": [("MODEL", "MODEL")],
    "ModelSamplingSD3": [("MODEL", "MODEL")],
    "CLIPLoader": [("CLIP", "CLIP")],
    "VAEEncodeTiled": [("LATENT", "LATENT")],
    "VAEDecodeTiled": [("IMAGE", "IMAGE")],
    "WanSVIImageToVideo": [("positive", "CONDITIONING"), ("negative", "CONDITIONING"), ("latent", "LATENT")],
    "SVIExtractLastFrames": [("last_frames", "LATENT")],
}  # fmt: skip
NEGATIVE = "blurry"


class Old:
    """Collects nodes of a graph in UI format."""

    def __init__(self, first_id: int = 1) -> None:
        self.raw: Raw = {
            "id": "00000000-0000-4000-8000-000000000000", "revision": 0, "last_node_id": first_id - 1,
            "last_link_id": 0, "nodes": [], "links": [], "groups": [], "config": {},
            "extra": {"ds": {"scale": 0.5, "offset": [1.5, -2]}}, "version": 0.4,
        }  # fmt: skip

    def add(
        self, kind: str, values: Any = (), *, title: str = "", mode: int = 0, color: str = "", **links: tuple[Raw, int]
    ) -> Raw:
        """links: inputs by name, each (node, output)."""
        assert kind in OUTPUTS, f"OUTPUTS in tests/support/old_graphs.py has no {kind}: say what it gives"
        self.raw["last_node_id"] += 1
        count = len(self.raw["nodes"])
        node: Raw = {
            "id": self.raw["last_node_id"], "type": kind, "pos": [420 * (count % 12), 400 * (count // 12)],
            "size": [380, 300], "flags": {}, "order": count, "mode": mode, "inputs": [],
            "outputs": [{"name": name, "type": of, "links": []} for name, of in OUTPUTS[kind]],
            "properties": {"Node name for S&R": kind}, "widgets_values": values if isinstance(values, dict) else
            list(values),
        }  # fmt: skip
        if title:
            node["title"] = title
        if color:
            node |= {"color": color, "bgcolor": color}
        self.raw["nodes"].append(node)
        for name, (source, slot) in links.items():
            self.link(source, slot, node, name)
        return node

    def link(self, source: Raw, slot: int, node: Raw, name: str) -> None:
        self.raw["last_link_id"] += 1
        link = self.raw["last_link_id"]
        output = source["outputs"][slot]
        output["links"].append(link)
        node["inputs"].append({"name": name, "type": output["type"], "link": link})
        index = len(node["inputs"]) - 1
        self.raw["links"].append([link, source["id"], slot, node["id"], index, output["type"]])


def sampler_values(seed: int, *, control: str = "fixed", steps: int = 2) -> list[Any]:
    return [steps, 1, 5, seed, control, True, "euler", 0, 1, "", "comfy", 0, -1, False]


def pixel_chain(
    *, clips: int = 3, overlap: int = 5, padding: str = "grey", rule: str = "overlap", seeds: list[int] | None = None,
    trim: int | None = None, lora: str = "svi-film.safetensors", wires: bool = False, constant: bool = False,
    values: int = 9, frames: int = 17, size: int = 64, unrelated: bool = True,
) -> Raw:  # fmt: skip
    """P1 and its stitch.

    padding: grey, black, reference (the start image), first (of the video), last (of the clip before).
    rule: overlap, first_frame, not_inverted, no_mask. wires: reroutes and Set/Get in between. constant: num_frames
    from an INTConstant. values: how many the encode nodes are saved with.
    """
    g = Old(first_id=10)
    load = g.add("LoadImage", ["example.png", "image"])
    image = g.add("ImageResizeKJv2", [size, size, "lanczos", "crop", "0, 0, 0", "center", 16, "cpu"], image=(load, 0))
    vae = g.add("WanVideoVAELoader", ["vae.safetensors", "bf16"])
    select = g.add("WanVideoLoraSelect", [lora, 1, False, False])
    loader = g.add("WanVideoModelLoader", ["model.safetensors", "fp16", "disabled", "offload_device", "sdpa"])
    model = g.add("WanVideoSetLoRAs", [], model=(loader, 0), lora=(select, 0))
    t5 = g.add("LoadWanVideoT5TextEncoder", ["t5.safetensors", "bf16", "offload_device", "disabled"])
    if unrelated:
        g.add("Note", ["mine"], title="A note", color="#432")
        g.add("PreviewImage", [], images=(image, 0))
    if wires:
        g.add("SetNode", ["init_image"], IMAGE=(image, 0))
    encode_values = [832, 480, frames, 0, 1, 1, True, False, False, 0, 0][:values]
    video = None
    for index in range(clips):
        embeds: dict[str, tuple[Raw, int]] = {"vae": (vae, 0)}
        if index == 0:
            embeds |= {"start_image": (image, 0), "width": (image, 1), "height": (image, 2)}
        else:
            assert video is not None
            embeds |= _canvas(g, video, image, overlap, padding, rule, frames, wires=wires, constant=constant)
        encode = g.add("WanVideoImageToVideoEncode", encode_values, title=f"Clip {index + 1}", color="#223", **embeds)
        text = g.add("WanVideoTextEncode", [f"clip {index + 1}", NEGATIVE, True, False, "gpu"], t5=(t5, 0))
        seed = seeds[index] if seeds else 42 * index
        sampler = g.add(
            "WanVideoSampler", sampler_values(seed), model=(model, 0), image_embeds=(encode, 0), text_embeds=(text, 0)
        )
        decode = g.add("WanVideoDecode", [False, 272, 272, 144, 128, "default"], vae=(vae, 0), samples=(sampler, 0))
        video = decode if video is None else _stitch(g, video, decode, overlap if trim is None else trim)
        g.add("VHS_VideoCombine", {"frame_rate": 24, "filename_prefix": f"clip{index + 1}"}, images=(video, 0))
    return g.raw


def _canvas(
    g: Old, video: Raw, image: Raw, overlap: int, padding: str, rule: str, frames: int, *, wires: bool, constant: bool
) -> dict[str, tuple[Raw, int]]:
    counter = g.add("GetImageSizeAndCount", [], image=(video, 0))
    tail = g.add("GetImageRangeFromBatch", [-1, overlap], images=(counter, 0))
    if wires:
        tail = g.add("Reroute", [], **{"": (tail, 0)})
    start = {"start_image": (tail, 0)}
    count = {}
    if constant:
        number = g.add("INTConstant", [frames], title="num_frames")
        count = {"num_frames": (number, 0)}
    if padding not in ("grey", "black"):
        reference = image
        if padding == "first":
            reference = g.add("GetImageRangeFromBatch", [0, 1], images=(counter, 0))
        elif padding == "last":
            reference = g.add("GetImageRangeFromBatch", [-1, 1], images=(counter, 0)) if overlap > 1 else tail
        elif wires:
            reference = g.add("GetNode", ["init_image"])
        amount = {"amount": count["num_frames"]} if constant else {}
        repeat = g.add("RepeatImageBatch", [frames], image=(reference, 0), **amount)
        start["control_images"] = (repeat, 0)
    level = 0 if padding == "black" else 0.5
    canvas = g.add("WanVideoVACEStartToEndFrame", [frames, level, 0, -1], **start, **count)
    inputs = {"start_image": (canvas, 0), "width": (counter, 1), "height": (counter, 2), **count}
    if rule == "no_mask":
        return inputs
    mask = (canvas, 1)
    if rule == "first_frame":
        mask = (g.add("GetImageRangeFromBatch", [0, 1], masks=mask), 1)
    if rule != "not_inverted":
        mask = (g.add("InvertMask", [], mask=mask), 0)
    return {**inputs, "temporal_mask": mask}


def _stitch(g: Old, video: Raw, decode: Raw, cut: int) -> Raw:
    counter = g.add("GetImageSizeAndCount", [], image=(video, 0))
    count = g.add("SimpleMath+", [f"a - {cut}"], a=(counter, 3))
    rest = g.add("GetImageRangeFromBatch", [0, 1], images=(counter, 0), num_frames=(count, 0))
    return g.add("ImageBatchMulti", [2, None], image_1=(rest, 0), image_2=(decode, 0))


def pro_chain(
    *, clips: int = 3, motion: int = 1, overlap: int = 5, side: str = "source", how: str = "linear_blend",
    frames: int = 17,
) -> Raw:  # fmt: skip
    """P2: the wrapper's Pro embeds, joined by Image Batch Extend With Overlap."""
    g = Old()
    load = g.add("LoadImage", ["example.png", "image"])
    vae = g.add("WanVideoVAELoader", ["vae.safetensors", "bf16"])
    image = g.add("ImageResizeKJv2", [64, 64, "lanczos", "crop", "0, 0, 0", "center", 16, "cpu"], image=(load, 0))
    anchor = g.add("WanVideoEncode", [False, 272, 272, 144, 128, 0, 1], vae=(vae, 0), image=(image, 0))
    high = g.add("WanVideoModelLoader", ["Wan2_2-high.safetensors", "fp16", "disabled", "offload_device", "sdpa"])
    low = g.add("WanVideoModelLoader", ["Wan2_2-low.safetensors", "fp16", "disabled", "offload_device", "sdpa"])
    t5 = g.add("LoadWanVideoT5TextEncoder", ["t5.safetensors", "bf16", "offload_device", "disabled"])
    video, before = None, None
    for index in range(clips):
        previous = {"prev_samples": (before, 0)} if before else {}
        pro = g.add("WanVideoSVIProEmbeds", [frames, motion], anchor_samples=(anchor, 0), **previous)
        text = g.add("WanVideoTextEncode", [f"clip {index + 1}", NEGATIVE, True, False, "gpu"], t5=(t5, 0))
        first = [2, 1, 5, 7 + index, "fixed", True, "euler", 0, 1, False, "comfy", 0, 1, False]
        second = [2, 1, 5, 7 + index, "fixed", True, "euler", 0, 1, False, "comfy", 1, -1, False]
        shared = {"image_embeds": (pro, 0), "text_embeds": (text, 0)}
        noisy = g.add("WanVideoSampler", first, model=(high, 0), **shared)
        before = g.add("WanVideoSampler", second, model=(low, 0), samples=(noisy, 0), **shared)
        decode = g.add("WanVideoDecode", [False, 272, 272, 144, 128, "default"], vae=(vae, 0), samples=(before, 0))
        if video is None:
            video, slot = decode, 0
        else:
            joined = g.add(
                "ImageBatchExtendWithOverlap", [overlap, side, how], source_images=(video, slot), new_images=(decode, 0)
            )
            video, slot = joined, 2
    g.add("VHS_VideoCombine", {"frame_rate": 16}, images=(video, slot))
    return g.raw


def keyframe_canvas(
    *, frames: int = 17, width: int = 80, height: int = 64, start: int = 1, clip: bool = False, end: bool = True,
    keys: tuple[tuple[int, int], ...] = ((8, 1),), rule: str = "inverted", level: float = 0.5, constant: bool = False,
    wires: bool = False,
) -> Raw:  # fmt: skip
    """P5: a Fun InP clip through keyframes, put into the canvas one by one with a black mask each.

    start: how many frames lead it (0: none), of a clip before when `clip`. keys: (frame, count) of each keyframe.
    rule: inverted, not_inverted, no_mask. constant: num_frames from an INTConstant. wires: reroutes and Set/Get.
    """
    g = Old()
    vae = g.add("WanVideoVAELoader", ["vae.safetensors", "bf16"])
    model = g.add("WanVideoModelLoader", ["Fun-InP.safetensors", "fp16", "disabled", "offload_device", "sdpa"])
    t5 = g.add("LoadWanVideoT5TextEncoder", ["t5.safetensors", "bf16", "offload_device", "disabled"])
    text = g.add("WanVideoTextEncode", ["through pictures", NEGATIVE, True, False, "gpu"], t5=(t5, 0))

    def picture() -> Raw:
        load = g.add("LoadImage", ["example.png", "image"])
        resize = [width, height, "lanczos", "crop", "0, 0, 0", "center", 16, "cpu"]
        return g.add("ImageResizeKJv2", resize, image=(load, 0))

    def sampled(encode: Raw, seed: int) -> Raw:
        sampler = g.add(
            "WanVideoSampler", sampler_values(seed), model=(model, 0), image_embeds=(encode, 0), text_embeds=(text, 0)
        )
        return g.add("WanVideoDecode", [False, 272, 272, 144, 128, "default"], vae=(vae, 0), samples=(sampler, 0))

    encode_values = [width, height, frames, 0, 1, 1, True, True, False]
    count = {"num_frames": (g.add("INTConstant", [frames]), 0)} if constant else {}
    given: dict[str, tuple[Raw, int]] = {}
    if start and clip:
        first = g.add("WanVideoImageToVideoEncode", encode_values, start_image=(picture(), 0), vae=(vae, 0))
        given["start_image"] = (g.add("GetImageRangeFromBatch", [-1, start], images=(sampled(first, 3), 0)), 0)
    elif start:
        image = picture()
        repeated = g.add("RepeatImageBatch", [start], image=(image, 0)) if start > 1 else image
        given["start_image"] = (repeated, 0)
    if end:
        given["end_image"] = (picture(), 0)
    canvas = g.add("WanVideoVACEStartToEndFrame", [frames, level, 0, -1], **given, **count)
    for frame, many in keys:
        image = picture()
        mask = (g.add("SolidMask", [0, width, height]), 0)
        if many > 1:
            image = g.add("RepeatImageBatch", [many], image=(image, 0))
            mask = (g.add("WanVideoVACEStartToEndFrame", [many, 0.5, 0, -1], control_images=(image, 0)), 1)
        canvas = g.add(
            "ReplaceImagesInBatch", [frame], original_images=(canvas, 0), replacement_images=(image, 0),
            original_masks=(canvas, 1), replacement_masks=mask,
        )  # fmt: skip
    led = {"start_image": (canvas, 0), **count}
    if rule != "no_mask":
        mask = (canvas, 1)
        if wires:
            mask = (g.add("Reroute", [], **{"": mask}), 0)
        if rule == "inverted":
            mask = (g.add("InvertMask", [], mask=mask), 0)
        if wires:
            g.add("SetNode", ["mask"], MASK=mask)
            mask = (g.add("GetNode", ["mask"]), 0)
        led["temporal_mask"] = mask
    encode = g.add("WanVideoImageToVideoEncode", encode_values, title="The way", vae=(vae, 0), **led)
    g.add("VHS_VideoCombine", {"frame_rate": 16}, images=(sampled(encode, 7), 0))
    return g.raw


def native_pro_chain(
    *, clips: int = 3, sampler: str = "KSamplerAdvanced", seeds: list[int] | None = None, control: str = "fixed",
    motion: int = 1, frames: int = 81, kind: str = "WanImageToVideoSVIPro", two_pro: bool = False,
) -> Raw:  # fmt: skip
    """P3: KJNodes' Pro node with ComfyUI's samplers, a high and a low noise one in each clip (KSampler: one).

    sampler: "shared" is SamplerCustomAdvanced with one noise for all clips. two_pro: a Pro node for each sampler.
    """
    g = Old()
    vae = g.add("VAELoader", ["wan_vae.safetensors"])
    anchor = g.add("VAEEncode", [], pixels=(g.add("LoadImage", ["example.png", "image"]), 0), vae=(vae, 0))
    negative = g.add("CLIPTextEncode", [NEGATIVE])
    noise = g.add("RandomNoise", [5, control]) if sampler == "shared" else None
    video, slot, before = None, 0, anchor if kind.endswith("FLF") else None
    for index in range(clips):
        seed = seeds[index] if seeds else 42 * index
        count = 0 if before in (None, anchor) else motion
        values = [frames, True, count] if kind.endswith("FLF") else [frames, count]
        given: dict[str, tuple[Raw, int]] = {
            "positive": (g.add("CLIPTextEncode", [f"clip {index + 1}"]), 0), "negative": (negative, 0),
            "anchor_samples": (anchor, 0), **({"prev_samples": (before, 0)} if before else {}),
        }  # fmt: skip
        pros = [g.add(kind, values, **given) for _ in range(2 if two_pro else 1)]
        given = {"positive": (pros[0], 0), "negative": (pros[0], 1), "latent_image": (pros[0], 2)}
        if sampler == "KSampler":
            before = g.add("KSampler", [seed, control, 8, 1, "euler", "simple", 1], **given)
        elif sampler == "KSamplerAdvanced":
            first = ["enable", seed, control, 8, 1, "euler", "simple", 0, 4, "enable"]
            high = g.add("KSamplerAdvanced", first, **given)
            given = {"positive": (pros[-1], 0), "negative": (pros[-1], 1), "latent_image": (high, 0)}
            second = ["disable", 0, control, 8, 1, "euler", "simple", 4, 10000, "disable"]
            before = g.add("KSamplerAdvanced", second, **given)
        else:
            guiders = [
                g.add("ScheduledCFGGuidance", [1, 0, 1], positive=given["positive"], negative=given["negative"])
                for _ in range(2)
            ]
            made = noise or g.add("RandomNoise", [seed, control])
            high = g.add("SamplerCustomAdvanced", [], noise=(made, 0), guider=(guiders[0], 0),
                         latent_image=given["latent_image"])  # fmt: skip
            still = g.add("DisableNoise", [])
            before = g.add(
                "SamplerCustomAdvanced", [], noise=(still, 0), guider=(guiders[1], 0), latent_image=(high, 0)
            )
        decode = g.add("VAEDecode", [], samples=(before, 0), vae=(vae, 0))
        if video is None:
            video = decode
        else:
            joined = {"source_images": (video, slot), "new_images": (decode, 0)}
            video, slot = g.add("ImageBatchExtendWithOverlap", [5, "source", "linear_blend"], **joined), 2
    g.add("VHS_VideoCombine", {"frame_rate": 16}, images=(video, slot))
    return g.raw


def wanex() -> Raw:
    """P4: masks and latents of one's own, with native samplers behind."""
    g = Old()
    load = g.add("LoadImage", ["example.png", "image"])
    vae = g.add("VAELoader", ["wan_vae.safetensors"])
    made = g.add("VideoContinuationGenerator", [17, 5, 0.5], input_video_frames=(load, 0))
    latent = g.add("VAEEncode", [], pixels=(made, 0), vae=(vae, 0))
    positive = g.add("CLIPTextEncode", ["a cat"])
    negative = g.add("CLIPTextEncode", ["a dog"])
    vision = g.add("CLIPVisionEncode", ["center"])
    node = g.add(
        "WanEx_I2VCustomEmbeds", [64, 48, 17, 1, 16], title="My embeds", positive=(positive, 0), negative=(negative, 0),
        vae=(vae, 0), clip_vision_output=(vision, 0), concat_latent_image=(latent, 0), concat_mask=(made, 1),
    )  # fmt: skip
    sampler = g.add("KSamplerAdvanced", [], positive=(node, 0), negative=(node, 1), latent_image=(node, 2))
    g.add("VAEDecode", [], samples=(sampler, 0), vae=(vae, 0))
    g.add("VAEDecode", [], samples=(node, 4), vae=(vae, 0), title="Look at the latents")
    return g.raw


def as_api(raw: Raw) -> Raw:
    """A graph without wires to follow as API graph; widget values by the order that the migration knows."""
    from wanvideo_svi.wrapper_ext.workflow.model.signatures import read_widgets

    source = {link[0]: [str(link[1]), link[2]] for link in raw["links"]}
    found = {}
    for node in raw["nodes"]:
        try:
            inputs = read_widgets(node["type"], node["widgets_values"])
        except ValueError:
            inputs = {}
        inputs |= {entry["name"]: source[entry["link"]] for entry in node["inputs"] if entry["link"] is not None}
        title = node.get("title", node["type"])
        found[str(node["id"])] = {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}
    return found


def mutated(raw: Raw, seed: int) -> Raw:
    """Breaks a graph in a few seeded ways, as bad edits, old frontends and missing packs do. `raw` is used up."""
    draw = random.Random(seed)
    for _ in range(draw.randint(1, 12)):
        draw.choice(_MUTATIONS)(raw, draw)
    return raw


def _node(raw: Raw, draw: random.Random) -> Raw:
    found: Raw = draw.choice(raw["nodes"]) if raw["nodes"] else {}
    return found


def _drop_link(raw: Raw, draw: random.Random) -> None:
    if raw["links"]:
        raw["links"].pop(draw.randrange(len(raw["links"])))


def _drop_node(raw: Raw, draw: random.Random) -> None:
    if len(raw["nodes"]) > 1:
        raw["nodes"].pop(draw.randrange(len(raw["nodes"])))


def _reroute_ring(raw: Raw, draw: random.Random) -> None:
    first, second = 90_000 + draw.randrange(1000), 92_000 + draw.randrange(1000)
    base = 900_000 + draw.randrange(10_000)
    for index, (own, other) in enumerate(((first, second), (second, first))):
        raw["nodes"].append({
            "id": own, "type": "Reroute", "pos": [0, 0], "size": [75, 26], "flags": {}, "order": 0, "mode": 0,
            "inputs": [{"name": "", "type": "*", "link": base + index}],
            "outputs": [{"name": "", "type": "*", "links": [base + 1 - index]}], "properties": {},
        })  # fmt: skip
        raw["links"].append([base + index, other, 0, own, 0, "*"])
    victim = _node(raw, draw)
    if victim.get("inputs"):
        entry = draw.choice(victim["inputs"])
        if isinstance(entry, dict):
            entry["link"] = base


def _rename(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["type"] = draw.choice(["NoSuchNode", "", "Reroute", "GetNode", "SetNode", "InvertMask", None, 7])


def _bad_values(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["widgets_values"] = draw.choice(
        [None, [], "text", 5, [None], [1, 2, 3], {"a": 1}, [[]] * 9, ["x"] * 9, [True] * 2]
    )


def _bad_mode(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["mode"] = draw.choice([2, 4, 1, "x", None, 99])


def _bad_inputs(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["inputs"] = draw.choice([None, [], {}, [None], [{"name": 5}], [{"name": "images", "link": "x"}]])


def _bad_outputs(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["outputs"] = draw.choice([None, [], [None], [{"links": None}], "x"])


def _cross_link(raw: Raw, draw: random.Random) -> None:
    if raw["links"]:
        link = draw.choice(raw["links"])
        if isinstance(link, list):
            link[draw.choice([1, 2, 3, 4])] = draw.choice([-10, -20, 0, 3, 99, "7", None])


def _same_id(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["id"] = _node(raw, draw).get("id", 1)


def _odd_place(raw: Raw, draw: random.Random) -> None:
    _node(raw, draw)["pos"] = draw.choice([{"0": 5, "1": 6}, None, [], ["a", "b"], [1e308, -1e308]])


def _nested(raw: Raw, draw: random.Random) -> None:
    """A subgraph that holds another, which may hold the first."""
    names = [f"0000000{k}-0000-4000-8000-000000000000" for k in (1, 2)]
    inner = [
        {
            "id": name, "name": f"inner {index}", "nodes": [
                {"id": 1, "type": names[1 - index] if draw.random() < 0.7 else "WanVideoSampler", "inputs": [],
                 "outputs": []},
                {"id": 2, "type": "WanVideoImageToVideoEncode", "inputs": [], "outputs": [], "widgets_values": []},
            ],
            "links": [
                {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "*"},
                {"id": 2, "origin_id": 1, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "*"},
            ],
            "inputs": [{"name": "in", "linkIds": [1]}], "outputs": [{"name": "out", "linkIds": [2]}],
        }
        for index, name in enumerate(names)
    ]  # fmt: skip
    raw["definitions"] = {"subgraphs": inner}
    _node(raw, draw)["type"] = names[0]
    _node(raw, draw)["type"] = names[0]


_MUTATIONS = [
    _drop_link, _drop_node, _reroute_ring, _rename, _bad_values, _bad_mode, _bad_inputs, _bad_outputs, _cross_link,
    _same_id, _odd_place, _nested,
]  # fmt: skip


def node_of(raw: Raw, kind: str, index: int = 0) -> Raw:
    """A node of a type, by its place in the order of running."""
    found = [node for node in raw["nodes"] if node["type"] == kind]
    return sorted(found, key=lambda node: node["order"])[index]


def unlink(raw: Raw, node: Raw, name: str) -> list[Any]:
    """Take a link off an input. Returns what it was: [id, origin, slot, target, index, type]."""
    entry = next(each for each in node["inputs"] if each["name"] == name)
    link: list[Any] = next(each for each in raw["links"] if each[0] == entry["link"])
    raw["links"].remove(link)
    entry["link"] = None
    for other in raw["nodes"]:
        for output in other["outputs"]:
            output["links"] = [each for each in output["links"] if each != link[0]]
    return link


def relink(raw: Raw, source: Raw, slot: int, node: Raw, name: str) -> None:
    """Link an input to another output, instead of what it had."""
    if any(each["name"] == name and each["link"] is not None for each in node["inputs"]):
        unlink(raw, node, name)
    node["inputs"] = [each for each in node["inputs"] if each["name"] != name or each["link"] is not None]
    g = Old()
    g.raw = raw
    g.link(source, slot, node, name)
    for index, entry in enumerate(node["inputs"]):  # indices after a dropped entry
        for link in raw["links"]:
            if link[0] == entry["link"]:
                link[4] = index


def more(raw: Raw) -> Old:
    """To add nodes to a graph."""
    g = Old()
    g.raw = raw
    return g
