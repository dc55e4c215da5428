"""Files in ComfyUI's folders: LoRAs, embeds, reels, and what comes out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...svi_embeds.errors import SVIError
from ...svi_embeds.files.paths import leads_out
from . import comfy

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # line breaks too: a whole text was linked, not a name

_LONGEST_NAME = 230  # bytes; disks take 255, with number and ending


def lora_files() -> list[str]:
    """The LoRA files that ComfyUI knows, as it names them; [] outside ComfyUI."""
    paths = comfy.module("folder_paths")
    return list(paths.get_filename_list("loras")) if paths else []


def lora_path(name: str) -> Path:
    """Where the LoRA of that name is. Raises SVIError when ComfyUI does not find it."""
    if not isinstance(name, str):
        raise SVIError(f"lora must be the name of a file, got {type(name).__name__}")
    paths = comfy.module("folder_paths")
    # Asked only for names that stay inside: on Windows ComfyUI would look a network share up.
    found = paths.get_full_path("loras", name) if paths and not leads_out(name) else None
    if found is None:
        raise SVIError(
            f"{name[:200]} is not in ComfyUI's loras folders any more: choose another (press R to read them again)"
        )
    return Path(found)


_MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")

_SAMPLE = 2**20  # bytes


def file_print(name: str) -> str:
    """What tells the file that a widget names from others of that name; "" when `name` is none.

    Model files, of every kind that has one so named: size and a hash of samples. A copy has the same, one that was
    trained on has not, and 28 GB take milliseconds. Files in the input folder: size and time.
    """
    paths = comfy.module("folder_paths")
    if paths is None or len(name) > 1000 or "\n" in name or leads_out(name):
        return ""
    found = []
    if name.lower().endswith(_MODEL_SUFFIXES):
        places = {paths.get_full_path(kind, name) for kind in list(paths.folder_names_and_paths)}
        found = [_sampled(Path(place)) for place in sorted(filter(None, places))]
    elif "." in name:
        with suppress(SVIError):
            found = [file_state(find_file, name)]
    return " ".join(found)


def _sampled(path: Path) -> str:
    """Size, and a hash of eight samples, of a file; "" when it cannot be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            digest = hashlib.sha256()
            for part in range(8):
                file.seek(max(0, size - _SAMPLE) * part // 7)
                digest.update(file.read(_SAMPLE))
    except OSError:
        return ""
    return f"{size} {digest.hexdigest()}"


EMBEDS_SUFFIX = ".safetensors"


def comfy_folders() -> dict[str, Path]:
    """ComfyUI's folders for files, by the name that file names are annotated with; {} outside ComfyUI."""
    paths = comfy.module("folder_paths")
    if paths is None:
        return {}
    return {
        "input": Path(paths.get_input_directory()).resolve(),
        "output": Path(paths.get_output_directory()).resolve(),
        "temp": Path(paths.get_temp_directory()).resolve(),
    }


def reels_folder() -> Path:
    """Where reels are kept. Raises SVIError outside ComfyUI, and when the setting is not a folder name."""
    folders = comfy_folders()
    if not folders:
        raise SVIError("there is no output folder outside ComfyUI: give the reel's folder")
    from .settings import reels_name

    return folders["output"] / reels_name(user_settings())


def user_settings() -> dict[str, Any]:
    """What the user set for this pack; {} outside ComfyUI."""
    from .settings import read_settings

    paths = comfy.module("folder_paths")
    return read_settings(Path(paths.get_user_directory())) if paths and hasattr(paths, "get_user_directory") else {}


def output_file(path: Path) -> dict[str, str]:
    """A file in ComfyUI's output folder as a node's `ui` names it."""
    # Not resolved: a folder in it may be a link to a larger disk.
    place = path.relative_to(comfy_folders()["output"])
    return {"filename": place.name, "subfolder": place.parent.as_posix(), "type": "output"}


def new_output_file(prefix: str) -> tuple[Path, str]:
    """A numbered file in ComfyUI's output folder: its path, and its name as `find_file` takes it.

    prefix: a name, folders in front of it allowed. Raises SVIError when it leads out of the output folder.
    """
    paths, folders = comfy.module("folder_paths"), comfy_folders()
    if paths is None:
        raise SVIError("there is no output folder outside ComfyUI: call save_embeds with a path")
    base = folders["output"]
    if _CONTROL.search(prefix):
        raise SVIError(f"filename_prefix must be a name in one line, got {prefix[:60]!r}")
    last = prefix.replace("\\", "/").split("/")[-1]
    if len(last.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
        raise SVIError(f"filename_prefix must end with a name of {_LONGEST_NAME} bytes or less, got {last[:60]!r}...")
    if not last.strip() or last.startswith(".") or last != last.strip():
        raise SVIError(f"filename_prefix must end with a name that begins with no dot or blank, got {prefix[:200]!r}")
    try:
        inside = not leads_out(prefix) and (base / prefix).resolve().is_relative_to(base)
        found = paths.get_save_image_path(prefix, str(base)) if inside else None
    except (OSError, ValueError) as error:
        raise SVIError(f"filename_prefix {prefix[:200]!r} cannot be used: {str(error)[:200]}") from error
    if found is None:
        raise SVIError(
            f"filename_prefix must stay inside ComfyUI's output folder, and name no device of Windows, got "
            f"{prefix[:200]!r}"
        )
    folder, name, counter, subfolder, _ = found
    filename = f"{name}_{counter:05}_{EMBEDS_SUFFIX}"
    return Path(folder) / filename, f"{Path(subfolder, filename).as_posix()} [output]"


def list_files() -> list[str]:
    """Every .safetensors file in ComfyUI's input and output folders, as `find_file` takes it; [] outside ComfyUI."""
    found = []
    for name, folder in comfy_folders().items():
        if name != "temp":
            for path in sorted(folder.rglob(f"*{EMBEDS_SUFFIX}")):
                inside = path.relative_to(folder).as_posix()
                if path.name.startswith(".") or leads_out(inside) or not path.is_file():
                    continue
                if path.resolve().is_relative_to(folder):
                    found.append(f"{inside} [{name}]")
    return found


def find_file(name: str) -> Path:
    """The file of a name like `svi_embeds/clip_00001_.safetensors [output]` (input when nothing is said).

    Raises SVIError when it is not there or leads out of ComfyUI's folders, before anything outside is looked at.
    """
    folders = comfy_folders()
    if not folders:
        raise SVIError("there are no input and output folders outside ComfyUI: call load_embeds with a path")
    if not isinstance(name, str):
        raise SVIError(f"file must be the name of a file, got {type(name).__name__}")
    if _CONTROL.search(name):
        raise SVIError(f"{name[:60]!r} is not a file name: connect file of SVI Save Embeds, or choose a file")
    where = next((key for key in folders if name.endswith(f" [{key}]")), None)
    base, inside, shown = folders[where or "input"], name[: -len(where) - 3] if where else name, name[:200]
    outside = (
        f"{shown} leads out of ComfyUI's {where or 'input'} folder, or is a device's name: choose a file inside it"
    )
    if leads_out(inside):
        raise SVIError(outside)
    try:
        path = (base / inside).resolve()
        exists = path.is_file()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SVIError(f"{shown!r} is not a file name ({why}): choose a file") from error
    if not path.is_relative_to(base):
        raise SVIError(outside)
    if not exists:
        raise SVIError(f"{shown!r} is not there any more: choose another file (press R to read the list again)")
    return path


def file_state(find: Callable[[str], Path], name: str) -> str:
    """Time and size of a file for IS_CHANGED, "" when it is not there. find: `find_file` or `lora_path`."""
    try:
        state = find(name).stat()
    except (SVIError, OSError):
        return ""
    return f"{state.st_mtime_ns} {state.st_size}"
