"""Draws the plan of the house into docs/contributing/house.md: the rooms, and which imports which.

usage: python tools/house_plan.py        (from the repository's root)

An arrow that goes without saying, because a longer way along other arrows leads there too, is left out.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "contributing" / "house.md"
SOURCES = sorted([*(ROOT / "svi_embeds").rglob("*.py"), *(ROOT / "wrapper_ext").rglob("*.py")])
BEGIN, END = "<!-- drawn by tools/house_plan.py -->\n", "<!-- end -->\n"


def room_of(path: Path) -> str:
    return ".".join(path.parent.relative_to(ROOT).parts)


def imported(path: Path) -> set[Path]:
    """Modules of the pack that a file imports; a folder stands for its __init__."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
        for alias in node.names:
            inside = base / alias.name
            whole = inside if inside.is_dir() or inside.with_suffix(".py").exists() else base
            target = whole / "__init__.py" if whole.is_dir() else whole.with_suffix(".py")
            if not target.exists():
                raise FileNotFoundError(f"{path} imports {target}, which is not there")
            found.add(target)
    return found


def arrows() -> set[tuple[str, str]]:
    """Pairs of rooms of which the first imports the second."""
    pairs = {(room_of(path), room_of(target)) for path in SOURCES for target in imported(path)}
    return {(one, two) for one, two in pairs if one != two}


def drawn(pairs: set[tuple[str, str]]) -> str:
    """The rooms as a Mermaid graph, the library and what is ComfyUI's apart."""
    pairs = {pair for pair in pairs if pair[1] not in ("svi_embeds", "wrapper_ext")}  # what all may import
    after: dict[str, set[str]] = {}
    for one, two in pairs:
        after.setdefault(one, set()).add(two)

    def reached(start: str, without: str) -> set[str]:
        seen, open_ends = set(), [two for two in after.get(start, ()) if two != without]
        while open_ends:
            here = open_ends.pop()
            if here not in seen:
                seen.add(here)
                open_ends += after.get(here, ())
        return seen

    kept = sorted((one, two) for one, two in pairs if two not in reached(one, two))
    rooms = sorted({room for pair in pairs for room in pair})
    lines = ["```mermaid", "graph TD"]
    for top in ("wrapper_ext", "svi_embeds"):
        lines.append(f"  subgraph {top}")
        inside = [room for room in rooms if room.startswith(f"{top}.")]
        lines += [f'    {room.replace(".", "_")}["{room.removeprefix(f"{top}.")}"]' for room in inside]
        lines.append("  end")
    lines += [f"  {one.replace('.', '_')} --> {two.replace('.', '_')}" for one, two in kept]
    return "\n".join([*lines, "```", ""])


def page(text: str) -> str:
    """The page with the drawing of today."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{drawn(arrows())}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
