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

from gpu_codecs import time_codecs
from gpu_files import write_picture, write_tokenizer
from gpu_graphs import PROMPTS, Models, Scene, Size, a_story
from gpu_host import Figures, Host
from gpu_models import (
    DANCE,
    FUN_5B,
    FUN_SMALL,
    HUMO,
    I2V_FP16,
    SHOT,
    SPEAKS,
    VAE_5B,
)
from gpu_native import NATIVE_CASES
from gpu_table import tell

HERE = Path(__file__).resolve().parent

OTHER_PROMPT = "The red panda climbs higher and looks over the valley as the sun sets"


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

    def fresh(self, *arguments: str) -> Host:
        """A new ComfyUI process in place of the current one."""
        self.stop()
        self.starts += 1
        log = self.base / f"comfyui_{self.starts:02}.log"
        self.host = Host(self.comfyui, self.base, log=log, tiny=self.tiny, arguments=arguments)
        self.say(f"ComfyUI is up after {self.host.seconds:.1f} s")
        return self.host

    def warm(self) -> Host:
        """The current ComfyUI process."""
        return self.host or self.fresh()

    def stop(self) -> None:
        if self.host is not None:
            self.host.stop()
            self.host = None


# Cases


def _film(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Four clips of the example long_video_film in a cold process."""
    graph = Scene(bench.fresh().known, bench.size, Models()).story(a_story(PROMPTS), "bench_film")
    yield "film", bench.warm().run(graph.nodes, sync=True)


def _hand(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Its first three clips wired by hand."""
    graph = Scene(bench.warm().known, bench.size, Models()).by_hand(PROMPTS[:3], "bench_film")
    yield "hand", bench.warm().run(graph.nodes, sync=True)


def _resume(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """In fresh processes: the last clip with another seed, then with another prompt."""
    graph = Scene(bench.fresh().known, bench.size, Models()).story(a_story(PROMPTS, clip4="[seed=777]"), "bench_film")
    yield "resume, seed changed", bench.warm().run(graph.nodes, sync=True)
    changed = (*PROMPTS[:3], OTHER_PROMPT)
    graph = Scene(bench.fresh().known, bench.size, Models()).story(a_story(changed), "bench_film")
    yield "resume, prompt changed", bench.warm().run(graph.nodes, sync=True)


def _variants(
    clips: int, variants: dict[str, tuple[Models, dict[str, Any]]], **sizes: int
) -> Callable[[Bench], Iterator[tuple[str, Figures]]]:
    """A case of short chains in one process. sizes: where they are not the usual."""

    def case(bench: Bench) -> Iterator[tuple[str, Figures]]:
        for name, (models, inputs) in variants.items():
            size = bench.size if bench.tiny else replace(bench.size, **sizes)
            story = a_story(PROMPTS[:clips])
            # In the reel of `film`, which has the prompts: the text encoder is not needed again.
            own = {"reel": "bench_film", "resume": False, **inputs}
            try:
                graph = Scene(bench.warm().known, size, models).story(own.pop("story", story), **own)
                yield name, bench.warm().run(graph.nodes)
            except RuntimeError as error:
                yield name, {"error": str(error)}

    return case


def _twenty(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Twenty clips of two steps: whether memory grows."""
    size = bench.size if bench.tiny else replace(bench.size, frames=49, steps=2)
    prompts = tuple(f"{PROMPTS[index % 4]}, part {index + 1}" for index in range(20))
    graph = Scene(bench.fresh().known, size, Models()).story(a_story(prompts), "bench_twenty")
    yield "twenty", bench.warm().run(graph.nodes)


def _made(
    kind: str, clips: int, variants: dict[str, tuple[Models, dict[str, Any]]], **sizes: int
) -> Callable[[Bench], Iterator[tuple[str, Figures]]]:
    """A case of models of its own, which are removed afterwards: all together would fill a machine's memory."""

    def case(bench: Bench) -> Iterator[tuple[str, Figures]]:
        before = set(bench.models.rglob("*.safetensors"))
        bench.make_models(kind)
        bench.stop()  # ComfyUI lists files when it starts
        yield from _variants(clips, variants, **sizes)(bench)
        bench.stop()
        for path in set(bench.models.rglob("*.safetensors")) - before:
            path.unlink()

    return case


def _compiled(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Whether torch.compile compiles for a clip what it has compiled for another of the same size."""
    bench.fresh()
    yield from _variants(4, {"compiled": (Models(compiled=True), {})}, **_SHORT)(bench)
    bench.stop()


def _codecs(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """How long the two codecs take alone, with a natural video and with noise."""
    bench.stop()
    yield "codecs", {"codecs": time_codecs(bench.base, frames=80, width=bench.size.width, height=bench.size.height)}


def _offload(bench: Bench) -> Iterator[tuple[str, Figures]]:
    """Weights that stay on the GPU after each clip."""
    yield from _variants(2, {"offload off": (Models(force_offload=False), {})})(bench)
    bench.stop()  # else they would be there in what comes next


_SHORT = {"frames": 33, "steps": 2}
_ALONE = {"distill": "", "svi": ""}  # SVI LoRAs are for the 14B
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
            "mend": (Models(), {"resume": True, "story": a_story(PROMPTS[:3], clip2="[mend]")}),
        },
        **_SHORT,
    ),
    "large": _variants(2, {"1280x720": (Models(), {})}, width=1280, height=720, **_SHORT),
    "bf16": _variants(2, {"bf16": (Models(precision="bf16"), {})}, **_SHORT),
    "pair": _made("pair", 2, {"pair": (Models(pair=True), {})}, frames=33),
    "fp16": _made("fp16", 2, {"fp16 weights": (Models(file=I2V_FP16), {})}, **_SHORT),
    "small": _made("small", 2, {"1.3B": (Models(file=FUN_SMALL, mode="fun_inp", **_ALONE), {})}, **_SHORT),
    "5b": _made(
        "5b", 2, {"5B": (Models(file=FUN_5B, vae=VAE_5B, mode="fun_inp", vision=False, **_ALONE), {})}, **_SHORT
    ),
    "talk": _made("talk", 2, {"talk": (Models(svi=SPEAKS, mode="talk", guide="voice"), {})}, **_SHORT),
    "humo": _made("humo", 2, {"HuMo": (Models(HUMO, svi=SHOT, mode="shot", guide="humo", vision=False), {})}, **_SHORT),
    "dance": _made("dance", 2, {"dance": (Models(svi=DANCE, mode="dance", guide="poses", merged=True), {})}, **_SHORT),
    "compiled": _compiled,
    "codecs": _codecs,
    **NATIVE_CASES,
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
