"""Training does what the experiment says: accuracy, weights, frozen parts, validation, the smaller last batch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.data.dataset import Dataset
from chainrule.data.load import load
from chainrule.errors import DataError, ExperimentError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import OPTIMIZERS, SGD, Adam
from chainrule.train import loop, thinning
from chainrule.train.events import (
    CheckpointWritten,
    EpochDone,
    Event,
    SliceDone,
    TrainingStarted,
    TrainingStopped,
)
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
from chainrule.train.fit import Fit, fit
from chainrule.train.folder import RunFolder
from chainrule.train.history import read_history
from chainrule.train.resolve import design
from chainrule.train.serialize import read_experiment
from chainrule.train.state import initial_state
from chainrule.train.tensors import read_tensors

PLAIN = Preprocessing(features="none", targets="none")
ALL = SplitPlan(test_fraction=0.0)


def small(**fields: Any) -> tuple[Experiment, Dataset]:
    """Moons, quickly."""
    moons = load("moons", rows=100)
    return design(moons, [Dense(8, "tanh"), Dense(2)], **{"epochs": 3, "batch_size": 16, **fields}), moons


def trained(**fields: Any) -> Fit:
    return fit(*small(**fields))


def bits(result: Fit) -> dict[str, bytes]:
    return {name: value.tobytes() for name, value in result.state.items()}


def test_digits_by_default_are_read_well() -> None:
    digits = load("digits")
    result = fit(design(digits), digits)
    assert result.reason == "completed"
    assert result.scores is not None
    assert result.scores.metrics["accuracy"] >= 0.96
    assert result.scores.rows == 359
    assert result.history["loss"][-1] < 0.1 < result.history["loss"][0]
    assert result.step == 900


@pytest.mark.slow
def test_digits_are_read_well_whatever_the_seed() -> None:
    digits = load("digits")
    scores = [fit(design(digits, seed=seed), digits).scores for seed in range(20)]
    accuracy = [score.metrics["accuracy"] for score in scores if score is not None]
    assert len(accuracy) == 20
    assert np.median(accuracy) >= 0.965, accuracy
    assert min(accuracy) >= 0.96, accuracy


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name: str) -> None:
    chosen = OPTIMIZERS[name]
    rate = 0.02 if isinstance(chosen, Adam) else 0.2
    optimizer = type(chosen)(**{**{f: getattr(chosen, f) for f in chosen.__struct_fields__}, "learning_rate": rate})
    losses = trained(optimizer=optimizer, epochs=15).history["loss"]
    assert losses[-1] < 0.65 * losses[0]


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    assert bits(trained()) == bits(trained())
    assert bits(trained())["dense_1.W"] != bits(trained(seed=1))["dense_1.W"]


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 3.0])
def test_slicing_changes_no_bit(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    whole = trained(epochs=20)
    monkeypatch.setattr(loop, "SLICE_SECONDS", seconds)
    slices: list[Event] = []
    cut = fit(*small(epochs=20), listeners=[slices.append])
    assert bits(cut) == bits(whole)
    assert cut.history == whole.history
    if seconds == 0.0:
        assert sum(isinstance(event, SliceDone) for event in slices) == cut.step, "a slice a step"


def test_the_smaller_last_batch_is_kept_and_counted() -> None:
    x = np.arange(8.0).reshape(8, 1)
    data = load((x, 3.0 * x))
    experiment = design(
        data, [Dense(1)], preprocessing=PLAIN, split=ALL, optimizer=SGD(1e-9), dtype="float64", batch_size=3, epochs=1
    )
    slices: list[Event] = []
    result = fit(experiment, data, weights={"dense_1.W": [[1.0]]}, listeners=[slices.append])
    assert result.step == 3
    assert sum(event.samples for event in slices if isinstance(event, SliceDone)) == 8, "3, 3 and the 2 that remain"
    assert result.history["loss"][0] == pytest.approx(np.mean((2.0 * x) ** 2), rel=1e-6), "each row counts once"


def test_a_sample_weight_of_two_is_the_sample_twice() -> None:
    x = np.array([[0.0], [1.0], [2.0]])
    y = np.array([[1.0], [0.0], [4.0]])
    fields: dict[str, Any] = {
        "preprocessing": PLAIN,
        "split": ALL,
        "optimizer": SGD(0.1),
        "dtype": "float64",
        "epochs": 5,
        "shuffle": False,
    }
    weighted = load((x, y), sample_weight=[1.0, 2.0, 1.0])
    twice = load((x[[0, 1, 1, 2]], y[[0, 1, 1, 2]]))
    start = {"dense_1.W": [[0.5]]}
    left = fit(design(weighted, [Dense(1)], **fields), weighted, weights=start)
    right = fit(design(twice, [Dense(1)], **fields), twice, weights=start)
    for name, value in right.parameters.items():
        np.testing.assert_allclose(left.parameters[name], value, rtol=1e-14)
    np.testing.assert_allclose(left.history["loss"], right.history["loss"], rtol=1e-14)


def test_samples_of_weight_zero_do_not_count() -> None:
    x, y = np.arange(6.0).reshape(6, 1), np.array([0, 1, 0, 1, 0, 1])
    some = load((x, y), sample_weight=[1.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    rest = load((x[[0, 1, 4, 5]], y[[0, 1, 4, 5]]), sample_weight=np.ones(4))
    fields: dict[str, Any] = {"preprocessing": PLAIN, "split": ALL, "batch_size": 1, "shuffle": False, "epochs": 2}
    left, right = (fit(design(data, [Dense(2)], **fields), data) for data in (some, rest))
    assert bits(left) == bits(right)
    assert left.history == right.history


def test_frozen_parameters_keep_their_bits() -> None:
    moved, kept = trained(), trained(frozen=("dense_1.*", "*.b"))
    start = initial_state(moved.prepared.experiment, moved.prepared.record, moved.prepared.graphs)
    assert kept.prepared.graphs.trainable == ("dense_2.W",)
    for name, value in kept.parameters.items():
        is_same = value.tobytes() == start[name].tobytes()
        assert is_same == (name != "dense_2.W"), name
    assert all(value.tobytes() != start[name].tobytes() for name, value in moved.parameters.items())
    assert not any("dense_1" in name and "/" in name for name in kept.state), "no slots for what is frozen"


def test_a_pattern_that_freezes_nothing_or_everything_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown parameter to freeze 'dense1\.W': did you mean 'dense_1\.W'"):
        trained(frozen=("dense1.W",))
    with pytest.raises(ExperimentError, match="leaves no parameter to train"):
        trained(frozen=("*",))


def test_weights_set_by_hand_are_where_it_begins() -> None:
    bias = np.linspace(-1.0, 1.0, 8)
    experiment, data = small(epochs=1, optimizer=SGD(1e-30))
    result = fit(experiment, data, weights={"dense_1.b": bias})
    drawn = fit(experiment, data)
    assert np.array_equal(result.parameters["dense_1.b"], bias.astype(np.float32))
    assert result.parameters["dense_1.W"].tobytes() == drawn.parameters["dense_1.W"].tobytes(), "the rest is drawn"
    recorded = result.prepared.experiment
    assert recorded.initial_weights is not None
    assert recorded.hash != drawn.prepared.experiment.hash
    assert bits(fit(recorded, data, weights={"dense_1.b": bias})) == bits(result)
    with pytest.raises(ExperimentError, match="and none were given"):
        fit(recorded, data)
    with pytest.raises(ExperimentError, match="and others were given"):
        fit(recorded, data, weights={"dense_1.b": bias + 1})


def test_weights_that_do_not_fit_are_refused() -> None:
    experiment, data = small()
    with pytest.raises(UnknownNameError, match=r"unknown parameter 'dens_1\.W': did you mean 'dense_1\.W'"):
        fit(experiment, data, weights={"dens_1.W": np.zeros((2, 8))})
    with pytest.raises(ShapeError, match=r"dense_1\.W has shape \(2, 8\), and weights of shape \(8, 2\) were given"):
        fit(experiment, data, weights={"dense_1.W": np.zeros((8, 2))})
    with pytest.raises(ValueRangeError, match="not finite"):
        fit(experiment, data, weights={"dense_1.b": np.full(8, np.nan)})


def test_validation_is_opt_in_and_keeps_the_best(tmp_path: Path) -> None:
    without = trained()
    assert list(without.history) == ["loss", "accuracy"]
    assert without.best is None
    experiment, data = small(split=SplitPlan(validation_fraction=0.25), optimizer=Adam(0.3), epochs=12)
    result = fit(experiment, data, parent=tmp_path)
    losses = result.history["val_loss"]
    assert list(result.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert result.best is not None
    assert result.best.epoch == int(np.argmin(losses)) < 11, "the rate is large enough to get worse again"
    assert result.best.val_loss == min(losses)
    assert result.folder is not None
    assert result.best_parameters is not None
    best = read_tensors(result.folder.best)
    assert {n: v.tobytes() for n, v in best.items()} == {n: v.tobytes() for n, v in result.best_parameters.items()}
    assert best["dense_1.W"].tobytes() != result.parameters["dense_1.W"].tobytes()
    shorter = fit(experiment.but(epochs=result.best.epoch + 1), data)
    assert shorter.parameters["dense_1.W"].tobytes() == best["dense_1.W"].tobytes()


def test_a_run_leaves_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "STRETCH_SECONDS", 1e9)  # however slow the machine
    experiment, data = small()
    events: list[Event] = []
    result = fit(experiment, data, parent=tmp_path, listeners=[events.append])
    folder = result.folder
    assert folder is not None
    assert folder.path == tmp_path / f"moons-{result.prepared.experiment.hash}"
    assert sorted(p.name for p in folder.path.iterdir()) == [
        "checkpoints",
        "data.json",
        "experiment.toml",
        "history.jsonl",
        "lock",
        "summary.json",
        "weights.safetensors",
    ]
    assert read_experiment(folder.experiment) == result.prepared.experiment
    assert read_history(folder.history) == result.history
    weights = read_tensors(folder.weights)
    assert {n: v.tobytes() for n, v in weights.items()} == {n: v.tobytes() for n, v in result.parameters.items()}
    summary = folder.read_summary()
    assert summary is not None
    assert (summary.reason, summary.epochs, summary.step) == ("completed", 3, 15)
    assert summary.test == result.scores.metrics if result.scores else False
    assert folder.checkpoints.steps == (0, 1, 2, 4, 8, 15)
    again = fit(experiment, data, parent=tmp_path)
    assert again.folder is not None
    assert again.folder.path.name == folder.path.name + "-2"
    assert isinstance(events[0], TrainingStarted)
    assert isinstance(events[-1], TrainingStopped)
    assert [event.epoch for event in events if isinstance(event, EpochDone)] == [0, 1, 2]
    assert [event.step for event in events if isinstance(event, CheckpointWritten)] == [0, 1, 2, 4, 8, 15]


def test_the_name_of_a_run_is_a_name_of_a_folder(tmp_path: Path) -> None:
    experiment, data = small(name="../über/a b", epochs=1)
    folder = fit(experiment, data, parent=tmp_path).folder
    assert isinstance(folder, RunFolder)
    assert folder.path.parent == tmp_path
    assert folder.path.name.startswith("ber-a-b-")


def test_listeners_change_nothing_and_see_every_step(tmp_path: Path) -> None:
    alone = trained()
    losses: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone):
            losses.extend(event.losses)

    watched = fit(*small(), parent=tmp_path, listeners=[listen])
    assert bits(watched) == bits(alone)
    assert len(losses) == alone.step
    first = losses[:5]  # the batches of the first epoch, each of 16 rows
    assert watched.history["loss"][0] == pytest.approx(np.mean(first))


def test_float64_trains_in_float64_and_near_float32() -> None:
    single, double = trained(), trained(dtype="float64")
    assert {value.dtype.name for value in double.parameters.values()} == {"float64"}
    np.testing.assert_allclose(single.parameters["dense_1.W"], double.parameters["dense_1.W"], atol=1e-4)


def test_two_classes_with_one_output() -> None:
    xor = load("xor")
    experiment = design(xor, [Dense(8, "tanh"), Dense(1)], optimizer=Adam(0.05), epochs=300, batch_size=4)
    result = fit(experiment, xor)
    assert result.prepared.experiment.loss == "binary_cross_entropy"
    assert result.history["accuracy"][-1] == 1.0
    assert result.scores is None, "xor has no test part"
    same = fit(experiment.but(network=(Dense(8, "tanh"), Dense(1, "sigmoid"))), xor)
    assert bits(same) == bits(result), "the link is part of the loss"


def test_squared_error_on_classes_learns_one_hot_rows() -> None:
    result = trained(loss="half_squared_error", epochs=30, optimizer=SGD(0.3))
    assert result.history["accuracy"][-1] > 0.8


def test_data_that_are_not_those_of_the_experiment_are_refused() -> None:
    experiment, _ = small()
    with pytest.raises(DataError, match="the data changed since they were recorded"):
        fit(experiment, load("moons", rows=101))


def test_large_numbers_are_scaled_before_they_are_rounded() -> None:
    """Seconds since 1970 in float64: a float32 knows them to 128 s only, and all samples lie within 200 s."""
    time = 1.6e9 + np.arange(200.0).reshape(-1, 1)
    data = load((time, (np.arange(200) >= 90).astype(int)))
    result = fit(design(data, [Dense(2)], optimizer=Adam(0.1), epochs=60), data)
    assert result.prepared.experiment.dtype == "float32"
    assert result.history["accuracy"][-1] > 0.95


def test_a_slice_is_as_long_as_all_that_happens_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short epochs that end slowly: what listeners take counts, so that a stop is soon seen."""
    experiment, data = small()
    slices: list[tuple[int, float]] = []

    def recorded(done: int, seconds: float, planned: int, *, lasting: float, growth: int) -> int:
        slices.append((done, seconds))
        return 10

    def slow(event: Event) -> None:
        if isinstance(event, EpochDone):
            time.sleep(0.01)

    monkeypatch.setattr(loop, "next_length", recorded)
    fit(experiment, data, listeners=[slow])
    assert sum(done for done, _ in slices) == 15
    assert sum(seconds for _, seconds in slices) >= 3 * 0.01
