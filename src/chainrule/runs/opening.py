"""Finding runs again: by path, by the beginning of a name, or the latest."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Final

import msgspec
import numpy as np

from chainrule.data.dataset import Array, Dataset
from chainrule.data.paths import kind_at
from chainrule.errors import ExperimentError, RunError, UnknownNameError, UnreadableFileError, unknown_name
from chainrule.errors.calls import check_kind, checked_call
from chainrule.errors.notices import warn
from chainrule.runs.earlier import Earlier
from chainrule.runs.run import Run
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.data_record import read_record
from chainrule.train.experiment import Experiment
from chainrule.train.folder import RunFolder, Summary, open_folder
from chainrule.train.history import read_history
from chainrule.train.missing import held_by
from chainrule.train.replay import replay
from chainrule.train.resume import history_until
from chainrule.train.serialize import read_experiment
from chainrule.train.tensors import read_tensors

RUNS: Final = "runs"  # the folder that runs are made in, in the working directory
LATEST: Final = "latest"
UNFINISHED: Final = "unfinished"
NON_FINITE: Final = "non-finite"


class Listed(msgspec.Struct, frozen=True):
    """A line in the list of runs.

    Attributes:
        path: its folder.
        changed: when it last wrote something, seconds since 1970.
        state: as `Run.reason`, or "damaged".
        epochs: complete ones, as far as it is known.
        test: scores on the held-out rows.
        problem: what is damaged, else empty.
    """

    path: Path
    changed: float
    state: str
    epochs: int
    test: dict[str, float]
    problem: str = ""


@checked_call
def open_run(which: str | Path = LATEST, *, data: Dataset | None = None, runs: str | Path = RUNS) -> Run:
    """A run that was trained before.

    Args:
        which: the path of its folder; its name, or so much of it that no other begins with it; or "latest".
        data: the data where they were in memory and too large to be kept with the run.
        runs: the folder in which names are looked for.

    Raises: RunError when there is no such run, or a file of it is missing or damaged, which is named; a damaged last
            checkpoint is made again from an earlier one, and weights.safetensors is not needed: each with a `Notice`.
    """
    check_kind("data", data, (Dataset, NoneType), "a `Dataset`, such as cr.load('digits') gives, or None")
    folder = open_folder(find_run(which, runs))
    experiment, record, summary = _experiment(folder), read_record(folder.data), folder.read_summary()
    checkpoint = folder.checkpoints.latest_whole()
    run = Run(
        experiment=experiment,
        record=record,
        checkpoint=checkpoint,
        history=history_until(folder, checkpoint),
        reason=_reason(summary, checkpoint.step),
        seconds=checkpoint.seconds,
        test=summary.test if summary is not None and summary.step == checkpoint.step else None,
        path=folder.path,
        _given=data,
        _earlier=Earlier(folder),
    )
    whole = run if checkpoint.step == folder.checkpoints.steps[-1] else _made_whole(run, folder, summary)
    if summary is not None and summary.step == whole.step:
        _tell_of_weights(folder.weights, whole.checkpoint)
    return whole


def _made_whole(run: Run, folder: RunFolder, summary: Summary | None) -> Run:
    """The run whose last checkpoint is damaged, its last step reached once more from the one before.

    Raises: RunError when its history does not reach so far; DataError when the data changed.
    """
    step, history = folder.checkpoints.steps[-1], read_history(folder.history)
    checkpoint = replay(run.prepared, run.checkpoint, history, step)
    known = summary if summary is not None and summary.step == step else None
    return replace(
        run,
        checkpoint=checkpoint,
        history=history_until(folder, checkpoint),
        reason=_reason(summary, step),
        seconds=known.seconds if known else checkpoint.seconds,
        test=known.test if known else None,
        _prepared=run.prepared,
    )


def _tell_of_weights(path: Path, checkpoint: Checkpoint) -> None:
    """Say where the weights that were written for other programs are not those of the last state."""
    if not path.exists():
        return
    try:
        found = read_tensors(path)
    except RunError as error:
        warn(f"the checkpoint of step {checkpoint.step} serves, as {error}")
        return
    other = [name for name, value in found.items() if not _same(value, checkpoint.state.get(name))]
    if other:
        warn(
            f"the checkpoint of step {checkpoint.step} serves, as {path} is damaged: {other[0]} is another there; "
            "restore the file"
        )


def _same(value: Array, held: Array | None) -> bool:
    """Whether these are the same bits."""
    if held is None or (value.dtype, value.shape) != (held.dtype, held.shape):
        return False
    return value.tobytes() == np.asarray(held).tobytes()


def _reason(summary: Summary | None, step: int) -> str:
    """Why a run whose last state is of that step stopped; of a loss that left the numbers the states end before it."""
    if summary is None or (summary.step != step and not (summary.reason == NON_FINITE and summary.step > step)):
        return UNFINISHED
    return summary.reason


def find_run(which: str | Path, runs: str | Path = RUNS) -> Path:
    """The folder that is meant.

    Raises:
        RunError: there is none, or more than one begins so.
        UnreadableFileError: the path cannot be looked up.
    """
    check_kind("the run", which, (str, Path), "a folder, the beginning of a name, or 'latest'")
    check_kind("runs", runs, (str, Path), "a folder, such as 'runs'")
    path = Path(which).expanduser()
    if _holds_run(path):
        return path
    known = run_folders(Path(runs))
    if str(which) == LATEST:
        if not known:
            raise RunError(f"there is no run in {Path(runs).absolute()} yet: train one with chainrule train")
        return max(known, key=_changed)
    found = [each for each in known if each.name == str(which)] or [
        each for each in known if each.name.startswith(str(which))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise RunError(f"{len(found)} runs begin with '{which}', {_named(found)}: write more of the name")
    bare = path if path.is_dir() else _bare(Path(runs), str(which))
    if bare is not None:
        held = f"it holds no experiment.toml, only {held_by(bare)}"
        raise RunError(f"{bare} is not the folder of a run: {held}; restore that file, or give one made by train")
    raise RunError(
        unknown_name("run", str(which), [*(each.name for each in known), *([LATEST] if known else [])], f" in {runs}")
    )


def _bare(runs: Path, begins: str) -> Path | None:
    """A folder among the runs that the name may mean, though it is none: its experiment is missing."""
    found = [path for path in runs.iterdir() if path.is_dir() and path.name.startswith(begins)] if runs.is_dir() else []
    return next(iter(sorted(found, key=lambda path: (path.name != begins, path.name))), None) if begins else None


@checked_call
def list_runs(runs: str | Path = RUNS) -> list[Listed]:
    """The runs in a folder, the one that changed last first."""
    check_kind("runs", runs, (str, Path), "a folder, such as 'runs'")
    return [_listed(path) for path in sorted(run_folders(Path(runs)), key=_changed, reverse=True)]


def _holds_run(folder: Path) -> bool:
    return kind_at(folder / "experiment.toml") == "file"


def run_folders(runs: Path) -> list[Path]:
    """The folders in it that hold a run, by name; those that are closed to us are passed over."""
    if kind_at(runs) != "folder":
        return []
    found: list[Path] = []
    for path in sorted(runs.iterdir()):
        with contextlib.suppress(UnreadableFileError):
            found += [path] if _holds_run(path) else []
    return found


def _experiment(folder: RunFolder) -> Experiment:
    try:
        return read_experiment(folder.experiment)
    except (ExperimentError, UnknownNameError, UnreadableFileError) as error:
        named = str(folder.experiment) in str(error)
        raise RunError(str(error) if named else f"{folder.experiment} is damaged: {error}") from error


def _changed(path: Path) -> float:
    files = [path / name for name in ("experiment.toml", "history.jsonl", "summary.json")]
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


def _listed(path: Path) -> Listed:
    folder = RunFolder(path)
    try:
        summary = folder.read_summary()
    except RunError as error:
        return Listed(path, _changed(path), "damaged", 0, {}, str(error))
    if summary is None:
        return Listed(path, _changed(path), UNFINISHED, 0, {})
    return Listed(path, _changed(path), summary.reason, summary.epochs, dict(summary.test or {}))


def _named(found: list[Path], most: int = 5) -> str:
    names = [path.name for path in sorted(found, key=_changed, reverse=True)]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
