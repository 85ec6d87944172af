"""Every float32 there is: the functions in float32 against ours in float64, which are held to NumPy elsewhere."""

from __future__ import annotations

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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
def test_every_float32_is_within_the_stated_bound(name: str) -> None:
    worst, strange = worst_of_every_float32(FUNCTIONS[name], BEST, 0, 2**32)
    assert strange == 0
    assert worst <= ULPS[name]["float32"]


# Where the others bend; the bits of a positive float32 are in the order of their values.
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
