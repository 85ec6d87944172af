"""A loss that leaves the numbers stops the run with place and advice, and what was good is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.data.load import load
from chainrule.errors import NonFiniteError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD
from chainrule.train import loop
from chainrule.train.events import Event, SliceDone, TrainingStopped
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
from chainrule.train.fit import fit
from chainrule.train.folder import open_folder
from chainrule.train.resolve import design
from chainrule.train.tensors import read_tensors

X = np.linspace(-1.0, 1.0, 30).reshape(30, 1)
DATA = load((X, 2.0 * X))
PLAIN = Preprocessing(features="none", targets="none")


def diverging(**fields: Any) -> Experiment:
    chosen = {"optimizer": SGD(1.0), "batch_size": 7, "epochs": 50, "preprocessing": PLAIN, "shuffle": False}
    return design(DATA, [Dense(4), Dense(1)], **{**chosen, **fields})


def place(error: BaseException) -> tuple[int, int, int]:
    """Epoch, step and batch as the sentence tells them."""
    found = re.search(r"in epoch (\d+), at step (\d+) \(batch (\d+) of 4\)", str(error))
    assert found, str(error)
    return int(found[1]), int(found[2]), int(found[3])


def test_a_diverging_run_says_where_and_what_to_try() -> None:
    events: list[Event] = []
    with pytest.raises(NonFiniteError) as raised:
        fit(diverging(), DATA, listeners=[events.append])
    sentence = str(raised.value)
    assert re.match(r"the loss became (inf|nan) in epoch", sentence)
    assert "try a smaller learning rate than 1, or scale the features" in sentence
    epoch, step, batch = place(raised.value)
    assert step == 4 * (epoch - 1) + batch - 1
    assert isinstance(events[-1], TrainingStopped)
    assert events[-1].reason == "non-finite"


@pytest.fixture(scope="module")
def found() -> tuple[int, int, int]:
    with pytest.raises(NonFiniteError) as raised:
        fit(diverging(), DATA)
    return place(raised.value)


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_the_place_does_not_depend_on_slices(
    monkeypatch: pytest.MonkeyPatch, seconds: float, found: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", seconds)
    with pytest.raises(NonFiniteError) as raised:
        fit(diverging(), DATA)
    assert place(raised.value) == found


def test_the_step_named_is_the_first_bad_one(monkeypatch: pytest.MonkeyPatch, found: tuple[int, int, int]) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    losses: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone):
            losses.extend(event.losses)

    with pytest.raises(NonFiniteError):
        fit(diverging(), DATA, listeners=[listen])
    assert len(losses) == found[1] >= 3
    assert np.isfinite(losses).all()


def test_what_was_good_is_kept(tmp_path: Path, found: tuple[int, int, int]) -> None:
    with pytest.raises(NonFiniteError) as raised:
        fit(diverging(), DATA, parent=tmp_path)
    (path,) = tmp_path.iterdir()
    assert str(path) in str(raised.value)
    folder = open_folder(path)
    last = folder.checkpoints.latest()
    assert last.step <= found[1]
    assert all(np.isfinite(value).all() for value in last.state.values())
    kept = read_tensors(folder.weights)
    assert all(kept[name].tobytes() == last.state[name].tobytes() for name in kept)
    summary = folder.read_summary()
    assert summary is not None
    assert summary.reason == "non-finite"
    assert summary.problem is not None
    assert place(ValueError(summary.problem)) == found


def test_weights_that_leave_the_numbers_in_the_last_step_are_not_saved(tmp_path: Path) -> None:
    """The loss is measured before the update: after the very last one only the weights can tell."""
    experiment = diverging(optimizer=SGD(3e38), epochs=1, batch_size=30, split=SplitPlan(test_fraction=0.0))
    with pytest.raises(NonFiniteError, match="holds a number that is not finite after step 1"):
        fit(experiment, DATA, weights={"dense_1.W": np.full((1, 4), 30.0)}, parent=tmp_path)
    (path,) = tmp_path.iterdir()
    assert open_folder(path).checkpoints.latest().step == 0


def test_logits_of_a_thousand_do_no_harm() -> None:
    digits = load("digits")
    experiment = design(
        digits, [Dense(10)], epochs=1, optimizer=SGD(0.01), preprocessing=Preprocessing(features="none")
    )
    start = {"dense_1.W": np.full((64, 10), 7.0) * np.linspace(-1, 1, 10)}
    result = fit(experiment, digits, weights=start)
    assert np.isfinite(result.history["loss"][0])
    assert result.history["loss"][0] > 100
