"""Breaks a long displayed formula into aligned lines: at its relations, then at the signs of its sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chainrule.document import formula as f
from chainrule.document import writing
from chainrule.document.latex.typeset import pieces, relator, typeset
from chainrule.document.text.typeset import Typesetter

LINE: Final = 66  # columns of a display in characters: what the text renderer counts and an article's line holds
LONGEST_LEFT: Final = 22  # a left side longer than this has a line of its own
_QUAD: Final = 3  # columns that a continued line is moved in
_MEASURE: Final = Typesetter()
# Whatever is too wide for a line is made smaller, and never larger.
_SHRUNK: Final = r"\resizebox{\ifdim\width>0.85\linewidth 0.85\linewidth\else\width\fi}{!}{$\displaystyle %s$}"


class Line(msgspec.Struct, frozen=True):
    """One line of a display: what stands before the place of alignment, and what after it."""

    left: str
    right: str


class _Piece(msgspec.Struct, frozen=True):
    """A part that is never broken, and its width in columns."""

    latex: str
    width: int

    def fitted(self, room: int) -> str:
        return self.latex if self.width <= room else _SHRUNK % self.latex


def lines_of(formula: f.Formula, room: int = LINE) -> list[Line]:
    """The formula in lines of at most about `room` columns; a part that cannot be broken is shrunk."""
    if not isinstance(formula, f.Relation):
        return [Line("", text) for text in _side("", formula, room)]
    left = _Piece(typeset(writing.held(formula.left, 2)), width_of(writing.held(formula.left, 2)))
    whole = width_of(formula)
    if whole <= room:
        return [Line(left.latex, "".join(pieces(formula)[1:]))]
    alone = left.width > LONGEST_LEFT
    beside = room - _QUAD if alone else room - left.width
    texts = [text for sign, side in formula.rest for text in _side(relator(sign), writing.held(side, 1), beside)]
    if alone:
        return [Line("", left.fitted(room)), *(Line("", rf"\quad {text}") for text in texts)]
    return [Line(left.latex if place == 0 else "", text) for place, text in enumerate(texts or [""])]


def width_of(formula: f.Formula) -> int:
    """About how wide the displayed formula is, in columns of characters."""
    return _MEASURE.box(formula).width


def _side(sign: str, side: f.Formula, room: int) -> list[str]:
    """One side of a relation as lines, the relation's sign before the first."""
    parts = _pieces(side, room)
    gap = 0 if isinstance(side, f.Beside) else _QUAD
    rows: list[list[_Piece]] = [[]]
    used = 0
    for part in parts:
        if rows[-1] and used + part.width > room - gap * (len(rows) > 1):
            rows.append([])
            used = 0
        rows[-1].append(part)
        used += part.width
    texts = ["".join(part.fitted(room - gap) for part in row) for row in rows]
    return [sign + texts[0], *(_continued(text, gap) for text in texts[1:])]


def _pieces(formula: f.Formula, room: int) -> Sequence[_Piece]:
    """The formula whole where it has room, else cut at its outermost signs."""
    whole = width_of(formula)
    if whole <= room or not isinstance(formula, f.Plus | f.Product | f.Beside):
        return [_Piece(typeset(formula), whole)]
    boxes = _MEASURE.pieces(formula)
    return [_Piece(latex, box.width) for latex, box in zip(pieces(formula), boxes, strict=True)]


def _continued(text: str, gap: int) -> str:
    text = text.removeprefix(r" \qquad ")
    return rf"\quad {{}}{text}" if gap else text
