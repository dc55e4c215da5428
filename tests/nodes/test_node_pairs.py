"""Every node of this pack on what every other one gives, where the types fit: what is accepted, and what refused.

The table is data/node_pairs.txt. Each line of it was made by running both nodes; write it anew with UPDATE_SNAPSHOTS=1,
and read its diff: behind + stands what came out, behind - the error, and below them the outputs that were connected.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import sampler
from guided import dance, numbered, voice
from helpers import TraceVAE, digest, frames
from long_video_node import PROMPT
from native_host import NativeHost, native_model
from native_vae import NativeVAE
from node_calls import call, visible_inputs
from pairs import humo_model, i2v, i2v22, made_for, t2v
from project import DATA
from safetensors.torch import save_file
from snapshots import differing, not_as_recorded, recording
from torch import Tensor
from wanvideo_svi import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from wanvideo_svi.svi_embeds.clips.embeds import check_embeds, holds_image, holds_voice
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.guides.humo import check_voice
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.host import show as host_show
from wanvideo_svi.wrapper_ext.render import long_video

TABLE = DATA / "node_pairs.txt"
SIZE = {"width": 64, "height": 64}
CLIP = {**SIZE, "num_frames": 17}
STALE = ("- it was there already",)  # notes of what an earlier run left
_numbers = itertools.count()
ALIKE = {*(f"images_{i}" for i in range(3, 9)), "image_3", "image_4"}  # are read as the input before them is
TONE = {"waveform": torch.sin(torch.arange(38400) / 9)[None, None], "sample_rate": 16000}  # 2.4 s


@dataclass(frozen=True)
class Use:
    """A node with what it needs to run, as a graph may well have it.

    about: which of its uses this is. replaced: inputs that the outputs of others are connected to, all of them unless
    they are named.
    """

    node_id: str
    inputs: dict[str, Any]
    about: str = ""
    replaced: tuple[str, ...] | None = field(default=None, kw_only=True)

    @property
    def title(self) -> str:
        name = NODE_DISPLAY_NAME_MAPPINGS[self.node_id].removeprefix("WanVideo ")
        return f"{name} ({self.about})" if self.about else name

    def run(self, **inputs: Any) -> tuple[Any, ...]:
        given = {**self.inputs, **inputs}
        if given.get("vae") is not None:
            given["vae"] = NativeVAE() if self.node_id == "WanVideoSVILongVideoNative" else TraceVAE()
        if given.get("reel") == "pairs":
            given["reel"] = f"pairs {next(_numbers)}"  # what was there before is another matter
        if given.get("reel_before") == "pairs":
            given["reel_before"] = Use("WanVideoSVIReelAdd", {"images": frames(17), "reel": "pairs"}).run()[0]
        answer = call(self.node_id, **given)
        outputs: tuple[Any, ...] = answer["result"] if isinstance(answer, dict) else answer
        return outputs


def latents(count: int, seed: int = 0) -> dict[str, Tensor]:
    return {"samples": torch.randn(1, 16, count, 8, 8, generator=torch.Generator().manual_seed(seed))}


def uses(folder: Path) -> Iterator[Use]:
    """Every node at least once, each with inputs that are good. folder: where those that write do so."""
    shot = {"vae": 1, "mode": "shot", **CLIP, "start_image": frames(1), "ref_image": frames(1, seed=1)}
    made = dict(zip(("image_embeds", "known"), Use("WanVideoSVIEmbeds", shot).run()[:2], strict=True))
    yield Use("WanVideoSVIEmbeds", shot)
    inpaint = {"vae": 1, "mode": "fun_inp", **CLIP, "start_image": frames(5), "keyframe_images": frames(1, seed=2)}
    yield Use(
        "WanVideoSVIEmbeds", {**inpaint, "keyframes": "12"}, "fun_inp, keyframe 12",
        replaced=("start_image", "end_image", "keyframe_images", "region", "temporal_mask", "keyframes", "end_frames"),
    )  # fmt: skip
    yield Use(
        "WanVideoSVILatentEmbeds", {"anchor_samples": latents(1), "prev_samples": latents(5, 1), "num_frames": 17}
    )
    known = torch.zeros(17, 8, 8)
    known[0] = 1
    custom = {**SIZE, "length": 17, "vae": 1, "start_image": frames(17), "concat_mask": 1 - known}
    yield Use("WanVideoI2VCustomEmbeds", custom)
    custom = {**SIZE, "length": 17, "latent_space": "wrapper", "concat_latent_image": latents(5)}
    yield Use("WanVideoI2VCustomEmbeds", custom, "latents", replaced=("concat_latent_image", "concat_mask"))
    yield Use("WanVideoSVITemporalMask", {**CLIP, "motion_frames": frames(17)})
    yield Use("WanVideoReferenceCanvas", {**SIZE, "image_1": frames(1, height=40)})
    texts = {"high_model": t2v(), "low_model": i2v(), "low_embeds": made["image_embeds"], **CLIP}
    yield Use("WanVideoHighLowPair", texts, "T2V, I2V")
    images = {"high_model": i2v22("HIGH"), "low_model": i2v22("LOW"), "low_embeds": made["image_embeds"], **CLIP}
    yield Use("WanVideoHighLowPair", images, "I2V, I2V", replaced=("high_embeds", "low_embeds"))
    hums = {"high_model": t2v(), "low_model": humo_model(), "low_embeds": made_for(17, refs=1), **CLIP}
    yield Use("WanVideoHighLowPair", hums, "T2V, HuMo", replaced=("high_embeds", "low_embeds"))
    pusa = {**texts, "scheduler": "flowmatch_pusa", "clean_latents": latents(1)}
    yield Use("WanVideoHighLowPair", pusa, "Pusa", replaced=("clean_latents", "clean_index"))
    scene = {"global_caption": "A wood", "shots": "A fox runs\nRain falls", "num_frames": 41}
    yield Use("WanVideoHoloCinePrompt", scene)
    yield Use("WanVideoSVILoraInfo", {"lora": str(folder / "svi-shot.safetensors")})
    yield Use("WanVideoSVIMotionFrames", {"images": frames(17)})
    yield Use("WanVideoSVIStitch", {"images_1": frames(17), "images_2": frames(17, seed=1)})
    matched = {"images_1": frames(17), "images_2": frames(17, seed=1), "color_match": "mean_std"}
    yield Use("WanVideoSVIStitch", matched, "colours matched", replaced=("color_reference", "color_match_strength"))
    yield Use("WanVideoSVIMaskPolarity", {"mask": 1 - known})
    save = Use("WanVideoSVISaveEmbeds", {"image_embeds": made["image_embeds"], "filename_prefix": "svi/clip"})
    yield save
    yield Use("WanVideoSVILoadEmbeds", {"file": save.run()[1]})
    prompts = {"positive": [["a fox", {}]], "negative": [["blurred", {}]]}
    native = Use("WanVideoSVIToNative", {"image_embeds": made["image_embeds"], **prompts})
    yield native
    yield Use("WanVideoSVIFromNative", {"positive": native.run()[0]})
    chain = {
        "sampler_inputs": sampler(), "vae": 1, "story": "a fox", "mode": "shot", **SIZE, "num_frames": 5, "fps": 25.0,
        "reel": "pairs", "start_image": frames(1), "ref_image": frames(1, seed=1), "t5": "T5", "unique_id": "3",
        "prompt": PROMPT,
    }  # fmt: skip
    yield Use("WanVideoSVILongVideo", chain)
    pair = {**chain, "low_noise_model": i2v22("LOW"), "split_step": 4}
    yield Use("WanVideoSVILongVideo", pair, "pair", replaced=("low_noise_model", "split_step"))
    sampling = {"model": native_model(), "clip": "CLIP", "steps": 8, "cfg": 1.0, "sampler_name": "euler",
                "scheduler": "simple"}  # fmt: skip
    rest = {name: value for name, value in chain.items() if name not in ("sampler_inputs", "t5")}
    yield Use("WanVideoSVILongVideoNative", {**rest, **sampling})
    two = {**chain, "story": "a fox\n---\nrain", "reel": "open", "num_frames": 17}
    Use("WanVideoSVILongVideo", two).run()
    opened = Use("WanVideoSVIReelOpen", {"name": "open"})
    yield opened
    reel = opened.run()[0]
    yield Use("WanVideoSVIReelFrames", {"reel": reel, "count": 5})
    yield Use("WanVideoSVIReelVideo", {"reel": reel})
    yield Use("WanVideoSVIReelAdd", {"images": frames(17), "reel": "pairs"})
    behind = {"images": frames(17, seed=1), "reel_before": "pairs"}
    yield Use("WanVideoSVIReelAdd", behind, "behind a clip", replaced=("images", "overlap_frames", "reel_before"))
    window = {"clip_index": 1, "num_frames": 17}
    yield Use("WanVideoSVIAudioWindow", {**window, "multitalk_embeds": voice(numbered(60)), "audio": TONE}, "talk")
    first = {"num_frames": 17, "multitalk_embeds": voice(numbered(60))}
    yield Use("WanVideoSVIAudioWindow", first, "talk, first clip", replaced=("start_frame",))
    humo = {**window, "humo_embeds": made_for(17)}
    yield Use("WanVideoSVIAudioWindow", humo, "HuMo", replaced=("humo_embeds", "image_embeds"))
    joined = {**window, "humo_embeds": made_for(17, refs=1), "image_embeds": made["image_embeds"]}
    yield Use("WanVideoSVIAudioWindow", joined, "HuMo and a clip", replaced=("humo_embeds", "image_embeds"))
    poses = {**window, **SIZE, "unianimate_poses": dance(60), "pose_images": frames(60)}
    yield Use("WanVideoSVIPoseWindow", poses)
    dark = torch.cat([frames(5), frames(8, seed=1) / 8])
    yield Use("WanVideoSVIDrift", {"images": dark, "clip_frames": 9, "overlap_frames": 1})


@pytest.fixture(scope="module")
def every_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Use]]:
    """The nodes on a host that stands in for the real one, with folders of the test's own."""
    folder = tmp_path_factory.mktemp("pairs")
    paths: Any = types.ModuleType("folder_paths")
    for name in ("input", "output", "temp"):
        (folder / name).mkdir()
        setattr(paths, f"get_{name}_directory", lambda name=name: str(folder / name))
    paths.get_save_image_path = lambda prefix, base: (base, prefix.rpartition("/")[2], 1, "", prefix)
    shapes = {f"blocks.0.{layer}.lora_{end}.weight": torch.zeros(4, 4) for layer in ("self_attn.q",) for end in "AB"}
    save_file(shapes, folder / "svi-shot.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "folder_paths", paths)
        patch.setattr(comfy, "call", NativeHost().call)
        patch.setattr(comfy, "has_wrapper", lambda: True)
        patch.setattr(host_files, "lora_path", Path)
        patch.setattr(host_files, "lora_files", list)
        patch.setattr(host_files, "file_print", lambda _: "")
        patch.setattr(host_show, "show", lambda *_: [])
        patch.setattr(host_show, "show_text", lambda *_: None)
        patch.setattr(host_show, "video_from_file", Path)
        patch.setattr(host_files, "reels_folder", lambda: folder / "output" / "reels")
        patch.setattr(long_video, "_left", {})
        yield list(uses(folder))


def kind_of(value: Any) -> str:
    """A type as ComfyUI compares it: combos by their choices."""
    return value if isinstance(value, str) else "COMBO"


def times(shape: Any) -> str:
    return "x".join(map(str, shape))


def seen(kind: str, value: Any) -> str:
    """An output in short: what is checked of it, and its size. Fails for one that keeps no promise of its type."""
    if value is None:  # nothing was connected for it
        return "none"
    if kind == "IMAGE":
        assert value.ndim == 4
        assert value.shape[3] == 3
        assert bool(torch.isfinite(value).all())
        assert value.min() >= 0
        assert value.max() <= 1
        return times(value.shape)
    if kind == "MASK":
        assert value.ndim == 3
        assert bool(((value >= 0) & (value <= 1)).all())
        return f"{times(value.shape)}, {int(value.flatten(1).amin(1).sum())} white"
    if kind == "LATENT":
        assert bool(torch.isfinite(value["samples"]).all())
        return times(value["samples"].shape)
    if kind == "WANVIDIMAGE_EMBEDS":
        if holds_image(value):
            check_embeds(value)
            return f"image {times(value['image_embeds'].shape)}"
        if holds_voice(value):
            check_voice("x", value)
            return f"voice {len(value['humo_audio_emb'])}, image {times(value['humo_image_cond'].shape)}"
        return f"empty {times(value['target_shape'])}"
    if kind == "FLOAT":
        assert math.isfinite(value)
    if kind in ("INT", "BOOLEAN", "COMBO"):
        return str(value)
    if kind == "AUDIO":
        return f"{value['waveform'].shape[-1]} samples"
    if kind == "MULTITALK_EMBEDS":
        return f"{len(value['audio_features'][0])} entries"
    if kind == "UNIANIMATE_POSE":
        return times(value["pose"].shape)
    if kind == "SVI_REEL":
        return f"{len(value.clips)} clips, {value.total_frames} frames"
    return "a file" if kind == "VIDEO" else ""


def told(use: Use, inputs: dict[str, Any]) -> str:
    """What a node makes of inputs, in a line: + and its outputs with the notes of its info, or - and the error."""
    cls = NODE_CLASS_MAPPINGS[use.node_id]
    before = digest(inputs)
    try:
        outputs = use.run(**inputs)
    except SVIError as error:
        said = str(error)
        assert said
        assert len(said) < 600
        assert re.search(r"[:;]|must|connect", said), "no way out is named"
        for word in ("None", "Traceback", "tensor(", "NoneType"):
            assert word not in said
        line = f"- {said}"
    else:
        assert len(outputs) == len(cls.RETURN_TYPES)
        parts, notes = [], []
        for name, kind, value in zip(cls.RETURN_NAMES, map(kind_of, cls.RETURN_TYPES), outputs, strict=True):
            shown = seen(kind, value)
            if shown:
                parts.append(f"{name} {shown}")
            if kind == "STRING" and name == "info":
                notes += [row for row in value.splitlines() if row.startswith("- ") and row not in STALE]
        line = "+ " + "; ".join(parts) + "".join(f" ({note[2:]})" for note in notes)
    assert digest(inputs) == before
    # What was quoted, figures that differ between machines, and names that differ with how many uses came before.
    line = re.sub(r"(?<!\w)'[^']*'|\"[^\"]*\"", "'...'", " ".join(line.split()))
    line = re.sub(r"\bpairs \d+", "pairs", line)
    return re.sub(r"\d+\.\d+|(?<=about )\d+", "N", line)


def listed(sources: list[tuple[str, str]]) -> str:
    """Outputs in words: info of SVI Embeds and SVI Stitch; file of SVI Save Embeds."""
    nodes: dict[str, list[str]] = {}
    for name, title in sources:
        nodes.setdefault(name, []).append(title)
    return "; ".join(f"{name} of {', '.join(titles)}" for name, titles in nodes.items())


def table(every: list[Use]) -> str:
    sources: dict[str, list[tuple[tuple[str, str], Any]]] = {}
    known: set[str] = set()
    for use in every:
        cls = NODE_CLASS_MAPPINGS[use.node_id]
        for name, kind, value in zip(cls.RETURN_NAMES, map(kind_of, cls.RETURN_TYPES), use.run(), strict=True):
            # Of a further use of a node only embeds are of another kind.
            if value is not None and (use.node_id not in known or kind == "WANVIDIMAGE_EMBEDS"):
                sources.setdefault(kind, []).append(((name, use.title), value))
        known.add(use.node_id)
    made = []
    for use in every:
        cls = NODE_CLASS_MAPPINGS[use.node_id]
        for entries in visible_inputs(cls).values():
            for name, (kind, *_) in entries.items():
                if kind_of(kind) not in sources or (use.replaced is not None and name not in use.replaced):
                    continue
                if name in ALIKE:
                    continue
                if kind_of(kind) == "COMBO" and name not in ("scheduler", "file"):
                    continue
                rows: dict[str, list[tuple[str, str]]] = {}
                first: dict[str, str] = {}  # of the errors that differ by a number alone
                given = sources["STRING"] if name == "file" else sources[kind_of(kind)]
                for source, value in given:
                    row = told(use, {name: value})
                    if row.startswith("-"):
                        row = first.setdefault(re.sub(r"\b\d+\b", "N", row), row)
                    rows.setdefault(row, []).append(source)
                page = [f"{use.title} <- {name} ({kind_of(kind)})"]
                for row in sorted(rows):
                    page += textwrap.wrap(row, 118, initial_indent="  ", subsequent_indent="    ")
                    page += textwrap.wrap(listed(rows[row]), 118, initial_indent=" " * 8, subsequent_indent=" " * 8)
                made.append("\n".join(page))
    return "\n\n".join(made) + "\n"


def pages(text: str) -> dict[str, str]:
    """Of a table, by heading."""
    return dict(page.partition("\n")[::2] for page in text.strip().split("\n\n"))


def test_every_node_on_what_every_other_one_gives(every_use: list[Use]) -> None:
    lacks = set(NODE_CLASS_MAPPINGS) - {use.node_id for use in every_use}
    assert not lacks, (
        f"add a Use of {', '.join(sorted(lacks))} to `uses` in tests/nodes/test_node_pairs.py; then UPDATE_SNAPSHOTS=1 "
        "records what it makes of the others' outputs"
    )
    made = table(every_use)
    if recording():
        TABLE.write_text(made, encoding="utf-8")
    recorded = TABLE.read_text(encoding="utf-8")
    assert made == recorded, not_as_recorded(TABLE, differing(pages(made), pages(recorded)))
