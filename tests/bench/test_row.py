"""A result's fields, and the rules that void it."""

from __future__ import annotations

import json
import math

import pytest

from chainrule.bench.oracle import task_of
from chainrule.bench.row import Row, crowded, disagreement, impossible, loss_error, unsteady, voided
from chainrule.document.plain import plain_value
from tests.bench.cases import case_of, small_samples
from tests.bench.rows import ABSENT, NATIVE, ROWS

NUMBERS = (
    "best_us", "p25_us", "median_us", "floor_us", "probe_gflops", "flops_per_cycle", "share_of_peak",
    "share_of_floor", "compile_ms", "loss_error",
)  # fmt: skip
TEXTS = ("workload", "optimizer", "storage", "system", "variant", "effort", "samples", "note")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.system)
def test_a_row_is_one_object_of_json(row: Row) -> None:
    said = json.loads(json.dumps(plain_value(row.data())))
    assert set(said) == {
        *NUMBERS, *TEXTS, "cores", "windows", "disturbed", "steps_per_window", "instruction_set", "void", "stolen",
        "versions", "machine",
    }  # fmt: skip
    assert all(isinstance(said[name], str) for name in TEXTS)
    assert all(said[name] is None or isinstance(said[name], float) for name in NUMBERS)
    assert said["void"] is None or isinstance(said["void"], str)
    assert said["effort"] in {"documented", "best"}
    assert isinstance(said["cores"], int)
    assert set(said["machine"]) == {"processor", "cores", "system", "python", "governor", "date", "load", "busy"}


def test_a_row_without_a_time_says_why() -> None:
    assert ABSENT.best_us is None
    assert ABSENT.void


def test_a_void_row_loses_its_times() -> None:
    row = voided(NATIVE, "for a reason")
    assert row.void == "for a reason"
    assert row.best_us is row.p25_us is row.median_us is row.share_of_peak is row.share_of_floor is None
    assert row.floor_us == NATIVE.floor_us


def test_a_time_below_the_floor_is_an_error_of_the_benchmark() -> None:
    assert impossible(5.08, 5.08) == ""
    assert "below the floor of 5.08 µs" in impossible(5.07, 5.08)


def test_too_few_undisturbed_windows_void_the_row() -> None:
    assert crowded(5, 100) == ""
    assert crowded(40, 800) == ""
    assert "39 of 800 windows" in crowded(39, 800)
    assert crowded(2, 2) == ""
    assert "4 of 800 windows had all of it" in crowded(4, 800)
    assert "0 of 2 windows" in crowded(0, 2)


def test_probes_that_differ_void_the_run() -> None:
    assert unsteady([100.0, 97.1, 99.0]) == ""
    assert "from 96.9 to 100.0 GFLOP/s" in unsteady([100.0, 96.9, 99.0])
    assert "from 90.0 to 100.0 GFLOP/s" in unsteady([100.0, 100.0, 100.0, 100.0, 90.0, 90.0])


def test_probes_that_others_disturbed_are_outdone_by_better_ones() -> None:
    assert unsteady([100.0, 60.0, 70.0, 99.0, 60.0, 98.0]) == ""
    assert unsteady([100.0]) == unsteady([100.0, 99.0]) == ""


@pytest.mark.parametrize(("optimizer", "allowed"), [("sgd", 1e-5), ("adam", 1e-4)])
def test_losses_that_differ_void_a_row(optimizer: str, allowed: float) -> None:
    case = case_of("W3", "adam" if optimizer == "adam" else "sgd")
    recipe = task_of(case, small_samples(case, 40), 1).recipe
    assert disagreement(recipe, allowed) == ""
    assert "trains another net" in disagreement(recipe, 1.1 * allowed)
    assert disagreement(recipe, math.inf)


def test_the_error_of_losses_is_relative_and_the_largest() -> None:
    assert loss_error([1.0, 2.02, 0.5], [1.0, 2.0, 0.5]) == pytest.approx(0.01)
    assert loss_error([1.0, 2.0, 3.0], [1.0, 2.0]) == 0.0
    assert loss_error([1.0], [1.0, 2.0]) == math.inf
    assert loss_error([1.0, math.nan], [1.0, 2.0]) == math.inf
