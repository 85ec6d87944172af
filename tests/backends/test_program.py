"""The contract of a compiled step, held by the reference: batches, rates, clock, measurements, stopping, bits."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from chainrule.backends.protocol import Slice, Step, StopFlag
from chainrule.backends.reference import ReferenceBackend
from chainrule.backends.reference.threads import ONE_BLAS_THREAD
from chainrule.errors import BackendError, ChainruleError, DTypeError, InputError, ShapeError, ValueRangeError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from tests.backends.networks import by_hand, data, schedule, softmax_step, state

Array = npt.NDArray[Any]
BACKEND = ReferenceBackend()
STEPS = len(schedule()[1]) - 1


def rates(steps: int = STEPS, value: float = 0.1) -> dict[str, Array]:
    return {"learning_rate": np.full(steps, value)}


def trained(dtype: Any = "float64", measure: tuple[str, ...] = ("loss",)) -> tuple[dict[str, Array], Slice]:
    """The state and the slice after all steps."""
    program = BACKEND.compile(softmax_step(dtype, measure=measure))
    result = program.run(program.start(state(dtype)), data(dtype=dtype), *schedule(), rates(), 0, StopFlag())
    return program.read(result.state), result


def test_it_trains_as_by_hand() -> None:
    weights, losses = by_hand(STEPS)
    after, result = trained()
    assert result.steps_done == STEPS == 10
    assert np.allclose(after["W"], weights, rtol=1e-13)
    assert np.allclose(result.measurements["loss"], losses, rtol=1e-13)
    narrow, _ = trained("float32")
    assert narrow["W"].dtype == np.float32
    assert np.allclose(narrow["W"], weights, rtol=1e-5)


def test_a_smaller_last_batch_is_nothing_special() -> None:
    _, result = trained(measure=("rows", "gradient"))
    assert result.measurements["rows"].tolist() == [5, 5, 5, 5, 3] * 2
    assert result.measurements["rows"].dtype == np.int32
    assert result.measurements["gradient"].shape == (STEPS, 4, 3)


def test_the_clock_counts_from_the_first_step() -> None:
    program = BACKEND.compile(softmax_step(measure=("clock",)))
    result = program.run(program.start(state()), data(), *schedule(), rates(), 4_000_000_000, StopFlag())
    assert result.measurements["clock"].dtype == np.uint32
    assert result.measurements["clock"].tolist() == list(range(4_000_000_000, 4_000_000_010))


def test_each_step_has_its_rate() -> None:
    program = BACKEND.compile(softmax_step("float64"))
    order, offsets = schedule()
    decaying = {"learning_rate": np.where(np.arange(STEPS) < 4, 0.1, 0.0)}
    result = program.run(
        program.start(state("float64")), data(dtype="float64"), order, offsets, decaying, 0, StopFlag()
    )
    assert np.allclose(program.read(result.state)["W"], by_hand(4)[0], rtol=1e-13)


def test_slices_join_to_the_same_bits() -> None:
    whole, once = trained("float32")
    program = BACKEND.compile(softmax_step("float32"))
    order, offsets = schedule()
    now, losses = program.start(state()), []
    for begin, end in [(0, 3), (3, 4), (4, STEPS)]:
        piece = program.run(now, data(), order, offsets[begin : end + 1], rates(end - begin), begin, StopFlag())
        losses.append(piece.measurements["loss"])
        now = program.start(program.read(piece.state))  # as if saved and read again
    assert np.array_equal(program.read(now)["W"], whole["W"])
    assert np.array_equal(np.concatenate(losses), once.measurements["loss"])


def test_a_state_written_sideways_resumes_to_the_same_bits() -> None:
    """The next value comes out of a transpose; the product of a matrix lying so has other bits than of one upright."""
    w, mix = e.variable("w", "float64", (60, 40)), e.variable("mix", "float64", (60, 60))
    sideways = e.transpose(e.tanh(e.transpose(w, (1, 0)) @ mix), (1, 0))
    program = BACKEND.compile(Step(make_graph({"w": sideways.node}), ("w", "mix"), ()))
    rng = np.random.default_rng(10)
    start = {"w": rng.normal(size=(60, 40)), "mix": rng.normal(size=(60, 60)) / 8}
    nothing, offsets = np.zeros(6, np.int64), np.arange(7)
    whole = program.run(program.start(start), {}, nothing, offsets, {}, 0, StopFlag())
    half = program.run(program.start(start), {}, nothing, offsets[:4], {}, 0, StopFlag())
    resumed = program.start(program.read(half.state))
    rest = program.run(resumed, {}, nothing, offsets[3:], {}, 3, StopFlag())
    assert program.read(rest.state)["w"].tobytes() == program.read(whole.state)["w"].tobytes()


def test_asking_does_not_disturb() -> None:
    for dtype in ("float32", "float64"):
        few, _ = trained(dtype)
        again, _ = trained(dtype)
        many, result = trained(dtype, ("loss", "norm", "gradient", "clock", "rows", "delta", "log_p"))
        for name, array in few.items():
            assert np.array_equal(array, again[name])
            assert np.array_equal(array, many[name])
        assert len(result.measurements) == 7


def test_the_bits_do_not_depend_on_blas_threads_or_hash_seed() -> None:
    script = (
        "from tests.backends.test_program import *\n"
        "after, _ = trained('float32', ('loss', 'norm'))\n"
        "rng = np.random.default_rng(0)\n"
        "x, w = (rng.normal(size=s).astype('float32') for s in [(64, 1000), (1000, 64)])\n"  # the threads show here
        "y = e.variable('x', 'float32', x.shape) @ e.variable('w', 'float32', w.shape)\n"
        "y = BACKEND.evaluate(make_graph({'y': y.node}), {'x': x, 'w': w})['y']\n"
        "print(hashlib.sha256(after['W'].tobytes() + y.tobytes()).hexdigest())"
    )
    found = set[str]()
    for seed, threads in [("0", "1"), ("1", "2"), ("2", "2"), ("3", "8")]:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": threads}
        environment["PYTHONPATH"] = os.pathsep.join(["", *sys.path])
        root = Path(__file__).parents[2]
        run = [sys.executable, "-c", script]
        found.add(subprocess.run(run, env=environment, cwd=root, capture_output=True, check=True, text=True).stdout)
    assert len(found) == 1
    assert len(found.pop()) == len(hashlib.sha256().hexdigest()) + 1


def test_a_stop_is_heeded_before_the_next_step() -> None:
    program = BACKEND.compile(softmax_step())
    stop = StopFlag()
    stop.set()
    result = program.run(program.start(state()), data(), *schedule(), rates(), 0, stop)
    assert result.steps_done == 0
    assert result.measurements["loss"].shape == (0,)
    assert np.array_equal(program.read(result.state)["W"], state()["W"])


class StopsAt(StopFlag):
    """Set when it is looked at for the k-th time."""

    __slots__ = ("left",)

    def __init__(self, k: int) -> None:
        super().__init__()
        self.left = k

    def is_set(self) -> bool:
        if self.left == 0:
            self.set()
        self.left -= 1
        return super().is_set()


def test_what_was_done_before_a_stop_is_kept() -> None:
    program = BACKEND.compile(softmax_step("float64"))
    samples, start = data(dtype="float64"), state("float64")
    result = program.run(program.start(start), samples, *schedule(), rates(), 0, StopsAt(4))
    weights, losses = by_hand(4)
    assert result.steps_done == 4
    assert np.allclose(program.read(result.state)["W"], weights, rtol=1e-13)
    assert np.allclose(result.measurements["loss"], losses, rtol=1e-13)


def test_a_flag_is_a_word_in_memory() -> None:
    import ctypes

    stop = StopFlag()
    word = ctypes.c_int32.from_address(stop.address)
    assert (word.value, stop.is_set()) == (0, False)
    stop.set()
    assert (word.value, stop.is_set()) == (1, True)
    stop.clear()
    assert (word.value, stop.is_set()) == (0, False)


def test_the_state_belongs_to_the_program() -> None:
    program = BACKEND.compile(softmax_step())
    given = state()
    started = program.start(given)
    given["W"][:] = 99.0
    copy = program.read(started)
    assert np.array_equal(copy["W"], state()["W"])
    copy["W"][:] = 99.0
    assert np.array_equal(program.read(started)["W"], state()["W"])


def test_a_state_is_spent_by_running() -> None:
    program = BACKEND.compile(softmax_step())
    started = program.start(state())
    program.run(started, data(), *schedule(), rates(), 0, StopFlag())
    for use in (
        lambda: program.read(started),
        lambda: program.run(started, data(), *schedule(), rates(), 0, StopFlag()),
    ):
        with pytest.raises(BackendError, match="use the state that run returned"):
            use()
    with pytest.raises(BackendError, match="another program"):
        BACKEND.compile(softmax_step()).read(started)


class Interrupts(StopFlag):
    """Ctrl-C in the middle of a run."""

    __slots__ = ("looked",)

    def is_set(self) -> bool:
        if hasattr(self, "looked"):
            raise KeyboardInterrupt
        self.looked = True
        return False


def test_an_interrupt_leaves_the_state_as_it_was() -> None:
    program = BACKEND.compile(softmax_step())
    started = program.start(state())
    with pytest.raises(KeyboardInterrupt):
        program.run(started, data(), *schedule(), rates(), 0, Interrupts())
    assert np.array_equal(program.read(started)["W"], state()["W"])


def test_data_may_lie_in_memory_as_they_like() -> None:
    program = BACKEND.compile(softmax_step())
    plain = data()
    turned = {"x": np.asfortranarray(plain["x"]), "y": np.repeat(plain["y"], 2)[::2]}
    turned["x"].flags.writeable = False
    results = [
        program.run(program.start(state()), each, *schedule(), rates(), 0, StopFlag()) for each in (plain, turned)
    ]
    assert np.array_equal(results[0].measurements["loss"], results[1].measurements["loss"])
    first, second = (program.read(result.state)["W"] for result in results)
    assert np.array_equal(first, second)


ORDER, OFFSETS = schedule()
WRONG: list[tuple[dict[str, Any], type[ChainruleError], str]] = [
    ({"data": {"x": data()["x"]}}, InputError, "the column y is missing: given are x; give it too"),
    ({"data": data() | {"z": data()["x"]}}, InputError, "unknown column 'z'"),
    ({"data": data("float64" and 23, "float64")}, DTypeError, "x has dtype float64, and float32 is wanted"),
    ({"data": data() | {"x": data()["x"][:, :3]}}, ShapeError, r"x has shape \(23, 3\), and \(n, 4\) is wanted"),
    ({"data": data() | {"x": data()["x"][:20]}}, ShapeError, "column y has 23 rows, and x has 20; they must agree"),
    ({"data": data() | {"y": np.int32(3)}}, ShapeError, "column y is one number"),
    ({"data": {name: each[:0] for name, each in data().items()}}, ShapeError, "so n is 0|outside 0 to -1"),
    ({"order": ORDER.astype(np.int32)}, DTypeError, "order has dtype int32, and int64 is wanted"),
    ({"order": ORDER[None]}, ShapeError, "order has shape"),
    ({"order": ORDER + 1}, ValueRangeError, "order names a row outside 0 to 22"),
    ({"order": ORDER - 1}, ValueRangeError, "order names a row outside 0 to 22"),
    ({"offsets": OFFSETS[:0]}, ShapeError, "offsets is empty"),
    ({"offsets": OFFSETS + 1}, ValueRangeError, "to at most 46, the length of order"),
    ({"offsets": OFFSETS[::-1].copy()}, ValueRangeError, "must rise by at least 1"),
    ({"offsets": OFFSETS[[0, 0, *range(1, STEPS)]]}, ValueRangeError, "must rise by at least 1"),
    ({"rates": {}}, InputError, "the rate learning_rate is missing: given are none"),
    ({"rates": rates(3)}, ShapeError, r"learning_rate has shape \(3,\), and \(10,\) is wanted"),
    ({"rates": {"learning_rate": np.full(STEPS, 1j)}}, DTypeError, "rate learning_rate has dtype complex128"),
    ({"first_step": -1}, ValueRangeError, "the steps -1 to 8 do not fit the clock's dtype uint32"),
    ({"first_step": 2**32 - 5}, ValueRangeError, "do not fit the clock's dtype uint32"),
]


@pytest.mark.parametrize(("change", "error", "sentence"), WRONG)
def test_what_does_not_fit_is_refused_and_spends_nothing(
    change: dict[str, Any], error: type[ChainruleError], sentence: str
) -> None:
    program = BACKEND.compile(softmax_step())
    good = {"data": data(), "order": ORDER, "offsets": OFFSETS, "rates": rates(), "first_step": 0}
    started = program.start(state())
    with pytest.raises(error, match=sentence) as caught:
        program.run(started, stop=StopFlag(), **(good | change))
    assert "\n" not in str(caught.value)
    assert program.run(started, stop=StopFlag(), **good).steps_done == STEPS


@pytest.mark.parametrize(
    ("given", "error", "sentence"),
    [
        ({"W": state()["W"]}, InputError, "the state v is missing"),
        (state() | {"b": state()["W"]}, InputError, "unknown state 'b'"),
        (state("float64"), DTypeError, "W has dtype float64, and float32 is wanted"),
        (state() | {"W": state()["W"].T}, ShapeError, r"W has shape \(3, 4\), and \(4, 3\) is wanted"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(given: Any, error: type[ChainruleError], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        BACKEND.compile(softmax_step()).start(given)


def test_blas_is_held_to_one_thread_while_anyone_computes() -> None:
    from threadpoolctl import threadpool_info

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    inside: list[set[int]] = []
    first_left, second_in = threading.Event(), threading.Event()

    def other() -> None:
        with ONE_BLAS_THREAD:
            second_in.set()
            first_left.wait(10)
            inside.append(threads())

    with ONE_BLAS_THREAD:
        thread = threading.Thread(target=other)
        thread.start()
        second_in.wait(10)
        inside.append(threads())
    first_left.set()
    thread.join()
    assert inside == [{1}, {1}] or inside == [set(), set()]
    assert threads() == before
