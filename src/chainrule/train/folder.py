"""The folder of a run: its name, and which file in it holds what."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Final, cast

import msgspec

from chainrule.data.paths import kind_at
from chainrule.errors import RunError
from chainrule.train.checkpoint import Checkpoints
from chainrule.train.durable import make_folder, sweep, write_durably
from chainrule.train.events import StopReason
from chainrule.train.experiment import Experiment
from chainrule.train.lock import RunLock
from chainrule.train.serialize import write_experiment

MOST_NAMESAKES: Final = 10_000
SUMMARY_VERSION: Final = 1

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a run stands, in a few numbers.

    Attributes:
        reason: why it stopped.
        epochs: complete ones.
        step: updates done.
        seconds: spent training, over all sittings.
        metrics: of the last complete epoch.
        test: scores on the test part, where the run is complete and has one: "loss", and "accuracy" of classes or
            "rmse", "mae", "r2" of numbers; NaN, in the file null, where a score has no meaning.
        problem: where and how the loss left the numbers, else None.
        backend: what ran it.
        versions: of chainrule, Python, NumPy.
        machine: system and processor, and what of it the bits depend on.
        parameters: how many numbers are trained, and how many are held frozen.
        format_version: of this file.
    """

    reason: StopReason
    epochs: int
    step: int
    seconds: float
    metrics: dict[str, float]
    test: dict[str, float] | None
    problem: str | None
    backend: str
    versions: dict[str, str]
    machine: str
    parameters: tuple[int, int]
    format_version: int = SUMMARY_VERSION


class RunFolder:
    """The paths of one run; nothing is written outside of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.experiment = path / "experiment.toml"
        self.data = path / "data.json"
        self.weights = path / "weights.safetensors"
        self.best = path / "best.safetensors"
        self.history = path / "history.jsonl"
        self.summary = path / "summary.json"
        self.checkpoints = Checkpoints(path / "checkpoints")
        self.lock = RunLock(path)

    def begin(self, experiment: Experiment) -> None:
        """Write the experiment, which makes the folder that of a run, and make room for checkpoints.

        Raises: WriteError.
        """
        write_experiment(self.experiment, experiment)
        self.checkpoints.prepare()

    def write_summary(self, summary: Summary) -> None:
        """Write the summary durably.

        Raises: WriteError.
        """
        write_durably(self.summary, msgspec.json.format(msgspec.json.encode(summary), indent=1) + b"\n")

    def read_summary(self) -> Summary | None:
        """The summary; None while the run has not stopped, or was killed.

        Raises: RunError for a damaged file.
        """
        try:
            return msgspec.convert(_with_nan(msgspec.json.decode(self.summary.read_bytes())), Summary)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise RunError(f"{self.summary} is damaged or cannot be read ({error}): delete it and resume") from error


def _with_nan(plain: object) -> object:
    """What JSON says of a summary, with NaN for the scores that are null."""
    if not isinstance(plain, dict):
        return plain
    summary = cast("dict[str, object]", plain)
    scores = cast("dict[str, object] | None", summary.get("test"))
    if not isinstance(scores, dict):
        return summary
    return {**summary, "test": {name: math.nan if score is None else score for name, score in scores.items()}}


def create_folder(parent: Path, experiment: Experiment) -> RunFolder:
    """Make <name>-<hash> in the parent, or <name>-<hash>-2, -3, … where that exists; it is empty until it is begun.

    Raises: WriteError when it cannot be made.
    """
    first = f"{folder_name(experiment.name)}-{experiment.hash}"
    for number in range(1, MOST_NAMESAKES):
        folder = RunFolder(parent / (first if number == 1 else f"{first}-{number}"))
        try:
            make_folder(folder.path, new=True)
        except FileExistsError:
            continue
        return folder
    raise RunError(f"{parent} holds {MOST_NAMESAKES} runs named {first}: give this one another name")


def open_folder(path: Path) -> RunFolder:
    """The folder of a run that exists; what a killed writer left behind is swept away.

    Raises:
        RunError: there is no run in it.
        UnreadableFileError: the path cannot be looked up.
    """
    folder = RunFolder(path)
    if kind_at(folder.experiment) != "file":
        raise RunError(f"{path} is not the folder of a run: it holds no experiment.toml; give one made by train")
    return folder


def folder_name(name: str) -> str:
    """A name that every file system takes: letters, digits, dot, dash and underscore, not hidden, at most 64 long."""
    return _UNSAFE.sub("-", name).strip("-.")[:64] or "run"


def tidy_folder(folder: RunFolder) -> None:
    """Remove what writers that were killed left behind."""
    sweep(folder.path)
    folder.checkpoints.prepare()
