"""The pack's words follow ComfyUI's language, in a real frontend.

Needs what `test_timeline_page` needs. SVI_PICTURES: a folder for the screenshots.
"""

from __future__ import annotations

from pathlib import Path

from browser import drive, needs_browser
from host.comfyui import PACK
from web_words import WORDS

PAGE = Path(__file__).with_name("words_page.mjs")
COLUMNS = ("clip", "state", "frames", "until", "seed", "mode", "prompt")


@needs_browser
def test_the_words_follow_comfyuis_language(page_url: str, nodes: str, pictures: Path) -> None:
    seen = drive(PAGE, page_url, PACK, str(pictures), nodes, seconds=300)
    assert seen["troubles"] == []
    for language, said in seen["panel"].items():
        words = {key: row[language] for key, row in WORDS.items()}
        assert said[:2] == [words["story.to_do"], "".join(words[f"story.{name}"] for name in COLUMNS)]
        assert said[2].endswith(words["story.count_to_do"].replace("{count}", "4"))
    assert set(seen["panel"]) == {"zh", "en"}
    chinese = {key: row["zh"] for key, row in WORDS.items()}
    assert seen["strip"]["zh"] == [chinese["strip.frames"], "1"]
    keys = "settings.mode", "settings.as_on_node", "settings.pictures", "migrate.command"
    assert seen["translated"] == [chinese[key] for key in keys]
    assert seen["dialog"] == [
        chinese["migrate.command"], chinese["close"] + chinese["migrate.story"] + chinese["migrate.apply"],
    ]  # fmt: skip
