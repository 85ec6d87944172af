"""What a network has of loss and gradient at given weights, found by taking one real step with all rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

import chainrule as cr

Values: TypeAlias = npt.NDArray[Any]

BRIGHTEST: Final = 16.0  # a pixel of the digits is a count from 0 to 16


@dataclass(frozen=True, eq=False, slots=True)
class Probe:
    """The mean loss over all rows at some weights, and its gradient there.

    Attributes:
        loss: before the step.
        weights: by name, before the step.
        gradients: ∂L/∂w by the parameter's name: what a step of SGD with the rate 1 took away.
        run: the one step, to ask more of.
    """

    loss: float
    weights: dict[str, Values]
    gradients: dict[str, Values]
    run: cr.Run

    def size(self, name: str) -> float:
        """The Euclidean norm of a parameter's gradient."""
        return float(np.linalg.norm(self.gradients[name]))


def probe(
    layers: Sequence[Any],  # Any: of whatever kind a layer is
    data: cr.Dataset,
    seed: int,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    loss: str = "auto",
    scale_features: Any = "auto",  # Any: the names that cr.train takes
) -> Probe:
    """Take one step from the given weights, or those that the seed draws, in float64.

    Args:
        layers: of the network.
        data: all rows of it are one batch.
        seed: of the weights that are not given.
        weights: by name.
        loss: as `cr.train` takes it.
        scale_features: as `cr.train` takes it; targets stay as they are.
    """
    run = cr.train(
        layers, data, loss=loss, optimizer=cr.SGD(1.0), batch_size=data.row_count, epochs=1, seed=seed, shuffle=False,
        weights=weights, dtype="float64", scale_features=scale_features, scale_targets="none", test_fraction=0.0,
        runs=None,
    )  # fmt: skip
    before, after = run.at(0).weights, run.weights
    return Probe(run.history["loss"][0], before, {name: before[name] - after[name] for name in before}, run)


def pixels(count: int | None = None) -> cr.Dataset:
    """The built-in digits, or the first of them, each pixel from 0 to 1: to be taken as they are, without scaling."""
    digits = cr.load("digits")
    return cr.load((digits.x[:count] / BRIGHTEST, digits.y[:count]))
