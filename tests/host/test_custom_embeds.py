"""Custom embeds, ends and files in a real host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import rows
from host.comfyui import Comfy, HostError
from host.graphs import CONTROL_FILE, Builder

FRAMES = 17


def test_frames_and_mask_of_the_hosts_generator_give_the_embeds_of_shot(comfy: Comfy) -> None:
    """The WanEx way: generator node, encode, custom embeds. The same images through SVI Embeds give the same bits."""
    build = Builder()
    vae, start, original = build.vae(), build.images(seed=1), build.images(seed=2)
    copies = build.full("RepeatImageBatch", image=original, amount=FRAMES)
    made = build.full("WanVideoVACEStartToEndFrame", start_image=start, control_images=copies, num_frames=FRAMES)
    custom = build.full(
        "WanVideoI2VCustomEmbeds", width=64, height=64, length=FRAMES, latent_space="wrapper",
        concat_latent_image=build.encode(vae, made), concat_mask=[made[0], 1],
    )  # fmt: skip
    shot = build.full("WanVideoSVIEmbeds", vae=vae, mode="shot", width=64, height=64, num_frames=FRAMES,
                      start_image=start, ref_image=original)  # fmt: skip
    for name, value in (("custom", custom), ("shot", shot), ("concat", [custom[0], 2]), ("preview", [custom[0], 1])):
        build.dump(value, name)
    comfy.run(build.graph)
    ours, theirs = comfy.load("custom"), comfy.load("shot")
    assert torch.equal(ours["image_embeds"], theirs["image_embeds"])
    assert torch.equal(ours["mask"], theirs["mask"])
    assert rows(ours["mask"]) == ["1111"] + ["0000"] * 4
    assert comfy.load("concat")["value"][:, 0, 0].tolist() == [0.0] + [1.0] * 16
    assert torch.equal(comfy.load("preview")["samples"][0], ours["image_embeds"])


def test_native_latents_of_comfyuis_own_kind_are_converted_as_the_host_does(comfy: Comfy) -> None:
    build = Builder()
    raw = build.latent(5, seed=3)
    wrapped = build.link("WanVideoLatentReScale", samples=raw, direction="comfy_to_wrapper")
    for space, latents in (("native", raw), ("wrapper", wrapped)):
        embeds = build.full("WanVideoI2VCustomEmbeds", width=64, height=64, length=FRAMES, latent_space=space,
                            concat_latent_image=latents)  # fmt: skip
        build.dump(embeds, space)
    comfy.run(build.graph)
    assert torch.equal(comfy.load("native")["image_embeds"], comfy.load("wrapper")["image_embeds"])


@pytest.mark.parametrize("index", [16, 0])
def test_32_channels_reach_a_model_that_takes_them(comfy: Comfy, index: int) -> None:
    """52 input channels: 16 noise, 4 mask, 32 given; with index 16 the mask stands between the two halves."""
    build = Builder()
    vae, text, model = build.vae(), build.text(), build.model(CONTROL_FILE)
    frames = []
    for seed in (1, 2):
        embeds = build.full(
            "WanVideoI2VCustomEmbeds", width=64, height=64, length=FRAMES, latent_space="wrapper",
            concat_latent_image=build.latent(5, channels=32, seed=seed), concat_mask_index=index,
            concat_mask=build.link("SVITestMask", values="0"),
        )  # fmt: skip
        build.dump(build.decode(vae, build.sample(model, embeds, text)), f"frames{seed}")
    comfy.run(build.graph)
    frames = [comfy.load(f"frames{seed}")["value"] for seed in (1, 2)]
    assert [len(each) for each in frames] == [FRAMES, FRAMES]
    assert not torch.equal(*frames), "the latents have an effect"
    assert torch.isfinite(frames[0]).all()


def test_32_channels_are_nothing_for_a_model_of_36(comfy: Comfy) -> None:
    """Why the help page names the models: the host fails on it inside the sampler."""
    build = Builder()
    embeds = build.full("WanVideoI2VCustomEmbeds", width=64, height=64, length=FRAMES, latent_space="wrapper",
                        concat_latent_image=build.latent(5, channels=32))  # fmt: skip
    build.dump(build.sample(build.model(), embeds, build.text()), "x")
    with pytest.raises(HostError, match="WanVideoSampler: "):
        comfy.run(build.graph)


ENDS: dict[str, dict[str, Any]] = {
    "film": {"mode": "film"},
    "film, three end frames, grey before": {"mode": "film", "count": 3, "end_padding": "grey", "end_strength": 0.8},
    "shot": {"mode": "shot"},
    "shot, grey before the end": {"mode": "shot", "end_padding": "grey"},
    "shot, end apart": {"mode": "shot", "fun_or_fl2v_model": False},
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_image_renders(comfy: Comfy, name: str) -> None:
    inputs = dict(ENDS[name])
    count = inputs.pop("count", 1)
    build = Builder()
    vae, text, model = build.vae(), build.text(), build.model()
    shared = {
        "vae": vae, "width": 64, "height": 64, "num_frames": FRAMES, "start_image": build.images(FRAMES),
        "ref_image": build.images(seed=1), "clip_embeds": build.full(
            "WanVideoClipVisionEncode", clip_vision=build.link("SVITestClipVision", clip_name="-"),
            image_1=build.images(seed=8)),
    }  # fmt: skip
    for which, end in (("without", {"mode": inputs["mode"]}),
                       ("with", {**inputs, "end_image": build.images(count, seed=7)})):  # fmt: skip
        embeds = build.full("WanVideoSVIEmbeds", **shared, **end)
        build.dump(build.decode(vae, build.sample(model, embeds, text)), which)
        build.dump(embeds, f"{which} embeds")
    comfy.run(build.graph)
    ending, plain = comfy.load("with")["value"], comfy.load("without")["value"]
    assert len(ending) == len(plain) == FRAMES
    assert torch.isfinite(ending).all()
    assert not torch.equal(ending, plain)
    columns = rows(comfy.load("with embeds")["mask"])
    last = "1111" if "apart" in name else "0111" if count == 3 else "0001"
    assert columns[-1] == last
    assert len(columns) == (6 if "apart" in name else 5)


def test_embeds_go_to_a_file_and_come_back_equal(comfy: Comfy) -> None:
    """This pack's and the host's own, by the names and folders of ComfyUI."""
    build = Builder()
    vae, start = build.vae(), build.images(5)
    ours = build.full("WanVideoSVIEmbeds", vae=vae, mode="film", width=64, height=64, num_frames=FRAMES,
                      start_image=start, end_image=build.images(seed=2))  # fmt: skip
    theirs = build.full("WanVideoImageToVideoEncode", vae=vae, width=64, height=64, num_frames=FRAMES,
                        start_image=start, end_image=build.images(seed=2))  # fmt: skip
    for name, embeds in (("ours", ours), ("host", theirs)):
        saved = build.full("WanVideoSVISaveEmbeds", image_embeds=embeds, filename_prefix=f"svi_embeds/{name}")
        build.dump(embeds, f"{name} before")
        build.dump(saved, f"{name} through")
    answer = comfy.run(build.graph)
    said = [text for found in answer.values() for text in found.get("text", [])]
    assert sorted(text.splitlines()[0] for text in said) == [
        f"saved to svi_embeds/{name}_00001_.safetensors [output]" for name in ("host", "ours")
    ]
    listed = comfy.get("/object_info/WanVideoSVILoadEmbeds")["WanVideoSVILoadEmbeds"]["input"]["required"]["file"][0]
    build = Builder()
    for name in ("ours", "host"):
        file = f"svi_embeds/{name}_00001_.safetensors [output]"
        assert file in listed
        build.dump(build.link("WanVideoSVILoadEmbeds", file=file), f"{name} after")
    sheets = [picture for found in comfy.run(build.graph).values() for picture in found.get("images", [])]
    assert len(sheets) == 2
    for name in ("ours", "host"):
        before, through, after = (comfy.load(f"{name} {when}") for when in ("before", "through", "after"))
        assert set(before) == set(after) == set(through)
        for key, value in before.items():
            same = torch.equal(value, after[key]) if isinstance(value, torch.Tensor) else value == after[key]
            assert same, (name, key)


def test_a_file_of_another_kind_is_refused_by_name(comfy: Comfy) -> None:
    (comfy.base / "input" / "broken.safetensors").write_bytes(b"not a safetensors file")
    secret = Path(comfy.base) / "secret.safetensors"
    secret.write_bytes(b"x")
    for name, message in (
        ("broken.safetensors", "cannot be read as .safetensors"),
        ("absent.safetensors", "is not there any more"),
        ("../secret.safetensors", "leads out of ComfyUI's input folder"),
    ):
        build = Builder()
        build.dump(build.link("WanVideoSVILoadEmbeds", file=name), "x")
        with pytest.raises(HostError) as refused:
            comfy.run(build.graph)
        assert message in json.dumps(refused.value.details), name


def test_a_prefix_cannot_leave_the_output_folder(comfy: Comfy) -> None:
    build = Builder()
    embeds = build.full("WanVideoSVILatentEmbeds", anchor_samples=build.latent(), num_frames=FRAMES)
    build.add("WanVideoSVISaveEmbeds", image_embeds=embeds, filename_prefix="../outside", strict=True)
    with pytest.raises(HostError, match="WanVideoSVISaveEmbeds: filename_prefix must stay inside"):
        comfy.run(build.graph)
