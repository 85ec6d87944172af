"""Activations: functions of a pre-activation z, as the book writes them, and the table that names them.

Each works element by element, but for softmax, which works along the last axis.
In the examples `value` stands for the number that a formula has in the reference backend.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from chainrule.errors import UnknownAttributeError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr

LEAKY_SLOPE: Final = 0.01  # Maas, Hannun, Ng 2013, section 2

# Mean 0 and variance 1 are a fixed point with these two; Klambauer et al. 2017, section 2, solved to 17 digits.
SELU_ALPHA: Final = 1.6732632423543772
SELU_SCALE: Final = 1.0507009873554805


def linear(z: Expr) -> Expr:
    """The pre-activation itself: a = z.

    Args: z: pre-activation, any shape.
    Returns: z.
    Derivative: 1.
    Example: 3 stays 3:
        >>> value(linear(z), z=[3.0])
        [3.0]

    Source: regression in its usual form; two linear layers without more between them are one linear map.
    """
    return z


def relu(z: Expr) -> Expr:
    """What is above 0 passes: a = max(z, 0).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, at least 0.
    Derivative: 1 for z > 0, else 0; at 0 the slope is 0 by convention.
    Example: -2 is below 0 and gives 0; 3 is above and stays:
        >>> value(relu(z), z=[-2.0, 0.0, 3.0])
        [0.0, 0.0, 3.0]

    Source: Nair, Hinton, "Rectified linear units improve restricted Boltzmann machines", 2010.
    """
    return e.maximum(z, 0.0)


def leaky_relu(z: Expr) -> Expr:
    """What is below 0 leaks through with slope 0.01: a = max(z, 0.01 z).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape.
    Derivative: 1 for z > 0, else 0.01; at 0 the slope is 0.01 by convention.
    Example: -2 times 0.01 is -0.02:
        >>> value(leaky_relu(z), z=[-2.0, 3.0])
        [-0.02, 3.0]

    Source: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013, section 2.
        PyTorch's default slope is 0.01 too; Keras's layer has 0.3.
    """
    return e.maximum(z, LEAKY_SLOPE * z)


def elu(z: Expr) -> Expr:
    """Above 0 the identity, below 0 an exponential that settles at -1: a = max(z, 0) + (exp(min(0, z)) - 1).

    The usual form, z for z > 0, else exp(z) - 1, with the exponential kept from overflowing where it is not used.

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, above -1.
    Derivative: 1 for z > 0, else exp(z) = a + 1; continuous, 1 at 0.
    Example: -log 2 gives 1/2 - 1 = -0.5:
        >>> value(elu(z), z=[-math.log(2.0), 3.0])
        [-0.5, 3.0]

    Source: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning by exponential linear units",
        2016, section 3, with α = 1.
    """
    return e.maximum(z, 0.0) + e.expm1(e.minimum(0.0, z))


def selu(z: Expr) -> Expr:
    """An ELU scaled to keep mean 0 and variance 1: a = λ (max(z, 0) + α (exp(min(0, z)) - 1)).

    λ = 1.0507009873554805 and α = 1.6732632423543772 make mean 0 and variance 1 of z a fixed point.

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, above -λα = -1.7581.
    Derivative: λ for z > 0, else λ α exp(z) = a + λα; it jumps at 0, where it is λα by convention.
    Example: 1 gives λ:
        >>> value(selu(z), z=[1.0], digits=4)
        [1.0507]

    Source: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks", 2017, equation 2.
    """
    return SELU_SCALE * (e.maximum(z, 0.0) + SELU_ALPHA * e.expm1(e.minimum(0.0, z)))


def gelu(z: Expr) -> Expr:
    """z times the probability that a standard normal number lies below it: a = z · ½ (1 + erf(z / √2)).

    The form with the error function, not the approximation by tanh.

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, at least -0.17.
    Derivative: Φ(z) + z φ(z), with φ and Φ the standard normal density and its integral.
    Example: Φ(1) is 0.8413, so 1 gives 0.8413:
        >>> value(gelu(z), z=[0.0, 1.0], digits=4)
        [0.0, 0.8413]

    Source: Hendrycks, Gimpel, "Gaussian error linear units (GELUs)", 2016, section 2.
    """
    return z * (0.5 * (1.0 + e.erf(z / math.sqrt(2.0))))


def silu(z: Expr) -> Expr:
    """z times its sigmoid, also called swish: a = z σ(z).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, at least -0.2785.
    Derivative: σ(z) + z σ(z) (1 - σ(z)).
    Example: σ(log 3) is 3/4, so log 3 = 1.0986 gives 0.8240:
        >>> value(silu(z), z=[0.0, math.log(3.0)], digits=4)
        [0.0, 0.824]

    Source: Elfwing, Uchibe, Doya, "Sigmoid-weighted linear units for neural network function approximation in
        reinforcement learning", 2018, section 2.
    """
    return z * e.sigmoid(z)


def softplus(z: Expr) -> Expr:
    """A smooth ReLU: a = log(1 + exp(z)).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, above 0.
    Derivative: σ(z).
    Example: 0 gives log 2:
        >>> value(softplus(z), z=[0.0], digits=4)
        [0.6931]

    Source: Dugas, Bengio, Bélisle, Nadeau, Garcia, "Incorporating second-order functional knowledge for better option
        pricing", 2001.
    """
    return e.softplus(z)


def sigmoid(z: Expr) -> Expr:
    """The logistic function: a = σ(z) = 1 / (1 + exp(-z)).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, between 0 and 1.
    Derivative: a (1 - a), at most 0.25, at z = 0; a product of ten of them is at most 0.25¹⁰ ≈ 10⁻⁶.
    Example: exp(-log 3) is 1/3, and 1 / (1 + 1/3) is 3/4:
        >>> value(sigmoid(z), z=[0.0, math.log(3.0)], digits=4)
        [0.5, 0.75]

    Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986, equation 2.
    """
    return e.sigmoid(z)


def tanh(z: Expr) -> Expr:
    """The hyperbolic tangent: a = (exp(z) - exp(-z)) / (exp(z) + exp(-z)).

    Args: z: pre-activation, any shape.
    Returns: activation of the same shape, between -1 and 1.
    Derivative: 1 - a², at most 1, at z = 0.
    Example: log 2 gives (2 - 1/2) / (2 + 1/2) = 0.6:
        >>> value(tanh(z), z=[0.0, math.log(2.0)], digits=4)
        [0.0, 0.6]

    Source: LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.4.
    """
    return e.tanh(z)


def softmax(z: Expr) -> Expr:
    """Each row as shares of 1: aₖ = exp(zₖ) / Σⱼ exp(zⱼ), along the last axis.

    Args: z: logits, shape (n, k).
    Returns: activation (n, k), above 0; each row sums to 1.
    Derivative: ∂aₖ/∂zⱼ = aₖ (1 - aₖ) for j = k, else -aₖ aⱼ; used is that exp is positive.
    Example: exp(0) and exp(log 3) are 1 and 3, of 4:
        >>> value(softmax(z), z=[0.0, math.log(3.0)], digits=4)
        [0.25, 0.75]

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.
    """
    scores = e.exp(z)
    return scores / e.sum(scores, -1, keepdims=True)


class Activation(msgspec.Struct, frozen=True):
    """An activation by name.

    Attributes:
        name: the catalog's name.
        formula: from the pre-activation z to the activation, of the same shape.
        symbol: how it is written: σ in a = σ(z).
        range: the largest number that every value reaches or exceeds, and the smallest that none exceeds.
        rowwise: whether a value depends on its whole row, as in softmax.
    """

    name: str
    formula: Callable[[Expr], Expr]
    symbol: str
    range: tuple[float, float]
    rowwise: bool = False


_ROWS: Final = (
    Activation("linear", linear, "id", (-math.inf, math.inf)),
    Activation("relu", relu, "ReLU", (0.0, math.inf)),
    Activation("leaky_relu", leaky_relu, "LeakyReLU", (-math.inf, math.inf)),
    Activation("elu", elu, "ELU", (-1.0, math.inf)),
    Activation("selu", selu, "SELU", (-SELU_SCALE * SELU_ALPHA, math.inf)),
    Activation("gelu", gelu, "GELU", (-0.16997120747, math.inf)),  # where Φ(z) + z φ(z) = 0, z = -0.75179
    Activation("silu", silu, "SiLU", (-0.27846454277, math.inf)),  # where 1 + z (1 - σ(z)) = 0, z = -1.27846
    Activation("softplus", softplus, "softplus", (0.0, math.inf)),
    Activation("sigmoid", sigmoid, "σ", (0.0, 1.0)),
    Activation("tanh", tanh, "tanh", (-1.0, 1.0)),
    Activation("softmax", softmax, "softmax", (0.0, 1.0), rowwise=True),
)

ACTIVATIONS: Final[dict[str, Activation]] = {row.name: row for row in _ROWS}


def activation_named(name: str) -> Activation:
    """The activation of that name.

    Raises: UnknownNameError when there is none.
    """
    found = ACTIVATIONS.get(str(name))
    if found is None:
        raise UnknownNameError("activation", str(name), ACTIVATIONS)
    return found


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> object:
        """A name that does not exist.

        Raises: UnknownAttributeError for any other, with the nearest that does exist.
        """
        raise UnknownAttributeError("chainrule.activations", name, ACTIVATIONS)
