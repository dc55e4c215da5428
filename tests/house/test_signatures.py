"""No function asks for more than a reader can hold: what belongs together travels as one object."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from project import ROOT
from wanvideo_svi import NODE_CLASS_MAPPINGS

MOST = 8
NODES = {cls.__name__ for cls in NODE_CLASS_MAPPINGS.values()}  # ComfyUI calls their methods with an input each


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
    """Every function below `tree`, wherever it stands, but the methods of node classes."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
        if not (isinstance(child, ast.ClassDef) and child.name in NODES):
            yield from functions(child)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
    given = function.args
    named = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(named) - (named[:1] in (["self"], ["cls"])) + bool(given.vararg) + bool(given.kwarg)


def too_many(source: str) -> list[str]:
    """Names of the functions that take more. Constructors of dataclasses are not written out, and so are not asked."""
    return [getattr(each, "name", "lambda") for each in functions(ast.parse(source)) if parameters(each) > MOST]


def test_no_function_takes_more_than_eight_parameters() -> None:
    paths = sorted([*(ROOT / "svi_embeds").rglob("*.py"), *(ROOT / "wrapper_ext").rglob("*.py")])
    found = [
        f"{path.relative_to(ROOT).as_posix()} {name}"
        for path in paths
        for name in too_many(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_they_are_counted_wherever_they_stand() -> None:
    eight = ", ".join("abcdefgh")
    assert too_many(f"def f({eight}): ...\nclass A:\n    def g(self, {eight}): ...\n") == []
    assert too_many(f"def f({eight}, *i): ...\nasync def g({eight}, *, i): ...\nh = lambda {eight}, i: 0") == [
        "f", "g", "lambda",
    ]  # fmt: skip
    nested = f"class A:\n    def outer(self):\n        def inner({eight}, **i): ...\n"
    assert too_many(nested) == ["inner"]
    assert too_many(nested.replace("class A", "class WanVideoSVIStitch")) == []
