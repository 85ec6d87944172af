"""A run is written by one process at a time, and a process that died bars nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chainrule.data.load import load
from chainrule.errors import RunError, WriteError
from chainrule.nn.layers import Dense
from chainrule.train import loop
from chainrule.train.durable import write_durably
from chainrule.train.events import Event, SliceDone
from chainrule.train.fit import Fit, fit
from chainrule.train.history import read_history
from chainrule.train.lock import RunLock
from chainrule.train.resolve import design
from chainrule.train.resume import resume
from chainrule.train.stopping import Stopper

HOLDING = """
import sys, time
from pathlib import Path
from chainrule.train.lock import RunLock

with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def held_elsewhere(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until it is killed."""
    child = subprocess.Popen([sys.executable, "-c", HOLDING, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def stopped(parent: Path) -> Fit:
    """A run of moons that stopped after its first steps."""
    stopper = Stopper()

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone):
            stopper.ask()

    moons = load("moons", rows=60)
    return fit(design(moons, [Dense(2)], epochs=3), moons, parent=parent, listeners=[listen], stopper=stopper)


def path_of(run: Fit) -> Path:
    assert run.folder is not None
    return run.folder.path


def test_two_cannot_hold_it_and_the_second_hears_who_does(tmp_path: Path) -> None:
    child = held_elsewhere(tmp_path)
    try:
        with (
            pytest.raises(RunError, match=f"run {tmp_path.name} is in use by process {child.pid}: wait"),
            RunLock(tmp_path),
        ):
            pass
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    with RunLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_it_is_free_again_and_holds_within_one_process(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    for _ in range(2):
        with lock, pytest.raises(RunError, match="in use by this process"), RunLock(tmp_path):
            pass


def test_a_folder_that_takes_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="could not be written"), RunLock(tmp_path / "absent"):
        pass


def test_a_run_that_is_used_elsewhere_is_not_resumed_and_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    path = path_of(stopped(tmp_path))
    child = held_elsewhere(path)
    before = {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    try:
        with pytest.raises(RunError, match=f"in use by process {child.pid}"):
            resume(path)
    finally:
        child.kill()
        child.communicate()
    assert before == {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    assert resume(path).reason == "completed"
    assert read_history(path / "history.jsonl").epochs == 3


def test_a_run_under_way_is_not_resumed(tmp_path: Path) -> None:
    refused: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, SliceDone) and not refused:
            try:
                resume(next(tmp_path.iterdir()))
            except RunError as error:
                refused.append(str(error))

    moons = load("moons", rows=60)
    done = fit(design(moons, [Dense(2)], epochs=2), moons, parent=tmp_path, listeners=[listen])
    assert "in use by this process" in refused[0]
    assert resume(path_of(done), epochs=3).epoch == 3


def test_of_resumes_at_once_one_goes_on(tmp_path: Path) -> None:
    path = path_of(stopped(tmp_path))
    ended: list[str] = []
    begin = threading.Barrier(3)

    def go_on() -> None:
        begin.wait()
        try:
            ended.append(resume(path, epochs=200).reason)
        except RunError as error:
            ended.append("in use" if "in use" in str(error) else "complete" if "has all" in str(error) else str(error))

    threads = [threading.Thread(target=go_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("completed") == 1
    assert set(ended) <= {"completed", "in use", "complete"}
    assert read_history(path / "history.jsonl").epochs == 200


def test_a_folder_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "digits-1" / "checkpoints" / "step-1.json"
    (tmp_path / "runs").mkdir()
    with pytest.raises(WriteError, match=r"the folder \S*digits-1 is gone") as error:
        write_durably(path, b"new")
    assert "intact" not in str(error.value)
