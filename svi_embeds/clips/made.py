"""What every way to make a clip's embeds gives: the dict, both masks, words and a picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from PIL import Image
from torch import Tensor

from ..masks.known import concat_from_known, count_known, per_frame
from .embeds import ImageEmbeds, check_embeds, describe_embeds, is_end_apart, known_mask_of, svi_record_of
from .sheet import Tile, draw_sheet, make_latent_tiles


@dataclass(frozen=True, slots=True, repr=False)
class MaskedClip(ABC):
    """Which frames of one clip are kept.

    known_mask, concat_mask: F h w float32 at latent size, F conditioning frames (num_frames, and one more when an end
    image is encoded apart). info: what was done and adjusted, in words.
    """

    known_mask: Tensor
    concat_mask: Tensor
    info: str
    tiles: tuple[Tile, ...]
    known_per_frame: tuple[float, ...]

    @property
    @abstractmethod
    def title(self) -> str:
        """Mode and length, the heading of the sheet."""

    def sheet(self) -> Image.Image:
        """The clip as a picture: frames in order, framed white (kept) or black (generated)."""
        title = f"{self.title}, {count_known(self.known_per_frame)} (known_mask)"
        return draw_sheet(self.tiles, self.known_per_frame, title=title)


@dataclass(frozen=True, slots=True, repr=False)
class EncodedClip(MaskedClip):
    """One clip, encoded."""

    embeds: ImageEmbeds

    @property
    def title(self) -> str:
        return f"{self._mode}: {self.embeds['num_frames']} frames"

    @property
    def _mode(self) -> str:
        record = svi_record_of(self.embeds)
        return record["mode"][:40] if record else "image_embeds"

    def __repr__(self) -> str:
        shape = list(self.embeds["image_embeds"].shape)
        return f"{type(self).__name__}({self._mode}, {self.embeds['num_frames']} frames, latents {shape})"


def encoded_from(embeds: Any) -> EncodedClip:
    """Embeds as they come (loaded, or of another node) with the masks, words and picture that go with them.

    Their pixels are gone, so the picture shows latents. Raises SVIError for embeds that the sampler would get wrong.
    """
    checked = check_embeds(embeds)
    known = known_mask_of(checked)
    values = per_frame(known)
    latents = checked["image_embeds"]
    return EncodedClip(
        embeds=checked,
        known_mask=known,
        concat_mask=concat_from_known(known),
        info=describe_embeds(checked),
        tiles=make_latent_tiles(latents, values, ["latent"] * latents.shape[1], end_apart=is_end_apart(checked)),
        known_per_frame=tuple(values),
    )
