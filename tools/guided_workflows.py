"""Example workflows of chains that follow a voice or a dance: SVI-talk, SVI-dance, SVI-shot with HuMo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from guided_notes import guided_note, long_talk_note
from long_video_workflows import STORY_ROOM
from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_files import (
    CLIP_VISION,
    DISTILL_LORA,
    HUMO_MODEL,
    MODEL,
    MULTITALK,
    SVI_LORA,
    TEXT_ENCODER,
    UNIANIMATE_LORA,
    VAE,
    WAV2VEC,
    WHISPER,
)
from workflow_graph import COLUMN, WIDTH, Graph, Node, Source
from workflow_parts import (
    CLIP_GAP,
    NEGATIVE,
    close_clip,
    finish,
    lora,
    model_loader,
    motion_frames,
    picture,
    prompt_node,
    sampler,
    see,
    set_loras,
    stitch,
    to_size,
)

FPS = 25.0
CLIPS = 3
PROMPTS = {
    "talk": "A woman in a green jumper looks into the camera and talks, moving her hands, a bright kitchen behind her",
    "dance": "A young man in a white shirt dances on a wooden stage, warm spotlights",
    "shot": "A man with a grey beard sings at a microphone in a small studio, eyes half closed",
}
# 60 s of features: more than most people's first try, and the node cuts what the audio does not have.
_FEATURES = 1500


@dataclass
class _Parts:
    """What the clips share. guide: what is cut per clip. image_embeds of HuMo are joined with it."""

    image: Node
    vae: Node
    vision: Node | None
    models: tuple[Node, Node]
    guide: Source
    audio: Source | None
    x: int


def guided_chain(mode: str) -> dict[str, Any]:
    """Three clips in `mode` talk, dance or shot (with HuMo), each with its part of the voice or dance."""
    graph = Graph()
    name = {"talk": "svi_talk_chain", "dance": "svi_dance_chain", "shot": "svi_shot_humo"}[mode]
    parts = _shared(graph, mode)
    overlap, x = recipe(mode).motion_frames, parts.x
    video: Source | None = None
    clip: Source = (parts.image, 0)
    for index in range(CLIPS):
        text = prompt_node(graph, index, PROMPTS[mode], x=x)
        links: dict[str, Source] = {"vae": (parts.vae, 0), "start_image": clip}
        if parts.vision:
            seen = (motion_frames(graph, x, clip, overlap), 2) if index else clip
            links["clip_embeds"] = (see(graph, x, parts.vision, seen), 0)
        this_mode = mode if index else "i2v"  # without the LoRA, reference padding would only hold the motion back
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (parts.image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", x, title=f"Clip {index + 1}: {this_mode}", links=links,
                           values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        x += COLUMN
        guided = _window(graph, mode, parts, embeds, index=index, overlap=overlap, x=x)
        model = parts.models[min(index, 1)]
        samples = sampler(graph, x, index=index, links={"model": (model, 0), "text_embeds": (text, 0), **guided})
        decode = graph.add("WanVideoDecode", x, links={"vae": (parts.vae, 0), "samples": (samples, 0)})
        clip = (decode, 0)
        video = stitch(graph, x, video, clip, index=index, values={"overlap_frames": overlap})
        close_clip(graph, index)
        x += COLUMN + CLIP_GAP
    finish(graph, name, video, x=x, fps=FPS, audio=parts.audio)
    return graph.save()


def _shared(graph: Graph, mode: str) -> _Parts:
    """The columns with models, first image and what the clips follow."""
    graph.note(guided_note(mode))
    loras, model = _loras(graph, 0, mode)
    x = COLUMN
    image = picture(graph, x, "First image")
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    vision = None
    if mode != "shot":  # HuMo has no image cross-attention
        vision = graph.add("CLIPVisionLoader", x, values={"clip_name": CLIP_VISION})
    if model is None:
        models = (
            model_loader(graph, x, MODEL, title="Model for the first clip (UniAnimate, no SVI LoRA)",
                         links={"lora": (loras[0], 0)}),
            model_loader(graph, x, MODEL, title="Model for the following clips (both)", links={"lora": (loras[1], 0)}),
        )  # fmt: skip
    else:
        models = (
            set_loras(graph, x, model, loras[0], title="Model for the first clip (no SVI LoRA)"),
            set_loras(graph, x, model, loras[1], title="Model for the following clips"),
        )
    graph.group("Models and first image", "#3f789e")
    x = 2 * COLUMN + CLIP_GAP
    build = {"talk": _voice, "dance": _dance, "shot": _humo_voice}[mode]
    guide, audio = build(graph, x, vae)
    graph.group("The whole dance" if mode == "dance" else "The whole voice", "#b58b2a")
    return _Parts(image, vae, vision, models, guide, audio, x + COLUMN + CLIP_GAP)


def _loras(graph: Graph, x: int, mode: str) -> tuple[tuple[Node, Node], Node | None]:
    """LoRAs for the first and for the following clips, and the one model that they are set on.

    There is none for a dance: UniAnimate's layers come with its LoRA through the loader alone, so each clip's model has
    a loader of its own, and svi-dance goes the same way.
    """
    if mode == "dance":
        merged = {"merge_loras": True}
        distill = lora(graph, x, DISTILL_LORA, title="1. Distill LoRA (8 steps, cfg 1)", **merged)
        pose = lora(graph, x, UNIANIMATE_LORA, title="2. UniAnimate LoRA (brings the pose layers)", behind=distill,
                    **merged)  # fmt: skip
        svi = lora(graph, x, SVI_LORA["dance"], title="3. SVI LoRA: dance, added to UniAnimate", behind=pose, **merged)
        return (pose, svi), None
    links: dict[str, Source] = {}
    if mode == "talk":
        talk = graph.add("MultiTalkModelLoader", x, values={"model": MULTITALK})
        links["multitalk_model"] = (talk, 0)
    model = model_loader(graph, x, HUMO_MODEL if mode == "shot" else MODEL, links=links)
    distill = lora(graph, x, DISTILL_LORA, title="Distill LoRA (8 steps, cfg 1)")
    svi = lora(graph, x, SVI_LORA[mode], title=f"SVI LoRA: {mode}", behind=distill)
    return (distill, svi), model


def _voice(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:  # noqa: ARG001
    audio = graph.add("LoadAudio", x, title="Voice", values={"audio": "voice.wav"})
    wav2vec = graph.add("Wav2VecModelLoader", x, values={"model": WAV2VEC})
    features = graph.add(
        "MultiTalkWav2VecEmbeds", x, title="num_frames: the whole audio, 25 a second",
        links={"wav2vec_model": (wav2vec, 0), "audio_1": (audio, 0)}, values={"num_frames": _FEATURES, "fps": FPS},
    )  # fmt: skip
    return (features, 0), (audio, 0)  # that of the features is at 16 kHz and cut at num_frames


def _humo_voice(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:
    audio = graph.add("LoadAudio", x, title="Voice", values={"audio": "voice.wav"})
    whisper = graph.add("WhisperModelLoader", x, values={"model": WHISPER})
    features = graph.add(
        "HuMoEmbeds", x, title="Size and num_frames: those of a clip",
        links={"whisper_model": (whisper, 0), "vae": (vae, 0), "audio": (audio, 0)},
        values={"audio_cfg_scale": 1.0},
    )  # fmt: skip
    return (features, 0), (audio, 0)


def _dance(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:  # noqa: ARG001
    video = graph.add("LoadVideo", x, title="Dance", values={"file": "dance.mp4"})
    parts = graph.add("GetVideoComponents", x, links={"video": (video, 0)})
    sized = to_size(graph, x, (parts, 0))
    poses = graph.add("WanVideoUniAnimateDWPoseDetector", x, links={"pose_images": (sized, 0)})
    whole = graph.add("WanVideoUniAnimatePoseInput", x, title="Reference pose: unconnected",
                      links={"pose_images": (poses, 0)})  # fmt: skip
    return (whole, 0), (parts, 1)


def _window(
    graph: Graph, mode: str, parts: _Parts, embeds: Node, *, index: int, overlap: int, x: int
) -> dict[str, Source]:
    """The clip's part, and how it reaches the sampler."""
    values = {"clip_index": index, "overlap_frames": overlap}
    title = f"Clip {index + 1}: its part of the {'dance' if mode == 'dance' else 'voice'}"
    node = "WanVideoSVIPoseWindow" if mode == "dance" else "WanVideoSVIAudioWindow"
    name = {"talk": "multitalk_embeds", "dance": "unianimate_poses", "shot": "humo_embeds"}[mode]
    links: dict[str, Source] = {name: parts.guide}
    if mode == "shot":
        links["image_embeds"] = (embeds, 0)
    window = graph.add(node, x, title=title, links=links, values=values, colour="#2a363b")
    if mode == "shot":
        return {"image_embeds": (window, 1)}
    return {"image_embeds": (embeds, 0), name: (window, 0)}


def long_talk() -> dict[str, Any]:
    """A talking video as long as its audio, in one node."""
    graph = Graph()
    graph.note(long_talk_note())
    x = 0
    talk = graph.add("MultiTalkModelLoader", x, values={"model": MULTITALK})
    distill = lora(graph, x, DISTILL_LORA, title="Distill LoRA")
    first = model_loader(graph, x, MODEL, title="Model for the first clip",
                         links={"lora": (distill, 0), "multitalk_model": (talk, 0)})  # fmt: skip
    svi = lora(graph, x, SVI_LORA["talk"], title="SVI LoRA")
    x += COLUMN
    features, sound = _voice(graph, x, first)
    following = set_loras(graph, x, first, svi, title="Model for the following clips")
    empty = graph.add("WanVideoEmptyEmbeds", x, title="Placeholder: each clip gets its own embeds")
    x += COLUMN
    image = picture(graph, x, "First image")
    settings = graph.add(
        "WanVideoSamplerSettings", x,
        links={"model": (following, 0), "image_embeds": (empty, 0), "multitalk_embeds": features},
        values={"steps": 8, "cfg": 1.0, "shift": 5.0, "scheduler": "euler"},
    )  # fmt: skip
    vae = graph.add("WanVideoVAELoader", x, values={"model_name": VAE})
    t5 = graph.add("LoadWanVideoT5TextEncoder", x, values={"model_name": TEXT_ENCODER})
    graph.group("Models, first image, voice and settings", "#3f789e")
    assert sound is not None
    graph.add(
        "WanVideoSVILongVideo", x + COLUMN + CLIP_GAP, width=2 * WIDTH, room=STORY_ROOM, title="The whole video",
        links={"sampler_inputs": (settings, 0), "vae": (vae, 0), "start_image": (image, 0), "t5": (t5, 0),
               "first_clip_model": (first, 0), "audio": sound},
        values={"story": f"[repeat=auto]\n{PROMPTS['talk']}", "mode": "talk", "seed": 42, "fps": FPS,
                "reel": "svi_talk_story", "negative_prompt": NEGATIVE},
        colour="#2a363b",
    )  # fmt: skip
    graph.group("The story", "#b58b2a")
    return graph.save()
