"""Ways to hold colours, by name. Saved graphs and stories hold them: never rename one."""

from __future__ import annotations

from typing import Any, Literal, get_args

from ..errors import SVIError

ColourMatch = Literal["off", "mean_std", "histogram", "mkl"]
COLOUR_CHOICES: tuple[str, ...] = get_args(ColourMatch)
COLOUR_TARGETS: tuple[str, ...] = ("clip_1", "reference")


def check_mkl() -> Any:
    """The class of the color-matcher package that finds a match. Raises SVIError when the package is not there."""
    try:
        from color_matcher.mvgd_matcher import TransferMVGD
    except ImportError as error:
        raise SVIError(
            f"color_match mkl needs the color-matcher package ({error}): pip install color-matcher into ComfyUI's "
            "Python, or choose mean_std"
        ) from error
    return TransferMVGD
