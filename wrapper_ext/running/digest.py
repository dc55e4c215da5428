"""Where an input comes from, as a short name: what the graph upstream of it is, whatever ids its nodes have."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ...svi_embeds.ground.fingerprint import fingerprint
from .wiring import RunningGraph

# Where a model waits and how it is moved decides nothing about what it gives: what people change after running out of
# memory must not cost them the clips they have.
MEMORY_INPUTS = ("block_swap_args", "force_offload", "load_device", "vram_management_args")
_PASSING = {"WanVideoSetBlockSwap": "model"}  # nodes that pass on the input of that name


def graph_digest(
    graph: RunningGraph,
    node_id: str,
    name: str,
    *,
    file_state: Callable[[str], str],
    ignore: Collection[str] = (),
) -> str:
    """A digest of the nodes and values upstream of one input; "" when it is not linked or the graph is not known.

    file_state: tells the state of a model file by the name that a widget holds, so that a file of that name with other
    weights counts as another. ignore: inputs of the nearest node that do not count.
    """
    source = _behind(graph, graph.source(node_id, name))
    return _digest_of(graph, source, {}, file_state, ignore) if source else ""


def _behind(graph: RunningGraph, source: tuple[str, int] | None) -> tuple[str, int] | None:
    """The same place, or what is behind it when the node there only passes its model on."""
    seen = set()
    while source is not None and source[0] not in seen:
        seen.add(source[0])
        node = graph.nodes.get(source[0])
        passed = _PASSING.get(str(node.get("class_type"))) if isinstance(node, dict) else None
        further = graph.source(source[0], passed) if passed is not None else None
        if further is None:
            break
        source = further
    return source


def _digest_of(
    graph: RunningGraph,
    source: tuple[str, int],
    known: dict[str, str],
    file_state: Callable[[str], str],
    ignore: Collection[str] = (),
) -> str:
    """Depth first without recursion, since chains of nodes can be long. known: digests of nodes that are done."""
    waiting = [source[0]]
    while waiting:
        here = waiting[-1]
        skip = {*MEMORY_INPUTS, *(ignore if here == source[0] else ())}
        inputs = {key: value for key, value in graph.inputs(here).items() if key not in skip}
        links = {key: link for key in inputs if (link := _behind(graph, graph.source(here, key)))}
        known.setdefault(here, "")  # a loop, which ComfyUI refuses anyway, ends here
        if missing := [node for node, _ in links.values() if node not in known]:
            waiting += missing
            continue
        waiting.pop()
        node = graph.nodes.get(here)
        facts = {
            key: [known[links[key][0]], links[key][1]] if key in links else [value, file_state(value)]
            if isinstance(value, str) else value
            for key, value in inputs.items()
        }  # fmt: skip
        known[here] = fingerprint([node.get("class_type") if isinstance(node, dict) else None, facts])
    return f"{known[source[0]]}:{source[1]}"
