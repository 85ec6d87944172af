"""Pages in a real browser: no page scrolls sideways, on a telephone or on a desk, and formulas are drawn.

One browser opens every page at every width, in frames of a page of measurements that it then hands back as text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from chainrule.document import (
    Cases,
    Column,
    Document,
    Equation,
    Equations,
    Figure,
    Listing,
    Matrix,
    Number,
    Paragraph,
    Row,
    Series,
    Summary,
    Table,
    equals,
    plus,
    relation,
    render_html,
    symbol,
    times,
)
from tests.document import pages
from tests.document.browser import Looks, faults, look_at

VIEWS: Final = ((360, "light"), (360, "dark"), (768, "light"), (1440, "dark"))


def crowded() -> Document:
    """Everything that is wide: long words, long equations, large matrices, many columns."""
    x = symbol("x")
    total = plus(*[times(symbol("w", (place, "j"), 2), symbol("x", place)) for place in range(16)])
    matrix = Matrix(tuple(tuple(Number(row * column / 7) for column in range(12)) for row in range(12)))
    columns = tuple(Column(f"column {place}") for place in range(12))
    numbers = Row(tuple(Number(place / 7) for place in range(12)), "a remark about this row, rather long")
    words = Row(("a" * 90, "words that go on " * 8))
    names = ("a" * 80, "日本語" * 20)
    return Document(
        "a_title_without_any_space_" * 6,
        (
            Equations((Equation(equals(x, total), "a label", "a value"), Equation(relation(x, "≈", matrix)))),
            Equations((Equation(equals(x, Cases(((total, None),)))),)),
            Table(columns, (numbers,), total=Summary("in all", (None,) * 11 + (Number(1.0),)), caption="wide"),
            Table((Column("word"), Column("words")), (words,)),
            Table(tuple(Column() for _ in range(5)), (Row(tuple(Number(place / 3) for place in range(5))),)),
            Listing(("chainrule " + "--a-very-long-option " * 9, "x" * 200)),
            Paragraph("b" * 200),
            Figure("bar", (Series("s", (0, 1), (1, -2)),), "c" * 100, categories=names, title="d" * 100),
        ),
        subtitle="e" * 100,
        context="f" * 100,
    )


PAGES: dict[str, Callable[[], Document]] = {
    "explained_weight": pages.explained_weight,
    "nudges": pages.nudges,
    "training": pages.training,
    "crowded": crowded,
}


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Looks:
    """What the browser measured of each page at each width."""
    return look_at({name: render_html(page()) for name, page in PAGES.items()}, tmp_path_factory.mktemp("b"), VIEWS)


def test_no_page_scrolls_sideways_or_is_cut_off(looks: Looks) -> None:
    assert len(looks) == len(PAGES) * len(VIEWS)
    assert faults(looks) == []


def test_formulas_are_drawn_in_the_colors_of_the_surroundings(looks: Looks) -> None:
    for page in ("explained_weight", "training"):
        light, dark = (looks[page, 360, scheme] for scheme in ("light", "dark"))
        assert min(light["fractions"]) > 20
        assert (light["ink"], dark["ink"]) == ("rgb(27, 31, 36)", "rgb(232, 234, 237)")


def test_the_browser_can_object(tmp_path: Path) -> None:
    wide = '<body class=document style="background:#fff;color:#ccc"><p style="width:2000px">a line</p>'
    wide += "<svg width=90 height=9><text x=80 y=9>written</text></svg><script>1</script>"
    found = " ".join(faults(look_at({"wide": wide}, tmp_path, [(360, "light")])))
    for fault in ("scrolls", "cut off", "outside", "contrast", "too low", "runs"):
        assert fault in found
