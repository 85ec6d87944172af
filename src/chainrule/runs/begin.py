"""Training from Python: a network and data in, a run out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal

import numpy.typing as npt

from chainrule.data.dataset import Dataset, ScalingKind
from chainrule.data.load import load, load_source
from chainrule.errors.calls import check_kind, checked_call
from chainrule.nn.catalog import optimizer as optimizer_named
from chainrule.nn.layers import Layer
from chainrule.nn.network import Network
from chainrule.nn.optimizers import Optimizer
from chainrule.runs.kept_data import keep_data
from chainrule.runs.opening import RUNS
from chainrule.runs.run import Run
from chainrule.train.events import Event, Listener, TrainingStarted
from chainrule.train.experiment import Experiment, FloatType, Preprocessing, SplitPlan
from chainrule.train.fit import fit
from chainrule.train.resolve import design
from chainrule.train.sitting import checked_sitting
from chainrule.train.stopping import Stopper


@checked_call
def train(
    network: Network | Sequence[Layer] | None,
    data: object,
    y: object = None,
    *,
    loss: str = "auto",
    optimizer: Optimizer | str | None = None,
    batch_size: int = 32,
    epochs: int | None = None,
    seed: int = 0,
    validation_split: float = 0.0,
    test_fraction: float | Literal["auto"] = "auto",
    stratify: bool = True,
    shuffle: bool = True,
    scale_features: ScalingKind = "auto",
    scale_targets: ScalingKind = "auto",
    weights: Mapping[str, npt.ArrayLike] | None = None,
    frozen: Sequence[str] = (),
    dtype: FloatType | None = None,
    backend: str = "auto",
    name: str | None = None,
    runs: str | Path | None = RUNS,
    listeners: Iterable[Listener] = (),
    stopper: Stopper | None = None,
    disk: float | None = None,
) -> Run:
    """Train a network by backpropagation.

    Ctrl-C stops after the step under way, saves, and hands back the run as it is then; `run.resume()` goes on from
    there, to the same bits.

    Args:
        network: a `Network` or its layers; None for what the data set brings, mostly two hidden layers of 64 and 32
            ReLU units.
        data: what `load` takes: the name of a built-in set, a `Dataset`, (x, y), a dataframe, a path; or samples x
            alone.
        y: the targets, where `data` are the samples x.
        loss: "cross_entropy", "binary_cross_entropy", "mse", "half_squared_error", …; "auto" is chosen by the target.
        optimizer: such as `SGD(0.1)`, or a name; None for Adam with η = 0.003.
        batch_size: samples an update; the last batch of an epoch may be smaller.
        epochs: how often every training row is visited; None for what the data set suggests, mostly 20.
        seed: of the initial weights, the split and the order; equal seeds give equal bits.
        validation_split: share of the training rows that is looked at after every epoch, and not trained on.
        test_fraction: share of all rows that is looked at once, at the end; "auto" is what the data suggest, mostly a
            fifth.
        stratify: hold out of every class in proportion to its size.
        shuffle: visit the rows of each epoch in a new order.
        scale_features: "auto", "none", "standardize", "minmax" or "unit", fitted on the training rows.
        scale_targets: the same, for regression.
        weights: initial weights by name, such as {"dense_1.W": [[0.7]]}; those left out are drawn.
        frozen: patterns of parameters that stay as they are: "*.b", "dense_1.*".
        dtype: "float32" or "float64"; None for what the data set suggests, mostly "float32".
        backend: which one runs it.
        name: of the run; the data set's where None.
        runs: the folder in which to make the run's own; None writes nothing.
        listeners: functions that are told what happens: `TrainingStarted`, `SliceDone`, `EpochDone`, ….
        stopper: asked from outside to stop.
        disk: gigabytes that the run's checkpoints may take, from which any step is reached again; None for a tenth of
            what is free.

    Returns: the run.
    Raises: ArgumentError, DataError, ExperimentError, ShapeError, UnknownNameError: network, data or options that do
            not fit.
        NonFiniteError: the loss left the numbers; what was good is saved.
        WriteError: the folder cannot be written.
    """
    told = checked_sitting(listeners, stopper, disk)
    dataset = load(data, y)
    if network is not None and not isinstance(network, Network):
        network = Network(network)
    fields: dict[str, Any] = {
        "loss": loss, "batch_size": batch_size, "seed": seed, "shuffle": shuffle,
        "frozen": tuple(frozen) if not isinstance(frozen, str) else (frozen,), "backend": backend,
        "split": SplitPlan(test_fraction=test_fraction, validation_fraction=validation_split, stratify=stratify),
        "preprocessing": Preprocessing(features=scale_features, targets=scale_targets),
    }  # fmt: skip
    suggested = {"name": name, "epochs": epochs, "dtype": dtype}
    fields |= {field: value for field, value in suggested.items() if value is not None}
    if optimizer is not None:
        fields["optimizer"] = optimizer_named(optimizer) if isinstance(optimizer, str) else optimizer
    experiment = design(dataset, network, **fields)
    told = (*told, _warn)
    return run_experiment(experiment, dataset, weights=weights, runs=runs, listeners=told, stopper=stopper, disk=disk)


def _warn(event: Event) -> None:
    """Say why training is slower than it could be."""
    if isinstance(event, TrainingStarted) and event.note:
        warnings.warn(event.note, stacklevel=2)


@checked_call
def run_experiment(
    experiment: Experiment,
    data: Dataset | None = None,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    runs: str | Path | None = RUNS,
    listeners: Iterable[Listener] = (),
    stopper: Stopper | None = None,
    disk: float | None = None,
) -> Run:
    """Do what an experiment says.

    Args:
        experiment: such as one read from an experiment.toml, or that of another run.
        data: those it names, where they are at hand; None loads them and checks that they are still the same.
        weights: initial weights by name, where it began with some.
        runs: the folder in which to make the run's own; None writes nothing.
        listeners: functions that are told what happens.
        stopper: asked from outside to stop.
        disk: gigabytes that checkpoints may take, as in `train`.

    Raises: as `train`.
    """
    check_kind("the experiment", experiment, Experiment, "an `Experiment`, such as run.experiment")
    check_kind("data", data, (Dataset, NoneType), "a `Dataset`, such as cr.load('digits') gives, or None")
    check_kind("runs", runs, (str, Path, NoneType), "a folder, such as 'runs', or None")
    told = checked_sitting(listeners, stopper, disk)
    dataset = load_source(experiment.data) if data is None else data

    def keep(event: Event) -> None:
        if isinstance(event, TrainingStarted) and event.folder is not None:
            keep_data(event.folder, dataset)

    parent = None if runs is None else Path(runs)
    told = (keep, *told)
    done = fit(experiment, dataset, weights=weights, parent=parent, listeners=told, stopper=stopper, disk=disk)
    return Run.of_fit(done)
