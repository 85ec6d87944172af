"""Sets a formula as a box of text, in a display (stacked fractions, tall parentheses) or in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from chainrule.document import formula as f
from chainrule.document import writing
from chainrule.document.numbers import PLAIN_STYLE, align_points, format_number
from chainrule.document.text import boxes, scripts
from chainrule.document.text.boxes import Box, beside, delimited, line
from chainrule.document.text.characters import to_ascii, visible
from chainrule.document.writing import MATRIX_LIMIT

BESIDE_GAP: Final = "    "
_JOINTS: Final[dict[f.Joint, str]] = {"dot": " · ", "space": " ", "times": " × ", "elementwise": " ⊙ ", "outer": " ⊗ "}
_ASCII_JOINTS: Final[dict[f.Joint, str]] = {
    "dot": " * ", "space": " ", "times": " x ", "elementwise": " .* ", "outer": " (x) ",
}  # fmt: skip
_VULGAR: Final = {(1, 2): "½", (1, 3): "⅓", (2, 3): "⅔", (1, 4): "¼", (3, 4): "¾", (1, 8): "⅛"}


class Typesetter(msgspec.Struct, frozen=True):
    """The choices under which a formula becomes text.

    Args:
        ascii: only ASCII characters.
        inline: one line, nothing stacked.
        matrix_limit: rows or columns shown of a matrix.
    """

    ascii: bool = False
    inline: bool = False
    matrix_limit: int = MATRIX_LIMIT

    def text(self, formula: f.Formula) -> str:
        """The formula in one line."""
        return replace(self, inline=True).box(formula).lines[0]

    def box(self, formula: f.Formula) -> Box:  # noqa: C901 - one case a kind of formula
        """The formula as a box."""
        match formula:
            case f.Symbol():
                return line(self._symbol(formula))
            case f.Number(value, style):
                return line(self.number(value, style or PLAIN_STYLE))
            case f.Words(text):
                return self.sign(visible(text))
            case f.Elided():
                return self.sign("…")
            case f.Indices(items):
                return self._listed(items)
            case f.Indexed(base, indices):
                return beside(self.held(base, 6), line("["), self._listed(indices), line("]"))
            case f.Differential(of, sign):
                return beside(self.sign(sign), self.held(of, 5))
            case f.Fraction(numerator, denominator):
                return self._fraction(numerator, denominator)
            case f.Power(base, exponent):
                return self._power(base, exponent)
            case f.Root(of):
                return self._root(of)
            case f.Call(function, arguments):
                return beside(self.held(function, 5), self._parenthesized(self._listed(arguments)))
            case f.Transpose(of):
                return beside(self.box(writing.base(of)), self.sign("^T" if self.ascii else "ᵀ"))
            case f.Absolute(of, norm):
                bar = "‖" if norm else "|"
                return delimited(self.box(of), bar, bar, ascii=self.ascii)
            case f.Parentheses(of):
                return self._parenthesized(self.box(of))
            case f.Sum():
                return self._sum(formula)
            case f.Product() | f.Plus() | f.Relation() | f.Beside():
                return beside(*self.pieces(formula))
            case f.Matrix(rows):
                return self._matrix(rows)
            case f.Cases(branches):
                return self._cases(branches)
            case _:
                assert_never(formula)

    def pieces(self, formula: f.Product | f.Plus | f.Relation | f.Beside) -> list[Box]:
        """The formula's operands, each with the sign before it: where a long formula may be broken."""
        match formula:
            case f.Product(joint=joint):
                factors = writing.factors(formula)
                return [self._factor(factor, place, joint) for place, factor in enumerate(factors)] or [line("1")]
            case f.Plus():
                terms = writing.terms(formula)
                return [self._term(term, first=place == 0) for place, term in enumerate(terms)] or [line("0")]
            case f.Relation(left, rest):
                sides = [beside(self.sign(f" {sign} "), self.held(side, 1)) for sign, side in rest]
                return [self.held(left, 2), *sides]
            case f.Beside(items):
                gaps = [BESIDE_GAP if place else "" for place in range(len(items))]
                return [beside(line(gap), self.box(item)) for gap, item in zip(gaps, items, strict=True)] or [line("")]

    def number(self, value: float, style: f.NumberStyle, at_most: int | None = None) -> str:
        """A number with this alphabet's minus sign."""
        return format_number(value, style, minus="-" if self.ascii else "−", at_most=at_most)

    def sign(self, text: str) -> Box:
        """A sign of the renderer's own, spelled out in ASCII."""
        return line(to_ascii(text) if self.ascii else text)

    def held(self, formula: f.Formula, least: int) -> Box:
        """The formula, in parentheses where it holds together less tightly than asked."""
        return self.box(writing.held(formula, least))

    def _parenthesized(self, box: Box) -> Box:
        return delimited(box, "(", ")", ascii=self.ascii)

    def _symbol(self, symbol: f.Symbol) -> str:
        name = scripts.accented(self._clean(symbol.name), symbol.accent, ascii=self.ascii)
        subs = symbol.sub.items if isinstance(symbol.sub, f.Indices) else (symbol.sub,)
        lows = tuple(self.text(sub) if sub is not None else "" for sub in subs)
        high = self.text(symbol.sup) if symbol.sup is not None else ""
        high = high.replace(" ", "") if isinstance(symbol.sup, f.Plus) else high  # zˡ⁺¹
        return scripts.marked(name, lows, high, ascii=self.ascii)

    def _clean(self, text: str) -> str:
        return to_ascii(visible(text)) if self.ascii else visible(text)

    def _listed(self, items: Sequence[f.Formula]) -> Box:
        parts = [
            beside(line(", " if place else ""), self.box(item)) for place, item in enumerate(writing.listed(items))
        ]
        return beside(*parts) if parts else line("")

    def _factor(self, factor: f.Formula, place: int, joint: f.Joint) -> Box:
        box = self.box(factor)
        return box if place == 0 else beside(self._joint(joint, box, factor), box)

    def _joint(self, joint: f.Joint, box: Box, factor: f.Formula) -> Box:
        signs = _ASCII_JOINTS if self.ascii else _JOINTS
        if joint != "space":
            return line(signs[joint])
        if isinstance(factor, f.Parentheses) and not self.ascii:
            return line("")
        opening = box.lines[box.baseline].lstrip()[:1]
        return line(signs["dot" if opening.isnumeric() or opening == "." else "space"])

    def _term(self, term: f.Term, *, first: bool) -> Box:
        sign = ("−" if term.negative else "") if first else (" − " if term.negative else " + ")
        return beside(self.sign(sign), self.box(term.formula))

    def _fraction(self, numerator: f.Formula, denominator: f.Formula) -> Box:
        values = tuple(part.value if isinstance(part, f.Number) else None for part in (numerator, denominator))
        if values in _VULGAR and not self.ascii:
            return line(_VULGAR[values])  # pyright: ignore[reportArgumentType]
        if self.inline or (values[0] is not None and values[1] is not None):
            return beside(self._slanted(numerator, first=True), line("/"), self._slanted(denominator, first=False))
        return boxes.fraction(self.box(numerator), self.box(denominator), "-" if self.ascii else "─")

    def _slanted(self, formula: f.Formula, *, first: bool) -> Box:
        if isinstance(formula, f.Differential) or (first and isinstance(formula, f.Number)):
            return self.box(formula)
        return self.held(formula, 5)

    def _power(self, base: f.Formula, exponent: f.Formula) -> Box:
        below, text = self.box(writing.base(base)), self.text(exponent)
        small = None if self.ascii else scripts.superscript(text)
        if small is not None:
            blanks = (" " * len(small),) * (below.height - 1)
            return beside(below, Box((small, *blanks), below.baseline))
        if self.inline or (self.ascii and text.isalnum()):
            solid = isinstance(exponent, f.Symbol | f.Number) and not f.starts_with_sign(exponent)
            return beside(below, line(f"^{text}" if solid else f"^({text})"))
        return boxes.raised(below, self.box(exponent))

    def _root(self, of: f.Formula) -> Box:
        inner = self.box(of)
        solid = isinstance(of, f.Symbol | f.Number) and not f.starts_with_sign(of) and not self.ascii
        return beside(self.sign("√"), inner if solid else self._parenthesized(inner))

    def _sum(self, formula: f.Sum) -> Box:
        return beside(self._sigma(formula), line(" "), self.box(writing.summand(formula)))

    def _sigma(self, formula: f.Sum) -> Box:
        low, high = self._lower_limit(formula), self.text(formula.upper) if formula.upper is not None else ""
        if formula.upper is None and formula.lower is None:
            return line(self._scripted_sigma(low, ""))
        if self.inline:
            return line(self._scripted_sigma(low.replace(" ", ""), high.replace(" ", "")))
        return boxes.stacked([line(high), self.sign("Σ"), line(low.replace(" ", ""))], 1)

    def _lower_limit(self, formula: f.Sum) -> str:
        limit = writing.lower_limit(formula)
        return self.text(limit) if limit is not None else ""

    def _scripted_sigma(self, low: str, high: str) -> str:
        if self.ascii:
            return "sum" + (f"_{_caged(low)}" if low else "") + (f"^{_caged(high)}" if high else "")
        below, above = scripts.subscript(low), scripts.superscript(high)
        return "Σ" + (f"_{_caged(low)}" if below is None else below) + (f"^{_caged(high)}" if above is None else above)

    def _matrix(self, rows: tuple[tuple[f.Formula, ...], ...]) -> Box:
        if not rows or not rows[0]:
            return line("[]")
        shown = writing.excerpt(rows, self.matrix_limit)
        if self.inline:
            return line("[" + "; ".join(" ".join(map(self.text, row)) for row in shown) + "]")
        columns = [self._matrix_column(column) for column in zip(*shown, strict=True)]
        cells = list(zip(*columns, strict=True))
        return delimited(boxes.grid(cells, 2, ["center"] * len(columns)), "[", "]", ascii=self.ascii)

    def _matrix_column(self, column: Sequence[f.Formula]) -> list[Box]:
        texts = [self.text(cell) if isinstance(cell, f.Number) else "" for cell in column]
        points = iter(align_points([text for text in texts if text]))
        return [line(next(points)) if text else self.box(cell) for text, cell in zip(texts, column, strict=True)]

    def _cases(self, branches: Sequence[tuple[f.Formula, f.Formula | None]]) -> Box:
        rows = [[self.held(value, 2), self._condition(condition)] for value, condition in branches]
        if self.inline or not rows:
            return line("{" + "; ".join(" ".join(box.lines[0] for box in row) for row in rows) + "}")
        return delimited(boxes.grid(rows, 2, ["left", "left"]), "{", "", ascii=self.ascii)

    def _condition(self, condition: f.Formula | None) -> Box:
        return line("otherwise") if condition is None else beside(line("if "), self.box(condition))


def _caged(text: str) -> str:
    return text if text.isalnum() else f"{{{text}}}"
