"""chainrule as a peer of its own benchmark: slices of training through a compiled program, as a run does them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.backends.choose import compiled
from chainrule.backends.protocol import Program, Slice, StopFlag
from chainrule.bench.oracle import prepared, state_of
from chainrule.bench.task import Task
from chainrule.train.step import RATE


class Slices:
    """A training of chainrule; a run of steps is one slice, measurements and all."""

    def __init__(self, task: Task, backend: str) -> None:
        self._task, self._backend = task, backend
        self._prepared = prepared(task, "float32")
        self._first = state_of(task, self._prepared)
        step = self._prepared.graphs.train
        self._columns = {name: self._prepared.columns[name] for name in step.columns}
        self._given: dict[tuple[int, int], tuple[Any, Any, dict[str, npt.NDArray[Any]]]] = {}
        self._stop = StopFlag()
        self._state: Any = None

    def restart(self) -> None:
        """Begin again at the task's weights."""
        if self._state is not None:  # else nothing has been compiled yet, and the first run does
            self._state = self._program().start(self._first)

    def run(self, first: int, steps: int) -> Slice:
        """One slice."""
        program = self._program()
        if self._state is None:
            self._state = program.start(self._first)
        order, offsets, rates = self._arrays(first, steps)
        done = program.run(self._state, self._columns, order, offsets, rates, first, self._stop)
        self._state = done.state
        return done

    def losses(self, done: Slice) -> list[float]:
        """As the step measures them."""
        return [float(loss) for loss in done.measurements["loss"]]

    def _program(self) -> Program:
        return compiled(self._prepared.graphs.train, self._backend)

    def _arrays(self, first: int, steps: int) -> tuple[Any, Any, dict[str, npt.NDArray[Any]]]:
        """The order, its offsets and the rates; made once for each window, as all systems have theirs ready."""
        key = (0 if self._task.recipe.is_full else first, steps)
        if key not in self._given:
            batch = self._task.recipe.batch
            offsets = np.arange(0, (steps + 1) * batch, batch, dtype=np.int64)
            rates = {RATE: np.full(steps, self._task.recipe.learning_rate, np.float32)}
            self._given[key] = (self._task.rows(first, steps), offsets, rates)
        return self._given[key]
