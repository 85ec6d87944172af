"""Sums of products as data: flatten a formula into terms, cancel and collect, and write it down again.

A formula of sums, products, quotients and powers is a list of terms, each a rational coefficient times atoms to whole
powers. A factor cancels against a divisor only where it is known to be nowhere 0. Coefficients are exact fractions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, TypeAlias

import msgspec

from chainrule.autodiff.tidy import repeated
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node
from chainrule.graph.rewrite import Context
from chainrule.graph.tensor_type import TensorType

Powers: TypeAlias = dict[Node, int]  # atom to exponent, never 0, in the order of first appearance
Quotients: TypeAlias = Mapping[tuple[Node, Node], Node]  # quotients already in the graph, so that ŷ is found again

ARITHMETIC: Final = frozenset({"add", "subtract", "multiply", "divide", "negate", "power"})
_FORMULA: Final = ARITHMETIC | {"broadcast"}
_MOST_TERMS: Final = 12  # a formula that grows beyond this is left as it is, so that the work per node is bounded
_MOST_DEPTH: Final = 8
_MOST_READABLE: Final = 1_000_000  # a fraction of numbers up to this is written as one: x / 3, not 0.333… · x

_LARGEST_EXPONENT: Final = {"float32": 127, "float64": 1023}  # emax; IEEE 754-2019, table 3.5
_ONE: Final = Fraction(1)


class Term(msgspec.Struct, frozen=True):
    """A coefficient times atoms to whole powers."""

    coefficient: Fraction
    powers: Powers = msgspec.field(default_factory=dict[Node, int])

    def key(self) -> frozenset[tuple[Node, int]]:
        """What makes two terms alike."""
        return frozenset(self.powers.items())


Terms: TypeAlias = list[Term]


class TooLargeError(Exception):
    """Expanding would make too many terms, or a number that the dtype cannot hold."""


class Flattener(msgspec.Struct, frozen=True):
    """Flattens a node into terms; `keep(sum)` tells which sums stay whole instead of being multiplied out."""

    context: Context
    keep: Callable[[Node], bool]

    def terms(self, node: Node, depth: int = _MOST_DEPTH) -> Terms:
        """The terms whose sum is the node.

        Raises: TooLargeError beyond a dozen terms, or with a coefficient that would overflow or lose digits.
        """
        if not node.tensor.is_float or depth == 0:
            return _alone(node)
        result = self._flatten(node, depth - 1)
        if len(result) > _MOST_TERMS:
            raise TooLargeError
        collected = collect(result)
        limit = _LARGEST_EXPONENT[node.tensor.dtype]
        if any(_exponent(term.coefficient) >= limit for term in collected):
            raise TooLargeError
        return collected

    def _flatten(self, node: Node, depth: int) -> Terms:
        match node.primitive:
            case "constant":
                return _constant(node)
            case "negate":
                return [Term(-t.coefficient, t.powers) for t in self.terms(node.inputs[0], depth)]
            case "add" | "subtract":
                left, right = (self.terms(i, depth) for i in node.inputs)
                sign = 1 if node.primitive == "add" else -1
                return left + [Term(sign * t.coefficient, t.powers) for t in right]
            case "multiply":
                return self._product(node, self._factor(node.inputs[0], depth), self._factor(node.inputs[1], depth))
            case "divide":
                return self._quotient(node, depth)
            case "power":
                return self._power(node, depth)
            case "broadcast":
                return self._broadcast(node, depth)
            case _:
                return _alone(node)

    def _factor(self, node: Node, depth: int) -> Terms:
        terms = self.terms(node, depth)
        return _alone(node) if len(terms) != 1 and self.keep(node) else terms

    def _product(self, node: Node, left: Terms, right: Terms) -> Terms:
        if len(left) * len(right) > _MOST_TERMS:
            raise TooLargeError
        result: Terms = []
        for a in left:
            for b in right:
                powers = merged(a.powers, b.powers, self.context)
                if powers is None:
                    return _alone(node)
                result.append(Term(a.coefficient * b.coefficient, powers))
        return result

    def _quotient(self, node: Node, depth: int) -> Terms:
        over, under = self._factor(node.inputs[0], depth), self.terms(node.inputs[1], depth)
        if len(under) != 1:
            under = _alone(node.inputs[1])
        below = under[0]
        inverse = Term(1 / below.coefficient, {atom: -k for atom, k in below.powers.items()})
        return self._product(node, over, [inverse])

    def _power(self, node: Node, depth: int) -> Terms:
        exponent = node["exponent"]
        terms = self.terms(node.inputs[0], depth)
        if not isinstance(exponent, float) or not exponent.is_integer() or not 0 < exponent <= 4:
            return _alone(node)
        k = int(exponent)
        if len(terms) != 1:
            return [Term(Fraction(1), {node.inputs[0]: k})]
        return [Term(terms[0].coefficient ** k, {atom: k * p for atom, p in terms[0].powers.items()})]

    def _broadcast(self, node: Node, depth: int) -> Terms:
        (inner,) = node.inputs
        if inner.primitive not in ARITHMETIC and inner.primitive != "constant":
            return _alone(node)
        terms = self.terms(inner, depth)
        if len(terms) != 1:
            return _alone(node)
        return [Term(terms[0].coefficient, {like_broadcast(node, a): k for a, k in terms[0].powers.items()})]


def _alone(node: Node) -> Terms:
    return [Term(_ONE, {node: 1})]


def _exponent(coefficient: Fraction) -> int:
    """How far from 1, up or down, in powers of 2; at most 1 too far."""
    return abs(coefficient.numerator.bit_length() - coefficient.denominator.bit_length()) + 1


def merged(left: Powers, right: Powers, context: Context) -> Powers | None:
    """The product of two monomials, or None where something would cancel that may be 0."""
    result = dict(left)
    for atom, power in right.items():
        before = result.get(atom, 0)
        if before * power < 0 and not context.nonzero(atom):
            return None
        result[atom] = before + power
        if result[atom] == 0:
            del result[atom]
    return result


def times(factor: Term, x: Expr, context: Context, quotients: Quotients) -> Expr:
    """A term times one more factor, which may be one of its atoms."""
    powers = merged({x.node: 1}, factor.powers, context)
    if powers is None:
        return x * write_term(factor, x.type, quotients)
    return write_term(Term(factor.coefficient, powers), x.type, quotients)


def like_broadcast(pattern: Node, x: Node) -> Node:
    """The node x repeated as the broadcast `pattern` repeats its own input, which has the shape of x."""
    shape = pattern.tensor.shape
    if x.primitive == "constant":
        return e.constant(_value(x), x.tensor.with_shape(shape)).node
    return repeated(x, shape, pattern.integers("axes"))


def _value(node: Node) -> float:
    value = node["value"]
    assert isinstance(value, (int, float))
    return value


def _constant(node: Node) -> Terms:
    value = _value(node)
    if value - value != 0:  # infinite or NaN: not a number that algebra may move
        return _alone(node)
    return [Term(Fraction(value))] if value else []


def collect(terms: Terms) -> Terms:
    """Like terms added up; those that vanish are gone."""
    if len(terms) == 1:
        return terms if terms[0].coefficient else []
    found: dict[frozenset[tuple[Node, int]], Term] = {}
    for term in terms:
        key = term.key()
        before = found.get(key)
        found[key] = Term(before.coefficient + term.coefficient, before.powers) if before else term
    return [term for term in found.values() if term.coefficient]


def common_factor(terms: Terms) -> Term:
    """The coefficient and the powers that all terms share; 1 where nothing is shared."""
    shared = dict(terms[0].powers)
    for term in terms[1:]:
        shared = {a: _nearer_zero(k, term.powers[a]) for a, k in shared.items() if k * term.powers.get(a, 0) > 0}
    size = abs(terms[0].coefficient)
    same = all(abs(term.coefficient) == size for term in terms)
    return Term(size if same else Fraction(1), shared)


def _nearer_zero(a: int, b: int) -> int:
    return min(a, b, key=abs)


def divided(terms: Terms, factor: Term) -> Terms:
    """The terms without a factor they all share."""
    result: Terms = []
    for term in terms:
        powers = {a: k - factor.powers.get(a, 0) for a, k in term.powers.items()}
        result.append(Term(term.coefficient / factor.coefficient, {a: k for a, k in powers.items() if k}))
    return result


def write(terms: Terms, type_: TensorType, quotients: Quotients) -> Expr:
    """The terms as a formula: positive ones first, each as coefficient · numerator / denominator."""
    if not terms:
        return e.constant(0.0, type_)
    ordered = sorted(terms, key=lambda t: t.coefficient < 0)
    total = write_term(ordered[0], type_, quotients)
    for term in ordered[1:]:
        part = write_term(Term(abs(term.coefficient), term.powers), type_, quotients)
        total = total - part if term.coefficient < 0 else total + part
    return total


def write_term(term: Term, type_: TensorType, quotients: Quotients) -> Expr:
    """One term as a formula."""
    if term.coefficient < 0:
        return -write_term(Term(-term.coefficient, term.powers), type_, quotients)
    quoted = with_quotients(term, quotients)
    if quoted is not term:
        return write_term(quoted, type_, quotients)
    over = [(a, k) for a, k in term.powers.items() if k > 0]
    under = [(a, -k) for a, k in term.powers.items() if k < 0]
    above, below = _fraction(term.coefficient)
    numerator = _product(over, above, type_)
    return numerator / _product(under, below, type_) if under or below != 1 else numerator


def with_quotients(term: Term, quotients: Quotients) -> Term:
    """The term with a numerator over a denominator as the quotient that the graph has already; the first of several."""
    over = [a for a, k in term.powers.items() if k == 1]
    under = [a for a, k in term.powers.items() if k < 0]
    found = [(n, d) for n in over for d in under if (n, d) in quotients]
    if not found:
        return term
    known = found[0] if len(found) == 1 else next(pair for pair in quotients if pair in found)
    _, denominator = known
    rest = {a: k for a, k in term.powers.items() if a not in known}
    if term.powers[denominator] != -1:
        rest[denominator] = term.powers[denominator] + 1
    whole = quotients[known]
    rest[whole] = rest.get(whole, 0) + 1
    return Term(term.coefficient, {a: k for a, k in rest.items() if k})


def _fraction(coefficient: Fraction) -> tuple[float, float]:
    """Numerator and denominator as they are written: 2 and 3, but 0.1 and 1, since 0.1 is a number as it stands."""
    above, below = coefficient.numerator, coefficient.denominator
    if below == 1 or max(above, below) > _MOST_READABLE or Fraction(float(coefficient)) == coefficient:
        return float(coefficient), 1.0
    return float(above), float(below)


def _product(factors: list[tuple[Node, int]], coefficient: float, type_: TensorType) -> Expr:
    parts = [Expr(a) if k == 1 else Expr(a) ** k for a, k in factors]
    if coefficient != 1 or not parts:
        parts.insert(0, e.constant(coefficient, type_))
    return functools.reduce(Expr.__mul__, parts)


def cost(node: Node, quotients: Quotients, limit: int = 96) -> int:
    """The number of distinct operations of the formula down to its atoms; a quotient of the graph counts as one."""
    seen: set[Node] = set()
    stack = [node]
    while stack and len(seen) < limit:
        here = stack.pop()
        if here in seen or here.primitive not in _FORMULA:
            continue
        seen.add(here)
        if here is not node and here.primitive == "divide" and here.inputs in quotients:
            continue
        if here.primitive != "broadcast" or here.inputs[0].primitive in ARITHMETIC:
            stack.extend(here.inputs)
    return len(seen)


def divisor_sums(node: Node, depth: int = _MOST_DEPTH) -> set[Node]:
    """The sums that stand below a fraction line in the formula: kept whole until they have cancelled."""
    found: set[Node] = set()
    stack = [(node, depth)]
    while stack:
        here, left = stack.pop()
        if left == 0 or here.primitive not in _FORMULA:
            continue
        if here.primitive == "divide" and here.inputs[1].primitive in ("add", "subtract"):
            found.add(here.inputs[1])
        stack.extend((i, left - 1) for i in here.inputs)
    return found
