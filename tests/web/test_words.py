"""What the pages' scripts show stands in one table, in every language of the pack, and nowhere else."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from browser import has, needs_node
from translations import CHINESE, load, tooltip_lags
from web_words import HOLE, TABLE, WEB, WORDS, literals

SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(WEB.glob("*.js")) if path != TABLE}
ALL = "\n".join(SCRIPTS.values())

# Strings with words that no page shows: names that ComfyUI, browsers and the server go by.
NAMES = {
    "Content-Type", "PrimitiveNode", "PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean", "PrimitiveString",
    "PrimitiveStringMultiline", "FloatConstant", "StringConstant", "StringConstantMultiline", "Reroute", "Escape",
    "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "Enter", "Delete", "Extensions", "WanVideo SVI",
    "to do", "display: contents", "video, img", "img, video",
    "Tab", "Arrow", "(prefers-reduced-motion: reduce)",
}  # fmt: skip
# Where a script gives something to the page to be read or heard.
SHOWN = re.compile(
    r"(?:\b(?:textContent|innerText|innerHTML|title|placeholder|ariaLabel|label|tooltip|summary|detail|alt)|\"aria-\w+\")"
    r"\s*[:=](?!=)\s*|\bsetAttribute\(\"(?:aria-label|title)\",\s*|new Error\(|createTextNode\("
)
THROUGH = re.compile(r"\b(?:say|english)\([^)]*\)|\belement\(\"\w+\"")  # the table; the name of a tag
HEARD_AS_THEY_ARE = {"polite", "true"}  # of aria-live, aria-hidden


def is_style(text: str) -> bool:
    """Style sheets, names of classes, icons."""
    return bool(re.search(r"[\w)%]\s*;|\{[^}]*:|^\s*\.(?:svi|lg)-|gradient\(|var\(|\bsvi-\w|^pi pi-", text))


def fixed_words(source: str) -> list[str]:
    """Strings of a script that look like words for people: two words in a row, or one that begins with a capital."""
    found = []
    for _, text in literals(source):
        sentence = re.search(r"[A-Za-z]{2,}[,:;.]? [A-Za-z]{2,}", text)
        capital = re.search(r"(?<![\w.$-])[A-Z][a-z]{2,}(?![\w.])", text)
        if (sentence or capital) and text not in NAMES and not is_style(text):
            found.append(text)
    return found


def shown_words(source: str) -> list[str]:
    """Strings with letters that go to the page where it is read, other than through the table."""
    strings = dict(literals(source))
    found = []
    for sink in SHOWN.finditer(source):
        stop, depth = sink.end(), 0
        while stop < len(source) and not (depth == 0 and source[stop] in ",;)}"):
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(source[stop], 0)
            stop += 1
        value = source[sink.end() : stop]
        through = [(one.start(), one.end()) for one in THROUGH.finditer(value)]
        for at, text in strings.items():
            inside = at - sink.end()
            if not 0 <= inside < len(value) or any(start <= inside < end for start, end in through):
                continue
            if re.search(r"[A-Za-z]{2,}", text) and text not in HEARD_AS_THEY_ARE and not is_style(text):
                found.append(text)
    return found


@pytest.mark.parametrize("key", WORDS)
def test_a_sentence_says_the_same_in_every_language(key: str) -> None:
    row = WORDS[key]
    assert set(row) == {"en", "zh"}
    english, chinese = row["en"], row["zh"]
    assert set(HOLE.findall(english)) == set(HOLE.findall(chinese))
    plain = HOLE.sub("", english), HOLE.sub("", chinese)
    assert CHINESE.search(chinese) or not re.search(r"[A-Za-z]", re.sub("latent|[MG]B|SVI", "", plain[0])), chinese
    assert not set("{}|") & set("".join(plain)), "a hole that nothing fills"
    assert tooltip_lags(*plain) == []
    for name in ("SVI", "LoRA", "ComfyUI", "Ctrl+Z", "latent"):
        assert (name in english) == (name in chinese), name


def test_every_sentence_asked_for_is_in_the_table() -> None:
    asked = set(re.findall(r"\b(?:say|english)\(\s*\"([^\"]+)\"", ALL))
    asked |= {each for pair in re.findall(r"\? \"(\w+\.\w+)\" : \"(\w+\.\w+)\"", ALL) for each in pair}
    assert len(asked) > 50
    assert asked <= set(WORDS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_sentence_stands_outside_the_table(name: str) -> None:
    assert fixed_words(SCRIPTS[name]) == []
    assert shown_words(SCRIPTS[name]) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('button.textContent = "Play";', True),
        ('element("b", { textContent: old ? "frames" : say("strip.frames") })', True),
        ("row.title = `${count} frames`;", True),
        ('box.setAttribute("aria-label", "strip");', True),
        ('throw new Error("nothing");', True),
        ('list.append("No plan yet");', True),
        ("toast.add({ severity, summary: 'migrate', detail })", True),
        ('const HEADS = [["clip", "Its number"]];', True),
        ('button.textContent = say("close"); // Close', False),
        ('element("div", { className: "svi-row svi-mask", role: "region", "aria-hidden": "true" })', False),
        ('row.title = `${left}: ${say("strip.frame", { first })}`;', False),
        ('const STYLE = `.svi-story button { border: 1px solid var(--border-color); flex: none }`;', False),
        ('if (/^"No plan yet/.test(text)) return say("story.no_plan");', False),
    ],
)  # fmt: skip
def test_a_sentence_outside_the_table_is_noticed(line: str, found: bool) -> None:
    assert bool(fixed_words(line) + shown_words(line)) == found


def test_literals_are_those_of_the_script() -> None:
    source = 'a("x", \'it\\\'s\', `one ${b ? `in ${c}ner` : {d: "e"}} two`, /["\'`]/g); // "no"\n/* \'no\' */ f("g")'
    texts = [text for _, text in literals(source)]
    assert texts == ["x", "it\\'s", "one ", "in ", "ner", "e", " two", "g"]


def test_what_comfyui_translates_is_what_the_table_says() -> None:
    script = SCRIPTS["svi_settings.js"]
    settings = re.findall(
        r"id: (\"[\w.]+\"|MODE),\s+category: \[\"WanVideo SVI\", english\(\"([\w.]+)\"\), english\(\"([\w.]+)\"\)\],\s+"
        r"name: english\(\"([\w.]+)\"\),\s+tooltip: english\(\"([\w.]+)\"\)", script
    )  # fmt: skip
    assert len(settings) == script.count('english("settings.') // 4  # and the mode's first choice
    mode = re.search(r'const MODE = ("[^"]+")', script)[1]
    translated, groups = {}, {}
    for setting, group, item, name, tooltip in settings:
        assert item == name
        key = (mode if setting == "MODE" else setting).strip('"').replace(".", "_")
        translated[key] = {"name": WORDS[name]["zh"], "tooltip": WORDS[tooltip]["zh"]}
        groups[WORDS[group]["en"]] = WORDS[group]["zh"]
    first = WORDS["settings.as_on_node"]
    translated[mode.strip('"').replace(".", "_")]["options"] = {first["en"]: first["zh"]}
    assert load("settings.json") == translated
    assert load("main.json")["settingsCategories"] == groups
    commands = {"WanVideoSVI_Migrate": WORDS["migrate.command"], "WanVideoSVI_OpenDesk": WORDS["desk.command"]}
    assert load("commands.json") == {name: {"label": command["zh"]} for name, command in commands.items()}
    assert load("main.json")["menuLabels"] == {command["en"]: command["zh"] for command in commands.values()}


@needs_node
@pytest.mark.skipif(not has("jsdom"), reason="jsdom is not there: npm install it and set NODE_PATH")
def test_panel_strip_and_dialogs_show_nothing_but_the_table_and_what_the_server_says() -> None:
    script = Path(__file__).parent / "words.test.mjs"
    done = subprocess.run(
        ["node", "--test", str(script)], capture_output=True, text=True, timeout=120, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert "# pass 0" not in done.stdout
