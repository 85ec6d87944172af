"""Paints whatever is drawn in TikZ: series differ by dashes, marks and grays, so that it prints in black and white."""

from __future__ import annotations

from typing import Final, assert_never

from chainrule.document.drawn import Drawn
from chainrule.document.formula import Number
from chainrule.document.latex.characters import escaped, flowing
from chainrule.document.latex.spans import content
from chainrule.document.latex.typeset import number
from chainrule.document.numbers import NumberStyle
from chainrule.document.pictures import sheet_of
from chainrule.document.shapes import (
    WIDTH,
    Bar,
    Chart,
    Curve,
    Disk,
    Mark,
    Point,
    Rule,
    Shape,
    Strands,
    Tiles,
    Words,
)

_SCALE: Final = 0.03  # centimeters a unit: a chart is 12 cm wide
_PLAIN: Final = NumberStyle(digits=4)
_ANCHORS: Final = {"start": "base west", "middle": "base", "end": "base east"}
_DASHES: Final = ("solid", "dashed", "dotted", "dash dot", "densely dashed", "densely dotted")
_FILLS: Final = (70, 25, 50, 10, 35, 0)  # percent of black
_MARKS: Final = (
    "fill (0,0) circle (1.4pt)", "draw (-1.3pt,-1.3pt) rectangle (1.3pt,1.3pt)",
    "fill (0,1.7pt) -- (1.6pt,-1.2pt) -- (-1.6pt,-1.2pt) -- cycle",
    "draw (0,1.8pt) -- (1.8pt,0) -- (0,-1.8pt) -- (-1.8pt,0) -- cycle",
    "draw (-1.4pt,-1.4pt) -- (1.4pt,1.4pt) (-1.4pt,1.4pt) -- (1.4pt,-1.4pt)",
    "draw (-1.7pt,0) -- (1.7pt,0) (0,-1.7pt) -- (0,1.7pt)",
)  # fmt: skip


def figure_latex(figure: Drawn) -> str:
    """Its title, its chart, and the sentence that says what it shows."""
    title = [rf"\textbf{{{content(figure.title)}}}\par\nopagebreak"] if figure.title else []
    chart = _painted(sheet_of(figure, titled=False))
    return "\n".join([*title, chart, rf"\par\nopagebreak {flowing(figure.alternative)}\par"])


def _painted(chart: Chart) -> str:
    lines = "\n".join(map(_shape, chart.shapes))
    scale = f"{_SCALE * min(WIDTH / chart.width, 1.0):.4g}"
    return f"\\begin{{tikzpicture}}[x={scale}cm,y=-{scale}cm,font=\\scriptsize]\n{lines}\n\\end{{tikzpicture}}"


def _shape(shape: Shape) -> str:
    match shape:
        case Words(x, y, said, anchor, _):
            text = f"${number(said.value, said.style or _PLAIN)}$" if isinstance(said, Number) else escaped(said)
            return rf"\node[anchor={_ANCHORS[anchor]},inner sep=0pt] at {_pair((x, y))} {{{text}}};"
        case Rule(start, end, grid):
            return rf"\draw[{'black!15' if grid else 'black'},thin] {_pair(start)} -- {_pair(end)};"
        case Curve(points, series):
            path = " -- ".join(map(_pair, points))
            return rf"\draw[{_DASHES[series % len(_DASHES)]},thick,line join=round] {path};"
        case Mark(at, series):
            return rf"\begin{{scope}}[shift={{{_pair(at)}}}]\{_MARKS[series % len(_MARKS)]};\end{{scope}}"
        case Bar(corner, width, height, series):
            end = (corner[0] + width, corner[1] + height)
            return rf"\draw[fill=black!{_FILLS[series % len(_FILLS)]},thin] {_pair(corner)} rectangle {_pair(end)};"
        case Tiles(boxes, shade, _):
            parts = (f"{_pair((x, y))} rectangle {_pair((x + w, y + h))}" for x, y, w, h in boxes)
            return rf"\fill[black!{round(100 * shade)}] {' '.join(parts)};"
        case Strands(strands, width, _, dashed):
            parts = (f"{_pair(start)} -- {_pair(end)}" for start, end in strands)
            return rf"\draw[line width={width * 0.6:.3g}pt{',dashed' if dashed else ''},black!60] {' '.join(parts)};"
        case Disk(at, radius):
            return rf"\draw[fill=white,thin] {_pair(at)} circle ({radius:.4g});"
        case _:
            assert_never(shape)


def _pair(point: Point) -> str:
    return f"({point[0]:.6g},{point[1]:.6g})"
