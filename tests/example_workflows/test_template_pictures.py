"""The pictures on the template cards: one for each template, square, as tools/template_pictures.py draws them."""

from __future__ import annotations

import pytest
from PIL import Image
from template_pictures import CARDS, SIZE, WORKFLOWS, draw_card


def test_each_template_has_a_card_and_each_card_a_template() -> None:
    assert set(CARDS) == {path.stem for path in WORKFLOWS.glob("*.json")}
    assert len({(card.kind, card.title) for card in CARDS.values()}) == len(CARDS), "no two cards look alike"


@pytest.mark.parametrize("name", CARDS)
def test_the_picture_is_the_one_that_the_table_gives(name: str) -> None:
    with Image.open(WORKFLOWS / f"{name}.jpg") as shipped:
        assert shipped.size == (SIZE, SIZE)
        small = [picture.convert("L").resize((16, 16)).tobytes() for picture in (shipped, draw_card(CARDS[name]))]
    assert max(abs(a - b) for a, b in zip(*small, strict=True)) < 12, "run tools/template_pictures.py"
