"""How far two right ways to compute a graph may be apart: a bound for each element of each value.

Each row of the table takes what is known of a primitive's operands and says how far its result may be off, to first
order of the precision (N. Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.3). Where an answer
hangs by less than that, as that of a comparison may, it is infinite: either answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.backends.reference.table import TABLE
from chainrule.graph.node import Graph, Node
from chainrule.graph.tensor_type import DType
from tests.backends.native.agreement import REFERENCE

Array: TypeAlias = npt.NDArray[Any]
FUNCTION_ULPS: Final = 4  # ours from the true value, the reference's from it, and one rounding
NOTHING: Final = frozenset({"input", "constant", "size", "iota"})  # given, or the same everywhere


class Known(NamedTuple):
    """A value, and how far another right value may be from each of its elements."""

    value: Array
    off: Array


Row: TypeAlias = Callable[
    ..., Any
]  # how far off the result is, from the node, its value, and what is known of operands


def bounds(graph: Graph, inputs: Mapping[str, Array], *, off: float = 0.0) -> dict[str, Known]:
    """The reference's value of each output, and how far from it another right value may be.

    Args:
        graph: what is computed.
        inputs: its inputs.
        off: how far each element of a float among them may be off.
    """
    nodes = tuple(dict.fromkeys((*graph.inputs, *graph.nodes)))
    values = REFERENCE.evaluate(graph.with_outputs({f"v{k}": node for k, node in enumerate(nodes)}), inputs)
    known: dict[Node, Known] = {}
    with np.errstate(all="ignore"):
        for k, node in enumerate(nodes):
            value = values[f"v{k}"]
            is_loose = node.primitive == "input" and node.tensor.is_float
            here = off if is_loose else ROWS[node.primitive](node, value, *(known[source] for source in node.inputs))
            known[node] = Known(value, _settled(value, np.broadcast_to(np.float64(here), value.shape)))
    return {name: known[node] for name, node in graph.outputs}


def is_right(ours: Array, wanted: Known) -> bool:
    """Whether each element is the reference's, or no farther from it than it may be."""
    value, off = wanted
    if (ours.dtype, ours.shape) != (value.dtype, value.shape):
        return False
    if ours.dtype.kind != "f":
        return bool(np.all((ours == value) | (off > 0)))
    with np.errstate(all="ignore"):
        near = np.abs(ours.astype(np.float64) - value.astype(np.float64)) <= off
    same = (ours == value) | (np.isnan(ours) & np.isnan(value))
    return bool(np.all(same | near | np.isinf(off)))


def _settled(value: Array, off: Array) -> Array:
    """What is off at all may be anything for whole numbers, beyond the range, and less than a normal number is 0."""
    if value.dtype.kind != "f":
        return np.where(off == 0, 0.0, np.inf)
    kind, size = np.finfo(value.dtype), np.abs(value.astype(np.float64))
    off = np.where(np.isnan(off) | ((off > 0) & (size + off > float(kind.max))), np.inf, off)
    if value.dtype == np.float16:
        return off
    return off + np.where((size > 0) & (size < 2 * float(kind.tiny)), float(kind.tiny), 0.0)


def _precision(dtype: DType) -> float:
    return float(np.finfo(dtype).eps)


def _wide(x: Array) -> Array:
    return x.astype(np.float64)


# ---- element by element ----


def _exactly(rule: Callable[..., Any]) -> Row:
    """A row of what has the same bits everywhere where its operands have."""

    def row(node: Node, y: Array, *given: Known) -> Array:
        moved = _any_off(*given)
        rounded = _precision(node.tensor.dtype) * np.abs(_wide(y)) if node.tensor.is_float else 0.0
        return np.where(moved, rule(*given) + rounded, 0.0)

    return row


def _any_off(*given: Known) -> Array:
    return np.asarray(np.any([np.broadcast_to(g.off > 0, given[0].off.shape) for g in given], axis=0))


def _multiplied(x: Known, y: Known) -> Array:
    return np.abs(_wide(x.value)) * y.off + np.abs(_wide(y.value)) * x.off + x.off * y.off


def _divided(node: Node, q: Array, x: Known, y: Known) -> Array:
    """Perhaps multiplied by 1 / y, where that is a normal number."""
    divisor, limit = np.abs(_wide(y.value)), float(np.finfo(q.dtype).tiny)
    room = divisor - y.off
    off = (x.off + np.abs(_wide(q)) * y.off) / room + 2 * _precision(node.tensor.dtype) * np.abs(_wide(q))
    return np.where((room > limit) & (divisor < 1 / limit), off, np.inf)


def _compared(_: Node, __: Array, x: Known, y: Known) -> Array:
    apart = np.abs(_wide(x.value) - _wide(y.value))
    return np.where(_any_off(x, y) & ~(apart > x.off + y.off), np.inf, 0.0)


def _chosen(_: Node, __: Array, condition: Known, yes: Known, no: Known) -> Array:
    either = np.abs(_wide(yes.value) - _wide(no.value)) + np.maximum(yes.off, no.off)
    return np.where(condition.off > 0, either, np.where(condition.value, yes.off, no.off))


def _signed(_: Node, __: Array, x: Known) -> Array:
    return np.where((x.off > 0) & ~(np.abs(_wide(x.value)) > x.off), 2.0, 0.0)


def _cast(node: Node, y: Array, x: Known) -> Array:
    dtype = node.tensor.dtype
    if x.value.dtype.kind != "f":
        return np.where(x.off > 0, np.inf if x.value.dtype.kind != "b" else 1.0, 0.0)
    if y.dtype.kind == "f":
        return np.where(x.off > 0, x.off + _precision(dtype) * np.abs(_wide(y)), 0.0)
    low, high = _wide(x.value) - x.off, _wide(x.value) + x.off
    if dtype == "bool":
        return np.where((x.off > 0) & ~((low > 0) | (high < 0)), np.inf, 0.0)
    return np.where((x.off > 0) & ~(np.trunc(low) == np.trunc(high)), np.inf, 0.0)


def _function(node: Node, y: Array, x: Known) -> Array:
    """What rises or falls all the way is farthest off at the ends."""
    row, at, attributes = TABLE[node.primitive], _wide(x.value), dict(node.attributes)
    ends = [np.abs(row(at + sign * x.off, **attributes) - row(at, **attributes)) for sign in (-1.0, 1.0)]
    spread = np.where(x.off > 0, np.maximum(*ends), 0.0)
    return spread + FUNCTION_ULPS * _precision(node.tensor.dtype) * np.abs(_wide(y))


def _power(node: Node, y: Array, x: Known) -> Array:
    """Falls and rises again where 0 is between the ends, or has a pole there."""
    exponent, size = node["exponent"], np.abs(_wide(y))
    assert isinstance(exponent, float)
    turns = (x.off > 0) & ~(np.abs(_wide(x.value)) > x.off)
    off = _function(node, y, x) + np.where(turns, size if exponent >= 0 else np.inf, 0.0)
    return off if exponent >= 0 else np.where(size < 0.25 / float(np.finfo(y.dtype).tiny), off, np.inf)


def _whole(_: Node, y: Array, *given: Known) -> Array:
    """What has no meaning but as a whole."""
    return np.full(y.shape, np.inf if any(np.any(g.off > 0) for g in given) else 0.0)


# ---- along axes ----


def _added(node: Node, y: Array, x: Known) -> Array:
    axes = node.integers("axes")
    terms = int(np.prod([x.value.shape[axis] for axis in axes]))
    off = np.add.reduce(x.off, axis=axes)
    if terms <= 1 or not node.tensor.is_float:
        return off
    sizes = np.add.reduce(np.abs(_wide(x.value)), axis=axes)
    return off + _tree(y, terms, sizes)


def _tree(y: Array, terms: int, sizes: Array) -> Array:
    """Additions in any order, of which some may lose a number that is not normal."""
    lost = np.where(sizes > 0, terms * float(np.finfo(y.dtype).tiny), 0.0)
    return terms * float(np.finfo(y.dtype).eps) * sizes + lost


def _largest(node: Node, _: Array, x: Known) -> Array:
    return np.maximum.reduce(x.off, axis=node.integers("axes"), initial=0.0)


def _place_of_largest(node: Node, y: Array, x: Known) -> Array:
    axis = node.integer("axis")
    winner = np.expand_dims(_wide(y), axis).astype(np.int64)
    value, off = _wide(x.value), np.asarray(x.off)
    top, top_off = np.take_along_axis(value, winner, axis), np.take_along_axis(off, winner, axis)
    others = np.arange(value.shape[axis]).reshape([-1 if a == axis else 1 for a in range(value.ndim)]) != winner
    close = others & (top_off + off > 0) & ~(top - value > top_off + off)
    return np.where(np.any(close, axis), np.inf, 0.0)


def _product(_: Node, y: Array, x: Known, w: Known) -> Array:
    left, right = np.abs(_wide(x.value)), np.abs(_wide(w.value))
    depth = x.value.shape[-1]
    return left @ w.off + x.off @ right + x.off @ w.off + _tree(y, depth + 1, left @ right)


# ---- what only moves ----


def _moved(node: Node, y: Array, *given: Known) -> Array:
    attributes = {name: y.shape if name == "shape" else value for name, value in node.attributes}
    return TABLE[node.primitive](*(np.asarray(g.off) for g in given), **attributes)


_EXACT: Final[dict[str, Callable[..., Any]]] = {
    "add": lambda x, y: x.off + y.off,
    "subtract": lambda x, y: x.off + y.off,
    "multiply": _multiplied,
    "negate": lambda x: x.off,
    "abs": lambda x: x.off,
    "maximum": lambda x, y: np.maximum(x.off, y.off),
    "minimum": lambda x, y: np.maximum(x.off, y.off),
    "logical_and": lambda x, y: x.off + y.off,
    "logical_not": lambda x: x.off,
}

ROWS: Final[dict[str, Row]] = {
    **dict.fromkeys(NOTHING, lambda _, y: np.zeros(y.shape)),
    **{name: _exactly(rule) for name, rule in _EXACT.items()},
    **dict.fromkeys(("exp", "log", "expm1", "log1p", "sqrt", "tanh", "sigmoid", "softplus", "erf"), _function),
    **dict.fromkeys(("greater", "greater_equal", "equal"), _compared),
    **dict.fromkeys(("reshape", "transpose", "broadcast", "concatenate", "slice", "pad", "stop_gradient"), _moved),
    "power": _power,
    "divide": _divided,
    "sign": _signed,
    "select": _chosen,
    "cast": _cast,
    "random_bits": _whole,
    "sum": _added,
    "max": _largest,
    "argmax": _place_of_largest,
    "matmul": _product,
}
