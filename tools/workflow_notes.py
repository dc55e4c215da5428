"""The note in each example workflow that says what goes where."""

from __future__ import annotations

from wanvideo_svi.svi_embeds.recipes import SVI2_PRO, recipe
from workflow_files import (
    CLIP_VISION,
    DISTILL_LORA,
    FUN_MODEL,
    HOLOCINE,
    HOLOCINE_DISTILL,
    MAGREF,
    MODEL,
    PRO_DISTILL,
    PRO_LORA,
    PRO_MODEL,
    PUSA_LORA,
    SVI2_LORA,
    SVI_LORA,
    TEXT_ENCODER,
    VAE,
)


def note(mode: str, overlap: int) -> str:
    """What the workflow needs and how to change it."""
    row = recipe(mode)
    frames = f"The last {overlap} frames of each clip lead" if overlap > 1 else "The last frame of each clip leads"
    reference = (
        "\n- The following clips have your first image as `ref_image`: always the original, never the last frame of "
        "the previous clip."
        if row.padding == "reference"
        else ""
    )
    return f"""## SVI {mode}: three clips, {3 * 81 - 2 * overlap} frames

{models_text(MODEL, SVI_LORA[mode])}

**How it works**
- {frames} the next, so the overlap is {overlap} in *Motion Frames* and *Stitch*.
- The first clip runs **without** the SVI LoRA, which would freeze its motion, and in mode `i2v`.{reference}
- Every clip has its own seed: the same noise in each clip builds up artefacts.
- CLIP vision sees the first motion frame of each clip.

**To change**
- Clip length: `num_frames` in all three *SVI Embeds* (4k+1).
- No distill LoRA: 50 steps, cfg 5.
- More clips: copy a clip group, wire its `start_image` to the decode before it, then one more *Stitch*.
- LoRAs are applied unmerged, so that the model is loaded once. Merged (`merge_loras` on, the LoRA wired to its own
  model loader) is the safest setting if you have the memory for two.
"""


def fun_note(overlap: int) -> str:
    """What the workflow needs and how to change it."""
    return f"""## Fun InP + SVI-film: three clips, {3 * 81 - 2 * overlap} frames

The wrapper's *ImageToVideo Encode* makes the embeds; *SVI Temporal Mask* gives it `start_image` and `temporal_mask`.
(*SVI Embeds* in mode `fun_inp` does both with one node.)

{models_text(FUN_MODEL, SVI_LORA["film"])}

**How it works**
- The last {overlap} frames of each clip lead the next and are kept; the rest is grey and is generated.
- `fun_or_fl2v_model` of the encode is connected, so that it always fits the frames.
- The first clip runs **without** the SVI LoRA, from 1 frame (`overlap_frames` 1).
- Every clip has its own seed.

**To change**
- Clip length: `num_frames` in *SVI Temporal Mask* **and** in *ImageToVideo Encode* of each clip (4k+1, all alike).
- An end, or frames in the middle: `end_image`, `keyframes` and `keyframe_images` of *SVI Temporal Mask*.
"""


def keyframes_note() -> str:
    """What the workflow needs and how to change it."""
    return f"""## Fun InP through keyframes: one clip, 81 frames

The model fills in the frames between three images. *SVI Temporal Mask* puts the images at frames 0, 40 and the last
one, with grey between them, and makes the mask that keeps them.

{models_text(FUN_MODEL, SVI_LORA["film"])}

**How it works**
- `keyframes` is `0, 40, -1`: one number for each image of the batch, in order. Ranges work too (`0-4, 40, -5--1`), with
  one image for each frame.
- The clip runs **without** the SVI LoRA; for one that continues another, wire the clip before to `motion_frames` and
  take *Model for the following clips*.

**To change**
- Fewer or more images: another *Batch Images*, and another number in `keyframes`.
- To keep only a part of an image: connect a mask to `region`.
"""


def models_text(model: str, lora: str) -> str:
    """Which file goes where, for Wan 2.1 graphs."""
    return f"""**Models** (folder in ComfyUI/models)
- `diffusion_models`: {model}
- `loras`: {lora} (SVI 1.0), {DISTILL_LORA}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}
- `clip_vision`: {CLIP_VISION}"""


def pro_note() -> str:
    """What the workflow needs and how to change it."""
    overlap = 4 * SVI2_PRO.motion_latents + 1
    files = {kind: " and ".join(name.format(noise) for noise in ("HIGH", "LOW"))
             for kind, name in (("model", PRO_MODEL), ("distill", PRO_DISTILL), ("svi", PRO_LORA))}  # fmt: skip
    return f"""## SVI 2.0 Pro: two clips, {2 * 81 - overlap} frames

**Models** (folder in ComfyUI/models)
- `diffusion_models`: {files["model"]}
- `loras`: {files["svi"]}; {files["distill"]}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}

**How it works**
- The first image, encoded once, is the **anchor** of every clip. The next clip takes the last latent of the low noise
  sampler before it: no frame is decoded and encoded again between clips.
- The high noise model samples the first half of the steps, the low noise model the rest, with the same embeds, steps,
  shift and scheduler.
- *Latent Embeds* gives *Stitch* the number of frames that both clips show ({overlap} with 1 motion latent).
- The first clip runs **without** the SVI LoRA, which would freeze its motion.
- Every clip has its own seed.

**To change**
- Clip length: `num_frames` in both *Latent Embeds* (4k+1). Size: *To the size of the clips* (steps of 16).
- No distill LoRA: 50 steps, cfg 5, the high noise model to step 25.
- More clips: copy the group of clip 2, wire its `prev_samples` to the low noise sampler before it, then one
  more *Stitch*.
"""


def custom_note() -> str:
    """What the workflow needs and how to change it."""
    return f"""## Custom embeds: SVI-shot the WanEx way, two clips, {2 * 81 - 1} frames

For graphs built around *WanEx I2VCustomEmbeds*: one node makes frames and a mask, the frames are encoded, and latents
and mask go to *I2V Custom Embeds*. A new graph needs fewer nodes: see `svi_shot_chain`.

{models_text(MODEL, SVI_LORA["shot"])}

**How it works**
- *1 frame, then the reference* gives the clip's 81 frames and its mask in native polarity: exactly 1 black + 80 white.
- `mask_polarity` is `native`, so the mask is connected as it is. `latent_space` is `wrapper`, since *WanVideo Encode*
  made the latents; use `native` for latents of ComfyUI's own *VAE Encode*.
- The next clip's first frame is the last frame of the clip before, so *Stitch* drops 1. The padding is always the
  original image.
- The first clip runs **without** the SVI LoRA and with grey behind its frame: both would freeze its motion.

**To change**
- Clip length: `amount` of *Reference padding*, `num_frames` and `length` of each clip (4k+1, all alike).
"""


def svi2_note() -> str:
    """What the workflow needs and how to change it."""
    overlap = recipe("svi2_wan22").motion_frames
    files = [" and ".join(name.format(noise) for noise in ("HIGH", "LOW")) for name in (PRO_MODEL, PRO_DISTILL)]
    return f"""## SVI 2.0 on the Wan 2.2 pair: two clips, {2 * 81 - overlap} frames

**Models** (folder in ComfyUI/models)
- `diffusion_models`: {files[0]}
- `loras`: {" and ".join(SVI2_LORA.values())}; {files[1]}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}

**How it works**
- *High/Low Pair* finds the step at which the models change (sigma 0.900). Steps, shift, scheduler and that step are
  wired to both samplers, so that they cannot differ. Its picture shows the sigmas and the split.
- Both samplers take the same embeds. The last frame of a clip leads the next; the first image is `ref_image`.
- The first clip runs **without** the SVI LoRA, which would freeze its motion, and in mode `i2v`.
- Every clip has its own seed; both samplers of a clip have the same.

**To change**
- Steps, shift, scheduler: in *High/Low Pair* of each clip. No distill LoRA: 50 steps, cfg 5.
- Clip length: `num_frames` in *SVI Embeds* and in *High/Low Pair* (4k+1).
- More clips: copy the group of clip 2, wire its `start_image` to the decode before it, then one more *Stitch*.
"""


def holocine_note() -> str:
    """What the workflow needs and how to change it."""
    return f"""## HoloCine + Pusa, then MAGREF: one clip of several shots, 241 frames

**Models** (folder in ComfyUI/models)
- `diffusion_models`: {HOLOCINE} (high noise; from Kijai/WanVideo_comfy_fp8_scaled on huggingface.co, folder
  T2V/HoloCine) and {MAGREF} (low noise)
- `loras`: {PUSA_LORA} (strength 1.4) and {HOLOCINE_DISTILL} for HoloCine; {DISTILL_LORA} for MAGREF
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}
- `clip_vision`: {CLIP_VISION}

**How it works**
- HoloCine, a Wan 2.2 text-to-video model, plans the shots in the first steps. The Wan 2.1 Pusa LoRA lets it keep your
  first frame: a clean latent at index 0, on both stages, which is why the scheduler is `flowmatch_pusa`.
- MAGREF, a Wan 2.1 image-to-video model, does the rest and keeps the look of your references: they are on a white
  canvas, and only their pixels are known (`region`).
- *High/Low Pair* makes HoloCine's embeds and checks MAGREF's; steps, shift, scheduler and split go to both samplers.
- *HoloCine Prompt* writes the shots in the form that the model knows; its `num_frames` goes to all nodes that need it.

**To change**
- Shots: one a line. Frames: 81, 161 or 241 in *HoloCine Prompt*.
- Without your own first frame: disconnect `clean_latents`; then any scheduler works.
- Out of memory: *WanVideo Block Swap* on both loaders, or 81 frames.
- No distill LoRAs: 50 steps, cfg 5.
"""


_SCENES = """
**Takes, scenes, mending**
- `[takes=3]`: the clip is rendered three times, and the chain continues from the one with the least drift and seam.
  To use another one: `[takes=3 pick=2]`.
- `[pick=stop]`, or `clips_per_run`: the run stops there, so that you can look. Queue again to continue.
- `[cut start=0]`: a new scene that begins with the second image. `[from=2]`: a branch that continues from clip 2.
- `[mend]`: the clip is rendered again between its neighbours, which stay.
"""


def long_video_note(mode: str, length: str, *, reel: str, has_scenes: bool = False) -> str:
    """What the workflow needs and how to change it."""
    if mode == SVI2_PRO.id:
        files = {kind: " and ".join(name.format(noise) for noise in ("HIGH", "LOW"))
                 for kind, name in (("model", PRO_MODEL), ("distill", PRO_DISTILL), ("svi", PRO_LORA))}  # fmt: skip
        models = f"""**Models** (folder in ComfyUI/models)
- `diffusion_models`: {files["model"]}
- `loras`: {files["svi"]}; {files["distill"]}
- `vae`: {VAE}
- `text_encoders`: {TEXT_ENCODER}"""
        change = (
            "- The step at which the low noise model takes over: `split_step`.\n"
            "- No distill LoRA: 50 steps, cfg 5, `split_step` 25."
        )
    else:
        models = models_text(MODEL, SVI_LORA[mode])
        change = "- No distill LoRA: strength 0, 50 steps, cfg 5."
    title = "with takes, a cut and a branch" if has_scenes else "as a story"
    return f"""## SVI {mode} {title}: {length}

{models}

**How it works**
- `story` has one prompt per clip, with a line `---` between them. A prompt may begin with settings: `[frames=49]`.
- Each clip is saved in `output/svi_reels/{reel}` when it is done. Stop when you like: the next run continues
  there. Change a prompt: that clip and the clips after it are rendered again.
- The first clip runs **without** the SVI LoRA, which would freeze its motion.
- Every clip has its own seed: that of the clip before plus 42.
- The joined video plays on the node and is saved in the same folder.
{_SCENES if has_scenes else ""}
**To change**
- More clips: more prompts. The same prompt four times: `[repeat=4]`.
- To keep this video and make another: write another name into `reel`.
{change}
"""
