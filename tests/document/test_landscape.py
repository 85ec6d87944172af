"""Landscapes: levels, contour lines, shades and paths, each in its place, in pictures and in characters."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings

from chainrule.document import (
    Document,
    Landscape,
    Series,
    render_csv,
    render_html,
    render_latex,
    render_svg,
    render_text,
    to_plain,
)
from chainrule.document.landscape import BANDS, DARKEST
from chainrule.document.levels import contour, levels_of
from chainrule.document.pictures import sheet_of
from chainrule.document.shapes import Curve, Disk, Mark, Strands, Tiles, Words
from chainrule.document.text.characters import width as columns_of
from chainrule.errors import ShapeError, ValueRangeError
from tests.conftest import Golden
from tests.document import strategies

EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow])
GRID = tuple(-2 + k / 4 for k in range(17))


def bowl(*, logarithmic: bool = False) -> Landscape:
    """x² + y² over a square, with a walk down its side."""
    values = tuple(tuple(x * x + y * y + 0.01 * logarithmic for x in GRID) for y in GRID)
    path = Series("path", (-2.0, -1.0, 0.0), (2.0, 1.0, 0.0))
    return Landscape(GRID, GRID, values, "A bowl.", (path,), "Bowl", "x", "y", "height", logarithmic)


def shown(of: Landscape, width: int = 44, *, ascii: bool = False) -> list[str]:
    return render_text(Document("t", (of,)), width, ascii=ascii).splitlines()[2:]


def test_it_is_drawn_as_kept(golden: Golden) -> None:
    golden("landscape.svg", render_svg(bowl(logarithmic=True)))
    golden("landscape.txt", "\n".join(shown(bowl(logarithmic=True))) + "\n")


def test_bands_cut_the_span_evenly() -> None:
    levels = levels_of(bowl(), 8)
    assert levels is not None
    assert levels.edges == pytest.approx([1, 2, 3, 4, 5, 6, 7])
    assert [levels.band(value) for value in (0.0, 0.99, 1.0, 7.5, 8.0, math.nan)] == [0, 0, 1, 7, 7, None]
    ratios = levels_of(bowl(logarithmic=True), 8)
    assert ratios is not None
    marks = [ratios.low, *ratios.edges, ratios.high]
    assert [b / a for a, b in pairwise(marks)] == pytest.approx([(8.01 / 0.01) ** (1 / 8)] * 8)
    assert ratios.band(-1.0) is None


def test_contour_lines_of_a_bowl_are_circles() -> None:
    for level in (0.5, 1.3, 3.0):
        pieces = list(contour(bowl(), level))
        assert pieces
        for point in (point for piece in pieces for point in piece):
            assert math.hypot(*point) == pytest.approx(math.sqrt(level), abs=0.02)
        length = sum(math.dist(*piece) for piece in pieces)
        assert length == pytest.approx(2 * math.pi * math.sqrt(level), rel=0.02)


def test_contour_lines_of_a_plane_are_straight_and_saddles_do_not_cross() -> None:
    plane = Landscape((0.0, 1.0, 2.0), (0.0, 1.0), ((0.0, 1.0, 2.0), (1.0, 2.0, 3.0)), "A plane.")
    points = [point for piece in contour(plane, 1.5) for point in piece]
    assert all(x + y == pytest.approx(1.5) for x, y in points)
    saddle = Landscape((0.0, 1.0), (0.0, 1.0), ((0.0, 1.0), (1.0, 0.0)), "A saddle.")
    first, second = contour(saddle, 0.6)
    for piece, corner in ((first, (0.0, 0.0)), (second, (1.0, 1.0))):
        low = corner if math.dist(piece[0], corner) < 0.7 else (1 - corner[0], 1 - corner[1])
        assert all(math.dist(point, low) == pytest.approx(0.6) for point in piece)


def test_higher_places_are_darker_and_the_path_lies_on_top() -> None:
    shapes = sheet_of(bowl(), titled=True).shapes
    tiles = [shape.shade for shape in shapes if isinstance(shape, Tiles)]
    assert max(tiles) == DARKEST
    assert len(set(tiles)) == BANDS  # the key shows the clear band too
    last_tiles = max(place for place, shape in enumerate(shapes) if isinstance(shape, Tiles) and len(shape.boxes) > 1)
    curves = [place for place, shape in enumerate(shapes) if isinstance(shape, Curve)]
    assert curves[-1] > last_tiles
    path = shapes[curves[-1]]
    assert isinstance(path, Curve)
    (x0, y0), (x1, y1), (x2, y2) = path.points
    assert x0 < x1 < x2
    assert y0 < y1 < y2  # down the sheet is down the y axis
    assert any(isinstance(shape, Disk) and shape.at == path.points[0] for shape in shapes)
    assert any(isinstance(shape, Mark) and shape.at == path.points[-1] for shape in shapes)
    assert any(isinstance(shape, Strands) for shape in shapes)
    said = [shape.said for shape in shapes if isinstance(shape, Words)]
    assert {"Bowl", "x", "y", "height", "path"} <= {words for words in said if isinstance(words, str)}


def test_characters_show_the_same() -> None:
    rows = shown(bowl(), ascii=True)
    plane = [row.partition("|")[2] or row.partition("+")[2] for row in rows[2:18]]
    assert plane[0][-1] == plane[-1][-1] == plane[-1][0] == "#"
    assert plane[0][0] == "*"  # where the path begins
    assert sum(row.count("@") for row in plane) == 1
    middle = plane[8]
    assert middle[len(middle) // 8] == "."
    assert middle[len(middle) // 3] == " "
    assert " from 0   . from 1.6" in " ".join(rows)


def test_a_gap_is_no_height() -> None:
    flat = Landscape((0.0, 1.0), (0.0, 1.0), ((math.nan, 1.0), (1.0, 2.0)), "One gap.")
    assert any("?" in row for row in shown(flat))
    assert not list(contour(flat, 1.5))
    nothing = Landscape((0.0, 1.0), (0.0, 1.0), ((math.nan,) * 2,) * 2, "Nothing.")
    assert shown(nothing) == ["(no values)", "Nothing."]
    assert "no values" in render_svg(nothing)


def test_the_numbers_stand_behind_it() -> None:
    lines = render_csv(bowl()).splitlines()
    assert lines[0] == "x,y,height,path x,path y"
    assert lines[1].split(",") == ["-2", "-2", "8", "-2", "2"]
    assert len(lines) == 1 + 17 * 17
    plain = to_plain(Document("t", (bowl(),)))
    assert json.loads(json.dumps(plain))["blocks"][0]["values"][0][0] == 8.0


@EXAMPLES
@given(strategies.landscapes())
@example(Landscape((-1.7e308, 1.7e308), (0.0, 5e-324), ((-1.7e308, 1.7e308), (5e-324, 0.0)), "Wide."))
def test_any_landscape_can_be_shown(of: Landscape) -> None:
    chart = sheet_of(of, titled=True)
    for shape in chart.shapes:
        if isinstance(shape, Mark | Disk):
            assert 0 <= shape.at[0] <= chart.width
            assert 0 <= shape.at[1] <= chart.height
        if isinstance(shape, Tiles):
            assert all(width >= 0 and height >= 0 for _, _, width, height in shape.boxes)
    page = Document("t", (of,))
    assert render_svg(of)
    assert render_html(page)
    assert render_latex(page)
    for ascii in (False, True):
        assert max(map(columns_of, render_text(page, 40, ascii=ascii).splitlines())) <= 40


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match="give a row for each y"):
        Landscape((0.0, 1.0), (0.0,), ((1.0,),), "")
    with pytest.raises(ValueRangeError, match="do not rise"):
        Landscape((1.0, 0.0), (0.0,), ((1.0, 1.0),), "")
    with pytest.raises(ValueRangeError, match="do not rise"):
        Landscape((0.0, math.inf), (0.0,), ((1.0, 1.0),), "")
