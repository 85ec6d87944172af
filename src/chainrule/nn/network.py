"""The network: layers in a row, with a name for each parameter and each value on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import msgspec

from chainrule.errors import ExperimentError, ShapeError, UnknownNameError
from chainrule.graph.expr import Expr
from chainrule.graph.tensor_type import show_shape
from chainrule.nn.layers import Layer, Parameter, Record
from chainrule.nn.layers.parameter import SampleShape
from chainrule.nn.spoken import Spoken


class Forward(msgspec.Struct, frozen=True):
    """What a network computes of a batch.

    Attributes:
        output: of the last layer, shape (n, k).
        values: by name and in order, what each layer recorded: "dense_1.z" its pre-activation, "dense_1.a" its
            activation, which is the same node for a linear layer.
    """

    output: Expr
    values: dict[str, Expr]


class SummaryRow(msgspec.Struct, frozen=True):
    """A line of a network's summary: the layer's name and kind, the shape of one sample behind it, its parameters."""

    layer: str
    kind: str
    output_shape: SampleShape
    parameters: int


class Network(Spoken, frozen=True, forbid_unknown_fields=True):
    """Layers in a row, each reading what the one before put out.

    A layer without a name is called by its kind and its number among the layers of that kind, from 1: dense_2 is the
    second dense layer, whatever the first is called.

    Args: layers: at least one.
    Raises: ExperimentError when there is none, when something is no layer, or when two bear one name.
    Example: 784 inputs, two hidden layers of 16 and 10 outputs have 12,560 + 272 + 170 weights and biases:
        >>> digits = Network([Dense(16, "sigmoid"), Dense(16, "sigmoid"), Dense(10)])
        >>> digits.parameter_count((784,))
        13002
        >>> [parameter.name for parameter in digits.parameters((784,))][:3]
        ['dense_1.W', 'dense_1.b', 'dense_2.W']
    """

    layers: Sequence[Layer]

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "layers", _checked_layers(self.layers))
        _refuse_duplicates(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers' names in order."""
        return tuple(layer.name or f"{_kind(layer)}_{number}" for layer, number in _numbered(self.layers))

    @property
    def last_activation(self) -> str:
        """The name of the activation that the output has passed last; "linear" where none."""
        return next((layer.ends_in for layer in reversed(self.layers) if layer.ends_in is not None), "linear")

    def _repr_html_(self) -> str:
        """What a notebook shows: the layers drawn, and counted as far as they are known without data."""
        from chainrule.document import render_notebook
        from chainrule.nn.drawing import network_document

        return render_notebook(network_document(self))

    def parameters(self, input_shape: SampleShape) -> tuple[Parameter, ...]:
        """Every parameter in order, with its full name ("dense_1.W").

        Args: input_shape: of one sample, without the axis n: (784,).
        Raises: ShapeError naming the layer that the shape does not fit.
        """
        return tuple(parameter for _, of_layer, __ in self._walk(input_shape) for parameter in of_layer)

    def parameter_count(self, input_shape: SampleShape) -> int:
        """The number of weights and biases, frozen ones included."""
        return _count(self.parameters(input_shape))

    def output_shape(self, input_shape: SampleShape) -> SampleShape:
        """The shape of one sample's output, from the shape of one sample."""
        return [shape for _, __, shape in self._walk(input_shape)][-1]

    def summary(self, input_shape: SampleShape) -> tuple[SummaryRow, ...]:
        """A row a layer, from the shape of one sample."""
        walked = zip(self.layers, self._walk(input_shape), strict=True)
        return tuple(
            SummaryRow(name, _kind(layer), shape, _count(of_layer)) for layer, (name, of_layer, shape) in walked
        )

    def forward(self, x: Expr, parameters: Mapping[str, Expr]) -> Forward:
        """The output and every value on the way, as formulas.

        Args:
            x: a batch, shape (n, *features), float32 or float64.
            parameters: by full name, of the shapes `parameters` gives and the dtype of x; others are ignored.

        Raises: UnknownNameError for a parameter that is missing; ShapeError for a shape that does not fit.
        """
        sample = tuple(d for d in x.shape[1:] if isinstance(d, int))
        if not x.shape or len(sample) < len(x.shape) - 1:
            raise ShapeError(f"a network reads a batch (n, features), and got {show_shape(x.shape)}; name only n")
        values: dict[str, Expr] = {}
        for layer, (name, wanted, _) in zip(self.layers, self._walk(sample), strict=True):
            given = {p.name.removeprefix(f"{name}."): _given(p, parameters) for p in wanted}
            x = layer.apply(x, given, _recorder(values, name))
        return Forward(x, values)

    def _walk(self, shape: SampleShape) -> Iterator[tuple[str, tuple[Parameter, ...], SampleShape]]:
        """Each layer's name, its parameters, and the shape of one sample behind it."""
        for name, layer in zip(self.names, self.layers, strict=True):
            try:
                wanted, shape = layer.parameters(shape), layer.output_shape(shape)
            except ShapeError as error:
                raise ShapeError(f"{name}: {error}") from None
            yield name, tuple(Parameter(f"{name}.{p.name}", p.shape, p.initializer, p.role) for p in wanted), shape


def _checked_layers(layers: object) -> tuple[Layer, ...]:
    if not isinstance(layers, (list, tuple)):
        raise ExperimentError(f"a network is made of a list of layers, and got {layers!r}; write Network([Dense(10)])")
    if not layers:
        raise ExperimentError("a network needs at least one layer, and got none; add Dense(10)")
    checked: list[Layer] = []
    for position, layer in enumerate(cast("Sequence[object]", layers)):
        if not isinstance(layer, Layer):
            raise ExperimentError(f"a network is made of layers, and item {position} is {layer!r}; write Dense(16)")
        checked.append(layer)
    return tuple(checked)


def _refuse_duplicates(names: tuple[str, ...]) -> None:
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ExperimentError(
                f"layers {names.index(name) + 1} and {position + 1} are both named {name}; rename one of them"
            )


def _numbered(layers: Sequence[Layer]) -> Iterator[tuple[Layer, int]]:
    """Each layer with its number among those of its kind, from 1."""
    counts: dict[str, int] = {}
    for layer in layers:
        counts[_kind(layer)] = counts.get(_kind(layer), 0) + 1
        yield layer, counts[_kind(layer)]


def _kind(layer: Layer) -> str:
    return str(layer.__struct_config__.tag)


def _count(parameters: tuple[Parameter, ...]) -> int:
    return sum(math.prod(parameter.shape) for parameter in parameters)


def _given(wanted: Parameter, parameters: Mapping[str, Expr]) -> Expr:
    if wanted.name not in parameters:
        raise UnknownNameError("parameter", wanted.name, parameters)
    given = parameters[wanted.name]
    if given.shape != wanted.shape:
        raise ShapeError(f"{wanted.name} has shape {show_shape(wanted.shape)}, and got {show_shape(given.shape)}")
    return given


def _recorder(values: dict[str, Expr], layer: str) -> Record:
    def record(name: str, value: Expr) -> None:
        values[f"{layer}.{name}"] = value

    return record
