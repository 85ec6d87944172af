"""A training under the eyes of a person or a program: its progress, its end, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from chainrule.cli.json_events import JsonEvents, show_path
from chainrule.cli.progress import Progress
from chainrule.cli.screen import Screen, stderr
from chainrule.document import Document
from chainrule.errors import EXIT_INTERRUPTED, EXIT_TERMINATED
from chainrule.runs.opening import RUNS
from chainrule.runs.reach import reach_of
from chainrule.runs.run import Run
from chainrule.runs.suggest import loudest_weight, telling_sample
from chainrule.runs.summary import after_training, near, next_steps
from chainrule.train.events import CheckpointWritten, Event, Listener, TrainingStarted
from chainrule.train.folder import RunFolder
from chainrule.train.scores import scores_data

STOPPED: Final = {"interrupted": EXIT_INTERRUPTED, "terminated": EXIT_TERMINATED}


class Whereabouts:
    """A listener that remembers where a run is written and its last step that is safe, and passes a note on."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.step = 0

    def __call__(self, event: Event) -> None:
        """Take note."""
        if isinstance(event, TrainingStarted):
            self.folder = event.folder
            if event.note:
                stderr().say(event.note)
        elif isinstance(event, CheckpointWritten):
            self.step = event.step


def watch(screen: Screen, is_json: bool, train: Callable[[Iterable[Listener]], Run]) -> int:
    """Train, show how it goes, and say how it ended.

    Args:
        screen: where the result goes.
        is_json: whether a program reads it.
        train: trains while telling these listeners.

    Returns: the exit code: 0, 130 when interrupted, 143 when terminated.
    """
    progress, whereabouts = Progress(stderr()), Whereabouts()
    listeners: list[Listener] = [progress, whereabouts, *([JsonEvents(screen)] if is_json else [])]
    try:
        with progress:
            run = train(listeners)
    except KeyboardInterrupt:
        _say_aborted(whereabouts)
        return EXIT_INTERRUPTED
    if is_json:
        _json_end(screen, run)
    if run.reason in STOPPED:
        _say_stopped(run)
    elif not is_json:
        screen.show(_with_next_steps(run))
    return STOPPED.get(run.reason, 0)


def _json_end(screen: Screen, run: Run) -> None:
    scores = scores_data(run.scores) if run.scores else None
    screen.json(
        {
            "event": "end", "reason": run.reason, "epochs": run.epochs, "step": run.step,
            "seconds": round(run.seconds, 3), "test": scores, "run": show_path(run.path),
            "farthest_seconds": None if run.path is None else round(reach_of(RunFolder(run.path)).seconds, 3),
        }
    )  # fmt: skip


def _say_stopped(run: Run) -> None:
    """Stopped as asked: where it is, and how to go on."""
    done = f"{run.reason} in epoch {run.epochs + 1} of {run.experiment.epochs}, after step {run.step:,}"
    kept = f"; everything is saved\ngo on with: chainrule resume {typed(run.path)}" if run.path else ""
    stderr().say(f"{done}{kept}")


def _say_aborted(whereabouts: Whereabouts) -> None:
    """Interrupted twice: what is left."""
    if whereabouts.folder is None:
        stderr().say("interrupted")
        return
    stderr().say(
        f"interrupted at once; step {whereabouts.step:,} is saved\n"
        f"go on with: chainrule resume {typed(whereabouts.folder)}"
    )


def _with_next_steps(run: Run) -> Document:
    document = after_training(run)
    if run.path is None:
        return document
    where, (sample, why) = typed(run.path), telling_sample(run)
    weight = loudest_weight(run, sample)
    commands = {
        f"{why}: see what it asks of a weight": f"chainrule explain {where} --weight '{weight}' --sample {sample}",
        "see all of it on one page, with its charts": f"chainrule report {where}",
        "train longer": f"chainrule resume {where} --epochs {2 * run.epochs}",
    }
    return Document(document.title, (*document.blocks, next_steps(commands)), name=document.name)


def typed(path: Path) -> str:
    """A run as it is typed in a shell: by its name where it lies in the folder that names are looked up in."""
    return shlex.quote(path.name if path.absolute().parent == Path(RUNS).absolute() else near(path))
