"""Layers as they are typed."""

from __future__ import annotations

import pytest

from chainrule.cli.layers_text import read_layers
from chainrule.errors import InputError
from chainrule.nn.layers import ActivationLayer, Dense, Flatten


def test_layers_are_read_in_order() -> None:
    text = "flatten, dense(64, relu, use_bias=false), activation(tanh),dense( 10 , kernel_initializer = he_normal)"
    assert read_layers(text) == (
        Flatten(),
        Dense(64, "relu", use_bias=False),
        ActivationLayer("tanh"),
        Dense(10, kernel_initializer="he_normal"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dnse(3)", "did you mean 'dense'"),
        ("dense(3, rleu)", "did you mean 'relu'"),
        ("dense(3, units_=4)", "did you mean 'units'"),
        ("dense(three)", "dense\\(three\\)"),
        ("dense", "units"),
        ("dense(0)", "units"),
        ("dense(3) dense(4)", "names no layer"),
        ("activation(tanh, a, b)", "more options than there are: kind, name"),
        ("; rm", "names no layer"),
    ],
)
def test_what_is_no_layer_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_layers(text)
    assert "\n" not in str(caught.value)
