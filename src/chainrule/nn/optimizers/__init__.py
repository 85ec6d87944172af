"""Optimizers: how a gradient moves a parameter, one file a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from chainrule.errors import UnknownAttributeError
from chainrule.nn.optimizers.adam import Adam
from chainrule.nn.optimizers.sgd import SGD

Optimizer: TypeAlias = SGD | Adam

OPTIMIZERS: Final[dict[str, Optimizer]] = {
    "sgd": SGD(),
    "momentum": SGD(momentum=0.9),
    "nesterov": SGD(momentum=0.9, nesterov=True),
    "adam": Adam(),
}

__all__ = ["OPTIMIZERS", "SGD", "Adam", "Optimizer"]


if not TYPE_CHECKING:  # so that a type checker still sees a misspelled name

    def __getattr__(name: str) -> object:
        """A name that does not exist.

        Raises: UnknownAttributeError for any other, with the nearest that does exist.
        """
        raise UnknownAttributeError("chainrule.optimizers", name, ("Adam", "SGD"))
