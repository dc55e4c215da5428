"""Going on from one's own video: what of it leads clip 1, and what the joined video shows of it again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drift_scenes import photograph
from fake_host import PAIR, STORY, FakeHost, Report, job, render, sampler, samplers
from fixed_chains import CHAINS, FixedHost
from guided import dance
from helpers import TraceVAE, frames, latent_clip, planned
from hypothesis import event, given
from hypothesis import strategies as st
from long_video_node import TALK, Frames, LongVideo, Video, run, talking
from story_node import ask
from torch import Tensor
from wanvideo_svi.svi_embeds.clips.repeats import receptive_field
from wanvideo_svi.svi_embeds.drift.figures import DriftMeter
from wanvideo_svi.svi_embeds.drift.measure import measure_reel
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.files.track import Soundtrack
from wanvideo_svi.svi_embeds.files.video import open_video, read_video
from wanvideo_svi.svi_embeds.reel.manifest import MANIFEST
from wanvideo_svi.svi_embeds.reel.reel import describe_reel, open_reel
from wanvideo_svi.svi_embeds.reel.writer import ReelWriter
from wanvideo_svi.svi_embeds.story.beginning import frames_to_encode, whole_frames
from wanvideo_svi.svi_embeds.story.chain import ChainPlan
from wanvideo_svi.svi_embeds.story.text import CHAIN_MODES
from wanvideo_svi.wrapper_ext.cli.main import main
from wanvideo_svi.wrapper_ext.demo.vae import DemoVAE
from wanvideo_svi.wrapper_ext.render.chain import _Renderer, render_chain

PRO: dict[str, Any] = {"mode": "svi2_pro"}


# Which frames the VAE is given


@pytest.mark.parametrize("motion", [1, 2, 3])
def test_the_last_latents_are_those_of_the_whole_video(wan_vae: DemoVAE, motion: int) -> None:
    """To the bit; with four frames less they are not, so no fewer are encoded."""
    video = frames(161, height=16, width=16).permute(3, 0, 1, 2) * 2 - 1

    def encoded(count: int) -> Tensor:
        return wan_vae.encode([video[:, -count:]], torch.device("cpu"))[0][:, -motion:]

    count = frames_to_encode(161, motion_latents=motion, field=receptive_field(wan_vae))
    assert count == 109 + 4 * motion
    assert torch.equal(encoded(count), encoded(161))
    assert not torch.equal(encoded(count - 4), encoded(161))


@given(st.integers(1, 400), st.integers(1, 30), st.none() | st.integers(0, 200))
def test_whole_latents_that_end_with_the_video(total: int, motion: int, field: int | None) -> None:
    whole, count = whole_frames(total), frames_to_encode(total, motion_latents=motion, field=field)
    assert total - 3 <= whole <= total
    assert whole % 4 == count % 4 == 1
    assert count <= whole
    assert count == whole or (field is not None and 0 <= count - (field + 1 + 4 * (motion - 1)) < 4)
    if field is None:
        assert count == whole


def test_a_vae_without_a_model_is_given_all() -> None:
    assert receptive_field(object()) is None  # type: ignore[arg-type]


def first_embeds(host: FakeHost) -> Tensor:
    return samplers(host)[0]["image_embeds"]["image_embeds"]


@pytest.mark.parametrize("total", [5, 6, 7, 8, 9, 33, 34, 100])
@pytest.mark.parametrize("motion", [1, 2])
def test_clip_1_is_the_one_wired_by_hand(tmp_path: Path, total: int, motion: int) -> None:
    """WanVideo Encode on the video, and SVI Latent Embeds; of a length that is not 4k+1 the first frames go."""
    if total < 4 * motion + 1:
        return
    video, vae = frames(total, seed=total), TraceVAE()
    story = f"[overlap={4 * motion + 1}]\na lake"
    _, host, _ = render(tmp_path, job(story, **PRO, start_image=video, ref_image=frames(1, seed=2)))
    (whole,) = FakeHost().WanVideoEncode(vae, video[(total - 1) % 4 :], enable_vae_tiling=False)
    (anchor,) = FakeHost().WanVideoEncode(vae, frames(1, seed=2), enable_vae_tiling=False)
    hand = latent_clip(anchor_samples=anchor, prev_samples=whole, motion_latents=motion, num_frames=17)
    assert torch.equal(first_embeds(host), hand.embeds["image_embeds"])
    assert torch.equal(samplers(host)[0]["image_embeds"]["mask"], hand.embeds["mask"])
    assert host.count("WanVideoEncode") == 2


def test_of_a_long_video_the_end_is_encoded(tmp_path: Path, wan_vae: DemoVAE) -> None:
    given_frames: list[int] = []

    class Counting(FakeHost):
        def WanVideoEncode(self, vae: Any, image: Tensor, enable_vae_tiling: bool) -> tuple[Any]:
            given_frames.append(len(image))
            return super().WanVideoEncode(vae, image, enable_vae_tiling)

    for total, count, says in ((160, 113, True), (113, 113, False), (114, 113, False), (117, 113, True)):
        video = frames(total, height=16, width=16, seed=5)
        host, this = Counting(), job("a", **PRO, start_image=video, vae=wan_vae, width=16, height=16)
        with ReelWriter(tmp_path / str(total), fps=16) as writer:
            notes = render_chain(this, writer, host, Report(), resume=True).notes
        assert sorted(given_frames) == [1, count]
        said = f"the last 113 of {total} frames of start_image are encoded: what leads clip 1 depends on no other"
        assert (said in notes) == says
        (whole,) = FakeHost().WanVideoEncode(wan_vae, video[(total - 1) % 4 :], enable_vae_tiling=False)
        assert torch.equal(first_embeds(host)[:, 1], whole["samples"][0][:, -1])
        given_frames.clear()


def test_the_anchor_is_the_reference_or_the_first_frame(tmp_path: Path) -> None:
    video, reference = frames(34, seed=4), frames(1, seed=2)
    (wanted,) = FakeHost().WanVideoEncode(TraceVAE(), torch.cat([video[:1]]), enable_vae_tiling=False)
    this = job(**PRO, start_image=video)
    _, host, _ = render(tmp_path / "a", this)
    for made in samplers(host):
        assert torch.equal(made["image_embeds"]["image_embeds"][:, :1], wanted["samples"][0])
    assert "no ref_image is connected: the anchor is the first frame of start_image" in this.plan.notes
    (wanted,) = FakeHost().WanVideoEncode(TraceVAE(), reference, enable_vae_tiling=False)
    this = job(**PRO, start_image=video, ref_image=reference)
    _, host, _ = render(tmp_path / "b", this)
    for made in samplers(host):
        assert torch.equal(made["image_embeds"]["image_embeds"][:, :1], wanted["samples"][0])
    assert not any("anchor is the first frame" in note for note in this.plan.notes)


def sampled(folder: Path, base: dict[str, Any], **change: Any) -> tuple[int, ...]:
    render(folder, job(**base))
    return render(folder, job(**{**base, **change}))[0].sampled


def test_what_the_video_leads_is_made_again_with_another_video(tmp_path: Path) -> None:
    video = frames(34, seed=4)
    base = {**PRO, "start_image": video, "ref_image": frames(1, seed=2)}
    assert sampled(tmp_path / "same", base) == ()
    last, spare, long = video.clone(), video.clone(), torch.cat([frames(4, seed=9), video])
    last[-1] += (0.5 - last[-1]).sign() / 255
    spare[0] = 0  # 34 frames are 1 too many for whole latents
    assert sampled(tmp_path / "last", base, start_image=last) == (0, 1, 2)
    assert sampled(tmp_path / "spare", base, start_image=spare) == ()
    assert sampled(tmp_path / "long", base, start_image=long) == (0,)  # how far this VAE looks back is not known
    base.pop("ref_image")
    assert sampled(tmp_path / "anchor", base, start_image=spare) == (0, 1, 2)  # there it is the anchor


def test_a_video_is_gone_on_from_with_the_svi_model(tmp_path: Path) -> None:
    """The model without the LoRA knows no motion latents. It is used where the story says so."""
    first = {"first_model": "plain", **PRO, "start_image": frames(33, seed=4)}
    _, host, _ = render(tmp_path / "a", job(**first))
    assert [made["model"] for made in samplers(host)] == ["main"] * 3
    _, host, _ = render(tmp_path / "b", job("[model=first]\na\n---\nb", **first))
    assert [made["model"] for made in samplers(host)] == ["plain", "main"]
    _, host, _ = render(tmp_path / "c", job("a\n---\nb", **{**first, "start_image": frames(1)}))
    assert [made["model"] for made in samplers(host)] == ["plain", "main"]


def test_a_pair_goes_on_in_both_stages(tmp_path: Path) -> None:
    _, host, _ = render(tmp_path, job(**PRO, **PAIR, start_image=frames(33, seed=4)))
    high, low = samplers(host)[:2]
    assert torch.equal(high["image_embeds"]["image_embeds"], low["image_embeds"]["image_embeds"])
    assert host.count("WanVideoEncode") == 2  # the anchor and the video, once each


# What is shown

ANCHOR = 20  # frames of numbers: that of the anchor


def picture(number: int) -> Tensor:
    return torch.full((32, 32, 3), (number + 0.5) / 255)


def shot(numbers: list[int]) -> Tensor:
    return torch.stack([picture(number) for number in numbers])


class NumberingHost(FakeHost):
    """Continues perfectly: frames are numbered by the moment that they show, and a clip goes on from its lead."""

    def WanVideoSamplerFromSettings(self, sampler_inputs: dict[str, Any]) -> tuple[Any, Any]:
        embeds = sampler_inputs["image_embeds"]
        means = ((embeds["image_embeds"][0, :, 0, 0] + 1) / 2 * 255 - 0.5).tolist()
        total, record = embeds["num_frames"], embeds["svi"]
        if record["mode"] == "svi2_pro" and record["overlap_frames"]:
            first = round(means[1] - 1.5)
            numbers = [round(means[0]), *range(first, first + total - 1)]
        else:
            numbers = list(range(round(means[0]), round(means[0]) + total))
        latents = TraceVAE().encode([self.shot(numbers).movedim(-1, 0) * 2 - 1], torch.device("cpu"))
        return {"samples": latents, "end_image": None, "numbers": numbers}, {"samples": latents}

    def WanVideoDecode(self, vae: Any, samples: dict[str, Any], enable_vae_tiling: bool) -> tuple[Tensor]:  # noqa: ARG002
        return (self.shot(samples["numbers"]),)

    def shot(self, numbers: list[int]) -> Tensor:
        return shot(numbers)


class PanningHost(NumberingHost):
    """The same, with a camera that moves over a picture, and the number in a corner."""

    # Soft, so that it changes from frame to frame by as much as it moves.
    scene = torch.nn.functional.avg_pool2d(photograph(height=16, width=120).movedim(-1, 0), 25, stride=1).movedim(0, -1)

    def shot(self, numbers: list[int]) -> Tensor:
        frames = torch.stack([self.scene[:64, number : number + 64] for number in numbers])
        frames[:, :8, :8] = shot(numbers)[:, :8, :8]
        return frames


def shown(folder: Path) -> list[int]:
    """The moments that a reel's video shows."""
    reel = open_reel(folder)
    return [int(pixels[0, 0, 0]) for pixels in reel.frames(0, reel.shown_frames)]


@given(
    mode=st.sampled_from(["film", *["svi2_pro"] * 3]) | st.sampled_from(CHAIN_MODES),
    start=st.just(1) | st.integers(2, 40), clips=st.integers(1, 3),
    first=st.sampled_from([False] * 4 + [True]),
    overlap=st.sampled_from([0, 0, 1, 5, 9]), reference=st.booleans(), skip=st.booleans(),
    num_frames=st.sampled_from([13, 17]),
)  # fmt: skip
def test_every_moment_is_shown_once_and_no_anchor(
    tmp_path_factory: pytest.TempPathFactory, mode: str, start: int, clips: int, first: bool, overlap: int,
    reference: bool, skip: bool, num_frames: int,
) -> None:  # fmt: skip
    """Behind the given video with skip_repeated: from its last moment on. Without: some of its last moments again."""
    options: dict[str, Any] = {
        "mode": mode, "num_frames": num_frames, "overlap_frames": overlap, "seed": 1, "fps": 16, "start_frames": start,
        "reference_frames": int(reference), "first_clip_model": first, "width": 32, "height": 32,
    }  # fmt: skip
    story = f"[repeat={clips}]\na"
    try:
        plans = [planned(story, **options, skip_repeated=value) for value in (skip, not skip)]
    except SVIError:
        event("refused")
        return
    folder = tmp_path_factory.mktemp("reel")
    video = shot(list(range(100, 100 + start)))
    given_frames: dict[str, Any] = {
        "start_image": video, "ref_image": picture(ANCHOR)[None] if reference else None, "width": 32, "height": 32,
        "first_model": "plain" if first else None,
    }  # fmt: skip
    base = job("a", **given_frames, mode="i2v")

    def made(plan: ChainPlan) -> tuple[list[int], NumberingHost]:
        host, this = NumberingHost(), replace(base, plan=plan)
        with ReelWriter(folder, fps=16, length=plan.video_length) as writer:
            render_chain(this, writer, host, Report(), resume=True)
        assert open_reel(folder).total_frames == plan.total_frames
        return shown(folder), host

    once, host = made(plans[0])
    on_anchor = mode == "svi2_pro" and start == 1 and reference  # start_image is not used then, and said so
    begins = ANCHOR if on_anchor else 100 + start
    seen = made(plans[1])
    assert seen[1].calls == []  # what the video leaves out makes no clip again
    on, off = (once, seen[0]) if skip else (seen[0], once)
    total = plans[0].clips[-1].until
    lead = plans[0].clips[0].motion_frames if not on_anchor else 0
    in_pro = plans[0].clips[0].works_on_latents
    repeated = (lead - 1 if in_pro and lead else lead) if not in_pro or lead else int(not on_anchor)
    assert off == list(range(begins - repeated, begins - repeated + len(off)))
    assert on == off[repeated:]
    assert len(off) == total - int(in_pro and lead > 0)
    assert ANCHOR not in on[1:]
    event(f"{plans[0].clips[0].mode}, {'a video' if start > 1 else 'an image'}")
    assert host.count("WanVideoSamplerFromSettings") == clips


def seam_behind(video: Tensor, pixels: np.ndarray) -> float:
    """How visible the seam between a video and the frames behind it is, as SVI Drift measures it."""
    meter = DriftMeter()
    meter.add_clip(video)
    meter.add_clip(torch.from_numpy(pixels).float() / 255)
    return meter.result().seam


@pytest.mark.parametrize("mode", ["film", "svi2_pro"])
def test_nobody_sees_the_seam_behind_the_given_video(tmp_path: Path, mode: str) -> None:
    """Frames that are shown twice are seen, and an anchor much more."""
    given_video = PanningHost().shot(list(range(100, 133)))
    seams = {}
    for skip in (False, True):
        plan = planned("a\n---\nb", mode=mode, num_frames=17, start_frames=33, first_clip_model=False,
                       width=64, height=64, skip_repeated=skip)  # fmt: skip
        with ReelWriter(tmp_path, fps=16) as writer:
            this = replace(job("a", start_image=given_video), plan=plan)
            render_chain(this, writer, PanningHost(), Report(), resume=True)
        seams[skip] = seam_behind(given_video, every(open_reel(tmp_path)))
    assert seams[True] < 1.1
    assert seams[False] > 2
    if mode == "svi2_pro":
        reel = open_reel(tmp_path)
        with_anchor = seam_behind(given_video, np.stack(list(reel.clip_frames(reel.clips[0]))))
        assert with_anchor > 2 * seams[False]


LED = "clip 1 continues from a video: the last latent of start_image leads it"
LED_BY_TWO = "clip 1 continues from a video: the last 2 latents of start_image lead it"
WHOLE = "left out: the others fill whole latents (4k+1 frames), so that the last one ends with the video"
FIRST = "no ref_image is connected: the anchor is the first frame of start_image"
LEAVES = "shown again: skip_repeated leaves that out"
AGAIN = "frames of start_image, shown again"
IN_FRONT = "clip 1 begins with the anchor, which is not in the video, and"
VIDEO: dict[str, Any] = {"start_frames": 33, "reference_frames": 1}
SKIP: dict[str, Any] = {"skip_repeated": True}
NOTES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"mode": "film", "start_frames": 33}, (f"the video begins with the last 5 frames of start_image, {LEAVES}",)),
    ({"mode": "shot", **VIDEO}, (f"the video begins with the last frame of start_image, {LEAVES}",)),
    ({"mode": "film", "start_frames": 33, **SKIP},
     ("the first 5 frames of clip 1 are not in the video: the last 5 frames of start_image, shown again",)),
    ({"mode": "shot", **VIDEO, **SKIP},
     ("the first frame of clip 1 is not in the video: the last frame of start_image, shown again",)),
    ({"mode": "i2v", "start_frames": 1}, ()),
    ({"mode": "i2v", "start_frames": 1, **SKIP}, ("start_image, which clip 1 begins with, is not in the video",)),
    ({**PRO, **VIDEO}, (LED, f"{IN_FRONT} the video begins with the last 4 frames of start_image, {LEAVES}")),
    ({**PRO, **VIDEO, **SKIP},
     (LED, f"the first 5 frames of clip 1 are not in the video: the anchor and the last 4 {AGAIN}")),
    ({**PRO, "start_frames": 34},
     (LED, f"the first frame of start_image is {WHOLE}", FIRST,
      f"{IN_FRONT} the video begins with the last 4 frames of start_image, {LEAVES}")),
    ({**PRO, "start_frames": 36, "overlap_frames": 9, **SKIP},
     (LED_BY_TWO, f"the first 3 frames of start_image are {WHOLE}", FIRST,
      f"the first 9 frames of clip 1 are not in the video: the anchor and the last 8 {AGAIN}")),
    ({**PRO, "start_frames": 1}, ()),
    ({**PRO, "start_frames": 1, **SKIP}, ("start_image, which clip 1 begins with, is not in the video",)),
    ({**PRO, "start_frames": 1, "reference_frames": 1, **SKIP},
     ("skip_repeated has no effect: clip 1 begins with nothing of start_image",)),
]  # fmt: skip


@pytest.mark.parametrize(("options", "notes"), NOTES, ids=str)
def test_what_is_shown_again_is_said(options: dict[str, Any], notes: tuple[str, ...]) -> None:
    plan = planned("a", num_frames=17, **{"reference_frames": 0, "first_clip_model": False, **options})
    assert plan.notes == notes


# The reel, its video and its sound


@pytest.mark.parametrize("name", CHAINS)
def test_switching_it_on_and_off_samples_nothing(tmp_path: Path, name: str) -> None:
    """The manifest of a reel is, with it off again, what it was."""
    folder = tmp_path / "r"
    texts = []
    for skip in (False, True, False):
        host, this = FixedHost(), job(**CHAINS[name])
        plan = plan_of(name, skip_repeated=skip)
        with ReelWriter(folder, fps=16) as writer:
            done = render_chain(replace(this, plan=plan), writer, host, Report(), resume=True)
        assert bool(done.sampled) == bool(host.calls) == (not texts)
        assert open_reel(folder).skipped_frames == plan.skipped_frames
        assert open_reel(folder).problems() == []
        texts.append((folder / MANIFEST).read_text())
    assert texts[0] == texts[2]
    assert (texts[0] != texts[1]) == bool(plan_of(name, skip_repeated=True).skipped_frames)


def plan_of(name: str, *, skip_repeated: bool) -> ChainPlan:
    """The plan of a recorded chain."""
    options = CHAINS[name]
    this = job(**options)
    return planned(
        options.get("story", STORY), mode=options.get("mode", "film"), num_frames=17, seed=3, width=64,
        height=64,
        start_frames=0 if this.sources.start_image is None else len(this.sources.start_image),
        reference_frames=int(this.sources.ref_image is not None),
        end_images=0 if this.sources.end_images is None else len(this.sources.end_images),
        first_clip_model=this.sources.first_model is not None, skip_repeated=skip_repeated,
    )  # fmt: skip


def every(reel: Any) -> np.ndarray:
    return np.stack(list(reel.frames()))


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(("mode", "shown_again", "in_no_video"), [("film", 5, 0), ("svi2_pro", 4, 1)])
def test_all_that_reads_a_reel_begins_where_its_video_does(
    tmp_path: Path, mode: str, shown_again: int, in_no_video: int
) -> None:
    video = frames(33, seed=4)
    off, on = (run("a\n---\nb", mode=mode, start_image=video, skip_repeated=skip)["result"] for skip in (False, True))
    whole = np.stack([*off[0].clip_frames(off[0].clips[0]), *off[0].clip_frames(off[0].clips[1], 5)])
    assert (every(off[0]) == whole[in_no_video:]).all()
    assert (every(on[0]) == whole[shown_again + in_no_video :]).all()
    assert "2 kept, 0 made" in on[3]
    count = 29 - 5
    assert f"2 clips, {count} frames, 1.5 s at 16 fps (the first 5 are not in the video); 2 kept" in on[3]
    assert (off[2] != on[2], sum(1 for _ in read_video(on[2]))) == (True, count)
    images, said = Frames().read(on[0], 0, 0)
    assert (images.mul(255).round().byte().numpy() == every(on[0])).all()
    assert said == f"frames 0..{count - 1} of {count} of reel test (the first 5 are not in the video)"
    joined, said = Video().join(on[0], "ffv1", 85, 0.0)["result"]
    assert (np.stack(list(read_video(joined))) == every(on[0])).all()
    assert f"{count} frames, 1.5 s at 16 fps (the first 5 are not in the video), ffv1" in said
    out = tmp_path / "by_command.mkv"
    assert main(["reel", "assemble", str(on[0].folder), "--format", "ffv1", "--out", str(out)]) == 0
    assert (np.stack(list(read_video(out))) == every(on[0])).all()
    assert (
        describe_reel(on[0])[0] == f"test: 2 clips, {count} frames, 1.5 s at 16 fps (the first 5 are not in the video)"
    )
    drift = measure_reel(on[0]).drift
    assert [clip.frames for clip in drift.clips] == [12, 12]
    assert measure_reel(off[0]).drift.clips[0].frames == 17 - in_no_video
    # The last frames, and what leads a chain that goes on, are those of the clip.
    assert torch.equal(off[1], on[1])


@pytest.mark.usefixtures("fake")
def test_a_video_that_was_joined_otherwise_is_not_taken_for_it() -> None:
    """Nor deleted as one of this chain, nor offered as its video."""
    start: dict[str, Any] = {"start_image": frames(33, seed=4), "reel": "test"}
    off, on = (run(**start, skip_repeated=skip)["result"] for skip in (False, True))
    assert off[0].chain != on[0].chain
    assert run(**start)["result"][2] == off[2]
    before = ask(skip_repeated=False)["reel"]
    assert (before["video"]["filename"], before["is_current"]) == (off[2].name, True)
    assert LongVideo.IS_CHANGED(reel="test") == LongVideo.IS_CHANGED(reel="test")
    run(**start, skip_repeated=True)
    assert ask(skip_repeated=True)["reel"]["video"]["filename"] == on[2].name
    with ReelWriter(on[0].folder, fps=16) as writer:
        writer.clean()
    assert (off[2].exists(), on[2].exists()) == (False, True)


def test_the_drift_so_far_is_of_what_the_video_shows(tmp_path: Path) -> None:
    """Also of a clip that was written when the video left out other frames."""
    looks = []
    for skip in (False, True):
        this = job(start_image=frames(33, seed=4))
        plan = planned(STORY, mode="film", num_frames=17, seed=3, start_frames=33, first_clip_model=False,
                       width=64, height=64, skip_repeated=skip)  # fmt: skip
        with ReelWriter(tmp_path, fps=16) as writer:
            renderer = _Renderer(replace(this, plan=plan), writer, FakeHost(), Report())
            renderer.run()
        looks.append([renderer.drift.look(clip) for clip in renderer.drift.looks])
        for look, clip in zip(looks[-1], measure_reel(open_reel(tmp_path)).drift.clips, strict=True):
            assert look is not None
            assert look.frames == clip.frames
            assert look.first.exposure == pytest.approx(clip.first.exposure, abs=0.01)
    assert looks[0][1:] == looks[1][1:]


RATE = 16_000


def ramp(seconds: float) -> dict[str, Any]:
    """Sound in which every 16-bit sample tells where it is."""
    count = round(seconds * RATE)
    return {"waveform": (torch.arange(count) % 30_000).float()[None, None] / 2**15, "sample_rate": RATE}


def heard(path: Path) -> np.ndarray:
    with open_video(path) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    sound = np.concatenate(parts, axis=-1)[0]
    return sound / 2**16 if sound.dtype == np.int32 else sound if sound.dtype == np.int16 else sound * 2**15


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("fps", [16.0, 25.0])
def test_the_sound_begins_where_the_video_does(fps: float) -> None:
    made = run("a\n---\nb", mode="film", start_image=frames(33), skip_repeated=True, audio=ramp(3), fps=fps)["result"]
    joined, said = Video().join(made[0], "ffv1", 85, 0.0, audio=ramp(3))["result"]
    sound = heard(joined)
    first = round(5 / fps * RATE)
    assert abs(len(sound) - 24 / fps * RATE) <= 1
    assert sound.astype(int).tolist() == [number % 30_000 for number in range(first, first + len(sound))]
    assert f"the sound begins {5 / fps:.2f} s in, where the video does" in said
    assert f"it begins {5 / fps:.2f} s in, where the video does" in made[3]
    with open_video(made[2]) as container:  # the node's own
        assert container.streams.audio
    plain = run("a\n---\nb", start_image=frames(33), audio=ramp(3), fps=fps, reel="plain")["result"]
    joined, said = Video().join(plain[0], "ffv1", 85, 0.0, audio=ramp(3))["result"]
    assert heard(joined).astype(int).tolist()[:5] == [0, 1, 2, 3, 4]
    assert "the sound begins" not in said


def test_sound_that_ends_before_the_video_begins_is_none(tmp_path: Path) -> None:
    track = Soundtrack(torch.zeros(1, 1600), RATE)
    assert track.after(1, 16) is not None
    assert track.after(2, 16) is None
    render(tmp_path, job("a", start_image=frames(33)))
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["takes"][0]["overlap"] = 5
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    open_reel(tmp_path).assemble(tmp_path / "out.mkv", video_format="ffv1", track=track)
    with open_video(tmp_path / "out.mkv") as container:
        assert not container.streams.audio


@pytest.mark.usefixtures("fake")
def test_a_story_as_long_as_its_audio_ends_with_it() -> None:
    """The audio counts from the first frame of clip 1, which the video leaves out."""
    whole = run("[repeat=auto]\na", **talking(60), ref_image=frames(1))["result"]
    skipped = run("[repeat=auto]\na", **talking(60), ref_image=frames(1), skip_repeated=True)["result"]
    assert "0 made" in skipped[3]  # the voice of every clip is the same
    assert (whole[0].length, skipped[0].length) == (60, 59)
    assert "4 clips, 59 frames, 2.4 s at 25 fps (the first one and the last 5 are not in the video)" in skipped[3]
    assert sum(1 for _ in read_video(skipped[2])) == 59
    opened = open_reel(skipped[0].folder)
    assert (opened.shown_frames, opened.total_frames) == (59, 64)
    assert (every(opened)[:59] == every(whole[0])[1:60]).all()


@pytest.mark.usefixtures("fake")
def test_what_a_voice_or_poses_reach_is_counted_from_clip_1() -> None:
    given_video: dict[str, Any] = {"start_image": frames(33), "ref_image": frames(1), "skip_repeated": True}
    info = run(**TALK | talking(29), **given_video)["result"][3]
    assert "is silent for its last 4 frames, after the audio of 29" in info
    poses = sampler(unianimate_poses=dance(30))
    info = run(mode="dance", sampler_inputs=poses, **given_video, reel="d")["result"][3]
    assert "holds the last pose for its last 3 frames, after the poses of 30" in info
    with pytest.raises(
        SVIError, match="the video would be empty: it begins after frame 1 of clip 1, and ends with the"
    ):
        run("[repeat=auto]\na", mode="dance", sampler_inputs=sampler(unianimate_poses=dance(1)), **given_video)
    film: dict[str, Any] = {"start_image": frames(33), "skip_repeated": True, "reel": "film"}
    cut, short = (run(**film, audio=ramp(seconds))["result"][3] for seconds in (5.0, 1.0))
    assert "the audio of 5.00 s is cut where the video ends, after 1.81 s" in cut
    assert (
        "the video of 1.50 s is silent after the audio, which lasts 1.00 s, of which the video leaves out 0.31 s"
        in short
    )
    fits = run(**film, audio=ramp(29 / 16))["result"][3]
    assert "is cut where" not in fits
    assert "is silent" not in fits


# The panel and the command


@pytest.mark.usefixtures("fake")
def test_the_panel_counts_what_the_video_shows() -> None:
    video = {"sampler_inputs": "S", "vae": "V", "t5": "T", "start_image": "VHS_LoadVideo"}
    for mode in ("film", "svi2_pro"):
        said = ask(story="a\n---\nb", mode=mode, skip_repeated=True, connected=video)
        assert said["error"] is None
        assert said["summary"] == "2 clips, 24 frames, 1.5 s at 16 fps (the first 5 are not in the video)"
        assert [(row["frames"], row["overlap"], row["until"], row["time"]) for row in said["rows"]] == [
            (17, 5, 12, "0.8 s"), (17, 5, 24, "1.5 s"),
        ]  # fmt: skip
        assert "start_image is taken for a clip to continue from: one image makes another plan" in said["notes"]
    run("a\n---\nb", start_image=frames(33))
    for skip in (False, True):
        said = ask(story="a\n---\nb", skip_repeated=skip, connected=video, linked=["skip_repeated"])
        states = [row["state"] for row in said["rows"]]
        assert states == (["kept"] * 2 if skip else ["stale"] * 2)  # without it the panel takes it for one image
    auto = ask(story="[repeat=auto]\nc", skip_repeated=True, connected=video, sampler=None)
    assert auto["summary"].startswith("at least 1 clip, 12 frames")


@pytest.mark.usefixtures("fake")
def test_a_reel_of_before_is_kept_in_the_panel_when_it_is_switched_on(tmp_path: Path) -> None:
    run("a\n---\nb")
    path = tmp_path / "svi_reels" / "test" / MANIFEST
    data = json.loads(path.read_text())
    for take in data["takes"]:
        del take["values"]  # as versions of before wrote it
    path.write_text(json.dumps(data))
    assert [row["state"] for row in ask(story="a\n---\nb", skip_repeated=True)["rows"]] == ["kept", "kept"]


def test_the_command_plans_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "story.txt").write_text("a\n---\nb")
    command = ["plan", str(tmp_path / "story.txt"), "--mode", "svi2_pro", "--start-frames", "33", "--frames", "17"]
    assert main([*command, "--skip-repeated"]) == 0
    out = capsys.readouterr().out
    assert "2 clips, 24 frames, 1.5 s at 16 fps (the first 5 are not in the video)" in out
    assert "the anchor and the last 4 frames of start_image, shown again" in out
