"""Whether a run has come to rest: its last updates walked again, and what is known where its loss left the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainrule.descent.convergence import convergence_of, window_of
from chainrule.descent.convergence_page import convergence_page
from chainrule.descent.walk import Walk, walked
from chainrule.errors import RunError
from chainrule.runs.page import Page
from chainrule.train.folder import RunFolder
from chainrule.train.history import read_history

if TYPE_CHECKING:
    from chainrule.runs.run import Run

ENOUGH: Final = 50  # updates to look at, where the last epochs have so many


def convergence(run: Run) -> Page:
    """How a run ended; see `Run.convergence`.

    Raises: RunError for a run without a complete epoch; DataError when the data changed.
    """
    problem, losses = _gone(run)
    if not losses and not problem:
        raise RunError(f"{run.name} has no complete epoch yet: train it further")
    found = convergence_of(losses, _last_updates(run), problem)
    remembers = bool(run.experiment.optimizer.slots)
    return Page(convergence_page(found, run.name, f"step {run.step:,}", remembers=remembers))


def _gone(run: Run) -> tuple[str, list[float]]:
    """What happened to a run whose loss left the numbers, and all losses until then."""
    if run.reason != "non-finite" or run.path is None:
        return "", run.history["loss"] if run.epochs else []
    folder = RunFolder(run.path)
    summary, history = folder.read_summary(), read_history(folder.history)
    assert summary is not None  # it says the reason
    return summary.problem or "the loss became no number", history["loss"] if history.epochs else []


def _last_updates(run: Run) -> Walk | None:
    """The way of the last complete epoch, or of more of them until there are enough updates to tell."""
    if not run.epochs:
        return None
    ends = [0, *(entry.step for entry in run.history.entries)]
    earliest = len(ends) - 1 - window_of(run.epochs)
    begin = max((k for k in range(earliest, len(ends) - 1) if ends[-1] - ends[k] >= ENOUGH), default=earliest)
    return walked(run.prepared, run.history, [ends[-1]], run.at(ends[begin]).checkpoint)
