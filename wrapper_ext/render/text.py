"""The prompts of a chain, encoded as its clips need them."""

from __future__ import annotations

from typing import Any

from ...svi_embeds.story.chain import ChainClip
from .job import Host, Job

_TEXTS_AHEAD = 16


class Texts:
    """Prompts encoded, each distinct one once, some of those ahead together, and let go after their last clip."""

    def __init__(self, job: Job, host: Host) -> None:
        self.job, self.host = job, host
        self.known: dict[str, Any] = {}
        self.negative: Any = None
        self.last_use = {clip.prompt: clip.index for clip in job.plan.clips}

    def of(self, clip: ChainClip) -> Any:
        if self.job.sources.text_embeds is not None:
            return self.job.sources.text_embeds
        if clip.prompt not in self.known:
            # What was passed over because its clip was kept is let go too.
            self.known = {prompt: text for prompt, text in self.known.items() if self.last_use[prompt] >= clip.index}
            ahead = dict.fromkeys(later.prompt for later in self.job.plan.clips[clip.index :])
            wanted = [prompt for prompt in ahead if prompt not in self.known][:_TEXTS_AHEAD]
            for prompt in wanted:
                self.host.stop_if_cancelled()
                self.known[prompt] = self._encode(prompt, last=prompt == wanted[-1])
        text = self.known[clip.prompt]
        if self.last_use[clip.prompt] == clip.index:
            del self.known[clip.prompt]
        return text

    def _encode(self, prompt: str, *, last: bool) -> Any:
        """last: whether the text encoder may leave the GPU after this one."""
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
