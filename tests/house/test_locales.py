"""Other languages say what English says: every node, input, output and help page, sentence for sentence as far as a
test can tell. A message names the file, the place and what to add there. What the pages' scripts say: test_words.py."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project import ROOT
from translations import CHINESE, CODE, ITALIC, ZH, inputs_of, load, page_lags, tooltip_lags
from wanvideo_svi import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS, WEB_DIRECTORY

DOCS = ROOT / WEB_DIRECTORY / "docs"
READ_BY_COMFYUI = {"main.json", "nodeDefs.json", "commands.json", "settings.json"}


NODES = load("nodeDefs.json")


# What ComfyUI shows on nodes and in menus


def strings(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, f"{at}.{key}")
    else:
        yield at, value


def test_comfyui_reads_every_file_of_a_locale() -> None:
    files = {path.relative_to(ROOT / "locales") for path in (ROOT / "locales").rglob("*") if path.is_file()}
    assert {len(path.parts) for path in files} == {2}
    assert {path.name for path in files} <= READ_BY_COMFYUI


@pytest.mark.parametrize("path", sorted(ZH.glob("*.json")), ids=lambda path: path.name)
def test_no_string_holds_signs_of_the_frontend(path: Path) -> None:
    found = list(strings(load(path.name)))
    assert found
    for at, text in found:
        assert not set("@{}|") & set(text), f"{path.name}{at}: without @ {{ }} |, which the frontend reads as its own"


def test_every_file_is_readable_by_translators() -> None:
    for path in ZH.glob("*.json"):
        expected = json.dumps(load(path.name), ensure_ascii=False, indent=2) + "\n"
        assert path.read_text(encoding="utf-8") == expected, f"{path.name}: UTF-8, two spaces, a newline at the end"


def of_node(node_id: str) -> dict[str, Any]:
    assert node_id in NODES, f"locales/zh/nodeDefs.json has no {node_id}: its names, inputs, outputs and tooltips"
    return NODES[node_id]


def test_nodes_are_those_of_the_pack_in_its_order() -> None:
    assert list(NODES) == list(NODE_CLASS_MAPPINGS), "locales/zh/nodeDefs.json: the nodes of wrapper_ext/nodes/table.py"


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_every_input_and_output_is_translated(node_id: str) -> None:
    cls, texts = NODE_CLASS_MAPPINGS[node_id], of_node(node_id)
    where = f"locales/zh/nodeDefs.json, {node_id}"
    assert set(texts) == {"display_name", "description", "inputs", "outputs"}, (
        f"{where}: display_name, description, inputs, outputs"
    )
    assert list(texts["inputs"]) == [name.replace(".", "_") for name in inputs_of(node_id)], (
        f"{where}: inputs, in order"
    )
    assert list(texts["outputs"]) == [str(i) for i in range(len(cls.RETURN_NAMES))], f"{where}: outputs by number"
    english = [
        ("inputs", name.replace(".", "_"), name, options["tooltip"], kind if isinstance(kind, list) else [])
        for name, (kind, options) in inputs_of(node_id).items()
    ]
    for i, (name, tooltip) in enumerate(zip(cls.RETURN_NAMES, cls.OUTPUT_TOOLTIPS, strict=True)):
        english.append(("outputs", str(i), name, tooltip, []))
    for group, key, name, tooltip, choices in english:
        place, shown = f"{where}, {group}.{key}", texts[group][key]
        assert set(shown) == {"name", "tooltip"}, place
        assert shown["name"].split()[-1].lower() == name, f"{place}: the label ends with the id, as errors quote it"
        assert CHINESE.search(shown["tooltip"]), f"{place}: the tooltip is not Chinese"
        lacks = tooltip_lags(tooltip, shown["tooltip"], choices)
        assert not lacks, f"{place}: the tooltip lacks {lacks}; English: {tooltip}"
    assert CHINESE.search(texts["display_name"]), where
    assert CHINESE.search(texts["description"]), where
    lacks = tooltip_lags(cls.DESCRIPTION, texts["description"])
    assert not lacks, f"{where}: the description lacks {lacks}; English: {cls.DESCRIPTION}"


def test_a_label_is_the_same_wherever_the_name_is() -> None:
    labels: dict[str, set[str]] = {}
    for texts in NODES.values():
        for shown in [*texts["inputs"].values(), *texts["outputs"].values()]:
            labels.setdefault(shown["name"].split()[-1].lower(), set()).add(shown["name"])
    differ = {name: sorted(found) for name, found in labels.items() if len(found) > 1}
    assert not differ, f"locales/zh/nodeDefs.json: labels of one name differ between nodes: {differ}"


def test_display_names_are_distinct() -> None:
    assert len({texts["display_name"] for texts in NODES.values()}) == len(NODES)


def test_a_tooltip_that_lags_behind_is_noticed() -> None:
    english = "Below custom_boundary. i2v: 0.900, from step 3."
    assert tooltip_lags(english, "低于 custom_boundary。i2v：0.900，从第 3 步起。", ["t2v", "i2v"]) == []
    lags = tooltip_lags(english, "低于边界。t2v：0.90，从第 13 步起。", ["t2v", "i2v"])
    assert lags == ["0.900", "3", "custom_boundary", "i2v"]


# Help pages


def short(display_name: str) -> str:
    return display_name.removeprefix("WanVideo ")


# Of nodes that have a name in both languages; tests tell which one has not.
SHORT_NAMES = {
    short(NODE_DISPLAY_NAME_MAPPINGS[node_id]): short(texts["display_name"])
    for node_id, texts in NODES.items()
    if node_id in NODE_DISPLAY_NAME_MAPPINGS and "display_name" in texts
}


def named_nodes(page: str) -> set[str]:
    flat = re.sub(r"\s+", " ", CODE.sub("", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)))
    return {short(name) for name in ITALIC.findall(flat)}


@pytest.mark.parametrize("node_id", NODE_CLASS_MAPPINGS)
def test_a_chinese_help_page_follows_the_english_one(node_id: str) -> None:
    page = DOCS / node_id / "zh.md"
    assert page.exists(), f"web/docs/{node_id}/zh.md is missing: translate web/docs/{node_id}.md"
    assert (DOCS / f"{node_id}.md").exists(), f"web/docs/{node_id}.md is missing, the help page in English"
    english, chinese = (path.read_text(encoding="utf-8") for path in (DOCS / f"{node_id}.md", page))
    lags = page_lags(english, chinese)
    assert not lags, f"web/docs/{node_id}/zh.md\n" + "\n".join(lags)
    assert chinese.splitlines()[0] == f"# {of_node(node_id)['display_name']}", f"web/docs/{node_id}/zh.md: its title"
    names = {SHORT_NAMES.get(name, name) for name in named_nodes(english)}
    lacks = names - named_nodes(chinese)
    assert not lacks, f"web/docs/{node_id}/zh.md does not name {lacks} (*in italics*)"
    strangers = named_nodes(chinese) & set(SHORT_NAMES)
    assert not strangers, f"web/docs/{node_id}/zh.md calls nodes by their English names: {strangers}"


PAGE = """# Node

Takes `mode` with 5 frames.

| input | what it is |
| --- | --- |
| `mode` | Which one: 81 frames. |

## Mistakes

- None that matters.

```
story
```

![a picture](one.png)
"""
TRANSLATED = """# 节点

接受 `mode`，5 帧。

| 输入 | 说明 |
| --- | --- |
| `mode` | 哪一个：81 帧。 |

## 错误

- 没有要紧的。

```
story
```

![图](one.png)
"""


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ("`mode`，", "", "under '# Node' (# 节点): lacks `mode`"),
        ("5 帧", "五帧", "under '# Node' (# 节点): lacks the number 5"),
        ("`mode`，", "`mode` 和 `seed`，", "under '# Node' (# 节点): has `seed`, English has not"),
        ("哪一个：81 帧。", "哪一个。", "row `mode`, column 2 lacks the number 81; English: Which one: 81 frames."),
        ("哪一个：81 帧。", "Which one: 81 frames.", "row `mode`, column 2 is not translated"),
        ("| `mode` | 哪一个：81 帧。 |\n", "", "2 rows, English has 3: ['input', '---', '`mode`']"),
        ("| `mode` | 哪一个：81 帧。 |", "| `mode` | 哪一个 | 81 帧。 |", "row `mode`: 3 cells, English has 2"),
        ("## 错误\n", "", "headings are ['# 节点'], English has ['# Node', '## Mistakes']"),
        ("- 没有要紧的。", "没有要紧的。", "under '## Mistakes' (## 错误): 0 points, English has 1"),
        (
            "- 没有要紧的。",
            "- None that matters.",
            "under '## Mistakes' (## 错误): not translated: - None that matters.",
        ),
        ("story", "故事", "under '## Mistakes' (## 错误): blocks of code differ"),
        ("one.png", "two.png", "under '## Mistakes' (## 错误): other pictures than in English"),
    ],
)
def test_a_page_that_lags_behind_is_named(change: str, to: str, message: str) -> None:
    assert page_lags(PAGE, TRANSLATED) == []
    assert change in TRANSLATED
    assert message in "\n".join(page_lags(PAGE, TRANSLATED.replace(change, to, 1)))
