"""What of an `image_embeds` dict a native model takes, what no native node can be given, and the raw latents in it.

Keys are those that the wrapper's sampler reads (WanVideoWrapper, nodes_sampler.py, WanVideoSampler.process).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch import Tensor

from ..errors import SVIError
from ..ground.tensors import all_finite
from ..timeline import latent_count
from .embeds import ImageEmbeds, check_embeds, is_end_apart, svi_record_of
from .latent_space import VAE_CHANNELS

# What other nodes of the wrapper put into embeds, and where it comes from natively. "" where it comes from nowhere.
_OF_OTHERS = {
    "humo_audio_emb": "HuMo's voice, natively of WanHuMoImageToVideo",
    "phantom_latents": "Phantom's references, natively of WanPhantomSubjectToVideo",
    "vace_context": "VACE's control, natively of WanVaceToVideo",
    "multitalk_embeds": "a voice of InfiniteTalk, natively of WanInfiniteTalkToVideo",
    "multitalk_sampling": "the window of InfiniteTalk, natively of WanInfiniteTalkToVideo",
    "audio_embeds": "the sound of S2V, natively of WanSoundImageToVideo",
    "pose_latents": "poses of Wan Animate, natively of WanAnimateToVideo",
    "face_pixels": "a face of Wan Animate, natively of WanAnimateToVideo",
    "extra_latents": "clean latents (Pusa), natively a LATENT with a noise mask (Set Latent Noise Mask)",
    "pusa_noise_multipliers": "Pusa's noise",
    "add_cond_latents": "additional condition latents",
    "story_mem_latents": "StoryMem's latents",
    "drop_last": "a last latent that only the wrapper's decode drops",
    **dict.fromkeys(
        (
            "recammaster", "mocha_embeds", "portrait_embeds", "minimax_latents", "mtv_crafter_motion", "standin_input",
            "lynx_embeds", "scail_embeds", "one_to_all_embeds", "sdancer_embeds", "wanmove_embeds", "dual_control",
            "extra_channel_latents", "flashvsr_LQ_images", "longcat_avatar_options", "qwenvl_embeds_pos",
            "foreground_latents", "background_latents", "ttm_reference_latents", "ref_latent",
        ),
        "",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class NativeParts:
    """What of embeds a native model takes; all but `embeds` in the wrapper's space and not changed yet.

    known: the packed mask, 4 T h w. in_front: latents in front of the clip, sampled and then dropped. behind: the same
    behind it (an end apart).
    control: C T h w, which stands before the mask. reference: B C h w, of Fun models. left_out: keys of other packs.
    """

    embeds: ImageEmbeds
    known: Tensor
    in_front: int
    behind: int
    control: Tensor | None
    reference: Tensor | None
    clip_vision: Tensor | None
    negative_clip_vision: Tensor | None
    left_out: tuple[str, ...]


def native_parts(embeds: object) -> NativeParts:
    """Take image-to-video embeds apart. Raises SVIError for what native models cannot be given."""
    checked = check_embeds(embeds)
    for key, said in _OF_OTHERS.items():
        if _is_there(checked.get(key)):
            raise SVIError(
                f"image_embeds hold {key} ({said or 'which no native node takes in this way'}): To Native carries "
                "images, masks, control and CLIP vision alone; take out the node that adds it"
                + (" and use the native one" if ", natively " in said else "")
            )
    control, reference = _control(checked)
    known = ImageEmbeds.__required_keys__ | ImageEmbeds.__optional_keys__ | {"target_shape"}
    return NativeParts(
        embeds=checked,
        known=checked["mask"],
        in_front=_in_front(checked),
        behind=int(is_end_apart(checked)),
        control=control,
        reference=reference,
        clip_vision=_vision("clip_context", checked.get("clip_context")),
        negative_clip_vision=_vision("negative_clip_context", checked.get("negative_clip_context")),
        left_out=tuple(str(key) for key in checked if key not in known and _is_there(checked.get(key))),
    )


def put_native_sources(embeds: ImageEmbeds, raw: list[Tensor]) -> ImageEmbeds:
    """The same embeds with raw latents C n h w that they were made of, or without any; the given ones stay."""
    rest = {key: value for key, value in embeds.items() if key != "svi_native"}
    return cast(ImageEmbeds, {**rest, "svi_native": raw} if raw else rest)


def native_sources_of(embeds: Mapping[str, Any]) -> list[Tensor]:
    """Raw latents C n h w that embeds were made of, those that read as such; anything else there is passed over."""
    given, size = embeds.get("svi_native"), embeds["image_embeds"].shape
    return [
        raw
        for raw in (given if isinstance(given, list) else [])
        if isinstance(raw, Tensor)
        and raw.is_floating_point()
        and raw.element_size() > 1
        and raw.ndim == 4
        and raw.shape[0] in VAE_CHANNELS
        and raw.shape[2:] == size[2:]
    ]


def _is_there(value: object) -> bool:
    """Whether something was put under a key: a tensor of any values, a number but 0, text, a list that is not empty."""
    return True if isinstance(value, Tensor) else bool(value)


def _in_front(embeds: ImageEmbeds) -> int:
    """Latents in front of the clip; where this pack's record does not tell, one, as the wrapper's decode drops one."""
    if not embeds.get("has_ref"):
        return 0
    record = svi_record_of(embeds)
    frames = record.get("concat_mask") if record is not None else None
    if not isinstance(frames, list):
        return 1
    own = (len(frames) - is_end_apart(embeds) - 1) // 4 + 1
    return max(1, latent_count(embeds["num_frames"]) - own)


def _control(embeds: ImageEmbeds) -> tuple[Tensor | None, Tensor | None]:
    """Control latents and the reference of Fun models."""
    signal: Any = embeds.get("control_embeds")
    if signal is None:
        return None, None
    if not isinstance(signal, Mapping):
        raise SVIError(f"control_embeds of image_embeds must be a dict, got {type(signal).__name__}")
    if _is_there(signal.get("control_camera_latents")):
        raise SVIError(
            "control_embeds hold a camera's path, which native models take as camera_conditions: make it with "
            "WanCameraEmbedding and WanCameraImageToVideo"
        )
    start, end = signal.get("start_percent", 0.0), signal.get("end_percent", 1.0)
    if (start, end) != (0.0, 1.0):
        raise SVIError(
            f"control_embeds act from {start} to {end} of the steps, a native model's control acts in all of them: set "
            "them to 0 and 1"
        )
    control, reference = signal.get("control_images"), signal.get("fun_ref_image")
    latents = embeds["image_embeds"]
    if control is not None and (not _is_floats(control) or control.shape != latents.shape):
        raise SVIError(
            f"the control latents are {_shape(control)}, the clip's {list(latents.shape)}: both must be alike (extra "
            "latents and an end apart leave no place for control)"
        )
    if reference is not None and not (_is_floats(reference) and reference.ndim == 4 and _fits(reference, latents)):
        raise SVIError(
            f"fun_ref_image of control_embeds is {_shape(reference)}, expected [1, {latents.shape[0]}, "
            f"{latents.shape[2]}, {latents.shape[3]}]: encode the reference with the clip's VAE at its size"
        )
    return control, reference


def _fits(reference: Tensor, latents: Tensor) -> bool:
    return reference.shape[1] == latents.shape[0] and reference.shape[2:] == latents.shape[2:]


def _vision(name: str, features: object) -> Tensor | None:
    if features is None:
        return None
    if not isinstance(features, Tensor) or not _is_floats(features) or features.ndim != 3:
        raise SVIError(f"{name} of image_embeds must be [1, tokens, width], got {_shape(features)}")
    return features


def _is_floats(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.element_size() > 1 and all_finite(value)


def _shape(value: object) -> str:
    return str(list(value.shape)) if isinstance(value, Tensor) else type(value).__name__
