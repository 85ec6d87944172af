"""Numbers too small to be normal: 0 inside native code, as they were for everybody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from chainrule.backends.native import jit
from chainrule.backends.native.flushing import begin_flushing, end_flushing
from chainrule.backends.native.ir import F32, POINTER, Module
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.backends.protocol import Step, StopFlag
from chainrule.graph import expr as e
from chainrule.graph.tensor_type import named
from tests.absent import require
from tests.backends.native.agreement import ISAS as HERE
from tests.backends.native.agreement import formula, native

require("llvmlite", "pip install llvmlite")

FLUSHING = [isa for isa in HERE if isa.flushes]
N = named("n")


@pytest.mark.parametrize("isa", FLUSHING, ids=lambda isa: isa.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_too_small_to_be_normal_is_0(dtype: Any, isa: Isa) -> None:
    x = e.variable("x", dtype, (N,))
    least = np.finfo(dtype).smallest_normal
    given = np.array([least, least / 2, -least / 2, np.finfo(dtype).smallest_subnormal, 0.0] * 7, dtype)
    found = native(isa).evaluate(formula(half=x * 0.5, double=x * 2.0, open=x > 0.0, log=e.log(x)), {"x": given})
    assert not found["half"].any()
    assert np.array_equal(found["double"], np.where(given == least, 2 * least, 0.0))
    assert np.array_equal(found["open"], given == least)
    assert np.array_equal(np.isneginf(found["log"]), given != least)


def test_what_merely_passes_is_flushed_before_it_is_taken() -> None:
    w, x = e.variable("w", "float32", ()), e.variable("x", "float32", (N,))
    graph = formula(same=w - 0.0, one=w * 1.0, most=e.maximum(w, -1.0), copy=e.reshape(x, (N, 1)), minus=-x)
    given = {"w": np.float32(1e-40), "x": np.array([1e-40, -1e-40, 1e-30], np.float32)}
    for hasty in (False, True):
        found = native(FLUSHING[0], hasty=hasty).evaluate(graph, given)
        assert [float(found[name]) for name in ("same", "one", "most")] == [0.0] * 3
        assert np.array_equal(found["copy"][:, 0], np.array([0, 0, 1e-30], np.float32))
        assert np.array_equal(np.signbit(found["minus"]), [True, False, True])
    step = Step(formula(w=w - 0.0), ("w",), ())
    program = native(FLUSHING[0]).compile(step)
    assert program.read(program.start({"w": np.array(1e-40, np.float32)}))["w"] == 0.0


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_moments_of_a_weight_without_gradient_come_to_0(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flushing the first moment stops at the smallest number there is: 0.9 of it rounds to itself."""
    monkeypatch.setenv("CHAINRULE_THREADS", threads)
    m, v = e.variable("m", "float32", (64, 512)), e.variable("v", "float32", (64, 512))
    step = Step(formula(m=m * 0.9, v=v * 0.999), ("m", "v"), ())
    program = native().compile(step)
    start = {"m": np.full((64, 512), 1e-30, np.float32), "v": np.full((64, 512), 1e-37, np.float32)}
    order = np.zeros(3_000, np.int64)
    result = program.run(program.start(start), {}, order, np.arange(3_001), {}, 1, StopFlag())
    state = program.read(result.state)
    assert not state["m"].any()
    assert not state["v"].any()


@pytest.mark.parametrize("isa", FLUSHING, ids=lambda isa: isa.name)
def test_the_caller_keeps_its_numbers(isa: Isa) -> None:
    """NumPy computes with small numbers before and after, in this thread and in those that ran native code."""
    x = e.variable("x", "float32", (N,))
    tiny = np.full(5, np.finfo(np.float32).smallest_subnormal)

    def run(_: int) -> float:
        native(isa).evaluate(formula(y=x * 2.0), {"x": tiny})
        return float((tiny + tiny).sum())

    wanted = run(0)
    assert wanted == float(tiny[0]) * 10
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, range(4))) == [wanted] * 4


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_every_set_gets_code_that_puts_back_what_it_changed(isa: Isa) -> None:
    module = Module(isa)
    b = module.function("scale", None, [("at", POINTER)])
    kept = begin_flushing(b)
    b.store(b.multiply(b.load(F32, b.arguments[0]), 0.5), b.arguments[0])
    end_flushing(b, kept)
    b.give()
    lines = jit.assembly(module.text(), isa).lower().splitlines()
    changes = [at for at, line in enumerate(lines) if "ldmxcsr" in line or "fpcr, x" in line]
    product = next(
        at for at, line in enumerate(lines) if line.split()[:1] in (["vmulss"], ["mulss"], ["fmul"], ["fmul.s"])
    )
    assert len(changes) == (2 if isa.flushes else 0)
    assert not changes or changes[0] < product < changes[1]
