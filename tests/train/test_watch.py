"""A weight watched over a replay: the values are those of the run, the parts are the samples', no bit is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data.batches import epoch_order, offsets
from chainrule.train import watch as watching
from chainrule.train.watch import watch
from tests.train.observing import observed, same

OPTIMIZERS = {"sgd": cr.SGD(0.1), "momentum": cr.SGD(0.05, momentum=0.9), "adam": cr.Adam(0.01)}


def trained(folder: Path, **options: Any) -> cr.Run:
    """40 training rows in batches of 7, the last of 5, ten epochs of six steps."""
    x = np.random.default_rng(1).normal(size=(50, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    fields: dict[str, Any] = {"epochs": 10, "batch_size": 7, "test_fraction": 0.2, "seed": 5, **options}
    return cr.train([cr.Dense(6, "tanh"), cr.Dense(2)], (x, y), runs=folder, **fields)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_values_and_slots_are_those_of_the_run_and_no_bit_is_changed(
    tmp_path: Path, optimizer: str, backend: str, dtype: str
) -> None:
    run = trained(tmp_path, optimizer=OPTIMIZERS[optimizer], backend=backend, dtype=dtype, validation_split=0.1)
    seen = observed(run)
    for first, last in ((0, run.step), (13, 29)):
        found = watch(run.prepared, run.at(first).checkpoint, last, "dense_1.W", (2, 3))
        assert found.values.tolist() == [float(state["dense_1.W"][2, 3]) for state in seen[first : last + 1]]
        for slot, values in found.slots.items():
            assert values.tolist() == [float(state[f"dense_1.W/{slot}"][2, 3]) for state in seen[first:last]]
        assert same(found.end, seen[last])
    assert set(found.slots) == set(OPTIMIZERS[optimizer].slots)


def test_visits_are_the_batches_and_their_parts_make_the_gradient(tmp_path: Path) -> None:
    run = trained(tmp_path, optimizer=cr.SGD(0.1), dtype="float64")
    found = watch(run.prepared, run.at(0).checkpoint, run.step, "dense_2.b", (1,))
    rows: list[int] = []
    for epoch in range(10):
        rows += epoch_order(run.prepared.rows, 5, epoch).tolist()
    assert found.rows.tolist() == rows
    cuts = offsets(40, 7)
    assert np.diff(found.bounds).tolist() == np.diff(cuts).tolist() * 10
    assert found.own is not None
    assert np.add.reduceat(found.own, found.bounds[:-1]) == pytest.approx(found.gradients, rel=1e-12, abs=1e-15)
    assert np.diff(found.values) == pytest.approx(-0.1 * found.gradients, rel=1e-9, abs=1e-15)


def test_the_parts_are_the_nudges_of_that_step(tmp_path: Path) -> None:
    """Nudges are opened by another graph, in float64, from the run as it was at that step."""
    run = trained(tmp_path, optimizer=cr.Adam(0.01), dtype="float64")
    found = watch(run.prepared, run.at(0).checkpoint, run.step, "dense_1.W", (2, 3))
    assert found.own is not None
    for step in (0, 5, 41):
        nudges: Any = run.nudges(["dense_1.W[2, 3]"], at=step).data
        start, stop = found.bounds[step : step + 2]
        assert nudges["samples"] == found.rows[start:stop].tolist()
        parts = -np.array(nudges["weights"][0]["nudges"]) * np.array(nudges["shares"])
        assert found.own[start:stop] == pytest.approx(parts, rel=1e-9, abs=1e-14)
        assert found.gradients[step] == pytest.approx(nudges["weights"][0]["gradient"], rel=1e-9, abs=1e-14)


def test_batches_too_large_are_watched_without_telling_samples_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(tmp_path, optimizer=cr.SGD(0.1))
    whole = watch(run.prepared, run.at(0).checkpoint, 20, "dense_1.W", (2, 3))
    monkeypatch.setattr(watching, "MOST_IN_BATCH", 6)
    found = watch(run.prepared, run.at(0).checkpoint, 20, "dense_1.W", (2, 3))
    assert found.own is None
    assert np.array_equal(found.values, whole.values)
    assert np.array_equal(found.gradients, whole.gradients)


def test_how_far_it_has_come_is_told(tmp_path: Path) -> None:
    run = trained(tmp_path, optimizer=cr.SGD(0.1))
    told: list[tuple[int, int]] = []
    watch(run.prepared, run.at(10).checkpoint, 50, "dense_1.b", (0,), lambda done, whole: told.append((done, whole)))
    assert told[-1] == (40, 40)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    with pytest.raises(cr.errors.RunError, match="there is no step 61: the 10 epochs end at step 60"):
        watch(run.prepared, run.at(10).checkpoint, 61, "dense_1.b", (0,))
