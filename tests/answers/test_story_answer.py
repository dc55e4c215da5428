"""What the story editor shows is what the node makes: the plan, the error, and what the reel has of it."""

from __future__ import annotations

import itertools
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from fake_host import FakeHost, sampler
from helpers import frames, planned, within
from hypothesis import event, given
from hypothesis import strategies as st
from long_video_node import LongVideo, run
from story_node import CONNECTED, SETTINGS, VALUES, ask, node
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel import writer as reel_writer
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.text import CHAIN_MODES
from wanvideo_svi.wrapper_ext.answers import reel as story_reel
from wanvideo_svi.wrapper_ext.answers import story as story_answer
from wanvideo_svi.wrapper_ext.answers.question import MAX_STORY
from wanvideo_svi.wrapper_ext.answers.queue import question_of
from wanvideo_svi.wrapper_ext.answers.story import MAX_PLANNED, MAX_QUESTIONS, answer, refusal_of
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host.settings import reels_name
from wanvideo_svi.wrapper_ext.running.wiring import RunningGraph


@pytest.fixture(autouse=True)
def _reels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host_files, "comfy_folders", lambda: {"output": tmp_path.resolve()})
    story_reel._read_last.clear()


# Tables and errors

GOOD = ["frames=9", "frames=49", "seed=7", "overlap=5", "mode=i2v", "model=main", "cfg=2", "color=off", "repeat=3"]
DOUBTFUL = [
    "frames=8", "overlap=9", "overlap=30", "mode=shot", "mode=svi2_pro", "known=inverted", "padding=grey",
    "padding=zero", "end=0", "model=first", "color=mkl", "repeat=auto", "fram=9", "seed",
]  # fmt: skip
BLOCKS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(GOOD), max_size=3, unique_by=lambda setting: setting.partition("=")[0]),
        st.sampled_from(["a lake", "# a comment\nb", "one\ntwo", "\\[escaped]", "ü 🐼"]),
    ),
    min_size=1, max_size=4,
) | st.lists(
    st.tuples(
        st.lists(
            st.sampled_from(GOOD + DOUBTFUL), max_size=3, unique_by=lambda setting: setting.partition("=")[0]
        ),
        st.sampled_from(["a lake", "", "# only a comment", "---"]),
    ),
    min_size=1, max_size=3,
)  # fmt: skip
PLAIN = {
    "mode": "film", "num_frames": 81, "overlap_frames": 0, "seed": 5, "fps": 16, "reel": "test",
    "fun_or_fl2v_model": True, "split_step": 0, "color_match": "off", "color_match_to": "clip_1",
    "skip_repeated": False,
}  # fmt: skip
SITUATIONS = st.just(PLAIN) | st.fixed_dictionaries({
    "mode": st.sampled_from(["film"] * 6 + [*CHAIN_MODES, "flim"]),
    "num_frames": st.sampled_from([17, 81, 81, 5, 18]),
    "overlap_frames": st.sampled_from([0, 0, 0, 4, 5, 17]),
    "seed": st.sampled_from([0, 5, 2**64 - 1]),
    "fps": st.sampled_from([16, 24.5]),
    "reel": st.sampled_from(["test"] * 9 + ["a/b"]),
    "fun_or_fl2v_model": st.booleans(),
    "split_step": st.sampled_from([0] * 6 + [3]),
    "color_match": st.sampled_from(["off"] * 5 + ["mean_std", "flim"]),
    "color_match_to": st.sampled_from(["clip_1", "reference"]),
    "skip_repeated": st.booleans(),
})  # fmt: skip
USUAL = [
    {"start_image", "t5"}, {"start_image", "clip", "first_clip_model"},
    {"start_image", "ref_image", "end_images", "t5"},
    {"start_image", "t5", "low_noise_model", "first_clip_model", "first_clip_low_noise_model", "end_images"},
]  # fmt: skip
WIRES = st.sampled_from(USUAL) | st.sets(
    st.sampled_from([
        "start_image", "ref_image", "end_images", "t5", "clip", "text_embeds", "clip_vision", "first_clip_model",
        "low_noise_model", "low_noise_sampler_inputs", "first_clip_low_noise_model",
    ])
)  # fmt: skip


class Sampled(Exception):  # noqa: N818 - no error: it got as far as that
    pass


def refusal(values: dict[str, Any], wires: set[str]) -> str | None:
    """What the node itself says to these values and wires before it samples; None when it begins."""
    stopped = FakeHost()
    stopped.cancel_at = 0
    high = sampler(**({"end_step": 3, "start_step": 3} if not values["split_step"] else {}))
    given: dict[str, Any] = {name: name for name in wires}
    given |= {name: frames(1) for name in wires if name in ("start_image", "ref_image", "end_images")}
    given |= {name: {"prompt": "before"} for name in wires if name == "text_embeds"}
    given |= {name: high for name in wires if name == "low_noise_sampler_inputs"}
    valid = LongVideo.VALIDATE_INPUTS(story=values["story"])
    if valid is not True:
        return str(valid)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comfy, "has_wrapper", lambda: True)
        patch.setattr("wanvideo_svi.wrapper_ext.render.long_video.ReelWriter", _begin)
        try:
            run(**{"start_image": None, "t5": None, **values, "sampler_inputs": high, **given})
        except Sampled:
            return None
        except SVIError as error:
            return str(error)
    raise AssertionError("the node neither began nor refused")


def _begin(*_: Any, **__: Any) -> Any:
    raise Sampled


@given(BLOCKS, SITUATIONS, WIRES)
def test_the_editor_shows_what_the_node_makes_and_says_what_it_says(
    blocks: list[tuple[list[str], str]], values: dict[str, Any], wires: set[str]
) -> None:
    story = "\n---\n".join(f"[{' '.join(settings)}]\n{text}" if settings else text for settings, text in blocks)
    connected = {"sampler_inputs": SETTINGS, "vae": "V", **dict.fromkeys(wires, "LoadImage")}
    shown = ask(connected=connected, story=story, **values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comfy, "has_wrapper", lambda: True)
        said = refusal({"story": story, **values}, wires)
    assert (shown["error"] or {}).get("message") == said
    assert refusal_of(node(connected=connected, story=story, **values)) in (None, said), "refused when it is queued"
    event("refused" if said else "planned")
    if said is not None:
        assert shown["rows"] == []
        return
    plan = planned(
        story, mode=values["mode"], num_frames=values["num_frames"], overlap_frames=values["overlap_frames"],
        seed=values["seed"], fps=values["fps"], start_frames=int("start_image" in wires),
        reference_frames=int("ref_image" in wires), end_images=int("end_images" in wires),
        fun_or_fl2v_model=values["fun_or_fl2v_model"], first_clip_model="first_clip_model" in wires,
        skip_repeated=values["skip_repeated"],
    )  # fmt: skip
    assert shown["summary"] == plan.describe()
    assert shown["notes"][: len(plan.notes)] == list(plan.notes)
    table = plan.table()[1:]
    assert [
        (str(row["clip"]), row["mode"], row["model"], row["seed"], str(row["frames"]), str(row["overlap"]),
         str(row["until"]), row["time"])
        for row in shown["rows"]
    ] == [(*cells[:6], *cells[7:9]) for cells in table]  # fmt: skip
    assert [row["line"] for row in shown["rows"]] == [clip.line for clip in plan.clips]


BROKEN = ("[fram=5]", "[frames=8]", "[seed= 5]", "[seed=1] x", "[frames=5", "[]", "[end=9]\nx", "[overlap=50]\nx", "")
ODD = st.text(st.sampled_from("a🐼ü\t \v\x85\u2028\r\n"), max_size=12)


@given(ODD, ODD, st.sampled_from(BROKEN), st.booleans())
def test_the_place_of_an_error_is_where_the_text_box_has_it(before: str, inside: str, broken: str, bom: bool) -> None:
    """The text box counts in UTF-16 and has one line end for all; Python counts characters and many line ends."""
    mark = "\ufeff" * bom
    story = f"{mark}x{before}\n---\n{broken}{inside}"
    error = ask(story=story)["error"]
    if error is None or error["line"] is None:
        return
    box = story.replace("\r\n", "\n").replace("\r", "\n").encode("utf-16-le", "surrogatepass")
    begin, end = error["select"]
    marked = box[2 * begin : 2 * end].decode("utf-16-le")
    line = story.removeprefix("\ufeff").splitlines()[error["line"] - 1 : error["line"]]
    assert marked == marked.strip() or error["column"]
    assert marked in (line[0] if line else "")
    shown = error["text"].encode("utf-16-le")
    assert shown[2 * error["mark"][0] : 2 * error["mark"][1]].decode("utf-16-le") == marked.replace("\t", " ")
    if error["column"]:
        assert line[0][error["column"] - 1 :].startswith(marked)
        assert f"line {error['line']}, column {error['column']} of the story: " in error["message"]


def test_an_error_in_a_long_line_shows_the_part_around_it() -> None:
    error = ask(story=f"[seed=1 {' ' * 5000}fram=9{' ' * 5000}]\na")["error"]
    assert (error["line"], error["column"]) == (1, 5009)
    assert len(error["text"]) <= 102
    assert error["text"][slice(*error["mark"])] == "fram=9"
    assert error["text"][0] == error["text"][-1] == "…"
    assert error["select"] == [5008, 5014]


def test_what_is_no_error_of_the_story_names_no_line() -> None:
    for values in ({"num_frames": 18}, {"reel": "../x"}, {"color_match": "mkl", "color_match_strength": 2}):
        error = ask(**values)["error"]
        assert error["message"]
        assert (error["line"], error["select"]) == (None, None)
    # A value that looks like a place is none.
    assert ask(reel="line 7 of the story/")["error"]["line"] is None


def test_rows_lead_to_their_blocks() -> None:
    story = "# before\n\n  [frames=9]\nfirst\n---\n\n  second 🐼\n---\n[repeat=2]\nthird"
    box = story.encode("utf-16-le")
    found = [box[2 * row["select"][0] : 2 * row["select"][1]].decode("utf-16-le") for row in ask(story=story)["rows"]]
    assert found == ["[frames=9]", "second 🐼", "[repeat=2]", "[repeat=2]"]


def test_a_thousand_clips_come_as_the_first_and_the_last() -> None:
    story = "\n---\n".join(f"prompt {number}" for number in range(1000))
    said = ask(story=story)
    clips = [row["clip"] for row in said["rows"]]
    assert clips[0] == 1
    assert clips[-1] == 1000
    assert len(clips) + said["left_out"] == 1000
    gaps = [after - before for before, after in itertools.pairwise(clips)]
    assert sorted(gaps)[-2:] == [1, said["left_out"] + 1]
    assert len(json.dumps(said)) < 60_000


def test_no_more_is_planned_than_takes_a_moment() -> None:
    assert "not planned while you type" in ask(story=f"[repeat={MAX_PLANNED + 1}]\na")["notes"][0]
    assert "not planned while you type" in ask(story="a" * (MAX_STORY + 1))["notes"][0]
    with within(30):
        assert ask(story=f"[repeat={MAX_PLANNED}]\na")["left_out"] > 4000


def test_auto_shows_one_clip_of_the_many_that_the_audio_needs() -> None:
    story = "a\n---\nb\n---\n[repeat=auto]\nc"
    assert "connect the audio or the poses" in ask(story=story)["error"]["message"]
    for more in ({"connected": {**CONNECTED, "audio": "LoadAudio"}}, {"sampler": {"multitalk_embeds": "X"}},
                 {"sampler": {"image_embeds": "HuMoEmbeds"}}, {"sampler": None}):  # fmt: skip
        said = ask(story=story, **more)
        assert [row["line"] for row in said["rows"]] == [1, 3, 5]
        assert said["summary"] == "at least 3 clips, 41 frames, 2.6 s at 16 fps"
        assert any(note.startswith("line 5 of the story makes as many clips as") for note in said["notes"])
        assert not any("makes no clip" in note for note in said["notes"])
    assert len(ask(story="[repeat=auto]\nc", sampler=None)["rows"]) == 1


def test_what_is_assumed_is_said() -> None:
    unseen = {**CONNECTED, "start_image": "ImageBatch", "end_images": "ImageBatch"}
    notes = " ".join(ask(story="a\n---\n[end=3]\nb", connected=unseen)["notes"])
    assert "start_image is taken for one image" in notes
    assert "how many end_images there are is known when it runs" in notes
    # With a first model clip 1 is a plain one whatever there is.
    notes = " ".join(ask(connected={**unseen, "first_clip_model": "M"})["notes"])
    assert "start_image is taken" not in notes
    said = ask(linked=["seed", "num_frames"])
    assert "what the node shows for num_frames, seed:" in said["notes"][-1]
    assert [row["state"] for row in said["rows"]] == [None, None]
    assert ask(linked=["fps"])["rows"][0]["state"] == "to do"
    said = ask(linked=["story"], story="[fram=5]")
    assert said["error"] is None
    assert "the story comes by a link" in said["notes"][0]
    assert ask(linked=["reel"])["reel"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_frames": "film"}, "num_frames must be a number"),
        ({"num_frames": 17.5}, "num_frames must be a whole number"),
        ({"seed": True}, "seed must be a number"),
        ({"fps": 1e300}, "fps must be a number"),
        ({"story": None}, "story must be text"),
        ({"resume": "yes"}, "resume must be true or false"),
        ({"mode": ["film"]}, "mode must be text"),
    ],
)
def test_values_of_an_old_graph_that_fit_nothing_are_told_for_that_node(change: dict, message: str) -> None:
    status, said = answer(json.dumps({"nodes": [node(**change), node()]}))
    assert status == 200
    assert message in said["answers"][0]["error"]["message"]
    assert said["answers"][1]["error"] is None


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"nodes": 3}', '{"nodes": {}}', json.dumps({"nodes": [{}] * (MAX_QUESTIONS + 1)})]
)
def test_what_no_page_asks_is_refused(body: str) -> None:
    status, said = answer(body)
    assert status == 400
    assert said["error"]


def test_nodes_that_are_none_get_a_sentence() -> None:
    for bad in (3, {}, {"values": {}, "linked": []}, {"values": VALUES, "linked": 1},
                {"values": VALUES, "linked": [], "connected": {"t5": 1}}):  # fmt: skip
        status, said = answer(json.dumps({"nodes": [bad]}))
        assert status == 200
        assert said["answers"][0]["error"]["message"]


# The reel


def states(**asked: Any) -> list[str]:
    return [row["state"] for row in ask(**asked)["rows"]]


THREE = "a\n---\nb\n---\nc"


@pytest.mark.usefixtures("fake")
def test_states_come_true_in_the_run_that_follows() -> None:
    """What is shown as kept is kept by the next run, and what is not is made: the models are the same here."""
    assert states(story=THREE) == ["to do"] * 3
    run(THREE)
    assert states(story=THREE) == ["kept"] * 3
    edits: list[dict[str, Any]] = [
        {"story": "a\n---\nB\n---\nc"},
        {"story": THREE},  # undone: the takes of before count again
        {"story": f"{THREE}\n---\nd"},
        {"story": THREE, "num_frames": 21},
        {"story": "a\n---\n[cfg=3]\nb\n---\nc"},
        {"story": "a\n---\n[cfg=3]\nb\n---\n[padding=black]\nc"},
        {"story": THREE, "negative_prompt": "bad"},
        {"story": THREE, "seed": 9, "color_match": "mean_std"},
        {"story": "# said otherwise\na\n---\n\nb\n---\n\nc", "seed": 9, "color_match": "mean_std", "fps": 24},
        {"story": THREE, "resume": False},
        {"story": "a\n---\n[end=0]\nb\n---\nc", "end_images": frames(1), "tiled_vae": True},
    ]  # fmt: skip
    for edit in edits:
        connected = {**CONNECTED, **({"end_images": "LoadImage"} if "end_images" in edit else {})}
        shown = states(connected=connected, **{key: value for key, value in edit.items() if key != "end_images"})
        kept = shown.count("kept")
        assert shown[:kept] == ["kept"] * kept, edit
        info = run(**edit)["result"][3].splitlines()[0]
        assert f"; {kept} kept, {len(shown) - kept} made" in info, (edit, shown)
        again = states(connected=connected, **{key: value for key, value in edit.items() if key != "end_images"})
        assert again == (["kept"] if edit.get("resume", True) else ["stale"]) * len(shown), edit


@pytest.mark.usefixtures("fake")
def test_clips_recorded_otherwise_are_stale_and_the_rest_is_to_do() -> None:
    run("a\n---\nb")
    assert states(story="a\n---\nB\n---\nc\n---\nd") == ["kept", "stale", "to do", "to do"]
    said = ask(story="a\n---\nB\n---\n[repeat=500]\nc")
    assert said["counts"] == {"kept": 1, "stale": 1, "to do": 500}
    assert states(story="A\n---\nb") == ["stale", "stale"]
    assert states(story="a\n---\nb\n---\nc") == ["kept", "kept", "to do"]
    assert states(story="a\n---\nb", reel="other") == ["to do", "to do"]
    assert ask(story="a\n---\nb")["reel"]["clips"] == 2


@pytest.mark.usefixtures("fake")
def test_a_clip_whose_files_are_gone_or_cut_is_made_again(tmp_path: Path) -> None:
    run(THREE)
    folder = tmp_path / "svi_reels" / "test"
    clip = open_reel(folder).clips[1]
    (folder / clip.video.name).write_bytes(b"")
    assert states(story=THREE) == ["kept", "stale", "stale"]
    (folder / clip.tail.name).unlink()
    assert states(story=THREE) == ["kept", "stale", "stale"]


@pytest.mark.usefixtures("fake")
def test_reels_of_before_are_compared_by_what_they_recorded(tmp_path: Path) -> None:
    run(THREE)
    manifest = tmp_path / "svi_reels" / "test" / "manifest.json"
    data = json.loads(manifest.read_text())
    for take in data["takes"]:
        del take["values"]
    manifest.write_text(json.dumps(data))
    assert states(story=THREE) == ["kept"] * 3
    assert states(story="a\n---\nB\n---\nc") == ["kept", "stale", "stale"]
    assert states(story=THREE, seed=1) == ["stale"] * 3
    assert states(story=THREE, width=80) == ["stale"] * 3
    run(THREE)  # keeps them, and records from now on
    assert all(take.values for take in open_reel(manifest.parent).clips)


@pytest.mark.usefixtures("fake")
def test_the_newest_video_is_offered_and_said_to_be_of_before(tmp_path: Path) -> None:
    made = run(THREE)
    reel = ask(story=THREE)["reel"]
    assert (reel["video"], reel["is_current"]) == (host_files.output_file(made["result"][2]), True)
    assert (tmp_path / reel["video"]["subfolder"] / reel["video"]["filename"]).is_file()
    folder = tmp_path / "svi_reels" / "test"
    (folder / "other.mp4").write_bytes(b"")
    (folder / "test_00000000_16fps_h265_q85.mp4").write_bytes(b"")
    (folder / "test_00000000_16fps_prores.mov").write_bytes(b"")
    (folder / "test_00000000_16fps.mp4").symlink_to("/etc/passwd")
    assert ask(story=THREE)["reel"]["video"] == reel["video"]
    with ReelWriter(folder, fps=16) as writer:
        writer.set_chain(writer.reel.clips[:1])  # as a run that was stopped leaves it
    reel = ask(story=THREE)["reel"]
    assert reel["video"] == host_files.output_file(made["result"][2])
    assert reel["is_current"] is False


@pytest.mark.usefixtures("fake")
def test_a_reel_is_read_while_it_is_written(tmp_path: Path) -> None:
    """No lock is waited for or taken, and every answer is of a whole manifest."""
    run("a")
    folder = tmp_path / "svi_reels" / "test"
    found: list[list[str]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            found.append(states(story=THREE))

    with ReelWriter(folder, fps=16):  # a run holds the lock
        assert states(story=THREE) == ["kept", "to do", "to do"]
    watcher = threading.Thread(target=look)
    watcher.start()
    run(THREE)
    stop.set()
    watcher.join()
    kept = [shown.count("kept") for shown in found]
    assert kept == sorted(kept)
    assert all(shown == ["kept"] * count + ["to do"] * (3 - count) for shown, count in zip(found, kept, strict=True))
    assert states(story=THREE) == ["kept"] * 3


def test_a_manifest_that_is_read_at_that_moment_is_replaced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Windows has it: no file is replaced while somebody reads it."""
    real, refused = Path.replace, []

    def busy(path: Path, target: Path) -> Path:
        if target.name == "manifest.json" and len(refused) < 2:
            refused.append(target)
            raise PermissionError(13, "in use")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(reel_writer, "_PAUSES", (0.0, 0.0))
    with ReelWriter(tmp_path / "reel", fps=16):
        pass
    assert len(refused) == 2
    assert open_reel(tmp_path / "reel").clips == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "not of this version"), ("[", "is damaged"), (" " * (story_reel.MAX_MANIFEST + 1), "too many takes")],
)
def test_a_reel_that_cannot_be_read_is_told_beside_the_plan(tmp_path: Path, text: str, message: str) -> None:
    folder = tmp_path / "svi_reels" / "test"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(text)
    said = ask()
    assert message in said["reel"]["trouble"]
    assert str(tmp_path) not in json.dumps(said)
    assert [row["state"] for row in said["rows"]] == [None, None]


def test_the_reel_folder_of_the_settings_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "reels_folder", lambda: tmp_path / "mine")
    assert ask()["reel"]["folder"] == "output/mine/test"


def test_a_setting_that_names_no_folder_leaves_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_files, "reels_folder", lambda: Path(reels_name({"WanVideoSVI.ReelFolder": "a/b"})))
    said = ask()
    assert "Reel folder in ComfyUI's settings must be the name of a folder" in said["reel"]["trouble"]
    assert [row["clip"] for row in said["rows"]] == [1, 2]


def test_a_manifest_is_parsed_once_while_it_stays_the_same(
    fake: FakeHost,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run("a\n---\nb")
    read = []
    monkeypatch.setattr(story_reel, "open_reel", lambda folder: read.append(folder) or open_reel(folder))
    for number in range(5):
        ask(story=f"a\n---\nb{number}")
    assert len(read) == 1
    run("a\n---\nb4")
    assert states(story="a\n---\nb4") == ["kept", "kept"]
    assert len(read) == 2


def test_the_stand_ins_hide_no_check() -> None:
    """Errors of wiring that are known without running are shown, in the node's words."""
    for more, message in (
        ({"t5": "T", "clip": "C"}, "got t5 and clip"),
        ({"clip_vision": "V"}, "disconnect clip_vision"),
    ):
        error = ask(mode="svi2_pro", connected={**CONNECTED, **more})["error"]
        assert message in error["message"]


def test_asking_takes_no_time_that_typing_would_feel() -> None:
    story = "\n---\n".join(f"[cfg=4]\nprompt {number}, with as many words as prompts have" for number in range(1000))
    body = json.dumps({"nodes": [node(story=story)]})
    with within(2):  # about 0.05 s
        story_answer.answer(body)


# Takes, scenes and mends


def states_of(story: str, **values: Any) -> list[str]:
    return [row["state"] for row in ask(story=story, **values)["rows"]]


FOUR = "a\n---\nb\n---\nc\n---\nd"


@pytest.mark.usefixtures("fake")
def test_a_mend_is_told_to_make_one_clip(tmp_path: Path) -> None:  # noqa: ARG001 - the reel lies there
    run(FOUR)
    assert states_of(FOUR.replace("c", "[mend]\nfog")) == ["kept", "kept", "stale", "kept"]
    assert states_of(FOUR, mend="3") == ["kept", "kept", "stale", "kept"]
    run(FOUR.replace("c", "[mend]\nfog"), mend_limit=0.0)
    assert states_of(FOUR.replace("c", "[mend]\nfog")) == ["kept"] * 4
    assert states_of(FOUR.replace("c", "fog")) == ["kept"] * 4  # it stays mended
    assert states_of(FOUR.replace("c", "[mend=off]\nfog")) == ["kept", "kept", "stale", "stale"]
    assert "2 made (clip 3, 4)" in run(FOUR.replace("c", "[mend=off]\nfog"))["result"][3]


@pytest.mark.usefixtures("fake")
def test_a_clip_that_is_put_in_is_told_to_be_the_only_one() -> None:
    run(FOUR)
    longer = FOUR.replace("c\n", "x\n---\nc\n")
    asked = ask(story=longer)
    assert [row["state"] for row in asked["rows"]] == ["kept", "kept", "to do", "kept", "kept"]
    assert [row["seed"] for row in asked["rows"]] == ["0", "42", "168", "84", "126"]
    assert "4 kept, 1 made (clip 3)" in run(longer, mend_limit=0.0)["result"][3]
    assert states_of(longer) == ["kept"] * 5
    assert states_of(FOUR) == ["kept"] * 4


@pytest.mark.usefixtures("fake")
def test_a_clip_that_is_taken_out_makes_what_followed_anew() -> None:
    run(FOUR)
    assert states_of("a\n---\nc\n---\nd") == ["kept", "stale", "stale"]
    assert states_of("a\n---\n[mend]\nc\n---\nd") == ["kept", "stale", "kept"]
    assert "2 kept, 1 made (clip 2)" in run("a\n---\n[mend]\nc\n---\nd", mend_limit=0.0)["result"][3]


@pytest.mark.usefixtures("fake")
def test_takes_and_picks_are_told_as_the_run_makes_them() -> None:
    run(FOUR)
    assert states_of(FOUR, takes=2) == ["stale"] * 4
    run(FOUR, takes=2)
    assert states_of(FOUR, takes=2) == ["kept"] * 4
    other = next(
        number for number in (1, 2)
        if states_of(FOUR.replace("b", f"[pick={number}]\nb"), takes=2) != ["kept"] * 4
    )  # fmt: skip
    story = FOUR.replace("b", f"[pick={other}]\nb")
    assert states_of(story, takes=2) == ["kept", "kept", "stale", "stale"]
    assert "2 made (clip 3, 4)" in run(story, takes=2)["result"][3]
    assert states_of(story, takes=2) == states_of(FOUR, takes=2) == ["kept"] * 4


@pytest.mark.usefixtures("fake")
def test_an_edit_in_one_scene_is_told_to_leave_the_others() -> None:
    story = "a\n---\nb\n---\n[cut]\nc\n---\nd\n---\n[from=1]\ne"
    run(story)
    assert states_of(story) == ["kept"] * 5
    assert states_of(story.replace("b", "x")) == ["kept", "stale", "kept", "kept", "kept"]
    assert states_of(story.replace("a", "x", 1)) == ["stale", "stale", "kept", "kept", "stale"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, None),
        ({"story": "[mode=talk]\na"}, "mode talk follows a voice or poses"),
        ({"sigmas": ["9", 0]}, "sampler and sigmas come together"),
        ({"low_noise_model": ["9", 0], "first_clip_low_noise_model": ["9", 0], "steps": 2, "split_step": 4},
         "split_step is 4: low_noise_model must take over at step 1 or later, before the last one of the 2 steps"),
        ({"low_noise_model": ["9", 0], "first_clip_low_noise_model": ["9", 0], "split_step": 0}, "split_step is 0"),
    ],
)  # fmt: skip
def test_a_native_long_video_is_refused_as_it_is_queued(inputs: dict[str, Any], said: str | None) -> None:
    links = {name: ["9", 0] for name in ("model", "clip", "vae", "start_image", "ref_image")}
    graph = {
        "1": {"class_type": "WanVideoSVILongVideoNative", "inputs": {"story": "a", **links, **inputs}},
        "9": {"class_type": "Anything", "inputs": {}},
    }
    found = refusal_of(question_of(RunningGraph(graph), "1"))
    assert found is None if said is None else found is not None and said in found
