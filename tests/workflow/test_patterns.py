"""A pattern of old graphs is known wherever it must be: to the planner, to what finds clips, to readers of the page."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from old_graphs import OUTPUTS, keyframe_canvas, pixel_chain, pro_chain, wanex
from project import ROOT
from wanvideo_svi.wrapper_ext.answers.migrate import own_nodes
from wanvideo_svi.wrapper_ext.workflow import rewrite
from wanvideo_svi.wrapper_ext.workflow.find.clips import EMBEDS, Clips
from wanvideo_svi.wrapper_ext.workflow.find.match import OneOf, Part, Spec
from wanvideo_svi.wrapper_ext.workflow.find.wires import Wires
from wanvideo_svi.wrapper_ext.workflow.model.graph import Workflow
from wanvideo_svi.wrapper_ext.workflow.model.signatures import _VERSIONS
from wanvideo_svi.wrapper_ext.workflow.rewrite.carry import Pattern
from wanvideo_svi.wrapper_ext.workflow.rewrite.planner import PATTERNS, Planner

ROOTS = sorted({kind for pattern in PATTERNS for kind in pattern.shape.types})
# Graphs that have the patterns, each at least once.
GRAPHS = (pixel_chain(), pro_chain(), keyframe_canvas(), wanex())
# Nodes of patterns whose saved values are not read, and why.
NO_WIDGETS = {
    "ImageBatch": "it has none",
    "BatchImagesNode": "it has none",
    "InvertMask": "it has none",
    "VHS_MergeImages": "they say how it resizes, which is not read",
}


def parts(spec: Spec) -> Iterator[Part]:
    """The nodes of a shape."""
    if isinstance(spec, OneOf):
        for one in spec.specs:
            yield from parts(one)
    elif isinstance(spec, Part):
        yield spec
        for inner in spec.inputs.values():
            yield from parts(inner)


NAMED = sorted({kind for pattern in PATTERNS for part in parts(pattern.shape) for kind in part.types})


def test_the_planner_knows_every_pattern() -> None:
    for found in pkgutil.iter_modules(rewrite.__path__):
        if found.name == "planner":
            continue
        module = importlib.import_module(f"{rewrite.__name__}.{found.name}")
        for name, value in vars(module).items():
            if isinstance(value, Pattern):
                assert value in PATTERNS, (
                    f"{name} of wrapper_ext/workflow/rewrite/{found.name}.py is looked for in no graph: add it to "
                    "PATTERNS in planner.py beside it"
                )


@pytest.mark.parametrize("kind", ROOTS)
def test_a_node_that_makes_image_embeds_is_a_clip(kind: str) -> None:
    """What no clip is found of has no LoRAs, no seed and no place in a chain, and nothing says why."""
    assert kind in OUTPUTS, f"OUTPUTS in tests/support/old_graphs.py has no {kind}: say what it gives"
    makes = "WANVIDIMAGE_EMBEDS" in [of for _, of in OUTPUTS[kind]]
    assert kind in EMBEDS or not makes, (
        f"{kind} makes image_embeds, and no clip of it is found: add it to EMBEDS in "
        "wrapper_ext/workflow/find/clips.py, with the input that the clip before comes in by"
    )


@pytest.mark.parametrize("kind", NAMED)
def test_values_that_a_node_of_a_pattern_is_saved_with_are_known(kind: str) -> None:
    assert (kind in _VERSIONS) != (kind in NO_WIDGETS), (
        f"{kind} stands in a pattern: write its widgets, in the order of a saved graph's widgets_values, into "
        "_VERSIONS of wrapper_ext/workflow/model/signatures.py, or into NO_WIDGETS here why none is read"
    )


def test_a_graph_has_each_pattern() -> None:
    found = set()
    for raw in GRAPHS:
        wires = Wires(Workflow(raw, own_nodes()))
        found |= {each.pattern.id for each in Planner(wires, Clips(wires)).plan()[0]}
    lacks = sorted({pattern.id for pattern in PATTERNS} - found)
    assert not lacks, (
        f"no graph shows what becomes of {', '.join(lacks)}: make one in tests/support/old_graphs.py, add it to GRAPHS "
        "here, and test in tests/workflow/test_migrate.py what comes out"
    )


def test_the_page_has_a_part_for_every_pattern_and_for_no_other() -> None:
    page = (ROOT / "docs" / "reference" / "migration.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (P[^:\n]*): ", page, re.MULTILINE)
    told, made = {name for each in headings for name in each.split(" and ")}, {pattern.id for pattern in PATTERNS}
    assert told >= made, (
        f"docs/reference/migration.md has no heading `### {min(made - told)}: ...`: what becomes of what"
    )
    assert told <= made, f"docs/reference/migration.md tells of {told - made}, which no pattern of planner.py is"
