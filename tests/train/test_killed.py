"""A run killed at every point at which it touches the disk: its folder is whole, and goes on to the same bits.

A kill is played: from the n-th operation on, each one raises, so that nothing can be tidied up either.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from chainrule.data.load import load
from chainrule.errors import RunError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import Adam
from chainrule.train import loop
from chainrule.train.events import Event, SliceDone
from chainrule.train.experiment import Experiment, SplitPlan
from chainrule.train.fit import Fit, fit
from chainrule.train.folder import RunFolder
from chainrule.train.history import read_history
from chainrule.train.keeper import Keeper
from chainrule.train.resolve import design
from chainrule.train.resume import resume
from chainrule.train.stopping import Stopper

MOONS = load("moons", rows=60)
TOUCHING = ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (Path, "open"))
LEAST = 40  # operations of the run below, or the test would pass over most of it


class Killed(BaseException):
    """What ends a process that cannot defend itself."""


@pytest.fixture(autouse=True)
def every_step_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the one before goes, unless its step is log-spaced."""
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(import_module("chainrule.train.thinning"), "STRETCH_SECONDS", 1e9)
    monkeypatch.setattr(Keeper, "is_due", lambda *_: True)


def small() -> Experiment:
    """Two epochs of two steps, validated and tested."""
    fields: dict[str, Any] = {"epochs": 2, "batch_size": 24, "optimizer": Adam(0.01), "backend": "reference"}
    return design(MOONS, [Dense(2)], split=SplitPlan(validation_fraction=0.2), **fields)


def killed_after(operations: int, do: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do it and kill it when so many operations are done; whether it came so far."""
    count = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count > operations:
                raise Killed
            return original(*given, **named)

        return call

    with monkeypatch.context() as patched:
        for owner, name in TOUCHING:
            patched.setattr(owner, name, counted(getattr(owner, name)))
        try:
            do()
        except Killed:
            return True
    return False


def each_kill(
    do: Callable[[Path], object], parent: Path, monkeypatch: pytest.MonkeyPatch, begun: Path | None = None
) -> Iterator[tuple[int, Path]]:
    """A folder for each operation that a run was killed after, until it is killed no more."""
    for operations in range(10_000):
        where = parent / f"{operations}"
        if begun is not None:
            shutil.copytree(begun, where)
        was_killed = killed_after(operations, lambda where=where: do(where), monkeypatch)
        yield operations, where
        shutil.rmtree(where, ignore_errors=True)
        if not was_killed:
            assert operations >= LEAST
            return


def brought_to_its_end(path: Path) -> str:
    """What is said where that cannot be, else nothing."""
    summary = RunFolder(path).read_summary()
    if summary is None or summary.reason != "completed":
        try:
            resume(path)
        except RunError as error:
            return str(error)
    return ""


def check_same(path: Path, whole: Fit) -> None:
    """Everything that a run leaves, but for the time it took."""
    assert whole.folder is not None
    for name in ("weights.safetensors", "best.safetensors", "experiment.toml", "data.json"):
        assert (path / name).read_bytes() == (whole.folder.path / name).read_bytes(), name
    assert read_history(path / "history.jsonl") == whole.history
    folder = RunFolder(path)
    last, summary = folder.checkpoints.latest(), folder.read_summary()
    assert {n: v.tobytes() for n, v in last.state.items()} == {n: v.tobytes() for n, v in whole.state.items()}
    assert (last.best, last.step) == (whole.best, whole.step)
    assert summary is not None
    assert (summary.reason, summary.test) == ("completed", whole.scores and whole.scores.metrics)
    assert not [*path.glob(".*"), *(path / "checkpoints").glob(".*")]


def test_killed_anywhere_a_run_goes_on_or_says_that_it_had_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(small(), MOONS, parent=tmp_path / "whole")
    refused, gone_on = 0, 0
    for operations, parent in each_kill(lambda where: fit(small(), MOONS, parent=where), tmp_path, monkeypatch):
        found = list(parent.iterdir()) if parent.exists() else []
        path = found[0] if found else parent
        refusal = brought_to_its_end(path)
        if refusal:
            assert gone_on == 0, f"after {operations} operations: {refusal}"
            assert refusal.endswith(("give one made by train", "train again"))
            refused += 1
        else:
            gone_on += 1
            check_same(path, whole)
    assert 0 < refused < gone_on


def test_killed_anywhere_while_it_goes_on_it_goes_on_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(small(), MOONS, parent=tmp_path / "whole")
    stopper = Stopper()

    def stop(event: Event) -> None:
        if isinstance(event, SliceDone) and event.step == 1:
            stopper.ask()

    part = fit(small(), MOONS, parent=tmp_path / "part", listeners=[stop], stopper=stopper)
    assert part.folder is not None
    for operations, path in each_kill(resume, tmp_path, monkeypatch, begun=part.folder.path):
        assert not brought_to_its_end(path), operations
        check_same(path, whole)
