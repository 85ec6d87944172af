"""What a stream can show: how many columns, which characters, colors or none."""

from __future__ import annotations

import os
import shutil
from typing import Final, TextIO

NARROWEST: Final = 20  # columns; below that nothing can be set
WIDEST: Final = 100  # columns; a line of text longer than that is hard to follow
USUAL: Final = 80


def columns() -> int:
    """Those that COLUMNS asks for, on a terminal and on a pipe alike; else the terminal's, else 80."""
    found = shutil.get_terminal_size((USUAL, 24)).columns
    return min(max(NARROWEST, found), WIDEST)


def is_unicode(stream: TextIO) -> bool:
    """Whether every character can be written to it."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def is_colored(stream: TextIO) -> bool:
    """Whether styles are wanted on it."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
