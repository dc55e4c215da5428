"""What others import of the library: its names, what they take, and a clip made outside ComfyUI as the docs do."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import torch
import wanvideo_svi.svi_embeds as face
from helpers import frames
from project import DATA, ROOT
from snapshots import check_snapshot
from wanvideo_svi.svi_embeds import DiffusersVAE, Encoder, SVIError, TorchVAE
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE

RECORDED = DATA / "api.json"


def shape_of(value: Any) -> Any:
    """A function's parameters, a dataclass' fields, or what a class can do; nothing of how."""
    if is_dataclass(value):
        return [field.name for field in fields(value)]
    if inspect.isclass(value):
        return sorted(name for name in vars(value) if not name.startswith("_"))
    if not callable(value):
        return type(value).__name__
    return [
        each.name if each.default is each.empty else f"{each.name}="
        for each in inspect.signature(value).parameters.values()
    ]


def test_the_public_face_is_as_it_was_recorded() -> None:
    """UPDATE_SNAPSHOTS=1 records it: a name that goes, or a parameter that is renamed, breaks somebody's script."""
    made = {name: shape_of(getattr(face, name)) for name in face.__all__}
    check_snapshot(RECORDED, made)
    bare = [name for name in face.__all__ if name != "RECIPES" and not (getattr(face, name).__doc__ or "").strip()]
    assert not bare, f"no docstring says what {', '.join(bare)} is"


def test_a_name_that_is_not_there_is_an_error_and_dir_shows_those_that_are() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'make_clips'"):
        _ = face.make_clips
    assert set(face.__all__) <= set(dir(face))


def test_the_face_loads_what_is_asked_for_and_no_more() -> None:
    code = (
        "import sys, wanvideo_svi.svi_embeds as s; rooms = lambda: [f'wanvideo_svi.svi_embeds.{name}' in sys.modules "
        "for name in ('clips.pixels.make', 'drift.measure')]; before = rooms(); s.make_clip; print(*before, *rooms())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    assert done.stdout.split() == ["False", "False", "True", "False"]


def test_the_lines_of_the_docs_make_a_clip_that_diffusers_transformer_takes() -> None:
    page = (ROOT / "docs" / "how-to" / "python.md").read_text()
    block = re.findall(r"```python\n((?:.*\n)*?)```", page)[0]
    given = {"last_clip": frames(17), "picture": frames(1), "torch": torch}
    small = block.replace('mode="shot"', 'mode="shot", width=64, height=64, num_frames=17')
    assert small != block
    loaded = re.sub(r"AutoencoderKLWan\.from_pretrained\([^)]*\)", "AutoencoderKLWan(base_dim=8)", small)
    assert loaded != small
    exec(loaded.replace('clip.sheet().save("clip.png")', "sheet = clip.sheet()"), given)
    assert given["conditioning"].shape == (20, 5, 8, 8)
    assert given["sheet"].width > 100
    assert len([line for line in block.splitlines() if line.strip() and "import" not in line]) <= 5


def test_diffusers_vae_gives_what_its_model_does_normalised(wan_vae: DemoVAE) -> None:
    video = frames(5, seed=3).movedim(-1, 0) * 2 - 1
    made = wan_vae.encode([video], torch.device("cpu"))
    config = wan_vae.model.config
    mean, std = (torch.tensor(values).view(1, -1, 1, 1, 1) for values in (config.latents_mean, config.latents_std))
    with torch.inference_mode():
        wanted = (wan_vae.model.encode(video[None]).latent_dist.mode() - mean) / std
    assert torch.equal(made, wanted)
    apart = wan_vae.encode([torch.cat([video, video[:, :1]], 1)], torch.device("cpu"), end_=True)
    assert apart.shape[2] == made.shape[2] + 1
    assert torch.equal(apart[:, :, :-1], made)


def test_a_plain_module_serves_as_vae_and_what_does_not_fit_is_told() -> None:
    module = torch.nn.Conv3d(3, 16, 1).requires_grad_(False)

    def encode(video: torch.Tensor) -> torch.Tensor:
        return module(torch.nn.functional.avg_pool3d(video, (1, 8, 8))[:, :, ::4])

    vae = TorchVAE(module, encode, mean=[0.0] * 16, std=[2.0] * 16)
    inputs = face.ClipInputs(start_image=frames(5))
    clip = face.make_clip(face.ClipSettings(width=64, height=64, num_frames=17), inputs, Encoder(vae=vae))
    assert clip.embeds["image_embeds"].shape == (16, 5, 8, 8)
    plain = TorchVAE(module, encode).encode([frames(5).movedim(-1, 0)], torch.device("cpu"))
    assert torch.equal(plain / 2, vae.encode([frames(5).movedim(-1, 0)], torch.device("cpu")))
    for change, message in (
        ({"mean": [0.0] * 16}, "std must have 16 values, one for each latent channel, got none"),
        ({"mean": [0.0] * 4, "std": [1.0] * 4}, "mean must have 16 values, one for each latent channel, got 4"),
        ({"upsampling_factor": 4}, "upsampling_factor of 4"),
    ):
        with pytest.raises(SVIError, match=message):
            TorchVAE(module, encode, **change)
    with pytest.raises(SVIError, match="does not encode in tiles"):
        vae.encode([frames(5).movedim(-1, 0)], torch.device("cpu"), tiled=True)
    with pytest.raises(SVIError, match="must be diffusers' AutoencoderKLWan, got Conv3d"):
        DiffusersVAE(module)
