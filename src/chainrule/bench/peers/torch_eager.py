"""PyTorch, operation by operation: with a DataLoader as documented, without it, and with the backward pass by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from chainrule.bench.peers.contract import Training, Variant
from chainrule.bench.peers.torch_networks import (
    Parameters,
    features,
    loss_module,
    module_of,
    optimizer_of,
    prepared_torch,
    targets_of,
)
from chainrule.bench.task import Task


class Modules:
    """Modules, automatic differentiation and an optimizer object."""

    def __init__(self, task: Task, *, with_loader: bool) -> None:
        self._torch = prepared_torch(task)
        self._task, self._with_loader = task, with_loader
        self._x, self._y = self._torch.from_numpy(task.x.copy()), targets_of(task)
        self._order = self._torch.from_numpy(task.order.copy())
        self._loss = loss_module(task.recipe)
        self.restart()

    def restart(self) -> None:
        """A new module and a new optimizer."""
        self._module = module_of(self._task)
        options = {} if self._with_loader else {"fused": True}
        self._optimizer = optimizer_of(self._task.recipe, self._module, **options)

    def run(self, first: int, steps: int) -> list[Any]:
        """The loop of every tutorial."""
        losses: list[Any] = []
        for x, y in self._batches(first, steps):
            self._optimizer.zero_grad()
            loss = self._loss(self._module(features(self._torch, self._task.recipe, x)), y)
            loss.backward()
            self._optimizer.step()
            losses.append(loss.detach())
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One tensor each."""
        return [float(loss) for loss in done]

    def _batches(self, first: int, steps: int) -> Iterator[tuple[Any, Any]]:
        batch = self._task.recipe.batch
        if self._task.recipe.is_full:
            return ((self._x, self._y) for _ in range(steps))
        if self._with_loader:
            data = self._torch.utils.data
            rows: list[int] = self._task.rows(first, steps).tolist()
            return iter(data.DataLoader(data.TensorDataset(self._x, self._y), batch_size=batch, sampler=rows))
        cuts = self._order[first * batch : (first + steps) * batch].split(batch)
        return ((self._x.index_select(0, rows), self._y.index_select(0, rows)) for rows in cuts)


class ByHand:
    """Products and sums only, in inference mode."""

    def __init__(self, task: Task) -> None:
        self._torch = prepared_torch(task)
        self._task = task
        self._x, self._y = self._torch.from_numpy(task.x.copy()), targets_of(task)
        self._order = self._torch.from_numpy(task.order.copy())
        self._parameters = Parameters(task)

    def restart(self) -> None:
        """Weights and moments as at first."""
        self._parameters.restart()

    def run(self, first: int, steps: int) -> list[Any]:
        """Step by step."""
        losses: list[Any] = []
        batch = self._task.recipe.batch
        with self._torch.inference_mode():
            for step in range(first, first + steps):
                x, y = self._x, self._y
                if not self._task.recipe.is_full:
                    rows = self._order[step * batch : (step + 1) * batch]
                    x, y = x.index_select(0, rows), y.index_select(0, rows)
                losses.append(self._parameters.step(x, y, self._parameters.corrections(step)))
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One tensor each."""
        return [float(loss) for loss in done]


def _loader(task: Task) -> Training:
    return Modules(task, with_loader=True)


def _selected(task: Task) -> Training:
    return Modules(task, with_loader=False)


def _by_hand(task: Task) -> Training:
    return ByHand(task)


VARIANTS: Final = (
    Variant("module, optimizer and DataLoader", "documented", _loader),
    Variant("index_select, fused optimizer", "best", _selected),
    Variant("backward by hand in inference mode", "best", _by_hand),
)
