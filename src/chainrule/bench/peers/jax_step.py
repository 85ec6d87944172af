"""JAX with one compiled step: called from a Python loop with each batch, and with everything kept on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from chainrule.bench.peers.contract import Training, Variant, library
from chainrule.bench.peers.jax_networks import Tree, documented_step, fresh, handwritten_step
from chainrule.bench.task import Task


class Batches:
    """Batches are cut by NumPy and handed to the compiled step, as optax's documentation has it."""

    def __init__(self, task: Task) -> None:
        self._jax = library("jax")
        self._task = task
        self._first, step = documented_step(task)
        self._step = self._jax.jit(step)
        self._whole = (library("jax.numpy").asarray(task.x), library("jax.numpy").asarray(task.y))
        self.restart()

    def restart(self) -> None:
        """Nothing consumed what training begins with."""
        self._carry: Tree = self._first

    def run(self, first: int, steps: int) -> list[Any]:
        """A call a step; the losses stay where they are until all is done."""
        losses: list[Any] = []
        for step in range(first, first + steps):
            x, y = self._batch(step)
            self._carry, loss = self._step(self._carry, x, y)
            losses.append(loss)
        self._jax.block_until_ready((self._carry, losses))
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One array each."""
        return [float(loss) for loss in done]

    def _batch(self, step: int) -> tuple[Any, Any]:
        if self._task.recipe.is_full:
            return self._whole
        rows = self._task.rows(step)
        return self._task.x[rows], self._task.y[rows]


class Resident:
    """Samples and order lie on the device; a step gathers its own rows, and gives its memory to the next."""

    def __init__(self, task: Task) -> None:
        self._jax, jnp = library("jax"), library("jax.numpy")
        self._first, step = handwritten_step(task)
        x, y, order = jnp.asarray(task.x), jnp.asarray(task.y), jnp.asarray(task.order.astype(np.int32))
        batch, is_full = task.recipe.batch, task.recipe.is_full

        def gathered(carry: Tree, x: Any, y: Any, order: Any) -> Any:
            inner, at = carry
            if not is_full:
                rows = self._jax.lax.dynamic_slice(order, (at * batch,), (batch,))
                x, y = x[rows], y[rows]
            inner, loss = step(inner, x, y)
            return (inner, at + 1), loss

        self._arrays = (x, y, order)
        self._step = self._jax.jit(gathered, donate_argnums=0)
        self.restart()

    def restart(self) -> None:
        """A fresh copy of what training begins with, as steps consume theirs."""
        self._carry = fresh((self._first, library("jax.numpy").int32(0)))

    def run(self, first: int, steps: int) -> list[Any]:
        """A call a step; where the order stands is counted on the device."""
        losses: list[Any] = []
        for _ in range(steps):
            self._carry, loss = self._step(self._carry, *self._arrays)
            losses.append(loss)
        self._jax.block_until_ready((self._carry, losses))
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One array each."""
        return [float(loss) for loss in done]


def _batches(task: Task) -> Training:
    return Batches(task)


def _resident(task: Task) -> Training:
    return Resident(task)


VARIANTS: Final = (
    Variant("jitted step with optax", "documented", _batches),
    Variant("jitted step by hand, all on the device", "best", _resident),
)
