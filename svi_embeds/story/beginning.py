"""What a chain begins with: an image, or one's own video that it continues from. Which of its frames count. No torch.

A video leads a clip on latents (2.0 Pro) by its last latents, which must end where the video ends. The Wan VAE packs
1 + 4 + 4 + ... frames from the first one on and drops what is left over at the end (WanVideoWrapper,
wanvideo/wan_video_vae.py, encode), so of a length that is not 4k+1 the first frames are left out instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SVIError
from ..ground.words import counted
from ..recipes import SVI2_PRO
from ..timeline import FRAMES_PER_LATENT


def whole_frames(frames: int) -> int:
    """How many of a video's last frames fill whole latents: 4k+1, all but 3 at most."""
    return frames - (frames - 1) % FRAMES_PER_LATENT


def frames_to_encode(frames: int, *, motion_latents: int, field: int | None) -> int:
    """How many of a video's last frames give its last `motion_latents` latents as the whole video gives them.

    field: frames before a latent's own last one that it depends on, see `repeats.receptive_field`; None when that is
    not known, and then nothing but what `whole_frames` leaves out is spared. For the Wan 2.1 VAE 113 frames give the
    last latent, bit for bit, and 109 do not (seen in diffusers' VAE and in the wrapper's).
    """
    whole = whole_frames(frames)
    if field is None:
        return whole
    seen = field + FRAMES_PER_LATENT * (motion_latents - 1) + 1
    return min(whole, seen + (1 - seen) % FRAMES_PER_LATENT)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is there before clip 1.

    frames: in start_image, 0 without one. has_reference: whether ref_image is connected. skip_repeated: whether the
    video leaves out the frames of clip 1 that show what is there already.
    """

    frames: int
    has_reference: bool
    skip_repeated: bool = False

    def goes_on(self, mode: str) -> bool:
        """Whether a first clip of that mode continues from latents of a video."""
        return mode == SVI2_PRO.id and self.frames > 1

    def check_motion(self, motion: int) -> None:
        """Raises SVIError when a first clip on latents wants `motion` frames that the video does not have."""
        if motion > self.frames:
            raise SVIError(
                f"{SVI2_PRO.id} continues from whole latents, {motion} frames of a video, and start_image has "
                f"{self.frames}: connect more of the video, or one image to begin from"
            )

    def repeated(self, mode: str, motion: int) -> int:
        """First frames of clip 1 that show what is there before it, the anchor included. motion: its motion frames."""
        if mode != SVI2_PRO.id or motion:
            return motion
        return int(self.frames == 1 and not self.has_reference)  # the image is the anchor, which the clip begins with

    def left_out(self, mode: str, motion: int) -> int:
        """First frames of clip 1 that are not in the video. An anchor in front of a video's end is in none."""
        if self.skip_repeated:
            return self.repeated(mode, motion)
        return int(mode == SVI2_PRO.id and motion > 0)

    def notes(self, mode: str, motion: int) -> list[str]:
        """What of it leads clip 1, and whether the video shows it again, a sentence each."""
        notes = []
        if self.goes_on(mode):
            latents = (motion - 1) // FRAMES_PER_LATENT
            lead = counted("last", latents, "latent")
            notes.append(f"clip 1 continues from a video: {lead} of start_image lead{'s' if latents == 1 else ''} it")
            if spare := self.frames - whole_frames(self.frames):
                notes.append(
                    f"{counted('first', spare, 'frame')} of start_image {_are(spare)} left out: the others fill whole "
                    "latents (4k+1 frames), so that the last one ends with the video"
                )
            if not self.has_reference:
                notes.append("no ref_image is connected: the anchor is the first frame of start_image")
        repeated = self.repeated(mode, motion)
        anchor = int(mode == SVI2_PRO.id)
        if repeated and self.frames > 1:
            shown = f"{counted('last', repeated - anchor, 'frame')} of start_image"
            if self.skip_repeated:
                what = f"the anchor and {shown}" if anchor else shown
                left_out = counted("first", repeated, "frame")
                notes.append(f"{left_out} of clip 1 {_are(repeated)} not in the video: {what}, shown again")
            else:
                first = "clip 1 begins with the anchor, which is not in the video, and " if anchor else ""
                notes.append(f"{first}the video begins with {shown}, shown again: skip_repeated leaves that out")
        elif self.skip_repeated:
            notes.append(
                "start_image, which clip 1 begins with, is not in the video"
                if repeated
                else "skip_repeated has no effect: clip 1 begins with nothing of start_image"
            )
        return notes


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
