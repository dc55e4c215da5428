"""The prompts of a chain, encoded as its clips need them, and kept with the reel."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.texts import keep_text, kept_text, text_key
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.text import parse_story
from ..engine.engine import Engine
from ..engine.job import EngineName, Job

_TEXTS_AHEAD = 16
ENCODERS = ("t5", "clip")


class NotLoaded:
    """Stands in for a text encoder that is connected and was not loaded, since the reel has all prompts."""


def all_kept(folder: Path, story: str, negative: str, origin: Mapping[str, str], engine: EngineName) -> bool:
    """Whether a reel has every prompt of a story, as the encoder makes them that `origin` tells of, see `Sources`."""
    kind = next((name for name in ENCODERS if origin.get(name)), None)
    if kind is None:
        return False
    try:
        prompts = {block.prompt for block in parse_story(story)}
    except SVIError:  # the run says it
        return False
    return all(
        kept_text(folder, text_key(_kind(kind, engine), origin[kind], prompt, negative)) is not None
        for prompt in sorted(prompts)
    )


def _kind(encoder: str, engine: EngineName) -> str:
    """What a kept text is: each engine has it in a form of its own."""
    return encoder if engine == "wrapper" else f"{engine} {encoder}"


class Texts:
    """Prompts encoded, each distinct one once, some of those ahead together, and released after their last clip.

    folder: of the reel, which keeps them where the encoder's origin is known.
    """

    def __init__(self, job: Job, engine: Engine, folder: Path) -> None:
        self.job, self.engine, self.folder = job, engine, folder
        self.known: dict[str, Any] = {}
        self.last_use = {clip.prompt: clip.index for clip in job.plan.clips}
        self.kind = "t5" if job.sources.t5 is not None else "clip"

    def of(self, clip: ChainClip) -> Any:
        if self.job.sources.text_embeds is not None:
            return self.job.sources.text_embeds
        if clip.prompt not in self.known:
            # What was passed over because its clip was kept is released too.
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
        if not origin:
            return None
        kind = _kind(self.kind, self.job.sources.engine)
        return text_key(kind, origin, prompt, self.job.settings.negative_prompt)

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
        with closing(self.engine.texts(wanted)) as made:
            for prompt, text in made:
                self.known[prompt] = text
                if key := self._key(prompt):
                    with suppress(SVIError):  # a full disk: it is encoded again, no more
                        keep_text(self.folder, key, text)
