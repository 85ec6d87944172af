"""scikit-learn's multilayer perceptron: `partial_fit` on rows in the given order."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from chainrule.bench.peers.contract import LONG_WINDOW, Training, Variant, library
from chainrule.bench.task import Task

OPTIMIZER: Final = "_optimizer"  # where partial_fit keeps what moves its weights


class Perceptron:
    """A run is one call of `partial_fit`, which cuts its rows into batches."""

    def __init__(self, task: Task, *, single: bool) -> None:
        self._task, self._single = task, single
        self._classes = np.arange(task.recipe.sizes[-1])
        self.restart()

    def restart(self) -> None:
        """A new model, shown one batch so that it has weights, which the task's then replace."""
        recipe = self._task.recipe
        network = library("sklearn.neural_network")
        kind = network.MLPClassifier if recipe.loss == "cross_entropy" else network.MLPRegressor
        self._model = kind(
            hidden_layer_sizes=recipe.sizes[1:-1],
            activation={"sigmoid": "logistic"}.get(recipe.hidden, recipe.hidden),
            solver=recipe.optimizer,
            alpha=0.0,
            batch_size=recipe.batch,
            learning_rate_init=recipe.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            beta_1=recipe.beta_1,
            beta_2=recipe.beta_2,
            epsilon=recipe.epsilon,
            shuffle=False,
            random_state=0,
        )
        self._fit(self._task.rows(0))
        self._model.coefs_ = [w.astype(self._dtype()) for w, _ in self._task.weights]
        self._model.intercepts_ = [b.astype(self._dtype()) for _, b in self._task.weights]
        parameters = self._model.coefs_ + self._model.intercepts_
        optimizers = library("sklearn.neural_network._stochastic_optimizers")
        if recipe.optimizer == "sgd":
            mover = optimizers.SGDOptimizer(parameters, recipe.learning_rate, momentum=0.0)
        else:
            mover = _plain_adam(optimizers, self._task)(
                parameters, recipe.learning_rate, recipe.beta_1, recipe.beta_2, recipe.epsilon
            )

        setattr(self._model, OPTIMIZER, mover)

    def run(self, first: int, steps: int) -> list[float]:
        """One call; of a full batch, a call a step."""
        if self._task.recipe.is_full:
            return [self._fit(self._task.order) for _ in range(steps)]
        return [self._fit(self._task.rows(first, steps))]

    def losses(self, done: list[float]) -> Sequence[float]:
        """The mean of each call."""
        return done

    def _dtype(self) -> Any:
        return np.float32 if self._single else np.float64

    def _fit(self, rows: Any) -> float:
        x = self._task.x if self._task.recipe.is_full else self._task.x[rows]
        y = self._task.y if self._task.recipe.is_full else self._task.y[rows]
        x = x.astype(self._dtype()) / self._dtype()(self._task.recipe.divisor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self._task.recipe.loss == "cross_entropy":
                self._model.partial_fit(x, y, classes=self._classes)
                return float(self._model.loss_)
            self._model.partial_fit(x, y)
        return 2 * float(self._model.loss_)  # it halves squared errors


def _plain_adam(optimizers: Any, task: Task) -> Any:
    """scikit-learn's Adam with ε added after the correction, as for every system.

    It halves squared errors, and so the gradient: with half of ε the steps are those of the whole one.
    """
    share = 1.0 if task.recipe.loss == "cross_entropy" else 0.5

    class PlainAdam(optimizers.AdamOptimizer):
        def _get_updates(self: Any, grads: list[Any]) -> list[Any]:
            self.t += 1
            self.ms = [self.beta_1 * m + (1 - self.beta_1) * g for m, g in zip(self.ms, grads, strict=True)]
            self.vs = [self.beta_2 * v + (1 - self.beta_2) * g**2 for v, g in zip(self.vs, grads, strict=True)]
            rate = self.learning_rate_init / (1 - self.beta_1**self.t)
            root = (1 - self.beta_2**self.t) ** -0.5
            pairs = zip(self.ms, self.vs, strict=True)
            return [-rate * m / (np.sqrt(v) * root + share * self.epsilon) for m, v in pairs]

    return PlainAdam


def _refuses(task: Task) -> str:
    if task.recipe.loss == "mse" and task.recipe.last != "linear":
        return "scikit-learn has no squared error behind a sigmoid"
    return ""


def _double(task: Task) -> Training:
    return Perceptron(task, single=False)


def _single(task: Task) -> Training:
    return Perceptron(task, single=True)


VARIANTS: Final = (
    Variant("partial_fit, float64", "documented", _double, _refuses, window=LONG_WINDOW, is_blind=True),
    Variant("partial_fit, float32", "best", _single, _refuses, window=LONG_WINDOW, is_blind=True),
)
