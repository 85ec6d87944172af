"""What every way of writing a formula decides alike: where parentheses stand, and how much of a matrix is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.document import formula as f

MATRIX_LIMIT: Final = 12  # rows or columns of a matrix shown before its middle is elided


def held(formula: f.Formula, least: int) -> f.Formula:
    """The formula, in parentheses where it holds together less tightly than asked."""
    return formula if tightness(formula) >= least else f.Parentheses(formula)


def tightness(formula: f.Formula) -> int:
    """Precedence as written: a stacked fraction is a solid block among factors, a lone term is what it holds."""
    if isinstance(formula, f.Plus | f.Product) and len(operands(formula)) == 1 and not f.starts_with_sign(formula):
        return tightness(operands(formula)[0])
    return f.precedence(formula)


def operands(formula: f.Plus | f.Product) -> tuple[f.Formula, ...]:
    """The terms or factors, without their signs."""
    return tuple(term.formula for term in formula.terms) if isinstance(formula, f.Plus) else formula.factors


def base(formula: f.Formula) -> f.Formula:
    """What an exponent or transposition applies to: a name with a mark above needs parentheses, z² is a layer."""
    marked = isinstance(formula, f.Symbol) and formula.sup is not None
    return f.Parentheses(formula) if marked else held(formula, 6)


def listed(items: Sequence[f.Formula]) -> list[f.Formula]:
    """What stands between commas; a relation alone between brackets needs no parentheses."""
    least = 2 if len(items) > 1 else 1
    return [held(item, least) for item in items]


def factors(product: f.Product) -> list[f.Formula]:
    """The factors, each in parentheses where it would be read as something else."""
    last = len(product.factors) - 1
    return [_factor(product, factor, place == 0, place == last) for place, factor in enumerate(product.factors)]


def terms(total: f.Plus) -> list[f.Term]:
    """The terms, each in parentheses where its sign would be read as another's."""
    return [_term(term, first=place == 0) for place, term in enumerate(total.terms)]


def summand(total: f.Sum) -> f.Formula:
    """What stands after the sign of summation."""
    body = total.body
    open_body = isinstance(body, f.Plus) and len(body.terms) > 1
    wrapped = open_body or tightness(body) < 3 or f.starts_with_sign(body)
    return f.Parentheses(body) if wrapped else body


def lower_limit(total: f.Sum) -> f.Formula | None:
    """What stands under the sign of summation: index, where it begins, or both."""
    parts = [part for part in (total.index, total.lower) if part is not None]
    if len(parts) == 2:
        return f.equals(*parts)
    return parts[0] if parts else None


def opens_with_digit(formula: f.Formula) -> bool:
    """Whether the written formula begins with a digit, so that it needs a sign after another factor."""
    match formula:
        case f.Number():
            return True
        case f.Fraction(numerator, denominator):
            return isinstance(numerator, f.Number) and isinstance(denominator, f.Number)
        case f.Symbol(name):
            return name[:1].isnumeric() or name[:1] == "."
        case f.Words(text):
            return text.strip()[:1].isnumeric()
        case f.Power(inner) | f.Transpose(inner) | f.Indexed(inner) | f.Call(inner):
            return opens_with_digit(inner)
        case f.Product() | f.Plus():
            parts = operands(formula)
            return not parts or opens_with_digit(parts[0])
        case _:
            return False


def is_tall(formula: f.Formula) -> bool:
    """Whether the formula stands higher than a line of text where it is displayed."""
    match formula:
        case f.Fraction() | f.Matrix() | f.Cases():
            return True
        case f.Symbol() | f.Number() | f.Words() | f.Elided():
            return False
        case f.Sum(body, _, lower, upper):
            return lower is not None or upper is not None or is_tall(body)
        case f.Power(inner) | f.Indexed(inner):
            return is_tall(inner)
        case f.Call(function, arguments):
            return is_tall(function) or any(map(is_tall, arguments))
        case f.Product() | f.Plus():
            return any(map(is_tall, operands(formula)))
        case f.Indices(items) | f.Beside(items):
            return any(map(is_tall, items))
        case f.Relation(left, rest):
            return is_tall(left) or any(is_tall(side) for _, side in rest)
        case _:
            return is_tall(formula.of)


def is_single(item: f.Formula) -> bool:
    """Whether an index is written as one character, so that several may stand close: 00, but 28,3."""
    match item:
        case f.Symbol(symbol, sub, sup, accent):
            return len(symbol) == 1 and sub is None and sup is None and accent is None
        case f.Number(value):
            return isinstance(value, int) and 0 <= value <= 9
        case _:
            return False


def excerpt(rows: Sequence[Sequence[f.Formula]], limit: int = MATRIX_LIMIT) -> list[list[f.Formula]]:
    """The first rows and columns and the last, an ellipsis between, where there are more than the limit."""
    shown: list[list[f.Formula]] = [list(row) for row in rows]
    if len(shown[0]) > limit:
        shown = [[*row[: limit - 2], f.Elided(), row[-1]] for row in shown]
    if len(shown) > limit:
        middle: list[f.Formula] = [f.Elided()] * len(shown[0])
        shown = [*shown[: limit - 2], middle, shown[-1]]
    return shown


def _factor(product: f.Product, factor: f.Formula, first: bool, last: bool) -> f.Formula:
    nested = isinstance(factor, f.Product) and len(factor.factors) > 1 and (factor.joint != product.joint or not first)
    open_sum = isinstance(factor, f.Sum) and not last
    signed = not first and f.starts_with_sign(factor)
    wrapped = nested or open_sum or signed or tightness(factor) < 3
    return f.Parentheses(factor) if wrapped else factor


def _term(term: f.Term, *, first: bool) -> f.Term:
    inner = term.formula
    signed = f.starts_with_sign(inner) and (term.negative or not first)
    wrapped = signed or tightness(inner) < (3 if term.negative else 2)
    return f.Term(f.Parentheses(inner), term.negative) if wrapped else term
