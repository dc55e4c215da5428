"""The pack's version; a test holds it equal to pyproject.toml, which ComfyUI does not install."""

VERSION = "0.1.0"
