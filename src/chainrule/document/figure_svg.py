"""Paints a figure as SVG: series differ by dashes and marks, not only by color, and dark surroundings are followed."""

from __future__ import annotations

from html import escape
from typing import Final, assert_never

from chainrule.document.chart import Bar, Chart, Curve, Mark, Point, Rule, Shape, Words, chart_of, number_text
from chainrule.document.formula import Number
from chainrule.document.text.characters import visible
from chainrule.document.tree import Figure

# Each at least 4.5 to 1 against the ground, light or dark (WCAG 2.2, 1.4.3).
LIGHT: Final = ("#0b57d0", "#b3400a", "#0f7040", "#7a35c9", "#7d5700", "#575e66")
DARK: Final = ("#8ab8ff", "#ffab7a", "#6fd8a0", "#cfaeff", "#e8c547", "#b4bcc6")
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "12 3", "4 2")
_MARKS: Final = (  # around the origin
    "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "M-3-3h6v6h-6z", "M0-4l4 7h-8z",
    "M0-4.4l4.4 4.4l-4.4 4.4l-4.4-4.4z",
    "M-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4", "M-4 0h8m-4-4v8",
)  # fmt: skip
_HOLLOW: Final = (1, 3)  # filled and hollow marks by turns
_FILLS: Final = (1.0, 0.35, 0.7, 0.15, 0.5, 0.05)


def chart_css() -> str:
    """The style of every chart, for the page or the file that holds it; a page's own colors may be its ground."""
    light, dark = (
        "".join(f"--series-{place}:{color};" for place, color in enumerate(colors)) for colors in (LIGHT, DARK)
    )
    return (
        f".chart{{{light}font-family:system-ui,sans-serif;font-size:13px;fill:currentColor}}"
        f"@media(prefers-color-scheme:dark){{.chart{{{dark}}}}}"
        f"@media print{{.chart{{{light}}}}}"
        ".chart .title{font-weight:600;font-size:14px}"
        ".chart .axis{stroke:currentColor;fill:none}.chart .grid{stroke:currentColor;stroke-opacity:.15;fill:none}"
        ".chart .value,.chart .tick{font-variant-numeric:tabular-nums}"
        ".chart .curve{fill:none;stroke-width:2;stroke-linejoin:round}"
        + "".join(
            f".chart .s{place}{{stroke:var(--series-{place});fill:var(--series-{place})}}"
            for place in range(len(LIGHT))
        )
        + ".chart .curve,.chart .hollow{fill:none}.chart .mark{stroke-width:1.5}"
    )


def render_svg(figure: Figure, *, standalone: bool = True) -> str:
    """The figure as SVG, with its sentence as the text alternative, ending in a newline.

    Args:
        figure: what to show.
        standalone: a file of its own, with title and style; else an element for a page that holds `chart_css`.
    """
    chart = chart_of(figure, titled=standalone)
    size = f'viewBox="0 0 {chart.width:g} {chart.height:g}"'
    said = escape(visible(figure.alternative))
    if not standalone:
        return f'<svg class="chart" role="img" aria-label="{said}" {size}>{_painted(chart)}</svg>\n'
    style = f"<style>{chart_css()}svg{{color:#1b1f24}}@media(prefers-color-scheme:dark){{svg{{color:#e6e8eb}}}}</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" aria-label="{said}" {size}>'
        f"<title>{said}</title>{style}{_painted(chart)}</svg>\n"
    )


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
            hollow = " hollow" if _turn(series) in _HOLLOW else ""
            mark = _MARKS[_turn(series)]
            return f'<path class="mark s{_turn(series)}{hollow}" transform="translate({_pair(at)})" d="{mark}"/>'
        case Bar(corner, width, height, series):
            opacity = f' fill-opacity="{_FILLS[_turn(series)]:g}"' if _turn(series) else ""
            place = f'x="{corner[0]:g}" y="{corner[1]:g}" width="{width:g}" height="{height:g}"'
            return f'<rect class="bar s{_turn(series)}"{opacity} {place}/>'
        case _:
            assert_never(shape)


def _pair(point: Point) -> str:
    return f"{point[0]:g} {point[1]:g}"


def _turn(series: int) -> int:
    return series % len(LIGHT)


def _dashes(series: int) -> str:
    dashes = _DASHES[_turn(series)]
    return f' stroke-dasharray="{dashes}"' if dashes else ""
