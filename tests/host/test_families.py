"""A VAE, a model and a mode whose latents do not go together are refused before anything is encoded or sampled."""

from __future__ import annotations

from typing import Any

import pytest
from host.comfyui import Comfy, HostError
from host.graphs import CONTROL_FILE, Builder, Link
from host.long_chains import long_video, settings
from workflow_files import HOLOCINE


def vae_5b(build: Builder) -> Link:
    return build.link("SVITestVAE5B")


@pytest.mark.parametrize("mode", ["film", "shot", "svi2_wan22"])
def test_svi_embeds_refuse_the_vae_of_the_5b_models(comfy: Comfy, mode: str) -> None:
    """Its weights are not there: whatever would touch them fails in another way."""
    build = Builder()
    made = build.full("WanVideoSVIEmbeds", vae=vae_5b(build), mode=mode, width=64, height=64, num_frames=17,
                      start_image=build.images(5), ref_image=build.images(seed=1))  # fmt: skip
    build.dump(made, "x")
    with pytest.raises(HostError, match=f"mode {mode} is for .* 16 channels, and this VAE makes 48"):
        comfy.run(build.graph)


# The model of a chain (a file, or the channels that a 5B model takes), whether its VAE is that of the 5B models, its
# mode, and what is said.
CHAINS: dict[str, tuple[str | int, bool, str, str]] = {
    "the VAE of the 5B models": ("", True, "film", r"clip 2 \(line 3 of the story\): mode film is for"),
    "the same in 2.0 Pro": ("", True, "svi2_pro", "clip 1 .*: mode svi2_pro is for Wan 2.2 I2V A14B pair"),
    "the same with a 14B model": ("", True, "i2v", "samples latents of 16 channels, and this VAE makes 48"),
    "a 5B model": (48, False, "i2v", "samples latents of 48 channels, and this VAE makes 16"),
    "a 5B model that takes images": (100, False, "i2v", "samples latents of 48 channels, and this VAE makes 16"),
    "a 5B model with its VAE": (48, True, "i2v", "is .*Wan 2.2 5B, 48 channels, which takes no image"),
    "a text-to-video model": (HOLOCINE, False, "i2v", "is .*text-to-video, 16 channels, which takes no image"),
    "a Fun Control model": (
        CONTROL_FILE,
        False,
        "i2v",
        "is .*Fun Control, 52 channels, which follows a control signal",
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_long_video_refuses_them_before_the_first_clip(comfy: Comfy, name: str) -> None:
    file, five, mode, said = CHAINS[name]
    build = Builder()
    if isinstance(file, int):
        model = build.link("SVITestModel5B", in_dim=file)
    else:
        model = build.model(file) if file else build.model()
    inputs: dict[str, Any] = {
        "vae": vae_5b(build) if five else build.vae(), "first_clip_model": model, "start_image": build.images(1),
        "sampler_inputs": settings(build, model), "t5": build.link("SVITestT5", model_name="t5"),
    }  # fmt: skip
    long_video(build, "a lake\n---\na boat", mode=mode, reel="families", **inputs)
    with pytest.raises(HostError, match=said):
        comfy.run(build.graph)
    assert not (comfy.base / "output" / "svi_reels" / "families").exists()
