"""Random networks on random data, one a seed: every activation and loss, weighted and frozen, shallow and deep."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layers import ActivationLayer, Dense, Layer
from tests.explain.subjects import Setting, setting

ROWS = 7
SEEDS = range(24)
LOSSES = ("categorical_cross_entropy", "binary_cross_entropy", "half_squared_error", "mean_squared_error")
LINKS = {"categorical_cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


def random_setting(seed: int) -> Setting:
    """The network of a seed: its loss and the activation of its first layer go round, so that none is left out."""
    rng = np.random.default_rng(seed)
    loss = LOSSES[seed % len(LOSSES)]
    names = list(ACTIVATIONS)
    outputs = int(rng.integers(1 + (loss == "categorical_cross_entropy"), 5))
    layers: list[Layer] = []
    for depth in range(int(rng.integers(0, 4))):
        activation = names[seed % len(names)] if depth == 0 else str(rng.choice(names))
        layers += _layer(int(rng.integers(2, 6)), activation, bool(rng.integers(2)), apart=bool(rng.integers(2)))
    last = LINKS.get(loss) or str(rng.choice(names))
    ending = last if rng.integers(2) and (outputs > 1 or last != "softmax") else "linear"
    layers += _layer(outputs, ending, bool(rng.integers(2)), apart=bool(rng.integers(2)))
    width = int(rng.integers(1, 5))
    fields: dict[str, Any] = {"loss": loss, "seed": seed}
    if rng.integers(2):
        fields["sample_weight"] = rng.uniform(0.2, 3.0, ROWS)
    if len(layers) > 2 and rng.integers(2):
        fields["frozen"] = ("dense_1.*",)
    made = setting(layers, rng.normal(size=(ROWS, width)), targets(rng, loss, outputs), **fields)
    state = {name: rng.normal(size=value.shape) / np.sqrt(value.shape[0]) for name, value in made.state.items()}
    return Setting(made.prepared, state, step=int(rng.integers(100)))


def _layer(units: int, activation: str, use_bias: bool, *, apart: bool) -> list[Layer]:
    """A dense layer with its activation, within it or in a layer of its own."""
    if apart and activation != "linear":
        return [Dense(units, use_bias=use_bias), ActivationLayer(activation)]
    return [Dense(units, activation, use_bias=use_bias)]


def targets(rng: np.random.Generator, loss: str, outputs: int, rows: int = ROWS) -> np.ndarray:
    """Targets that fit the loss, one row a sample."""
    match loss:
        case "categorical_cross_entropy":
            return np.arange(rows) % outputs
        case "binary_cross_entropy" if outputs == 1:
            return np.arange(rows) % 2
        case "binary_cross_entropy":
            return rng.integers(0, 2, (rows, outputs)).astype(float)
        case _:
            return rng.normal(size=(rows, outputs))


def random_weights(made: Setting, row: int, seed: int) -> list[str]:
    """Two weights: any, and one whose gradient on this row is not 0, if there is one."""
    rng = np.random.default_rng(1000 + seed)
    parameter = str(rng.choice(made.names))
    shape = made.state[parameter].shape
    anywhere = tuple(int(rng.integers(size)) for size in shape)
    gradient = made.open(_written(parameter, anywhere), (row,)).values["gradient"]
    alive = np.argwhere(gradient != 0.0)
    moving = [tuple(int(i) for i in np.atleast_1d(rng.choice(alive)))] if len(alive) else []
    return [_written(parameter, index) for index in (anywhere, *moving)]


def _written(parameter: str, index: tuple[int, ...]) -> str:
    return f"{parameter}[{', '.join(map(str, index))}]"
