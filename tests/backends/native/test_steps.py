"""Whole steps in native code: every network, optimizer, dtype and batch size as the reference has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.backends.native import NativeBackend
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.program import NativeProgram, NativeState
from chainrule.backends.protocol import Step, StopFlag
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import named
from tests.backends.native.agreement import ISAS, REFERENCE, native, train
from tests.backends.native.networks import first_state, network_step, samples

NETWORKS: dict[str, dict[str, Any]] = {
    "regression": {"widths": (20, 33, 5)},
    "one output": {"widths": (9, 16, 1), "activation": "tanh"},
    "one input": {"widths": (1, 7, 1), "activation": "tanh"},
    "one weight": {"widths": (1, 1)},
    "xor": {"widths": (2, 2, 1), "activation": "sigmoid", "loss": "binary"},
    "classes": {"widths": (40, 24, 17, 10), "loss": "cross_entropy"},
    "momentum": {"widths": (20, 18, 3), "optimizer": "momentum", "loss": "cross_entropy"},
    "decay": {"widths": (20, 18, 3), "optimizer": "decay"},
    "adam": {"widths": (20, 18, 3), "optimizer": "adam", "loss": "cross_entropy"},
    "bytes": {"widths": (20, 18, 3), "stored": "uint8", "loss": "cross_entropy"},
    "halves": {"widths": (20, 18, 3), "stored": "float16"},
    "small whole numbers": {"widths": (5, 18, 3), "stored": "int8"},
}
TOLERANCE = {"float32": 3e-5, "float64": 1e-12}  # of the largest element, after six steps


def close(ours: dict[str, Any], wanted: dict[str, Any], tolerance: float) -> None:
    for name, array in wanted.items():
        assert ours[name].dtype == array.dtype
        apart = np.abs(ours[name].astype(np.float64) - array)
        assert apart.max(initial=0.0) <= tolerance * max(1.0, float(np.abs(array).max(initial=0.0))), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_trains_as_in_the_reference(name: str, dtype: Any) -> None:
    step = network_step(**NETWORKS[name], dtype=dtype, measure=("loss", "rows", "norms", "means"))
    start, data = first_state(step), samples(step, 53)
    ours, wanted = (train(step, backend, start, data, 10, 6) for backend in (native(), REFERENCE))
    close(ours[0], wanted[0], TOLERANCE[dtype])
    close(ours[1], wanted[1], TOLERANCE[dtype])


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("batch", [1, 2, 3, 7, 10, 32, 33, 100])
def test_each_batch_size_trains_as_in_the_reference(batch: int, isa: Isa) -> None:
    step = network_step((20, 18, 3), loss="cross_entropy")
    start, data = first_state(step), samples(step, 100)
    ours, wanted = (train(step, backend, start, data, batch, 4) for backend in (native(isa), REFERENCE))
    close(ours[0], wanted[0], TOLERANCE["float32"])
    close(ours[1], wanted[1], TOLERANCE["float32"])


@pytest.mark.parametrize("name", NETWORKS)
def test_asking_does_not_disturb(name: str) -> None:
    few = network_step(**NETWORKS[name])
    many = network_step(**NETWORKS[name], measure=("norms", "means", "loss", "rows"))
    start, data = first_state(few), samples(few, 37)
    plain, asked = (train(step, native(), start, data, 10, 9)[0] for step in (few, many))
    for key, array in plain.items():
        assert array.tobytes() == asked[key].tobytes(), key


@pytest.mark.parametrize("name", NETWORKS)
def test_padding_is_never_read(name: str) -> None:
    """Everything beyond the last column and row is poisoned with NaN before each of two slices."""
    step = network_step(**NETWORKS[name])
    start, data = first_state(step), samples(step, 37)
    order, offsets = np.arange(37), np.array([0, 10, 17, 27, 37])
    rates = {"rate": np.full(4, 0.05)}
    found: list[dict[str, Any]] = []
    for poisoned in (False, True):
        program = native().compile(step)
        state = program.start(start)
        for _ in range(2):
            if poisoned:
                poison(program, state, start)
            state = program.run(state, data, order, offsets, rates, 1, StopFlag()).state
        found.append(program.read(state))
    for key, array in found[0].items():
        assert array.tobytes() == found[1][key].tobytes(), key


def poison(program: NativeProgram, state: Any, start: dict[str, Any]) -> None:
    """Fill what holds no element with NaN, in the state and in the whole workspace."""
    assert isinstance(state, NativeState)
    values = program.read(state)
    mark = program.start({name: np.ones_like(array) for name, array in start.items()})
    assert isinstance(mark, NativeState)
    floats = state.memory.view(next(iter(values.values())).dtype)
    floats[mark.memory.view(floats.dtype) == 0] = np.nan
    for compiled in program._compiled.values():
        compiled._work.view(floats.dtype)[:] = np.nan
        compiled._scratch.view(floats.dtype)[:] = np.nan


def test_the_largest_batch_may_grow_without_changing_bits() -> None:
    step = network_step((20, 18, 3), loss="cross_entropy")
    start, data = first_state(step), samples(step, 60)
    whole = NativeBackend().compile(step)
    parts = NativeBackend().compile(step)
    order, offsets = np.arange(60), np.array([0, 3, 10, 40, 60])
    rates = {"rate": np.full(4, 0.05)}
    once = whole.read(whole.run(whole.start(start), data, order, offsets, rates, 1, StopFlag()).state)
    state = parts.start(start)
    for k in range(4):
        state = parts.run(state, data, order, offsets[k : k + 2], {"rate": np.full(1, 0.05)}, k + 1, StopFlag()).state
    again = parts.read(state)
    assert all(array.tobytes() == again[name].tobytes() for name, array in once.items())


@pytest.mark.parametrize("name", ["classes", "adam", "xor"])
def test_fused_instruction_sets_agree_to_the_bit(name: str) -> None:
    step = network_step(**NETWORKS[name])
    start, data = first_state(step), samples(step, 53)
    found = [train(step, native(isa), start, data, 10, 6) for isa in ISAS if isa.fused]
    for state, measured in found[1:]:
        assert all(state[key].tobytes() == array.tobytes() for key, array in found[0][0].items())
        assert all(measured[key].tobytes() == array.tobytes() for key, array in found[0][1].items())


def agrees_without_data(step: Step, start: dict[str, Any], tolerance: float) -> None:
    """Three steps of a state that no data change."""
    results: list[Any] = []
    for backend in (native(), REFERENCE):
        program = backend.compile(step)
        result = program.run(program.start(start), {}, np.zeros(3, np.int64), np.arange(4), {}, 0, StopFlag())
        results.append((program.read(result.state), result.measurements))
    close(results[0][0], results[1][0], tolerance)
    close(results[0][1], results[1][1], tolerance)


def test_states_may_change_places() -> None:
    a, b, c = (e.variable(name, "float32", (3, 4)) for name in "abc")
    turned = e.variable("t", "float32", (4, 4))
    outputs = {"a": b, "b": a + c, "c": a, "t": turned.T + turned, "total": e.sum(a) + e.sum(turned)}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("a", "b", "c", "t"), ())
    rng = np.random.default_rng(3)
    start = {name: rng.normal(size=(3, 4)).astype("f4") for name in "abc"} | {"t": np.eye(4, dtype="f4")[::-1].copy()}
    agrees_without_data(step, start, 1e-6)


def test_what_is_asked_for_turned_is_read_before_its_source_moves_on() -> None:
    w, total = e.variable("W", "float32", (20, 20)), e.variable("total", "float32", (20, 20))
    square = e.transpose(w, (1, 0)) @ w
    outputs = {"W": w * 0.5, "total": total + square, "turned": w.T, "square": square.T}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("W", "total"), ())
    start = {name: np.random.default_rng(3).normal(size=(20, 20)).astype("f4") for name in step.state}
    agrees_without_data(step, start, 1e-6)


def test_what_is_summed_is_read_before_it_is_overwritten_in_the_same_loop() -> None:
    w = e.variable("W", "float64", (40, 18))
    outputs = {"columns": e.sum(w, 0), "total": e.sum(w), "top": e.max(w, 1), "W": e.tanh(e.tanh(w * 0.9) * 0.9)}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("W",), ())
    start = {"W": np.random.default_rng(3).normal(size=(40, 18))}
    agrees_without_data(step, start, 1e-12)


def test_samples_and_weights_may_be_empty() -> None:
    x, w, b = (e.variable(n, "float32", shape) for n, shape in (("x", (named("n"), 0)), ("W", (0, 3)), ("b", (3,))))
    outputs = {"W": w * 2.0, "b": b + e.sum(x @ w + b, 0), "slope": x.T @ (x @ w)}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), ("W", "b"), ("x",))
    start, data = {"W": np.zeros((0, 3), "f4"), "b": np.ones(3, "f4")}, {"x": np.zeros((9, 0), "f4")}
    ours, wanted = (train(step, backend, start, data, 4, 3) for backend in (native(), REFERENCE))
    close(ours[0], wanted[0], 1e-6)
    assert ours[1]["slope"].shape == wanted[1]["slope"].shape == (3, 0, 3)


def test_a_product_may_have_no_elements_beside_rows_that_are_gathered() -> None:
    x, w = e.variable("x", "float32", (named("n"),)), e.variable("W", "float32", (0, 2))
    step = Step(make_graph({"total": e.sum(x).node, "square": (w @ w.T).node}), ("W",), ("x",))
    ours, wanted = (
        train(step, backend, {"W": np.zeros((0, 2), "f4")}, {"x": np.ones(9, "f4")}, 4, 3)
        for backend in (native(), REFERENCE)
    )
    assert np.array_equal(ours[1]["total"], wanted[1]["total"])
    assert ours[1]["square"].shape == wanted[1]["square"].shape == (3, 0, 0)
