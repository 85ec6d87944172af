"""The activation layer: an activation that stands by itself."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.graph.expr import Expr
from chainrule.nn.activations import ACTIVATIONS, activation_named
from chainrule.nn.layers.parameter import Parameter, Record, SampleShape, checked_name
from chainrule.nn.spoken import Spoken


class ActivationLayer(Spoken, frozen=True, forbid_unknown_fields=True, tag="activation"):
    """Apply an activation to what the layer before put out.

    a = f(x). Dense(16) followed by ActivationLayer("relu") computes what Dense(16, "relu") computes.

    Args:
        kind: name of the activation f.
        name: of the layer; numbered by the network (activation_1) where None.

    Raises: UnknownNameError for an unknown activation; ExperimentError for a name that is no word.
    Derivative: that of f.
    Example: ReLU of -1 and 2:
        >>> a = ActivationLayer("relu").apply(x, {}, lambda name, value: None)
        >>> value(a, x=[[-1.0, 2.0]])
        [[0.0, 2.0]]
    """

    kind: str
    name: str | None = None

    def __post_init__(self) -> None:
        activation_named(self.kind)
        checked_name("activation", self.name)

    @property
    def ends_in(self) -> str | None:
        """The name of the activation that its output has passed; None for linear, which changes nothing."""
        return None if self.kind == "linear" else self.kind

    def parameters(self, input_shape: SampleShape) -> tuple[Parameter, ...]:
        """None."""
        return ()

    def output_shape(self, input_shape: SampleShape) -> SampleShape:
        """The shape it got."""
        return input_shape

    def apply(self, x: Expr, parameters: Mapping[str, Expr], record: Record) -> Expr:
        """The activation a, of the shape of x; it is recorded."""
        a = ACTIVATIONS[self.kind].formula(x)
        record("a", a)
        return a
