"""Sums over the batches of an epoch, added strictly one after the other.

However an epoch is cut into slices, and wherever it was interrupted, the sum is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


class Tally(msgspec.Struct, frozen=True):
    """Running sums: of the weights of the samples seen, and of each measurement times the weight of its batch.

    Attributes:
        weight: Σ of the batches' weights; without sample weights, the number of samples.
        sums: Σ weight · measurement, by the measurement's name.
    """

    weight: float = 0.0
    sums: Mapping[str, float] = msgspec.field(default_factory=dict[str, float])

    def add_means(self, means: Mapping[str, Array], weights: Array) -> Tally:
        """The tally after some more batches, of which the weighted means are known, (steps,) each."""
        wide = weights.astype(np.float64)
        terms = {name: values.astype(np.float64) * wide for name, values in means.items()}
        return self.add_sums(terms, wide)

    def add_sums(self, terms: Mapping[str, Array], weights: Array) -> Tally:
        """The tally after some more batches, of which the weighted sums are known, (steps,) each."""
        sums = {name: _fold(self.sums.get(name, 0.0), values) for name, values in terms.items()}
        return Tally(_fold(self.weight, weights), sums)

    def means(self) -> dict[str, float]:
        """Each measurement's weighted mean over the samples seen; NaN where all weights were 0."""
        return {name: total / self.weight if self.weight else float("nan") for name, total in self.sums.items()}


def _fold(start: float, values: Array) -> float:
    """((start + v0) + v1) + …, in float64: `cumsum` adds in order, where `sum` would add in pairs."""
    return float(np.cumsum(np.concatenate(([start], values.astype(np.float64))))[-1])
