"""Two directions in the space of weights, and where points lie along them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TINY: Final = 1e-12  # of the largest variance: below this a direction is rounding


@dataclass(frozen=True, eq=False, slots=True)
class Plane:
    """A plane through the space of weights.

    Attributes:
        origin: the point (0, 0), float64 (weights,).
        across: the direction of the first coordinate, (weights,).
        up: that of the second, (weights,); zeros where there is none.
        names: of the two coordinates, in words.
        shares: of the variance of a path that each direction explains; empty where it was chosen otherwise.
    """

    origin: Floats
    across: Floats
    up: Floats
    names: tuple[str, str]
    shares: tuple[float, ...] = ()

    def at(self, x: float, y: float) -> Floats:
        """The weights at these coordinates, (weights,)."""
        return self.origin + x * self.across + y * self.up

    def placed(self, places: Floats) -> tuple[Floats, Floats]:
        """The coordinates nearest to some places (points, weights): x and y, (points,) each.

        The two directions need not be at right angles: their small normal equations are solved.
        """
        basis = np.stack([self.across, self.up])  # (2, weights)
        found = (places - self.origin) @ basis.T @ np.linalg.pinv(basis @ basis.T)
        return found[:, 0], found[:, 1]


def principal(places: Floats, origin: Floats) -> Plane:
    """The two directions along which places lie furthest apart, of length 1, at right angles.

    They are the first two right singular vectors of the places about their mean, taken from the small matrix of inner
    products; each points the way that the last place lies.

    Args:
        places: (points, weights), at least two.
        origin: the point (0, 0), (weights,).

    Source: Li, Xu, Taylor, Studer, Goldstein, "Visualizing the loss landscape of neural nets", 2018, section 7.2.
    """
    centered = places - places.mean(axis=0)
    variances, vectors = np.linalg.eigh(centered @ centered.T)  # rising
    total = float(variances.clip(min=0.0).sum())
    first, second = (_direction(centered, variances[-k], vectors[:, -k], total, places[-1] - origin) for k in (1, 2))
    shares = tuple(float(max(variances[-k], 0.0)) / total if total else 0.0 for k in (1, 2))
    return Plane(origin, first, second, ("first principal direction", "second principal direction"), shares)


def _direction(centered: Floats, variance: float, vector: Floats, total: float, ahead: Floats) -> Floats:
    """A right singular vector from its left one; zeros where all places lie on a line or a point."""
    if variance <= TINY * total or total == 0.0:
        return np.zeros_like(ahead)
    direction: Floats = (vector @ centered) / math.sqrt(variance)
    return direction if float(direction @ ahead) >= 0.0 else -direction
