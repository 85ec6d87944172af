"""A document as text of a given width."""

from __future__ import annotations

from typing import Final

from chainrule.document.text.page import Page
from chainrule.document.text.spans import Pen
from chainrule.document.tree import Document
from chainrule.errors import ValueRangeError

NARROWEST_PAGE: Final = 20


def render_text(document: Document, width: int = 80, *, ascii: bool = False, color: bool = False) -> str:
    """The document as lines of at most `width` columns, ending in a newline.

    Args:
        document: what to show.
        width: columns, at least 20.
        ascii: use only ASCII characters, for terminals and files without UTF-8.
        color: add ANSI styles; they carry nothing that the words do not say.

    Raises:
        ValueRangeError: the width is below 20.
    """
    if width < NARROWEST_PAGE:
        raise ValueRangeError(f"a page {width} columns wide came: give at least {NARROWEST_PAGE} columns")
    lines = Page(width, Pen(ascii, color)).document(document)
    return "".join(f"{line.rstrip()}\n" for line in lines)
