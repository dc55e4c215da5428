"""Clocks in the ComfyUI of the GPU benchmark: what runs when, for how long, with how much GPU memory.

Nothing is patched on the disk; functions are wrapped in this process alone, when the benchmark asks for it.

POST /svi_bench/begin {"sync": bool} forgets what was measured; GET /svi_bench/marks gives it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import nodes
import torch
from aiohttp import web
from server import PromptServer

from . import stand_ins

_NODES = {
    "WanVideoSampler": "sampler", "WanVideoDecode": "decode", "WanVideoClipVisionEncode": "vision",
    "WanVideoTextEncode": "text", "WanVideoEncode": "encode", "WanVideoModelLoader": "load_model",
    "LoadWanVideoT5TextEncoder": "load_t5", "CLIPVisionLoader": "load_vision", "WanVideoVAELoader": "load_vae",
    "WanVideoSVILongVideo": "long_video", "WanVideoSVIEmbeds": "embeds", "WanVideoSVIStitch": "stitch",
    "WanVideoSVIMotionFrames": "motion", "WanVideoSVILongVideoNative": "long_video",
    # ComfyUI's own
    "UNETLoader": "load_model", "CLIPLoader": "load_t5", "VAELoader": "load_vae", "CLIPTextEncode": "text",
    "CLIPVisionEncode": "vision", "VAEEncode": "encode", "VAEDecode": "decode", "KSamplerAdvanced": "sampler",
}  # fmt: skip
_COMFY = (
    ("comfy.sd", "VAE", "encode", "vae_encode"), ("comfy.sd", "VAE", "decode", "vae_decode"),
    ("comfy.model_base", "BaseModel", "apply_model", "step"),
)  # fmt: skip
# Of the wrapper: module, what holds it in there, function, what it is called here.
_WRAPPER = (
    ("nodes_model_loading", "", "load_weights", "load_weights"), ("custom_linear", "", "set_lora_params", "set_loras"),
    ("utils", "", "offload_transformer", "offload"), ("wanvideo.modules.model", "WanModel", "forward", "step"),
    ("wanvideo.wan_video_vae", "WanVideoVAE", "encode", "vae_encode"),
    ("wanvideo.wan_video_vae", "WanVideoVAE", "decode", "vae_decode"),
    ("wanvideo.wan_video_vae", "WanVideoVAE", "to", "vae_move"),
    ("wanvideo.wan_video_vae", "VideoVAE_", "to", "vae_move"),
)  # fmt: skip
_PACK = (
    ("wrapper_ext.render.chain", "_Renderer", "_takes", "clip"),
    ("wrapper_ext.render.digest", "Digests", "of", "digest"),
    ("wrapper_ext.render.clip", "ClipMaker", "condition", "condition"),
    ("wrapper_ext.render.clip", "ClipMaker", "make", "make"), ("wrapper_ext.render.text", "Texts", "of", "texts"),
    ("wrapper_ext.render.drift", "DriftSoFar", "picture", "picture"),
    ("wrapper_ext.render.save", "Saver", "add", "saver_add"),
    ("wrapper_ext.render.save", "Saver", "_wait", "saver_wait"),
    ("svi_embeds.reel.writer", "ReelWriter", "add", "write_clip"),
    ("svi_embeds.reel.writer", "ReelWriter", "set_chain", "set_chain"),
    ("wrapper_ext.render.ahead", "JoinAhead", "finish", "join_finish"),
    ("wrapper_ext.render.join", "", "assemble", "join_whole"),
    ("wrapper_ext.render.long_video", "", "render_story", "story"),
    ("wrapper_ext.render.sources", "", "_origins", "origins"),
    ("wrapper_ext.render.long_video", "", "encoders_to_load", "lazy"),
    ("wrapper_ext.host.comfy", "", "free_memory", "free_memory"), ("svi_embeds.colour.look", "", "glance", "glance"),
    ("wrapper_ext.host.show", "", "show_text", "show_text"),
    ("svi_embeds.ground.fingerprint", "", "fingerprint", "fingerprint"),
    ("svi_embeds.ground.images", "", "last_frames", "last_frames"),
    ("svi_embeds.clips.pixels.compose", "", "prepare_parts", "prepare"),
    ("svi_embeds.clips.pixels.compose", "", "compose_video", "compose"),
    ("svi_embeds.clips.pixels.show", "", "make_tiles", "tiles"),
    ("svi_embeds.clips.repeats", "", "encode_repeating", "encoding"),
    ("svi_embeds.clips.pixels.make", "", "make_clip", "make_clip"),
    ("svi_embeds.clips.latents.make", "", "make_latent_clip", "make_clip"),
    ("svi_embeds.files.video", "", "write_video", "write_video"),
)  # fmt: skip


class _Clocks:
    """Marks: what began and ended when, on which thread, in what, and how much of it was no other mark's."""

    def __init__(self) -> None:
        self.marks: list[dict[str, Any]] = []
        self.sync = False
        self.peak = self.reserved = self.here = 0
        self._open = threading.local()
        self._lock = threading.Lock()

    def begin(self, *, sync: bool) -> None:
        self.sync, self.marks, self.peak, self.reserved = sync, [], 0, 0
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def peaks(self) -> tuple[int, int]:
        if torch.cuda.is_available():
            most = torch.cuda.max_memory_allocated()
            self.peak, self.here = max(self.peak, most), max(self.here, most)
            self.reserved = max(self.reserved, torch.cuda.max_memory_reserved())
        return self.peak, self.reserved

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            mark = self._enter(name)
            try:
                return function(*args, **kwargs)
            finally:
                self._leave(mark)

        return run

    def _enter(self, name: str) -> dict[str, Any]:
        stack = self._open.__dict__.setdefault("stack", [])
        thread = threading.current_thread().name
        mark = {"name": name, "thread": thread, "in": stack[-1]["name"] if stack else "", "inner": 0.0}
        self._settle(thread)
        if torch.cuda.is_available() and name == "sampler":
            torch.cuda.reset_peak_memory_stats()
            self.here = 0
            mark["gib_before"] = torch.cuda.memory_allocated() / 2**30
        stack.append(mark)
        mark["start"] = time.monotonic()
        return mark

    def _leave(self, mark: dict[str, Any]) -> None:
        self._settle(mark["thread"])
        mark["end"] = time.monotonic()
        stack = self._open.stack
        stack.pop()
        if mark["name"] == "sampler" and "torch._dynamo" in sys.modules:
            # How many graphs torch.compile has made since the start, and how often it compiled a function.
            counters = sys.modules["torch._dynamo"].utils.counters
            mark["graphs"] = counters["stats"]["unique_graphs"]
            mark["compiles"] = counters["frames"]["ok"]
        if torch.cuda.is_available():
            mark["gib"] = torch.cuda.memory_allocated() / 2**30
            self.peaks()
            mark["gib_most"] = self.here / 2**30
        if stack:
            stack[-1]["inner"] += mark["end"] - mark["start"]
        with self._lock:
            self.marks.append(mark)

    def _settle(self, thread: str) -> None:
        """Waits for the GPU, so that its time is that of whoever gave it the work; not on threads beside the chain."""
        if self.sync and torch.cuda.is_available() and not thread.startswith("svi-"):
            torch.cuda.synchronize()


_clocks = _Clocks()
_installed: list[str] = []


def _package_of(node_id: str, module: str) -> str:
    """The package that a node's class stands in, where `module` is where in it."""
    return str(nodes.NODE_CLASS_MAPPINGS[node_id].__module__).removesuffix(module).removesuffix(".")


def _wrap(package: str, module: str, holder: str, function: str, name: str) -> None:
    home: Any = importlib.import_module(f"{package}.{module}")
    if holder:
        held = getattr(home, holder)
        setattr(held, function, _clocks.timed(name, getattr(held, function)))
        return
    plain = getattr(home, function)
    timed = _clocks.timed(name, plain)
    for other in list(sys.modules.values()):  # who imported it by name has it too
        if isinstance(other, ModuleType) and other.__name__.startswith(package):
            for key, value in list(vars(other).items()):
                if value is plain:
                    setattr(other, key, timed)


def _keep_peaks() -> None:
    """The wrapper forgets the peak of GPU memory at the end of a sampler call: it is read first."""
    plain = torch.cuda.reset_peak_memory_stats

    def reset(*args: Any, **kwargs: Any) -> None:
        _clocks.peaks()
        plain(*args, **kwargs)

    torch.cuda.reset_peak_memory_stats = reset


def _install() -> None:
    if torch.cuda.is_available():
        _keep_peaks()
    pack = _package_of("WanVideoSVILongVideo", "wrapper_ext.nodes.long_video")
    wrapper = _package_of("WanVideoDecode", "nodes")
    importlib.import_module(f"{pack}.wrapper_ext.render.long_video")  # the node imports it when it first runs
    for row in _WRAPPER:
        _wrap(wrapper, *row)
    for row in _PACK:
        _wrap(pack, *row)
    for module, holder, function, name in _COMFY:
        held = getattr(importlib.import_module(module), holder)
        setattr(held, function, _clocks.timed(name, getattr(held, function)))
    for node_id, name in _NODES.items():
        node = nodes.NODE_CLASS_MAPPINGS[node_id]
        setattr(node, node.FUNCTION, _clocks.timed(name, getattr(node, node.FUNCTION)))
    gc.collect = _clocks.timed("gc", gc.collect)  # type: ignore[assignment]
    management = importlib.import_module("comfy.model_management")
    management.load_models_gpu = _clocks.timed("load_models", management.load_models_gpu)
    if small := os.environ.get("SVI_BENCH_TEXT"):
        text = importlib.import_module(f"{wrapper}.wanvideo.modules.t5")
        text.umt5_xxl = functools.partial(text.umt5_xxl, **json.loads(small))
    _installed.extend((pack, wrapper))


@PromptServer.instance.routes.post("/svi_bench/begin")
async def _begin(request: web.Request) -> web.Response:
    if not _installed:
        _install()
    _clocks.begin(sync=(await request.json())["sync"])
    return web.json_response({})


@PromptServer.instance.routes.get("/svi_bench/marks")
async def _marks(_: web.Request) -> web.Response:
    peak, reserved = _clocks.peaks()
    return web.json_response({"marks": _clocks.marks, "peak_gib": peak / 2**30, "reserved_gib": reserved / 2**30})


NODE_CLASS_MAPPINGS = stand_ins.nodes(_installed)
