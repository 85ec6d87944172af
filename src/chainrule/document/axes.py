"""What values an axis spans, where a value stands on it, and at which round numbers it is marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from chainrule.document.formula import Number
from chainrule.document.numbers import MOST_DIGITS, NumberStyle

WISHED_TICKS: Final = 5
_EXTREME: Final = 300  # powers of ten beyond this are not divided by: a float64 ends at 1.8e308
_WHOLE: Final = 1e6  # a lone whole number below this stands between its neighbors
_DOUBLED: Final = math.log10(2)
_ROUND: Final = (1.0, 2.0, 5.0, 10.0)


class Tick(msgspec.Struct, frozen=True):
    """A marked place, 0 at the axis's beginning and 1 at its end, and the number there."""

    place: float
    number: Number


class Axis(msgspec.Struct, frozen=True):
    """The span of an axis, in units of `unit` (so that no difference overflows), or in decades."""

    low: float
    high: float
    unit: float
    ticks: tuple[Tick, ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, 0 at the beginning and 1 at the end; one that is outside stands at the border."""
        own = math.log10(value) if self.logarithmic else value / self.unit
        return min(max((own - self.low) / (self.high - self.low), 0.0), 1.0)


def axis_of(values: Sequence[float], *, logarithmic: bool = False, rounded: bool = False, tight: bool = False) -> Axis:
    """An axis for at least one finite value (positive ones, if it is logarithmic).

    Args:
        values: what is to be shown.
        logarithmic: equal ratios, not differences, are equally far apart.
        rounded: begin and end at a marked number rather than at the smallest and the largest value.
        tight: a logarithmic axis begins and ends at a value, not at a power of ten, where there is more than one.
    """
    return _decades(values, tight=tight) if logarithmic else _linear(values, rounded=rounded)


def _linear(values: Sequence[float], *, rounded: bool) -> Axis:
    unit = _unit(max(map(abs, values)))
    low, high = min(values) / unit, max(values) / unit
    whole = all(float(value).is_integer() for value in values)
    if low == high:
        margin = 1.0 / unit if whole and unit < _WHOLE else abs(low) / 2
        low, high = low - margin, high + margin
    step = _step(high - low)
    if whole and unit <= 1 / step:
        step = max(step, 1.0 / unit)  # between whole numbers (epochs) none is marked
    if rounded:
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    digits = _digits(max(abs(first), abs(last)))
    places = [(count * step, _plain(count * step * unit)) for count in range(first, last + 1)]
    ticks = [
        Tick((own - low) / (high - low), Number(value, NumberStyle("significant", digits)))
        for own, value in places
        if math.isfinite(value)
    ]
    return Axis(low, high, unit, tuple(ticks))


def round_edges(low: float, high: float, most: int) -> list[float]:
    """Round numbers, equally far apart, from at most the low to at least the high one, with at most so many gaps.

    Where no round numbers tell the two apart, these two are the edges.
    """
    if low == high:
        low, high = low - 0.5, high + 0.5
    share = high / most - low / most
    if low == high or not 10.0**-_EXTREME < share < 10.0**_EXTREME:
        return [low, math.nextafter(high, math.inf)]
    steps = (factor * 10.0 ** math.floor(math.log10(share)) for factor in (*_ROUND, 20.0))
    step = next((each for each in steps if math.ceil(high / each) - math.floor(low / each) <= most), 2 * (high - low))
    edges = [_plain(count * step) for count in range(math.floor(low / step), math.ceil(high / step) + 1)]
    rises = all(left < right for left, right in pairwise(edges))
    return edges if rises and edges[0] <= low and edges[-1] >= high else [low, high]


def _plain(value: float) -> float:
    """The round number itself: 6 · 0.1 is 0.6, not the float after it."""
    return float(f"{value:.12g}")


def _unit(largest: float) -> float:
    if largest == 0:
        return 1.0
    return 10.0 ** min(max(math.floor(math.log10(largest)), -_EXTREME), _EXTREME)


def _step(span: float) -> float:
    """The round number that divides the span into about as many parts as wished."""
    raw = span / WISHED_TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor for factor in _ROUND if factor * power >= raw * 0.999) * power


def _digits(count: int) -> int:
    """Digits that tell neighbors apart: a tick is a round multiple, the count of steps from zero says how round."""
    return min(len(str(count)) + 1, MOST_DIGITS)


def _decades(values: Sequence[float], *, tight: bool) -> Axis:
    ends = math.log10(min(values)), math.log10(max(values))
    low, high = math.floor(ends[0]), math.ceil(ends[1])
    high = max(high, low + 1)
    first, last = ends if tight and ends[1] - ends[0] > _DOUBLED else (low, high)
    every = math.ceil((high - low) / (WISHED_TICKS + 1))
    between = (1, 2, 5) if high - low <= 2 else (1,)
    marked = [(decade, factor) for decade in range(low, high + 1, every) for factor in between]
    style = NumberStyle("significant", 1)
    ticks = [
        Tick(place, Number(value, style))
        for decade, factor in marked
        if 0 <= (place := (decade + math.log10(factor) - first) / (last - first)) <= 1
        and 0 < (value := float(f"{factor}e{decade}")) < math.inf
    ]
    return Axis(first, last, 1.0, tuple(ticks), logarithmic=True)
