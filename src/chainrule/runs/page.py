"""A document that shows itself: printed it is text, and programs read its data."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import msgspec

from chainrule.document import Document, render_text, to_plain
from chainrule.document.content import Plain
from chainrule.errors.calls import check_kind

PAGE_WIDTH = 80  # columns of a printed page where nothing else is known


class Page(msgspec.Struct, frozen=True):
    """A document with its renderings.

    Attributes: document: the neutral tree.
    Example: `print(run.explain(weight="dense_1.b[0]", sample=3))`.
    """

    document: Document

    @property
    def data(self) -> Mapping[str, Plain]:
        """What the page says as plain values: of an explained weight its gradient, terms, factors and witnesses."""
        return self.document.data

    @property
    def text(self) -> str:
        """The page as text of 80 columns."""
        return render_text(self.document, PAGE_WIDTH)

    @property
    def html(self) -> str:
        """The page as an HTML file that needs nothing else: formulas as MathML, no script."""
        from chainrule.document.html import render_html

        return render_html(self.document)

    @property
    def latex(self) -> str:
        """The page as a LaTeX article."""
        from chainrule.document.latex import render_latex

        return render_latex(self.document)

    def render(self, width: int = PAGE_WIDTH, *, ascii: bool = False, color: bool = False) -> str:
        """The page as text.

        Args:
            width: columns, at least 20.
            ascii: use only ASCII characters.
            color: add ANSI styles.

        Raises: ValueRangeError when the width is below 20; ArgumentError for an argument of another kind.
        """
        check_kind("width", width, Integral, "how many columns, a whole number such as 80")
        check_kind("ascii", ascii, bool, "True or False")
        check_kind("color", color, bool, "True or False")
        return render_text(self.document, int(width), ascii=ascii, color=color)

    def to_plain(self) -> dict[str, Any]:  # Any: JSON values
        """The whole document as plain JSON values."""
        return dict(to_plain(self.document))

    def to_json(self, *, ascii: bool = False) -> str:
        """Everything as JSON on several lines: `data` by name, and under "page" the sentences and the document's tree.

        Floats read back to the bit; NaN and infinities are null, and "not_finite" says which stood where.

        Args: ascii: write other characters as escapes.
        Raises: ArgumentError for what is neither True nor False.
        """
        check_kind("ascii", ascii, bool, "True or False")
        from chainrule.document.record import to_json

        return to_json(self.document, ascii=ascii)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text.rstrip("\n")

    def _repr_html_(self) -> str:
        """What a notebook shows: the same document with its formulas as MathML, in a style of its own."""
        from chainrule.document.html import render_notebook

        return render_notebook(self.document)

    def _repr_latex_(self) -> str:
        """What a notebook that becomes a LaTeX article holds: the page without its preamble."""
        from chainrule.document.latex import render_latex

        return render_latex(self.document, standalone=False)
