"""One case as a system sees it: plain arrays and numbers, written to a folder for the process that trains on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.bench.workloads import Hidden, Last, OptimizerName, Storage

Array: TypeAlias = npt.NDArray[Any]  # each attribute says its dtype

NUMBERS, SAMPLES, TARGETS, ORDER = "task.json", "x.npy", "y.npy", "order.npy"
CHECKED: Final = 100  # steps whose losses are compared


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of a task.

    Attributes:
        workload: its name.
        optimizer: sgd, or adam with m̂ / (√v̂ + ε).
        storage: dtype of x.
        sizes: inputs, hidden units, outputs.
        hidden: activation of the hidden layers: relu, sigmoid or tanh.
        last: what the output passes: softmax, sigmoid or linear.
        loss: cross_entropy, or mse: the mean over rows and outputs.
        batch: rows a step.
        is_full: whether a step takes all rows as they lie.
        divisor: of x as stored, before the first layer.
        learning_rate: η.
        beta_1: of Adam.
        beta_2: of Adam.
        epsilon: of Adam.
        horizon: steps after which training begins anew.
        cores: processor cores the system may use.
    """

    workload: str
    optimizer: OptimizerName
    storage: Storage
    sizes: tuple[int, ...]
    hidden: Hidden
    last: Last
    loss: Literal["cross_entropy", "mse"]
    batch: int
    is_full: bool
    divisor: float
    learning_rate: float
    beta_1: float
    beta_2: float
    epsilon: float
    horizon: int
    cores: int


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """A recipe with its arrays; every system gets the same.

    Attributes:
        recipe: the numbers.
        x: (n, i), of the recipe's storage.
        y: labels, int32 (n,); or targets, float32 (n, k).
        order: rows of all steps up to the horizon one after the other, int64 (horizon · batch,); of a full batch,
            those of one step.
        weights: for each layer W (i, o) and b (o,), float32.
    """

    recipe: Recipe
    x: Array
    y: Array
    order: npt.NDArray[np.int64]
    weights: tuple[tuple[Array, Array], ...]

    def rows(self, first: int, steps: int = 1) -> npt.NDArray[np.int64]:
        """The rows of these steps one after the other."""
        if self.recipe.is_full:
            return np.tile(self.order, steps)
        return self.order[first * self.recipe.batch : (first + steps) * self.recipe.batch]

    def copied(self) -> list[Array]:
        """W and b of every layer in turn, fresh."""
        return [array.copy() for layer in self.weights for array in layer]


def write_task(folder: Path, task: Task) -> None:
    """Write a task into an existing folder."""
    for name, array in _arrays(task).items():
        np.save(folder / name, array)
    (folder / NUMBERS).write_bytes(msgspec.json.encode(task.recipe))


def read_task(folder: Path) -> Task:
    """The task in a folder."""
    recipe = msgspec.json.decode((folder / NUMBERS).read_bytes(), type=Recipe)
    layers = range(len(recipe.sizes) - 1)
    return Task(
        recipe=recipe,
        x=_load(folder, SAMPLES),
        y=_load(folder, TARGETS),
        order=_load(folder, ORDER),
        weights=tuple((_load(folder, f"W{layer}.npy"), _load(folder, f"b{layer}.npy")) for layer in layers),
    )


def _arrays(task: Task) -> dict[str, Array]:
    weights = {
        f"{name}{k}.npy": array for k, pair in enumerate(task.weights) for name, array in zip("Wb", pair, strict=True)
    }
    return {SAMPLES: task.x, TARGETS: task.y, ORDER: task.order, **weights}


def _load(folder: Path, name: str) -> Array:
    return np.load(folder / name, allow_pickle=False)
