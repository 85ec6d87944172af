"""Every primitive in native code, held to the reference: exactly where arithmetic is exact, else within its bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule.backends.native.lanes import ROWS
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.moving import MOVES
from chainrule.backends.native.reductions import KINDS
from chainrule.backends.native.vocabulary import ABSENT
from chainrule.draws import random_bits
from chainrule.errors import BackendError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.primitives import PRIMITIVES, apply
from chainrule.graph.retype import retype
from chainrule.graph.tensor_type import DTYPES, TensorType, named
from tests.backends.native.agreement import ISAS, REFERENCE, both, distance, formula, native
from tests.laws.primitive_cases import CASES, Case

N = named("n")
FUNCTION_ULPS = 4  # ours from the true value, the reference's from it, and one rounding
SUM_ULPS = 64  # of the sum of absolute values, for the few dozen terms summed here


def test_every_primitive_is_filled_or_absent_with_a_reason() -> None:
    filled = {*ROWS, *MOVES, *KINDS, "matmul", "random_bits", "input"}
    assert filled | set(ABSENT) == set(PRIMITIVES)
    assert not filled & set(ABSENT)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_of_the_laws_agrees(case: Case, dtype: Any) -> None:
    rng = np.random.default_rng(3)
    names = [f"x{k}" for k in range(len(case.operands))]
    variables = [e.variable(name, "float64", o.shape) for name, o in zip(names, case.operands, strict=True)]
    inputs = {name: o.draw(rng).astype(dtype) for name, o in zip(names, case.operands, strict=True)}
    graph = retype(formula(y=case.build(*variables)), dtype)
    ours, wanted = both(graph, inputs)
    scale = np.finfo(dtype).eps * max(1.0, float(np.abs(wanted["y"]).max(initial=0.0)))
    assert np.allclose(ours["y"], wanted["y"], rtol=SUM_ULPS * np.finfo(dtype).eps, atol=SUM_ULPS * scale)


# ---- elementwise: all that is special, in vectors and alone ----


def special(dtype: str) -> np.ndarray[Any, Any]:
    tiny, huge = np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max
    some = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-3, 30.0, -30.0, 90.0, -110.0, tiny, -tiny, huge, -huge]
    return np.array([*some, np.inf, -np.inf, np.nan, *np.linspace(-5, 5, 40)], dtype)


EXACT: dict[str, Callable[..., Expr]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "maximum": e.maximum,
    "minimum": e.minimum,
    "greater": lambda x, y: x > y,
    "greater_equal": lambda x, y: x >= y,
    "equal": e.equal,
    "select": lambda x, y: e.select(e.logical_not(x > y), x, y),
    "negate": lambda x, _: -x,
    "sqrt": lambda x, _: e.sqrt(x),
    "abs": lambda x, _: e.absolute(x),
    "sign": lambda x, _: e.sign(x),
    "square": lambda x, _: x**2,
    "cube": lambda x, _: x**3,
    "root": lambda x, _: x**0.5,
    "inverse": lambda x, _: x**-1,
    "relu": lambda x, _: e.maximum(x, 0.0),
    "clip": lambda x, _: e.minimum(e.maximum(x, -1.0), 1.0),
    "fused is not": lambda x, y: x * y + x,
}


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arithmetic_has_the_bits_of_the_reference(dtype: Any, isa: Isa) -> None:
    values = special(dtype)
    x, y = e.variable("x", dtype, (N, N)), e.variable("y", dtype, (N, N))
    graph = formula(**{name.replace(" ", "_"): build(x, y) for name, build in EXACT.items()})
    left, right = np.meshgrid(values, values)
    ours, wanted = both(graph, {"x": left.copy(), "y": right.copy()}, isa)
    for name in ours:
        assert distance(ours[name], wanted[name]) == 0, name


FUNCTIONS = ["exp", "log", "expm1", "log1p", "tanh", "sigmoid", "softplus", "erf"]


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions_lie_within_their_bound(dtype: Any, isa: Isa) -> None:
    x = e.variable("x", dtype, (N,))
    graph = formula(**{name: getattr(e, name)(x) for name in FUNCTIONS}, power=x**2.7, rooted=x**-0.3)
    ours, wanted = both(graph, {"x": special(dtype)}, isa)
    for name in ours:
        assert distance(ours[name], wanted[name]) <= FUNCTION_ULPS, name


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("wanted", DTYPES)
def test_each_cast_agrees(source: Any, wanted: Any) -> None:
    numbers = [0, 1, 2, 127, 128, 255, 65504] if source != "bool" else [0, 1]
    extra = [-1.5, -129.0, 0.5, 1e9, 3e9, 1e20, np.inf, -np.inf, np.nan, 1 + 2**-11 + 2**-30, 5.960464477539063e-08]
    with np.errstate(all="ignore"):
        values = np.array([*numbers, *extra] if source.startswith("float") else numbers).astype(source)
    y = e.cast(e.variable("x", source, (N,)), wanted)
    ours, expected = both(formula(y=y if wanted != source else e.reshape(y, (N, 1))), {"x": values})
    assert np.array_equal(ours["y"], expected["y"], equal_nan=ours["y"].dtype.kind == "f")


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_whole_numbers_wrap_and_compare_as_they_should(dtype: Any) -> None:
    x, y = e.variable("x", dtype, (N,)), e.variable("y", dtype, (N,))
    graph = formula(
        a=x + y, s=x - y, m=x * y, g=x > y, ge=x >= y, q=e.equal(x, y), hi=e.maximum(x, y), lo=e.minimum(x, y),
        n=-x, ab=e.absolute(x), sg=e.sign(x), total=e.sum(x), top=e.max(x), where=e.argmax(x),
    )  # fmt: skip
    bounds = np.iinfo(dtype)
    some = np.array([bounds.min, bounds.max, 0, 1, 7, bounds.max - 1, bounds.min + 1] * 5, dtype)
    with np.errstate(all="ignore"):
        ours, wanted = both(graph, {"x": some, "y": some[::-1].copy()})
    for name in ours:
        assert np.array_equal(ours[name], wanted[name]), name


# ---- reductions and products ----

SHAPES = [(1, 1), (1, 5), (7, 1), (3, 16), (2, 17), (33, 8), (10, 33), (5, 100), (11, 300)]


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reductions_agree_in_every_direction(dtype: Any, shape: tuple[int, int], isa: Isa) -> None:
    x = e.variable("x", dtype, (N, shape[1]))
    axes: list[Any] = [0, 1, None]
    outputs = {f"sum{k}": e.sum(x, a) for k, a in enumerate(axes)} | {
        f"max{k}": e.max(x, a) for k, a in enumerate(axes)
    }
    graph = formula(**outputs, first=e.argmax(x, 0), last=e.argmax(x, 1))
    values = np.random.default_rng(4).integers(-3, 4, shape).astype(dtype)  # many ties; sums are exact
    ours, wanted = both(graph, {"x": values}, isa)
    for name in ours:
        assert np.array_equal(ours[name], wanted[name]), name
    values[0, -1] = np.nan
    ours, wanted = both(graph, {"x": values}, isa)
    for name in ours:
        assert np.array_equal(ours[name], wanted[name], equal_nan=ours[name].dtype.kind == "f"), name


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_a_wide_row_has_the_same_bits_alone_and_beside_others(isa: Isa) -> None:
    x = e.variable("x", "float32", (N, 1001))
    top = e.max(x, 1, keepdims=True)
    graph = formula(total=e.sum(e.exp(x - top), 1), place=e.argmax(x, 1), plain=e.sum(x, 1), top=top)
    values = np.random.default_rng(5).standard_normal((11, 1001)).astype(np.float32)
    together = native(isa).evaluate(graph, {"x": values})
    for k in range(len(values)):
        alone = native(isa).evaluate(graph, {"x": values[k : k + 1]})
        assert all(alone[name][0].tobytes() == together[name][k].tobytes() for name in together)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_of_truths_the_first_true_one_is_the_largest(shape: tuple[int, int]) -> None:
    x = e.variable("x", "bool", (N, shape[1]))
    graph = formula(down=e.argmax(x, 0), along=e.argmax(x, 1), none=e.argmax(e.logical_and(x, e.logical_not(x)), 1))
    ours, wanted = both(graph, {"x": np.random.default_rng(3).random(shape) < 0.2})
    for name in ours:
        assert np.array_equal(ours[name], wanted[name]), name


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize(
    "size", [(1, 1, 1), (1, 7, 3), (5, 1, 4), (6, 9, 1), (10, 20, 10), (33, 17, 40), (4, 8, 70)], ids=str
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_agree_in_every_role(dtype: Any, size: tuple[int, int, int], isa: Isa) -> None:
    m, k, n = size
    x, w, y = e.variable("x", dtype, (N, k)), e.variable("w", dtype, (k, n)), e.variable("y", dtype, (N, n))
    graph = formula(forward=x @ w, weights=x.T @ y, back=y @ w.T, twice=w.T @ x.T, biased=e.maximum(x @ w + 1.0, 0.0))
    rng = np.random.default_rng(6)
    inputs = {"x": rng.normal(size=(m, k)), "w": rng.normal(size=(k, n)), "y": rng.normal(size=(m, n))}
    inputs = {name: array.astype(dtype) for name, array in inputs.items()}
    ours, wanted = both(graph, inputs, isa)
    magnitude = formula(forward=x @ w, weights=x.T @ y, back=y @ w.T, twice=w.T @ x.T, biased=x @ w + 1.0)
    bound = REFERENCE.evaluate(magnitude, {name: np.abs(array) for name, array in inputs.items()})
    for name in ours:
        terms = {"weights": m, "back": n}.get(name, k) + 2
        assert np.all(np.abs(ours[name] - wanted[name]) <= terms * np.finfo(dtype).eps * bound[name]), name


def test_products_of_stacks_agree() -> None:
    x, w = e.variable("x", "float32", (3, N, 20)), e.variable("w", "float32", (3, 20, 18))
    rng = np.random.default_rng(7)
    inputs = {"x": rng.normal(size=(3, 5, 20)).astype("f4"), "w": rng.normal(size=(3, 20, 18)).astype("f4")}
    ours, wanted = both(formula(y=x @ w, g=x.T @ (x @ w)), inputs)
    for name in ours:
        assert np.allclose(ours[name], wanted[name], rtol=1e-5, atol=1e-4)


# ---- what moves ----


def test_structure_agrees_across_panels() -> None:
    x, v = e.variable("x", "float32", (N, 37)), e.variable("v", "float32", (37,))
    cube = e.reshape(x, (N, 37, 1))
    graph = formula(
        slice=e.slice_axis(x, 1, 3, 35), panel=e.slice_axis(x, 1, 16, 32), pad=e.pad(x, 1, 5, 3),
        wide=e.pad(x, 1, 16, 0), join=e.concatenate([x, e.slice_axis(x, 1, 0, 2), x], 1), turn=e.transpose(x, (1, 0)),
        flat=e.reshape(x, (37, N)), rows=e.broadcast(v, (N, 37), (0,)), deep=e.broadcast(x, (N, 3, 37), (1,)),
        last=e.broadcast(x, (N, 37, 4), (2,)),
        three=e.transpose(e.broadcast(x, (2, N, 37), (0,)), (2, 0, 1)), kept=e.transpose(cube, (2, 1, 0)),
        line=e.iota((N, 37), 1), stack=e.iota((N, 37), 0), count=e.size("n"), nothing=e.sum(e.slice_axis(x, 1, 4, 4)),
    )  # fmt: skip
    rng = np.random.default_rng(8)
    ours, wanted = both(graph, {"x": rng.normal(size=(21, 37)).astype("f4"), "v": rng.normal(size=37).astype("f4")})
    for name in ours:
        assert np.array_equal(ours[name], wanted[name]), name


def test_draws_are_those_of_the_reference() -> None:
    seed, step = e.variable("seed", "uint32", (2,)), e.variable("step", "uint32")
    graph = formula(b=e.random_bits(seed, step, 5, (3, N, 21)), s=e.random_bits(seed, step, 9, ()))
    ours = native().evaluate(
        formula(b=Expr(graph["b"]), s=Expr(graph["s"]), n=e.variable("x", "float32", (N,))),
        {"seed": np.array([7, 9], np.uint32), "step": np.uint32(11), "x": np.zeros(4, np.float32)},
    )
    assert np.array_equal(ours["b"], random_bits(7 + 9 * 2**32, 5, 11, (3, 4, 21)))
    assert ours["s"] == random_bits(7 + 9 * 2**32, 9, 11, ())


def test_what_is_absent_is_refused_with_the_reason() -> None:
    x = e.variable("x", "float32", (4, 3))
    row = e.variable("row", "float32", (3,))
    body = formula(y=row * 2.0)
    node = apply("item", apply("scan", x.node, body=body, carries=0, xs=1), index=0)
    with pytest.raises(BackendError, match="native backend cannot run scan: loops are reserved"):
        native().evaluate(formula(y=Expr(node)), {"x": np.zeros((4, 3), np.float32)})


def test_constants_keep_every_digit() -> None:
    kind = TensorType("float32", (N, 3))
    x = e.variable("x", "float32", (N, 3))
    ours, wanted = both(formula(y=x * 0 + e.constant(0.1, kind)), {"x": np.ones((2, 3), np.float32)})
    assert np.array_equal(ours["y"], wanted["y"])
