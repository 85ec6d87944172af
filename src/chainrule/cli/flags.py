"""Every field of an experiment as a flag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from cyclopts import Group, Parameter

from chainrule.cli.parse import given, names

DATA: Final = Group("Data", sort_key=1)
NETWORK: Final = Group("Network", sort_key=2)
TRAINING: Final = Group("Training", sort_key=3)
OUTPUT: Final = Group("Output", sort_key=4)


@dataclass(frozen=True, kw_only=True)
class DataFlags:
    """What the data are and how they are divided; None where nothing was typed."""

    target: Annotated[str | None, Parameter(group=DATA, help="The column to predict.")] = None
    features: Annotated[
        tuple[str, ...],
        Parameter(group=DATA, negative=(), show_default=False, metavar="X,Y", help="Columns to predict from."),
    ] = ()
    drop: Annotated[
        tuple[str, ...],
        Parameter(group=DATA, negative=(), show_default=False, metavar="X,Y", help="Columns to leave out."),
    ] = ()
    task: Annotated[
        Literal["classification", "regression"] | None, Parameter(group=DATA, help="Where the target leaves it open.")
    ] = None
    rows: Annotated[int | None, Parameter(group=DATA, help="Rows of a generated set.")] = None
    noise: Annotated[float | None, Parameter(group=DATA, help="Noise of a generated set.")] = None
    classes: Annotated[int | None, Parameter(group=DATA, help="Arms of the spirals.")] = None
    data_seed: Annotated[int | None, Parameter(group=DATA, help="Seed of a generated set.")] = None
    test_fraction: Annotated[float | None, Parameter(group=DATA, help="Share held out for the end.")] = None
    validation_fraction: Annotated[
        float | None,
        Parameter(
            name=("--validation-fraction", "--validation-split"), group=DATA, help="Share looked at after each epoch."
        ),
    ] = None
    stratify: Annotated[bool | None, Parameter(group=DATA, help="Hold out of each class alike.")] = None
    scale_features: Annotated[str | None, Parameter(group=DATA, help="auto, none, standardize, minmax or unit.")] = None
    scale_targets: Annotated[str | None, Parameter(group=DATA, help="The same, of numbers to predict.")] = None

    @property
    def loading(self) -> dict[str, Any]:
        """The options for `load`."""
        return given(
            target=self.target, features=names(self.features), drop=names(self.drop), task=self.task, rows=self.rows,
            noise=self.noise, classes=self.classes, seed=self.data_seed,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ExperimentFlags:
    """Network, loss, optimizer and budget; None where nothing was typed."""

    hidden: Annotated[str | None, Parameter(group=NETWORK, help="Units of the hidden layers: 64,32.")] = None
    activation: Annotated[str | None, Parameter(group=NETWORK, help="Of the hidden layers: relu, tanh, …")] = None
    layers: Annotated[str | None, Parameter(group=NETWORK, help="Every layer: 'dense(16, relu), dense(10)'.")] = None
    loss: Annotated[str | None, Parameter(group=TRAINING, help="cross_entropy, binary_cross_entropy, mse, …")] = None
    optimizer: Annotated[str | None, Parameter(group=TRAINING, help="adam, sgd, momentum or nesterov.")] = None
    learning_rate: Annotated[
        float | None, Parameter(name=("--learning-rate", "--lr"), group=TRAINING, help="How far a step goes.")
    ] = None
    momentum: Annotated[float | None, Parameter(group=TRAINING, help="Of sgd.")] = None
    nesterov: Annotated[
        bool | None, Parameter(group=TRAINING, negative=(), show_default=False, help="Nesterov's momentum, of sgd.")
    ] = None
    beta_1: Annotated[float | None, Parameter(group=TRAINING, help="Of adam.")] = None
    beta_2: Annotated[float | None, Parameter(group=TRAINING, help="Of adam.")] = None
    epsilon: Annotated[float | None, Parameter(group=TRAINING, help="Of adam.")] = None
    epochs: Annotated[int | None, Parameter(group=TRAINING, help="How often every row is visited.")] = None
    batch_size: Annotated[int | None, Parameter(group=TRAINING, help="Rows an update.")] = None
    shuffle: Annotated[bool | None, Parameter(group=TRAINING, help="A new order each epoch.")] = None
    seed: Annotated[int | None, Parameter(group=TRAINING, help="Of weights, split and order.")] = None
    frozen: Annotated[
        tuple[str, ...],
        Parameter(group=TRAINING, negative=(), show_default=False, metavar="P,Q", help="Parameters that stay: '*.b'."),
    ] = ()
    dtype: Annotated[str | None, Parameter(group=TRAINING, help="float32 or float64.")] = None
    backend: Annotated[str | None, Parameter(group=TRAINING, help="What runs it; see doctor.")] = None
    name: Annotated[str | None, Parameter(group=TRAINING, help="Of the run.")] = None


NO_DATA_FLAGS: Final = DataFlags()
NO_FLAGS: Final = ExperimentFlags()
