"""ComfyUI's own VAE behind the wrapper's interface."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import TraceVAE, custom_clip, frames, pixel_clip
from native_vae import NativeVAE
from wanvideo_svi.svi_embeds import ComfyVAE, as_wan_vae
from wanvideo_svi.svi_embeds.clips.latent_space import to_wrapper
from wanvideo_svi.svi_embeds.clips.repeats import receptive_field
from wanvideo_svi.svi_embeds.clips.vae import check_vae
from wanvideo_svi.svi_embeds.errors import SVIError
from wanvideo_svi.svi_embeds.ground.images import to_video

CPU = torch.device("cpu")
CLIP = {"mode": "film", "width": 64, "height": 64, "num_frames": 17}


@pytest.mark.parametrize(("channels", "factor"), [(16, 8), (48, 16)])
def test_latents_are_those_of_the_vae_in_the_wrappers_space(channels: int, factor: int) -> None:
    inner, images = NativeVAE(channels=channels), frames(17)
    vae = ComfyVAE(inner)
    assert check_vae(vae) is vae
    assert vae.upsampling_factor == factor
    encoded = vae.encode([to_video(images)], CPU)
    raw = NativeVAE(channels=channels).encode(images)
    assert torch.equal(encoded[0], to_wrapper(raw[0]))
    (kept,) = vae.take_raw()
    assert torch.equal(kept, raw[0])
    assert vae.take_raw() == []


def test_pixels_reach_the_model_with_the_bits_and_the_layout_of_an_image() -> None:
    """(x + 1) / 2 and back would lose bits, and kernels are picked by how frames lie in memory."""
    images = frames(5)
    theirs, ours = NativeVAE(), NativeVAE()
    theirs.encode(images)
    ComfyVAE(ours).encode([to_video(images).contiguous()], CPU)
    assert torch.equal(ours.pixels[0], theirs.pixels[0])
    assert ours.pixels[0].stride() == theirs.pixels[0].stride()


def test_the_vae_itself_is_never_changed_and_nothing_keeps_a_copy_of_it() -> None:
    inner = NativeVAE()
    before = dict(vars(inner))
    video = to_video(frames(5))
    gc.collect()
    gc.disable()
    try:
        ComfyVAE(inner).encode([video], CPU)
        ComfyVAE(inner).encode([video], CPU, tiled=True)
        assert {key: value for key, value in vars(inner).items() if key not in ("calls", "pixels")} == {
            key: value for key, value in before.items() if key not in ("calls", "pixels")
        }
        gone = weakref.ref(inner)
        del inner, before
        assert gone() is None, "what holds it would hold its weights until garbage is looked for"
    finally:
        gc.enable()


def test_tiles_are_those_of_comfyuis_own_retry() -> None:
    inner = NativeVAE()
    vae = ComfyVAE(inner)
    tiled = vae.encode([to_video(frames(5))], CPU, tiled=True)
    assert inner.calls == [{"tile_x": 256, "tile_y": 256, "overlap": 64}]
    assert vae.take_notes() == []
    failing = ComfyVAE(NativeVAE(fails=True))
    assert torch.equal(failing.encode([to_video(frames(5))], CPU), tiled)
    assert [note[:15] for note in failing.take_notes()] == ["memory ran out,"]


def test_a_retry_in_tiles_is_said_in_the_clips_info() -> None:
    said = "- memory ran out, so ComfyUI's VAE encoded in tiles by itself"
    for fails in (False, True):
        vae = as_wan_vae(NativeVAE(fails=fails))
        clip = pixel_clip(vae, start_image=frames(5), **CLIP)
        assert (said in clip.info) is fails
        custom = custom_clip(vae, width=64, height=64, length=17, start_image=frames(5))
        assert (said in custom.info) is fails


def test_an_end_apart_is_a_frame_alone() -> None:
    images = frames(18)
    encoded = ComfyVAE(NativeVAE()).encode([to_video(images)], CPU, end_=True)
    whole = torch.cat([NativeVAE().encode(images[:-1]), NativeVAE().encode(images[-1:])], dim=2)
    assert torch.equal(encoded[0], to_wrapper(whole[0]))


def test_every_frame_is_encoded_where_the_wrappers_vae_would_repeat() -> None:
    assert receptive_field(as_wan_vae(NativeVAE())) is None
    inner = NativeVAE()
    pixel_clip(as_wan_vae(inner), start_image=frames(5), **{**CLIP, "num_frames": 161})
    assert [each.shape[2] for each in inner.pixels] == [161]


def test_other_vaes_pass_through_and_those_of_other_models_are_refused() -> None:
    trace = TraceVAE()
    assert as_wan_vae(trace) is trace
    assert as_wan_vae(None) is None

    class AutoencodingEngine(torch.nn.Module): ...

    class TAEHV(torch.nn.Module): ...

    cases: list[tuple[Any, str]] = [
        (NativeVAE(channels=4), "got ComfyUI's WanVAE with 4 channels: load Wan's"),
        (NativeVAE(model=AutoencodingEngine()), "got ComfyUI's AutoencodingEngine with 16 channels: load Wan's"),
        (NativeVAE(model=TAEHV()), "TAEHV with 16 channels: a tiny VAE only decodes well enough"),
        (SimpleNamespace(first_stage_model=None, process_input=None), "vae holds no VAE"),
    ]
    for vae, says in cases:
        with pytest.raises(SVIError, match=says):
            as_wan_vae(vae)


def test_a_vae_that_takes_frames_for_a_batch_is_found_out() -> None:
    inner = NativeVAE()
    inner.encode = lambda pixels: torch.zeros(len(pixels), 16, 1, 8, 8)  # type: ignore[method-assign]
    with pytest.raises(SVIError, match=r"gave latents \[17, 16, 1, 8, 8\], expected \[1, C, T, h, w\]: is it Wan's"):
        pixel_clip(as_wan_vae(inner), start_image=frames(5), **CLIP)
