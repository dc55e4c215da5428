"""Chains that ComfyUI's own nodes sample, for the benchmark on a GPU: by one node, by hand, and across the bridge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gpu_graphs import NEGATIVE, OVERLAP, PROMPTS, SEED, SEED_STEP, Graph, Link, Size, a_story
from gpu_host import Figures, gpu_gib
from gpu_models import DISTILL, FILM, I2V, NATIVE, PAIR, TEXT, VAE, VISION

if TYPE_CHECKING:
    from gpu import Bench

_CARD = 24  # GiB of the smaller card that is tried


class NativeScene:
    """What a chain by one node and one by hand share. known: ComfyUI's nodes. pair: Wan 2.2, svi2_pro; else film."""

    def __init__(self, known: dict[str, Any], size: Size, *, pair: bool = False) -> None:
        self.size, self.pair, self.graph = size, pair, Graph(known)
        add = self.graph.add
        self.vae = add("VAELoader", vae_name=NATIVE.format(VAE))
        self.start = add("LoadImage", image="start.png")
        text = NATIVE.format(TEXT)
        if text in str(known["CLIPLoader"]["input"]["required"]["clip_name"]):
            self.clip = add("CLIPLoader", clip_name=text, type="wan")
        else:
            self.clip = add("SVIBenchClip")
        if not pair:
            self.vision = add("CLIPVisionLoader", clip_name=VISION)
        files = [PAIR.format(noise) for noise in ("HIGH", "LOW")] if pair else [I2V]
        self.models = [self._model(file) for file in files]
        self.sampling = {"steps": size.steps, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple"}

    def _model(self, file: str) -> tuple[Link, Link]:
        """A model as the first clip has it, and with the SVI LoRA."""
        add = self.graph.add
        model = add("UNETLoader", unet_name=NATIVE.format(file), weight_dtype="default")
        model = add("LoraLoaderModelOnly", model=model, lora_name=NATIVE.format(DISTILL), strength_model=1.0)
        svi = add("LoraLoaderModelOnly", model=model, lora_name=NATIVE.format(FILM), strength_model=1.0)
        first, main = (add("ModelSamplingSD3", model=each, shift=5.0) for each in (model, svi))
        return first, main

    def _sizes(self, frames: str) -> dict[str, int]:
        return {"width": self.size.width, "height": self.size.height, frames: self.size.frames}

    def story(self, story: str, reel: str, **inputs: Any) -> Graph:
        (first, main), *low = self.models
        if low:
            own = {
                "mode": "svi2_pro", "ref_image": self.start, "first_clip_low_noise_model": low[0][0],
                "low_noise_model": low[0][1], "split_step": self.size.steps // 2,
            }  # fmt: skip
        else:
            own = {"mode": "film", "clip_vision": self.vision}
        self.graph.add(
            "WanVideoSVILongVideoNative", story=story, model=main, first_clip_model=first, clip=self.clip,
            vae=self.vae, start_image=self.start, seed=SEED, fps=16.0, reel=reel, negative_prompt=NEGATIVE,
            **self._sizes("num_frames"), **self.sampling, **own, **inputs,
        )  # fmt: skip
        return self.graph

    def by_hand(self, prompts: tuple[str, ...], reel: str, *, bridge: bool = False) -> Graph:
        """The same clips with the nodes that users wire, compared with a reel. bridge: and what SVI Embeds give the
        model, with what WanImageToVideo gives it."""
        add = self.graph.add
        negative = add("CLIPTextEncode", clip=self.clip, text=NEGATIVE)
        joined = decoded = self.start
        samples: Link | None = None
        for index, prompt in enumerate(prompts):
            text = {"positive": add("CLIPTextEncode", clip=self.clip, text=prompt), "negative": negative}
            if self.pair:
                made = self._pro(samples, text)
            else:
                made = self._film(decoded, text, f"clip {index + 1}" if bridge else "")
            samples = self._sampled(made, SEED + SEED_STEP * index, first=not index)
            decoded = add("VAEDecode", samples=samples, vae=self.vae)
            joined = (
                add("WanVideoSVIStitch", images_1=joined, images_2=decoded, overlap_frames=OVERLAP, drop="new")
                if index else decoded
            )  # fmt: skip
        add("SVIBenchCompare", images=joined, reel=reel)
        return self.graph

    def _film(self, images: Link, text: dict[str, Link], compared: str) -> str:
        """A clip that the last frames lead, or the start image; compared: its name, "" to compare nothing."""
        add, lead = self.graph.add, images
        if images is not self.start:
            lead = add("ImageFromBatch", image=images, batch_index=self.size.frames - OVERLAP, length=OVERLAP)
        first = add("ImageFromBatch", image=lead, batch_index=0, length=1)
        seen = add("CLIPVisionEncode", clip_vision=self.vision, image=first, crop="none")
        made = add(
            "WanImageToVideo", vae=self.vae, start_image=lead, clip_vision_output=seen, batch_size=1,
            **self._sizes("length"), **text,
        )[0]  # fmt: skip
        if compared:
            embeds = add(
                "WanVideoSVIEmbeds", vae=self.vae, mode="i2v" if images is self.start else "film", start_image=images,
                **self._sizes("num_frames"),
            )  # fmt: skip
            back = add("WanVideoSVIFromNative", positive=[made, 0], negative=[made, 1], latent=[made, 2])
            for name, value in (("to native", embeds), ("from native and back", back)):
                given = {} if value is back else {"clip_vision_output": seen}
                ours = add("WanVideoSVIToNative", image_embeds=value, **text, **given)
                add(
                    "SVIBenchConcat", model=self.models[0][1], theirs=[made, 0], ours=ours, latent=[made, 2],
                    name=f"{compared}, {name}",
                )  # fmt: skip
        return str(made)

    def _pro(self, before: Link | None, text: dict[str, Link]) -> str:
        """A clip that the last latents lead."""
        anchor = self.graph.add("VAEEncode", pixels=self.start, vae=self.vae)
        led = {} if before is None else {"prev_samples": before}
        embeds = self.graph.add(
            "WanVideoSVILatentEmbeds", anchor_samples=anchor, num_frames=self.size.frames,
            motion_latents=0 if before is None else 1, latent_space="native", **led,
        )  # fmt: skip
        return str(self.graph.add("WanVideoSVIToNative", image_embeds=embeds, **text)[0])

    def _sampled(self, made: str, seed: int, *, first: bool) -> Link:
        samples: Link = [made, 2]
        split = self.size.steps // 2 if self.pair else self.size.steps
        for stage, models in enumerate(self.models):
            last = stage + 1 == len(self.models)
            samples = self.graph.add(
                "KSamplerAdvanced", model=models[0 if first else 1], add_noise="disable" if stage else "enable",
                noise_seed=seed, positive=[made, 0], negative=[made, 1], latent_image=samples,
                start_at_step=split if stage else 0, end_at_step=10_000 if last else split,
                return_with_leftover_noise="disable" if last else "enable", **self.sampling,
            )  # fmt: skip
        return samples


def _runs(bench: Bench, name: str, clips: int, size: Size, **kind: bool) -> Iterator[tuple[str, Figures]]:
    """A chain by one node and by hand, and with film what the bridge gives. kind: pair, sync."""
    pair, sync = kind.get("pair", False), kind.get("sync", False)
    known, reel, prompts = bench.warm().known, f"bench_{name.replace(' ', '_')}", PROMPTS[:clips]
    graphs = {
        name: NativeScene(known, size, pair=pair).story(a_story(prompts), reel, resume=False),
        f"{name}, by hand": NativeScene(known, size, pair=pair).by_hand(prompts, reel),
    }
    if not pair:  # ComfyUI has the nodes by hand already, and runs the others
        graphs[f"{name}, bridge"] = NativeScene(known, size).by_hand(prompts, reel, bridge=True)
    for how, graph in graphs.items():
        try:
            yield how, bench.warm().run(graph.nodes, sync=sync)
        except RuntimeError as error:
            yield how, {"error": str(error)}


def _short(bench: Bench) -> Size:
    return bench.size if bench.tiny else replace(bench.size, frames=33, steps=2)


def _film(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Three film clips in a cold process."""
    bench.make_models("native")
    bench.fresh()
    yield from _runs(bench, "native", 3, bench.size, sync=True)


def _pair(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Wan 2.2 with SVI 2.0 Pro: two models take turns."""
    bench.make_models("native")
    bench.fresh()
    yield from _runs(bench, "native pair", 2, _short(bench), pair=True)


def _less(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """All but 24 GiB of the card reserved: what ComfyUI keeps there makes room for what comes."""
    bench.make_models("native")
    bench.fresh("--reserve-vram", f"{max(0.0, gpu_gib() - _CARD):.1f}")
    yield from _runs(bench, f"native {_CARD} GiB", 2, _short(bench))
    bench.stop()


def _gpu_only(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Latents and images stay on the card too."""
    bench.make_models("native")
    bench.fresh("--gpu-only")
    yield from _runs(bench, "native gpu only", 2, _short(bench))
    bench.stop()


NATIVE_CASES = {"native": _film, "native_pair": _pair, "native_less": _less, "native_gpu_only": _gpu_only}
