"""JAX with many steps in one call: `lax.scan` over the batches, with optax, and by hand in several layouts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Final

import numpy as np

from chainrule.bench.peers.contract import Training, Variant, library
from chainrule.bench.peers.jax_networks import Step, Tree, documented_step, fresh, handwritten_step
from chainrule.bench.task import Task

SMALL: Final = 1_000  # multiplications a step below which unrolling is tried: the loop's own cost shows


class Scan:
    """A training whose runs are one compiled loop each, the samples and their order on the device."""

    def __init__(self, task: Task, first: Tree, step: Step, unroll: int) -> None:
        self._jax, jnp = library("jax"), library("jax.numpy")
        self._task, self._first = task, first
        self._x, self._y = jnp.asarray(task.x), jnp.asarray(task.y)
        self._order = jnp.asarray(task.order.astype(np.int32))
        self._program = self._jax.jit(
            partial(_steps, task, step, unroll), static_argnames=("count",), donate_argnames=("carry",)
        )
        self.restart()

    def restart(self) -> None:
        """A fresh copy of what training begins with, as runs consume theirs."""
        self._carry = fresh(self._first)

    def run(self, first: int, steps: int) -> Any:
        """One call."""
        self._carry, losses = self._program(self._carry, self._x, self._y, self._order, first, count=steps)
        self._jax.block_until_ready((self._carry, losses))
        return losses

    def losses(self, done: Any) -> Sequence[float]:
        """What the loop stacked."""
        return np.asarray(done, np.float64).tolist()


def _steps(task: Task, step: Step, unroll: int, carry: Tree, x: Any, y: Any, order: Any, first: Any, count: int) -> Any:
    """So many steps from `first`, as one loop."""
    jax, batch = library("jax"), task.recipe.batch
    if task.recipe.is_full:

        def whole(carry: Tree, nothing: None) -> Any:
            return step(carry, x, y)

        return jax.lax.scan(whole, carry, None, length=count, unroll=unroll)

    def gathered(carry: Tree, rows: Any) -> Any:
        return step(carry, x[rows], y[rows])

    rows = jax.lax.dynamic_slice(order, (first * batch,), (count * batch,)).reshape(count, batch)
    return jax.lax.scan(gathered, carry, rows, unroll=unroll)


def _documented(task: Task) -> Training:
    return Scan(task, *documented_step(task), unroll=1)


def _by_hand(task: Task, *, transposed: bool = False, unroll: int = 1) -> Training:
    return Scan(task, *handwritten_step(task, transposed=transposed), unroll=unroll)


def _transposed(task: Task) -> Training:
    return _by_hand(task, transposed=True)


def _unrolled(task: Task) -> Training:
    return _by_hand(task, unroll=8)


def _refuses_large(task: Task) -> str:
    sizes = task.recipe.sizes
    work = task.recipe.batch * sum(i * o for i, o in pairwise(sizes))
    return "" if work < SMALL else "the steps are so long that unrolling the loop gains nothing"


def _refuses_narrow(task: Task) -> str:
    return "" if task.recipe.sizes[0] > task.recipe.sizes[1] else "the first weight is no wider than its inputs"


VARIANTS: Final = (
    Variant("scan with optax", "documented", _documented),
    Variant("scan, backward by hand", "best", _by_hand),
    Variant("scan by hand, first weight transposed", "best", _transposed, _refuses_narrow),
    Variant("scan by hand, unrolled 8 times", "best", _unrolled, _refuses_large),
)
