"""WanVideo SVI: long videos with SVI LoRAs in ComfyUI-WanVideoWrapper."""

WEB_DIRECTORY = "./web"

# pytest imports this file without a package around it, where relative imports fail.
if __package__:
    from .svi_embeds.version import VERSION
    from .wrapper_ext.nodes.table import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
    from .wrapper_ext.routes import add_routes

    add_routes()

    __version__ = VERSION
    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY", "__version__"]
