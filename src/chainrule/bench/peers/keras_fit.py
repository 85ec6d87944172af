"""Keras on JAX: `fit` on rows in the given order, as documented, and with many steps in one execution."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from chainrule.bench.peers.contract import LONG_WINDOW, Training, Variant, library
from chainrule.bench.task import Recipe, Task

TOGETHER: Final = 64  # steps in one execution, of the best effort; more gained nothing


class Fit:
    """A run is one call of `fit` on the rows of its steps."""

    def __init__(self, task: Task, *, together: int) -> None:
        os.environ.setdefault("KERAS_BACKEND", "jax")
        self._keras = library("keras")
        self._task, self._together = task, together
        self.restart()

    def restart(self) -> None:
        """The same compiled model where there is one, with the task's weights and an optimizer at its beginning."""
        if not hasattr(self, "_model"):
            self._model = _model(self._keras, self._task)
            self._model.compile(
                optimizer=_optimizer(self._keras, self._task.recipe),
                loss=_loss(self._keras, self._task.recipe),
                steps_per_execution=self._together,
            )
        self._model.set_weights(self._task.copied())
        for variable in self._model.optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def run(self, first: int, steps: int) -> Any:
        """One epoch of so many batches, in the given order."""
        x, y, batch = self._task.x, self._task.y, self._task.recipe.batch
        if self._task.recipe.is_full:
            return self._model.fit(x, y, batch_size=batch, epochs=steps, shuffle=False, verbose=0)
        rows = self._task.rows(first, steps)
        return self._model.fit(x[rows], y[rows], batch_size=batch, epochs=1, shuffle=False, verbose=0)

    def losses(self, done: Any) -> Sequence[float]:
        """The mean of each epoch."""
        return [float(loss) for loss in done.history["loss"]]


def _model(keras: Any, task: Task) -> Any:
    recipe = task.recipe
    layers: list[Any] = [keras.Input((recipe.sizes[0],), dtype=recipe.storage)]
    if recipe.divisor != 1:
        layers.append(keras.layers.Rescaling(1 / recipe.divisor))
    layers += [keras.layers.Dense(units, activation=recipe.hidden) for units in recipe.sizes[1:-1]]
    last = "linear" if recipe.last == "softmax" else recipe.last
    return keras.Sequential([*layers, keras.layers.Dense(recipe.sizes[-1], activation=last)])


def _loss(keras: Any, recipe: Recipe) -> Any:
    if recipe.loss == "cross_entropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.losses.MeanSquaredError()


def _optimizer(keras: Any, recipe: Recipe) -> Any:
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(recipe.learning_rate)
    return _plain_adam(keras)(recipe.learning_rate, recipe.beta_1, recipe.beta_2, recipe.epsilon)


def _plain_adam(keras: Any) -> Any:
    """Keras's Adam with ε added after the correction, as algorithm 1 of the paper has it: the same for every system."""
    ops = keras.ops

    class PlainAdam(keras.optimizers.Adam):
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            t = ops.cast(self.iterations + 1, variable.dtype)
            place = self._get_variable_index(variable)
            m, v = self._momentums[place], self._velocities[place]
            self.assign_add(m, (gradient - m) * (1 - self.beta_1))
            self.assign_add(v, (ops.square(gradient) - v) * (1 - self.beta_2))
            m_hat = m / (1 - ops.power(ops.cast(self.beta_1, variable.dtype), t))
            v_hat = v / -ops.expm1(t * ops.log(ops.cast(self.beta_2, variable.dtype)))
            rate = ops.cast(learning_rate, variable.dtype)
            self.assign_sub(variable, rate * m_hat / (ops.sqrt(v_hat) + self.epsilon))

    return PlainAdam


def _documented(task: Task) -> Training:
    return Fit(task, together=1)


def _together(task: Task) -> Training:
    return Fit(task, together=TOGETHER)


def _refuses_full(task: Task) -> str:
    return "an epoch is one step, so that no steps can be put together" if task.recipe.is_full else ""


VARIANTS: Final = (
    Variant("fit", "documented", _documented, window=LONG_WINDOW, is_blind=True),
    Variant(
        f"fit, {TOGETHER} steps per execution",
        "best",
        _together,
        _refuses_full,
        window=LONG_WINDOW,
        is_blind=True,
    ),
)
