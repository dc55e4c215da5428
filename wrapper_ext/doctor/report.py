"""What a ComfyUI's answers mean for this pack."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ..host.comfy import COMFYUI_NODES, INSTALL_HINT, WRAPPER
from .contract import contract, drift
from .finding import Finding, Status
from .needs import NATIVE, NEEDS, by_our_names, lacks, renamed
from .tried import COMFYUI, FRONTENDS, tried

# pyproject.toml's, which ComfyUI does not install: distribution -> (module, oldest version that this pack is made for).
REQUIRED: Mapping[str, tuple[str, str]] = {
    "torch": ("torch", "2.4"), "safetensors": ("safetensors", "0.4.2"), "einops": ("einops", ""),
    "numpy": ("numpy", "1.25"), "pillow": ("PIL", "10.1"), "av": ("av", "14.2"), "filelock": ("filelock", "3.12"),
}  # fmt: skip
# distribution -> (module, what needs it)
OPTIONAL: Mapping[str, tuple[str, str]] = {
    "color-matcher": ("color_matcher", "color_match mkl"), "diffusers": ("diffusers", "the wrapper"),
}  # fmt: skip
FRONTEND = ("comfyui-frontend-package", "comfyui_frontend_package")  # distribution, module
OLDEST_COMFYUI, OLDEST_PYTHON = "0.3.49", "3.10"
# The first with today's embeds, but for one commit. Inputs do not tell: the version is all there is to see.
OLDEST_WRAPPER = "1.2.9"


def packages() -> dict[str, str]:
    """Packages to ask for: module by distribution."""
    return {**{name: module for name, (module, _) in {**REQUIRED, **OPTIONAL}.items()}, **dict([FRONTEND])}


def findings(host: Mapping[str, Any]) -> Iterator[Finding]:
    """What the answers of `probe.examine` mean, but for LoRAs and the disk."""
    others = renamed(host["nodes"])
    host = {**host, "nodes": by_our_names(host["nodes"])}
    yield from _comfyui(host)
    yield from _packages(host["packages"], host["executable"])
    yield from _wrapper(host)
    yield from _nodes(host)
    if host["wrapper"]["nodes"]:
        for name, other in others.items():
            yield Finding("note", "drift", f"{name}: called {other}")
        for name, text in drift(contract().nodes, host["nodes"]):
            yield Finding("note", "drift", f"{name}: {text}")
    there = "there" if host["kjnodes"] else "not there: this pack needs none of it, older graphs may"
    yield Finding("ok", "kjnodes", f"ComfyUI-KJNodes is {there}")


def older(version: str, oldest: str) -> bool:
    """Whether a version is lower, number by number; False when it holds no number."""
    return bool(_numbers(version)) and _numbers(version) < _numbers(oldest)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version.split("+")[0])[:3]))


def _comfyui(host: Mapping[str, Any]) -> Iterator[Finding]:
    comfyui, torch = host["comfyui"], host["torch"]
    version = comfyui["version"] or "of unknown version"
    if comfyui["error"]:
        text = f"ComfyUI {version} cannot be imported: {comfyui['error']}; was it another Python? Name that: --python"
        yield Finding("problem", "comfyui", text)
    else:
        known = f", {tried(version, COMFYUI)}"
        yield _aged("comfyui", f"ComfyUI {version}", comfyui["version"], OLDEST_COMFYUI, known)
    if frontend := host["packages"].get(FRONTEND[0]):
        yield Finding("ok", "frontend", f"frontend {frontend}, {tried(frontend, FRONTENDS)}")
    text = f"Python {host['python']}, {host['executable']}"
    if older(host["python"], OLDEST_PYTHON):
        yield Finding("problem", "python", f"{text}: this pack needs {OLDEST_PYTHON} or newer")
    else:
        yield Finding("ok", "python", text)
    if not torch["error"]:
        cuda = torch["cuda"]
        text = f"PyTorch {host['packages'].get('torch') or ''} {'with' if cuda else 'sees no'} CUDA"
        yield Finding("ok" if cuda else "note", "torch", text if cuda else f"{text}: on the CPU sampling takes hours")
    elif host["packages"].get("torch") is not None:
        yield Finding("problem", "torch", f"PyTorch cannot be imported: {torch['error']}")


def _aged(topic: str, what: str, version: str, oldest: str, more: str = "") -> Finding:
    if older(version, oldest):
        return Finding(
            "note", topic, f"{what} is older than {oldest}, the oldest that this pack is made for: update it"
        )
    return Finding("ok", topic, what + more)


def _packages(there: Mapping[str, str | None], python: str) -> Iterator[Finding]:
    well = []
    for name, (_, oldest) in REQUIRED.items():
        version = there.get(name)
        if version is None:
            text = f"{name} is not in ComfyUI's Python, and this pack needs it: {python} -m pip install {name}"
            yield Finding("problem", "package", text)
        elif older(version, oldest):
            yield _aged("package", f"{name} {version}", version, oldest)
        else:
            well.append(f"{name} {version}".rstrip())
    for name, (_, user) in OPTIONAL.items():
        version = there.get(name)
        if version is None:
            yield Finding("note", "package", f"{name} is not in ComfyUI's Python: {user} needs it")
        else:
            well.append(f"{name} {version}".rstrip())
    if well:
        yield Finding("ok", "package", ", ".join(well))


def _wrapper(host: Mapping[str, Any]) -> Iterator[Finding]:
    wrapper = host["wrapper"]
    folders = wrapper["folders"]
    if not folders:
        yield Finding("problem", "wrapper", INSTALL_HINT)
        return
    if len(folders) > 1:
        text = f"{len(folders)} folders hold one: {', '.join(folders)}; keep one. The first was looked at"
        yield Finding("note", "wrapper", text)
    what = f"{WRAPPER} {wrapper['version']}".rstrip() + f" in {folders[0]}"
    if wrapper["error"]:
        yield Finding("problem", "wrapper", f"{what} cannot be imported: {wrapper['error']}")
    elif host["comfyui"]["error"]:
        yield Finding("note", "wrapper", f"{what} was not imported, since ComfyUI cannot be")
    elif older(wrapper["version"], OLDEST_WRAPPER):
        text = f"{what} is older than {OLDEST_WRAPPER} (2025-08-16), before which embeds were others: update it"
        yield Finding("note", "wrapper", text)
    else:
        yield Finding("ok", "wrapper", f"{what}, {wrapper['nodes']} nodes; this pack is made for {contract().wrapper}")
    # Of parts that this pack has no use for nothing is said.
    if any(need.node not in host["nodes"] for needs in NEEDS.values() for need in needs):
        for part in wrapper["missing"]:
            yield Finding("note", "wrapper", f"{WRAPPER} could not import a part of it: {part}")


def _nodes(host: Mapping[str, Any]) -> Iterator[Finding]:
    """Which nodes of this pack work; those of which the same can be said share a line."""
    said: defaultdict[tuple[Status, str], list[str]] = defaultdict(list)
    for node in NEEDS:
        for status, text in _node(node, host):
            said[status, text].append(node)
    for (status, text), nodes in said.items():
        yield Finding(status, "nodes", f"{', '.join(nodes)}: {text}")
    if host["wrapper"]["nodes"] and any(status == "problem" for status, _ in said):
        known = contract().wrapper
        yield Finding(
            "note", "nodes", f"take the wrapper that this pack is made for, {known}, or a newer version of this pack"
        )


def _node(node: str, host: Mapping[str, Any]) -> Iterator[tuple[Status, str]]:
    """What can be said of one node of this pack."""
    needs = NEEDS[node]
    if host["comfyui"]["error"]:
        yield "problem", "will not work: ComfyUI does not start"
        return
    if not host["wrapper"]["nodes"] and any(need.node not in COMFYUI_NODES for need in needs):
        if node in NATIVE:
            where = "for ComfyUI's own sampling alone: VAE of Load VAE, image_embeds to WanVideo SVI To Native"
            yield "note", f"without {WRAPPER} {where}"
        else:
            yield "problem", f"will not work without {WRAPPER}"
        return
    missing: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for need in needs:
        if sentences := list(lacks(need, host["nodes"], contract().nodes)):
            missing[need.lost, need.instead] += sentences
    if not missing:
        yield "ok", "will work"
    elif ("", "") in missing:
        yield "problem", f"will not work: {_join(missing['', ''])}"
    else:
        for (lost, instead), sentences in missing.items():
            status: Status = "problem" if lost else "note"
            yield status, f"works, but {f'not with {lost}' if lost else f'it {instead}'}: {_join(sentences)}"


def _join(sentences: list[str]) -> str:
    return "; ".join(dict.fromkeys(sentences))
