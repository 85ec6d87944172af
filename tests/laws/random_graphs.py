"""Random graphs with values: every elementwise, structural and reducing primitive, inside its domain, over a size n.

Each value carries an interval that contains it, so a logarithm gets something positive and nothing grows without limit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.tensor_type import Dim, DType, Shape, TensorType, broadcast_shapes, concrete, named, product

N: Final = named("n")
N_MAX: Final = 4
SHAPES: Final[tuple[tuple[Dim, ...], ...]] = ((), (3,), (N,), (N, 3), (2, 3), (N, 2), (1, 3))

# What an input may be assumed to be, and an interval in which its values are drawn then.
ASSUMED: Final[tuple[tuple[tuple[Fact, ...], float, float], ...]] = (
    ((), -2.0, 2.0),
    ((Fact.POSITIVE,), 0.25, 2.0),
    ((Fact.NONNEGATIVE,), 0.0, 2.0),
    ((Fact.NEGATIVE,), -2.0, -0.25),
    ((Fact.BELOW_ONE,), -2.0, 0.9),
    ((Fact.POSITIVE, Fact.BELOW_ONE), 0.1, 0.9),
    ((Fact.BINARY,), 0.0, 1.0),
    ((Fact.ROWS_SUM_TO_ONE, Fact.POSITIVE), 0.01, 1.0),
    ((Fact.ONE_HOT,), 0.0, 1.0),
)


@dataclass(frozen=True)
class Value:
    """A formula and an interval that contains its values."""

    expr: Expr
    low: float
    high: float

    @property
    def size(self) -> float:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class Example:
    """A graph whose outputs are its last value `y` and the scalar `loss` made of all values; arrays for its inputs."""

    graph: Graph
    inputs: dict[str, npt.NDArray[Any]]


Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass
class Builder:
    """The values made so far, and what they are made from."""

    draw: Draw
    dtype: DType
    bound: float
    without: frozenset[str]
    pool: list[Value] = field(default_factory=list)
    inputs: dict[str, tuple[TensorType, tuple[Fact, ...], float, float]] = field(default_factory=dict)

    def pick(self, fits: Callable[[Shape], bool] = lambda _: True) -> Value:
        """One of the values made so far, of a shape that fits; a new input (2, 3) if none does."""
        fitting = [x for x in self.pool if fits(x.expr.shape)]
        return self.draw(st.sampled_from(fitting[::-1])) if fitting else self.fresh((2, 3))

    def partner(self, x: Value) -> Value:
        """A value that x broadcasts with."""
        fitting = [y for y in self.pool if _fit(x.expr, y.expr)] or [x]
        return self.draw(st.sampled_from(fitting))

    def fresh(self, shape: Sequence[Dim]) -> Value:
        """A new input."""
        facts, low, high = self.draw(st.sampled_from(ASSUMED if len(shape) > 0 else ASSUMED[:7]))
        name = f"x{len(self.inputs)}"
        kind = TensorType(self.dtype, tuple(shape))
        self.inputs[name] = (kind, facts, low, high)
        return Value(e.variable(name, self.dtype, shape), low, high)

    def add(self, value: Value) -> None:
        """Keep a value, brought back into bounds where it has left them."""
        self.pool.append(value if value.size <= self.bound else Value(e.tanh(value.expr), -1.0, 1.0))


def _fit(x: Expr, y: Expr) -> bool:
    try:
        broadcast_shapes(x.shape, y.shape)
    except ShapeError:
        return False
    return True


def _tame(x: Value, limit: float = 2.0) -> Value:
    return x if x.size <= limit else Value(e.tanh(x.expr), -1.0, 1.0)


def _positive(x: Value) -> Value:
    return x if x.low >= 0.1 else Value(e.sigmoid(x.expr) + 0.5, 0.5, 1.5)


def _monotone(function: Callable[[Expr], Expr], number: Callable[[float], float]) -> Callable[[Builder], Value]:
    def make(b: Builder) -> Value:
        x = _tame(b.pick())
        ends = (number(x.low), number(x.high))
        return Value(function(x.expr), min(ends), max(ends))

    return make


def _log(b: Builder) -> Value:
    x = _positive(b.pick())
    return Value(e.log(x.expr), float(np.log(x.low)), float(np.log(x.high)))


def _log1p(b: Builder) -> Value:
    x = b.pick()
    x = x if x.low >= -0.9 else _positive(x)
    return Value(e.log1p(x.expr), float(np.log1p(x.low)), float(np.log1p(x.high)))


def _sqrt(b: Builder) -> Value:
    x = _positive(b.pick())
    return Value(e.sqrt(x.expr), float(np.sqrt(x.low)), float(np.sqrt(x.high)))


def _power(b: Builder) -> Value:
    exponent = b.draw(st.sampled_from([2.0, 3.0, 1.0, 4.0, 0.5, -1.0, -2.0, -0.5, 1.5, 2.5]))
    x = _tame(b.pick()) if exponent in (1.0, 2.0, 3.0, 4.0) else _positive(b.pick())
    ends = (x.low**exponent, x.high**exponent)
    low = 0.0 if exponent in (2.0, 4.0) else min(ends)
    return Value(x.expr**exponent, low, max(ends))


def _binary(
    function: Callable[[Expr, Expr], Expr], number: Callable[[float, float], float]
) -> Callable[[Builder], Value]:
    def make(b: Builder) -> Value:
        x = b.pick()
        y = b.partner(x)
        ends = [number(p, q) for p in (x.low, x.high) for q in (y.low, y.high)]
        return Value(function(x.expr, y.expr), min(ends), max(ends))

    return make


def _divide(b: Builder) -> Value:
    x = b.pick()
    y = _positive(b.partner(x))
    ends = [p / q for p in (x.low, x.high) for q in (y.low, y.high)]
    return Value(x.expr / y.expr, min(ends), max(ends))


def _softmax(b: Builder) -> Value:
    x = b.pick()
    if x.expr.type.rank == 0:
        return x
    z = e.exp(_tame(x).expr)
    return Value(z / e.sum(z, -1, keepdims=True), 0.0, 1.0)


def _abs(b: Builder) -> Value:
    x = b.pick()
    return Value(e.absolute(x.expr), 0.0, x.size)


def _sign(b: Builder) -> Value:
    return Value(e.sign(b.pick().expr), -1.0, 1.0)


def _stop_gradient(b: Builder) -> Value:
    x = b.pick()
    return Value(e.stop_gradient(x.expr), x.low, x.high)


def _condition(b: Builder) -> tuple[Value, Expr]:
    x = b.pick()
    y = b.partner(x)
    compare = b.draw(st.sampled_from([Expr.__gt__, Expr.__ge__, e.equal]))
    condition = compare(x.expr, y.expr)
    if b.draw(st.booleans()):
        condition = e.logical_and(condition, e.logical_not(e.equal(condition, condition)))
    return Value(e.broadcast_to(x.expr, condition.shape), x.low, x.high), condition


def _select(b: Builder) -> Value:
    x, condition = _condition(b)
    y = b.partner(x)
    return Value(e.select(condition, x.expr, y.expr), min(x.low, y.low), max(x.high, y.high))


def _indicator(b: Builder) -> Value:
    return Value(e.cast(_condition(b)[1], b.dtype), 0.0, 1.0)


def _source(b: Builder) -> Value:
    which = b.draw(st.integers(0, 2))
    if which == 0:
        value = b.draw(st.sampled_from([-1.5, -0.0, 0.0, 0.5, 1.0]))
        return Value(e.constant(value, TensorType(b.dtype, b.pick().expr.shape)), value, value)
    if which == 1:
        return Value(e.count(N, b.dtype), 1.0, float(N_MAX))
    return Value(e.cast(e.iota((N, 3), b.draw(st.integers(0, 1))), b.dtype), 0.0, float(N_MAX))


def _reshape(b: Builder) -> Value:
    x = b.pick()
    shape = x.expr.shape
    flat: tuple[Dim, ...] = (product(shape),)
    return Value(e.reshape(x.expr, (1, *shape) if len(shape) < 2 else flat), x.low, x.high)


def _transpose(b: Builder) -> Value:
    x = b.pick(lambda shape: len(shape) > 1)
    return Value(e.transpose(x.expr, b.draw(st.permutations(range(x.expr.type.rank)))), x.low, x.high)


def _broadcast(b: Builder) -> Value:
    x = b.pick(lambda shape: len(shape) < 3)
    return Value(e.broadcast_to(x.expr, (b.draw(st.sampled_from([2, N])), *x.expr.shape)), x.low, x.high)


def _axis(b: Builder) -> tuple[Value, int, int]:
    """A value, one of its axes whose length is a number, and that length."""
    x = b.pick(lambda shape: any(isinstance(dim, int) and dim > 0 for dim in shape))
    lengths = [(axis, dim) for axis, dim in enumerate(x.expr.shape) if isinstance(dim, int) and dim > 0]
    return x, *b.draw(st.sampled_from(lengths))


def _concatenate(b: Builder) -> Value:
    x, axis, _ = _axis(b)
    y = b.partner(x)
    other = e.broadcast_to(y.expr, x.expr.shape) if _same_shape(x, y) else x.expr
    return Value(e.concatenate([x.expr, other], axis), min(x.low, y.low), max(x.high, y.high))


def _slice(b: Builder) -> Value:
    x, axis, length = _axis(b)
    start = b.draw(st.integers(0, length - 1))
    return Value(e.slice_axis(x.expr, axis, start, b.draw(st.integers(start + 1, length))), x.low, x.high)


def _pad(b: Builder) -> Value:
    x, axis, _ = _axis(b)
    padded = e.pad(x.expr, axis, b.draw(st.integers(0, 1)), b.draw(st.integers(0, 1)))
    return Value(padded, min(x.low, 0.0), max(x.high, 0.0))


def _same_shape(x: Value, y: Value) -> bool:
    return broadcast_shapes(x.expr.shape, y.expr.shape) == x.expr.shape


def _reduction(function: Callable[..., Expr], *, adds: bool) -> Callable[[Builder], Value]:
    def make(b: Builder) -> Value:
        x = b.pick()
        rank = x.expr.type.rank
        axes = sorted(b.draw(st.sets(st.integers(0, rank - 1)))) if rank else []
        result = function(x.expr, axes, keepdims=b.draw(st.booleans()))
        count = float(np.prod([concrete(x.expr.shape, {"n": N_MAX})[a] for a in axes])) if adds else 1.0
        return Value(result, min(x.low, x.low * count), max(x.high, x.high * count))

    return make


def _argmax(b: Builder) -> Value:
    x = b.pick(lambda shape: len(shape) > 0)
    axis = b.draw(st.integers(0, x.expr.type.rank - 1))
    return Value(e.cast(e.argmax(x.expr, axis), b.dtype), 0.0, float(concrete(x.expr.shape, {"n": N_MAX})[axis]))


def _matmul(b: Builder) -> Value:
    x = b.pick(lambda shape: len(shape) == 2)
    inner = x.expr.shape[1]
    w = b.fresh((inner, 2))
    bound = concrete((inner,), {"n": N_MAX})[0] * x.size * w.size
    return Value(x.expr @ w.expr, -bound, bound)


# Each maker, and the primitives that it needs to be allowed.
MAKERS: Final[tuple[tuple[Callable[[Builder], Value], frozenset[str]], ...]] = (
    (_binary(lambda x, y: x + y, lambda p, q: p + q), frozenset({"add"})),
    (_binary(lambda x, y: x - y, lambda p, q: p - q), frozenset({"subtract"})),
    (_binary(lambda x, y: x * y, lambda p, q: p * q), frozenset({"multiply"})),
    (_binary(e.maximum, max), frozenset({"maximum"})),
    (_binary(e.minimum, min), frozenset({"minimum"})),
    (_divide, frozenset({"divide"})),
    (_softmax, frozenset({"divide"})),
    (_monotone(lambda x: -x, lambda p: -p), frozenset({"negate"})),
    (_power, frozenset({"power"})),
    (_monotone(e.exp, lambda p: float(np.exp(p))), frozenset({"exp"})),
    (_monotone(e.expm1, lambda p: float(np.expm1(p))), frozenset({"expm1"})),
    (_log, frozenset({"log"})),
    (_log1p, frozenset({"log1p"})),
    (_sqrt, frozenset({"sqrt"})),
    (_monotone(e.tanh, lambda p: float(np.tanh(p))), frozenset({"tanh"})),
    (_monotone(e.sigmoid, lambda p: float(1 / (1 + np.exp(-p)))), frozenset({"sigmoid"})),
    (_monotone(e.softplus, lambda p: float(np.log1p(np.exp(p)))), frozenset({"softplus"})),
    (_monotone(e.erf, float), frozenset({"erf"})),
    (_abs, frozenset({"abs"})),
    (_sign, frozenset({"sign"})),
    (_stop_gradient, frozenset({"stop_gradient"})),
    (_select, frozenset({"select", "greater", "greater_equal", "equal", "logical_and", "logical_not"})),
    (_indicator, frozenset({"cast", "greater", "greater_equal", "equal", "logical_and", "logical_not"})),
    (_source, frozenset({"constant", "size", "iota", "cast"})),
    (_reshape, frozenset({"reshape"})),
    (_transpose, frozenset({"transpose"})),
    (_broadcast, frozenset({"broadcast"})),
    (_concatenate, frozenset({"concatenate"})),
    (_slice, frozenset({"slice"})),
    (_pad, frozenset({"pad"})),
    (_reduction(e.sum, adds=True), frozenset({"sum"})),
    (_reduction(e.mean, adds=False), frozenset({"sum", "size", "divide"})),
    (_reduction(e.max, adds=False), frozenset({"max"})),
    (_argmax, frozenset({"argmax"})),
    (_matmul, frozenset({"matmul"})),
)


@st.composite
def examples(
    draw: Draw,
    *,
    steps: int = 8,
    dtype: DType = "float64",
    bound: float = 20.0,
    without: frozenset[str] = frozenset(),
) -> Example:
    """A random graph, its assumed facts, and values for its inputs.

    Args:
        draw: given by Hypothesis.
        steps: at most how many operations; each may be several primitives.
        dtype: of all floats.
        bound: values stay within -bound to bound.
        without: primitives that no maker may use on its own account (a few still serve to keep values in bounds).
    """
    b = Builder(draw, dtype, bound, without)
    first = b.fresh((N, 3))
    b.add(first)
    for shape in draw(st.lists(st.sampled_from(SHAPES), max_size=2)):
        b.add(b.fresh(shape))
    makers = [make for make, needs in MAKERS if not needs & without]
    for make in draw(st.lists(st.sampled_from(makers), min_size=steps // 2, max_size=steps)):
        b.add(make(b))
    loss = functools.reduce(lambda total, value: total + e.mean(value.expr), b.pool, e.constant(0.0, TensorType(dtype)))
    facts = {name: facts for name, (_, facts, _, _) in b.inputs.items() if facts}
    graph = make_graph({"y": b.pool[-1].expr.node, "loss": loss.node}, [first.expr.node], facts)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = {"n": draw(st.integers(1, N_MAX))}
    return Example(graph, {node.label: values(rng, *b.inputs[node.label], sizes) for node in graph.inputs})


def values(
    rng: np.random.Generator, kind: TensorType, facts: tuple[Fact, ...], low: float, high: float, sizes: dict[str, int]
) -> npt.NDArray[Any]:
    shape = concrete(kind.shape, sizes)
    if Fact.ONE_HOT in facts:
        x = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    elif Fact.BINARY in facts:
        x = rng.integers(0, 2, shape)
    else:
        x = rng.uniform(low, high, shape)
    if Fact.ROWS_SUM_TO_ONE in facts:
        x = x / x.sum(-1, keepdims=True)
    return np.asarray(x, dtype=kind.dtype)
