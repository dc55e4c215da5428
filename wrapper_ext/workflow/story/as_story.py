"""A chain of clips as one WanVideo SVI Long Video, native where its samplers are: the prompts become a story, what
served single clips goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ....svi_embeds.errors import SVIError
from ..find.clips import Clip, Clips
from ..find.joins import JOINS
from ..find.wires import Wires
from ..model.definitions import Definition
from ..model.graph import Workflow
from ..model.host_nodes import EMPTY_EMBEDS, SAMPLER_SETTINGS, TEXT_ENCODER
from ..model.report import Finding, Report, finding
from ..model.scope import Node, Source
from ..rewrite.carry import position, size
from ..rewrite.migrate import count_nodes, migrate
from .chain import Story, read_chain
from .native_chain import build_native, read_native_chain
from .native_clips import check_no_loop, is_native, native_chains
from .prune import fed_by, needed_by, prune

LONG_VIDEO = "WanVideoSVILongVideo"


def as_story(workflow: Workflow, own: Mapping[str, Definition]) -> Report:
    """Migrate a workflow in place, and make its chain one node. own: definitions of this pack's nodes, by id.

    Raises SVIError when the workflow has no chain, more than one, or something that a story cannot say.
    """
    before = count_nodes(workflow)
    # Before the migration too: what it cuts off from the chain had to do with it all the same.
    old = _had_to_do(Wires(workflow))
    migrated = migrate(workflow, own)
    wires = Wires(workflow)
    clips = Clips(wires)
    chain = _the_chain(wires, clips)
    joins = {node.id for node in workflow.root.nodes.values() if node.type in JOINS}
    fed = fed_by(wires, _own(chain))
    old |= needed_by(wires, fed)
    if is_native(chain):
        check_no_loop(needed_by(wires, _own(chain)))
        native = read_native_chain(wires, clips, chain, fed)
        node, told = build_native(chain, native, own), native.findings
        became = f"Long Video (native), mode {native.values['mode']}"
    else:
        story = read_chain(wires, clips, chain, fed)
        node, told = _build(chain, story, own), story.findings
        became = f"Long Video, mode {story.values['mode']}"
    said = f"{len(chain)} clip{'s' * (len(chain) > 1)} became one WanVideo SVI {became}"
    gone = prune(wires, node, fed=fed, old=old)
    workflow.save()
    kept = [_of_join(found, joins) for found in migrated.findings if not _is_past(found, node, joins)]
    findings = [*kept, finding("rewrite", node, said, pattern="story", fixed=True), *told]
    return Report(tuple(findings), before, count_nodes(workflow), (*migrated.removed, *gone))


def _own(chain: list[Clip]) -> list[Node]:
    return [at.node for clip in chain for at in (clip.embeds, *clip.samplers)]


def _had_to_do(wires: Wires) -> set[Node]:
    """The nodes that feed a chain of clips, or what it feeds."""
    return needed_by(wires, fed_by(wires, [node for chain in _chains(wires, Clips(wires)) for node in _own(chain)]))


def _is_past(found: Finding, made: Node, joins: Collection[int | str]) -> bool:
    """Whether a finding is about how a node works, or why it stays, that is gone now. made: what stands in its place,
    where it was one of the chain's own."""
    if found.subgraph or (found.node in made.scope.nodes and found.node != made.id):
        return False
    if found.kind == "left":
        return found.node not in joins
    return found.about in ("blend", "noise")


def _of_join(found: Finding, joins: Collection[int | str]) -> Finding:
    """What kept a join from being replaced, now that the reel joins the clips."""
    if found.kind != "left" or found.subgraph or found.node not in joins:
        return found
    what = f"the reel joins the clips now, and shows what they share once; of the join: {found.what}"
    return replace(found, kind="note", what=what)


def _chains(wires: Wires, clips: Clips) -> list[list[Clip]]:
    """The graph's chains of clips; a single clip is one where there is no other."""
    chains = [end.chain() for end in clips.ends()] + native_chains(wires)
    return [chain for chain in chains if len(chain) > 1] or chains


def _the_chain(wires: Wires, clips: Clips) -> list[Clip]:
    chains = _chains(wires, clips)
    if len(chains) != 1:
        single = all(len(chain) == 1 for chain in chains)
        found = f"{len(chains)} {'clips that do not follow one another' if single else 'chains'}" if chains else (
            "no clip that this pack knows"
        )  # fmt: skip
        raise SVIError(f"as a story needs one chain of clips, or a single clip, and this graph has {found}")
    if any(at.path for clip in chains[0] for at in (clip.embeds, *clip.samplers)):
        raise SVIError("the chain is in a subgraph: unpack it first, then migrate as a story")
    return chains[0]


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
        sources["t5"] = story.encoder
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
