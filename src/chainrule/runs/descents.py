"""Three descents on the same data from the same weights: batch, mini-batch and stochastic, each of them a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy.typing as npt

from chainrule.data.dataset import Dataset, ScalingKind
from chainrule.data.load import load
from chainrule.descent.three_ways import Way, three_ways
from chainrule.descent.three_ways_page import three_ways_page
from chainrule.document.content import Plain
from chainrule.document.html import render_notebook
from chainrule.errors import UnknownNameError
from chainrule.errors.calls import checked_call
from chainrule.errors.counts import counted
from chainrule.nn.catalog import optimizer as optimizer_named
from chainrule.nn.layers import Layer
from chainrule.nn.network import Network
from chainrule.nn.optimizers import SGD, Optimizer
from chainrule.runs.page import Page
from chainrule.runs.run import Run
from chainrule.runs.subject import said
from chainrule.train.events import Listener
from chainrule.train.experiment import Experiment, FloatType, Preprocessing, SplitPlan
from chainrule.train.resolve import design, resolve
from chainrule.train.sitting import checked_sitting

PLAIN = SGD(0.1)  # on the digits its mini-batches turn back (mean cosine −0.16) and its single rows wander (0.04)
EPOCHS = 5


@dataclass(frozen=True, eq=False)
class Descents:
    """Batch, mini-batch and stochastic descent, side by side.

    Attributes:
        experiment: what they share; its batch size is that of the mini-batches.
        ways: "batch", "mini-batch", "stochastic", in this order; those whose batches would be equal appear once.
        page: the comparison; printed it is text, `page.data` holds the numbers.
    """

    experiment: Experiment
    ways: tuple[Way, ...]

    def __getitem__(self, name: str) -> Way:
        """The way of that name.

        Raises: UnknownNameError for a way that does not exist here.
        """
        for way in self.ways:
            if way.name == name:
                return way
        raise UnknownNameError("way", name, [way.name for way in self.ways])

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Each way that stayed among the numbers as a run in memory, by its name: explain it, visit its steps."""
        return {way.name: Run.of_fit(way.fit) for way in self.ways if way.fit is not None}

    @cached_property
    def page(self) -> Page:
        """How often each updates, what an epoch costs and brings, and how the weights walk."""
        return Page(three_ways_page(self.experiment.name, self.ways, _shared(self.experiment)))

    @property
    def data(self) -> Mapping[str, Plain]:
        """The numbers of the page as plain values."""
        return self.page.data

    def __str__(self) -> str:
        return self.page.text

    def __repr__(self) -> str:
        return repr(self.page)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return render_notebook(self.page.document)


@checked_call
def descent(
    network: Network | Sequence[Layer] | None,
    data: object,
    y: object = None,
    *,
    loss: str = "auto",
    optimizer: Optimizer | str | None = None,
    batch_size: int = 32,
    epochs: int = EPOCHS,
    seed: int = 0,
    test_fraction: float | Literal["auto"] = "auto",
    scale_features: ScalingKind = "auto",
    scale_targets: ScalingKind = "auto",
    weights: Mapping[str, npt.ArrayLike] | None = None,
    dtype: FloatType = "float32",
    backend: str = "auto",
    name: str | None = None,
    listeners: Iterable[Listener] = (),
) -> Descents:
    """Train one network three ways: all rows an update, `batch_size` rows, one row; all else is the same.

    Nothing is written. Every update is measured as an output of the graph that trains: how far it goes, and how far it
    turns from the one before.

    Args:
        network: a `Network` or its layers; None for what the data suggest.
        data: what `load` takes, or samples x alone.
        y: the targets, where `data` are the samples x.
        loss: as in `train`.
        optimizer: such as `SGD(0.1)`, which it is where None, so that an update is −η times the gradient.
        batch_size: rows of a mini-batch; a quarter of the training rows where there are no more than so many.
        epochs: how often every training row is visited.
        seed: of the initial weights, the split and the order.
        test_fraction: share of all rows that is held out.
        scale_features: as in `train`.
        scale_targets: as in `train`.
        weights: initial weights by name.
        dtype: "float32" or "float64".
        backend: which one runs it.
        name: of the data set where None.
        listeners: told what happens in each training.

    Raises: ArgumentError, DataError, ExperimentError, ShapeError, UnknownNameError: network, data or options that do
        not fit. A way whose loss leaves the numbers is told of on the page.
    """
    told = checked_sitting(listeners)
    dataset = load(data, y)
    if network is not None and not isinstance(network, Network):
        network = Network(network)
    chosen = optimizer_named(optimizer) if isinstance(optimizer, str) else optimizer or PLAIN
    experiment = design(
        dataset, network, loss=loss, optimizer=chosen, batch_size=batch_size, epochs=epochs, seed=seed, dtype=dtype,
        backend=backend, split=SplitPlan(test_fraction=test_fraction),
        preprocessing=Preprocessing(features=scale_features, targets=scale_targets),
        **({} if name is None else {"name": name}),
    )  # fmt: skip
    return descents_of(experiment, dataset, weights=weights, listeners=told)


def descents_of(
    experiment: Experiment,
    dataset: Dataset,
    *,
    weights: Mapping[str, npt.ArrayLike] | None = None,
    listeners: Iterable[Listener] = (),
) -> Descents:
    """The same of an experiment that exists, such as `run.experiment`; see `descent`."""
    ways = three_ways(experiment, dataset, weights=weights, listeners=listeners)
    return Descents(resolve(experiment, dataset), ways)


def _shared(experiment: Experiment) -> str:
    """What the ways share, in words."""
    loss = experiment.loss.replace("_", " ")
    epochs = counted(experiment.epochs, "epoch")
    return f"{loss}, {said(experiment.optimizer)}, {epochs}, seed {experiment.seed}, {experiment.dtype}"
