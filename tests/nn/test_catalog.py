"""The catalog leads from each name to its member, and from a wrong name to the nearest."""

from __future__ import annotations

from typing import Any

import pytest

from chainrule.errors import ExperimentError, UnknownNameError
from chainrule.nn import catalog
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.initializers import INITIALIZERS, Constant
from chainrule.nn.layers import LAYERS, ActivationLayer, Dense, Flatten
from chainrule.nn.losses import LOSSES
from chainrule.nn.optimizers import SGD, Adam


def test_layers() -> None:
    assert catalog.layer("dense", units=16, activation="relu") == Dense(16, "relu")
    assert catalog.layer("activation", kind="tanh", name="squash") == ActivationLayer("tanh", "squash")
    assert catalog.layer("flatten") == Flatten()


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_written_with_its_catalog_name(name: str) -> None:
    assert LAYERS[name].__struct_config__.tag == name


def test_optimizers() -> None:
    assert catalog.optimizer("sgd", learning_rate=0.5) == SGD(0.5)
    assert catalog.optimizer("momentum", learning_rate=0.5) == SGD(0.5, 0.9)
    assert catalog.optimizer("nesterov", momentum=0.8) == SGD(0.01, 0.8, nesterov=True)
    assert catalog.optimizer("adam", epsilon=1e-8) == Adam(epsilon=1e-8)


def test_activations_losses_and_initializers() -> None:
    assert all(catalog.activation(name) is row for name, row in ACTIVATIONS.items())
    assert all(catalog.loss(name) is row for name, row in LOSSES.items())
    assert catalog.loss("cross_entropy") is LOSSES["categorical_cross_entropy"]
    assert all(catalog.initializer(name) == name for name in INITIALIZERS)
    assert catalog.initializer("constant", value=2) == Constant(2.0)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: catalog.layer("dens", units=3), "unknown layer 'dens': did you mean 'dense'?"),
        (lambda: catalog.layer("dense", unit=3), "unknown option of dense 'unit': did you mean 'units'?"),
        (lambda: catalog.activation("sigmod"), "unknown activation 'sigmod': did you mean 'sigmoid'?"),
        (lambda: catalog.loss("half_square_error"), "did you mean 'half_squared_error'?"),
        (lambda: catalog.optimizer("adma"), "unknown optimizer 'adma': did you mean 'adam'?"),
        (lambda: catalog.optimizer("adam", beta1=0.5), "did you mean 'beta_1'?"),
        (lambda: catalog.initializer("glorot_unifrom"), "did you mean 'glorot_uniform'?"),
        (lambda: catalog.initializer("zeros", value=1), "unknown option of zeros 'value'"),
        (lambda: catalog.layer(""), "unknown layer ''"),
    ],
)
def test_unknown_names_get_a_guess(ask: Any, sentence: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        ask()
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda: catalog.layer("dense"), "dense needs units, and got none; add units="),
        (lambda: catalog.initializer("constant"), "constant needs value, and got none; add value="),
        (lambda: catalog.optimizer("momentum", learning_rate=-1), "got -1"),
        (lambda: catalog.optimizer("nesterov", momentum=0.0), "nesterov needs a momentum above 0"),
    ],
)
def test_options_are_checked(ask: Any, sentence: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        ask()
    assert sentence in str(caught.value)
