"""Pictures that the commands are given."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..svi_embeds.errors import SVIError


def open_picture(path: Path) -> Image.Image:
    """A picture as RGB. Raises SVIError for a file that is none."""
    try:
        with Image.open(path) as picture:
            converted: Image.Image = picture.convert("RGB")
            return converted
    except (OSError, UnidentifiedImageError) as error:
        raise SVIError(f"{path} cannot be read as a picture: {error}") from error
