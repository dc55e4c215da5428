"""The notes in the example workflows of voices and dances."""

from __future__ import annotations

from workflow_files import (
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
from workflow_notes import models_text

OWN_VOICE = "First choose a sound file of your own in *Voice*: `voice.wav` is only a name."
OWN_DANCE = "First choose a video of your own in *Dance*: `dance.mp4` is only a name."


def guided_note(mode: str) -> str:
    """What the workflow needs and how to change it, for chains that follow a voice or a dance."""
    title, models, how, change = {"talk": _talk, "dance": _dance, "shot": _humo}[mode]()
    return f"""## {title}: three clips, {3 * 81 - 2} frames

{OWN_DANCE if mode == "dance" else OWN_VOICE}

{models}

**How it works**
{how}
- The last frame of each clip leads the next; your first image is `ref_image` of the following clips.
- The first clip runs **without** the SVI LoRA, which would freeze its motion. Every clip has its own seed.

**To change**
{change}
- More clips: copy a clip group, raise `clip_index` by one, wire its `start_image` to the decode before it, then one
  more *Stitch*. `clips` of the window says how many are needed; `long_video_talk` does all of it in one node.
- Out of memory: *WanVideo Block Swap* on the loader.
"""


def _talk() -> tuple[str, str, str, str]:
    models = f"""{models_text(MODEL, SVI_LORA["talk"])}
- `diffusion_models`: {MULTITALK}
- `wav2vec2`: {WAV2VEC}"""
    how = (
        "- MultiTalk (or InfiniteTalk) is connected to the model loader, the SVI LoRA is set on the model.\n"
        "- *Wav2vec2 Embeds* makes the features of the whole voice, 25 a second; *SVI Audio Window* gives each clip\n"
        "  its part. Without it the wrapper begins every clip with the first word."
    )
    change = (
        "- A voice of more than 60 s: `num_frames` of *Wav2vec2 Embeds* (it cuts the audio there).\n"
        "- Two speakers: `audio_2`, and `ref_target_masks` with a mask for each."
    )
    return "SVI talk with MultiTalk", models, how, change


def _humo() -> tuple[str, str, str, str]:
    models = f"""**Models** (folder in ComfyUI/models)
- `diffusion_models`: {HUMO_MODEL}
- `audio_encoders`: {WHISPER}
- `loras`: {SVI_LORA["shot"]} (SVI 1.0), {DISTILL_LORA}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}"""
    how = (
        "- *HuMo Embeds* has the features of the whole voice, and the size and `num_frames` of **a clip**.\n"
        "- *SVI Audio Window* cuts the voice to the clip and joins it with the embeds of *SVI Embeds*: that is what\n"
        "  the sampler gets. HuMo models take no CLIP vision."
    )
    change = (
        "- Clip length or size: in *HuMo Embeds*, *SVI Embeds* and *SVI Audio Window* alike.\n"
        "- Reference images of HuMo: `reference_images` of *HuMo Embeds*.\n"
        "- No distill LoRA: 50 steps, cfg 5, `audio_cfg_scale` 5.5."
    )
    return "SVI shot with HuMo", models, how, change


def _dance() -> tuple[str, str, str, str]:
    models = f"""{models_text(MODEL, SVI_LORA["dance"])}
- `loras` too: {UNIANIMATE_LORA}"""
    how = (
        "- UniAnimate's LoRA brings the pose layers, which only *Model Loader* can add: it goes into `lora` there,\n"
        "  with svi-dance behind it. The first clip has UniAnimate without svi-dance, so there are two loaders.\n"
        "- *Pose Input* holds the whole dance at the clips' size; *SVI Pose Window* gives each clip its part."
    )
    change = (
        "- Size: *To the size of the clips*, *SVI Embeds* and *SVI Pose Window* alike (steps of 16).\n"
        "- `fps` of *Create Video*: that of the dance video."
    )
    return "SVI dance with UniAnimate", models, how, change


def long_talk_note() -> str:
    """What the workflow needs and how to change it."""
    models = f"""**Models** (folder in ComfyUI/models)
- `diffusion_models`: {MODEL} and {MULTITALK}
- `loras`: {SVI_LORA["talk"]} (SVI 1.0), {DISTILL_LORA}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}
- `wav2vec2`: {WAV2VEC}"""
    return f"""## SVI talk as a story: as long as its voice

{OWN_VOICE}

{models}

**How it works**
- `[repeat=auto]` makes as many clips as the voice needs; the video ends with the voice and has it as sound.
- *Sampler Settings* has the features of the whole voice; each clip gets its part.
- Each clip is saved in `output/svi_reels/svi_talk_story` when it is done. Stop when you like: the next run continues
  there.
- The first clip runs **without** the SVI LoRA, which would freeze its motion.

**To change**
- A voice of more than 60 s: `num_frames` of *Wav2vec2 Embeds* (it cuts the audio there).
- Other prompts for the first clips: write them before the last one, separated by `---`.
- CLIP vision: *Load CLIP Vision* to `clip_vision`, which sees the first frame of each clip.
- No distill LoRA: strength 0, 50 steps, cfg 5.
"""
