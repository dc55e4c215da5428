"""Workers as Ray actors: what listens where, what is left after kills, and hand-over without a shared disk."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from farms import STORY, batch, command, programs, reel, same, sampled, states, told, wait
from wanvideo_svi.svi_embeds.errors import SVIError

pytest.importorskip("ray", reason="Ray is not there: pip install wanvideo-svi[farm]")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes and sockets of Linux")


def family(pid: int) -> dict[int, str]:
    """A process and all below it, by id, with their names."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                told = (entry / "stat").read_text()
            except OSError:
                continue
            name = told[told.index("(") + 1 : told.rindex(")")]
            parents[int(entry.name)] = int(told[told.rindex(")") + 2 :].split()[1]), name
    found = {pid}
    while more := {child for child, (parent, _) in parents.items() if parent in found} - found:
        found |= more
    return {child: parents[child][1] for child in found if child in parents}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def listening(pids: set[int]) -> set[str]:
    """Addresses on which processes listen."""
    inodes = set()
    for pid in pids:
        try:
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                target = str(handle.readlink())
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
        except OSError:
            continue
    found = set()
    for table, kind in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and parts[9] in inodes:
                raw = bytes.fromhex(parts[1].split(":")[0])
                words = b"".join(struct.pack("<I", *struct.unpack(">I", raw[i : i + 4])) for i in range(0, len(raw), 4))
                found.add(socket.inet_ntop(kind, words).removeprefix("::ffff:"))
    return found


@pytest.fixture
def running(tmp_path: Path, marks: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A batch of four stories on two workers, once both sample."""
    monkeypatch.setenv("FAKE_COMFY_SECONDS", "0.4")
    stories = {f"s{number}": f"a {number}\n---\nb\n---\nc" for number in range(4)}
    with subprocess.Popen(
        command(tmp_path, tmp_path / "out", stories, "--workers", "2"), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        wait(lambda: len(programs()) == 2 and len(sampled(marks)) >= 2)
        yield process
        process.kill()


@pytest.mark.usefixtures("copied")
def test_two_workers_make_what_one_makes_and_listen_on_loopback_alone(
    tmp_path: Path, marks: Path, running: subprocess.Popen[str]
) -> None:
    there = family(running.pid)
    assert any("raylet" in name for name in there.values())
    assert listening(set(there) | set(programs())) == {"127.0.0.1"}
    said = running.communicate(timeout=120)[0]
    assert running.returncode == 0, said
    assert "core_worker" not in said
    assert programs() == []
    assert not [pid for pid in there if alive(pid)]
    assert not (tmp_path / "out" / ".farm").exists()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {worker for row in report["stories"] for worker in row["workers"]} == {"worker-1", "worker-2"}
    assert len(sampled(marks)) == 12
    batch(tmp_path / "one", told(**{f"s{n}": f"a {n}\n---\nb\n---\nc" for n in range(4)}))
    assert all(same(reel(tmp_path / "out", f"s{n}"), reel(tmp_path / "one", f"s{n}")) for n in range(4))


@pytest.mark.skipif(not os.environ.get("SVI_LONG_TESTS"), reason="set SVI_LONG_TESTS=1 for kills (three minutes)")
@pytest.mark.parametrize("who", ["comfyui", "worker", "raylet", "driver"])
def test_whoever_is_killed_no_program_is_left_and_all_is_made(
    tmp_path: Path, marks: Path, running: subprocess.Popen[str], who: str
) -> None:
    there = family(running.pid)
    comfyui = programs()
    actors = [int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]) for pid in comfyui]
    raylets = [pid for pid, name in there.items() if name == "raylet"]
    assert len(raylets) == 1
    assert set(actors) <= set(there)
    victims = {"comfyui": comfyui[0], "worker": actors[0], "raylet": raylets[0], "driver": running.pid}
    os.kill(victims[who], signal.SIGKILL)
    said = running.communicate(timeout=180)[0]
    if who in ("comfyui", "worker"):
        assert running.returncode == 0, said
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert sum(row["retries"] for row in report["stories"]) == 1
    wait(lambda: programs() == [], 30)
    wait(lambda: len([pid for pid in there if alive(pid)]) <= 2, 60)  # helpers of Ray's own, see clear_left
    again = subprocess.run(
        command(tmp_path, tmp_path / "out", {f"s{n}": f"a {n}\n---\nb\n---\nc" for n in range(4)}, "--workers", "2"),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert again.returncode == 0, said + again.stdout + again.stderr
    for number in range(4):
        found = reel(tmp_path / "out", f"s{number}")
        assert found.problems() == []
        assert len(found.clips) == 3
        assert not found.spare
    assert len(sampled(marks)) <= 14, "a kill costs at most the clips that were at work"
    assert not (tmp_path / "out" / ".farm").exists()
    assert not [pid for pid in there if alive(pid)]
    assert not list(Path(tempfile.gettempdir()).glob(f"svi-ray-{running.pid}-*"))


@pytest.mark.usefixtures("copied")
def test_reels_are_handed_over_where_no_disk_is_shared(tmp_path: Path, marks: Path) -> None:
    scenes = "a\n---\nb\n---\n[cut takes=2]\nc\n---\nd"
    batch(tmp_path / "one", told(s=scenes, t=STORY))
    whole = sampled(marks)
    _, code, said = batch(tmp_path / "out", told(s=scenes, t=STORY), workers=2, store=True, split=True)
    assert code == 0, said
    assert sorted(sampled(marks)[len(whole) :]) == sorted(whole)
    assert all(same(reel(tmp_path / "out", name), reel(tmp_path / "one", name)) for name in "st")
    assert reel(tmp_path / "out", "s").problems() == []
    assert programs() == []
    _, code, _ = batch(tmp_path / "out", told(s=scenes, t=STORY), workers=2, store=True, again=True)
    assert code == 0
    assert len(sampled(marks)) == 2 * len(whole), "what is there goes to the workers, and is not made again"


def test_without_ray_one_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SVIError, match=r'pip install "ray>=2\.54", or take one worker'):
        batch(tmp_path / "out", told(s="a"), workers=2)


def test_an_address_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "1")
    with pytest.raises(SVIError, match=r"Ray at 127\.0\.0\.1:9 does not answer"):
        batch(tmp_path / "out", told(s="a"), workers=2, address="127.0.0.1:9")


@pytest.mark.skipif(not os.environ.get("SVI_LONG_TESTS"), reason="set SVI_LONG_TESTS=1 for 30 kills (ten minutes)")
def test_thirty_kills_lose_nothing_and_double_nothing(
    tmp_path: Path, marks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ComfyUIs, workers and drivers are killed at random; the same command goes on until all is there."""
    monkeypatch.setenv("FAKE_COMFY_SECONDS", "0.5")
    chance = random.Random(5)
    stories = {f"s{number:02}": f"a {number}\n---\nb\n---\nc" for number in range(20)}
    out, kills, starts = tmp_path / "out", dict.fromkeys(("comfyui", "worker", "driver"), 0), 0
    while True:
        starts += 1
        with subprocess.Popen(
            command(tmp_path, out, stories, "--workers", "2", "--retries", "30"), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            while process.poll() is None and sum(kills.values()) < 30:
                time.sleep(chance.uniform(1, 5))
                comfyui, who = programs(), chance.choice(["comfyui", "comfyui", "worker", "worker", "driver"])
                if not comfyui or process.poll() is not None:
                    continue
                victim = chance.choice(comfyui)
                try:
                    parent = int(Path(f"/proc/{victim}/stat").read_text().rsplit(")", 1)[1].split()[1])
                    os.kill({"comfyui": victim, "worker": parent, "driver": process.pid}[who], signal.SIGKILL)
                except OSError:
                    continue
                kills[who] += 1
                if who != "comfyui":
                    wait(lambda victim=victim: victim not in programs(), 15)
            said = process.communicate(timeout=600)[0]
        wait(lambda: programs() == [], 30)
        if sum(kills.values()) >= 30 and process.returncode == 0:
            break
        assert process.returncode in (0, -signal.SIGKILL), said
        if process.returncode == 0:
            break
    print(kills, "starts", starts, "samplings", len(sampled(marks)), "of 60")
    for name in stories:
        found = reel(out, name)
        assert found.problems() == []
        assert (len(found.clips), len(found.spare)) == (3, 0)
    assert states(json.loads((out / "report.json").read_text())).keys() == stories.keys()
    assert not (out / ".farm").exists()
    batch(tmp_path / "one", told(**stories))
    assert all(same(reel(out, name), reel(tmp_path / "one", name)) for name in stories)
