"""A chain of clips as one WanVideo SVI Long Video: the prompts become a story, what served single clips goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...svi_embeds.errors import SVIError
from .clips import Clip, Clips
from .definitions import Definition
from .graph import Workflow
from .host_nodes import EMPTY_EMBEDS, SAMPLER_SETTINGS, TEXT_ENCODER
from .migrate import count_nodes, migrate
from .prune import fed_by, prune
from .read_chain import ChainReader, Story
from .report import Report, finding
from .rewrite import position, size
from .scope import Node, Source
from .wires import At, Wires

LONG_VIDEO = "WanVideoSVILongVideo"


def as_story(workflow: Workflow, own: Mapping[str, Definition]) -> Report:
    """Migrate a workflow in place, and make its chain one node. own: definitions of this pack's nodes, by id.

    Raises SVIError when the workflow has no chain, more than one, or something that a story cannot say.
    """
    before = count_nodes(workflow)
    migrated = migrate(workflow, own)
    wires = Wires(workflow)
    clips = Clips(wires)
    chain = _the_chain(clips)
    story = ChainReader(wires, clips, chain).read()
    rate = _frame_rate(wires, chain[-1])
    if rate:
        story.values["fps"] = rate
    fed = fed_by(wires, [at.node for clip in chain for at in clip.samplers])
    node = _build(chain, story, own)
    removed = [*migrated.removed, *prune(wires, node, fed)]
    workflow.save()
    said = f"{len(chain)} clips became one WanVideo SVI Long Video, mode {story.values['mode']}"
    findings = [*migrated.findings, finding("rewrite", node, said, pattern="story", fixed=True), *story.findings]
    return Report(tuple(findings), before, count_nodes(workflow), tuple(removed))


def _the_chain(clips: Clips) -> list[Clip]:
    chains = [chain for end in clips.ends() if len(chain := end.chain()) > 1]
    if len(chains) != 1:
        found = f"{len(chains)} chains" if chains else "no chain of clips that this pack knows"
        raise SVIError(f"as a story needs one chain of two or more clips, and this graph has {found}")
    if any(at.path for clip in chains[0] for at in (clip.embeds, *clip.samplers)):
        raise SVIError("the chain lies in a subgraph: unpack it first, then migrate as a story")
    return chains[0]


def _frame_rate(wires: Wires, clip: Clip) -> float | None:
    """Frames per second of the node that saves the video that ends with a clip."""
    waiting = [at.node for at in clip.samplers]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop(0)
        if id(node) in seen:
            continue
        seen.add(id(node))
        for name in ("frame_rate", "fps"):
            try:
                rate = wires.value(At((), node), name)
            except SVIError:
                continue
            if isinstance(rate, (int, float)) and not isinstance(rate, bool) and 1 <= rate <= 120:
                return float(rate)
        waiting += [use.node for use in wires.uses_through(node) if use.node is not None]
    return None


def _build(chain: list[Clip], story: Story, own: Mapping[str, Definition]) -> Node:
    """Put the new nodes on the places of those that they stand for."""
    scope = chain[0].embeds.node.scope
    empty = chain[0].embeds.node
    sources = dict(story.sources)
    frames: dict[str, Any] = {
        name: story.values[name] for name in ("width", "height", "num_frames") if name in story.values
    }
    long_video = chain[-1].embeds.node
    if isinstance(story.encoder, dict):
        values = {name: value for name, value in story.encoder.items() if value is not None}
        sources["t5"] = Source(scope.add(TEXT_ENCODER, values, _beside(empty, down=200)).id, 0)
    else:
        sources["t5"] = Source(story.encoder.at.node.id, story.encoder.slot)
    for stage, (values, links) in enumerate(story.stages):
        sampler = chain[0].samplers[stage].node
        scope.replace(sampler, SAMPLER_SETTINGS, values, {**links, "image_embeds": Source(empty.id, 0)}, {})
        sources["low_noise_sampler_inputs" if stage else "sampler_inputs"] = Source(sampler.id, 0)
    scope.replace(empty, EMPTY_EMBEDS, frames, {}, {0: 0})
    scope.replace(long_video, own[LONG_VIDEO], story.values, sources, {})
    if "pos" in long_video.raw:
        settings = chain[0].samplers[-1].node
        long_video.raw["pos"] = list(_beside(settings, right=size(settings)[0] + 100))
    for node in (empty, long_video, *(at.node for at in chain[0].samplers)):
        scope.untitle(node)  # what it was called belonged to one clip
    return long_video


def _beside(node: Node, *, right: float = 0, down: float = 0) -> tuple[float, float]:
    """A place this far from a node."""
    x, y = position(node) or (0.0, 0.0)
    return x + right, y + down
