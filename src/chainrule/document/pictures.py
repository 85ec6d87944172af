"""Where everything stands in a map of counts, in the drawing of a network and among small pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from chainrule.document.chart import chart_of, fitted
from chainrule.document.drawn import Diagram, Drawn, Figure, Heatmap, Landscape, Link, Picture, Pictures, Stage
from chainrule.document.formula import Number
from chainrule.document.landscape import landscape
from chainrule.document.numbers import PLAIN_STYLE, format_number
from chainrule.document.shapes import (
    LETTER,
    LINE,
    WIDTH,
    Box,
    Chart,
    Disk,
    Point,
    Rule,
    Shape,
    Strands,
    Tiles,
    Words,
)
from chainrule.document.text.characters import visible
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.spans import Pen

LEVELS: Final = 12  # of gray in a picture: more than an eye tells apart side by side
PICTURE: Final = 60.0  # the longer side of a small picture
LABELS: Final = 0.4  # of the width of a chart, at most, for what stands beside the first or the last stage
_PITCH: Final = 80.0  # from one small picture to the next; five stand side by side
_STAGE: Final = 84.0  # from one stage of a diagram to the next, at least
_UNIT: Final = 20.0  # from one unit to the next
_RADIUS: Final = 6.0
_THIN, _THICK, _WIDTHS = 0.4, 3.0, 6  # of connections, in steps
_EDGE: Final = 8.0
_PEN: Final = Pen()


def sheet_of(drawn: Drawn, *, titled: bool) -> Chart:
    """Whatever is drawn, with everything in its place."""
    match drawn:
        case Figure():
            return chart_of(drawn, titled=titled)
        case Heatmap():
            return _heatmap(drawn, titled=titled)
        case Diagram():
            return _diagram(drawn, titled=titled)
        case Pictures():
            return _pictures(drawn, titled=titled)
        case Landscape():
            return landscape(drawn, titled=titled)


def _head(drawn: Drawn, width: float, *, titled: bool) -> list[Shape]:
    if not titled or not drawn.title:
        return []
    return [Words(0, LINE - 4, fitted(_PEN.line(drawn.title), width), "start", "title")]


def _below(head: Sequence[Shape]) -> float:
    return LINE + _EDGE if head else 0.0


# ---- counts ----


def _heatmap(heatmap: Heatmap, *, titled: bool) -> Chart:
    shapes = _head(heatmap, WIDTH, titled=titled)
    top = _below(shapes)
    if not heatmap.names:
        return Chart(top + LINE + _EDGE, (*shapes, Words(0, top + LINE - 4, "no counts", "start", "label")))
    said = [part for part in (heatmap.row_label, heatmap.column_label) if part]
    if said:
        words = " · ".join(visible(part) for part in said)
        shapes.append(Words(0, top + LINE - 4, fitted(words, WIDTH), "start", "label"))
        top += LINE + 4
    names = [fitted(visible(name), WIDTH * 0.22) for name in heatmap.names]
    left = (max(map(columns_of, names)) + 1) * LETTER + _EDGE  # one more, as some letters are wider
    side = (WIDTH - left) / len(names)
    high = min(side, 26.0) if side > LINE else max(side, 8.0)
    shapes += _column_names(names, left, side, top)
    top += LINE
    shapes += _cells(heatmap, (left, top), side, high)
    if high >= LINE - 4:
        shapes += [
            Words(left - _EDGE + 2, round(top + row * high + high / 2 + 4, 1), name, "end", "tick")
            for row, name in enumerate(names)
        ]
    return Chart(round(top + high * len(names) + _EDGE, 1), tuple(shapes))


def _column_names(names: Sequence[str], left: float, side: float, top: float) -> Iterator[Words]:
    if side < 2 * LETTER and any(columns_of(name) > 1 for name in names):
        return
    for column, name in enumerate(names):
        yield Words(round(left + (column + 0.5) * side, 1), top + LINE - 6, fitted(name, side), "middle", "tick")


def _cells(heatmap: Heatmap, corner: Point, side: float, high: float) -> Iterator[Shape]:
    """What is right in the first color by its share of the row, what is mistaken in the second by its number."""
    wrong = max((count for i, row in enumerate(heatmap.counts) for j, count in enumerate(row) if i != j), default=0)
    for i, row in enumerate(heatmap.counts):
        for j, count in enumerate(row):
            if not count:
                continue
            shade = 0.1 + 0.3 * count / sum(row) if i == j else 0.15 + 0.4 * count / wrong
            box = (corner[0] + j * side, corner[1] + i * high, side - 1, high - 1)
            yield Tiles((_rounded(box),), round(shade, 2), 0 if i == j else 1)
            if len(f"{count:,}") * LETTER <= side and high >= LINE - 4:
                center = round(box[0] + side / 2, 1), round(box[1] + high / 2 + 4, 1)
                yield Words(*center, f"{count:,}", "middle", "value")


def _rounded(box: Box) -> Box:
    left, top, width, height = (round(length, 1) for length in box)
    return left, top, width, height


# ---- networks ----


def _diagram(diagram: Diagram, *, titled: bool) -> Chart:
    stages = list(diagram.stages)
    left = _EDGE + _room(stages[0]) if len(stages) > 1 else _EDGE + _STAGE / 2
    right = _EDGE + _room(stages[-1])
    inner = max(WIDTH - left - right, _STAGE * (len(stages) - 1))
    width = left + inner + right
    shapes = _head(diagram, width, titled=titled)
    pitch = inner / max(len(stages) - 1, 1)
    tallest = max((len(stage.shown) + _is_cut(stage) for stage in stages), default=1)
    top = _below(shapes) + LINE + _EDGE
    middle = top + max(tallest, 3) * _UNIT / 2
    places = [_placed(stage, round(left + place * pitch, 1), middle) for place, stage in enumerate(stages)]
    for place, links in enumerate(diagram.links):
        shapes += _connections(places[place], places[place + 1], links, pitch)
    bottom = top + max(tallest, 3) * _UNIT
    for place, (stage, units) in enumerate(zip(stages, places, strict=True)):
        x = round(left + place * pitch, 1)
        shapes += _units(stage, units, x, middle, width)
        side = -1 if place == 0 and len(stages) > 1 else 1
        shapes += _beside(stage, units, side, (left if side < 0 else right) - _EDGE)
        room = min(2 * min(x, width - x), pitch - 4) if len(stages) > 1 else width
        at = min(max(x, room / 2), width - room / 2)
        shapes.append(Words(at, top - _EDGE, fitted(visible(stage.title), room), "middle", "label"))
        shapes += [
            Words(at, bottom + LINE * (line + 1), fitted(visible(part), room), "middle", "tick")
            for line, part in enumerate(stage.remark.split("\n"))
        ]
    lines = max((stage.remark.count("\n") + 1 for stage in stages), default=1)
    return Chart(round(bottom + LINE * lines + _EDGE + 4, 1), tuple(shapes), round(width, 1))


def _room(stage: Stage) -> float:
    """What the labels beside a stage need, or half the width of its title."""
    labels = max((columns_of(fitted(visible(label), WIDTH * LABELS)) for label in stage.labels), default=0)
    return max(labels * LETTER + _RADIUS + _EDGE, min(columns_of(visible(stage.title)) * LETTER, _STAGE) / 2)


def _is_cut(stage: Stage) -> bool:
    return bool(stage.shown) and len(stage.shown) < stage.units


def _placed(stage: Stage, x: float, middle: float) -> dict[int, Point]:
    """Where the shown units stand, by their index, around the middle of the sheet."""
    rows = len(stage.shown) + _is_cut(stage)
    first = middle - (rows - 1) * _UNIT / 2
    return {unit: (x, round(first + row * _UNIT, 1)) for row, unit in enumerate(stage.shown)}


def _units(stage: Stage, units: dict[int, Point], x: float, middle: float, width: float) -> Iterator[Shape]:
    if not stage.shown:
        box = (x - 22, middle - 30, 44.0, 60.0)
        yield Tiles((_rounded(box),), 0.12)
        return
    for at in units.values():
        yield Disk(at, _RADIUS)
    if _is_cut(stage):
        below = max(y for _, y in units.values()) + _UNIT
        said = f"… {stage.units - len(stage.shown):,} more"
        half = columns_of(said) * LETTER / 2
        yield Words(min(max(x, half), width - half), below + 5, said, "middle", "value")


def _beside(stage: Stage, units: dict[int, Point], side: int, room: float) -> Iterator[Words]:
    for label, (x, y) in zip(stage.labels, units.values(), strict=False):
        anchor = "end" if side < 0 else "start"
        yield Words(x + side * (_RADIUS + 4), y + 4, fitted(visible(label), room - _RADIUS), anchor, "tick")


def _connections(
    before: dict[int, Point], after: dict[int, Point], links: Sequence[Link], pitch: float
) -> Iterator[Shape]:
    """Wider where the weight is larger, dashed and in the second color where it is negative."""
    found = [(link, link.weight or 0.0) for link in links if link.source in before and link.target in after]
    seen = [(link, weight) for link, weight in found if math.isfinite(weight)]
    largest = max((abs(weight) for _, weight in seen), default=0.0) or 1.0
    groups: dict[tuple[int, bool], list[tuple[Point, Point]]] = {}
    for link, weight in seen:
        level = round(abs(weight) / largest * (_WIDTHS - 1))
        groups.setdefault((level, weight < 0), []).append((before[link.source], after[link.target]))
    for (level, negative), lines in sorted(groups.items()):
        width = _THIN + (_THICK - _THIN) * level / (_WIDTHS - 1)
        yield Strands(tuple(lines), round(width, 2), 1 if negative else 0, dashed=negative)


# ---- small pictures ----


def _pictures(pictures: Pictures, *, titled: bool) -> Chart:
    shapes = _head(pictures, WIDTH, titled=titled)
    top = _below(shapes)
    row = PICTURE + LINE * len(pictures.headers) + _EDGE
    for place, picture in enumerate(pictures.pictures):
        across, down = place % 5, place // 5
        x, y = across * _PITCH, top + down * row
        shapes += _picture(picture, x, y)
        shapes += [
            Words(x, y + PICTURE + LINE * (line + 1) - 2, fitted(words, _PITCH - 4), "start", "tick")
            for line, words in enumerate(map(_line, pictures.headers, picture.lines))
        ]
    rows = -(-len(pictures.pictures) // 5)
    return Chart(round(max(top + rows * row, LINE), 1), tuple(shapes))


def _line(header: str, line: str | Number) -> str:
    if isinstance(line, Number):  # without raised exponents, which take more room
        return f"{visible(header)} {format_number(line.value, line.style or PLAIN_STYLE, minus='−')}"
    return visible(line)


def _picture(picture: Picture, x: float, y: float) -> Iterator[Shape]:
    """Its pixels by their level of gray, neighbors of one level as one box, in a frame."""
    height, width = len(picture.shades), max(map(len, picture.shades), default=0)
    if not height or not width:
        return
    pixel = PICTURE / max(height, width)
    levels: dict[int, list[Box]] = {}
    for row, shades in enumerate(picture.shades):
        start = 0
        for column in range(1, len(shades) + 1):
            if column == len(shades) or _level(shades[column]) != _level(shades[start]):
                box = (x + start * pixel, y + row * pixel, (column - start) * pixel, pixel)
                levels.setdefault(_level(shades[start]), []).append(box)
                start = column
    for level, boxes in sorted(levels.items()):
        if level:
            yield Tiles(tuple(_exactly(box) for box in boxes), round(level / LEVELS, 2))
    right, bottom = x + width * pixel, y + height * pixel
    corners = [(x, y), (right, y), (right, bottom), (x, bottom)]
    yield from (Rule(start, end, grid=True) for start, end in zip(corners, [*corners[1:], corners[0]], strict=True))


def _exactly(box: Box) -> Box:
    """To a hundredth, so that neighbors touch."""
    left, top, width, height = (round(length, 2) for length in box)
    return left, top, width, height


def _level(shade: float) -> int:
    return round(min(max(shade, 0.0), 1.0) * LEVELS) if math.isfinite(shade) else 0
