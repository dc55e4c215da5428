"""Graphs of ComfyUI's own sampling for the tests in a real host."""

from __future__ import annotations

from typing import Any

from host.graphs import Builder, Link

NATIVE_VAE, NATIVE_I2V = "native_vae.safetensors", "native_i2v.safetensors"


class NativeBuilder(Builder):
    """Collects the nodes of an API graph that samples natively."""

    def __init__(self) -> None:
        super().__init__()
        clip = self.link("SVITestCLIP")
        self.prompts = [self.link("CLIPTextEncode", clip=clip, text=text) for text in ("a fox", "blurred")]

    def native_vae(self) -> Link:
        return self.link("VAELoader", vae_name=NATIVE_VAE)

    def native_model(self, name: str = NATIVE_I2V) -> Link:
        return self.link("UNETLoader", unet_name=name, weight_dtype="default")

    def made(self, class_type: str, **inputs: Any) -> list[Link]:
        """positive, negative and latent of a node that takes the prompts."""
        node = self.add(class_type, positive=self.prompts[0], negative=self.prompts[1], **inputs)
        return [[node, index] for index in range(3)]

    def bridged(self, embeds: Link) -> list[Link]:
        """The same of embeds."""
        return self.made("WanVideoSVIToNative", image_embeds=embeds)

    def back(self, made: list[Link], **inputs: Any) -> Link:
        """Embeds of what a native node made."""
        return self.link("WanVideoSVIFromNative", positive=made[0], negative=made[1], latent=made[2], **inputs)

    def sample_native(self, made: list[Link], name: str, *, model: str = NATIVE_I2V) -> Link:
        """One step; what the model gets is dumped as `name`, the latents and the positive's values beside it."""
        probed = self.link("SVITestNativeProbe", model=self.native_model(model), name=name)
        samples = self.link(
            "KSampler", model=probed, seed=1, steps=1, cfg=1.0, sampler_name="euler", scheduler="simple",
            positive=made[0], negative=made[1], latent_image=made[2], denoise=1.0,
        )  # fmt: skip
        self.dump(samples, f"{name} samples")
        self.dump(self.link("SVITestConditioning", conditioning=made[0]), f"{name} positive")
        return samples
