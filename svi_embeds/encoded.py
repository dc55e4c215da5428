"""What every way to make a clip's embeds gives: the dict, both masks, words and a picture."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from .embeds import ImageEmbeds
from .masks import count_known
from .sheet import Tile, draw_sheet


@dataclass(frozen=True, slots=True, repr=False)
class EncodedClip:
    """One clip, encoded.

    known_mask, concat_mask: F h w float32 at latent size, F conditioning frames (num_frames, and one more when an end
    image is encoded apart). info: what was done and adjusted, in words.
    """

    embeds: ImageEmbeds
    known_mask: Tensor
    concat_mask: Tensor
    info: str
    tiles: tuple[Tile, ...]
    known_per_frame: tuple[float, ...]

    def sheet(self) -> Image.Image:
        """The clip as a picture: frames in order, framed white (kept) or black (generated)."""
        mode, frames = self.embeds["svi"]["mode"], self.embeds["num_frames"]
        title = f"{mode}: {frames} frames, {count_known(self.known_per_frame)} (known_mask)"
        return draw_sheet(self.tiles, self.known_per_frame, title=title)

    def __repr__(self) -> str:
        mode, shape = self.embeds["svi"]["mode"], list(self.embeds["image_embeds"].shape)
        return f"{type(self).__name__}({mode}, {self.embeds['num_frames']} frames, latents {shape})"


def write_info(head: list[str], notes: list[str]) -> str:
    """Lines on a clip, and below them what was decided or adjusted on the caller's behalf."""
    return "\n".join([*head, *(f"- {note}" for note in notes)])
