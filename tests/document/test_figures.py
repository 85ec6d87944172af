"""Figures in characters: curves, marks, bars, and their numbers."""

from __future__ import annotations

import math

import pytest

from chainrule.document import Document, Figure, Series, render_text
from chainrule.errors import ShapeError


def lines(figure: Figure, width: int = 40, *, ascii: bool = False) -> list[str]:
    """The figure's lines, without the page's head."""
    return render_text(Document("t", (figure,)), width, ascii=ascii).splitlines()[2:]


def curve(*y: float, kind: str = "line", logarithmic: bool = False) -> Figure:
    series = Series("loss", tuple(range(len(y))), y)
    return Figure(kind, (series,), "It falls.", x_label="epoch", logarithmic=logarithmic)  # pyright: ignore[reportArgumentType]


def bars(*values: float) -> Figure:
    series = (Series("F1", tuple(range(len(values))), values),)
    return Figure("bar", series, "Bars.", categories=tuple("abcdefgh"[: len(values)]))


def test_a_falling_line_goes_from_the_top_left_to_the_bottom_right() -> None:
    shown = lines(curve(2.0, 1.0, 0.0), 24, ascii=True)
    assert shown[0] == "2 +**"
    assert shown[9].startswith("0 +")
    assert shown[9].endswith("**")
    assert shown[11].split() == ["0", "epoch", "2"]
    assert shown[-1] == "It falls."


def test_braille_draws_eight_dots_a_cell() -> None:
    rows = [line[5:] for line in lines(curve(0.0, 1.0), 20)[:10]]
    assert rows[0].endswith("⢀⠎")
    assert rows[-1].startswith("⡰")
    places = [min(place for place, sign in enumerate(row) if "\u2800" < sign <= "\u28ff") for row in rows]
    assert places == sorted(places, reverse=True)


def test_a_second_series_has_marks_of_its_own_and_a_legend() -> None:
    figure = Figure("line", (Series("loss", (0, 1), (1, 0)), Series("other", (0, 1), (0, 1))), "Both.")
    assert "⠤⠤ loss   ○ other" in lines(figure)
    assert "* loss   o other" in lines(figure, ascii=True)
    assert sum(line.count("o") for line in lines(figure, ascii=True)[:10]) == 2


def test_points_that_are_not_finite_are_gaps() -> None:
    figure = Figure("scatter", (Series("s", (0, 1, 2), (1.0, math.nan, 3.0)),), "Gap.")
    assert sum(line.count("●") for line in lines(figure)) == 2
    assert lines(curve(math.nan, math.inf)) == ["(no finite points)", "It falls."]


def test_a_logarithmic_axis_names_the_values_themselves() -> None:
    shown = lines(curve(100.0, 1.0, 0.01, logarithmic=True), 30)
    assert [line.split()[0] for line in (shown[0], shown[4], shown[9])] == ["100", "1", "0.01"]


def test_a_constant_line_stands_in_the_middle() -> None:
    shown = lines(curve(1.0, 1.0), 24, ascii=True)
    assert [row for row, line in enumerate(shown[:10]) if "*" in line] in ([4], [5])


def test_bars_are_as_long_as_their_values() -> None:
    assert lines(bars(1.0, 0.5, 0.0, 0.25), 20) == [
        "a " + "█" * 13 + " 1",
        "b " + "█" * 6 + "▌" + " " * 7 + "0.5",
        "c " + " " * 14 + "0",
        "d " + "███▎" + " " * 10 + "0.25",
        "Bars.",
    ]


def test_negative_bars_go_to_the_left_of_a_common_zero() -> None:
    first, second, *_ = lines(bars(2.0, -1.0), 30, ascii=True)
    zero = first.index("#")
    assert second.rindex("#") == zero - 1
    assert first.count("#") == pytest.approx(2 * second.count("#"), abs=1)


def test_bars_that_find_no_room_give_their_numbers() -> None:
    figure = Figure("bar", (Series("s", (0,), (123.4,)),), "One.", categories=("a category with a long name",))
    assert [line.strip() for line in lines(figure, 20)] == ["a cat… ███████ 123.4", "One."]
    crowded = Figure("bar", (Series("s", (0,), (-1.234e-100,)),), "One.", categories=("a category",))
    assert lines(crowded, 20)[:2] == ["a category", "−1.234e-100"]


def test_several_bars_a_category_name_their_series() -> None:
    figure = Figure("bar", (Series("p", (0,), (1,)), Series("r", (0,), (0.5,))), "Two.", categories=("cat",))
    assert [line[:5] for line in lines(figure)[:2]] == ["cat p", "cat r"]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ShapeError, match="2 x and 1 y"):
        Series("s", (0, 1), (0,))
    with pytest.raises(ShapeError, match="2 values for 1 categories"):
        Figure("bar", (Series("s", (0, 1), (1, 2)),), "", categories=("a",))
