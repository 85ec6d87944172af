"""The functions of `vector_math`: how far from the true value, what at the edges, and the same bits for any lanes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import HELD, Builder, Value
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.backends.native.vector_math import FUNCTIONS, ULPS, Float, inline, library, power
from chainrule.errors import UnknownNameError
from tests.absent import require
from tests.backends.native.lanes import apply, module_of, ulps

require("llvmlite", "pip install llvmlite")

Array = npt.NDArray[Any]
HERE = machine.runnable()
FUSED = [isa for isa in HERE if isa.fused]
DTYPES: tuple[Float, ...] = ("float32", "float64")
POWERS = (-3.0, -0.3, 1.0 / 3.0, 1.5, math.e, 7.0, 100.25)
INF = math.inf


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def erf(x: Array) -> Array:
    """By the series near 0, and by the continued fraction of erfc beyond 2, in the precision of x."""
    size = np.minimum(np.abs(x), 20)
    term = np.where(size < 2.5, size, 0)
    near = term.copy()
    square = term * term
    for k in range(1, 50):
        term = -term * square / k
        near = near + term / (2 * k + 1)
    near = near * 2 / np.sqrt(PI)
    large = np.maximum(size, 2.5)
    fraction = np.zeros_like(x)
    for k in range(120, 0, -1):
        fraction = (x.dtype.type(k) / 2) / (large + fraction)
    far = 1 - np.exp(-large * large) / np.sqrt(PI) / (large + fraction)
    return np.where(np.isnan(x), x, np.copysign(np.where(size < 2.5, near, far), x))


PI = np.longdouble("3.14159265358979323846264338327950288")

EXACT: dict[str, Callable[[Array], Array]] = {
    "erf": erf,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}


def samples(dtype: str) -> Array:
    """Numbers of every size, more where functions bend, and the edges."""
    rng = np.random.default_rng(7)
    words = {"float32": np.uint32, "float64": np.uint64}[dtype]
    top = np.iinfo(words).max
    values = [
        rng.integers(0, top, 8_000, dtype=words, endpoint=True).view(dtype),
        rng.uniform(-1, 1, 8_000),
        rng.uniform(-8, 8, 8_000),
        rng.uniform(-120, 120, 4_000),
        rng.uniform(-760, 720, 4_000),
        1 + rng.uniform(-1e-3, 1e-3, 2_000),
        np.linspace(-0.5, 3, 4_001),
        edges(dtype),
    ]
    with np.errstate(all="ignore"):
        return np.concatenate([np.asarray(v).astype(dtype) for v in values])


def edges(dtype: str) -> Array:
    limits = np.finfo(np.dtype(dtype))
    tiny, least, most = float(limits.smallest_normal), float(limits.smallest_subnormal), float(limits.max)
    sizes = [0.0, least, tiny / 3, tiny, tiny * 2, 0.5, 1.0, 2.0, most / 2, most, INF]
    near = [-1.0, 1.0, 88.72283, 88.72284, -103.97, -103.98, 709.7827, 709.79, -745.13, -745.14, -87.34, -708.4]
    with np.errstate(all="ignore"):
        both = np.array([*sizes, *(-s for s in sizes), *near, math.nan]).astype(dtype)
        up, down = np.nextafter(both, both.dtype.type(INF)), np.nextafter(both, both.dtype.type(-INF))
    return np.concatenate([both, up, down])


def written(name: str) -> Callable[[Builder, Value], Value]:
    return FUNCTIONS[name]


# ---- how far from the true value ----


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_lie_within_the_stated_bound(name: str, dtype: Float, isa: Isa) -> None:
    x = samples(dtype)
    with np.errstate(all="ignore"):
        exact = EXACT[name](x.astype(np.float64 if dtype == "float32" and name != "erf" else np.longdouble))
    got = apply(written(name), x, isa)
    error = ulps(got, exact)
    worst = int(np.argmax(error))
    assert error[worst] <= ULPS[name][dtype], f"{name}({x[worst]!r}) gave {got[worst]!r}, exact {exact[worst]!r}"
    apart = (np.signbit(got) != np.signbit(exact)) & ~np.isnan(exact)
    assert not apart.any(), f"the sign of {name}({x[apart][0]!r}) is wrong"


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", POWERS)
def test_powers_lie_within_the_stated_bound(exponent: float, dtype: Float, isa: Isa) -> None:
    x = samples(dtype)
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.longdouble), np.longdouble(exponent))
    got = apply(lambda b, v: power(b, v, exponent), x, isa)
    error = ulps(got, exact)
    worst = int(np.argmax(error))
    assert error[worst] <= ULPS["power"][dtype], f"{x[worst]!r}^{exponent} gave {got[worst]!r}, exact {exact[worst]!r}"
    assert not ((np.signbit(got) != np.signbit(exact)) & ~np.isnan(exact)).any()


@pytest.mark.parametrize("exponent", [0.0, math.nan, INF, -INF, 1e19, -1e30, 2.0**53, 1e-300, -2.0, 2.0, -1.0])
def test_powers_at_the_edges_are_those_of_numpy(exponent: float) -> None:
    for dtype in DTYPES:
        x = edges(dtype)
        with np.errstate(all="ignore"):
            wanted = np.power(x.astype(np.float64), exponent).astype(dtype)
        got = apply(lambda b, v: power(b, v, exponent), x, HERE[0])
        wrong = (ulps(got, wanted.astype(np.float64)) > 1) | (np.signbit(got) != np.signbit(wanted)) & ~np.isnan(wanted)
        assert not wrong.any(), f"{x[wrong][0]!r}^{exponent}: {got[wrong][0]!r}, not {wanted[wrong][0]!r}"


# ---- at the edges ----

NAN = math.nan
AT_EDGES: dict[str, dict[float, float]] = {
    "erf": {0.0: 0.0, INF: 1.0, -INF: -1.0, 6.5: 1.0},
    "exp": {0.0: 1.0, INF: INF, -INF: 0.0, 1e30: INF, -1e30: 0.0},
    "expm1": {INF: INF, -INF: -1.0, 1e30: INF, -1e30: -1.0},
    "log": {0.0: -INF, 1.0: 0.0, INF: INF, -1.0: NAN, -INF: NAN, -1e-42: NAN},
    "log1p": {-1.0: -INF, INF: INF, -2.0: NAN, -INF: NAN},
    "sigmoid": {0.0: 0.5, INF: 1.0, -INF: 0.0, 1e30: 1.0, -1e30: 0.0},
    "softplus": {INF: INF, -INF: 0.0, 1e30: 1e30, -1e30: 0.0},
    "sqrt": {0.0: 0.0, 1.0: 1.0, INF: INF, -1.0: NAN},
    "tanh": {INF: 1.0, -INF: -1.0, 20.0: 1.0, -20.0: -1.0},
}


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", AT_EDGES)
def test_values_at_the_edges_are_exact(name: str, dtype: Float, isa: Isa) -> None:
    x = np.array(list(AT_EDGES[name]), dtype)
    wanted = np.array(list(AT_EDGES[name].values()), dtype)
    assert np.array_equal(apply(written(name), x, isa), wanted, equal_nan=True)


@pytest.mark.parametrize("name", ["erf", "expm1", "log1p", "sqrt", "tanh"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_keeps_its_sign_and_denormals_their_value(name: str, dtype: Float) -> None:
    least = np.finfo(np.dtype(dtype)).smallest_subnormal
    zeros = apply(written(name), np.array([0.0, -0.0], dtype), HERE[0])
    assert zeros.tolist() == [0.0, 0.0]
    assert np.signbit(zeros).tolist() == [False, True]
    if name in ("expm1", "log1p", "tanh"):
        small = np.array([least, -least, 17 * least, -1001 * least], dtype)
        assert np.array_equal(apply(written(name), small, HERE[0]), small)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_nan_whatever_its_bits(name: str, dtype: Float) -> None:
    if dtype == "float32":
        bits = np.array([0x7FC00000, 0xFFC00000, 0x7FC00001, 0x7FFFFFFF, 0x7F800001, 0xFFC12345], np.uint32)
    else:
        bits = np.array([0x7FF8 << 48, 0xFFF8 << 48, (0x7FF8 << 48) + 1, 2**63 - 1, (0x7FF0 << 48) + 1], np.uint64)
    for isa in HERE:
        assert np.isnan(apply(written(name), bits.view(dtype), isa)).all(), isa.name


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "sigmoid", "softplus"])
def test_a_rare_lane_leaves_its_neighbors_alone(name: str) -> None:
    """What is zero, infinite, large or below the normal numbers is treated aside; the others must not notice."""
    rng = np.random.default_rng(3)
    plain = rng.uniform(0.1, 50, 16).astype(np.float32)
    alone = apply(written(name), plain, HERE[0])
    for rare in (0.0, 1e-41, INF, -1.0, NAN, 88.0, -100.0):
        for lane in range(16):
            mixed = plain.copy()
            mixed[lane] = rare
            got = apply(written(name), mixed, HERE[0])
            assert np.array_equal(np.delete(got, lane), np.delete(alone, lane))


# ---- shapes of functions ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_bounded_stays_in_bounds(dtype: Float) -> None:
    x = np.concatenate([np.linspace(3, 40, 200_000), -np.linspace(3, 800, 200_000)]).astype(dtype)
    for isa in HERE:
        for name in ("tanh", "erf"):
            assert np.abs(apply(written(name), x, isa)).max() == 1.0, name
        assert apply(written("sigmoid"), x, isa).max() == 1.0
        assert apply(written("sigmoid"), x, isa).min() >= 0.0
        assert apply(written("exp"), -np.abs(x), isa).max() <= 1.0


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_odd_functions_are_odd(name: str) -> None:
    x = samples("float32")
    x = x[~np.isnan(x)]
    assert np.array_equal(apply(written(name), -x, HERE[0]), -apply(written(name), x, HERE[0]))


# ---- bits ----


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_do_not_depend_on_the_number_of_lanes(name: str, dtype: Float) -> None:
    x = samples(dtype)[::4]
    for isa in HERE[:-1]:
        one = apply(written(name), x, isa, 1)
        for lanes in (2, 4, 8, 16, 32):
            assert np.array_equal(apply(written(name), x, isa, lanes), one, equal_nan=True), f"{isa.name} {lanes}"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*FUNCTIONS, "power"])
def test_bits_are_those_of_every_fused_set(name: str, dtype: Float) -> None:
    function = FUNCTIONS.get(name, lambda b, v: power(b, v, 1.7))
    x = samples(dtype)
    results = [apply(function, x, isa) for isa in FUSED]
    for result in results[1:]:
        assert np.array_equal(result, results[0], equal_nan=True)


# ---- as code ----


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("name", [*FUNCTIONS, "power"])
def test_every_set_gets_code_that_calls_nothing(name: str, isa: Isa) -> None:
    function = FUNCTIONS.get(name, lambda b, v: power(b, v, 1.7))
    for dtype in DTYPES:
        type_ = HELD[dtype]
        text = module_of(function, type_, type_, isa, isa.lanes(dtype)).text()
        assert jit.compile_object(text, isa)
        code = jit.assembly(text, isa)
        calls = [line for line in code.splitlines() if line.split()[:1] in (["callq"], ["bl"], ["call"])]
        assert not calls, f"{isa.name} {name} {dtype}: {calls[0]}"


def test_a_library_holds_the_functions_asked_for() -> None:
    text = library(HERE[0], [("exp", "float32", 8), ("tanh", "float64", 4), ("log", "float32", 1)])
    for head in (
        "define <8 x float> @cr_exp_float32_8(<8 x float> %x)",
        "define <4 x double> @cr_tanh_float64_4(<4 x double> %x)",
        "define float @cr_log_float32_1(float %x)",
    ):
        assert head in text
    assert jit.load([jit.compile_object(text, HERE[0])], ["cr_exp_float32_8"]).addresses


def test_unknown_functions_and_wrong_operands_are_refused() -> None:
    def unknown(b: Builder, x: Value) -> Value:
        return inline(b, "tan", "float32", 16, x)

    with pytest.raises(UnknownNameError, match="did you mean 'tanh'"):
        apply(unknown, np.zeros(1, np.float32), HERE[0])
    with pytest.raises(AssertionError, match="exp of <16 x float>, not 8 of float32"):
        apply(lambda b, x: inline(b, "exp", "float32", 8, x), np.zeros(1, np.float32), HERE[0])
