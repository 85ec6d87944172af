"""Maps of counts, networks and small pictures: everything on its sheet, hostile words as words, numbers behind them."""

from __future__ import annotations

import csv
import io
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings

from chainrule.document import (
    Diagram,
    Document,
    Drawn,
    Figure,
    Heatmap,
    Link,
    Picture,
    Pictures,
    Series,
    Stage,
    render_csv,
    render_html,
    render_latex,
    render_svg,
    render_text,
)
from chainrule.document.behind import tables_of, thinned
from chainrule.document.pictures import LEVELS, sheet_of
from chainrule.document.shapes import Disk, Strands, Tiles, Words
from chainrule.errors import ShapeError
from tests.document import strategies

EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow])


def confusion() -> Heatmap:
    return Heatmap(("cat", "dog", "<b>"), ((8, 2, 0), (0, 9, 1), (0, 0, 5)), "Cats are taken for dogs.", "Confusion")


def network() -> Diagram:
    stages = (
        Stage("inputs", "20", 20, (0, 7), ("x[0]", "x[7]")),
        Stage("dense_1", "2 relu\n42", 2, (0, 1)),
    )
    links = (Link(0, 0, 1.0), Link(7, 0, -0.5), Link(0, 1, 0.0), Link(7, 1, math.nan), Link(5, 1, 9.0))
    return Diagram(stages, (links,), "Twenty inputs, two units.", "Network")


def thumbnails() -> Pictures:
    picture = Picture(((0.0, 0.5, 0.5), (1.0, 1.0, 0.0)), ("17", "2 → 3"))
    return Pictures((picture,) * 6, ("row", "is → said"), "Six rows.", "Largest loss")


def drawn() -> dict[str, Drawn]:
    return {"confusion": confusion(), "network": network(), "thumbnails": thumbnails()}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@EXAMPLES
@given(strategies.heatmaps() | strategies.diagrams() | strategies.pictures())
def test_anything_drawn_stays_on_its_sheet(what: Drawn) -> None:
    chart = sheet_of(what, titled=True)
    for shape in chart.shapes:
        if isinstance(shape, Tiles):
            assert 0 <= shape.shade <= 1
            for left, top, width, height in shape.boxes:
                assert left >= -1
                assert left + width <= chart.width + 1
                assert top >= 0
                assert top + height <= chart.height + 1
        elif isinstance(shape, Disk | Words):
            x, y = shape.at if isinstance(shape, Disk) else (shape.x, shape.y)
            assert -1 <= x <= chart.width + 1
            assert 0 <= y <= chart.height
    assert math.isfinite(chart.height)
    ElementTree.fromstring(render_svg(what))  # noqa: S314 - written here
    assert render_csv(what).isprintable() or "\n" in render_csv(what) or render_csv(what) == ""


def test_a_map_tells_right_from_wrong_by_place_color_and_number() -> None:
    shapes = sheet_of(confusion(), titled=False).shapes
    tiles = [shape for shape in shapes if isinstance(shape, Tiles)]
    assert [tile.series for tile in tiles] == [0, 1, 0, 1, 0]
    assert tiles[1].shade > tiles[3].shade  # two mistakes weigh more than one
    assert [shape.said for shape in shapes if isinstance(shape, Words) and shape.role == "value"] == [
        "8", "2", "9", "1", "5",
    ]  # fmt: skip


def test_many_counts_are_read_with_their_thousands_apart_and_filed_without() -> None:
    large = Heatmap(("usual", "rare"), ((48721, 1279), (0, 1000)), "Most are right.", "Confusion")
    words = [shape.said for shape in sheet_of(large, titled=False).shapes if isinstance(shape, Words)]
    assert {"48,721", "1,279", "1,000"} <= set(words)
    assert "48,721" in render_text(Document("", (large,)), 80)
    assert rows(render_csv(large))[1:] == [["usual", "48721", "1279"], ["rare", "0", "1000"]]


def test_a_connection_is_as_wide_as_its_weight_and_dashed_where_it_is_negative() -> None:
    shapes = sheet_of(network(), titled=False).shapes
    strands = [shape for shape in shapes if isinstance(shape, Strands)]
    assert [(len(each.lines), each.dashed) for each in strands] == [(1, False), (1, True), (1, False)]
    assert strands[0].width < strands[1].width < strands[2].width
    assert len([shape for shape in shapes if isinstance(shape, Disk)]) == 4
    assert "… 18 more" in [shape.said for shape in shapes if isinstance(shape, Words)]


def test_neighbors_of_one_gray_are_one_box() -> None:
    (first, *_) = thumbnails().pictures
    shapes = sheet_of(Pictures((first,), thumbnails().headers, ""), titled=False).shapes
    tiles = [shape for shape in shapes if isinstance(shape, Tiles)]
    assert [(tile.shade, tile.boxes) for tile in tiles] == [
        (0.5, ((20, 0, 40, 20),)),
        (1.0, ((0, 20, 40, 20),)),
    ]
    levels = [place / 50 for place in range(51)]
    many = Pictures((Picture((tuple(levels),)),), (), "")
    shades = {shape.shade for shape in sheet_of(many, titled=False).shapes if isinstance(shape, Tiles)}
    assert len(shades) == LEVELS


def test_numbers_behind_are_exact() -> None:
    assert rows(render_csv(confusion())) == [
        ["", "cat", "dog", "<b>"], ["cat", "8", "2", "0"], ["dog", "0", "9", "1"], ["<b>", "0", "0", "5"],
    ]  # fmt: skip
    assert rows(render_csv(network()))[1:3] == [
        ["inputs", "0", "dense_1", "0", "1"],
        ["inputs", "7", "dense_1", "0", "-0.5"],
    ]
    assert rows(render_csv(thumbnails()))[1] == ["17", "2 → 3"]
    third = Figure("line", (Series("a", (1, 2), (1 / 3, math.nan)), Series("b", (5,), (1e-300,))), "", x_label="step")
    assert rows(render_csv(third)) == [
        ["step", "a", "step", "b"], ["1", "0.3333333333333333", "5", "1e-300"], ["2", "nan", "", ""],
    ]  # fmt: skip


def test_a_long_table_is_thinned_and_says_so() -> None:
    (table,) = tables_of(Figure("line", (Series("a", tuple(range(1001)), tuple(range(1001))),), ""))
    shown = thinned(table, 400)
    assert len(shown.rows) <= 401
    assert shown.rows[-1] == table.rows[-1]
    assert shown.caption == "every 3rd of 1,001 rows"
    assert thinned(table, 1001) is table


@pytest.mark.parametrize("name", drawn())
def test_every_renderer_takes_it(name: str) -> None:
    document = Document("D", (drawn()[name],))
    page = render_html(document)
    assert drawn()[name].alternative in page
    assert "<details>" in page
    assert "<b>" not in page
    assert drawn()[name].alternative in render_text(document, 60)
    assert r"\begin{tikzpicture}" in render_latex(document)


def test_a_logarithmic_x_axis_spaces_ratios_equally() -> None:
    figure = Figure("line", (Series("a", (1, 10, 100, 0), (1, 2, 3, 4)),), "", logarithmic_x=True)
    (path,) = re.findall(r'class="curve s0" d="M([^"]*)"', render_svg(figure))
    places = [float(point.split()[0]) for point in path.split("L")]
    assert len(places) == 3
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.2)
    assert "100" in render_text(Document("", (figure,)), 60)


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 names has other counts: give 2 rows of 2 counts"):
        Heatmap(("a", "b"), ((1,), (2,)), "")
    with pytest.raises(ShapeError, match="1 stages have 1 groups"):
        Diagram((Stage("a", "", 1),), ((),), "")
    with pytest.raises(ShapeError, match="0 lines for 1 headers"):
        Pictures((Picture(()),), ("row",), "")
