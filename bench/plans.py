"""What has no pixels: plans of chains, migrations, and the import of the pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def story(clips: int = 10_000) -> Callable[[], object]:
    from wanvideo_svi.svi_embeds.story.plan import plan_chain
    from wanvideo_svi.svi_embeds.story.settings import ChainSettings

    text = "\n---\n".join(f"[seed={clip}]\nshe walks on, shot {clip}" for clip in range(clips))

    def run() -> None:
        plan = plan_chain(text, ChainSettings(mode="film", num_frames=81))
        assert len(plan.clips) == clips

    return run


def migrate(nodes: int = 10_000) -> Callable[[], object]:
    from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value

    graph = _old_graph(nodes)
    return lambda: migrate_value(graph) and None


def migrate_json(nodes: int = 10_000) -> Callable[[], object]:
    graph = _old_graph(nodes)
    return lambda: json.loads(json.dumps(graph)) and None


def _old_graph(nodes: int) -> dict[str, object]:
    from old_graphs import pixel_chain  # of the tests

    def made(clips: int) -> dict[str, object]:
        return pixel_chain(clips=clips, padding="reference", wires=True, lora="x", overlap=1)

    few, more = (len(made(clips)["nodes"]) for clips in (3, 4))
    graph = made(3 + -(-(nodes - few) // (more - few)))
    assert len(graph["nodes"]) >= nodes
    return graph


def import_pack() -> Callable[[], object]:
    """Seconds that `import wanvideo_svi` takes once torch is there."""
    return lambda: _seconds("import torch", "import wanvideo_svi")


def import_in_host() -> Callable[[], object]:
    """Seconds that ComfyUI's way of loading the pack takes once ComfyUI's own nodes are there."""
    comfyui = Path(os.environ["COMFYUI_DIR"]).resolve()
    before = (
        f"import sys, importlib.util; sys.path.insert(0, {str(comfyui)!r}); sys.argv = ['main.py', '--cpu']; "
        "import comfy.options; comfy.options.enable_args_parsing(); import utils.install_util, nodes, server; "
        f"spec = importlib.util.spec_from_file_location('wanvideo-svi', {str(_ROOT / '__init__.py')!r}, "
        f"submodule_search_locations=[{str(_ROOT)!r}]); module = importlib.util.module_from_spec(spec); "
        "sys.modules['wanvideo-svi'] = module"
    )
    return lambda: _seconds(before, "spec.loader.exec_module(module)")


def _seconds(before: str, measured: str) -> float:
    code = f"{before}\nfrom time import perf_counter\nt = perf_counter()\n{measured}\nprint(perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout.splitlines()[-1])
