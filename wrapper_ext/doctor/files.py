"""What `wanvideo-svi doctor` says of LoRA files and of the disk that reels go to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...svi_embeds.errors import SVIError
from ...svi_embeds.models.lora import LoraFacts, read_lora
from ...svi_embeds.models.names import is_svi
from .finding import Finding

WIDTH, HEIGHT, FPS = 832, 480, 16
# FFV1 as clip_video.write_video makes it: 138,000 to 253,000 bytes a frame for videos of the size, and 652,000 for the
# most detailed picture that was tried. docs/reference/hosts.md has the measurements, tools/reel_size.py makes them.
FRAME_BYTES = 652_000
_CLIP, _OVERLAP = 81, 5  # frames of a clip of film: the mode that keeps most
_MINUTES_WANTED = 10


def reel_bytes_per_frame() -> float:
    """Bytes that a reel takes for a frame of the joined video: that frame, its share of the overlap and of the tail.

    The tail of each clip, its last frames for the next one, is kept as float32.
    """
    tail = _OVERLAP * WIDTH * HEIGHT * 3 * 4
    return (_CLIP * FRAME_BYTES + tail) / (_CLIP - _OVERLAP)


def disk_finding(reels: Path) -> Finding:
    """Whether there is room for reels in that folder, which need not be there yet."""
    place = next(folder for folder in (reels.absolute(), *reels.absolute().parents) if folder.is_dir())
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("problem", "disk", f"{place} cannot be read ({error.strerror}): name another with --reels")
    clip = reel_bytes_per_frame() * (_CLIP - _OVERLAP)
    minutes = free / reel_bytes_per_frame() / FPS / 60
    text = (
        f"{free / 1e9:.1f} GB free for reels in {reels}: {minutes:.0f} minutes or more of {WIDTH}x{HEIGHT} at {FPS} fps"
    )
    if free < clip:
        return Finding("problem", "disk", f"{text}; a clip takes up to {clip / 1e6:.0f} MB")
    return Finding("note" if minutes < _MINUTES_WANTED else "ok", "disk", text)


def lora_findings(paths: Mapping[str, str]) -> Iterator[Finding]:
    """SVI LoRAs by their names. paths: file by the name that ComfyUI has for it."""
    ours = [name for name in paths if is_svi(name)]
    if not ours:
        yield Finding("note", "lora", "no SVI LoRA in ComfyUI's loras folders, by their names")
    read: dict[str, LoraFacts] = {}
    for name in ours:
        try:
            read[name] = read_lora(paths[name])
        except SVIError as error:
            yield Finding("problem", "lora", f"{name}: {error}")
    for name, facts in read.items():
        what = facts.purpose.title if facts.purpose else "SVI"
        said = f"{what}, {facts.base}; mode {', '.join(facts.modes) or 'none of its own'}"
        wrong = [*facts.problems, *_pair_problems(facts, read)]
        yield Finding("note" if wrong else "ok", "lora", f"{name}: {'; '.join([said, *wrong])}")


def _pair_problems(facts: LoraFacts, there: Mapping[str, LoraFacts]) -> Iterator[str]:
    """A pair needs both stages, and names are all that tells them."""
    if facts.noise is None:
        if facts.version == "2.2":
            yield "its name says neither high nor low noise, and Wan 2.2 has a LoRA for each"
        return
    other = "low" if facts.noise == "high" else "high"
    if not any(lora.purpose == facts.purpose and lora.noise == other for lora in there.values()):
        yield f"no LoRA of its kind for the {other} noise model is there"
