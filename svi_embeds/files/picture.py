"""Pictures that the commands are given."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ..errors import SVIError
from .video import MAX_PIXELS

# Not all that Pillow knows: for some formats it runs other programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")


def open_picture(path: Path) -> Image.Image:
    """A picture as RGB. Raises SVIError for a file that is none."""
    try:
        with Image.open(path, formats=_FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise SVIError(f"{path} has {picture.width}x{picture.height} pixels, at most {MAX_PIXELS} are read")
            converted: Image.Image = picture.convert("RGB")
            return converted
    except SVIError:
        raise
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SVIError(f"{path} cannot be read as a picture: {error}") from error
