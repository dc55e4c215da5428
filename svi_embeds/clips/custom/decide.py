"""One clip of WanVideoI2VCustomEmbeds as far as it is decided without a latent, a pixel or a mask.

`make_custom_clip` asks here first, and the strip on the node shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import SVIError
from ...masks.known import count_concat, describe_known
from ...timeline import latent_count
from ..strip import Piece, Strip
from ..vae import CHANNELS, FACTOR, latent_size
from .settings import CustomConnected, CustomSettings


@dataclass(frozen=True, slots=True)
class DecidedCustom:
    """start_frames: how many of start_image's frames lead the clip, 0 with latents of one's own.

    known: one value per frame; None where a concat_mask gives them. lat_h, lat_w: latent pixels.
    """

    settings: CustomSettings
    connected: CustomConnected
    start_frames: int
    known: tuple[int, ...] | None
    lat_h: int
    lat_w: int
    notes: tuple[str, ...]

    @property
    def mask_said(self) -> str:
        """Where the mask comes from when there is no concat_mask."""
        if not self.start_frames:
            return "no concat_mask: every frame is generated"
        return f"no concat_mask: the frames of start_image are kept ({self.start_frames})"

    @staticmethod
    def describe(known: Sequence[float]) -> list[str]:
        """Both views of a mask in words, a line each. known: one value per frame."""
        return [f"known_mask (wrapper): {describe_known(known)}", f"concat_mask (native): {count_concat(known)}"]


def decide_custom(settings: CustomSettings, connected: CustomConnected) -> DecidedCustom:
    """Decide one clip.

    Raises SVIError as `make_custom_clip` does, for all that shows without a latent, a pixel or a mask.
    """
    lat_h, lat_w = latent_size(FACTOR, width=settings.width, height=settings.height)
    length, start_frames, latent_channels = settings.length, connected.start_image, connected.concat_latent_image
    notes = []
    if latent_channels is not None:
        if start_frames:
            notes.append("start_image is not used: concat_latent_image is connected")
        if latent_channels not in (CHANNELS, 2 * CHANNELS):
            raise SVIError(
                f"concat_latent_image has {latent_channels} channels, the wrapper's image-to-video models take 16 (or "
                "32 with control): encode with the Wan 2.1 VAE"
            )
    elif not start_frames:
        raise SVIError("there is nothing to condition on: connect concat_latent_image, or start_image with a vae")
    elif not connected.vae:
        raise SVIError("start_image needs a vae to be encoded: connect WanVideo VAE Loader or Load VAE")
    elif start_frames > length:
        notes.append(f"start_image was cut from {start_frames} to {length} frames")
    check_mask_place(settings.concat_mask_index, channels=latent_channels or CHANNELS)
    leading = 0 if latent_channels is not None else min(start_frames, length)
    known = None if connected.concat_mask else (1,) * leading + (0,) * (length - leading)
    if known is not None and all(known):
        notes.append("the mask keeps every frame: nothing is generated")
    return DecidedCustom(
        settings=settings,
        connected=connected,
        start_frames=leading,
        known=known,
        lat_h=lat_h,
        lat_w=lat_w,
        notes=tuple(notes),
    )


def check_mask_place(index: int, *, channels: int) -> None:
    """Raises SVIError unless the host's sampler can put the mask before channel `index` of `channels`.

    It builds [control 16, mask 4, image 16] from control_embeds and [mask 4, image C] without them; no other place for
    the mask exists there.
    """
    if index and not (index == CHANNELS and channels == 2 * CHANNELS):
        raise SVIError(
            f"concat_mask_index {index} with latents of {channels} channels is a layout that the wrapper's sampler "
            "does not build: it puts the mask first (0), or between the two halves of 32 channels (16)"
        )


def strip_of_custom(decided: DecidedCustom) -> Strip:
    """The strip of WanVideoI2VCustomEmbeds."""
    settings, lead = decided.settings, decided.start_frames
    length = settings.length
    latents = latent_count(length)
    if decided.connected.concat_latent_image is not None:
        pieces = [Piece("latent", 0, length, "concat_latent_image")]
    else:
        pieces = [Piece("image", 0, lead, "start_image"), Piece("grey", lead, length, "mid-grey")]
    said = [f"custom: {length} frames at {settings.width}x{settings.height}, {latents} latents"]
    said += decided.describe(decided.known) if decided.known is not None else ["known_mask: what concat_mask gives"]
    return Strip(
        title=f"custom: {length} frames, {latents} latents",
        num_frames=length,
        pieces=tuple(piece for piece in pieces if piece.stop > piece.start),
        said=tuple(said),
        known=decided.known,
        mask_from="" if decided.known is not None else "concat_mask",
        notes=decided.notes,
    )
