"""What a formula is: a tree of parts that knows nothing of fonts, lines or parentheses.

Renderers decide parentheses from precedence (`precedence`); `Parentheses` are stored only where they are meant as
emphasis. Every part is immutable and compares by value.
"""

from __future__ import annotations

import operator
from typing import Literal, TypeAlias

import msgspec

from chainrule.document.numbers import NumberKind, NumberStyle
from chainrule.errors import InputError, ValueRangeError

Accent = Literal["hat", "bar", "tilde", "dot", "prime", "star"]
Joint = Literal["dot", "space", "times", "elementwise", "outer"]
Relator = Literal["=", "≈", "≠", "<", ">", "≤", "≥", "←", "→", "∝", "∈", "≡"]

LARGEST_INTEGER = 2**63


class Symbol(msgspec.Struct, frozen=True):
    """A name with its marks: W with superscript 1 (the layer) and subscript 0,0 is W¹₀₀.

    A superscript here is a mark that belongs to the name; squaring is `Power`.
    """

    name: str
    sub: Formula | None = None
    sup: Formula | None = None
    accent: Accent | None = None
    bold: bool = False


class Number(msgspec.Struct, frozen=True):
    """A value with the precision it should be shown in; without a style the table column or the renderer decides."""

    value: float
    style: NumberStyle | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "value", _plain_number(self.value))


class Words(msgspec.Struct, frozen=True):
    """Upright text inside a formula, such as "otherwise"."""

    text: str


class Elided(msgspec.Struct, frozen=True):
    """What is left out, written as an ellipsis."""


class Indices(msgspec.Struct, frozen=True):
    """Several things separated by commas; as a subscript of single characters they are set close: ₀₀."""

    items: tuple[Formula, ...]


class Indexed(msgspec.Struct, frozen=True):
    """One element of a formula that is not a plain symbol: (W x)[3, 7]."""

    base: Formula
    indices: tuple[Formula, ...]


class Differential(msgspec.Struct, frozen=True):
    """The sign of differentiation before what is differentiated: ∂L, dx, ∇L."""

    of: Formula
    sign: Literal["∂", "d", "∇", "Δ"] = "∂"


class Fraction(msgspec.Struct, frozen=True):
    """Numerator over denominator; stacked in a display, a/b in a line of text."""

    numerator: Formula
    denominator: Formula


class Power(msgspec.Struct, frozen=True):
    """The base raised to the exponent."""

    base: Formula
    exponent: Formula


class Root(msgspec.Struct, frozen=True):
    """The square root."""

    of: Formula


class Call(msgspec.Struct, frozen=True):
    """A function applied: σ(z), max(0, z)."""

    function: Formula
    arguments: tuple[Formula, ...]


class Transpose(msgspec.Struct, frozen=True):
    """The transposed matrix."""

    of: Formula


class Absolute(msgspec.Struct, frozen=True):
    """|x|, or the norm ‖x‖."""

    of: Formula
    norm: bool = False


class Parentheses(msgspec.Struct, frozen=True):
    """Parentheses meant as emphasis; those that precedence asks for are added by the renderers."""

    of: Formula


class Sum(msgspec.Struct, frozen=True):
    """Σ over an index: from `lower` to `upper` where they are given, else over all its values."""

    body: Formula
    index: Formula | None = None
    lower: Formula | None = None
    upper: Formula | None = None


class Product(msgspec.Struct, frozen=True):
    """Factors joined by a center dot, by standing side by side, or by another product's sign."""

    factors: tuple[Formula, ...]
    joint: Joint = "dot"


class Term(msgspec.Struct, frozen=True):
    """A signed term of `Plus`."""

    formula: Formula
    negative: bool = False


class Plus(msgspec.Struct, frozen=True):
    """A sum of signed terms; a lone negative term is a negation."""

    terms: tuple[Term, ...]


class Relation(msgspec.Struct, frozen=True):
    """A chain of relations, a = b ≈ c: the first side, then each sign with the side after it."""

    left: Formula
    rest: tuple[tuple[Relator, Formula], ...]


class Beside(msgspec.Struct, frozen=True):
    """Formulas one beside the other on a line, wide apart."""

    items: tuple[Formula, ...]


class Matrix(msgspec.Struct, frozen=True):
    """Rows of equal length in brackets."""

    rows: tuple[tuple[Formula, ...], ...]

    def __post_init__(self) -> None:
        if len({len(row) for row in self.rows}) > 1:
            raise ValueRangeError("a matrix got rows of different lengths: give each row the same number of entries")


class Cases(msgspec.Struct, frozen=True):
    """Values with the conditions under which they hold; a condition of None is "otherwise"."""

    branches: tuple[tuple[Formula, Formula | None], ...]


Formula: TypeAlias = (
    Symbol
    | Number
    | Words
    | Elided
    | Indices
    | Indexed
    | Differential
    | Fraction
    | Power
    | Root
    | Call
    | Transpose
    | Absolute
    | Parentheses
    | Sum
    | Product
    | Plus
    | Relation
    | Beside
    | Matrix
    | Cases
)

Mark: TypeAlias = "Formula | str | int | tuple[Formula | str | int, ...]"


def symbol(name: str, sub: Mark | None = None, sup: Mark | None = None, accent: Accent | None = None) -> Symbol:
    """A symbol whose marks may be given as text, integers or tuples of them: symbol("W", (0, 0), 1) is W¹₀₀."""
    return Symbol(name, _mark(sub), _mark(sup), accent)


def number(value: float, digits: int = 6, kind: NumberKind = "significant", *, signed: bool = False) -> Number:
    """A number with its own style."""
    return Number(value, NumberStyle(kind, digits, signed))


def partial(of: Formula, by: Formula) -> Fraction:
    """The partial derivative ∂of/∂by."""
    return Fraction(Differential(of), Differential(by))


def equals(left: Formula, *sides: Formula) -> Relation:
    """A chain of equations: left = side = side."""
    return Relation(left, tuple(("=", side) for side in sides))


def relation(left: Formula, sign: Relator, right: Formula) -> Relation:
    """One relation: left sign right."""
    return Relation(left, ((sign, right),))


def plus(*terms: Formula) -> Plus:
    """A sum: term + term."""
    return Plus(tuple(Term(term) for term in terms))


def minus(first: Formula, *others: Formula) -> Plus:
    """A difference: first − other."""
    return Plus((Term(first), *(Term(other, negative=True) for other in others)))


def negative(of: Formula) -> Plus:
    """The negation −of."""
    return Plus((Term(of, negative=True),))


def times(*factors: Formula) -> Product:
    """A product with center dots: factor · factor."""
    return Product(factors)


def juxtaposed(*factors: Formula) -> Product:
    """Factors side by side, as in x W and ŷ(1 − ŷ)."""
    return Product(factors, "space")


def call(function: str, *arguments: Formula) -> Call:
    """The named function applied to its arguments."""
    return Call(Symbol(function), arguments)


def starts_with_sign(formula: Formula) -> bool:
    """Whether the written formula begins with + or −, so that it needs parentheses after another sign."""
    match formula:
        case Number(value, style):
            return value < 0 or (style is not None and style.signed and value > 0)
        case Plus(terms):
            return bool(terms) and (terms[0].negative or starts_with_sign(terms[0].formula))
        case Product(factors):
            return bool(factors) and starts_with_sign(factors[0])
        case Relation(left):
            return starts_with_sign(left)
        case _:
            return False


def precedence(formula: Formula) -> int:
    """How tightly a formula holds together: 0 side by side, 1 relation, 2 sum, 3 product, 4 prefix, 5 power, 6 name."""
    match formula:
        case Beside():
            return 0
        case Relation() | Indices():
            return 1
        case Plus():
            return 2
        case Product() | Sum():
            return 3
        case Differential() | Fraction():
            return 4
        case Power() | Transpose() | Indexed():
            return 5
        case Number(value) if value < 0:
            return 4
        case _:
            return 6


def _mark(mark: Mark | None) -> Formula | None:
    match mark:
        case None:
            return None
        case str():
            return Symbol(mark)
        case int():
            return Number(mark)
        case tuple():
            return Indices(tuple(_one_mark(item) for item in mark))
        case _:
            return mark


def _one_mark(mark: Formula | str | int) -> Formula:
    if isinstance(mark, str):
        return Symbol(mark)
    return Number(mark) if isinstance(mark, int) else mark


def _plain_number(value: object) -> float:
    """A Python int or float, also from an array library's scalar."""
    if type(value) is float:
        return value
    if hasattr(value, "__index__"):
        whole = operator.index(value)  # pyright: ignore[reportArgumentType]
        if abs(whole) > LARGEST_INTEGER:
            raise ValueRangeError(f"an integer of {whole.bit_length()} bits came: give a float, or at most 63 bits")
        return whole
    if hasattr(value, "__float__"):
        return float(value)  # pyright: ignore[reportArgumentType]
    raise InputError(f"a {type(value).__name__} came where a number was wanted: give an int or a float")
