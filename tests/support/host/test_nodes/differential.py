"""Both encode nodes on the same inputs, case after case, in one run of the host."""

import json

import torch

OURS, THEIRS = "WanVideoSVIEmbeds", "WanVideoImageToVideoEncode"
# Inputs that both have under one name.
SHARED = ("width", "height", "num_frames", "end_image", "fun_or_fl2v_model", "tiled_vae", "start_latent_strength",
          "end_latent_strength", "extra_latents", "clip_embeds", "control_embeds")  # fmt: skip


def images(count, size, seed, channels=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, size[1], size[0], channels, generator=generator)


def mask_of(given):
    """F h w: values per frame, each spread over a few pixels, which all but one of given["rough"] share."""
    values = torch.tensor(given["values"], dtype=torch.float32)[:, None, None]
    mask = values.expand(-1, given["height"], given["width"]).clone()
    for frame in given["rough"]:
        generator = torch.Generator().manual_seed(frame)
        mask[frame] = (torch.rand(mask.shape[1:], generator=generator) < mask[frame]).float()
    return mask


def inputs_of(case, vae):
    """Inputs of our node from a case's numbers."""
    made = {"vae": vae, "force_offload": True, **case["settings"]}
    for name, given in case["images"].items():
        made[name] = images(given["count"], given["size"], given["seed"], given.get("channels", 3))
    if case["mask"]:
        made["temporal_mask"] = mask_of(case["mask"])
    size = [made["height"] // 8, made["width"] // 8]
    generator = torch.Generator().manual_seed(7)
    if case["extra"]:
        made["extra_latents"] = {"samples": torch.randn(1, 16, case["extra"], *size, generator=generator)}
    if case["vision"]:
        made["clip_embeds"] = {"clip_embeds": torch.randn(1, 257, 1280, generator=generator)}
    if case["control"]:
        latents = torch.randn(16, (made["num_frames"] - 1) // 4 + 1, *size, generator=generator)
        made["control_embeds"] = {"control_embeds": {"control_images": latents, "start_percent": 0.0}}
    return made


def host_inputs(case, given):
    """The same for the host's node. case["host"] says what stands for inputs that it does not have."""
    host = case["host"]
    made = {name: given[name] for name in SHARED if name in given}
    made |= {"vae": given["vae"], "force_offload": True, "noise_aug_strength": 0.0}
    made.setdefault("start_latent_strength", 1.0)
    made.setdefault("end_latent_strength", 1.0)
    if host["motion"]:
        made["start_image"] = given["start_image"][-host["motion"] :]
    pad = {"reference": given.get(host["reference"]), "black": torch.zeros(1, 8, 8, 3),
           "last": made["start_image"][-1:] if host["motion"] else None}  # fmt: skip
    if pad.get(host["padding"]) is not None:
        made["empty_frame_pad_image"] = pad[host["padding"]]
    if case["mask"]:
        made["temporal_mask"] = given["temporal_mask"]
    elif host["known"] is not None:
        made["temporal_mask"] = torch.tensor(host["known"], dtype=torch.float32)[:, None, None].expand(-1, 2, 2).clone()
    return made


def equal(ours, theirs):
    if isinstance(ours, torch.Tensor) or isinstance(theirs, torch.Tensor):
        both = isinstance(ours, torch.Tensor) and isinstance(theirs, torch.Tensor)
        return both and ours.dtype == theirs.dtype and torch.equal(ours, theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(equal(ours[key], theirs[key]) for key in ours)
    return ours == theirs


def differing(ours, theirs):
    """Keys under which two embeds are not equal to the bit."""
    keys = (ours.keys() | theirs.keys()) - {"svi"}
    if theirs["end_image"] is None:
        keys -= {"fun_or_fl2v_model"}  # of no effect, and noted as it came
    return sorted(key for key in keys if not equal(ours.get(key), theirs.get(key)))


class SVITestDifferential:
    """What our encode and the host's make of each case: the keys that differ, or what they refuse it with.

    without_mask: the keys that differ from the host's embeds with the pixels of a run without temporal_mask.
    """

    INPUT_TYPES = classmethod(lambda cls: {"required": {"vae": ("WANVAE",), "cases": ("STRING", {"default": "[]"})}})
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "svi_test"

    def run(self, vae, cases):
        return (json.dumps([self.one(case, vae) for case in json.loads(cases)]),)

    @staticmethod
    def one(case, vae):
        import nodes as comfy_nodes

        nodes = comfy_nodes.NODE_CLASS_MAPPINGS
        given = inputs_of(case, vae)
        try:
            ours, *_, info = nodes[OURS]().encode(**given)["result"]
        except ValueError as error:
            return {"refused": str(error)}
        asked = host_inputs(case, given)
        (theirs,) = nodes[THEIRS]().process(**asked)
        found = {"differs": differing(ours, theirs), "info": info}
        if found["differs"]:
            asked.pop("temporal_mask", None)
            (plain,) = nodes[THEIRS]().process(**asked)
            found["without_mask"] = differing(ours, {**theirs, "image_embeds": plain["image_embeds"]})
        return found
