"""Initializers: the numbers a parameter has before the first step, drawn in float64.

A kernel of shape (i, o) has i inputs and o outputs to each weight's unit. Drawn initializers have mean 0 and a variance
that keeps the size of signals from layer to layer, under the assumption each one states. Normal ones are plain normal
numbers, not truncated: PyTorch's are the same; Keras truncates at two standard deviations and rescales.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.draws import Purpose, normal, uniform
from chainrule.errors import UnknownAttributeError, UnknownNameError
from chainrule.nn.bounds import ANY, real
from chainrule.nn.spoken import Spoken

Values: TypeAlias = npt.NDArray[np.float64]
Distribution: TypeAlias = Literal["uniform", "normal", "same"]


class Constant(Spoken, frozen=True, forbid_unknown_fields=True, tag="constant"):
    """Every element has one value.

    Args: value: finite.
    Raises: ExperimentError when the value is no finite number.
    Assumes: that a layer whose units all start equal is meant: they get equal gradients and stay equal.
    Example: a kernel of 0.5 everywhere:
        >>> initial_value(Constant(0.5), (1, 2), seed=0, index=0).tolist()
        [[0.5, 0.5]]
    """

    value: float

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "value", real("constant", "value", self.value, ANY))


class Initializer(msgspec.Struct, frozen=True):
    """An initializer by name.

    Attributes:
        name: the catalog's name.
        distribution: "uniform" on [-√(3 v), √(3 v)), "normal" with mean 0 and variance v, or the "same" everywhere.
        number: from the inputs i and the outputs o of a unit: the variance v, or the value that is everywhere.
        said: the formula in words.
        assumes: for which layers it is meant.
        source: author, year, equation.
    """

    name: str
    distribution: Distribution
    number: Callable[[int, int], float]
    said: str
    assumes: str
    source: str


_GLOROT: Final = "Glorot, Bengio, 2010, equations 12 and 16"
_HE: Final = "He, Zhang, Ren, Sun, 2015, equation 10"
_LECUN: Final = "LeCun, Bottou, Orr, Müller, 1998, section 4.6"
_SYMMETRIC: Final = "activations near 0 are the identity, as of tanh; a compromise of both directions"
_HALVED: Final = "ReLU, which halves the mean square of a symmetric signal"
_FORWARD: Final = "activations near 0 are the identity; the forward direction alone"
_EQUAL: Final = "biases; equal kernels would make all units of a layer the same forever"

_ROWS: Final = (
    Initializer("glorot_uniform", "uniform", lambda i, o: 2 / (i + o), "U(±√(6 / (i + o)))", _SYMMETRIC, _GLOROT),
    Initializer("glorot_normal", "normal", lambda i, o: 2 / (i + o), "N(0, 2 / (i + o))", _SYMMETRIC, _GLOROT),
    Initializer("he_uniform", "uniform", lambda i, o: 2 / i, "U(±√(6 / i))", _HALVED, _HE),
    Initializer("he_normal", "normal", lambda i, o: 2 / i, "N(0, 2 / i)", _HALVED, _HE),
    Initializer("lecun_uniform", "uniform", lambda i, o: 1 / i, "U(±√(3 / i))", _FORWARD, _LECUN),
    Initializer("lecun_normal", "normal", lambda i, o: 1 / i, "N(0, 1 / i)", _FORWARD, _LECUN),
    Initializer("zeros", "same", lambda i, o: 0.0, "0", _EQUAL, "usual for biases"),
    Initializer("ones", "same", lambda i, o: 1.0, "1", _EQUAL, "usual for scales"),
)

INITIALIZERS: Final[dict[str, Initializer]] = {row.name: row for row in _ROWS}

InitializerChoice: TypeAlias = str | Constant  # a name of the table, or a constant with its value


def initializer_named(name: str) -> Initializer:
    """The initializer of that name.

    Raises: UnknownNameError when there is none.
    """
    found = INITIALIZERS.get(str(name))
    if found is None:
        raise UnknownNameError("initializer", str(name), [*INITIALIZERS, "constant"])
    return found


def initial_value(initializer: InitializerChoice, shape: tuple[int, ...], seed: int, index: int) -> Values:
    """The first value of a parameter.

    Args:
        initializer: a name of `INITIALIZERS`, or a `Constant`.
        shape: of the parameter; (i, o) for a kernel.
        seed: integer in [0, 2**64).
        index: of the parameter in its network, from 0, so that each gets its own numbers.

    Returns: float64 array of that shape; the same for the same arguments.

    Raises: UnknownNameError for an unknown name; ValueRangeError for a seed outside its range.

    Example: with 2 inputs and 4 outputs glorot_uniform stays within √(6 / 6) = 1:
        >>> bool(np.abs(initial_value("glorot_uniform", (2, 4), seed=0, index=0)).max() <= 1.0)
        True
    """
    if isinstance(initializer, Constant):
        return np.full(shape, initializer.value)
    row = initializer_named(initializer)
    number = row.number(*fans(shape))
    if row.distribution == "same":
        return np.full(shape, number)
    if row.distribution == "normal":
        return normal(seed, Purpose.INITIALIZE, index, shape) * math.sqrt(number)
    drawn = uniform(seed, Purpose.INITIALIZE, index, shape).astype(np.float64)  # [0, 1)
    return (2.0 * drawn - 1.0) * math.sqrt(3.0 * number)  # [-1, 1) has variance 1/3


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """The number of inputs and of outputs of a unit, by the shape of its parameter.

    A kernel's last two axes are inputs and outputs, and axes before them (the window of a convolution) multiply both.
    A vector, such as a bias that somebody wants drawn, counts as many of both as it has elements, as in Keras.
    """
    if len(shape) < 2:
        return (math.prod(shape), math.prod(shape))
    window = math.prod(shape[:-2])
    return (window * shape[-2], window * shape[-1])


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> str:
        """An initializer's name as text, which is how a layer takes it: `he_uniform` is "he_uniform".

        Raises: UnknownAttributeError for any other, with the nearest that does exist.
        """
        if name in INITIALIZERS:
            return name
        raise UnknownAttributeError("chainrule.initializers", name, [*INITIALIZERS, "Constant"])
