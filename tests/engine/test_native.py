"""A chain through ComfyUI's own sampling: the same renderer, reel and resume, with nothing of the wrapper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import Cancelled, FakeHost, Report, job
from helpers import frames
from native_host import NATIVE_PAIR, NativeHost, native_job, native_model, native_sampler
from native_vae import NativeVAE, concat_cond, wan_image_to_video
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.latent_space import to_wrapper
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.reel import Reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.plan import plan_chain
from wanvideo_svi.wrapper_ext.engine.check import check_job
from wanvideo_svi.wrapper_ext.engine.modes import NATIVE_MODES
from wanvideo_svi.wrapper_ext.render.chain import render_chain
from wanvideo_svi.wrapper_ext.render.standing import stood_of

Calls = list[tuple[str, dict[str, Any]]]


def render(folder: Path, story: str = "a\n---\nb\n---\nc", *, host: NativeHost | None = None, **options: Any) -> Calls:
    """The nodes that were called, and with what."""
    host = host or NativeHost()
    with ReelWriter(folder, fps=16) as writer:
        render_chain(native_job(story, **options), writer, host, Report(), resume=True)
    return host.calls


def sampled(calls: Calls, node: str = "KSamplerAdvanced") -> list[dict[str, Any]]:
    return [inputs for name, inputs in calls if name == node]


def values_of(inputs: dict[str, Any]) -> dict[str, Any]:
    ((_, values),) = inputs["positive"]
    return dict(values)


def shas(reel: Reel) -> list[str]:
    return [take.video.sha256 for take in reel.clips]


def test_a_film_chain_gives_the_model_what_wan_image_to_video_gives_it(tmp_path: Path) -> None:
    calls = render(tmp_path, start_image=frames(1, height=64, width=64, seed=1))
    reel = open_reel(tmp_path)
    leads = [frames(1, height=64, width=64, seed=1)]
    leads += [reel.tail(take)[0][-5:] for take in reel.clips[:2]]
    for inputs, lead, seed in zip(sampled(calls), leads, (3, 45, 87), strict=True):
        assert inputs["noise_seed"] == seed
        assert inputs["latent_image"]["samples"].shape == (1, 16, 5, 8, 8)
        assert not inputs["latent_image"]["samples"].any()
        theirs = wan_image_to_video(NativeVAE(), lead, 17)
        assert torch.equal(concat_cond(values_of(inputs)), concat_cond(theirs))
        assert torch.equal(values_of(inputs)["concat_latent_image"], theirs["concat_latent_image"])
    assert not [name for name, _ in calls if name.startswith("WanVideo")]


def test_pro_latents_are_handed_on_to_the_bit(tmp_path: Path) -> None:
    """Latents of the clip before, and the anchor, are those of the nodes and no rounding of them."""
    calls = render(tmp_path, mode="svi2_pro", ref_image=frames(1, seed=2), **NATIVE_PAIR)
    high = sampled(calls)[::2]
    (anchor,) = {tuple(image.flatten().tolist()) for image in (values_of(one)["concat_latent_image"][:, :, 0]
                                                               for one in high)}  # fmt: skip
    encoded = NativeVAE().encode(frames(1, seed=2, height=64, width=64))
    assert torch.equal(torch.tensor(anchor), encoded.flatten())
    made = [inputs for name, inputs in calls if name == "VAEDecode"]
    for before, inputs in zip(made, high[1:], strict=False):
        assert torch.equal(values_of(inputs)["concat_latent_image"][:, :, 1], before["samples"]["samples"][:, :, -1])
        assert not concat_cond(values_of(inputs))[:, 4:, 2:].any()


def test_a_pair_is_sampled_as_two_ksampler_advanced(tmp_path: Path) -> None:
    calls = render(tmp_path, "a", **NATIVE_PAIR)
    high, low = sampled(calls)
    told = ("add_noise", "start_at_step", "end_at_step", "return_with_leftover_noise")
    assert [high[name] for name in told] == ["enable", 0, 4, "enable"]
    assert [low[name] for name in told] == ["disable", 4, 10_000, "disable"]
    assert (high["model"].name, low["model"].name) == ("high", "low")
    assert (high["noise_seed"], low["noise_seed"]) == (3, 3)
    (left,) = NativeHost()._sampled(high)
    assert torch.equal(low["latent_image"]["samples"], left["samples"])


@pytest.mark.parametrize("pair", [False, True])
def test_a_sampler_and_sigmas_take_the_place_of_steps_and_names(tmp_path: Path, pair: bool) -> None:
    sigmas = torch.linspace(1, 0, 7)
    values = {"sampler": "SAMPLER", "sigmas": sigmas}
    options: dict[str, Any] = {"sampler": native_sampler("high", **values)}
    if pair:
        options |= {"low_sampler": native_sampler("low", **values), "split_step": 2}
    calls = render(tmp_path, "[cfg=2.5]\na", **options)
    assert not sampled(calls)
    stages = sampled(calls, "SamplerCustom")
    assert [stage["add_noise"] for stage in stages] == ([True, False] if pair else [True])
    assert [stage["sigmas"].tolist() for stage in stages] == (
        [sigmas[:3].tolist(), sigmas[2:].tolist()] if pair else [sigmas.tolist()]
    )
    assert {stage["cfg"] for stage in stages} == {2.5}
    assert {stage["sampler"] for stage in stages} == {"SAMPLER"}


def test_a_run_that_was_cancelled_goes_on_with_the_same_frames(tmp_path: Path) -> None:
    render(tmp_path / "whole")
    host = NativeHost()
    host.cancel_at = 7
    with pytest.raises(Cancelled):
        render(tmp_path / "two", host=host)
    done = len(open_reel(tmp_path / "two").clips)
    assert 0 < done < 3
    again = render(tmp_path / "two")
    assert len(sampled(again)) == 3 - done
    assert shas(open_reel(tmp_path / "two")) == shas(open_reel(tmp_path / "whole"))
    assert not sampled(render(tmp_path / "two"))


def test_prompts_are_kept_with_the_reel_apart_from_those_of_the_wrapper(tmp_path: Path) -> None:
    render(tmp_path)
    again = render(tmp_path, "a\n---\nb\n---\nnew", seed=9)
    texts = [inputs["text"] for name, inputs in again if name == "CLIPTextEncode"]
    assert texts == ["bad", "new"]
    assert len(sampled(again)) == 3
    host = FakeHost()
    with ReelWriter(tmp_path, fps=16) as writer:
        this = job("a\n---\nb", t5=None, clip="CLIP", origin={"model": "m1", "clip": "c1"})
        render_chain(this, writer, host, Report(), resume=True)
    assert host.count("CLIPTextEncode") == 3


def test_kept_prompts_sample_as_new_ones_do(tmp_path: Path) -> None:
    render(tmp_path / "kept", "a")
    render(tmp_path / "kept", "a", seed=9)
    render(tmp_path / "new", "a", seed=9)
    assert shas(open_reel(tmp_path / "kept")) == shas(open_reel(tmp_path / "new"))


def test_clip_vision_sees_the_first_motion_frame(tmp_path: Path) -> None:
    calls = render(tmp_path, "a\n---\nb", clip_vision="SEES")
    reel = open_reel(tmp_path)
    second = sampled(calls)[1]
    lead = reel.tail(reel.clips[0])[0][-5:]
    seen = values_of(second)["clip_vision_output"].penultimate_hidden_states
    assert torch.equal(seen, lead[:1].mean().expand(1, 257, 8))
    assert "clip_vision_output" not in values_of(sampled(render(tmp_path / "without", "a"))[0])


def test_loras_of_a_clip_go_on_a_copy_of_the_model(tmp_path: Path) -> None:
    calls = render(
        tmp_path, "[lora=one:0.5 lora_low=two]\na\n---\nb", lora_prints={"one": "1", "two": "2"}, **NATIVE_PAIR
    )
    assert [inputs["model"].name for inputs in sampled(calls)] == [
        "high with one 0.5",
        "low with two 1.0",
        "high",
        "low",
    ]


def test_tiles_are_those_of_comfyui(tmp_path: Path) -> None:
    vae = NativeVAE()
    calls = dict(render(tmp_path, "a", tiled_vae=True, vae=vae))
    assert "VAEDecode" not in calls
    tiles = calls["VAEDecodeTiled"]
    assert (tiles["tile_size"], tiles["overlap"]) == (256, 64)
    assert tiles["temporal_size"] >= 1000, "parts in time would not know of each other"
    assert vae.calls == [{"tile_x": 256, "tile_y": 256, "overlap": 64}]


def test_an_end_apart_is_dropped_from_what_was_sampled(tmp_path: Path) -> None:
    calls = render(tmp_path, "[end=0]\na", end_images=frames(1, seed=8), fun_or_fl2v_model=False)
    (inputs,) = sampled(calls)
    assert inputs["latent_image"]["samples"].shape[2] == 6
    (decoded,) = [inputs for name, inputs in calls if name == "VAEDecode"]
    assert decoded["samples"]["samples"].shape[2] == 5


def test_mending_a_chain_of_the_wrappers_lands_on_its_latents_in_the_native_space(tmp_path: Path) -> None:
    """Whoever changes the engine of a reel in the middle gets no latents of the other space."""
    options = {"mode": "svi2_pro", "ref_image": frames(1, seed=2)}
    with ReelWriter(tmp_path, fps=16) as writer:
        render_chain(job("a\n---\nb\n---\nc", **options), writer, FakeHost(), Report(), resume=True)
    reel = open_reel(tmp_path)
    assert reel.tail_space(reel.clips[1]) == "wrapper"
    ends = reel.tail(reel.clips[1])[1]
    host, this = NativeHost(), native_job("a\n---\n[mend]\nb\n---\nc", **options)
    plan = plan_chain("a\n---\n[mend]\nb\n---\nc", this.settings, this.sources.connected(), stood_of(reel))
    with ReelWriter(tmp_path, fps=16) as writer:
        render_chain(replace(this, plan=plan), writer, host, Report(), resume=True)
    mended: list[Tensor] = [
        concat_cond(values_of(inputs))[0, 4:] for inputs in sampled(host.calls) if inputs["noise_seed"] == 45
    ]
    assert ends is not None
    assert mended
    assert any(torch.allclose(image[:, -1], ends[:, -1], atol=1e-5) for image in mended)
    assert open_reel(tmp_path).tail_space(open_reel(tmp_path).clips[-1]) == "native"


def test_the_tail_of_a_native_clip_is_native(tmp_path: Path) -> None:
    calls = render(tmp_path, "a", mode="svi2_pro", ref_image=frames(1, seed=2))
    reel = open_reel(tmp_path)
    latents = reel.tail(reel.clips[0])[1]
    (decoded,) = [inputs for name, inputs in calls if name == "VAEDecode"]
    assert latents is not None
    assert torch.equal(latents, decoded["samples"]["samples"][0, :, -2:])
    assert not torch.equal(latents, to_wrapper(latents))
    assert reel.tail_space(reel.clips[0]) == "native"


def test_every_mode_that_the_node_offers_is_rendered(tmp_path: Path) -> None:
    for mode in NATIVE_MODES:
        calls = render(tmp_path / mode, "a\n---\nb", mode=mode, ref_image=frames(1, seed=2))
        assert len(sampled(calls)) == 2, mode


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mode": "talk", "ref_image": frames(1)}, r"mode talk follows a voice .* use WanVideo SVI Long Video"),
        ({"story": "a\n---\n[mode=dance]\nb", "ref_image": frames(1)}, r"clip 2.* mode dance follows"),
        ({"vae": "WANVAE"}, r"vae must be ComfyUI's own VAE, got str: connect Load VAE"),
        ({"vae": NativeVAE(channels=48)}, r"model samples latents of 16 channels, and this VAE makes 48"),
        ({"sampler": native_sampler(model=native_model(taken=16))}, r"model takes no image \(16 input channels: text"),
        ({"sampler": native_sampler(model=native_model(taken=52))}, r"model has 52 input channels, .* model 36"),
        ({"sampler": native_sampler(sampler="S")}, r"sampler and sigmas come together"),
        ({"sampler": native_sampler(sampler="S", sigmas=torch.zeros(1))}, r"sigmas must hold two values .*, got 1"),
        ({**NATIVE_PAIR, "split_step": 0}, r"split_step is 0: low_noise_model must take over at step 1 or later"),
        ({**NATIVE_PAIR, "split_step": 8}, r"split_step is 8: .* before the last one of the 8 steps"),
        (
            {"vae": NativeVAE(channels=48), "mode": "i2v",
             "sampler": native_sampler(model=native_model(channels=48, taken=48))},
            r"model is Wan 2\.2 TI2V 5B, which takes its image as the first latent",
        ),
        ({"low_sampler": native_sampler("low", model=native_model(taken=16)), "split_step": 2},
         r"low_noise_model takes no image"),
        ({"first_model": native_model(taken=16), "story": "[model=first]\na"}, r"first_clip_model takes no image"),
    ],
)  # fmt: skip
def test_what_comfyui_would_sample_wrongly_is_refused_before_it_does(options: dict[str, Any], said: str) -> None:
    given = dict(options)
    with pytest.raises(SVIError, match=said):
        check_job(native_job(given.pop("story", "a"), **given))


def test_models_that_cannot_be_looked_into_are_passed_over() -> None:
    check_job(native_job(sampler=native_sampler(model=object())))


def test_what_decides_a_clip_counts(tmp_path: Path) -> None:
    render(tmp_path, "a")
    assert not sampled(render(tmp_path, "a"))
    for change in ({"steps": 9}, {"cfg": 2.0}, {"sampler_name": "dpm"}, {"scheduler": "beta"},
                   {"sampler": "S", "sigmas": torch.linspace(1, 0, 5)}):  # fmt: skip
        calls = render(tmp_path, "a", sampler=native_sampler(**change))
        assert sampled(calls) or sampled(calls, "SamplerCustom"), change
    origin = {"model": "m1", "clip": "c1"}
    for name in ("sampler_inputs", "vae", "clip", "model"):
        assert sampled(render(tmp_path, "a", origin={**origin, name: "another"})), name


def test_memory_that_ran_out_while_encoding_is_said(tmp_path: Path) -> None:
    with ReelWriter(tmp_path, fps=16) as writer:
        done = render_chain(native_job("a", vae=NativeVAE(fails=True)), writer, NativeHost(), Report(), resume=True)
    assert any(note.startswith("clip 1: memory ran out") for note in done.notes)


def test_frames_on_a_card_come_to_the_cpu(tmp_path: Path) -> None:
    class OnCard(NativeHost):
        def VAEDecode(self, samples: dict[str, Any], vae: Any) -> tuple[Tensor]:
            return (super().VAEDecode(samples, vae)[0].half(),)

    calls = render(tmp_path, "a\n---\nb", host=OnCard())
    assert len(sampled(calls)) == 2
    assert open_reel(tmp_path).tail(open_reel(tmp_path).clips[0])[0].dtype == torch.float32
