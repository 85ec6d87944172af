"""A run watched step by step: its state after every step, each step run by itself from the beginning."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.backends.choose import compiled
from chainrule.backends.protocol import StopFlag
from chainrule.data.batches import epoch_order, offsets
from chainrule.train.folder import RunFolder
from chainrule.train.step import RATE


def observed(run: cr.Run) -> list[dict[str, np.ndarray]]:
    """The state at every step, without the training loop, checkpoints or slices."""
    prepared, experiment = run.prepared, run.experiment
    program = compiled(prepared.graphs.train, run.checkpoint.backend)
    columns = {name: prepared.columns[name] for name in prepared.graphs.train.columns}
    assert run.path is not None
    state = program.start(RunFolder(run.path).checkpoints.read(0).state)
    seen, step = [program.read(state)], 0
    for epoch in range(experiment.epochs):
        order = epoch_order(prepared.rows, experiment.seed, epoch, experiment.shuffle)
        cuts = offsets(len(order), experiment.batch_size)
        for first, last in pairwise(cuts):
            rates = {RATE: np.full(1, experiment.optimizer.learning_rate)}
            one = np.array([0, last - first], dtype=np.int64)
            state = program.run(state, columns, order[first:last], one, rates, step, StopFlag()).state
            seen.append(program.read(state))
            step += 1
    return seen


def same(left: Any, right: Any) -> bool:
    """Whether two states have the same bits."""
    return set(left) == set(right) and all(left[name].tobytes() == right[name].tobytes() for name in left)
