"""The loss over one weight: its slope and its bend from the graph, and the minimum where the slope crosses 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Array
from chainrule.descent.field import Field, rows_of
from chainrule.descent.walk import Path
from chainrule.train.prepare import Prepared

Floats = npt.NDArray[np.float64]

POINTS: Final = 61
WIDENED: Final = 4  # times that the span is doubled where the slope does not cross 0 in it
SMALL: Final = 1e-13  # of the span: where the crossing is known so well it is found
MOST_ROUNDS: Final = 80
KINK: Final = 1e-9  # of the steepest slope: one that stays larger where it crosses 0 jumps over it
EXACT: Final = 1e-9  # bends that differ by less, as a share of the largest, are one: the curve is a parabola


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the curve.

    Attributes:
        weight: w.
        loss: L(w), the mean over the rows.
        slope: ∂L/∂w.
        bend: ∂²L/∂w².
    """

    weight: float
    loss: float
    slope: float
    bend: float


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """The loss as a function of one weight, all others held as they are.

    Attributes:
        name: of the weight, as a person writes it.
        places: from left to right.
        here: where the run stands.
        minimum: where the slope crosses 0 from below, nearest to here; None where it does not between the places.
        jump: the slopes before and behind the minimum, where it is a kink at which the slope has no value 0; else None.
        steps: of a network with this one weight only, where each update led; else empty.
        rows: how many the loss is the mean of.
        of_rows: how many were trained on.
        rate: η, where an update is −η times the slope, as of plain gradient descent; else None.
    """

    name: str
    places: tuple[Place, ...]
    here: Place
    minimum: Place | None
    jump: tuple[float, float] | None
    steps: tuple[Place, ...]
    rows: int
    of_rows: int
    rate: float | None

    @property
    def is_parabola(self) -> bool:
        """Whether the bend is the same everywhere, as far as float64 tells: then L = L* + ½ L″ (w − w*)²."""
        bends = [place.bend for place in self.places]
        largest = max(map(abs, bends))
        return largest > 0.0 and max(bends) - min(bends) <= EXACT * largest


def curve_of(
    prepared: Prepared,
    state: Mapping[str, Array],
    weight: tuple[str, tuple[int, ...]],
    name: str,
    backend: str,
    *,
    path: Path | None = None,
    low: float | None = None,
    high: float | None = None,
    rate: float | None = None,
) -> Curve:
    """Follow the loss over one weight.

    Args:
        prepared: experiment, data and graphs of the run.
        state: the weights, and what else the loss reads.
        weight: the parameter, and the position in it.
        name: of the weight.
        backend: what runs it.
        path: of the run, where the network has this one weight only.
        low: where the curve begins; None for as far as the weight, or the minimum, asks for.
        high: where it ends.
        rate: η of plain gradient descent.
    """
    parameter, index = weight
    direction = np.zeros(np.shape(state[parameter]))
    direction[index] = 1.0
    rows = rows_of(prepared)
    field = Field(prepared, state, [{parameter: direction}], rows, backend, order=2)
    origin = float(state[parameter][index])
    ends = _ends(field, origin, _reach(state[parameter], origin, path), low, high)
    places = _places(field, origin, np.linspace(*ends, POINTS))
    minimum, jump = _minimum(field, origin, places)
    stood = [] if path is None else [float(place[0]) for place in path.places]
    return Curve(
        name=name,
        places=places,
        here=_places(field, origin, np.array([origin]))[0],
        minimum=minimum,
        jump=jump,
        steps=_places(field, origin, np.array(stood)) if stood else (),
        rows=len(rows),
        of_rows=len(prepared.rows),
        rate=rate,
    )


def _places(field: Field, origin: float, weights: Floats) -> tuple[Place, ...]:
    found = field.at((weights - origin)[:, None])
    columns = (weights, found["loss"], found["slope_0"], found["bend"])
    return tuple(Place(*map(float, values)) for values in zip(*columns, strict=True))


def _reach(parameter: Array, origin: float, path: Path | None) -> float:
    """How far to look to each side: as far as its sisters lie apart, and twice as far as the weight has come."""
    spread = 3.0 * float(np.std(parameter.astype(np.float64)))
    came = 0.0 if path is None else 2.0 * float(np.abs(path.places[:, 0] - origin).max())
    return max(spread, came, abs(origin)) or 1.0


def _ends(field: Field, origin: float, reach: float, low: float | None, high: float | None) -> tuple[float, float]:
    """Where the curve begins and ends, wide enough for a minimum where there is one not too far."""
    if low is not None and high is not None:
        return low, high
    for _ in range(WIDENED):
        ends = (origin - reach if low is None else low, origin + reach if high is None else high)
        slopes = field.at((np.linspace(*ends, 9) - origin)[:, None])["slope_0"]
        if slopes[0] < 0.0 < slopes[-1]:
            break
        reach *= 2.0
    return ends  # pyright: ignore[reportPossiblyUnboundVariable] - there is at least one round


def _minimum(field: Field, origin: float, places: tuple[Place, ...]) -> tuple[Place | None, tuple[float, float] | None]:
    """Where the slope crosses 0 from below, and the slopes on both sides where it jumps over it.

    False position in its Illinois variant; where it does not close in, as at a kink, the middle is taken by turns.

    Source: Dowell, Jarratt, "A modified regula falsi method for computing the root of an equation", 1971.
    """
    pairs = [(a, b) for a, b in pairwise(places) if a.slope <= 0.0 <= b.slope and a.slope < b.slope]
    if not pairs:
        return None, None
    left, right = min(pairs, key=lambda pair: abs((pair[0].weight + pair[1].weight) / 2 - origin))
    small = SMALL * (places[-1].weight - places[0].weight)
    below, above, side = left.slope, right.slope, 0
    for turn in range(MOST_ROUNDS):
        if 0.0 in (left.slope, right.slope) or right.weight - left.weight <= small:
            break
        share = 0.5 if turn % 3 == 2 else below / (below - above)
        found = _places(field, origin, np.array([left.weight + share * (right.weight - left.weight)]))[0]
        if found.weight in (left.weight, right.weight):
            break
        if found.slope <= 0.0:
            left, below, above, side = found, found.slope, above / (2.0 if side < 0 else 1.0), -1
        else:
            right, above, below, side = found, found.slope, below / (2.0 if side > 0 else 1.0), 1
    steepest = max(abs(place.slope) for place in places)
    best = min(left, right, key=lambda place: abs(place.slope))
    is_jump = abs(best.slope) > KINK * steepest
    return best, (left.slope, right.slope) if is_jump else None
