"""Random words in native code are those of `draws`: any element, any number of lanes, any instruction set."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import I32, I64, POINTER, Builder, Module, Value
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.backends.native.vector_math import random_stretch, random_words
from chainrule.draws import Purpose, philox4x32, random_bits
from tests.absent import require

require("llvmlite", "pip install llvmlite")

HERE = machine.runnable()
SEED, STEP = 0x0123456789ABCDEF, 3_000_000_019
ARGUMENTS = [("out", POINTER), ("low", I32), ("high", I32), ("step", I32), ("first", I64), ("stride", I64)]


def module_of(isa: Isa, lanes: int, how: str) -> Module:
    module = Module(isa)
    b = module.function("draw", None, ARGUMENTS)
    out, low, high, step, first, stride = b.arguments
    if how == "words":
        words = random_words(b, low, high, step, Purpose.DROPOUT, elements(b, first, stride, lanes))
    else:
        aligned = how == "aligned"
        words = random_stretch(b, low, high, step, Purpose.DROPOUT, first, lanes, aligned=aligned)
    b.store(words, out)
    b.give()
    return module


def elements(b: Builder, first: Value, stride: Value, lanes: int) -> Value:
    if lanes == 1:
        return first
    return b.add(b.splat(first, lanes), b.multiply(b.splat(stride, lanes), b.constants(I64.of(lanes), range(lanes))))


def drawing(isa: Isa, lanes: int, how: str) -> Any:
    library = jit.load([jit.compile_object(module_of(isa, lanes, how).text(), isa)], ["draw"])
    function = library.function("draw", ctypes.c_void_p, *[ctypes.c_uint32] * 3, *[ctypes.c_int64] * 2)

    def draw(first: int, stride: int = 1, seed: int = SEED, step: int = STEP) -> npt.NDArray[np.uint32]:
        out = np.zeros(lanes, np.uint32)
        function(out.ctypes.data, seed % 2**32, seed >> 32, step, first, stride)
        return out

    return draw


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("lanes", [1, 4, 8, 16])
def test_words_of_any_elements_are_those_of_draws(isa: Isa, lanes: int) -> None:
    wanted = random_bits(SEED, Purpose.DROPOUT, STEP, (4096,))
    draw = drawing(isa, lanes, "words")
    for first, stride in ((0, 1), (1, 1), (7, 3), (100, 5), (4095, 0), (511, -2)):
        assert np.array_equal(draw(first, stride), wanted[first + stride * np.arange(lanes)]), (first, stride)


@pytest.mark.parametrize("isa", HERE, ids=lambda isa: isa.name)
@pytest.mark.parametrize("lanes", [4, 8, 16, 32])
def test_a_stretch_is_that_of_draws_wherever_it_begins(isa: Isa, lanes: int) -> None:
    wanted = random_bits(SEED, Purpose.DROPOUT, STEP, (256,))
    anywhere, aligned = drawing(isa, lanes, "stretch"), drawing(isa, lanes, "aligned")
    for first in range(21):
        assert np.array_equal(anywhere(first), wanted[first : first + lanes])
        if first % 4 == 0:
            assert np.array_equal(aligned(first), wanted[first : first + lanes])


@pytest.mark.parametrize("how", ["words", "stretch", "aligned"])
def test_far_elements_and_odd_keys(how: str) -> None:
    draw = drawing(HERE[0], 8, how)
    for seed, step, first in ((0, 0, 0), (2**64 - 1, 2**32 - 1, 2**34 - 8), (2**63, 1, 2**33 + 4)):
        blocks = philox4x32(
            (np.arange(first // 4, first // 4 + 2, dtype=np.uint64), step, int(Purpose.DROPOUT), 0),
            (seed % 2**32, seed >> 32),
        )
        assert np.array_equal(draw(first, 1, seed, step), np.stack(blocks, axis=-1).reshape(-1))


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("how", ["words", "stretch"])
def test_every_set_gets_code_that_calls_nothing(isa: Isa, how: str) -> None:
    code = jit.assembly(module_of(isa, 16, how).text(), isa)
    assert not [line for line in code.splitlines() if line.split()[:1] in (["callq"], ["bl"], ["call"])]
