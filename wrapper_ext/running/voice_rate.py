"""At which rate a voice was made, read from the graph that runs: its features do not say."""

from __future__ import annotations

from ...svi_embeds.guides.follow import VOICE
from .wiring import RunningGraph

_SETTINGS = ("sampler_inputs", "low_noise_sampler_inputs")
_SOUND, _RATE = "audio_1", "fps"  # inputs of the wrapper's nodes that make features of audio


def voice_rate(graph: RunningGraph, node_id: str) -> float | None:
    """Entries per second of the multitalk_embeds behind a node's sampler settings; None when it cannot be seen."""
    for settings, _ in graph.upstream(node_id, _SETTINGS):
        voice = graph.source(settings, VOICE)
        if voice is not None:
            *_, maker = voice[0], *(node for node, _ in graph.upstream(voice[0], (VOICE,)))
            # Another node's fps may be that of a video.
            return _number(graph, maker, _RATE) if _SOUND in graph.inputs(maker) else None
    return None


def _number(graph: RunningGraph, node: str, name: str) -> float | None:
    """A number that a widget holds, or a node of nothing but a value."""
    source = graph.source(node, name)
    value = graph.inputs(node).get(name) if source is None else graph.inputs(source[0]).get("value")
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
