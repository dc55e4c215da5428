"""Questions about whole tensors, answered in one pass and without a copy."""

from __future__ import annotations

import torch
from torch import Tensor


def all_finite(tensor: Tensor) -> bool:
    """Whether a tensor of floats has neither NaN nor infinity. An empty one has not."""
    if not tensor.numel():
        return True
    if tensor.element_size() < 2:  # 8-bit floats have no order in torch
        tensor = tensor.to(torch.float32)
    return bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())
