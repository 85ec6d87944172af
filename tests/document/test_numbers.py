"""Numbers as they are written."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.document import COUNT, Number, NumberStyle, format_number
from chainrule.document.numbers import align_points, short
from chainrule.errors import InputError, ValueRangeError
from chainrule.errors.counts import counted

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.298371109, NumberStyle(digits=9), "0.298371109"),
        (0.000438567734, NumberStyle(), "0.000438568"),
        (0.05, NumberStyle(), "0.05"),  # exact: no idle zeros
        (0.17551000003, NumberStyle(), "0.175510"),  # rounded: its zero is a digit
        (4.4e-10, NumberStyle(digits=2), "4.4e-10"),
        (1e-4, NumberStyle("scientific", 1), "1e-4"),
        (1.5e300, NumberStyle(), "1.5e300"),
        (1234567.0, NumberStyle(), "1.23457e6"),
        (123456.7, NumberStyle(digits=3), "123457"),
        (12.0, NumberStyle(), "12"),
        (7, NumberStyle(digits=2), "7"),
        (0.4, NumberStyle("fixed", 2), "0.40"),
        (0.741365069, NumberStyle("fixed", 6, signed=True), "+0.741365"),
        (1e20, NumberStyle("fixed", 2), "1e20"),
        (13_002, NumberStyle("count"), "13,002"),
        (13_002.0, NumberStyle("count"), "13,002"),
        (2.5, NumberStyle("count"), "2.5"),
        (0.9694, NumberStyle("percent", 1), "96.9%"),
        (1.7e308, NumberStyle("percent", 1), "1.70e310%"),
        (0.1, NumberStyle("exact"), "0.1"),
        (1e-7, NumberStyle("exact"), "1e-7"),
        (5.0, NumberStyle("exact"), "5"),
        (-0.375, NumberStyle("fixed", 3, leading_zero=False), "-.375"),
        (math.nan, NumberStyle("fixed", 3), "nan"),
        (math.inf, NumberStyle(signed=True), "+inf"),
        (-math.inf, NumberStyle("count"), "-inf"),
    ],
)
def test_number_is_written(value: float, style: NumberStyle, text: str) -> None:
    assert format_number(value, style) == text


@pytest.mark.parametrize("kind", ["significant", "fixed", "scientific", "count", "exact"])
def test_exact_zero_is_0_and_nothing_else_is(kind: str) -> None:
    style = NumberStyle(kind, 3, signed=True)  # pyright: ignore[reportArgumentType]
    assert format_number(0.0, style) == format_number(-0.0, style) == format_number(0, style) == "0"
    assert float(format_number(1e-9, style)) == pytest.approx(1e-9)
    assert float(format_number(-5e-324, style)) < 0


def test_minus_sign_is_the_callers_and_the_exponent_keeps_its_hyphen() -> None:
    assert format_number(-4.4e-10, NumberStyle(digits=2), minus="−") == "−4.4e-10"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"), (0.0126, "0.0126"), (0.087022, "0.08702"), (59381.77, "59382"), (-2970.3, "−2970"), (2.0, "2"),
        (120000, "120000"), (1e9, "1e9"), (123456789.0, "1.235e8"), (4.134e-7, "4.134e-7"), (0.0, "0"),
        (-0.001, "−0.001"), (math.inf, "inf"), (math.nan, "nan"),
    ],
)  # fmt: skip
def test_a_number_in_a_sentence_has_no_idle_zeros_and_no_needless_power_of_ten(value: float, text: str) -> None:
    assert short(value) == text


def test_fewer_digits_where_there_is_little_room() -> None:
    assert format_number(0.186815602, NumberStyle("fixed", 6), at_most=3) == "0.187"
    assert format_number(0.186815602, NumberStyle(digits=2), at_most=5) == "0.19"


@given(finite, st.integers(1, 17))
def test_significant_digits_are_right_to_half_a_unit_of_the_last(value: float, digits: int) -> None:
    shown = Fraction(format_number(value, NumberStyle(digits=digits)))
    assert abs(shown - Fraction(value)) <= abs(Fraction(value)) * Fraction(10) ** (1 - digits) / 2


@given(finite)
def test_exact_reads_back(value: float) -> None:
    assert float(format_number(value, NumberStyle("exact"))) == value


@given(st.integers(-(2**63), 2**63))
def test_counts_read_back(value: int) -> None:
    assert int(format_number(value, NumberStyle("count")).replace(",", "")) == value


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 rows"), (1, "1 row"), (999, "999 rows"), (48_721, "48,721 rows"), (10**6, "1,000,000 rows")],
)
def test_a_sentence_and_a_table_write_a_count_alike(count: int, text: str) -> None:
    assert counted(count, "row") == text
    assert text.split()[0] == format_number(count, COUNT)


@pytest.mark.parametrize("digits", [-1, 0, 18])
def test_impossible_digits_are_refused(digits: int) -> None:
    with pytest.raises(ValueRangeError, match="digits"):
        NumberStyle("significant", digits)


def test_points_stand_in_one_column() -> None:
    assert align_points(["0.5", "−12.25", "3", "0", "4e-10"]) == ["  0.5  ", "−12.25 ", "  3    ", "  0    ", "  4e-10"]


def test_a_lone_zero_stands_at_the_points_of_numbers_without_leading_zero() -> None:
    assert align_points(["0", "+.375", "−.225"]) == [" 0   ", "+.375", "−.225"]


class _ArrayScalar:
    def __float__(self) -> float:
        return 0.5


class _ArrayInteger:
    def __index__(self) -> int:
        return 3


def test_scalars_of_array_libraries_become_plain_numbers() -> None:
    for given_, wanted in ((_ArrayScalar(), 0.5), (_ArrayInteger(), 3), (True, 1)):
        value = Number(given_).value  # pyright: ignore[reportArgumentType]
        assert value == wanted
        assert type(value) is type(wanted)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="a str came where a number was wanted"):
        Number("0.5")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueRangeError, match="at most 63 bits"):
        Number(2**64)
