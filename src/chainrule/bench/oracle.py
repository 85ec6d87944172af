"""A case as chainrule trains it: the task every system gets, and the losses it must show, in float64."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.choose import compiled
from chainrule.backends.protocol import StopFlag
from chainrule.bench.samples import Samples
from chainrule.bench.task import CHECKED, Recipe, Task
from chainrule.bench.workloads import PIXEL, Case
from chainrule.data.arrays import from_arrays
from chainrule.data.batches import epoch_order
from chainrule.data.dataset import Dataset
from chainrule.nn.layers import Dense
from chainrule.nn.network import Network
from chainrule.nn.optimizers import SGD, Adam, Optimizer
from chainrule.train.experiment import Experiment, FloatType, Preprocessing, SplitPlan
from chainrule.train.prepare import Prepared, prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state
from chainrule.train.step import RATE

SEED: Final = 0
LOSSES: Final = {"cross_entropy": "categorical_cross_entropy", "mse": "mean_squared_error"}
IMAGE: Final = (28, 28)
RATES: Final = Adam()  # β₁, β₂ and ε are chainrule's defaults


def task_of(case: Case, samples: Samples, cores: int) -> Task:
    """What every system is given: the numbers, the samples, an order of rows and initial weights.

    Args:
        case: what is trained.
        samples: of the case's kind and storage.
        cores: a system may use.
    """
    recipe = _recipe(case, len(samples.x), cores)
    unweighted = Task(recipe, samples.x, samples.y, _order(recipe, len(samples.x)), ())
    drawn = initial_weights(prepared(unweighted, "float32"))
    layers = [(drawn[f"dense_{k}.W"], drawn[f"dense_{k}.b"]) for k in range(1, len(recipe.sizes))]
    return Task(recipe, samples.x, samples.y, unweighted.order, tuple(layers))


def prepared(task: Task, dtype: FloatType) -> Prepared:
    """The task as an experiment of chainrule, ready to run."""
    return prepare(_experiment(task.recipe, _dataset(task), dtype), _dataset(task))


def initial_weights(prepared: Prepared) -> dict[str, npt.NDArray[Any]]:
    """The first state of an experiment: weights as drawn, slots at 0, the scaling."""
    return initial_state(prepared.experiment, prepared.record, prepared.graphs)


def state_of(task: Task, prepared: Prepared) -> dict[str, npt.NDArray[Any]]:
    """The first state with the task's weights in it."""
    weights = {
        f"dense_{k}.{name}": array
        for k, layer in enumerate(task.weights, start=1)
        for name, array in zip("Wb", layer, strict=True)
    }
    return initial_state(prepared.experiment, prepared.record, prepared.graphs, weights)


def true_losses(task: Task, steps: int = CHECKED) -> list[float]:
    """The losses of the first steps, each before its update: the reference backend in float64."""
    ready = prepared(task, "float64")
    program = compiled(ready.graphs.train, "reference")
    batch = task.recipe.batch
    done = program.run(
        program.start(state_of(task, ready)),
        {name: ready.columns[name] for name in ready.graphs.train.columns},
        task.rows(0, steps),
        np.arange(0, (steps + 1) * batch, batch, dtype=np.int64),
        {RATE: np.full(steps, task.recipe.learning_rate)},
        0,
        StopFlag(),
    )
    return [float(loss) for loss in done.measurements["loss"]]


def _recipe(case: Case, rows: int, cores: int) -> Recipe:
    workload = case.workload
    is_full = workload.batch is None or workload.batch >= rows
    return Recipe(
        workload=workload.name,
        optimizer=case.optimizer,
        storage=case.storage,
        sizes=workload.sizes,
        hidden=workload.hidden,
        last=workload.last,
        loss="cross_entropy" if workload.last == "softmax" else "mse",
        batch=rows if is_full else workload.batch or rows,
        is_full=is_full,
        divisor=float(PIXEL) if case.storage == "uint8" else 1.0,
        learning_rate=workload.rates[case.optimizer],
        beta_1=RATES.beta_1,
        beta_2=RATES.beta_2,
        epsilon=RATES.epsilon,
        horizon=workload.horizon,
        cores=cores,
    )


def _order(recipe: Recipe, rows: int) -> npt.NDArray[np.int64]:
    """The rows of all steps: epoch after epoch without a last smaller batch."""
    everything = np.arange(rows, dtype=np.int64)
    if recipe.is_full:
        return everything
    steps = rows // recipe.batch
    epochs = -(-recipe.horizon // steps)
    visits = [epoch_order(everything, SEED, epoch)[: steps * recipe.batch] for epoch in range(epochs)]
    return np.concatenate(visits)[: recipe.horizon * recipe.batch]


def _dataset(task: Task) -> Dataset:
    recipe = task.recipe
    x = task.x.reshape(-1, *IMAGE) if recipe.storage == "uint8" else task.x
    return from_arrays(x, task.y, task="classification" if recipe.loss == "cross_entropy" else "regression")


def _experiment(recipe: Recipe, dataset: Dataset, dtype: FloatType) -> Experiment:
    *hidden, outputs = recipe.sizes[1:]
    kernel = "he_uniform" if recipe.hidden == "relu" else "glorot_uniform"
    last = "linear" if recipe.last == "softmax" else recipe.last
    layers = [Dense(units, recipe.hidden, kernel_initializer=kernel) for units in hidden]
    return design(
        dataset,
        Network([*layers, Dense(outputs, last)]),
        name=recipe.workload,
        loss=LOSSES[recipe.loss],
        optimizer=_optimizer(recipe),
        preprocessing=Preprocessing(features="unit" if recipe.storage == "uint8" else "none", targets="none"),
        split=SplitPlan(test_fraction=0.0),
        batch_size=recipe.batch,
        dtype=dtype,
        seed=SEED,
    )


def _optimizer(recipe: Recipe) -> Optimizer:
    if recipe.optimizer == "sgd":
        return SGD(recipe.learning_rate)
    return Adam(recipe.learning_rate, recipe.beta_1, recipe.beta_2, recipe.epsilon)
