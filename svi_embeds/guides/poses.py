"""The part of a dance that one clip needs, for the wrapper's UniAnimate.

What its sampler does with `pose` [1, 3, F, H, W] (WanVideoWrapper 088128b of 2026-05-24, nodes_sampler.py and
unianimate/nodes.py): pose 0 is put in front three times more, and two strides of 2 make one entry of each latent, so
that latent 0 has pose 0 and latent l the poses 4l-3..4l, whatever clip it is. What is too long is cut; what is too
short is filled with the **first** entry (its log says the last). H and W become tokens by 16 and must be the clip's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ..clips.vae import FACTOR, latent_size
from ..errors import SVIError
from ..ground.checks import check_choice, check_dict
from ..ground.images import check_finite, check_images
from .window import Window

PoseEnd = Literal["hold", "error"]
POSE_END_CHOICES: tuple[str, ...] = get_args(PoseEnd)
_TIME = 2  # axis of pose: 1 3 F H W
_SOURCE = "WanVideo UniAnimate Pose Input"


def pose_of(unianimate_poses: object) -> Tensor:
    """The pose pictures, 1 3 F H W in 0..1. Raises SVIError for anything that the sampler would crash on."""
    poses = check_dict("unianimate_poses", unianimate_poses, _SOURCE)
    missing = [key for key in ("pose", "strength", "start_percent", "end_percent") if poses.get(key) is None]
    if missing:
        raise SVIError(f"unianimate_poses lacks {', '.join(missing)}: connect {_SOURCE}")
    pose = poses["pose"]
    fits = isinstance(pose, Tensor) and pose.ndim == 5 and pose.shape[:2] == (1, 3) and pose.shape[_TIME] > 0
    if not isinstance(pose, Tensor) or not fits or not pose.is_floating_point():
        came = f"{pose.dtype} {list(pose.shape)}" if isinstance(pose, Tensor) else type(pose).__name__
        raise SVIError(f"the poses must be floats [1, 3, frames, H, W], got {came}: connect {_SOURCE}")
    return pose


def pose_length(pose: Tensor) -> int:
    """Frames of the pose video; pose: 1 3 F H W."""
    return int(pose.shape[_TIME])


def window_poses(
    unianimate_poses: Mapping[str, Any], window: Window, *, width: int, height: int, end: str = "hold"
) -> tuple[dict[str, Any], list[str]]:
    """UNIANIMATE_POSE with exactly the window's poses, and notes. The reference pose and percents stay.

    width, height: pixels of the clip. end: what follows the last pose: `hold` keeps it, `error` raises SVIError.
    """
    pose = pose_of(unianimate_poses)
    check_pose_size("the poses", pose.shape[4], pose.shape[3], width=width, height=height)
    index, notes = _index(window, pose_length(pose), end)
    if unianimate_poses.get("ref") is not None:
        notes.append(
            "a reference pose is connected: SVI-dance was made without one, leave reference_pose_image unconnected"
        )
    return {**unianimate_poses, "pose": _take(pose, index, _TIME)}, notes


def window_pose_images(
    pose_images: Tensor, window: Window, *, width: int, height: int, end: str = "hold"
) -> tuple[Tensor, list[str]]:
    """The same of pose pictures as IMAGE: F H W 3 in 0..1."""
    images, said = check_images("pose_images", pose_images)
    check_pose_size("pose_images", images.shape[2], images.shape[1], width=width, height=height)
    index, notes = _index(window, len(images), end)
    taken = _take(images, index, 0)
    check_finite("pose_images", taken)
    return taken, said + notes


def check_pose_size(what: str, pose_width: int, pose_height: int, *, width: int, height: int) -> None:
    """Raises SVIError unless poses have the clip's size."""
    latent_size(FACTOR, width=width, height=height)
    if (pose_width, pose_height) != (width, height):
        raise SVIError(
            f"{what} are {pose_width}x{pose_height}, the clip is {width}x{height}: they must be the same, since the "
            f"model adds them token by token; resize the pose video to {width}x{height} before the poses are drawn"
        )


def _index(window: Window, total: int, end: str) -> tuple[Tensor | slice, list[str]]:
    check_choice("end", end, POSE_END_CHOICES)
    if window.start >= total:
        raise SVIError(
            f"the clip begins at frame {window.start}, but there are {total} poses{window.enough}: use fewer clips or "
            "a longer pose video"
        )
    missing = window.missing(total)
    if not missing:
        return slice(window.start, window.stop), []
    if end == "error":
        raise SVIError(
            f"the clip needs poses {window.start}-{window.stop - 1}, but there are {total}: {missing} are missing; use "
            "a longer pose video or a shorter clip, or set end to hold"
        )
    held = torch.arange(window.start, window.stop).clamp(max=total - 1)
    return held, [f"the poses end before the clip does: the last one is held for {missing} frames"]


def _take(tensor: Tensor, index: Tensor | slice, axis: int) -> Tensor:
    if isinstance(index, slice):
        return tensor.narrow(axis, index.start, index.stop - index.start)
    return tensor.index_select(axis, index.to(tensor.device))
