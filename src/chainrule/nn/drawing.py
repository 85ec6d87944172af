"""A network as a drawing: its layers as stages, its units, and its connections by weight where weights are known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from chainrule.document import (
    COUNT,
    Column,
    Diagram,
    Document,
    Link,
    Number,
    Row,
    Stage,
    Table,
    format_number,
)
from chainrule.nn.layers import ActivationLayer, Dense, Flatten, Layer
from chainrule.nn.layers.parameter import SampleShape
from chainrule.nn.network import Network

MOST_UNITS: Final = 10  # drawn of a stage; of more, one fewer and how many are left out
MOST_STAGES: Final = 8  # drawn beside one another; of more, the first and the last

Weights = Mapping[str, npt.NDArray[Any]]


class _Part(msgspec.Struct, frozen=True):
    """A stage to be; whether its units read every one before it, and with which weights (before, here)."""

    title: str
    units: int
    remark: str
    matrix: npt.NDArray[Any] | None = None
    flat: bool = True
    full: bool = False


def drawing(
    network: Network,
    input_shape: SampleShape | None = None,
    *,
    weights: Weights | None = None,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> Diagram:
    """The network from its inputs to its outputs, with the number of units and of weights and biases of each layer.

    Args:
        network: what is drawn.
        input_shape: of one sample; None where it is not known, then the first counts are left open.
        weights: by full name ("dense_1.W"); lines are as wide as they are large, dashed where they are negative.
        inputs: names of the inputs, shown beside those that are drawn.
        outputs: names of the outputs.

    Raises: ShapeError naming the layer that the input shape does not fit.
    """
    if input_shape is not None:
        network.output_shape(input_shape)  # raises for a layer that it does not fit
    parts = _parts(network, input_shape, weights or {})
    shown = [_shown(part, parts[place + 1] if place + 1 < len(parts) else None) for place, part in enumerate(parts)]
    stages = [Stage(part.title, part.remark, part.units, units) for part, units in zip(parts, shown, strict=True)]
    stages[0] = _labeled(stages[0], inputs)
    stages[-1] = _labeled(stages[-1], outputs)
    links = [
        _links(part, before.shown, here.shown)
        for before, here, part in zip(stages, stages[1:], parts[1:], strict=False)
    ]
    stages, links = _shortened(stages, links)
    return Diagram(
        tuple(stages),
        tuple(links),
        _sentence(network, input_shape, parts, drawn_weights=any(part.matrix is not None for part in parts)),
        title="Network",
        name="drawing",
    )


def network_document(network: Network, input_shape: SampleShape | None = None) -> Document:
    """The network drawn, then a row a layer: its output, its activation, its weights and biases."""
    columns = (
        Column("layer", heading=True),
        Column("output", align="right"),
        Column("activation"),
        Column("weights and biases", align="right"),
    )
    table = Table(columns, tuple(_rows(network, input_shape)), name="network")
    return Document("Network", (replace(drawing(network, input_shape), title=""), table), name="layers")


def _rows(network: Network, input_shape: SampleShape | None) -> Iterator[Row]:
    shape = input_shape
    for name, layer in zip(network.names, network.layers, strict=True):
        before, shape = shape, _after(layer, shape)
        numbers = Number(_numbers(layer, before), COUNT) if before else "depends on the inputs"
        yield Row((name, _spelled(shape), layer.ends_in or "", numbers))


def _numbers(layer: Layer, before: SampleShape) -> int:
    """Weights and biases of a layer that reads samples of that shape."""
    return sum(math.prod(each.shape) for each in layer.parameters(before))


def _parts(network: Network, input_shape: SampleShape | None, weights: Weights) -> list[_Part]:
    """Inputs and layers; what has no units of its own is said under the stage before it."""
    shape = input_shape
    parts = [_Part("inputs", math.prod(shape), _spelled(shape)) if shape else _Part("inputs", 0, "any")]
    for name, layer in zip(network.names, network.layers, strict=True):
        before, shape = shape, _after(layer, shape)
        if isinstance(layer, Flatten):
            continue
        if isinstance(layer, ActivationLayer):
            parts[-1] = replace(parts[-1], remark=f"{parts[-1].remark}\n{layer.kind}")
            continue
        units, flat = (math.prod(shape), len(shape) == 1) if shape else (0, False)
        full = any(each.shape == (parts[-1].units, units) for each in layer.parameters(before)) if before else False
        activation = "" if layer.ends_in in (None, "linear") else f" {layer.ends_in}"
        numbers = _numbers(layer, before) if before else 0
        remark = f"{_spelled(shape)}{activation}" + (f"\n{format_number(numbers, COUNT)}" if numbers else "")
        parts.append(_Part(name, units, remark, _matrix(weights, name, parts[-1].units, units), flat, full))
    return parts


def _after(layer: Layer, shape: SampleShape | None) -> SampleShape | None:
    if isinstance(layer, Dense):
        return (layer.units,) if shape is None else layer.output_shape(shape)
    return None if shape is None else layer.output_shape(shape)


def _spelled(shape: SampleShape | None) -> str:
    return " × ".join(format_number(size, COUNT) for size in shape) if shape else "?"


def _matrix(weights: Weights, layer: str, before: int, units: int) -> npt.NDArray[Any] | None:
    found = weights.get(f"{layer}.W")
    return found if found is not None and found.shape == (before, units) else None


def _shown(part: _Part, after: _Part | None) -> tuple[int, ...]:
    """The units that are drawn: all, or those with the largest weights to the next layer, or from the one before."""
    if not part.flat or not part.units:
        return ()
    if part.units <= MOST_UNITS:
        return tuple(range(part.units))
    size = np.zeros(part.units)
    if after is not None and after.matrix is not None:
        size = np.linalg.norm(after.matrix.astype(np.float64), axis=1)
    elif part.matrix is not None:
        size = np.linalg.norm(part.matrix.astype(np.float64), axis=0)
    loudest = np.argsort(-size, kind="stable")[: MOST_UNITS - 1]
    return tuple(sorted(int(unit) for unit in loudest))


def _labeled(stage: Stage, names: Sequence[str]) -> Stage:
    return replace(stage, labels=tuple(names[unit] for unit in stage.shown)) if len(names) == stage.units else stage


def _links(part: _Part, before: Sequence[int], here: Sequence[int]) -> tuple[Link, ...]:
    """Of a layer whose units read every unit before: with their weights, where these are known."""
    if part.matrix is not None:
        return tuple(Link(i, o, float(part.matrix[i, o])) for i in before for o in here)
    return tuple(Link(i, o) for i in before for o in here) if part.full else ()


def _shortened(stages: list[Stage], links: list[tuple[Link, ...]]) -> tuple[list[Stage], list[tuple[Link, ...]]]:
    """The first and the last stages, and how many are between, where there are too many to stand side by side."""
    left_out = len(stages) - (MOST_STAGES - 1)
    if left_out <= 1:
        return stages, links
    first, last = MOST_STAGES // 2, MOST_STAGES // 2 - 1
    between = Stage("…", f"{left_out} layers", 0)
    return [*stages[:first], between, *stages[-last:]], [*links[: first - 1], (), (), *links[1 - last :]]


def _sentence(network: Network, input_shape: SampleShape | None, parts: Sequence[_Part], *, drawn_weights: bool) -> str:
    units = [format_number(part.units, COUNT) for part in parts[1:]]
    listed = units[0] if len(units) == 1 else f"{', '.join(units[:-1])} and {units[-1]}"
    layers = "one layer" if len(units) == 1 else f"{len(units)} layers"
    first = f"{format_number(parts[0].units, COUNT)} {'input' if parts[0].units == 1 else 'inputs'}"
    said = f"From {first if input_shape else 'the inputs'} through {layers} of {listed} "
    said += "unit" if units == ["1"] else "units"
    if input_shape:
        count = network.parameter_count(input_shape)
        said += f", {format_number(count, COUNT)} {'number' if count == 1 else 'weights and biases'} in all"
    said += "; under each layer its units, its activation, its weights and biases."
    if drawn_weights:
        said += " A line is as wide as its weight is large, within its layer; dashed is negative."
        if any(part.flat and part.units > MOST_UNITS for part in parts):
            said += f" Of a layer with more than {MOST_UNITS} units, those with the largest weights are drawn."
    return said
