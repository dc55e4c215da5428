"""The part of a voice that one clip needs, for the wrapper's MultiTalk (InfiniteTalk) and HuMo.

What its sampler reads for a clip of T latents (WanVideoWrapper 088128b of 2026-05-24, nodes_sampler.py and
HuMo/nodes.py get_audio_emb_window); both count from the first entry, whatever clip it is:

- `audio_features`, one [S, blocks, channels] per speaker: for frame i of 0..4(T-1) the entries i-2..i+2, each held
  within 0..S-1.
- `humo_audio_emb` [S, 5, 1280]: for latent 0 the entries -2..2, for latent l the entries 4l-5..4l+2; entries outside of
  0..S-1 are zeros.

So a window holds the clip's frames and the LOOK_AHEAD entries after them. The two entries *before* it cannot be handed
over: frame 0 and 1 see the window's first entry (MultiTalk) or zeros (HuMo) in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..errors import SVIError
from ..ground.checks import check_choice, check_dict, check_rate
from .window import Window

VoiceEnd = Literal["silence", "hold", "error"]
VOICE_END_CHOICES: tuple[str, ...] = get_args(VoiceEnd)
VOICE_FPS = 25.0  # what MultiTalk, InfiniteTalk and HuMo are trained at; HuMo Embeds always makes this rate
LOOK_AHEAD = 2

_WAV2VEC = "Multi/InfiniteTalk Wav2vec2 Embeds"
Silence = Callable[[int], Tensor | None]


def speakers_of(multitalk_embeds: object) -> list[Tensor]:
    """The features of each speaker, [S, blocks, channels], S entries per frame of the video.

    Raises SVIError for anything the sampler would crash on, and for several speakers without masks.
    """
    embeds = check_dict("multitalk_embeds", multitalk_embeds, _WAV2VEC)
    features = embeds.get("audio_features")
    if features is None:
        sliced = "is cut to a clip already (audio_emb_slice)" if embeds.get("audio_emb_slice") is not None else "has no"
        raise SVIError(f"multitalk_embeds {sliced} audio_features: connect {_WAV2VEC}")
    speakers = list(features) if isinstance(features, (list, tuple)) else [features]
    for index, speaker in enumerate(speakers):
        name = f"audio_features of speaker {index + 1}"
        _check_features(name, speaker, _WAV2VEC)
    if not speakers:
        raise SVIError(f"multitalk_embeds has no speaker: connect {_WAV2VEC}")
    if embeds.get("audio_stride") not in (None, 1):
        raise SVIError(
            f"multitalk_embeds has {embeds['audio_stride']} audio entries per frame (LongCat's features), only one per "
            f"frame can be cut to a clip: connect {_WAV2VEC}"
        )
    if len(speakers) > 1:
        _check_masks(embeds.get("ref_target_masks"), len(speakers))
    return speakers


def _check_features(name: str, features: object, source: str) -> Tensor:
    if not isinstance(features, Tensor) or not features.is_floating_point():
        kind = features.dtype if isinstance(features, Tensor) else type(features).__name__
        raise SVIError(f"{name} must be a tensor of floats, got {kind}: connect {source}")
    if features.ndim != 3 or not features.numel():
        raise SVIError(
            f"{name} must be [frames, blocks, channels], got {list(features.shape)}: a stereo file is one speaker, and "
            f"two speakers are two inputs of {_WAV2VEC}; connect {source}"
        )
    return features


def _check_masks(masks: object, speakers: int) -> None:
    if not isinstance(masks, Tensor) or masks.ndim != 3:
        came = list(masks.shape) if isinstance(masks, Tensor) else "none"
        raise SVIError(
            f"{speakers} speakers need ref_target_masks to know whose mouth moves, got {came}: connect one MASK per "
            f"speaker, as a batch, to {_WAV2VEC}"
        )
    if len(masks) < speakers:
        raise SVIError(
            f"{speakers} speakers need as many ref_target_masks, got {len(masks)}: connect one MASK per speaker, as a "
            "batch (one more may be the background)"
        )


def voice_length(speakers: Sequence[Tensor]) -> int:
    """Frames until the last speaker ends."""
    return max(len(speaker) for speaker in speakers)


def window_multitalk(
    multitalk_embeds: Mapping[str, Any], window: Window, *, end: str = "silence", silence: Silence | None = None
) -> tuple[dict[str, Any], list[str]]:
    """MULTITALK_EMBEDS whose first entry is the window's first frame, and notes. Masks and scales stay.

    end: what comes after the voice. `silence`: what `silence` gives (n entries [n, blocks, channels]), or zeros, as the
    wrapper itself pads speakers. `hold`: the last entry. `error`: SVIError when it ends within the clip.
    The voice ends with its last speaker; one who ends before is silent until then, whatever `end` is.
    """
    speakers = speakers_of(multitalk_embeds)
    total = voice_length(speakers)
    notes = _check_end(window, total, end)
    if end != "silence":  # else the same silence fills both
        speakers = [
            speaker if len(speaker) == total
            else torch.cat([speaker, speaker.new_zeros(total - len(speaker), *speaker.shape[1:])])
            for speaker in speakers
        ]  # fmt: skip
    cut = []
    for speaker in speakers:
        quiet = _silence_like(speaker, window, silence) if end == "silence" else None
        cut.append(_cut(speaker, window, end, quiet))
    return {**multitalk_embeds, "audio_features": cut}, notes


def window_features(features: Tensor, window: Window, *, end: str) -> tuple[Tensor, list[str]]:
    """The same of one [S, blocks, channels] tensor, silence being zeros."""
    notes = _check_end(window, len(features), end)
    return _cut(features, window, end, None), notes


def _check_end(window: Window, total: int, end: str) -> list[str]:
    check_choice("end", end, VOICE_END_CHOICES)
    missing = window.missing(total)
    if not missing:
        return []
    if window.start >= total and end != "silence":
        raise SVIError(
            f"the clip begins at frame {window.start}, but the audio ends after {total}{window.enough}: use fewer "
            "clips or longer audio, or set end to silence"
        )
    if end == "error":
        raise SVIError(
            f"the clip needs audio for frames {window.start}-{window.stop - 1}, but it ends after {total}: {missing} "
            "frames are missing; use longer audio, or set end to silence or hold"
        )
    said = "are silent" if end == "silence" else "hold the last sound"
    return [f"the audio ends before the clip does: its last {missing} of {window.num_frames} frames {said}"]


def _cut(features: Tensor, window: Window, end: str, quiet: Tensor | None) -> Tensor:
    """Entries of the window and those after it that the sampler looks at; with `error` the latter only if they are."""
    wanted = window.num_frames + LOOK_AHEAD
    real = features[window.start : window.start + wanted]
    if len(real) == wanted or end == "error":
        return real
    lacking = wanted - len(real)
    if end == "hold":
        rest = features[-1:].expand(lacking, *features.shape[1:])
    else:
        rest = features.new_zeros(lacking, *features.shape[1:]) if quiet is None else quiet[:lacking].to(features)
    return torch.cat([real, rest])


def _silence_like(speaker: Tensor, window: Window, silence: Silence | None) -> Tensor | None:
    """Recorded silence for what the window lacks of a speaker, when it has the features' own shape."""
    lacking = max(0, window.start + window.num_frames + LOOK_AHEAD - max(len(speaker), window.start))
    made = silence(lacking) if silence is not None and lacking else None
    fits = made is not None and made.shape[1:] == speaker.shape[1:] and len(made) >= lacking
    return made if fits else None


def check_time_base(*, fps: float, voice_fps: float, frames: int) -> None:
    """Raises SVIError unless the video and the features have one rate. frames: of the clip, to say how far it drifts.

    The wrapper's features do not say their rate; its sampler takes one entry per frame.
    """
    check_rate("fps", fps)
    check_rate("audio_fps", voice_fps)
    if abs(fps - voice_fps) < 0.001:
        return
    drift = abs(frames / fps - frames / voice_fps)
    raise SVIError(
        f"the video has {fps:g} fps, the audio features {voice_fps:g} per second: after {frames} frames lips are "
        f"{drift:.2f} s off. Make the video at {voice_fps:g} fps, or the features at {fps:g} (fps of {_WAV2VEC}; "
        f"talk and HuMo models are trained at {VOICE_FPS:g})"
    )
