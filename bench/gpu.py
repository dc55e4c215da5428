"""A chain at full size on a GPU: where the time and the memory of its clips go.

python bench/gpu.py --comfyui DIR --models DIR [--out results.json] [CASE ...]

Starts ComfyUI with this pack and the wrapper (its custom_nodes, or --wrapper) on a free port, in a base folder of its
own, and random models of full size in --models, made where they are missing; put that into memory (/dev/shm) to leave
the disk out. Run it with the Python that runs ComfyUI. Each case's raw figures are written to --out as soon as it ends.
--tiny: small models, to try the benchmark itself, on a CPU too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gpu_host import Figures, Host
from gpu_models import (
    DISTILL,
    FILM,
    I2V,
    PAIR,
    PAIR_DISTILL,
    PAIR_PRO,
    TEXT,
    VAE,
    VISION,
    write_picture,
    write_tokenizer,
)
from gpu_table import tell

HERE = Path(__file__).resolve().parent
Link = list[Any]

NEGATIVE = "overexposed, static, blurred details, subtitles, worst quality, low quality, jpeg artifacts, deformed"
PROMPTS = (
    "A red panda walks along a mossy branch in a misty forest, the camera follows slowly",
    "The red panda stops and looks up as light rain begins to fall",
    "The red panda climbs down the trunk and drinks from a clear stream",
    "The red panda curls up on a branch and falls asleep as the sun sets",
)
OTHER_PROMPT = "The red panda climbs higher and looks over the valley as the sun sets"
SEED, SEED_STEP, OVERLAP = 42, 42, 5


@dataclass(frozen=True)
class Size:
    width: int = 832
    height: int = 480
    frames: int = 81
    steps: int = 4


class Graph:
    """Collects the nodes of an API graph, with the defaults that the host says."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known
        self.nodes: dict[str, Any] = {}

    def add(self, class_type: str, output: int = 0, **inputs: Any) -> Link:
        """A node; returns a link to one of its outputs."""
        found = {}
        for group in ("required", "optional"):
            for name, spec in self.known[class_type]["input"].get(group, {}).items():
                options = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
                choices = spec[0] if isinstance(spec[0], list) else options.get("options")
                if "default" in options or choices:
                    found[name] = options.get("default", choices[0] if choices else None)
        node_id = str(len(self.nodes) + 1)
        kept = {name: value for name, value in found.items() if value is not None}
        self.nodes[node_id] = {"class_type": class_type, "inputs": {**kept, **inputs}}
        return [node_id, output]


@dataclass
class Bench:
    comfyui: Path
    wrapper: Path
    models: Path
    base: Path
    out: Path
    tiny: bool
    size: Size
    starts: int = 0
    host: Host | None = None

    def say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def prepare(self) -> None:
        """The folder that ComfyUI runs in. The wrapper is copied: it writes into its own folder."""
        nodes = self.base / "custom_nodes"
        if nodes.exists():
            return
        nodes.mkdir(parents=True)
        (nodes / "wanvideo-svi").symlink_to(HERE.parent)
        (nodes / "svi_bench").symlink_to(HERE / "gpu_nodes")
        own = nodes / "ComfyUI-WanVideoWrapper"
        shutil.copytree(self.wrapper, own, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        write_tokenizer(own / "configs" / "T5_tokenizer")
        for folder in ("input", "output", "temp", "user", "page"):
            (self.base / folder).mkdir()
        (self.base / "page" / "index.html").write_text("")
        (self.base / "models").symlink_to(self.models)
        write_picture(self.base / "input" / "start.png", width=self.size.width, height=self.size.height)

    def make_models(self, *kinds: str) -> None:
        command = [sys.executable, str(HERE / "gpu_models.py"), str(self.comfyui), str(self.wrapper), str(self.models)]
        subprocess.run([*command, *kinds, *(["--tiny"] if self.tiny else [])], check=True)

    def fresh(self) -> Host:
        """A new ComfyUI process in place of the current one."""
        self.stop()
        self.starts += 1
        log = self.base / f"comfyui_{self.starts:02}.log"
        self.host = Host(self.comfyui, self.base, log=log, tiny=self.tiny)
        self.say(f"ComfyUI is up after {self.host.seconds:.1f} s")
        return self.host

    def warm(self) -> Host:
        """The current ComfyUI process."""
        return self.host or self.fresh()

    def stop(self) -> None:
        if self.host is not None:
            self.host.stop()
            self.host = None


# Graphs


@dataclass(frozen=True)
class Models:
    """How a chain's models are wired. swap: blocks that wait in RAM. merged: the LoRAs are added to the weights."""

    precision: str = "fp16"
    merged: bool = False
    swap: int = 0
    force_offload: bool = True
    cfg: float = 1.0
    pair: bool = False


class Scene:
    """What a chain by one node and one by hand share."""

    def __init__(self, host: Host, size: Size, models: Models) -> None:
        self.size, self.models, self.graph = size, models, Graph(host.known)
        add = self.graph.add
        self.vae = add("WanVideoVAELoader", model_name=VAE, precision="bf16")
        self.start = add("LoadImage", image="start.png")
        self.t5 = add("LoadWanVideoT5TextEncoder", model_name=TEXT, precision="bf16")
        if models.pair:
            high, low = ([name.format(noise) for name in (PAIR, PAIR_DISTILL, PAIR_PRO)] for noise in ("HIGH", "LOW"))
            self.first, self.main = self._model(*high)
            self.first_low, self.low = self._model(*low)
        else:
            self.vision = add("CLIPVisionLoader", clip_name=VISION)
            self.first, self.main = self._model(I2V, DISTILL, FILM)

    def _model(self, file: str, distill: str, svi: str) -> tuple[Link, Link]:
        """A model as the first clip has it, and with the SVI LoRA."""
        add, models = self.graph.add, self.models
        inputs: dict[str, Any] = {"base_precision": models.precision, "attention_mode": "sdpa"}
        if models.swap:
            inputs["block_swap_args"] = add("WanVideoBlockSwap", blocks_to_swap=models.swap)
        lora: dict[str, Any] = {"strength": 1.0, "low_mem_load": False, "merge_loras": models.merged}
        first = add("WanVideoLoraSelect", lora=distill, **lora)
        if models.merged:  # the chain has one model then: what is merged cannot be taken off
            both = add("WanVideoLoraSelect", lora=svi, prev_lora=first, **lora)
            model = add("WanVideoModelLoader", model=file, lora=both, **inputs)
            return model, model
        model = add("WanVideoModelLoader", model=file, lora=first, **inputs)
        return model, add("WanVideoSetLoRAs", model=model, lora=add("WanVideoLoraSelect", lora=svi, **lora))

    def story(self, story: str, reel: str, **inputs: Any) -> Graph:
        add, size, models = self.graph.add, self.size, self.models
        empty = add("WanVideoEmptyEmbeds", width=size.width, height=size.height, num_frames=size.frames)
        settings = add(
            "WanVideoSamplerSettings", model=self.main, image_embeds=empty, steps=size.steps, cfg=models.cfg, shift=5.0,
            scheduler="euler", force_offload=models.force_offload, seed=0,
        )  # fmt: skip
        if models.pair:
            inputs = {
                "mode": "svi2_pro", "low_noise_model": self.low, "first_clip_low_noise_model": self.first_low,
                "split_step": max(1, size.steps // 2), **inputs,
            }  # fmt: skip
        else:
            inputs = {"mode": "film", "clip_vision": self.vision, **inputs}
        if not models.merged:
            inputs["first_clip_model"] = self.first
        add(
            "WanVideoSVILongVideo", story=story, width=size.width, height=size.height, num_frames=size.frames,
            seed=SEED, fps=16.0, reel=reel, negative_prompt=NEGATIVE, sampler_inputs=settings, vae=self.vae,
            start_image=self.start, t5=self.t5, **inputs,
        )  # fmt: skip
        return self.graph

    def by_hand(self, prompts: tuple[str, ...], reel: str) -> Graph:
        """The same clips with the nodes that users wire, compared with a reel."""
        add, size = self.graph.add, self.size
        joined = decoded = self.start
        texts = add("SVIBenchTexts", t5=self.t5, prompts="\n---\n".join(prompts), negative_prompt=NEGATIVE)
        for index in range(len(prompts)):
            first = self.start
            if index:
                first = add("WanVideoSVIMotionFrames", 2, images=decoded, overlap_frames=OVERLAP)
            vision = add("WanVideoClipVisionEncode", clip_vision=self.vision, image_1=first)
            embeds = add(
                "WanVideoSVIEmbeds", vae=self.vae, mode="film" if index else "i2v", width=size.width,
                height=size.height, num_frames=size.frames, start_image=decoded, clip_embeds=vision,
            )  # fmt: skip
            samples = add(
                "WanVideoSampler", model=self.main if index else self.first, image_embeds=embeds,
                text_embeds=[texts[0], index], steps=size.steps, cfg=1.0, shift=5.0, scheduler="euler",
                seed=SEED + SEED_STEP * index, force_offload=True,
            )  # fmt: skip
            decoded = add("WanVideoDecode", vae=self.vae, samples=samples, enable_vae_tiling=False)
            joined = (
                add("WanVideoSVIStitch", images_1=joined, images_2=decoded, overlap_frames=OVERLAP, drop="new")
                if index else decoded
            )  # fmt: skip
        add("SVIBenchCompare", images=joined, reel=reel)
        return self.graph


def _story(prompts: tuple[str, ...], **heads: str) -> str:
    """heads: lines before the prompts, by clip: clip2="[mend]"."""
    blocks = [f"{heads.get(f'clip{number}', '')}\n{prompt}".strip() for number, prompt in enumerate(prompts, 1)]
    return "\n---\n".join(blocks)


# Cases


def _film(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Four clips of the example long_video_film in a cold process."""
    graph = Scene(bench.fresh(), bench.size, Models()).story(_story(PROMPTS), "bench_film")
    yield "film", bench.warm().run(graph.nodes, sync=True)


def _hand(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Its first three clips wired by hand."""
    graph = Scene(bench.warm(), bench.size, Models()).by_hand(PROMPTS[:3], "bench_film")
    yield "hand", bench.warm().run(graph.nodes, sync=True)


def _resume(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """In fresh processes: the last clip with another seed, then with another prompt."""
    graph = Scene(bench.fresh(), bench.size, Models()).story(_story(PROMPTS, clip4="[seed=777]"), "bench_film")
    yield "resume, seed changed", bench.warm().run(graph.nodes, sync=True)
    changed = (*PROMPTS[:3], OTHER_PROMPT)
    graph = Scene(bench.fresh(), bench.size, Models()).story(_story(changed), "bench_film")
    yield "resume, prompt changed", bench.warm().run(graph.nodes, sync=True)


def _variants(
    clips: int, variants: dict[str, tuple[Models, dict[str, Any]]], **sizes: int
) -> Callable[[Bench], Iterator[tuple[str, Figures]]]:
    """A case of short chains in one process. sizes: where they are not the usual."""

    def case(bench: Bench) -> Iterator[tuple[str, Figures]]:
        for name, (models, inputs) in variants.items():
            size = bench.size if bench.tiny else replace(bench.size, **sizes)
            story = _story(PROMPTS[:clips])
            # In the reel of `film`, which has the prompts: the text encoder is not needed again.
            own = {"reel": "bench_film", "resume": False, **inputs}
            try:
                graph = Scene(bench.warm(), size, models).story(own.pop("story", story), **own)
                yield name, bench.warm().run(graph.nodes)
            except RuntimeError as error:
                yield name, {"error": str(error)}

    return case


def _twenty(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Twenty clips of two steps: whether memory grows."""
    size = bench.size if bench.tiny else replace(bench.size, frames=49, steps=2)
    prompts = tuple(f"{PROMPTS[index % 4]}, part {index + 1}" for index in range(20))
    graph = Scene(bench.fresh(), size, Models()).story(_story(prompts), "bench_twenty")
    yield "twenty", bench.warm().run(graph.nodes)


def _offload(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Weights that stay on the GPU after each clip."""
    yield from _variants(2, {"offload off": (Models(force_offload=False), {})})(bench)
    bench.stop()  # else they would be there in what comes next


def _pair(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """The Wan 2.2 pair with SVI 2.0 Pro."""
    bench.make_models("pair")
    yield from _variants(2, {"pair": (Models(pair=True), {})}, frames=33)(bench)


_SHORT = {"frames": 33, "steps": 2}
CASES: dict[str, Callable[[Bench], Iterator[tuple[str, Figures]]]] = {
    "film": _film,
    "hand": _hand,
    "resume": _resume,
    "plain": _variants(3, {"plain": (Models(), {})}),
    "merged": _variants(2, {"merged": (Models(merged=True), {})}),
    "swap": _variants(2, {"swap 20": (Models(swap=20), {}), "swap 40": (Models(swap=40), {})}),
    "offload": _offload,
    "twenty": _twenty,
    "cfg": _variants(2, {"cfg 3": (Models(cfg=3.0), {})}, **_SHORT),
    "tiled": _variants(2, {"tiled vae": (Models(), {"tiled_vae": True})}, **_SHORT),
    "takes": _variants(2, {"takes": (Models(), {"takes": 2})}, **_SHORT),
    "mend": _variants(
        3,
        {
            "mend, before": (Models(), {}),
            "mend": (Models(), {"resume": True, "story": _story(PROMPTS[:3], clip2="[mend]")}),
        },
        **_SHORT,
    ),
    "large": _variants(2, {"1280x720": (Models(), {})}, width=1280, height=720, **_SHORT),
    "bf16": _variants(2, {"bf16": (Models(precision="bf16"), {})}, **_SHORT),
    "pair": _pair,
}


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="svi_bench_") as made:
        yield Path(made)


def _write(path: Path, name: str, figures: Figures) -> None:
    """Adds a run to the file of results, whole or not at all."""
    results = json.loads(path.read_text()) if path.exists() else {}
    results[name] = figures
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(results))
    beside.replace(path)


def run(bench: Bench, cases: list[str]) -> int:
    failed = 0
    bench.prepare()
    try:
        for case in cases:
            bench.say(f"case {case}")
            try:
                for name, figures in CASES[case](bench):
                    _write(bench.out, name, figures)
                    failed += "error" in figures
                    bench.say("\n".join(tell(name, figures)))
            except Exception:  # whatever it is, the other cases are measured
                failed += 1
                bench.say(f"case {case} failed: {traceback.format_exc()[-2500:]}")
                log = bench.host.log.read_text(errors="replace")[-2500:] if bench.host else ""
                bench.say(f"ComfyUI said last: {log}")
    finally:
        bench.stop()
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; all without")
    parser.add_argument("--comfyui", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--wrapper", type=Path, help="where it is not in ComfyUI's custom_nodes")
    parser.add_argument("--base", type=Path, help="the folder that ComfyUI runs in, kept; a temporary one without")
    parser.add_argument("--out", type=Path, default=Path("gpu_results.json"))
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    if unknown := set(args.cases) - set(CASES):
        parser.error(f"no case {', '.join(sorted(unknown))}")
    found = args.wrapper or next(iter(sorted((args.comfyui / "custom_nodes").glob("*WanVideoWrapper*"))), None)
    if found is None:
        parser.error("ComfyUI has no WanVideoWrapper in custom_nodes: name it with --wrapper")
    size = Size(64, 64, 17, 2) if args.tiny else Size()
    args.models.mkdir(parents=True, exist_ok=True)
    with _folder(args.base) as base:
        bench = Bench(
            args.comfyui.resolve(), found.resolve(), args.models.resolve(), base, args.out.resolve(), args.tiny, size
        )
        bench.make_models("i2v", "text", "vision", "vae")
        return run(bench, args.cases or list(CASES))


if __name__ == "__main__":
    sys.exit(min(main(), 1))
