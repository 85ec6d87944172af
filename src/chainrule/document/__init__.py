"""The neutral tree of what a person sees, and its renderers; those for files are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from chainrule.document.formula import (
    Absolute,
    Beside,
    Call,
    Cases,
    Differential,
    Elided,
    Formula,
    Fraction,
    Indexed,
    Indices,
    Matrix,
    Number,
    Parentheses,
    Plus,
    Power,
    Product,
    Relation,
    Root,
    Sum,
    Symbol,
    Term,
    Transpose,
    Words,
    call,
    equals,
    juxtaposed,
    minus,
    negative,
    number,
    partial,
    plus,
    relation,
    symbol,
    times,
)
from chainrule.document.numbers import NumberStyle, format_number
from chainrule.document.plain import to_plain
from chainrule.document.text import render_text
from chainrule.document.tree import (
    Block,
    Cell,
    Code,
    Column,
    Content,
    Document,
    Equation,
    Equations,
    Figure,
    Group,
    Heading,
    Items,
    Labeled,
    Listing,
    Note,
    Paragraph,
    Plain,
    Row,
    Rule,
    Series,
    Span,
    Step,
    Strong,
    Summary,
    Table,
    find,
    walk,
)
from chainrule.errors import UnknownAttributeError

if TYPE_CHECKING:
    from chainrule.document.figure_svg import render_svg
    from chainrule.document.html import document_css, render_html
    from chainrule.document.latex import render_katex, render_latex

__all__ = [
    "Absolute",
    "Beside",
    "Block",
    "Call",
    "Cases",
    "Cell",
    "Code",
    "Column",
    "Content",
    "Differential",
    "Document",
    "Elided",
    "Equation",
    "Equations",
    "Figure",
    "Formula",
    "Fraction",
    "Group",
    "Heading",
    "Indexed",
    "Indices",
    "Items",
    "Labeled",
    "Listing",
    "Matrix",
    "Note",
    "Number",
    "NumberStyle",
    "Paragraph",
    "Parentheses",
    "Plain",
    "Plus",
    "Power",
    "Product",
    "Relation",
    "Root",
    "Row",
    "Rule",
    "Series",
    "Span",
    "Step",
    "Strong",
    "Sum",
    "Summary",
    "Symbol",
    "Table",
    "Term",
    "Transpose",
    "Words",
    "call",
    "document_css",
    "equals",
    "find",
    "format_number",
    "juxtaposed",
    "minus",
    "negative",
    "number",
    "partial",
    "plus",
    "relation",
    "render_html",
    "render_katex",
    "render_latex",
    "render_svg",
    "render_text",
    "symbol",
    "times",
    "to_plain",
    "walk",
]

_LATER: Final = {
    "document_css": "chainrule.document.html",
    "render_html": "chainrule.document.html",
    "render_katex": "chainrule.document.latex",
    "render_latex": "chainrule.document.latex",
    "render_svg": "chainrule.document.figure_svg",
}


def __getattr__(name: str) -> Any:  # Any: of whatever type the name is
    """A renderer of files: a command that prints text need not wait for it."""
    if name not in _LATER:
        raise UnknownAttributeError("chainrule.document", name, __all__)
    return getattr(importlib.import_module(_LATER[name]), name)
