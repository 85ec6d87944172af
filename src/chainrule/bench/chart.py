"""Results as a picture: a bar for each system on a logarithmic axis, and the floor as a line none can cross."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final
from xml.sax.saxutils import escape

from chainrule.bench.ranking import NATIVE, Ranked, ranked
from chainrule.bench.row import Row
from chainrule.document import NumberStyle, format_number

WIDTH: Final = 900  # all lengths in pixels
LABEL: Final = 360  # at the left, for names
VALUE: Final = 90  # at the right, for numbers
LINE: Final = 22
BAR: Final = 14
TITLE: Final = 44
GAP: Final = 28
OURS, OTHERS, VOID, FLOOR, TEXT = "#1f6feb", "#8b949e", "#d0d7de", "#cf222e", "#57606a"
THREE: Final = NumberStyle("significant", 3)


def chart(rows: Sequence[Row]) -> str:
    """An SVG picture; cases without a time are left out."""
    cases = [case for case in ranked(rows) if case.timed and case.floor_us]
    height = GAP + sum(_height(case) for case in cases)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"',
        ' font-family="sans-serif" font-size="12">',
        "<title>Time for a step of training, in microseconds, on a logarithmic axis</title>",
    ]
    top = GAP
    for case in cases:
        lines += _panel(case, top)
        top += _height(case)
    return "\n".join([*lines, "</svg>", ""])


def _height(case: Ranked) -> int:
    return TITLE + LINE * len(case.timed) + GAP


def _panel(case: Ranked, top: int) -> list[str]:
    """A case: its title, a bar for each row, the floor across them."""
    floor = case.floor_us
    assert floor is not None
    place = _axis(floor, [row.best_us or floor for row in case.timed])
    lines = [_text(0, top, case.title, weight="bold"), _text(0, top + 16, case.sentence, fill=TEXT)]
    first = top + TITLE - 16
    for k, row in enumerate(case.timed):
        lines += _bar(row, place(row.best_us or floor), first + LINE * k)
    x, bottom = place(floor), first + LINE * len(case.timed)
    lines.append(f'<line x1="{x}" y1="{first - 4}" x2="{x}" y2="{bottom}" stroke="{FLOOR}" stroke-width="2"/>')
    lines.append(_text(x, bottom + 12, f"physical floor {format_number(floor, THREE)} µs", fill=FLOOR))
    return lines


def _axis(floor: float, times: Sequence[float]) -> Callable[[float], float]:
    """From microseconds to a place: from half the floor to the longest time, a factor taking the same room anywhere."""
    least = math.log(floor / 2)
    room = (WIDTH - LABEL - VALUE) / (math.log(max(*times, floor * 2)) - least)
    return lambda time: round(LABEL + (math.log(time) - least) * room, 1)


def _bar(row: Row, x: float, top: int) -> list[str]:
    color = VOID if row.void else OURS if row.system == NATIVE else OTHERS
    value = format_number(row.best_us or 0.0, THREE)
    name = f"{row.system}, {row.variant}{' (void)' if row.void else ''}"
    return [
        _text(LABEL - 8, top + BAR - 3, name, anchor="end"),
        f'<rect x="{LABEL}" y="{top}" width="{round(x - LABEL, 1)}" height="{BAR}" fill="{color}"/>',
        _text(x + 6, top + BAR - 3, f"{value} µs"),
    ]


def _text(x: float, y: float, said: str, *, anchor: str = "start", fill: str = "#24292f", weight: str = "") -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return f'<text x="{round(x, 1)}" y="{y}" text-anchor="{anchor}" fill="{fill}"{bold}>{escape(said)}</text>'
