"""Any step of a run again, bit for bit: against a run observed step by step, whatever the slices and the stops."""

from __future__ import annotations

import time
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors.notices import Notice
from chainrule.train import loop
from chainrule.train import replay as replay_module
from chainrule.train.events import Event, SliceDone
from chainrule.train.history import History
from chainrule.train.replay import replay
from chainrule.train.stopping import Stopper
from tests.train.observing import observed, same

STEPS = np.random.default_rng(3).permutation(120)[:50]
OPTIMIZERS = {"sgd": cr.SGD(0.1), "momentum": cr.SGD(0.05, momentum=0.9), "adam": cr.Adam(0.01)}


@pytest.fixture(autouse=True)
def one_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, only checkpoints of log-spaced steps stay."""
    monkeypatch.setattr(import_module("chainrule.train.thinning"), "STRETCH_SECONDS", 1e9)


def trained(folder: Path, optimizer: str, backend: str = "reference", **options: Any) -> cr.Run:
    """40 training rows in batches of 7, six of them an epoch: 120 steps."""
    x = np.random.default_rng(1).normal(size=(50, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    fields: dict[str, Any] = {"epochs": 20, "batch_size": 7, "test_fraction": 0.2, "seed": 5, **options}
    layers = [cr.Dense(6, "tanh"), cr.Dense(2)]
    return cr.train(layers, (x, y), optimizer=OPTIMIZERS[optimizer], backend=backend, runs=folder, **fields)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", ["reference", "native"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_fifty_steps_have_the_bits_of_a_run_observed_step_by_step(
    tmp_path: Path, optimizer: str, backend: str, dtype: str
) -> None:
    run = trained(tmp_path, optimizer, backend, validation_split=0.0, dtype=dtype)
    assert run.step == 120
    seen = observed(run)
    assert same(run.checkpoint.state, seen[120])
    for step in map(int, STEPS):
        moment = run.at(step)
        assert moment.step == step
        assert same(moment.checkpoint.state, seen[step]), step
    assert not same(seen[40], seen[41])


def stopped_and_resumed(folder: Path, steps: tuple[int, ...], backend: str) -> cr.Run:
    """The same run, stopped about these steps and gone on with."""
    stopper = Stopper()

    def stop_at(step: int, stopper: Stopper) -> Any:
        def listen(event: Event) -> None:
            if isinstance(event, SliceDone) and event.step >= step:
                stopper.ask()

        return listen

    run = trained(folder, "adam", backend, listeners=[stop_at(steps[0], stopper)], stopper=stopper)
    for step in steps[1:]:
        stopper = Stopper()
        run = run.resume(listeners=[stop_at(step, stopper)], stopper=stopper)
    return run.resume() if run.step < 120 else run


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_after_interruptions_and_resumes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    run = stopped_and_resumed(tmp_path / "stopped", (5, 37, 38, 90), backend)
    assert run.step == 120
    seen = observed(run)
    for step in (0, 4, 5, 6, 36, 37, 38, 39, 63, 64, 65, 90, 91, 119, 120):
        assert same(run.at(step).checkpoint.state, seen[step]), step


def test_a_replayed_run_has_the_counters_of_its_step_and_goes_on_to_the_same_end(tmp_path: Path) -> None:
    run = trained(tmp_path, "adam", validation_split=0.2)
    step = 43
    moment = run.at(step)
    per_epoch = run.step // run.epochs
    assert (moment.checkpoint.epoch, moment.checkpoint.steps_of_epoch) == divmod(step, per_epoch)
    assert moment.epochs == step // per_epoch
    assert moment.history["val_loss"] == run.history["val_loss"][: moment.epochs]
    ended = moment.resume()
    assert same(ended.checkpoint.state, run.checkpoint.state)
    assert ended.history == run.history
    assert ended.checkpoint.best == run.checkpoint.best
    assert ended.test == run.test


@pytest.mark.parametrize("slice_seconds", [0.0, 1e9])
def test_whatever_the_slices_of_a_replay_it_counts_as_the_run_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice_seconds: float
) -> None:
    run = trained(tmp_path, "adam", validation_split=0.2)
    monkeypatch.setattr(import_module("chainrule.train.again"), "SLICE_SECONDS", slice_seconds)
    start = run.checkpoint_before(0)
    end = replay(run.prepared, start, run.history, run.step)
    assert same(end.state, run.checkpoint.state)
    assert (end.best, end.epoch, end.steps_of_epoch) == (run.checkpoint.best, 20, 0)
    halfway = replay(run.prepared, start, run.history, 43)
    one_by_one = start
    for step in range(1, 44):
        one_by_one = replay(run.prepared, one_by_one, run.history, step)
    assert (halfway.tally, halfway.best) == (one_by_one.tally, one_by_one.best)
    assert halfway.tally.weight == 7 * halfway.steps_of_epoch


def test_epochs_that_history_holds_are_not_validated_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(tmp_path, "adam", validation_split=0.2)
    start, per_epoch = run.checkpoint_before(0), run.step // run.epochs
    measured: list[float] = []
    validated = replay_module._validated

    def counted(*given: Any) -> float:
        measured.append(validated(*given))
        return measured[-1]

    monkeypatch.setattr(replay_module, "_validated", counted)
    assert replay(run.prepared, start, run.history, run.step).best == run.checkpoint.best
    assert measured == []
    short = History(run.history.entries[:17])
    assert replay(run.prepared, start, short, run.step).best == run.checkpoint.best
    assert measured == run.history["val_loss"][17:]
    before = run.at(4 * per_epoch - 1)
    assert before.one_step_on().checkpoint.best == run.at(4 * per_epoch).checkpoint.best


def test_what_steps_cost_is_counted_over_all_sittings_without_what_else_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that goes on by a second whenever it is read: a slice costs one, whatever listeners do meanwhile."""
    ticks = count()
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(loop.time, "thread_time", lambda: float(next(ticks)))
    stopper, heard = Stopper(), list[int]()

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone):
            heard.append(event.step)
            time.thread_time()
            if event.step == 50:
                stopper.ask()

    run = trained(tmp_path, "sgd", listeners=[listen], stopper=stopper)
    assert (run.step, run.checkpoint.cost, heard) == (50, 50.0, list(range(1, 51)))
    assert run.resume().checkpoint.cost == 120.0


def test_replaying_writes_nothing(tmp_path: Path) -> None:
    run = trained(tmp_path, "sgd")
    assert run.path is not None
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.path.rglob("*") if path.is_file()}
    run.at(99)
    run.at(3).one_step_on()
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.path.rglob("*") if path.is_file()}
    assert before == after


def test_a_run_in_memory_is_replayed_from_its_beginning(tmp_path: Path) -> None:
    kept = trained(tmp_path, "momentum")
    run = cr.train([cr.Dense(6, "tanh"), cr.Dense(2)], kept.dataset, optimizer=OPTIMIZERS["momentum"], epochs=20,
                   batch_size=7, test_fraction=0.2, seed=5, backend="reference", runs=None)  # fmt: skip
    for step in (0, 1, 50, 120):
        assert same(run.at(step).checkpoint.state, kept.at(step).checkpoint.state)
    assert same(run.at(50).at(20).checkpoint.state, kept.at(20).checkpoint.state)


def test_steps_that_do_not_exist_are_told(tmp_path: Path) -> None:
    run = trained(tmp_path, "sgd", epochs=2)
    for step in (-1, 13, 10**9):
        with pytest.raises(cr.errors.RunError, match=rf"there is no step {step}: .* has steps 0 to 12$"):
            run.at(step)
    with pytest.raises(cr.errors.RunError, match="there is no step 13: the 2 epochs end at step 12"):
        run.one_step_on()


def test_a_damaged_checkpoint_is_told_and_an_earlier_one_serves(tmp_path: Path) -> None:
    run = trained(tmp_path, "sgd")
    assert run.path is not None
    right = run.at(40).checkpoint.state
    tensors = run.path / "checkpoints" / "step-32.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    with pytest.warns(Notice, match=r"^step 40 is reached from step 16, as .*step-32\.safetensors is damaged"):
        assert same(run.at(40).checkpoint.state, right)
    run.at(31)
    tensors.unlink()
    tensors.with_suffix(".json").unlink()
    assert run.checkpoint_before(40).step == 16
    assert same(run.at(40).checkpoint.state, right)
    for path in (run.path / "checkpoints").glob("step-*"):
        path.write_bytes(b"?")
    with pytest.raises(
        cr.errors.RunError, match=r"step-16\.json is damaged.*there are checkpoints of steps 0, 1, 2, 4"
    ):
        run.at(30)
    for path in (run.path / "checkpoints").glob("step-*"):
        path.unlink()
    with pytest.raises(
        cr.errors.RunError, match=r"there is no checkpoint at or before step 40 .*: there is none: train again"
    ):
        run.at(40)


def test_a_damaged_last_checkpoint_is_made_again_when_the_run_is_opened(tmp_path: Path) -> None:
    run = trained(tmp_path, "adam", validation_split=0.2)
    assert run.path is not None
    tensors = run.path / "checkpoints" / f"step-{run.step}.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    with pytest.warns(Notice, match=rf"step {run.step} is reached from step 64"):
        opened = cr.open_run(run.path)
    assert same(opened.checkpoint.state, run.checkpoint.state)
    assert (opened.step, opened.reason, opened.test, opened.history) == (run.step, run.reason, run.test, run.history)
    with pytest.warns(Notice, match=rf"step {run.step} is reached from step 64"):
        longer = run.resume(epochs=21)
    assert same(longer.at(run.step).checkpoint.state, run.checkpoint.state)


def test_a_run_in_memory_holds_states_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("chainrule.train.thinning"), "STRETCH_SECONDS", 1e-4)
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    kept = trained(tmp_path, "adam")
    run = cr.run_experiment(kept.experiment, kept.dataset, runs=None)
    assert run.checkpoint_before(0).step == 0
    assert 0 < run.checkpoint_before(119).step < 120
    for step in (0, 1, 50, 119):
        assert same(run.at(step).checkpoint.state, kept.at(step).checkpoint.state), step
    assert run.at(119).checkpoint_before(60).step == run.checkpoint_before(60).step
    again = run.at(30).resume()
    assert same(again.checkpoint.state, run.checkpoint.state)
    assert again.checkpoint_before(29).step > 0


def test_what_is_no_step_is_told(tmp_path: Path) -> None:
    run = trained(tmp_path, "sgd", epochs=1)
    wrong: list[Any] = ["3", 2.0, True, None]
    for step in wrong:
        with pytest.raises(cr.errors.ArgumentError, match="step takes the whole number"):
            run.at(step)
    nothing: Any = run.at
    with pytest.raises(cr.errors.ArgumentError, match="at needs step, and got none"):
        nothing()
    assert run.at(np.int64(2)).step == 2  # pyright: ignore[reportArgumentType]
