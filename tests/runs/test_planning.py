"""The plan of a step as a page: sums against counts by hand, and that what was printed is what is allocated."""

from __future__ import annotations

import json
from typing import Any

import pytest

import chainrule as cr
from chainrule.backends.native import NativeBackend
from chainrule.backends.native.arenas import SLACK
from chainrule.backends.native.program import NativeState
from chainrule.errors import BackendError, ValueRangeError
from chainrule.train.state import initial_state
from tests.absent import require

require("llvmlite", "pip install llvmlite")

BATCH = 24


@pytest.fixture(scope="module")
def run() -> cr.Run:
    """64-20-10, SGD, two epochs."""
    network = [cr.Dense(20, "relu"), cr.Dense(10)]
    return cr.train(network, "digits", optimizer=cr.SGD(0.1), batch_size=BATCH, epochs=2, runs=None)


def test_work_is_counted_as_by_hand(run: cr.Run) -> None:
    data: Any = run.plan().data
    first, second = 64 * 20, 20 * 10
    assert data["flops"] == 2 * BATCH * (2 * first + 3 * second)  # the first layer passes nothing back
    products = [stage for stage in data["stages"] if stage["kernel"]]
    assert [stage["flops"] for stage in products].count(2 * BATCH * first) == 2
    assert data["seconds_at_best"] == pytest.approx(sum(stage["seconds_at_best"] for stage in data["stages"]))
    assert data["seconds_at_best"] >= data["flops"] / data["gflops"] / 1e9
    assert data["batch"] == BATCH


def test_every_parameter_is_read_and_updated_somewhere(run: cr.Run) -> None:
    data: Any = run.plan().data
    touched = [name for stage in data["stages"] for name in stage["names"]]
    assert {"x", "y", "learning_rate", *run.weights} <= set(touched)
    assert all(touched.count(name) >= 2 for name in run.weights)  # forward, and its update


def test_the_memory_that_is_printed_is_the_memory_that_is_taken(run: cr.Run) -> None:
    page = run.plan()
    data: Any = page.data
    prepared = run.prepared
    program = NativeBackend().compile(prepared.graphs.train)
    state = program.start(initial_state(prepared.experiment, prepared.record, prepared.graphs))
    assert isinstance(state, NativeState)
    assert len(state.memory) - SLACK == data["state_bytes"]
    compiled = program._for({}, BATCH)
    assert len(compiled._work) - SLACK == data["work_bytes"]
    assert len(compiled._scratch) - SLACK == data["scratch_bytes"] * compiled.threads
    assert f"{data['state_bytes']:,} bytes for the state, {data['work_bytes']:,} to work in" in " ".join(
        page.text.split()
    )


def test_rows_of_a_large_batch_are_said_to_pass_in_strips() -> None:
    network = [cr.Dense(100, "tanh"), cr.Dense(10)]
    trained = cr.train(network, "digits", batch_size=1400, epochs=1, runs=None)
    page = trained.plan()
    data: Any = page.data
    inside = [number for number, stage in enumerate(data["stages"], 1) if stage["strips"]]
    assert inside == list(range(inside[0], inside[-1] + 1))
    assert 48 <= data["strip"] <= 700
    said = f"{data['strip']:,} rows at a time pass through stages {inside[0]} to {inside[-1]}"
    assert said in " ".join(page.text.split())


def test_the_page_fits_its_screen_and_shows_everything(run: cr.Run) -> None:
    page = run.plan()
    data: Any = page.data
    assert max(map(len, page.text.splitlines())) <= 80
    said = " ".join(page.text.split())
    for part in ("matmul → add → maximum", "X W,", "Xᵀ W,", "holds in turn", "graph passes", "from plan to code"):
        assert part in said, part
    assert page.text.isascii() is False
    assert page.render(80, ascii=True).isascii()
    assert json.loads(page.to_json())["flops"] == data["flops"]
    assert "<table" in page.html
    assert "\\begin{" in page.latex
    assert 0 <= data["effort"]["kept"] <= data["effort"]["modules"]
    again: Any = run.plan().data
    assert again["effort"]["kept"] == again["effort"]["modules"]


def test_another_batch_can_be_asked_for(run: cr.Run) -> None:
    one: Any = run.plan(1).data
    assert one["batch"] == 1
    assert one["flops"] * BATCH == run.plan().data["flops"]
    with pytest.raises(ValueRangeError, match="a batch has at least one row"):
        run.plan(0)


def test_a_tiny_step_stays_in_registers() -> None:
    tiny = cr.train([cr.Dense(2, "sigmoid"), cr.Dense(1, "sigmoid")], "xor", epochs=1, batch_size=4, runs=None)
    page = tiny.plan()
    assert page.data["tier"] == "registers"
    assert "in registers" in page.text


@pytest.mark.parametrize(("threads", "said"), [("1", "at best on one core; one thread"), ("2", "; 2 threads share ")])
def test_how_many_threads_a_step_gets_is_said(threads: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_THREADS", threads)
    wide = cr.train([cr.Dense(300, "relu"), cr.Dense(10)], "digits", batch_size=200, epochs=1, runs=None)
    assert said in " ".join(wide.plan().text.split())


def test_without_a_compiler_a_sentence_says_what_to_do(run: cr.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CPU", "neon" if "x86" in str(run.plan().data["isa"]) else "x86-64-v3")
    with pytest.raises(BackendError, match="CHAINRULE_CPU asks for"):
        run.plan()
