"""THE TABLE of derivatives: each primitive's vector-Jacobian product, written once, as an expression.

`vjp(dy, y, *x, **attributes)` takes the adjoint of the output, the output and the inputs, and returns one adjoint per
input: an expression, ZERO (perturbing the input changes nothing) or NO_DERIVATIVE (perturbing it makes no sense, as
for an index). A row is written in the graph's own language, so it can be differentiated again.

Conventions where the derivative does not exist:
    maximum, minimum at a tie      the second operand gets all, so that ReLU, maximum(x, 0), has slope 0 at 0
    max along axes, several largest  they share equally
    abs and sign at 0              slope 0
    sqrt at 0, power below 1 at 0  infinity, as the limit from the right
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import Shape


class Nothing:
    """An adjoint that is not an expression, and why."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


ZERO: Final = Nothing("ZERO")  # perturbing this input changes nothing
NO_DERIVATIVE: Final = Nothing("NO_DERIVATIVE")  # perturbing this input makes no sense

Adjoint: TypeAlias = Expr | Nothing
Vjp: TypeAlias = Callable[..., tuple[Adjoint, ...]]  # (dy, y, *x, **attributes); arity differs from row to row


def _maximum(dy: Expr, _: Expr, a: Expr, b: Expr) -> tuple[Adjoint, ...]:
    first = a > b
    return (e.select(first, dy, 0.0), e.select(first, 0.0, dy))


def _minimum(dy: Expr, _: Expr, a: Expr, b: Expr) -> tuple[Adjoint, ...]:
    first = b > a
    return (e.select(first, dy, 0.0), e.select(first, 0.0, dy))


def _power(dy: Expr, _: Expr, x: Expr, exponent: float) -> tuple[Adjoint, ...]:
    if exponent == 0.0:
        return (ZERO,)
    if exponent == 1.0:
        return (dy,)
    slope = x if exponent == 2.0 else x ** (exponent - 1.0)  # the slope of x**2 is 2 x
    return (dy * (exponent * slope),)


def _select(dy: Expr, _: Expr, condition: Expr, __: Expr, ___: Expr) -> tuple[Adjoint, ...]:
    return (NO_DERIVATIVE, e.select(condition, dy, 0.0), e.select(condition, 0.0, dy))


def _cast(dy: Expr, _: Expr, x: Expr, dtype: str) -> tuple[Adjoint, ...]:
    return (e.cast(dy, x.dtype),) if x.type.is_float else (NO_DERIVATIVE,)


def _reshape(dy: Expr, _: Expr, x: Expr, shape: Shape) -> tuple[Adjoint, ...]:
    return (e.reshape(dy, x.shape),)


def _transpose(dy: Expr, _: Expr, __: Expr, permutation: tuple[int, ...]) -> tuple[Adjoint, ...]:
    return (e.transpose(dy, _inverse(permutation)),)


def _broadcast(dy: Expr, _: Expr, __: Expr, shape: Shape, axes: tuple[int, ...]) -> tuple[Adjoint, ...]:
    return (e.sum(dy, axes),)


def _sum(dy: Expr, _: Expr, x: Expr, axes: tuple[int, ...]) -> tuple[Adjoint, ...]:
    return (e.broadcast(dy, x.shape, axes),)


def _max(dy: Expr, y: Expr, x: Expr, axes: tuple[int, ...]) -> tuple[Adjoint, ...]:
    largest = e.cast(e.equal(x, e.broadcast(y, x.shape, axes)), x.dtype)
    share = dy / e.sum(largest, axes)
    return (largest * e.broadcast(share, x.shape, axes),)


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=lambda i: permutation[i]))


def _concatenate(dy: Expr, _: Expr, *x: Expr, axis: int) -> tuple[Adjoint, ...]:
    parts: list[Adjoint] = []
    start = 0
    for each in x:
        stop = start + _number(each.shape, axis)
        parts.append(e.slice_axis(dy, axis, start, stop))
        start = stop
    return tuple(parts)


def _slice(dy: Expr, _: Expr, x: Expr, axis: int, start: int, stop: int) -> tuple[Adjoint, ...]:
    return (e.pad(dy, axis, start, _number(x.shape, axis) - stop),)


def _pad(dy: Expr, _: Expr, x: Expr, axis: int, before: int, after: int) -> tuple[Adjoint, ...]:
    return (e.slice_axis(dy, axis, before, before + _number(x.shape, axis)),)


def _number(shape: Shape, axis: int) -> int:
    dim = shape[axis]
    assert isinstance(dim, int)  # the type rules of concatenate, slice and pad see to it
    return dim


_SOURCES: Final[dict[str, Vjp]] = {
    "input": lambda *_, **__: (),
    "constant": lambda *_, **__: (),
    "size": lambda *_, **__: (),
    "iota": lambda *_, **__: (),
    "random_bits": lambda *_, **__: (NO_DERIVATIVE, NO_DERIVATIVE),
}

_UNARY: Final[dict[str, Callable[[Expr, Expr, Expr], tuple[Adjoint, ...]]]] = {
    "negate": lambda dy, y, x: (-dy,),
    "exp": lambda dy, y, x: (dy * y,),
    "log": lambda dy, y, x: (dy / x,),
    "expm1": lambda dy, y, x: (dy * e.exp(x),),
    "log1p": lambda dy, y, x: (dy / (1.0 + x),),
    "sqrt": lambda dy, y, x: (dy / (2.0 * y),),
    "tanh": lambda dy, y, x: (dy * (1.0 - y * y),),
    "sigmoid": lambda dy, y, x: (dy * (y * (1.0 - y)),),
    "softplus": lambda dy, y, x: (dy * e.sigmoid(x),),
    "erf": lambda dy, y, x: (dy * (2.0 / math.sqrt(math.pi) * e.exp(-(x * x))),),
    "abs": lambda dy, y, x: (dy * e.sign(x),),
    "sign": lambda dy, y, x: (ZERO,),
    "logical_not": lambda dy, y, x: (NO_DERIVATIVE,),
    "stop_gradient": lambda dy, y, x: (ZERO,),
}

_BINARY: Final[dict[str, Callable[[Expr, Expr, Expr, Expr], tuple[Adjoint, ...]]]] = {
    "add": lambda dy, y, a, b: (dy, dy),
    "subtract": lambda dy, y, a, b: (dy, -dy),
    "multiply": lambda dy, y, a, b: (dy * b, dy * a),
    "divide": lambda dy, y, a, b: (dy / b, -(dy * y) / b),  # a / b**2 = y / b
    "maximum": _maximum,
    "minimum": _minimum,
    "greater": lambda dy, y, a, b: (NO_DERIVATIVE, NO_DERIVATIVE),
    "greater_equal": lambda dy, y, a, b: (NO_DERIVATIVE, NO_DERIVATIVE),
    "equal": lambda dy, y, a, b: (NO_DERIVATIVE, NO_DERIVATIVE),
    "logical_and": lambda dy, y, a, b: (NO_DERIVATIVE, NO_DERIVATIVE),
    "matmul": lambda dy, y, a, b: (dy @ b.T, a.T @ dy),
}

_WITH_ATTRIBUTES: Final[dict[str, Vjp]] = {
    "power": _power,
    "select": _select,
    "cast": _cast,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    "sum": _sum,
    "max": _max,
    "argmax": lambda *_, **__: (NO_DERIVATIVE,),
}

DERIVATIVES: Final[dict[str, Vjp]] = {**_SOURCES, **_UNARY, **_BINARY, **_WITH_ATTRIBUTES}

ABSENT: Final[dict[str, str]] = {
    "scan": "its derivative is a scan in reverse and arrives with the recurrent layers",
    "item": "it reads a scan, and arrives with it",
}
