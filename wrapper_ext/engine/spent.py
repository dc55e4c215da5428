"""Where the time of a chain's clips goes: an engine that counts, and what it counted, in words."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from ...svi_embeds.clips.latent_space import LatentSpace
from ...svi_embeds.clips.vae import Encoder
from ...svi_embeds.story.chain import ChainClip
from .engine import Engine, Given, Models
from .job import Host


@dataclass(slots=True)
class _Bar:
    """One progress bar. at: when it was heard last, and how much of `whole` was done then. seconds: of steps whose
    begin and end were heard."""

    whole: float
    at: tuple[float, float]
    seconds: list[float]


class Steps:
    """How long the steps of sampler calls took, from what ComfyUI hears of their progress.

    The wrapper's sampler shows with a bar of its own how it loads weights, a parameter a step, and puts that back to 0
    (nodes_model_loading.py, load_weights): those are no steps.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._bars: list[_Bar] = []  # of each call, in their order

    def heard(self, done: float, whole: float) -> None:
        now, bar = self.clock(), self._bars[-1] if self._bars else None
        goes_on = bar is not None and bar.whole == whole
        if not done:
            if goes_on:
                self._bars.pop()
            return
        if bar is None or not goes_on or done <= bar.at[1]:  # another call: its first step began with its preparations
            self._bars.append(_Bar(whole, (now, done), []))
            return
        steps = int(done - bar.at[1])
        bar.seconds += [(now - bar.at[0]) / steps] * steps
        bar.at = now, done

    @property
    def total(self) -> float | None:
        """Of all steps, those before the first report of each call as long as the others; None where none was heard."""
        seconds = [each for bar in self._bars for each in bar.seconds]
        if not seconds:
            return None
        count = sum(int(bar.at[1]) for bar in self._bars)
        return sum(seconds) + (count - len(seconds)) * statistics.median(seconds)


class Spent:
    """Seconds of a run by what they went into."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.steps: list[float | None] = []  # of each take
        self.takes: list[float] = []  # all of each take, text included

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        begun = self.clock()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + self.clock() - begun

    def describe(self) -> str:
        """Of the takes that were made, the mean; "" of none."""
        if not self.takes:
            return ""

        def each(seconds: float) -> str:
            return f"{seconds / len(self.takes):.1f} s"

        sampler, text = self.seconds.get("sampler", 0.0), self.seconds.get("text", 0.0)
        vae, vision = self.seconds.get("vae", 0.0), self.seconds.get("vision", 0.0)
        steps = [found for found in self.steps if found is not None]
        parts = [f"sampler {each(sampler)}"]
        if steps and len(steps) == len(self.steps) and sum(steps) <= sampler:
            parts = [f"steps {each(sum(steps))}", f"models and LoRAs to the GPU and back {each(sampler - sum(steps))}"]
        parts.append(f"VAE {each(vae)}")
        if vision:
            parts.append(f"CLIP vision {each(vision)}")
        clips = max(0.0, sum(self.takes) - text)
        parts.append(f"all else {each(max(0.0, clips - sampler - vae - vision))}")
        said = f"a clip took {each(clips)}: {', '.join(parts)}"
        return f"{said}; text {text:.1f} s in all" if text >= 0.05 else said


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class _CountedEncoder(Encoder):
    spent: Spent

    @contextmanager
    def ready(self) -> Iterator[None]:
        with self.spent.on("vae"), Encoder.ready(self):
            yield


class CountingEngine:
    """An engine whose work is counted; see `Engine`."""

    def __init__(self, engine: Engine, host: Host, spent: Spent) -> None:
        self.engine, self.host, self.spent = engine, host, spent
        self.space: LatentSpace = engine.space

    def texts(self, prompts: Sequence[str]) -> Generator[tuple[str, Any], None, None]:
        made = self.engine.texts(prompts)
        try:
            while True:
                with self.spent.on("text"):
                    found = next(made, None)
                if found is None:
                    return
                yield found
        finally:
            with self.spent.on("text"):
                made.close()

    def vision(self, image: Tensor) -> dict[str, Any] | None:
        with self.spent.on("vision"):
            return self.engine.vision(image)

    def encoder(self) -> Encoder:
        encoder = self.engine.encoder()
        return _CountedEncoder(**{row.name: getattr(encoder, row.name) for row in fields(encoder)}, spent=self.spent)

    def encode(self, video: Tensor) -> dict[str, Any]:
        with self.spent.on("vae"):
            return self.engine.encode(video)

    def decode(self, samples: Mapping[str, Any]) -> Tensor:
        with self.spent.on("vae"):
            return self.engine.decode(samples)

    def models(self, clip: ChainClip) -> Models:
        return self.engine.models(clip)

    def sample(self, clip: ChainClip, given: Given) -> dict[str, Any]:
        steps = Steps()
        with self.spent.on("sampler"), self.host.hear_progress(steps.heard):
            samples = self.engine.sample(clip, given)
        self.spent.steps.append(steps.total)
        return samples
