"""High/low pairs in a real host: every scheduler, pairs to decoded frames, and what the host makes of mistakes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from host.comfyui import Comfy, HostError
from host.graphs import HUMO_FILE, Builder, Link
from wanvideo_svi.svi_embeds.pair.sigmas import SCHEDULERS
from workflow_files import HOLOCINE, SVI_LORA

FRAMES, LATENTS = 17, 5
SIZE = {"width": 64, "height": 64, "num_frames": FRAMES}
BETA = tuple(name for name in SCHEDULERS if "beta" in name)


class Pairs(Builder):
    """Graphs around the pair node."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.prompt = self.vae(), self.text()

    def image(self, *, vision: bool = True, **inputs: Any) -> Link:
        """Embeds of an image-to-video model, from the host's own encode."""
        links = {}
        if vision:
            clip = self.link("SVITestClipVision", clip_name="-")
            links["clip_embeds"] = self.full("WanVideoClipVisionEncode", clip_vision=clip, image_1=self.images())
        size = {**SIZE, **inputs}
        return self.full("WanVideoImageToVideoEncode", vae=self.encoder, start_image=self.images(), **links, **size)

    def empty(self, **inputs: Any) -> Link:
        return self.link("WanVideoEmptyEmbeds", **{**SIZE, **inputs})

    def pair_node(self, models: tuple[Link, Link], **inputs: Any) -> str:
        """The pair node: 2 steps of euler at shift 5, one for each model."""
        values = {**SIZE, "steps": 2, "scheduler": "euler", **inputs}
        return self.full("WanVideoHighLowPair", high_model=models[0], low_model=models[1], **values)[0]

    def wired(self, pair: str, *, seed: int = 7) -> Link:
        """Both samplers, everything that they share from the pair node. Returns the low one's samples."""
        shared = {"steps": [pair, 4], "shift": [pair, 5], "scheduler": [pair, 6], "seed": seed}
        high = self.sample([pair, 0], [pair, 2], self.prompt, end_step=[pair, 7], **shared)
        return self.sample([pair, 1], [pair, 3], self.prompt, samples=high, start_step=[pair, 8], **shared)

    def by_hand(
        self, models: tuple[Link, Link], high: Link, low: Link, *, split: int = 1, seed: int = 7,
        high_inputs: dict[str, Any] | None = None, low_inputs: dict[str, Any] | None = None, **shared: Any,
    ) -> Link:  # fmt: skip
        """Both samplers without the pair node."""
        shared = {"seed": seed, **shared}
        first = self.sample(models[0], high, self.prompt, **{**shared, "end_step": split, **(high_inputs or {})})
        second = {**shared, "samples": first, "start_step": split, **(low_inputs or {})}
        return self.sample(models[1], low, self.prompt, **second)


@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name != "multitalk"])
def test_every_scheduler_changes_models_where_its_own_sigmas_pass_the_boundary(comfy: Comfy, scheduler: str) -> None:
    """Steps 4 to 50, shift 1 to 12, both boundaries: no step is run twice, none is left out."""
    build = Builder()
    build.dump(build.link("SVITestSchedules", scheduler=scheduler), "schedules")
    comfy.run(build.graph)
    rows = json.loads(
        comfy.load("schedules")["value"] if "value" in comfy.load("schedules") else comfy.load("schedules")[""]
    )
    assert len(rows) == 47 * 12
    answered = [row for row in rows if "host" not in row]
    for row in (row for row in rows if "host" in row):
        assert scheduler in row["ours"], "what the host refuses is refused with its name"
    assert len(answered) == (12 if scheduler == "flowmatch_distill" else len(rows))
    for row in answered:
        raw = torch.tensor(row["raw"])
        levels = raw.sin() / (raw.sin() + raw.cos()) if scheduler == "rcm" else raw  # rcm counts in angles
        for boundary in (0.875, 0.9):
            assert row[str(boundary)] == int((levels >= boundary).sum()), row
            assert row.get(f"once {boundary}", True), row
        assert row["asked_equals_host"], row
        computed = None if scheduler in (*BETA, "vibt_unipc") else True
        assert row["computed_equals_host"] is computed, row


def test_the_node_offers_the_schedulers_of_this_host(comfy: Comfy) -> None:
    live = comfy.get("/object_info")
    theirs = live["WanVideoSampler"]["input"]["required"]["scheduler"][0]
    assert live["WanVideoHighLowPair"]["input"]["required"]["scheduler"][0] == theirs
    assert live["WanVideoHighLowPair"]["output"][6] == theirs
    assert theirs == list(SCHEDULERS), "the list for use outside ComfyUI is this host's"


def test_a_text_to_video_and_an_image_to_video_model_sample_one_clip(comfy: Comfy) -> None:
    build = Pairs()
    models, low = build.text_and_image(), build.image()
    pair = build.pair_node(models, low_embeds=low)
    samples = build.wired(pair)
    build.dump(samples, "wired")
    build.dump(build.by_hand(models, build.empty(), low), "by_hand")
    build.dump([pair, 2], "high_embeds")
    build.dump(build.empty(), "empty")
    build.dump([pair, 9], "info")
    build.dump(build.decode(build.encoder, samples), "frames")
    comfy.run(build.graph)
    assert comfy.load("high_embeds") == comfy.load("empty"), "what the host's own Empty Embeds makes"
    assert torch.equal(comfy.load("wired")["samples"], comfy.load("by_hand")["samples"])
    frames = comfy.load("frames")["value"]
    assert len(frames) == FRAMES
    assert bool(torch.isfinite(frames).all())
    assert float(frames.std()) > 0


def test_clean_latents_stay_as_they_are_through_both_stages(comfy: Comfy) -> None:
    build = Pairs()
    models, low = build.text_and_image(), build.image()
    clean = build.encode(build.encoder, build.images(seed=3))
    pusa = {"scheduler": "flowmatch_pusa", "steps": 2}
    pair = build.pair_node(models, low_embeds=low, clean_latents=clean, clean_index=2, **pusa)
    samples = build.wired(pair)
    high_only = build.link("WanVideoAddExtraLatent", embeds=build.empty(), extra_latents=clean, latent_index=2)
    both = build.link("WanVideoAddExtraLatent", embeds=low, extra_latents=clean, latent_index=2)
    values = {"scheduler": "flowmatch_pusa", "steps": 2}
    for name, value in (
        ("clean", clean), ("wired", samples), ("by_hand", build.by_hand(models, high_only, both, **values)),
        ("one_side", build.by_hand(models, high_only, low, **values)), ("frames", build.decode(build.encoder, samples)),
    ):  # fmt: skip
        build.dump(value, name)
    comfy.run(build.graph)
    kept, wired = comfy.load("clean")["samples"], comfy.load("wired")["samples"]
    assert torch.equal(wired[:, :, 2:3], kept.to(wired))
    assert torch.equal(wired, comfy.load("by_hand")["samples"])
    assert not torch.equal(comfy.load("one_side")["samples"][:, :, 2:3], kept.to(wired)), "the host's silent mistake"
    assert len(comfy.load("frames")["value"]) == FRAMES


def test_a_wan_22_image_to_video_pair_shares_one_set_of_embeds(comfy: Comfy) -> None:
    build = Pairs()
    models, embeds = build.pair(), build.image(vision=False)
    pair = build.pair_node(models, low_embeds=embeds)
    samples = build.wired(pair)
    build.dump(samples, "wired")
    build.dump(build.by_hand(models, embeds, embeds), "by_hand")
    build.dump(build.decode(build.encoder, samples), "frames")
    comfy.run(build.graph)
    assert torch.equal(comfy.load("wired")["samples"], comfy.load("by_hand")["samples"])
    assert len(comfy.load("frames")["value"]) == FRAMES


# What the host makes of a mistake without the pair node (None: it samples in silence), and our message with it.
CRASHES: dict[str, tuple[str | None, str]] = {
    "image embeds on a text-to-video model": ("T2V .text to video. model detected", "high_embeds holds image latents"),
    "empty embeds on an image-to-video model": ("expected input.* to have 36 channels", "holds no image latents"),
    "embeds without a mask": ("expected input.* to have 36 channels, but got 32", "image_embeds lacks mask"),
    "fewer latents in the high stage": (None, "both stages sample the same latents"),
    "more latents in the high stage": ("negative dimension|must match|invalid", "both stages sample the same latents"),
    "another size in the high stage": ("must match|Sizes of tensors", "both stages sample the same latents"),
    "swapped stages": ("expected input.* to have 36 channels|T2V", "high_model and low_model are swapped"),
    "one noise multiplier": ("has no len", "must be a list with one value per clean latent"),
    "clean latents with another scheduler": (None, "clean latents need scheduler flowmatch_pusa"),
    "denoise behind step 0": ("start_step must be 0", "has denoise_strength 0.5: it must be 1"),
    "end before start": ("start_step must be less than end_step", "starts at step 1, 0 were run before|set end_step"),
    "high to the end": (None, "beyond the boundary"),
    "low from the start": (None, "it runs steps again"),
    "other shift": (None, "has shift 9.0"),
    "noise added to what is half done": (None, "add_noise_to_samples on"),
}  # fmt: skip


def mistake(build: Pairs, name: str, *, guarded: bool) -> Link:
    """The graph with that mistake: through the pair node (guarded), or without it."""
    models, low = build.text_and_image(), build.image()
    high = build.empty()
    inputs: dict[str, Any] = {}
    high_sampler: dict[str, Any] = {}
    low_sampler: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    if name == "image embeds on a text-to-video model":
        high = build.image()
        inputs["high_embeds"] = high
    elif name == "empty embeds on an image-to-video model":
        low = build.empty()
    elif name == "embeds without a mask":
        low = build.link("SVITestChangeEmbeds", image_embeds=low, drop="mask")
    elif name == "fewer latents in the high stage":
        low = build.image(num_frames=21)
    elif name == "more latents in the high stage":
        low = build.image(num_frames=13)
    elif name == "another size in the high stage":
        low = build.image(width=80)
    elif name == "swapped stages":
        models = models[::-1]
    elif name == "one noise multiplier":
        clean = build.latent()
        low = build.link("WanVideoAddPusaNoise", embeds=low, noise_multipliers=0.0, noisy_steps=-1)
        low = build.link("WanVideoAddExtraLatent", embeds=low, extra_latents=clean, latent_index=0)
        shared["scheduler"] = inputs["scheduler"] = "flowmatch_pusa"
    elif name == "clean latents with another scheduler":
        high = build.link("WanVideoAddExtraLatent", embeds=high, extra_latents=build.latent(), latent_index=0)
        inputs["high_embeds"] = high
    elif name == "denoise behind step 0":
        low_sampler["denoise_strength"] = 0.5
    elif name == "end before start":
        low_sampler["end_step"] = 1
    elif name == "high to the end":
        high_sampler["end_step"] = -1
    elif name == "low from the start":
        low_sampler["start_step"] = 0
    elif name == "other shift":
        low_sampler["shift"] = 9.0
    elif name == "noise added to what is half done":
        low_sampler["add_noise_to_samples"] = True
    if not guarded:
        return build.by_hand(models, high, low, high_inputs=high_sampler, low_inputs=low_sampler, **shared)
    pair = build.pair_node(models, low_embeds=low, **inputs)
    sampled = build.wired(pair)
    build.graph[sampled[0]]["inputs"] |= low_sampler
    build.graph[build.graph[sampled[0]]["inputs"]["samples"][0]]["inputs"] |= high_sampler
    return sampled


@pytest.mark.parametrize("name", CRASHES)
def test_what_the_host_makes_of_a_mistake_and_what_the_node_says(comfy: Comfy, name: str) -> None:
    raw, ours = CRASHES[name]
    build = Pairs()
    build.dump(mistake(build, name, guarded=False), "raw")
    if raw is None:
        comfy.run(build.graph)
        assert comfy.load("raw")["samples"].shape[1] == 16, "it samples, and says nothing"
    else:
        with pytest.raises(HostError, match=raw) as failed:
            comfy.run(build.graph)
        assert "SVI" not in str(failed.value)
    build = Pairs()
    build.dump(mistake(build, name, guarded=True), "guarded")
    with pytest.raises(HostError, match=f"WanVideoHighLowPair: .*(?:{ours})"):
        comfy.run(build.graph)


class Voiced(Pairs):
    """Pairs with a HuMo model in them. name: of what `probed` leaves."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def humo(self, references: int = 0, *, num_frames: int = FRAMES) -> Link:
        """The whole voice, from the host's own HuMo Embeds."""
        links = {"reference_images": self.images(references, seed=4)} if references else {}
        whisper = self.link("SVITestWhisper", model="-")
        return self.full("HuMoEmbeds", whisper_model=whisper, vae=self.encoder, width=64, height=64,
                         num_frames=num_frames, audio=self.link("SVITestAudio", seconds=2.0), **links)  # fmt: skip

    def clip(self, *, num_frames: int = FRAMES) -> Link:
        images = {"start_image": self.images(), "ref_image": self.images(seed=5)}
        return self.full("WanVideoSVIEmbeds", vae=self.encoder, mode="shot", width=64, height=64,
                         num_frames=num_frames, **images)  # fmt: skip

    def window(self, humo: Link, **clip: Link) -> Link:
        """The second clip's part of a voice, joined with the clip's embeds where they are given."""
        sizes = {"clip_index": 1, "num_frames": FRAMES, "overlap_frames": 1}
        return [self.full("WanVideoSVIAudioWindow", humo_embeds=humo, **sizes, **clip)[0], 1]

    def probed(self, model: Link) -> Link:
        return self.link("SVITestProbe", model=model, name=self.name)

    def run(self, comfy: Comfy, first: Link, second: Link) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the first stage gave, what the second one began with, and the frames in the end."""
        self.dump(first, f"{self.name}_first")
        self.dump(self.decode(self.encoder, second), f"{self.name}_frames")
        comfy.run(self.graph)
        given = comfy.load(f"{self.name}_first")["samples"][0].half().float()
        return given, comfy.load(f"{self.name}_0")["x"], comfy.load(f"{self.name}_frames")["value"]

    def guarded(self, comfy: Comfy, pair: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The same through the pair node."""
        second = self.wired(pair)
        return self.run(comfy, self.graph[second[0]]["inputs"]["samples"], second)


def samples_of(first: torch.Tensor, begins: torch.Tensor) -> bool:
    """Whether the second stage went on with just what the first one gave (in the precision of its model)."""
    return first.shape == begins.shape and torch.allclose(first, begins, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize("references", [0, 2])
@pytest.mark.parametrize("joined", [False, True])
def test_humo_goes_on_where_a_text_to_video_model_ended(comfy: Comfy, references: int, joined: bool) -> None:
    """Through both samplers to frames, with the whole voice or the second clip's, joined with a clip or not."""
    build = Voiced(f"humo_low_{references}_{joined}")
    low = build.humo(references)
    if joined:
        low = build.window(low, image_embeds=build.clip())
    models = (build.text_and_image()[0], build.probed(build.model(HUMO_FILE)))
    pair = build.pair_node(models, low_embeds=low)
    build.dump([pair, 9], f"{build.name}_info")
    build.dump([pair, 2], f"{build.name}_high")
    build.dump(low, f"{build.name}_low")
    build.dump(build.empty(num_frames=FRAMES + 4 * references), f"{build.name}_empty")
    first, begins, frames = build.guarded(comfy, pair)
    assert samples_of(first, begins)
    assert first.shape[1] == LATENTS + references
    assert frames.shape == (FRAMES, 64, 64, 3)
    assert bool(torch.isfinite(frames).all())
    assert float(frames.std()) > 0
    assert comfy.load(f"{build.name}_high") == comfy.load(f"{build.name}_empty")
    seen, embeds = comfy.load(f"{build.name}_0"), comfy.load(f"{build.name}_low")
    assert torch.equal(seen["y"], embeds["humo_image_cond"].to(seen["y"].dtype))
    # What latent 1 hears: the entries -1 to 6, and zeros before the first.
    assert torch.equal(seen["humo_audio"][1, 1:], embeds["humo_audio_emb"][:7].half().float())
    assert bool(seen["humo_audio"][:LATENTS].any())
    assert not seen["humo_audio"][LATENTS:].any()


# Pairs with HuMo and references: models, embeds, and how the second stage's latents come of the first one's.
# None: those of the first stage. Else the places of the second that hold the first latent of the first stage.
PLACES: dict[str, tuple[str, list[int] | None]] = {
    "no room in the other stage": ("high_embeds are for 5 x 8 x 8 .*make high_embeds for 25 frames", [0, 1, 2]),
    "room in the other stage": ("", None),
    "references in both": ("of which its sampler drops 2 .*make high_embeds for 25 frames", [0, 1, 2]),
    "references in both, and room": ("", None),
    "references before a text-to-video model": ("", None),
    "Phantom in both": ("of which its sampler drops 1 .*make high_embeds for 25 frames", [0, 1]),
}


def referenced(build: Voiced, name: str) -> tuple[tuple[Link, Link], Link, Link]:
    """Models and embeds of the stages of that pair; what the second one gets is probed."""
    humo, other = build.model(HUMO_FILE), build.text_and_image()[0]
    if name.startswith("references in both"):
        # Two links of the loader are one model: the sampler of the first stage would be probed too.
        first = build.full("WanVideoModelLoader", model=HUMO_FILE, base_precision="fp32", attention_mode="sdpa")
        room = 8 if name.endswith("room") else 0
        return (first, build.probed(humo)), build.humo(2, num_frames=FRAMES + room), build.humo(2)
    if name == "references before a text-to-video model":
        return (humo, build.probed(other)), build.humo(2), build.empty()
    if name == "Phantom in both":
        first = build.full("WanVideoModelLoader", model=HOLOCINE, base_precision="fp32", attention_mode="sdpa")
        phantom = build.link("WanVideoPhantomEmbeds", num_frames=FRAMES + 4, phantom_latent_1=build.latent(),
                             phantom_cfg_scale=1.0, phantom_start_percent=0.0, phantom_end_percent=1.0)  # fmt: skip
        return (first, build.probed(other)), phantom, phantom
    high = build.clip(num_frames=FRAMES + (8 if name == "room in the other stage" else 0))
    return (build.pair()[0], build.probed(humo)), high, build.window(build.humo(2), image_embeds=build.clip())


@pytest.mark.parametrize("name", PLACES)
def test_references_that_only_one_stage_samples_move_the_clip_in_silence(comfy: Comfy, name: str) -> None:
    """What the wrapper's samplers make of it by hand, and what the pair node says or gives on."""
    message, places = PLACES[name]
    build = Voiced(f"{name.replace(' ', '_')}_by_hand")
    models, high, low = referenced(build, name)
    second = build.by_hand(models, high, low)
    first, begins, frames = build.run(comfy, build.graph[second[0]]["inputs"]["samples"], second)
    if places is None:
        assert samples_of(first, begins)
        assert len(frames) == FRAMES
    else:
        assert begins.shape[1] == first.shape[1] + len(places) - 1, "the wrapper says nothing"
        assert samples_of(first[:, :1].repeat(1, len(places), 1, 1), begins[:, places])
        assert samples_of(first, begins[:, len(places) - 1 :])
    build = Voiced(f"{name.replace(' ', '_')}_guarded")
    models, high, low = referenced(build, name)
    sizes = {} if name != "Phantom in both" else {"num_frames": FRAMES + 4}
    pair = build.pair_node(models, high_embeds=high, low_embeds=low, **sizes)
    if message:
        with pytest.raises(HostError, match=f"WanVideoHighLowPair: .*{message}"):
            build.guarded(comfy, pair)
    else:
        first, begins, guarded = build.guarded(comfy, pair)
        assert samples_of(first, begins)
        assert torch.equal(guarded, frames), "the pair node gives both stages what was wired by hand"


def test_the_voice_on_a_model_without_its_layers_fails_in_the_sampler_and_is_refused_by_the_pair(comfy: Comfy) -> None:
    for guarded, message in ((False, "audio_proj"), (True, "low_embeds are HuMo's and hold a voice, but low_model is")):
        build = Voiced("voiceless")
        models, low = build.pair(), build.humo()
        high = build.clip()
        if guarded:
            second = build.wired(build.pair_node(models, high_embeds=high, low_embeds=low))
        else:
            second = build.by_hand(models, high, low)
        build.dump(second, "voiceless")
        with pytest.raises(HostError, match=message):
            comfy.run(build.graph)


def test_the_wrappers_loaders_refuse_what_they_refuse_before_the_pair(comfy: Comfy) -> None:
    """Rows of the table that never reach a node behind the loader."""
    build = Builder()
    lora = build.full("WanVideoLoraSelect", lora=SVI_LORA["film"], merge_loras=True)
    (comfy.base / "models" / "diffusion_models" / "tiny.gguf").write_bytes(b"GGUF")
    model = build.full("WanVideoModelLoader", model="tiny.gguf", lora=lora, quantization="disabled")
    build.dump(build.full("WanVideoSetLoRAs", model=model, lora=lora), "x")
    with pytest.raises(HostError, match="GGUF models do not support LoRA merging"):
        comfy.run(build.graph)


def test_unmerged_loras_with_fp8_matmul_fail_in_the_sampler_and_are_refused_by_the_pair(comfy: Comfy) -> None:
    def graph(build: Pairs, *, guarded: bool) -> None:
        models, low = build.text_and_image(), build.image()
        build.graph[models[1][0]]["inputs"]["quantization"] = "fp8_e4m3fn_fast"
        lora = build.full("WanVideoLoraSelect", lora=SVI_LORA["film"], merge_loras=False)
        models = (models[0], build.link("WanVideoSetLoRAs", model=models[1], lora=lora))
        if guarded:
            build.dump(build.wired(build.pair_node(models, low_embeds=low)), "x")
        else:
            build.dump(build.by_hand(models, build.empty(), low), "x")

    for guarded, message in (
        (False, "FP8 matmul with unmerged LoRAs is not supported"),
        (True, "unmerged LoRAs on a _fast"),
    ):
        build = Pairs()
        graph(build, guarded=guarded)
        with pytest.raises(HostError, match=message):
            comfy.run(build.graph)


def test_a_lora_is_described_from_comfyuis_folder(comfy: Comfy) -> None:
    build = Builder()
    node = build.add("WanVideoSVILoraInfo", lora=SVI_LORA["film"])
    build.dump([node, 0], "mode")
    comfy.run(build.graph)
    live = comfy.get("/object_info/WanVideoSVILoraInfo")["WanVideoSVILoraInfo"]
    assert SVI_LORA["film"] in live["input"]["required"]["lora"][0]
    build = Builder()
    build.add("WanVideoSVILoraInfo", lora=SVI_LORA["film"])
    (answer,) = comfy.run(build.graph).values()
    assert "what: SVI 1.0 film (likely)" in answer["text"][0]
    assert "made for a model 72 wide" in answer["text"][0]
