"""Lets MkDocs build pages that link to files outside of docs/, as they have to for GitHub.

Help pages of nodes and pictures from elsewhere in the repository become files of the site; other links go to the
repository.
"""

from __future__ import annotations

import os.path
import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
_HELP = "web/docs/"
_PICTURES = (".jpg", ".png", ".webp")
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s]+)((?:#[^)]*)?\))")


def _site_path(path: str) -> str | None:
    """Where a file of the repository stands in the site, or None. path: from the repository's root, with slashes."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith(_HELP):
        return "reference/nodes/" + path.removeprefix(_HELP)
    return f"pictures/{path}" if path.endswith(_PICTURES) else None


def on_files(files: Any, config: Any) -> Any:
    """Add the files from elsewhere that pages show."""
    from mkdocs.structure.files import File, InclusionLevel

    docs = Path(config["docs_dir"])
    help_pages = [*ROOT.glob(f"{_HELP}*.md"), *ROOT.glob(f"{_HELP}**/*.jpg"), *ROOT.glob(f"{_HELP}*.png")]
    shown = {
        ROOT / _repository_path(page.relative_to(ROOT).as_posix(), target)
        for page in docs.rglob("*.md")
        for _, target, _ in _LINK.findall(page.read_text(encoding="utf-8"))
        if target.endswith(_PICTURES) and not target.startswith("http")
    }
    outside = {path for path in shown if path.is_file() and docs not in path.parents}
    for path in sorted({*help_pages, *outside}):
        place = _site_path(path.relative_to(ROOT).as_posix())
        if place is not None and files.get_file_from_path(place) is None:
            made = File.generated(config, place, abs_src_path=str(path))
            made.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(made)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Lead links that go out of docs/ to the site's own files, or to the repository."""
    path = Path(page.file.abs_src_path).relative_to(ROOT).as_posix()
    here = page.file.src_uri

    def lead(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        wanted = _repository_path(path, target)
        if not (ROOT / wanted).exists():
            return match[0]  # MkDocs says that it is not there
        place = _site_path(wanted)
        if place is None:
            return f"{before}{config['repo_url']}/blob/main/{quote(wanted)}{after}"
        return before + os.path.relpath(place, posixpath.dirname(here)).replace(os.sep, "/") + after

    return _LINK.sub(lead, markdown)


def _repository_path(page: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
