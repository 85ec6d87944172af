"""The small steps that the functions share: polynomials, bounds that let NaN through, signs by their bit."""

from __future__ import annotations

from chainrule.backends.native.ir import I1, Builder, Value
from chainrule.backends.native.vector_math.formats import Coefficients, format_of


def polynomial(b: Builder, x: Value, coefficients: Coefficients) -> Value:
    """c0 + x (c1 + x (c2 + …)), by Horner's rule."""
    *rest, first = coefficients
    result = b.constant(x.type, first)
    for coefficient in reversed(rest):
        result = b.fma(result, x, coefficient)
    return result


def at_most(b: Builder, x: Value, bound: float) -> Value:
    """The smaller of x and the bound; NaN for NaN."""
    limit = b.constant(x.type, bound)
    return b.select(b.compare("olt", limit, x), limit, x)


def at_least(b: Builder, x: Value, bound: float) -> Value:
    """The larger of x and the bound; NaN for NaN."""
    limit = b.constant(x.type, bound)
    return b.select(b.compare("ogt", limit, x), limit, x)


def is_negative(b: Builder, x: Value) -> Value:
    """Whether the sign bit is set, as it is for -0 and may be for NaN."""
    return b.compare("slt", b.bits_as(x, format_of(x.type).integer), 0)


def sign_of(b: Builder, x: Value) -> Value:
    """The sign bit of x alone, as an integer."""
    f = format_of(x.type)
    return b.bit_and(b.bits_as(x, f.integer), f.sign)


def size_of(b: Builder, x: Value) -> Value:
    """|x|."""
    f = format_of(x.type)
    return b.bits_as(b.bit_and(b.bits_as(x, f.integer), ~f.sign), f.element)


def signed(b: Builder, x: Value, sign: Value) -> Value:
    """x >= 0 with a sign bit."""
    f = format_of(x.type)
    return b.bits_as(b.bit_or(b.bits_as(x, f.integer), sign), f.element)


def unless_tiny(b: Builder, x: Value, result: Value) -> Value:
    """The result, but x where x² no longer counts beside it: zeros keep their sign, denormals their last bit."""
    tiny = 2.0 ** -(format_of(x.type).mantissa + 2)
    return b.select(b.compare("olt", size_of(b, x), tiny), x, result)


def any_lane(b: Builder, condition: Value) -> Value:
    """Whether the condition holds in at least one lane."""
    return condition if condition.type.lanes == 1 else b.intrinsic("llvm.vector.reduce.or", condition, result=I1)
