"""What a user opens first, in a real ComfyUI and browser: template browser, every template, a help page, settings.

Needs node, playwright-core (NODE_PATH) and a Chromium (CHROMIUM, or on the PATH). COMFYUI_FRONTENDS: folders of further
frontends to try it in. SVI_PICTURES: a folder for the screenshots, one of each template.
"""

from __future__ import annotations

import re
from pathlib import Path

from browser import drive, needs_browser
from host.comfyui import PACK, Comfy
from PIL import Image
from project import ROOT
from wanvideo_svi import WEB_DIRECTORY

PAGE = Path(__file__).with_name("templates_page.mjs")
TEMPLATES = {path.stem for path in (ROOT / "example_workflows").glob("*.json")}
HELP = (ROOT / WEB_DIRECTORY / "docs" / "WanVideoSVIEmbeds.md").read_text(encoding="utf-8")


@needs_browser
def test_templates_help_and_settings_are_there(comfy: Comfy, page_url: str, nodes: str, pictures: Path) -> None:
    Image.new("RGB", (100, 80)).save(comfy.base / "input" / "example.png")  # ComfyUI's own lies there
    seen = drive(PAGE, page_url, PACK, str(pictures), nodes, seconds=400)
    assert seen["troubles"] == []

    assert dict(seen["cards"]) == dict.fromkeys(TEMPLATES, 512), "each has its picture"
    assert seen["afterCard"] == [], "a card opens its graph, and no dialog"
    assert set(seen["templates"]) == TEMPLATES
    for name, template in seen["templates"].items():
        assert template["unknown"] == [], name
        assert template["missing"] is None, name
        assert template["dialogs"] == [], name
        assert template["changed"] == [], f"{name}: values of these nodes are not those of the file"
        assert template["outside"] == [], f"{name}: nodes that stick out of their group"

    assert seen["help"]["headings"] == re.findall(r"^##? (.+)$", HELP, re.MULTILINE)
    assert seen["help"]["tables"] == len(re.findall(r"^\| --- ", HELP, re.MULTILINE))
    assert [name for name, width in seen["help"]["pictures"] if width] == re.findall(r"!\[[^\]]*\]\(([^)]+)\)", HELP)
    for label in ("Reel folder", "Mode of new nodes", "Preview width"):
        assert label in seen["settings"]
