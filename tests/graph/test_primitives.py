"""What each primitive takes and gives, and the sentence for what it does not take."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule.errors import ChainruleError, DTypeError, GraphError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.graph.node import Graph, Node, make_graph
from chainrule.graph.primitives import COMMUTATIVE, COMPARISONS, PRIMITIVES, apply
from chainrule.graph.tensor_type import TensorType, TupleType, named, product

N, T = named("n"), named("t")


def value(dtype: str, *shape: Any) -> Node:
    return apply("input", name="x", type=TensorType(dtype, shape))  # type: ignore[arg-type]


F = value("float32", N, 3)
F64 = value("float64", N, 3)
ROW = value("float32", 3)
I32 = value("int32", N, 3)
B = value("bool", N, 3)
U8 = value("uint8", N, 3)
SEED, STEP = value("uint32", 2), value("uint32")


def body() -> Graph:
    h, x = apply("input", name="h", type=ROW.tensor), apply("input", name="x", type=ROW.tensor)
    return make_graph({"h": apply("add", h, x), "y": apply("exp", h)}, [h, x])


XS = value("float32", T, 3)
SCAN = apply("scan", ROW, XS, body=body(), carries=1, xs=1)

TYPES: list[tuple[str, tuple[Node, ...], dict[str, Any], str]] = [
    ("constant", (), {"value": 1.0, "type": TensorType("float32", (N,))}, "float32[n]"),
    ("size", (), {"of": N}, "int32[]"),
    ("iota", (), {"shape": (N, 3), "axis": 1}, "int32[n, 3]"),
    ("random_bits", (SEED, STEP), {"purpose": 4, "shape": (N, 3)}, "uint32[n, 3]"),
    ("add", (F, F), {}, "float32[n, 3]"),
    ("negate", (I32,), {}, "int32[n, 3]"),
    ("divide", (F64, F64), {}, "float64[n, 3]"),
    ("power", (F,), {"exponent": 2.0}, "float32[n, 3]"),
    ("exp", (F,), {}, "float32[n, 3]"),
    ("greater", (I32, I32), {}, "bool[n, 3]"),
    ("equal", (B, B), {}, "bool[n, 3]"),
    ("logical_and", (B, B), {}, "bool[n, 3]"),
    ("select", (B, F, F), {}, "float32[n, 3]"),
    ("cast", (U8,), {"dtype": "float32"}, "float32[n, 3]"),
    ("stop_gradient", (F,), {}, "float32[n, 3]"),
    ("reshape", (F,), {"shape": (3, N)}, "float32[3, n]"),
    ("reshape", (F,), {"shape": (product((3, N)),)}, "float32[3*n]"),
    ("reshape", (U8,), {"shape": (3, N)}, "uint8[3, n]"),
    ("transpose", (F,), {"permutation": (1, 0)}, "float32[3, n]"),
    ("broadcast", (ROW,), {"shape": (N, 3), "axes": (0,)}, "float32[n, 3]"),
    ("concatenate", (F, F), {"axis": 1}, "float32[n, 6]"),
    ("slice", (F,), {"axis": 1, "start": 1, "stop": 3}, "float32[n, 2]"),
    ("slice", (F,), {"axis": 1, "start": 2, "stop": 2}, "float32[n, 0]"),
    ("pad", (F,), {"axis": 1, "before": 1, "after": 2}, "float32[n, 6]"),
    ("sum", (F,), {"axes": (0, 1)}, "float32[]"),
    ("sum", (value("float32", 0, 3),), {"axes": (0,)}, "float32[3]"),
    ("max", (F,), {"axes": (1,)}, "float32[n]"),
    ("argmax", (F,), {"axis": 1}, "int32[n]"),
    ("matmul", (F, value("float32", 3, 4)), {}, "float32[n, 4]"),
    ("matmul", (value("float32", T, N, 3), value("float32", T, 3, 4)), {}, "float32[t, n, 4]"),
    ("item", (SCAN,), {"index": 1}, "float32[t, 3]"),
]


@pytest.mark.parametrize(("primitive", "inputs", "attributes", "expected"), TYPES)
def test_types(primitive: str, inputs: tuple[Node, ...], attributes: dict[str, Any], expected: str) -> None:
    assert str(apply(primitive, *inputs, **attributes).type) == expected


REFUSED: list[tuple[type[ChainruleError], str, tuple[Node, ...], dict[str, Any], str]] = [
    (UnknownNameError, "sine", (F,), {}, "did you mean"),
    (GraphError, "add", (F,), {}, "takes 2 inputs, and got 1"),
    (GraphError, "exp", (F,), {"base": 2.0}, "has the attributes none, and got base"),
    (GraphError, "sum", (F,), {}, "has the attributes axes, and got none"),
    (DTypeError, "add", (F, F64), {}, "float32 and float64"),
    (ShapeError, "add", (F, ROW), {}, r"\(n, 3\) and \(3,\); broadcast"),
    (DTypeError, "add", (B, B), {}, "needs numbers, and got bool"),
    (DTypeError, "add", (U8, U8), {}, "does not compute in uint8"),
    (DTypeError, "divide", (I32, I32), {}, "needs float32 or float64"),
    (DTypeError, "exp", (I32,), {}, "needs float32 or float64"),
    (GraphError, "exp", (SCAN,), {}, "read one of its items with item"),
    (GraphError, "power", (F,), {"exponent": 2}, "Python float as exponent"),
    (DTypeError, "logical_not", (F,), {}, "needs bool"),
    (DTypeError, "select", (F, F, F), {}, "chooses by a bool"),
    (DTypeError, "select", (B, F, F64), {}, "one dtype"),
    (UnknownNameError, "cast", (F,), {"dtype": "float"}, "unknown dtype 'float'"),
    (DTypeError, "constant", (), {"value": 1, "type": TensorType("float32")}, "holds a Python float"),
    (DTypeError, "constant", (), {"value": True, "type": TensorType("int32")}, "holds a Python int"),
    (DTypeError, "constant", (), {"value": 1.0, "type": TensorType("float16")}, "float16, which is for storage"),
    (ValueRangeError, "constant", (), {"value": 2**31, "type": TensorType("int32")}, "from -2147483648 to 2147483647"),
    (ValueRangeError, "constant", (), {"value": -1, "type": TensorType("uint32")}, "from 0 to 4294967295"),
    (GraphError, "size", (), {"of": 3}, "a number is a constant"),
    (ShapeError, "iota", (), {"shape": (3,), "axis": 1}, "axis 1 of a value of 1 axes"),
    (GraphError, "iota", (), {"shape": (True,), "axis": 0}, "needs dimensions as shape"),
    (DTypeError, "random_bits", (STEP, STEP), {"purpose": 1, "shape": (3,)}, r"seed uint32\[2\]"),
    (ShapeError, "reshape", (F,), {"shape": (N, 4)}, r"has 3\*n, \(n, 4\) has 4\*n"),
    (ShapeError, "transpose", (F,), {"permutation": (0, 0)}, "each of 0 to 1 once"),
    (ShapeError, "broadcast", (ROW,), {"shape": (N, 4), "axes": (0,)}, "along new axes"),
    (ShapeError, "broadcast", (ROW,), {"shape": (3, N), "axes": (-1,)}, "counted from 0"),
    (GraphError, "concatenate", (), {"axis": 0}, "at least one input"),
    (ShapeError, "concatenate", (F, F), {"axis": 0}, "have a number there"),
    (ShapeError, "concatenate", (F, ROW), {"axis": 1}, "agree elsewhere"),
    (ShapeError, "slice", (F,), {"axis": 1, "start": 2, "stop": 4}, "lies outside"),
    (ShapeError, "slice", (F,), {"axis": 0, "start": 0, "stop": 1}, "lies outside"),
    (GraphError, "slice", (F,), {"axis": 1, "start": 0.0, "stop": 1}, "whole number as start"),
    (ShapeError, "pad", (F,), {"axis": 1, "before": -1, "after": 0}, "use 0 or more"),
    (DTypeError, "sum", (B,), {"axes": (0,)}, "needs numbers, and got bool"),
    (ShapeError, "sum", (F,), {"axes": (1, 0)}, "in rising order"),
    (GraphError, "sum", (F,), {"axes": [0]}, "whole numbers as axes"),
    (ShapeError, "max", (value("float32", 0, 3),), {"axes": (0,)}, "of no elements is undefined"),
    (ShapeError, "argmax", (value("float32", 0, 3),), {"axis": 0}, "of no elements is undefined"),
    (ShapeError, "argmax", (F,), {"axis": 2}, "use 0 to 1"),
    (ShapeError, "matmul", (F, F), {}, "must equal"),
    (ShapeError, "matmul", (ROW, ROW), {}, "must equal"),
    (GraphError, "item", (F,), {"index": 0}, "one item of a tuple"),
    (GraphError, "item", (SCAN,), {"index": 2}, "one item of a tuple"),
    (GraphError, "scan", (ROW, XS), {"body": 1, "carries": 1, "xs": 1}, "needs a graph as body"),
    (GraphError, "scan", (ROW, XS), {"body": body(), "carries": 1, "xs": 2}, "cannot carry 1 and run over 2"),
    (GraphError, "scan", (ROW, XS), {"body": body(), "carries": -1, "xs": 1}, "cannot carry -1"),
    (GraphError, "scan", (ROW, XS, ROW), {"body": body(), "carries": 1, "xs": 1}, "the body takes"),
]


@pytest.mark.parametrize(("error", "primitive", "inputs", "attributes", "sentence"), REFUSED)
def test_refused(
    error: type[ChainruleError], primitive: str, inputs: tuple[Node, ...], attributes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        apply(primitive, *inputs, **attributes)


def test_a_loop_must_hand_on_what_it_carries() -> None:
    h, x = apply("input", name="h", type=ROW.tensor), apply("input", name="x", type=ROW.tensor)
    wrong = make_graph({"h": apply("sum", h, axes=(0,))}, [h, x])
    with pytest.raises(GraphError, match="return its 1 carried values first"):
        apply("scan", ROW, XS, body=wrong, carries=1, xs=1)


def test_a_loop_has_several_outputs() -> None:
    assert SCAN.type == TupleType((ROW.tensor, XS.tensor))
    with pytest.raises(GraphError, match="several outputs"):
        _ = SCAN.tensor


def test_every_primitive_says_why_it_exists() -> None:
    for name, row in PRIMITIVES.items():
        assert row.name == name
        assert row.reason
    assert set(PRIMITIVES) >= COMMUTATIVE | COMPARISONS


def test_every_primitive_is_typed_above() -> None:
    assert {row[0] for row in TYPES} | {row[1] for row in REFUSED} >= {
        name for name, row in PRIMITIVES.items() if row.kind != "elementwise"
    } - {"input"}
