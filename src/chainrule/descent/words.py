"""Numbers as this room says them in sentences."""

from __future__ import annotations


def counted(count: int, word: str) -> str:
    """A number of things."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def short(value: float, digits: int = 4) -> str:
    """A number to read."""
    text = f"{value:.{digits}g}"
    return f"−{text[1:]}" if text.startswith("-") else text


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign; 0 has none."""
    return f"+{short(value, digits)}" if value > 0 else short(value, digits)
