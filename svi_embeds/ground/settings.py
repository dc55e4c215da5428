"""Settings are the values of a node's widgets, as one object that was checked when it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


def filled(kind: type[T], values: Mapping[str, Any]) -> T:
    """The settings (or the inputs) of a `kind`, filled from `values` by the names of its fields.

    values: of a node's inputs, more than the kind has or less: a field without a value gets its default.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: values[name] for name in names if name in values})
