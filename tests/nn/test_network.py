"""Networks name, count, check and apply their layers."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from chainrule.errors import ExperimentError, ShapeError, UnknownNameError
from chainrule.graph.expr import Expr, variable
from chainrule.graph.tensor_type import named
from chainrule.nn.initializers import Constant
from chainrule.nn.layers import ActivationLayer, Dense, Flatten
from chainrule.nn.network import Network
from tests.nn.values import array

n = named("n")


def variables(network: Network, shape: tuple[int, ...]) -> dict[str, Expr]:
    return {each.name: variable(each.name, "float64", each.shape) for each in network.parameters(shape)}


def forward(network: Network, *shape: int) -> Any:
    return network.forward(variable("x", "float64", (n, *shape)), variables(network, shape))


# ---- names and counts ----


def test_the_digits_network_has_13002_weights_and_biases() -> None:
    network = Network([Dense(16, "sigmoid"), Dense(16, "sigmoid"), Dense(10)])
    rows = network.summary((784,))
    assert [(row.layer, row.kind, row.output_shape, row.parameters) for row in rows] == [
        ("dense_1", "dense", (16,), 12_560),
        ("dense_2", "dense", (16,), 272),
        ("dense_3", "dense", (10,), 170),
    ]
    assert network.parameter_count((784,)) == 13_002
    assert network.output_shape((784,)) == (10,)


def test_parameters_bear_their_layers_name() -> None:
    network = Network([Flatten(), Dense(3, use_bias=False), ActivationLayer("relu"), Dense(2, name="last")])
    described = [(each.name, each.shape, each.role, each.initializer) for each in network.parameters((2, 2))]
    assert described == [
        ("dense_1.W", (4, 3), "kernel", "glorot_uniform"),
        ("last.W", (3, 2), "kernel", "glorot_uniform"),
        ("last.b", (2,), "bias", "zeros"),
    ]


def test_a_layer_is_numbered_among_its_kind_whatever_the_others_are_called() -> None:
    network = Network([Dense(3, name="first"), ActivationLayer("relu"), Dense(3), ActivationLayer("tanh"), Dense(1)])
    assert network.names == ("first", "activation_1", "dense_2", "activation_2", "dense_3")


def test_values_are_named_in_order_and_linear_is_one_node() -> None:
    found = forward(Network([Dense(3, "relu"), ActivationLayer("tanh"), Dense(2)]), 4)
    assert list(found.values) == ["dense_1.z", "dense_1.a", "activation_1.a", "dense_2.z", "dense_2.a"]
    assert found.values["dense_1.z"].node is not found.values["dense_1.a"].node
    assert found.values["dense_2.z"].node is found.values["dense_2.a"].node is found.output.node


@pytest.mark.parametrize(
    ("layers", "last"),
    [
        ([Dense(2)], "linear"),
        ([Dense(2, "softmax")], "softmax"),
        ([Dense(2), ActivationLayer("sigmoid")], "sigmoid"),
        ([Dense(2, "relu"), ActivationLayer("linear"), Flatten()], "relu"),
        ([Flatten()], "linear"),
        ([Dense(2, "relu"), Dense(2)], "linear"),
    ],
)
def test_what_a_network_ends_in(layers: list[Any], last: str) -> None:
    assert Network(layers).last_activation == last


# ---- what it computes ----


def test_two_layers_by_hand() -> None:
    """x = (1, 2), W¹ columns (1, 1) and (1, -1), b¹ = (0, 0.5): z¹ = (3, -0.5), a¹ = (3, 0), then 2 · 3 - 1 = 5."""
    found = forward(Network([Dense(2, "relu"), Dense(1)]), 2)
    given = {"dense_1.W": [[1.0, 1.0], [1.0, -1.0]], "dense_1.b": [0.0, 0.5], "dense_2.W": [[2.0], [7.0]]}
    inputs: dict[str, Any] = {"x": [[1.0, 2.0]], **given, "dense_2.b": [-1.0]}
    expected = {"dense_1.z": [[3.0, -0.5]], "dense_1.a": [[3.0, 0.0]], "dense_2.z": [[5.0]], "dense_2.a": [[5.0]]}
    assert {name: array(each, **inputs).tolist() for name, each in found.values.items()} == expected


def test_an_activation_by_itself_is_the_same_formula() -> None:
    x = variable("x", "float64", (n, 3))
    inside, beside = Network([Dense(2, "gelu")]), Network([Dense(2), ActivationLayer("gelu")])
    parameters = variables(inside, (3,))
    assert inside.forward(x, parameters).output.node is beside.forward(x, parameters).output.node


def test_flattening_reads_the_last_axis_fastest() -> None:
    images = np.arange(24.0).reshape(2, 3, 4)
    found = forward(Network([Flatten()]), 3, 4).output
    assert array(found, x=images).tolist() == images.reshape(2, 12).tolist()
    assert found.shape == (n, 12)


def test_a_dense_layer_without_bias_has_none() -> None:
    found = forward(Network([Dense(1, use_bias=False)]), 2)
    inputs: dict[str, Any] = {"x": [[1.0, 2.0]], "dense_1.W": [[3.0], [4.0]]}
    assert array(found.output, **inputs).tolist() == [[11.0]]


# ---- as data ----


def test_a_network_is_written_and_read_back() -> None:
    network = Network(
        [
            Flatten(),
            Dense(16, "relu", kernel_initializer="he_normal", bias_initializer=Constant(0.1), name="first"),
            ActivationLayer("tanh"),
            Dense(10, use_bias=False),
        ]
    )
    written = msgspec.json.encode(network)
    again = msgspec.json.decode(written, type=Network)
    assert again == network
    assert hash(again) == hash(network)
    assert msgspec.json.encode(again) == written


@pytest.mark.parametrize(
    "text",
    [
        '{"layers": [{"type": "dense", "units": 4, "wieght": 1}]}',
        '{"layers": [{"type": "conv", "units": 4}]}',
        '{"layers": [{"type": "dense", "units": 4.5}]}',
        '{"layers": [{"type": "dense", "units": 4, "activation": "rleu"}]}',
        '{"layers": [{"type": "dense", "units": 4, "bias_initializer": {"type": "constant", "value": null}}]}',
        '{"layers": []}',
    ],
)
def test_what_is_no_network_is_not_read(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Network)


def test_whole_numbers_of_numpy_are_whole_numbers() -> None:
    units = Dense(np.int64(3)).units  # type: ignore[arg-type]
    assert type(units) is int


def test_a_layer_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Dense(3).units = 4  # type: ignore[misc]


# ---- what is refused ----

dense: Any = Dense  # as code without types calls them
network_of: Any = Network


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Dense(0), "units, and got 0"),
        (lambda: Dense(-3), "at least 1"),
        (lambda: dense(2.0), "units, and got 2.0"),
        (lambda: Dense(True), "got True"),
        (lambda: dense("16"), "got '16'"),
        (lambda: Dense(2, "rleu"), "did you mean 'relu'?"),
        (lambda: dense(2, None), "unknown activation 'None'"),
        (lambda: dense(2, ["relu"]), "unknown activation"),
        (lambda: dense(2, use_bias=0), "true or false as use_bias"),
        (lambda: Dense(2, kernel_initializer="glorot"), "unknown initializer 'glorot'"),
        (lambda: Dense(2, bias_initializer="constant"), "write Constant(0.1)"),
        (lambda: dense(2, bias_initializer=0.1), "a name or Constant(value)"),
        (lambda: Dense(2, name="a.b"), "got 'a.b'; rename it"),
        (lambda: Dense(2, name=""), "got ''"),
        (lambda: Dense(2, name="W*"), "got 'W*'"),
        (lambda: ActivationLayer("tahn"), "did you mean 'tanh'?"),
        (lambda: Flatten(name="1st"), "a flatten layer needs a name"),
        (lambda: Network([]), "at least one layer"),
        (lambda: network_of(Dense(2)), "write Network([Dense(10)])"),
        (lambda: network_of([Dense(2), 10]), "item 1 is 10; write Dense(16)"),
        (lambda: Network([Dense(2, name="a"), Flatten(), Dense(2, name="a")]), "layers 1 and 3 are both named a"),
        (lambda: Network([Dense(2, name="dense_2"), Dense(2)]), "layers 1 and 2 are both named dense_2"),
    ],
)
def test_mistakes_get_a_sentence(make: Any, sentence: str) -> None:
    with pytest.raises((ExperimentError, UnknownNameError)) as caught:
        make()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("shape", "said"), [((3, 4), r"dense_2: .* shape \(3, 4\); put a flatten"), ((0,), "dense_2")])
def test_a_shape_that_does_not_fit_names_the_layer(shape: tuple[int, ...], said: str) -> None:
    network = Network([ActivationLayer("relu"), Dense(2, name="dense_2")])
    with pytest.raises(ShapeError, match=said):
        network.parameters(shape)
    with pytest.raises(ShapeError, match=said):
        network.forward(variable("x", "float64", (n, *shape)), {})


def test_a_batch_with_an_unknown_number_of_features_is_refused() -> None:
    for shape in ((n, named("m")), ()):
        with pytest.raises(ShapeError, match="name only n"):
            Network([Dense(2)]).forward(variable("x", "float64", shape), {})


def test_a_missing_or_turned_parameter_is_named() -> None:
    network, x = Network([Dense(2)]), variable("x", "float64", (n, 3))
    right = variables(network, (3,))
    with pytest.raises(UnknownNameError, match=r"unknown parameter 'dense_1.b'"):
        network.forward(x, {"dense_1.W": right["dense_1.W"]})
    with pytest.raises(ShapeError, match=r"dense_1.W has shape \(3, 2\), and got \(2, 3\)"):
        network.forward(x, {**right, "dense_1.W": variable("dense_1.W", "float64", (2, 3))})
