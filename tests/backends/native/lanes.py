"""Runs a function of lanes over an array, and measures results in units in the last place."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.backends.native import jit
from chainrule.backends.native.ir import F32, F64, I32, I64, POINTER, Builder, Module, Type, Value
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.vector_math.steps import any_lane

Array = npt.NDArray[Any]
Function = Callable[[Builder, Value], Value]

TYPES = {"float32": F32, "float64": F64, "int32": I32, "uint32": I32}


def module_of(function: Function, source: Type, result: Type, isa: Isa, lanes: int) -> Module:
    """y[i] = function(x[i]) for i below n, a multiple of the lanes."""
    module = Module(isa)
    b = module.function("apply", None, [("x", POINTER), ("y", POINTER), ("n", I64)])
    x, y, n = b.arguments

    def body(i: Value, _: tuple[Value, ...]) -> list[Value]:
        b.store(function(b, b.load(source.of(lanes), b.at(x, i, source))), b.at(y, i, result))
        return []

    b.loop(0, n, lanes, [], body)
    b.give()
    return module


def apply(
    function: Function, x: Array, isa: Isa, lanes: int = 16, source: Type | None = None, result: Type | None = None
) -> Array:
    """function(x), element by element; x is filled up with its last element."""
    source = source or TYPES[x.dtype.name]
    result = result or source
    made = {"half": np.float16, "float": np.float32, "double": np.float64, "i32": np.uint32}[result.element]
    count = -(-x.size // lanes) * lanes
    padded = np.concatenate([x.ravel(), np.repeat(x.ravel()[-1:], count - x.size)])
    out = np.empty(count, made)
    text = module_of(function, source, result, isa, lanes).text()
    _loaded(text, isa)(padded.ctypes.data, out.ctypes.data, count)
    return out[: x.size].reshape(x.shape)


@cache
def _loaded(text: str, isa: Isa) -> Any:
    library = jit.load([jit.compile_object(text, isa)], ["apply"])
    return library.function("apply", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)


def ulps(got: Array, exact: Array) -> npt.NDArray[np.float64]:
    """|got - exact| in units of the last place of the exact value, in the format of `got`; infinite where NaN differs.

    Args:
        got: float32 or float64.
        exact: of more precision, unrounded.
    """
    format_ = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        size = np.abs(exact)
        exponent = np.clip(np.frexp(np.where(np.isfinite(size), size, 1))[1] - 1, format_.minexp, format_.maxexp - 1)
        unit = np.ldexp(np.ones_like(exact), exponent - format_.nmant)
        top = np.ldexp(np.ones_like(exact), np.full(exact.shape, format_.maxexp))
        finite = np.where(np.isinf(got), np.copysign(top, got), got.astype(exact.dtype))
        wanted = np.where(size > top, np.copysign(top, exact), exact)
        error = np.abs(finite - wanted) / unit
    error = np.where(np.isnan(got) & np.isnan(exact), 0.0, error)
    error = np.where(np.isnan(got) != np.isnan(exact), np.inf, error)
    return error.astype(np.float64)


def worst_of_every_float32(
    function: Function, isa: Isa, first: int, count: int, right: Function | None = None, lanes: int = 16
) -> tuple[float, int]:
    """The largest error in ulps over the float32 with bits first, first + 1, …, held against what is right in float64.

    Args:
        function: what is measured.
        isa: what it is compiled for.
        first: bits of the first number.
        count: how many; up to a multiple of the lanes, numbers that follow are the last one again.
        right: a function of float64; the same function unless given.
        lanes: how many numbers at once.

    Returns: the error, and how many values have another sign, or are NaN on one side only. Lanes that are all what is
        right, rounded, count as no error, although rounding is one of at most half a unit.
    """
    run = _against_wide(function, right or function, isa, lanes)
    worst, strange = np.zeros(lanes, np.float64), np.zeros(lanes, np.int64)
    run(first, count, worst.ctypes.data, strange.ctypes.data)
    return float(worst.max()), int(strange.sum())


@cache
def _against_wide(function: Function, right: Function, isa: Isa, lanes: int) -> Any:
    module = Module(isa)
    b = module.function("compare", None, [("first", I64), ("count", I64), ("worst", POINTER), ("strange", POINTER)])
    first, count, worst, strange = b.arguments

    def body(i: Value, carried: tuple[Value, ...]) -> list[Value]:
        places = b.add(b.splat(i, lanes), b.constants(I64.of(lanes), range(lanes)))
        within = b.intrinsic("llvm.smin", places, b.splat(b.subtract(count, 1), lanes))
        x = b.bits_as(b.convert("trunc", b.add(within, b.splat(first, lanes)), I32), F32)
        narrow, wide = function(b, x), right(b, b.convert("fpext", x, F64))

        def counted() -> list[Value]:
            error, is_strange = _error(b, narrow, wide)
            return [
                b.select(b.compare("ogt", error, carried[0]), error, carried[0]),
                b.add(carried[1], b.convert("zext", is_strange, I64)),
            ]

        rounded = b.convert("fptrunc", wide, F32)
        differ = any_lane(b, b.compare("ne", b.bits_as(narrow, I32), b.bits_as(rounded, I32)))
        return list(b.choose(differ, counted, lambda: carried))

    start = [b.constant(F64.of(lanes), 0.0), b.constant(I64.of(lanes), 0)]
    most, odd = b.loop(0, count, lanes, start, body)
    b.store(most, worst)
    b.store(odd, strange)
    b.give()
    library = jit.load([jit.compile_object(module.text(), isa)], ["compare"])
    return library.function("compare", ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)


def _error(b: Builder, narrow: Value, wide: Value) -> tuple[Value, Value]:
    """The error in ulps of a float32 against a float64, and whether sign or being NaN differ."""
    got = b.convert("fpext", narrow, F64)
    top = b.constant(got.type, 2.0**128)
    got = b.select(b.compare("oeq", b.absolute(got), float("inf")), b.intrinsic("llvm.copysign", top, got), got)
    beyond = b.compare("ogt", b.absolute(wide), 2.0**128)
    wanted = b.select(beyond, b.intrinsic("llvm.copysign", top, wide), wide)
    power = b.bits_as(b.bit_and(b.bits_as(wanted, I64), 0x7FF << 52), F64)
    power = b.select(b.compare("olt", power, 2.0**-126), b.constant(power.type, 2.0**-126), power)
    power = b.select(b.compare("ogt", power, 2.0**127), b.constant(power.type, 2.0**127), power)
    one_over = b.bits_as(b.subtract(0x7FE << 52, b.bits_as(power, I64)), F64)  # exact, as division takes much longer
    error = b.multiply(b.absolute(b.subtract(got, wanted)), b.multiply(one_over, 2.0**23))
    nans = b.compare("uno", narrow, narrow), b.compare("uno", wide, wide)
    signs = b.compare("slt", b.bits_as(narrow, I32), 0), b.compare("slt", b.bits_as(wide, I64), 0)
    other_sign = b.bit_and(b.bit_xor(*signs), b.bit_xor(nans[1], True))
    return error, b.bit_or(b.bit_xor(*nans), other_sign)
