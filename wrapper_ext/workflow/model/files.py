"""Workflows in files: JSON, and the PNG, WebP and video files that ComfyUI puts them into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ....svi_embeds.errors import SVIError
from ....svi_embeds.files.whole import whole_files
from .parse import MAX_CHARACTERS, parse_json

_PICTURES = (".png", ".webp")
_VIDEOS = (".mp4", ".webm", ".mkv", ".mov")
_MAX_MEDIA_BYTES = 4 * 2**30
_MAX_PICTURE_BYTES = 2**29  # Pillow reads a WebP whole
_MAX_PIXELS = 2**28
_TAGS = ("workflow", "prompt")  # what ComfyUI calls the graph as drawn, and the API graph


def read_workflow(path: Path, *, first: str = "workflow") -> Any:
    """The workflow in a file, as JSON value: the drawn graph where there is one, else the API graph.

    first: "prompt" for the API graph where there is one, else the drawn graph.
    Raises SVIError for a file that cannot be read, is too large, or holds no workflow.
    """
    suffix = path.suffix.lower()
    media = suffix in _PICTURES or suffix in _VIDEOS
    try:
        size = path.stat().st_size
        limit = _MAX_PICTURE_BYTES if suffix in _PICTURES else _MAX_MEDIA_BYTES if media else MAX_CHARACTERS
        if size > limit:
            raise SVIError(
                f"{path} has {size / 2**20:.0f} MB, which is too much for a workflow: the limit is {limit // 2**20} MB"
            )
        if not media:
            return parse_json(path.read_bytes().decode("utf-8-sig"))
        texts = _of_picture(path) if suffix in _PICTURES else _of_video(path)
    except OSError as error:
        raise SVIError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise SVIError(f"{path} is not text: a workflow is a .json file, or a PNG, WebP or video of ComfyUI") from None
    for tag in sorted(_TAGS, key=lambda tag: tag != first):
        if texts.get(tag):
            return parse_json(texts[tag])
    raise SVIError(f"{path} holds no workflow: it was saved without metadata, or by another program")


def _of_picture(path: Path) -> dict[str, str]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "WEBP")) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise SVIError(f"{path} is too large a picture to look into")
            found = {tag: text for tag in _TAGS if isinstance(text := picture.info.get(tag), str)}
            # WebP has no text: ComfyUI writes "workflow:{...}" into Exif tags. Asking a PNG for them would decode it.
            for value in picture.getexif().values() if picture.format == "WEBP" else ():
                tag, _, text = str(value).partition(":") if isinstance(value, str) else ("", "", "")
                if tag.lower() in _TAGS and text:
                    found.setdefault(tag.lower(), text)
    except UnidentifiedImageError:
        raise SVIError(f"{path} is not a picture, whatever its name says") from None
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SVIError(f"{path} cannot be read: {error}") from error
    return found


def _of_video(path: Path) -> dict[str, str]:
    import av

    from ....svi_embeds.files.video import open_video

    try:
        with open_video(path) as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
    except av.FFmpegError as error:
        raise SVIError(f"{path} is not a video that can be read: {error}") from error
    found = {tag: tags[tag] for tag in _TAGS if tag in tags}
    if not found and "comment" in tags:  # VideoHelperSuite puts both into one comment
        comment = parse_json(tags["comment"])
        if isinstance(comment, dict):
            found = {
                tag: value if isinstance(value, str) else json.dumps(value)
                for tag, value in comment.items() if tag in _TAGS and value
            }  # fmt: skip
    return found


def write_workflow(value: Any, path: Path, *, source: Path) -> None:
    """Write a workflow as JSON, whole or not at all. Raises SVIError when that would overwrite `source`."""
    if path.is_dir():
        raise SVIError(f"{path} is a folder: give the name of a file with -o")
    with whole_files(path) as (beside,):
        if path.exists() and path.samefile(source):
            raise SVIError(f"{path} is the file to migrate, which is never overwritten: give another name with -o")
        beside.write_bytes(_as_text(value, _indent(source)))


def _as_text(value: Any, indent: int | None) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold and UTF-8 cannot
        return json.dumps(value, indent=indent).encode()


def _indent(source: Path) -> int | None:
    """As the source has it: lines, or all in one."""
    if source.suffix.lower() != ".json":
        return None
    with source.open("rb") as file:
        return 2 if b"\n" in file.read(100).strip() else None


def free_name(source: Path) -> Path:
    """A name beside a file that no file has yet."""
    for count in range(1, 1000):
        path = source.with_name(f"{source.stem}.svi{'' if count == 1 else f'-{count}'}.json")
        if not path.exists():
            return path
    raise SVIError(f"{source} has been migrated a thousand times: give a name with -o")
