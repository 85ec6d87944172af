"""The graphs of an experiment, all from one forward pass, each built once: predict, train, evaluate.

Names of inputs:
    x, y, w           columns: samples as stored, labels or targets as stored, sample weights
    dense_1.W         parameters; dense_1.W/velocity an optimizer's slot for it
    input.shift, input.scale, target.shift, target.scale    the fitted scaling: state that never changes
    learning_rate     a rate: one number a step
    step              the clock: updates done before, for optimizers that count them
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Final

import msgspec

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.protocol import Step
from chainrule.errors import ExperimentError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, Node, make_graph
from chainrule.graph.tensor_type import TensorType, named
from chainrule.graph.verify import verify
from chainrule.nn.layers import Parameter
from chainrule.nn.losses import loss_named, one_hot, prediction, weighted_mean
from chainrule.train.data_record import DataRecord
from chainrule.train.experiment import Experiment
from chainrule.train.resolve import takes_one_output
from chainrule.train.scaled import scaled_input, scaled_target

SAMPLES: Final = named("n")
GRAPHS_KEPT: Final = 16  # of experiments that differ in more than the seed, the budget and the rows
X, Y, WEIGHT, RATE, CLOCK = "x", "y", "w", "learning_rate", "step"


class _Model(msgspec.Struct, frozen=True):
    """One forward pass with everything that hangs on it, as formulas."""

    inputs: tuple[Node, ...]  # parameters and constants
    columns: tuple[Node, ...]  # x, y and, where there are weights, w
    features: Expr  # (n, *features), scaled
    target: Expr  # (n, k)
    values: dict[str, Expr]
    y_hat: Expr  # (n, k)
    predicted: Expr  # labels (n,), or targets in their own units (n, k)
    per_sample: Expr  # (n,)
    loss: Expr
    hits: Expr | None  # of classes: bool (n,)
    errors: Expr | None  # of numbers: own units, float64 (n, k)
    weight: Expr | None  # (n,)


@dataclass(frozen=True, eq=False)
class Graphs:
    """Everything that is run for an experiment; what is run is built when it is first asked for.

    Attributes:
        book: the loss as the book writes it, nothing rewritten, with an output for every value on the way: "input" as
            the first layer reads it, those of the layers ("dense_1.z", "dense_1.a"), "y_hat", "target" as the loss
            reads it, "loss_n" of each sample, "loss".
        parameters: every one in order.
        trainable: names of those that are updated, in order.
        constants: state that training never changes, with its type: the fitted scaling.
    """

    book: Graph
    parameters: tuple[Parameter, ...]
    trainable: tuple[str, ...]
    constants: dict[str, TensorType]
    _model: _Model
    _wanted: _Wanted

    @cached_property
    def predict(self) -> Graph:
        """From x to "y_hat" and "prediction": labels, int32 (n,), or targets in their own units, float64 (n, k)."""
        return _predict(self._model)

    @cached_property
    def train(self) -> Step:
        """One update; measures "loss" and, of classes, "accuracy", both before the update."""
        loss_graph = _graph(self._model, self._wanted.record, _measured(self._model))
        return training_step(self._wanted.experiment, loss_graph, self.trainable, tuple(self.constants))

    @cached_property
    def evaluate(self) -> Step:
        """Sums over a batch in float64: "loss" Σ w ℓ, "weight" Σ w, and "correct" of classes or "squared" of numbers.

        The squares are Σ w (ŷ - y)² in the targets' own units, (k,).
        """
        return _evaluation_step(self._model, self._wanted.record)

    def trained_by(self, step: Step) -> Graphs:
        """The same with another step in place of `train`, such as one that measures more."""
        changed = replace(self)
        changed.__dict__["train"] = step  # where the cached property looks first
        return changed


def build(experiment: Experiment, record: DataRecord) -> Graphs:
    """The graphs of a resolved experiment on data of this record.

    Raises:
        ExperimentError: nothing is left to train, or layers and loss do not fit.
        ShapeError: a layer that the samples do not fit.
        UnknownNameError: a pattern of `frozen` that matches no parameter.
    """
    return _built(_Wanted(_told_apart_by(experiment, record), experiment, record))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An experiment and a record, equal to all others that have the same graphs: another seed, other rows."""

    key: tuple[object, ...]
    experiment: Experiment = field(compare=False)
    record: DataRecord = field(compare=False)


def _told_apart_by(experiment: Experiment, record: DataRecord) -> tuple[object, ...]:
    """All that graphs depend on."""
    dtype = experiment.dtype
    scaling = (scaled_input(dtype, record).types, scaled_target(dtype, record).types)
    return (
        *(experiment.network, experiment.loss, experiment.optimizer, experiment.frozen, dtype),
        *(record.task, record.feature_shape, record.output_count, record.x_dtype, record.y_dtype, record.weighted),
        *(tuple(types.items()) for types in scaling),
    )


@lru_cache(maxsize=GRAPHS_KEPT)
def _built(wanted: _Wanted) -> Graphs:
    """The graphs; kept, as a study over seeds asks for the same ones again and again."""
    experiment, record = wanted.experiment, wanted.record
    parameters = experiment.layers.parameters(record.feature_shape)
    trainable = trainable_names(parameters, experiment.frozen)
    constants = {**scaled_input(experiment.dtype, record).types, **scaled_target(experiment.dtype, record).types}
    model = _model(experiment, record, {p.name: e.variable(p.name, experiment.dtype, p.shape) for p in parameters})
    return Graphs(_book(model, record), parameters, trainable, constants, model, wanted)


def trainable_names(parameters: tuple[Parameter, ...], frozen: tuple[str, ...]) -> tuple[str, ...]:
    """The parameters that no pattern freezes.

    Raises: UnknownNameError for a pattern that matches nothing; ExperimentError when nothing is left.
    """
    names = [parameter.name for parameter in parameters]
    for pattern in frozen:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UnknownNameError("parameter to freeze", pattern, names)
    left = tuple(name for name in names if not any(fnmatchcase(name, pattern) for pattern in frozen))
    if not left:
        raise ExperimentError(f"{' and '.join(frozen) or 'the network'} leaves no parameter to train: freeze fewer")
    return left


def training_step(
    experiment: Experiment, loss_graph: Graph, trainable: tuple[str, ...], constants: tuple[str, ...] = ()
) -> Step:
    """One update: the loss made safe, differentiated, and each trainable parameter moved by the optimizer.

    Every gradient is taken at the parameters as they were before the step.

    Args:
        experiment: names the optimizer and the dtype.
        loss_graph: from parameters, constants and columns to "loss" and other measurements, as the book writes it.
        trainable: the parameters to move.
        constants: inputs that are state and never change.
    """
    safe = verify(stabilize(loss_graph))
    moved = [safe.input(name) for name in trainable]
    found = gradients(safe["loss"], moved)
    return step_of(experiment, safe, dict(zip(trainable, found, strict=True)), constants)


def step_of(
    experiment: Experiment, loss_graph: Graph, found: Mapping[str, Node], constants: tuple[str, ...] = ()
) -> Step:
    """One update along these gradients, by the parameter's name."""
    optimizer, dtype = experiment.optimizer, experiment.dtype
    rate, clock = e.variable(RATE, dtype), e.variable(CLOCK, "uint32")
    updates: dict[str, Node] = {}
    slots: list[Node] = []
    for name, gradient in found.items():
        parameter = Expr(loss_graph.input(name))
        own = {slot: e.variable(slot_name(name, slot), dtype, parameter.shape) for slot in optimizer.slots}
        after, kept = optimizer.update(parameter, Expr(gradient), own, rate, clock)
        slots += [each.node for each in own.values()]
        updates[name] = after.node
        updates.update({slot_name(name, slot): kept[slot].node for slot in optimizer.slots})
    outputs = {**updates, **dict(loss_graph.outputs)}
    columns = tuple(name for name in loss_graph.input_names if name in (X, Y, WEIGHT))
    facts = dict(loss_graph.facts)
    graph = verify(tidy(make_graph(outputs, (*loss_graph.inputs, *slots), facts)))
    roles = {*columns, RATE, CLOCK}
    return Step(
        graph=graph,
        state=tuple(name for name in graph.input_names if name not in roles),
        columns=columns,
        rates=(RATE,) if RATE in graph.input_names else (),
        clock=CLOCK if CLOCK in graph.input_names else None,
    )


def slot_name(parameter: str, slot: str) -> str:
    """The name of an optimizer's slot in the state: "dense_1.W/velocity"."""
    return f"{parameter}/{slot}"


# ---- one forward pass ----


def _model(experiment: Experiment, record: DataRecord, parameters: dict[str, Expr]) -> _Model:
    loss = loss_named(experiment.loss)
    x = e.variable(X, record.x_dtype, (SAMPLES, *record.feature_shape))
    features, targets = scaled_input(experiment.dtype, record), scaled_target(experiment.dtype, record)
    scaled = features.scaled(x)
    forward = experiment.layers.forward(scaled, parameters)
    y_hat = prediction(loss, forward.output, experiment.layers.last_activation)
    weight = e.variable(WEIGHT, experiment.dtype, (SAMPLES,)) if record.weighted else None
    if record.task == "classification":
        y = e.variable(Y, "int32", (SAMPLES,))
        one = y_hat.shape[-1] == 1 and takes_one_output(record.task, record.output_count, loss)
        target = _yes_or_no(y, y_hat) if one else one_hot(y, record.output_count, experiment.dtype)
        predicted = _one_label(y_hat) if one else e.argmax(forward.output)
        hits, errors = e.equal(predicted, y), None
    else:
        y = e.variable(Y, record.y_dtype, (SAMPLES, record.output_count))
        target, predicted = targets.scaled(y), targets.unscaled(y_hat)
        hits, errors = None, predicted - e.cast(y, "float64")
    per_sample = loss.per_sample(y_hat, target)
    return _Model(
        inputs=tuple(v.node for v in (*parameters.values(), *features.inputs, *targets.inputs)),
        columns=tuple(v.node for v in (x, y, weight) if v is not None),
        features=scaled,
        target=target,
        values=forward.values,
        y_hat=y_hat,
        predicted=predicted,
        per_sample=per_sample,
        loss=weighted_mean(per_sample, weight),
        hits=hits,
        errors=errors,
        weight=weight,
    )


def _yes_or_no(labels: Expr, y_hat: Expr) -> Expr:
    """Labels 0 and 1 as targets of one output: (n,) -> (n, 1)."""
    return e.reshape(e.cast(labels, y_hat.dtype), y_hat.shape)


def _one_label(y_hat: Expr) -> Expr:
    """The label that one output says: 1 above one half, (n, 1) -> (n,)."""
    return e.cast(e.reshape(y_hat, (SAMPLES,)) > 0.5, "int32")


def _graph(model: _Model, record: DataRecord, outputs: Mapping[str, Expr]) -> Graph:
    """These outputs over all inputs of the model."""
    facts = {Y: [Fact.LABELS]} if record.task == "classification" else {}
    if model.weight is not None:
        facts[WEIGHT] = [Fact.NONNEGATIVE]
    return make_graph({name: value.node for name, value in outputs.items()}, (*model.inputs, *model.columns), facts)


def _book(model: _Model, record: DataRecord) -> Graph:
    values = {
        "input": model.features,
        **model.values,
        "y_hat": model.y_hat,
        "target": model.target,
        "loss_n": model.per_sample,
        "loss": model.loss,
    }
    return verify(_graph(model, record, values))


def _predict(model: _Model) -> Graph:
    outputs = {"y_hat": model.y_hat.node, "prediction": model.predicted.node}
    return verify(tidy(stabilize(make_graph(outputs, (*model.inputs, model.columns[0])))))


def _measured(model: _Model) -> dict[str, Expr]:
    """What a training step measures before its update."""
    measured = {"loss": model.loss}
    if model.hits is not None:
        measured["accuracy"] = weighted_mean(e.cast(model.hits, model.loss.dtype), model.weight)
    return measured


def _evaluation_step(model: _Model, record: DataRecord) -> Step:
    """Sums in float64, so that it hardly matters how the rows are cut into batches."""
    weight = e.cast(model.weight, "float64") if model.weight is not None else None
    sums = {
        "loss": _weighted_sum(e.cast(model.per_sample, "float64"), weight),
        "weight": e.sum(weight) if weight is not None else e.count(SAMPLES, "float64"),
    }
    if model.hits is not None:
        sums["correct"] = _weighted_sum(e.cast(model.hits, "float64"), weight)
    if model.errors is not None:
        sums["squared"] = _weighted_sum(model.errors**2, weight)
    graph = verify(tidy(stabilize(_graph(model, record, sums))))
    columns = tuple(node.label for node in model.columns)
    return Step(graph, state=tuple(name for name in graph.input_names if name not in columns), columns=columns)


def _weighted_sum(values: Expr, weight: Expr | None) -> Expr:
    """Σ w v over the samples: (n,) -> (), (n, k) -> (k,)."""
    if weight is not None:
        values = values * (weight if values.type.rank == 1 else e.reshape(weight, (SAMPLES, 1)))
    return e.sum(values, 0)
