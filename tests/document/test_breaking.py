"""Equations too wide for a line: where they are broken, and that their numbers keep their place at the margin."""

from __future__ import annotations

import pytest

from chainrule.document import (
    Document,
    Equation,
    Equations,
    Formula,
    Fraction,
    Matrix,
    Number,
    Sum,
    equals,
    partial,
    render_text,
    symbol,
    times,
)
from chainrule.document.text.breaking import loosened, side_by_side
from chainrule.document.text.characters import HELD


def lines(formula: Formula, width: int, value: str = "(12)") -> list[str]:
    """The equation with its number, as lines of text."""
    return render_text(Document("", (Equations((Equation(formula, value=value),)),)), width).splitlines()[2:]


def mean(count: int) -> Formula:
    """The mean of a product of so many factors over the samples."""
    L, n = symbol("L"), symbol("n")
    factors = [partial(symbol("z", ("n", place)), symbol("w", ("n", place))) for place in range(count)]
    return equals(partial(L, symbol("w")), Fraction(Sum(times(*factors), n), symbol("N")))


def test_a_mean_that_has_room_is_one_fraction() -> None:
    found = lines(mean(3), 60)
    assert found[1].split()[0] == "Σₙ"
    assert found[3].split() == ["───", "=", "─" * 23, "(12)"]


def test_a_wide_mean_is_a_share_of_a_sum_that_is_broken_between_its_factors() -> None:
    found = lines(mean(9), 60)
    assert found[0].split() == ["∂L", "1", *["∂zₙ" + sub for sub in "₀₁₂₃₄₅"]]
    assert found[1].split()[:5] == ["───", "=", "───", "Σₙ", "────"]
    assert found[1].endswith("(12)")
    assert found[5].split()[0] == "·"
    assert "".join(found).count("∂z") == 9


@pytest.mark.parametrize("width", range(40, 81, 4))
def test_the_number_of_an_equation_stands_on_its_first_line(width: int) -> None:
    one, other = (Matrix(tuple((Number(place + by),) for place in range(3))) for by in (0.5, 7.125))
    found = lines(equals(symbol("δ"), one, times(one, other), other, times(other, other), one), width)
    assert max(map(len, found)) <= width
    assert [line.endswith("(12)") for line in found] == [place == 1 for place in range(len(found))]


def test_entries_of_a_legend_stay_whole() -> None:
    entries = ["⠤⠤ too small, η = 0.01", "○ small, η = 0.1", "× swings, η = 0.625", "+ too large, η = 0.764"]
    assert side_by_side(entries, 64) == ["   ".join(entries[:3]), entries[3]]
    assert side_by_side(entries, 12)[:2] == ["⠤⠤ too", "small, η ="]


def test_a_formula_among_words_is_broken_outside_of_its_brackets_first() -> None:
    formula = "½(1 + erf(z/√2)) + 1/√(2 π) · z".replace(" ", HELD)
    assert loosened(f"times {formula}", 40) == f"times {formula}"
    assert loosened(formula, 20).split(" ") == [f"½(1{HELD}+{HELD}erf(z/√2))", "+", f"1/√(2{HELD}π)", "·", "z"]
    assert HELD not in loosened(formula, 8)[:12]


def test_a_long_remark_takes_no_room_from_its_equation() -> None:
    formula = equals(symbol("x"), times(*[symbol("w", place) for place in range(8)]))
    (first, second) = lines(formula, 44, "by the law of the field")
    assert first.endswith("w₇")
    assert second.strip() == "by the law of the field"
