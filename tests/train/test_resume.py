"""A run that stopped goes on to the bits of one that never did: weights, optimizer state and history."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.data.dataset import Dataset
from chainrule.data.load import load
from chainrule.errors import DataError, RunError, WriteError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import Adam
from chainrule.train import loop
from chainrule.train.checkpoint import Checkpoints
from chainrule.train.events import Event, SliceDone, TrainingStopped
from chainrule.train.experiment import Experiment, SplitPlan
from chainrule.train.fit import Fit, fit
from chainrule.train.folder import RunFolder
from chainrule.train.history import read_history
from chainrule.train.resolve import design
from chainrule.train.resume import resume
from chainrule.train.stopping import Stopper, signals_stop
from chainrule.train.tensors import read_tensors


@pytest.fixture(autouse=True)
def _a_slice_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a run stops where it is asked to; that slicing changes nothing is tested elsewhere."""
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)


def small(**fields: Any) -> tuple[Experiment, Dataset]:
    moons = load("moons", rows=120)
    chosen = {"epochs": 6, "batch_size": 7, "optimizer": Adam(0.01), "split": SplitPlan(validation_fraction=0.2)}
    return design(moons, [Dense(8, "tanh"), Dense(2)], **{**chosen, **fields}), moons


def stopped_at(step: int, parent: Path, **fields: Any) -> Fit:
    """A run asked to stop once that many steps are done."""
    stopper = Stopper()

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone) and event.step >= step:
            stopper.ask()

    return fit(*small(**fields), parent=parent, listeners=[listen], stopper=stopper)


def check_equal(left: Fit, right: Fit) -> None:
    assert list(left.state) == list(right.state)
    for name, value in left.state.items():
        assert value.tobytes() == right.state[name].tobytes(), name
    assert left.history == right.history
    assert [entry.step for entry in left.history.entries] == [entry.step for entry in right.history.entries]
    assert left.best == right.best
    assert left.step == right.step
    assert (left.scores and left.scores.metrics) == (right.scores and right.scores.metrics)


def folder_of(result: Fit) -> RunFolder:
    assert result.folder is not None
    return result.folder


@pytest.mark.parametrize("step", [1, 3, 11, 12, 40, 65])
def test_stopped_anywhere_and_resumed_is_never_stopped(tmp_path: Path, step: int) -> None:
    whole = fit(*small(), parent=tmp_path / "whole")
    part = stopped_at(step, tmp_path / "part")
    assert part.reason == "interrupted"
    assert part.scores is None, "the test part is looked at once, at the end"
    assert part.step == step < whole.step
    folder = folder_of(part)
    summary = folder.read_summary()
    assert summary is not None
    assert (summary.reason, summary.step, summary.epochs) == ("interrupted", part.step, part.epoch)
    resumed = resume(folder.path)
    check_equal(resumed, whole)
    check_equal(whole, resumed)
    for name in ("weights.safetensors", "best.safetensors", "experiment.toml", "data.json"):
        assert (folder.path / name).read_bytes() == (folder_of(whole).path / name).read_bytes(), name
    assert read_history(folder.history) == whole.history


def test_resumed_again_and_again(tmp_path: Path) -> None:
    whole = fit(*small())
    path = folder_of(stopped_at(2, tmp_path)).path
    for step in (9, 25, 26, 60):
        stopper = Stopper()

        def listen(event: Event, step: int = step, stopper: Stopper = stopper) -> None:
            if isinstance(event, SliceDone) and event.step >= step:
                stopper.ask()

        assert resume(path, listeners=[listen], stopper=stopper).reason == "interrupted"
    check_equal(resume(path), whole)


def test_asked_before_it_begins_it_does_nothing_and_can_go_on(tmp_path: Path) -> None:
    stopper = Stopper()
    stopper.ask("terminated")
    part = fit(*small(), parent=tmp_path, stopper=stopper)
    assert (part.reason, part.step) == ("terminated", 0)
    check_equal(resume(folder_of(part).path), fit(*small()))


def test_more_epochs_are_as_if_asked_for_at_first(tmp_path: Path) -> None:
    path = folder_of(fit(*small(epochs=2), parent=tmp_path)).path
    longer = resume(path, epochs=6)
    check_equal(longer, fit(*small()))
    assert longer.prepared.experiment.epochs == 6
    with pytest.raises(RunError, match="ask for more than 6 epochs"):
        resume(path)
    with pytest.raises(RunError, match="ask for more than 6 epochs"):
        resume(path, epochs=5)


def test_epochs_after_the_last_checkpoint_are_done_again(tmp_path: Path) -> None:
    """A run killed after it wrote history that no checkpoint covers."""
    whole = fit(*small(), parent=tmp_path)
    folder = folder_of(whole)
    folder.checkpoints.drop_after(16)
    folder.summary.unlink()
    (folder.path / ".weights.safetensors.1-2.part").write_bytes(b"half")
    with folder.history.open("ab") as file:
        file.write(b'{"epoch": 6, "st')
    resumed = resume(folder.path)
    check_equal(resumed, whole)
    assert read_history(folder.history) == whole.history
    assert not list(folder.path.glob(".*"))


def test_what_was_damaged_is_named(tmp_path: Path) -> None:
    path = folder_of(stopped_at(20, tmp_path)).path

    def broken(name: str, content: bytes) -> Path:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(path, copy)
        (copy / name).write_bytes(content)
        return copy

    with pytest.raises(RunError, match=r"data\.json is damaged"):
        resume(broken("data.json", b"{"))
    with pytest.raises(RunError, match=r"history\.jsonl holds 0 epochs, and 1 was over"):
        resume(broken("history.jsonl", b""))
    changed = (path / "experiment.toml").read_bytes()
    with pytest.raises(RunError, match="is not the one its checkpoint"):
        resume(broken("experiment.toml", changed.replace(b"batch_size = 7", b"batch_size = 8")))
    with pytest.raises(RunError, match="restore the one that changed"):
        resume(broken("experiment.toml", changed.replace(b"\nseed = 0\n", b"\nseed = 1\n", 1)))
    with pytest.raises(RunError, match=r"it holds no experiment\.toml"):
        resume(tmp_path / "nowhere")


def test_data_in_memory_are_asked_for_and_checked(tmp_path: Path) -> None:
    x, y = np.eye(20), np.arange(20) % 2
    data = load((x, y))
    stopper = Stopper()
    stopper.ask()
    path = folder_of(fit(design(data, [Dense(2)], epochs=2), data, parent=tmp_path, stopper=stopper)).path
    with pytest.raises(DataError, match="were in memory"):
        resume(path)
    with pytest.raises(DataError, match="changed since they were recorded"):
        resume(path, dataset=load((x + 1, y)))
    check_equal(resume(path, dataset=load((x, y))), fit(design(data, [Dense(2)], epochs=2), data))


# ---- signals, in a real process ----

EPOCHS = 25

TRAIN = """
import sys, time
from pathlib import Path
from chainrule.data.load import load
from chainrule.nn.layers import Dense
from chainrule.train.events import EpochDone
from chainrule.train.fit import fit
from chainrule.train.resolve import design
from chainrule.train.stopping import Stopper

digits = load("digits")
experiment = design(digits, [Dense(32, "relu"), Dense(10)], epochs=int(sys.argv[2]))
stopper = Stopper()
def tell(event):
    print(type(event).__name__, flush=True)
    if isinstance(event, EpochDone) and event.epoch + 1 == int(sys.argv[3]):
        while not stopper.flag.is_set():  # however slow the machine, the signal comes in the middle
            time.sleep(0.001)

result = fit(experiment, digits, parent=Path(sys.argv[1]), listeners=[tell], stopper=stopper)
print("reason", result.reason, result.step, flush=True)
"""


def child(parent: Path, epochs: int, waits_after: int = 0) -> subprocess.Popen[str]:
    """A training that waits for a signal at the end of an epoch, counted from 1."""
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(parent), str(epochs), str(waits_after)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(process: subprocess.Popen[str], line: str, times: int = 1) -> None:
    assert process.stdout is not None
    while times:
        read = process.stdout.readline()
        assert read, process.stderr.read() if process.stderr else ""
        times -= read.strip() == line


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_saves_and_what_is_resumed_is_what_would_have_been(
    tmp_path: Path, number: signal.Signals, reason: str
) -> None:
    process = child(tmp_path / "part", EPOCHS, waits_after=2)
    wait_for(process, "EpochDone", 2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"reason {reason}" in out
    (path,) = (tmp_path / "part").iterdir()
    step = Checkpoints(path / "checkpoints").steps[-1]
    assert 90 <= step < 45 * EPOCHS, "it stopped in the middle"
    resume(path)
    (whole,) = _finished(tmp_path / "whole", EPOCHS)
    assert (path / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    assert read_history(path / "history.jsonl") == read_history(whole / "history.jsonl")
    left, right = (Checkpoints(run / "checkpoints").latest() for run in (path, whole))
    assert {n: v.tobytes() for n, v in left.state.items()} == {n: v.tobytes() for n, v in right.state.items()}


def _finished(parent: Path, epochs: int) -> list[Path]:
    process = child(parent, epochs)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return list(parent.iterdir())


def test_killed_and_resumed_is_what_would_have_been(tmp_path: Path) -> None:
    process = child(tmp_path / "part", EPOCHS, waits_after=3)
    wait_for(process, "EpochDone", 3)
    process.kill()
    process.communicate(timeout=60)
    (path,) = (tmp_path / "part").iterdir()
    resume(path)
    (whole,) = _finished(tmp_path / "whole", EPOCHS)
    assert (path / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    assert read_history(path / "history.jsonl") == read_history(whole / "history.jsonl")


def test_a_second_ctrl_c_aborts_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stopper = Stopper()
    with signals_stop(stopper):
        os.kill(os.getpid(), signal.SIGINT)
        assert stopper.reason == "interrupted"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """As a shell lets its background jobs ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found = fit(*small(), listeners=[lambda _: os.kill(os.getpid(), signal.SIGINT)])
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.reason == "completed"


def test_an_abort_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    def abort(event: Event) -> None:
        if isinstance(event, SliceDone) and event.step >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(*small(), parent=tmp_path, listeners=[abort])
    (path,) = tmp_path.iterdir()
    check_equal(resume(path), fit(*small()))


def test_the_last_event_says_why_it_stopped(tmp_path: Path) -> None:
    events: list[Event] = []
    stopper = Stopper()
    stopper.ask("terminated")
    fit(*small(), listeners=[events.append], stopper=stopper)
    assert isinstance(events[-1], TrainingStopped)
    assert events[-1].reason == "terminated"


def test_best_weights_are_there_whatever_stopped_it(tmp_path: Path) -> None:
    part = stopped_at(40, tmp_path)
    assert part.best_parameters is not None
    best = read_tensors(folder_of(part).best)
    assert {n: v.tobytes() for n, v in best.items()} == {n: v.tobytes() for n, v in part.best_parameters.items()}


def test_a_disk_that_fills_up_stops_the_run_and_it_can_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flush, count = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        fit(*small(), parent=tmp_path)
    monkeypatch.setattr(os, "fsync", flush)
    (path,) = tmp_path.iterdir()
    checkpoints = Checkpoints(path / "checkpoints")
    assert 0 < checkpoints.steps[-1] < 66
    assert checkpoints.latest().step == checkpoints.steps[-1]
    check_equal(resume(path), fit(*small()))


def test_a_run_in_another_thread_leaves_signals_alone() -> None:
    results: list[Fit] = []
    thread = threading.Thread(target=lambda: results.append(fit(*small())))
    thread.start()
    thread.join()
    check_equal(results[0], fit(*small()))


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("mine")
    with pytest.raises(WriteError, match="cannot be made"):
        fit(*small(), parent=tmp_path / "runs")
