"""What a person misspells of layers, optimizers, losses and their like is answered with the nearest."""

from __future__ import annotations

import inspect

import msgspec
import pytest

import chainrule as cr
from chainrule.nn.layers import LAYERS


@pytest.mark.parametrize(
    ("kind", "named", "sentence"),
    [
        (cr.SGD, {"lr": 0.1}, "unknown argument of SGD 'lr': did you mean 'learning_rate'"),
        (cr.Adam, {"eps": 0.1}, "unknown argument of Adam 'eps': did you mean 'epsilon'"),
        (cr.Dense, {"units": 3, "activaton": "relu"}, "did you mean 'activation'"),
        (cr.Dense, {}, "Dense needs units, and got none"),
        (cr.ActivationLayer, {"kind": "relu", "nmae": "a"}, "did you mean 'name'"),
        (cr.Flatten, {"nmae": "a"}, "did you mean 'name'"),
        (cr.initializers.Constant, {"valeu": 1.0}, "did you mean 'value'"),
        (cr.Network, {"layer": []}, "did you mean 'layers'"),
    ],
)
def test_a_field_that_does_not_exist_is_answered_with_the_nearest(
    kind: type[object], named: dict[str, object], sentence: str
) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=sentence):
        kind(**named)


def test_layers_one_after_the_other_are_to_be_listed() -> None:
    with pytest.raises(cr.errors.ArgumentError, match="Network takes one list of layers, and 2 arguments came"):
        cr.Network(cr.Dense(3), cr.Dense(2))  # pyright: ignore[reportCallIssue]


def test_structs_are_read_and_shown_as_before() -> None:
    assert list(inspect.signature(cr.Dense).parameters)[:2] == ["units", "activation"]
    given = cr.Network([cr.Dense(3, "relu"), cr.Flatten(), cr.Dense(2)])
    assert msgspec.json.decode(msgspec.json.encode(given), type=cr.Network) == given
    assert msgspec.structs.replace(cr.SGD(0.1), momentum=0.5) == cr.SGD(0.1, 0.5)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"type": "dense", "unit": 3}', type=LAYERS["dense"])


@pytest.mark.parametrize(
    ("room", "name", "nearest"),
    [
        ("losses", "crossentropy", "cross_entropy"),
        ("losses", "MSE", "mse"),
        ("activations", "rleu", "relu"),
        ("initializers", "he_unifrom", "he_uniform"),
        ("layers", "Dnse", "Dense"),
        ("optimizers", "Sgd", "SGD"),
    ],
)
def test_a_name_that_a_module_lacks_is_answered_with_the_nearest(room: str, name: str, nearest: str) -> None:
    module = getattr(cr, room)
    with pytest.raises(AttributeError, match=f"name in chainrule.{room} '{name}': did you mean '{nearest}'") as caught:
        getattr(module, name)
    assert isinstance(caught.value, cr.errors.UnknownAttributeError)
    assert getattr(module, nearest) is not None
    assert not hasattr(module, "__wrapped__")


def test_short_names_and_initializers_are_what_training_takes() -> None:
    assert cr.losses.mse is cr.losses.mean_squared_error  # pyright: ignore[reportAttributeAccessIssue]
    name = cr.initializers.he_uniform  # pyright: ignore[reportAttributeAccessIssue]
    assert cr.Dense(3, kernel_initializer=name) == cr.Dense(3, kernel_initializer="he_uniform")
