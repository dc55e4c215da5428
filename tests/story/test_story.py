"""Stories: the grammar, its errors with line and column, and the chain that is planned from it."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from helpers import planned, within
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.words import align
from wanvideo_svi.svi_embeds.recipes import RECIPES
from wanvideo_svi.svi_embeds.story.chain import SEED_STEP
from wanvideo_svi.svi_embeds.story.text import CHAIN_MODES, KEYS, Block, lost_separators, parse_story
from wanvideo_svi.svi_embeds.timeline import chain_frames
from wanvideo_svi.wrapper_ext.cli.main import main


def plan(story: str, **options):
    return planned(story, **{"mode": "film", "num_frames": 81, **options})


def test_blocks_settings_comments_and_escapes() -> None:
    story = (
        "\ufeff# a comment\r\n[seed=7 frames=49 overlap=9 mode=shot known=overlap padding=grey ref_strength=0.75 end=2 "
        "model=first repeat=3 cfg=4.5]  # why\r\n\r\n  first line \r\n# between\r\nsecond line\r\n---\r\n"
        "\\# not a comment\n\\---\n\\[not settings]\n\\\\ a backslash\n\\alpha and \\[b\n"
        "a --- inside\n  ---  \n[1] EchoShot [2] stays"
    )
    first, second, third = parse_story(story)
    assert first == Block(
        2, "first line\nsecond line", seed=7, frames=49, overlap=9, mode="shot", known="overlap", padding="grey",
        ref_strength=0.75, end=2, model="first", cfg=4.5, repeat=3,
    )  # fmt: skip
    assert second.prompt == "# not a comment\n---\n[not settings]\n\\ a backslash\n\\alpha and \\[b\na --- inside"
    assert second.line == 8
    assert third.prompt == "[1] EchoShot [2] stays"


@pytest.mark.parametrize(
    ("story", "message"),
    [
        ("[frames=50]\nx", "line 1, column 2 of the story: num_frames must be 4k+1"),
        ("a\n---\n  [seed=1 fram=5]\nb", "line 3, column 11 of the story: 'fram' is not a setting; did you mean"),
        ("[zzz=1]", "'zzz' is not a setting; use seed, frames"),
        ("a\n---\n\n---\nb", "line 3 of the story: this block is empty"),
        ("a\n---\n", "line 3 of the story: this block is empty"),
        ("[seed=1 seed=2]\nx", "column 9 of the story: seed is set twice"),
        ("[seed=1] hello", "column 9 of the story: the prompt belongs on the next line"),
        ("[seed=1", "the settings have no closing ]"),
        ("[]\nx", "the brackets hold no settings"),
        ("[seed]\nx", "seed needs a value right behind it"),
        ("[seed= 5]\nx", "seed needs a value right behind it"),
        ("[seed=1_0]\nx", "seed must be a whole number, got '1_0'"),
        ("[seed=-1]\nx", "seed must be 0..18446744073709551615, got -1"),
        ("[seed=18446744073709551616]\nx", "seed must be 0.."),
        ("[seed=٣]\nx", "seed must be a whole number"),
        ("[cfg=nan]\nx", "cfg must be a number 0..30"),
        ("[cfg=inf]\nx", "cfg must be a number"),
        ("[cfg=1e]\nx", "cfg must be a number"),
        ("[repeat=0]\nx", "repeat must be 1..100000"),
        ("[mode=flim]\nx", "mode must be one of film"),
        ("[model=second]\nx", "model must be one of first, main"),
        ("[repeat=100000]\nx\n---\ny", "a story has at most 100000 clips, this one has 100001"),
    ],
)  # fmt: skip
def test_bad_stories_name_the_place_and_the_way_out(story: str, message: str) -> None:
    with pytest.raises(SVIError) as caught:
        parse_story(story)
    assert message in str(caught.value)


@given(st.text(max_size=200) | st.lists(st.sampled_from(["---", "[", "]", "#", "\\", "=", "seed=1", "frames=81", "\n",
                                                         " ", "x"]), max_size=30).map("".join))  # fmt: skip
def test_any_text_is_a_story_or_an_error(text: str) -> None:
    try:
        blocks = parse_story(text)
    except SVIError:
        return
    assert blocks
    assert all(block.repeat >= 1 and block.prompt == block.prompt.strip() for block in blocks)


PROMPT_LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(st.lists(st.tuples(PROMPT_LINE, st.none() | st.integers(0, 2**64 - 1), st.integers(1, 3)), min_size=1,
                max_size=8))  # fmt: skip
def test_what_is_written_comes_out(rows: list[tuple[str, int | None, int]]) -> None:
    text = "\n---\n".join(
        f"[repeat={repeat}{'' if seed is None else f' seed={seed}'}]\n\\{prompt}"
        if prompt[0] in "#[\\" or prompt.startswith("---") else
        f"[repeat={repeat}{'' if seed is None else f' seed={seed}'}]\n{prompt}"
        for prompt, seed, repeat in rows
    )  # fmt: skip
    assert [(b.prompt, b.seed, b.repeat) for b in parse_story(text)] == rows


def test_a_film_chain_counts_as_the_recipe_says() -> None:
    chain = plan("a\n---\nb\n---\nc", seed=10)
    assert [clip.mode for clip in chain.clips] == ["i2v", "film", "film"]
    assert [clip.model for clip in chain.clips] == ["first", "main", "main"]
    assert [clip.seed for clip in chain.clips] == [10, 10 + SEED_STEP, 10 + 2 * SEED_STEP]
    assert [(clip.motion_frames, clip.overlap_frames) for clip in chain.clips] == [(1, 0), (5, 5), (5, 5)]
    assert [clip.until for clip in chain.clips] == [81, 157, 233]
    assert chain.total_frames == 233
    assert chain.seconds == 233 / 16


@pytest.mark.parametrize(
    ("mode", "expected"), [("film", True), ("shot", True), ("fun_inp", False), ("svi2_pro", False)]
)
def test_a_mended_clip_of_a_model_without_end_frames_is_said_to_jump(mode: str, expected: bool) -> None:
    notes = plan("a\n---\n[mend]\nb\n---\nc", mode=mode).notes
    said = [note for note in notes if note.startswith("mended: 2. Wan 2.1 I2V was not trained with end frames")]
    assert len(said) == expected
    many = plan("\n---\n".join(["a", *["[mend]\nb"] * 5, "c"]), mode=mode).notes
    assert any(note.startswith("mended: 2, 3, 4, ...") for note in many) == expected


def test_a_first_clip_of_the_same_mode_is_said_to_run_without_the_lora() -> None:
    said = "clip 1 is sampled by first_clip_model: the SVI LoRA would freeze its motion"
    assert said in plan("a\n---\nb", mode="svi2_pro").notes
    assert said not in plan("a\n---\nb", mode="film").notes, "it is said to be plain i2v instead"
    assert said not in plan("a\n---\nb", mode="svi2_pro", first_clip_model=False).notes


def test_the_first_clip_takes_the_mode_when_nothing_speaks_against_it() -> None:
    assert plan("a", mode="shot", first_clip_model=False).clips[0].mode == "shot"
    assert plan("a", mode="shot").clips[0].mode == "i2v"
    assert plan("[mode=shot]\na", mode="shot").clips[0].mode == "shot"
    going_on = plan("a", first_clip_model=False, start_frames=81).clips[0]
    assert (going_on.mode, going_on.motion_frames, going_on.overlap_frames) == ("film", 5, 0)
    assert plan("a", first_clip_model=False, start_frames=4).clips[0].mode == "i2v"
    with pytest.raises(SVIError, match=r"clip 1 \(line 1 of the story\): film needs 5 motion frames"):
        plan("[mode=film]\na", first_clip_model=False)


def test_seeds_of_a_block_go_on_from_its_own_and_repeats_are_told() -> None:
    chain = plan("[seed=5 repeat=3]\na\n---\nb\n---\n[seed=47]\nc", seed=1)
    assert [clip.seed for clip in chain.clips] == [5, 47, 89, 1 + 3 * SEED_STEP, 47]
    assert "clips 2 and 5 have the same seed 47" in " ".join(chain.notes)
    many = plan("[seed=7 repeat=500]\na\n---\n[seed=7 repeat=500]\nb")
    assert len([note for note in many.notes if "same seed" in note]) == 1
    assert ", and 497 more: " in " ".join(many.notes)
    assert not any("same seed" in note for note in plan("[repeat=200]\na").notes)
    assert plan("a\n---\nb", seed=2**64 - 1).clips[1].seed == SEED_STEP - 1


def test_pro_is_led_by_latents() -> None:
    chain = plan("a\n---\nb\n---\n[overlap=9]\nc", mode="svi2_pro")
    assert [(c.overlap_frames, c.motion_latents, c.adds) for c in chain.clips] == [(0, 0, 81), (5, 1, 76), (9, 2, 72)]
    assert chain.motion_after(0) == (5, 1)
    assert chain.motion_after(1) == (9, 2)
    assert chain.motion_after(2) == (5, 1)
    with pytest.raises(SVIError, match=r"its overlap is 5, 9, 13, \.\.\. frames, got 6"):
        plan("a\n---\n[overlap=6]\nb", mode="svi2_pro")
    with pytest.raises(SVIError, match="padding must be one of zero, reference"):
        plan("a\n---\n[padding=grey]\nb", mode="svi2_pro")


@pytest.mark.parametrize(
    ("story", "options", "message"),
    [
        ("a\n---\n[overlap=81]\nb", {}, r"clip 2 \(line 3 of the story\): it is led by 81 frames of the clip before"),
        ("a\n---\n[frames=5]\nb", {}, "the overlap is 5 of 5 frames, nothing would be added"),
        ("[frames=9]\na\n---\n[overlap=9]\nb", {}, "which has 9: lower the overlap"),
        ("[end=1]\na", {"end_images": 1}, r"end=1 is none of the end images: there are 1 \(0..0\)"),
        ("[end=0]\na", {"end_images": 0}, "end_images is not connected"),
        ("a\n---\n[end=0]\nb", {"end_images": 1, "fun_or_fl2v_model": False}, "fun_or_fl2v_model"),
        ("[model=first]\na", {"first_clip_model": False}, "model=first needs first_clip_model"),
        ("a\n---\n[known=first_latent]\nb", {}, "known must be one of recipe"),
        ("a\n---\nb", {"mode": "shot", "reference_frames": 0, "start_frames": 5}, "shot needs ref_image"),
        ("a", {"mode": "svi2_pro", "start_frames": 4}, "5 frames of a video, and start_image has 4: connect more of"),
        ("[overlap=9]\na", {"mode": "svi2_pro", "start_frames": 8}, "9 frames of a video, and start_image has 8"),
        ("[overlap=6]\na", {"mode": "svi2_pro", "start_frames": 33}, "led by whole latents, so its overlap is 5, 9, 1"),
        ("[frames=5]\na", {"mode": "svi2_pro", "start_frames": 33}, "the overlap is 5 of 5 frames, nothing would be"),
        ("[frames=5]\na", {"start_frames": 33, "first_clip_model": False}, "got 5 motion frames in a clip of 5"),
        ("[frames=5]\na", {"start_frames": 33, "first_clip_model": False, "skip_repeated": True}, "nothing would be"),
        ("a", {"skip_repeated": "yes"}, "skip_repeated must be"),
        ("a", {"start_frames": 0}, "there is nothing to begin with: connect start_image"),
        ("a", {"num_frames": 80}, "num_frames must be 4k"),
        ("a", {"fps": 0.0}, "fps must be more than 0"),
        ("a", {"fps": float("nan")}, "fps must be more than 0"),
        ("a", {"mode": "flim"}, "mode must be one of"),
        ("a", {"seed": -1}, "seed must be 0 or more"),
    ],
)  # fmt: skip
def test_chains_that_cannot_be_are_refused_before_anything_runs(story: str, options: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        plan(story, **options)


@given(st.data())
def test_totals_are_those_of_the_timeline(data: st.DataObject) -> None:
    modes = st.sampled_from([mode for mode in CHAIN_MODES if mode != "fun_inp"])
    blocks = data.draw(st.lists(st.tuples(modes, st.integers(4, 25), st.integers(1, 4)), min_size=1, max_size=6))
    text = "\n---\n".join(f"[mode={mode} frames={4 * k + 1} repeat={n}]\nx" for mode, k, n in blocks)
    text = f"start\n---\n{text}"
    chain = plan(text)
    clips = [clip.num_frames for clip in chain.clips]
    assert chain.total_frames == chain_frames(clips, [clip.overlap_frames for clip in chain.clips[1:]])
    assert [clip.until for clip in chain.clips] == [
        chain_frames(clips[: i + 1], [c.overlap_frames for c in chain.clips[1 : i + 1]]) for i in range(len(clips))
    ]
    for before, clip in zip(chain.clips, chain.clips[1:], strict=False):
        assert chain.motion_after(before.index) == (clip.motion_frames, clip.motion_latents)
        if clip.mode in RECIPES:
            assert clip.motion_frames == RECIPES[clip.mode].motion_frames


@given(st.integers(1, 2000), st.integers(2, 20).map(lambda k: 4 * k + 1))
def test_auto_repeats_the_last_block_until_the_length_is_reached(length: int, frames: int) -> None:
    made = plan("a\n---\n[repeat=auto]\nb", num_frames=frames, length=length)
    assert made.total_frames >= length
    assert len(made.clips) == 1 or made.clips[-2].until < length  # the last one adds something
    assert any("line 3 of the story) makes no clip" in note for note in made.notes) == (len(made.clips) == 1)
    assert made.length == length
    assert [clip.start for clip in made.clips] == [clip.until - clip.num_frames for clip in made.clips]
    assert f"{min(length, made.total_frames)} frames" in made.describe()


def test_auto_needs_a_length_and_the_last_block() -> None:
    with pytest.raises(SVIError, match="line 1 of the story: repeat=auto needs a length: connect the audio"):
        plan("[repeat=auto]\na")
    with pytest.raises(SVIError, match="line 1 of the story: repeat=auto fills what is left"):
        plan("[repeat=auto]\na\n---\nb", length=100)
    with pytest.raises(SVIError, match="would make more than 100000 clips"):
        plan("a\n---\n[repeat=auto frames=9 overlap=8]\nb", length=200_000)
    assert len(plan("[repeat=auto]\na", length=1).clips) == 1  # a chain has a clip
    assert plan("a", length=500).length is None  # the story says how many clips


def test_ten_thousand_clips_are_planned_in_time() -> None:
    rng = random.Random(0)
    text = "\n---\n".join(f"[cfg={rng.randint(1, 9)}]\nprompt {i}" for i in range(10_000))
    with within(30):  # quadratic code takes minutes
        assert len(plan(text).clips) == 10_000


def test_plan_command_prints_the_table(tmp_path, capsys) -> None:
    story = tmp_path / "story.txt"
    story.write_text("[frames=49]\na lake\n---\n[cfg=4]\na boat")
    assert main(["plan", str(story), "--fps", "24"]) == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["clip", "mode", "model", "seed", "frames", "overlap", "adds", "total", "time", "prompt"],
        ["1", "i2v", "first", "0", "49", "0", "49", "49", "2.0", "s", "a", "lake"],
        ["2", "film", "main", "42", "81", "5", "76", "125", "5.2", "s", "a", "boat"],
    ]
    assert "2 clips, 125 frames, 5.2 s at 24 fps" in out
    story.write_text("[frames=50]\na")
    assert main(["plan", str(story)]) == 2
    assert "line 1, column 2" in capsys.readouterr().err
    assert main(["plan", str(tmp_path / "none.txt")]) == 2


def test_plan_command_reads_standard_input() -> None:
    code = "from wanvideo_svi.wrapper_ext.cli.main import main; exit(main(['plan', '-', '--mode', 'svi2_pro']))"
    done = subprocess.run([sys.executable, "-c", code], input="a\n---\nb", capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "2 clips, 157 frames" in done.stdout


def test_every_key_of_the_grammar_is_on_the_help_page() -> None:
    page = (ROOT / "web" / "docs" / "WanVideoSVILongVideo.md").read_text()
    lacks = [key for key in KEYS if f"| `{key}` |" not in page]
    assert not lacks, f"web/docs/WanVideoSVILongVideo.md, the table of settings, has no row of {', '.join(lacks)}"


def test_the_table_on_the_help_page_is_that_of_the_story_above_it() -> None:
    page = (ROOT / "web" / "docs" / "WanVideoSVILongVideo.md").read_text()
    story, table = (part.strip() for part in page.split("```")[1:4:2])
    assert table.splitlines() == align(plan(story).table())


@pytest.mark.parametrize(
    ("story", "lines"),
    [
        ("a\n---\nb", []),
        ("a lake---\na boat", [1]),
        ("a lake\n--- a boat\n---\nfog---", [2, 4]),
        ("# a comment ---\na -- b\n----\nc", [3]),
        ("a\n--\nb", [2]),
        ("a\n\\---\nb", []),
        ("a\n\n   ---   \nb", []),
        ("one---\ntwo---\nthree---\nfour---", [1, 2, 3]),
    ],
)
def test_a_mark_between_blocks_that_splits_nothing_is_noted(story: str, lines: list[int]) -> None:
    notes = lost_separators(story)
    assert [int(note.split()[1]) for note in notes] == lines
    assert set(notes) <= set(planned(story, mode="film", num_frames=17).notes)
