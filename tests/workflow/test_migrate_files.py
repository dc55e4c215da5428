"""Workflows in files, and the command that migrates them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from graph_files import mp4, png, webp
from old_graphs import as_api, pixel_chain, wanex
from project import ROOT
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.answers.migrate import migrate_value
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.workflow.model.files import free_name, read_workflow

RAW = pixel_chain()


def write(path: Path, value: Any = None, **options: Any) -> Path:
    path.write_text(json.dumps(RAW if value is None else value, **options), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "texts",
    [
        {"workflow": json.dumps(RAW)},
        {"workflow": json.dumps(RAW), "prompt": json.dumps(as_api(RAW))},
    ],
)  # fmt: skip
@pytest.mark.parametrize(("make", "suffix"), [(png, ".png"), (webp, ".webp"), (mp4, ".mp4")])
def test_the_drawn_graph_is_read_from_pictures_and_videos(
    tmp_path: Path, make: Any, suffix: str, texts: dict[str, str]
) -> None:
    assert read_workflow(make(tmp_path / f"saved{suffix}", texts)) == RAW


@pytest.mark.parametrize(("make", "suffix"), [(png, ".png"), (webp, ".webp"), (mp4, ".mp4")])
def test_the_api_graph_is_read_where_there_is_no_other(tmp_path: Path, make: Any, suffix: str) -> None:
    api = as_api(RAW)
    assert read_workflow(make(tmp_path / f"saved{suffix}", {"prompt": json.dumps(api)})) == api


def test_videohelpersuites_comment_is_read(tmp_path: Path) -> None:
    comment = json.dumps({"prompt": as_api(RAW), "workflow": RAW})
    assert read_workflow(mp4(tmp_path / "vhs.mp4", {"comment": comment})) == RAW


@pytest.mark.parametrize(("make", "suffix"), [(png, ".png"), (webp, ".webp"), (mp4, ".mp4")])
def test_media_without_a_workflow_say_so(tmp_path: Path, make: Any, suffix: str) -> None:
    with pytest.raises(SVIError, match="holds no workflow"):
        read_workflow(make(tmp_path / f"bare{suffix}", {}))


@pytest.mark.parametrize("name", ["a.json", "a.png", "a.webp", "a.mp4"])
@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nrubbish", b"\xff\xfe\x00", b"RIFF\0\0\0\0WEBPVP8 "])
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SVIError):
        read_workflow(path)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="cannot be read"):
        read_workflow(tmp_path / "none.json")
    with pytest.raises(SVIError, match="cannot be read"):
        read_workflow(tmp_path)


@pytest.mark.parametrize("size", [200 * 2**20, 5 * 2**30])
@pytest.mark.parametrize("name", ["huge.json", "huge.txt"])
def test_huge_files_are_refused_unread(tmp_path: Path, name: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(size)  # a hole: it takes no room on disk
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    with pytest.raises(SVIError, match="for a workflow: the limit is"):
        read_workflow(path)


# The command


def test_migrate_writes_beside_its_input_and_leaves_that_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "mine.json", indent=2)
    before = path.read_bytes()
    assert main(["migrate", str(path)]) == 0
    assert path.read_bytes() == before
    out = tmp_path / "mine.svi.json"
    assert json.loads(out.read_text()) == migrate_value(RAW)[0]
    assert out.read_text().startswith('{\n  "id"')  # laid out as its input
    said = capsys.readouterr().out
    assert "replaced: Clip 2 (node 28)" in said
    assert "40 nodes before, 26 after" in said
    assert str(out) in said
    assert main(["migrate", str(path)]) == 0
    assert (tmp_path / "mine.svi-2.json").exists()
    assert free_name(path).name == "mine.svi-3.json"


def test_the_input_is_never_overwritten_by_whatever_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mine.json")
    link = tmp_path / "link.json"
    link.symlink_to(path)
    hard = tmp_path / "hard.json"
    hard.hardlink_to(path)
    before = path.read_bytes()
    for name in (path, link, hard, tmp_path / "." / "mine.json"):
        assert main(["migrate", str(path), "-o", str(name)]) == 2
        assert "never overwritten" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["hard.json", "link.json", "mine.json"]


def test_check_changes_nothing_and_says_by_its_exit_code(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.json")
    assert main(["migrate", str(path), "--check"]) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["mine.json"]
    out = tmp_path / "out.json"
    assert main(["migrate", str(path), "-o", str(out)]) == 0
    assert main(["migrate", str(out), "--check"]) == 0


def test_nothing_to_do_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "done.json", migrate_value(RAW)[0])
    assert main(["migrate", str(path), "-o", str(tmp_path / "out.json")]) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["done.json"]
    assert "was not written" in capsys.readouterr().err


def test_a_report_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mine.json", pixel_chain(trim=3))
    assert main(["migrate", str(path), "--check", "--report", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["to_do"] is True
    assert report["out"] is None
    kinds = [found["kind"] for found in report["findings"]]
    assert (kinds.count("rewrite"), kinds.count("defect")) == (4, 2)
    keys = {"kind", "node", "title", "what", "fix", "fixed", "subgraph", "pattern"}
    assert report["findings"][0].keys() == keys


def test_a_story_from_the_command(tmp_path: Path) -> None:
    path = png(tmp_path / "shared.png", {"workflow": json.dumps(RAW)})
    assert main(["migrate", str(path), "--as-story"]) == 0
    made = json.loads((tmp_path / "shared.svi.json").read_text())
    assert [node["type"] for node in made["nodes"]].count("WanVideoSVILongVideo") == 1


@pytest.mark.parametrize("arguments", [["--as-story"], []])
def test_what_cannot_be_done_leaves_no_file(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "mine.json", wanex() if arguments else {"nodes": 5})
    assert main(["migrate", str(path), *arguments]) == 2
    assert capsys.readouterr().err.startswith("wanvideo-svi: ")
    assert [each.name for each in tmp_path.iterdir()] == ["mine.json"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mine.json")
    assert main(["migrate", str(path), "-o", str(tmp_path / "none" / "out.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("title", ["\U0001f680 rocket", "half \ud83d"])
def test_titles_that_a_console_or_utf8_cannot_hold(tmp_path: Path, title: str) -> None:
    raw = pixel_chain()
    next(node for node in raw["nodes"] if node["type"] == "ImageBatchMulti")["title"] = title
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(raw))
    code = "import sys; from wanvideo_svi.wrapper_ext.cli.main import main; sys.exit(main(['migrate', sys.argv[1]]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "mine.svi.json").read_text())
    assert title in [node.get("title") for node in made["nodes"]]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.json", "mine.svi.json"]


@pytest.mark.parametrize("out", [".", "mine.json/x.json", "folder"])
def test_names_that_are_no_file_are_refused(tmp_path: Path, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "mine.json")
    (tmp_path / "folder").mkdir()
    assert main(["migrate", str(path), "-o", str(tmp_path / out)]) == 2
    assert capsys.readouterr().err.startswith("wanvideo-svi: ")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "mine.json"]


def test_defects_for_the_user_alone_write_no_file(tmp_path: Path) -> None:
    raw = json.loads((ROOT / "example_workflows/svi_film_chain.json").read_text())
    next(node for node in raw["nodes"] if node["type"] == "WanVideoSVIStitch")["widgets_values"][0] = 3
    path = write(tmp_path / "mine.json", raw)
    assert main(["migrate", str(path)]) == 0
    assert main(["migrate", str(path), "--check"]) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["mine.json"]
