"""Nodes that compute numbers from numbers, and what they give.

Sources: ComfyUI's Math Expression (0.33), KJNodes, ComfyUI_essentials, Easy-Use and ComfyMath as of 2026.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .count import Count, evaluate, is_number

Read = Callable[[str], Any]


class Formula(NamedTuple):
    """A node with a text to compute. text: its widget, by output. names: inputs that the text names, as `prefix` +
    name. whole: outputs that are whole numbers, and how they become it."""

    text: Mapping[int, str]
    names: str
    whole: Mapping[int, Callable[[Any], int]]
    prefix: tuple[str, ...] = ("",)


# Nodes whose one output is a number, or a text, that a widget holds.
CONSTANTS: dict[str, str] = dict.fromkeys((
    "INTConstant", "FloatConstant", "PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean", "PrimitiveString",
    "PrimitiveStringMultiline", "easy int", "SimpleMathInt+", "ImpactInt", "JWInteger",
), "value")  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_FORMULAS: dict[str, Formula] = {
    "SimpleMath+": Formula({0: "value", 1: "value"}, "abc", {0: round}),
    "SimpleMathDual+": Formula(
        {0: "value_1", 1: "value_1", 2: "value_2", 3: "value_2"}, "abcd", {0: round, 2: round}
    ),
    "easy simpleMath": Formula({0: "value", 1: "value"}, "abc", {0: int}),
    "SimpleCalculatorKJ": Formula({0: "expression", 1: "expression"}, _LETTERS[:11], {1: int}, ("", "variables.")),
    "ComfyMathExpression": Formula({0: "expression", 1: "expression"}, _LETTERS, {1: int}, ("values.",)),
}  # fmt: skip
_OPERATIONS: dict[str, tuple[str, dict[str, Callable[[Any, Any], Any]]]] = {
    "CM_IntBinaryOperation": ("op", {
        "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": operator.floordiv, "Mod": operator.mod,
        "Min": min, "Max": max,
    }),
    "easy mathInt": ("operation", {
        "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.floordiv,
        "modulo": operator.mod,
    }),
}  # fmt: skip
COMPUTES = (*_FORMULAS, *_OPERATIONS)
# Outputs that count the frames of an input.
COUNTERS: dict[tuple[str, int], str] = {
    ("GetImageSizeAndCount", 3): "image", ("VHS_GetImageCount", 0): "images", ("easy imageCount", 0): "images",
}  # fmt: skip


def compute(node_type: str, slot: int, read: Read) -> Any:
    """What an output of a node that computes gives: an int, a float or a Count; None when that cannot be determined.

    read: an input's number or text by name, None where there is none.
    """
    if node_type in _OPERATIONS:
        widget, operations = _OPERATIONS[node_type]
        name, first, second = read(widget), read("a"), read("b")
        if name not in operations or not is_number(first) or not is_number(second):
            return None
        try:
            value = operations[name](first, second)
        except (TypeError, ArithmeticError):
            return None
        return value if is_number(value) else None
    formula = _FORMULAS[node_type]
    text = read(formula.text.get(slot, ""))
    if not isinstance(text, str):
        return None
    names = {}
    for name in formula.names:
        for prefix in formula.prefix:
            value = read(f"{prefix}{name}")
            if is_number(value):
                names[name] = value
    value = evaluate(text, names)
    whole = formula.whole.get(slot)
    return whole(value) if whole and isinstance(value, float) else value


def inputs_of(node_type: str) -> tuple[str, ...]:
    """Names of the inputs that a node which computes may have."""
    if node_type in _OPERATIONS:
        return ("a", "b")
    formula = _FORMULAS[node_type]
    return tuple(f"{prefix}{name}" for prefix in formula.prefix for name in formula.names)


def as_number(value: Any) -> int | None:
    """The plain whole number, where it is one."""
    if isinstance(value, Count):
        return value.number
    return value if isinstance(value, int) and not isinstance(value, bool) else None
