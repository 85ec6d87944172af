"""Whether a run has come to rest: named by what its updates and its losses did at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.descent.walk import Walk

Rest: TypeAlias = Literal[
    "converged", "plateau", "oscillating", "diverging", "still falling", "too short", "left the numbers"
]

STILL: Final = 1e-6  # of the size of the weights: a shorter mean update is ≈ 0
FLAT: Final = 0.01  # a loss that changes by less, from one half of the last epochs to the other, is on a plateau
WINDOW: Final = 10  # of the last epochs at most, and of half of all
FEWEST: Final = 4  # epochs that tell anything
BACK: Final = 0.25  # of the way of a loss: where so much leads up and so much down, it swings
TURN: Final = -0.5  # a mean cosine below says that an update takes back half of the one before


@dataclass(frozen=True, eq=False, slots=True)
class Convergence:
    """How a run ended; what too few epochs or updates leave open is NaN.

    Attributes:
        rest: its name.
        losses: of every epoch.
        epochs: how many of the last ones were looked at.
        change: the loss of the second half of these epochs over that of the first, minus 1.
        swing: mean |ΔL| from one of these epochs to the next, over their mean loss.
        upward: the share of the way of the loss over these epochs that leads up, Σ max(ΔL, 0) / Σ |ΔL|.
        updates: how many of the last ones were looked at.
        update: their mean ‖Δw‖, over ‖w‖ at the end.
        cosine: the mean cosine between each and the one before.
        problem: what happened where the loss left the numbers; else empty.
    """

    rest: Rest
    losses: tuple[float, ...]
    epochs: int
    change: float
    swing: float
    upward: float
    updates: int
    update: float
    cosine: float
    problem: str

    @property
    def window(self) -> tuple[float, ...]:
        """The losses of the epochs that were looked at."""
        return self.losses[len(self.losses) - self.epochs :]


def window_of(epochs: int) -> int:
    """How many of the last epochs tell how a run of so many ended."""
    return min(WINDOW, max(epochs // 2, 2), epochs)


def convergence_of(losses: Sequence[float], last: Walk | None, problem: str = "") -> Convergence:
    """Name what the end of a run looks like.

    Args:
        losses: of every epoch.
        last: the way of the last updates; None where none are at hand.
        problem: what happened, of a run whose loss left the numbers.
    """
    epochs = window_of(len(losses))
    window = np.asarray(losses[len(losses) - epochs :], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # a loss on its way out of the numbers has no mean
        change, (swing, upward) = _change(window), _swing(window)
    updates, update = _update(last) if last else (0, float("nan"))
    cosine = last.cosine if last else float("nan")
    rest: Rest = "left the numbers" if problem else _rest(losses, update, cosine, change, swing, upward)
    return Convergence(rest, tuple(losses), epochs, change, swing, upward, updates, update, cosine, problem)


def _change(window: npt.NDArray[np.float64]) -> float:
    half = len(window) // 2
    if not half:
        return float("nan")
    before = float(window[:half].mean())
    return float(window[half:].mean()) / before - 1.0 if before else 0.0


def _swing(window: npt.NDArray[np.float64]) -> tuple[float, float]:
    """How far the loss goes from epoch to epoch, and the share of that way which leads up."""
    if len(window) < 2:
        return float("nan"), float("nan")
    moves = np.diff(window)
    way, mean = float(np.abs(moves).sum()), float(np.abs(window).mean())
    return way / len(moves) / mean if mean else 0.0, float(moves[moves > 0.0].sum()) / way if way else 0.0


def _update(last: Walk) -> tuple[int, float]:
    """How many updates there were, and their mean length over the size of the weights."""
    count = last.steps[-1] - last.steps[0]
    size = float(np.linalg.norm(np.asarray(last.places[-1], np.float64)))
    return count, last.length / count / size if count and size else 0.0


def _rest(losses: Sequence[float], update: float, cosine: float, change: float, swing: float, upward: float) -> Rest:
    if update < STILL:
        return "converged"
    if len(losses) < FEWEST:
        return "too short"
    if change > FLAT and losses[-1] > losses[0]:
        return "diverging"
    if swing >= FLAT and BACK <= upward <= 1.0 - BACK:
        return "oscillating"
    if abs(change) < FLAT:
        return "oscillating" if cosine < TURN else "plateau"
    return "diverging" if change > 0.0 else "still falling"
