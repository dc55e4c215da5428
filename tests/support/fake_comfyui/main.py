"""Stands in for ComfyUI where workers are tested: its routes and messages, with a host that samples nothing.

Words of a prompt say what goes wrong there, once in all processes that share FAKE_COMFY_MARKS, or each time:
die-once, die, hang-once, hang, memory-once, memory, fail, disk. FAKE_COMFY_SECONDS: how long a take is sampled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import struct
import sys
import time
import uuid
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from aiohttp import WSMsgType, web
from fake_host import FakeHost, job_in
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.depends import read_only
from wanvideo_svi.wrapper_ext.render.chain import render_chain

NODE = "WanVideoSVILongVideo"
NODES = {
    "WanVideoModelLoader": {"input": {"required": {"model": [["wan.safetensors", "other.safetensors"], {}]}}},
    "WanVideoSamplerSettings": {"input": {"required": {"model": ["WANVIDEOMODEL"], "steps": ["INT", {}]}}},
    "LoadImage": {"input": {"required": {"image": [["here.png"], {"image_upload": True}]}}},
    "SaveVideo": {"input": {"required": {"video": ["VIDEO"]}}},
    NODE: {"input": {"required": {}}},
}


class Host(FakeHost):
    def __init__(self, say: Any, writer: ReelWriter) -> None:
        super().__init__()
        self.say, self.writer, self.taken = say, writer, 0

    def WanVideoSamplerFromSettings(self, sampler_inputs: dict[str, Any]) -> tuple[Any, Any]:
        self.say("sampling")
        time.sleep(float(os.environ.get("FAKE_COMFY_SECONDS", "0")))
        for word in sampler_inputs["text_embeds"]["prompt"].split():
            kind, _, once = word.partition("-")
            if kind in ("die", "hang", "memory", "fail", "disk") and (once != "once" or self._first(word)):
                getattr(self, f"_{kind}")()
        self.taken += 1
        with (marks() / "sampled").open("a") as file:
            file.write(f"{sampler_inputs['seed']}\n")
        return super().WanVideoSamplerFromSettings(sampler_inputs)

    def _first(self, word: str) -> bool:
        try:
            (marks() / word).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _die(self) -> None:
        # What was sampled before is on its way to the disk, from another thread.
        while len((*self.writer.reel.clips, *self.writer.reel.spare)) < self.taken:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGKILL)

    def _hang(self) -> None:
        time.sleep(10_000)

    def _memory(self) -> None:
        raise MemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    def _fail(self) -> None:
        raise ValueError("tensors of unlike size")

    def _disk(self) -> None:
        raise SVIError("reel x: clip 1 could not be written: [Errno 28] No space left on device")


def marks() -> Path:
    return Path(os.environ["FAKE_COMFY_MARKS"])


class Server:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.sockets = args, {}
        self.history: dict[str, Any] = {}
        self.queue: asyncio.Queue[tuple[str, dict[str, Any], str]] = asyncio.Queue()
        self.loop = asyncio.get_event_loop()

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query["clientId"]
        self.sockets[client] = socket
        await socket.send_json({"type": "status", "data": {}})
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        return socket

    async def prompt(self, request: web.Request) -> web.Response:
        body = await request.json()
        for node in body["prompt"].values():
            if node["class_type"] not in NODES:
                told = {"error": {"message": f"{node['class_type']} not found"}, "node_errors": {}}
                return web.json_response(told, status=400)
            image = node["inputs"].get("image", "")
            if node["class_type"] == "LoadImage" and not image.endswith(" [temp]") and image != "here.png":
                told = {"error": {"message": f"Invalid image file: {image}"}, "node_errors": {}}
                return web.json_response(told, status=400)
        prompt = uuid.uuid4().hex
        await self.queue.put((prompt, body["prompt"], body["client_id"]))
        return web.json_response({"prompt_id": prompt})

    async def work(self) -> None:
        while True:
            prompt, graph, client = await self.queue.get()
            node = next(name for name, node in graph.items() if node["class_type"] == NODE)
            say = lambda line, node=node, client=client: self.loop.call_soon_threadsafe(  # noqa: E731
                self._binary, client, struct.pack(">II", 3, len(node)) + node.encode() + line.encode()
            )
            try:
                outputs = await asyncio.to_thread(self.run, graph, node, say)
            except (ValueError, MemoryError) as error:
                kind = "torch.OutOfMemoryError" if isinstance(error, MemoryError) else type(error).__name__
                data = {"prompt_id": prompt, "exception_type": kind, "exception_message": str(error), "node_type": NODE}
                await self._send(client, {"type": "execution_error", "data": data})
                continue
            await self._send(client, {"type": "execution_success", "data": {"prompt_id": prompt}})
            await asyncio.sleep(0.05)  # as ComfyUI: the history comes after the message
            self.history[prompt] = {"outputs": outputs, "status": {"completed": True}}

    def run(self, graph: dict[str, Any], node: str, say: Any) -> dict[str, Any]:
        inputs = graph[node]["inputs"]
        name, only = inputs["reel"], inputs.get("only", "")
        folder = Path(self.args.output_directory) / "svi_reels" / name
        options = {key: inputs[key] for key in ("seed", "mode", "num_frames", "takes", "mend") if key in inputs}
        if (link := inputs.get("start_image")) and (image := graph[link[0]]["inputs"]["image"]).endswith(" [temp]"):
            assert (Path(self.args.temp_directory) / image.removesuffix(" [temp]")).is_file(), image
        with ReelWriter(folder, fps=16) as writer:
            host = Host(say, writer)
            this = job_in(folder, inputs["story"], **options)
            tasks = read_only(only, this.plan) if only else ()
            done = render_chain(this, writer, host, _Silent(), resume=True, only=tasks, mend_limit=0)
            video = folder / f"{name}_{writer.reel.chain}.mp4"
            if not only:
                writer.reel.assemble(video)
        images = [] if only else [{"filename": video.name, "subfolder": f"svi_reels/{name}", "type": "output"}]
        return {node: {"images": images, "svi_run": [{"made": done.made, "waits": done.waits}]}}

    async def _send(self, client: str, data: dict[str, Any]) -> None:
        if (socket := self.sockets.get(client)) is not None and not socket.closed:
            await socket.send_json(data)

    def _binary(self, client: str, data: bytes) -> None:
        if (socket := self.sockets.get(client)) is not None and not socket.closed:
            self.loop.create_task(socket.send_bytes(data))

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        folder = Path(self.args.temp_directory if form["type"] == "temp" else self.args.output_directory)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / form["image"].filename).write_bytes(form["image"].file.read())
        return web.json_response({"name": form["image"].filename})

    async def view(self, request: web.Request) -> web.FileResponse:
        asked = request.query
        return web.FileResponse(Path(self.args.output_directory) / asked["subfolder"] / asked["filename"])

    async def past(self, request: web.Request) -> web.Response:
        prompt = request.match_info["prompt"]
        return web.json_response({prompt: self.history[prompt]} if prompt in self.history else {})


class _Silent:
    def text(self, line: str) -> None: ...
    def settled(self, place: int, take: Any) -> None: ...
    def ending(self, place: int, digest: str, frames: Any, overlap: int) -> None: ...
    def clip(self, done: int, total: int) -> None: ...
    def picture(self, done: int, total: int, draw: Any) -> None: ...


async def serve(args: argparse.Namespace) -> None:
    server, app = Server(args), web.Application(client_max_size=2**30)
    app.add_routes([
        web.get("/ws", server.socket), web.post("/prompt", server.prompt), web.post("/upload/image", server.upload),
        web.get("/view", server.view), web.get("/history/{prompt}", server.past),
        web.get("/object_info", lambda _: _json(json.loads(os.environ.get("FAKE_COMFY_NODES") or "null") or NODES)),
        web.get("/system_stats", lambda _: _json({"devices": [{"type": "cpu"}]})),
        web.get("/queue", lambda _: _json({"queue_pending": []})),
    ])  # fmt: skip
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, args.listen, args.port).start()
    await server.work()


async def _json(value: Any) -> web.Response:
    return web.json_response(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("listen", "port", "output-directory", "temp-directory", "user-directory", "database-url"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--disable-auto-launch", action="store_true")
    asyncio.run(serve(parser.parse_args()))
