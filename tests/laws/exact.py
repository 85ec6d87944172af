"""Graphs in exact arithmetic: fractions, with a rational stand-in for each function that has no rational values.

A stand-in keeps what is known of the function (its sign, its bounds, that exp and log undo each other), and nothing
else. So two graphs that are equal by arithmetic and by those facts are equal here to the last digit, and two that are
equal but for rounding are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.graph.facts import Fact
from chainrule.graph.node import Attribute, Graph, Node, topological
from chainrule.graph.tensor_type import Size, TensorType, concrete

Exact = npt.NDArray[Any]  # of Fraction, int or bool objects


def rationals(graph: Graph, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, Exact]:
    """Numbers near those given, with small denominators, for which the facts of the graph hold exactly."""
    facts = dict(graph.facts)
    return {node.label: _near(inputs[node.label], facts.get(node.label, ())) for node in graph.inputs}


def _near(x: npt.NDArray[Any], facts: Sequence[Fact]) -> Exact:
    least = Fraction(1, 7)
    near = [Fraction(float(value)).limit_denominator(7) for value in x.ravel()]
    if Fact.POSITIVE in facts:
        near = [max(value, least) for value in near]
    result = _array(near, x.shape)
    return result / result.sum(-1, keepdims=True) if Fact.ROWS_SUM_TO_ONE in facts else result


def evaluate(nodes: Iterable[Node], inputs: Mapping[str, Exact], sizes: dict[str, int]) -> dict[Node, Exact]:
    """The exact value of every node under these.

    Raises: ZeroDivisionError where the graph divides by 0.
    """
    values: dict[Node, Exact] = {}
    for node in topological(nodes):
        if node.primitive == "input":
            values[node] = inputs[node.label]
        else:
            attributes = {name: _in_numbers(value, sizes) for name, value in node.attributes}
            values[node] = TABLE[node.primitive](*(values[i] for i in node.inputs), **attributes)
    return values


def _in_numbers(value: Attribute, sizes: dict[str, int]) -> Any:
    if isinstance(value, Size):
        return concrete((value,), sizes)[0]
    if isinstance(value, TensorType):
        return value.with_shape(concrete(value.shape, sizes))
    return tuple(_in_numbers(each, sizes) for each in value) if isinstance(value, tuple) else value


def rationals_of(values: Sequence[float | Fraction]) -> Exact:
    """These numbers as exact ones."""
    return _array([Fraction(value) for value in values], (len(values),))


def _array(values: Sequence[Any], shape: Sequence[int]) -> Exact:
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result.reshape(shape)


def _each(function: Callable[..., Any]) -> Callable[..., Exact]:
    """The function of numbers, element by element."""

    def apply(*operands: Exact, **attributes: Any) -> Exact:
        elements = zip(*(x.ravel() for x in operands), strict=True)
        return _array([function(*each, **attributes) for each in elements], operands[0].shape)

    return apply


# ---- stand-ins ----


def exp(x: Fraction) -> Fraction:
    """Positive, below 1 for x < 0, and never the same twice."""
    return 1 + x if x >= 0 else 1 / (1 - x)


def log(x: Fraction) -> Fraction:
    """What undoes exp."""
    return x - 1 if x >= 1 else 1 - 1 / x


def root(x: Fraction) -> Fraction:
    """0 at 0, 1 at 1, between them below 1."""
    return 2 * x / (1 + x)


def squashed(x: Fraction) -> Fraction:
    """Between -1 and 1, with the sign of x."""
    return x / (1 + abs(x))


def power(x: Fraction, exponent: float) -> Fraction:
    whole = int(exponent // 1)
    return x**whole if whole == exponent else x**whole * root(x)


def signum(x: Any) -> Any:
    return type(x)((x > 0) - (x < 0))


def cast(x: Any, dtype: str) -> Any:
    if dtype == "bool":
        return x != 0
    return Fraction(x) if dtype.startswith("float") else int(x)


# ---- structure ----


def _constant(value: float, type: Any) -> Exact:  # noqa: A002 - the attribute's name
    exact = Fraction(value) if type.is_float else value
    return _array([exact] * int(np.prod(type.shape, dtype=int)), type.shape)


def _iota(shape: tuple[int, ...], axis: int) -> Exact:
    along = [-1 if a == axis else 1 for a in range(len(shape))]
    return np.broadcast_to(_array(list(range(shape[axis])), along), shape)


def _broadcast(x: Exact, shape: tuple[int, ...], axes: tuple[int, ...]) -> Exact:
    return np.broadcast_to(np.expand_dims(x, axes), shape)


def _slice(x: Exact, axis: int, start: int, stop: int) -> Exact:
    return np.take(x, range(start, stop), axis)


def _pad(x: Exact, axis: int, before: int, after: int) -> Exact:
    zero = Fraction(0)
    widths = [(before, after) if a == axis else (0, 0) for a in range(x.ndim)]
    return np.pad(x, widths, constant_values=zero)  # type: ignore[arg-type] - an object array is padded with objects


def _reduced(function: Callable[[Exact, tuple[int, ...]], Any]) -> Callable[..., Exact]:
    return lambda x, axes: np.asarray(function(x, axes), dtype=object)


def _argmax(x: Exact, axis: int) -> Exact:
    return np.apply_along_axis(lambda row: max(range(len(row)), key=lambda k: (row[k], -k)), axis, x).astype(object)


TABLE: Final[dict[str, Callable[..., Exact]]] = {
    "constant": _constant,
    "size": lambda of: _array([of], ()),
    "iota": _iota,
    "add": lambda x, y: np.asarray(x + y, dtype=object),
    "subtract": lambda x, y: np.asarray(x - y, dtype=object),
    "multiply": lambda x, y: np.asarray(x * y, dtype=object),
    "divide": lambda x, y: np.asarray(x / y, dtype=object),
    "negate": lambda x: np.asarray(-x, dtype=object),
    "power": _each(power),
    "maximum": _each(max),
    "minimum": _each(min),
    "exp": _each(exp),
    "log": _each(log),
    "expm1": _each(lambda x: exp(x) - 1),
    "log1p": _each(lambda x: log(1 + x)),
    "sqrt": _each(root),
    "tanh": _each(squashed),
    "sigmoid": _each(lambda x: (1 + squashed(x)) / 2),
    "softplus": _each(lambda x: log(1 + exp(x))),
    "erf": _each(squashed),
    "abs": _each(abs),
    "sign": _each(signum),
    "greater": _each(lambda x, y: x > y),
    "greater_equal": _each(lambda x, y: x >= y),
    "equal": _each(lambda x, y: x == y),
    "logical_and": _each(lambda x, y: x and y),
    "logical_not": _each(lambda x: not x),
    "select": _each(lambda condition, yes, no: yes if condition else no),
    "cast": _each(cast),
    "stop_gradient": lambda x: x,
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, permutation: x.transpose(permutation),
    "broadcast": _broadcast,
    "concatenate": lambda *parts, axis: np.concatenate(parts, axis),
    "slice": _slice,
    "pad": _pad,
    "sum": _reduced(lambda x, axes: x.sum(axis=axes)),
    "max": _reduced(lambda x, axes: x.max(axis=axes)),
    "argmax": _argmax,
    "matmul": lambda x, w: x @ w,
}
