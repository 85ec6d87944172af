"""The numbers a run begins with: drawn from the seed, or set by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ExperimentError, ShapeError, UnknownNameError, ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.nn.initializers import initial_value
from chainrule.nn.layers import Parameter
from chainrule.train.data_record import Array, DataRecord
from chainrule.train.experiment import Experiment
from chainrule.train.scaled import scaled_input, scaled_target
from chainrule.train.step import Graphs, slot_name


def initial_state(
    experiment: Experiment, record: DataRecord, graphs: Graphs, weights: Mapping[str, npt.ArrayLike] | None = None
) -> dict[str, Array]:
    """Every state input's first value: parameters, optimizer slots at 0, the fitted scaling.

    Args:
        experiment: resolved; gives seed and dtype.
        record: gives the fitted scaling.
        graphs: of the experiment.
        weights: parameters set by hand, by name; the others are drawn. Rounded to the experiment's dtype.

    Raises: what `checked_weights` raises; ExperimentError when the weights are not those the experiment names.
    """
    given = checked_weights(graphs.parameters, weights or {})
    if experiment.initial_weights is not None and weights_sha256(given) != experiment.initial_weights:
        came = "others were given" if given else "none were given"
        raise ExperimentError(
            f"the experiment begins with weights of SHA-256 {experiment.initial_weights[:12]}…, and {came}: give those"
        )
    parameters = {
        parameter.name: given[parameter.name]
        if parameter.name in given
        else initial_value(parameter.initializer, parameter.shape, experiment.seed, index)
        for index, parameter in enumerate(graphs.parameters)
    }
    state = {name: np.asarray(value, dtype=experiment.dtype) for name, value in parameters.items()}
    for name in graphs.trainable:
        state.update({slot_name(name, slot): np.zeros_like(state[name]) for slot in experiment.optimizer.slots})
    return {**state, **constants(experiment, record)}


def constants(experiment: Experiment, record: DataRecord) -> dict[str, Array]:
    """The state that training never changes: the fitted scaling."""
    return {
        **scaled_input(experiment.dtype, record).values(),
        **scaled_target(experiment.dtype, record).values(),
    }


def checked_weights(
    parameters: tuple[Parameter, ...], weights: Mapping[str, npt.ArrayLike]
) -> dict[str, npt.NDArray[np.float64]]:
    """The weights as float64 arrays of the parameters' shapes.

    Raises: ArgumentError for what has no names; UnknownNameError for a name that is no parameter; ShapeError for
        another shape; ValueRangeError for a number that is not finite.
    """
    check_kind("weights", weights, Mapping, "arrays by name, such as {'dense_1.W': [[0.7]]}")
    shapes = {parameter.name: parameter.shape for parameter in parameters}
    checked: dict[str, npt.NDArray[np.float64]] = {}
    for name, value in weights.items():
        if name not in shapes:
            raise UnknownNameError("parameter", name, shapes)
        array = np.array(value, dtype=np.float64)
        if array.shape != shapes[name]:
            raise ShapeError(f"{name} has shape {shapes[name]}, and weights of shape {array.shape} were given")
        if not np.isfinite(array).all():
            raise ValueRangeError(f"the weights given for {name} hold a number that is not finite: correct it")
        checked[name] = array
    return checked


def weights_sha256(weights: Mapping[str, npt.ArrayLike]) -> str:
    """The SHA-256 of weights set by hand, whatever order they come in; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        array = np.asarray(weights[name], dtype="<f8")
        digest.update(f"{name}{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def parameters_of(graphs: Graphs, state: Mapping[str, Array]) -> dict[str, Array]:
    """The parameters among the state, in order."""
    return {parameter.name: state[parameter.name] for parameter in graphs.parameters}


def slots_of(graphs: Graphs, state: Mapping[str, Array]) -> dict[str, Array]:
    """The optimizer's slots among the state, in order."""
    known: set[Any] = {*(parameter.name for parameter in graphs.parameters), *graphs.constants}
    return {name: value for name, value in state.items() if name not in known}
