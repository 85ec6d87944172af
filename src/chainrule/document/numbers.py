"""How a number is written: digits, sign, notation, and what must never be written.

Two promises: a number that is not zero never prints as zero, and a trailing zero is printed only where it is a
digit of a rounded value (0.05 is exact and prints "0.05"; 0.17551000003 to six digits prints "0.175510").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import msgspec

from chainrule.errors import ValueRangeError

NumberKind = Literal["significant", "fixed", "scientific", "percent", "count", "exact"]

SMALLEST_PLAIN_EXPONENT: Final = -4  # 0.000438568 is still read at a glance; below it, 4.4e-10
LARGEST_PLAIN_EXPONENT: Final = 15  # float64 holds every integer up to 2**53, about 9e15
MOST_DIGITS: Final = 17  # what a float64 needs to be read back exactly


class NumberStyle(msgspec.Struct, frozen=True):
    """How a number wishes to be shown; renderers may show fewer digits where there is no room.

    Args:
        kind: significant (digits in all), fixed (digits after the point), scientific, percent (digits after the
            point, of 100 times the value), count (thousands separated), exact (shortest text that reads back).
        digits: 0 to 17.
        signed: print + before positive numbers.
        leading_zero: 0.375 where true, .375 where false.
    """

    kind: NumberKind = "significant"
    digits: int = 6
    signed: bool = False
    leading_zero: bool = True

    def __post_init__(self) -> None:
        least = 0 if self.kind in ("fixed", "percent") else 1
        if not least <= self.digits <= MOST_DIGITS:
            raise ValueRangeError(
                f"a {self.kind} number style got {self.digits} digits: give {least} to {MOST_DIGITS} digits"
            )


PLAIN_STYLE: Final = NumberStyle()
COUNT: Final = NumberStyle("count")  # how many there are, in a table: 1,437; an index is no count


def format_number(
    value: float, style: NumberStyle = PLAIN_STYLE, *, minus: str = "-", at_most: int | None = None
) -> str:
    """The number as text.

    Args:
        value: any int or float; nan and infinities are named.
        style: the wished notation.
        minus: the sign of a negative number (the exponent keeps its hyphen).
        at_most: show no more digits than this, where there is little room.
    """
    if isinstance(value, float) and not math.isfinite(value):
        body = "nan" if math.isnan(value) else "inf"
    elif value == 0:
        return "0%" if style.kind == "percent" else "0"
    else:
        body = _magnitude(abs(value), style, style.digits if at_most is None else min(style.digits, at_most))
    if not style.leading_zero and body.startswith("0."):
        body = body[1:]
    return _sign(value, style, minus) + body


def short(value: float, digits: int = 4) -> str:
    """A number in a sentence: at most so many digits, no idle zeros, and in full where it is whole below a million."""
    shown = format_number(value, NumberStyle("significant", digits), minus="−")
    mantissa, raised, exponent = shown.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + raised + exponent


def align_points(texts: list[str]) -> list[str]:
    """Numbers as texts, padded with spaces so that their decimal points (or ends of whole numbers) stand in one column.

    A lone "0" among numbers without leading zero stands where their points stand.
    """
    bare = any(text.lstrip("+-−").startswith(".") for text in texts)
    parts = [_halves(text, bare) for text in texts]
    left = max((len(whole) for whole, _ in parts), default=0)
    right = max((len(rest) for _, rest in parts), default=0)
    return [whole.rjust(left) + rest.ljust(right) for whole, rest in parts]


def _sign(value: float, style: NumberStyle, minus: str) -> str:
    if value < 0:
        return minus
    return "+" if style.signed and value > 0 else ""


def _magnitude(value: float, style: NumberStyle, digits: int) -> str:
    match style.kind:
        case "significant":
            return str(value) if isinstance(value, int) else _significant(value, max(digits, 1))
        case "fixed":
            return _fixed(value, digits)
        case "scientific":
            return _scientific(value, max(digits, 1))
        case "percent":
            return _hundredfold(value, digits) + "%"
        case "count":
            return f"{int(value):,}" if value == int(value) else _significant(value, max(digits, 1))
        case "exact":
            return _exact(value)


def _significant(value: float, digits: int) -> str:
    exponent = _exponent(value, digits)
    if not SMALLEST_PLAIN_EXPONENT <= exponent < max(digits, 6):
        return _scientific(value, digits)
    return _without_idle_zeros(f"{value:.{max(digits - 1 - exponent, 0)}f}", value)


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}" if value < 10.0**LARGEST_PLAIN_EXPONENT else ""
    vanished = not text.strip("0.")
    return _scientific(value, max(min(digits, 3), 1)) if vanished else text


def _hundredfold(value: float, digits: int) -> str:
    if math.isfinite(100.0 * value):
        return _fixed(100 * value, digits)
    return f"{100 * Decimal(value):.2e}".replace("e+", "e")


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    exact = float(f"{mantissa}e{exponent}") == value
    if exact and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def _exact(value: float) -> str:
    mantissa, _, exponent = repr(value).partition("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _exponent(value: float, digits: int) -> int:
    return int(f"{value:.{digits - 1}e}".split("e")[1])


def _without_idle_zeros(text: str, value: float) -> str:
    if "." not in text or float(text) != value:
        return text
    return text.rstrip("0").rstrip(".")


def _halves(text: str, bare: bool) -> tuple[str, str]:
    if bare and text == "0":
        return "", text
    cut = next((place for place, sign in enumerate(text) if sign in ".e%"), len(text))
    return text[:cut], text[cut:]


def written_parts(text: str) -> tuple[str, str, str]:
    """A formatted number's mantissa, exponent and percent sign: ("4.4", "-10", "%"); what it has not is empty."""
    body = text.removesuffix("%")
    mantissa, _, exponent = body.partition("e")
    return mantissa, exponent, text[len(body) :]


def decimals_lacking(texts: Sequence[str]) -> list[str] | None:
    """What each number lacks at its right so that all points stand in one column: "", ".00" or "00".

    None where one has an exponent: such numbers have no common place for the point.
    """
    if any("e" in text for text in texts):
        return None
    rests = ["".join(text.removesuffix("%").partition(".")[1:]) for text in texts]
    longest = max((len(rest) for rest in rests), default=0)
    filler = "." + "0" * longest
    return [filler[len(rest) : longest] for rest in rests]
