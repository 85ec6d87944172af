"""What of a network is derived: all of it, one layer, one unit or one weight, by the name a person writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from chainrule.errors import ShapeError, UnknownNameError
from chainrule.explain.subject import MOST_ECHOED, Subject, parse_weight, show_weight

Depth: TypeAlias = Literal["scalar", "layer", "matrix"]
DEPTHS: Final[tuple[Depth, ...]] = ("scalar", "layer", "matrix")
Weight: TypeAlias = tuple[str, tuple[int, ...]]  # a parameter's name, and a position in it

_UNIT: Final = re.compile(r"\s*(?P<layer>[^\[\]]+?)\s*\[\s*(?P<unit>[0-9]{1,18})\s*\]\s*")


class Scope(msgspec.Struct, frozen=True):
    """What is derived.

    Attributes:
        layers: the layers meant, in order.
        parameters: those whose gradients are derived.
        unit: the one unit of the one layer that is meant; None for all.
        weight: the one weight that is meant; None for all.
    """

    layers: tuple[str, ...]
    parameters: tuple[str, ...]
    unit: int | None = None
    weight: Weight | None = None

    @property
    def name(self) -> str:
        """As a person writes it; "network" for all of it."""
        if self.weight is not None:
            return show_weight(*self.weight)
        if len(self.layers) != 1:
            return "network"
        return self.layers[0] if self.unit is None else f"{self.layers[0]}[{self.unit}]"

    @property
    def kind(self) -> str:
        """In a word: "network", "layer", "unit" or "weight"."""
        if self.weight is not None:
            return "weight"
        return "network" if self.name == "network" else "layer" if self.unit is None else "unit"


def layers_of(subject: Subject) -> list[str]:
    """The names of the layers, in order."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in subject.values))


def whole_network(subject: Subject) -> Scope:
    """Every layer."""
    return Scope(tuple(layers_of(subject)), tuple(subject.parameters))


def one_layer(text: str, subject: Subject) -> Scope:
    """A layer by its name, "dense_2".

    Raises: UnknownNameError naming those that exist; ShapeError for a unit of a layer, "dense_2[3]".
    """
    name, unit = text.strip(), _UNIT.fullmatch(text)
    if unit and unit["layer"] in layers_of(subject):
        raise ShapeError(
            f"'{name[:MOST_ECHOED]}' names a unit, not a layer: explain it as one (--unit '{name[:MOST_ECHOED]}'), "
            f"or the whole layer, {unit['layer']}"
        )
    if name not in layers_of(subject):
        raise UnknownNameError("layer", name[:MOST_ECHOED], layers_of(subject))
    return Scope((name,), _parameters([name], subject))


def one_unit(text: str, subject: Subject) -> Scope:
    """A unit written "dense_2[3]".

    Raises: UnknownNameError for a layer that does not exist; ShapeError for a unit outside it.
    """
    match = _UNIT.fullmatch(text)
    layer = one_layer(match["layer"] if match else text.partition("[")[0], subject)
    name = layer.layers[0]
    if match is None:
        raise ShapeError(f"'{text[:MOST_ECHOED]}' does not name one unit: write {name}[0]")
    width = units_of(name, subject)
    if int(match["unit"]) >= width:
        raise ShapeError(f"'{text.strip()}' lies outside {name}, which has units 0 to {width - 1}")
    return Scope(layer.layers, layer.parameters, int(match["unit"]))


def one_weight(text: str, subject: Subject) -> Scope:
    """A weight written "dense_2.W[3, 7]".

    Raises: UnknownNameError for a parameter that does not exist; ShapeError for a position outside it.
    """
    parameter, index = parse_weight(text, subject.parameters)
    return Scope((parameter.rpartition(".")[0],), (parameter,), index[-1], (parameter, index))


def units_of(layer: str, subject: Subject) -> int:
    """How many units a layer has."""
    own = [node for name, node in subject.values.items() if name.rpartition(".")[0] == layer]
    width = own[-1].tensor.shape[-1]
    assert isinstance(width, int)  # a layer's width is a number
    return width


def _parameters(layers: Sequence[str], subject: Subject) -> tuple[str, ...]:
    return tuple(name for name in subject.parameters if name.rpartition(".")[0] in layers)
