"""What the samplers behind a high/low pair are set to, read from the graph that runs.

The wrapper takes any settings of the two samplers silently, and no node in between can see them; the graph can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...svi_embeds.pair.plan import Pair

_UNKNOWN = object()  # linked to something that is not known before it runs
_MODEL_LINKS = ("model",)
_SAMPLES_LINKS = ("samples", "latent", "latents", "sampler_inputs")
_LORA_LINKS = ("model", "lora", "prev_lora")
_LORA_NAMES = ("lora", "lora_name", *(f"lora_{i}" for i in range(5)))
_PROMPTS = ("positive_prompt", "prompt")

# Outputs of WanVideoHighLowPair by position; its RETURN_NAMES are these.
PAIR_OUTPUTS = (
    "high_model", "low_model", "high_embeds", "low_embeds", "steps", "shift", "scheduler", "high_end_step",
    "low_start_step", "info",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunningGraph:
    """ComfyUI's prompt: node id -> {"class_type", "inputs"}, an input being a value or [node id, output]."""

    nodes: Mapping[str, Any]

    def inputs(self, node_id: str) -> Mapping[str, Any]:
        node = self.nodes.get(node_id)
        inputs = node.get("inputs") if isinstance(node, Mapping) else None
        return inputs if isinstance(inputs, Mapping) else {}

    def source(self, node_id: str, name: str) -> tuple[str, int] | None:
        """Where an input is linked to, or None."""
        value = self.inputs(node_id).get(name)
        if isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[1], int):
            return str(value[0]), value[1]
        return None

    def upstream(self, node_id: str, names: tuple[str, ...]) -> Iterator[tuple[str, int]]:
        """Nodes behind a node's inputs of these names, nearest first: (node id, its output)."""
        waiting, seen = [node_id], {node_id}
        while waiting:
            here = waiting.pop(0)
            for name in names:
                found = self.source(here, name)
                if found and found[0] not in seen:
                    seen.add(found[0])
                    waiting.append(found[0])
                    yield found


def lora_names(graph: RunningGraph, node_id: str, model_input: str) -> tuple[str, ...]:
    """Files of the LoRAs on the way to a node's model input, as the select nodes name them; strength 0 left out."""
    start = graph.source(node_id, model_input)
    if start is None:
        return ()
    found = []
    for here, _ in (start, *graph.upstream(start[0], _LORA_LINKS)):
        inputs = graph.inputs(here)
        for name in _LORA_NAMES:
            value = inputs.get(name)
            strength = inputs.get(name.replace("lora", "strength") if name[-1].isdigit() else "strength", 1)
            if isinstance(value, str) and value.lower() != "none" and strength != 0:
                found.append(value)
    return tuple(found)


def wiring_problems(graph: RunningGraph, node_id: str, pair: Pair) -> list[str]:
    """What is wrong with the samplers that the pair node's models go to: one line each, [] when all is well.

    Only settings that can be read are judged: values, and links to the pair node.
    """
    check = _Check(graph, node_id, pair)
    return [problem for last in check.last_samplers() for problem in check.chain(last)]


class _Check:
    """The samplers of one pair node. stages: high or low by sampler. ours: what the node gives, by output."""

    def __init__(self, graph: RunningGraph, node_id: str, pair: Pair) -> None:
        self.graph, self.node_id, self.pair = graph, node_id, pair
        self.ours: dict[int, Any] = {
            PAIR_OUTPUTS.index(name): value
            for name, value in (
                ("steps", pair.steps), ("shift", pair.shift), ("scheduler", pair.scheduler),
                ("high_end_step", pair.split), ("low_start_step", pair.split),
            )
        }  # fmt: skip
        self.stages = {
            sampler: stage
            for sampler in graph.nodes
            if sampler != node_id and self._samples(sampler) and (stage := self._stage(sampler))
        }  # fmt: skip

    def _stage(self, sampler: str) -> str | None:
        for source, slot in self.graph.upstream(sampler, _MODEL_LINKS):
            if source == self.node_id:
                return {0: "high", 1: "low"}.get(slot)
        return None

    def before(self, sampler: str) -> str | None:
        """The sampler of this pair whose samples this one continues with; None when it is another one, or not seen."""
        found = (node for node, _ in self.graph.upstream(sampler, _SAMPLES_LINKS) if self._samples(node))
        nearest = next(found, None)
        return nearest if nearest in self.stages else None

    def _samples(self, node: str) -> bool:
        return {"model", "image_embeds"} <= set(self.graph.inputs(node))

    def last_samplers(self) -> list[str]:
        """Low noise samplers that no other low noise sampler continues from."""
        followed = {self.before(node) for node, stage in self.stages.items() if stage == "low"}
        return [node for node, stage in self.stages.items() if stage == "low" and node not in followed]

    def value(self, node: str, name: str, default: Any) -> Any:
        """The value of an input, _UNKNOWN when it is linked to something else than the pair node."""
        source = self.graph.source(node, name)
        if source is not None:
            return self.ours.get(source[1], _UNKNOWN) if source[0] == self.node_id else _UNKNOWN
        return self.graph.inputs(node).get(name, default)

    def settings(self, sampler: str, name: str, default: Any = _UNKNOWN) -> Any:
        """A setting of a sampler; a connected scheduler node overrides the sampler's own."""
        source = self.graph.source(sampler, "scheduler")
        if source and source[0] != self.node_id and name in self.graph.inputs(source[0]):
            return self.value(source[0], name, default)
        return self.value(sampler, name, default)

    def title(self, node: str) -> str:
        meta = self.graph.nodes[node].get("_meta") or {}
        return f"{meta.get('title') or self.graph.nodes[node].get('class_type', 'sampler')} (node {node})"

    def chain(self, last: str) -> list[str]:
        """Problems of the samplers that lead to `last`, a low noise one."""
        samplers = [last]
        if self.graph.source(last, "samples") is None:
            return [f"{self.title(last)} has no samples: connect those of the high noise sampler"]
        while (node := self.before(samplers[0])) and node not in samplers:
            samplers.insert(0, node)
        problems = [problem for node in samplers for problem in self._sampler(node)]
        if problems or self.graph.source(samplers[0], "samples"):
            return problems  # in the second case who ran the steps before cannot be seen
        return self._steps(samplers)

    def _sampler(self, node: str) -> Iterator[str]:
        title, stage = self.title(node), self.stages[node]
        for name, wanted in (
            ("steps", self.pair.steps),
            ("shift", self.pair.shift),
            ("scheduler", self.pair.scheduler),
        ):
            found = self.settings(node, name)
            if found is not _UNKNOWN and found != wanted:
                yield f"{title} has {name} {found}, the pair {wanted}: wire this node's {name} to both samplers"
        embeds = self.graph.source(node, "image_embeds")
        if embeds is not None and embeds[0] == self.node_id and PAIR_OUTPUTS[embeds[1]] != f"{stage}_embeds":
            yield f"{title} has {PAIR_OUTPUTS[embeds[1]]} as image_embeds: wire {stage}_embeds"
        start = self.settings(node, "start_step", 0)
        if start is not _UNKNOWN and start:
            if self.value(node, "add_noise_to_samples", False) is True:
                yield f"{title} has add_noise_to_samples on, which noises what is half done: turn it off"
            denoise = self.value(node, "denoise_strength", 1.0)
            if denoise is not _UNKNOWN and denoise != 1:
                yield f"{title} has denoise_strength {denoise}: it must be 1 where start_step is not 0"
        for source, _ in self.graph.upstream(node, ("text_embeds",)):
            if any("[1]" in text for name in _PROMPTS if isinstance(text := self.graph.inputs(source).get(name), str)):
                yield f"the prompt of {title} contains [1], which turns on EchoShot: write (1)"

    def _steps(self, samplers: list[str]) -> list[str]:
        """Whether the samplers together run every step once, and none beyond its model's."""
        reached, total = 0, len(self.pair.sigmas)
        for node in samplers:
            start, end = self.settings(node, "start_step", 0), self.settings(node, "end_step", -1)
            if not isinstance(start, int) or not isinstance(end, int):
                return []
            stop = total if end == -1 or end > total else end
            title = self.title(node)
            if start != reached:
                wrong = "runs steps again" if start < reached else "leaves steps out"
                return [f"{title} starts at step {start}, {reached} were run before: it {wrong}; {self._way(node)}"]
            if self.stages[node] == "high" and stop > self.pair.split:
                return [f"{title} ends at step {stop}, beyond the boundary at {self.pair.split}; {self._way(node)}"]
            reached = stop
        if reached != total:
            return [f"{self.title(samplers[-1])} ends at step {reached} of {total}: set end_step to -1"]
        return []

    def _way(self, node: str) -> str:
        if self.stages[node] == "high":
            return "wire high_end_step of this node to end_step, start_step is 0"
        return "wire low_start_step of this node to start_step, end_step is -1"
