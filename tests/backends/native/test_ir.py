"""What the builder writes is what runs: loops, arms, lanes, constants and memory, on every instruction set here."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import F16, F32, F64, I1, I8, I16, I32, I64, POINTER, Builder, Module, Type, Value
from chainrule.backends.native.machine import Isa
from tests.absent import require
from tests.backends.native.lanes import apply

require("llvmlite", "pip install llvmlite")

ISAS = machine.runnable()
BEST = ISAS[0]


def integer_function(isa: Isa, arguments: int) -> tuple[Module, Builder]:
    module = Module(isa)
    return module, module.function("f", I64, [(f"a{k}", I64) for k in range(arguments)])


def call(module: Module, *arguments: int) -> int:
    library = jit.load([jit.compile_object(module.text(), module.isa)], ["f"])
    return library.function("f", *(ctypes.c_int64 for _ in arguments), result=ctypes.c_int64)(*arguments)


# ---- control ----


@pytest.mark.parametrize(
    ("start", "stop", "step", "rounds"), [(0, 10, 1, 10), (0, 10, 3, 4), (5, 5, 1, 0), (7, 2, 1, 0), (-3, 4, 2, 4)]
)
def test_a_loop_runs_once_for_each_index_below_the_end(start: int, stop: int, step: int, rounds: int) -> None:
    module, b = integer_function(BEST, 3)
    first, last, by = b.arguments
    zero = b.constant(I64, 0)
    count, total = b.loop(
        first, last, by, [zero, zero], lambda i, carried: [b.add(carried[0], 1), b.add(carried[1], i)]
    )
    b.give(b.add(b.multiply(count, 1000), total))
    assert call(module, start, stop, step) == rounds * 1000 + sum(range(start, stop, step))


def test_a_loop_known_to_run_needs_no_test_before_it() -> None:
    module, b = integer_function(BEST, 1)
    (total,) = b.loop(0, b.arguments[0], 2, [b.constant(I64, 0)], lambda i, c: [b.add(c[0], i)], at_least_once=True)
    b.give(total)
    assert module.text().count("icmp slt") == 1
    assert call(module, 7) == 0 + 2 + 4 + 6


def test_loops_nest_and_hold_arms() -> None:
    module, b = integer_function(BEST, 1)
    (n,) = b.arguments

    def outer(i: Value, carried: tuple[Value, ...]) -> tuple[Value, ...]:
        def inner(j: Value, sums: tuple[Value, ...]) -> tuple[Value, ...]:
            return b.choose(b.compare("eq", i, j), lambda: [b.add(sums[0], 100)], lambda: [b.add(sums[0], 1)])

        return b.loop(0, n, 1, carried, inner)

    (total,) = b.loop(0, n, 1, [b.constant(I64, 0)], outer)
    b.give(total)
    assert call(module, 5) == 5 * 100 + 20


def test_an_arm_may_be_missing_and_may_hold_a_loop() -> None:
    module, b = integer_function(BEST, 1)
    (n,) = b.arguments
    cell = b.local(I64)
    b.store(b.constant(I64, 7), cell)

    def fill() -> list[Value]:
        (total,) = b.loop(0, n, 1, [b.constant(I64, 0)], lambda i, c: [b.add(c[0], i)])
        b.store(total, cell)
        return []

    assert b.choose(b.compare("sgt", n, 3), fill) == ()
    b.give(b.load(I64, cell))
    assert (call(module, 2), call(module, 5)) == (7, 10)


def test_a_rare_arm_is_no_other_arm() -> None:
    module, b = integer_function(BEST, 1)
    (n,) = b.arguments
    (first,) = b.choose(b.compare("sgt", n, 3), lambda: [b.constant(I64, 1)], lambda: [n], rarely=True)
    (second,) = b.choose(b.compare("sgt", n, 4), lambda: [b.constant(I64, 10)], lambda: [first], rarely=True)
    b.give(second)
    assert module.text().count("branch_weights") == 1
    assert [call(module, k) for k in (2, 4, 5)] == [2, 1, 10]


def test_functions_of_a_module_call_each_other() -> None:
    module = Module(BEST)
    twice = module.function("twice", I64, [("x", I64)], internal=True, attributes="noinline")
    twice.give(twice.add(twice.arguments[0], twice.arguments[0]))
    b = module.function("f", I64, [("x", I64)])
    result = b.call("twice", I64, b.arguments[0])
    assert result is not None
    b.give(result)
    assert call(module, 21) == 42


# ---- arithmetic ----


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("lanes", [1, 4, 8, 16])
def test_arithmetic_of_floats(isa: Isa, lanes: int) -> None:
    x = np.array([-2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 7.25, 100.0], np.float32)
    cases = {
        "add": (lambda b, v: b.add(v, 1.5), x + np.float32(1.5)),
        "subtract": (lambda b, v: b.subtract(1.5, v), np.float32(1.5) - x),
        "multiply": (lambda b, v: b.multiply(v, v), x * x),
        "divide": (lambda b, v: b.divide(v, 3.0), x / np.float32(3)),
        "negate": (lambda b, v: b.negate(v), -x),
        "absolute": (lambda b, v: b.absolute(v), np.abs(x)),
        "sqrt": (lambda b, v: b.sqrt(b.absolute(v)), np.sqrt(np.abs(x))),
        "fma": (lambda b, v: b.fma(v, 2.0, 1.0), 2 * x + 1),
        "select": (lambda b, v: b.select(b.compare("olt", v, 0.75), v, -1.0), np.where(x < 0.75, x, -1)),
    }
    for name, (function, wanted) in cases.items():
        assert np.array_equal(apply(function, x, isa, lanes), wanted.astype(np.float32)), name


@pytest.mark.parametrize("lanes", [1, 4, 16])
def test_arithmetic_of_integers_wraps(lanes: int) -> None:
    x = np.array([0, 1, 5, 2**31 - 1, 2**31, 2**32 - 1], np.uint32)
    cases = {
        "add": (lambda b, v: b.add(v, 7), x + np.uint32(7)),
        "multiply": (lambda b, v: b.multiply(v, 12345), x * np.uint32(12345)),
        "divide": (lambda b, v: b.divide(v, 3), x // 3),
        "remainder": (lambda b, v: b.remainder(v, 7), x % 7),
        "negate": (lambda b, v: b.negate(v), np.uint32(0) - x),
        "shifts": (lambda b, v: b.bit_or(b.shift_left(v, 5), b.shift_right(v, 27)), (x << 5) | (x >> 27)),
        "signed shift": (lambda b, v: b.shift_right_signed(v, 4), (x.view(np.int32) >> 4).view(np.uint32)),
        "xor": (lambda b, v: b.bit_xor(v, 0x5A5A), x ^ np.uint32(0x5A5A)),
        "absolute": (lambda b, v: b.absolute(v), np.abs(x.view(np.int32)).view(np.uint32)),
    }
    for name, (function, wanted) in cases.items():
        assert np.array_equal(apply(function, x, BEST, lanes), wanted), name


def test_fma_rounds_once_where_the_set_is_fused() -> None:
    x = np.full(8, 1 + 2.0**-12, np.float32)
    square_less_one = [apply(lambda b, v: b.fma(v, v, -1.0), x, isa)[0] for isa in ISAS]
    once, twice = np.float32(2.0**-11 + 2.0**-24), np.float32(2.0**-11)
    assert square_less_one == [once if isa.fused else twice for isa in ISAS]


# ---- lanes ----


def test_lanes_fold_in_halves() -> None:
    x = np.arange(16, dtype=np.float32) ** 2

    def total(b: Builder, v: Value) -> Value:
        return b.splat(b.add_lanes(v), 16)

    assert np.array_equal(apply(total, x, BEST), np.full(16, x.sum()))

    def order(b: Builder, v: Value) -> Value:
        return b.splat(b.fold_lanes(v, b.subtract), 16)

    y = x.copy()
    while y.size > 1:
        y = y[: y.size // 2] - y[y.size // 2 :]
    assert apply(order, x, BEST)[0] == y[0]


def test_lanes_are_taken_joined_and_put_back() -> None:
    x = np.arange(8, dtype=np.float32)

    def turned(b: Builder, v: Value) -> Value:
        return b.joined(b.part(v, 4, 4), b.part(v, 0, 4))

    assert np.array_equal(apply(turned, x, BEST, 8), np.roll(x, 4))

    def put(b: Builder, v: Value) -> Value:
        return b.insert(v, 3, b.extract(v, 7))

    assert apply(put, x, BEST, 8).tolist() == [0, 1, 2, 7, 4, 5, 6, 7]

    def pair(b: Builder, v: Value) -> Value:
        both = b.joined(b.extract(v, 6), b.extract(v, 5))
        return b.shuffle(both, both, [0, 1] * 4)

    assert apply(pair, x, BEST, 8).tolist() == [6, 5] * 4


@pytest.mark.parametrize(("first", "lanes"), [(0, 4), (3, 4), (6, 2), (5, 1), (0, 8)])
def test_lanes_are_placed_among_others(first: int, lanes: int) -> None:
    x = np.arange(8, dtype=np.float32)

    def placed(b: Builder, v: Value) -> Value:
        return b.placed(b.constant(v.type, -1.0), b.part(v, 0, lanes), first)

    wanted = np.full(8, -1, np.float32)
    wanted[first : first + lanes] = x[:lanes]
    assert np.array_equal(apply(placed, x, BEST, 8), wanted)


def test_tables_are_read_lane_by_lane() -> None:
    x = np.array([3, 0, 2, 1], np.uint32)

    def looked_up(b: Builder, v: Value) -> Value:
        table = b.module.table(I32, [10, 20, 30, 40])
        return b.load(I32, b.at(table, b.convert("zext", v, I64), I32))

    assert apply(looked_up, x, BEST, 1).tolist() == [40, 10, 30, 20]


def test_splat_and_part_of_what_is_there_already_write_nothing() -> None:
    module, b = integer_function(BEST, 1)
    (x,) = b.arguments
    before = module.text()
    assert b.splat(x, 1) is x
    assert b.extract(x, 0) is x
    wide = b.splat(b.constant(F32, 2.0), 8)
    assert (wide.type, wide.number) == (F32.of(8), 2.0)
    assert b.part(wide, 0, 8) is wide
    assert b.convert("bitcast", x, I64) is x
    assert module.text() == before


# ---- how it is written ----


@pytest.mark.parametrize(
    ("type_", "number", "text"),
    [
        (F64, 1.0, "0x3FF0000000000000"),
        (F32, 0.1, "0x3FB99999A0000000"),  # rounded to float32 first
        (F32, -0.0, "0x8000000000000000"),
        (F16, 1.5, "0xH3E00"),
        (F64, math.inf, "0x7FF0000000000000"),
        (I32, -5, "-5"),
        (I1, True, "true"),
        (F32.of(4), 2.0, "splat (float 0x4000000000000000)"),
        (I1.of(8), False, "splat (i1 false)"),
    ],
)
def test_constants_are_written_by_their_bits(type_: Type, number: float, text: str) -> None:
    _, b = integer_function(BEST, 0)
    assert b.constant(type_, number).text == text


def test_types_know_their_names() -> None:
    assert [str(t) for t in (F32, F64.of(4), I16.of(1), POINTER)] == ["float", "<4 x double>", "i16", "ptr"]
    assert [t.mangled for t in (F32.of(8), I64, POINTER, F16, I8.of(32))] == ["v8f32", "i64", "p0", "f16", "v32i8"]
    assert F32.of(8).holding(I32) == I32.of(8)
    assert F32.of(8).scalar == F32


def test_operands_of_different_types_are_refused() -> None:
    _, b = integer_function(BEST, 1)
    with pytest.raises(AssertionError, match="different types"):
        b.add(b.arguments[0], b.constant(I32, 1))


def test_a_declaration_stands_once() -> None:
    module = Module(BEST)
    b = module.function("f", F32, [("x", F32)])
    b.give(b.fma(b.fma(b.arguments[0], 1.0, 1.0), 2.0, 2.0))
    assert module.text().count("declare float @llvm.fma.f32") == (1 if BEST.fused else 0)


def test_memory_that_is_reached_alone_is_said_so() -> None:
    module = Module(BEST)
    b = module.function("f", None, [("x", POINTER), ("y", POINTER)], no_alias=("y",))
    b.prefetch(b.arguments[0])
    b.give()
    assert "ptr %x, ptr noalias %y" in module.text()
    assert jit.compile_object(module.text(), BEST)
