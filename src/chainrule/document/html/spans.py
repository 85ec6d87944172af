"""Writes the pieces of running text as HTML."""

from __future__ import annotations

from chainrule.document.content import Code, Content, Span, Strong, spans
from chainrule.document.formula import Number
from chainrule.document.html.elements import element, text
from chainrule.document.html.mathml import math, mathml
from chainrule.document.numbers import PLAIN_STYLE, NumberStyle, format_number, written_parts
from chainrule.document.text.characters import width
from chainrule.document.text.spans import Pen

_MEASURE = Pen()


def content(of: Content) -> str:
    """A content as HTML, formulas as MathML."""
    return "".join(map(_span, spans(of)))


def plain(of: Content) -> str:
    """A content as text alone, for a title or a label that only a program reads."""
    return _MEASURE.line(of)


def columns_of(of: Content) -> int:
    """About how wide the content is on one line, in characters."""
    return width(plain(of))


def number(value: float, style: NumberStyle = PLAIN_STYLE) -> str:
    """A number in running text or in a table, its exponent raised."""
    mantissa, exponent, percent = written_parts(format_number(value, style, minus="−"))
    power = f" × 10<sup>{exponent.replace('-', '−')}</sup>" if exponent else ""
    return f'<span class="number">{mantissa}{power}{percent}</span>'


def _span(span: Span) -> str:
    match span:
        case str():
            return text(span)
        case Strong(said):
            return element("strong", text(said))
        case Code(said):
            return element("code", text(said))
        case Number(value, style):
            return number(value, style or PLAIN_STYLE)
        case _:
            return math(mathml(span))
