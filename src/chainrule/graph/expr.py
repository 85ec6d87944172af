"""A node that wears Python's operators, so that a formula in code reads as in the book."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chainrule.errors import DTypeError, ShapeError
from chainrule.graph.node import Attribute, Node
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import (
    Dim,
    DType,
    Shape,
    Size,
    TensorType,
    broadcast_shapes,
    named,
    normalize_axes,
    product,
    show_shape,
)

Number: TypeAlias = bool | int | float
Operand: TypeAlias = "Expr | Number"


class Expr:
    """A formula: wraps one node; operators and the functions of this file build others from it.

    Operands are broadcast to a common shape, as in NumPy. A Python number takes the dtype and shape of the other
    operand. Dtypes are never mixed silently.

    Example: with z of shape (n, k), `exp(z) / sum(exp(z), -1, keepdims=True)` is the softmax of each row.
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node

    def __repr__(self) -> str:
        return f"Expr({self.node!r})"

    @property
    def type(self) -> TensorType:
        """The dtype and the shape."""
        return self.node.tensor

    @property
    def shape(self) -> Shape:
        """The shape, whose dimensions may be named sizes."""
        return self.type.shape

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return self.type.dtype

    def __add__(self, other: Operand) -> Expr:
        return _binary("add", self, other)

    def __radd__(self, other: Operand) -> Expr:
        return _binary("add", other, self)

    def __sub__(self, other: Operand) -> Expr:
        return _binary("subtract", self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return _binary("subtract", other, self)

    def __mul__(self, other: Operand) -> Expr:
        return _binary("multiply", self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return _binary("multiply", other, self)

    def __truediv__(self, other: Operand) -> Expr:
        return _binary("divide", self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return _binary("divide", other, self)

    def __matmul__(self, other: Expr) -> Expr:
        return matmul(self, other)

    def __pow__(self, exponent: float) -> Expr:
        return _unary("power", self, exponent=float(exponent))

    def __neg__(self) -> Expr:
        return _unary("negate", self)

    def __gt__(self, other: Operand) -> Expr:
        return _binary("greater", self, other)

    def __lt__(self, other: Operand) -> Expr:
        return _binary("greater", other, self)

    def __ge__(self, other: Operand) -> Expr:
        return _binary("greater_equal", self, other)

    def __le__(self, other: Operand) -> Expr:
        return _binary("greater_equal", other, self)

    @property
    def T(self) -> Expr:  # noqa: N802 - the field's name for the transpose
        """The last two axes exchanged."""
        return swap_last(self)


# ---- sources ----


def variable(name: str, dtype: DType, shape: Sequence[Dim] = ()) -> Expr:
    """An input of the computation, such as a parameter or a batch of data."""
    return Expr(apply("input", name=name, type=TensorType(dtype, tuple(shape))))


def constant(value: Number, type_: TensorType) -> Expr:
    """One number repeated over a shape."""
    return Expr(apply("constant", value=_python_number(value, type_), type=type_))


def like(value: Number, x: Expr) -> Expr:
    """One number repeated over the shape and in the dtype of `x`."""
    return constant(value, x.type)


def count(dims: Dim | Sequence[Dim], dtype: DType) -> Expr:
    """The product of dimensions as a scalar of a float dtype: a number, or read from the named sizes."""
    total = product((dims,) if isinstance(dims, (int, Size)) else dims)
    if isinstance(total, int):
        return constant(float(total), TensorType(dtype))
    return cast(Expr(apply("size", of=total)), dtype)


def iota(shape: Sequence[Dim], axis: int) -> Expr:
    """0, 1, 2, … along an axis; int32."""
    return Expr(apply("iota", shape=tuple(shape), axis=axis))


def random_bits(seed: Expr, step: Expr, purpose: int, shape: Sequence[Dim]) -> Expr:
    """Random uint32 words: a function of seed uint32[2], step uint32[], purpose and position alone."""
    return Expr(apply("random_bits", seed.node, step.node, purpose=int(purpose), shape=tuple(shape)))


# ---- elementwise functions ----


def exp(x: Expr) -> Expr:
    """Raise e to the x."""
    return _unary("exp", x)


def log(x: Expr) -> Expr:
    """The natural logarithm, for x > 0."""
    return _unary("log", x)


def expm1(x: Expr) -> Expr:
    """exp(x) - 1 without cancellation near 0."""
    return _unary("expm1", x)


def log1p(x: Expr) -> Expr:
    """log(1 + x) without cancellation near 0, for x > -1."""
    return _unary("log1p", x)


def sqrt(x: Expr) -> Expr:
    """The square root, for x >= 0."""
    return _unary("sqrt", x)


def tanh(x: Expr) -> Expr:
    """The hyperbolic tangent."""
    return _unary("tanh", x)


def sigmoid(x: Expr) -> Expr:
    """1 / (1 + exp(-x))."""
    return _unary("sigmoid", x)


def softplus(x: Expr) -> Expr:
    """log(1 + exp(x))."""
    return _unary("softplus", x)


def erf(x: Expr) -> Expr:
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""
    return _unary("erf", x)


def absolute(x: Expr) -> Expr:
    """|x|."""
    return _unary("abs", x)


def sign(x: Expr) -> Expr:
    """-1, 0 or 1."""
    return _unary("sign", x)


def maximum(x: Operand, y: Operand) -> Expr:
    """The larger of two values, element by element; at a tie differentiation credits `y`."""
    return _binary("maximum", x, y)


def minimum(x: Operand, y: Operand) -> Expr:
    """The smaller of two values, element by element; at a tie differentiation credits `y`."""
    return _binary("minimum", x, y)


def equal(x: Operand, y: Operand) -> Expr:
    """Whether x = y, element by element."""
    return _binary("equal", x, y)


def logical_and(x: Expr, y: Expr) -> Expr:
    """Whether both hold."""
    return _binary("logical_and", x, y)


def logical_not(x: Expr) -> Expr:
    """Whether it does not hold."""
    return _unary("logical_not", x)


def select(condition: Expr, yes: Operand, no: Operand) -> Expr:
    """`yes` where the condition holds, else `no`."""
    left, right = _pair(yes, no) if isinstance(yes, Expr) or isinstance(no, Expr) else (yes, no)
    if not isinstance(left, Expr) or not isinstance(right, Expr):
        raise DTypeError(f"select needs a formula among {yes!r} and {no!r} to know the dtype; wrap one in constant")
    shape = broadcast_shapes(condition.shape, broadcast_shapes(left.shape, right.shape))
    parts = (broadcast_to(part, shape).node for part in (condition, left, right))
    return Expr(apply("select", *parts))


def cast(x: Expr, dtype: DType) -> Expr:
    """The value in another dtype; itself where it has it already."""
    return x if x.dtype == dtype else _unary("cast", x, dtype=dtype)


def stop_gradient(x: Expr) -> Expr:
    """The value, held constant by differentiation."""
    return _unary("stop_gradient", x)


# ---- shape ----


def reshape(x: Expr, shape: Sequence[Dim]) -> Expr:
    """The same elements in order under another shape; one reshape of a reshape is one reshape."""
    source = Expr(x.node.inputs[0]) if x.node.primitive == "reshape" else x
    return source if source.shape == tuple(shape) else _unary("reshape", source, shape=tuple(shape))


def transpose(x: Expr, permutation: Sequence[int]) -> Expr:
    """Axis i of the result is axis permutation[i] of x."""
    order = tuple(permutation)
    return x if order == tuple(range(x.type.rank)) else _unary("transpose", x, permutation=order)


def swap_last(x: Expr) -> Expr:
    """The last two axes exchanged: a matrix transposed."""
    rank = x.type.rank
    if rank < 2:
        raise ShapeError(f"a transpose needs at least two axes, and got shape {show_shape(x.shape)}")
    return transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def broadcast(x: Expr, shape: Sequence[Dim], axes: Sequence[int]) -> Expr:
    """Repeat x along the new axes of `shape`; the transpose of `sum` over them."""
    return _unary("broadcast", x, shape=tuple(shape), axes=tuple(axes)) if axes else x


def broadcast_to(x: Expr, shape: Shape) -> Expr:
    """Bring x to a shape it broadcasts to, aligned at the last axis, as in NumPy."""
    if x.shape == shape:
        return x
    missing = len(shape) - x.type.rank
    stretched = tuple(missing + a for a, d in enumerate(x.shape) if d == 1 and shape[missing + a] != 1)
    kept = tuple(d for a, d in enumerate(x.shape) if missing + a not in stretched)
    new = tuple(sorted((*range(missing), *stretched)))
    return broadcast(reshape(x, kept), shape, new)


def concatenate(parts: Sequence[Expr], axis: int) -> Expr:
    """Values joined along an axis."""
    which = normalize_axes(axis, parts[0].type.rank)[0] if parts else axis
    return Expr(apply("concatenate", *(p.node for p in parts), axis=which))


def slice_axis(x: Expr, axis: int, start: int, stop: int) -> Expr:
    """The stretch start:stop of an axis."""
    return _unary("slice", x, axis=axis, start=start, stop=stop)


def pad(x: Expr, axis: int, before: int, after: int) -> Expr:
    """Zeros before and after along an axis."""
    return _unary("pad", x, axis=axis, before=before, after=after)


# ---- reductions and products ----


def sum(x: Expr, axes: int | Sequence[int] | None = None, *, keepdims: bool = False) -> Expr:  # noqa: A001
    """The sum along axes (all of them by default)."""
    return _reduce("sum", x, axes, keepdims)


def max(x: Expr, axes: int | Sequence[int] | None = None, *, keepdims: bool = False) -> Expr:  # noqa: A001
    """The largest along axes; at ties differentiation shares equally."""
    return _reduce("max", x, axes, keepdims)


def mean(x: Expr, axes: int | Sequence[int] | None = None, *, keepdims: bool = False) -> Expr:
    """The sum along axes divided by the number of its terms."""
    total = sum(x, axes, keepdims=keepdims)
    return total / count([x.shape[a] for a in normalize_axes(axes, x.type.rank)], x.dtype)


def argmax(x: Expr, axis: int = -1) -> Expr:
    """The position of the largest along an axis, the first of equals; int32."""
    return _unary("argmax", x, axis=normalize_axes(axis, x.type.rank)[0])


def matmul(x: Expr, w: Expr) -> Expr:
    """Rows of x (…, n, i) times columns of w (…, i, o): shape (…, n, o)."""
    return Expr(apply("matmul", x.node, w.node))


# ---- how operators make nodes ----


def size(symbol: str) -> Expr:
    """The value of a named size, such as the number of samples n; int32."""
    return Expr(apply("size", of=named(symbol)))


def _python_number(value: Number, type_: TensorType) -> Attribute:
    if type_.is_float:
        return float(value)
    if type_.dtype == "bool":
        return bool(value)
    if isinstance(value, float) and not value.is_integer():
        raise DTypeError(f"{value} is not a whole number, and the other operand is {type_.dtype}; cast it first")
    return int(value)


def _unary(primitive: str, x: Expr, **attributes: Attribute) -> Expr:
    return Expr(apply(primitive, x.node, **attributes))


def _pair(left: Operand, right: Operand) -> tuple[Expr, Expr]:
    if not isinstance(left, Expr) and not isinstance(right, Expr):
        raise DTypeError(f"one of {left!r} and {right!r} must be a formula to know the dtype; wrap one in constant")
    if not isinstance(left, Expr):
        assert isinstance(right, Expr)
        return like(left, right), right
    if not isinstance(right, Expr):
        return left, like(right, left)
    shape = broadcast_shapes(left.shape, right.shape)
    return broadcast_to(left, shape), broadcast_to(right, shape)


def _binary(primitive: str, left: Operand, right: Operand) -> Expr:
    a, b = _pair(left, right)
    return Expr(apply(primitive, a.node, b.node))


def _reduce(primitive: str, x: Expr, axes: int | Sequence[int] | None, keepdims: bool) -> Expr:
    which = normalize_axes(axes, x.type.rank)
    result = _unary(primitive, x, axes=which) if which else x
    if not keepdims:
        return result
    return reshape(result, [1 if a in which else d for a, d in enumerate(x.shape)])
