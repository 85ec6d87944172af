"""How long each function of `vector_math` takes: `python -m tests.backends.native.time_functions [set …]`.

Nanoseconds per element, the best of many short windows over 2048 numbers in the first-level cache, sixteen lanes at a
time; beside them what fused multiplications reach in the same run. On demand, never a test.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import F32, F64, POINTER, Builder, Module, Type, Value
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.vector_math import FUNCTIONS, power

COUNT, LANES, WINDOWS, ROUNDS = 2048, 16, 200, 100
CHAINS = 12  # more than latency times throughput
RANGES = {"log": (0.01, 8.0), "log1p": (-0.9, 8.0), "sqrt": (0.0, 8.0), "power": (0.01, 8.0)}


def best(run: Callable[[], object]) -> float:
    """Nanoseconds of the shortest window."""
    times: list[int] = []
    for _ in range(WINDOWS):
        begin = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - begin)
    return min(times)


def loaded(module: Module, *arguments: Any) -> Any:
    library = jit.load([jit.compile_object(module.text(), module.isa)], ["run"])
    return library.function("run", *arguments)


def nanoseconds(name: str, element: Type, isa: Isa) -> float:
    function = FUNCTIONS.get(name, lambda b, x: power(b, x, 1.7))
    module = Module(isa)
    b = module.function("run", None, [("x", POINTER), ("y", POINTER)], no_alias=("x", "y"))
    x, y = b.arguments

    def each(i: Value, _: tuple[Value, ...]) -> list[Value]:
        b.store(function(b, b.load(element.of(LANES), b.at(x, i, element))), b.at(y, i, element))
        return []

    def again(_: Value, __: tuple[Value, ...]) -> list[Value]:
        b.loop(0, COUNT, LANES, [], each, at_least_once=True)
        return []

    b.loop(0, ROUNDS, 1, [], again, at_least_once=True)
    b.give()
    given = np.random.default_rng(0).uniform(*RANGES.get(name, (-4.0, 4.0)), COUNT)
    source = given.astype(np.float32 if element == F32 else np.float64)
    target = np.empty_like(source)
    run = loaded(module, ctypes.c_void_p, ctypes.c_void_p)
    at, to = source.ctypes.data, target.ctypes.data
    return best(lambda: run(at, to)) / ROUNDS / COUNT


def fused_rate(isa: Isa) -> float:
    """Billions of float32 multiplications and additions a second, with nothing to wait for."""
    rounds = 2000
    module = Module(isa)
    b = module.function("run", None, [("y", POINTER)])
    wide = F32.of(isa.lanes("float32"))
    factor = b.load(wide, b.arguments[0])

    def body(_: Value, sums: tuple[Value, ...]) -> list[Value]:
        return [b.fma(s, factor, factor) for s in sums]

    sums = b.loop(0, rounds, 1, [b.constant(wide, k / 16) for k in range(CHAINS)], body, at_least_once=True)
    b.store(total(b, sums), b.arguments[0])
    b.give()
    place = np.full(wide.lanes, 0.5, np.float32)
    run = loaded(module, ctypes.c_void_p)
    at = place.ctypes.data
    return rounds * CHAINS * wide.lanes * 2 / best(lambda: run(at))


def total(b: Builder, values: tuple[Value, ...]) -> Value:
    first, *others = values
    for other in others:
        first = b.add(first, other)
    return first


def main(names: list[str]) -> None:
    sets = [machine.named(name) for name in names] or [isa for isa in machine.runnable() if isa.fused]
    for isa in sets:
        sys.stdout.write(f"{isa.name}: {fused_rate(isa):.1f} GFLOP/s before")
        rows = {name: [nanoseconds(name, element, isa) for element in (F32, F64)] for name in [*FUNCTIONS, "power"]}
        sys.stdout.write(f", {fused_rate(isa):.1f} after\n{'ns per element':16s}float32  float64\n")
        for name, (narrow, wide) in rows.items():
            sys.stdout.write(f"{name:16s}{narrow:7.3f}  {wide:7.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
