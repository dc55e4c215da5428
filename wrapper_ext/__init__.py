"""ComfyUI's side of the pack: thin nodes over `svi_embeds`."""
