"""Questions about whole tensors, answered in one pass and without a copy."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def bounds_of(tensor: Tensor) -> tuple[float, float]:
    """The least and the largest value of a tensor of floats; NaN when it has one. It must not be empty."""
    if tensor.element_size() < 2:  # 8-bit floats have no order in torch
        tensor = tensor.to(torch.float32)
    low, high = torch.aminmax(tensor.detach())
    return float(low), float(high)


def all_finite(tensor: Tensor) -> bool:
    """Whether a tensor of floats has neither NaN nor infinity. An empty one has not."""
    return not tensor.numel() or all(map(math.isfinite, bounds_of(tensor)))
