"""PyTorch with torch.compile: the module as documented, and a whole step, gathering and update included."""

from __future__ import annotations

from collections.abc import Sequence
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

BEST_MODE: Final = "max-autotune-no-cudagraphs"


class CompiledModule:
    """The module is compiled; loss, optimizer and batches are as ever."""

    def __init__(self, task: Task) -> None:
        self._torch = prepared_torch(task)
        self._task = task
        self._x, self._y = self._torch.from_numpy(task.x.copy()), targets_of(task)
        self._order = self._torch.from_numpy(task.order.copy())
        self._loss = loss_module(task.recipe)
        self._module = module_of(task)
        self._compiled = self._torch.compile(self._module)
        self.restart()

    def restart(self) -> None:
        """The task's weights in the same module, and a new optimizer."""
        self._module.load_state_dict(module_of(self._task).state_dict())
        self._optimizer = optimizer_of(self._task.recipe, self._module)

    def run(self, first: int, steps: int) -> list[Any]:
        """The loop of every tutorial."""
        losses: list[Any] = []
        batch = self._task.recipe.batch
        for step in range(first, first + steps):
            x, y = self._x, self._y
            if not self._task.recipe.is_full:
                rows = self._order[step * batch : (step + 1) * batch]
                x, y = x[rows], y[rows]
            self._optimizer.zero_grad()
            loss = self._loss(self._compiled(features(self._torch, self._task.recipe, x)), y)
            loss.backward()
            self._optimizer.step()
            losses.append(loss.detach())
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One tensor each."""
        return [float(loss) for loss in done]


class CompiledStep:
    """Gathering, both passes and the update are one compiled function, tuned as far as PyTorch tunes."""

    def __init__(self, task: Task) -> None:
        self._torch = prepared_torch(task)
        self._task = task
        self._x, self._y = self._torch.from_numpy(task.x.copy()), targets_of(task)
        self._order = self._torch.from_numpy(task.order.copy())
        self._parameters = Parameters(task)
        self._step = self._torch.compile(self._gathered, mode=BEST_MODE, dynamic=False)

    def restart(self) -> None:
        """Weights and moments as at first."""
        self._parameters.restart()

    def run(self, first: int, steps: int) -> list[Any]:
        """A call a step."""
        losses: list[Any] = []
        torch, batch = self._torch, self._task.recipe.batch
        with torch.no_grad():
            for step in range(first, first + steps):
                rows = self._order if self._task.recipe.is_full else self._order[step * batch : (step + 1) * batch]
                corrections = [torch.tensor(each) for each in self._parameters.corrections(step)]
                losses.append(self._step(rows, *corrections))
        return losses

    def losses(self, done: list[Any]) -> Sequence[float]:
        """One tensor each."""
        return [float(loss) for loss in done]

    def _gathered(self, rows: Any, rate: Any, root: Any) -> Any:
        x, y = self._x, self._y
        if not self._task.recipe.is_full:
            x, y = x[rows], y[rows]
        return self._parameters.step(x, y, (rate, root))


def _module(task: Task) -> Training:
    return CompiledModule(task)


def _step(task: Task) -> Training:
    return CompiledStep(task)


VARIANTS: Final = (
    Variant("compiled module", "documented", _module),
    Variant("compiled step by hand", "best", _step),
)
