"""Two hundred random networks: what the JSON of a page says holds to the last digits, and PyTorch retains the same.

Depth 1 to 6, every layer, activation and loss; a weight and a sample of each at random, half of the weights with a
gradient that is not 0.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Final

import numpy as np
import pytest

from chainrule.document.record import to_json
from chainrule.explain.chain import way_of
from chainrule.explain.nudges import nudges_of
from chainrule.explain.subject import parse_weight
from chainrule.explain.walkthrough import explain_sample
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layers import LAYERS, ActivationLayer, Dense, Flatten, Layer
from tests.explain.in_torch import InTorch
from tests.explain.networks import LINKS, LOSSES, targets
from tests.explain.subjects import Setting, setting

NETWORKS: Final = 200
ROWS: Final = 5
DEEPEST: Final = 6
SUM: Final = 1e-12  # of Σ|terms|, in float64
FACTOR: Final = 1e-10  # relative, of each factor; beside it what cancels in a sum of numbers of the size of 1
ABSOLUTE: Final = 1e-13


@functools.cache
def network(seed: int) -> Setting:
    """The network of a seed; loss, depth and activations go round, so that none is left out."""
    rng = np.random.default_rng([seed, 7])
    loss, names = LOSSES[seed % len(LOSSES)], list(ACTIVATIONS)
    outputs = int(rng.integers(1 + (loss == "categorical_cross_entropy"), 5))
    shape = (ROWS, 2, 3) if seed % 5 == 0 else (ROWS, int(rng.integers(1, 6)))
    layers: list[Layer] = [Flatten()] if len(shape) == 3 else []
    for depth in range(seed % DEEPEST):
        activation = names[(seed + depth) % len(names)]
        apart = activation != "linear" and bool(rng.integers(2))
        layers.append(Dense(int(rng.integers(2, 7)), "linear" if apart else activation, use_bias=bool(rng.integers(4))))
        layers += [ActivationLayer(activation)] if apart else []
    last = LINKS.get(loss) or names[seed % len(names)]
    layers.append(Dense(outputs, last if seed % 3 and (outputs > 1 or last != "softmax") else "linear"))
    counts = rng.uniform(0.2, 3.0, ROWS) if seed % 4 == 1 else None
    x, y = rng.normal(size=shape), targets(rng, loss, outputs, ROWS)
    made = setting(layers, x, y, sample_weight=counts, loss=loss, seed=seed)
    state = {name: rng.normal(size=value.shape) / np.sqrt(value.shape[0]) for name, value in made.state.items()}
    return Setting(made.prepared, state)


@functools.cache
def chosen(seed: int) -> tuple[int, str]:
    """A sample and a weight; of every second seed one whose gradient is not 0."""
    made, rng = network(seed), np.random.default_rng([seed, 8])
    row, name = int(rng.integers(ROWS)), str(rng.choice(made.names))
    index = tuple(int(rng.integers(size)) for size in made.state[name].shape)
    if seed % 2:
        gradients = InTorch(made, (row,)).backward()
        alive = [(each, place) for each in made.names for place in np.argwhere(gradients[each] != 0.0)]
        name, place = alive[int(rng.integers(len(alive)))]
        index = tuple(int(axis) for axis in place)
    return row, f"{name}[{', '.join(map(str, index))}]"


@functools.cache
def handed(seed: int) -> dict[str, Any]:
    """The page's JSON, as another program reads it."""
    row, weight = chosen(seed)
    return json.loads(to_json(explain_sample(network(seed).open(weight, (row,)))))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(NETWORKS))
def test_what_the_page_says_holds(seed: int) -> None:
    data = handed(seed)
    terms = np.array(data["terms"])
    size = float(np.sum(np.abs(terms)))
    assert data["not_finite"] == {}
    assert abs(np.sum(terms) - data["gradient"]) <= SUM * size
    for witness in data["witnesses"]:
        assert witness["kink"] or witness["difference"] <= witness["bound"], (data["weight"], witness)
    _as_in_torch(seed, data)
    _nudges_average(seed)


def _near(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=FACTOR, atol=ABSOLUTE)


def _as_in_torch(seed: int, data: dict[str, Any]) -> None:
    """Every factor of the chain: the adjoint it starts with, slopes, delta, input, and both ends of each path."""
    made, (row, weight) = network(seed), chosen(seed)
    kept = InTorch(made, (row,))
    adjoints = kept.backward()
    parameter, index = parse_weight(weight, made.subject((row,)).parameters)
    unit = index[-1]
    _near(data["gradient"], adjoints[parameter][index])
    _near(data["adjoint"]["value"], adjoints[data["adjoint"]["name"]][0, unit])
    _near(data["delta"]["value"], adjoints[data["delta"]["name"]][0, unit])
    for slope in data["slopes"]:
        _near(slope["value"], kept.slope(slope["of"], slope["by"])[0, unit])
    for path in data["paths"]:
        if path["through"].endswith(".z"):
            layer = path["through"].removesuffix(".z")
            _near(np.prod(path["factors"][:-1]), adjoints[path["through"]][0, path["unit"]])
            _near(path["factors"][-1], made.state[f"{layer}.W"][unit, path["unit"]])
        else:
            _near(path["factors"][0], adjoints[path["through"]][0, path["unit"]])


def _nudges_average(seed: int) -> None:
    """The mean of the nudges of all samples is minus the gradient of the batch, which PyTorch has too."""
    made, rows = network(seed), tuple(range(ROWS))
    subject = made.subject(rows)
    name, index = parse_weight(chosen(seed)[1], subject.parameters)
    found = nudges_of(subject, way_of(subject), [(name, index)])
    assert np.all(np.abs(found.average + found.gradients) <= SUM * found.sizes)
    _near(-found.average[0], InTorch(made, rows).backward()[name][index])


def test_together_they_cover_the_vocabulary() -> None:
    made = [network(seed) for seed in range(NETWORKS)]
    layers = [layer for each in made for layer in each.prepared.experiment.network]
    assert {type(layer) for layer in layers} == set(LAYERS.values())
    assert {getattr(layer, "activation", getattr(layer, "kind", None)) for layer in layers} >= set(ACTIVATIONS)
    assert {each.prepared.experiment.loss for each in made} == set(LOSSES)
    assert {sum(isinstance(layer, Dense) for layer in each.prepared.experiment.network) for each in made} == set(
        range(1, DEEPEST + 1)
    )


@pytest.mark.slow
def test_half_of_the_gradients_are_not_zero() -> None:
    assert sum(handed(seed)["gradient"] != 0.0 for seed in range(1, NETWORKS, 8)) == len(range(1, NETWORKS, 8))
