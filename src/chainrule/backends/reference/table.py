"""THE TABLE in NumPy: what each primitive means, in float32 and in float64.

A row takes the values of the inputs and the attributes, in which named sizes are numbers by now. It gives a value of
the node's dtype and shape; where that is a scalar it may be a NumPy scalar. Functions of a float32 are computed in
float64 and rounded once, so they do not depend on the processor's short cuts. Infinities and NaN are values like any
other, and no row warns about them (the callers set `np.errstate`).

Complex rows serve the complex step: the real part goes its usual way, the imaginary part carries a derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.draws import random_bits

Array: TypeAlias = npt.NDArray[Any]  # the dtype is in the type of the graph's node
Function: TypeAlias = Callable[[Array], Array]
Row: TypeAlias = Callable[
    ..., Any
]  # an array or a NumPy scalar, from one array for each input, then the attributes by name
Numbers: TypeAlias = tuple[int, ...]

FLOAT32: Final = np.dtype(np.float32)
FLOAT64: Final = np.dtype(np.float64)
WORD: Final = 2**32  # a seed is two words of 32 bits, the low one first


# ---- sources ----


def _constant(value: float, type: Any) -> Array:  # noqa: A002 - the attribute's name
    return _broadcast(np.array(value, type.dtype), type.shape, tuple(range(len(type.shape))))


def _size(of: int) -> Array:
    return np.array(of, np.int32)


def _iota(shape: Numbers, axis: int) -> Array:
    others = tuple(a for a in range(len(shape)) if a != axis)
    return _broadcast(np.arange(shape[axis], dtype=np.int32), shape, others)


def _random_bits(seed: Array, step: Array, purpose: int, shape: Numbers) -> Array:
    low, high = (int(word) for word in seed)
    return random_bits(low + high * WORD, purpose, int(step), shape)


# ---- arithmetic ----


def _power(x: Array, exponent: float) -> Array:
    """x to a fixed number: by multiplication, root and quotient where that is the same in exact numbers."""
    if exponent in _BY_PRODUCT:
        return _BY_PRODUCT[exponent](x)
    return _rounded_once(lambda wide: np.power(wide, exponent))(x)


_BY_PRODUCT: Final[dict[float, Function]] = {
    0.0: np.ones_like,
    1.0: lambda x: x,
    2.0: lambda x: np.multiply(x, x),
    3.0: lambda x: np.multiply(np.multiply(x, x), x),
    4.0: lambda x: np.square(np.multiply(x, x)),
    0.5: np.sqrt,
    -1.0: lambda x: np.divide(x.dtype.type(1), x),
    -2.0: lambda x: np.divide(x.dtype.type(1), np.multiply(x, x)),
    -0.5: lambda x: np.divide(x.dtype.type(1), np.sqrt(x)),
}


def _maximum(x: Array, y: Array) -> Array:
    """The larger; NaN if one of them is. Complex numbers are compared by their real parts, and a tie gives y."""
    if _is_complex(x) or _is_complex(y):
        return np.where((np.real(x) > np.real(y)) | np.isnan(np.real(x)), x, y)
    return np.maximum(x, y)


def _minimum(x: Array, y: Array) -> Array:
    """The smaller; NaN if one of them is. Complex numbers as in maximum."""
    if _is_complex(x) or _is_complex(y):
        return np.where((np.real(x) < np.real(y)) | np.isnan(np.real(x)), x, y)
    return np.minimum(x, y)


# ---- functions ----


def _rounded_once(function: Function) -> Function:
    """The function computed in float64, its result rounded to the dtype of x."""

    def rounded(x: Array) -> Array:
        return function(x.astype(FLOAT64)).astype(FLOAT32) if x.dtype == FLOAT32 else function(x)

    return rounded


def _sigmoid(x: Array) -> Array:
    """1 / (1 + e) for x >= 0 and e / (1 + e) below, with e = exp(-|x|), which cannot overflow."""
    right = np.real(x) >= 0
    e = np.exp(np.where(right, -x, x))
    return np.where(right, 1.0, e) / (1.0 + e)


def _softplus(x: Array) -> Array:
    """max(x, 0) + log(1 + exp(-|x|)), which cannot overflow."""
    right = np.real(x) >= 0
    return np.where(np.real(x) < 0, 0.0, x) + np.log1p(np.exp(np.where(right, -x, x)))


def _erf(x: Array) -> Array:
    return np.fromiter(map(math.erf, x.ravel().tolist()), FLOAT64, x.size).reshape(x.shape)


# ---- comparison and choice ----


def _cast(x: Array, dtype: str) -> Array:
    """Floats become integers toward zero, kept inside the range, NaN as 0; integers wrap; not 0 is true."""
    wanted = np.dtype(dtype)
    if wanted == np.bool_:
        return np.not_equal(x, 0)
    if x.dtype.kind == "f" and wanted.kind in "iu":
        bounds = np.iinfo(wanted)
        return np.clip(np.nan_to_num(x.astype(FLOAT64), nan=0.0), bounds.min, bounds.max).astype(wanted)
    return x if _is_complex(x) else x.astype(wanted)  # a complex number stands in for a float64


# ---- structure ----


def _reshape(x: Array, shape: Numbers) -> Array:
    return x.reshape(shape)


def _transpose(x: Array, permutation: Numbers) -> Array:
    return x.transpose(permutation)


def _broadcast(x: Array, shape: Numbers, axes: Numbers) -> Array:
    """A view of x whose new axes repeat it without moving."""
    if 0 in shape:
        return np.empty(shape, x.dtype)
    solid = np.asarray(x, order="C")
    strides = iter(solid.strides)
    return np.ndarray(
        shape, solid.dtype, solid, 0, tuple([0 if a in axes else next(strides) for a in range(len(shape))])
    )


def _concatenate(*parts: Array, axis: int) -> Array:
    return np.concatenate(parts, axis)


def _slice(x: Array, axis: int, start: int, stop: int) -> Array:
    return x[(*(slice(None),) * axis, slice(start, stop))]


def _pad(x: Array, axis: int, before: int, after: int) -> Array:
    along = x.shape[axis]
    result = np.zeros((*x.shape[:axis], before + along + after, *x.shape[axis + 1 :]), x.dtype)
    result[(*(slice(None),) * axis, slice(before, before + along))] = x
    return result


# ---- reductions and products ----


def _sum(x: Array, axes: Numbers) -> Array:
    """Added up in the dtype of x, a float32 in float64 and rounded once; integers wrap."""
    if x.dtype == FLOAT32:
        return np.add.reduce(x, axis=axes, dtype=FLOAT64).astype(FLOAT32)
    return np.add.reduce(x, axis=axes, dtype=x.dtype)


def _max(x: Array, axes: Numbers) -> Array:
    """The largest; NaN if there is one. Complex numbers are compared by their real parts; the first of equals."""
    if not _is_complex(x):
        return np.maximum.reduce(x, axis=axes)
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    rows = x.transpose(rest + axes).reshape(*(x.shape[a] for a in rest), -1)
    where = np.argmax(np.real(rows), axis=-1)
    return np.take_along_axis(rows, where[..., None], axis=-1)[..., 0]


def _argmax(x: Array, axis: int) -> Any:
    """Where the largest is, the first of equals; the first NaN if there is one."""
    return np.argmax(x, axis).astype(np.int32)


def _matmul(x: Array, w: Array) -> Array:
    """Rows times columns; a repeated operand is written out first, or NumPy would leave the fast product."""
    return np.matmul(np.ascontiguousarray(x) if 0 in x.strides else x, np.ascontiguousarray(w) if 0 in w.strides else w)


def _is_complex(x: Array) -> bool:
    return x.dtype.kind == "c"


TABLE: Final[dict[str, Row]] = {
    # sources
    "constant": _constant,
    "size": _size,
    "iota": _iota,
    "random_bits": _random_bits,
    # arithmetic
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negate": np.negative,
    "power": _power,
    "maximum": _maximum,
    "minimum": _minimum,
    # functions
    "exp": _rounded_once(np.exp),
    "log": _rounded_once(np.log),
    "expm1": _rounded_once(np.expm1),
    "log1p": _rounded_once(np.log1p),
    "sqrt": np.sqrt,
    "tanh": _rounded_once(np.tanh),
    "sigmoid": _rounded_once(_sigmoid),
    "softplus": _rounded_once(_softplus),
    "erf": _rounded_once(_erf),
    "abs": np.abs,
    "sign": np.sign,
    # comparison and choice
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "logical_and": np.logical_and,
    "logical_not": np.logical_not,
    "select": np.where,
    "cast": _cast,
    "stop_gradient": np.real,
    # structure
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "concatenate": _concatenate,
    "slice": _slice,
    "pad": _pad,
    # reductions and products
    "sum": _sum,
    "max": _max,
    "argmax": _argmax,
    "matmul": _matmul,
}

ABSENT: Final[dict[str, str]] = {
    "input": "it is what is given; there is nothing to compute",
    "scan": "loops are reserved; they arrive with recurrent layers",
    "item": "it reads an output of scan, and loops are reserved; they arrive with recurrent layers",
}

COMPLEX_ABSENT: Final[dict[str, str]] = {
    "abs": "|z| is not differentiable in the complex sense",
    "sign": "sign has no complex continuation",
    "erf": "math.erf takes real numbers only",
    "greater": "complex numbers have no order",
    "greater_equal": "complex numbers have no order",
    "equal": "a complex step would make equal numbers differ",
    "argmax": "complex numbers have no order",
}
