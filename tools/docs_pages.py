"""Writes what follows from the code: the pages of nodes, command line and Python API, and the files of each template.

python tools/docs_pages.py
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
_FILES = re.compile(r"(<!-- files: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEADS = {"": "| folder in ComfyUI/models | file |", "zh": "| ComfyUI/models 中的文件夹 | 文件 |"}


def nodes_page() -> str:
    """A table of the nodes in the order of ComfyUI's menu, each with its help page."""
    from wanvideo_svi import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    rows = [
        f"| [{NODE_DISPLAY_NAME_MAPPINGS[node_id]}](../../web/docs/{node_id}.md) | {_cell(cls.DESCRIPTION)} |"
        for node_id, cls in NODE_CLASS_MAPPINGS.items()
    ]
    return _page(
        "Nodes",
        "All nodes are under `WanVideoWrapper/SVI`. The help pages are also in ComfyUI, in the node's info.",
        ["| node | what it does |", "| --- | --- |", *rows],
    )


def cli_page() -> str:
    """Each command with its arguments."""
    from wanvideo_svi.wrapper_ext.cli.main import make_parser

    lines = []
    for name, command, help_text in _commands(make_parser()):
        lines += [f"## {name}", "", f"{_sentence(help_text)}", "", f"`{_usage(name, command)}`", ""]
        rows = [row for action in command._actions for row in _argument(action)]
        lines += ["| argument | what it is |", "| --- | --- |", *rows, ""] if rows else []
        for sub, inner, text in _commands(command):
            lines += [f"### {name} {sub}", "", f"{_sentence(text)}", "", f"`{_usage(f'{name} {sub}', inner)}`", ""]
            rows = [row for action in inner._actions for row in _argument(action)]
            lines += ["| argument | what it is |", "| --- | --- |", *rows, ""] if rows else []
    return _page(
        "Command line",
        "[Installing](../how-to/install.md#the-command-line-tool) the command `wanvideo-svi` is optional. Exit code 0: "
        "done; 1: a check found something; 2: bad input.",
        lines[:-1],
    )


def api_page() -> str:
    """Every public name of the library, by the module that it stands in."""
    from wanvideo_svi import svi_embeds as face

    places: dict[str, list[str]] = {}
    for name, place in face._PLACES.items():
        places.setdefault(place, []).append(name)
    lines = []
    for place, names in places.items():
        lines += [f"## {', '.join(names)}", ""]
        for name in names:
            lines += [f"::: svi_embeds.{place}.{name}", ""]
    return _page(
        "Python API",
        "Import these names from `wanvideo_svi.svi_embeds`; modules below it may move. Frames are tensors of shape "
        "F H W C in 0..1, latents C T h w. [Use the library from Python](../how-to/python.md) has an example.",
        lines[:-1],
    )


def files_of(template: str) -> dict[str, dict[str, str]]:
    """The model files that a template loads: folder -> file -> address, "" where none is known."""
    graph = json.loads((ROOT / "example_workflows" / f"{template}.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, str]] = {}
    for node in graph["nodes"]:
        known = {row["name"]: row for row in node.get("properties", {}).get("models", [])}
        for value in node.get("widgets_values") or []:
            if isinstance(value, str) and value.endswith(".safetensors"):
                row = known.get(value, {"directory": "diffusion_models", "url": ""})
                found.setdefault(row["directory"], {})[value] = row["url"]
    return found


def with_files(page: str, language: str = "") -> str:
    """A page with the table of files after each of its marks."""

    def table(match: re.Match[str]) -> str:
        rows = [
            f"| `{folder}` | {f'[{name}]({url})' if url else name} |"
            for folder, files in sorted(files_of(match[2]).items())
            for name, url in files.items()
        ]
        return "\n".join([f"{match[1]}{_HEADS[language]}", "| --- | --- |", *rows, match[3]])

    return _FILES.sub(table, page)


def tutorials() -> Iterator[tuple[Path, str]]:
    """Each tutorial and its language."""
    for path in sorted(DOCS.glob("tutorials/*.md")):
        yield path, ""
    for path in sorted(DOCS.glob("zh/tutorials/*.md")):
        yield path, "zh"


PAGES: dict[str, Callable[[], str]] = {"nodes.md": nodes_page, "cli.md": cli_page, "api.md": api_page}


def _page(title: str, lead: str, lines: list[str]) -> str:
    made = "<!-- made by tools/docs_pages.py -->"
    return "\n".join([f"# {title}", "", made, "", lead, "", *lines]) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, command, helps[name]


def _argument(action: argparse.Action) -> Iterator[str]:
    if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
        return
    shown = _shown(action)
    yield f"| `{shown}` | {_cell((action.help or '').replace('%%', '%'))} |"


def _shown(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(action.choices) if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(value)
    return action.option_strings[-1] + ("" if action.nargs == 0 else f" {value}")


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    parts = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        if isinstance(action, argparse._SubParsersAction):
            parts.append("|".join(action.choices))
        elif not action.option_strings:
            many = "..." if action.nargs in ("+", "*") else ""
            parts.append(f"[{_shown(action)}]" if action.nargs in ("?", "*") else f"{_shown(action)}{many}")
        elif action.required:
            parts.append(_shown(action))
    return " ".join(["wanvideo-svi", name, *parts, "[options]" if _has_options(parser) else ""]).strip()


def _has_options(parser: argparse.ArgumentParser) -> bool:
    return any(
        action.option_strings and not action.required and not isinstance(action, argparse._HelpAction)
        for action in parser._actions
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    for name, make in PAGES.items():
        path = REFERENCE / name
        path.write_text(make(), encoding="utf-8")
        print(path.relative_to(ROOT))
    for path, language in tutorials():
        path.write_text(with_files(path.read_text(encoding="utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    main()
