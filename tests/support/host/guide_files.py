"""A voice and a dance as files, and the picture that graphs load."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from wanvideo_svi.svi_embeds.files.video import FORMATS, write_video


def write_guides(folder: Path) -> None:
    """A voice of 60 frames at 25 fps, and a dance of 52."""
    tone = (np.sin(np.arange(38_400) * 0.05) * 8000).astype("<i2")
    with wave.open(str(folder / "voice.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    (folder / "dance.mp4").unlink(missing_ok=True)
    frames = (np.full((96, 128, 3), 4 * index, np.uint8) for index in range(52))
    write_video(folder / "dance.mp4", frames, width=128, height=96, fps=25, video_format=FORMATS["h264"])
