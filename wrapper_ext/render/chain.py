"""A chain rendered clip by clip through an engine, into a reel.

A loop, not a node expansion: memory stays flat, and what a cache would have kept, the reel keeps on disk.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from ...svi_embeds.colour.look import ClipLook, glance
from ...svi_embeds.drift.score import best_of
from ...svi_embeds.errors import SVIError
from ...svi_embeds.reel.manifest import Take
from ...svi_embeds.reel.writer import NewTake, ReelWriter
from ...svi_embeds.story.chain import ChainClip
from ...svi_embeds.story.depends import Task, leading
from ..engine.check import check_job
from ..engine.choose import engine_of
from ..engine.job import Host, Job
from ..engine.spent import Spent
from .choose import told
from .clip import ClipMaker, Conditioned
from .colour import ColourHold
from .digest import Digests
from .drift import DriftSoFar, look_of
from .facts import prints_of
from .lead import Lead, frames_of, lead_of
from .mend import MEND_LIMIT, verdict
from .now import renders
from .run import Candidate, Of, Rendered, Report, Run
from .save import Saver
from .tell import Telling


def render_chain(
    job: Job, writer: ReelWriter, host: Host, report: Report, *, resume: bool, clips_per_run: int = 0,
    mend_limit: float = MEND_LIMIT, only: Collection[Task] = (),
) -> Rendered:  # fmt: skip
    """Render what the reel does not have yet.

    resume: whether clips that are still true are taken from it. clips_per_run: how many clips are made at most, 0 for
    all; then the chain ends there, for another run to go on. mend_limit: how visible a mended clip's seams may be
    (`Seam.ratio`) for it to take the place of what stood there, 0 for any. only: the takes that are made, with those
    that lead them from the reel, whose chain stays as it is: they are spare until a whole run comes to them.
    A clip that is to be mended in a reel that has nothing there is first made as any, and mended when the chain is
    there. Raises SVIError before anything is sampled when the job does not fit together. Whatever is raised later, a
    cancel too, every clip finished until then is in the reel.
    """
    run = Run(resume, clips_per_run, mend_limit, frozenset(only))
    spent = Spent()
    renderer = _Renderer(job, writer, host, report, run, spent)
    done = renderer.run()
    if not renderer.left or done.waits or only:
        return done
    if clips_per_run:
        clip = renderer.left[0] + 1
        return replace(done, waits=f"clip {clip} is made as any so far: queue again to mend it between its neighbours")
    mending = _Renderer(job, writer, host, report, replace(run, resume=True), spent)
    mending.stood = writer.reel.clips
    mending.places = list(range(len(done.takes)))
    mended = mending.run()
    sampled = tuple(sorted({*done.sampled, *mended.sampled}))
    notes = tuple(dict.fromkeys((*done.notes, *mended.notes)))
    return replace(mended, sampled=sampled, notes=notes)


_WHOLE = Run()


class _Renderer:
    """places: by clip, where in `stood` the one is whose end leads what comes after; left: clips that could not be
    mended yet."""

    def __init__(
        self, job: Job, writer: ReelWriter, host: Host, report: Report, run: Run = _WHOLE, spent: Spent | None = None
    ) -> None:  # fmt: skip
        self.job, self.writer, self.host, self.report, self.how = job, writer, host, report, run
        self.stood = writer.reel.clips if run.resume or run.only else ()
        self.places = [clip.stands for clip in job.plan.clips]
        self.left: list[int] = []
        check_job(job)
        self.spent = spent or Spent()
        self.maker = ClipMaker(job, engine_of(job, host, self.spent), ColourHold(job, writer.folder))
        self.notes = self.maker.notes
        self.digests = Digests(job, self.maker)
        self.values = list(prints_of(job.plan, job.settings, encodes_text=self.digests.encodes_text))
        self.drift = DriftSoFar(writer.folder.name, job.sources.scene(None).reference)
        self.sampled: dict[int, None] = {}  # clips, in order
        self.tell = Telling(report, writer.folder, job.plan, self.drift, self.spent)
        asked = {task.clip for task in run.only}
        self.leading = leading(job.plan, asked)
        self.walked = [clip for clip in job.plan.clips if not asked or clip.index in self.leading | asked]

    def run(self) -> Rendered:
        try:
            return self._run()
        finally:
            renders(self.writer.folder, None)

    def _run(self) -> Rendered:
        last, waits, at = Lead(None, None), "", 0
        with Saver(self.writer, keeps_chain=bool(self.how.only)) as saver:
            for row in self.walked:
                self.host.stop_if_cancelled()
                there = self._there(row)
                clip = row if there else replace(row, mend=None)
                lead = last if clip.follows else self._lead(clip, saver)
                end = None if there is None else lead_of(self.writer.reel, there, there.end)
                found = self._takes(clip, lead, end, saver)
                if not found and (waits := self._ends_before(clip, there)):
                    break
                if found:
                    chosen, waits = self._choose(clip, found)
                if there and end and (not found or self._is_worse(clip, chosen, there, saver)):
                    saver.keep(there)
                    chosen = Candidate(there.digest, end, look_of(self.writer.reel, there), there.score)
                last, at = chosen.lead, clip.index
                saver.go_on(clip.index, chosen.digest)
                self.drift.add(clip, chosen.look, frames_of(last))
                if clip.index in self.sampled:
                    done = clip.index + 1, len(self.job.plan.clips)
                    self.report.clip(*done)
                    saver.later(
                        partial(self.report.picture, *done, partial(self.tell.picture, len(self.drift.looks), last))
                    )
                if waits:
                    break
            self.report.text("saving")
            takes = saver.takes()
        if not self.how.only:
            self.writer.set_chain(takes)
            if self.sampled:  # what is kept as it was has a video
                self.tell.settled(takes)
        frames = frames_of(last)[-self.job.plan.motion_after(at)[0] :]
        return Rendered(
            tuple(takes),
            tuple(self.sampled),
            frames,
            tuple(self.notes),
            waits,
            len(self.spent.takes),
            self.spent.describe(),
        )

    def _may_make(self, task: Task) -> bool:
        if self.how.only:
            return task in self.how.only
        limit = self.how.clips_per_run
        return not limit or task.clip in self.sampled or len(self.sampled) < limit

    def _ends_before(self, clip: ChainClip, there: Take | None) -> str:
        """Why the chain ends before a clip that had to be made and must not be; "" where it goes on from what stands
        there. Raises SVIError where it cannot."""
        if self.how.only and there:
            return ""
        if self.how.only:
            raise SVIError(
                f"clip {clip.index + 1} leads what is to be made (only), and reel {self.writer.folder.name} does not "
                "have it as the story says, with all its takes: make it first, or leave only empty"
            )
        return f"clips_per_run is {self.how.clips_per_run}: queue again to continue with clip {clip.index + 1}"

    def _lead(self, clip: ChainClip, saver: Saver) -> Lead:
        """What leads a clip that does not go on from the one before: an image, or the end of an earlier clip."""
        if clip.led_by is None:
            return Lead(self.job.sources.scene(clip.start_image).start_image, None)
        return lead_of(self.writer.reel, saver.take_of(clip.led_by))

    def _takes(self, clip: ChainClip, lead: Lead, end: Lead | None, saver: Saver) -> list[Candidate]:
        """All takes of a clip, kept or made. end: what it is mended to.

        Empty when one had to be made and must not be. Of a clip of which some takes are asked for, and which leads
        nothing, those that are there.
        """
        found: list[Candidate] = []
        led_by = "" if clip.led_by is None else saver.digest_of(clip.led_by)
        first, conditioned = "", None
        for number in range(clip.takes):
            this = clip.take(number)
            digest = self.digests.of(this, lead, end)
            first = first or digest
            self.host.stop_if_cancelled()
            may_make = self._may_make(Task(clip.index, number))
            kept = self._kept(this, digest) if self.how.resume or not may_make else None
            if kept is None and not may_make:
                if self.how.only and clip.index not in self.leading:
                    continue
                return []
            of = Of(number, first if number else "", led_by)
            if kept is None:
                self.tell.now(this, "sampling", number)
                started = time.monotonic()
                if conditioned is None:
                    conditioned = self.maker.condition(clip, lead, end)
                    self.host.free_memory()
                found.append(self._render(this, lead, conditioned, digest, of, saver, started))
                self.sampled[clip.index] = None
                continue
            saver.begin()
            self.tell.now(this, "kept", number)
            # What the video leaves out of it decides nothing of the clip itself.
            take = replace(
                kept[0], values=self.values[clip.index], overlap=clip.overlap_frames, of=of.first, take=of.number,
                led_by=led_by, number=clip.number, follows=clip.follows or not clip.index,
            )  # fmt: skip
            left, look = kept[1], look_of(self.writer.reel, take)
            score = self._score(clip, look, take.landing)
            saver.keep(replace(take, score=score))
            found.append(Candidate(digest, left, look, score, self._worst_seam(clip, look, take.landing)))
        return found

    def _choose(self, clip: ChainClip, found: list[Candidate]) -> tuple[Candidate, str]:
        """The take that the chain goes on from, and why the run ends there, "" when it does not."""
        if self.how.only and clip.index not in self.leading:
            return found[best_of([take.score for take in found])], ""
        picked = told(clip, found, self.writer.reel.picked)
        if picked is not None:
            return picked, ""
        best = best_of([take.score for take in found])
        if clip.takes > 1:
            scores = ", ".join("?" if take.score is None else f"{take.score:.2f}" for take in found)
            self.notes.append(f"clip {clip.index + 1}: take {best + 1} of {len(found)} is the best (scores {scores})")
        if clip.pick == "stop" and clip.index + 1 < len(self.job.plan.clips):
            waits = (
                f"clip {clip.index + 1} waits for you to choose: write [pick=1] (or another number) in its block, or "
                f'wanvideo-svi reel pick "{self.writer.folder.name}" {clip.index + 1} 1'
            )
            if self.how.only:
                raise SVIError(waits)
            return found[best], waits
        return found[best], ""

    def _there(self, clip: ChainClip) -> Take | None:
        """The take whose end a clip is to be mended to; None for a clip that goes where it will."""
        if clip.mend is None:
            return None
        place = self.places[clip.index] if clip.index < len(self.places) else None
        if place is None or place >= len(self.stood):
            self.left.append(clip.index)
            return None
        return self.stood[place]

    def _is_worse(self, clip: ChainClip, chosen: Candidate, there: Take, saver: Saver) -> bool:
        """Whether a mended clip does not take the place of what stood there, which then stays. Says so."""
        if chosen.seam is None:
            return False
        is_alone = clip.led_by is None or there.led_by in ("", saver.digest_of(clip.led_by))
        may_stay = is_alone and there.digest != chosen.digest
        is_worse, note = verdict(clip, chosen.seam, self.how.mend_limit, may_stay=may_stay)
        self.notes.append(note)
        return is_worse

    def _kept(self, clip: ChainClip, digest: str) -> tuple[Take, Lead] | None:
        """The clip's take and what it leaves for the next, if the reel has it whole."""
        take = self.writer.find(digest)
        if take is None:
            return None
        frames, latents = self.job.plan.motion_after(clip.index)
        if take.tail_frames < frames or take.tail_latents < latents:
            wanted = f"{frames} of its last frames" + (f" and {latents} of its latents" if latents else "")
            self.notes.append(
                f"clip {clip.index + 1} was made again: a clip that it leads needs {wanted}, less was kept"
            )
            return None
        try:
            return take, lead_of(self.writer.reel, take)
        except SVIError:  # damaged in a way that its size and time do not show
            return None

    # One take

    def _render(
        self, take: ChainClip, lead: Lead, conditioned: Conditioned, digest: str, of: Of, saver: Saver, started: float
    ) -> Candidate:
        saver.begin()
        if not self.how.only:
            saver.later(lambda: self.tell.settled(saver.settled()))
            if take.index + 1 < len(self.job.plan.clips):
                saver.later(partial(self.digests.read_ahead, take.index + 1))
        made = self.maker.make(take, conditioned, saver.take_of)
        leads, landing = made.leads, made.landing
        before = None if take.led_by is None else frames_of(lead)[-1]
        seen: Future[ClipLook] = Future()

        def tell(new: NewTake) -> NewTake:
            """Looks at the frames and scores them: 0.1 s of a clip that the next one need not wait for."""
            try:
                found = glance(new.images[take.overlap_frames :], before)
                score = self._score(take, found, landing)
            except BaseException as error:
                seen.set_exception(error)
                raise
            seen.set_result(found)
            return replace(new, look=found, score=score)

        new = NewTake(
            digest=digest, images=made.images, overlap=take.overlap_frames, tail=frames_of(leads),
            latents=leads.latents, space=leads.space, prompt=take.prompt, seed=take.seed, mode=take.mode,
            seconds=time.monotonic() - started,
            values=self.values[take.index], of=of.first, take=of.number, led_by=of.led_by, number=take.number,
            follows=take.follows or not take.index, landing=landing,
            ends_as="" if conditioned.end is None else conditioned.end.of,
        )  # fmt: skip
        look: ClipLook | Future[ClipLook] = seen
        score = seam = None
        if take.takes > 1 or conditioned.end is not None:  # it is chosen by them
            new = tell(new)
            look, score = seen.result(), new.score
            seam = self._worst_seam(take, look, landing)
        if new.look is None and not self.how.only and take.index == self.job.plan.clips[-1].index:
            saver.later(partial(self.tell.last, take, digest, made.images))
        saver.add(new, tell if new.look is None else None)
        del made, new
        self.host.free_memory()
        self.spent.takes.append(time.monotonic() - started)
        return Candidate(digest, leads, look, score, seam)

    def _worst_seam(self, clip: ChainClip, look: ClipLook | None, landing: float | None) -> float | None:
        """The more visible one of a mended clip's two, None for any other."""
        if landing is None:
            return None
        return landing if look is None else max(landing, self.drift.seam(clip, look))

    def _score(self, clip: ChainClip, look: ClipLook | None, landing: float | None) -> float | None:
        """Of a mended clip the seam at its end counts too."""
        found = self.drift.score(clip, look)
        return found if found is None or landing is None else round(found + landing - 1, 3)
