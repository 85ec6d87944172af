"""How text from a file is quoted in a message: escaped and short, because it may be hostile or long."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 40  # characters of a cell shown in a message
MOST = 24  # names listed in a message


def quoted(value: object) -> str:
    r"""The value in quotes, control characters escaped, cut after 40 characters.

    Example: `quoted("a\x1b[31m")` shows the escape sequence instead of coloring the terminal.
    """
    text = str(value)
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def printable(text: str) -> str:
    """The text with control characters escaped, without quotes and of any length."""
    return repr(text)[1:-1]


def listed(names: Iterable[object]) -> str:
    """The names, quoted and separated by commas; beyond 24 only counted."""
    every = [quoted(name) for name in names]
    more = f" and {len(every) - MOST} more" if len(every) > MOST else ""
    return ", ".join(every[:MOST]) + more
