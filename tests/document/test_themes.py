"""What surrounds a document decides whether it is light or dark, and a document changes nothing around it."""

from __future__ import annotations

import re

from chainrule.document import Document, Paragraph
from chainrule.document.html import document_css, render_html, render_notebook
from chainrule.document.html.style import DARK, LIGHT, PAPER
from chainrule.document.themes import themed


def selectors(css: str) -> list[str]:
    """Every selector, whatever media its rule is for."""
    plain = re.sub(r"@media[^{]*\{", "", css)
    return [each.strip() for rule in re.findall(r"([^{}]+)\{[^{}]*\}", plain) for each in _split(rule)]


def _split(rule: str) -> list[str]:
    return re.split(r",(?![^()]*\))", rule)


def test_a_page_in_a_notebook_styles_nothing_around_it() -> None:
    css = render_notebook(Document("A", (Paragraph("b"),))).partition("<style>")[2].partition("</style>")[0]
    found = selectors(css)
    assert len(found) > 100
    assert [each for each in found if not re.search(r"\.(document|chart)\b", each)] == []


def test_a_file_of_its_own_has_a_ground() -> None:
    css = render_html(Document("A", (Paragraph("b"),))).partition("<style>")[2].partition("</style>")[0]
    assert {"html", "body"} <= {*selectors(css)}
    assert "body{margin:0;background:var(--ground)}" in css


def test_the_theme_of_the_notebook_goes_before_the_wish_of_the_browser() -> None:
    """It stands later and is more specific; on paper the last rule wins."""
    css = themed(".document", LIGHT, DARK, PAPER)
    rules = css.strip().splitlines()
    assert rules[0] == f".document{{{LIGHT}}}"
    assert rules[1] == f"@media(prefers-color-scheme:dark){{.document{{{DARK}}}}}"
    assert rules[2] == f'[data-jp-theme-light="true"] .document,.vscode-light .document{{{LIGHT}}}'
    assert rules[3] == f'[data-jp-theme-light="false"] .document,.vscode-dark .document{{{DARK}}}'
    assert rules[4].startswith("@media print{.document,")
    assert rules[4].endswith(f"{{{PAPER}}}}}")


def test_charts_follow_as_well() -> None:
    assert '[data-jp-theme-light="false"] .chart' in document_css()
