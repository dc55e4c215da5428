"""Small files that the benchmark on a GPU needs beside its models."""

from __future__ import annotations

import json
from pathlib import Path


def write_tokenizer(folder: Path) -> None:
    """A tokenizer of letters, where the wrapper's copy lacks its files (Git LFS): any will do for random weights."""
    if (folder / "tokenizer.json").exists() or (folder / "spiece.model").exists():
        return
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = {token: index for index, token in enumerate(["<pad>", "</s>", "<unk>", *letters])}
    special = [
        {"id": index, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for index, token in enumerate(["<pad>", "</s>", "<unk>"])
    ]  # fmt: skip
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    made = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "\\S"}, "behavior": "Isolated", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, end],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, end],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": None, "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(made))
    kind = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    tokens = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**kind, **tokens}))
    (folder / "special_tokens_map.json").write_text(json.dumps(tokens))


def write_picture(path: Path, *, width: int, height: int) -> None:
    import numpy as np
    from PIL import Image

    down, across = np.mgrid[0:height, 0:width]
    red, green = 255 * across / width, 255 * down / height
    blue = 127 * (1 + np.sin(across / 40) * np.cos(down / 30))
    Image.fromarray(np.stack([red, green, blue], -1).astype("uint8")).save(path)
