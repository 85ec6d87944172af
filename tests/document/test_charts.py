"""Figures as SVG: round numbers on the axes, points in their places, series told apart without color."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chainrule.document import Figure, Series, render_svg
from chainrule.document.axes import axis_of, round_edges
from chainrule.document.chart import MOST_MARKS, PLOT, chart_of
from chainrule.document.shapes import WIDTH, Bar, Curve, Mark, Words
from tests.conftest import Golden
from tests.document import strategies

EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow])
SVG = "{http://www.w3.org/2000/svg}"


def parsed(figure: Figure) -> Any:  # an ElementTree element: its module's own types are generic beyond use here
    return ElementTree.fromstring(render_svg(figure))  # noqa: S314 - written here


def ticks(*values: float, **options: bool) -> list[float]:
    return [tick.number.value for tick in axis_of(values, **options).ticks]


def figures() -> dict[str, Figure]:
    steps = tuple(range(100))
    falling = [tuple(math.exp(-step / pace) + 1e-4 for step in steps) for pace in (20, 12, 8)]
    return {
        "lines": Figure(
            "line",
            tuple(Series(name, steps, y) for name, y in zip(("SGD", "momentum", "Adam"), falling, strict=True)),
            "Adam falls fastest.",
            title="Loss <of three>",
            x_label="step",
            y_label="loss",
            logarithmic=True,
        ),
        "scatter": Figure(
            "scatter", (Series("a", (1, 2, 3), (1, 4, 9)), Series("b", (1, 2, 3), (-1, math.nan, -9))), "Two."
        ),
        "bars": Figure(
            "bar",
            (Series("precision", (0, 1), (0.98, -0.25)), Series("recall", (0, 1), (0.9, math.nan))),
            "Cats are easy.",
            categories=("cat", "a category with a very long name & a sign"),
        ),
    }


@pytest.mark.parametrize("name", figures())
def test_figure_is_drawn_as_kept(name: str, golden: Golden) -> None:
    golden(f"{name}.svg", render_svg(figures()[name]))


def test_axes_are_marked_at_round_numbers() -> None:
    assert ticks(0, 39) == [0, 10, 20, 30]
    assert ticks(0.0676, 2.35, rounded=True) == [0, 0.5, 1, 1.5, 2, 2.5]
    assert ticks(0, 2) == [0, 1, 2]  # between epochs there is none
    assert ticks(0.001, 100, logarithmic=True) == [0.001, 0.01, 0.1, 1, 10, 100]
    assert ticks(1, 9, logarithmic=True) == [1, 2, 5, 10]


def test_edges_are_round_numbers_around_all_values() -> None:
    assert round_edges(-0.13, 0.2, 4) == [-0.2, -0.1, 0, 0.1, 0.2]
    assert round_edges(-400913, 291528, 15)[:2] == [-450000, -400000]
    assert round_edges(0, 0, 10) == [-0.5, -0.4, -0.3, -0.2, -0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5]


@EXAMPLES
@given(*[st.floats(allow_nan=False, allow_infinity=False)] * 2, st.integers(2, 15))
@example(-1.7e308, 1.7e308, 15)
@example(3.0, math.nextafter(3.0, 4), 15)
@example(5e-324, 0.0, 2)
@example(1e308, 1e308, 2)
def test_edges_rise_from_below_the_least_to_above_the_largest(one: float, other: float, most: int) -> None:
    low, high = sorted((one, other))
    edges = round_edges(low, high, most)
    assert edges == sorted(set(edges))
    assert edges[0] <= low <= high <= edges[-1]
    assert 2 <= len(edges) <= most + 1


@EXAMPLES
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.booleans())
@example([1.7e308, -1.7e308], True)
@example([5e-324, 0.0], False)
@example([1e308], False)
@example([1.0, math.nextafter(1.0, 2)], True)
def test_every_value_has_its_place(values: list[float], rounded: bool) -> None:
    axis = axis_of(values, rounded=rounded)
    ordered = sorted(values)
    places = [axis.place(value) for value in ordered]
    assert all(0 <= place <= 1 for place in places)
    assert places == sorted(places)
    assert len(axis.ticks) <= 12
    assert all(-0.001 <= tick.place <= 1.001 for tick in axis.ticks)


@EXAMPLES
@given(st.lists(st.floats(min_value=5e-324, allow_infinity=False), min_size=1))
def test_every_positive_value_has_its_place_in_decades(values: list[float]) -> None:
    axis = axis_of(values, logarithmic=True)
    assert all(0 <= axis.place(value) <= 1 for value in values)
    assert len({tick.number.value for tick in axis.ticks}) == len(axis.ticks)


@EXAMPLES
@given(strategies.figures())
@example(Figure("bar", (), "", categories=("a",)))
@example(Figure("line", (Series("s", (0,), (math.nan,)),), "", title="<&>"))
def test_any_figure_stays_on_its_sheet(figure: Figure) -> None:
    chart = chart_of(figure, titled=True)
    for shape in chart.shapes:
        points = {Curve: lambda s: s.points, Mark: lambda s: (s.at,), Bar: lambda s: (s.corner,)}
        for kind, of in points.items():
            for px, py in of(shape) if isinstance(shape, kind) else ():
                assert -1 <= px <= WIDTH
                assert 0 <= py <= chart.height
    root = parsed(figure)
    assert not {part.tag for part in root.iter()} - {
        SVG + name for name in ("svg", "title", "desc", "style", "text", "path", "rect")
    }


def test_a_line_goes_through_its_points() -> None:
    chart = chart_of(Figure("line", (Series("s", (0, 1, 2), (0, 1, 0)),), ""), titled=False)
    (curve,) = (shape for shape in chart.shapes if isinstance(shape, Curve))
    (left, low), (middle, high), (right, end) = curve.points
    assert low == end
    assert low - high == pytest.approx(PLOT)
    assert middle - left == pytest.approx(right - middle, abs=0.11)


def test_a_gap_breaks_the_line() -> None:
    figure = Figure("line", (Series("s", tuple(range(6)), (1, 2, math.nan, 2, 1, math.inf)),), "")
    curves = [shape for shape in chart_of(figure, titled=False).shapes if isinstance(shape, Curve)]
    assert [len(curve.points) for curve in curves] == [2, 2]


def test_long_lines_are_thinned_without_losing_a_peak() -> None:
    y = [math.sin(step / 1000) for step in range(100_000)]
    y[54_321] = 40.0
    chart = chart_of(Figure("line", (Series("s", tuple(range(100_000)), tuple(y)),), ""), titled=False)
    (curve,) = (shape for shape in chart.shapes if isinstance(shape, Curve))
    assert len(curve.points) < 4 * 2 * WIDTH
    highest = min(shape.y - 4 for shape in chart.shapes if isinstance(shape, Words))  # the number 40 on the axis
    assert min(py for _, py in curve.points) == pytest.approx(highest, abs=0.2)


def test_series_differ_without_color() -> None:
    root = parsed(figures()["lines"])
    curves = [part for part in root.iter(SVG + "path") if part.get("class", "").startswith("curve")]
    dashes = {part.get("class"): part.get("stroke-dasharray") for part in curves}
    assert len(dashes) == len(set(dashes.values())) == 3
    marks = {part.get("class"): part.get("d") for part in root.iter(SVG + "path") if "mark" in part.get("class", "")}
    assert len(marks) == len(set(marks.values())) == 3
    fills = {part.get("class"): part.get("fill-opacity") for part in parsed(figures()["bars"]).iter(SVG + "rect")}
    assert len(fills) == len(set(fills.values())) == 2


def test_lines_carry_few_marks() -> None:
    chart = chart_of(figures()["lines"], titled=True)
    assert sum(isinstance(shape, Mark) for shape in chart.shapes) == 3 * (MOST_MARKS + 1)


def test_bars_are_as_long_as_their_values() -> None:
    figure = Figure("bar", (Series("s", (0, 1, 2), (2, -1, 0)),), "", categories=("a", "b", "c"))
    bars = [shape for shape in chart_of(figure, titled=False).shapes if isinstance(shape, Bar)]
    assert [bar.width for bar in bars] == [pytest.approx(2 * bars[1].width, abs=0.3), bars[1].width, 0]
    assert bars[1].corner[0] + bars[1].width == pytest.approx(bars[0].corner[0], abs=0.2)


def test_text_from_outside_is_text() -> None:
    text = render_svg(figures()["lines"])
    assert "Loss &lt;of three&gt;" in text
    assert not re.search(r"<script|href|url\(", text)
    assert "<title>Loss &lt;of three&gt;</title><desc>Adam falls fastest.</desc>" in text
    assert "xmlns" not in render_svg(figures()["lines"], standalone=False)
