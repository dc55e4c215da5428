"""The stories of a batch: text files, and tables with a row a video."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ...svi_embeds.errors import SVIError
from ...svi_embeds.ground.json_text import read_json
from ...svi_embeds.reel.reel import check_reel_name

IMAGE_COLUMNS = {"start_image": "start_image", "ref_image": "ref_image", "reference": "ref_image",
                 "end_image": "end_images", "end_images": "end_images", "start_images": "start_images"}  # fmt: skip
_TABLES = (".csv", ".json", ".yaml", ".yml")
_TEXTS = (".txt", ".md", "")
_MAX_BYTES = 64 * 2**20
_MAX_STORIES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One video. name: of its reel and file. text: the story, None for the graph's own. values: inputs of Long Video by
    name, and others as `title.input`. images: files by input of Long Video. where: for words about it."""

    name: str
    text: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, Path] = field(default_factory=dict)
    where: str = ""


def read_stories(files: Iterable[Path]) -> list[Story]:
    """The stories of text files and tables, in order. Raises SVIError that names the file, and the row."""
    found: list[Story] = []
    for file in files:
        try:
            if file.stat().st_size > _MAX_BYTES:
                raise SVIError(f"{file} has {file.stat().st_size >> 20} MB: a story or a table of them is text")
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise SVIError(f"{file} is not text: a story is a .txt file, a table .csv, .json or .yaml") from error
        except OSError as error:
            raise SVIError(f"{file} cannot be read: {error.strerror or error}") from error
        if file.suffix.lower() in _TABLES:
            found += [_of_row(row, file, number) for number, row in enumerate(_rows(file, text), start=1)]
        elif file.suffix.lower() in _TEXTS:
            found.append(Story(name=_name(file.stem, str(file)), text=text, where=str(file)))
        else:
            raise SVIError(f"{file}: a story is a .txt or .md file, a table .csv, .json or .yaml")
        if len(found) > _MAX_STORIES:
            raise SVIError(f"{file} brings the batch to more than {_MAX_STORIES} videos: render it in parts")
    if not found:
        raise SVIError("there is no story: name text files, or a table (.csv, .json, .yaml) with a row a video")
    seen: dict[str, str] = {}
    for story in found:
        if other := seen.get(story.name.lower()):
            raise SVIError(
                f"{story.where} and {other} are both called {story.name}, and each video needs a name of its own: give "
                "the rows a name, or rename a file"
            )
        seen[story.name.lower()] = story.where
    return found


def _rows(file: Path, text: str) -> list[dict[str, Any]]:
    kind = file.suffix.lower()
    try:
        if kind == ".csv":
            rows: Any = list(csv.DictReader(text.splitlines(keepends=True), strict=True, delimiter=_delimiter(text)))
        elif kind == ".json":
            rows = read_json(text)
        else:
            rows = _yaml(text)
    except (ValueError, csv.Error) as error:
        raise SVIError(f"{file} is not a table: {error}") from error
    if isinstance(rows, dict) and len(rows) == 1:
        rows = next(iter(rows.values()))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SVIError(f"{file} must be a list of rows, each with columns by name, as story, start_image, seed, mode")
    return rows


def _delimiter(text: str) -> str:
    """What parts the columns: programs write semicolons where a comma is the decimal point."""
    head = text.partition("\n")[0]
    return next((sign for sign in ";\t" if sign in head and "," not in head), ",")


def _yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError as error:
        raise SVIError("tables in YAML need PyYAML: pip install pyyaml, or write CSV or JSON") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _of_row(row: Mapping[str, Any], file: Path, number: int) -> Story:
    where = f"{file}, row {number}"
    given = {str(key).strip(): value for key, value in row.items() if key is not None and value not in (None, "")}
    if None in row:
        raise SVIError(f"{where}: it has more cells than the table has columns: put cells with commas into quotes")
    images: dict[str, Path] = {}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in ("name", "story", "story_file"):
            continue
        if key in IMAGE_COLUMNS:
            if IMAGE_COLUMNS[key] in images:
                raise SVIError(f"{where}: two columns say what {IMAGE_COLUMNS[key]} is: keep one")
            images[IMAGE_COLUMNS[key]] = file.parent / str(value)
        else:
            values[key] = value
    text = given.get("story")
    if text is None and "story" in row and "story_file" not in given:
        raise SVIError(f"{where}: its story is empty: write one, or leave the column out for the graph's own")
    if (named := given.get("story_file")) is not None:
        try:
            text = (file.parent / str(named)).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise SVIError(f"{where}: story_file {named} cannot be read as text: {error}") from error
    name = _name(str(given["name"]) if "name" in given else f"{file.stem}_{number:03}", where)
    return Story(name=name, text=None if text is None else str(text), values=values, images=images, where=where)


def _name(text: str, where: str) -> str:
    """A name for a reel of a file's name. Raises SVIError for one that cannot be."""
    plain = re.sub(r"[^\w .()+-]", "_", unicodedata.normalize("NFC", text)).strip(" ._-+()") or "video"
    try:
        return check_reel_name(plain)
    except SVIError as error:
        raise SVIError(f"{where}: {text[:60]!r} cannot be a video's name: {error}") from error


def check_image(path: Path, where: str) -> None:
    """Raises SVIError for a file that is no image."""
    try:
        with Image.open(path) as image:
            image.verify()
    except FileNotFoundError as error:
        raise SVIError(f"{where}: there is no image {path}") from error
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise SVIError(f"{where}: {path} is not an image that can be read: {str(error)[:200]}") from error
