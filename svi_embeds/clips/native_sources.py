"""Raw latents that embeds were made of, carried with them, so that a native model gets those and no rounding of them.

The wrapper's latents are `(raw - mean) * (1 / std)`, ComfyUI's model takes `(raw - mean) / std`: from the wrapper's
back to raw the last bits are lost. So embeds made of native latents keep them beside, and each latent of the embeds is
looked up among them by what it becomes in the wrapper's space, bit for bit. A latent that was changed since is found
nowhere and is converted, so what is carried can be out of date but never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..ground.fingerprint import fingerprint
from .embeds import ImageEmbeds
from .embeds_native import native_sources_of, put_native_sources
from .latent_space import VAE_CHANNELS, to_native, to_wrapper
from .vae import CHANNELS


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class RawLatents:
    """Latents in native space. latents: C T h w.

    carried: how many are those that the embeds were made of, bit for bit. zeros: how many are zero for the model (the
    VAE's mean here), bit for bit. converted: how many were computed back from the wrapper's space, with rounding.
    """

    latents: Tensor
    carried: int
    zeros: int

    @property
    def converted(self) -> int:
        return self.latents.shape[1] - self.carried - self.zeros


def with_native_sources(embeds: ImageEmbeds, raw: Sequence[Tensor]) -> ImageEmbeds:
    """The same embeds with those of the raw latents that they were made of; the given ones stay as they were.

    raw: C n h w each, 16 or 48 channels. What none of the embeds' latents comes from is left out, so that no more is
    carried than the embeds hold.
    """
    latents = embeds["image_embeds"]
    known = _index(raw, latents.dtype)
    used: dict[str, Tensor] = {}
    for group in _groups(latents):
        for column in _columns(group):
            name = fingerprint(column)
            if (found := known.get(name)) is not None and _has_values(column):
                used[name] = found
    by_dtype: dict[torch.dtype, list[Tensor]] = {}
    for column in used.values():
        by_dtype.setdefault(column.dtype, []).append(column)
    return put_native_sources(embeds, [torch.stack(columns, dim=1) for columns in by_dtype.values()])


def raw_latents_of(embeds: ImageEmbeds) -> RawLatents:
    """The conditioning latents of embeds in native space: new tensors. Embeds: checked."""
    latents = embeds["image_embeds"]
    known = _index(native_sources_of(embeds), latents.dtype)
    groups = _groups(latents)
    found = [[known.get(fingerprint(column)) for column in _columns(group)] for group in groups]
    zero = [[not _has_values(column) for column in _columns(group)] for group in groups]
    dtypes = {column.dtype for row in found for column in row if column is not None}
    # Latents that a native node would have handed on whole keep its type; a mixture gets that of the wrapper's.
    exact = all(column is not None or none for row, nones in zip(found, zero, strict=True)
                for column, none in zip(row, nones, strict=True))  # fmt: skip
    dtype = dtypes.pop() if exact and len(dtypes) == 1 else torch.float32
    parts = [
        torch.stack(
            [
                to_native(column.to(dtype)[:, None])[:, 0] if source is None or none else source.to(dtype)
                for column, source, none in zip(_columns(group), sources, nones, strict=True)
            ],
            dim=1,
        )
        for group, sources, nones in zip(groups, found, zero, strict=True)
    ]
    count = range(latents.shape[1])
    zeros = sum(all(nones[t] for nones in zero) for t in count)
    kept = sum(all(row[t] is not None or nones[t] for row, nones in zip(found, zero, strict=True)) for t in count)
    return RawLatents(torch.cat(parts), carried=kept - zeros, zeros=zeros)


def channel_groups(latents: Tensor) -> int:
    """How many videos stand in the channels of latents: 2 in 32 channels, one in 16 and 48. C T h w."""
    return 1 if latents.shape[0] in VAE_CHANNELS else max(1, latents.shape[0] // CHANNELS)


def _groups(latents: Tensor) -> list[Tensor]:
    return list(latents.detach().cpu().chunk(channel_groups(latents)))


def _columns(latents: Tensor) -> Iterator[Tensor]:
    """C T h w as C h w, T times."""
    yield from latents.unbind(1)


def _has_values(column: Tensor) -> bool:
    return bool(column.any())


def _index(raw: Iterable[Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Raw latents C h w by the fingerprint of what they are among the wrapper's latents of type `dtype`.

    A clip's latents are converted in their own type, those of a VAE in float32: where these differ, both count.
    """
    known: dict[str, Tensor] = {}
    for latents in raw:
        for made in {latents.dtype, torch.float32}:
            converted = to_wrapper(latents.to(made)).to(dtype)
            known.update(zip(map(fingerprint, _columns(converted)), _columns(latents.detach().cpu()), strict=True))
    return known
