"""Every float32 there is: our functions in float32 against those in float64, which are held to NumPy elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chainrule.backends.native import machine
from chainrule.backends.native.ir import F32, F64, I32, Builder, Value
from chainrule.backends.native.vector_math import FUNCTIONS, ULPS
from tests.absent import require
from tests.backends.native.lanes import worst_of_every_float32

require("llvmlite", "pip install llvmlite")

BEST = machine.runnable()[0]


def bits(number: float) -> int:
    return int(np.float32(number).view(np.uint32))


# ---- all of them ----

INFINITE, END = 0x7F800000, 2**31
Exact = Callable[[Builder, Value], Value]


def always(number: float) -> Exact:
    return lambda b, x: b.constant(x.type, number)


def itself(_: Builder, x: Value) -> Value:
    return x


def one_of_its_sign(b: Builder, x: Value) -> Value:
    return b.intrinsic("llvm.copysign", b.constant(x.type, 1.0), x)


# For positive and for negative numbers, by size: up to which bits, and what is right there. Where a function has
# settled (tanh x is x below 2^-13, and 1 beyond 9.5, to a small part of a unit) that is said; else our float64 serves.
RIGHT: dict[str, tuple[list[tuple[int, Exact]], list[tuple[int, Exact]]]] = {
    "exp": (
        [(bits(2.0**-26), always(1.0)), (bits(105.0), FUNCTIONS["exp"]), (INFINITE, always(float("inf")))],
        [(bits(2.0**-26), always(1.0)), (bits(105.0), FUNCTIONS["exp"]), (INFINITE, always(0.0))],
    ),
    "log": (
        [(INFINITE, FUNCTIONS["log"])],
        [(0, always(-float("inf"))), (INFINITE, always(float("nan")))],
    ),
    "tanh": (
        [(bits(2.0**-13), itself), (bits(9.5), FUNCTIONS["tanh"]), (INFINITE, one_of_its_sign)],
        [(bits(2.0**-13), itself), (bits(9.5), FUNCTIONS["tanh"]), (INFINITE, one_of_its_sign)],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_every_float32_is_within_the_stated_bound(name: str) -> None:
    seen = 0
    for sign, pieces in enumerate(RIGHT[name]):
        first = 0
        for last, right in [*pieces, (END - 1, itself)]:  # NaN is NaN
            count = last + 1 - first
            worst, strange = worst_of_every_float32(FUNCTIONS[name], BEST, sign * END + first, count, right)
            assert strange == 0
            assert worst <= ULPS[name]["float32"]
            first, seen = last + 1, seen + count
    assert seen == 2**32


# ---- those where a function bends ----

# The bits of a positive float32 are in the order of their values.
BENDS = {
    "erf": [(0.5, 4.5)],
    "expm1": [(2.0**-6, 20.0), (-20.0, -(2.0**-6))],
    "log1p": [(2.0**-6, 8.0), (-1.0, -(2.0**-6))],
    "sigmoid": [(2.0**-6, 20.0), (-110.0, -(2.0**-6))],
    "softplus": [(2.0**-6, 20.0), (-110.0, -(2.0**-6))],
    "sqrt": [(1.0, 4.0)],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BENDS)
def test_every_float32_where_a_function_bends(name: str) -> None:
    for low, high in BENDS[name]:
        first, last = sorted((bits(low), bits(high)))
        worst, strange = worst_of_every_float32(FUNCTIONS[name], BEST, first, last - first + 1)
        assert strange == 0
        assert worst <= ULPS[name]["float32"]


def test_the_measure_sees_an_error_of_one_unit_and_a_wrong_sign() -> None:
    def moved(b: Builder, x: Value) -> Value:
        y = b.sqrt(x)
        return y if x.type.scalar == F64 else b.bits_as(b.add(b.bits_as(y, I32), 1), F32)

    worst, strange = worst_of_every_float32(moved, BEST, bits(1.0), 2**16)
    assert 1.0 <= worst <= 1.5
    assert strange == 0

    def turned(b: Builder, x: Value) -> Value:
        return b.sqrt(x) if x.type.scalar == F64 else b.negate(b.sqrt(x))

    assert worst_of_every_float32(turned, BEST, bits(1.0), 2**16)[1] == 2**16
