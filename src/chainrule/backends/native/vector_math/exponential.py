"""exp, expm1, tanh and sigmoid, which share one reduction: x = n log 2 + r, and exp(r) = 1 + r + r² q(r).

With s = 2^n, exp(x) = s + s (r + r² q) and expm1(x) = (s r + s - 1) + s r² q: nothing is computed that cancels.

What leads beyond the normal numbers is rare, so it is looked for once in all lanes, and only then treated: powers of
two below them come from a larger s and one last multiplication, which rounds into the denormals.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chainrule.backends.native.ir import Builder, Value
from chainrule.backends.native.vector_math.formats import LN2, LOG2_E, Format, format_of
from chainrule.backends.native.vector_math.steps import (
    any_lane,
    at_least,
    at_most,
    is_negative,
    polynomial,
    sign_of,
    signed,
    size_of,
    unless_tiny,
)

LIFT: Final = 64  # powers of two by which s is larger where results may lie below the normal numbers


def exp(b: Builder, x: Value) -> Value:
    """e to the x."""
    rare = any_lane(b, b.compare("uge", size_of(b, x), format_of(x.type).ordinary))
    (result,) = b.choose(rare, lambda: [exp_of_sum(b, x, None)], lambda: [exp_of_ordinary(b, x)], rarely=True)
    return result


def exp_of_ordinary(b: Builder, x: Value) -> Value:
    """e to the x for |x| up to the format's bound, or NaN."""
    return _exp(b, _reduced(b, x, b.constant(x.type, format_of(x.type).rounder)))


def exp_of_sum(b: Builder, x: Value, rest: Value | None) -> Value:
    """e to the x + rest, for any x, and a rest that is small beside 1."""
    f = format_of(x.type)
    negative = is_negative(b, x)
    rounder = b.select(negative, b.constant(x.type, f.rounder + LIFT), f.rounder - 1)  # s < 2^bias at the upper end
    unlift = b.select(negative, b.constant(x.type, 2.0**-LIFT), 2.0)
    split = _reduced(b, at_least(b, at_most(b, x, f.overflow), f.underflow), rounder)
    if rest is not None:
        split = _Reduced(b.add(split.r, b.add(rest, _left_out(b, split))), split.high, split.n, split.power)
    return b.multiply(_exp(b, split), unlift)


def expm1(b: Builder, x: Value) -> Value:
    """exp(x) - 1."""
    f = format_of(x.type)
    within = at_least(b, at_most(b, x, f.overflow), f.one_below)
    split = _reduced(b, within, b.constant(x.type, f.rounder - 1))
    r = split.r
    tail = b.fma(b.multiply(r, r), polynomial(b, r, f.exp_tail), _left_out(b, split))
    half = b.fma(split.power, tail, b.fma(split.power, r, b.subtract(split.power, 0.5)))
    return unless_tiny(b, x, b.multiply(half, 2.0))


def tanh(b: Builder, x: Value) -> Value:
    """((s - 1) + (s + 1) T) / ((s + 1) + (s - 1) T), with 2 |x| = n log 2 + 2 r, s = 2^n and T = tanh(r), r small.

    It is the addition theorem, with tanh(n log(2) / 2) = (s - 1) / (s + 1).
    """
    f = format_of(x.type)
    size = at_most(b, size_of(b, x), f.one_above)
    rounder = b.constant(x.type, f.rounder)
    shifted = b.fma(size, 2.0 * LOG2_E, rounder)
    r = _half_remainder(b, size, b.subtract(shifted, rounder))
    square = b.multiply(r, r)
    small = b.fma(b.multiply(r, square), polynomial(b, square, f.tanh_tail), r)
    power = _power(b, shifted, f)
    more, less = b.add(power, 1.0), b.subtract(power, 1.0)
    return signed(b, b.divide(b.fma(more, small, less), b.fma(less, small, more)), sign_of(b, x))


def sigmoid(b: Builder, x: Value) -> Value:
    """1 - q for x >= 0 and e - e q below, with e = exp(-|x|) and q = e / (1 + e)."""
    e = exp(b, minus_size(b, x))
    whole = b.select(is_negative(b, x), e, 1.0)
    return b.fma(b.negate(b.divide(e, b.add(e, 1.0))), whole, whole)


def minus_size(b: Builder, x: Value) -> Value:
    """-|x|."""
    f = format_of(x.type)
    return b.bits_as(b.bit_or(b.bits_as(x, f.integer), f.sign), f.element)


class _Reduced(msgspec.Struct, frozen=True):
    """x = n log 2 + r but for rounding; `high` is r before its last rounding, `power` is 2^(n + lift)."""

    r: Value
    high: Value
    n: Value
    power: Value


def _reduced(b: Builder, x: Value, rounder: Value) -> _Reduced:
    """x, in bounds or NaN, split; the format's rounder plus lift, added, leaves n + lift in the low bits."""
    f = format_of(x.type)
    shifted = b.fma(x, LOG2_E, rounder)
    n = b.subtract(shifted, rounder)
    high = b.fma(n, -f.ln2_high, x)
    return _Reduced(b.fma(n, -f.ln2_low, high), high, n, _power(b, shifted, f))


def _half_remainder(b: Builder, x: Value, n: Value) -> Value:
    """x - n log(2) / 2 for small n, where an error in r counts less the larger n is."""
    f = format_of(x.type)
    if b.module.isa.fused:
        return b.fma(n, -0.5 * LN2, x)
    return b.fma(n, -0.5 * f.ln2_low, b.fma(n, -0.5 * f.ln2_high, x))


def _left_out(b: Builder, split: _Reduced) -> Value:
    """What r leaves out of x - n log 2."""
    return b.fma(split.n, -format_of(split.r.type).ln2_low, b.subtract(split.high, split.r))


def _power(b: Builder, shifted: Value, f: Format) -> Value:
    """2^k for the k in the low bits."""
    return b.bits_as(b.add(b.shift_left(b.bits_as(shifted, f.integer), f.mantissa), f.one), f.element)


def _exp(b: Builder, split: _Reduced) -> Value:
    """exp(x) 2^lift."""
    tail = polynomial(b, split.r, format_of(split.r.type).exp_tail)
    return b.fma(split.power, b.fma(b.multiply(split.r, split.r), tail, split.r), split.power)
