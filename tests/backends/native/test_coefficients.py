"""Each polynomial of `vector_math` against the function it stands for, in fifty digits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext

import pytest

from chainrule.backends.native.vector_math.formats import FLOAT32, FLOAT64, Coefficients, Format
from chainrule.backends.native.vector_math.power import FIFTH, TWO_THIRDS_REST

Real = Callable[[Decimal], Decimal]
ONE = Decimal(1)
PI = Decimal("3.14159265358979323846264338327950288419716939937510")
LN2 = Decimal("0.69314718055994530941723212145817656807550013436026")
POINTS = 60


def value(coefficients: Coefficients, x: Decimal) -> Decimal:
    total = Decimal(0)
    for coefficient in reversed(coefficients):
        total = total * x + Decimal(coefficient)
    return total


def worst(approximate: Real, exact: Real, low: Decimal, high: Decimal, *, scale: Real | None = None) -> float:
    """The largest |approximate - exact| / |exact|, or / |scale|, between low and high."""
    errors: list[Decimal] = []
    for k in range(POINTS + 1):
        x = low + (high - low) * k / POINTS
        wanted = exact(x)
        size = scale(x) if scale else wanted
        if size != 0:
            errors.append(abs((approximate(x) - wanted) / size))
    return float(max(errors))


def tanh(x: Decimal) -> Decimal:
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


def erf(x: Decimal) -> Decimal:
    total, term = x, x
    for k in range(1, 250):
        term = -term * x * x / k
        total += term / (2 * k + 1)
    return 2 * total / PI.sqrt()


@pytest.fixture(autouse=True)
def _digits():
    with localcontext() as context:
        context.prec = 70
        yield


FORMATS = pytest.mark.parametrize("f", [FLOAT32, FLOAT64], ids=["float32", "float64"])


def unit(f: Format) -> float:
    """A unit in the last place of 1."""
    return 2.0**-f.mantissa


@FORMATS
def test_exponential(f: Format) -> None:
    half = LN2 / 2
    error = worst(lambda r: 1 + r + r * r * value(f.exp_tail, r), Decimal.exp, -half, half)
    assert error < unit(f) / 16
    less_one = worst(lambda r: r + r * r * value(f.exp_tail, r), lambda r: r.exp() - 1, -half, half)
    assert less_one < unit(f) / 5


@FORMATS
def test_hyperbolic_tangent(f: Format) -> None:
    quarter = LN2 / 4
    error = worst(lambda r: r + r**3 * value(f.tanh_tail, r * r), tanh, quarter / 50, quarter)
    assert error < unit(f) / 16


def test_logarithm_in_float32() -> None:
    third = ONE / 3
    error = worst(lambda x: x + x * x * value(FLOAT32.log_tail, x), lambda x: (1 + x).ln(), -third, third)
    assert error < unit(FLOAT32) / 10
    upper = worst(lambda x: x + x * x * value(FLOAT32.unit_tail, x), lambda x: (1 + x).ln(), ONE / 1000, ONE)
    assert upper < unit(FLOAT32) / 10


def test_logarithm_in_float64() -> None:
    end = 3 - 2 * Decimal(2).sqrt()

    def twice_artanh(s: Decimal) -> Decimal:
        return ((1 + s) / (1 - s)).ln()

    error = worst(lambda s: 2 * s + s**3 * value(FLOAT64.log_odd, s * s), twice_artanh, end / 100, end)
    assert error < unit(FLOAT64) / 16
    two_thirds = Decimal(2.0 / 3.0) + Decimal(TWO_THIRDS_REST)
    finer = worst(lambda s: 2 * s + s**3 * (two_thirds + s * s * value(FIFTH, s * s)), twice_artanh, end / 100, end)
    assert finer < 2.0**-64


@FORMATS
def test_error_function_near_zero(f: Format) -> None:
    split = Decimal(f.erf_split)
    error = worst(lambda x: x + x * value(f.erf_near, x * x), erf, split / 100, split)
    assert error < unit(f) / 6


@FORMATS
def test_error_function_beyond(f: Format) -> None:
    """What counts is the error beside erf itself: where exp(q) is small, q need not be close."""
    split, end = Decimal(f.erf_split), Decimal(f.erf_end)
    error = worst(lambda x: 1 - value(f.erf_far, x - split).exp(), erf, split, end)
    assert error < unit(f) / 8


@FORMATS
def test_beyond_its_end_each_function_is_flat(f: Format) -> None:
    half_unit_below_one = Decimal(unit(f)) / 4
    assert 1 - tanh(Decimal(f.one_above)) < half_unit_below_one
    assert 1 - erf(Decimal(f.erf_end)) < half_unit_below_one
    assert Decimal(f.one_below).exp() < half_unit_below_one
    largest = (2 - Decimal(unit(f))) * Decimal(2) ** f.bias
    smallest = Decimal(2) ** (1 - f.bias - f.mantissa)
    assert Decimal(f.overflow).exp() > largest
    assert Decimal(f.underflow).exp() < smallest / 2


@FORMATS
def test_log_two_in_two_parts(f: Format) -> None:
    assert abs(Decimal(f.ln2_high) + Decimal(f.ln2_low) - LN2) < Decimal(unit(f)) ** 2 * 8
    # a whole number as large as an exponent times the high part has no bit left over
    scaled = Decimal(f.ln2_high) * 2 ** (f.mantissa + 1 - f.bias.bit_length() - 1)
    assert scaled == scaled.to_integral_value()
