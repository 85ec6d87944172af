"""A number of a formula as a person writes it: 2, ½, ⅔, √2, 0.1."""

from __future__ import annotations

import fractions
import math
from typing import Final

from chainrule.document import Formula, Fraction, Number, Root, juxtaposed, symbol

LARGEST_WHOLE: Final = 1e15  # beyond it a float64 is no longer shown as a whole number
LARGEST_DENOMINATOR: Final = 16
DIGITS: Final = 12  # 1 - 0.9 is written 0.1

_KNOWN: Final[tuple[tuple[float, Formula], ...]] = (
    (0.5, Fraction(Number(1), Number(2))),
    (math.sqrt(2.0), Root(Number(2))),
    (1.0 / math.sqrt(2.0 * math.pi), Fraction(Number(1), Root(juxtaposed(Number(2), symbol("π"))))),
    (2.0 / math.sqrt(math.pi), Fraction(Number(2), Root(symbol("π")))),
)


def written_number(value: float) -> Formula:
    """The number, as a fraction or a root where that is what it is."""
    if float(value).is_integer() and abs(value) < LARGEST_WHOLE:
        return Number(int(value))
    known = next((written for number, written in _KNOWN if math.isclose(value, number, rel_tol=1e-15)), None)
    return known or _ratio(value) or Number(float(f"{value:.{DIGITS}g}"))


def _ratio(value: float) -> Formula | None:
    """A fraction of small numbers that has no short decimal form, such as ⅔."""
    if not math.isfinite(value) or value <= 0:
        return None
    exact = fractions.Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if float(exact) != value or 10**4 % exact.denominator == 0:
        return None
    return Fraction(Number(exact.numerator), Number(exact.denominator))
