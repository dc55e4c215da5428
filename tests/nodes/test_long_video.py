"""The long video and reel nodes as ComfyUI calls them, on a host that stands in for the real one."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from fake_host import FakeHost, sampler
from guided import dance, humo, numbered, voice
from helpers import TraceVAE, frames
from long_video_node import PROMPT, TALK, Frames, LongVideo, Open, Video, run, talking
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.video import read_video
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.wrapper_ext.host import comfy
from wanvideo_svi.wrapper_ext.host import files as host_files
from wanvideo_svi.wrapper_ext.render import long_video


def test_programs_are_told_what_a_run_was(fake: FakeHost) -> None:  # noqa: ARG001
    """`wanvideo-svi render` reads it, and no words."""
    made = run("[takes=3 pick=stop]\na\n---\nb")["ui"]["svi_run"][0]
    assert made["made"] == 3
    assert "waits for you to choose" in made["waits"]
    assert run("[takes=3 pick=2]\na\n---\nb")["ui"]["svi_run"] == [{"made": 1, "waits": ""}]


def test_what_comes_out(fake: FakeHost, tmp_path: Path) -> None:
    made = run()
    reel, last, video, info = made["result"]
    assert reel.total_frames == 29
    assert last.shape == (5, 64, 64, 3)
    assert video.parent == tmp_path / "svi_reels" / "test"
    assert made["ui"]["images"] == [{"filename": video.name, "subfolder": "svi_reels/test", "type": "output"}]
    assert made["ui"]["svi_run"] == [{"made": 2, "waits": ""}]
    assert len(list(read_video(video, 0, 29))) == 29
    assert info.splitlines()[0] == "2 clips, 29 frames, 1.8 s at 16 fps; 0 kept, 2 made (clip 1, 2)"
    assert "clip 1 is a plain i2v clip" in info
    assert fake.texts[0] == "clip 1 of 2: sampling"
    written = video.stat().st_mtime_ns
    again = run()
    assert "2 kept, 0 made" in again["result"][3]
    assert again["result"][2].stat().st_mtime_ns == written  # not joined again either


def test_a_new_rate_joins_again_and_samples_nothing(fake: FakeHost) -> None:
    first = run()["result"][2]
    calls = len(fake.calls)
    made = run(fps=24.0)
    assert len(fake.calls) == calls
    assert made["result"][2] != first
    assert made["result"][0].fps == 24
    assert open_reel(made["result"][0].folder).fps == 24


def test_a_change_of_the_models_is_seen_in_the_graph(fake: FakeHost) -> None:
    run()
    other = {**PROMPT, "1": {"class_type": "WanVideoModelLoader", "inputs": {"model": "other.safetensors"}}}
    assert "0 kept" in run(prompt=other)["result"][3]
    seed = {**PROMPT, "2": {**PROMPT["2"], "inputs": {**PROMPT["2"]["inputs"], "seed": 2}}}
    assert "2 kept" in run(prompt=seed)["result"][3]
    blind = run(prompt=None)["result"][3]
    assert "where the models come from cannot be seen" in blind
    assert "0 kept" in blind  # nobody knows whether the clips are those of these models
    assert fake.count("WanVideoSamplerFromSettings") == 6


@pytest.mark.usefixtures("fake")
def test_comfyui_runs_it_again_only_when_the_reel_has_changed() -> None:
    first = LongVideo.IS_CHANGED(reel="test", story="a")
    made = run()
    reel = made["result"][0]
    assert LongVideo.IS_CHANGED(reel="test") == first
    path = reel.folder / reel.clips[0].video.name
    data = path.read_bytes()
    path.unlink()
    second = LongVideo.IS_CHANGED(reel="test")
    assert second != first
    path.write_bytes(data[:-1])
    assert LongVideo.IS_CHANGED(reel="test") == second
    assert "1 kept, 1 made (clip 1)" in run()["result"][3]
    assert LongVideo.IS_CHANGED(reel="test") == second  # and so it is not run once more for nothing
    video = run()["result"][2]
    video.unlink()
    third = LongVideo.IS_CHANGED(reel="test")
    assert third not in (first, second)
    assert run()["result"][2].exists()
    assert LongVideo.IS_CHANGED(reel="test") == third
    for clip in reel.clips[1:]:  # times alone, as after a copy
        (reel.folder / clip.video.name).touch()
    touched = LongVideo.IS_CHANGED(reel="test")
    run()
    (reel.folder / reel.clips[1].video.name).unlink()
    assert LongVideo.IS_CHANGED(reel="test") != touched
    (reel.folder / "manifest.json").unlink()
    assert LongVideo.IS_CHANGED(reel="test") not in (first, second, third, touched)
    assert LongVideo.IS_CHANGED(reel="a/b") == ""
    assert LongVideo.IS_CHANGED() == ""


@pytest.mark.usefixtures("fake")
def test_bad_input_is_answered_before_anything_runs() -> None:
    assert LongVideo.VALIDATE_INPUTS(story="a") is True
    assert LongVideo.VALIDATE_INPUTS() is True
    assert "line 1, column 2" in LongVideo.VALIDATE_INPUTS(story="[frames=50]")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"sampler_inputs": None}, "sampler_inputs must come from WanVideo Sampler Settings"),
        ({"low_noise_model": "low", "low_noise_sampler_inputs": sampler()}, "not both"),
        ({"start_image": None}, "there is nothing to begin with: connect start_image"),
        ({"start_image": frames(1) * 2}, "pixels in 0..1"),
        ({"ref_image": frames(2)}, "ref_image must be one image, got a batch of 2"),
        ({"reel": "a/b"}, "reel must be a name"),
        ({"story": "[end=0]\na"}, "end_images is not connected"),
        ({"t5": None}, "exactly one of t5, clip and text_embeds"),
        ({"vae": object()}, "vae must be the wrapper's WANVAE, got object"),
        ({"vae": TraceVAE(upsampling_factor=16)}, "mode film is for .* whose latents have 16 channels"),
    ],
)
def test_what_does_not_fit_is_refused(fake: FakeHost, tmp_path: Path, inputs: dict, message: str) -> None:
    with pytest.raises(SVIError, match=message):
        run(**inputs)
    assert fake.calls == []
    assert not (tmp_path / "svi_reels").exists()


def test_text_may_come_with_the_sampler_settings(fake: FakeHost) -> None:
    own = sampler(text_embeds={"prompt": "encoded before"})
    run("[repeat=2]\na", sampler_inputs=own, t5=None)
    assert fake.count("WanVideoTextEncode") == 0
    assert "text_embeds of sampler_inputs are not used" in run(sampler_inputs=own, reel="other")["result"][3]
    assert fake.count("WanVideoTextEncode") == 2


@pytest.mark.parametrize(
    ("inputs", "note"),
    [
        ({"end_images": frames(1)}, "end_images are not used"),
        ({"color_match": "mean_std", "color_match_strength": 0.0}, "color_match holds no clip here"),
        ({"story": "[model=main]\na", "first_clip_model": "plain"}, "first_clip_model is not used"),
        ({"mode": "svi2_pro", "ref_image": frames(1, seed=3)}, "start_image is not used: svi2_pro begins from"),
        ({"story": "a\n---\n[cfg=3]\nb", "low_noise_sampler_inputs": sampler(cfg=4.0), "split_step": 4},
         "cfg of the story is that of both stages in clip 2"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("fake")
def test_what_is_connected_for_nothing_is_said(inputs: dict, note: str) -> None:
    assert note in run(**inputs)["result"][3]
    assert note not in run(reel="other")["result"][3]


def test_a_linked_reels_folder_works(fake: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "large disk").mkdir()
    (tmp_path / "svi_reels").symlink_to(tmp_path / "large disk")
    made = run()
    assert made["ui"]["images"][0]["subfolder"] == "svi_reels/test"
    assert (tmp_path / "large disk" / "test" / "manifest.json").exists()
    assert fake.calls


def test_a_low_noise_model_has_the_settings_of_the_high_one(fake: FakeHost) -> None:
    run(low_noise_model="low", split_step=3, mode="svi2_wan22", sampler_inputs=sampler("high", cfg=2.5))
    found = [inputs["sampler_inputs"] for name, inputs in fake.calls if name == "WanVideoSamplerFromSettings"]
    assert [s["model"] for s in found] == ["high", "low"] * 2
    assert {s["cfg"] for s in found} == {2.5}


@pytest.mark.usefixtures("fake")
def test_a_reel_is_opened_read_and_joined(tmp_path: Path) -> None:
    run()
    assert Open.INPUT_TYPES()["required"]["name"][0] == ["test"]
    assert Open.VALIDATE_INPUTS(name="test") is True
    assert "there is no reel none" in Open.VALIDATE_INPUTS(name="none")
    reel, last, info = Open().open("test", 0)
    assert torch.equal(last, reel.tail(reel.clips[1])[0])
    assert info.splitlines()[0] == "test: 2 clips, 29 frames, 1.8 s at 16 fps"
    assert Open().open("test", 1)[0].total_frames == 17
    with pytest.raises(SVIError, match="has 2 clips, 3 were asked for"):
        Open().open("test", 3)
    every = np.stack(list(reel.frames()))
    for start, count, span in (
        (0, 0, slice(0, 29)),
        (-5, 0, slice(24, 29)),
        (-5, 2, slice(24, 26)),
        (16, 3, slice(16, 19)),
    ):
        images, said = Frames().read(reel, start, count)
        assert (images.mul(255).round().byte().numpy() == every[span]).all()
        assert said == f"frames {span.start}..{span.stop - 1} of 29 of reel test"
    for start, count in ((29, 1), (0, 30), (-30, 0)):
        with pytest.raises(SVIError, match=r"has frames 0\.\.28"):
            Frames().read(reel, start, count)
    with pytest.raises(SVIError, match="reel must come from SVI Long Video"):
        Frames().read("test", 0, 1)
    made = Video().join(reel, "ffv1", 85, 0.0)
    path = tmp_path / "svi_reels" / "test" / made["ui"]["images"][0]["filename"]
    assert (np.stack(list(read_video(path, 0, 29))) == every).all()
    assert made["result"][1].startswith(f"{path.name}: 29 frames, 1.8 s at 16 fps, ffv1, ")
    assert "it was there already" in Video().join(reel, "ffv1", 85, 0.0)["result"][1]
    assert Open.IS_CHANGED("test") == Open.IS_CHANGED("test", clips=3) != ""
    (reel.folder / reel.clips[0].tail.name).unlink()
    assert Open.IS_CHANGED("test") != ""


# How the host's nodes are called


def comfyui(monkeypatch: pytest.MonkeyPatch, **nodes: type) -> None:
    table = types.SimpleNamespace(NODE_CLASS_MAPPINGS=nodes)
    monkeypatch.setattr(comfy, "module", lambda module: table if module == "nodes" else types.SimpleNamespace())


class V1:
    FUNCTION = "go"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        required = {"a": ("INT", {"default": 3}), "b": ("MODEL",)}
        return {"required": required, "optional": {"c": ("INT", {"default": 9})}}

    def go(self, **inputs: Any) -> tuple[Any]:
        return (inputs,)


class V3(V1):
    def go(self, **inputs: Any) -> Any:
        return types.SimpleNamespace(result=(inputs,))


class WithUI(V1):
    def go(self, **inputs: Any) -> Any:
        return {"ui": {}, "result": (inputs,)}


@pytest.mark.parametrize("node", [V1, V3, WithUI])
def test_a_host_node_gets_its_defaults_and_gives_its_outputs(monkeypatch: pytest.MonkeyPatch, node: type) -> None:
    comfyui(monkeypatch, Node=node)
    assert comfy.call("Node", b="model") == ({"a": 3, "b": "model"},)
    monkeypatch.setitem(comfy.RENAMED_INPUTS, "Node", {"old": "b", "a": "unknown"})
    assert comfy.call("Node", a=1, old="model") == ({"a": 1, "b": "model"},)
    assert comfy.call("Node", a=1, b="model", c=2) == ({"a": 1, "b": "model", "c": 2},)


def test_hidden_inputs_are_none_for_nodes_that_take_them_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Old:
        FUNCTION = "run"
        INPUT_TYPES = classmethod(lambda cls: {"required": {"a": ("INT", {})}, "hidden": {"unique_id": "UNIQUE_ID"}})  # noqa: ARG005

        def run(self, a: int, unique_id: str | None) -> tuple[Any, ...]:
            return (a, unique_id)

    class New(Old):  # as ComfyUI wraps nodes of its newer schema
        FUNCTION = "execute"

        def execute(self, *args: Any, **inputs: Any) -> tuple[Any, ...]:
            return (args, inputs)

    monkeypatch.setattr(comfy, "node_class", {"Old": Old, "New": New}.get)
    assert comfy.call("Old", a=1) == (1, None)
    assert comfy.call("New", a=1) == ((), {"a": 1})


def test_a_node_that_a_host_calls_otherwise_is_found_by_its_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    comfyui(monkeypatch, Theirs=V1)
    assert comfy.node_class("Node") is None
    monkeypatch.setitem(comfy.RENAMED_NODES, "Node", ("Elsewhere", "Theirs"))
    monkeypatch.setitem(comfy.RENAMED_INPUTS, "Node", {"old": "b"})
    assert comfy.node_class("Node") is V1
    assert comfy.call("Node", old="model") == ({"a": 3, "b": "model"},)
    comfyui(monkeypatch, Theirs=V1, Node=WithUI)
    assert comfy.node_class("Node") is WithUI, "the node of this pack's name comes first"


def test_a_host_without_the_node_or_the_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    comfyui(monkeypatch, Node=V1)
    with pytest.raises(SVIError, match="this ComfyUI has no node Other"):
        comfy.call("Other")
    with pytest.raises(SVIError, match="this Node has no input d: update ComfyUI-WanVideoWrapper"):
        comfy.call("Node", d=1)


def test_the_state_of_a_model_file_is_its_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "lora.safetensors"
    both: dict[str, Path] = {"loras": tmp_path / "none", "vae": tmp_path}
    paths = types.SimpleNamespace(
        folder_names_and_paths=both,
        get_full_path=lambda kind, name: str(both[kind] / name) if (both[kind] / name).exists() else None,
        **{f"get_{kind}_directory": lambda: str(tmp_path) for kind in ("input", "output", "temp")},
    )
    monkeypatch.setattr(comfy, "module", lambda module: paths if module == "folder_paths" else None)
    path.write_bytes(b"a" * 3_000_000)
    before = host_files.file_print("lora.safetensors")
    path.touch()
    assert host_files.file_print("lora.safetensors") == before
    path.write_bytes(b"a" * 1_500_000 + b"b" * 1_500_000)
    after = host_files.file_print("lora.safetensors")
    assert after != before
    both["loras"] = tmp_path / "other"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "lora.safetensors").write_bytes(b"c")
    assert host_files.file_print("lora.safetensors") not in (before, after)  # either may be the one that is loaded
    assert host_files.file_print("none.safetensors") == ""
    assert host_files.file_print("euler") == ""
    assert host_files.file_print("a prompt. of two sentences") == ""


def tone(seconds: float) -> dict[str, Any]:
    return {"waveform": torch.sin(torch.arange(round(seconds * 16000)) * 0.2)[None, None] * 0.5, "sample_rate": 16000}


def sounds(path: Path) -> float:
    """Seconds of audio in a file; 0 without."""
    with av.open(str(path)) as container:
        return (
            sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
            if container.streams.audio
            else 0
        )


def humming(**options: Any) -> dict[str, Any]:
    return {"mode": "shot", "fps": 25.0, "sampler_inputs": sampler(image_embeds=humo(40, **options))}


ENDING: dict[str, Any] = {"story": "[end=0]\na", "end_images": frames(1), "fun_or_fl2v_model": False}


def test_a_story_is_as_long_as_its_audio_and_carries_it(fake: FakeHost) -> None:  # noqa: ARG001
    made = run("[repeat=auto]\na", **talking(60), audio=tone(2.4))
    reel, _, video, info = made["result"]
    assert len(reel.clips) == 4
    assert reel.total_frames == 65
    assert sum(1 for _ in read_video(video)) == 60
    assert abs(sounds(video) - 2.4) < 1 / 25
    assert "4 clips, 60 frames, 2.4 s at 25 fps (the last 5 are not in the video)" in info
    again = run("[repeat=auto]\na", **talking(60))["result"][2]
    assert again != video  # without sound it is another file
    assert sounds(again) == 0


@pytest.mark.usefixtures("fake")
def test_the_reel_nodes_end_where_the_video_does() -> None:
    reel, last, video, _ = run("[repeat=auto]\na", **talking(60))["result"]
    every = np.stack(list(reel.frames()))
    assert len(every) == 65
    opened, exact, info = Open().open("test", 0)
    assert opened.shown_frames == 60
    assert "4 clips, 60 frames, 2.4 s at 25 fps (the last 5 are not in the video)" in info
    assert torch.equal(exact[-1:], last)  # of the last clip's end, not of the video's
    assert (last.mul(255).byte().numpy() == every[-1:]).all()
    images, said = Frames().read(opened, -1, 0)
    assert (images.mul(255).round().byte().numpy() == every[59:60]).all()
    assert said == "frames 59..59 of 60 of reel test (the last 5 are not in the video)"
    with pytest.raises(SVIError, match=r"has frames 0\.\.59"):
        Frames().read(opened, 0, 61)
    joined, said = Video().join(opened, "ffv1", 85, 0.0)["result"]
    assert (np.stack(list(read_video(joined))) == every[:60]).all()
    assert "60 frames, 2.4 s at 25 fps (the last 5 are not in the video), ffv1" in said
    state = Open.IS_CHANGED("test")
    longer = run("[repeat=auto]\na", **talking(62))["result"]  # the same four clips, but for the voice of the last
    assert longer[2] != video
    again, said = Video().join(longer[0], "ffv1", 85, 0.0)["result"]
    assert again != joined
    assert "it was there already" not in said
    assert Open.IS_CHANGED("test") != state
    whole = run("[repeat=4]\na", **talking(62))["result"]
    assert "4 kept" in whole[3]
    assert (whole[0].length, sum(1 for _ in read_video(whole[2]))) == (None, 65)
    assert Video().join(whole[0], "ffv1", 85, 0.0)["result"][0] != again


def test_poses_or_sound_alone_say_how_long_too(fake: FakeHost) -> None:  # noqa: ARG001
    made = run("[repeat=auto]\na", mode="dance", sampler_inputs=sampler(unianimate_poses=dance(40)), reel="d")
    assert len(made["result"][0].clips) == 3
    made = run("[repeat=auto]\na", mode="shot", audio=tone(2), reel="s")
    assert len(made["result"][0].clips) == 2
    assert "32 frames, 2.0 s at 16 fps" in made["result"][3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**talking(40), "story": "[repeat=5]\na"}, "has 5 clips, but the audio of 40 frames ends with clip 3"),
        ({**talking(40), "fps": 16.0}, "fps is 16, and multitalk_embeds do not say at which rate"),
        ({**talking(40), "audio": tone(12)}, "300 frames at 25 fps, but its features end after 40"),
        ({**talking(40), "fps": 16.0, "audio": tone(1.6)}, "26 frames at 16 fps, but its features have 40"),
        ({"sampler_inputs": sampler(image_embeds=humo(40))}, "the video has 16 fps, the audio features 25"),
        ({**talking(40, image_embeds=humo(40))}, "both multitalk_embeds and HuMo Embeds"),
        (
            {"sampler_inputs": sampler(unianimate_poses=dance(40, size=(64, 96)))},
            "the poses are 96x64, the clip is",
        ),
        ({"sampler_inputs": sampler(unianimate_poses=dance(20)), "story": "[repeat=3]\na"}, "poses of 20 frames end w"),
        # A clip whose own frames, the overlap left out, begin where the voice has ended.
        (
            {**talking(33), "story": "[repeat=3]\na"},
            r"audio of 33 frames ends with clip 2: take out the last 1 \(repeat=auto in the last block does\)",
        ),
        (
            {**talking(60, unianimate_poses=dance(20)), "story": "[repeat=auto]\na"},
            "with clip 2: repeat=auto fills the 60 frames of the audio, so connect longer poses, of as many$",
        ),
        (
            {**talking(20), "story": "[repeat=3]\na\n---\n[repeat=auto]\nb"},
            "with clip 2: the blocks before repeat=auto make too many: take out 1 of their clips, or connect longer",
        ),
        (
            {"audio": tone(1), "story": "[repeat=3]\na\n---\n[repeat=auto]\nb"},
            "audio of 16 frames ends with clip 1: the blocks before repeat=auto make too many",
        ),
        (humming(count=6), "sampler_inputs: humo_embeds are made for 21 frames, the clip has 17: set num_frames"),
        (humming(size=10), "sampler_inputs: humo_embeds are 80x80, the clip is 64x64"),
        ({**humming(), "story": "a\n---\n[frames=9]\nb"}, "clips of 9 and 17 frames, but HuMo Embeds has one"),
        ({**humming(), **ENDING}, r"clip 1 \(line 1 of the story\) ends on an image .* HuMo's frames have no place"),
        (
            {"mode": "dance", "sampler_inputs": sampler(unianimate_poses=dance(40)), "first_clip_model": "p", **ENDING},
            r"clip 1 \(line 1 of the story\) ends on an image .* one latent longer than its poses.* take end=0 out",
        ),
        (
            {**talking(40), "low_noise_sampler_inputs": sampler(multitalk_embeds=voice(numbered(50))), "split_step": 4},
            "have different multitalk_embeds, but both stages sample the same clip: connect the same to both",
        ),
        (
            {**humming(), "low_noise_sampler_inputs": sampler(image_embeds=humo(50)), "split_step": 4},
            "have different HuMo Embeds",
        ),
    ],
)
def test_guides_that_do_not_fit_are_refused_before_sampling(
    fake: FakeHost, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SVIError, match=message):
        run(**options)
    assert fake.calls == []


@pytest.mark.usefixtures("fake")
def test_both_stages_may_have_the_same_voice() -> None:
    """The same object, equal ones, or one stage's alone."""
    pair = {"low_noise_sampler_inputs": sampler("low"), "split_step": 4}
    made = [run(reel="a", **talking(40), **pair)]
    pair["low_noise_sampler_inputs"] = sampler("low", multitalk_embeds=voice(numbered(40)))
    made += [run(reel="b", **talking(40), **pair), run(reel="c", **TALK, **pair)]
    pair["low_noise_sampler_inputs"] = sampler("low", image_embeds=humo(40))
    made.append(run(reel="d", **TALK, **pair))  # HuMo's, though the other stage has embeds that stand in
    assert ["continues for 7 frames after the video" in part["result"][3] for part in made] == [True] * 4


def spoken(**maker: Any) -> dict[str, Any]:
    """The graph with a voice at its settings."""
    settings = {**PROMPT["2"]["inputs"], "multitalk_embeds": ["4", 0]}
    made = {"audio_1": ["6", 0], "num_frames": 40, "fps": 25.0, **maker}
    return {
        **PROMPT,
        "2": {"class_type": "WanVideoSamplerSettings", "inputs": settings},
        "4": {"class_type": "MultiTalkWav2VecEmbeds", "inputs": made},
    }


def test_features_of_another_rate_are_seen_in_the_graph(fake: FakeHost) -> None:
    """Those of 1.6 s at 25 a second have as many entries as 2.5 s of audio at 16."""
    slow = {**talking(40), "fps": 16.0, "audio": tone(2.5)}
    wrong = "the video has 16 fps, the audio features 25 per second"
    with pytest.raises(SVIError, match=wrong):
        run(**slow, prompt=spoken())
    with pytest.raises(SVIError, match=wrong):
        run(**slow, prompt=spoken(fps=["7", 0]) | {"7": {"class_type": "PrimitiveFloat", "inputs": {"value": 25}}})
    window = {"class_type": "WanVideoSVIAudioWindow", "inputs": {"multitalk_embeds": ["5", 0], "fps": 16.0}}
    with pytest.raises(SVIError, match=wrong):  # the window's own fps is the video's
        run(**slow, prompt=spoken() | {"4": window, "5": spoken()["4"]})
    with pytest.raises(SVIError, match="the video has 25 fps, the audio features 16 per second"):
        run(**talking(40), prompt=spoken(fps=16.0))
    assert fake.calls == []
    unseen = "at which rate multitalk_embeds were made cannot be seen in this graph"
    other = {"class_type": "Other", "inputs": {"fps": 25.0}}
    assert unseen in run(**slow, reel="a", prompt=spoken() | {"4": other})["result"][3]
    assert unseen not in run(**slow, reel="b", prompt=spoken(fps=16.0))["result"][3]
    assert unseen not in run(**talking(40), reel="c", prompt=spoken() | {"4": other})["result"][3]
    run(**{**slow, "audio": None}, reel="d", prompt=spoken(fps=16.0))  # nothing else needs to tell it


@pytest.mark.usefixtures("fake")
def test_only_frames_of_the_video_count_as_held() -> None:
    made = run("[repeat=auto]\na", **talking(60, unianimate_poses=dance(50)))["result"][3]
    assert "the video holds the last pose for its last 10 frames, after the poses of 50" in made


def silent_humo(**options: Any) -> dict[str, Any]:
    made = humo(17, **options)
    return {**made, "humo_audio_emb": torch.zeros_like(made["humo_audio_emb"])}


def test_references_of_humo_alone_serve_a_chain_of_any_length(fake: FakeHost) -> None:
    """Without audio HuMo Embeds has zeros for the frames of one clip."""
    base: dict[str, Any] = {"story": "[repeat=3]\na", "mode": "shot"}
    info = run(**base, sampler_inputs=sampler(image_embeds=silent_humo(refs=1)))["result"][3]
    assert "3 clips, 49 frames" in info
    assert "HuMo Embeds have no audio" in info
    assert "0 kept" in run(**base, sampler_inputs=sampler(image_embeds=silent_humo(refs=2)))["result"][3]
    assert fake.count("WanVideoSamplerFromSettings") == 6
    with pytest.raises(SVIError, match="repeat=auto needs a length"):
        run("[repeat=auto]\na", mode="shot", sampler_inputs=sampler(image_embeds=silent_humo()))


@pytest.mark.usefixtures("fake")
def test_sound_of_another_length_is_told() -> None:
    cut, silent = "is cut where the video ends, after 1.81 s", "the video of 1.81 s is silent after the audio"
    infos = [run(audio=tone(seconds))["result"][3] for seconds in (5.0, 29 / 16, 1.0)]
    assert [(cut in info, silent in info) for info in infos] == [(True, False), (False, False), (False, True)]


@pytest.mark.usefixtures("fake")
def test_a_block_that_would_begin_after_the_audio_makes_no_clip() -> None:
    made = run("[repeat=2]\na\n---\n[repeat=auto]\nb", **talking(33))["result"]
    assert len(made[0].clips) == 2
    assert "the block with repeat=auto (line 4 of the story) makes no clip: those before it fill the 33" in made[3]
    assert len(run("[repeat=2]\na\n---\n[repeat=auto]\nb", **talking(34))["result"][0].clips) == 3


def test_what_a_mode_goes_with_is_told(fake: FakeHost) -> None:  # noqa: ARG001
    assert "mode talk without audio" in run(mode="talk", reel="a")["result"][3]
    assert "mode dance without poses" in run(mode="dance", reel="b")["result"][3]
    poses = {**dance(40), "ref": torch.zeros(1, 3, 64, 64)}
    info = run(mode="dance", sampler_inputs=sampler(unianimate_poses=poses), reel="c")["result"][3]
    assert "a reference pose is connected" in info


def test_the_reel_is_joined_with_sound(fake: FakeHost) -> None:  # noqa: ARG001
    reel = run()["result"][0]
    for name in ("h264", "h265", "prores", "ffv1"):
        video = Video().join(reel, name, 85, 0.0, audio=tone(5))["result"][0]
        assert abs(sounds(video) - reel.total_frames / reel.fps) < 1 / 16, name  # cut where the video ends


@pytest.mark.usefixtures("fake")
def test_the_video_is_joined_while_clips_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the video is joined once more")

    monkeypatch.setattr(long_video, "assemble", never)
    done = run("a\n---\nb\n---\nc", reel="ahead")
    reel, *_ = done["result"]
    (video,) = [path for path in reel.folder.iterdir() if path.suffix == ".mp4"]
    assert sum(1 for _ in read_video(video)) == reel.total_frames == 41
    assert not [path.name for path in reel.folder.iterdir() if path.name.startswith(".svi_")]


@pytest.mark.usefixtures("fake")
def test_weights_that_are_held_twice_are_said() -> None:
    said = "force_offload is off in sampler_inputs: it saves no time in a chain"
    assert said in run("a\n---\nb", reel="off", sampler_inputs=sampler(force_offload=False))["result"][3]
    assert said not in run("a\n---\nb", reel="on")["result"][3]
    assert said not in run("a", reel="one", sampler_inputs=sampler(force_offload=False))["result"][3]


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(("weights", "is_said"), [(None, False), ({"a": 1}, True)])
def test_weights_with_merged_loras_are_not_held_twice(weights: object, is_said: bool) -> None:
    kept = {"sd": weights, "gguf_reader": None, "fp8_matmul": False}
    model: Any = types.SimpleNamespace(model=kept)
    info = run("a\n---\nb", sampler_inputs=sampler(model, force_offload=False))["result"][3]
    assert ("force_offload is off in sampler_inputs" in info) == is_said
