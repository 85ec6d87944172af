"""The dense layer: every unit reads every input."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chainrule.errors import ShapeError
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import show_shape
from chainrule.nn.activations import ACTIVATIONS, activation_named
from chainrule.nn.bounds import truth, whole
from chainrule.nn.initializers import InitializerChoice
from chainrule.nn.layers.parameter import Parameter, Record, SampleShape, checked_initializer, checked_name
from chainrule.nn.spoken import Spoken


class Dense(Spoken, frozen=True, forbid_unknown_fields=True, tag="dense"):
    """Every unit reads every input, adds its bias and applies its activation.

    z = x W + b, a = f(z), with x of shape (n, i), W of (i, o), b of (o); o is `units` and f the activation.

    Args:
        units: the number of outputs o, at least 1.
        activation: name of the activation f.
        use_bias: whether there is a b.
        kernel_initializer: of W, a name or `Constant`.
        bias_initializer: of b, a name or `Constant`.
        name: of the layer; numbered by the network (dense_1) where None.

    Raises: ExperimentError for units below 1 or a name that is no word; UnknownNameError for an unknown activation or
        initializer.
    Derivative: with δ = ∂ℓ/∂z: ∂ℓ/∂W = xᵀ δ, ∂ℓ/∂b = Σₙ δₙ, ∂ℓ/∂x = δ Wᵀ.
    Example: the row (1, 2) times the columns (3, 4) and (5, 6), plus (0, 1):
        >>> a = Dense(2).apply(x, {"W": W, "b": b}, lambda name, value: None)
        >>> value(a, x=[[1.0, 2.0]], W=[[3.0, 5.0], [4.0, 6.0]], b=[0.0, 1.0])
        [[11.0, 18.0]]

    Source: Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", 1986, equations 1 and 2.
    """

    units: int
    activation: str = "linear"
    use_bias: bool = True
    kernel_initializer: InitializerChoice = "glorot_uniform"
    bias_initializer: InitializerChoice = "zeros"
    name: str | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "units", whole("a dense layer", "units", self.units))
        activation_named(self.activation)
        truth("a dense layer", "use_bias", self.use_bias)
        checked_initializer(self.kernel_initializer)
        checked_initializer(self.bias_initializer)
        checked_name("dense", self.name)

    @property
    def ends_in(self) -> str | None:
        """The name of the activation that its output has passed."""
        return self.activation

    def parameters(self, input_shape: SampleShape) -> tuple[Parameter, ...]:
        """W of shape (i, o) and, unless switched off, b of shape (o).

        Raises: ShapeError when a sample is not one row of inputs.
        """
        kernel = Parameter("W", (_inputs(input_shape), self.units), self.kernel_initializer, "kernel")
        bias = Parameter("b", (self.units,), self.bias_initializer, "bias")
        return (kernel, bias) if self.use_bias else (kernel,)

    def output_shape(self, input_shape: SampleShape) -> SampleShape:
        """The shape of one sample after the layer: (o,)."""
        _inputs(input_shape)
        return (self.units,)

    def apply(self, x: Expr, parameters: Mapping[str, Expr], record: Record) -> Expr:
        """The activation a of shape (n, o); z and a are recorded."""
        z = x @ parameters["W"]  # (n, i) (i, o) -> (n, o)
        if self.use_bias:
            z = z + parameters["b"]
        record("z", z)
        a = ACTIVATIONS[self.activation].formula(z)
        record("a", a)
        return a


def _inputs(shape: SampleShape) -> int:
    if len(shape) != 1:
        raise ShapeError(
            f"a dense layer reads one row of inputs a sample, and a sample has shape {show_shape(shape)}; put a "
            "flatten layer before it"
        )
    if shape[0] < 1:
        raise ShapeError("a dense layer needs at least one input, and a sample has none; give it a feature")
    return shape[0]
