"""tinygrad with TinyJit: a step on batches cut by NumPy, as documented, and with its kernels searched for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from chainrule.bench.peers.contract import Training, Variant, library
from chainrule.bench.task import Task

BEAM: Final = "2"  # the width of the search for good kernels


class Jitted:
    """Three calls record the step; later ones replay it."""

    def __init__(self, task: Task, *, beam: str) -> None:
        os.environ["BEAM"] = beam  # read when tinygrad is imported
        self._grad = library("tinygrad")
        self._task = task
        self._whole = self._tensors(task.x, task.y) if task.recipe.is_full else None
        self._weights = [self._grad.Tensor(array) for array in task.copied()]
        self._build()

    def restart(self) -> None:
        """Weights and moments as at first, in the same tensors, so that the recorded step stays."""
        for tensor, array in zip(self._weights, self._task.copied(), strict=True):
            tensor.assign(self._grad.Tensor(array)).realize()
        for tensor, first in self._slots:
            tensor.assign(self._grad.Tensor.full(tensor.shape, first)).realize()

    def run(self, first: int, steps: int) -> list[float]:
        """A call a step."""
        return [float(self._step(*self._batch(step)).item()) for step in range(first, first + steps)]

    def losses(self, done: list[float]) -> Sequence[float]:
        """They are kept as numbers."""
        return done

    def _build(self) -> None:
        recipe, optim = self._task.recipe, library("tinygrad.nn.optim")
        if recipe.optimizer == "sgd":
            self._optimizer = optim.SGD(self._weights, recipe.learning_rate)
            self._slots: list[tuple[Any, float]] = []
        else:
            self._optimizer = optim.Adam(
                self._weights, recipe.learning_rate, recipe.beta_1, recipe.beta_2, recipe.epsilon
            )
            powers = [(self._optimizer.b1_t, 1.0), (self._optimizer.b2_t, 1.0)]
            self._slots = [*powers, *((moment, 0.0) for moment in (*self._optimizer.m, *self._optimizer.v))]
        self._step = self._grad.TinyJit(self._train)

    def _train(self, x: Any, y: Any) -> Any:
        with self._grad.helpers.Context(TRAINING=1):
            self._optimizer.zero_grad()
            loss = self._loss(x, y).backward()
            return loss.realize(*self._optimizer.schedule_step())

    def _loss(self, x: Any, y: Any) -> Any:
        recipe = self._task.recipe
        if recipe.divisor != 1:
            x = x.cast("float32") * (1 / recipe.divisor)
        count = len(self._weights) // 2
        for k in range(count):
            x = x @ self._weights[2 * k] + self._weights[2 * k + 1]
            if k + 1 < count:
                x = getattr(x, recipe.hidden)()
        if recipe.loss == "cross_entropy":
            return x.sparse_categorical_crossentropy(y)
        y_hat = x.sigmoid() if recipe.last == "sigmoid" else x
        return ((y_hat - y) ** 2).mean()

    def _batch(self, step: int) -> tuple[Any, Any]:
        if self._whole is not None:
            return self._whole
        rows = self._task.rows(step)
        return self._tensors(self._task.x[rows], self._task.y[rows])

    def _tensors(self, x: Any, y: Any) -> tuple[Any, Any]:
        return self._grad.Tensor(x).realize(), self._grad.Tensor(y).realize()


def _documented(task: Task) -> Training:
    return Jitted(task, beam="0")


def _searched(task: Task) -> Training:
    return Jitted(task, beam=BEAM)


VARIANTS: Final = (
    Variant("TinyJit", "documented", _documented),
    Variant(f"TinyJit, BEAM={BEAM}", "best", _searched),
)
