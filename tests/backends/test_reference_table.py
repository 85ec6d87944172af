"""What each primitive computes, against its mathematical definition, in both float dtypes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from chainrule import draws
from chainrule.backends.reference import ReferenceBackend
from chainrule.backends.reference.table import COMPLEX_ABSENT, TABLE
from chainrule.errors import BackendError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import DType, TensorType, named

Array = npt.NDArray[Any]
BACKEND = ReferenceBackend()
N = named("n")
FLOATS: Final[tuple[DType, ...]] = ("float32", "float64")


def compute(formula: Callable[..., Expr], *operands: Array) -> Array:
    """The value of a formula of inputs like these arrays; its dtype and shape must be the type's."""
    inputs = [e.variable(f"x{k}", str(x.dtype), x.shape) for k, x in enumerate(operands)]  # type: ignore[arg-type]
    result = formula(*inputs)
    graph = make_graph({"y": result.node}, [x.node for x in inputs])
    value = BACKEND.evaluate(graph, {f"x{k}": x for k, x in enumerate(operands)})["y"]
    assert type(value) is np.ndarray
    assert str(value.dtype) == result.dtype
    assert value.shape == result.shape
    return value


# Each function by its definition in extended precision, and an interval of its domain.
FUNCTIONS: Final[dict[str, tuple[Callable[[Expr], Expr], Callable[[Array], Array], float, float]]] = {
    "exp": (e.exp, np.exp, -80, 80),
    "log": (e.log, np.log, 1e-30, 1e30),
    "expm1": (e.expm1, np.expm1, -50, 80),
    "log1p": (e.log1p, np.log1p, -0.999, 1e30),
    "sqrt": (e.sqrt, np.sqrt, 0, 1e30),
    "tanh": (e.tanh, np.tanh, -20, 20),
    "sigmoid": (e.sigmoid, lambda x: 1 / (1 + np.exp(-x)), -80, 80),
    "softplus": (e.softplus, lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), -80, 80),
    "erf": (e.erf, np.vectorize(lambda x: math.erf(float(x)), otypes=[np.longdouble]), -6, 6),
    "power 2": (lambda x: x**2, lambda x: x * x, -1e4, 1e4),
    "power 3": (lambda x: x**3, lambda x: x * x * x, -1e4, 1e4),
    "power 4": (lambda x: x**4, lambda x: x * x * x * x, -1e4, 1e4),
    "power 0.5": (lambda x: x**0.5, np.sqrt, 0, 1e30),
    "power -1": (lambda x: x**-1, lambda x: 1 / x, 1e-9, 1e9),
    "power -2": (lambda x: x**-2, lambda x: 1 / (x * x), 1e-9, 1e9),
    "power -0.5": (lambda x: x**-0.5, lambda x: 1 / np.sqrt(x), 1e-9, 1e9),
    "power 1.7": (lambda x: x**1.7, lambda x: x ** np.longdouble(1.7), 1e-9, 1e9),
    "power 5": (lambda x: x**5, lambda x: x**5, -1e3, 1e3),
}
# Units in the last place. NumPy's float64 functions are within a few; float32 is rounded once from float64.
BOUND: Final[dict[str, float]] = {"float32": 0.51, "float64": 4.0}
SEVERAL_ROUNDINGS: Final[dict[str, float]] = {"power 3": 1.5, "power 4": 2.0, "power -2": 1.5, "power -0.5": 1.5}


def grid(low: float, high: float, dtype: str) -> Array:
    """Many numbers of an interval, near its ends and near zero too."""
    rng = np.random.default_rng(0)
    even = rng.uniform(low, high, 500)
    small = rng.choice([-1, 1], 500) * 10.0 ** rng.uniform(-30, 0, 500)
    points = np.concatenate([even, small, [low, high, 0.0, 1.0, -1.0, 0.5]])
    return points[(points >= low) & (points <= high)].astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_to_the_last_places(name: str, dtype: DType) -> None:
    formula, exact, low, high = FUNCTIONS[name]
    x = grid(low, high, dtype)
    value = compute(formula, x)
    wanted = exact(x.astype(np.longdouble))
    unit = np.spacing(np.abs(wanted.astype(dtype)))  # of the last place of the dtype
    off = np.abs(value.astype(np.longdouble) - wanted) / unit
    bound = SEVERAL_ROUNDINGS.get(name, BOUND[dtype]) if dtype == "float32" else BOUND[dtype]
    assert float(off.max()) <= bound, (x[off.argmax()], value[off.argmax()], wanted[off.argmax()])


@pytest.mark.parametrize("dtype", FLOATS)
def test_functions_are_safe_far_out(dtype: DType) -> None:
    x = np.array([-np.inf, -1000, -200, 0, 200, 1000, np.inf, np.nan], dtype)
    with np.errstate(under="ignore"):
        far = np.exp(x[2].astype(np.float64)).astype(dtype)
    assert np.array_equal(compute(e.sigmoid, x), np.array([0, 0, far, 0.5, 1, 1, 1, np.nan], dtype), equal_nan=True)
    half = np.log(np.float64(2)).astype(dtype)
    expected = np.array([0, 0, far, half, 200, 1000, np.inf, np.nan], dtype)
    assert np.array_equal(compute(e.softplus, x), expected, equal_nan=True)
    tanh = np.array([-1, -1, -1, 0, 1, 1, 1, np.nan], dtype)
    assert np.array_equal(compute(e.tanh, x), tanh, equal_nan=True)
    assert np.array_equal(compute(e.erf, x), tanh, equal_nan=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_infinities_and_nan_are_values(dtype: DType) -> None:
    x = np.array([-1, 0, 1000, np.inf, np.nan], dtype)
    assert np.array_equal(compute(e.log, x)[:2], np.array([np.nan, -np.inf], dtype), equal_nan=True)
    assert np.isnan(compute(e.sqrt, x)[0])
    assert compute(e.exp, x)[2] == np.inf
    assert np.array_equal(compute(lambda v: 1 / v, x)[1:4], np.array([np.inf, 1 / dtype_of(dtype)(1000), 0], dtype))
    assert np.isnan(compute(e.maximum, x, np.zeros_like(x))[4])
    assert np.isnan(compute(e.minimum, np.zeros_like(x), x)[4])
    assert np.isnan(compute(e.max, x))


def dtype_of(dtype: DType) -> Callable[[float], Any]:
    return np.dtype(dtype).type


@pytest.mark.parametrize("dtype", FLOATS)
def test_arithmetic_is_rounded_once(dtype: DType) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 50)).astype(dtype)
    wide_x, wide_y = x.astype(np.longdouble), y.astype(np.longdouble)
    for formula, exact in [
        (Expr.__add__, wide_x + wide_y),
        (Expr.__sub__, wide_x - wide_y),
        (Expr.__mul__, wide_x * wide_y),
        (Expr.__truediv__, wide_x / wide_y),
        (e.maximum, np.maximum(wide_x, wide_y)),
        (e.minimum, np.minimum(wide_x, wide_y)),
    ]:
        value = compute(formula, x, y).astype(np.longdouble)
        assert np.all(np.abs(value - exact) <= 0.51 * np.spacing(np.abs(exact.astype(dtype))))
    assert np.array_equal(compute(lambda v: -v, x), -x)
    assert np.array_equal(compute(e.absolute, x), np.where(x < 0, -x, x))
    assert np.array_equal(compute(e.sign, x), (x > 0).astype(dtype) - (x < 0).astype(dtype))
    assert np.array_equal(compute(e.stop_gradient, x), x)


def test_the_square_is_the_product_bit_for_bit() -> None:
    x = np.random.default_rng(2).normal(size=1000)
    assert np.array_equal(compute(lambda v: v**2, x), x * x)
    assert np.array_equal(compute(lambda v: v**1, x), x)
    assert np.array_equal(compute(lambda v: v**0, x), np.ones_like(x))


def test_integers_wrap() -> None:
    x = np.array([2**31 - 1, -(2**31), 7], np.int32)
    one = np.ones_like(x)
    assert compute(Expr.__add__, x, one).tolist() == [-(2**31), -(2**31) + 1, 8]
    assert compute(Expr.__mul__, x, x + 0).tolist() == [1, 0, 49]
    assert compute(lambda v: -v, np.array([1, 0], np.uint32)).tolist() == [2**32 - 1, 0]
    assert compute(e.sum, np.array([2**31 - 1, 1], np.int32)).tolist() == -(2**31)
    assert compute(e.max, x).tolist() == 2**31 - 1


def test_comparisons_and_choice() -> None:
    x, y = np.array([1.0, 2.0, np.nan]), np.array([2.0, 2.0, np.nan])
    assert compute(Expr.__gt__, x, y).tolist() == [False, False, False]
    assert compute(Expr.__ge__, x, y).tolist() == [False, True, False]
    assert compute(e.equal, x, y).tolist() == [False, True, False]
    yes, no = np.array([True, True, False]), np.array([True, False, False])
    assert compute(e.logical_and, yes, no).tolist() == [True, False, False]
    assert compute(e.logical_not, yes).tolist() == [False, False, True]
    # the value not chosen does not matter, be it infinite or NaN
    chosen = compute(e.select, yes, np.array([1.0, 2.0, np.nan]), np.array([np.inf, np.nan, 3.0]))
    assert chosen.tolist() == [1.0, 2.0, 3.0]


CASTS: Final[list[tuple[DType, list[Any], DType, list[Any]]]] = [
    ("float64", [-1.9, 1.9, 2.5, 1e20, -1e20, np.nan, np.inf], "int32", [-1, 1, 2, 2**31 - 1, -(2**31), 0, 2**31 - 1]),
    ("float32", [-1.9, 1.9, 1e20, -3.0, np.nan], "uint32", [0, 1, 2**32 - 1, 0, 0]),
    ("float32", [0.0, -0.0, 0.5, np.nan], "bool", [False, False, True, True]),
    ("float64", [300.0, -300.0, 7.9], "int8", [127, -128, 7]),
    ("int32", [-1, 5], "uint32", [2**32 - 1, 5]),
    ("int32", [300, -1], "uint8", [44, 255]),
    ("uint32", [2**32 - 1], "int32", [-1]),
    ("int32", [0, 3], "bool", [False, True]),
    ("bool", [False, True], "float32", [0.0, 1.0]),
    ("uint8", [0, 255], "float32", [0.0, 255.0]),
    ("float64", [1e300, 0.1], "float32", [np.inf, np.float32(0.1)]),
    ("float16", [1.5], "float64", [1.5]),
    ("float32", [1e6, 0.1], "float16", [np.inf, np.float16(0.1)]),
]


@pytest.mark.parametrize(("source", "values", "target", "expected"), CASTS)
def test_casts(source: DType, values: list[Any], target: DType, expected: list[Any]) -> None:
    x = np.array(values, source)
    assert np.array_equal(compute(lambda v: e.cast(v, target), x), np.array(expected, target))
    for one, wanted in zip(x, expected, strict=True):
        assert compute(lambda v: e.cast(v, target), np.array(one)) == np.array(wanted, target)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_structure(dtype: DType) -> None:
    x = (np.arange(24).reshape(2, 3, 4) % 5).astype(dtype)
    assert np.array_equal(compute(lambda v: e.reshape(v, (6, 4)), x).ravel(), x.ravel())
    moved = compute(lambda v: e.transpose(v, (2, 0, 1)), x)
    assert all(moved[k, i, j] == x[i, j, k] for i in range(2) for j in range(3) for k in range(4))
    repeated = compute(lambda v: e.broadcast(v, (2, 5, 3, 4, 2), (1, 4)), x)
    assert all(np.array_equal(repeated[:, a, :, :, b], x) for a in range(5) for b in range(2))
    joined = compute(lambda v, w: e.concatenate([v, w, v], 1), x, x[:, :1])
    assert np.array_equal(joined, np.concatenate([x, x[:, :1], x], 1))
    assert np.array_equal(compute(lambda v: e.slice_axis(v, 2, 1, 3), x), x[:, :, 1:3])
    padded = compute(lambda v: e.pad(v, 1, 1, 2), x)
    assert np.array_equal(padded[:, 1:4], x)
    assert not padded[:, :1].any()
    assert not padded[:, 4:].any()


def test_structure_of_scalars_and_of_nothing() -> None:
    one = np.array(3.0)
    assert compute(lambda v: e.reshape(v, (1, 1)), one).tolist() == [[3.0]]
    assert compute(lambda v: e.broadcast_to(v, (2, 2)), one).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert compute(lambda v: Expr(e.apply("transpose", v.node, permutation=())), one).tolist() == 3.0
    nothing = np.zeros((0, 3))
    assert compute(e.exp, nothing).shape == (0, 3)
    assert compute(lambda v: e.sum(v, 0), nothing).tolist() == [0.0, 0.0, 0.0]
    assert compute(lambda v: e.broadcast_to(v, (2, 0, 3)), nothing).shape == (2, 0, 3)
    assert compute(lambda v, w: v @ w, np.zeros((2, 0)), nothing).tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("dtype", FLOATS)
def test_sums_are_accurate(dtype: DType) -> None:
    x = np.random.default_rng(3).normal(size=(400, 5)).astype(dtype)
    for axes in [(0,), (1,), (0, 1)]:
        value = compute(lambda v, axes=axes: e.sum(v, axes), x)
        kept = [a for a in (0, 1) if a not in axes]
        rows = x.transpose(*kept, *axes).reshape(*(x.shape[a] for a in kept), -1)
        exact = np.apply_along_axis(math.fsum, -1, rows)
        bound = 0.51 * np.spacing(np.abs(exact).astype(dtype)) if dtype == "float32" else 400 * 2e-16
        assert np.all(np.abs(value - exact) <= bound + 1e-12 * (dtype == "float32"))
    assert np.array_equal(compute(lambda v: Expr(e.apply("sum", v.node, axes=())), x), x)


def test_a_sum_does_not_depend_on_how_its_operand_came_about() -> None:
    x = np.random.default_rng(4).normal(size=(300, 7)).astype(np.float32)
    turned = compute(lambda v: e.sum(e.transpose(v, (1, 0)), 1), x)
    assert np.array_equal(turned, compute(lambda v: e.sum(v, 0), x))


def test_the_largest_and_where_it_is() -> None:
    x = np.array([[1.0, 5.0, 5.0], [7.0, -1.0, 7.0]])
    assert compute(lambda v: e.max(v, 1), x).tolist() == [5.0, 7.0]
    assert compute(lambda v: e.max(v, (0, 1)), x).tolist() == 7.0
    assert compute(lambda v: e.argmax(v, 1), x).tolist() == [1, 0]
    assert compute(lambda v: e.argmax(v, 0), x).tolist() == [1, 0, 1]


@pytest.mark.parametrize("dtype", FLOATS)
def test_products_are_rows_times_columns(dtype: DType) -> None:
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(6, 9)).astype(dtype), rng.normal(size=(9, 4)).astype(dtype)
    exact = np.array([[math.fsum(x[i].astype(np.longdouble) * w[:, j]) for j in range(4)] for i in range(6)])
    sizes = np.abs(x).astype(np.float64) @ np.abs(w)
    eps = np.finfo(dtype).eps
    assert np.all(np.abs(compute(Expr.__matmul__, x, w) - exact) <= 9 * eps * sizes)
    turned = compute(lambda v, u: e.swap_last(v) @ e.swap_last(u), np.ascontiguousarray(x.T), np.ascontiguousarray(w.T))
    assert np.all(np.abs(turned - exact) <= 9 * eps * sizes)
    batch = compute(Expr.__matmul__, np.stack([x, x]), np.stack([w, 2 * w]))
    assert np.all(np.abs(batch[1] - 2 * exact) <= 18 * eps * sizes)
    column = np.ascontiguousarray(x[:, :1])
    repeated = compute(lambda v, u: e.broadcast(e.reshape(v, (6,)), (6, 9), (1,)) @ u, column, w)
    assert np.allclose(repeated, column * w.sum(0), rtol=1e-4)


def test_sources() -> None:
    x = e.variable("x", "float32", (N, 2))
    graph = make_graph(
        {
            "constant": e.constant(0.1, TensorType("float32", (N, 3))).node,
            "flag": e.constant(True, TensorType("bool")).node,
            "size": Expr(e.apply("size", of=e.product((3, N)))).node,
            "rows": e.iota((N, 2), 0).node,
            "columns": e.iota((N, 2), 1).node,
        },
        [x.node],
    )
    result = BACKEND.evaluate(graph, {"x": np.zeros((4, 2), np.float32)})
    assert np.array_equal(result["constant"], np.full((4, 3), 0.1, np.float32))
    assert result["constant"].dtype == np.float32
    assert result["flag"].tolist() is True
    assert result["size"].dtype == np.int32
    assert result["size"] == 12
    assert result["rows"].tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert result["columns"].tolist() == [[0, 1]] * 4


def test_random_bits_are_drawn_from_seed_and_step() -> None:
    seed, step = 0xFEDCBA9876543210, 77
    words = np.array([seed % 2**32, seed // 2**32], np.uint32)
    value = compute(lambda s, t: e.random_bits(s, t, 4, (5, 3)), words, np.array(step, np.uint32))
    assert np.array_equal(value, draws.random_bits(seed, 4, step, (5, 3)))


# ---- complex numbers ----

STEP = 1e-20
SMOOTH: Final[dict[str, tuple[Callable[[Expr], Expr], Callable[[Array], Array]]]] = {
    "exp": (e.exp, np.exp),
    "log": (e.log, lambda x: 1 / x),
    "expm1": (e.expm1, np.exp),
    "log1p": (e.log1p, lambda x: 1 / (1 + x)),
    "sqrt": (e.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "tanh": (e.tanh, lambda x: 1 / np.cosh(x) ** 2),
    "sigmoid": (e.sigmoid, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "softplus": (e.softplus, lambda x: 1 / (1 + np.exp(-x))),
    "square": (lambda x: x**2, lambda x: 2 * x),
    "power": (lambda x: x**1.7, lambda x: 1.7 * x**0.7),
    "inverse": (lambda x: x**-1, lambda x: -1 / x**2),
    "add": (lambda x: x + x, lambda x: 2 + 0 * x),
    "subtract": (lambda x: 3 - x, lambda x: -1 + 0 * x),
    "multiply": (lambda x: x * x * x, lambda x: 3 * x**2),
    "divide": (lambda x: (x + 1) / x, lambda x: -1 / x**2),
    "negate": (lambda x: -x, lambda x: -1 + 0 * x),
    "maximum": (lambda x: e.maximum(x, 1.0), lambda x: (x > 1).astype(float)),
    "minimum": (lambda x: e.minimum(x, 1.0), lambda x: (x < 1).astype(float)),
    "max": (lambda x: e.broadcast_to(e.max(x), (3,)), lambda x: np.full(3, 1.0)),
    "sum": (lambda x: e.broadcast_to(e.sum(x * x), (3,)), lambda x: np.full(3, 2 * x.sum())),
    "reshape": (lambda x: e.reshape(e.reshape(x, (1, 3)) * 2, (3,)), lambda x: 2 + 0 * x),
    "slice": (lambda x: e.pad(e.slice_axis(x, 0, 0, 2), 0, 0, 1), lambda x: np.array([1.0, 1.0, 0.0])),
    "concatenate": (lambda x: e.slice_axis(e.concatenate([x, x], 0), 0, 3, 6), lambda x: 1 + 0 * x),
    "transpose": (lambda x: e.reshape(e.reshape(x, (3, 1)).T, (3,)), lambda x: 1 + 0 * x),
    "matmul": (
        lambda x: e.reshape(e.reshape(x, (1, 3)) @ e.reshape(x, (3, 1)), (1,)) + 0 * x,
        lambda x: np.full(3, 2 * x.sum()),
    ),
    "select": (lambda x: e.select(e.iota((3,), 0) > 0, x * x, x), lambda x: np.where(np.arange(3) > 0, 2 * x, 1)),
    "cast": (lambda x: Expr(e.apply("cast", x.node, dtype="float64")), lambda x: 1 + 0 * x),
    "stop_gradient": (lambda x: x * e.stop_gradient(x), lambda x: x),
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("point", [0.3, 2.5])
def test_a_complex_step_carries_the_derivative(name: str, point: float) -> None:
    formula, derivative = SMOOTH[name]
    at = point * np.array([1.0, 1.5, 2.0])
    x = e.variable("x", "float64", (3,))
    graph = make_graph({"y": formula(x).node})
    real = BACKEND.evaluate(graph, {"x": at})["y"]
    stepped = BACKEND.evaluate(graph, {"x": at + STEP * 1j})["y"]
    assert stepped.dtype == np.complex128
    assert np.allclose(np.real(stepped), real, rtol=1e-14, atol=0)
    assert np.allclose(np.imag(stepped) / STEP, derivative(at), rtol=1e-13, atol=0)


def test_far_out_complex_steps_stay_finite() -> None:
    x = e.variable("x", "float64", (4,))
    at = np.array([-1000.0, -30.0, 30.0, 1000.0]) + STEP * 1j
    result = BACKEND.evaluate(make_graph({"s": e.sigmoid(x).node, "p": e.softplus(x).node}), {"x": at})
    assert np.allclose(np.imag(result["p"]) / STEP, [0, np.exp(-30.0), 1, 1])
    assert np.allclose(np.imag(result["s"]) / STEP, [0, np.exp(-30.0), np.exp(-30.0), 0], rtol=1e-10)


def test_a_real_branch_stays_real() -> None:
    x, w = e.variable("x", "float64", (3,)), e.variable("w", "float64", (3,))
    graph = make_graph({"a": e.erf(w).node, "b": e.stop_gradient(x).node, "c": (x * w).node})
    result = BACKEND.evaluate(graph, {"x": np.full(3, 1 + 1j), "w": np.ones(3)})
    assert [result[name].dtype for name in "abc"] == [np.float64, np.float64, np.complex128]


@pytest.mark.parametrize("primitive", COMPLEX_ABSENT)
def test_what_has_no_complex_meaning_is_refused(primitive: str) -> None:
    x = e.variable("x", "float64", (3,)).node
    inputs = [x] * (2 if primitive in ("greater", "greater_equal", "equal") else 1)
    node = e.apply(primitive, *inputs, **({"axis": 0} if primitive == "argmax" else {}))
    with pytest.raises(BackendError, match=f"{primitive}.* has no complex value"):
        BACKEND.evaluate(make_graph({"y": node}), {"x": np.ones(3) + 1j})


def test_a_complex_number_is_not_cast_away() -> None:
    x = e.variable("x", "float64", (3,))
    with pytest.raises(BackendError, match="only float64 has a complex partner"):
        BACKEND.evaluate(make_graph({"y": e.cast(x, "float32").node}), {"x": np.ones(3) + 1j})


def test_absent_rows_exist() -> None:
    assert set(COMPLEX_ABSENT) <= set(TABLE)
