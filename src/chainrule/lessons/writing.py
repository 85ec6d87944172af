"""The words in which a lesson is told: sentences, formulas, tables and charts, with numbers set as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from chainrule.document import (
    COUNT,
    Block,
    Cell,
    Column,
    Content,
    Equation,
    Equations,
    Figure,
    Formula,
    Heading,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Series,
    Span,
    Table,
    format_number,
    walk,
)
from chainrule.errors import UnknownNameError
from chainrule.lessons.taught import Statement
from chainrule.runs.page import Page

THREE: Final = NumberStyle("significant", 3)
FOUR: Final = NumberStyle("significant", 4)
EXACT: Final = NumberStyle("exact", 17)
PERCENT: Final = NumberStyle("percent", 0)
GROUPED: Final = 1e4  # from here on a number is told whole, with its thousands apart
MOST_COUNTED: Final = 1e9  # a whole number beyond it is read more easily as a power of ten

Said: TypeAlias = "Span | float"  # a span, or a number that is set as one
Line: TypeAlias = "Sequence[float] | tuple[Sequence[float], Sequence[float]]"


def part(title: Content) -> Heading:
    """The title of a part of the lesson."""
    return Heading(title)


def say(*words: Said) -> Paragraph:
    """A paragraph; numbers among the words are set to three digits, whole ones with their thousands apart."""
    return Paragraph(_content(words))


def formulas(*lines: Formula | Equation) -> Equations:
    """Formulas under one another, each alone or as an `Equation` with a remark at its right."""
    return Equations(tuple(line if isinstance(line, Equation) else Equation(line) for line in lines))


def claim(name: str, *words: Said, holds: bool, **numbers: Plain) -> Statement:
    """A statement that the numbers bear out or not.

    Args:
        name: by which a program finds it.
        words: the sentence, made of the numbers that came out.
        holds: whether they bear it out.
        numbers: what that was decided by.
    """
    return Statement(name, _content(words), bool(holds), numbers)


def measured(name: str, *words: Said, **numbers: Plain) -> Statement:
    """A statement of what was measured here and is another elsewhere, such as a time."""
    return Statement(name, _content(words), None, numbers)


def table(header: Sequence[Column | str], rows: Sequence[Sequence[Cell | float]], name: str = "") -> Table:
    """Rows under a header; numbers are set to four digits unless their column has its own style."""
    columns = tuple(
        each if isinstance(each, Column) else Column(each or None, style=FOUR, heading=place == 0)
        for place, each in enumerate(header)
    )
    return Table(columns, tuple(Row(tuple(_cell(cell) for cell in row)) for row in rows), name=name)


def curves(
    title: str,
    lines: Mapping[str, Line],
    *,
    x: str = "",
    y: str = "",
    logarithmic: bool = False,
    logarithmic_x: bool = False,
) -> Figure:
    """Lines in one chart; the sentence below it, for those who do not see it, is read off the points.

    Args:
        title: above the chart.
        lines: by their names the values, counted from 0, or a tuple of places and values.
        x: the name of the axis across.
        y: the name of the axis up.
        logarithmic: equal ratios are equally far apart on the axis up.
        logarithmic_x: the same of the axis across.
    """
    series = tuple(Series(name, *_points(line)) for name, line in lines.items())
    read = "; ".join(_read(each, x) for each in series)
    return Figure("line", series, f"{read}.", title, x, y, logarithmic=logarithmic, logarithmic_x=logarithmic_x)


def bars(title: str, values: Mapping[str, float], *, y: str = "") -> Figure:
    """A bar for each name; the sentence below it names the largest and the smallest."""
    places = tuple(float(place) for place in range(len(values)))
    most, least = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
    read = f"The largest is {most}, {_text(values[most])}; the smallest {least}, {_text(values[least])}."
    series = Series(title, places, tuple(values.values()))
    return Figure("bar", (series,), read, title, y_label=y, categories=tuple(values))


def _read(series: Series, across: str) -> str:
    """Where a line begins and ends, and where between them it is higher or lower than at both."""
    points = [(x, y) for x, y in zip(series.x, series.y, strict=True) if math.isfinite(y)]
    if not points:
        return f"{series.name} has no finite point"
    (first, begins), (last, ends) = points[0], points[-1]
    at = f"{across} = " if across else ""
    read = f"{series.name} goes from {_text(begins)} at {at}{_text(first)} to {_text(ends)} at {at}{_text(last)}"
    place, highest = max(points, key=lambda point: point[1])
    if highest > max(begins, ends):
        read += f", highest {_text(highest)} at {_text(place)}"
    place, lowest = min(points, key=lambda point: point[1])
    if lowest < min(begins, ends):
        read += f", lowest {_text(lowest)} at {_text(place)}"
    return read


def _text(value: float) -> str:
    return format_number(value, THREE, minus="−")


def opened(page: Page, *names: str) -> tuple[Block, ...]:
    """Blocks of another page, such as an explanation's, in the order asked for: `opened(page, "chain", "steps")`.

    Args:
        page: what `run.explain` or `run.nudges` returned.
        names: of the blocks, or of something inside them, which then come whole.

    Raises: UnknownNameError for a name that nothing on the page bears.
    """
    known = {inner.name: block for block in reversed(page.document.blocks) for inner in walk(block) if inner.name}
    for name in names:
        if name not in known:
            raise UnknownNameError("block", name, known)
    return tuple(known[name] for name in names)


def shown(value: float, style: NumberStyle = THREE) -> Number:
    """A number in a style of its own."""
    return Number(value, style)


def _content(words: Sequence[Said]) -> tuple[Span, ...]:
    return tuple(_number(word) if isinstance(word, int | float) else word for word in words)


def _number(value: float) -> Number:
    if GROUPED <= abs(value) < MOST_COUNTED:
        return Number(round(value), COUNT)
    whole = isinstance(value, int) or float(value).is_integer()
    return Number(value, COUNT if whole and abs(value) < MOST_COUNTED else THREE)


def _cell(cell: Cell | float) -> Cell:
    return Number(cell) if isinstance(cell, int | float) else cell


def _points(line: Line) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if isinstance(line, tuple) and len(line) == 2 and isinstance(line[0], Sequence):
        across, up = line
        assert isinstance(across, Sequence)
        assert isinstance(up, Sequence)
        return tuple(map(float, across)), tuple(map(float, up))
    return tuple(float(place) for place in range(len(line))), tuple(float(value) for value in line)  # pyright: ignore[reportArgumentType]
