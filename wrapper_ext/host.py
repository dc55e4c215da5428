"""The host: ComfyUI and WanVideoWrapper. The only file that imports ComfyUI, and only when called.

Outside ComfyUI (scripts, tests, the demo) everything runs on the CPU and pictures are not shown.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..svi_embeds.errors import SVIError
from ..svi_embeds.safe_paths import leads_out

if TYPE_CHECKING:
    from PIL import Image

WRAPPER = "ComfyUI-WanVideoWrapper"
# A node that every supported wrapper has, and that this pack stands in for.
WRAPPER_NODE = "WanVideoImageToVideoEncode"

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # line breaks too: a whole text was linked, not a name
_LONGEST_NAME = 230  # bytes; disks take 255, with number and ending

INSTALL_HINT = (
    f"{WRAPPER} is not installed: install it with ComfyUI-Manager (search for WanVideoWrapper by kijai), or clone it "
    "into ComfyUI's custom_nodes folder, then restart ComfyUI"
)


def _comfy(module: str) -> Any | None:
    """A module of ComfyUI, or None outside ComfyUI."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        return None


def running() -> bool:
    """Whether this is a ComfyUI process."""
    return _comfy("comfy.model_management") is not None


def has_wrapper() -> bool:
    """Whether the running ComfyUI has loaded WanVideoWrapper, asked of its node table."""
    return _node(WRAPPER_NODE) is not None


def require_wrapper() -> None:
    """Raises SVIError that says what to install when ComfyUI runs without the wrapper."""
    if running() and not has_wrapper():
        raise SVIError(INSTALL_HINT)


def device() -> torch.device:
    """Where models run."""
    management = _comfy("comfy.model_management")
    return management.get_torch_device() if management else torch.device("cpu")


def offload_device() -> torch.device:
    """Where models wait."""
    management = _comfy("comfy.model_management")
    return management.unet_offload_device() if management else torch.device("cpu")


def free_memory(*, collect: bool = True) -> None:
    """Give cached device memory back, as the host does around an encode.

    collect: also search for circular garbage, which takes as long as preparing a clip.
    """
    if collect:
        gc.collect()
    if management := _comfy("comfy.model_management"):
        management.soft_empty_cache()


def stop_if_cancelled() -> None:
    """Raises ComfyUI's interrupt when the user pressed cancel."""
    if management := _comfy("comfy.model_management"):
        management.throw_exception_if_processing_interrupted()


def _node(node_id: str) -> Any | None:
    """A node class of the running ComfyUI by id, or None."""
    nodes = _comfy("nodes") if running() else None
    return None if nodes is None else nodes.NODE_CLASS_MAPPINGS.get(node_id)


# Inputs that some wrappers call otherwise, by node: this pack's name and theirs.
RENAMED = {"WanVideoEncode": {"image": "driving_video"}}  # the fork of 2026-06 (ef95cfa)


def call(node_id: str, **inputs: Any) -> tuple[Any, ...]:
    """Run a node of ComfyUI or the wrapper by id. inputs: by name; required widgets left out get their defaults.

    Returns its outputs. Raises SVIError when this host has no such node or input; what the node raises passes through.
    """
    node = _node(node_id)
    if node is None:
        raise SVIError(f"this ComfyUI has no node {node_id}. {INSTALL_HINT}; if it is there, update it")
    groups = node.INPUT_TYPES()
    required, optional = groups.get("required", {}), groups.get("optional", {})
    for name, other in RENAMED.get(node_id, {}).items():
        if name in inputs and name not in {**required, **optional} and other in {**required, **optional}:
            inputs[other] = inputs.pop(name)
    if unknown := [name for name in inputs if name not in required and name not in optional]:
        raise SVIError(f"{node_id} at hand has no input {', '.join(unknown)}: update {WRAPPER}")
    defaults = {name: rest[0]["default"] for name, (_, *rest) in required.items() if rest and "default" in rest[0]}
    made = getattr(node(), node.FUNCTION)(**{**defaults, **inputs})
    if isinstance(made, dict):
        made = made["result"]
    return tuple(getattr(made, "result", made))  # nodes of ComfyUI's newer schema return an object


def blocked(why: str) -> Any:
    """An output that stops whatever is connected to it, with a sentence; None outside ComfyUI."""
    module = _comfy("comfy_execution.graph_utils")
    return module.ExecutionBlocker(why) if module else None


def silent_voice(count: int) -> torch.Tensor | None:
    """`count` entries of the wrapper's recorded silence, [count, 12, 768]; None when this wrapper has none."""
    if _node("MultiTalkSilentEmbeds") is None:
        return None
    (embeds,) = call("MultiTalkSilentEmbeds", num_frames=count)
    features: torch.Tensor = embeds["audio_features"]
    return features


def show_progress(node_id: str | None, done: int, total: int, picture: Image.Image | None = None) -> None:
    """Move a node's progress bar, with a picture on the node. Raises ComfyUI's interrupt when the user cancelled."""
    if (utils := _comfy("comfy.utils")) and node_id is not None:
        preview = ("JPEG", _as_shown(picture), 1024) if picture else None
        utils.ProgressBar(total, node_id=node_id).update_absolute(done, total, preview)


def show_text(node_id: str | None, text: str) -> None:
    """Show a line of text on a running node; ComfyUIs of before 2025-05 cannot."""
    module = _comfy("server")
    server = getattr(module.PromptServer, "instance", None) if module else None
    if node_id is not None and server is not None and hasattr(server, "send_progress_text"):
        server.send_progress_text(text, node_id)


def video_from_file(path: Path) -> Any:
    """ComfyUI's VIDEO of a file; None outside ComfyUI."""
    api = _comfy("comfy_api.input_impl")
    return api.VideoFromFile(str(path)) if api else None


def schedulers() -> list[str]:
    """The schedulers of the wrapper's sampler: its own list, so that a link to it fits. Outside ComfyUI: SCHEDULERS."""
    from ..svi_embeds.sigmas import SCHEDULERS

    sampler = _node("WanVideoSampler")
    if sampler is None:
        return list(SCHEDULERS)
    offered: list[str] = sampler.INPUT_TYPES()["required"]["scheduler"][0]
    return offered


def sigmas(scheduler: str, steps: int, shift: float) -> torch.Tensor:
    """The share of noise at each step, float32 [steps run]: as the wrapper at hand computes it, else `sigmas_of`.

    Wrappers before 2025-11-05 cannot be asked. Raises SVIError when the scheduler refuses these values.
    """
    from ..svi_embeds.sigmas import check_schedule, noise_levels, sigmas_of

    check_schedule(scheduler, steps, shift)
    node = _node("WanVideoScheduler")
    if node is None or "steps" not in node.INPUT_TYPES()["required"]:
        return sigmas_of(scheduler, steps, shift)
    try:
        made = node().process(
            scheduler=scheduler, steps=steps, start_step=0, end_step=-1, shift=shift, unique_id=None
        )  # fmt: skip
    except Exception as error:
        raise SVIError(
            f"the wrapper's scheduler {scheduler} refuses {steps} steps at shift {shift:g}: {error}"
        ) from error
    state = next((part for part in made if isinstance(part, dict)), None)
    if state is None:  # a wrapper whose node passes the name on
        return sigmas_of(scheduler, steps, shift)
    raw = getattr(state["sample_scheduler"], "full_sigmas", state["sample_scheduler"].sigmas)
    return noise_levels(scheduler, raw[: len(state["timesteps"])].detach().to("cpu", torch.float32))


def lora_files() -> list[str]:
    """The LoRA files that ComfyUI knows, as it names them; [] outside ComfyUI."""
    paths = _comfy("folder_paths")
    return list(paths.get_filename_list("loras")) if paths else []


def lora_path(name: str) -> Path:
    """Where the LoRA of that name is. Raises SVIError when ComfyUI does not find it."""
    if not isinstance(name, str):
        raise SVIError(f"lora must be the name of a file, got {type(name).__name__}")
    paths = _comfy("folder_paths")
    # Asked only for names that stay inside: on Windows ComfyUI would look a network share up.
    found = paths.get_full_path("loras", name) if paths and not leads_out(name) else None
    if found is None:
        raise SVIError(
            f"{name[:200]} is not in ComfyUI's loras folders any more: choose another (press R to read them anew)"
        )
    return Path(found)


_MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin")
_SAMPLE = 2**20  # bytes


def file_print(name: str) -> str:
    """What tells the file that a widget names from others of that name; "" when `name` is none.

    Model files, of every kind that has one so named: size and a hash of samples. A copy has the same, one that was
    trained on has not, and 28 GB take milliseconds. Files in the input folder: size and time.
    """
    paths = _comfy("folder_paths")
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


def _folders() -> dict[str, Path]:
    """ComfyUI's folders for files, by the name that file names are annotated with; {} outside ComfyUI."""
    paths = _comfy("folder_paths")
    if paths is None:
        return {}
    return {
        "input": Path(paths.get_input_directory()).resolve(),
        "output": Path(paths.get_output_directory()).resolve(),
        "temp": Path(paths.get_temp_directory()).resolve(),
    }


def reels_folder() -> Path:
    """Where reels are kept. Raises SVIError outside ComfyUI, and when the setting is no name of a folder."""
    folders = _folders()
    if not folders:
        raise SVIError("there is no output folder outside ComfyUI: give the reel's folder")
    from .settings import reels_name

    return folders["output"] / reels_name(_settings())


def _settings() -> dict[str, Any]:
    """What the user set for this pack; {} outside ComfyUI."""
    from .settings import read_settings

    paths = _comfy("folder_paths")
    return read_settings(Path(paths.get_user_directory())) if paths and hasattr(paths, "get_user_directory") else {}


def _as_shown(picture: Image.Image) -> Image.Image:
    """A picture no wider than the user wants them on nodes."""
    from .settings import preview_width

    width = preview_width(_settings())
    if width is None or picture.width <= width:
        return picture
    return picture.resize((width, max(1, round(picture.height * width / picture.width))), reducing_gap=2)


def output_file(path: Path) -> dict[str, str]:
    """A file in ComfyUI's output folder as a node's `ui` names it."""
    # Not resolved: a folder in it may be a link to a larger disk.
    place = path.relative_to(_folders()["output"])
    return {"filename": place.name, "subfolder": place.parent.as_posix(), "type": "output"}


def new_output_file(prefix: str) -> tuple[Path, str]:
    """A numbered file in ComfyUI's output folder: its path, and its name as `find_file` takes it.

    prefix: a name, folders in front of it allowed. Raises SVIError when it leads out of the output folder.
    """
    paths, folders = _comfy("folder_paths"), _folders()
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
    for name, folder in _folders().items():
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
    folders = _folders()
    if not folders:
        raise SVIError("there are no input and output folders outside ComfyUI: call load_embeds with a path")
    if not isinstance(name, str):
        raise SVIError(f"file must be the name of a file, got {type(name).__name__}")
    if _CONTROL.search(name):
        raise SVIError(f"{name[:60]!r} is no name of a file: connect file of SVI Save Embeds, or choose a file")
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
        raise SVIError(f"{shown!r} is no name of a file ({why}): choose a file") from error
    if not path.is_relative_to(base):
        raise SVIError(outside)
    if not exists:
        raise SVIError(f"{shown!r} is not there any more: choose another file (press R to read the list anew)")
    return path


def file_state(find: Callable[[str], Path], name: str) -> str:
    """Time and size of a file for IS_CHANGED, "" when it is not there. find: `find_file` or `lora_path`."""
    try:
        state = find(name).stat()
    except (SVIError, OSError):
        return ""
    return f"{state.st_mtime_ns} {state.st_size}"


def show(picture: Image.Image, name: str) -> list[dict[str, str]]:
    """Save a picture to ComfyUI's temp folder. Returns what a node's `ui.images` takes; [] outside ComfyUI."""
    from ..svi_embeds.whole_file import whole_files

    paths = _comfy("folder_paths")
    if paths is None:
        return []
    folder = Path(paths.get_temp_directory())
    filename = f"{name}_{uuid.uuid4().hex[:12]}.png"
    with whole_files(folder / filename) as (beside,):
        folder.mkdir(parents=True, exist_ok=True)
        _as_shown(picture).save(beside, compress_level=1)
    return [{"filename": filename, "subfolder": "", "type": "temp"}]


def before_queueing(handler: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Have ComfyUI's server call `handler` with each request to queue a graph, in the task that then checks it."""
    server = _comfy("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is not None and hasattr(instance, "add_on_prompt_handler"):
        instance.add_on_prompt_handler(handler)


def add_route(path: str, handler: Callable[[str], tuple[int, dict[str, Any]]]) -> None:
    """Have ComfyUI's server answer POST requests of JSON: handler takes the body and returns status and JSON.

    Requests of pages of other sites are refused, and those that are too large or do not end. The handler runs in a
    thread, so that the server goes on meanwhile, and for one request at a time. Outside ComfyUI nothing happens.
    """
    server = _comfy("server")
    instance = getattr(getattr(server, "PromptServer", None), "instance", None)
    if instance is None:
        return
    import asyncio

    from aiohttp import web

    from .host_requests import read_text, refusal

    at_work = asyncio.Lock()

    async def respond(request: Any) -> Any:
        status, said = refusal(request.headers)
        if not said:
            status, said = await read_text(request)
        if status != 200:
            return web.json_response({"error": said}, status=status)
        async with at_work:
            status, answer = await asyncio.to_thread(handler, said)
        return web.json_response(answer, status=status)

    instance.routes.post(path)(respond)
