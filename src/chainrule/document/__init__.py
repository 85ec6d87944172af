"""The neutral tree of what a person sees, and its renderers; those for files are imported when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from chainrule.document.content import Cell, Code, Content, Plain, Span, Strong
from chainrule.document.drawn import Diagram, Drawn, Figure, Heatmap, Landscape, Link, Picture, Pictures, Series, Stage
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
from chainrule.document.numbers import COUNT, NumberStyle, format_number
from chainrule.document.plain import to_plain
from chainrule.document.table import Column, Row, Summary, Table
from chainrule.document.text import render_text
from chainrule.document.tree import (
    Block,
    Document,
    Equation,
    Equations,
    Group,
    Heading,
    Items,
    Labeled,
    Listing,
    Note,
    Paragraph,
    Rule,
    Step,
    Tone,
    find,
    walk,
)
from chainrule.errors import UnknownAttributeError

if TYPE_CHECKING:
    from chainrule.document.behind import render_csv
    from chainrule.document.figure_png import render_png
    from chainrule.document.figure_svg import render_svg
    from chainrule.document.html import document_css, render_html, render_notebook
    from chainrule.document.latex import render_katex, render_latex

__all__ = [
    "COUNT",
    "Absolute",
    "Beside",
    "Block",
    "Call",
    "Cases",
    "Cell",
    "Code",
    "Column",
    "Content",
    "Diagram",
    "Differential",
    "Document",
    "Drawn",
    "Elided",
    "Equation",
    "Equations",
    "Figure",
    "Formula",
    "Fraction",
    "Group",
    "Heading",
    "Heatmap",
    "Indexed",
    "Indices",
    "Items",
    "Labeled",
    "Landscape",
    "Link",
    "Listing",
    "Matrix",
    "Note",
    "Number",
    "NumberStyle",
    "Paragraph",
    "Parentheses",
    "Picture",
    "Pictures",
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
    "Stage",
    "Step",
    "Strong",
    "Sum",
    "Summary",
    "Symbol",
    "Table",
    "Term",
    "Tone",
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
    "render_csv",
    "render_html",
    "render_katex",
    "render_latex",
    "render_notebook",
    "render_png",
    "render_svg",
    "render_text",
    "symbol",
    "times",
    "to_plain",
    "walk",
]

_LATER: Final = {
    "document_css": "chainrule.document.html",
    "render_csv": "chainrule.document.behind",
    "render_notebook": "chainrule.document.html",
    "render_png": "chainrule.document.figure_png",
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
