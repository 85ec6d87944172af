"""THE TABLE of how each primitive is written: one row a primitive, a formula tree and never a string.

A formula is written whole (x W + b) or for one element, when the axes of the node have labels: zⱼ = Σᵢ xᵢ Wᵢⱼ + bⱼ.
An axis whose label is None stays unsaid, as the sample of a batch does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from chainrule.document import (
    Absolute,
    Call,
    Cases,
    Elided,
    Formula,
    Fraction,
    Indexed,
    Matrix,
    Number,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
    Transpose,
    Words,
    call,
    juxtaposed,
    minus,
    negative,
    plus,
    relation,
    symbol,
    times,
)
from chainrule.document.formula import Relator
from chainrule.explain.arrangement import factors, joined, sum_of_choices
from chainrule.explain.constants import written_number
from chainrule.explain.notation import SAMPLES, Notation, subscripted
from chainrule.graph.node import Node
from chainrule.graph.tensor_type import Dim

Labels: TypeAlias = "list[Formula | None] | None"  # None: the whole value, not one element

_LETTERS: Final = ("k", "m", "r", "s", "u", "v")  # for indices that are summed over


@dataclass(slots=True)
class Writer:
    """Writes nodes as formulas; a node that has a symbol is written as its symbol."""

    notation: Notation
    taken: list[str] = field(default_factory=list[str])
    unrolled: int = 0  # a sum of so many terms, or fewer, is written out

    def write(self, node: Node, labels: Labels = None, *, named: bool = True) -> Formula:
        """The formula of a node; with `named` False the node itself is spelled out, its inputs still named."""
        if named and self.notation.knows(node):
            return self.notation.name(node, labels)
        return FORMULAS[node.primitive](self, node, labels)

    def fresh(self) -> Symbol:
        """A letter for an index that is summed over and not in use."""
        letter = next((each for each in _LETTERS if each not in self.taken), "q")
        self.taken.append(letter)
        return symbol(letter)

    def total(self, dim: Dim, body: Callable[[Formula | None], Formula]) -> Formula:
        """The sum of a body over an axis: with a letter, written out where it has few terms, or its only term."""
        if isinstance(dim, int) and 1 < dim <= self.unrolled:
            return plus(*(body(Number(place)) for place in range(dim)))
        before = list(self.taken)
        letter, is_written = self.along(dim)
        inner = body(letter)
        self.taken[:] = before
        return Sum(inner, letter) if is_written else inner

    def product(self, *factors: Formula) -> Formula:
        """Factors close together; numbers that are filled in with dots."""
        return juxtaposed(*factors) if self.notation.number is None else times(*factors)

    def along(self, dim: Dim) -> tuple[Formula | None, bool]:
        """What labels an axis that is summed over, and whether the sum is to be written."""
        if self.notation.is_single(dim):
            return (None if str(dim) == SAMPLES else Number(0)), False
        return (symbol(SAMPLES) if str(dim) == SAMPLES else self.fresh()), True


Row: TypeAlias = Callable[[Writer, Node, Labels], Formula]


def _operands(writer: Writer, node: Node, labels: Labels) -> list[Formula]:
    return [writer.write(each, labels) for each in node.inputs]


def _function(name: str) -> Row:
    return lambda writer, node, labels: call(name, *_operands(writer, node, labels))


def _around(sign: Callable[[Formula], Formula]) -> Row:
    return lambda writer, node, labels: sign(*_operands(writer, node, labels))


def _infix(sign: Relator) -> Row:
    def row(writer: Writer, node: Node, labels: Labels) -> Formula:
        left, right = _operands(writer, node, labels)
        return relation(left, sign, right)

    return row


def _input(_: Writer, node: Node, labels: Labels) -> Formula:
    return _indexed(symbol(node.label), labels)


def _indexed(base: Formula, labels: Labels) -> Formula:
    """One element: a symbol gets subscripts, anything else brackets."""
    if isinstance(base, Symbol) and base.sub is None:
        return subscripted(base, labels)
    said = tuple(each for each in labels or () if each is not None)
    return Indexed(base, said) if said else base


def _constant(_: Writer, node: Node, __: Labels) -> Formula:
    value = node["value"]
    assert isinstance(value, (int, float))
    return written_number(value)


def _size(_: Writer, node: Node, __: Labels) -> Formula:
    return symbol(str(node["of"]).upper())  # n counts through the samples, N says how many there are


def _iota(_: Writer, node: Node, labels: Labels) -> Formula:
    axis = node.integer("axis")
    label = labels[axis] if labels else None
    return label if label is not None else Matrix(((Number(0), Number(1), Elided()),))


def _random(_: Writer, __: Node, labels: Labels) -> Formula:
    return _indexed(symbol("u"), labels)


def _add(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A sum; of two choices by one condition it is the choice between two sums."""
    chosen = sum_of_choices(node.inputs, writer.notation.knows, lambda each: writer.write(each, labels))
    return chosen or plus(*_operands(writer, node, labels))


def _subtract(writer: Writer, node: Node, labels: Labels) -> Formula:
    left, right = _operands(writer, node, labels)
    return minus(left, right)


def _multiply(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A product with all its factors in one row; a factor that comes twice is a square, arrays whole have ⊙."""
    counts = Counter(factors(node, writer.notation.knows))
    written = [(writer.write(factor, labels), count) for factor, count in counts.items()]
    powers = [each if count == 1 else Power(each, Number(count)) for each, count in written]
    arrays = [factor for factor in counts if factor.primitive != "constant"]
    if labels is None and node.tensor.rank and len(arrays) > 1:
        numbers = powers[: len(powers) - len(arrays)]
        product = Product(tuple(powers[len(numbers) :]), "elementwise")
        return times(*numbers, product) if numbers else product
    return joined(powers)


def _divide(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A quotient; numbers stand before what is divided: ⅓ Σ, ⅔(ŷ − y)."""
    over, under = _operands(writer, node, labels)
    if under == Number(1):
        return over
    if isinstance(over, (Sum, Product)) and isinstance(under, Number):
        first, *rest = over.factors if isinstance(over, Product) else (Number(1), over)
        return joined([Fraction(first, under), *rest]) if isinstance(first, Number) else Fraction(over, under)
    return Fraction(over, under)


def _negate(writer: Writer, node: Node, labels: Labels) -> Formula:
    """−x; a difference is turned round instead, b − a for −(a − b), also above a fraction line."""
    (x,) = node.inputs
    if writer.notation.knows(x):
        return negative(writer.write(x, labels))
    if x.primitive == "expm1":
        return minus(Number(1), _exp(writer, x, labels))
    if x.primitive == "subtract":
        left, right = _operands(writer, x, labels)
        return minus(right, left)
    if x.primitive == "divide" and x.inputs[0].primitive == "subtract" and not writer.notation.knows(x.inputs[0]):
        left, right = _operands(writer, x.inputs[0], labels)
        return Fraction(minus(right, left), writer.write(x.inputs[1], labels))
    return negative(writer.write(x, labels))


def _power(writer: Writer, node: Node, labels: Labels) -> Formula:
    exponent = node["exponent"]
    assert isinstance(exponent, float)
    return Power(writer.write(node.inputs[0], labels), Number(int(exponent) if exponent.is_integer() else exponent))


def _extreme(name: str) -> Row:
    """Max and min, with a number written first: max(0, z)."""

    def row(writer: Writer, node: Node, labels: Labels) -> Formula:
        operands = sorted(_operands(writer, node, labels), key=lambda each: not isinstance(each, Number))
        return call(name, *operands)

    return row


def _exp(writer: Writer, node: Node, labels: Labels) -> Formula:
    return Power(symbol("e"), writer.write(node.inputs[0], labels))


def _expm1(writer: Writer, node: Node, labels: Labels) -> Formula:
    return minus(_exp(writer, node, labels), Number(1))


def _log1p(writer: Writer, node: Node, labels: Labels) -> Formula:
    return call("log", plus(Number(1), writer.write(node.inputs[0], labels)))


def _softplus(writer: Writer, node: Node, labels: Labels) -> Formula:
    return call("log", plus(Number(1), _exp(writer, node, labels)))


def _and(writer: Writer, node: Node, labels: Labels) -> Formula:
    left, right = _operands(writer, node, labels)
    return Product((left, Words("and "), right), "space")


def _not(writer: Writer, node: Node, labels: Labels) -> Formula:
    return Product((Words("not "), writer.write(node.inputs[0], labels)), "space")


def _select(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A choice between something and 0 is the something times 1[condition]."""
    condition, yes, no = _operands(writer, node, labels)
    if isinstance(no, Number) and no.value == 0:
        mask = Indexed(Number(1), (condition,))
        if isinstance(yes, Number) and yes.value == 1:
            return mask
        return times(yes, mask) if labels is not None or not node.tensor.rank else Product((yes, mask), "elementwise")
    return Cases(((yes, condition), (no, None)))


def _cast(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A dtype is no mathematics; a condition turned into a number is 1[condition]."""
    (x,) = node.inputs
    inner = writer.write(x, labels)
    return Indexed(Number(1), (inner,)) if x.tensor.dtype == "bool" else inner


def _same(writer: Writer, node: Node, labels: Labels) -> Formula:
    return writer.write(node.inputs[0], labels)


def _reshape(writer: Writer, node: Node, labels: Labels) -> Formula:
    """Axes of length 1 come and go without a word; any other change of shape is written whole."""
    (x,) = node.inputs
    if labels is None:
        return writer.write(x)
    kept = [label for label, dim in zip(labels, node.tensor.shape, strict=True) if dim != 1]
    if [d for d in x.tensor.shape if d != 1] != [d for d in node.tensor.shape if d != 1]:
        return _indexed(writer.write(x), labels)
    rest = iter(kept)
    return writer.write(x, [None if dim == 1 else next(rest) for dim in x.tensor.shape])


def _transpose(writer: Writer, node: Node, labels: Labels) -> Formula:
    (x,) = node.inputs
    order = node.integers("permutation")
    if labels is None:
        return Transpose(writer.write(x))
    inner: list[Formula | None] = [None] * len(order)
    for position, axis in enumerate(order):
        inner[axis] = labels[position]
    return writer.write(x, inner)


def _broadcast(writer: Writer, node: Node, labels: Labels) -> Formula:
    """Repetition is not written: b in x W + b."""
    (x,) = node.inputs
    if labels is None:
        return writer.write(x)
    new = node.integers("axes")
    return writer.write(x, [label for axis, label in enumerate(labels) if axis not in new])


def _slice(writer: Writer, node: Node, labels: Labels) -> Formula:
    """A stretch of an axis, x[:, 1:3]; an element of it lies further on in the whole, xₙ,ⱼ₊₁, and one alone is x₃."""
    (x,) = node.inputs
    axis, start, stop = (node.integer(name) for name in ("axis", "start", "stop"))
    if labels is None:
        stretches = [Words(f"{start}:{stop}") if place == axis else Words(":") for place in range(x.tensor.rank)]
        return Indexed(writer.write(x), tuple(stretches))
    there = labels[axis] if stop != start + 1 or node.type == x.type else Number(0)
    return writer.write(x, [_moved(there, start) if place == axis else label for place, label in enumerate(labels)])


def _moved(label: Formula | None, by: int) -> Formula | None:
    if label is None or by == 0:
        return label
    return Number(label.value + by) if isinstance(label, Number) else plus(label, Number(by))


def _pad(writer: Writer, node: Node, labels: Labels) -> Formula:
    """Zeros before and after: [0 x]."""
    before, after = ([Number(0)] if node[side] else [] for side in ("before", "after"))
    return _indexed(Matrix(((*before, writer.write(node.inputs[0]), *after),)), labels)


def _concatenate(writer: Writer, node: Node, labels: Labels) -> Formula:
    return _indexed(Matrix((tuple(_operands(writer, node, None)),)), labels)


def _over(write: Callable[[Formula, Formula | None], Formula]) -> Row:
    """A reduction: each axis reduced gets a letter; the other axes keep their labels."""

    def row(writer: Writer, node: Node, labels: Labels) -> Formula:
        (x,) = node.inputs
        outer, before = iter(labels or [None] * node.tensor.rank), list(writer.taken)
        reduced = {axis: writer.along(x.tensor.shape[axis]) for axis in node.integers("axes")}
        body = writer.write(x, [reduced[axis][0] if axis in reduced else next(outer) for axis in range(x.tensor.rank)])
        writer.taken[:] = before
        for letter, is_written in reversed(reduced.values()):
            body = write(body, letter) if is_written else body
        return body

    return row


def _argmax(writer: Writer, node: Node, labels: Labels) -> Formula:
    axis = node.integer("axis")
    before, letter = list(writer.taken), writer.fresh()
    inner = list(labels) if labels is not None else [None] * node.tensor.rank
    body = writer.write(node.inputs[0], [*inner[:axis], letter, *inner[axis:]])
    writer.taken[:] = before
    return Call(Symbol("argmax", sub=letter), (body,))


def _matmul(writer: Writer, node: Node, labels: Labels) -> Formula:
    x, w = node.inputs
    if labels is None or len(labels) != 2:
        return juxtaposed(writer.write(x), writer.write(w))
    first, last = labels
    return writer.total(
        x.tensor.shape[-1], lambda k: writer.product(writer.write(x, [first, k]), writer.write(w, [k, last]))
    )


FORMULAS: Final[dict[str, Row]] = {
    "input": _input,
    "constant": _constant,
    "size": _size,
    "iota": _iota,
    "random_bits": _random,
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negate": _negate,
    "power": _power,
    "maximum": _extreme("max"),
    "minimum": _extreme("min"),
    "exp": _exp,
    "log": _function("log"),
    "expm1": _expm1,
    "log1p": _log1p,
    "sqrt": _around(Root),
    "tanh": _function("tanh"),
    "sigmoid": _function("σ"),
    "softplus": _softplus,
    "erf": _function("erf"),
    "abs": _around(Absolute),
    "sign": _function("sign"),
    "greater": _infix(">"),
    "greater_equal": _infix("≥"),
    "equal": _infix("="),
    "logical_and": _and,
    "logical_not": _not,
    "select": _select,
    "cast": _cast,
    "stop_gradient": _same,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    "sum": _over(Sum),
    "max": _over(lambda body, index: Call(Symbol("max", sub=index), (body,))),
    "argmax": _argmax,
    "matmul": _matmul,
}

ABSENT: Final[dict[str, str]] = {
    "scan": "a loop is written step by step, and arrives with the recurrent layers",
    "item": "it reads a scan, and arrives with it",
}
