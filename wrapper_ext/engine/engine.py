"""What samples the clips of a chain, and encodes and decodes them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from ...svi_embeds.clips.latent_space import LatentSpace
from ...svi_embeds.clips.vae import Encoder
from ...svi_embeds.story.chain import ChainClip

Models = tuple[Any, Any]  # of a clip: the one that samples it, or its high noise stage, and the low noise one or None


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What all takes of a clip are sampled with. text: of `Engine.texts`."""

    embeds: dict[str, Any]
    text: Any
    models: Models


class Engine(Protocol):
    """The wrapper's nodes, or ComfyUI's own. Images are F H W 3 in 0..1, LATENTs in `space`, embeds in the wrapper's.

    Whatever a node raises passes through, ComfyUI's interrupt too.
    """

    space: LatentSpace

    def texts(self, prompts: Sequence[str]) -> Generator[tuple[str, Any], None, None]:
        """Each prompt encoded, in order; the text encoder is released after the last. To be closed when left early."""
        ...

    def vision(self, image: Tensor) -> dict[str, Any] | None:
        """CLIP vision's features of an image, as the embeds have them; None without CLIP vision."""
        ...

    def encoder(self) -> Encoder:
        """Who encodes a clip's pixels."""
        ...

    def encode(self, video: Tensor) -> dict[str, Any]:
        """Frames of the clips' size as LATENT."""
        ...

    def decode(self, samples: Mapping[str, Any]) -> Tensor: ...

    def models(self, clip: ChainClip) -> Models:
        """What samples a clip, with the LoRAs of its own."""
        ...

    def sample(self, clip: ChainClip, given: Given) -> dict[str, Any]:
        """A take as LATENT."""
        ...
