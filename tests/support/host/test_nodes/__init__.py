"""Nodes for tests in a real host: make inputs, stand in for CLIP vision, and write out what flows through a wire."""

import hashlib
import json
import sys
import types
from pathlib import Path

import folder_paths
import torch
from safetensors.torch import save_file

from .differential import SVITestDifferential
from .lora_names import SVITestLoraNames
from .native import NODES as NATIVE_NODES


class AnyType(str):
    def __ne__(self, other):
        return False


class SVITestDump:
    """Writes any value to output/<name>.safetensors: tensors by path, everything else as JSON in the metadata."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"value": (AnyType("*"),), "name": ("STRING", {})}})
    VALIDATE_INPUTS = classmethod(lambda cls, input_types: True)
    RETURN_TYPES = ()
    FUNCTION = "dump"
    OUTPUT_NODE = True
    CATEGORY = "svi_test"

    def dump(self, value, name):
        tensors, plain = {}, {}

        def walk(item, path):
            if isinstance(item, torch.Tensor):
                tensors[path] = item.detach().cpu().contiguous().clone()
            elif isinstance(item, dict) or (isinstance(item, list) and item and isinstance(item[0], torch.Tensor)):
                for key, inner in item.items() if isinstance(item, dict) else enumerate(item):
                    walk(inner, f"{path}/{key}" if path else str(key))
            else:
                plain[path] = item if isinstance(item, (bool, int, float, str, list, type(None))) else repr(item)

        walk(value, "")
        target = Path(folder_paths.get_output_directory()) / f"{name}.safetensors"
        save_file({key or "value": tensor for key, tensor in tensors.items()}, target, {"plain": json.dumps(plain)})
        return {"ui": {"dump": [target.name]}}


class SVITestImages:
    """Seeded random frames, F H W channels."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "frames": ("INT", {"default": 1}),
                "width": ("INT", {"default": 64}),
                "height": ("INT", {"default": 64}),
                "seed": ("INT", {"default": 0}),
                "channels": ("INT", {"default": 3}),
            }
        }
    )
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, frames, width, height, seed, channels):
        generator = torch.Generator().manual_seed(seed)
        return (torch.rand(frames, height, width, channels, generator=generator),)


class SVITestMask:
    """A MASK of 4x4 pixels from one value per frame."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"values": ("STRING", {"default": "1"})}})
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, values):
        column = torch.tensor([float(v) for v in values.split(",")])
        return (column[:, None, None].expand(-1, 4, 4).contiguous(),)


class SimpleMath:
    """Of ComfyUI_essentials, for graphs that take a number off a count: a - 5."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"value": ("STRING", {"default": ""})}, "optional": {"a": (AnyType("*"),)}}
    )
    RETURN_TYPES = ("INT", "FLOAT")
    FUNCTION = "execute"
    CATEGORY = "svi_test"

    def execute(self, value, a=0):
        name, minus, number = value.split()
        assert (name, minus) == ("a", "-"), value
        return (int(a) - int(number), float(a) - float(number))


class SVITestRegion:
    """A MASK of one frame, white in its left part and in a corner."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"height": ("INT", {"default": 8}), "width": ("INT", {"default": 8})}}
    )
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, height, width):
        mask = torch.zeros(1, height, width)
        mask[:, :, : width // 3] = 1
        mask[:, height // 2 :, -2:] = 1
        return (mask,)


class SVITestLatent:
    """Seeded random latents; axes 4 leaves out the time axis, as LATENTs of images do."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "count": ("INT", {"default": 1}),
                "channels": ("INT", {"default": 16}),
                "height": ("INT", {"default": 8}),
                "width": ("INT", {"default": 8}),
                "batch": ("INT", {"default": 1}),
                "seed": ("INT", {"default": 0}),
                "dtype": ("STRING", {"default": "float32"}),
                "axes": ("INT", {"default": 5}),
            }
        }
    )
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, count, channels, height, width, batch, seed, dtype, axes):
        generator = torch.Generator().manual_seed(seed)
        samples = torch.randn(batch, channels, count, height, width, generator=generator).to(getattr(torch, dtype))
        return ({"samples": samples[:, :, 0] if axes == 4 else samples},)


class SVITestJoinLatents:
    """Latents start to stop of one LATENT, then those of another."""

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "first": ("LATENT",),
                "first_stop": ("INT", {"default": 1}),
                "second": ("LATENT",),
                "second_start": ("INT", {"default": 0}),
                "second_stop": ("INT", {"default": 1}),
            }
        }
    )
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, first, first_stop, second, second_start, second_stop):
        parts = [first["samples"][:, :, :first_stop], second["samples"][:, :, second_start:second_stop]]
        return ({"samples": torch.cat(parts, dim=2)},)


class SVITestNumber:
    """An INT as a tensor, which SVITestDump writes."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"value": ("INT", {"default": 0})}})
    RETURN_TYPES = ("MASK",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, value):
        return (torch.tensor([float(value)]),)


class SVITestEmbedsToLatent:
    """The conditioning latents of image_embeds as a LATENT."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"image_embeds": ("WANVIDIMAGE_EMBEDS",)}})
    RETURN_TYPES = ("LATENT",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, image_embeds):
        return ({"samples": image_embeds["image_embeds"][None]},)


class SVITestChangeEmbeds:
    """The same embeds without some of their keys."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"image_embeds": ("WANVIDIMAGE_EMBEDS",), "drop": ("STRING", {"default": ""})}}
    )
    RETURN_TYPES = ("WANVIDIMAGE_EMBEDS",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, image_embeds, drop):
        return ({key: value for key, value in image_embeds.items() if key not in drop.split(",")},)


def loaded_module(ending):
    """A module of another pack in this ComfyUI, whatever name it was loaded under."""
    return next(module for name, module in list(sys.modules.items()) if name.endswith(ending))


class SVITestSchedules:
    """Every scheduler of the wrapper over steps and shifts: its own sigmas beside what this pack makes of them."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"scheduler": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("STRING",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, scheduler):
        theirs = loaded_module(".wanvideo.schedulers")
        ours, host = loaded_module(".svi_embeds.pair.sigmas"), loaded_module(".wrapper_ext.host.nodes")
        cpu, rows = torch.device("cpu"), []

        def timesteps(steps, start, end, shift):
            made = theirs.get_scheduler(scheduler, steps, start, end, shift, cpu)
            return made[0], made[1].tolist()

        for steps in range(4, 51):
            for shift in range(1, 13):
                try:
                    made, every = timesteps(steps, 0, -1, shift)
                except Exception as error:
                    rows.append(
                        {
                            "steps": steps,
                            "shift": shift,
                            "host": str(error),
                            "ours": self.refusal(host.sigmas, scheduler, steps, shift),
                        }
                    )
                    continue
                raw = made.full_sigmas[: len(every)].float()
                row = {"steps": steps, "shift": shift, "run": len(every), "raw": raw.tolist()}
                asked = host.sigmas(scheduler, steps, shift)
                row["asked_equals_host"] = torch.equal(asked, ours.noise_levels(scheduler, raw))
                try:
                    row["computed_equals_host"] = torch.equal(ours.sigmas_of(scheduler, steps, shift), asked)
                except ValueError:
                    row["computed_equals_host"] = None
                for boundary in (0.875, 0.9):
                    split = ours.count_high(asked, boundary)
                    row[str(boundary)] = split
                    if 0 < split < len(every):
                        parts = timesteps(steps, 0, split, shift)[1] + timesteps(steps, split, -1, shift)[1]
                        row[f"once {boundary}"] = parts == every
                rows.append(row)
        return (json.dumps(rows),)

    @staticmethod
    def refusal(function, *values):
        try:
            function(*values)
        except ValueError as error:
            return str(error)
        return ""


class _TinyVision(torch.nn.Module):
    """Maps an image to [B, 257, 1280] as CLIP ViT-H does, by a fixed random projection."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.randn(3 * 4, 1280, generator=torch.Generator().manual_seed(7)) * 0.1)

    def forward(self, pixels):
        patches = torch.nn.functional.adaptive_avg_pool2d(pixels, (32, 32)).unfold(2, 2, 2).unfold(3, 2, 2)
        tokens = patches.permute(0, 2, 3, 1, 4, 5).reshape(len(pixels), 256, 12) @ self.weight
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)


class _ClipVision:
    def __init__(self):
        self.model = _TinyVision()

    def visual(self, pixels):
        return self.model(pixels)


class SVITestClipVision:
    """A CLIP_VISION small enough for a test: the host's encode node runs on it as it is."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"clip_name": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("CLIP_VISION",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, clip_name):
        return (_ClipVision(),)


def _text_features(text):
    """[12, 4096] that depend on the text alone."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
    return torch.randn(12, 4096, generator=torch.Generator().manual_seed(seed)) * 0.1


class _TextEncoder:
    """As the wrapper's T5: it has no weights until its node takes them from state_dict, is moved, and called with
    prompts."""

    quantization, dtype = "disabled", torch.float32

    def __init__(self):
        self.model = torch.nn.Linear(2, 2, device="meta")
        self.state_dict = {"weight": torch.ones(2, 2), "bias": torch.zeros(2)}

    def __call__(self, prompts, device):
        assert (self.model(torch.ones(1, 2, device=device)) == 2).all()
        print("SVITestT5 asked\n" * len(prompts), end="", flush=True)
        return [_text_features(prompt).to(device) for prompt in prompts]


class SVITestT5:
    """A WANTEXTENCODER that the wrapper's own text encode node runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"model_name": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("WANTEXTENCODER",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model_name):
        print("SVITestT5 loaded", flush=True)
        return ({"model": _TextEncoder(), "dtype": torch.float32},)


class _Clip:
    def tokenize(self, text):
        return text

    def encode_from_tokens_scheduled(self, tokens):
        return [[_text_features(tokens)[None], {}]]


class SVITestCLIP:
    """A CLIP that ComfyUI's own text encode node runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {}})
    RETURN_TYPES = ("CLIP",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self):
        return (_Clip(),)


class SVITestVoice:
    """MULTITALK_EMBEDS whose entries hold their number, plus 1000 for each speaker before theirs."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"frames": ("INT", {"default": 81}), "speakers": ("INT", {"default": 1})}}
    )
    RETURN_TYPES = ("MULTITALK_EMBEDS",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, frames, speakers):
        masks = torch.ones(speakers, 64, 64) if speakers > 1 else None
        return (numbered_voice(frames, speakers, masks),)


def numbered_voice(frames, speakers=1, masks=None):
    numbers = torch.arange(frames).float()[:, None, None].expand(frames, 12, 768)
    features = [numbers + 1000 * speaker for speaker in range(speakers)]
    return {"audio_features": features, "audio_scale": 1.0, "audio_cfg_scale": 1.0, "ref_target_masks": masks}


class SVITestAudio:
    """A tone that rises, at 16 kHz."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"seconds": ("FLOAT", {"default": 1.0})}})
    RETURN_TYPES = ("AUDIO",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, seconds):
        time = torch.arange(round(seconds * 16000)) / 16000
        return ({"waveform": torch.sin(400 * (1 + time) * time)[None, None] * 0.5, "sample_rate": 16000},)


class SVITestPoses:
    """Stands in for the pose detector, whose models are fetched: its input as it is."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"pose_images": ("IMAGE",)}})
    RETURN_TYPES = ("IMAGE", "IMAGE")
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, pose_images):
        return (pose_images, pose_images[:1])


class _Encoder(torch.nn.Module):
    """Hidden states that depend on time and layer alone. count: of layers. width: of a state."""

    def __init__(self, count, width):
        super().__init__()
        self.count, self.width = count, width

    def forward(self, features, seq_len=None, output_hidden_states=True):
        steps = torch.arange(seq_len or features.shape[-1] // 2).float()[None, :, None]
        waves = torch.sin(steps * torch.linspace(0.1, 2, self.width))
        return Answer([waves * (layer + 1) / self.count for layer in range(self.count)])


class Answer(list):
    @property
    def hidden_states(self):
        return tuple(self)


class SVITestWav2Vec:
    """A WAV2VECMODEL that the wrapper's own embeds node runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"model": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("WAV2VECMODEL",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model):
        def extract(samples, sampling_rate):
            return types.SimpleNamespace(input_values=samples)

        return (
            {"feature_extractor": extract, "model": _Encoder(13, 768), "dtype": torch.float32, "model_type": "tencent"},
        )


class SVITestWhisper:
    """A WHISPERMODEL that the wrapper's own HuMo Embeds runs on."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"model": ("STRING", {"default": ""})}})
    RETURN_TYPES = ("WHISPERMODEL",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model):
        def extract(samples, sampling_rate, return_tensors):
            return types.SimpleNamespace(input_features=torch.zeros(1, 128, 3000))

        whisper = torch.nn.Module()
        whisper.encoder = _Encoder(33, 1280)
        return ({"feature_extractor": extract, "model": whisper, "dtype": torch.float32},)


class _EnoughError(Exception):
    """The transformer was called; what it was given is known."""


class SVITestReads:
    """What the wrapper's sampler takes out of windowed objects, for many clips.

    cases: JSON, a list of {"index", "frames", "overlap", "fps", "total"}. what: multitalk and poses, or humo. Every
    entry of the whole voice and dance holds its own number, so that what is read tells where it came from.
    """

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {
                "model": ("WANVIDEOMODEL",),
                "text_embeds": ("WANVIDEOTEXTEMBEDS",),
                "cases": ("STRING", {"default": "[]"}),
                "what": ("STRING", {"default": "talk"}),
            }
        }
    )
    RETURN_TYPES = ("STRING",)
    FUNCTION = "read"
    CATEGORY = "svi_test"

    def read(self, model, text_embeds, cases, what):
        import nodes as comfy_nodes

        nodes = comfy_nodes.NODE_CLASS_MAPPINGS

        found = []
        for case in json.loads(cases):
            shared = {"clip_index": case["index"], "num_frames": case["frames"], "overlap_frames": case["overlap"],
                      "start_frame": -1}  # fmt: skip
            count = (case["frames"] - 1) // 4 + 1
            rate = case["fps"] if what == "talk" else 25.0
            audio = {"fps": rate, "audio_fps": rate, "end": "hold"}
            image = {"image_embeds": torch.zeros(16, count, 8, 8), "mask": torch.zeros(4, count, 8, 8),
                     "num_frames": case["frames"], "lat_h": 8, "lat_w": 8, "max_seq_len": count * 16,
                     "clip_context": torch.zeros(1, 257, 1280), "has_ref": False}  # fmt: skip
            given = {}
            if what == "talk":
                pose = torch.arange(case["total"]).float()[None, None, :, None, None]
                poses = {"pose": pose.expand(1, 3, -1, 64, 64), "ref": None, "strength": 1.0, "start_percent": 0.0,
                         "end_percent": 1.0}  # fmt: skip
                cut = nodes["WanVideoSVIAudioWindow"]().cut(
                    **shared, **audio, multitalk_embeds=numbered_voice(case["total"])
                )
                given["multitalk_embeds"] = cut[0]
                given["unianimate_poses"] = nodes["WanVideoSVIPoseWindow"]().cut(
                    **shared, width=64, height=64, end="hold", unianimate_poses=poses
                )[0]
            else:
                voice = torch.arange(case["total"]).float()[:, None, None].expand(-1, 5, 1280)
                mask = torch.zeros(20, count, 8, 8)
                whole = {"humo_audio_emb": voice, "humo_image_cond": mask, "humo_image_cond_neg": mask,
                         "humo_reference_count": 0, "num_frames": case["frames"]}  # fmt: skip
                cut = nodes["WanVideoSVIAudioWindow"]().cut(**shared, **audio, humo_embeds=whole, image_embeds=image)
                image = cut[1]
            found.append(self.sample(nodes["WanVideoSampler"](), model, text_embeds, image, given))
        return (json.dumps(found),)

    @staticmethod
    def sample(sampler, model, text_embeds, image_embeds, given):
        seen = {}
        transformer = model.model.diffusion_model

        def before(module, args, kwargs):
            for key in ("multitalk_audio", "humo_audio"):
                if kwargs.get(key) is not None:
                    seen[key] = kwargs[key].flatten(-2)[..., 0].int().tolist()
            if kwargs.get("unianim_data") is not None:
                seen["pose_latents"] = kwargs["unianim_data"]["dwpose"].shape[2]
            raise _EnoughError

        def poses(module, args):
            seen["poses"] = args[0][0, 0, :, 0, 0].int().tolist()

        hooks = [transformer.register_forward_pre_hook(before, with_kwargs=True)]
        if "unianimate_poses" in given:
            hooks.append(transformer.dwpose_embedding.register_forward_pre_hook(poses))
        try:
            sampler.process(
                model=model, image_embeds=image_embeds, shift=5.0, steps=1, cfg=1.0, seed=0, scheduler="euler",
                riflex_freq_index=0, text_embeds=text_embeds, force_offload=False, **given,
            )  # fmt: skip
        except _EnoughError:
            pass
        finally:
            for hook in hooks:
                hook.remove()
        return seen


class SVITestProbe:
    """The same model; what its first transformer call gets is written to output/<name>_<clip>.safetensors."""

    INPUT_TYPES = classmethod(
        lambda cls: {"required": {"model": ("WANVIDEOMODEL",), "name": ("STRING", {"default": "probe"})}}
    )
    RETURN_TYPES = ("WANVIDEOMODEL",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, model, name):
        transformer = model.model.diffusion_model
        count = [0]

        def before(module, args, kwargs):
            if kwargs.get("current_step", 0) != 0:
                return
            found = {"x": kwargs["x"][0]}
            if kwargs.get("y"):
                found["y"] = kwargs["y"][0]
            for key in ("multitalk_audio", "humo_audio"):
                if kwargs.get(key) is not None:
                    found[key] = kwargs[key]
            if kwargs.get("unianim_data") is not None:
                found["dwpose"] = kwargs["unianim_data"]["dwpose"]
            tensors = {key: value.detach().float().cpu().contiguous().clone() for key, value in found.items()}
            folder = Path(folder_paths.get_output_directory())
            save_file(tensors, folder / f"{name}_{count[0]}.safetensors", {"plain": "{}"})
            count[0] += 1

        transformer.register_forward_pre_hook(before, with_kwargs=True)
        return (model,)


class SVITestVAE5B:
    """The wrapper's VAE of the 5B models, whose weights nobody may touch: they are not there."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {}})
    RETURN_TYPES = ("WANVAE",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self):
        with torch.device("meta"):
            return (loaded_module(".wanvideo.wan_video_vae").WanVideoVAE38(),)


class SVITestModel5B:
    """What the wrapper notes on a 5B model, of no weights: its loader knows one by a width that is not tiny."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {"in_dim": ("INT", {"default": 48})}})
    RETURN_TYPES = ("WANVIDEOMODEL",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self, in_dim):
        loaders = loaded_module(".nodes_model_loading")
        transformer = torch.nn.Module()
        transformer.in_dim, transformer.out_dim, transformer.dim, transformer.model_type = in_dim, 48, 3072, "t2v"
        model = loaders.WanVideoModel(loaders.WanVideoModelConfig(), transformer)
        model["model_name"], model["lora"] = "Wan2_2-TI2V-5B.safetensors", None
        return (types.SimpleNamespace(model=model, model_options={}, patches={}),)


class SVITestNoVAE:
    """A WANVAE link where no wrapper is there to make one."""

    INPUT_TYPES = classmethod(lambda cls: {"required": {}})
    RETURN_TYPES = ("WANVAE",)
    FUNCTION = "make"
    CATEGORY = "svi_test"

    def make(self):
        return (None,)


NODE_CLASS_MAPPINGS = {
    cls.__name__: cls
    for cls in (
        SVITestDump,
        SVITestImages,
        SVITestMask,
        SVITestRegion,
        SVITestLatent,
        SVITestJoinLatents,
        SVITestEmbedsToLatent,
        SVITestNumber,
        SVITestChangeEmbeds,
        SVITestSchedules,
        SVITestClipVision,
        SVITestT5,
        SVITestCLIP,
        SVITestVoice,
        SVITestAudio,
        SVITestPoses,
        SVITestWav2Vec,
        SVITestWhisper,
        SVITestReads,
        SVITestProbe,
        SVITestVAE5B,
        SVITestModel5B,
        SVITestNoVAE,
        SVITestDifferential,
        SVITestLoraNames,
        *NATIVE_NODES,
    )
}
NODE_CLASS_MAPPINGS["SimpleMath+"] = SimpleMath
