"""Random numbers as a function of (seed, purpose, step, element): the same wherever and whenever they are drawn."""

from chainrule.draws.philox import philox4x32, random_bits
from chainrule.draws.purpose import Purpose
from chainrule.draws.samples import normal, permutation, uniform

__all__ = ["Purpose", "normal", "permutation", "philox4x32", "random_bits", "uniform"]
