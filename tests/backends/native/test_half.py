"""Float16 to wider floats and back: every float16, and every midpoint between two of them, as NumPy has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import F16, F32, F64
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.backends.native.vector_math import from_half, to_half
from tests.absent import require
from tests.backends.native.lanes import apply, module_of

require("llvmlite", "pip install llvmlite")

HERE = machine.runnable()
EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)


def numbers(dtype: str) -> npt.NDArray[Any]:
    """The midpoints, their neighbors, and what rounds to infinity, zero and denormals."""
    finite = np.sort(EVERY[np.isfinite(EVERY)].astype(dtype))
    middle = (finite[1:] + finite[:-1]) / 2
    rng = np.random.default_rng(5)
    edges = [65519.99, 65520.0, 1e30, np.inf, -np.inf, np.nan, 0.0, -0.0, 2.0**-25, 2.0**-26, 1e-45]
    parts = [
        middle,
        np.nextafter(middle, middle.dtype.type(np.inf)),
        np.nextafter(middle, middle.dtype.type(-np.inf)),
        rng.standard_normal(20_000) * 10.0 ** rng.uniform(-9, 6, 20_000),
        np.array(edges),
    ]
    return np.concatenate([part.astype(dtype) for part in parts])


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("lanes", [1, 16])
def test_every_float16_is_widened_exactly(isa: Isa, lanes: int) -> None:
    got = apply(from_half, EVERY, isa, lanes, F16, F32)
    with np.errstate(invalid="ignore"):  # ARM says so of a NaN that signals
        wanted = EVERY.astype(np.float32)
    assert np.array_equal(got, wanted, equal_nan=True)
    assert np.array_equal(np.signbit(got), np.signbit(EVERY))


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lanes", [1, 16])
def test_rounding_is_to_nearest_even_and_done_once(isa: Isa, dtype: str, lanes: int) -> None:
    x = numbers(dtype)
    with np.errstate(all="ignore"):
        wanted = x.astype(np.float16)
    got = apply(to_half, x, isa, lanes, F32 if dtype == "float32" else F64, F16)
    same = (got.view(np.uint16) == wanted.view(np.uint16)) | (np.isnan(got) & np.isnan(wanted))
    assert same.all(), f"{x[~same][0]!r} gave {got[~same][0]!r}, not {wanted[~same][0]!r}"


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_every_set_gets_code_that_calls_nothing(isa: Isa) -> None:
    """A processor without the instructions would be sent to a library that may not be there."""
    for function, source, result in ((from_half, F16, F32), (to_half, F32, F16), (to_half, F64, F16)):
        code = jit.assembly(module_of(function, source, result, isa, 8).text(), isa)
        assert not [line for line in code.splitlines() if line.split()[:1] in (["callq"], ["bl"], ["call"])]
