"""How many there are, as a sentence says it: "1 row", "1,437 rows", "the one row", "all 12 rows", "four"."""

from __future__ import annotations

from typing import Final

SPELLED: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def plural(count: int, word: str) -> str:
    """The word for so many things."""
    return word if count == 1 else f"{word}s"


def counted(count: int, word: str) -> str:
    """A number of things."""
    return f"{count:,} {plural(count, word)}"


def spelled(count: int) -> str:
    """The number as a word up to twelve, so that nobody takes it for a name: "the four that want it smaller"."""
    return SPELLED[count] if count < len(SPELLED) else f"{count:,}"


def all_of(count: int, word: str) -> str:
    """Every one of so many things."""
    return f"the one {word}" if count == 1 else f"all {counted(count, word)}"


def verb_of(count: int, one: str, several: str) -> str:
    """The verb of so many things: "is", "are"."""
    return one if count == 1 else several
