"""Primitives as data: for each primitive, and each attribute or shape worth a row, a formula and where it is smooth.

Every law of derivatives runs over this one list. Operands are drawn in float64 away from kinks and ties, farther than
any step of a difference quotient.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import Dim, TensorType, concrete, named

Values: TypeAlias = npt.NDArray[np.float64]
Domain: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], Values]

SIZES: Final = {"n": 3, "t": 2}
N, T = named("n"), named("t")


# ---- domains ----


def anywhere(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return rng.uniform(0.5, 2.0, size=shape)


def nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Both signs occur, by turns."""
    return np.resize(np.array([-1.0, 1.0]), shape) * rng.uniform(0.5, 2.0, size=shape)


def apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    """Elements at least 0.4 from each other and 0.2 from those of `apart_too`."""
    count = int(np.prod(shape, dtype=int))
    return np.asarray((rng.permutation(count) * 0.4 - 0.2 * count + 0.1).reshape(shape), np.float64)


def apart_too(rng: np.random.Generator, shape: tuple[int, ...]) -> Values:
    return apart(rng, shape) + 0.2


# ---- cases ----


@dataclass(frozen=True, slots=True)
class Operand:
    """A float64 input: its shape, perhaps with named sizes, and where its values are drawn."""

    shape: tuple[Dim, ...] = ()
    domain: Domain = anywhere

    def draw(self, rng: np.random.Generator) -> Values:
        return self.domain(rng, concrete(self.shape, SIZES))


Kind: TypeAlias = Literal["smooth", "flat", "held"]


@dataclass(frozen=True, slots=True)
class Case:
    """A formula that holds the primitive.

    Attributes:
        kind: "flat" where the derivative is 0 everywhere on the domain, "held" where differentiation must not see the
            change that a difference quotient sees.
        order: derivatives up to this order are held against the laws.
        tolerance: of difference quotients, in units of max(1, |value|).
        complex_orders: up to this order the gradients can be evaluated at complex numbers.
    """

    name: str
    primitive: str
    build: Callable[..., Expr]
    operands: tuple[Operand, ...]
    kind: Kind = "smooth"
    order: int = 3
    tolerance: float = 1e-6
    complex_orders: int = 3


def case(
    name: str, build: Callable[..., Expr], *operands: Operand, kind: Kind = "smooth", complex_orders: int = 3
) -> Case:
    """A row whose name begins with the primitive's."""
    return Case(name, name.split(":", maxsplit=1)[0], build, operands, kind, complex_orders=complex_orders)


X23, X3, X1, SCALAR = Operand((2, 3)), Operand((3,)), Operand((2, 1)), Operand()
POSITIVE, NONZERO = Operand((2, 2), positive), Operand((2, 2), nonzero)
APART, APART_TOO = Operand((2, 3), apart), Operand((2, 3), apart_too)
NX = Operand((N, 2))


def _power(exponent: float, operand: Operand) -> Case:
    return case(f"power:{exponent}", lambda x: x**exponent, operand, kind="flat" if exponent == 0.0 else "smooth")


def _unary(function: Callable[[Expr], Expr], operand: Operand = X23, complex_orders: int = 3) -> Case:
    name = {"absolute": "abs"}.get(function.__name__, function.__name__)
    return case(name, function, operand, complex_orders=complex_orders)


def _floats(x: Expr) -> Expr:
    return e.cast(x, "float64")


def _draws(x: Expr) -> Expr:
    seed, step = e.constant(7, TensorType("uint32", (2,))), e.constant(1, TensorType("uint32"))
    return x * (_floats(e.random_bits(seed, step, 3, (2, 3))) / 2.0**32)


def _norm(x: Expr) -> Expr:
    centered = x - e.mean(x, 0, keepdims=True)
    return centered / e.sqrt(e.mean(centered**2, 0, keepdims=True) + 0.1)


SOURCES: Final = [
    case("input", lambda x: x + 0.0 * x, X23),
    case("input: used twice", lambda x: x * e.exp(x), X23),
    case("constant", lambda x: 3.0 * x - 0.5, X23),
    case("size: a mean over n", lambda x: e.mean(x, 0), NX),
    case("iota", lambda x: x * _floats(e.iota((2, 3), 1)), X23),
    case("random_bits", _draws, X23),
]

ARITHMETIC: Final = [
    case("add", lambda x, y: x + y, X23, X23),
    case("add: a row to each row of the batch", lambda x, b: x + b, NX, Operand((2,))),
    case("add: a column and a row", lambda x, y: (x + y) ** 2, X1, X3),
    case("add: a value to itself", lambda x: (x + x) * x, X23),
    case("subtract", lambda x, y: x - y, X23, X23),
    case("subtract: from a number", lambda x: (2.0 - x) ** 3, X23),
    case("subtract: a scalar from a matrix", lambda x, y: (x - y) ** 2, X23, SCALAR),
    case("multiply", lambda x, y: x * y, X23, X23),
    case("multiply: a value by itself", lambda x: x * x * x, X23),
    case("multiply: a column and the batch", lambda x, y: x * y, Operand((N, 1)), NX),
    case("multiply: a scalar and a matrix", lambda x, y: x * y, SCALAR, X23),
    case("divide", lambda x, y: x / y, X23, Operand((2, 3), nonzero)),
    case("divide: a number by a value", lambda x: 1.0 / x, NONZERO),
    case("divide: rows by their column", lambda x, y: x / y, X23, Operand((2, 1), nonzero)),
    case("divide: softmax", lambda x: e.exp(x) / e.sum(e.exp(x), -1, keepdims=True), NX),
    case("negate", lambda x: -x, X23),
    case("negate: twice", lambda x: -((-x) ** 3), X23),
    *(_power(exponent, NONZERO) for exponent in (0.0, 1.0, 2.0, 3.0, 4.0, -1.0, -2.0)),
    *(_power(exponent, POSITIVE) for exponent in (0.5, -0.5, 1.5, 2.5)),
    case("maximum", e.maximum, APART, APART_TOO, complex_orders=1),
    case("maximum: ReLU, squared", lambda x: e.maximum(x, 0.0) ** 2, Operand((2, 3), nonzero), complex_orders=1),
    case("maximum: a row and the batch", e.maximum, Operand((N, 2), apart), Operand((2,), apart_too), complex_orders=1),
    case("minimum", e.minimum, APART, APART_TOO, complex_orders=1),
    case("minimum: of cubes", lambda x, y: e.minimum(x**3, y), NONZERO, Operand((2, 2), apart_too), complex_orders=1),
]

FUNCTIONS: Final = [
    _unary(e.exp),
    _unary(e.log, POSITIVE),
    _unary(e.expm1),
    _unary(e.log1p, POSITIVE),
    case("log1p: below 0", lambda x: e.log1p(-0.25 * x), POSITIVE),
    _unary(e.sqrt, POSITIVE),
    _unary(e.tanh),
    case("tanh: of a product", lambda x, y: e.tanh(x * y), X23, X23),
    _unary(e.sigmoid),
    case("sigmoid: far out", lambda x: e.sigmoid(4.0 * x), X23),
    _unary(e.softplus),
    case("softplus: far out", lambda x: e.softplus(-4.0 * x), X23),
    _unary(e.erf, complex_orders=0),
    case("erf: GELU", lambda x: 0.5 * x * (1.0 + e.erf(x / 2.0**0.5)), X23, complex_orders=0),
    _unary(e.absolute, NONZERO, complex_orders=0),
    case("abs: cubed", lambda x: e.absolute(x) ** 3, NONZERO, complex_orders=0),
    case("sign", e.sign, NONZERO, kind="flat", complex_orders=0),
    case("sign: times its argument", lambda x: e.sign(x) * x**2, NONZERO, complex_orders=0),
]


CHOICE: Final = [
    case("greater", lambda x, y: _floats(x > y), APART, APART_TOO, kind="flat", complex_orders=0),
    case("greater_equal", lambda x, y: _floats(x >= y), APART, APART_TOO, kind="flat", complex_orders=0),
    case("equal", lambda x, y: _floats(e.equal(x, y)), APART, APART_TOO, kind="flat", complex_orders=0),
    case(
        "logical_and",
        lambda x: e.select(e.logical_and(x > -0.6, x < 0.6), x**3, x),
        APART,
        complex_orders=0,
    ),
    case("logical_not", lambda x: e.select(e.logical_not(x > 0.0), x**3, -x), NONZERO, complex_orders=0),
    case("select", lambda c, x, y: e.select(c > 0.0, x**2, y**3), NONZERO, NONZERO, NONZERO, complex_orders=0),
    case(
        "select: a row of conditions, a number",
        lambda c, x: e.select(c > 0.0, x**3, 1.0),
        Operand((2,), nonzero),
        NX,
        complex_orders=0,
    ),
    case("cast: to the same dtype", lambda x: Expr(apply("cast", (x**3).node, dtype="float64")), X23),
    case("cast: of an integer", lambda x: x**2 * _floats(e.iota((2, 3), 0)), X23),
    case("cast: through integers", lambda x: _floats(e.cast(x, "int32")), POSITIVE, kind="flat", complex_orders=0),
    case("stop_gradient", e.stop_gradient, X23, kind="held", complex_orders=0),
]

STRUCTURE: Final = [
    case("reshape", lambda x: e.reshape(x, (3, 2)) ** 2, X23),
    case("reshape: to one axis", lambda x: e.reshape(x**2, (6,)), X23),
    case(
        "reshape: samples and time in one axis", lambda x: e.reshape(x**2, (e.product((N, T)), 2)), Operand((N, T, 2))
    ),
    case("transpose", lambda x: e.transpose(x, (1, 0)) ** 2, X23),
    case("transpose: three axes round", lambda x: e.transpose(x, (2, 0, 1)) ** 2, Operand((2, 1, 3))),
    case("broadcast: a new first axis", lambda x: e.broadcast(x, (2, 3), (0,)) ** 2, X3),
    case("broadcast: a new last axis", lambda x: e.broadcast(x, (3, 2), (1,)) ** 2, X3),
    case("broadcast: over the batch", lambda x, y: e.broadcast(x, (N, 2), (0,)) * y, Operand((2,)), NX),
    case("broadcast: a scalar", lambda x: e.exp(e.broadcast(x, (2, 3), (0, 1))), SCALAR),
    case("broadcast: around an axis", lambda x: e.broadcast(x, (2, 3, 2), (0, 2)) ** 2, X3),
    case("concatenate", lambda x, y: e.concatenate([x, y], 1) ** 2, X23, X1),
    case("concatenate: a value with itself", lambda x: e.concatenate([x, x**2, x], 0) ** 2, X23),
    case("concatenate: within the batch", lambda x, y: e.concatenate([x, y], 1) ** 2, NX, Operand((N, 1))),
    case("slice", lambda x: e.slice_axis(x, 1, 1, 3) ** 2, X23),
    case("slice: within the batch", lambda x: e.slice_axis(x, 1, 0, 1) * x, NX),
    case("slice: nothing", lambda x: e.sum(e.slice_axis(x, 1, 2, 2)) + e.sum(x**2), X23),
    case("pad", lambda x: e.pad(x, 1, 2, 1) ** 2, X23),
    case("pad: within the batch", lambda x: e.exp(e.pad(x, 1, 0, 1)), NX),
]

REDUCTIONS: Final = [
    case("sum", lambda x: e.sum(x**2), X23),
    case("sum: along the first axis", lambda x: e.sum(x, 0) ** 2, X23),
    case("sum: over the batch", lambda x: e.sum(x, 0) ** 2, NX),
    case("sum: two axes of three", lambda x: e.sum(x**3, (0, 2)), Operand((2, 3, 2))),
    case("sum: keeping the axis", lambda x: x / e.sum(x, 1, keepdims=True), Operand((2, 3), positive)),
    case("sum: normalization over the batch", _norm, NX),
    case("max", lambda x: e.max(x**3), APART, complex_orders=1),
    case("max: along an axis", lambda x: e.max(x, 1) ** 2, APART, complex_orders=1),
    case("max: two axes of three", lambda x: e.max(x, (0, 2)) ** 2, Operand((2, 3, 2), apart), complex_orders=1),
    case("max: over the batch", lambda x: e.max(x, 0) ** 2, Operand((N, 2), apart), complex_orders=1),
    case(
        "max: safe log-sum-exp",
        lambda x: e.log(e.sum(e.exp(x - e.max(x, 1, keepdims=True)), 1)) + e.max(x, 1),
        APART,
        complex_orders=1,
    ),
    case("argmax", lambda x: _floats(e.argmax(x, 1)), APART, kind="flat", complex_orders=0),
    case("matmul", lambda x, w: x @ w, X23, Operand((3, 2))),
    case("matmul: the batch and weights", lambda x, w: e.tanh(x @ w), NX, Operand((2, 2))),
    case("matmul: a batch of matrices", lambda x, w: (x @ w) ** 2, Operand((2, 1, 2)), Operand((2, 2, 3))),
    case("matmul: two batch axes", lambda x, w: x @ w, Operand((2, 1, 1, 2)), Operand((2, 1, 2, 1))),
    case("matmul: one row, one column", lambda x, w: x @ w, Operand((1, 3)), Operand((3, 1))),
    case("matmul: contracting the batch", lambda x: x.T @ x, NX),
    case("matmul: three factors", lambda a, b, c: a @ b @ c, Operand((2, 2)), Operand((2, 2)), Operand((2, 2))),
]

CASES: Final[list[Case]] = [*SOURCES, *ARITHMETIC, *FUNCTIONS, *CHOICE, *STRUCTURE, *REDUCTIONS]
