"""The prompts of a chain, encoded as its clips need them, and kept with the reel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.texts import keep_text, kept_text, text_key
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.text import parse_story
from .job import Host, Job

_TEXTS_AHEAD = 16
ENCODERS = ("t5", "clip")


class NotLoaded:
    """Stands in for a text encoder that is connected and was not loaded, since the reel has all prompts."""


def all_kept(folder: Path, story: str, negative: str, origin: Mapping[str, str]) -> bool:
    """Whether a reel has every prompt of a story, as the encoder makes them that `origin` tells of, see `Sources`."""
    kind = next((name for name in ENCODERS if origin.get(name)), None)
    if kind is None:
        return False
    try:
        prompts = {block.prompt for block in parse_story(story)}
    except SVIError:  # the run says it
        return False
    return all(
        kept_text(folder, text_key(kind, origin[kind], prompt, negative)) is not None for prompt in sorted(prompts)
    )


class Texts:
    """Prompts encoded, each distinct one once, some of those ahead together, and let go after their last clip.

    folder: of the reel, which keeps them where the encoder's origin is known.
    """

    def __init__(self, job: Job, host: Host, folder: Path) -> None:
        self.job, self.host, self.folder = job, host, folder
        self.known: dict[str, Any] = {}
        self.negative: Any = None
        self.last_use = {clip.prompt: clip.index for clip in job.plan.clips}
        self.kind = "t5" if job.sources.t5 is not None else "clip"

    def of(self, clip: ChainClip) -> Any:
        if self.job.sources.text_embeds is not None:
            return self.job.sources.text_embeds
        if clip.prompt not in self.known:
            # What was passed over because its clip was kept is let go too.
            self.known = {prompt: text for prompt, text in self.known.items() if self.last_use[prompt] >= clip.index}
            if (kept := self._kept(clip.prompt)) is not None:
                self.known[clip.prompt] = kept
            else:
                self._encode_ahead(clip)
        text = self.known[clip.prompt]
        if self.last_use[clip.prompt] == clip.index:
            del self.known[clip.prompt]
        return text

    def _key(self, prompt: str) -> str | None:
        origin = self.job.sources.origin.get(self.kind)
        return text_key(self.kind, origin, prompt, self.job.settings.negative_prompt) if origin else None

    def _kept(self, prompt: str) -> dict[str, Any] | None:
        key = self._key(prompt)
        return None if key is None else kept_text(self.folder, key)

    def _encode_ahead(self, clip: ChainClip) -> None:
        """Encodes the prompt of a clip, and of those after it what the reel does not have."""
        if isinstance(getattr(self.job.sources, self.kind), NotLoaded):
            raise SVIError(
                f"clip {clip.index + 1}: its prompt was kept with the reel and cannot be read any more: queue again, "
                "then the text encoder is loaded"
            )
        ahead = dict.fromkeys(later.prompt for later in self.job.plan.clips[clip.index :])
        wanted: list[str] = []
        for prompt in [prompt for prompt in ahead if prompt not in self.known][:_TEXTS_AHEAD]:
            if (kept := self._kept(prompt)) is not None:
                self.known[prompt] = kept
            else:
                wanted.append(prompt)
        with _lent(self.job.sources.t5) as goes_back:
            if len(wanted) == 1 and self.job.sources.t5 is not None and not goes_back:
                # The wrapper holds the encoder's old copy while it moves it back from the GPU in the call that moved
                # it there: twice its memory. In a second call it does not, and encoding takes a tenth of a second.
                self._encode(wanted[0], last=False)
            for prompt in wanted:
                self.host.stop_if_cancelled()
                self.known[prompt] = self._encode(prompt, last=prompt == wanted[-1] and not goes_back)
                if key := self._key(prompt):
                    with suppress(SVIError):  # a full disk: it is encoded again, no more
                        keep_text(self.folder, key, self.known[prompt])
        self.host.free_memory()

    def _encode(self, prompt: str, *, last: bool) -> Any:
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
