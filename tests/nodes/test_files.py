"""Embeds in files: the nodes that save and load them, and the command that looks into one."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import TraceVAE, digest, frames, pixel_clip
from PIL import Image
from safetensors.torch import save_file
from wanvideo_svi import NODE_CLASS_MAPPINGS
from wanvideo_svi.svi_embeds.clips.embeds_file import save_embeds
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.wrapper_ext.cli.inspect import PLAIN_SIGNS, strip
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files

Save, Load = NODE_CLASS_MAPPINGS["WanVideoSVISaveEmbeds"], NODE_CLASS_MAPPINGS["WanVideoSVILoadEmbeds"]


def embeds(mode: str = "film", **inputs: Any) -> Any:
    defaults = {"width": 64, "height": 64, "num_frames": 17, "start_image": frames(17), "ref_image": frames(seed=1)}
    return pixel_clip(TraceVAE(), mode=mode, **{**defaults, **inputs}).embeds


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's folders, with its counting of saved files (folder_paths of ComfyUI 0.3.64, what is used of it)."""
    fake: Any = types.ModuleType("folder_paths")
    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
        setattr(fake, f"get_{name}_directory", lambda name=name: str(tmp_path / name))

    def get_save_image_path(prefix: str, base: str) -> tuple[str, str, int, str, str]:
        subfolder, _, name = prefix.rpartition("/")
        folder = Path(base) / subfolder
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder), name, len(list(folder.glob(f"{name}_*"))) + 1, subfolder, prefix

    fake.get_save_image_path = get_save_image_path
    monkeypatch.setitem(sys.modules, "folder_paths", fake)
    return tmp_path


@pytest.mark.usefixtures("folders")
def test_saved_embeds_load_by_the_name_that_save_gives() -> None:
    made = embeds("shot")
    for number in (1, 2):
        answer = Save().save(made, "svi_embeds/clip", strict=True)
        through, name, info = answer["result"]
        assert through is made
        assert name == f"svi_embeds/clip_0000{number}_.safetensors [output]"
        assert info.startswith(f"saved to {name}\nshot: 17 frames")
        assert answer["ui"] == {"text": [info]}
    assert name in Load.INPUT_TYPES()["required"]["file"][0]
    assert Load.VALIDATE_INPUTS(name) is True
    loaded, known, concat, info = Load().load(name)["result"]
    assert digest(loaded) == digest(made)
    assert known[:, 0, 0].tolist() == [1.0] + [0.0] * 16
    assert torch.equal(known + concat, torch.ones(17, 8, 8))
    assert info.splitlines()[0] == name


@pytest.mark.usefixtures("folders")
def test_what_was_left_out_is_said_on_saving_and_on_loading() -> None:
    made = embeds(control_embeds={"control_embeds": {"model": object()}})
    with pytest.raises(SVIError, match="turn strict off"):
        Save().save(made, "clip", strict=True)
    _, name, info = Save().save(made, "clip", strict=False)["result"]
    assert "- left out: image_embeds/control_embeds/model is of type object" in info
    assert "- left out when it was saved: image_embeds/control_embeds/model" in Load().load(name)["result"][3]


def test_embeds_are_listed_from_input_and_output_but_not_temp(folders: Path) -> None:
    for where in ("input/a/x.safetensors", "output/y.safetensors", "temp/z.safetensors", "output/.y.tmp.safetensors"):
        (folders / where).parent.mkdir(exist_ok=True)
        save_embeds(embeds(), folders / where)
    assert host_files.list_files() == ["a/x.safetensors [input]", "y.safetensors [output]"]
    assert host_files.find_file("a/x.safetensors") == (folders / "input/a/x.safetensors").resolve()


def test_a_file_written_anew_counts_as_changed(folders: Path) -> None:
    save_embeds(embeds(), folders / "input" / "x.safetensors")
    before = Load.IS_CHANGED("x.safetensors")
    assert Load.IS_CHANGED("x.safetensors") == before
    save_embeds(embeds("shot", num_frames=21), folders / "input" / "x.safetensors")
    assert Load.IS_CHANGED("x.safetensors") != before
    assert Load.IS_CHANGED("absent.safetensors") == ""


@pytest.mark.usefixtures("folders")
def test_a_text_instead_of_a_name_is_refused_in_a_sentence() -> None:
    """As when info is linked in place of file."""
    text = "shot: 17 frames at 64x64\nknown_mask: 1 white"
    with pytest.raises(SVIError, match="filename_prefix must be a name in one line, got 'shot: 17 frames"):
        Save().save(embeds(), text, strict=True)
    with pytest.raises(SVIError, match="is not a file name: connect file of SVI Save Embeds, or choose a file"):
        Load().load(text)
    for long in ("x" * 231, f"folder/{'é' * 116}"):
        with pytest.raises(SVIError, match="filename_prefix must end with a name of 230 bytes or less"):
            Save().save(embeds(), long, strict=True)
    assert Save().save(embeds(), "x" * 230, strict=True)
    with pytest.raises(SVIError, match=r"is not a file name \(.+\): choose a file$"):
        Load().load("x" * 5000)


def test_no_path_leads_out_of_comfyuis_folders(folders: Path) -> None:
    save_embeds(embeds(), folders / "secret.safetensors")
    (folders / "input" / "link.safetensors").symlink_to(folders / "secret.safetensors")
    for name in ("../secret.safetensors", "../secret.safetensors [output]", str(folders / "secret.safetensors"),
                 "link.safetensors"):  # fmt: skip
        assert "leads out of ComfyUI's" in Load.VALIDATE_INPUTS(name)
        with pytest.raises(SVIError, match="leads out of ComfyUI's"):
            Load().load(name)
    for prefix in ("../x", "a/../../x", str(folders / "x")):
        with pytest.raises(SVIError, match="must stay inside ComfyUI's output folder"):
            Save().save(embeds(), prefix, strict=True)
    for prefix in ("", " ", "folder/", ".", "a/..", ".hidden", " lead", "a\\"):
        with pytest.raises(SVIError, match="filename_prefix must end with a name"):
            Save().save(embeds(), prefix, strict=True)
    assert host_files.list_files() == [], "what leads outside is not offered"
    (folders / "input" / "folder.safetensors").mkdir()
    assert host_files.list_files() == []
    assert "is not there any more" in Load.VALIDATE_INPUTS("absent.safetensors")
    for name in ("x\0.safetensors", "x" * 5000):
        assert "is not a file name" in Load.VALIDATE_INPUTS(name)
        with pytest.raises(SVIError, match=r"cannot be used|in one line"):
            Save().save(embeds(), f"{name}/y", strict=True)
    assert not list((folders / "output").iterdir())


@pytest.mark.usefixtures("folders")
def test_a_linked_file_is_let_through_and_anything_but_text_refused() -> None:
    assert Load.VALIDATE_INPUTS(None, {"file": "STRING"}) is True
    assert "file must be the name of a file, got int" in Load.VALIDATE_INPUTS(5)  # type: ignore[arg-type]


def test_outside_comfyui_the_library_is_named_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy, "module", lambda _: None)
    with pytest.raises(SVIError, match="outside ComfyUI: call save_embeds"):
        Save().save(embeds(), "x", strict=True)
    with pytest.raises(SVIError, match="outside ComfyUI: call load_embeds"):
        Load().load("x")
    assert host_files.list_files() == []


def test_inspect_tells_what_a_file_holds_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "clip.safetensors"
    save_embeds(embeds(num_frames=81, start_image=frames(81), end_image=frames(seed=3)), path)
    assert main(["inspect", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("clip.safetensors: film: 81 frames, 16 x 21 x 8 x 8 latents, known_mask 6 white + 75 black")
    assert "overlap_frames 5, end_frames 1, known_frames overlap, padding grey" in shown
    assert f"     0 █████{'·' * 55}\n    60 {'·' * 20}█\n" in shown
    assert f"packed mask, four digits per latent: 1111 1111 {'0000 ' * 18}0001" in shown
    assert "image_embeds: [16, 21, 8, 8] float32, 0.08 MiB" in shown
    assert "clip_context: None" in shown
    with Image.open(tmp_path / "clip_sheet.png") as sheet:
        assert sheet.width >= 900
    assert main(["inspect", str(path), "--sheet", str(tmp_path / "other.png")]) == 0
    assert (tmp_path / "other.png").read_bytes() == (tmp_path / "clip_sheet.png").read_bytes()


def test_inspect_reads_embeds_of_the_hosts_own_node(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    made = {key: value for key, value in embeds().items() if key != "svi"}
    made["control_embeds"] = {"control_images": torch.zeros(16, 5, 8, 8, dtype=torch.bfloat16), "start_percent": 0.0}
    made["mask"] = made["mask"].clone()
    made["mask"][0, 3, :4] = 1
    save_embeds(made, tmp_path / "clip.safetensors")
    assert main(["inspect", str(tmp_path / "clip.safetensors")]) == 0
    shown = capsys.readouterr().out
    assert "not made by this pack" in shown
    assert f"     0 █████{'·' * 4}▒{'·' * 7}" in shown
    assert "1111 1111 0000 +000 0000" in shown
    assert "control_embeds/control_images: [16, 5, 8, 8] bfloat16" in shown
    assert "control_embeds/start_percent: 0.0" in shown


def test_a_terminal_without_blocks_gets_plain_signs() -> None:
    assert strip([1, 0.5, 0], PLAIN_SIGNS) == ["     0 #+."]


def test_inspect_refuses_other_files_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save_file({"weight": torch.zeros(2)}, tmp_path / "model.safetensors")
    save_embeds(embeds(), tmp_path / "cut.safetensors")
    whole = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    for name, message in (
        ("model.safetensors", "holds no image_embeds of this pack"),
        ("cut.safetensors", "cannot be read as .safetensors, or only in part"),
        ("absent.safetensors", "cannot be read"),
    ):
        assert main(["inspect", str(tmp_path / name)]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert message in shown.err
    save_embeds(embeds(), tmp_path / "clip.safetensors")
    assert main(["inspect", str(tmp_path / "clip.safetensors"), "--sheet", str(tmp_path / "no" / "x.png")]) == 2
    shown = capsys.readouterr()
    assert "x.png cannot be written" in shown.err
    assert "packed mask" in shown.out, "the description comes first"
