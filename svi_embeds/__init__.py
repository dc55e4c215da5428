"""SVI long-video conditioning as plain tensors and plans.

Imports torch, einops, safetensors, numpy, PIL and av; never ComfyUI. Modules, from plans to tensors:

- `timeline`: frame and latent arithmetic (integers, no torch)
- `recipes`: the table of SVI variants (no torch)
- `plan`: one clip decided from a mode and its inputs, before any pixel is touched (no torch)
- `masks`: known_mask, concat_mask and their packing
- `frames`: checks, resize, motion frames and padding: a clip's pixels
- `encode`: the VAE it needs and the latents it makes
- `embeds`: the `image_embeds` dict: build, check, describe, save, load
- `clip`: all of the above in one call
- `stitch`: joins clips
- `sheet`: contact sheets
"""
