"""What is known of a value whatever the input, and how it flows through each primitive.

A fact is a theorem about real numbers, not about their rounding: exp(x) is positive here, though a backend may
underflow to 0. Facts of inputs are assumed by the graph and checked where data enters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from chainrule.graph.node import Node, unseen
from chainrule.graph.tensor_type import TensorType


class Fact(StrEnum):
    """One thing that can be known of every element, or of every row, of a value."""

    NONNEGATIVE = "nonnegative"  # every element >= 0
    POSITIVE = "positive"  # every element > 0
    NEGATIVE = "negative"  # every element < 0
    BELOW_ONE = "below one"  # every element < 1
    BINARY = "binary"  # every element is 0 or 1
    LABELS = "labels"  # whole numbers from 0 to k - 1, where k is the number of classes it is compared with
    ROWS_SUM_TO_ONE = "rows sum to 1"  # along the last axis
    ONE_HOT = "one-hot rows"  # along the last axis: one 1, else 0


Known: TypeAlias = frozenset[Fact]

_IMPLIED: Final[dict[Fact, Known]] = {
    Fact.POSITIVE: frozenset({Fact.NONNEGATIVE}),
    Fact.BINARY: frozenset({Fact.NONNEGATIVE}),
    Fact.LABELS: frozenset({Fact.NONNEGATIVE}),
    Fact.ONE_HOT: frozenset({Fact.BINARY, Fact.NONNEGATIVE, Fact.ROWS_SUM_TO_ONE}),
}

NOTHING: Final[Known] = frozenset()


def closure(facts: Known) -> Known:
    """The facts and all they imply."""
    return facts.union(*(_IMPLIED.get(fact, NOTHING) for fact in facts))


class Facts:
    """What is known of every node over inputs of which something is assumed; worked out when asked, once."""

    def __init__(self, assumed: Mapping[Node, tuple[Fact, ...]] | None = None) -> None:
        self._known: dict[Node, Known] = {node: closure(frozenset(each)) for node, each in (assumed or {}).items()}

    def of(self, node: Node) -> Known:
        """Everything known of a node."""
        if node not in self._known:
            for each in unseen(node, self._known):
                self._known[each] = self._derive(each)
        return self._known[node]

    def nonzero(self, node: Node) -> bool:
        """Whether no element can be 0."""
        return bool(self.of(node) & {Fact.POSITIVE, Fact.NEGATIVE})

    def _derive(self, node: Node) -> Known:
        return closure(FACT_RULES[node.primitive](node, [self._known[i] for i in node.inputs]))


Rule: TypeAlias = Callable[[Node, list[Known]], Known]


def _facts(*facts: Fact) -> Known:
    return frozenset(facts)


def _nothing(_: Node, __: list[Known]) -> Known:
    return NOTHING


def _always(*facts: Fact) -> Rule:
    return lambda _, __: frozenset(facts)


def _kept(*facts: Fact) -> Rule:
    """These facts of the first input hold of the result too."""
    return lambda _, known: known[0] & frozenset(facts)


_ELEMENTWISE: Final = (Fact.NONNEGATIVE, Fact.POSITIVE, Fact.NEGATIVE, Fact.BELOW_ONE, Fact.BINARY, Fact.LABELS)


def _constant(node: Node, _: list[Known]) -> Known:
    value = node["value"]
    if not isinstance(value, (int, float)):
        return NOTHING
    tests = {
        Fact.POSITIVE: value > 0,
        Fact.NONNEGATIVE: value >= 0,
        Fact.NEGATIVE: value < 0,
        Fact.BELOW_ONE: value < 1,
        Fact.BINARY: value in (0, 1),
    }
    return frozenset(fact for fact, holds in tests.items() if holds)


def _add(_: Node, known: list[Known]) -> Known:
    x, y = known
    result = x & y & {Fact.NONNEGATIVE, Fact.NEGATIVE, Fact.POSITIVE}
    strictly = (Fact.POSITIVE in x and Fact.NONNEGATIVE in y) or (Fact.NONNEGATIVE in x and Fact.POSITIVE in y)
    return result | _facts(Fact.POSITIVE) if strictly else result


def _subtract(node: Node, known: list[Known]) -> Known:
    x, y = known
    if _wraps(node):
        return NOTHING
    if _is_one(node.inputs[0]):
        return _one_minus(y)
    if Fact.POSITIVE in x and Fact.NEGATIVE in y:
        return _facts(Fact.POSITIVE)
    if Fact.NEGATIVE in x and Fact.NONNEGATIVE in y:
        return _facts(Fact.NEGATIVE)
    return NOTHING


def _wraps(node: Node) -> bool:
    """Whether the numbers are unsigned: what would lie below 0 becomes large."""
    return node.tensor.dtype == "uint32"


def _is_one(node: Node) -> bool:
    return node.primitive == "constant" and node["value"] == 1


def _one_minus(y: Known) -> Known:
    result = NOTHING
    if Fact.BELOW_ONE in y:
        result |= _facts(Fact.POSITIVE)
    if Fact.POSITIVE in y:
        result |= _facts(Fact.BELOW_ONE)
    if Fact.BINARY in y:
        result |= _facts(Fact.BINARY)
    return result


def _multiply(_: Node, known: list[Known]) -> Known:
    x, y = known
    result = x & y & {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.BINARY}
    if x & y & {Fact.NEGATIVE}:
        result |= _facts(Fact.POSITIVE)
    if (Fact.POSITIVE in x and Fact.NEGATIVE in y) or (Fact.NEGATIVE in x and Fact.POSITIVE in y):
        result |= _facts(Fact.NEGATIVE)
    if _in_unit(x) and _in_unit(y):
        result |= _facts(Fact.BELOW_ONE)
    return result


def _in_unit(x: Known) -> bool:
    return Fact.NONNEGATIVE in x and Fact.BELOW_ONE in x


def _divide(node: Node, known: list[Known]) -> Known:
    x, y = known
    result = NOTHING
    if Fact.POSITIVE in y:
        result |= x & {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE}
    if x & y & {Fact.NEGATIVE}:
        result |= _facts(Fact.POSITIVE)
    if Fact.POSITIVE in x and _is_row_sum_of(node.inputs[0], node.inputs[1]):
        result |= _facts(Fact.ROWS_SUM_TO_ONE)
    return result


def _is_row_sum_of(x: Node, total: Node) -> bool:
    """Whether `total` repeats, along the last axis, the sum of x over that axis: then x / total has rows of sum 1."""
    last = x.tensor.rank - 1
    if total.primitive != "broadcast" or total["axes"] != (last,):
        return False
    added = total.inputs[0]
    return added.primitive == "sum" and added["axes"] == (last,) and added.inputs[0] is x


def _negate(node: Node, known: list[Known]) -> Known:
    if _wraps(node):
        return NOTHING
    swapped = {Fact.POSITIVE: Fact.NEGATIVE, Fact.NEGATIVE: Fact.POSITIVE}
    result = frozenset(swapped[fact] for fact in known[0] if fact in swapped)
    return result | _facts(Fact.BELOW_ONE) if Fact.NONNEGATIVE in known[0] else result


def _power(node: Node, known: list[Known]) -> Known:
    exponent = node["exponent"]
    assert isinstance(exponent, float)
    if Fact.POSITIVE in known[0]:
        return _facts(Fact.POSITIVE)
    even = exponent % 2 == 0
    if even and Fact.NEGATIVE in known[0]:
        return _facts(Fact.POSITIVE)
    return _facts(Fact.NONNEGATIVE) if even and exponent > 0 else NOTHING


def _maximum(_: Node, known: list[Known]) -> Known:
    x, y = known
    either = (x | y) & {Fact.POSITIVE, Fact.NONNEGATIVE}
    return either | (x & y & {Fact.NEGATIVE, Fact.BELOW_ONE, Fact.BINARY, Fact.LABELS})


def _minimum(_: Node, known: list[Known]) -> Known:
    x, y = known
    return ((x | y) & {Fact.NEGATIVE, Fact.BELOW_ONE}) | (x & y & frozenset(_ELEMENTWISE))


def _exp(_: Node, known: list[Known]) -> Known:
    return _facts(Fact.POSITIVE, Fact.BELOW_ONE) if Fact.NEGATIVE in known[0] else _facts(Fact.POSITIVE)


def _log(_: Node, known: list[Known]) -> Known:
    return _facts(Fact.NEGATIVE) if {Fact.POSITIVE, Fact.BELOW_ONE} <= known[0] else NOTHING


def _abs(_: Node, known: list[Known]) -> Known:
    return _facts(Fact.POSITIVE) if known[0] & {Fact.POSITIVE, Fact.NEGATIVE} else _facts(Fact.NONNEGATIVE)


def _select(_: Node, known: list[Known]) -> Known:
    return known[1] & known[2] & frozenset(_ELEMENTWISE)


def _equal(node: Node, known: list[Known]) -> Known:
    x, y = node.inputs
    pairs = ((x, known[0], y), (y, known[1], x))
    return _facts(Fact.ONE_HOT) if any(_labels_on_classes(a, facts, b) for a, facts, b in pairs) else NOTHING


def _labels_on_classes(labels: Node, facts: Known, classes: Node) -> bool:
    """Whether labels, repeated along the last axis, are compared with 0 to k - 1 along that axis."""
    last = classes.tensor.rank - 1
    return (
        Fact.LABELS in facts
        and labels.primitive == "broadcast"
        and labels["axes"] == (last,)
        and classes.primitive == "iota"
        and classes["axis"] == last
    )


def _cast(node: Node, known: list[Known]) -> Known:
    source = node.inputs[0].tensor
    if source.dtype == "bool":
        return (known[0] & {Fact.ONE_HOT}) | _facts(Fact.BINARY)
    if node.tensor.is_float:
        return known[0]
    whole = known[0] & {Fact.BINARY, Fact.LABELS, Fact.ONE_HOT}  # a large uint32 becomes a negative int32
    return whole if source.dtype == "uint32" else whole | known[0] & {Fact.NONNEGATIVE}


def _rowwise(node: Node, known: list[Known]) -> Known:
    """A change of shape keeps what holds of elements, and what holds of rows if the last axis stays."""
    before, after = node.inputs[0].tensor, node.tensor
    kept = known[0] & frozenset(_ELEMENTWISE)
    return known[0] if _keeps_rows(node, before, after) else kept


def _keeps_rows(node: Node, before: TensorType, after: TensorType) -> bool:
    if not before.shape or not after.shape:
        return False
    if node.primitive == "transpose":
        order = node["permutation"]
        return isinstance(order, tuple) and order[-1] == before.rank - 1
    if node.primitive == "broadcast":
        axes = node["axes"]
        return isinstance(axes, tuple) and after.rank - 1 not in axes
    return before.shape[-1] == after.shape[-1]


def _concatenate(_: Node, known: list[Known]) -> Known:
    result: Known = frozenset(_ELEMENTWISE)
    for each in known:
        result &= each
    return result


def _sum(node: Node, known: list[Known]) -> Known:
    kept = known[0] & {Fact.NONNEGATIVE, Fact.POSITIVE, Fact.NEGATIVE}
    empty = any(d == 0 for d in node.inputs[0].tensor.shape)
    return kept & {Fact.NONNEGATIVE} if empty else kept


def _matmul(node: Node, known: list[Known]) -> Known:
    kept = known[0] & known[1] & {Fact.NONNEGATIVE, Fact.POSITIVE}
    return kept & {Fact.NONNEGATIVE} if node.inputs[0].tensor.shape[-1] == 0 else kept


FACT_RULES: Final[dict[str, Rule]] = {
    "input": _nothing,
    "constant": _constant,
    "size": _always(Fact.POSITIVE),  # a batch has at least one sample
    "iota": _always(Fact.NONNEGATIVE),
    "random_bits": _always(Fact.NONNEGATIVE),
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negate": _negate,
    "power": _power,
    "maximum": _maximum,
    "minimum": _minimum,
    "exp": _exp,
    "log": _log,
    "expm1": _kept(Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE),
    "log1p": _kept(Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE),
    "sqrt": _kept(Fact.POSITIVE, Fact.NONNEGATIVE, Fact.BELOW_ONE, Fact.BINARY),
    "tanh": lambda _, known: (known[0] & {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE}) | _facts(Fact.BELOW_ONE),
    "sigmoid": _always(Fact.POSITIVE, Fact.BELOW_ONE),
    "softplus": _always(Fact.POSITIVE),
    "erf": lambda _, known: (known[0] & {Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE}) | _facts(Fact.BELOW_ONE),
    "abs": _abs,
    "sign": _kept(Fact.POSITIVE, Fact.NONNEGATIVE, Fact.NEGATIVE, Fact.BINARY),
    "greater": _nothing,
    "greater_equal": _nothing,
    "equal": _equal,
    "logical_and": _nothing,
    "logical_not": _nothing,
    "select": _select,
    "cast": _cast,
    "stop_gradient": lambda _, known: known[0],
    "reshape": _rowwise,
    "transpose": _rowwise,
    "broadcast": _rowwise,
    "concatenate": _concatenate,
    "slice": _kept(*_ELEMENTWISE),
    "pad": _kept(Fact.NONNEGATIVE, Fact.BELOW_ONE, Fact.BINARY),
    "sum": _sum,
    "max": _kept(*_ELEMENTWISE),
    "argmax": _always(Fact.NONNEGATIVE),
    "matmul": _matmul,
    "scan": _nothing,
    "item": _nothing,
}
