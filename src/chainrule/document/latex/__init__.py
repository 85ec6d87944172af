"""A document as LaTeX, and a formula as KaTeX takes it."""

from __future__ import annotations

from typing import Final

from chainrule.document.formula import Formula
from chainrule.document.latex.page import blocks_latex, head_latex
from chainrule.document.latex.typeset import typeset
from chainrule.document.tree import Document

# The penalty keeps a table on the page of what is said right before it.
_PREAMBLE: Final = r"""\documentclass[10pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage[margin=25mm]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,graphicx,longtable,tikz}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 2pt}
\setlength{\emergencystretch}{3em}
\setlength{\LTleft}{0pt}
\makeatletter\@beginparpenalty=\@M\makeatother
\allowdisplaybreaks
\begin{document}
"""


def render_latex(document: Document, *, standalone: bool = True) -> str:
    r"""The document as LaTeX in ASCII, ending in a newline; text from outside in it is never obeyed.

    Args:
        document: what to show.
        standalone: a whole article; else only what stands between \begin{document} and \end{document}, for a document
            that loads amsmath, amssymb, array, booktabs, graphicx, longtable and tikz.
    """
    body = f"{head_latex(document)}\n\n{blocks_latex(document.blocks)}\n"
    return f"{_PREAMBLE}{body}\\end{{document}}\n" if standalone else body


def render_katex(formula: Formula) -> str:
    r"""The formula alone, as it stands between the signs of mathematics, in commands that LaTeX and KaTeX share.

    The commands are those of KaTeX in its strict mode, and of LaTeX with amsmath and amssymb.
    """
    return typeset(formula)
