"""How the parts of a formula stand together: factors close or with dots, choices by one condition as one choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from chainrule.document import (
    Call,
    Cases,
    Formula,
    Fraction,
    Number,
    Plus,
    Power,
    Product,
    Sum,
    Symbol,
    juxtaposed,
    plus,
    times,
)
from chainrule.graph.node import Node
from chainrule.graph.rewrite import is_constant

Write: TypeAlias = Callable[[Node], Formula]
Knows: TypeAlias = Callable[[Node], bool]


def factors(product: Node, knows: Knows) -> list[Node]:
    """What is multiplied, numbers first, then what has a name; a factor that has a name is not taken apart."""
    found: list[Node] = []
    for node in product.inputs:
        found += factors(node, knows) if node.primitive == "multiply" and not knows(node) else [node]
    return sorted(
        found, key=lambda each: (each.primitive != "constant", not (knows(each) or each.primitive == "input"))
    )


def joined(parts: Sequence[Formula]) -> Formula:
    """Factors close together, as in ½ ŷ(1 − ŷ) and y log(ŷ); with dots where that could be misread."""
    flat = [part for each in parts for part in (each.factors if isinstance(each, Product) else (each,))]
    if len(flat) == 1:
        return flat[0]
    first, *rest = flat
    number_of_sum = len(rest) == 1 and _is_number(first) and isinstance(rest[0], Sum)
    close = (_is_number(first) or isinstance(first, (Symbol, Call, Plus))) and all(map(_stands_close, rest))
    return juxtaposed(*flat) if close or number_of_sum else times(*flat)


def _is_number(factor: Formula) -> bool:
    """Whether it is a number, or a fraction of numbers."""
    if isinstance(factor, Fraction):
        return isinstance(factor.numerator, Number) and isinstance(factor.denominator, Number)
    return isinstance(factor, Number)


def _stands_close(factor: Formula) -> bool:
    """Whether it is read as a factor without a sign before it."""
    if isinstance(factor, Power):
        return isinstance(factor.base, (Symbol, Plus))
    return isinstance(factor, (Symbol, Plus, Call))


class _Choice(msgspec.Struct, frozen=True):
    """A value that is one thing under a condition and another without it; None where that is 0."""

    condition: Node
    yes: Formula | None
    no: Formula | None


def sum_of_choices(terms: Sequence[Node], knows: Knows, write: Write) -> Formula | None:
    """Of terms that all choose by one condition, the choice between their sums; None of any others."""
    choices = [_choice(term, knows, write) for term in terms]
    found = [each for each in choices if each is not None]
    if len(found) < len(choices) or len({each.condition for each in found}) != 1:
        return None
    yes, no = (
        [part for part in side if part is not None] for side in zip(*((c.yes, c.no) for c in found), strict=True)
    )
    return Cases(((_total(yes), write(found[0].condition)), (_total(no), None)))


def _choice(node: Node, knows: Knows, write: Write) -> _Choice | None:
    """A choice, a condition as 0 or 1, or either times a number."""
    if knows(node):
        return None
    match node.primitive:
        case "select":
            yes, no = (None if is_constant(each, 0.0) else write(each) for each in node.inputs[1:])
            return _Choice(node.inputs[0], yes, no)
        case "cast" if node.inputs[0].tensor.dtype == "bool":
            return _Choice(node.inputs[0], Number(1), None)
        case "multiply" if any(is_constant(each) for each in node.inputs):
            number, other = node.inputs if is_constant(node.inputs[0]) else node.inputs[::-1]
            inner, factor = _choice(other, knows, write), write(number)
            return inner and _Choice(inner.condition, _scaled(factor, inner.yes), _scaled(factor, inner.no))
        case _:
            return None


def _scaled(factor: Formula, part: Formula | None) -> Formula | None:
    if part is None:
        return None
    return factor if part == Number(1) else joined([factor, part])


def _total(terms: Sequence[Formula]) -> Formula:
    return plus(*terms) if len(terms) > 1 else terms[0] if terms else Number(0)
