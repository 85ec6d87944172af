"""x to a fixed number, by exp(p log |x|): of a float32 in float64, of a float64 with a logarithm twice as precise.

Without that, the error of p log x, up to 745 in size, would be an error of hundreds of units in the last place.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from chainrule.backends.native.ir import F32, F64, Builder, Value
from chainrule.backends.native.vector_math.exponential import exp, exp_of_sum
from chainrule.backends.native.vector_math.formats import FLOAT64, INFINITY, NAN
from chainrule.backends.native.vector_math.logarithm import log, significand_and_exponent
from chainrule.backends.native.vector_math.steps import is_negative, polynomial

LARGE: Final = 2.0**64  # beyond, |p log x| is past every bound unless x is 1, and p is an even number


def power(b: Builder, x: Value, exponent: float) -> Value:
    """x to the exponent, as IEEE 754's pow has it."""
    if exponent == 0.0:
        return b.constant(x.type, 1.0)
    if math.isnan(exponent):
        return b.select(b.compare("oeq", x, 1.0), b.constant(x.type, 1.0), NAN)
    bounded = min(max(exponent, -LARGE), LARGE)
    of_size = _of_size32(b, x, bounded) if x.type.scalar == F32 else _of_size64(b, b.absolute(x), bounded)
    return _with_sign(b, x, of_size, exponent)


def _with_sign(b: Builder, x: Value, of_size: Value, exponent: float) -> Value:
    """What |x| gives, with what a negative x demands."""
    if math.isinf(exponent) or exponent % 2.0 == 0.0:
        return of_size
    if exponent % 1.0 == 0.0:
        return b.select(is_negative(b, x), b.negate(of_size), of_size)
    is_finite = b.compare("ogt", x, -INFINITY)  # pow(-inf, p) is inf or 0
    return b.select(b.bit_and(b.compare("olt", x, 0.0), is_finite), b.constant(x.type, NAN), of_size)


def _of_size32(b: Builder, x: Value, exponent: float) -> Value:
    size = b.absolute(b.convert("fpext", x, F64))
    return b.convert("fptrunc", exp(b, b.multiply(log(b, size), exponent)), F32)


def _of_size64(b: Builder, size: Value, exponent: float) -> Value:
    logarithm = _log(b, size)
    high, error = _product(b, logarithm.high, b.constant(size.type, exponent))
    low = b.fma(logarithm.low, exponent, error)
    within = b.compare("olt", b.absolute(high), -FLOAT64.underflow)  # beyond, high decides and low may be anything
    regular = exp_of_sum(b, high, b.select(within, low, 0.0))
    at_zero, at_infinity = (0.0, INFINITY) if exponent > 0 else (INFINITY, 0.0)
    result = b.select(b.compare("oeq", size, INFINITY), b.constant(size.type, at_infinity), regular)
    result = b.select(b.compare("oeq", size, 0.0), b.constant(size.type, at_zero), result)
    return b.select(b.compare("uno", size, size), size, result)


class _Pair(msgspec.Struct, frozen=True):
    """A number as a sum: the high part rounded, the low part what that leaves out."""

    high: Value
    low: Value


def _log(b: Builder, x: Value) -> _Pair:
    """log x for x > 0 and finite, to about 2^-64 of itself: 2 s + s³ (2/3 + s² p), s = f / (2 + f)."""
    f = FLOAT64
    significand, exponent = significand_and_exponent(b, x)
    part = b.subtract(significand, 1.0)
    s = _quotient(b, part)
    square = _times(b, s, s)
    tail = b.multiply(square.high, polynomial(b, square.high, FIFTH))
    third = _sum(b, b.constant(x.type, 2.0 / 3.0), tail)
    third = _Pair(third.high, b.add(third.low, TWO_THIRDS_REST))
    cubic = _times(b, _times(b, s, square), third)
    doubled = _Pair(b.add(s.high, s.high), b.add(s.low, s.low))
    near = _add(b, doubled, cubic)
    whole = _Pair(b.multiply(exponent, f.ln2_high), b.multiply(exponent, f.ln2_low))
    return _add(b, whole, near)


TWO_THIRDS_REST: Final = float.fromhex("0x1.5555555555555p-55")  # 2/3 less its float64

# p of log((1 + s) / (1 - s)) = 2 s + s³ (2/3 + s² p(s²)), minimax for |s| <= 3 - 2 sqrt(2); p is near 2/5
FIFTH: Final = (
    0.3999999999999996,
    0.28571428571453455,
    0.22222222215924836,
    0.18181819033892416,
    0.1538454736755506,
    0.1333663564934776,
    0.11669099935855724,
    0.12031746204242617,
)


def _quotient(b: Builder, part: Value) -> _Pair:
    """part / (2 + part)."""
    below = _sum(b, b.constant(part.type, 2.0), part)
    high = b.divide(part, below.high)
    product, error = _product(b, high, below.high)
    left = b.subtract(b.subtract(b.subtract(part, product), error), b.multiply(high, below.low))
    return _Pair(high, b.divide(left, below.high))


def _sum(b: Builder, x: Value, y: Value) -> _Pair:
    """x + y exactly, for |x| >= |y| or x = 0."""
    high = b.add(x, y)
    return _Pair(high, b.subtract(y, b.subtract(high, x)))


def _add(b: Builder, x: _Pair, y: _Pair) -> _Pair:
    """x + y, for x larger or 0."""
    total = _sum(b, x.high, y.high)
    return _sum(b, total.high, b.add(total.low, b.add(x.low, y.low)))


def _times(b: Builder, x: _Pair, y: _Pair) -> _Pair:
    """x · y but for the product of the low parts."""
    high, error = _product(b, x.high, y.high)
    return _Pair(high, b.add(error, b.add(b.multiply(x.high, y.low), b.multiply(x.low, y.high))))


def _product(b: Builder, x: Value, y: Value) -> tuple[Value, Value]:
    """x · y and what its rounding leaves out."""
    high = b.multiply(x, y)
    if b.module.isa.fused:
        return high, b.fma(x, y, b.negate(high))
    x1, x2 = _halves(b, x)
    y1, y2 = _halves(b, y)
    error = b.subtract(b.multiply(x1, y1), high)
    error = b.add(b.add(error, b.multiply(x1, y2)), b.multiply(x2, y1))
    return high, b.add(error, b.multiply(x2, y2))


def _halves(b: Builder, x: Value) -> tuple[Value, Value]:
    """x as a sum of two numbers of 26 bits (T. J. Dekker, 1971)."""
    scaled = b.multiply(x, 2.0**27 + 1.0)
    high = b.subtract(scaled, b.subtract(scaled, x))
    return high, b.subtract(x, high)
