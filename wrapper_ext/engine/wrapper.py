"""The wrapper's nodes as what samples a chain."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.latent_space import LatentSpace
from ...svi_embeds.clips.vae import Encoder
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.text import Loras
from .engine import Given, Models
from .job import Host, Job


class WrapperEngine:
    """WanVideoWrapper's nodes; see `Engine`."""

    space: LatentSpace = "wrapper"

    def __init__(self, job: Job, host: Host) -> None:
        self.job, self.host = job, host
        self.negative: Any = None

    # Text

    def texts(self, prompts: Sequence[str]) -> Generator[tuple[str, Any], None, None]:
        t5 = self.job.sources.t5
        with _lent(t5) as goes_back:
            if len(prompts) == 1 and t5 is not None and not goes_back:
                # The wrapper holds the encoder's old copy while it moves it back from the GPU in the call that moved it
                # there: twice its memory. In a second call it does not, and encoding takes a tenth of a second.
                self._text(prompts[0], last=False)
            for prompt in prompts:
                self.host.stop_if_cancelled()
                yield prompt, self._text(prompt, last=prompt == prompts[-1] and not goes_back)
        self.host.free_memory()

    def _text(self, prompt: str, *, last: bool) -> Any:
        """last: whether the wrapper is to move the text encoder off the GPU after this one."""
        sources, negative = self.job.sources, self.job.settings.negative_prompt
        if sources.t5 is not None:
            return self.host.call(
                "WanVideoTextEncode", t5=sources.t5, positive_prompt=prompt, negative_prompt=negative,
                force_offload=last,
            )[0]  # fmt: skip
        (positive,) = self.host.call("CLIPTextEncode", clip=sources.clip, text=prompt)
        if self.negative is None:
            (self.negative,) = self.host.call("CLIPTextEncode", clip=sources.clip, text=negative)
        return self.host.call("WanVideoTextEmbedBridge", positive=positive, negative=self.negative)[0]

    # Images

    def vision(self, image: Tensor) -> dict[str, Any] | None:
        if self.job.sources.clip_vision is None:
            return None
        seen: dict[str, Any] = self.host.call(
            "WanVideoClipVisionEncode", clip_vision=self.job.sources.clip_vision, image_1=image
        )[0]
        return seen

    def encoder(self) -> Encoder:
        return Encoder(
            vae=self.job.sources.vae, tiled=self.job.settings.tiled_vae, device=self.host.device(),
            offload_device=self.host.offload_device(), before_encode=self.host.stop_if_cancelled,
        )  # fmt: skip

    def encode(self, video: Tensor) -> dict[str, Any]:
        samples: dict[str, Any] = self.host.call(
            "WanVideoEncode", vae=self.job.sources.vae, image=video, enable_vae_tiling=self.job.settings.tiled_vae
        )[0]
        return samples

    def decode(self, samples: Mapping[str, Any]) -> Tensor:
        images: Tensor = self.host.call(
            "WanVideoDecode", vae=self.job.sources.vae, samples=samples, enable_vae_tiling=self.job.settings.tiled_vae
        )[0]
        return images

    # Sampling

    def models(self, clip: ChainClip) -> Models:
        high, low = self.job.sources.models_of(clip)
        return self._with_loras(high, clip.lora), self._with_loras(low, clip.lora_low)

    def _with_loras(self, model: Any, loras: Loras) -> Any:
        """A copy of the model that has them too, unmerged; the model itself stays as it is."""
        chosen = None
        for name, strength in loras:
            more: dict[str, Any] = {} if chosen is None else {"prev_lora": chosen}
            (chosen,) = self.host.call(
                "WanVideoLoraSelect", lora=name, strength=strength, merge_loras=False, **more
            )  # fmt: skip
        if not chosen:
            return model
        return self.host.call("WanVideoSetLoRAs", model=model, lora=chosen)[0]

    def sample(self, clip: ChainClip, given: Given) -> dict[str, Any]:
        settings, sources = self.job.settings, self.job.sources
        ours = {"image_embeds": sources.guides.join(clip, given.embeds), "text_embeds": given.text, "seed": clip.seed}
        if clip.cfg is not None:
            ours["cfg"] = clip.cfg
        ours |= sources.guides.of(clip, width=settings.width, height=settings.height)
        high = {**sources.sampler, **ours, "model": given.models[0]}
        if sources.low_sampler is None:
            return self._run_sampler(high)
        low = {**sources.low_sampler, **ours, "model": given.models[1]}
        if settings.split_step:
            high |= {"start_step": 0, "end_step": settings.split_step}
            low |= {"start_step": settings.split_step, "end_step": -1}
        return self._run_sampler({**low, "samples": self._run_sampler(high)})

    def _run_sampler(self, arguments: dict[str, Any]) -> dict[str, Any]:
        samples: dict[str, Any] = self.host.call("WanVideoSamplerFromSettings", sampler_inputs=arguments)[0]
        return samples


@contextmanager
def _lent(t5: Any) -> Iterator[bool]:
    """Around encoding with the wrapper's text encoder: gives whether it is as its loader made it, without weights of
    its own (WanVideoWrapper, wanvideo/modules/t5.py, T5EncoderModel). Then it is so again afterwards.

    The wrapper takes the weights from the mapped file and moves them to RAM after its work, for a chain that does not
    need them any more: 8.3 s and 10.6 GB of umT5-xxl in bf16 on an H200's host. Given back, they are in the file.
    """
    encoder = t5.get("model") if isinstance(t5, Mapping) else None
    weights = getattr(encoder, "state_dict", None)
    if encoder is None or not isinstance(weights, Mapping) or next(iter(encoder.model.buffers()), None) is not None:
        yield False
        return
    try:
        yield True
    finally:
        encoder.model.to("meta")
        encoder.state_dict = weights
