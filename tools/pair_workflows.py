"""Example workflows whose clips are sampled by a high and a low noise model."""

from __future__ import annotations

from typing import Any

from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_files import (
    CLIP_VISION,
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
)
from workflow_graph import COLUMN, WIDTH, Graph, Node, Source
from workflow_notes import holocine_note, pro_note, svi2_note
from workflow_parts import (
    CLIP_GAP,
    NEGATIVE,
    PROMPT_ROOM,
    PROMPTS,
    SIZE,
    close_clip,
    finish,
    lora,
    model_loader,
    picture,
    prompt_node,
    sampler,
    see,
    set_loras,
    stitch,
    to_size,
)

HOLOCINE_SCENE = (  # caption and shots
    "A misty forest at dawn. [character1] is a red panda with a bushy tail. Soft light, muted greens.",
    """Wide shot: [character1] walks along a mossy branch, the camera follows slowly.
Close-up: [character1] stops and looks up as light rain begins to fall.
Low angle: [character1] drinks from a clear stream, ripples spread.""",
)


def pair_models(graph: Graph, x: int, *, svi: dict[str, str], title: str) -> dict[str, tuple[Node, Node]]:
    """Two columns from x on with the Wan 2.2 pair: models by noise, for the first and for the following clips."""
    models = {}
    for noise in ("HIGH", "LOW"):
        of = f"{noise.lower()} noise"
        model = model_loader(graph, x, PRO_MODEL.format(noise), title=f"{of} model")
        distill = lora(graph, x, PRO_DISTILL.format(noise), title="Distill LoRA (8 steps, cfg 1)")
        with_svi = lora(graph, x, svi[noise], title=f"SVI LoRA: {title}", behind=distill)
        models[noise] = (
            set_loras(graph, x, model, distill, title=f"{of}: first clip (no SVI LoRA)"),
            set_loras(graph, x, model, with_svi, title=f"{of}: following clips"),
        )
        x += COLUMN
    return models


def paired_samplers(graph: Graph, pair: Node, text: Node, *, x: int, seed: int) -> Source:
    """A pair's two samplers, with everything that they share from the pair node. Returns the low one's samples."""
    shared: dict[str, Source] = {
        "steps": (pair, 4), "shift": (pair, 5), "scheduler": (pair, 6), "text_embeds": (text, 0)
    }  # fmt: skip
    values = {"cfg": 1.0, "seed": seed}
    high = graph.add(
        "WanVideoSampler", x, title="high noise", values=values,
        links={"model": (pair, 0), "image_embeds": (pair, 2), "end_step": (pair, 7), **shared},
    )  # fmt: skip
    low = graph.add(
        "WanVideoSampler", x + COLUMN, title="low noise", values=values,
        links={"model": (pair, 1), "image_embeds": (pair, 3), "start_step": (pair, 8), "samples": (high, 0), **shared},
    )  # fmt: skip
    return (low, 0)


def svi2_pair() -> dict[str, Any]:
    """Two clips of SVI 2.0 on the Wan 2.2 pair, each with a pair node that wires both samplers."""
    graph = Graph()
    mode = "svi2_wan22"
    overlap = recipe(mode).motion_frames
    graph.note(svi2_note())
    models = pair_models(graph, 0, svi=SVI2_LORA, title="2.0")
    image = picture(graph, 2 * COLUMN, "First image")
    vae = graph.add("WanVideoVAELoader", 2 * COLUMN, values={"model_name": VAE})
    graph.group("Models and first image", "#3f789e")

    x = 3 * COLUMN + CLIP_GAP
    video: Source | None = None
    clip: Source = (image, 0)
    for index, prompt in enumerate(PROMPTS["film"][:2]):
        links: dict[str, Source] = {"vae": (vae, 0), "start_image": clip}
        this_mode = mode if index else "i2v"
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", x, title=f"Clip {index + 1}: {this_mode}", links=links,
                           values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        x += COLUMN
        text = prompt_node(graph, index, prompt, x=x)
        pair = graph.add(
            "WanVideoHighLowPair", x, title=f"Clip {index + 1}: high and low noise",
            links={"high_model": (models["HIGH"][index], 0), "low_model": (models["LOW"][index], 0),
                   "low_embeds": (embeds, 0)},
            values={"scheduler": "euler"}, colour="#2a363b",
        )  # fmt: skip
        x += COLUMN
        samples = paired_samplers(graph, pair, text, x=x, seed=42 * (index + 1))
        x += COLUMN
        decode = graph.add("WanVideoDecode", x, links={"vae": (vae, 0), "samples": samples})
        clip = (decode, 0)
        video = stitch(graph, x, video, clip, index=index, values={"overlap_frames": overlap})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, "wan22_svi2_pair", video, x=x)
    return graph.save()


def holocine_pair() -> dict[str, Any]:
    """One HoloCine clip: high noise with Pusa from a clean first frame, low noise by MAGREF with references."""
    graph = Graph()
    graph.note(holocine_note())
    x, models = 0, []
    for title, file, loras in (
        ("high noise: HoloCine", HOLOCINE,
         (("Distill LoRA (8 steps, cfg 1)", HOLOCINE_DISTILL, 1.0), ("Pusa LoRA: clean first frame", PUSA_LORA, 1.4))),
        ("low noise: MAGREF", MAGREF, (("Distill LoRA (8 steps, cfg 1)", DISTILL_LORA, 1.0),)),
    ):  # fmt: skip
        model = model_loader(graph, x, file, title=title)
        chained: Node | None = None
        for name, its_file, strength in loras:
            chained = lora(graph, x, its_file, title=name, behind=chained, strength=strength)
        assert chained is not None
        models.append(set_loras(graph, x, model, chained, title=f"{title}, with LoRAs"))
        x += COLUMN
    first = picture(graph, x, "First frame")
    reference = picture(graph, x, "Reference: who or what appears")
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    vision = graph.add("CLIPVisionLoader", x, values={"clip_name": CLIP_VISION})
    graph.group("Models and images", "#3f789e")

    x += COLUMN + CLIP_GAP
    columns = [x + COLUMN * i for i in range(5)]
    prompt = graph.add(
        "WanVideoHoloCinePrompt", columns[0], width=COLUMN + WIDTH, room=PROMPT_ROOM, title="The scene and its shots",
        values={"global_caption": HOLOCINE_SCENE[0], "shots": HOLOCINE_SCENE[1]}, colour="#2a363b",
    )  # fmt: skip
    text = graph.add(
        "WanVideoTextEncodeCached", columns[2], room=PROMPT_ROOM, title="Prompt",
        links={"positive_prompt": (prompt, 0)},
        values={"model_name": TEXT_ENCODER, "negative_prompt": NEGATIVE},
    )  # fmt: skip
    frames: dict[str, Source] = {"num_frames": (prompt, 3)}
    canvas = graph.add("WanVideoReferenceCanvas", columns[0], title="References on white",
                       links={"image_1": (reference, 0)}, values=SIZE, colour="#2a363b")  # fmt: skip
    seen = see(graph, columns[0], vision, (canvas, 0))
    sized = to_size(graph, columns[0], (first, 0), title="First frame, to the size of the clip")
    clean = graph.add("WanVideoEncode", columns[0], title="Clean first latent",
                      links={"vae": (vae, 0), "image": (sized, 0)})  # fmt: skip
    mask = graph.add(
        "WanVideoSVITemporalMask", columns[1], title="The canvas in frame 0, its region known",
        links={"motion_frames": (canvas, 0), "region": (canvas, 1), **frames},
        values={**SIZE, "overlap_frames": 1, "outside_region": "keep"}, colour="#2a363b",
    )  # fmt: skip
    encode = graph.add(
        "WanVideoImageToVideoEncode", columns[1],
        links={"vae": (vae, 0), "clip_embeds": (seen, 0), "start_image": (mask, 0), "temporal_mask": (mask, 1),
               "fun_or_fl2v_model": (mask, 3), **frames},
        values=SIZE,
    )  # fmt: skip
    pair = graph.add(
        "WanVideoHighLowPair", columns[2], title="HoloCine, then MAGREF",
        links={"high_model": (models[0], 0), "low_model": (models[1], 0), "low_embeds": (encode, 0),
               "clean_latents": (clean, 0), **frames},
        values={**SIZE, "scheduler": "flowmatch_pusa"}, colour="#2a363b",
    )  # fmt: skip
    samples = paired_samplers(graph, pair, text, x=columns[3], seed=42)
    decode = graph.add("WanVideoDecode", columns[4], links={"vae": (vae, 0), "samples": samples})
    close_clip(graph, 0)
    finish(graph, "holocine_pusa_magref_pair", (decode, 0), x=columns[4] + COLUMN + CLIP_GAP)
    return graph.save()


def pro_chain() -> dict[str, Any]:
    """Two clips of SVI 2.0 Pro with the Wan 2.2 high and low noise pair, joined in latents and stitched in frames."""
    graph, steps = Graph(), 8
    graph.note(pro_note())
    svi = {noise: PRO_LORA.format(noise) for noise in ("HIGH", "LOW")}
    models = pair_models(graph, 0, svi=svi, title="2.0 Pro")
    x = 2 * COLUMN
    image = picture(graph, x, "First image")
    sized = to_size(graph, x, (image, 0))
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    anchor = graph.add("WanVideoEncode", x, title="Anchor: the same in every clip",
                       links={"vae": (vae, 0), "image": (sized, 0)})  # fmt: skip
    graph.group("Models, first image and anchor", "#3f789e")

    x = 3 * COLUMN + CLIP_GAP
    video: Source | None = None
    previous: Source | None = None
    for index, prompt in enumerate(PROMPTS["film"][:2]):
        text = prompt_node(graph, index, prompt, x=x)
        links: dict[str, Source] = {"anchor_samples": (anchor, 0)}
        if previous is not None:
            links["prev_samples"] = previous
        embeds = graph.add("WanVideoSVILatentEmbeds", x, title=f"Clip {index + 1}: 2.0 Pro", links=links,
                           colour="#2a363b")  # fmt: skip
        samples: Source | None = None
        for noise, start, end in (("HIGH", 0, steps // 2), ("LOW", steps // 2, -1)):
            x += COLUMN
            sampler_links: dict[str, Source] = {
                "model": (models[noise][index], 0), "image_embeds": (embeds, 0), "text_embeds": (text, 0),
            }  # fmt: skip
            if samples is not None:
                sampler_links["samples"] = samples
            node = sampler(graph, x, index=index, title=f"{noise.lower()} noise", links=sampler_links,
                           steps=steps, start_step=start, end_step=end)  # fmt: skip
            samples = (node, 0)
        previous = samples
        decode = graph.add("WanVideoDecode", x, links={"vae": (vae, 0), "samples": previous})
        video = stitch(graph, x, video, (decode, 0), index=index, links={"overlap_frames": (embeds, 4)})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, "svi2_pro_chain", video, x=x)
    return graph.save()
