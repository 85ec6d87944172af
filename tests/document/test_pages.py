"""The pages as they are read, kept as golden texts, and the numbers in them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from chainrule.document import Document, render_text
from tests.conftest import Golden
from tests.document import pages

PAGES: dict[str, Callable[[], Document]] = {
    "explained_weight": pages.explained_weight,
    "nudges": pages.nudges,
    "training": pages.training,
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("width", "ascii"), [(80, False), (80, True), (40, False)])
def test_page_reads_as_kept(page: str, width: int, ascii: bool, golden: Golden) -> None:
    alphabet = "ascii" if ascii else "unicode"
    golden(f"{page}.{alphabet}.{width}.txt", render_text(PAGES[page](), width, ascii=ascii))


def test_page_in_color_says_the_same_words() -> None:
    for page in PAGES.values():
        colored = render_text(page(), color=True)
        assert "\x1b[" in colored
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_text(page())


def test_explained_weight_shows_the_computed_numbers() -> None:
    text = render_text(pages.explained_weight())
    for shown in (
        "L = 0.298371109",
        "k = 0         +0.741365",
        "k = 1         −0.217072",
        "+0.055399   wants it smaller",
        "−0.019049   wants it larger",
        "sum ∂L/∂a¹₀   +0.036350",
        "+0.008771",
        "= 0.00877135 · 0.05 = 0.000438568",
        "W¹₀₀ ← 0.15 − 0.5 · 0.000438568 = 0.149780716",
        "0.000438567735",
    ):
        assert shown in text


def test_explained_weight_asks_the_question_first() -> None:
    first, rule, *_ = render_text(pages.explained_weight()).splitlines()
    assert first == "dense_1.W[0, 0]   weight from input 0 to hidden unit 0         step 0 · 1 sample"
    assert rule == "─" * 80


def test_chain_is_set_as_in_a_book() -> None:
    text = render_text(pages.explained_weight())
    assert text.splitlines()[5:8] == [
        "The chain      ∂L     ⎛    ∂L    ∂ŷₖ    ∂z²ₖ ⎞   ∂a¹₀   ∂z¹₀",
        "              ───── = ⎜ Σₖ ─── · ──── · ──── ⎟ · ──── · ─────",
        "              ∂W¹₀₀   ⎝    ∂ŷₖ   ∂z²ₖ   ∂a¹₀ ⎠   ∂z¹₀   ∂W¹₀₀",
    ]
