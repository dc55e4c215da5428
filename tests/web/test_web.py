"""The pages' JavaScript: its logic in node, and the strips in a real browser with the server's own answers.

The browser needs playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, needs_browser, needs_node
from project import ROOT
from wanvideo_svi.wrapper_ext.answers.plan import answer, plan_of

WEB, HERE = ROOT / "web", ROOT / "tests" / "web"


def embeds(values: dict[str, Any], *, linked: tuple[str, ...] = (), **connected: str) -> dict[str, Any]:
    node = "WanVideoSVIEmbeds"
    return plan_of({"node": node, "values": values, "connected": connected, "linked": list(linked)})


def answers() -> dict[str, Any]:
    many = ", ".join(str(frame) for frame in range(10, 3000, 4))
    scene = {"global_caption": "a forest", "shots": "a fox wakes\nit runs"}
    return {
        "film": embeds({"mode": "film"}, start_image=""),
        "end": embeds({"mode": "shot"}, start_image="LoadImage", ref_image="", end_image=""),
        "feather": embeds({"mode": "fun_inp", "overlap_frames": 8, "feather": 3}, start_image=""),
        "linked": embeds({"mode": "film"}, linked=("num_frames",), start_image="", temporal_mask=""),
        "region": embeds({"mode": "fun_inp"}, start_image="", region=""),
        "sure": embeds({"mode": "i2v"}, start_image="LoadImage"),
        "notes": embeds({"mode": "film", "overlap_frames": 4}, start_image=""),
        "error": embeds({"mode": "film"}, start_image="LoadImage"),
        "many": embeds({"mode": "fun_inp", "num_frames": 4001, "keyframes": many}, start_image="", keyframe_images=""),
        "scene": plan_of({"node": "WanVideoHoloCinePrompt", "values": scene}),
    }


@needs_node
def test_the_logic_of_the_strips(tmp_path: Path) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(answers()))
    done = subprocess.run(
        ["node", "--test", str(HERE / "strip.test.mjs")], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "STRIP_ANSWERS": str(file)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "# pass 0" not in done.stdout


def test_the_pages_scripts_are_small() -> None:
    assert sum(path.stat().st_size for path in WEB.rglob("*.js")) < 150 * 1024


class _Server(BaseHTTPRequestHandler):
    """The pack's scripts, a page for them, and the server's answers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = ROOT / {"/": "tests/web/strip_page.html"}.get(self.path, self.path[1:])
        found = path.is_file() and path.resolve().is_relative_to(ROOT)
        kind = {".html": "text/html", ".css": "text/css", ".json": "application/json"}.get(
            path.suffix, "text/javascript"
        )
        self._say(200 if found else 404, path.read_bytes() if found else b"", kind)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, said = answer(body) if self.path == "/wanvideo_svi/plan" else (404, {})
        self._say(status, json.dumps(said).encode(), "application/json")

    def _say(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # the page may have given the request up
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not there")
@needs_browser
def test_strips_follow_their_nodes_in_a_browser(page: str, tmp_path: Path) -> None:
    out = Path(os.environ.get("SVI_PICTURES") or tmp_path)
    command = ["node", str(HERE / "strip_page.mjs"), page, str(CHROMIUM), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])

    assert seen["requests"] == [10], "all nodes of a graph are asked for at once"
    assert seen["labels"][0].startswith("film: 81 frames at 832x480, 21 latents; frames: motion 0-4")
    assert "known_mask (wrapper): 5 white + 76 black" in seen["labels"][0]
    assert "concat_mask (native): 5 black + 76 white" in seen["labels"][0]
    assert "num_frames: from link, 81 assumed" in seen["labels"][8]
    assert seen["labels"][3].startswith("This would not run: film needs 5 motion frames, start_image has 1")
    assert seen["fits"]
    assert len(set(seen["backs"])) == 2, "each theme has its own colours"

    assert seen["dragged"][0].startswith("film: 121 frames, 31 latents")
    assert seen["dragged"][1].split("  ") == ["motion 0-4 grey 5-120 "]
    assert seen["bad"][0].startswith("num_frames must be 4k+1")
    assert seen["bad"][1].startswith("This would not run: num_frames must be 4k+1")
    assert seen["legend"] == "motion 0 grey 1-80 "

    assert seen["hover"][0].startswith("latent 20, frames 77-80: reference + end")
    assert seen["hover"][1] == "known_mask 0 0 0 1 · concat_mask 1 1 1 0"
    assert seen["left"][0].startswith("shot: 81 frames, 21 latents")
    assert "assumed" in seen["left"][1]
    assert seen["wheel"] == 1, "the wheel is the canvas's"
    assert [said.split(":")[0] for said in seen["heard"][:4]] == [
        "latent 0 of 21, frame 0", "latent 1 of 21, frames 1-4", "frame 2, latent 1", "latent 20 of 21, frames 77-80",
    ]  # fmt: skip
    assert "known_mask 1 1 1 1 · concat_mask 0 0 0 0" in seen["heard"][0]
    assert seen["cursors"] == 0, "Escape takes it away"
    assert seen["focused"], "a strip that is drawn anew keeps the focus"
    assert seen["silent"] == "ComfyUI's server does not answer"

    assert seen["loadRequests"] == [64, 36]
    change = seen["changeMs"][len(seen["changeMs"]) // 2]
    # Figures of a quiet machine are some 20 and 30 ms; these only notice what grows with the graph.
    assert change < 500
    assert seen["drawMs"] < 500, "looking at a hundred nodes while the canvas is drawn"
    assert seen["errors"] == []
    failed = [said for said in seen["console"] if "404" not in said]  # of the server that knows no strips
    assert failed == []
    print(
        f"100 nodes: loaded in {seen['loadMs']} ms, a change in {change:.0f} ms, looked at in {seen['drawMs']:.0f} ms"
    )
