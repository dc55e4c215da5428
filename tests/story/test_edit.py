"""Edits of a story's text: what they change, what they leave to the byte, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from helpers import planned, within
from hypothesis import assume, given
from hypothesis import strategies as st
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.story.chain import ChainClip
from wanvideo_svi.svi_embeds.story.edit import insert_after, remove, renumber, set_keys, set_prompt, split
from wanvideo_svi.svi_embeds.story.settings import ChainSettings
from wanvideo_svi.svi_embeds.story.text import Block, field_of, parse_story, read_setting

# Examples


def test_a_prompt_changes_and_nothing_else_does() -> None:
    story = (
        "# Lake\r\n[frames=49]  # short\r\n  a lake\r\n\r\n---\r\n\r\n# Boat\r\na boat\r\nin fog\r\n\r\n---\r\na bird"
    )
    assert set_prompt(story, 1, "a ship\nin rain") == story.replace("a boat\r\nin fog", "a ship\r\nin rain")
    assert set_prompt(story, 2, "a gull") == story.replace("a bird", "a gull")
    assert set_prompt("\ufeff" + story, 0, "a pond") == "\ufeff" + story.replace("  a lake", "a pond")
    assert set_prompt(story, 1, " a boat \n in fog\n") == story


def test_comments_within_a_prompt_go_above_it() -> None:
    assert set_prompt("# one\na\n# two\nb\n\n# three\n", 0, "c") == "# one\n# two\n# three\nc\n\n"


def test_lines_of_a_prompt_that_would_be_read_otherwise_get_a_backslash() -> None:
    prompt = "[x] y\n# no comment\n---\n--- z\n\\ a\n[1] shots"
    assert set_prompt("a\n---\nb", 0, prompt) == "\\[x] y\n\\# no comment\n\\---\n\\--- z\n\\\\ a\n[1] shots\n---\nb"
    assert set_prompt("a", 0, "[1] a [2] b") == "[1] a [2] b"  # EchoShot's


def test_settings_are_edited_where_they_stand() -> None:
    story = "a\n---\n [ cfg=4   seed=1 ] # why\nb\n"
    assert set_keys(story, 1, {"seed": "7"}) == "a\n---\n [ cfg=4   seed=7 ] # why\nb\n"
    assert set_keys(story, 1, {"cfg": None}) == "a\n---\n [ seed=1 ] # why\nb\n"
    assert set_keys(story, 1, {"mend": False, "takes": "3"}) == (
        "a\n---\n [ cfg=4   seed=1 mend=off takes=3 ] # why\nb\n"
    )
    assert set_keys(story, 1, {"seed": None, "cfg": None}) == "a\n---\n # why\nb\n"
    assert set_keys(story, 1, {"seed": "01", "cut": None}) == story  # as it is
    assert set_keys("# c\n\na\n---\nb", 0, {"cut": True, "start": "2"}) == "# c\n\n[cut start=2]\na\n---\nb"
    assert set_keys("a", 0, {"lora": '"my folder/snow:0.5"'}) == '[lora="my folder/snow:0.5"]\na'


def test_a_prompt_stays_one_when_the_settings_above_it_go() -> None:
    assert set_keys("[seed=1]\n  [x] y", 0, {"seed": None}) == "  \\[x] y"
    assert set_keys("[seed=1]\n[1] shots", 0, {"seed": None}) == "[1] shots"


def test_a_clip_of_a_repeated_block_is_edited_alone() -> None:
    story = "a\n---\n# dusk\n[cut seed=5 repeat=4 cfg=2] # slow\nb\n# more\nc\n---\nd\n"
    assert set_prompt(story, 2, "x") == (
        "a\n---\n# dusk\n[cut seed=5 cfg=2] # slow\nb\n# more\nc\n---\n[seed=47 cfg=2]\nx\n---\n"
        "[seed=89 repeat=2 cfg=2]\nb\nc\n---\nd\n"
    )
    assert set_keys("[repeat=3]\na", 0, {"seed": "9"}) == "[seed=9]\na\n---\n[repeat=2]\na"
    assert set_keys("[repeat=3]\na", 2, {"cut": True}) == "[repeat=2]\na\n---\n[cut]\na"
    assert set_prompt("[repeat=auto]\na", 2, "b") == "[repeat=2]\na\n---\nb\n---\n[repeat=auto]\na"


def test_repeat_is_set_for_the_whole_block() -> None:
    story = "a\n---\n[repeat=2]\nb\n---\nc\n---\n[from=4]\nd"
    assert set_keys(story, 2, {"repeat": "5"}) == "a\n---\n[repeat=5]\nb\n---\nc\n---\n[from=7]\nd"
    assert set_keys(story, 1, {"repeat": None}) == "a\n---\nb\n---\nc\n---\n[from=3]\nd"
    assert set_keys(story, 4, {"repeat": "auto"}) == story.replace("[from=4]", "[from=4 repeat=auto]")


def test_a_block_is_put_in_and_numbers_follow() -> None:
    story = "a\n---\n[repeat=2]\nb\n---\n[from=2]\nc\n---\n[from=1]\nd"
    assert insert_after(story, 0, "new", {"seed": "3"}) == (
        "a\n---\n[seed=3]\nnew\n---\n[repeat=2]\nb\n---\n[from=3]\nc\n---\n[from=1]\nd"
    )
    assert insert_after(story, 1, "new").startswith("a\n---\nb\n---\nnew\n---\nb\n---\n[from=2]\nc")
    assert insert_after(story, -1, "new", {"repeat": "2"}) == (
        "[repeat=2]\nnew\n---\na\n---\n[repeat=2]\nb\n---\n[from=4]\nc\n---\n[from=3]\nd"
    )
    assert insert_after("a", 0, "b") == "a\n---\nb"
    assert insert_after("a\r\n", 0, "b") == "a\r\n---\r\nb\r\n"
    assert insert_after("[repeat=auto seed=1]\na", 0, "b") == "[seed=1]\na\n---\nb\n---\n[repeat=auto seed=43]\na"


def test_a_block_is_taken_out_and_numbers_follow() -> None:
    story = "a\n---\n# x\nb\n---\nc\n---\n[from=3]\nd\n"
    assert remove(story, 1) == "a\n---\nc\n---\n[from=2]\nd\n"
    assert remove(story, 0) == "# x\nb\n---\nc\n---\n[from=2]\nd\n"
    assert remove(story, 3) == "a\n---\n# x\nb\n---\nc\n"
    assert remove("a\n---\nb", 1) == "a"


def test_one_of_several_is_taken_out_and_the_others_keep_their_seeds() -> None:
    story = "a\n---\n[cut seed=5 repeat=3]\nb"
    assert remove(story, 1) == "a\n---\n[cut seed=47 repeat=2]\nb"
    assert remove(story, 2) == "a\n---\n[cut seed=5]\nb\n---\n[seed=89]\nb"
    assert remove(story, 3) == "a\n---\n[cut seed=5 repeat=2]\nb"
    assert remove("[repeat=3]\nb", 1) == "[repeat=2]\nb"


def test_the_numbers_of_mend_follow() -> None:
    assert renumber("4, 7", at=4, by=1) == "4, 8"
    assert renumber("4, 7", at=-1, by=1) == "5, 8"
    assert renumber("4, 7", at=3, by=-1) == "6"
    assert renumber(" 4  7,9 ", at=6, by=-1) == " 4,8 "
    assert renumber("4, 7", at=7, by=1) == "4, 7"
    assert renumber("4", at=3, by=-1) == renumber("", at=3, by=-1) == ""


# What is refused


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda: set_prompt("a\n---\nb", 2, "c"), "there is no clip 3: the story makes clips 1..2"),
        (lambda: remove("a\n---\nb", -1), "there is no clip 0: the story makes clips 1..2"),
        (lambda: set_keys("[seed=x]\na", 0, {}), "line 1, column 2 of the story: seed must be a whole number"),
        (lambda: set_prompt("a\n---\nb", 1, " \n"), "clip 2 would have neither a prompt nor settings: write a prompt"),
        (lambda: set_prompt("[repeat=3]\na", 1, ""), "clip 2 would have neither a prompt nor settings"),
        (lambda: set_keys("[seed=1]\n---\nb", 0, {"seed": None}), "clip 1 would have neither a prompt nor settings"),
        (lambda: set_keys("[repeat=3]", 1, {"seed": "1"}), "clip 1 would have neither a prompt nor settings"),
        (lambda: insert_after("a", 0, ""), "clip 2 would have neither a prompt nor settings"),
        (lambda: insert_after("", 0, "b"), "clip 1 would have neither a prompt nor settings"),
        (lambda: set_keys("a", 0, {"seed": "x"}), "the setting seed: seed must be a whole number, got 'x'"),
        (lambda: set_keys("a", 0, {"frames": "50"}), "the setting frames: num_frames must be 4k+1"),
        (lambda: set_keys("a", 0, {"sed": "1"}), "the setting sed: 'sed' is not a setting; did you mean seed?"),
        (lambda: set_keys("a", 0, {"sed": None}), "did you mean seed?"),
        (lambda: set_keys("a", 0, {"seed": True}), "the setting seed: seed needs a value right behind it"),
        (lambda: set_keys("a", 0, {"seed": 1}), "the setting seed: it must be text, as it is written in a story"),
        (lambda: set_keys("a", 0, {"cut": False}), "the setting cut: cut stands alone: write cut, without =off"),
        (lambda: set_keys("a", 0, {"lora": "x cut"}), "the setting lora: it must be without ] and line ends"),
        (lambda: set_keys("a", 0, {"lora": "x]"}), "the setting lora: it must be without ] and line ends"),
        (lambda: set_keys("a", 0, {"lora": '"x\u2028y"'}), "the setting lora: it must be without ] and line ends"),
        (lambda: set_keys("a", 0, {"repeat": "2", "cfg": "1"}), "repeat is the whole block's"),
        (lambda: set_keys("a\n---\nb", 0, {"repeat": "auto"}), "repeat=auto fills what is left"),
        (lambda: remove("[seed=1]\na", 0), "this is the story's only clip"),
        (lambda: remove("a\n---\n[repeat=auto]\nb", 3), "clip 4 is one of repeat=auto, which would fill the length"),
        (lambda: remove("a\n---\nb\n---\n[from=1]\nc", 0), "clip 1 cannot be removed: it leads clip 3 (line 5"),
        (lambda: set_keys("[repeat=3]\na\n---\n[from=2]\nb", 0, {"repeat": None}), "clip 2 cannot be removed"),
        (lambda: insert_after("[repeat=100000]\na", 0, "b"), "at most 100000 clips, this one has 100001"),
        (lambda: renumber("4; 7", at=0, by=1), "mend must be numbers of clips from 1, as in 4, 7; got '4;'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_a_way_out(edit: Callable[[], str], message: str) -> None:
    with pytest.raises(SVIError) as caught:
        edit()
    assert message in str(caught.value)


# Laws. Stories as people and programs write them, with all that a text may hold.

ODD_ENDS = ("\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028")  # of lines, for parse_story
BLANK = st.sampled_from(["", " ", "\t", "\xa0", "\x1f "])
COMMENT = st.sampled_from(["# a comment", "  #[seed=3]", "#", "# ---", "\t# é \u3000"])
PROMPT = st.sampled_from([
    "a lake", "  a boat \t", "\\# sharp", "\\--- dashes", "\\---", "\\[b] c", "\\\\ back", "\\alpha", "a --- b",
    "[1] one", "[x] y", "[2] two [3]", "--- z", "x" * 200, "é\ufeff", "\ufeffbom", "ab\"c]",
])  # fmt: skip
TOKENS = {
    "seed": ["seed=7", "seed=007", "seed=18446744073709551600"], "cfg": ["cfg=2", "cfg=1.50"],
    "takes": ["takes=2"], "pick": ["pick=stop", "pick=auto"], "frames": ["frames=49"], "overlap": ["overlap=1"],
    "end": ["end=0"], "color": ["color=mkl"], "mend": ["mend=off"], "cut": ["cut"], "from": ["from=1", "from=2"],
    "lora": ['lora="my folder/a b:0.5",c', "lora=x"],
    "repeat": ["repeat=1", "repeat=2", "repeat=3", "repeat=5"],
}  # fmt: skip
GAP = st.sampled_from([" ", " ", "  ", "\t", "\xa0"])
ANY_PROMPT = st.one_of(
    st.text(max_size=60),
    st.lists(st.one_of(PROMPT, BLANK, COMMENT, st.just("---"), st.just("[seed=1]")), max_size=6).map("\n".join),
    st.sampled_from(["word " * 2000, "[" * 5000 + "]" * 5000, "\n".join(["# \\"] * 3000)]),
)  # fmt: skip


@st.composite
def settings_lines(draw: Callable[[Any], Any], *, before: int, is_last: bool, without: tuple[str, ...]) -> str:
    """before: clips there are."""
    keys = draw(st.lists(st.sampled_from([key for key in TOKENS if key not in without]), max_size=4, unique=True))
    if "from" in keys and (before < 2 or "cut" in keys):
        keys.remove("from")
    tokens = [draw(st.sampled_from(TOKENS[key])) for key in keys]
    if is_last and "repeat" not in keys and draw(st.integers(0, 3)) == 0:
        tokens.append("repeat=auto")
    if not tokens:
        return ""
    inner = "".join(f"{token}{draw(GAP)}" for token in tokens)
    inner = inner if draw(st.booleans()) else inner.rstrip()
    return f"{draw(BLANK)}[{draw(BLANK)}{inner}]{draw(st.sampled_from(['', '', ' # why', '#']))}"


@st.composite
def stories(draw: Callable[[Any], Any], *, without: tuple[str, ...] = ()) -> str:
    """Texts that are stories. without: keys that they do not have."""
    usual = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    ends = st.sampled_from([usual, usual, *ODD_ENDS, "\n"]) if draw(st.integers(0, 3)) == 0 else st.just(usual)
    between = st.lists(st.one_of(BLANK, COMMENT), max_size=2)
    count, clips = draw(st.integers(1, 4)), 0
    lines: list[str] = []
    for place in range(count):
        lines += [draw(st.sampled_from(["---", "---", " --- "]))] if place else []
        said = draw(settings_lines(before=clips, is_last=place == count - 1, without=without))
        lines += [*draw(between), *([said] if said else []), *draw(between)]
        is_block = bool(said) and not re.search(r"^\W*repeat=1\W", said)
        prompt = draw(st.lists(PROMPT, min_size=0 if is_block else 1, max_size=3))
        prompt[:1] = [f"\\{line}" if line == "[x] y" and not said else line for line in prompt[:1]]
        for line in prompt:
            lines += [line, *draw(between)]
        clips += int(found[1]) if (found := re.search(r"repeat=([0-9])", said)) else 1
    text = "".join(line + draw(ends) for line in lines)
    text = draw(st.sampled_from(["", "", "\ufeff"])) + (text if draw(st.booleans()) else text.rstrip("\r\n"))
    parse_story(text)
    return text


def clips_of(story: str) -> list[ChainClip]:
    """What a story makes, but for the lines."""
    return [replace(clip, line=0) for clip in planned(story, mode="film", num_frames=81, seed=3, length=700).clips]


def blocks_of(story: str) -> list[Block]:
    return [replace(block, line=0) for block in parse_story(story)]


def raw_blocks(story: str) -> list[str]:
    """The text of every block and of every separator, to the byte."""
    made = [""]
    for line in story.splitlines(keepends=True):
        made += [line, ""] if line.removeprefix("\ufeff").strip() == "---" else []
        made[-1] += "" if line.removeprefix("\ufeff").strip() == "---" else line
    return made


def a_clip(data: st.DataObject, clips: list[ChainClip]) -> int:
    return data.draw(st.integers(0, min(len(clips), 8) - 1))


def edited(edit: Callable[..., str], *arguments: Any) -> str:
    """What an edit makes; a block that would be empty is none that a law is about."""
    try:
        return edit(*arguments)
    except SVIError as error:
        assume("neither a prompt nor settings" not in str(error))
        raise


def plain(prompt: str) -> str:
    return "\n".join(line.strip() for line in prompt.splitlines()).strip()


@given(stories(), st.data())
def test_a_story_plans_the_same_clips_however_it_is_split(story: str, data: st.DataObject) -> None:
    before = clips_of(story)
    clip = a_clip(data, before)
    made = edited(split, story, clip)
    assert clips_of(made) == before
    assert block_at(made, clip).repeat == 1
    assert split(made, clip) == made


@given(stories(), st.data(), ANY_PROMPT)
def test_a_clip_has_the_prompt_that_is_set_and_the_others_are_as_they_were(
    story: str, data: st.DataObject, prompt: str
) -> None:
    before = clips_of(story)
    clip = a_clip(data, before)
    made = edited(set_prompt, story, clip, prompt)
    after = clips_of(made)
    assert after[clip].prompt == plain(prompt)
    assert [replace(each, prompt="") for each in after] == [replace(each, prompt="") for each in before]
    assert [each.prompt for each in after if each.index != clip] == [
        each.prompt for each in before if each.index != clip
    ]
    assert set_prompt(made, clip, after[clip].prompt) == made


@given(stories(), st.data(), ANY_PROMPT)
def test_every_comment_outlives_every_edit_once(story: str, data: st.DataObject, prompt: str) -> None:
    def comments(text: str) -> list[str]:
        """On lines of their own, or behind settings: where these go, it has the line for itself."""
        found = [
            re.match(r"\s*(?:\[(?!\d)[^\]]*\]\s*)?(#.*)", line) for line in text.removeprefix("\ufeff").splitlines()
        ]
        return [match[1] for match in found if match]

    clip = a_clip(data, clips_of(story))
    for made in (
        edited(set_prompt, story, clip, prompt),
        edited(set_keys, story, clip, {"takes": "3", "seed": "1"}),
        edited(insert_after, story, clip, f"x{prompt}"),
    ):
        assert comments(made) == comments(story)


@given(stories(), st.data())
def test_the_prompt_that_a_clip_has_changes_no_byte(story: str, data: st.DataObject) -> None:
    clips = clips_of(story)
    clip = a_clip(data, clips)
    assert set_prompt(story, clip, clips[clip].prompt) == story
    assert set_prompt(story, clip, f"\r\n {clips[clip].prompt}\t\n") == story


@given(stories(), st.data())
def test_a_setting_and_back_gives_the_same_blocks_and_where_it_was_not_there_the_same_text(
    story: str, data: st.DataObject
) -> None:
    clip = a_clip(data, clips_of(story))
    story = edited(split, story, clip)
    block = block_at(story, clip)
    key = data.draw(st.sampled_from([key for key in TOKENS if key != "repeat"]))
    token = data.draw(st.sampled_from([*TOKENS[key], None]))
    field, none = field_of(key), getattr(Block(0, ""), field_of(key))
    written = [*TOKENS[key], *([f"seed={block.seed}"] if key == "seed" and block.seed else [])]  # a part has another
    old = next((token for token in written if read_setting(token) == (field, getattr(block, field))), None)
    made = edited(set_keys, story, clip, {key: given_as(token)})
    wanted = none if token is None else read_setting(token)[1]
    assert block_at(made, clip) == replace(block, line=block_at(made, clip).line, **{field: wanted})
    back = set_keys(made, clip, {key: given_as(old)})
    assert blocks_of(back) == blocks_of(story)
    assert back == story or old is not None


def block_at(story: str, clip: int) -> Block:
    """The block of a clip."""
    count = 0
    for block in parse_story(story):
        count += block.repeat or 1000
        if clip < count:
            return block
    raise AssertionError(clip)


def given_as(token: str | None) -> str | bool | None:
    """What `set_keys` takes for a setting that is written so."""
    return None if token is None else {"cut": True, "mend=off": False}.get(token, token.partition("=")[2])


@given(stories(without=("from",)), st.data(), ANY_PROMPT)
def test_what_stands_outside_the_block_stays_to_the_byte(story: str, data: st.DataObject, prompt: str) -> None:
    clip = a_clip(data, clips_of(story))
    index = parse_story(story).index(block_at(story, clip))
    before = raw_blocks(story)
    for edit in (
        lambda: set_prompt(story, clip, prompt),
        lambda: set_keys(story, clip, {"takes": "3", "seed": "1"}),
        lambda: insert_after(story, clip, f"x{prompt}"),
    ):
        after = raw_blocks(edited(edit))
        behind = len(before) - 2 * index - 1
        assert after[: 2 * index] == before[: 2 * index]
        assert after[len(after) - behind :] == before[2 * index + 1 :]


@given(stories(), st.data(), ANY_PROMPT)
def test_a_block_put_in_and_taken_out_leaves_the_same_text(story: str, data: st.DataObject, prompt: str) -> None:
    """And where the clip's block makes more after it, the same clips of two blocks."""
    before = clips_of(story)
    clip = data.draw(st.integers(-1, min(len(before), 8) - 1))
    new = f"new {prompt}"
    made = edited(insert_after, story, clip, new, {"takes": "3"})
    assert replace(block_at(made, clip + 1), line=0) == Block(0, plain(new), takes=3)
    back = remove(made, clip + 1)
    assert clips_of(back) == before
    assert back == story or len(parse_story(back)) > len(parse_story(story))


@given(stories(), st.data())
def test_clips_are_led_by_the_same_ones_when_others_come_and_go(story: str, data: st.DataObject) -> None:
    before = clips_of(story)
    assume(parse_story(story)[-1].repeat)  # with auto another clip makes one of these go
    clip = a_clip(data, before)
    made = edited(insert_after, story, clip, "new", {"cut": True})
    after = clips_of(made)
    now = [index + (index > clip) for index in range(len(before))]  # where each of them is
    for each in before:
        led = None if each.led_by is None else now[each.led_by]
        wanted = (led, now[each.index] - 1) if each.follows else (led,)  # by the one before, whichever that is
        assert after[now[each.index]].led_by in wanted


@given(stories(), st.data())
def test_a_clip_that_another_is_led_from_is_not_taken_out(story: str, data: st.DataObject) -> None:
    clip = a_clip(data, clips_of(story))
    leads = data.draw(st.integers(0, clip))
    story = edited(insert_after, story, clip, "new", {"from": str(leads + 1)})
    with pytest.raises(SVIError, match=f"clip {leads + 1} cannot be removed: it leads clip"):
        remove(story, leads)


@given(stories(), st.data())
def test_a_clip_taken_out_leaves_the_others_with_their_prompts_seeds_and_settings(
    story: str, data: st.DataObject
) -> None:
    before = clips_of(story)
    assume(len(before) > 1)
    clip = a_clip(data, before)
    blocks = parse_story(story)
    own = [block for block in blocks for _ in range(block.repeat or len(before))]
    assume(own[clip].repeat)
    assume(all(block.source != clip + 1 for block in blocks))
    after = clips_of(edited(remove, story, clip))
    kept = [(each, block) for each, block in zip(before, own, strict=False) if each.index != clip]
    for now, (was, block) in zip(after, kept, strict=False):  # with repeat=auto there may be more
        assert (now.prompt, now.cfg, now.takes, now.pick) == (was.prompt, was.cfg, was.takes, was.pick)
        assert now.seed == was.seed or block.seed is None
    assert len(after) == len(kept) or not blocks[-1].repeat


@given(st.lists(st.integers(1, 12), max_size=6), st.sampled_from([" ", ",", ", ", "\n,\t"]), st.integers(-1, 12))
def test_numbers_name_the_clips_that_they_named(numbers: list[int], comma: str, at: int) -> None:
    def indices(text: str) -> list[int]:
        return sorted(ChainSettings(mode="film", num_frames=81, mend=text).mended)

    text = comma.join(map(str, numbers))
    more = renumber(text, at=at, by=1)
    assert indices(more) == [index + (index > at) for index in indices(text)]
    assert renumber(more, at=at + 1, by=-1) == text
    assume(at >= 0)
    assert indices(renumber(text, at=at, by=-1)) == [index - (index > at) for index in indices(text) if index != at]
    assert max(numbers, default=0) > at or renumber(text, at=at, by=-1) == renumber(text, at=at, by=1) == text


# Bounds


@pytest.mark.parametrize(
    "story",
    [
        "\n---\n".join(["[from=4]\na"] * 100_000),
        "\n" * 1_000_000 + "[repeat=4 seed=1]\na",
        "[repeat=4 seed=1]\na\n" + "# b\n" * 250_000 + "c",
        "[repeat=4 seed=1]\n" + "[" * 1_000_000,
        "[repeat=4 seed=1]\n" + '"\\\n' * 300_000,
        "[repeat=4" + " " * 1_000_000 + "seed=1]\na",
        "[repeat=100000 seed=1]\na",
    ],
    ids=["blocks", "blank lines", "comments", "brackets", "backslashes", "settings", "repeat"],
)
def test_an_edit_takes_as_long_as_the_story_is(story: str) -> None:
    with within(60):  # quadratic code takes minutes
        made = set_keys(set_prompt(story, 1, "b " * 5000), 1, {"takes": "2"})
        made = insert_after(remove(made, 2), 1, "new")
    assert made.count("new") == 1
    numbers = ", ".join(map(str, range(1, 100_000)))
    with within(10):
        assert len(renumber(numbers, at=0, by=1)) == len(numbers) + len("100000") - len("1")


def test_edits_upon_edits_leave_a_story() -> None:
    story = "[repeat=auto]\na"
    for clip in range(40):
        story = set_prompt(story, 2 * clip + 1, f"prompt {clip}")
    assert [block.prompt for block in parse_story(story)] == [
        *[text for clip in range(40) for text in ("a", f"prompt {clip}")], "a",
    ]  # fmt: skip
