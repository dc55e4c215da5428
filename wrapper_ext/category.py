"""Where the nodes stand in ComfyUI's menu."""

CATEGORY = "WanVideoWrapper/SVI"
