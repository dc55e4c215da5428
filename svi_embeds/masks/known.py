"""known_mask and concat_mask: two views of one fact, and how the model's four mask channels are packed.

known_mask: 1 (white) = the frame is kept. What the sampler, `image_embeds["mask"]` and the wrapper's `temporal_mask`
take. concat_mask: 0 (black) = the frame is kept. What native ComfyUI, VACE and WanEx nodes take.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import rearrange, repeat
from torch import Tensor

from ..errors import SVIError
from ..ground.tensors import all_finite
from ..timeline import FRAMES_PER_LATENT


def concat_from_known(known: Tensor) -> Tensor:
    """The other view of a mask: 1 - mask, in either direction. Any shape; values in 0..1."""
    return 1 - known


def pack_known(known: Tensor, *, end_apart: bool = False) -> Tensor:
    """Pack frame values into the model's mask channels.

    known: F ... (F = 4k+1; 4k+2 with end_apart), 1 = kept. Returns 4 T ... .

    Frame 0 fills the four channels of latent 0; each later latent holds its four frames. With end_apart the last
    frame has a latent of its own too (the wrapper's layout when fun_or_fl2v_model is off).
    Source: WanVideoWrapper, WanVideoImageToVideoEncode; the SVI authors pack the same way.
    """
    expected = 2 if end_apart else 1
    if (len(known) - expected) % FRAMES_PER_LATENT or len(known) < expected:
        raise SVIError(f"a mask to pack has 4k+{expected} frames, got {len(known)}")
    head = repeat(known[:1], "1 ... -> c ...", c=FRAMES_PER_LATENT)
    if end_apart:
        tail = repeat(known[-1:], "1 ... -> c ...", c=FRAMES_PER_LATENT)
        frames = torch.cat([head, known[1:-1], tail])
    else:
        frames = torch.cat([head, known[1:]])
    return rearrange(frames, "(t c) ... -> c t ...", c=FRAMES_PER_LATENT)


def unpack_known(packed: Tensor, *, end_apart: bool = False) -> Tensor:
    """The frame values that `pack_known` packed. packed: 4 T ... . Returns F ... ."""
    if packed.ndim < 2 or packed.shape[0] != FRAMES_PER_LATENT:
        raise SVIError(f"a packed mask is [4, T, ...], got {list(packed.shape)}")
    frames = rearrange(packed, "c t ... -> (t c) ...")
    frames = frames[FRAMES_PER_LATENT - 1 :]
    return frames[: len(frames) - (FRAMES_PER_LATENT - 1)] if end_apart else frames


def frame_masks(values: Sequence[float], *, height: int, width: int) -> Tensor:
    """One value per frame, spread over `height` x `width` latent pixels. Returns F h w, float32."""
    return repeat(torch.tensor(values, dtype=torch.float32), "f -> f h w", h=height, w=width).contiguous()


def check_mask(name: str, mask: Tensor) -> None:
    """Raises SVIError unless `mask` is a ComfyUI MASK: F h w, floating point, finite, in 0..1, not empty."""
    if not isinstance(mask, Tensor):
        raise SVIError(f"{name} must be a MASK tensor [frames, height, width], got {type(mask).__name__}")
    if mask.ndim != 3:
        raise SVIError(
            f"{name} must have 3 axes [frames, height, width], got {list(mask.shape)}: "
            "a single 2-D mask needs a leading frame axis"
        )
    if not mask.is_floating_point() or mask.element_size() < 2:
        raise SVIError(f"{name} must hold floats in 0..1, got {mask.dtype}: convert it with .float()")
    if 0 in mask.shape:
        raise SVIError(f"{name} is empty: {list(mask.shape)}")
    if not all_finite(mask):
        raise SVIError(f"{name} has NaN or infinite values: look at the node that made it")
    low, high = (float(v) for v in torch.aminmax(mask.detach()))
    if low < 0 or high > 1:
        raise SVIError(f"{name} must hold values in 0..1, got {low:g}..{high:g}")


def fit_temporal_mask(mask: Tensor, *, frames: int, height: int, width: int) -> tuple[Tensor, list[str]]:
    """A caller's temporal_mask fitted to a clip, the way the wrapper's I2V encode does it.

    mask: F' H' W', 1 = kept. Returns F h w float32 at latent size, and notes on what was adjusted. A longer mask is
    cut, a shorter one padded with 0 (generate); resized by nearest neighbour; fractions stay as they are.
    Source: WanVideoWrapper, WanVideoImageToVideoEncode.
    """
    check_mask("temporal_mask", mask)
    notes = []
    count = len(mask)
    if count > frames:
        notes.append(f"temporal_mask was cut from {count} to {frames} frames")
    elif count < frames:
        notes.append(f"temporal_mask has {count} of {frames} frames: the rest is generated")
    cut = resize_masks(mask[:frames], height=height, width=width)
    fitted = torch.zeros(frames, height, width)
    fitted[: len(cut)] = cut
    return fitted, notes


def resize_masks(masks: Tensor, *, height: int, width: int) -> Tensor:
    """Masks F H W as F h w float32 on the CPU, by nearest neighbour, as the wrapper resizes its temporal_mask."""
    masks = masks.detach().to("cpu", torch.float32)
    if masks.shape[1:] == (height, width):
        return masks
    return torch.nn.functional.interpolate(masks.unsqueeze(1), size=(height, width), mode="nearest").squeeze(1)


STRIP_SIGNS = "█▒·"  # kept, kept in part, generated


def mask_strip(values: Sequence[float], signs: str = STRIP_SIGNS) -> str:
    """A known_mask as one sign per frame. signs: for frames that are kept, kept in part, and generated."""
    return "".join(signs[0] if v >= 1 else signs[2] if v <= 0 else signs[1] for v in values)


def per_frame(mask: Tensor) -> list[float]:
    """One value per frame: the mean over its pixels. mask: F h w."""
    return [float(v) for v in mask.detach().mean(dim=(1, 2), dtype=torch.float64)]


def describe_known(values: Sequence[float]) -> str:
    """A known_mask in words, from one value per frame: '5 white + 76 black (kept: 0-4)'."""
    return f"{count_known(values)} (kept: {format_runs(_split(values)[0])})"


def looks_inverted(known_values: Sequence[float]) -> bool:
    """Whether a mask, read as one, keeps most frames but not the first: as the other polarity of a clip's own does."""
    return known_values[0] <= 0 and 2 * len(_split(known_values)[0]) > len(known_values)


def count_known(values: Sequence[float]) -> str:
    """A known_mask counted: '5 white + 76 black'."""
    kept, generated, partly = _split(values)
    return f"{len(kept)} white + {len(generated)} black{_partly(partly)}"


def count_concat(known_values: Sequence[float]) -> str:
    """The same mask in the other view, from the same known values: '5 black + 76 white'."""
    kept, generated, partly = _split(known_values)
    return f"{len(kept)} black + {len(generated)} white{_partly(partly)}"


def _split(values: Sequence[float]) -> tuple[list[int], list[int], list[int]]:
    kept = [i for i, v in enumerate(values) if v >= 1]
    generated = [i for i, v in enumerate(values) if v <= 0]
    return kept, generated, [i for i, v in enumerate(values) if 0 < v < 1]


def _partly(frames: Sequence[int]) -> str:
    return f" + {len(frames)} partly white" if frames else ""


def format_runs(indices: Sequence[int]) -> str:
    """Ascending indices as runs: [0, 1, 2, 80] -> '0-2, 80'; 'none' when there are none."""
    runs: list[tuple[int, int]] = []
    for i in indices:
        if runs and runs[-1][1] == i - 1:
            runs[-1] = (runs[-1][0], i)
        else:
            runs.append((i, i))
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs) or "none"
