"""What "auto" means for a data set, and whether network, loss and data fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from chainrule.data.dataset import Dataset
from chainrule.data.scaling import resolve_scaling, resolve_target_scaling
from chainrule.errors import DataError, ExperimentError, UnknownNameError
from chainrule.errors.counts import counted, plural
from chainrule.graph.tensor_type import show_shape
from chainrule.nn.layers import Dense, Flatten, Layer
from chainrule.nn.losses import Loss, loss_named
from chainrule.nn.network import Network
from chainrule.train.experiment import AUTO, Experiment, Preprocessing, SplitPlan
from chainrule.train.recipes import default_hidden, recipe

HALVED: Final = frozenset({"relu", "leaky_relu", "elu", "gelu", "silu"})  # let about half of a signal pass: He's case


def default_network(
    dataset: Dataset, hidden: Sequence[int] | None = None, activation: str = "relu"
) -> tuple[Layer, ...]:
    """Hidden layers of these units, where not said 64 and 32 or what fits the data, and an output each class or target.

    Their weights are drawn after He where the activation lets about half of a signal pass, else after Glorot. Samples
    with several axes are flattened first.

    Raises: ExperimentError, UnknownNameError: no number of units, no activation.
    """
    kernel = "he_uniform" if activation in HALVED else "glorot_uniform"
    layers = tuple(
        Dense(units, activation, kernel_initializer=kernel)
        for units in (default_hidden(dataset) if hidden is None else hidden)
    )
    flat = (Flatten(),) if dataset.x.ndim > 2 else ()
    return (*flat, *layers, Dense(dataset.output_count))


def design(dataset: Dataset, network: Network | Sequence[Layer] | None = None, **fields: Any) -> Experiment:
    """The experiment on a data set with some fields chosen and the rest by default.

    Args:
        dataset: names the experiment unless `name` does.
        network: a network or its layers; None for the set's own recipe where it has one, else for `default_network`.
        fields: of `Experiment`, each checked there.

    Raises: UnknownNameError for a field that does not exist; ExperimentError for a value without meaning.
    """
    for field in fields:
        if field not in Experiment.__struct_fields__:
            raise UnknownNameError("field of the experiment", field, Experiment.__struct_fields__)
    layers = network.layers if isinstance(network, Network) else network
    suggested = recipe(dataset) if layers is None else {"network": tuple(layers)}
    if "network" not in suggested and "network" not in fields:
        suggested = {**suggested, "network": default_network(dataset)}
    chosen: dict[str, Any] = {"name": dataset.name, **suggested, **fields}
    return Experiment(data=dataset.source, **chosen)


def resolve(experiment: Experiment, dataset: Dataset) -> Experiment:
    """The experiment with every "auto" replaced by what it means for this data set; the backend's stays, a policy.

    Raises:
        ExperimentError: network, loss and data do not fit together.
        DataError: targets that the loss cannot take.
    """
    loss = loss_named(_loss(experiment, dataset) if experiment.loss == AUTO else experiment.loss)
    _check_outputs(experiment, dataset, loss)
    targets = resolve_target_scaling(dataset, experiment.preprocessing.targets)
    if loss.targets == "binary" and experiment.preprocessing.targets == AUTO:
        targets = "none"
    _check_task(dataset, loss, targets)
    fraction = experiment.split.test_fraction
    return experiment.but(
        data=dataset.source,
        loss=loss.name,
        preprocessing=Preprocessing(
            features=resolve_scaling(dataset, experiment.preprocessing.features), targets=targets
        ),
        split=SplitPlan(
            test_fraction=dataset.default_test_fraction if fraction == AUTO else fraction,
            validation_fraction=experiment.split.validation_fraction,
            stratify=experiment.split.stratify,
        ),
    )


def _loss(experiment: Experiment, dataset: Dataset) -> str:
    """Squared error for numbers; cross-entropy for classes, the binary one where the network ends in yes or no."""
    if dataset.task == "regression":
        return "mean_squared_error"
    network = experiment.layers
    is_binary = network.last_activation == "sigmoid" or _output_shape(experiment, dataset) == (1,)
    return "binary_cross_entropy" if is_binary else "categorical_cross_entropy"


def _output_shape(experiment: Experiment, dataset: Dataset) -> tuple[int, ...]:
    return experiment.layers.output_shape(tuple(dataset.x.shape[1:]))


def _check_outputs(experiment: Experiment, dataset: Dataset, loss: Loss) -> None:
    shape, wanted = _output_shape(experiment, dataset), dataset.output_count
    if shape == (wanted,) or (shape == (1,) and takes_one_output(dataset.task, wanted, loss)):
        return
    outputs = "classes" if dataset.task == "classification" else plural(wanted, "target")
    raise ExperimentError(
        f"{dataset.name} has {wanted} {outputs}, and the network's output is {show_shape(shape)} a sample: "
        f"end it with a layer of {counted(wanted, 'unit')}"
    )


def takes_one_output(task: str, classes: int, loss: Loss) -> bool:
    """Whether a single output can say which of two classes it is: 1 for the second, 0 for the first."""
    return task == "classification" and classes == 2 and loss.targets != "classes"


def _check_task(dataset: Dataset, loss: Loss, scaling: str) -> None:
    if dataset.task == "classification" or loss.targets == "numbers":
        return
    if loss.targets == "classes":
        raise ExperimentError(
            f"{loss.name} compares classes, and the target of {dataset.name} is a number: use mean_squared_error, or "
            "load the data with task='classification'"
        )
    if scaling != "none":
        raise ExperimentError(f"{loss.name} needs targets from 0 to 1, as they are: set preprocessing.targets to none")
    outside = np.argwhere((dataset.y < 0) | (dataset.y > 1))
    if outside.size:
        row, column = (int(place) for place in outside[0])
        raise DataError(
            f"{loss.name} needs targets from 0 to 1, and {dataset.target_names[column]} is {dataset.y[row, column]} "
            f"at row {row}: use mean_squared_error, or correct the row"
        )
