"""Sets the blocks of a document under one another in LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import msgspec

from chainrule.document import tree as t
from chainrule.document.latex.breaking import LINE, lines_of, width_of
from chainrule.document.latex.characters import literal
from chainrule.document.latex.charts import figure_latex
from chainrule.document.latex.spans import columns_of, content
from chainrule.document.latex.tables import table_latex

_HEADINGS: Final = (r"\section*", r"\subsection*", r"\subsubsection*")
_NOTES: Final[dict[t.NoteKind, str]] = {"info": "Note", "warning": "Warning", "evidence": "Evidence"}
_CLOSE: Final = "\\vspace{-\\baselineskip}\n"  # a display after a paragraph's end begins with an empty line
# Not a list: LaTeX nests six of them and no more.
_INDENTED: Final = "{\\advance\\leftskip by 1.5em\\relax\n%s\n\\par}"


def blocks_latex(blocks: Sequence[t.Block]) -> str:
    """Blocks, each a paragraph or more."""
    return "\n\n".join(text for block in blocks if (text := _block(block)))


def head_latex(document: t.Document) -> str:
    """The question first: title, subtitle, and at the right where and when."""
    title = rf"{{\Large\bfseries {content(document.title)}\par}}"
    parts = [content(part) for part in (document.subtitle, document.context) if part]
    return "\n".join([title, *([r" \hfill ".join(parts) + r"\par"] if parts else []), r"\medskip\hrule\medskip"])


def _block(block: t.Block) -> str:  # noqa: C901 - one case a kind of block
    match block:
        case t.Heading(text, level):
            command = _HEADINGS[min(level, len(_HEADINGS)) - 1]
            return f"{command}{{{content(text)}}}"
        case t.Paragraph(text):
            return rf"{content(text)}\par"
        case t.Equations():
            return _equations(block)
        case t.Labeled(blocks=blocks):
            return _led(content(block.marked), blocks)
        case t.Group(blocks):
            return blocks_latex(blocks)
        case t.Items():
            return _items(block)
        case t.Listing(lines):
            return "\n".join(rf"{{\ttfamily {literal(line)}\par}}" for line in lines)
        case t.Table():
            return table_latex(block)
        case t.Figure() | t.Heatmap() | t.Diagram() | t.Pictures() | t.Landscape():
            return figure_latex(block)
        case t.Step(number, title, blocks):
            return _led(f"{number}. {content(title)}", blocks)
        case t.Note(blocks, kind):
            return _INDENTED % _led(_NOTES[kind], blocks)
        case t.Rule():
            return r"\medskip\hrule\medskip"
        case _:
            assert_never(block)


def _led(words: str, blocks: Sequence[t.Block]) -> str:
    """Words before what belongs to them; a display continues their line, or it would begin with an empty one."""
    display = bool(blocks) and isinstance(blocks[0], t.Equations) and bool(blocks[0].lines)
    rest = blocks_latex(blocks).removeprefix(_CLOSE) if display else blocks_latex(blocks)
    return rf"\medskip\textbf{{{words}}}" + ("\n" if display else "\\par\\nopagebreak\n") + rest


def _items(block: t.Items) -> str:
    if not block.items:
        return ""
    environment = "enumerate" if block.ordered else "itemize"
    items = "\n".join(rf"\item {content(item)}" for item in block.items)
    return f"\\begin{{{environment}}}\n{items}\n\\end{{{environment}}}"


class _Row(msgspec.Struct, frozen=True):
    """A line of a display with its label and its value."""

    label: str
    left: str
    right: str
    value: str


def _equations(block: t.Equations) -> str:
    if not block.lines:
        return ""
    rows = [row for equation in block.lines for row in _rows(equation, inline=block.inline)]
    framed = any(row.label or row.value for row in rows)
    lines = [_framed(row) if framed else f"{row.left} & {row.right}" for row in rows]
    environment = "flalign*" if framed else "align*"
    body = " \\\\\n".join(lines)
    return f"{_CLOSE}\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def _rows(equation: t.Equation, *, inline: bool) -> list[_Row]:
    """The equation's lines: the label before the first, the value after the last or, where that is full, under it."""
    style = r"\textstyle " if inline else ""
    beside = columns_of(equation.label) + columns_of(equation.value)
    lines = lines_of(equation.formula, max(LINE - beside, LINE // 2))
    rows = [_Row("", style + line.left if line.left else "", style + line.right, "") for line in lines]
    label, value = (content(part) for part in (equation.label, equation.value))
    rows[0] = _Row(label, rows[0].left, rows[0].right, "")
    crowded = columns_of(equation.label) + columns_of(equation.value) + width_of(equation.formula) > LINE
    if value and crowded:
        return [*rows, _Row("", "", "", value)]
    last = rows[-1]
    return [*rows[:-1], _Row(last.label, last.left, last.right, value)]


def _framed(row: _Row) -> str:
    label, value = (rf"\text{{{text}}}" if text else "" for text in (row.label, row.value))
    return f"&{label} & {row.left} & {row.right} & {value}&"
