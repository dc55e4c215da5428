"""What the two LoRA loaders make of names: ComfyUI's own, and the wrapper's."""

import json
import logging
from pathlib import Path

import folder_paths
import torch
from safetensors.torch import save_file

IGNORED = ("lora key not loaded", "NOT LOADED")  # as ComfyUI's log says it
CONFIG = {"image_model": "wan2.1", "model_type": "i2v", "dim": 24, "num_heads": 12, "ffn_dim": 32, "num_layers": 2,
          "in_dim": 36, "out_dim": 16, "text_dim": 32, "patch_size": (1, 2, 2), "freq_dim": 32}  # fmt: skip


class _Log(logging.Handler):
    """Counts the tensors that a loader says it does not take."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        self.count += record.getMessage().startswith(IGNORED)


def tensor_of(name):
    if name.endswith(".alpha"):
        return torch.tensor(1.0)
    return torch.zeros(2, 2)


class SVITestLoraNames:
    """How many tensors each loader passes over, for files of these names.

    files: JSON, a list of lists of names. by: names held in memory, or files that the two loader nodes read.
    """

    INPUT_TYPES = classmethod(
        lambda cls: {
            "required": {"files": ("STRING", {"default": "[]"}), "by": ("STRING", {"default": "names"})}
        }
    )  # fmt: skip
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "svi_test"

    def run(self, files, by):
        from . import loaded_module

        self.loaders = loaded_module(".nodes_model_loading")
        native, wrapper = self.models()
        log = _Log()
        logging.getLogger().addHandler(log)
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.WARNING)
        found = []
        try:
            for index, names in enumerate(json.loads(files)):
                tensors = {name: tensor_of(name) for name in names}
                one = {}
                for loader, model in (("native", native), ("wrapper", wrapper)):
                    log.count = 0
                    if by == "names":
                        self.take_names(loader, model, dict(tensors))
                    else:
                        self.take_file(loader, model, tensors, f"names_{index}.safetensors")
                    one[loader] = log.count
                found.append(one)
        finally:
            logging.getLogger().setLevel(level)
            logging.getLogger().removeHandler(log)
        return (json.dumps(found),)

    def models(self):
        """The same tiny model as ComfyUI's patcher and as the wrapper's."""
        import comfy.model_base
        import comfy.model_patcher
        import comfy.supported_models

        config = comfy.supported_models.WAN21_I2V(dict(CONFIG))
        config.set_inference_dtype(torch.float32, None)
        cpu = torch.device("cpu")
        model = comfy.model_base.WAN21(config, image_to_video=True, device=cpu)
        wrapped = self.loaders.WanVideoModel(self.loaders.WanVideoModelConfig(), model.diffusion_model)
        return tuple(comfy.model_patcher.ModelPatcher(each, cpu, cpu) for each in (model, wrapped))

    def take_names(self, loader, model, tensors):
        """As the nodes do once they have read a file."""
        import comfy.sd

        if loader == "wrapper":
            tensors = self.loaders.standardize_lora_key_format(tensors)
        comfy.sd.load_lora_for_models(model, None, tensors, 1.0, 0)

    def take_file(self, loader, model, tensors, name):
        """Through the nodes themselves."""
        import nodes as comfy_nodes

        path = Path(folder_paths.get_folder_paths("loras")[0]) / name
        save_file({key: value.clone() for key, value in tensors.items()}, path)
        folder_paths.filename_list_cache.pop("loras", None)
        if loader == "native":
            comfy_nodes.NODE_CLASS_MAPPINGS["LoraLoaderModelOnly"]().load_lora_model_only(model, name, 1.0)
        else:
            lora = {"path": str(path), "strength": 1.0, "name": name, "blocks": {}, "merge_loras": True}
            self.loaders.add_lora_weights(model, [lora], torch.float32, merge_loras=True)
