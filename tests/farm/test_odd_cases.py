"""Odd stories, graphs, disks, servers and moments: what each leaves, and what is said of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_host import FakeHost, Report, job_in
from farms import COMFYUI, batch, command, graph, reel, sampled, states, told, wait
from PIL import Image
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.merge import take_in
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.farm import process as farm_process
from wanvideo_svi.wrapper_ext.farm.client import Client, Watched
from wanvideo_svi.wrapper_ext.farm.folders import Folders
from wanvideo_svi.wrapper_ext.farm.graph import missing_files, set_value
from wanvideo_svi.wrapper_ext.farm.jobs import Job, LostError, Sent
from wanvideo_svi.wrapper_ext.farm.prepare import prepare
from wanvideo_svi.wrapper_ext.farm.process import ComfyProcess, Program
from wanvideo_svi.wrapper_ext.farm.render import Options
from wanvideo_svi.wrapper_ext.farm.stories import Story, read_stories
from wanvideo_svi.wrapper_ext.farm.threads import ThreadWorker
from wanvideo_svi.wrapper_ext.farm.worker import ComfyWorker, WorkerSettings
from wanvideo_svi.wrapper_ext.render.chain import render_chain


def make(folder: Path, story: str = "a") -> None:
    """A reel of a story, made in this process."""
    with ReelWriter(folder, fps=16) as writer:
        render_chain(job_in(folder, story, mode="film", seed=3), writer, FakeHost(), Report(), resume=True)


def picture(path: Path, shade: int) -> Path:
    Image.new("RGB", (64, 64), (shade, 0, 0)).save(path)
    return path


# Work that is lost


def test_one_damaged_reel_does_not_delete_what_workers_of_other_stories_left(tmp_path: Path) -> None:
    """A driver was killed; of two stories' clips one cannot be taken in."""
    out = tmp_path / "out"
    folders = Folders(out)
    left = folders.hidden / "worker-1" / "output" / "svi_reels"
    make(left / "a")
    make(left / "b")
    folders.make_home("a")
    (folders.home("a") / "manifest.json").write_text("{")
    with folders.held():
        pass
    assert "what was finished of a stays in" in next(iter(folders.troubles.values()))
    there = list(left.glob("b/clip_*.mkv")) + list(folders.home("b").glob("clip_*.mkv"))
    assert there, "the finished clip of story b"


def test_clips_that_the_disk_did_not_take_stay_with_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full while a batch ends: what a worker finished is deleted in silence."""
    folders = Folders(tmp_path / "out")

    def full(*_: Any, **__: Any) -> None:
        raise SVIError("reel a could not be written: [Errno 28] No space left on device")

    left = folders.hidden / "worker-1" / "output" / "svi_reels" / "a"
    with folders.held():
        make(left)
        monkeypatch.setattr(Folders, "merge", full)
    assert list(left.glob("clip_*.mkv")), "the only copy"


@pytest.mark.skipif(not os.environ.get("SVI_LONG_TESTS"), reason="set SVI_LONG_TESTS=1 for two workers (a minute)")
@pytest.mark.parametrize("fault", ["die-once", "fail"])
def test_what_was_finished_stays_where_no_disk_is_shared(tmp_path: Path, marks: Path, fault: str) -> None:
    pytest.importorskip("ray")
    out, options = tmp_path / "out", {"workers": 2, "store": True, "split": False}
    batch(out, told(s=f"a\n---\nb {fault}\n---\nc"), **options)
    batch(out, told(s="a\n---\nb\n---\nc"), **options)
    assert sampled(marks).count(3) == 1, "clip 1 was finished, and is made again"


@pytest.mark.usefixtures("copied")
def test_a_deleted_clip_of_a_reel_is_made_again(tmp_path: Path) -> None:
    """As a run in ComfyUI does."""
    out = tmp_path / "out"
    assert batch(out, told(s="a\n---\nb"))[1] == 0
    next((out / "reels" / "s").glob("clip_0002*.mkv")).unlink()
    report, code, _ = batch(out, told(s="a\n---\nb"), again=True)
    assert code == 0, report["stories"][0]["error"]


def test_a_file_that_is_damaged_at_home_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    make(tmp_path / "other" / "a")
    shutil.copytree(tmp_path / "other" / "a", tmp_path / "home" / "a")
    video = next((tmp_path / "home" / "a").glob("*.mkv"))
    video.write_bytes(b"damaged")
    with ReelWriter(tmp_path / "home" / "a", fps=16) as writer:
        assert len(take_in(writer, open_reel(tmp_path / "other" / "a"))) == 1
    home = open_reel(tmp_path / "home" / "a")
    assert all(home.is_whole(take) for take in (*home.clips, *home.spare)), "it says that it came, and it did not"


def test_the_lock_is_held_until_the_hidden_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next batch begins in a folder that this one deletes."""
    from filelock import FileLock, Timeout

    folders, free = Folders(tmp_path / "out"), []

    def look(path: Path, **_: Any) -> None:
        if path == folders.hidden:
            try:
                with FileLock(folders.hidden / "lock", timeout=0):
                    free.append(path)
            except Timeout:
                pass

    with folders.held():
        monkeypatch.setattr("wanvideo_svi.wrapper_ext.farm.folders.shutil.rmtree", look)
    assert not free, "another batch could have begun here"


# One bad story ends or spoils the batch


@pytest.mark.usefixtures("copied")
def test_a_file_that_one_story_lacks_does_not_fail_the_others(tmp_path: Path) -> None:
    bad = Story(name="bad", text="a", values={"Load Image.image": "gone.png"}, where="t.csv, row 1")
    report, _, _ = batch(tmp_path / "out", [bad, *told(good="b")])
    assert states(report) == {"bad": "failed", "good": "done"}


@pytest.mark.usefixtures("copied")
def test_a_reel_without_a_manifest_sets_its_story_aside_and_no_other(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make(out / "reels" / "a")
    (out / "reels" / "a" / "manifest.json").unlink()
    report, code, _ = batch(out, told(a="a", b="b"))
    assert (code, states(report)) == (1, {"a": "failed", "b": "done"})


@pytest.mark.usefixtures("copied")
def test_an_image_that_goes_while_the_batch_runs_sets_its_story_aside(tmp_path: Path) -> None:
    image = picture(tmp_path / "x.png", 9)
    stories = [*told(a="a"), Story(name="b", text="b", images={"start_image": image}, where="row 2"), *told(c="c")]
    from wanvideo_svi.wrapper_ext.farm import render as farm
    from wanvideo_svi.wrapper_ext.farm.show import PlainShow

    class Show(PlainShow):
        def story(self, name: str, state: str) -> None:  # noqa: ARG002
            image.unlink(missing_ok=True)

    options = Options(out=tmp_path / "out", comfyui=COMFYUI, python=sys.executable, hang=60.0)
    report, code = farm.render(lambda _: graph(), stories, [], options, Show(lambda _: None))
    assert (code, states(report)) == (1, {"a": "done", "b": "failed", "c": "done"})


# What is silently wrong


def test_images_behind_one_loader_are_not_put_over_each_other(tmp_path: Path) -> None:
    of = graph(ref_image=["3", 0])
    images = {"start_image": picture(tmp_path / "a.png", 9), "ref_image": picture(tmp_path / "b.png", 99)}
    ready = prepare(of, Story(name="s", text="a", images=images), Folders(tmp_path / "out"))
    links = {name: ready.graph[ready.graph["4"]["inputs"][name][0]]["inputs"]["image"] for name in images}
    assert ready.error or links["start_image"] != links["ref_image"], "start_image became ref_image, and nobody says so"


def test_a_column_for_the_reference_leaves_the_start_image(tmp_path: Path) -> None:
    of = graph(ref_image=["3", 0])
    story = Story(name="s", text="a", images={"ref_image": picture(tmp_path / "b.png", 99)})
    ready = prepare(of, story, Folders(tmp_path / "out"))
    link = ready.graph["4"]["inputs"]["start_image"]
    assert ready.error or ready.graph[link[0]]["inputs"]["image"] == "here.png"


def test_a_list_in_a_cell_is_no_link(tmp_path: Path) -> None:
    ready = prepare(graph(), Story(name="s", text="a", values={"seed": ["1", 0]}), Folders(tmp_path / "out"))
    assert ready.error


def test_outputs_of_one_name_in_two_folders_are_both_brought() -> None:
    worker = ComfyWorker("w", WorkerSettings(base=Path("/b")), _Quiet())
    told_ = {node: {"images": [{"filename": "x_00001_.mp4", "subfolder": folder, "type": "output"}]}
             for node, folder in (("5", "small"), ("6", "large"))}  # fmt: skip
    job = Job(name="s", story="s", key="", graph={}, node="4")
    assert len(worker._outputs(told_, job, None)) == 2  # type: ignore[arg-type]


# What is refused and is right


def test_a_float_that_json_wrote_without_a_point_takes_a_float() -> None:
    """JSON.stringify(1.0) is 1: so is every whole FLOAT widget in a graph that ComfyUI saved."""
    of = {"2": {"class_type": "WanVideoSamplerSettings", "inputs": {"cfg": 1}}}
    set_value(of, "2.cfg", "1.5")
    assert of["2"]["inputs"]["cfg"] == 1.5


def test_an_input_with_a_dot_in_its_name_can_be_set() -> None:
    """As SaveVideo's format.codec."""
    of = {"9": {"class_type": "SaveVideo", "inputs": {"format.codec": "h264"}}}
    set_value(of, "SaveVideo.format.codec", "av1")
    assert of["9"]["inputs"]["format.codec"] == "av1"


def test_an_image_in_a_folder_of_the_input_folder_is_not_lacking() -> None:
    """LoadImage lists the top folder and takes any file (VALIDATE_INPUTS): what is pasted lies in pasted/."""
    nodes = {"LoadImage": {"input": {"required": {"image": [["here.png"], {"image_upload": True}]}}}}
    assert missing_files({"1": {"class_type": "LoadImage", "inputs": {"image": "pasted/image.png"}}}, nodes) == []


@pytest.mark.parametrize("name", ["con", "日" * 50])
def test_a_name_that_cannot_be_is_told_with_its_row(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.json").write_text(json.dumps([{"story": "a", "name": "fine"}, {"story": "b", "name": name}]))
    with pytest.raises(SVIError, match=r"row 2: .* cannot be a video's name"):
        read_stories([tmp_path / "t.json"])


def test_a_table_with_semicolons_is_read(tmp_path: Path) -> None:
    """As Excel writes CSV where the comma is the decimal point."""
    (tmp_path / "t.csv").write_text("name;story\none;a lake, at dawn\n")
    assert [(story.name, story.text) for story in read_stories([tmp_path / "t.csv"])] == [("one", "a lake, at dawn")]


# The journal


def record(out: Path, *names: str) -> None:
    folders = Folders(out)
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        (out / f"{name}.mp4").write_bytes(b"x")
        folders.finish(name, f"print of {name}", f"{name}.mp4")


def test_a_video_that_was_deleted_makes_no_other_unfinished(tmp_path: Path) -> None:
    record(tmp_path, "one", "two", "three")
    (tmp_path / "one.mp4").unlink()
    assert set(Folders(tmp_path).finished()) == {"two", "three"}


def test_a_damaged_journal_is_no_reason_to_stop(tmp_path: Path) -> None:
    record(tmp_path, "one")
    with (tmp_path / "done.jsonl").open("ab") as file:
        file.write(b"\xff\xfe\x00damage\n")
    assert set(Folders(tmp_path).finished()) == {"one"}


def test_a_line_after_one_that_was_cut_off_counts(tmp_path: Path) -> None:
    record(tmp_path, "one")
    with (tmp_path / "done.jsonl").open("a") as file:
        file.write('{"name": "tw')
    record(tmp_path, "three")
    assert set(Folders(tmp_path).finished()) == {"one", "three"}


@pytest.mark.usefixtures("copied")
def test_a_take_that_a_person_picked_since_is_put_into_the_video(tmp_path: Path) -> None:
    out, story = tmp_path / "out", told(s="[takes=2]\na\n---\nb")
    assert batch(out, story)[1] == 0
    before = (out / "s.mp4").read_bytes()
    there = reel(out, "s")
    other = next(take for take in there.takes_of(there.clips[0]) if take.digest != there.clips[0].digest)
    with ReelWriter(out / "reels" / "s", fps=16) as writer:
        writer.pick(other)
    report, _, _ = batch(out, story)
    assert states(report) == {"s": "done"}, "kept: the video is of the take that was there before"
    assert (out / "s.mp4").read_bytes() != before


# The report


@pytest.mark.usefixtures("copied")
def test_takes_made_are_takes_not_clips(tmp_path: Path, marks: Path) -> None:
    report, _, _ = batch(tmp_path / "out", told(s="[takes=3]\na"))
    assert report["stories"][0]["takes_made"] == len(sampled(marks)) == 3


@pytest.mark.usefixtures("copied")
def test_takes_made_before_a_worker_was_lost_are_counted(tmp_path: Path, marks: Path) -> None:
    report, _, _ = batch(tmp_path / "out", told(s="a\n---\nb die-once"))
    assert report["stories"][0]["takes_made"] == len(sampled(marks)) == 2


@pytest.mark.usefixtures("copied")
def test_what_was_stopped_before_it_began_is_not_done(tmp_path: Path) -> None:
    from wanvideo_svi.wrapper_ext.farm import render as farm
    from wanvideo_svi.wrapper_ext.farm.show import PlainShow

    class Show(PlainShow):
        def begin(self, *_: Any) -> None:
            raise KeyboardInterrupt

    options = Options(out=tmp_path / "out", comfyui=COMFYUI, python=sys.executable, hang=60.0)
    report, code = farm.render(lambda _: graph(), told(s="a"), [], options, Show(lambda _: None))
    assert code == 1
    assert states(report) != {"s": "done"}


# Stories in parts


@pytest.mark.usefixtures("copied")
def test_a_stop_behind_a_single_take_waits_in_parts_as_in_one_run(tmp_path: Path) -> None:
    story = told(s="[takes=2]\na\n---\n[pick=stop]\nb\n---\nc")
    one = states(batch(tmp_path / "one", story, split=False)[0])
    parts = batch(tmp_path / "parts", story, split=True)[0]
    assert states(parts) == one, parts["stories"][0]["error"]


@pytest.mark.usefixtures("copied")
def test_a_part_whose_lead_is_not_as_it_was_thought_to_be_does_not_fail_the_story(tmp_path: Path) -> None:
    """A kept clip's file was changed, its size not: the plan calls it kept, the run does not take it. The same where
    models, images or settings of the sampler were changed, which the plan does not see."""
    out = tmp_path / "out"
    assert batch(out, told(s="a\n---\nb\n---\n[takes=2]\nc"), split=False)[1] == 0
    path = next((out / "reels" / "s").glob("clip_0001*.safetensors"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    report, code, _ = batch(out, told(s="a\n---\nb\n---\n[takes=2]\nd"), split=True)
    assert code == 0, report["stories"][0]["error"]


# Servers and processes


@contextmanager
def serving(**routes: Any) -> Iterator[str]:
    """A server of these routes in a thread; by default one that takes any graph and is never done."""
    loop, there, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    url: list[str] = []

    async def socket(request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        until = time.monotonic() + routes.get("drop", 3600)
        while not stop.is_set() and not answer.closed:
            if time.monotonic() > until:
                await answer.close()
                break
            if chatter := routes.get("chatter"):
                await answer.send_json(chatter)
            try:
                await answer.receive(timeout=0.2)  # answers when the other side closes
            except asyncio.TimeoutError:
                continue
        return answer

    def of(name: str, default: Any) -> Any:
        async def route(request: web.Request) -> web.Response:
            value = routes.get(name, default)
            found = value(request) if callable(value) else value
            if asyncio.iscoroutine(found):
                found = await found
            return found if isinstance(found, web.Response) else web.json_response(found)

        return route

    async def run() -> None:
        app = web.Application()
        app.add_routes([
            web.get("/ws", socket), web.post("/prompt", of("prompt", {"prompt_id": "p"})),
            web.get("/queue", of("queue", {"queue_running": [], "queue_pending": []})),
            web.get("/system_stats", of("stats", {"devices": [{"type": "cpu"}]})),
            web.get("/object_info", of("nodes", _nodes())), web.post("/upload/image", of("upload", {"name": "x"})),
            web.get("/history/p", of("history", {})), web.post("/interrupt", of("interrupt", {})),
            web.get("/view", of("view", lambda _: web.Response(body=b"video"))),
        ])  # fmt: skip
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url.append(f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}")  # type: ignore[union-attr]
        there.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    there.wait(10)
    try:
        yield url[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def _nodes() -> dict[str, Any]:
    kinds = ("WanVideoModelLoader", "WanVideoSamplerSettings", "LoadImage", "WanVideoSVILongVideo")
    return {kind: {"input": {"required": {}}} for kind in kinds}


def ends(call: Any, seconds: float) -> Future[Any]:
    """What a call does in a thread, which it must have done in time."""
    told_: Future[Any] = Future()

    def run() -> None:
        try:
            told_.set_result(call())
        except BaseException as error:
            told_.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    told_.exception(timeout=seconds)
    return told_


def watched(hang: float) -> Watched:
    return Watched(line=lambda _: None, preview=lambda *_: None, is_alive=lambda: True, hang=hang)


def test_a_server_that_answers_nothing_any_more_is_lost() -> None:
    """It hangs as a whole (stopped, or a thread that keeps the GIL): the question for its queue is never answered."""

    async def never(_: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        raise AssertionError

    with serving(queue=never) as url:
        error = ends(lambda: Client(url).run({}, watched(1.0)), 60).exception()
    assert isinstance(error, LostError)


def test_messages_that_tell_of_nothing_are_no_progress() -> None:
    """Nodes that show the load of the machine (crystools) send one a second to everybody."""
    with serving(chatter={"type": "crystools.monitor", "data": {}}) as url:
        error = ends(lambda: Client(url).run({}, watched(1.0)), 60).exception()
    assert isinstance(error, LostError)


def test_a_server_whose_door_fails_does_not_burn_all_stories() -> None:
    """A proxy answers 502 for a pod that went: no story is at fault."""
    gone = lambda _: web.Response(status=502, text="<html>Bad Gateway</html>")  # noqa: E731
    with serving(prompt=gone) as url:
        error = ends(lambda: Client(url).run({}, watched(5.0)), 60).exception()
        assert isinstance(error, LostError), repr(error)
    with serving(upload=gone) as url, pytest.raises(LostError):
        Client(url).upload("x.png", b"x")


@pytest.mark.usefixtures("copied")
def test_a_server_whose_nodes_are_not_told_is_left_out(tmp_path: Path) -> None:
    process = ComfyProcess(Program(folder=COMFYUI, python=sys.executable), tmp_path / "pod")
    process.start()
    try:
        with serving(nodes=lambda _: web.Response(status=500)) as url:
            report, code, _ = batch(tmp_path / "out", told(s="a"), comfyui=None, servers=[url, process.url])
    finally:
        process.stop()
    assert (code, states(report)) == (0, {"s": "done"})


def test_a_server_that_tells_of_no_output_ends_no_batch(tmp_path: Path) -> None:
    done = {"p": {"outputs": {}}}
    with serving(chatter={"type": "execution_success", "data": {"prompt_id": "p"}}, history=done) as url:
        report, _, _ = batch(tmp_path / "out", told(s="a"), comfyui=None, servers=[url])
    assert states(report) == {"s": "failed"}


def test_a_name_of_a_hostile_server_ends_no_batch(tmp_path: Path) -> None:
    entry = {"filename": "x.m\0p4", "subfolder": "", "type": "output"}
    done = {"p": {"outputs": {"4": {"images": [entry], "svi_run": [{"made": 1, "waits": ""}]}}}}
    with serving(chatter={"type": "execution_success", "data": {"prompt_id": "p"}}, history=done) as url:
        report, _, _ = batch(tmp_path / "out", told(s="a"), comfyui=None, servers=[url])
    assert states(report) == {"s": "failed"}


def test_a_batch_on_a_server_that_hangs_ends(tmp_path: Path) -> None:
    """The graph that hung is still at work there, and all that is queued behind it waits for it for ever."""
    queued: list[str] = []

    def prompt(_: web.Request) -> Any:
        queued.append(f"p{len(queued)}")
        return {"prompt_id": queued[-1]}

    def queue(_: web.Request) -> Any:
        return {"queue_running": [[0, queued[0]]], "queue_pending": [[0, name] for name in queued[1:]]}

    with serving(prompt=prompt, queue=queue) as url:
        call = lambda: batch(tmp_path / "out", told(s="a", t="b"), comfyui=None, servers=[url], hang=1.0, retries=0)  # noqa: E731
        _, code, _ = ends(call, 90).result()
    assert code == 1


def test_a_connection_that_a_proxy_cuts_loses_no_story() -> None:
    """Doors of pods cut idle web sockets after a minute or two; the graph runs on, and the history tells of it."""
    with serving(drop=0.5, history={"p": {"outputs": {}, "status": {"completed": True}}}) as url:
        assert Client(url).run({}, watched(20.0))["status"]["completed"]


def test_a_server_that_lost_a_story_does_not_go_on_with_it() -> None:
    """It is tried elsewhere, while the first still renders it; with a third try there are three."""
    asked: list[str] = []

    def interrupt(_: web.Request) -> Any:
        asked.append("interrupt")
        return {}

    with serving(interrupt=interrupt) as url:
        worker = ComfyWorker("w", WorkerSettings(url=url, hang=1.0), _Quiet())
        sent = Sent(job=Job(name="s", story="s", key="", graph={}, node="4"), images={})
        error = ends(lambda: worker.render(sent), 60).exception()
    assert isinstance(error, LostError)
    assert asked == ["interrupt"]


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("where", ["take_left", "held_end"])
def test_ctrl_c_before_and_after_the_work_ends_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    from wanvideo_svi.wrapper_ext.cli.main import main

    calls: list[int] = []
    real = Folders.take_left

    def stopped(self: Folders) -> None:
        calls.append(1)
        if len(calls) == (1 if where == "take_left" else 2):
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(Folders, "take_left", stopped)
    asked = command(tmp_path, tmp_path / "out", {"s": "a"})
    try:
        code = main(asked[asked.index("render") :])
    except KeyboardInterrupt:
        pytest.fail("a traceback")
    assert code == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_does_not_wait_for_a_server(tmp_path: Path) -> None:
    with serving() as url:
        asked = command(tmp_path, tmp_path / "out", {"s": "a"}, "--server", url)
        at = asked.index("--comfyui")
        del asked[at : at + 4]  # --comfyui and --python
        with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            wait(lambda: (tmp_path / "out" / ".farm").exists() or process.poll() is not None, 30)
            time.sleep(3)
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                pytest.fail("it waits until the server is done with the story")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_comfyui_starts_does_not_start_it_again(tmp_path: Path) -> None:
    slow, starts = tmp_path / "slow", tmp_path / "starts"
    slow.mkdir()
    (slow / "main.py").write_text(f"import time\nopen({str(starts)!r}, 'a').write('x')\ntime.sleep(6)\n")
    program = Program(folder=slow, python=sys.executable)
    worker = ComfyWorker("w", WorkerSettings(base=tmp_path / "base", program=program), _Quiet())
    handle = ThreadWorker(worker, lambda job: job)  # type: ignore[arg-type,return-value]
    handle.ready()
    wait(starts.exists)
    began = time.monotonic()
    ends(handle.stop, 60).result()
    assert starts.read_text() == "x", f"started again by stop(), which took {time.monotonic() - began:.0f} s"


class _Quiet:
    def line(self, *_: Any) -> None: ...
    def preview(self, *_: Any) -> None: ...


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("urllib.request._opener", None)  # it keeps what it found at its first call
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(farm_process, "START_SECONDS", 8.0)
    monkeypatch.setattr(farm_process, "_STARTS", 1)
    process = ComfyProcess(Program(folder=COMFYUI, python=sys.executable), tmp_path / "w")
    try:
        process.start()
    finally:
        process.stop()


# The command


@pytest.mark.usefixtures("copied")
def test_a_report_may_be_asked_for_where_it_is(tmp_path: Path) -> None:
    from wanvideo_svi.wrapper_ext.cli.main import main

    asked = command(tmp_path, tmp_path / "out", {"s": "a"}, "--json", str(tmp_path / "out" / "report.json"))
    assert main(asked[asked.index("render") :]) == 0


def test_a_plan_counts_the_workers_that_there_will_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One server is one worker; --dry-run counts a ComfyUI of this machine too, which is not named."""
    from wanvideo_svi.wrapper_ext.cli.main import main

    (tmp_path / "graph.json").write_text(json.dumps(graph()))
    (tmp_path / "s.txt").write_text("a")
    with serving() as one, serving() as two, serving() as three, serving() as four, serving() as five:
        servers = [word for url in (one, two, three, four, five) for word in ("--server", url)]
        main(["render", str(tmp_path / "graph.json"), str(tmp_path / "s.txt"), "--out", str(tmp_path / "out"),
              "--dry-run", *servers])  # fmt: skip
    said = capsys.readouterr().out
    assert "5 workers:" in said, said
    assert "6 workers:" not in said


def test_workers_without_a_gpu_are_possible_where_there_are_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """--workers is said to be 'workers without a GPU'."""
    import argparse

    from wanvideo_svi.wrapper_ext.cli import render as cli

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    parser = argparse.ArgumentParser()
    cli.add_render(parser.add_subparsers())
    args = parser.parse_args(
        ["render", "g", "s", "--comfyui", str(COMFYUI), "--python", sys.executable, "--workers", "4"]
    )
    options = cli._options(args)
    assert options.workers <= len(options.cards) or not options.cards, (
        "Ray is asked for 4 cards, and says that it has 2"
    )


def test_arguments_that_take_the_worker_its_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="--comfyui-args has --output-directory, which each worker has of its own"):
        batch(tmp_path / "out", told(s="a"), arguments=["--output-directory", str(tmp_path / "elsewhere")])
