"""Whole numbers that a graph tells, also those that hang on a length which only a run can tell."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

_EXPRESSION = re.compile(r"[\w\s.,()+*/%-]{1,200}")
_LARGEST = 10**9
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "round": round, "int": int, "abs": abs}


@dataclass(frozen=True, slots=True)
class Count:
    """known, plus lengths that are not known, each so many times: 2 * length - 5.

    An unknown length is that of a video, and taken to be longer than any overlap.
    """

    known: int = 0
    unknown: frozenset[tuple[Hashable, int]] = frozenset()

    @staticmethod
    def of(length: Hashable) -> Count:
        """One unknown length."""
        return Count(0, frozenset({(length, 1)}))

    def __add__(self, other: object) -> Count:
        other = _as_count(other)
        return self._plus(other, 1) if other else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: object) -> Count:
        other = _as_count(other)
        return self._plus(other, -1) if other else NotImplemented

    def __rsub__(self, other: object) -> Count:
        other = _as_count(other)
        return other._plus(self, -1) if other else NotImplemented

    def __mul__(self, times: object) -> Count:
        if not isinstance(times, int) or isinstance(times, bool):
            return NotImplemented
        return Count()._plus(self, times)

    __rmul__ = __mul__

    def __neg__(self) -> Count:
        return self * -1

    def _plus(self, other: Count, times: int) -> Count:
        if not other.unknown:
            return Count(self.known + other.known * times, self.unknown)
        terms = dict(self.unknown)
        for length, own in other.unknown:
            terms[length] = terms.get(length, 0) + own * times
        return Count(self.known + other.known * times, frozenset(term for term in terms.items() if term[1]))

    @property
    def number(self) -> int | None:
        """The number, where nothing unknown is in it."""
        return None if self.unknown else self.known

    @property
    def sign(self) -> int | None:
        """-1, 0 or 1; None when only a run can tell."""
        if not self.unknown:
            return (self.known > 0) - (self.known < 0)
        signs = {times > 0 for _, times in self.unknown}
        return None if len(signs) > 1 else 1 if signs.pop() else -1


def _as_count(value: object) -> Count | None:
    if isinstance(value, Count):
        return value
    return Count(value) if isinstance(value, int) and not isinstance(value, bool) else None


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """What an arithmetic expression gives: an int, a float or a Count; None for what is none of these.

    + - * / // %, brackets, min, max, round, int and abs, over numbers and the given names, as the math nodes of
    ComfyUI and its packs have them.
    """
    if not _EXPRESSION.fullmatch(text):
        return None
    try:
        value = _value(ast.parse(text.strip(), mode="eval").body, names)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, KeyError, RecursionError, MemoryError):
        return None
    return value if is_number(value) else None


def is_number(value: object) -> bool:
    """Whether it can be counted with."""
    if isinstance(value, Count):
        return abs(value.known) <= _LARGEST
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        value = node.value
    elif isinstance(node, ast.Name):
        value = names[node.id]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        value = _value(node.operand, names)
        value = -value if isinstance(node.op, ast.USub) else value
    elif isinstance(node, ast.BinOp):
        value = _OPERATORS[type(node.op)](_value(node.left, names), _value(node.right, names))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        value = _FUNCTIONS[node.func.id](*(_value(each, names) for each in node.args))
    else:
        raise ValueError
    if not is_number(value):
        raise ValueError
    return value
