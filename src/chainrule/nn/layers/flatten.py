"""The flatten layer: each sample becomes one row."""

from __future__ import annotations

import math
from collections.abc import Mapping

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.nn.layers.parameter import Parameter, Record, SampleShape, checked_name
from chainrule.nn.spoken import Spoken


class Flatten(Spoken, frozen=True, forbid_unknown_fields=True, tag="flatten"):
    """Write each sample as one row, its last axis running fastest.

    a = x with (n, h, w) read as (n, h·w), so that a dense layer can follow images.

    Args: name: of the layer; numbered by the network (flatten_1) where None.
    Raises: ExperimentError for a name that is no word.
    Derivative: the adjoint under the shape of x.
    Example: two rows of two become one of four:
        >>> a = Flatten().apply(image, {}, lambda name, value: None)
        >>> value(a, image=[[[1.0, 2.0], [3.0, 4.0]]])
        [[1.0, 2.0, 3.0, 4.0]]
    """

    name: str | None = None

    def __post_init__(self) -> None:
        checked_name("flatten", self.name)

    @property
    def ends_in(self) -> str | None:
        """None: it passes on what it gets."""
        return None

    def parameters(self, input_shape: SampleShape) -> tuple[Parameter, ...]:
        """None."""
        return ()

    def output_shape(self, input_shape: SampleShape) -> SampleShape:
        """One row: (h·w,) for (h, w)."""
        return (math.prod(input_shape),)

    def apply(self, x: Expr, parameters: Mapping[str, Expr], record: Record) -> Expr:
        """The rows a, recorded."""
        length = math.prod(d for d in x.shape[1:] if isinstance(d, int))
        a = e.reshape(x, (x.shape[0], length))  # (n, h, w) -> (n, h·w)
        record("a", a)
        return a
