"""Sets a formula as LaTeX that KaTeX, too, accepts in its strict mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from chainrule.document import formula as f
from chainrule.document import writing
from chainrule.document.latex.characters import escaped, is_word, name
from chainrule.document.numbers import PLAIN_STYLE, NumberStyle, decimals_lacking, format_number, written_parts

_RELATORS: Final[dict[f.Relator, str]] = {
    "=": "=", "≈": r"\approx", "≠": r"\neq", "<": "<", ">": ">", "≤": r"\leq", "≥": r"\geq", "←": r"\leftarrow",
    "→": r"\rightarrow", "∝": r"\propto", "∈": r"\in", "≡": r"\equiv",
}  # fmt: skip
_JOINTS: Final[dict[f.Joint, str]] = {
    "dot": r" \cdot ", "space": r"\,", "times": r" \times ", "elementwise": r" \odot ", "outer": r" \otimes ",
}  # fmt: skip
_SIGNS: Final = {"∂": r"\partial ", "d": r"\mathrm{d}", "∇": r"\nabla ", "Δ": r"\Delta "}
_ACCENTS: Final[dict[f.Accent, tuple[str, str]]] = {  # over a letter, over a word
    "hat": (r"\hat", r"\widehat"), "bar": (r"\bar", r"\overline"), "tilde": (r"\tilde", r"\widetilde"),
    "dot": (r"\dot", r"\dot"),
}  # fmt: skip
_MARKS: Final[dict[f.Accent, str]] = {"prime": r"\prime", "star": r"\ast"}


def typeset(formula: f.Formula) -> str:  # noqa: C901 - one case a kind of formula
    """The formula as it stands between dollar signs; never empty."""
    match formula:
        case f.Symbol():
            return _symbol(formula)
        case f.Number(value, style):
            return number(value, style or PLAIN_STYLE)
        case f.Words(text):
            return rf"\text{{{escaped(text)}}}"
        case f.Elided():
            return r"\ldots"
        case f.Indices(items):
            return _listed(items) or "{}"
        case f.Indexed(base, indices):
            tall = any(map(writing.is_tall, indices))
            return typeset(writing.held(base, 6)) + delimited(_listed(indices), "[", "]", tall=tall)
        case f.Differential(of, sign):
            return _SIGNS[sign] + typeset(writing.held(of, 5))
        case f.Fraction(numerator, denominator):
            return rf"\frac{{{typeset(numerator)}}}{{{typeset(denominator)}}}"
        case f.Power(base, exponent):
            return f"{_base(base)}^{{{typeset(exponent)}}}"
        case f.Root(of):
            return rf"\sqrt{{{typeset(of)}}}"
        case f.Call():
            return _call(formula)
        case f.Transpose(of):
            return rf"{_base(of)}^{{\top}}"
        case f.Absolute(of, norm):
            bar = r"\|" if norm else "|"
            return delimited(typeset(of), bar, bar, tall=True)
        case f.Parentheses(of):
            return delimited(typeset(of), "(", ")", tall=writing.is_tall(of))
        case f.Sum():
            return _sigma(formula) + typeset(writing.summand(formula))
        case f.Product() | f.Plus() | f.Relation() | f.Beside():
            return "".join(pieces(formula))
        case f.Matrix(rows):
            return _matrix(rows)
        case f.Cases(branches):
            return _cases(branches)
        case _:
            assert_never(formula)


def pieces(formula: f.Product | f.Plus | f.Relation | f.Beside) -> list[str]:
    """The formula's operands, each with the sign before it: where a long formula may be broken."""
    match formula:
        case f.Product(joint=joint):
            return _factors(writing.factors(formula), joint) or ["1"]
        case f.Plus():
            return [_term(term, first=place == 0) for place, term in enumerate(writing.terms(formula))] or ["0"]
        case f.Relation(left, rest):
            sides = [relator(sign) + typeset(writing.held(side, 1)) for sign, side in rest]
            return [typeset(writing.held(left, 2)), *sides]
        case f.Beside(items):
            return [(r" \qquad " if place else "") + typeset(item) for place, item in enumerate(items)] or ["{}"]


def relator(sign: f.Relator) -> str:
    """The sign of a relation, with spaces so that no command runs into what follows."""
    return f" {_RELATORS[sign]} "


def number(value: float, style: NumberStyle = PLAIN_STYLE) -> str:
    """The number in mathematics, its exponent as a power of ten."""
    return _number(format_number(value, style))


def number_column(numbers: Sequence[tuple[float, NumberStyle]]) -> list[str]:
    """Numbers to be set flush right, so that their points stand under one another."""
    texts = [format_number(value, style) for value, style in numbers]
    lacking = decimals_lacking(texts) or [""] * len(texts)
    return [_number(text) + (rf"\phantom{{{rest}}}" if rest else "") for text, rest in zip(texts, lacking, strict=True)]


def delimited(inner: str, left: str, right: str, *, tall: bool) -> str:
    """The formula between delimiters, which grow where it is tall."""
    return rf"\left{left} {inner} \right{right}" if tall else f"{left}{inner}{right}"


def _number(text: str) -> str:
    mantissa, exponent, percent = written_parts(text)
    shown = mantissa.replace("nan", r"\mathrm{nan}").replace("inf", r"\infty").replace(",", "{,}")
    power = rf" \times 10^{{{exponent}}}" if exponent else ""
    return shown + power + (r"\%" if percent else "")


def _symbol(symbol: f.Symbol) -> str:
    body = name(symbol.name)
    if symbol.bold:
        body = rf"\boldsymbol{{{body}}}"
    over = _ACCENTS.get(symbol.accent) if symbol.accent else None
    if over:
        body = f"{over[len(symbol.name) > 1]}{{{body}}}"
    sub = _marks(symbol.sub) if symbol.sub is not None else ""
    sup = typeset(symbol.sup) if symbol.sup is not None else ""
    mark = _MARKS.get(symbol.accent) if symbol.accent else None
    high = rf"{mark}\,{sup}" if mark and sup else mark or sup
    return body + (f"_{{{sub}}}" if sub else "") + (f"^{{{high}}}" if high else "")


def _marks(mark: f.Formula) -> str:
    """A subscript: indices of one character each stand close, 28,3 must not become 283."""
    if not isinstance(mark, f.Indices):
        return typeset(mark)
    close = all(map(writing.is_single, mark.items))
    return "".join(map(typeset, mark.items)) if close and len(mark.items) > 1 else _listed(mark.items)


def _listed(items: Sequence[f.Formula]) -> str:
    return ", ".join(map(typeset, writing.listed(items)))


def _call(call: f.Call) -> str:
    function = call.function
    operator = isinstance(function, f.Symbol) and is_word(function.name) and not function.accent and not function.bold
    written = typeset(writing.held(function, 5))
    if operator:
        written = written.replace(r"\mathrm", r"\operatorname", 1)
    tall = any(map(writing.is_tall, call.arguments))
    return written + (r"\!" if tall else "") + delimited(_listed(call.arguments), "(", ")", tall=tall)


def _base(formula: f.Formula) -> str:
    """What carries an exponent: a number that has one of its own stands in parentheses."""
    own = isinstance(formula, f.Number) and "e" in format_number(formula.value, formula.style or PLAIN_STYLE)
    return f"{{{typeset(f.Parentheses(formula) if own else writing.base(formula))}}}"


def _factors(factors: Sequence[f.Formula], joint: f.Joint) -> list[str]:
    return [(_joint(joint, factor) if place else "") + typeset(factor) for place, factor in enumerate(factors)]


def _joint(joint: f.Joint, factor: f.Formula) -> str:
    if joint != "space":
        return _JOINTS[joint]
    if isinstance(factor, f.Parentheses):
        return ""
    return _JOINTS["dot" if writing.opens_with_digit(factor) else "space"]


def _term(term: f.Term, *, first: bool) -> str:
    sign = ("-" if term.negative else "") if first else (" - " if term.negative else " + ")
    return sign + typeset(term.formula)


def _sigma(total: f.Sum) -> str:
    low = writing.lower_limit(total)
    below = f"_{{{typeset(low)}}}" if low is not None else ""
    above = f"^{{{typeset(total.upper)}}}" if total.upper is not None else ""
    return rf"\sum{below}{above} "


def _matrix(rows: Sequence[Sequence[f.Formula]]) -> str:
    if not rows or not rows[0]:
        return r"{[\,]}"  # caged: after \\ a bracket would be an option
    columns = [_matrix_column(column) for column in zip(*writing.excerpt(rows), strict=True)]
    kinds = "".join(kind for kind, _ in columns)
    lines = r" \\ ".join(" & ".join(cells) for cells in zip(*(cells for _, cells in columns), strict=True))
    return rf"\left[\begin{{array}}{{{kinds}}} {lines} \end{{array}}\right]"


def _matrix_column(column: Sequence[f.Formula]) -> tuple[str, list[str]]:
    numbers = [(cell.value, cell.style or PLAIN_STYLE) for cell in column if isinstance(cell, f.Number)]
    texts = iter(number_column(numbers))
    cells = [next(texts) if isinstance(cell, f.Number) else typeset(cell) for cell in column]
    return ("r" if numbers else "c"), cells


def _cases(branches: Sequence[tuple[f.Formula, f.Formula | None]]) -> str:
    lines = [f"{typeset(writing.held(value, 2))} & {_condition(condition)}" for value, condition in branches]
    joined = r" \\ ".join(lines)
    return rf"\begin{{cases}} {joined} \end{{cases}}" if lines else r"\{\}"


def _condition(condition: f.Formula | None) -> str:
    return r"\text{otherwise}" if condition is None else rf"\text{{if }} {typeset(condition)}"
