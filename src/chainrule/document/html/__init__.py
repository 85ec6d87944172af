"""A document as one HTML file that needs nothing else."""

from __future__ import annotations

from chainrule.document.html.elements import text
from chainrule.document.html.page import document_html
from chainrule.document.html.spans import plain
from chainrule.document.html.style import document_css, page_css
from chainrule.document.tree import Document

__all__ = ["document_css", "render_html", "render_notebook"]

# Nothing is loaded and nothing runs, whatever the page should come to hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render_notebook(document: Document) -> str:
    """The document as a notebook shows it: an article with its style."""
    return f"<style>\n{document_css()}</style>\n{render_html(document, standalone=False)}"


def render_html(document: Document, *, standalone: bool = True) -> str:
    """The document as HTML without scripts, formulas as MathML and charts as SVG, ending in a newline.

    Args:
        document: what to show; text from outside in it is never markup.
        standalone: a whole file with its style; else one `article` for a page that holds `document_css()`.
    """
    article = document_html(document)
    if not standalone:
        return f"{article}\n"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{text(plain(document.title)).strip() or 'chainrule'}</title>\n"
        f"<style>\n{page_css()}{document_css()}</style>\n</head>\n<body>\n{article}\n</body>\n</html>\n"
    )
