"""A small measurement from end to end: processes, turns, judgments, and the command that asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chainrule.bench import measure as measure_module
from chainrule.bench import process
from chainrule.bench.measure import PATIENCE, Plan, measure
from chainrule.bench.peers import PEERS, Peer, peers_named
from chainrule.bench.process import Failed, Process, unheld
from chainrule.bench.surroundings import core_times, quietest, stolen_share, usable_cores
from chainrule.bench.task import write_task
from chainrule.cli import main
from chainrule.errors import UnknownNameError, ValueRangeError, WriteError
from tests.absent import require
from tests.bench.cases import case_of, small_task

QUICK = Plan(windows=2, seconds=0.5)


@pytest.fixture(autouse=True)
def llvmlite_is_here() -> None:
    require("llvmlite", "pip install llvmlite")


def silent(said: str) -> None:
    assert said


def test_systems_take_turns_and_are_judged() -> None:
    said: list[str] = []
    rows = measure(case_of("W1"), peers_named(["chainrule_reference", "numpy"]), QUICK, said.append)
    assert [(row.system, row.variant) for row in rows] == [
        ("chainrule reference", "slices of training"),
        ("NumPy by hand", "expressions"),
        ("NumPy by hand", "arrays made once"),
    ]
    for row in rows:
        assert row.best_us is not None
        assert row.floor_us is not None
        assert row.loss_error is not None
        assert row.p25_us is not None
        assert row.floor_us < row.best_us <= row.p25_us
        assert row.loss_error < 1e-5
        assert 2 <= row.windows <= 2 * PATIENCE
        assert 0 <= row.disturbed <= 2 * PATIENCE
        assert row.steps_per_window >= 1
        assert row.machine is not None
        assert row.versions
    assert any("3 take turns" in each for each in said)


def test_a_system_that_is_absent_is_a_row_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Peer("numpy_by_hand", "numpy", "Nobody", ("no_such_module",), ())
    monkeypatch.setitem(PEERS, "numpy_by_hand", absent)
    rows = measure(case_of("W1"), [absent], QUICK, silent)
    assert [row.system for row in rows] == ["Nobody"]
    assert rows[0].best_us is None
    assert rows[0].void == "no_such_module cannot be imported here: run pip install 'chainrule[bench]'"


def test_a_network_a_system_has_not_is_a_row_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_module, "absence", lambda peer: "")
    rows = measure(case_of("W1"), peers_named(["sklearn"]), QUICK, silent)
    assert [row.void for row in rows] == ["scikit-learn has no squared error behind a sigmoid"]


def test_a_system_that_trains_another_network_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_module, "true_losses", lambda task, steps: [0.3] * steps)
    (row,) = measure(case_of("W1"), peers_named(["chainrule_reference"]), QUICK, silent)
    assert row.best_us is None
    assert row.void is not None
    assert "trains another net" in row.void


def test_a_time_below_the_floor_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_module, "floor_seconds", lambda recipe, limits: 3600.0)
    (row,) = measure(case_of("W1"), peers_named(["chainrule_reference"]), QUICK, silent)
    assert row.best_us is row.p25_us is row.share_of_peak is None
    assert row.void is not None
    assert "below the floor" in row.void


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[str, int], Process]:
    write_task(tmp_path, small_task(case_of("W1"), 4))
    return lambda peer, number: Process(tmp_path, peer, number, quietest(1), tmp_path / "log")


def test_a_process_trains_what_it_is_told(begin: Callable[[str, int], Process]) -> None:
    with begin("numpy_by_hand", 0) as worker:
        worker.ready()
        assert len(worker.do("check")["losses"]) == 100
        steps = worker.do("calibrate")["steps"]
        done = worker.do("window")
        assert done["steps"] == steps
        assert done["seconds"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux it is stopped")
def test_a_process_rests_between_its_turns(begin: Callable[[str, int], Process]) -> None:
    with begin("numpy_by_hand", 0) as worker:
        for turn in (worker.ready, lambda: worker.do("check"), lambda: worker.do("window")):
            turn()
            stat = Path(f"/proc/{worker.number}/stat").read_text(encoding="utf-8")
            assert stat.rpartition(")")[2].split()[0] == "T"  # stopped


def test_a_process_that_cannot_says_why(begin: Callable[[str, int], Process]) -> None:
    with begin("numpy_by_hand", 7) as worker, pytest.raises(Failed, match="IndexError"):
        worker.ready()


def test_a_process_that_dies_leaves_its_last_words(
    monkeypatch: pytest.MonkeyPatch, begin: Callable[[str, int], Process]
) -> None:
    monkeypatch.setattr(process, "WORKER", "no_such_module_at_all")
    with begin("numpy_by_hand", 0) as worker, pytest.raises(Failed, match="No module named no_such_module_at_all"):
        worker.ready()


def test_what_pytorch_compiles_is_not_taken_from_another_run(
    monkeypatch: pytest.MonkeyPatch, begin: Callable[[str, int], Process], tmp_path: Path
) -> None:
    given: list[dict[str, str]] = []
    start = subprocess.Popen

    def noted(*arguments: Any, env: dict[str, str], **rest: Any) -> Any:
        given.append(env)
        return start(*arguments, env=env, **rest)

    monkeypatch.setattr(process.subprocess, "Popen", noted)
    with begin("numpy_by_hand", 0) as worker:
        worker.ready()
    assert Path(given[0]["TORCHINDUCTOR_CACHE_DIR"]).parent == tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds processes here")
def test_a_process_is_bound_to_its_core(begin: Callable[[str, int], Process]) -> None:
    with begin("numpy_by_hand", 0) as worker:
        worker.ready()
        assert len(os.sched_getaffinity(worker.number)) == 1


def test_only_what_can_be_held_to_an_instruction_set_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINRULE_CPU", raising=False)
    assert unheld("jax_scan") == ""
    monkeypatch.setenv("CHAINRULE_CPU", "generic")
    assert "cannot be held to generic" in unheld("jax_scan")
    assert unheld("chainrule_native") == ""


@pytest.mark.parametrize("wrong", [{"cores": 0}, {"cores": 100_000}, {"windows": 0}, {"seconds": 0.0}, {"window": 0.1}])
def test_a_plan_that_measures_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueRangeError, match="give"):
        Plan(**wrong)


def test_the_quietest_cores_are_usable_ones() -> None:
    assert set(quietest(1)) <= set(usable_cores())
    assert len(quietest(1)) == 1


def test_stolen_time_is_a_share_of_all_time() -> None:
    before = {0: (0, 0, 0, 0, 0, 0, 0, 0), 1: (0, 0, 0, 0, 0, 0, 0, 0)}
    after = {0: (60, 0, 10, 20, 0, 0, 0, 10), 1: (50, 0, 0, 50, 0, 0, 0, 0)}
    assert stolen_share(before, after) == pytest.approx(10 / 200)
    assert stolen_share(before, before) == -1.0
    assert stolen_share({}, {}) == -1.0
    assert set(usable_cores()) <= set(core_times()) or sys.platform != "linux"


def test_the_command_prints_an_object_a_row_and_writes_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "report"
    words = ["bench", "W1", "--peers", "numpy", "--cores", "1", "--windows", "1", "--json", "--report", str(folder)]
    main(words)
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert {row["system"] for row in rows} == {"chainrule native", "chainrule reference", "NumPy by hand"}
    assert all(row["workload"] == "W1" for row in rows)
    assert "take turns" in said.err
    assert len((folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()) == len(rows)
    assert "physical floor" in (folder / "page.md").read_text(encoding="utf-8")
    assert (folder / "chart.svg").read_text(encoding="utf-8").startswith("<svg")


def test_a_report_goes_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "report"
    taken.write_text("", encoding="utf-8")
    words = ["bench", "W1", "--peers", "numpy", "--cores", "1", "--windows", "1", "--json", "--report", str(taken)]
    assert main(words) == WriteError.exit_code
    assert "is a file, and a folder of that name is needed: move it or choose another" in capsys.readouterr().err


def test_the_command_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "W1", "--peers", "pytorch"]) == 2
    assert "did you mean 'torch'" in capsys.readouterr().err
    assert main(["bench", "W1", "--cores", "1000000"]) == 2
    assert "can be used here" in capsys.readouterr().err
    with pytest.raises(UnknownNameError):
        peers_named(["nobody at all"])
