"""Pages in a real browser: no page scrolls sideways, on a telephone or on a desk, and formulas are drawn.

One browser opens every page at every width, in frames of a page of measurements that it then hands back as text.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

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
from tests.absent import require
from tests.document import pages

WIDTHS: Final = (360, 768, 1440)
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--virtual-time-budget=5000",
)  # fmt: skip
MEASURE: Final = """
<script>
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const boxes = [...page.querySelectorAll("mfrac")].map(part => part.getBoundingClientRect());
    const parts = "p, h1, h2, h3, dt, li, figcaption, svg, table, .formula, .value, caption > div";
    const cut = [...page.querySelectorAll(parts)].filter(part => part.checkVisibility()
      && (part.matches("caption > div") || !part.closest(".scroll"))  // which scrolls by itself
      && part.getBoundingClientRect().right > root.clientWidth + 1);
    return {
      name: frame.name, width: frame.offsetWidth, needed: root.scrollWidth, cut: cut.map(part => part.outerHTML),
      tall: boxes.length > 0 && boxes.every(box => box.height > 12),
      ink: getComputedStyle(page.querySelector("h1")).color,
      scripts: page.scripts.length,
    };
  });
  document.body.textContent = "MEASURED" + JSON.stringify(told) + "MEASURED";
});
</script>
"""


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
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], dict[str, Any]]:
    """What the browser measured of each page at each width."""
    browser = require("chromium", "apt-get install chromium, or put a chromium on PATH")
    folder = tmp_path_factory.mktemp("browser")
    sheet = folder / "sheet.html"
    frames = [_frame(name, page(), width) for name, page in PAGES.items() for width in WIDTHS]
    sheet.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{''.join(frames)}{MEASURE}", encoding="utf-8")
    dumped = _browse(browser, folder, sheet)
    told = json.loads(html.unescape(re.split("MEASURED", dumped)[1]))
    return {(one["name"], one["width"]): one for one in told}


def _frame(name: str, document: Document, width: int) -> str:
    page = html.escape(render_html(document), quote=True)
    return f'<iframe name="{name}" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>'


def _browse(browser: Path, folder: Path, sheet: Path) -> str:
    command = [str(browser), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", sheet.as_uri()]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_no_page_scrolls_sideways(page: str, width: int, measured: dict[tuple[str, int], dict[str, Any]]) -> None:
    found = measured[page, width]
    assert found["needed"] <= width
    assert found["cut"] == []


@pytest.mark.parametrize("page", ["explained_weight", "training"])
def test_formulas_are_drawn_and_nothing_runs(page: str, measured: dict[tuple[str, int], dict[str, Any]]) -> None:
    for width in WIDTHS:
        found = measured[page, width]
        assert found["tall"], "a fraction that is not drawn as MathML is one line high"
        assert found["scripts"] == 0
        assert found["ink"] == "rgb(27, 31, 36)"
