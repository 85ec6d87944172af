"""Random values: every primitive applied to values made so far, of every dtype and of awkward shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import DTYPES, Dim, DType, Shape, TensorType, broadcast_shapes, concrete, product

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]

COMPUTED: Final = ("int32", "uint32", "float32", "float64")
MOST: Final = 20_000  # elements of a value


@dataclass
class Pool:
    """The values made so far, and what others are made from."""

    draw: Draw
    dtype: DType  # of most floats
    lengths: tuple[Dim, ...]
    sizes: dict[str, int]  # the largest of each name
    values: list[Expr] = field(default_factory=list[Expr])

    def keep(self, x: Expr) -> None:
        """Keep a value, unless it has become too large."""
        if np.prod(concrete(x.shape, self.sizes), dtype=float) <= MOST:
            self.values.append(x)

    def any(self, fits: Callable[[Expr], bool] = lambda _: True) -> Expr:
        """A value that fits, the latest first; a constant (2, 3) if none does."""
        found = [x for x in self.values if fits(x)]
        return self.draw(st.sampled_from(found[::-1])) if found else e.constant(1.5, TensorType(self.dtype, (2, 3)))

    def float(self, fits: Callable[[Expr], bool] = lambda _: True) -> Expr:
        """A value as a float, usually of the usual dtype."""
        x = self.any(fits)
        return x if x.type.is_float and self.draw(st.integers(0, 3)) else e.cast(x, self.dtype)

    def number(self, fits: Callable[[Expr], bool] = lambda _: True) -> Expr:
        """A value to compute with: a float, or a whole number as it is."""
        x = self.any(fits)
        return x if x.dtype in COMPUTED else e.cast(x, self.dtype)

    def partner(self, x: Expr) -> Expr:
        """A value that x broadcasts with, in its dtype."""
        return e.cast(self.any(lambda y: common(x, y) is not None), x.dtype)

    def truth(self, x: Expr) -> Expr:
        """A bool that x broadcasts with, if there is one."""
        return self.any(lambda y: y.dtype == "bool" and common(x, y) is not None)

    def dim(self) -> Dim:
        """A length of an axis."""
        return self.draw(st.sampled_from(self.lengths))

    def shape(self, most: int = 3) -> Shape:
        """Some lengths."""
        return tuple(self.draw(st.lists(st.sampled_from(self.lengths), max_size=most)))


def common(x: Expr, y: Expr) -> Shape | None:
    try:
        return broadcast_shapes(x.shape, y.shape)
    except ShapeError:
        return None


# ---- makers of values ----


def _bounded(x: Expr) -> Expr:
    return e.minimum(x, 3.0)


def _apart(x: Expr) -> Expr:
    return e.absolute(x) + 0.5


FUNCTIONS: Final[tuple[Callable[[Expr], Expr], ...]] = (
    e.tanh,
    e.sigmoid,
    e.softplus,
    e.erf,
    e.stop_gradient,
    lambda x: e.exp(_bounded(x)),
    lambda x: e.expm1(_bounded(x)),
    lambda x: e.log(_apart(x)),
    lambda x: e.log1p(e.absolute(x)),
    lambda x: e.sqrt(e.absolute(x)),
)
EXPONENTS: Final = (2.0, 3.0, 1.0, 0.0, 4.0, 0.5, -1.0, -2.0, -0.5, 1.7)
OPERATIONS: Final[tuple[Callable[[Expr, Expr], Expr], ...]] = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    e.maximum,
    e.minimum,
)
COMPARISONS: Final[tuple[Callable[[Expr, Expr], Expr], ...]] = (Expr.__gt__, Expr.__ge__, e.equal)


def _function(pool: Pool) -> Expr:
    return pool.draw(st.sampled_from(FUNCTIONS))(pool.float())


def _power(pool: Pool) -> Expr:
    exponent = pool.draw(st.sampled_from(EXPONENTS))
    x = pool.float()
    return (x if exponent in (2.0, 3.0, 1.0, 0.0) else _apart(x)) ** exponent


def _sided(pool: Pool) -> Expr:
    return pool.draw(st.sampled_from([Expr.__neg__, e.absolute, e.sign]))(pool.number())


def _operation(pool: Pool) -> Expr:
    x = pool.number()
    return pool.draw(st.sampled_from(OPERATIONS))(x, pool.partner(x))


def _with_number(pool: Pool) -> Expr:
    x = pool.number()
    y = pool.draw(st.sampled_from([0, 1, 2] if x.dtype == "uint32" else [0, 1, -2, 3]))
    return pool.draw(st.sampled_from(OPERATIONS))(x, y)


def _quotient(pool: Pool) -> Expr:
    x = pool.float()
    return x / _apart(pool.partner(x))


def _comparison(pool: Pool) -> Expr:
    x = pool.number()
    return pool.draw(st.sampled_from(COMPARISONS))(x, pool.partner(x))


def _logic(pool: Pool) -> Expr:
    x = _comparison(pool)
    return e.logical_not(x) if pool.draw(st.booleans()) else e.logical_and(x, e.cast(pool.partner(x), "bool"))


def _choice(pool: Pool) -> Expr:
    x = pool.number()
    y = pool.partner(x)
    condition = pool.truth(x)
    if condition.dtype != "bool" or common(condition, x + y) is None:
        condition = x > y
    return e.select(condition, x, y)


def _converted(pool: Pool) -> Expr:
    return e.cast(pool.any(), pool.draw(st.sampled_from(DTYPES)))


def _source(pool: Pool) -> Expr:
    which = pool.draw(st.integers(0, 2))
    if which == 0:
        value = pool.draw(st.sampled_from([0.5, 0.0, -0.0, 1.0, -1.5]))
        return e.constant(value, TensorType(pool.dtype, pool.shape()))
    if which == 1:
        shape = (*pool.shape(2), pool.dim())
        return e.iota(shape, pool.draw(st.integers(0, len(shape) - 1)))
    return e.count([pool.dim(), pool.dim()], pool.dtype)


def _drawn(pool: Pool) -> Expr:
    step = e.cast(pool.any(lambda x: x.shape == ()), "uint32")
    seed = e.cast(pool.any(lambda x: x.shape == (2,)), "uint32")
    seed = seed if seed.shape == (2,) else e.constant(7, TensorType("uint32", (2,)))
    words = e.random_bits(seed, step if step.shape == () else e.sum(step), 3, pool.shape())
    return e.cast(words, pool.dtype) / 2.0**32 if pool.draw(st.booleans()) else words


def _reshaped(pool: Pool) -> Expr:
    x = pool.any()
    shapes = [(product(x.shape),), (1, *x.shape), (*x.shape, 1), (*x.shape[:-2], product(x.shape[-2:]))]
    known = [y.shape for y in pool.values if product(y.shape) == product(x.shape)]
    turned = [x.shape[::-1], (*x.shape[1:], *x.shape[:1])]
    return Expr(apply("reshape", x.node, shape=tuple(pool.draw(st.sampled_from([*shapes, *turned, *known])))))


def _transposed(pool: Pool) -> Expr:
    x = computed(pool, pool.any(lambda x: x.type.rank > 1))
    return e.transpose(x, pool.draw(st.permutations(range(x.type.rank)[::-1])))


def computed(pool: Pool, x: Expr) -> Expr:
    """The value in a dtype that is computed in."""
    return e.cast(x, pool.dtype) if x.dtype in ("uint8", "int8", "float16") else x


def _repeated(pool: Pool) -> Expr:
    x = computed(pool, pool.any(lambda x: x.type.rank < 3))
    if pool.draw(st.booleans()):
        return e.broadcast_to(x, (pool.dim(), *x.shape))
    axis = pool.draw(st.integers(0, x.type.rank))
    return e.broadcast(x, (*x.shape[:axis], pool.dim(), *x.shape[axis:]), (axis,))


def _with_axis(pool: Pool) -> tuple[Expr, int, int]:
    """A value, one of its axes whose length is a number, and that length."""
    x = computed(pool, pool.any(lambda x: any(isinstance(dim, int) for dim in x.shape)))
    found = [(axis, dim) for axis, dim in enumerate(x.shape) if isinstance(dim, int)]
    return x, *pool.draw(st.sampled_from(found))


def _joined(pool: Pool) -> Expr:
    x, axis, _ = _with_axis(pool)
    others = pool.draw(st.lists(st.sampled_from([x, pool.partner(x)]), max_size=2))
    fitting = [y for y in others if len(y.shape) == len(x.shape) and _agree(x.shape, y.shape, axis)]
    return e.concatenate([x, *fitting], axis)


def _agree(one: Shape, other: Shape, axis: int) -> bool:
    rest = all(p == q for k, (p, q) in enumerate(zip(one, other, strict=True)) if k != axis)
    return rest and isinstance(other[axis], int)


def _stretch(pool: Pool) -> Expr:
    x, axis, length = _with_axis(pool)
    start = pool.draw(st.integers(0, length))
    return e.slice_axis(x, axis, start, pool.draw(st.integers(start, length)))


def _padded(pool: Pool) -> Expr:
    x, axis, _ = _with_axis(pool)
    return e.pad(x, axis, pool.draw(st.integers(0, 2)), pool.draw(st.integers(0, 2)))


def _reduced(pool: Pool) -> Expr:
    x = pool.number(lambda x: x.type.rank > 0)
    axes = pool.draw(st.sets(st.integers(0, x.type.rank - 1), min_size=1))
    is_empty = any(x.shape[axis] == 0 for axis in axes)
    kinds = [e.sum] if is_empty else [e.sum, e.max] + [e.mean] * x.type.is_float
    return pool.draw(st.sampled_from(kinds))(x, sorted(axes), keepdims=pool.draw(st.booleans()))


def _place(pool: Pool) -> Expr:
    x = pool.number(lambda x: any(dim != 0 for dim in x.shape))
    return e.argmax(x, pool.draw(st.sampled_from([axis for axis, dim in enumerate(x.shape) if dim != 0])))


def _softmax(pool: Pool) -> Expr:
    x = pool.float(lambda x: x.type.rank > 0 and x.shape[-1] != 0)
    z = e.exp(x - e.max(x, -1, keepdims=True))
    return z / e.sum(z, -1, keepdims=True)


def _matmul(pool: Pool) -> Expr:
    """Of any two matrices that fit, one of them perhaps transposed, or of one and its transpose."""
    x = pool.float(lambda x: x.type.rank > 1)
    x = x.T if pool.draw(st.booleans()) else x
    turned = pool.draw(st.booleans())
    inner = -1 if turned else -2
    found = [y for y in pool.values if y.shape[:-2] == x.shape[:-2] and y.type.rank > 1]
    found = [y for y in found if y.shape[inner] == x.shape[-1] and y is not x]
    if not found:
        return x @ x.T
    w = e.cast(pool.draw(st.sampled_from(found[::-1])), x.dtype)
    return x @ (w.T if turned else w)


MAKERS: Final[tuple[Callable[[Pool], Expr], ...]] = (
    _operation,
    _function,
    _reduced,
    _matmul,
    _transposed,
    _reshaped,
    _with_number,
    _quotient,
    _power,
    _sided,
    _comparison,
    _logic,
    _choice,
    _converted,
    _source,
    _drawn,
    _repeated,
    _joined,
    _stretch,
    _padded,
    _place,
    _softmax,
)
