"""A chain rendered with a host that stands in for the real one: which calls it gets, what is kept, what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_host import PAIR, STORY, Cancelled, FakeHost, Report, job, render, sampler, samplers
from guided import dance, humo, numbered, numbers, pose_numbers, voice
from helpers import TraceVAE, frames
from pairs import Model as PairModel
from project import DATA
from safetensors.torch import load_file, save_file
from snapshots import check_snapshot
from torch import Tensor
from wanvideo_svi.svi_embeds.drift.measure import measure_reel
from wanvideo_svi.svi_embeds.drift.plot import NARROW
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST
from wanvideo_svi.svi_embeds.reel.reel import open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.wrapper_ext.engine.check import check_job
from wanvideo_svi.wrapper_ext.render.chain import _Renderer, render_chain
from wanvideo_svi.wrapper_ext.running.digest import graph_digest
from wanvideo_svi.wrapper_ext.running.wiring import RunningGraph

CONTRACT = json.loads((DATA / "host_contract.json").read_text())["nodes"]
CALLS = DATA / "host_calls.json"


def test_the_drift_so_far_counts_clips_that_were_kept(tmp_path: Path) -> None:
    looks = []
    for story in (STORY, STORY + "\n---\na bird"):
        with ReelWriter(tmp_path, fps=16) as writer:
            renderer = _Renderer(job(story), writer, FakeHost(), Report())
            renderer.run()
        looks.append([renderer.drift.look(clip) for clip in renderer.drift.looks])
        whole = measure_reel(open_reel(tmp_path)).drift
        for look, clip in zip(looks[-1], whole.clips, strict=True):
            assert look is not None
            assert look.frames == clip.frames
            assert look.last == clip.last or look.last.exposure == pytest.approx(clip.last.exposure, abs=0.01)
            assert (look.across is None) == (clip.across is None)
            if look.across is not None:
                assert look.across == pytest.approx(clip.across, abs=0.01)
    assert looks[1][:3] == looks[0]


def test_a_reel_without_looks_shows_the_last_frame(tmp_path: Path) -> None:
    render(tmp_path, job())
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    for take in manifest["takes"]:
        path = tmp_path / take["tail"]["name"]
        save_file(load_file(path), path)  # as it was written before there were any
        take["tail"] |= {
            "size": path.stat().st_size, "time": path.stat().st_mtime_ns,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }  # fmt: skip
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    done, _, report = render(tmp_path, job(STORY + "\n---\na bird"), draws=True)
    assert done.sampled == (3,)
    assert [picture.size for picture in report.pictures] == [(64, 64)]


def test_a_pair_may_change_at_a_noise_level(tmp_path: Path) -> None:
    pair = {"sampler": sampler("high", end_step=0.9), "low_sampler": sampler("low", start_step=0.9)}
    _, host, _ = render(tmp_path, job("a", mode="svi2_wan22", **pair))
    given = [inputs["sampler_inputs"] for name, inputs in host.calls if name == "WanVideoSamplerFromSettings"]
    assert [(each["model"], each["start_step"], each["end_step"]) for each in given] == [
        ("high", 0, 0.9), ("low", 0.9, -1),
    ]  # fmt: skip


def described(value: Any) -> Any:
    """An argument as the golden file holds it: tensors by shape and mean, so that it is the same on every machine."""
    if isinstance(value, Tensor):
        mean = round(float(value.float().mean()), 2) + 0.0  # no minus before a zero
        return f"{str(value.dtype)[6:]} {list(value.shape)} mean {mean:.2f}"
    if isinstance(value, dict):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


CHAINS: dict[str, dict[str, Any]] = {
    "film": {"clip_vision": "vision"},
    "shot": {"mode": "shot", "ref_image": frames(1, seed=2), "clip_vision": "vision"},
    "pro_pair": {"mode": "svi2_pro", **PAIR},
    "first_clip_model": {"first_model": "plain"},
    "first_clip_pair": {"mode": "svi2_wan22", **PAIR, "first_model": "high plain", "first_low_model": "low plain"},
    "clip_text": {"t5": None, "clip": "CLIP"},
    "end_images": {
        "story": "a lake\n---\n[end=1 cfg=2.5]\na boat\n---\n[end=0]\nthe fog lifts", "end_images": frames(2, seed=4),
        "tiled_vae": True,
    },
    "talk": {"mode": "talk", "ref_image": frames(1, seed=2), "sampler": sampler(multitalk_embeds=voice(numbered(40)))},
    "dance": {"mode": "dance", "ref_image": frames(1, seed=2), "sampler": sampler(unianimate_poses=dance(40))},
    "humo_shot": {"mode": "shot", "ref_image": frames(1, seed=2), "sampler": sampler(image_embeds=humo(40))},
    "one_prompt": {"story": "[repeat=3]\nthe same", "t5": None, "text_embeds": {"prompt": "encoded before"}},
}  # fmt: skip


def test_the_host_is_called_as_recorded(tmp_path: Path) -> None:
    """Node ids and arguments by name. After a change that is meant, write anew with UPDATE_SNAPSHOTS=1 and read it."""
    made = {}
    for name, options in CHAINS.items():
        _, host, _ = render(tmp_path / name, job(**options))
        made[name] = [[node_id, described(inputs)] for node_id, inputs in host.calls]
    check_snapshot(CALLS, made)


def test_the_recorded_calls_fit_the_recorded_host() -> None:
    settings = CONTRACT["WanVideoSamplerSettings"]["input"]
    for calls in json.loads(CALLS.read_text()).values():
        assert calls
        for node_id, inputs in calls:
            groups = CONTRACT[node_id]["input"]
            required, optional = groups.get("required", {}), groups.get("optional", {})
            assert set(inputs) <= set(required) | set(optional), node_id
            needed = {name for name, spec in required.items() if not (len(spec) > 1 and "default" in spec[1])}
            assert needed <= set(inputs), node_id
            if node_id == "WanVideoSamplerFromSettings":
                assert set(inputs["sampler_inputs"]) <= set(settings["required"]) | set(settings["optional"])


def test_each_clip_has_its_seed_its_text_and_its_model(tmp_path: Path) -> None:
    done, host, report = render(tmp_path / "r", job(**CHAINS["first_clip_model"]), draws=True)
    found = samplers(host)
    assert [s["seed"] for s in found] == [3, 45, 87]
    assert [s["text_embeds"]["prompt"] for s in found] == ["a lake", "a boat", "the fog lifts"]
    assert [s["model"] for s in found] == ["plain", "main", "main"]
    assert all(s["samples"] is None for s in found)
    assert [s["image_embeds"]["num_frames"] for s in found] == [17] * 3
    assert done.sampled == (0, 1, 2)
    assert report.done == [(1, 3), (2, 3), (3, 3)]
    # The first clip has nothing to be compared with: its last frame is shown, then the drift so far.
    assert [picture.width for picture in report.pictures] == [64, NARROW, NARROW]
    assert report.lines[0] == "clip 1 of 3: sampling"
    assert report.lines[2].startswith("clip 3 of 3: sampling, about ")
    assert report.lines[-1] == "saving"


@pytest.mark.parametrize(
    ("chain", "read"),
    [
        ("talk", lambda made: numbers(made["multitalk_embeds"]["audio_features"][0])),
        ("dance", lambda made: pose_numbers(made)),
        ("humo_shot", lambda made: made["image_embeds"]["humo_audio_emb"][:, 0, 0].int().tolist()),
    ],
)
def test_each_clip_follows_its_part(tmp_path: Path, chain: str, read: Any) -> None:
    _, host, _ = render(tmp_path / "r", job(**CHAINS[chain]))
    found = [read(made) for made in samplers(host)]
    ahead = 0 if chain == "dance" else 2
    assert found[0] == list(range(17 + ahead))
    assert found[1] == list(range(16, 33 + ahead))
    assert found[2][:8] == list(range(32, 40))
    assert len(found[2]) == 17 + ahead
    assert set(found[2][8:]) == {39 if chain == "dance" else 0}


def test_another_end_of_the_voice_makes_the_last_clips_again(tmp_path: Path) -> None:
    options = CHAINS["talk"]
    render(tmp_path / "r", job(**options))
    changed = numbered(40)
    changed[30:] += 7
    again, _, _ = render(tmp_path / "r", job(**{**options, "sampler": sampler(multitalk_embeds=voice(changed))}))
    assert again.sampled == (1, 2)
    back, host, _ = render(tmp_path / "r", job(**options))
    assert (back.sampled, samplers(host)) == ((), [])


def test_both_stages_of_a_pair_follow(tmp_path: Path) -> None:
    told = {"multitalk_embeds": voice(numbered(40))}
    pair = {"sampler": sampler("high", **told), "low_sampler": sampler("low"), "split_step": 4}
    _, host, _ = render(tmp_path / "r", job(mode="talk", ref_image=frames(1, seed=2), **pair))
    starts = [numbers(made["multitalk_embeds"]["audio_features"][0])[0] for made in samplers(host)]
    assert starts == [0, 0, 16, 16, 32, 32]


def test_a_model_without_the_layers_is_refused() -> None:
    def model(**layers: Any) -> Any:
        return types.SimpleNamespace(model=types.SimpleNamespace(diffusion_model=types.SimpleNamespace(**layers)))

    poses = {"unianimate_poses": dance(40)}
    options: dict[str, Any] = {"mode": "dance", "ref_image": frames(1, seed=2)}
    with pytest.raises(SVIError, match="the model of sampler_inputs has no UniAnimate layers"):
        check_job(job(**options, sampler=sampler(model(), **poses)))
    good = sampler(model(dwpose_embedding=1), **poses)
    check_job(job(**options, sampler=good))
    with pytest.raises(SVIError, match="first_clip_model has no UniAnimate layers"):
        check_job(job(**options, sampler=good, first_model=model()))
    with pytest.raises(SVIError, match="has no talk layers"):
        check_job(job(sampler=sampler(model(), multitalk_embeds=voice(numbered(40)))))
    with pytest.raises(SVIError, match="is not a HuMo model"):
        check_job(job(sampler=sampler(model(audio_proj=None), image_embeds=humo(40))))
    with pytest.raises(SVIError, match=r"is the small HuMo model \(1.7B\), which takes no image conditioning"):
        check_job(job(sampler=sampler(model(audio_proj=1, dim=1536), image_embeds=humo(40))))
    check_job(job(sampler=sampler(model(audio_proj=1, dim=5120), image_embeds=humo(40))))
    humming = {"low_sampler": sampler(model(audio_proj=1)), "split_step": 4}
    check_job(job(sampler=sampler(model(audio_proj=1), image_embeds=humo(40)), **humming))
    with pytest.raises(SVIError, match=r"2 reference latent\(s\), which the sampler of a pair's first model drops"):
        check_job(job(sampler=sampler(model(audio_proj=1), image_embeds=humo(40, refs=2)), **humming))
    with pytest.raises(SVIError, match="first_clip_model is text-to-video, 16 channels, which takes no image"):
        check_job(job(first_model=PairModel(16), story="[model=first]\nx"))
    pair = {**options, "sampler": good, "split_step": 4}
    with pytest.raises(SVIError, match="the low noise model has no UniAnimate layers"):
        check_job(job(**pair, low_sampler=sampler(model())))
    able = model(dwpose_embedding=1)
    with pytest.raises(SVIError, match="first_clip_low_noise_model has no UniAnimate layers"):
        check_job(job(**pair, low_sampler=sampler(able), first_model=able, first_low_model=model()))
    check_job(job(**pair, low_sampler=sampler(able), first_model=able, first_low_model=able))


def test_a_pair_samples_the_same_clip_in_two_parts(tmp_path: Path) -> None:
    _, host, _ = render(tmp_path / "r", job(**CHAINS["first_clip_pair"]))
    found = samplers(host)
    assert [s["model"] for s in found] == ["high plain", "low plain", "high", "low", "high", "low"]
    assert [(s["start_step"], s["end_step"]) for s in found] == [(0, 4), (4, -1)] * 3
    assert [s["seed"] for s in found] == [3, 3, 45, 45, 87, 87]
    assert [s["samples"] is None for s in found] == [True, False] * 3


def test_pro_takes_the_latents_of_the_sampler_before_it(tmp_path: Path) -> None:
    """Not what a decode and encode would make of them."""
    _, host, _ = render(tmp_path / "r", job(**CHAINS["pro_pair"]))
    assert host.count("WanVideoEncode") == 1  # the anchor, once
    embeds = [s["image_embeds"]["image_embeds"] for s in samplers(host)[::2]]
    decoded = [inputs["samples"]["samples"] for name, inputs in host.calls if name == "WanVideoDecode"]
    for before, latents in zip(decoded, embeds[1:], strict=False):
        assert torch.equal(latents[:, 1:2], before[0, :, -1:])
        assert torch.equal(latents[:, :1], embeds[0][:, :1])


def test_clip_vision_sees_the_first_motion_frame(tmp_path: Path) -> None:
    this = job(**CHAINS["film"])
    _, host, _ = render(tmp_path / "r", this)
    seen = [inputs["image_1"] for name, inputs in host.calls if name == "WanVideoClipVisionEncode"]
    clips = [answer for name, answer in host.calls if name == "WanVideoDecode"]
    shown = [host.WanVideoDecode(**inputs)[0] for inputs in clips]
    assert torch.equal(seen[0], this.sources.start_image)
    assert torch.equal(seen[1], shown[0][-5:-4])
    assert torch.equal(seen[2], shown[1][-5:-4])


def test_every_distinct_prompt_is_encoded_once_before_sampling(tmp_path: Path) -> None:
    story = "a\n---\nb\n---\na\n---\nb\n---\nc"
    _, host, _ = render(tmp_path / "r", job(story))
    names = [name for name, _ in host.calls]
    assert names[:3] == ["WanVideoTextEncode"] * 3
    assert host.count("WanVideoTextEncode") == 3
    _, host, _ = render(tmp_path / "r2", job(story, t5=None, clip="CLIP"))
    assert host.count("CLIPTextEncode") == 4  # and the negative one


def test_a_finished_story_is_not_rendered_again(tmp_path: Path) -> None:
    for name, options in CHAINS.items():
        first, _, _ = render(tmp_path / name, job(**options))
        again, host, report = render(tmp_path / name, job(**options))
        assert host.calls == []
        assert again.takes == first.takes
        assert again.sampled == ()
        assert torch.equal(again.last_frames, first.last_frames)
        assert report.done == []


def changed(folder: Path, base: dict[str, Any], **options: Any) -> tuple[int, ...]:
    """Which clips are sampled anew after a change."""
    render(folder, job(**base))
    return render(folder, job(**{**base, **options}))[0].sampled


FOUR = "a\n---\nb\n---\nc\n---\nd"


@pytest.mark.parametrize(
    ("options", "sampled"),
    [
        ({"story": "a\n---\nb\n---\nX\n---\nd"}, (2, 3)),
        ({"story": "a\n---\n[cfg=3]\nb\n---\nc\n---\nd"}, (1, 2, 3)),
        ({"story": "a\n---\nb\n---\nc\n---\n[seed=9]\nd"}, (3,)),
        ({"story": "a\n---\nb\n---\nc\n---\n[frames=13]\nd"}, (3,)),
        ({"story": "a\n---\nb\n---\nc\n---\n[end=0]\nd", "end_images": frames(1, seed=8)}, (3,)),
        ({"story": FOUR + "\n---\ne"}, (4,)),
        ({"story": "a\n---\nb"}, ()),
        ({"story": "# why\n" + FOUR.replace("---", "---\n\n")}, ()),
        ({"story": "a\n---\nb\n---\nc\n---\n[overlap=4]\nd"}, (3,)),
        ({"story": "a\n---\nb\n---\nc\n---\n[overlap=9]\nd"}, (2, 3)),  # clip 3 must keep a longer end
        ({"sampler": sampler(force_offload=False)}, ()),  # memory only
        ({"start_image": frames(1, seed=7)}, (0, 1, 2, 3)),
        ({"ref_image": frames(1, seed=7)}, ()),  # film does not use it
        ({"end_images": frames(1, seed=7)}, ()),
        ({"fun_or_fl2v_model": False}, ()),  # matters with an end only
        ({"negative_prompt": "worse"}, (0, 1, 2, 3)),
        ({"width": 80}, (0, 1, 2, 3)),
        ({"tiled_vae": True}, (0, 1, 2, 3)),
        ({"sampler": sampler(shift=8.0)}, (0, 1, 2, 3)),
        ({"sampler": sampler(seed=99, image_embeds={"other": 1})}, ()),  # the chain has its own
        ({"sampler": sampler(slg_args={"blocks": [9], "start_percent": 0.1})}, (0, 1, 2, 3)),
        ({"origin": {"model": "m2"}}, (0, 1, 2, 3)),
        ({"origin": {"model": "m1", "vae": "other"}}, (0, 1, 2, 3)),
    ],
)  # fmt: skip
def test_only_what_a_change_touches_is_sampled_anew(tmp_path: Path, options: dict, sampled: tuple[int, ...]) -> None:
    found = changed(tmp_path / "r", {"story": FOUR}, **options)
    if "width" in options:  # the stand-in decodes to one size
        assert found == sampled
        return
    assert found == sampled
    reel = open_reel(tmp_path / "r")
    assert reel.problems() == []
    assert len(reel.clips) == len(job(**{"story": FOUR, **options}).plan.clips)


def test_the_reference_counts_where_it_is_used(tmp_path: Path) -> None:
    base = {"story": FOUR, "mode": "shot", "ref_image": frames(1, seed=2)}
    assert changed(tmp_path / "shot", base, ref_image=frames(1, seed=3)) == (0, 1, 2, 3)
    with_first = {**base, "first_model": "plain"}  # its first clip is plain i2v, padded with grey
    assert changed(tmp_path / "first", with_first, ref_image=frames(1, seed=3)) == (1, 2, 3)


def test_the_first_clip_does_not_depend_on_the_model_of_the_others(tmp_path: Path) -> None:
    base = {"first_model": "plain", "origin": {"model": "m1", "first_clip_model": "f1"}}
    assert changed(tmp_path / "a", base, origin={"model": "m2", "first_clip_model": "f1"}) == (1, 2)
    other = {"model": "m1", "first_clip_model": "f2"}
    assert changed(tmp_path / "b", base, origin=other, first_model="another") == (0, 1, 2)
    # The same first clip from another file: what was made from its last frames is still true.
    assert changed(tmp_path / "c", base, origin=other) == (0,)


def test_a_chain_of_one_motion_frame_goes_on_in_film_for_nothing(tmp_path: Path) -> None:
    base = {"story": "a\n---\nb", "mode": "shot", "ref_image": frames(1, seed=2)}
    assert changed(tmp_path / "r", base, story="a\n---\nb\n---\n[mode=film]\nc") == (2,)
    assert render(tmp_path / "r", job(**base))[0].last_frames.shape[0] == 1  # as after a run of that story alone


def test_an_end_that_is_too_short_is_said(tmp_path: Path) -> None:
    render(tmp_path / "r", job("a\n---\nb"))
    done, _, _ = render(tmp_path / "r", job("a\n---\n[overlap=9]\nb"))
    assert done.notes == ("clip 1 was made again: a clip that it leads needs 9 of its last frames, less was kept",)


def test_a_damaged_end_is_mended_though_its_size_and_time_are_right(tmp_path: Path) -> None:
    first, _, _ = render(tmp_path / "r", job())
    path = tmp_path / "r" / first.takes[0].tail.name
    state, data = path.stat(), path.read_bytes()
    path.write_bytes(b"\xff" * 16 + data[16:])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    done, _, _ = render(tmp_path / "r", job())
    assert done.sampled == (0,)
    assert open_reel(tmp_path / "r").problems() == []


def test_texts_are_let_go_after_their_last_clip(tmp_path: Path) -> None:
    story = "\n---\n".join(f"prompt {i % 40}" for i in range(60))
    most = 0

    class Counting(FakeHost):
        def WanVideoDecode(self, **inputs: Any) -> tuple[Tensor]:
            nonlocal most
            most = max(most, len(renderer.maker.text.known))
            return super().WanVideoDecode(**inputs)

    host = Counting()
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        renderer = _Renderer(job(story), writer, host, Report())
        renderer.run()
    assert host.count("WanVideoTextEncode") == 40
    assert most <= 40
    moved_out = [inputs["force_offload"] for name, inputs in host.calls if name == "WanVideoTextEncode"]
    assert moved_out == [i in (15, 31, 39) for i in range(40)]
    story = "\n---\n".join(f"prompt {i}" for i in range(60))
    most, host = 0, Counting()
    with ReelWriter(tmp_path / "r2", fps=16) as writer:
        renderer = _Renderer(job(story), writer, host, Report())
        renderer.run()
    assert most < 16


def test_an_undone_edit_costs_nothing(tmp_path: Path) -> None:
    render(tmp_path / "r", job(FOUR))
    render(tmp_path / "r", job("a\n---\nX\n---\nc\n---\nd"))
    done, host, _ = render(tmp_path / "r", job(FOUR))
    assert done.sampled == ()
    assert host.calls == []
    assert [clip.prompt for clip in open_reel(tmp_path / "r").clips] == list("abcd")


def test_resume_off_makes_every_clip_again(tmp_path: Path) -> None:
    first, _, _ = render(tmp_path / "r", job())
    again, _, _ = render(tmp_path / "r", job(), resume=False)
    assert again.sampled == (0, 1, 2)
    assert [a.digest for a in again.takes] == [b.digest for b in first.takes]
    assert open_reel(tmp_path / "r").problems() == []
    assert open_reel(tmp_path / "r").spare == ()


@pytest.mark.parametrize("how", ["deleted", "cut"])
def test_a_lost_clip_in_the_middle_is_made_again_and_nothing_else(tmp_path: Path, how: str) -> None:
    first, _, _ = render(tmp_path / "r", job(FOUR))
    path = tmp_path / "r" / first.takes[1].video.name
    before = list(open_reel(tmp_path / "r").frames())
    path.unlink() if how == "deleted" else os.truncate(path, 100)
    done, _, _ = render(tmp_path / "r", job(FOUR))
    assert done.sampled == (1,)
    assert all((a == b).all() for a, b in zip(before, open_reel(tmp_path / "r").frames(), strict=True))
    assert open_reel(tmp_path / "r").problems() == []


def test_a_cancel_at_any_call_leaves_a_reel_that_goes_on(tmp_path: Path) -> None:
    _, host, _ = render(tmp_path / "whole", job(**CHAINS["shot"]))
    wanted = list(open_reel(tmp_path / "whole").frames())
    for at in range(len(host.calls)):
        folder = tmp_path / f"cancelled {at}"
        with pytest.raises(Cancelled):
            render(folder, job(**CHAINS["shot"]), cancel_at=at)
        left = open_reel(folder)
        assert left.problems() == []
        done, _, _ = render(folder, job(**CHAINS["shot"]))
        assert len(done.sampled) == 3 - len(left.clips)
        assert all((a == b).all() for a, b in zip(wanted, open_reel(folder).frames(), strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"t5": None}, "exactly one of t5, clip and text_embeds, none is connected"),
        ({"clip": "CLIP"}, "exactly one of t5, clip and text_embeds, got t5 and clip"),
        ({"t5": None, "text_embeds": {}}, "the story has 3 prompts, but text_embeds is one prompt"),
        ({"story": "a\n---\n[seed=1]"}, r"clip 2 \(line 3 of the story\) has no prompt"),
        ({"mode": "svi2_pro", "start_image": None}, "svi2_pro needs an anchor"),
        ({"mode": "svi2_pro", "clip_vision": "v"}, "takes no CLIP vision"),
        ({"sampler": {"steps": 3}}, "must come from WanVideo Sampler Settings"),
        ({"sampler": sampler(samples={"samples": 1})}, "sampler_inputs has samples connected"),
        ({"split_step": 4}, "split_step needs low_noise_model"),
        ({"first_low_model": "low"}, "first_clip_low_noise_model needs low_noise_model"),
        ({**PAIR, "first_model": "plain"}, "first_clip_model needs first_clip_low_noise_model"),
        ({**PAIR, "low_sampler": sampler("low", steps=6)}, r"need one steps, got 8 \(sampler_inputs\) and 6"),
        ({**PAIR, "low_sampler": sampler("low", shift=8.0)}, "need one shift"),
        ({**PAIR, "low_sampler": sampler("low", scheduler="unipc")}, "need one scheduler"),
        ({**PAIR, "split_step": 0}, "got end_step -1 and start_step 0; set split_step"),
        ({**PAIR, "split_step": 8}, r"within 1\.\.7: got end_step 8"),
        (
            {"sampler": sampler("high", end_step=0.9), "low_sampler": sampler("low", start_step=0.8)},
            "got end_step 0.9 and start_step 0.8",
        ),
        (
            {"sampler": sampler("high", end_step=1.5), "low_sampler": sampler("low", start_step=1.5)},
            "got end_step 1.5",
        ),
        ({**PAIR, "low_sampler": sampler("low", add_noise_to_samples=True)}, "add_noise_to_samples"),
    ],
)  # fmt: skip
def test_jobs_that_do_not_fit_together_are_refused_before_any_call(tmp_path: Path, options: dict, message: str) -> None:
    host = FakeHost()
    with ReelWriter(tmp_path / "r", fps=16) as writer, pytest.raises(SVIError, match=message):
        render_chain(job(**options), writer, host, Report(), resume=True)
    assert host.calls == []


I2V, T2V, FIVE, FUN_INP_5B = (
    PairModel(36), PairModel(16), PairModel(48, out_dim=48), PairModel(100, out_dim=48)
)  # fmt: skip
VAE_5B = TraceVAE(upsampling_factor=16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vae": VAE_5B}, r"clip 2 \(line 3 of the story\): mode film is for .* 16 channels, and this VAE makes 48"),
        ({"vae": VAE_5B, "mode": "svi2_pro"}, "clip 1 .* mode svi2_pro is for Wan 2.2 I2V A14B pair"),
        ({"vae": VAE_5B, "story": "[mode=i2v]\na\n---\nb"}, r"clip 2 \(line 4 of the story\): mode film"),
        (
            {"vae": VAE_5B, "mode": "i2v", "sampler": sampler(I2V)},
            "the model of sampler_inputs samples latents of 16 channels, and this VAE makes 48: load the Wan 2.1 VAE",
        ),
        ({"sampler": sampler(FUN_INP_5B)}, "of 48 channels, and this VAE makes 16: load the VAE of the 5B models"),
        ({"sampler": sampler(FIVE)}, "samples latents of 48 channels, and this VAE makes 16"),
        ({**PAIR, "low_sampler": sampler(FUN_INP_5B)}, "the low noise model samples latents of 48 channels"),
        ({"first_model": FUN_INP_5B}, "first_clip_model samples latents of 48 channels"),
        ({"sampler": sampler(T2V)}, "sampler_inputs is text-to-video, 16 channels, which takes no image"),
        ({"vae": VAE_5B, "mode": "i2v", "sampler": sampler(FIVE)}, "is Wan 2.2 5B, 48 channels, which takes no image"),
        ({"sampler": sampler(PairModel(52))}, "follows a control signal, and a chain has none: .* without controls"),
    ],
)  # fmt: skip
def test_models_vae_and_modes_of_two_families_are_refused_before_any_call(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    host = FakeHost()
    made = job(**options)
    with ReelWriter(tmp_path / "r", fps=16) as writer, pytest.raises(SVIError, match=message):
        render_chain(made, writer, host, Report(), resume=True)
    assert host.calls == []
    assert not made.sources.vae.calls


def test_one_family_is_let_through() -> None:
    check_job(job(sampler=sampler(I2V)))
    check_job(job(mode="i2v", vae=VAE_5B, sampler=sampler(FUN_INP_5B)))
    check_job(job(mode="i2v", vae=VAE_5B))  # a model that cannot be looked into
    check_job(job(first_model=I2V, sampler=sampler(I2V)))
    check_job(job(sampler=sampler(I2V), first_model=None))


def test_a_model_that_no_clip_uses_is_not_judged() -> None:
    check_job(job(story="[model=main]\na\n---\n[model=main]\nb\n---\n[model=main]\nc", first_model=FUN_INP_5B))


def test_steps_of_a_pair_may_stand_in_the_two_settings(tmp_path: Path) -> None:
    options = {"sampler": sampler("high", end_step=3), "low_sampler": sampler("low", start_step=3)}
    _, host, _ = render(tmp_path / "r", job(**options))
    assert [(s["start_step"], s["end_step"]) for s in samplers(host)] == [(0, 3), (3, -1)] * 3


def test_a_clip_of_another_length_is_refused(tmp_path: Path) -> None:
    class Looping(FakeHost):
        def WanVideoDecode(self, **inputs: Any) -> tuple[Tensor]:
            return (super().WanVideoDecode(**inputs)[0][5:],)

    with ReelWriter(tmp_path / "r", fps=16) as writer, pytest.raises(SVIError, match="clip 1 came out with 12 frames"):
        render_chain(job(), writer, Looping(), Report(), resume=True)


def test_only_the_tail_of_a_clip_stays_alive(tmp_path: Path) -> None:
    """A view of the last frames would keep all of them in memory."""
    done, _, _ = render(tmp_path / "r", job())
    assert done.last_frames.shape[0] == 5
    assert done.last_frames.untyped_storage().nbytes() == done.last_frames.numel() * 4


def test_a_clip_is_written_while_the_next_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each clip but the last waits, when it is to be written, for the sampler to be called for the one after it."""
    sampling = [threading.Event() for _ in range(3)]
    write, met = ReelWriter.add, []

    def add(self: ReelWriter, new: Any, **facts: Any) -> Any:
        number = len(facts["before"])
        met.append(number == 2 or sampling[number + 1].wait(30))
        return write(self, new, **facts)

    class Watched(FakeHost):
        def WanVideoSamplerFromSettings(self, **inputs: Any) -> tuple[Any, ...]:
            sampling[len(samplers(self)) - 1].set()
            return super().WanVideoSamplerFromSettings(**inputs)

    monkeypatch.setattr(ReelWriter, "add", add)
    with ReelWriter(tmp_path / "r", fps=16) as writer:
        done = render_chain(job(), writer, Watched(), Report(), resume=True)
    assert met == [True, True, True]
    assert [take.digest for take in done.takes] == [take.digest for take in open_reel(tmp_path / "r").clips]


def test_a_disk_that_refuses_is_said_and_what_was_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = ReelWriter.add

    def add(self: ReelWriter, new: Any, **facts: Any) -> Any:
        if len(facts["before"]) == 1:
            raise SVIError("reel r: clip 2 could not be written: no space left")
        return write(self, new, **facts)

    monkeypatch.setattr(ReelWriter, "add", add)
    with ReelWriter(tmp_path / "r", fps=16) as writer, pytest.raises(SVIError, match="clip 2 could not be written"):
        render_chain(job(), writer, FakeHost(), Report(), resume=True)
    left = open_reel(tmp_path / "r")
    assert len(left.clips) == 1
    assert left.problems() == []


# Where the models come from


def graph_of(**changes: Any) -> RunningGraph:
    nodes = {
        "1": {"class_type": "Loader", "inputs": {"model": "wan.safetensors", "lora": ["2", 0]}},
        "2": {"class_type": "Lora", "inputs": {"lora": "svi.safetensors", "strength": 1.0}},
        "3": {"class_type": "Settings", "inputs": {"model": ["1", 0], "seed": 5, "steps": 8}},
        "4": {"class_type": "Long", "inputs": {"sampler_inputs": ["3", 0]}},
    }
    for place, value in changes.items():
        node, _, name = place.partition("_")
        nodes[node[1:]]["inputs"][name] = value
    return RunningGraph(nodes)


def digest_of(graph: RunningGraph, states: dict[str, str] | None = None, **options: Any) -> str:
    return graph_digest(graph, "4", "sampler_inputs", file_state=lambda name: (states or {}).get(name, ""), **options)


def test_the_graph_upstream_decides_and_ids_do_not() -> None:
    base = digest_of(graph_of())
    assert base
    assert digest_of(graph_of(n2_strength=0.5)) != base
    assert digest_of(graph_of(n1_model="other.safetensors")) != base
    assert digest_of(graph_of(), {"svi.safetensors": "new weights"}) != base
    assert digest_of(graph_of(n3_model=["1", 1])) != base
    assert digest_of(graph_of(n4_story="x")) == base
    assert digest_of(graph_of(n3_seed=6)) != base
    assert digest_of(graph_of(n3_seed=6), ignore=("seed",)) == digest_of(graph_of(), ignore=("seed",))
    assert digest_of(graph_of(n1_load_device="cpu", n1_block_swap_args=["9", 0])) == base
    swapped = graph_of(n3_model=["5", 0])
    swapped.nodes["5"] = {
        "class_type": "WanVideoSetBlockSwap",
        "inputs": {"model": ["1", 0], "block_swap_args": ["9", 0]},
    }
    assert digest_of(swapped) == base
    renamed = {"10" + key: {**node, "inputs": {name: [f"10{value[0]}", value[1]] if isinstance(value, list) else value
                                               for name, value in node["inputs"].items()}}
               for key, node in graph_of().nodes.items()}  # fmt: skip
    assert graph_digest(RunningGraph(renamed), "104", "sampler_inputs", file_state=lambda _: "") == base
    assert graph_digest(RunningGraph({}), "4", "sampler_inputs", file_state=lambda _: "") == ""


def test_long_and_looped_graphs_have_a_digest_too() -> None:
    nodes = {str(i): {"class_type": "Lora", "inputs": {"prev": [str(i + 1), 0], "n": i}} for i in range(20_000)}
    nodes["20000"] = {"class_type": "Loader", "inputs": {}}
    assert graph_digest(RunningGraph(nodes), "0", "prev", file_state=lambda _: "")
    nodes["20000"] = {"class_type": "Loader", "inputs": {"model": ["1", 0]}}
    assert graph_digest(RunningGraph(nodes), "0", "prev", file_state=lambda _: "")
