"""Saved graphs of native SVI 2.0 Pro that are whole: loaders, LoRAs, text, clip after clip, joined and saved."""

from __future__ import annotations

from typing import Any

from old_graphs import NEGATIVE, Old, Raw

STEPS, SPLIT = 8, 4
KINDS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
Output = tuple[Raw, int]


class Native(Old):
    """Collects the nodes of a chain of native clips. kind: of its samplers. pair: whether clips have two."""

    def __init__(self, kind: str, *, pair: bool, control: str = "fixed") -> None:
        super().__init__()
        self.kind, self.control = kind, control
        load = self.add("LoadImage", ["example.png", "image"])
        self.image = self.add(
            "ImageResizeKJv2", [64, 64, "lanczos", "crop", "0, 0, 0", "center", 16, "cpu"], image=(load, 0)
        )
        self.vae = self.add("VAELoader", ["wan_2.1_vae.safetensors"])
        self.clip = self.add("CLIPLoader", ["umt5.safetensors", "wan", "default"])
        self.models = [self.model(name) for name in (("high", "low") if pair else ("wan",))]
        self.negative = self.add("CLIPTextEncode", [NEGATIVE], clip=(self.clip, 0))
        self.anchor = self.add("VAEEncode", [], pixels=(self.image, 0), vae=(self.vae, 0))
        if kind.startswith("SamplerCustom"):
            self.sampler = self.add("KSamplerSelect", ["euler"])
            self.sigmas = self.add("BasicScheduler", ["simple", STEPS, 1], model=(self.models[0], 0))
            self.parts: list[Output] = [(self.sigmas, 0)]
            if pair:
                split = self.add("SplitSigmas", [SPLIT], sigmas=(self.sigmas, 0))
                self.parts = [(split, 0), (split, 1)]

    def model(self, name: str) -> Raw:
        unet = self.add("UNETLoader", [f"{name}.safetensors", "default"])
        lora = self.add("LoraLoaderModelOnly", [f"SVI_{name}.safetensors", 1], model=(unet, 0))
        return self.add("ModelSamplingSD3", [5], model=(lora, 0))

    def sampled(self, pro: Raw, seed: int, cfg: float) -> Raw:
        """The samplers of a clip, and the last of them."""
        latent: Output = (pro, 2)
        shared: dict[str, Output] = {"positive": (pro, 0), "negative": (pro, 1)}
        node: Raw = {}
        for stage, model in enumerate(self.models):
            last = stage + 1 == len(self.models)
            links = {**shared, "model": (model, 0), "latent_image": latent}
            if self.kind == "KSampler":
                node = self.add("KSampler", [seed, self.control, STEPS, cfg, "euler", "simple", 1], **links)
            elif self.kind == "KSamplerAdvanced":
                start, end = (SPLIT if stage else 0), (10_000 if last else SPLIT)
                node = self.add("KSamplerAdvanced", [
                    "disable" if stage else "enable", 0 if stage else seed, self.control, STEPS, cfg, "euler", "simple",
                    start, end, "disable" if last else "enable",
                ], **links)  # fmt: skip
            elif self.kind == "SamplerCustom":
                node = self.add(
                    "SamplerCustom", [not stage, 0 if stage else seed, self.control, cfg], **links,
                    sampler=(self.sampler, 0), sigmas=self.parts[stage],
                )  # fmt: skip
            else:
                guider = self.add("CFGGuider", [cfg], **shared, model=(model, 0))
                noise = self.add("DisableNoise") if stage else self.add("RandomNoise", [seed, self.control])
                node = self.add(
                    "SamplerCustomAdvanced", [], noise=(noise, 0), guider=(guider, 0), latent_image=latent,
                    sampler=(self.sampler, 0), sigmas=self.parts[stage],
                )  # fmt: skip
            latent = (node, 0)
        return node


def native_chain(
    *, clips: int = 3, kind: str = "KSamplerAdvanced", pair: bool = True, seeds: list[int] | None = None,
    control: str = "fixed", motion: int = 1, frames: int = 17, cfg: float = 3.5,
    pro: str = "WanImageToVideoSVIPro",
) -> Raw:  # fmt: skip
    """A chain of native Pro clips, joined by Image Batch Extend With Overlap. seeds: else 7, 49, 91, ..."""
    g = Native(kind, pair=pair, control=control)
    flf = pro.endswith("FLF")
    video, slot, before = None, 0, g.anchor if flf else None
    for index in range(clips):
        count = motion if index else (0 if flf else motion)
        node = g.add(
            pro, [frames, True, count] if flf else [frames, count], title=f"Clip {index + 1}",
            positive=(g.add("CLIPTextEncode", [f"clip {index + 1}"], clip=(g.clip, 0)), 0), negative=(g.negative, 0),
            anchor_samples=(g.anchor, 0), **({"prev_samples": (before, 0)} if before else {}),
        )  # fmt: skip
        before = g.sampled(node, seeds[index] if seeds else 7 + 42 * index, cfg)
        decode = g.add("VAEDecode", [], samples=(before, 0), vae=(g.vae, 0))
        if video is None:
            video = decode
        else:
            joined: dict[str, Output] = {"source_images": (video, slot), "new_images": (decode, 0)}
            video, slot = g.add("ImageBatchExtendWithOverlap", [1 + 4 * motion, "new_images", "cut"], **joined), 2
    assert video is not None
    g.add("VHS_VideoCombine", {"frame_rate": 24}, images=(video, slot))
    return g.raw


def custom(**options: Any) -> Raw:
    """The same with Sampler Custom."""
    return native_chain(kind="SamplerCustom", **options)
