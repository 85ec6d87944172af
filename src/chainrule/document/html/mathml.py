"""Sets a formula as MathML, with elements of MathML Core only, which browsers draw without help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

from chainrule.document import formula as f
from chainrule.document import writing
from chainrule.document.html.elements import element, text
from chainrule.document.numbers import PLAIN_STYLE, NumberStyle, decimals_lacking, format_number, written_parts
from chainrule.document.text.characters import visible

_JOINTS: Final[dict[f.Joint, str]] = {"dot": "·", "times": "×", "elementwise": "⊙", "outer": "⊗"}
_ACCENTS: Final[dict[f.Accent, str]] = {"hat": "\u02c6", "bar": "¯", "tilde": "\u02dc", "dot": "˙"}
_MARKS: Final[dict[f.Accent, str]] = {"prime": "′", "star": "∗"}
_APPLIED: Final = "<mo>&#x2061;</mo>"  # function application, silent on paper and spoken by a screen reader
_TIMES: Final = "<mo>&#x2062;</mo>"  # invisible times
_THIN: Final = '<mspace width="0.17em"></mspace>'


def math(inner: str, *, display: bool = False) -> str:
    """A formula's markup as an element of its own."""
    return element("math", inner, displaystyle="true" if display else "")


def mathml(formula: f.Formula) -> str:  # noqa: C901 - one case a kind of formula
    """The formula as exactly one MathML element."""
    match formula:
        case f.Symbol():
            return _symbol(formula)
        case f.Number(value, style):
            return number(value, style or PLAIN_STYLE)
        case f.Words(said):
            return f"<mtext>{_kept(said)}</mtext>"
        case f.Elided():
            return "<mi>…</mi>"
        case f.Indices(items):
            return _listed(items)
        case f.Indexed(base, indices):
            inner = _fenced("[", _listed(indices), "]", tall=any(map(writing.is_tall, indices)))
            return _row(mathml(writing.held(base, 6)), inner)
        case f.Differential(of, sign):
            return _row(_upright(sign), mathml(writing.held(of, 5)))
        case f.Fraction(numerator, denominator):
            return element("mfrac", mathml(numerator), mathml(denominator))
        case f.Power(base, exponent):
            return element("msup", _base(base), mathml(exponent))
        case f.Root(of):
            return element("msqrt", mathml(of))
        case f.Call(function, arguments):
            inner = _fenced("(", _listed(arguments), ")", tall=any(map(writing.is_tall, arguments)))
            return _row(mathml(writing.held(function, 5)), _APPLIED, inner)
        case f.Transpose(of):
            return element("msup", _base(of), _upright("T"))
        case f.Absolute(of, norm):
            bar = "‖" if norm else "|"
            return _fenced(bar, mathml(of), bar)
        case f.Parentheses(of):
            return _fenced("(", mathml(of), ")", tall=writing.is_tall(of))
        case f.Sum():
            return _row(_sigma(formula), mathml(writing.summand(formula)))
        case f.Product() | f.Plus() | f.Relation() | f.Beside():
            return _row(*pieces(formula))
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
            factors = writing.factors(formula)
            return [_factor(factor, joint if place else None) for place, factor in enumerate(factors)] or ["<mn>1</mn>"]
        case f.Plus():
            terms = enumerate(writing.terms(formula))
            return [_term(term, first=place == 0) for place, term in terms] or ["<mn>0</mn>"]
        case f.Relation(left, rest):
            sides = [_row(relator(sign), mathml(writing.held(side, 1))) for sign, side in rest]
            return [mathml(writing.held(left, 2)), *sides]
        case f.Beside(items):
            gap = '<mspace width="2em"></mspace>'
            return [(gap if place else "") + mathml(item) for place, item in enumerate(items)]


def relator(sign: f.Relator) -> str:
    """The sign of a relation, spaced on both sides even where a line begins with it."""
    return f'<mo form="infix">{text(sign)}</mo>'


def number(value: float, style: NumberStyle = PLAIN_STYLE, lacking: str = "") -> str:
    """The number, followed by invisible digits that it lacks in its column."""
    shown = format_number(value, style, minus="−")
    sign, body = (shown[:1], shown[1:]) if shown[:1] in "+−" else ("", shown)
    mantissa, exponent, percent = written_parts(body)
    parts = [f'<mo form="prefix">{sign}</mo>'] if sign else []
    if mantissa in ("nan", "inf"):
        parts.append("<mi>nan</mi>" if mantissa == "nan" else "<mn>∞</mn>")
    else:
        parts.append(f"<mn>{mantissa}{'' if exponent else percent}</mn>")
    if exponent:
        parts += [
            "<mo>×</mo>",
            element("msup", "<mn>10</mn>", _exponent(exponent)),
            f"<mo>{percent}</mo>" * bool(percent),
        ]
    parts += [f"<mphantom><mn>{lacking}</mn></mphantom>"] if lacking else []
    return _row(*parts)


def _exponent(digits: str) -> str:
    return f"<mrow><mo>−</mo><mn>{digits[1:]}</mn></mrow>" if digits.startswith("-") else f"<mn>{digits}</mn>"


def _row(*parts: str) -> str:
    """The parts as one element."""
    return parts[0] if len(parts) == 1 and not parts[0].startswith("<mspace") else element("mrow", *parts)


def _fenced(left: str, inner: str, right: str, *, tall: bool = True) -> str:
    """The formula between signs that grow with it where it is tall; those around a line keep closer to it."""
    kept = "" if tall else ' stretchy="false"'
    return f'<mrow><mo form="prefix"{kept}>{left}</mo>{inner}<mo form="postfix"{kept}>{right}</mo></mrow>'


def _kept(said: str) -> str:
    """Text whose outer spaces count."""
    shown = visible(said)
    inner = shown.strip(" ")
    before, after = len(shown) - len(shown.lstrip(" ")), len(shown) - len(shown.rstrip(" "))
    return "&#xa0;" * before + text(inner) + "&#xa0;" * (after if inner else 0)


def _upright(sign: str) -> str:
    return f'<mi mathvariant="normal">{sign}</mi>'


def _symbol(symbol: f.Symbol) -> str:
    body = _name(symbol.name, "bold" if symbol.bold else "")
    over = _ACCENTS.get(symbol.accent) if symbol.accent else None
    if over:
        body = f'<mover accent="true">{body}<mo stretchy="false">{over}</mo></mover>'
    mark = _MARKS.get(symbol.accent) if symbol.accent else None
    marks = [f"<mo>{mark}</mo>"] * bool(mark) + ([mathml(symbol.sup)] if symbol.sup is not None else [])
    sub = _subscript(symbol.sub) if symbol.sub is not None else None
    if sub and marks:
        return element("msubsup", body, sub, _row(*marks))
    if sub:
        return element("msub", body, sub)
    return element("msup", body, _row(*marks)) if marks else body


def _name(name: str, class_: str) -> str:
    return element("mn" if name.isdigit() else "mi", text(name), class_=class_)


def _subscript(mark: f.Formula) -> str:
    """Indices of one character each stand close, 28,3 must not become 283."""
    if isinstance(mark, f.Indices) and len(mark.items) > 1 and all(map(writing.is_single, mark.items)):
        return element("mrow", *map(mathml, mark.items))
    return mathml(mark)


def _listed(items: Sequence[f.Formula]) -> str:
    comma = '<mo separator="true">,</mo>'
    parts = [(comma if place else "") + mathml(item) for place, item in enumerate(writing.listed(items))]
    return element("mrow", *parts)


def _base(formula: f.Formula) -> str:
    """What carries an exponent: a number that has one of its own stands in parentheses."""
    own = isinstance(formula, f.Number) and "e" in format_number(formula.value, formula.style or PLAIN_STYLE)
    return mathml(f.Parentheses(formula) if own else writing.base(formula))


def _factor(factor: f.Formula, joint: f.Joint | None) -> str:
    body = mathml(factor)
    if joint is None:
        return body
    if joint != "space" or writing.opens_with_digit(factor):
        return f'<mrow><mo form="infix">{_JOINTS.get(joint, "·")}</mo>{body}</mrow>'
    return element("mrow", _TIMES, "" if isinstance(factor, f.Parentheses) else _THIN, body)


def _term(term: f.Term, *, first: bool) -> str:
    body = mathml(term.formula)
    if first and not term.negative:
        return body
    sign = "−" if term.negative else "+"
    return f'<mrow><mo form="{"prefix" if first else "infix"}">{sign}</mo>{body}</mrow>'


def _sigma(total: f.Sum) -> str:
    low = writing.lower_limit(total)
    sign = "<mo>∑</mo>"
    if low is not None and total.upper is not None:
        return element("munderover", sign, mathml(low), mathml(total.upper))
    if low is not None:
        return element("munder", sign, mathml(low))
    return element("mover", sign, mathml(total.upper)) if total.upper is not None else sign


def _matrix(rows: Sequence[Sequence[f.Formula]]) -> str:
    if not rows or not rows[0]:
        return _fenced("[", "<mrow></mrow>", "]", tall=False)
    columns = [_matrix_column(column) for column in zip(*writing.excerpt(rows), strict=True)]
    lines = [element("mtr", *cells) for cells in zip(*columns, strict=True)]
    return _fenced("[", element("mtable", *lines), "]")


def _matrix_column(column: Sequence[f.Formula]) -> list[str]:
    texts = [format_number(cell.value, cell.style or PLAIN_STYLE) for cell in column if isinstance(cell, f.Number)]
    lacking = iter(decimals_lacking(texts) or [""] * len(texts))
    return [
        element("mtd", number(cell.value, cell.style or PLAIN_STYLE, next(lacking)), class_="number")
        if isinstance(cell, f.Number)
        else element("mtd", mathml(cell))
        for cell in column
    ]


def _cases(branches: Sequence[tuple[f.Formula, f.Formula | None]]) -> str:
    rows = [
        element("mtr", element("mtd", mathml(writing.held(value, 2))), element("mtd", _condition(condition)))
        for value, condition in branches
    ]
    return element("mrow", '<mo form="prefix">{</mo>', element("mtable", *rows, class_="cases"))


def _condition(condition: f.Formula | None) -> str:
    return "<mtext>otherwise</mtext>" if condition is None else _row("<mtext>if&#xa0;</mtext>", mathml(condition))
