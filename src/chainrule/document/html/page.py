"""Sets the blocks of a document under one another in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, assert_never

from chainrule.document import tree as t
from chainrule.document.behind import tables_of, thinned
from chainrule.document.drawn import Drawn
from chainrule.document.figure_svg import render_svg
from chainrule.document.html.elements import element, text
from chainrule.document.html.equations import equations_html
from chainrule.document.html.spans import content
from chainrule.document.html.tables import NARROW, table_html

MOST_LISTED: Final = 400  # rows of the table behind a figure; the document's JSON holds them all
_LOWEST: Final = 6  # HTML has six levels of headings
_NOTES: Final[dict[t.NoteKind, str]] = {"info": "Note", "warning": "Warning", "evidence": "Evidence"}


def document_html(document: t.Document) -> str:
    """The page: the question first, at its side where and when, then the blocks."""
    subtitle = element("p", content(document.subtitle), class_="subtitle") if document.subtitle else ""
    context = element("p", content(document.context), class_="context") if document.context else ""
    head = element("header", element("h1", content(document.title)), subtitle, context)
    return element("article", head, blocks_html(document.blocks), class_="document")


def blocks_html(blocks: Sequence[t.Block]) -> str:
    """Blocks under one another; labeled ones that follow each other are one list of descriptions."""
    parts: list[str] = []
    for labeled, run in groupby(blocks, key=lambda block: isinstance(block, t.Labeled)):
        if labeled:
            parts.append(element("dl", *(_labeled(block) for block in run if isinstance(block, t.Labeled))))
        else:
            parts += [_named(_block(block), block.name) for block in run]
    return "\n".join(part for part in parts if part)


def _named(markup: str, name: str) -> str:
    """The block's markup, its stable name on the outermost element."""
    tag, rest = markup[: markup.find(">")], markup[markup.find(">") :]
    return f'{tag} data-name="{text(name)}"{rest}' if name and markup else markup


def _block(block: t.Block) -> str:  # noqa: C901 - one case a kind of block
    match block:
        case t.Heading(said, level):
            return element(f"h{min(level + 1, _LOWEST)}", content(said))
        case t.Paragraph(said):
            return element("p", content(said))
        case t.Equations(lines):
            return equations_html(block) if lines else ""
        case t.Labeled():
            return element("dl", _labeled(block))
        case t.Group(blocks):
            figures = len(blocks) > 1 and all(isinstance(part, t.Figure) for part in blocks)
            return element("div", blocks_html(blocks), class_="group figures" if figures else "group")
        case t.Items(items, ordered):
            listed = [element("li", content(item)) for item in items]
            return element("ol" if ordered else "ul", *listed) if items else ""
        case t.Listing(lines):
            return element("pre", element("code", "\n".join(map(text, lines))))
        case t.Table():
            return table_html(block)
        case t.Figure() | t.Heatmap() | t.Diagram() | t.Pictures() | t.Landscape():
            return _figure(block)
        case t.Step(number, title, blocks):
            mark = element("span", f"{number}.", class_="count")
            return element("section", element("h3", mark, " ", content(title)), blocks_html(blocks), class_="step")
        case t.Note(blocks, kind):
            word = element("p", _NOTES[kind], class_="kind")
            return element("aside", word, blocks_html(blocks), class_=f"note {kind}", aria_label=_NOTES[kind])
        case t.Rule():
            return "<hr>"
        case _:
            assert_never(block)


def _labeled(block: t.Labeled) -> str:
    label, described = element("dt", content(block.marked)), element("dd", blocks_html(block.blocks))
    tone = {} if block.tone == "plain" else {"class_": block.tone}
    return _named(element("div", label, described, **tone), block.name)


def _figure(figure: Drawn) -> str:
    """What is drawn with its title above it, the sentence for everybody under it, and the numbers as tables."""
    title = element("p", content(figure.title), class_="title") if figure.title else ""
    sentence = element("figcaption", text(figure.alternative)) if figure.alternative.strip() else ""
    listed = "\n".join(table_html(thinned(table, MOST_LISTED), NARROW) for table in tables_of(figure))
    data = element("details", "<summary>Data</summary>", listed) if listed else ""
    return element("figure", title, render_svg(figure, standalone=False), sentence, data)
