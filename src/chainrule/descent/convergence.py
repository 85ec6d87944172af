"""Whether a run has come to rest: named by what its updates and its losses did at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from chainrule.descent.walk import Walk

Rest: TypeAlias = Literal["converged", "plateau", "oscillating", "diverging", "still falling", "too short"]

STILL: Final = 1e-6  # of the size of the weights: a shorter mean update is ≈ 0
FLAT: Final = 0.01  # a loss that changes by less, from one half of the last epochs to the other, is on a plateau
WINDOW: Final = 10  # of the last epochs at most, and of half of all


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a run ended.

    Attributes:
        rest: its name.
        update: mean ‖Δw‖ / ‖w‖ of the updates of the last epoch.
        cosine: mean cosine between them, each and the one before; NaN for fewer than two.
        change: the loss of the second half of the last epochs over that of the first, minus 1.
        rises: the share of these epochs in which the loss rose.
        epochs: how many were looked at.
    """

    rest: Rest
    update: float
    cosine: float
    change: float
    rises: float
    epochs: int


def convergence_of(losses: Sequence[float], last: Walk) -> Convergence:
    """Name what the end of a run looks like.

    Args:
        losses: of every epoch.
        last: the way of the last epoch.
    """
    count = last.steps[-1] - last.steps[0]
    size = float(np.linalg.norm(last.places[-1]))
    update = last.length / count / size if count and size else 0.0
    window = np.asarray(losses[-min(WINDOW, max(len(losses) // 2, 2)) :], np.float64)
    half = len(window) // 2
    before = float(window[:half].mean()) if half else float("nan")
    change = float(window[half:].mean()) / before - 1.0 if before else 0.0
    rises = float((np.diff(window) > 0.0).mean()) if len(window) > 1 else 0.0
    rest = _rest(losses, update, change, rises)
    return Convergence(rest, update, last.cosine, change, rises, len(window))


def _rest(losses: Sequence[float], update: float, change: float, rises: float) -> Rest:
    if update < STILL:
        return "converged"
    if len(losses) < 4:
        return "too short"
    if losses[-1] > losses[0] or change > FLAT:
        return "diverging"
    if abs(change) < FLAT:
        return "plateau"
    return "oscillating" if rises > 0.25 else "still falling"
