"""erf: x + x p(x²) near 0, and 1 - exp(q(|x|)) beyond, with the sign of x."""

from __future__ import annotations

from chainrule.backends.native.ir import Builder, Value
from chainrule.backends.native.vector_math.exponential import exp_of_ordinary
from chainrule.backends.native.vector_math.formats import format_of
from chainrule.backends.native.vector_math.steps import at_most, polynomial, sign_of, signed, size_of


def erf(b: Builder, x: Value) -> Value:
    """2 / sqrt(pi) times the integral of exp(-t²) from 0 to x."""
    f = format_of(x.type)
    size = size_of(b, x)
    near = b.fma(size, polynomial(b, b.multiply(x, x), f.erf_near), size)
    beyond = b.subtract(at_most(b, size, f.erf_end), f.erf_split)
    far = b.subtract(1.0, exp_of_ordinary(b, polynomial(b, beyond, f.erf_far)))
    return signed(b, b.select(b.compare("ogt", size, f.erf_split), far, near), sign_of(b, x))
