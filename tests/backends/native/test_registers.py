"""Steps that stay in registers: the same bits as the loops give, and only where they fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.backends.native import NativeBackend, driver
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.program import NativeProgram
from chainrule.backends.protocol import Step, StopFlag
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import named
from tests.backends.native.agreement import ISAS, REFERENCE, train
from tests.backends.native.networks import first_state, network_step, samples
from tests.backends.native.test_steps import close

SMALL: dict[str, dict[str, Any]] = {
    "xor": {"widths": (2, 2, 1), "activation": "sigmoid", "loss": "binary"},
    "squares": {"widths": (2, 2, 1), "activation": "sigmoid"},
    "relu": {"widths": (2, 3, 1), "activation": "relu"},
    "adam": {"widths": (3, 4, 2), "activation": "tanh", "optimizer": "adam"},
    "classes": {"widths": (3, 3, 3), "loss": "cross_entropy", "optimizer": "momentum"},
    "one weight": {"widths": (1, 1)},
    "wide output": {"widths": (1, 19)},
    "double": {"widths": (2, 3, 1), "activation": "tanh", "dtype": "float64"},
    "bytes": {"widths": (3, 2, 1), "stored": "uint8"},
}


def is_small(program: NativeProgram) -> bool:
    (compiled,) = program._compiled.values()
    return driver.fits(compiled.plan)


@pytest.mark.parametrize("isa", [isa for isa in ISAS if isa.fused], ids=lambda isa: isa.name)
@pytest.mark.parametrize("batch", [1, 4, 7])
@pytest.mark.parametrize("name", SMALL)
def test_registers_give_the_bits_of_the_loops(name: str, batch: int, isa: Isa, monkeypatch: pytest.MonkeyPatch) -> None:
    step = network_step(**SMALL[name], measure=("loss", "rows", "norms"))
    if name == "wide output" and batch > 1:
        batch = 1
    start, data = first_state(step), samples(step, 30)
    quick = train(step, NativeBackend(isa), start, data, batch, 9)
    monkeypatch.setattr(driver, "fits", lambda plan: False)
    plain = train(step, NativeBackend(isa), start, data, batch, 9)
    for ours, theirs in zip(quick, plain, strict=True):
        assert all(ours[key].tobytes() == array.tobytes() for key, array in theirs.items())
    close(quick[0], train(step, REFERENCE, start, data, batch, 9)[0], 1e-5)


def test_only_what_is_small_stays_in_registers() -> None:
    for widths, batch, expected in (((2, 2, 1), 4, True), ((2, 2, 1), 40, False), ((20, 2, 1), 4, False)):
        step = network_step(widths)
        program = NativeBackend().compile(step)
        offsets = np.array([0, batch])
        program.run(
            program.start(first_state(step)),
            samples(step, 40),
            np.arange(40),
            offsets,
            {"rate": np.ones(1)},
            1,
            StopFlag(),
        )
        assert is_small(program) == expected


def test_full_batches_and_smaller_ones_may_alternate() -> None:
    step = network_step((2, 2, 1), activation="sigmoid", loss="binary")
    start, data = first_state(step), samples(step, 40)
    offsets = np.array([0, 4, 8, 9, 13, 15, 19, 23, 24, 25, 29])
    rates = {"rate": np.linspace(0.1, 0.5, 10)}
    found = []
    for backend in (NativeBackend(), REFERENCE):
        program = backend.compile(step)
        result = program.run(program.start(start), data, np.arange(40), offsets, rates, 1, StopFlag())
        assert result.steps_done == 10
        found.append((program.read(result.state), result.measurements))
    close(found[0][0], found[1][0], 1e-6)
    close(found[0][1], found[1][1], 1e-6)


def test_every_kind_of_sum_is_taken_in_the_order_of_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    x = e.variable("x", "float32", (named("n"), 20))
    w = e.variable("w", "float32", (20,))
    total = e.sum(x * e.broadcast_to(w, x.shape), 1)
    outputs = {
        "w": w * 0.5 + e.sum(x, 0),
        "a": e.sum(total),
        "b": e.sum(x),
        "c": e.max(x),
        "d": e.max(x, 0),
        "e": e.sum(w),
    }
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("w",), ("x",))
    rng = np.random.default_rng(4)
    data = {"x": rng.normal(size=(9, 20)).astype("f4")}
    start = {"w": rng.normal(size=20).astype("f4")}
    quick = train(step, NativeBackend(), start, data, 1, 9)
    monkeypatch.setattr(driver, "fits", lambda plan: False)
    plain = train(step, NativeBackend(), start, data, 1, 9)
    for ours, theirs in zip(quick, plain, strict=True):
        assert all(ours[key].tobytes() == array.tobytes() for key, array in theirs.items())


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_the_largest_whole_number_is_that_of_the_loops(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    x, seen = e.variable("x", dtype, (named("n"), 3)), e.variable("seen", dtype, (3,))
    outputs = {"seen": e.maximum(seen, e.max(x, 0)), "top": e.max(x), "total": e.sum(x), "each": e.sum(e.max(x, 1))}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("seen",), ("x",))
    bounds = np.iinfo(dtype)
    data = {"x": np.array([[bounds.min, 1, bounds.max], [2, bounds.max - 1, 3], [4, 5, 6], [7, 8, 9]], dtype)}
    found = [train(step, backend, {"seen": np.zeros(3, dtype)}, data, 2, 2) for backend in (NativeBackend(), REFERENCE)]
    monkeypatch.setattr(driver, "fits", lambda plan: False)
    found.append(train(step, NativeBackend(), {"seen": np.zeros(3, dtype)}, data, 2, 2))
    for quick, wanted, plain in zip(*found, strict=True):
        assert all(quick[key].tobytes() == array.tobytes() == plain[key].tobytes() for key, array in wanted.items())


def test_what_no_value_is_made_of_stays_where_it_is() -> None:
    """A column and a state that are far too large for registers, beside a step that is not."""
    w, x, far = e.variable("w", "float32", (3,)), e.variable("x", "float32", (named("n"), 3)), (40, 50)
    graph = make_graph({"w": (w * 0.5 + e.sum(x, 0)).node})
    unread = [e.variable("wide", "float32", (named("n"), *far)).node, e.variable("held", "float32", far).node]
    step = Step(make_graph(dict(graph.outputs), unread), ("w", "held"), ("x", "wide"))
    rng = np.random.default_rng(4)
    data = {"x": rng.normal(size=(9, 3)).astype("f4"), "wide": np.zeros((9, *far), "f4")}
    start = {"w": np.ones(3, "f4"), "held": rng.normal(size=far).astype("f4")}
    quick, wanted = (train(step, backend, start, data, 3, 3)[0] for backend in (NativeBackend(), REFERENCE))
    close(quick, wanted, 1e-6)
    assert quick["held"].tobytes() == start["held"].tobytes()
