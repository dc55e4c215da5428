"""The image_embeds dict: checks, description, save and load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TraceVAE, digest, frames, latent_clip, pixel_clip
from safetensors import safe_open
from safetensors.torch import save_file
from wanvideo_svi.svi_embeds.clips.embeds import check_embeds, describe_embeds
from wanvideo_svi.svi_embeds.clips.embeds_file import load_embeds, load_embeds_and_gaps, save_embeds
from wanvideo_svi.svi_embeds.clips.made import encoded_from
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.recipes import MODES
from wanvideo_svi.svi_embeds.version import VERSION


def embeds(mode: str = "film", **inputs: Any) -> Any:
    defaults = {"width": 64, "height": 64, "num_frames": 17, "start_image": frames(17), "ref_image": frames(seed=1)}
    return pixel_clip(TraceVAE(dtype=torch.bfloat16), mode=mode, **{**defaults, **inputs}).embeds


@pytest.mark.parametrize("mode", MODES)
def test_saved_embeds_come_back_equal_to_the_bit(mode: str, tmp_path: Path) -> None:
    made = embeds(mode, end_image=frames(seed=2), clip_embeds={"clip_embeds": torch.randn(1, 3, 4)})
    save_embeds(made, tmp_path / "clip.safetensors")
    loaded = load_embeds(tmp_path / "clip.safetensors")
    assert digest(loaded) == digest(made)
    assert list(loaded) == list(made)


def test_nested_values_keep_their_kind(tmp_path: Path) -> None:
    control = {"images": torch.randn(2), "range": (0.0, 1.0), "names": ["a", None, True, 3]}
    made = embeds(control_embeds={"control_embeds": control})
    save_embeds(made, tmp_path / "clip.safetensors")
    loaded = load_embeds(tmp_path / "clip.safetensors")["control_embeds"]
    assert digest(loaded) == digest(control)
    assert isinstance(loaded["range"], tuple)


def test_keys_that_look_like_paths_do_not_mix_up_tensors(tmp_path: Path) -> None:
    control = {"a/b": torch.ones(2), "a": {"b": torch.zeros(2)}}
    made = embeds(control_embeds={"control_embeds": control})
    save_embeds(made, tmp_path / "clip.safetensors")
    assert digest(load_embeds(tmp_path / "clip.safetensors")["control_embeds"]) == digest(control)


def test_what_cannot_be_saved_is_left_out_only_when_asked_and_named(tmp_path: Path) -> None:
    control = {"model": object(), "weights": [torch.ones(1000), object()], "start_percent": 0.5}
    made = embeds(control_embeds={"control_embeds": control})
    path = tmp_path / "clip.safetensors"
    left_out = save_embeds(made, path, strict=False)
    assert [item.split(" ")[0] for item in left_out] == [
        "image_embeds/control_embeds/model", "image_embeds/control_embeds/weights,",
    ]  # fmt: skip
    loaded, gaps = load_embeds_and_gaps(path)
    assert loaded["control_embeds"] == {"start_percent": 0.5}
    assert gaps == left_out
    assert digest({**loaded, "control_embeds": None}) == digest({**made, "control_embeds": None})
    with safe_open(path, framework="pt") as file:
        assert not [name for name in file.keys() if "weights" in name], "no tensor is kept for nothing"  # noqa: SIM118


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.safetensors"
    save_embeds(embeds(), path)
    before = path.read_bytes()

    def fail(beside: Path, data: bytes) -> None:
        with beside.open("wb") as file:
            file.write(data[:99])
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(SVIError, match="cannot be written: no space left"):
        save_embeds(embeds("shot"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "tensor", [torch.zeros(2, dtype=torch.complex128), torch.zeros(2, device="meta"), torch.zeros(2, 2).to_sparse()]
)
def test_tensors_that_a_file_cannot_hold_are_named_or_left_out(tensor: torch.Tensor, tmp_path: Path) -> None:
    made = embeds(control_embeds={"control_embeds": {"odd": tensor}})
    with pytest.raises(SVIError, match="control_embeds/odd is a tensor of a kind"):
        save_embeds(made, tmp_path / "clip.safetensors")
    (left_out,) = save_embeds(made, tmp_path / "clip.safetensors", strict=False)
    assert left_out.startswith("image_embeds/control_embeds/odd is a tensor")


def test_a_name_that_is_as_long_as_it_may_be_is_saved_and_a_longer_one_refused(tmp_path: Path) -> None:
    save_embeds(embeds(), tmp_path / f"{'x' * 240}.safetensors")
    for path in (tmp_path / f"{'x' * 300}.safetensors", tmp_path / "file" / "clip.safetensors", Path()):
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(SVIError, match=r"cannot be written|is not a file name"):
            save_embeds(embeds(), path)


def test_embeds_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    control: dict[str, Any] = {}
    control["self"] = control
    with pytest.raises(SVIError, match="hold themselves"):
        save_embeds(embeds(control_embeds={"control_embeds": control}), tmp_path / "clip.safetensors")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match=r"absent/clip\.safetensors cannot be written"):
        save_embeds(embeds(), tmp_path / "absent" / "clip.safetensors")


def test_what_cannot_be_saved_is_named(tmp_path: Path) -> None:
    made = embeds(control_embeds={"control_embeds": {"model": object()}})
    with pytest.raises(SVIError, match=r"image_embeds/control_embeds/model is of type object, only .*: turn strict"):
        save_embeds(made, tmp_path / "clip.safetensors")
    made = embeds(control_embeds={"control_embeds": {1: "x"}})
    with pytest.raises(SVIError, match="image_embeds/control_embeds has keys that are no strings"):
        save_embeds(made, tmp_path / "clip.safetensors")


@pytest.mark.parametrize("content", [b"", b"not a safetensors file", b"\xff" * 100])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(SVIError, match=r"cannot be read as \.safetensors"):
        load_embeds(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_embeds(embeds(), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SVIError, match=r"cannot be read as \.safetensors"):
        load_embeds(path)


@pytest.mark.parametrize(
    "tree", ["{", "[]", '{"tensor": "absent"}', '{"dict": 3}', '{"other": 1}', "null", '{"dict": {}, "list": []}']
)
def test_a_file_whose_description_is_damaged_is_refused(tree: str, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"t": torch.zeros(1)}, path, metadata={"wanvideo_svi": tree})
    with pytest.raises(SVIError, match=r"x\.safetensors is damaged"):
        load_embeds(path)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SVIError, match="cannot be read"):
        load_embeds(tmp_path / "absent.safetensors")
    foreign = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign)
    with pytest.raises(SVIError, match="holds no image_embeds of this pack: choose a file that SVI Save Embeds"):
        load_embeds(foreign)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"t": torch.zeros(1)}, path, metadata={"wanvideo_svi": json.dumps({"value": 3})})
    with pytest.raises(SVIError, match="must be a dict"):
        load_embeds(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": None}, "lacks mask: the sampler needs"),
        ({"num_frames": 21}, r"image_embeds are \[16, 5, 8, 8\], expected \[C, 6, 8, 8\] for 21 frames"),
        ({"mask": torch.ones(4, 4, 8, 8)}, r"mask is \[4, 4, 8, 8\], expected \[4, 5, 8, 8\]"),
        ({"num_frames": "17"}, "num_frames of image_embeds must be a whole number, got '17'"),
        ({"num_frames": 20}, r"num_frames must be 4k\+1"),
        ({"mask": torch.full((4, 5, 8, 8), float("nan"))}, "mask of image_embeds must hold finite floats"),
        ({"image_embeds": torch.ones(0, 5, 8, 8)}, "image_embeds of image_embeds must hold finite floats"),
        ({"lat_h": True}, "lat_h of image_embeds must be a whole number, got True"),
        ({"mask": [1]}, "mask of image_embeds must be a tensor, got list"),
        ({"image_embeds": torch.ones(1, 16, 5, 8, 8)}, r"image_embeds are \[1, 16, 5, 8, 8\]"),
    ],
)
def test_embeds_that_the_sampler_would_get_wrong_are_refused(change: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        check_embeds({**embeds(), **change})


def test_only_a_dict_is_embeds() -> None:
    with pytest.raises(SVIError, match=r"must be a dict .* got list"):
        check_embeds([])


def test_embeds_are_described_in_one_line() -> None:
    made = embeds()
    assert describe_embeds(made) == (
        "film: 17 frames, 16 x 5 x 8 x 8 latents, known_mask 5 white + 12 black (kept: 0-4), overlap 5"
    )
    assert made["svi"]["version"] == VERSION
    foreign = {key: value for key, value in made.items() if key != "svi"}
    assert describe_embeds(foreign) == (
        "17 frames, 16 x 5 x 8 x 8 latents, known_mask 5 white + 12 black (kept: 0-4), not made by this pack"
    )


def test_a_record_of_another_kind_is_refused_not_crashed_on() -> None:
    for record in (3, {}, {"mode": "film"}, {**embeds()["svi"], "overlap_frames": "5"}):
        with pytest.raises(SVIError, match="svi of image_embeds is not this pack's record"):
            describe_embeds({**embeds(), "svi": record})


def test_masks_are_read_back_from_any_embeds() -> None:
    made = embeds("shot", end_image=frames(seed=2), fun_or_fl2v_model=False)
    opened = encoded_from({key: value for key, value in made.items() if key != "svi"})
    assert opened.known_mask[:, 0, 0].tolist() == [1.0] + [0.0] * 16 + [1.0]
    assert opened.known_mask.dtype == torch.float32
    assert torch.equal(opened.known_mask + opened.concat_mask, torch.ones(18, 8, 8))
    assert opened.tiles[0].first == 0
    assert opened.tiles[-1].first == opened.tiles[-1].last == 17
    assert repr(opened) == "EncodedClip(image_embeds, 17 frames, latents [16, 6, 8, 8])"
    assert opened.sheet().width >= 900


def test_pro_embeds_come_back_equal_to_the_bit(tmp_path: Path) -> None:
    latents = {"samples": torch.randn(1, 16, 1, 8, 8)}
    made = latent_clip(anchor_samples=latents, end_samples=latents, fun_or_fl2v_model=False, num_frames=17).embeds
    save_embeds(made, tmp_path / "clip.safetensors")
    loaded = load_embeds(tmp_path / "clip.safetensors")
    assert digest(loaded) == digest(made)
    assert list(loaded) == list(made)
