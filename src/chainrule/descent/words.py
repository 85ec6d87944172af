"""Numbers as this room says them in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.document.numbers import short


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Several names: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign; 0 has none."""
    return f"+{short(value, digits)}" if value > 0 else short(value, digits)


def percent(share: float, *, sign: bool = False) -> str:
    """A share in percent, to two digits or to whole percents."""
    hundredths = 100.0 * share
    if abs(hundredths) >= 100.0:
        text = f"{hundredths:{'+' if sign else ''},.0f}".replace("-", "−")
    else:
        text = signed(hundredths, 2) if sign else short(hundredths, 2)
    return f"{text}%"
