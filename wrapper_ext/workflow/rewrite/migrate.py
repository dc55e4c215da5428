"""Existing SVI graphs become graphs of this pack's nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ....svi_embeds.errors import SVIError
from ..find.clips import Clips
from ..find.defects import SeedFix, equal_seeds, standing
from ..find.native import native_defects
from ..find.others import others
from ..find.wires import Wires
from ..model.definitions import Definition
from ..model.graph import Workflow
from ..model.report import Finding, Report
from ..model.scope import Node
from .change import carry_out
from .layout import Layout
from .planner import Planner
from .sleeping import sleeping


def migrate(workflow: Workflow, own: Mapping[str, Definition]) -> Report:
    """Rewrite a workflow in place. own: definitions of this pack's nodes, by id.

    Known patterns are replaced, known defects repaired where that is possible, and everything else stays. Raises
    SVIError for a workflow whose subgraphs unfold into too many nodes.
    """
    before = count_nodes(workflow)
    order = {
        (scope.name, node.id): (index, _order(node)) for index, scope in enumerate(workflow.scopes)
        for node in scope.nodes.values()
    }  # fmt: skip
    wires = Wires(workflow)
    clips = Clips(wires)
    rewrites, findings = Planner(wires, clips).plan()
    repaired = {
        id(node) for rewrite in rewrites for node in (rewrite.at.node, *(target for target, _, _ in rewrite.links))
    }
    for rewrite in rewrites:
        findings += rewrite.findings
    findings += [*others(wires), *native_defects(wires), *sleeping(workflow)]
    findings += standing(wires, clips, repaired=repaired)
    seeds = equal_seeds(wires, clips)
    removed = carry_out(wires, own, rewrites)
    findings += [_set_seed(fix) for fix in seeds]
    layout = Layout()
    for rewrite in rewrites:
        layout.place(rewrite.at.node, rewrite.parts)
    workflow.save()
    findings.sort(key=lambda found: order.get((found.subgraph, found.node), (0, 0)))
    return Report(tuple(dict.fromkeys(findings)), before, count_nodes(workflow), tuple(removed))


def _set_seed(fix: SeedFix) -> Finding:
    if fix.seed is None:
        return fix.found
    try:
        for sampler in fix.clip.samplers:
            sampler.node.values()
    except SVIError as error:
        return replace(fix.found, fix=f"give it another by hand ({error})")
    for sampler in fix.clip.samplers:
        sampler.node.scope.set_value(sampler.node, "seed", fix.seed)
    return replace(fix.found, fixed=True)


def _order(node: Node) -> float:
    """When a node runs, as the frontend noted it."""
    order = node.raw.get("order")
    return order if isinstance(order, (int, float)) else 0


def count_nodes(workflow: Workflow) -> int:
    """Nodes of a workflow and its subgraphs."""
    return sum(len(scope.nodes) for scope in workflow.scopes)
