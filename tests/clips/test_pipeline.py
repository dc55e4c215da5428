"""A chain outside ComfyUI: clips sampled by diffusers' own Wan image-to-video pipeline with a tiny random model."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import frames
from project import ROOT
from wanvideo_svi.svi_embeds import (
    ClipInputs,
    ClipSettings,
    DiffusersVAE,
    Encoder,
    SVIError,
    conditioning_of,
    make_clip,
    sample_clip,
)

SMALL = {"width": 32, "height": 32, "num_frames": 9}


@pytest.fixture(scope="module")
def pipeline() -> Any:
    """The pipeline with two small layers and a small VAE, random weights; no text encoder, no CLIP vision."""
    pytest.importorskip("transformers", reason="diffusers' Wan pipelines need transformers")
    from diffusers import (
        AutoencoderKLWan,
        FlowMatchEulerDiscreteScheduler,
        WanImageToVideoPipeline,
        WanTransformer3DModel,
    )

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = WanTransformer3DModel(
            num_attention_heads=2, attention_head_dim=12, in_channels=36, out_channels=16, text_dim=8, freq_dim=16,
            ffn_dim=16, num_layers=2, rope_max_seq_len=32,
        ).eval()  # fmt: skip
        vae = AutoencoderKLWan(base_dim=8).eval()
    pipe = WanImageToVideoPipeline(
        tokenizer=None, text_encoder=None, vae=vae, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        image_processor=None, image_encoder=None, transformer=transformer, transformer_2=None,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def options(**more: Any) -> dict[str, Any]:
    return {"prompt_embeds": torch.ones(1, 4, 8), "num_inference_steps": 1, "guidance_scale": 1.0, **more}


def test_the_lines_of_the_docs_chain_three_clips_to_a_video(pipeline: Any) -> None:
    page = (ROOT / "docs" / "how-to" / "python.md").read_text(encoding="utf-8")
    block = re.findall(r"```python\n((?:.*\n)*?)```", page)[1]
    lines = block.replace("ClipSettings(mode=mode)", f"ClipSettings(mode=mode, **{SMALL})")
    lines = re.sub(r"WanImageToVideoPipeline\.from_pretrained\([^)]*\)", "made", lines)
    lines = lines.replace("prompt=prompt", "**options(prompt)")
    assert lines.count("SMALL") == 0
    assert "made" in lines
    assert "options(prompt)" in lines
    told: list[str] = []

    def of(prompt: str) -> dict[str, Any]:
        told.append(prompt)
        return options(generator=torch.Generator().manual_seed(len(told)))

    given = {"made": pipeline, "options": of, "picture": frames(1, height=32, width=32)}
    exec(lines, given)
    video = given["video"]
    assert video.shape == (1 + 8 + 4 + 4, 32, 32, 3)
    assert torch.isfinite(video).all()
    assert 0 <= float(video.min()) <= float(video.max()) <= 1
    assert told == ["a red panda walks", "it stops", "it drinks"]
    assert len([line for line in block.splitlines() if line.strip() and "import" not in line]) <= 6
    assert "prepare_latents" not in vars(pipeline), "the pipeline is as it was"


def test_a_first_clip_is_conditioned_as_the_pipeline_conditions_it(pipeline: Any) -> None:
    """One first frame, grey behind: the pipeline's own condition, mask included."""
    picture = frames(1, height=32, width=32)
    clip = make_clip(
        ClipSettings(mode="i2v", **SMALL), ClipInputs(start_image=picture), Encoder(vae=DiffusersVAE(pipeline.vae))
    )
    image = picture.movedim(-1, 1) * 2 - 1
    _, condition = pipeline.prepare_latents(
        image, 1, 16, 32, 32, SMALL["num_frames"], torch.float32, torch.device("cpu"), torch.Generator()
    )
    assert torch.allclose(conditioning_of(clip.embeds), condition[0], atol=1e-5)
    torch.testing.assert_close(
        sample_clip(pipeline, clip, picture[0], **options(generator=torch.Generator().manual_seed(3))),
        pipeline(
            image=image / 2 + 0.5, height=32, width=32, num_frames=9, output_type="pt",
            **options(generator=torch.Generator().manual_seed(3)),
        ).frames[0].movedim(1, -1),
        atol=1e-4, rtol=1e-4,
    )  # fmt: skip


def test_motion_frames_and_mask_change_what_is_sampled(pipeline: Any) -> None:
    start, encoder = frames(9, height=32, width=32), Encoder(vae=DiffusersVAE(pipeline.vae))
    noise = torch.randn(1, 16, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    made = []
    for known in ("overlap", "first_frame"):
        clip = make_clip(ClipSettings(mode="film", known_frames=known, **SMALL), ClipInputs(start_image=start), encoder)
        made.append(sample_clip(pipeline, clip, start[-5], **options(latents=noise)))
    assert not torch.allclose(made[0], made[1])


def wan(**config: Any) -> Any:
    return SimpleNamespace(
        prepare_latents=lambda: None,
        transformer=None,
        vae=None,
        config=SimpleNamespace(expand_timesteps=False, **config),
    )


@pytest.mark.parametrize(
    ("pipe", "change", "message"),
    [
        (SimpleNamespace(), {}, "must be diffusers' WanImageToVideoPipeline, got SimpleNamespace"),
        (wan(), {"num_frames": 81, "height": 8}, "the clip decides height, num_frames: leave them out"),
        (wan(), {"first_frame": torch.zeros(1, 8, 8, 3)}, r"must be H W 3, got \[1, 8, 8, 3\]"),
    ],
)
def test_what_does_not_fit_is_told(pipe: Any, change: dict[str, Any], message: str, wan_vae: Any) -> None:
    clip = make_clip(ClipSettings(**SMALL), ClipInputs(start_image=frames(5)), Encoder(vae=wan_vae))
    with pytest.raises(SVIError, match=message):
        sample_clip(pipe, clip, **{"first_frame": torch.zeros(8, 8, 3), **change})


def test_what_the_pipeline_has_no_room_for_is_told(wan_vae: Any) -> None:
    five = wan()
    five.config.expand_timesteps = True
    clip = make_clip(ClipSettings(**SMALL), ClipInputs(start_image=frames(5)), Encoder(vae=wan_vae))
    with pytest.raises(SVIError, match="the 5B model, which takes no mask"):
        sample_clip(five, clip, torch.zeros(8, 8, 3))
    apart = make_clip(
        ClipSettings(**SMALL, fun_or_fl2v_model=False, overlap_frames=1),
        ClipInputs(start_image=frames(1), end_image=frames(1)), Encoder(vae=wan_vae),
    )  # fmt: skip
    with pytest.raises(SVIError, match="4 latents for 9 frames, and the pipeline samples 3"):
        sample_clip(wan(), apart, torch.zeros(8, 8, 3))
