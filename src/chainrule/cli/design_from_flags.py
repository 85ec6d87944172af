"""The experiment that flags make, from nothing or in place of what an experiment.toml says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from chainrule.cli.flags import DataFlags, ExperimentFlags
from chainrule.cli.layers_text import read_layers
from chainrule.cli.parse import given, names, numbers
from chainrule.data.builtin import BUILTIN
from chainrule.data.dataset import Dataset
from chainrule.data.load import load, load_source
from chainrule.errors import InputError
from chainrule.nn.catalog import optimizer as optimizer_named
from chainrule.nn.layers import Layer
from chainrule.nn.optimizers import Optimizer
from chainrule.train.experiment import AUTO, Experiment
from chainrule.train.resolve import default_network, design, resolve
from chainrule.train.serialize import read_experiment

MOST_UNITS: Final = 1_000_000  # of a hidden layer; two of them side by side are terabytes of weights already


def experiment_of(what: str, data: DataFlags, flags: ExperimentFlags) -> tuple[Experiment, Dataset]:
    """The experiment that was typed, resolved, and its data.

    Args: what: the name of a built-in set, a data file or folder, or an experiment.toml whose fields flags override.
    Raises: what reading, loading and designing raise.
    """
    if _is_experiment(what):
        return _overridden(read_experiment(Path(what)), data, flags)
    dataset = load(what, **data.loading)
    fields, network = _fields(data, flags), _network(flags, dataset)
    if "optimizer" not in fields and (options := _optimizer_options(flags)):
        fields["optimizer"] = _changed(design(dataset, network).optimizer, options)
    split = given(
        test_fraction=data.test_fraction, validation_fraction=data.validation_fraction, stratify=data.stratify
    )
    scaling = given(features=data.scale_features, targets=data.scale_targets)
    experiment = design(dataset, network, **fields)
    return resolve(_within(experiment, split, scaling), dataset), dataset


def _is_experiment(what: str) -> bool:
    return what not in BUILTIN and Path(what).suffix in (".toml", ".json")


def _overridden(experiment: Experiment, data: DataFlags, flags: ExperimentFlags) -> tuple[Experiment, Dataset]:
    """The experiment of a file, with what was typed in place of what it says."""
    if data.loading:
        option = next(iter(data.loading)).replace("_", "-")
        raise InputError(f"an experiment.toml says which data it is about: change them there, or leave --{option} out")
    dataset = load_source(experiment.data)
    fields = _fields(data, flags)
    if "optimizer" not in fields and (options := _optimizer_options(flags)):
        fields["optimizer"] = _changed(experiment.optimizer, options)
    network = _network(flags, dataset)
    if network is not None:
        fields["network"] = network
    if "loss" not in fields and network is not None:
        fields["loss"] = AUTO
    split = given(
        test_fraction=data.test_fraction, validation_fraction=data.validation_fraction, stratify=data.stratify
    )
    scaling = given(features=data.scale_features, targets=data.scale_targets)
    return resolve(_within(experiment.but(**fields), split, scaling), dataset), dataset


def _within(experiment: Experiment, split: dict[str, Any], scaling: dict[str, Any]) -> Experiment:
    return experiment.but(
        split=msgspec.structs.replace(experiment.split, **split),
        preprocessing=msgspec.structs.replace(experiment.preprocessing, **scaling),
    )


def _fields(data: DataFlags, flags: ExperimentFlags) -> dict[str, Any]:
    """The fields of the experiment that were typed and mean the same whatever else was."""
    fields = given(
        loss=flags.loss, epochs=flags.epochs, batch_size=flags.batch_size, shuffle=flags.shuffle, seed=flags.seed,
        frozen=names(flags.frozen), dtype=flags.dtype, backend=flags.backend, name=flags.name,
    )  # fmt: skip
    if flags.optimizer is not None:
        fields["optimizer"] = optimizer_named(flags.optimizer, **_optimizer_options(flags))
    return fields


def _optimizer_options(flags: ExperimentFlags) -> dict[str, Any]:
    return given(
        learning_rate=flags.learning_rate, momentum=flags.momentum, nesterov=flags.nesterov, beta_1=flags.beta_1,
        beta_2=flags.beta_2, epsilon=flags.epsilon,
    )  # fmt: skip


def _changed(optimizer: Optimizer, options: dict[str, Any]) -> Optimizer:
    """The optimizer with some of its numbers changed."""
    for option in options:
        if option not in optimizer.__struct_fields__:
            kind = type(optimizer).__name__.lower()
            flag = option.replace("_", "-")
            raise InputError(f"--{flag} is no option of {kind}: choose the optimizer it belongs to with --optimizer")
    return msgspec.structs.replace(optimizer, **options)


def _network(flags: ExperimentFlags, dataset: Dataset) -> tuple[Layer, ...] | None:
    """The layers that were typed; None where none were."""
    if flags.layers is not None:
        if flags.hidden is not None or flags.activation is not None:
            raise InputError("--layers says every layer: leave --hidden and --activation out, or --layers")
        return read_layers(flags.layers)
    if flags.hidden is None and flags.activation is None:
        return None
    hidden = None if flags.hidden is None else _units(flags.hidden)
    return default_network(dataset, hidden, flags.activation or "relu")


def _units(text: str) -> tuple[int, ...]:
    """The units of the hidden layers.

    Raises: InputError for none, for an empty place, or for numbers that no layer has.
    """
    if not text.strip():
        raise InputError(
            "--hidden takes the units of each hidden layer, such as 64,32, and got nothing: for a network without "
            "hidden layers say every layer, as in --layers 'dense(10)'"
        )
    units = numbers("--hidden", text)
    wrong = [each for each in units if not 1 <= each <= MOST_UNITS]
    if wrong:
        raise InputError(
            f"--hidden takes layers of 1 to {MOST_UNITS:,} units, and got {wrong[0]}: choose fewer"
            if wrong[0] > 1
            else f"--hidden takes layers of 1 to {MOST_UNITS:,} units, and got {wrong[0]}: choose at least 1"
        )
    return units
