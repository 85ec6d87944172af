"""Layers: what a network is made of, one file a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from chainrule.errors import UnknownAttributeError
from chainrule.nn.layers.activation import ActivationLayer
from chainrule.nn.layers.dense import Dense
from chainrule.nn.layers.flatten import Flatten
from chainrule.nn.layers.parameter import Parameter, Record, Role

Layer: TypeAlias = Dense | ActivationLayer | Flatten

LAYERS: Final[dict[str, type[Layer]]] = {"dense": Dense, "activation": ActivationLayer, "flatten": Flatten}

__all__ = ["LAYERS", "ActivationLayer", "Dense", "Flatten", "Layer", "Parameter", "Record", "Role"]


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> object:
        """A name that does not exist.

        Raises: UnknownAttributeError for any other, with the nearest that does exist.
        """
        raise UnknownAttributeError("chainrule.layers", name, ("ActivationLayer", "Dense", "Flatten"))
