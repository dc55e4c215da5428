"""Serves the stub page of the story editor with the real route behind it, for browsers in tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from project import ROOT, TESTS
from wanvideo_svi.wrapper_ext.answers.story import answer

HERE, WEB = TESTS / "web", ROOT / "web"


@contextmanager
def served(values: dict[str, Any]) -> Iterator[str]:
    """The page's address, on a node that is set to these values."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/values":
                self._send(200, "application/json", json.dumps(values).encode())
            elif path == "/":
                self._send(200, "text/html; charset=utf-8", (HERE / "story_page.html").read_bytes())
            elif path == "/tests/web/links.mjs":
                self._send(200, "text/javascript", (HERE / "links.mjs").read_bytes())
            elif path.startswith("/web/") and (WEB / path[5:]).is_file():
                kind = {"css": "text/css", "json": "application/json"}.get(path.rpartition(".")[2], "text/javascript")
                self._send(200, kind, (WEB / path[5:]).read_bytes())
            else:
                self._send(404, "text/plain", b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, said = answer(body) if self.path == "/wanvideo_svi/story" else (404, {})
            self._send(status, "application/json", json.dumps(said).encode())

        def _send(self, status: int, kind: str, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
