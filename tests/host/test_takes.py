"""Takes, picks and gates of WanVideoSVILongVideo in a real host: what is sampled, what is chosen, what stays."""

from __future__ import annotations

from host.comfyui import Comfy
from host.long_chains import PROMPTS, chain, pixels, reel_of, story
from wanvideo_svi.svi_embeds.drift.figures import change, seam_between
from wanvideo_svi.svi_embeds.reel.manifest import Take
from wanvideo_svi.svi_embeds.reel.reel import Reel

SIX = (*PROMPTS, "night falls")


def sampled(comfy: Comfy) -> int:
    return comfy.log.read_text(errors="replace").count("Sampling end")


def by_hand(reel: Reel, index: int, take: Take) -> float:
    """The score of a take of clip `index`, as the help page has it."""
    look = reel.look(take)
    assert look is not None
    if not index:
        return round(change(look.first, look.last).size, 3)
    first, before = (reel.look(reel.clips[place]) for place in (0, index - 1))
    assert first is not None
    assert before is not None
    return round(change(first.mean, look.mean).size + seam_between(before, look).ratio - 1, 3)


def test_six_clips_of_three_takes_and_another_pick(comfy: Comfy) -> None:
    before = sampled(comfy)
    graph, node = chain(story(SIX), "takes", takes=3)
    text = comfy.run(graph)[node]["text"][0]
    assert "6 made" in text
    assert sampled(comfy) - before == 18
    reel = reel_of(comfy, "takes")
    assert len(reel.clips) + len(reel.spare) == 18
    for index, clip in enumerate(reel.clips):
        takes = reel.takes_of(clip)
        scores = [by_hand(reel, index, take) for take in takes]
        assert [take.score for take in takes] == scores
        assert takes.index(clip) == scores.index(min(scores))
        assert f"clip {index + 1}: take {takes.index(clip) + 1} of 3 is the best" in text
    frames = pixels(reel)

    other = (reel.clips[2].take + 1) % 3 + 1
    before = sampled(comfy)
    graph, node = chain(story(SIX, "", "", f"[pick={other}]"), "takes", takes=3)
    assert "3 kept, 3 made (clip 4, 5, 6)" in comfy.run(graph)[node]["text"][0]
    assert sampled(comfy) - before == 9
    assert reel_of(comfy, "takes").clips[:2] == reel.clips[:2]
    assert reel_of(comfy, "takes").clips[2].take == other - 1

    before = sampled(comfy)
    graph, node = chain(story(SIX), "takes", takes=3)
    assert "6 kept, 0 made" in comfy.run(graph)[node]["text"][0]
    assert sampled(comfy) == before
    assert reel_of(comfy, "takes").clips == reel.clips
    assert (pixels(reel_of(comfy, "takes")) == frames).all()


def test_a_chain_in_three_runs_is_the_chain_in_one(comfy: Comfy) -> None:
    graph, node = chain(story(SIX), "one_go")
    comfy.run(graph)
    graph, node = chain(story(SIX), "gates", clips_per_run=2)
    made = [comfy.run(graph)[node] for _ in range(3)]  # the same graph, queued again
    for index, outputs in enumerate(made):
        text = outputs["text"][0]
        assert f"2 made (clip {2 * index + 1}, {2 * index + 2})" in text
        assert (f"{2 * index + 2} of 6 clips are in the video" in text) == (index < 2)
    again = comfy.queue(graph)
    comfy.wait(again)
    assert node in comfy.cached(again)  # a chain that is whole is not run again
    assert (pixels(reel_of(comfy, "gates")) == pixels(reel_of(comfy, "one_go"))).all()


def test_a_run_waits_for_a_choice(comfy: Comfy) -> None:
    heads = ("", "[takes=2 pick=stop]")
    graph, node = chain(story(PROMPTS[:3], *heads), "wait")
    assert "clip 2 waits for you to choose" in comfy.run(graph)[node]["text"][0]
    assert len(reel_of(comfy, "wait").clips) == 2
    graph, node = chain(story(PROMPTS[:3], "", "[takes=2 pick=2]"), "wait")
    assert "2 kept, 1 made (clip 3)" in comfy.run(graph)[node]["text"][0]
    assert reel_of(comfy, "wait").clips[1].take == 1
