"""Charts as PNG: the same shapes as in SVG, in places where one can look for their colors."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from chainrule.document import Drawn, Figure, Heatmap, Series, render_png
from chainrule.document.figure_png import SCALE
from chainrule.document.figure_svg import LIGHT
from chainrule.document.pictures import sheet_of
from chainrule.document.shapes import Curve, Mark, Tiles
from tests.document import strategies
from tests.document.test_pictures import drawn

BORDER = 8
FEW = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def opened(what: Drawn) -> Image.Image:
    image = Image.open(io.BytesIO(render_png(what)))
    image.load()
    return image


def pixel(image: Image.Image, x: float, y: float) -> tuple[int, int, int]:
    place = round((x + BORDER) * SCALE), round((y + BORDER) * SCALE)
    shown = image.convert("RGB").getpixel(place)
    assert isinstance(shown, tuple)
    red, green, blue = shown
    return red, green, blue


def distance(color: tuple[int, int, int], code: str) -> int:
    wanted = [int(code[place : place + 2], 16) for place in (1, 3, 5)]
    return max(abs(a - b) for a, b in zip(color, wanted, strict=True))


@pytest.mark.parametrize("name", drawn())
def test_the_sheet_is_twice_as_large_with_a_border_and_says_what_it_shows(name: str) -> None:
    what = drawn()[name]
    chart, image = sheet_of(what, titled=True), opened(what)
    assert image.format == "PNG"
    assert image.size == (round((chart.width + 2 * BORDER) * SCALE), round((chart.height + 2 * BORDER) * SCALE))
    assert image.info["Description"] == what.alternative


def test_marks_and_tiles_have_their_colors_where_svg_has_them() -> None:
    scatter = Figure("scatter", (Series("a", (0, 1, 2), (0, 5, 1)), Series("b", (0, 2), (3, 4))), "Points.")
    image = opened(scatter)
    marks = [shape for shape in sheet_of(scatter, titled=True).shapes if isinstance(shape, Mark) and shape.series == 0]
    assert len(marks) == 4  # one of the legend
    assert all(distance(pixel(image, *mark.at), LIGHT[0]) < 40 for mark in marks)
    full = Heatmap(("a", "b"), ((1, 0), (0, 0)), "One.")
    (tile,) = [shape for shape in sheet_of(full, titled=True).shapes if isinstance(shape, Tiles)]
    left, top, _, height = tile.boxes[0]
    red, _, blue = pixel(opened(full), left + 5, top + height / 2)
    assert blue > red + 20  # the first color, blue, at two fifths


def test_a_dashed_line_has_gaps_and_a_plain_one_has_none() -> None:
    flat = [Series("a", (0, 1), (1, 1)), Series("b", (0, 1), (2, 2))]
    image = opened(Figure("line", tuple(flat), "Flat."))
    chart = sheet_of(Figure("line", tuple(flat), "Flat."), titled=True)
    curves = {shape.series: shape.points for shape in chart.shapes if isinstance(shape, Curve)}
    for series, points in curves.items():
        places = [points[0][0] + 10 + step for step in range(250)]
        drawn_there = [distance(pixel(image, x, points[0][1]), LIGHT[series]) < 60 for x in places]
        assert all(drawn_there) == (series == 0)
        assert any(drawn_there)


def test_the_same_data_give_the_same_bytes() -> None:
    assert all(render_png(what) == render_png(what) for what in drawn().values())


@FEW
@given(
    strategies.figures()
    | strategies.heatmaps()
    | strategies.diagrams()
    | strategies.pictures()
    | strategies.landscapes()
)
def test_anything_is_painted(what: Drawn) -> None:
    assert opened(what).size[0] >= 800
