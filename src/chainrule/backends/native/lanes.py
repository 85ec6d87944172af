"""THE TABLE in native code: what each elementwise primitive does to the lanes of its operands.

A row takes the builder, the node and the operands, each a scalar or a vector, and gives the result. Products and sums
are never joined into one rounding, so that elementwise code gives the bits of the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from chainrule.backends.native import vector_math
from chainrule.backends.native.ir import F16, F32, F64, HELD, Builder, Type, Value
from chainrule.graph.node import Node

Row: TypeAlias = Callable[..., Value]  # builder, node, one value for each operand


def _unsigned(node: Node) -> bool:
    return node.tensor.dtype in ("uint32", "uint8", "bool")


# ---- arithmetic ----


def larger(b: Builder, x: Value, y: Value, *, unsigned: bool = False) -> Value:
    """The larger one, y at a tie; NaN if one of them is."""
    if not x.type.is_float:
        return b.select(b.compare("ugt" if unsigned else "sgt", x, y), x, y)
    return _ordered(b, "ogt", x, y)


def smaller(b: Builder, x: Value, y: Value, *, unsigned: bool = False) -> Value:
    """The smaller one, y at a tie; NaN if one of them is."""
    if not x.type.is_float:
        return b.select(b.compare("ult" if unsigned else "slt", x, y), x, y)
    return _ordered(b, "olt", x, y)


def _ordered(b: Builder, predicate: str, x: Value, y: Value) -> Value:
    """x where the predicate holds, else y; comparison with NaN fails, so only a NaN x needs a second look."""
    if y.number is not None and x.number is None:
        x, y = y, x  # the instruction gives its second operand when one is NaN, and a number is none
        return b.select(b.compare(predicate, x, y), x, y)
    chosen = b.select(b.compare(predicate, x, y), x, y)
    return chosen if x.number is not None else b.select(b.compare("uno", x, x), x, chosen)


_PRODUCTS: Final[dict[float, Callable[[Builder, Value], Value]]] = {
    0.0: lambda b, x: b.constant(x.type, 1.0),
    1.0: lambda _, x: x,
    2.0: lambda b, x: b.multiply(x, x),
    3.0: lambda b, x: b.multiply(b.multiply(x, x), x),
    4.0: lambda b, x: _squared(b, b.multiply(x, x)),
    0.5: lambda b, x: b.sqrt(x),
    -1.0: lambda b, x: b.divide(1.0, x),
    -2.0: lambda b, x: b.divide(1.0, b.multiply(x, x)),
    -0.5: lambda b, x: b.divide(1.0, b.sqrt(x)),
}


def _squared(b: Builder, x: Value) -> Value:
    return b.multiply(x, x)


def _power(b: Builder, node: Node, x: Value) -> Value:
    """By multiplication, root and quotient where the reference does so."""
    exponent = node["exponent"]
    assert isinstance(exponent, float)
    return _PRODUCTS[exponent](b, x) if exponent in _PRODUCTS else vector_math.power(b, x, exponent)


def _absolute(b: Builder, node: Node, x: Value) -> Value:
    return x if _unsigned(node) else b.absolute(x)


def _sign(b: Builder, node: Node, x: Value) -> Value:
    if not x.type.is_float:
        positive = b.convert("zext", b.compare("ugt" if _unsigned(node) else "sgt", x, 0), x.type.scalar)
        if _unsigned(node):
            return positive
        return b.add(positive, b.convert("sext", b.compare("slt", x, 0), x.type.scalar))
    signed = b.select(b.compare("ogt", x, 0.0), b.constant(x.type, 1.0), b.constant(x.type, 0.0))
    signed = b.select(b.compare("olt", x, 0.0), b.constant(x.type, -1.0), signed)
    return b.select(b.compare("uno", x, x), x, signed)


def _compared(of_floats: str, signed: str, unsigned: str) -> Callable[[Builder, Node, Value, Value], Value]:
    def row(b: Builder, node: Node, x: Value, y: Value) -> Value:
        if x.type.is_float:
            return b.compare(of_floats, x, y)
        return b.compare(unsigned if _unsigned(node.inputs[0]) else signed, x, y)

    return row


def _function(name: str) -> Callable[[Builder, Node, Value], Value]:
    def row(b: Builder, _: Node, x: Value) -> Value:
        return vector_math.inline(b, name, "float32" if x.type.scalar == F32 else "float64", x.type.lanes, x)

    return row


# ---- from one dtype to another ----


def _cast(b: Builder, node: Node, x: Value) -> Value:
    source, wanted = node.inputs[0].tensor.dtype, node.tensor.dtype
    held = HELD[wanted]
    if source == wanted:
        return x
    if source == "float16":
        x = vector_math.from_half(b, x)
    if wanted == "bool":
        return b.compare("une" if x.type.is_float else "ne", x, 0)
    if x.type.is_float:
        return _from_float(b, x, held, is_unsigned=wanted.startswith("u"))
    is_unsigned = source in ("bool", "uint8", "uint32")
    if held == F16:
        return vector_math.to_half(b, b.convert("uitofp" if is_unsigned else "sitofp", x, F64))
    if held.is_float:
        return b.convert("uitofp" if is_unsigned else "sitofp", x, held)
    if held.bits < x.type.bits:
        return b.convert("trunc", x, held)
    return x if held.bits == x.type.bits else b.convert("zext" if is_unsigned else "sext", x, held)


def _from_float(b: Builder, x: Value, held: Type, *, is_unsigned: bool) -> Value:
    """A float32 or float64 in another dtype; whole numbers toward zero, kept inside the range, NaN as 0."""
    if held == F16:
        return vector_math.to_half(b, x)
    if held.is_float:
        return b.convert("fpext" if held.bits > x.type.bits else "fptrunc", x, held)
    result = x.type.holding(held)
    full = f"llvm.fpto{'u' if is_unsigned else 's'}i.sat.{result.mangled}.{x.type.mangled}"
    b.module.declare(full, result, x.type)
    given = b.call(full, result, x)
    assert given is not None
    return given


_UNARY: Final[dict[str, Callable[[Builder, Node, Value], Value]]] = {
    "negate": lambda b, _, x: b.negate(x),
    "power": _power,
    "exp": _function("exp"),
    "log": _function("log"),
    "expm1": _function("expm1"),
    "log1p": _function("log1p"),
    "sqrt": lambda b, _, x: b.sqrt(x),
    "tanh": _function("tanh"),
    "sigmoid": _function("sigmoid"),
    "softplus": _function("softplus"),
    "erf": _function("erf"),
    "abs": _absolute,
    "sign": _sign,
    "logical_not": lambda b, _, x: b.bit_xor(x, b.constant(x.type, 1)),
    "cast": _cast,
    "stop_gradient": lambda _, __, x: x,
}

_BINARY: Final[dict[str, Callable[[Builder, Node, Value, Value], Value]]] = {
    "add": lambda b, _, x, y: b.add(x, y),
    "subtract": lambda b, _, x, y: b.subtract(x, y),
    "multiply": lambda b, _, x, y: b.multiply(x, y),
    "divide": lambda b, _, x, y: b.divide(x, y),
    "maximum": lambda b, node, x, y: larger(b, x, y, unsigned=_unsigned(node)),
    "minimum": lambda b, node, x, y: smaller(b, x, y, unsigned=_unsigned(node)),
    "greater": _compared("ogt", "sgt", "ugt"),
    "greater_equal": _compared("oge", "sge", "uge"),
    "equal": _compared("oeq", "eq", "eq"),
    "logical_and": lambda b, _, x, y: b.bit_and(x, y),
}


def _select(b: Builder, _: Node, condition: Value, yes: Value, no: Value) -> Value:
    return b.select(condition, yes, no)


ROWS: Final[dict[str, Row]] = {**_UNARY, **_BINARY, "select": _select}
