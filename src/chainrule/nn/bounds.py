"""What a number of an experiment must satisfy, and the sentence that says so where it does not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from numbers import Integral, Real
from typing import Final

import msgspec

from chainrule.errors import ExperimentError

LARGEST: Final = sys.float_info.max


class Bound(msgspec.Struct, frozen=True):
    """A range of finite numbers, and how it is said: "a number above 0"."""

    holds: Callable[[float], bool]
    said: str


ANY: Final = Bound(lambda x: True, "a finite number")
POSITIVE: Final = Bound(lambda x: x > 0, "a number above 0")
SHARE: Final = Bound(lambda x: 0 <= x < 1, "a number from 0 to below 1")


def real(owner: str, field: str, value: object, bound: Bound) -> float:
    """The value as a float.

    Raises: ExperimentError when it is no finite number, or lies outside the bound.
    """
    number = _as_float(value)
    if number is None or not -LARGEST <= number <= LARGEST or not bound.holds(number):  # NaN is not between
        raise ExperimentError(f"{owner} needs {bound.said} as {field}, and got {value!r}; choose another number")
    return number


def _as_float(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number beyond the largest float
        return None


def whole(owner: str, field: str, value: object) -> int:
    """The value, a whole number of at least 1.

    Raises: ExperimentError when it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 1:
        raise ExperimentError(
            f"{owner} needs a whole number of at least 1 as {field}, and got {value!r}; choose another number"
        )
    return int(value)


def truth(owner: str, field: str, value: object) -> bool:
    """The value, true or false.

    Raises: ExperimentError when it is neither.
    """
    if not isinstance(value, bool):
        raise ExperimentError(f"{owner} needs true or false as {field}, and got {value!r}; choose one of them")
    return value
