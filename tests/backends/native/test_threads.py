"""Threads: the same bits for any number of them, as many as allowed, patience with a busy machine, life after fork."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.backends.native import NativeBackend, crew
from chainrule.backends.native.crew import Crew, Patience, thread_count, usable_cores
from chainrule.backends.protocol import StopFlag
from chainrule.errors import ValueRangeError
from tests.backends.native.agreement import train
from tests.backends.native.networks import first_state, network_step, samples

WIDE: dict[str, dict[str, Any]] = {
    "wide": {"widths": (200, 130, 70, 10), "loss": "cross_entropy"},
    "adam": {"widths": (100, 150, 3), "optimizer": "adam", "activation": "tanh"},
    "long batch": {"widths": (4, 32, 16, 4), "activation": "tanh"},
}
BATCH = {"wide": 40, "adam": 40, "long batch": 1500}


@pytest.mark.parametrize("name", WIDE)
def test_the_bits_do_not_depend_on_the_number_of_threads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = network_step(**WIDE[name], measure=("loss", "norms"))
    start, data = first_state(step), samples(step, 3 * BATCH[name] + 7)
    found: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for threads in (1, 2, 3, 4):
        monkeypatch.setenv(crew.VARIABLE, str(threads))
        found.append(train(step, NativeBackend(), start, data, BATCH[name], 4))
    for state, measured in found[1:]:
        assert all(state[key].tobytes() == array.tobytes() for key, array in found[0][0].items())
        assert all(measured[key].tobytes() == array.tobytes() for key, array in found[0][1].items())


def test_large_steps_are_shared_and_small_ones_are_not() -> None:
    for widths, is_shared in (((200, 130, 70, 10), True), ((2, 2, 1), False)):
        step = network_step(widths)
        program = NativeBackend().compile(step)
        state, data = program.start(first_state(step)), samples(step, 40)
        program.run(state, data, np.arange(40), np.array([0, 40]), {"rate": np.ones(1)}, 1, StopFlag())
        (compiled,) = program._compiled.values()
        assert compiled.code.is_shared == is_shared
        assert set(compiled._entries) == {compiled.threads > 1}


def test_the_number_of_threads_is_asked_for_or_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(crew.VARIABLE, "3")
    assert thread_count() == 3
    for wrong in ("0", "-1", "many", "65"):
        monkeypatch.setenv(crew.VARIABLE, wrong)
        with pytest.raises(ValueRangeError, match="set it to a number of threads from 1 to 64"):
            thread_count()
    monkeypatch.setenv(crew.VARIABLE, "")
    assert 1 <= thread_count() <= (os.cpu_count() or 1)
    for text, cores in (("50000 100000", 1), ("max 100000", usable_cores()), ("nonsense", usable_cores())):
        file = tmp_path / "cpu.max"
        file.write_text(text, "ascii")
        monkeypatch.setattr(crew, "QUOTA", file)
        assert usable_cores() == cores or "max" not in text


def test_a_crew_does_every_task_once_and_tells_of_failures() -> None:
    crew_, done = Crew(), set[int]()
    crew_.run(done.add, 4)
    assert done == {0, 1, 2, 3}
    crew_.run(done.discard, 2)
    assert done == {2, 3}

    def fails(number: int) -> None:
        if number == 1:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        crew_.run(fails, 3)
    crew_.run(done.add, 3)
    assert done == {0, 1, 2, 3}


def test_a_crew_waits_for_all_of_a_task_after_one_that_was_interrupted() -> None:
    crew_, done = Crew(), set[int]()

    def is_interrupted(number: int) -> None:
        if number == 0:
            raise KeyboardInterrupt

    def takes_longer(number: int) -> None:
        time.sleep(0.05 * number)
        done.add(number)

    with pytest.raises(KeyboardInterrupt):
        crew_.run(is_interrupted, 3)
    crew_.run(takes_longer, 3)
    assert done == {0, 1, 2}


def test_patience_goes_on_alone_where_the_machine_is_busy() -> None:
    patience = Patience()
    busy = {"steps": 2000, "seconds": 0.02, "slept": 500, "meetings": 1000, "threads": 2}
    assert patience.threads(2) == 2
    patience.note(**{**busy, "slept": 2})
    assert patience.threads(2) == 2
    patience.note(**busy)
    assert [patience.threads(2) for _ in range(2)] == [1, 2]  # once alone, to know how long that takes
    patience.note_alone(2000, 0.01)
    for pause in (8, 16, 32):
        patience.note(**busy)
        assert [patience.threads(2) for _ in range(pause + 1)] == [1] * pause + [2]
    patience.note(**{**busy, "slept": 0})
    patience.note(**busy)
    assert [patience.threads(2) for _ in range(9)] == [1] * 8 + [2]


def test_patience_bears_sleep_that_is_worth_it() -> None:
    patience = Patience()
    patience.note_alone(1, 6e-3)
    for _ in range(20):
        patience.note(steps=5, seconds=0.0175, slept=70, meetings=75, threads=2)
        assert patience.threads(2) == 2


def test_patience_does_not_judge_by_a_short_slice() -> None:
    patience = Patience()
    patience.note_alone(1, 2e-4)
    for _ in range(20):
        patience.note(steps=1, seconds=4e-4, slept=10, meetings=10, threads=2)
        assert patience.threads(2) == 2
    for _ in range(8):
        patience.note(steps=1, seconds=4e-4, slept=10, meetings=10, threads=2)
    assert patience.threads(2) == 1  # they add up


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which this system lacks: run it on Linux")
def test_a_child_process_has_a_crew_of_its_own() -> None:
    script = (
        "import os, sys\n"
        "from tests.backends.native.test_threads import *\n"
        "step = network_step(**WIDE['wide'])\n"
        "start, data = first_state(step), samples(step, 80)\n"
        "backend = NativeBackend()\n"
        "before = train(step, backend, start, data, 40, 2)[0]['W0'].tobytes()\n"
        "child = os.fork()\n"
        "after = train(step, backend, start, data, 40, 2)[0]['W0'].tobytes()\n"
        "if child == 0: os._exit(0 if after == before else 3)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or after != before)\n"
    )
    environment = {**os.environ, crew.VARIABLE: "2", "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    root = Path(__file__).parents[3]
    run = [sys.executable, "-W", "ignore", "-c", script]
    subprocess.run(run, env=environment, cwd=root, check=True, timeout=120)
