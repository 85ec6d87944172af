"""Random networks on random data: each update is the reference's, and asking, threads and strips change no bit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.backends.protocol import Step
from chainrule.data.arrays import from_arrays
from chainrule.data.batches import epoch_order, offsets
from chainrule.data.dataset import Dataset
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializers import INITIALIZERS
from chainrule.nn.layers import ActivationLayer, Dense, Flatten, Layer
from chainrule.nn.losses import LOSSES
from chainrule.nn.optimizers import SGD, Adam
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
from chainrule.train.prepare import prepare
from chainrule.train.resolve import design
from chainrule.train.state import initial_state
from tests.backends.native.examples import (
    CHANGES,
    SLOW,
    Change,
    Example,
    agrees_with_the_reference,
    changed,
    same_bits,
    trained,
)
from tests.backends.native.random_values import Draw

STORED: Final = ("float32", "float64", "float16", "uint8", "int8", "bool", "int32")
WIDTHS: Final = (3, 1, 2, 5, 16, 17, 40)
OPTIMIZERS: Final = (SGD(0.1), Adam(0.01), SGD(0.1, momentum=0.9), SGD(0.1, momentum=0.5, nesterov=True))


@st.composite
def networks(draw: Draw) -> Example:
    """A few updates of a network."""
    experiment, data = draw(experiments())
    prepared = prepare(experiment, data)
    step = prepared.graphs.train
    order = epoch_order(prepared.rows, experiment.seed, 0, True)
    cuts = offsets(len(order), experiment.batch_size)[-4:]
    return Example(
        step,
        curious(step),
        initial_state(prepared.experiment, prepared.record, prepared.graphs),
        {name: prepared.columns[name] for name in step.columns},
        {name: np.full(len(cuts) - 1, 0.1) for name in step.rates},
        order,
        cuts,
        draw(st.sampled_from([0, 900])),
    )


@st.composite
def experiments(draw: Draw) -> tuple[Experiment, Dataset]:
    """A network that fits its data, and how it is trained."""
    rows, batch = draw(st.sampled_from([(7, 3), (40, 16), (5, 5), (33, 1), (450, 200), (20, 7)]))
    data = draw(datasets(rows))
    labels = len(data.class_names)
    kinds = [name for name, loss in LOSSES.items() if loss.targets == "numbers" or labels]
    loss = draw(st.sampled_from([name for name in kinds if labels == 2 or LOSSES[name].targets != "binary"]))
    units = 1 if LOSSES[loss].targets == "binary" else labels or data.y.shape[1]
    experiment = design(
        data,
        [*draw(layers(data)), Dense(units, use_bias=draw(st.booleans()))],
        loss=loss,
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        batch_size=batch,
        seed=draw(st.integers(0, 99)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
        split=SplitPlan(test_fraction=0.0),
        preprocessing=Preprocessing(
            features=draw(st.sampled_from(["auto", "none", "standardize", "minmax"])),
            targets="none" if labels else draw(st.sampled_from(["auto", "none", "standardize"])),
        ),
    )
    return experiment, data


@st.composite
def datasets(draw: Draw, rows: int) -> Dataset:
    """Samples of one dtype, with labels or with numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(3,), (1,), (17,), (64,), (4, 4), (2, 3, 3)]))
    stored: Any = draw(st.sampled_from(STORED))
    low = 0 if stored in ("uint8", "bool") else -3
    x = rng.normal(size=(rows, *shape)) if stored.startswith("f") else rng.integers(low, 5, (rows, *shape))
    weight = rng.uniform(0.1, 2.0, rows) if draw(st.booleans()) else None
    if draw(st.booleans()):
        labels = np.arange(rows) % draw(st.sampled_from([2, 3, 10 if rows > 10 else 2]))
        return from_arrays(x.astype(stored), rng.permutation(labels), sample_weight=weight)
    y = rng.normal(size=(rows, draw(st.sampled_from([1, 2, 5])))).astype(draw(st.sampled_from(["float32", "float64"])))
    return from_arrays(x.astype(stored), y, sample_weight=weight)


@st.composite
def layers(draw: Draw, data: Dataset) -> list[Layer]:
    """All but the last."""
    found: list[Layer] = [Flatten()] if len(data.x.shape) > 2 or draw(st.integers(0, 4)) == 0 else []
    for _ in range(draw(st.integers(0, 3))):
        activation, initializer = draw(st.sampled_from([*ACTIVATIONS])), draw(st.sampled_from([*INITIALIZERS]))
        apart, bias = draw(st.booleans()), draw(st.booleans())
        units = draw(st.sampled_from(WIDTHS))
        found.append(Dense(units, "linear" if apart else activation, use_bias=bias, kernel_initializer=initializer))
        found += [ActivationLayer(activation)] if apart else []
    return found


def curious(step: Step) -> Step:
    """The same step that measures every float on the way too."""
    floats = [node for node in step.graph.nodes if node.tensor.is_float and node.primitive != "input"]
    asked = {f"sum {index}": e.sum(Expr(node)).node for index, node in enumerate(floats)}
    graph = make_graph({**dict(step.graph.outputs), **asked}, step.graph.inputs, dict(step.graph.facts))
    return Step(graph, step.state, step.columns, step.rates, step.clock)


@settings(max_examples=12, suppress_health_check=SLOW)
@given(networks())
def test_each_update_is_that_of_the_reference(example: Example) -> None:
    agrees_with_the_reference(example)


@settings(max_examples=4, suppress_health_check=SLOW)
@given(networks())
def test_asking_for_every_value_on_the_way_changes_no_bit(example: Example) -> None:
    same_bits(trained(example, example.step), trained(example, example.asked))


@pytest.mark.parametrize("change", CHANGES)
@settings(max_examples=4, suppress_health_check=SLOW)
@given(example=networks())
def test_no_bit_depends_on_threads_strips_or_registers(change: Change, example: Example) -> None:
    same_bits(trained(example, example.step), changed(change, example, example.step))
