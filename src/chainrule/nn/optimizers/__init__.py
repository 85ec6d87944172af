"""Optimizers: how a gradient moves a parameter, one file a kind."""

from __future__ import annotations

from typing import Final, TypeAlias

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
