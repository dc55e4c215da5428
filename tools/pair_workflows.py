"""Example workflows whose clips are sampled by a high and a low noise model."""

from __future__ import annotations

from typing import Any

from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_graph import Graph, Node, Source
from workflow_notes import (
    DISTILL_LORA,
    HOLOCINE,
    HOLOCINE_DISTILL,
    MAGREF,
    PRO_DISTILL,
    PRO_LORA,
    PRO_MODEL,
    PUSA_LORA,
    SVI2_LORA,
    TEXT_ENCODER,
    VAE,
    holocine_note,
    pro_note,
    svi2_note,
)
from workflow_parts import HEIGHT, NEGATIVE, PROMPTS, TOP, WIDTH, finish, prompt_node

HOLOCINE_SCENE = (  # caption and shots
    "A misty forest at dawn. [character1] is a red panda with a bushy tail. Soft light, muted greens.",
    """Wide shot: [character1] walks along a mossy branch, the camera follows slowly.
Close-up: [character1] stops and looks up as light rain begins to fall.
Low angle: [character1] drinks from a clear stream, ripples spread.""",
)


def pair_models(graph: Graph, x: int, *, svi: dict[str, str], title: str) -> tuple[dict[str, list[Node]], int]:
    """Two columns behind x with the Wan 2.2 pair: models by noise, for the first and for the following clips."""
    models: dict[str, list[Node]] = {}
    for noise in ("HIGH", "LOW"):
        x += WIDTH + 60
        model = graph.add(
            "WanVideoModelLoader", (x, -100), (WIDTH, 320), title=f"{noise.lower()} noise model",
            values={"model": PRO_MODEL.format(noise), "base_precision": "fp16", "quantization": "disabled",
                    "attention_mode": "sdpa"},
        )  # fmt: skip
        distill = graph.add("WanVideoLoraSelect", (x, 280), (WIDTH, 160), title="Distill LoRA (8 steps, cfg 1)",
                            values={"lora": PRO_DISTILL.format(noise), "merge_loras": False})  # fmt: skip
        lora = graph.add("WanVideoLoraSelect", (x, 500), (WIDTH, 160), title=f"SVI LoRA: {title}",
                         links={"prev_lora": (distill, 0)},
                         values={"lora": svi[noise], "merge_loras": False})  # fmt: skip
        models[noise] = [
            graph.add("WanVideoSetLoRAs", (x, 720 + 120 * index), (WIDTH, 60), title=f"{noise.lower()} noise: {which}",
                      links={"model": (model, 0), "lora": (source, 0)})
            for index, (which, source) in enumerate((("first clip (no SVI LoRA)", distill), ("following clips", lora)))
        ]  # fmt: skip
    return models, x


def paired_samplers(graph: Graph, pair: Node, text: Node, *, columns: tuple[int, int], seed: int) -> Source:
    """A pair's two samplers, with everything that they share from the pair node. Returns the low one's samples."""
    shared: dict[str, Source] = {
        "steps": (pair, 4), "shift": (pair, 5), "scheduler": (pair, 6), "text_embeds": (text, 0)
    }  # fmt: skip
    values = {"cfg": 1.0, "seed": seed}
    high = graph.add(
        "WanVideoSampler", (columns[0], -140), (WIDTH, 760), title="high noise", values=values,
        links={"model": (pair, 0), "image_embeds": (pair, 2), "end_step": (pair, 7), **shared},
    )  # fmt: skip
    low = graph.add(
        "WanVideoSampler", (columns[1], -140), (WIDTH, 760), title="low noise", values=values,
        links={"model": (pair, 1), "image_embeds": (pair, 3), "start_step": (pair, 8), "samples": (high, 0), **shared},
    )  # fmt: skip
    return (low, 0)


def svi2_pair() -> dict[str, Any]:
    """Two clips of SVI 2.0 on the Wan 2.2 pair, each with a pair node that wires both samplers."""
    graph = Graph()
    mode = "svi2_wan22"
    overlap = recipe(mode).motion_frames
    graph.add("MarkdownNote", (0, -520), (3 * WIDTH + 120, 360), title="Read me", values={"text": svi2_note()},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (0, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    vae = graph.add("WanVideoVAELoader", (0, 360), (WIDTH, 140), values={"model_name": VAE})
    models, x = pair_models(graph, 0, svi=SVI2_LORA, title="2.0")
    graph.group("Models and first image", (-30, TOP, 3 * WIDTH + 180, HEIGHT), "#3f789e")

    x += WIDTH + 100
    video: Source | None = None
    clip: Source = (image, 0)
    for index, prompt in enumerate(PROMPTS["film"][:2]):
        left, second, middle, right = (x + (WIDTH + 40) * i for i in range(4))
        text = prompt_node(graph, index, prompt, x=x, columns=4)
        links: dict[str, Source] = {"vae": (vae, 0), "start_image": clip}
        this_mode = mode if index else "i2v"
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", (left, -140), (WIDTH, 540), title=f"Clip {index + 1}: {this_mode}",
                           links=links, values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        pair = graph.add(
            "WanVideoHighLowPair", (second, -140), (WIDTH, 760), title=f"Clip {index + 1}: high and low noise",
            links={"high_model": (models["HIGH"][index], 0), "low_model": (models["LOW"][index], 0),
                   "low_embeds": (embeds, 0)},
            values={"scheduler": "euler"}, colour="#2a363b",
        )  # fmt: skip
        samples = paired_samplers(graph, pair, text, columns=(middle, right), seed=42 * (index + 1))
        decode = graph.add("WanVideoDecode", (right, 680), (WIDTH, 200), links={"vae": (vae, 0), "samples": samples})
        clip = (decode, 0)
        if video is None:
            video = clip
        else:
            joined = graph.add("WanVideoSVIStitch", (right, 920), (WIDTH, 110), title=f"Clips 1-{index + 1} stitched",
                               links={"images_1": video, "images_2": clip},
                               values={"overlap_frames": overlap})  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (x - 30, TOP, 4 * WIDTH + 180, HEIGHT), "#3f789e" if index % 2 else "#8a8")
        x += 4 * WIDTH + 220
    finish(graph, "wan22_svi2_pair", video, x=x)
    return graph.save()


def holocine_pair() -> dict[str, Any]:
    """One HoloCine clip: high noise with Pusa from a clean first frame, low noise by MAGREF with references."""
    graph = Graph()
    sizes = {"width": 832, "height": 480}
    graph.add("MarkdownNote", (0, -520), (3 * WIDTH + 120, 360), title="Read me", values={"text": holocine_note()},
              colour="#432")  # fmt: skip
    first = graph.add("LoadImage", (0, -100), (WIDTH, 400), title="First frame", values={"image": "example.png"})
    reference = graph.add("LoadImage", (0, 360), (WIDTH, 400), title="Reference: who or what appears",
                          values={"image": "example.png"})  # fmt: skip
    vae = graph.add("WanVideoVAELoader", (0, 820), (WIDTH, 80), values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", (0, 960), (WIDTH, 60), values={"clip_name": "clip_vision_h.safetensors"})
    x, models = 0, []
    for title, file, loras in (
        ("high noise: HoloCine", HOLOCINE,
         (("Distill LoRA (8 steps, cfg 1)", HOLOCINE_DISTILL, 1.0), ("Pusa LoRA: clean first frame", PUSA_LORA, 1.4))),
        ("low noise: MAGREF", MAGREF, (("Distill LoRA (8 steps, cfg 1)", DISTILL_LORA, 1.0),)),
    ):  # fmt: skip
        x += WIDTH + 60
        model = graph.add(
            "WanVideoModelLoader", (x, -100), (WIDTH, 320), title=title,
            values={"model": file, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
        )  # fmt: skip
        chained: dict[str, Source] = {}
        for row, (name, lora, strength) in enumerate(loras):
            select = graph.add(
                "WanVideoLoraSelect", (x, 280 + 220 * row), (WIDTH, 160), title=name, links=chained,
                values={"lora": lora, "strength": strength, "merge_loras": False},
            )  # fmt: skip
            chained = {"prev_lora": (select, 0)}
        models.append(
            graph.add("WanVideoSetLoRAs", (x, 720), (WIDTH, 60), title=f"{title}, with LoRAs",
                      links={"model": (model, 0), "lora": chained["prev_lora"]})
        )  # fmt: skip
    graph.group("Models and images", (-30, TOP, 3 * WIDTH + 180, HEIGHT), "#3f789e")

    x += WIDTH + 100
    columns = [x + (WIDTH + 40) * i for i in range(5)]
    prompt = graph.add(
        "WanVideoHoloCinePrompt", (columns[0], -520), (2 * WIDTH + 40, 360), title="The scene and its shots",
        values={"global_caption": HOLOCINE_SCENE[0], "shots": HOLOCINE_SCENE[1]}, colour="#2a363b",
    )  # fmt: skip
    text = graph.add(
        "WanVideoTextEncodeCached", (columns[2], -520), (3 * (WIDTH + 40) - 40, 320), title="Prompt",
        links={"positive_prompt": (prompt, 0)},
        values={"model_name": TEXT_ENCODER, "negative_prompt": NEGATIVE},
    )  # fmt: skip
    frames: dict[str, Source] = {"num_frames": (prompt, 3)}
    canvas = graph.add("WanVideoReferenceCanvas", (columns[0], -100), (WIDTH, 300), title="References on white",
                       links={"image_1": (reference, 0)}, values=sizes, colour="#2a363b")  # fmt: skip
    seen = graph.add("WanVideoClipVisionEncode", (columns[0], 260), (WIDTH, 270),
                     links={"clip_vision": (vision, 0), "image_1": (canvas, 0)})  # fmt: skip
    sized = graph.add("ImageScale", (columns[0], 590), (WIDTH, 140), title="First frame, to the size of the clip",
                      links={"image": (first, 0)},
                      values={"upscale_method": "lanczos", **sizes, "crop": "center"})  # fmt: skip
    clean = graph.add("WanVideoEncode", (columns[0], 790), (WIDTH, 220), title="Clean first latent",
                      links={"vae": (vae, 0), "image": (sized, 0)})  # fmt: skip
    mask = graph.add(
        "WanVideoSVITemporalMask", (columns[1], -100), (WIDTH, 480), title="The canvas in frame 0, its region known",
        links={"motion_frames": (canvas, 0), "region": (canvas, 1), **frames},
        values={**sizes, "overlap_frames": 1, "outside_region": "keep"}, colour="#2a363b",
    )  # fmt: skip
    encode = graph.add(
        "WanVideoImageToVideoEncode", (columns[1], 440), (WIDTH, 420),
        links={"vae": (vae, 0), "clip_embeds": (seen, 0), "start_image": (mask, 0), "temporal_mask": (mask, 1),
               "fun_or_fl2v_model": (mask, 3), **frames},
        values=sizes,
    )  # fmt: skip
    pair = graph.add(
        "WanVideoHighLowPair", (columns[2], -140), (WIDTH, 760), title="HoloCine, then MAGREF",
        links={"high_model": (models[0], 0), "low_model": (models[1], 0), "low_embeds": (encode, 0),
               "clean_latents": (clean, 0), **frames},
        values={**sizes, "scheduler": "flowmatch_pusa"}, colour="#2a363b",
    )  # fmt: skip
    samples = paired_samplers(graph, pair, text, columns=(columns[3], columns[4]), seed=42)
    decode = graph.add("WanVideoDecode", (columns[4], 680), (WIDTH, 200), links={"vae": (vae, 0), "samples": samples})
    graph.group("Clip 1", (x - 30, TOP, 5 * WIDTH + 220, HEIGHT), "#8a8")
    finish(graph, "holocine_pusa_magref_pair", (decode, 0), x=x + 5 * WIDTH + 260)
    return graph.save()


def pro_chain() -> dict[str, Any]:
    """Two clips of SVI 2.0 Pro with the Wan 2.2 high and low noise pair, joined in latents and stitched in frames."""
    graph, steps = Graph(), 8
    x = 0
    graph.add("MarkdownNote", (x, -520), (3 * WIDTH + 120, 360), title="Read me", values={"text": pro_note()},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    sized = graph.add("ImageScale", (x, 360), (WIDTH, 140), title="To the size of the clips",
                      links={"image": (image, 0)},
                      values={"upscale_method": "lanczos", "width": 832, "height": 480, "crop": "center"})  # fmt: skip
    vae = graph.add("WanVideoVAELoader", (x, 560), (WIDTH, 140), values={"model_name": VAE})
    anchor = graph.add("WanVideoEncode", (x, 760), (WIDTH, 260), title="Anchor: the same in every clip",
                       links={"vae": (vae, 0), "image": (sized, 0)})  # fmt: skip
    models, x = pair_models(graph, x, svi={noise: PRO_LORA.format(noise) for noise in ("HIGH", "LOW")}, title="2.0 Pro")
    graph.group("Models, first image and anchor", (-30, TOP, 3 * WIDTH + 180, HEIGHT), "#3f789e")

    x += WIDTH + 100
    video: Source | None = None
    previous: Source | None = None
    for index, prompt in enumerate(PROMPTS["film"][:2]):
        columns = [x + (WIDTH + 40) * i for i in range(3)]
        text = prompt_node(graph, index, prompt, x=x, columns=3)
        links: dict[str, Source] = {"anchor_samples": (anchor, 0)}
        if previous is not None:
            links["prev_samples"] = previous
        embeds = graph.add("WanVideoSVILatentEmbeds", (columns[0], -140), (WIDTH, 640),
                           title=f"Clip {index + 1}: 2.0 Pro", links=links, colour="#2a363b")  # fmt: skip
        samples: Source | None = None
        halves = (("HIGH", columns[1], 0, steps // 2), ("LOW", columns[2], steps // 2, -1))
        for noise, column, start, end in halves:
            sampler_links: dict[str, Source] = {
                "model": (models[noise][index], 0), "image_embeds": (embeds, 0), "text_embeds": (text, 0),
            }  # fmt: skip
            if samples is not None:
                sampler_links["samples"] = samples
            sampler = graph.add(
                "WanVideoSampler", (column, -140), (WIDTH, 700), title=f"{noise.lower()} noise", links=sampler_links,
                values={"steps": steps, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler",
                        "start_step": start, "end_step": end},
            )  # fmt: skip
            samples = (sampler, 0)
        previous = (sampler, 0)
        decode = graph.add("WanVideoDecode", (columns[2], 620), (WIDTH, 200),
                           links={"vae": (vae, 0), "samples": previous})  # fmt: skip
        if video is None:
            video = (decode, 0)
        else:
            joined = graph.add(
                "WanVideoSVIStitch", (columns[2], 880), (WIDTH, 110), title=f"Clips 1-{index + 1} stitched",
                links={"images_1": video, "images_2": (decode, 0), "overlap_frames": (embeds, 4)},
            )  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (x - 30, TOP, 3 * WIDTH + 140, HEIGHT), "#3f789e" if index % 2 else "#8a8")
        x += 3 * WIDTH + 180
    finish(graph, "svi2_pro_chain", video, x=x)
    return graph.save()
