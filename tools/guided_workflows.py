"""Example workflows of chains that follow a voice or a dance: SVI-talk, SVI-dance, SVI-shot with HuMo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wanvideo_svi.svi_embeds.recipes import recipe
from workflow_graph import Graph, Node, Source
from workflow_notes import (
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
    guided_note,
    long_talk_note,
)
from workflow_parts import HEIGHT, NEGATIVE, STORY_HEIGHT, TOP, WIDTH, prompt_node

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
        left, right = x, x + WIDTH + 40
        text = prompt_node(graph, index, PROMPTS[mode], x=left)
        seen = clip
        if index:
            motion = graph.add("WanVideoSVIMotionFrames", (left, -140), (WIDTH, 120), links={"images": clip},
                               values={"overlap_frames": overlap})  # fmt: skip
            seen = (motion, 2)
        links: dict[str, Source] = {"vae": (parts.vae, 0), "start_image": clip}
        if parts.vision:
            vision = graph.add("WanVideoClipVisionEncode", (left, 20), (WIDTH, 270),
                               links={"clip_vision": (parts.vision, 0), "image_1": seen})  # fmt: skip
            links["clip_embeds"] = (vision, 0)
        this_mode = mode if index else "i2v"  # without the LoRA, reference padding would only hold the motion back
        if recipe(this_mode).padding == "reference":
            links["ref_image"] = (parts.image, 0)
        embeds = graph.add("WanVideoSVIEmbeds", (left, 350), (WIDTH, 540), title=f"Clip {index + 1}: {this_mode}",
                           links=links, values={"mode": this_mode}, colour="#2a363b")  # fmt: skip
        guided = _window(graph, mode, parts, embeds, index=index, overlap=overlap, pos=(right, 1100))
        sampler = graph.add(
            "WanVideoSampler", (right, -140), (WIDTH, 700),
            links={"model": (parts.models[min(index, 1)], 0), "text_embeds": (text, 0), **guided},
            values={"steps": 8, "cfg": 1.0, "shift": 5.0, "seed": 42 * (index + 1), "scheduler": "euler"},
        )  # fmt: skip
        decode = graph.add("WanVideoDecode", (right, 620), (WIDTH, 200),
                           links={"vae": (parts.vae, 0), "samples": (sampler, 0)})  # fmt: skip
        clip = (decode, 0)
        if video is None:
            video = clip
        else:
            joined = graph.add(
                "WanVideoSVIStitch", (right, 880), (WIDTH, 140), title=f"Clips 1-{index + 1} stitched",
                links={"images_1": video, "images_2": clip}, values={"overlap_frames": overlap},
            )  # fmt: skip
            video = (joined, 0)
        graph.group(f"Clip {index + 1}", (left - 30, TOP, 2 * WIDTH + 100, HEIGHT + 130),
                    "#3f789e" if index % 2 else "#8a8")  # fmt: skip
        x += 2 * WIDTH + 140
    assert video is not None
    _finish(graph, name, video, parts.audio, x=x)
    return graph.save()


def _shared(graph: Graph, mode: str) -> _Parts:
    """The columns with models, first image and what the clips follow."""
    x = 0
    graph.add("MarkdownNote", (x, -520), (2 * WIDTH + 60, 360), title="Read me", values={"text": guided_note(mode)},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    vae = graph.add("WanVideoVAELoader", (x, 360), (WIDTH, 140), values={"model_name": VAE})
    vision = None
    if mode != "shot":  # HuMo has no image cross-attention
        vision = graph.add("CLIPVisionLoader", (x, 560), (WIDTH, 60), values={"clip_name": "clip_vision_h.safetensors"})
    x += WIDTH + 60
    models = _two_loaders(graph, x) if mode == "dance" else _one_loader(graph, x, mode)
    graph.group("Models and first image", (-30, TOP, 2 * WIDTH + 120, HEIGHT + 130), "#3f789e")
    x += WIDTH + 100
    build = {"talk": _voice, "dance": _dance, "shot": _humo_voice}[mode]
    guide, audio = build(graph, x, vae)
    graph.group("The whole dance" if mode == "dance" else "The whole voice", (x - 30, TOP, WIDTH + 60, HEIGHT + 130),
                "#b58b2a")  # fmt: skip
    return _Parts(image, vae, vision, models, guide, audio, x + WIDTH + 100)


def _one_loader(graph: Graph, x: int, mode: str) -> tuple[Node, Node]:
    """One model; the SVI LoRA is set on it for the following clips."""
    links: dict[str, Source] = {}
    if mode == "talk":
        talk = graph.add("MultiTalkModelLoader", (x, -100), (WIDTH, 60), values={"model": MULTITALK})
        links["multitalk_model"] = (talk, 0)
    model = graph.add(
        "WanVideoModelLoader", (x, 20), (WIDTH, 320), links=links,
        values={"model": HUMO_MODEL if mode == "shot" else MODEL, "base_precision": "fp16",
                "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    distill = graph.add("WanVideoLoraSelect", (x, 400), (WIDTH, 160), title="Distill LoRA (8 steps, cfg 1)",
                        values={"lora": DISTILL_LORA, "merge_loras": False})  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 620), (WIDTH, 160), title=f"SVI LoRA: {mode}",
                    links={"prev_lora": (distill, 0)},
                    values={"lora": SVI_LORA[mode], "merge_loras": False})  # fmt: skip
    first = graph.add("WanVideoSetLoRAs", (x, 840), (WIDTH, 60), title="Model for the first clip (no SVI LoRA)",
                      links={"model": (model, 0), "lora": (distill, 0)})  # fmt: skip
    following = graph.add("WanVideoSetLoRAs", (x, 960), (WIDTH, 60), title="Model for the following clips",
                          links={"model": (model, 0), "lora": (svi, 0)})  # fmt: skip
    return first, following


def _two_loaders(graph: Graph, x: int) -> tuple[Node, Node]:
    """UniAnimate's layers come with its LoRA, through the loader alone; svi-dance goes the same way."""
    distill = graph.add("WanVideoLoraSelect", (x, -100), (WIDTH, 160), title="1. Distill LoRA (8 steps, cfg 1)",
                        values={"lora": DISTILL_LORA})  # fmt: skip
    pose = graph.add("WanVideoLoraSelect", (x, 120), (WIDTH, 160), title="2. UniAnimate LoRA (brings the pose layers)",
                     links={"prev_lora": (distill, 0)}, values={"lora": UNIANIMATE_LORA})  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 340), (WIDTH, 160), title="3. SVI LoRA: dance, added to UniAnimate",
                    links={"prev_lora": (pose, 0)}, values={"lora": SVI_LORA["dance"]})  # fmt: skip
    return tuple(
        graph.add(
            "WanVideoModelLoader", (x, y), (WIDTH, 320), title=title, links={"lora": (lora, 0)},
            values={"model": MODEL, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
        )
        for y, title, lora in (
            (560, "Model for the first clip (UniAnimate, no SVI LoRA)", pose),
            (940, "Model for the following clips (both)", svi),
        )
    )  # type: ignore[return-value]  # fmt: skip


def _voice(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:  # noqa: ARG001
    audio = graph.add("LoadAudio", (x, -520), (WIDTH, 140), title="Voice", values={"audio": "voice.wav"})
    wav2vec = graph.add("Wav2VecModelLoader", (x, -320), (WIDTH, 120), values={"model": WAV2VEC})
    features = graph.add(
        "MultiTalkWav2VecEmbeds", (x, -140), (WIDTH, 340), title="num_frames: the whole audio, 25 a second",
        links={"wav2vec_model": (wav2vec, 0), "audio_1": (audio, 0)}, values={"num_frames": _FEATURES, "fps": FPS},
    )  # fmt: skip
    return (features, 0), (audio, 0)  # that of the features is at 16 kHz and cut at num_frames


def _humo_voice(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:
    audio = graph.add("LoadAudio", (x, -520), (WIDTH, 140), title="Voice", values={"audio": "voice.wav"})
    whisper = graph.add("WhisperModelLoader", (x, -320), (WIDTH, 120), values={"model": WHISPER})
    features = graph.add(
        "HuMoEmbeds", (x, -140), (WIDTH, 340), title="Size and num_frames: those of a clip",
        links={"whisper_model": (whisper, 0), "vae": (vae, 0), "audio": (audio, 0)},
        values={"audio_cfg_scale": 1.0},
    )  # fmt: skip
    return (features, 0), (audio, 0)


def _dance(graph: Graph, x: int, vae: Node) -> tuple[Source, Source | None]:  # noqa: ARG001
    video = graph.add("LoadVideo", (x, -520), (WIDTH, 140), title="Dance", values={"file": "dance.mp4"})
    parts = graph.add("GetVideoComponents", (x, -320), (WIDTH, 80), links={"video": (video, 0)})
    sized = graph.add("ImageScale", (x, -180), (WIDTH, 140), title="To the size of the clips",
                      links={"image": (parts, 0)},
                      values={"upscale_method": "lanczos", "width": 832, "height": 480, "crop": "center"})  # fmt: skip
    poses = graph.add("WanVideoUniAnimateDWPoseDetector", (x, 20), (WIDTH, 300), links={"pose_images": (sized, 0)})
    whole = graph.add("WanVideoUniAnimatePoseInput", (x, 380), (WIDTH, 140), title="Reference pose: unconnected",
                      links={"pose_images": (poses, 0)})  # fmt: skip
    return (whole, 0), (parts, 1)


def _window(
    graph: Graph, mode: str, parts: _Parts, embeds: Node, *, index: int, overlap: int, pos: tuple[int, int]
) -> dict[str, Source]:
    """The clip's part, and how it reaches the sampler."""
    values = {"clip_index": index, "overlap_frames": overlap}
    title = f"Clip {index + 1}: its part of the {'dance' if mode == 'dance' else 'voice'}"
    node = "WanVideoSVIPoseWindow" if mode == "dance" else "WanVideoSVIAudioWindow"
    name = {"talk": "multitalk_embeds", "dance": "unianimate_poses", "shot": "humo_embeds"}[mode]
    links: dict[str, Source] = {name: parts.guide}
    if mode == "shot":
        links["image_embeds"] = (embeds, 0)
    window = graph.add(node, pos, (WIDTH, 330), title=title, links=links, values=values, colour="#2a363b")
    if mode == "shot":
        return {"image_embeds": (window, 1)}
    return {"image_embeds": (embeds, 0), name: (window, 0)}


def _finish(graph: Graph, name: str, video: Source, audio: Source | None, *, x: int) -> None:
    links: dict[str, Source] = {"images": video}
    if audio:
        links["audio"] = audio
    make = graph.add("CreateVideo", (x, -520), (WIDTH, 100), links=links, values={"fps": FPS})
    graph.add("SaveVideo", (x, -360), (WIDTH, 360), links={"video": (make, 0)},
              values={"filename_prefix": f"video/{name}"})  # fmt: skip
    graph.add("SaveImage", (x, 60), (WIDTH, 320), title="Frames as PNG (muted: Ctrl+M to turn on)",
              links={"images": video}, values={"filename_prefix": f"{name}/frame"}, muted=True)  # fmt: skip
    graph.group("The finished video", (x - 30, TOP, WIDTH + 60, 1040), "#b58b2a")


def long_talk() -> dict[str, Any]:
    """A talking video as long as its audio, in one node."""
    graph, x = Graph(), 0
    graph.add("MarkdownNote", (x, -520), (2 * WIDTH + 60, 360), title="Read me", values={"text": long_talk_note()},
              colour="#432")  # fmt: skip
    image = graph.add("LoadImage", (x, -100), (WIDTH, 400), title="First image", values={"image": "example.png"})
    vae = graph.add("WanVideoVAELoader", (x, 360), (WIDTH, 140), values={"model_name": VAE})
    t5 = graph.add("LoadWanVideoT5TextEncoder", (x, 560), (WIDTH, 160), values={"model_name": TEXT_ENCODER})
    empty = graph.add("WanVideoEmptyEmbeds", (x, 780), (WIDTH, 140), title="Stands in for the clips' own embeds")
    x += WIDTH + 60
    talk = graph.add("MultiTalkModelLoader", (x, -100), (WIDTH, 60), values={"model": MULTITALK})
    distill = graph.add("WanVideoLoraSelect", (x, 20), (WIDTH, 160), title="Distill LoRA",
                        values={"lora": DISTILL_LORA, "merge_loras": False})  # fmt: skip
    first = graph.add(
        "WanVideoModelLoader", (x, 240), (WIDTH, 320), title="Model for the first clip",
        links={"lora": (distill, 0), "multitalk_model": (talk, 0)},
        values={"model": MODEL, "base_precision": "fp16", "quantization": "disabled", "attention_mode": "sdpa"},
    )  # fmt: skip
    svi = graph.add("WanVideoLoraSelect", (x, 620), (WIDTH, 160), title="SVI LoRA",
                    values={"lora": SVI_LORA["talk"], "merge_loras": False})  # fmt: skip
    following = graph.add("WanVideoSetLoRAs", (x, 840), (WIDTH, 60), title="Model for the following clips",
                          links={"model": (first, 0), "lora": (svi, 0)})  # fmt: skip
    x += WIDTH + 60
    features, sound = _voice(graph, x, vae)
    settings = graph.add(
        "WanVideoSamplerSettings", (x, 260), (WIDTH, 660),
        links={"model": (following, 0), "image_embeds": (empty, 0), "multitalk_embeds": features},
        values={"steps": 8, "cfg": 1.0, "shift": 5.0, "scheduler": "euler"},
    )  # fmt: skip
    x += WIDTH + 60
    graph.group("Models, first image, voice and settings", (-30, TOP, 3 * (WIDTH + 60), STORY_HEIGHT), "#3f789e")
    x += 40
    assert sound is not None
    graph.add(
        "WanVideoSVILongVideo", (x, -520), (2 * WIDTH, 1180), title="The whole video",
        links={"sampler_inputs": (settings, 0), "vae": (vae, 0), "start_image": (image, 0), "t5": (t5, 0),
               "first_clip_model": (first, 0), "audio": sound},
        values={"story": f"[repeat=auto]\n{PROMPTS['talk']}", "mode": "talk", "seed": 42, "fps": FPS,
                "reel": "svi_talk_story", "negative_prompt": NEGATIVE},
        colour="#2a363b",
    )  # fmt: skip
    graph.group("The story", (x - 30, TOP, 2 * WIDTH + 60, 1320), "#b58b2a")
    return graph.save()
