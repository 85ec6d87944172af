"""Text compared with text, where … stands for what may differ."""

from __future__ import annotations

import difflib
import re

ANYTHING = "…"
ANY_LINES = r"(?:[^\n]*\n)*?"


def difference(expected: str, shown: str) -> str | None:
    """None if `shown` is as `expected` says, otherwise both, line by line.

    Within a line `…` stands for any characters of that line; alone on a line it stands for any number of lines. Blank
    ends of lines, and the number of blanks beside a `…`, do not matter.
    """
    if _pattern(expected).fullmatch(_ends_dropped(shown)):
        return None
    lines = difflib.unified_diff(
        _ends_dropped(expected).splitlines(), _ends_dropped(shown).splitlines(), "expected", "shown", lineterm="", n=2
    )
    return "\n".join(lines)


def _pattern(expected: str) -> re.Pattern[str]:
    lines = _ends_dropped(expected).splitlines()
    return re.compile("".join(ANY_LINES if line.strip() == ANYTHING else f"{_line_pattern(line)}\n" for line in lines))


def _line_pattern(line: str) -> str:
    parts = re.split(rf"[ ]*{ANYTHING}[ ]*", line)
    return r"[^\n]*".join(re.escape(part) for part in parts)


def _ends_dropped(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "\n".join(lines) + "\n" if lines else ""
