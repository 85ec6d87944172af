"""Functions of floats in vectors, and random words, as instructions written where they are used.

`inline` writes a function of one operand, `power` a fixed power, `random_words` and `random_stretch` draws, `from_half`
and `to_half` a float16. The bits of a lane depend on its operand and on whether the instruction set multiplies and adds
in one rounding, never on how many lanes there are. `ULPS` says how far results lie from the true ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from chainrule.backends.native.ir import HELD, Builder, Module, Value
from chainrule.backends.native.machine import Isa
from chainrule.backends.native.vector_math.error_function import erf
from chainrule.backends.native.vector_math.exponential import exp, expm1, sigmoid, tanh
from chainrule.backends.native.vector_math.half import from_half, to_half
from chainrule.backends.native.vector_math.logarithm import log, log1p, softplus
from chainrule.backends.native.vector_math.philox import random_stretch, random_words
from chainrule.backends.native.vector_math.power import power
from chainrule.errors import UnknownNameError

__all__ = [
    "FUNCTIONS",
    "ULPS",
    "Float",
    "from_half",
    "inline",
    "library",
    "power",
    "random_stretch",
    "random_words",
    "to_half",
]

Float: TypeAlias = Literal["float32", "float64"]


def _sqrt(b: Builder, x: Value) -> Value:
    return b.sqrt(x)


FUNCTIONS: Final[dict[str, Callable[[Builder, Value], Value]]] = {
    "erf": erf,
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "sqrt": _sqrt,
    "tanh": tanh,
}

# The largest error in units of the last place, measured and rounded up: of every float32, of millions of float64, on
# sets that round x · y + z once and on others. `power` is here too.
ULPS: Final[dict[str, dict[Float, float]]] = {
    "erf": {"float32": 1.2, "float64": 1.5},
    "exp": {"float32": 1.1, "float64": 1.1},
    "expm1": {"float32": 1.4, "float64": 1.4},
    "log": {"float32": 1.0, "float64": 1.3},
    "log1p": {"float32": 1.8, "float64": 2.0},
    "power": {"float32": 0.51, "float64": 1.1},
    "sigmoid": {"float32": 1.9, "float64": 1.9},
    "softplus": {"float32": 2.3, "float64": 2.2},
    "sqrt": {"float32": 0.5, "float64": 0.5},
    "tanh": {"float32": 2.5, "float64": 2.7},
}


def inline(b: Builder, name: str, dtype: Float, lanes: int, x: Value) -> Value:
    """Write the instructions of a function.

    Args:
        b: where to write; a function may begin new blocks.
        name: one of `FUNCTIONS`.
        dtype: of the operand and the result.
        lanes: how many numbers at once, 1 for a scalar.
        x: the operand.

    Raises: UnknownNameError for another name.
    """
    if name not in FUNCTIONS:
        raise UnknownNameError("function", name, FUNCTIONS)
    assert x.type == HELD[dtype].of(lanes), f"{name} of {x.type}, not {lanes} of {dtype}"
    return FUNCTIONS[name](b, x)


def library(isa: Isa, functions: Iterable[tuple[str, Float, int]]) -> str:
    """The text of functions to be called: `@cr_<name>_<dtype>_<lanes>`, from a vector to a vector.

    Args:
        isa: what the code may use.
        functions: the name, dtype and lanes of each.
    """
    module = Module(isa)
    for name, dtype, lanes in functions:
        type_ = HELD[dtype].of(lanes)
        b = module.function(f"cr_{name}_{dtype}_{lanes}", type_, [("x", type_)])
        b.give(inline(b, name, dtype, lanes, b.arguments[0]))
    return module.text()
