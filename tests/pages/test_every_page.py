"""Every kind of page as people meet it: in a browser, as formulas, as an article, as text, as JSON.

It is one test, so that the runs are trained once and the browser starts once, whatever the number of workers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import html5lib
import pytest

from chainrule.document import Document, render_html, render_katex, render_latex, render_text
from chainrule.document.record import to_json
from chainrule.document.text.characters import width
from tests.document.browser import faults, look_at
from tests.document.test_katex import Check, katex
from tests.document.test_latex import brace_fault, nesting_fault, unescaped
from tests.document.trees import formulas_in
from tests.pages.every import PAGES, trained

__all__ = ["katex"]  # the fixture

COLUMNS = (40, 80)


@pytest.mark.slow
def test_every_page_reads_everywhere(katex: Check, tmp_path: Path) -> None:
    runs = trained(tmp_path / "runs")
    documents = {name: make(runs) for name, make in PAGES.items()}
    found = [
        f"{name}: {fault}" for name, page in documents.items() for fault in [*_formulas(page, katex), *_texts(page)]
    ]
    assert found == []
    assert _in_the_browser(documents, tmp_path) == []


def _formulas(page: Document, katex: Check) -> Iterator[str]:
    """What KaTeX says in its strict mode, which knows the commands of LaTeX and no others."""
    for formula in formulas_in(page):
        fault = katex(render_katex(formula))
        if fault:
            yield f"{formula}: {fault}"


def _texts(page: Document) -> Iterator[str]:
    """What is wrong with the page as text, as an article and as JSON."""
    for columns in COLUMNS:
        for ascii in (False, True):
            text = render_text(page, columns, ascii=ascii)
            yield from (f"wider than {columns}: {line}" for line in text.splitlines() if width(line) > columns)
            yield from ["not ASCII"] if ascii and not text.isascii() else []
    latex = render_latex(page)
    yield from filter(
        None, (nesting_fault(latex), brace_fault(unescaped(latex)), "" if latex.isascii() else "not ASCII")
    )
    title = json.loads(to_json(page))["page"]["document"]["title"]
    yield from [] if title else ["no title in its JSON"]


def _in_the_browser(documents: Mapping[str, Document], folder: Path) -> list[str]:
    pages = {name: render_html(page) for name, page in documents.items()}
    for page in pages.values():
        html5lib.HTMLParser(strict=True).parse(page)
    return faults(look_at(pages, folder))
