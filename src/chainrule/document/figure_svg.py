"""Paints what is drawn as SVG: series differ by dashes and marks, not only by color, and dark pages are followed."""

from __future__ import annotations

from html import escape
from typing import Final, assert_never

from chainrule.document.chart import number_text
from chainrule.document.drawn import Drawn
from chainrule.document.formula import Number
from chainrule.document.pictures import sheet_of
from chainrule.document.shapes import (
    Bar,
    Box,
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
from chainrule.document.text.characters import visible
from chainrule.document.text.spans import Pen
from chainrule.document.themes import themed

# Each at least 4.5 to 1 against the ground, light or dark (WCAG 2.2, 1.4.3).
LIGHT: Final = ("#0b57d0", "#b3400a", "#0f7040", "#7a35c9", "#7d5700", "#575e66")
DARK: Final = ("#8ab8ff", "#ffab7a", "#6fd8a0", "#cfaeff", "#e8c547", "#b4bcc6")
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "12 3", "4 2")
_MARKS: Final = (  # around the origin
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "M-3-3h6v6h-6z", "M0-4l4 7h-8z",
    "M0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z",
    "M-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4", "M-4 0h8m-4-4v8",
)  # fmt: skip
HOLLOW: Final = (1, 3)  # filled and hollow marks by turns
FILLS: Final = (1.0, 0.35, 0.7, 0.15, 0.5, 0.05)
_PEN: Final = Pen()


def chart_css(*, within: bool = True) -> str:
    """The style of every chart; a page's own colors may be its ground.

    Args:
        within: for a page that holds charts and may have a theme; else for a file of its own.
    """
    light, dark = (
        "".join(f"--series-{place}:{color};" for place, color in enumerate(colors)) for colors in (LIGHT, DARK)
    )
    alone = f".chart{{{light}}}@media(prefers-color-scheme:dark){{.chart{{{dark}}}}}@media print{{.chart{{{light}}}}}"
    return (
        f"{themed('.chart', light, dark, light) if within else alone}"
        ".chart{font-family:system-ui,sans-serif;font-size:13px;fill:currentColor}"
        ".chart .title{font-weight:600;font-size:14px}"
        ".chart .axis{stroke:currentColor;fill:none}.chart .grid{stroke:currentColor;stroke-opacity:.15;fill:none}"
        ".chart .value,.chart .tick{font-variant-numeric:tabular-nums}"
        ".chart .curve{fill:none;stroke-width:2;stroke-linejoin:round}"
        + "".join(
            f".chart .s{place}{{stroke:var(--series-{place});fill:var(--series-{place})}}"
            for place in range(len(LIGHT))
        )
        + ".chart .curve,.chart .hollow{fill:none}.chart .mark{stroke-width:1.5}"
        ".chart .tiles{stroke:none;shape-rendering:crispEdges}.chart .strands{fill:none;stroke-opacity:.75}"
        ".chart .disk{fill:var(--ground,#fff);stroke:currentColor;stroke-width:1.2}"
    )


def render_svg(drawn: Drawn, *, standalone: bool = True) -> str:
    """Whatever is drawn as SVG, its title and its sentence as the text alternative, ending in a newline.

    Args:
        drawn: what to show.
        standalone: a file of its own, with title and style; else an element for a page that holds `chart_css`.
    """
    chart = sheet_of(drawn, titled=standalone)
    size = f'viewBox="0 0 {chart.width:g} {chart.height:g}"'
    if not standalone:
        return f'<svg class="chart" role="img" {size}>{_said(drawn)}{_painted(chart)}</svg>\n'
    ground = "svg{color:#1b1f24;--ground:#fff}@media(prefers-color-scheme:dark){svg{color:#e6e8eb;--ground:#15181c}}"
    style = f"<style>{chart_css(within=False)}{ground}</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" {size}>'
        f"{_said(drawn)}{style}{_painted(chart)}</svg>\n"
    )


def _said(drawn: Drawn) -> str:
    """What a screen reader says: the title, then the sentence."""
    title, sentence = _PEN.line(drawn.title), visible(drawn.alternative)
    described = f"<desc>{escape(sentence)}</desc>" if title and sentence else ""
    return f"<title>{escape(title or sentence)}</title>{described}"


def _painted(chart: Chart) -> str:
    return "".join(map(_shape, chart.shapes))


def _shape(shape: Shape) -> str:
    match shape:
        case Words(x, y, said, anchor, role):
            text = number_text(said) if isinstance(said, Number) else said
            side = f' text-anchor="{anchor}"' if anchor != "start" else ""
            return f'<text class="{role}" x="{x:g}" y="{y:g}"{side}>{escape(text)}</text>'
        case Rule(start, end, grid):
            return f'<path class="{"grid" if grid else "axis"}" d="M{_pair(start)}L{_pair(end)}"/>'
        case Curve(points, series):
            return f'<path class="curve s{_turn(series)}"{_dashes(series)} d="M{"L".join(map(_pair, points))}"/>'
        case Mark(at, series):
            hollow = " hollow" if _turn(series) in HOLLOW else ""
            mark = _MARKS[_turn(series)]
            return f'<path class="mark s{_turn(series)}{hollow}" transform="translate({_pair(at)})" d="{mark}"/>'
        case Bar(corner, width, height, series):
            opacity = f' fill-opacity="{FILLS[_turn(series)]:g}"' if _turn(series) else ""
            place = f'x="{corner[0]:g}" y="{corner[1]:g}" width="{width:g}" height="{height:g}"'
            return f'<rect class="bar s{_turn(series)}"{opacity} {place}/>'
        case Tiles(boxes, shade, series):
            color = f" s{_turn(series)}" if series is not None else ""
            opacity = f' fill-opacity="{shade:g}"' if shade < 1 else ""
            return f'<path class="tiles{color}"{opacity} d="{"".join(map(_box, boxes))}"/>'
        case Strands(lines, width, series, dashed):
            path = "".join(f"M{_pair(start)}L{_pair(end)}" for start, end in lines)
            dashes = f' stroke-dasharray="{DASHES[1]}"' if dashed else ""
            return f'<path class="strands s{_turn(series)}" stroke-width="{width:g}"{dashes} d="{path}"/>'
        case Disk(at, radius):
            return f'<circle class="disk" cx="{at[0]:g}" cy="{at[1]:g}" r="{radius:g}"/>'
        case _:
            assert_never(shape)


def _pair(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _box(box: Box) -> str:
    left, top, width, height = box
    return f"M{left:g} {top:g}h{width:g}v{height:g}h{-width:g}z"


def _turn(series: int) -> int:
    return series % len(LIGHT)


def _dashes(series: int) -> str:
    dashes = DASHES[_turn(series)]
    return f' stroke-dasharray="{dashes}"' if dashes else ""
