"""NumPy by hand: the network as one would write it in a lesson, and with every array made once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.bench.peers.contract import Training, Variant
from chainrule.bench.task import Recipe, Task

Array = npt.NDArray[Any]  # float32 but for rows and labels


class Lesson:
    """Plain expressions, a new array for each of them."""

    def __init__(self, task: Task) -> None:
        self._task, self._recipe = task, task.recipe
        self.restart()

    def restart(self) -> None:
        """Weights and moments as at first."""
        self._weights = self._task.copied()
        self._m = [np.zeros_like(w) for w in self._weights]
        self._v = [np.zeros_like(w) for w in self._weights]

    def run(self, first: int, steps: int) -> list[float]:
        """Step by step."""
        return [self._step(step) for step in range(first, first + steps)]

    def losses(self, done: Sequence[float]) -> Sequence[float]:
        """They are kept as numbers."""
        return done

    def _step(self, step: int) -> float:
        x, y = self._batch(step)
        activations = [x]
        for layer in range(0, len(self._weights), 2):
            z = activations[-1] @ self._weights[layer] + self._weights[layer + 1]
            is_last = layer + 2 == len(self._weights)
            activations.append(_activated(self._recipe.last if is_last else self._recipe.hidden, z))
        loss, delta = _loss_and_delta(self._recipe, activations[-1], y)
        gradients: list[Array] = []
        for layer in range(len(self._weights) - 2, -1, -2):
            a = activations[layer // 2]
            gradients[:0] = [a.T @ delta, delta.sum(axis=0)]
            if layer:
                delta = (delta @ self._weights[layer].T) * _slope(self._recipe.hidden, a)
        self._update(gradients, step)
        return loss

    def _batch(self, step: int) -> tuple[Array, Array]:
        if self._recipe.is_full:
            return self._task.x, self._task.y
        rows = self._task.rows(step)
        x = self._task.x[rows]
        return x.astype(np.float32) / np.float32(self._recipe.divisor), self._task.y[rows]

    def _update(self, gradients: list[Array], step: int) -> None:
        recipe = self._recipe
        for k, g in enumerate(gradients):
            if recipe.optimizer == "sgd":
                self._weights[k] = self._weights[k] - recipe.learning_rate * g
                continue
            self._m[k] = recipe.beta_1 * self._m[k] + (1 - recipe.beta_1) * g
            self._v[k] = recipe.beta_2 * self._v[k] + (1 - recipe.beta_2) * g**2
            m_hat = self._m[k] / (1 - recipe.beta_1 ** (step + 1))
            v_hat = self._v[k] / (1 - recipe.beta_2 ** (step + 1))
            self._weights[k] = self._weights[k] - recipe.learning_rate * m_hat / (np.sqrt(v_hat) + recipe.epsilon)


def _activated(name: str, z: Array) -> Array:
    if name == "relu":
        return np.maximum(z, 0)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-z))
    if name == "tanh":
        return np.tanh(z)
    if name == "softmax":
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)
    return z


def _slope(name: str, a: Array) -> Array:
    """The derivative of an activation, from its value."""
    if name == "relu":
        return a > 0
    return a * (1 - a) if name == "sigmoid" else 1 - a * a


def _loss_and_delta(recipe: Recipe, y_hat: Array, y: Array) -> tuple[float, Array]:
    """The mean loss and its gradient before the last activation."""
    if recipe.loss == "cross_entropy":
        places = np.arange(len(y))
        delta = y_hat.copy()
        delta[places, y] -= 1
        return -float(np.log(y_hat[places, y]).mean()), delta / np.float32(len(y))
    difference = y_hat - y
    delta = difference * np.float32(2 / difference.size)
    return float((difference**2).mean()), delta * _slope("sigmoid", y_hat) if recipe.last == "sigmoid" else delta


class Buffers:
    """The same arithmetic into arrays made once; all parameters lie in one array, which Adam passes over once."""

    def __init__(self, task: Task) -> None:
        self._task, self._recipe = task, task.recipe
        batch, sizes = task.recipe.batch, task.recipe.sizes
        self._flat, self._weights = _in_one(task.copied())
        self._gradient, self._gradients = _in_one([np.zeros_like(w) for w in self._weights])
        self._m, self._v, self._s, self._t = (np.zeros_like(self._flat) for _ in range(4))
        self._raw = np.empty((batch, sizes[0]), task.x.dtype)
        self._values = [np.empty((batch, size), np.float32) for size in sizes]
        self._deltas = [np.empty((batch, size), np.float32) for size in sizes]
        self._slopes = [np.empty((batch, size), np.float32) for size in sizes]
        self._ones = np.ones(batch, np.float32)
        self._places = np.arange(batch)
        self.restart()
        if task.recipe.is_full:
            self._values[0] = task.x

    def restart(self) -> None:
        """Weights and moments as at first."""
        for mine, given in zip(self._weights, self._task.copied(), strict=True):
            mine[:] = given
        self._m[:] = 0
        self._v[:] = 0

    def run(self, first: int, steps: int) -> list[float]:
        """Step by step."""
        return [self._step(step) for step in range(first, first + steps)]

    def losses(self, done: Sequence[float]) -> Sequence[float]:
        """They are kept as numbers."""
        return done

    def _step(self, step: int) -> float:
        y = self._gather(step)
        last = len(self._values) - 2
        for k in range(last + 1):
            out = self._values[k + 1]
            np.dot(self._values[k], self._weights[2 * k], out=out)
            out += self._weights[2 * k + 1]
            _activate(self._recipe.last if k == last else self._recipe.hidden, out)
        loss = self._lose(y)
        for k in range(last, -1, -1):
            delta = self._deltas[k + 1]
            np.dot(self._values[k].T, delta, out=self._gradients[2 * k])
            np.dot(self._ones, delta, out=self._gradients[2 * k + 1])
            if k:
                np.dot(delta, self._weights[2 * k].T, out=self._deltas[k])
                self._multiply_by_slope(self._recipe.hidden, k)
        self._update(step)
        return loss

    def _gather(self, step: int) -> Array:
        if self._recipe.is_full:
            return self._task.y
        rows = self._task.rows(step)
        if self._recipe.divisor == 1:
            np.take(self._task.x, rows, axis=0, out=self._values[0], mode="clip")
        else:
            np.take(self._task.x, rows, axis=0, out=self._raw, mode="clip")
            np.multiply(self._raw, np.float32(1 / self._recipe.divisor), out=self._values[0])
        return self._task.y[rows]

    def _lose(self, y: Array) -> float:
        y_hat, delta = self._values[-1], self._deltas[-1]
        if self._recipe.loss == "cross_entropy":
            loss = -float(np.log(y_hat[self._places, y]).sum()) / len(y)
            y_hat[self._places, y] -= 1
            np.multiply(y_hat, np.float32(1 / len(y)), out=delta)
            return loss
        np.subtract(y_hat, y, out=delta)
        loss = float(np.vdot(delta, delta)) / delta.size
        delta *= np.float32(2 / delta.size)
        if self._recipe.last == "sigmoid":
            self._multiply_by_slope("sigmoid", -1)
        return loss

    def _multiply_by_slope(self, name: str, k: int) -> None:
        """The gradient times the activation's derivative, which its value tells."""
        a, delta, slope = self._values[k], self._deltas[k], self._slopes[k]
        if name == "relu":
            delta *= a > 0
            return
        np.multiply(a, a, out=slope)
        if name == "sigmoid":
            np.subtract(a, slope, out=slope)
        else:
            np.subtract(1, slope, out=slope)
        delta *= slope

    def _update(self, step: int) -> None:
        recipe, g, s, t = self._recipe, self._gradient, self._s, self._t
        if recipe.optimizer == "sgd":
            g *= np.float32(recipe.learning_rate)
            self._flat -= g
            return
        np.multiply(g, np.float32(1 - recipe.beta_1), out=s)
        self._m *= np.float32(recipe.beta_1)
        self._m += s
        np.multiply(g, g, out=s)
        s *= np.float32(1 - recipe.beta_2)
        self._v *= np.float32(recipe.beta_2)
        self._v += s
        np.sqrt(self._v, out=s)
        s *= np.float32((1 - recipe.beta_2 ** (step + 1)) ** -0.5)
        s += np.float32(recipe.epsilon)
        np.divide(self._m, s, out=t)
        t *= np.float32(recipe.learning_rate / (1 - recipe.beta_1 ** (step + 1)))
        self._flat -= t


def _in_one(arrays: list[Array]) -> tuple[Array, list[Array]]:
    """All arrays in one, and views of it in their shapes."""
    flat = np.concatenate([array.ravel() for array in arrays])
    ends = np.cumsum([array.size for array in arrays])
    return flat, [flat[end - a.size : end].reshape(a.shape) for a, end in zip(arrays, ends, strict=True)]


def _activate(name: str, z: Array) -> None:
    """The activation in place."""
    if name == "relu":
        np.maximum(z, 0, out=z)
    elif name == "tanh":
        np.tanh(z, out=z)
    elif name == "sigmoid":
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        np.reciprocal(z, out=z)
    elif name == "softmax":
        z -= z.max(axis=1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=1, keepdims=True)


def _lesson(task: Task) -> Training:
    return Lesson(task)


def _buffers(task: Task) -> Training:
    return Buffers(task)


VARIANTS: Final = (
    Variant("expressions", "documented", _lesson),
    Variant("arrays made once", "best", _buffers),
)
