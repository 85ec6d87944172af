"""Writes the pieces of running text as LaTeX; the same commands serve inside a formula's text."""

from __future__ import annotations

from chainrule.document.content import Code, Content, Span, Strong, spans
from chainrule.document.latex.characters import flowing
from chainrule.document.latex.typeset import typeset
from chainrule.document.text.spans import Pen

_MEASURE = Pen()


def content(of: Content) -> str:
    """A content as LaTeX text, formulas between dollar signs."""
    return "".join(map(_span, spans(of)))


def columns_of(of: Content) -> int:
    """About how wide the content is on one line, in characters."""
    return len(_MEASURE.line(of))


def _span(span: Span) -> str:
    match span:
        case str():
            return flowing(span)
        case Strong(text):
            return rf"\textbf{{{flowing(text)}}}"
        case Code(text):
            return rf"\texttt{{{flowing(text)}}}"
        case _:
            return f"${typeset(span)}$"
