"""log, log1p and softplus, which share log(1 + f) for f around 0, and x = 2^e (1 + f).

What is not positive, normal and finite is rare, so it is looked for once in all lanes, and only then treated.
"""

from __future__ import annotations

import msgspec

from chainrule.backends.native.ir import Builder, Value
from chainrule.backends.native.vector_math.exponential import exp, minus_size
from chainrule.backends.native.vector_math.formats import INFINITY, LN2, NAN, format_of
from chainrule.backends.native.vector_math.steps import any_lane, at_least, polynomial, unless_tiny


def log(b: Builder, x: Value) -> Value:
    """The natural logarithm: -inf at 0, NaN below."""
    rare = _is_any_irregular(b, x, format_of(x.type).least_normal)
    split = _lifted(b, x, rare)
    result = _with_exponent(b, split.exponent, b.subtract(split.significand, 1.0))
    return _at_edges(b, rare, x, x, result)


def log1p(b: Builder, x: Value) -> Value:
    """log(1 + x) from u = 1 + x, rounded, and what the rounding left out."""
    f = format_of(x.type)
    u = b.add(x, 1.0)
    back = b.subtract(u, 1.0)
    left_out = b.add(b.subtract(1.0, b.subtract(u, back)), b.subtract(x, back))
    split = _split(b, u, f.bias)
    # 2^(1 - e): the largest e gives 0, as what was left out there may
    scale = b.bits_as(b.subtract(2 * f.one + (1 << f.mantissa), b.shift_left(split.biased, f.mantissa)), f.element)
    rest = b.fma(b.multiply(left_out, 0.5), scale, b.subtract(split.significand, 1.0))
    result = unless_tiny(b, x, _with_exponent(b, split.exponent, rest))
    return _at_edges(b, _is_any_irregular(b, u, f.least_normal), x, u, result)


def softplus(b: Builder, x: Value) -> Value:
    """max(x, 0) + log(1 + e), with e = exp(-|x|) in [0, 1]."""
    f = format_of(x.type)
    e = exp(b, minus_size(b, x))
    if f.unit_tail:
        return b.add(at_least(b, x, 0.0), b.fma(b.multiply(e, e), polynomial(b, e, f.unit_tail), e))
    upper = b.compare("ogt", e, 2.0 * f.split_at - 1.0)
    rest = b.select(upper, b.multiply(b.subtract(e, 1.0), 0.5), e)
    base = b.select(upper, b.constant(x.type, LN2), 0.0)
    return b.add(at_least(b, x, 0.0), b.add(base, _log_one_plus(b, rest)))


def significand_and_exponent(b: Builder, x: Value) -> tuple[Value, Value]:
    """m from sqrt(1/2) or 2/3 to twice that, and e, with x = 2^e m, for x > 0 and finite; else anything."""
    split = _lifted(b, x, _is_any_irregular(b, x, format_of(x.type).least_normal))
    return split.significand, split.exponent


class _Split(msgspec.Struct, frozen=True):
    """x = 2^exponent · significand, the significand from split_at to 2 split_at; `biased` is an integer."""

    significand: Value
    exponent: Value
    biased: Value


def _lifted(b: Builder, x: Value, rare: Value) -> _Split:
    """x split, after numbers below the normal ones were made larger; only looked for where something is rare."""
    f = format_of(x.type)
    lift = f.mantissa + 2

    def lift_small() -> tuple[Value, Value]:
        small = b.compare("olt", x, f.least_normal)
        grown = b.select(small, b.multiply(x, 2.0**lift), x)
        return grown, b.select(small, b.constant(x.type, float(lift)), 0.0)

    normal, by = b.choose(rare, lift_small, lambda: (x, b.constant(x.type, 0.0)), rarely=True)
    split = _split(b, normal, f.bias)
    return _Split(split.significand, b.subtract(split.exponent, by), split.biased)


def _split(b: Builder, x: Value, bias: int) -> _Split:
    """x > 0, normal; for others anything."""
    f = format_of(x.type)
    begin = f.bits(f.split_at)
    moved = b.subtract(b.bits_as(x, f.integer), begin - f.one)
    biased = b.shift_right(moved, f.mantissa)
    low = b.bit_and(moved, (1 << f.mantissa) - 1)
    counted = b.bits_as(b.bit_or(biased, f.bits(f.counter)), f.element)
    return _Split(
        b.bits_as(b.add(low, begin), f.element),
        b.subtract(counted, f.counter + bias),
        biased,
    )


def _with_exponent(b: Builder, exponent: Value, x: Value) -> Value:
    """exponent · log 2 + log(1 + x)."""
    f = format_of(x.type)
    return b.fma(exponent, f.ln2_high, b.fma(exponent, f.ln2_low, _log_one_plus(b, x)))


def _log_one_plus(b: Builder, x: Value) -> Value:
    """log(1 + x) for x from split_at - 1 to 2 split_at - 1."""
    f = format_of(x.type)
    if f.log_tail:
        return b.fma(b.multiply(x, x), polynomial(b, x, f.log_tail), x)
    s = b.divide(x, b.add(x, 2.0))
    square = b.multiply(s, s)
    inner = b.fma(b.negate(square), polynomial(b, square, f.log_odd), x)  # 2 s + s³ p = x - s (x - s² p)
    return b.fma(b.negate(s), inner, x)


def _is_any_irregular(b: Builder, x: Value, least: float) -> Value:
    """Whether a lane holds something that is not between `least` and infinity."""
    regular = b.bit_and(b.compare("oge", x, least), b.compare("olt", x, INFINITY))
    return any_lane(b, b.bit_xor(regular, True))


def _at_edges(b: Builder, rare: Value, x: Value, argument: Value, result: Value) -> Value:
    """The result where the logarithm's argument is positive and finite; elsewhere what x demands."""

    def treated() -> tuple[Value]:
        finite = b.select(b.compare("olt", x, INFINITY), result, x)
        edge = b.select(b.compare("oeq", argument, 0.0), b.constant(x.type, -INFINITY), NAN)
        return (b.select(b.compare("ole", argument, 0.0), edge, finite),)

    (chosen,) = b.choose(rare, treated, lambda: (result,), rarely=True)
    return chosen
