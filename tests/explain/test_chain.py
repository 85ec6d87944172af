"""The way from a weight to the loss: which values it passes, in every kind of network."""

from __future__ import annotations

import pytest

from chainrule.explain.chain import Reader, Slope
from chainrule.explain.opened import Opened
from chainrule.nn.layers import ActivationLayer, Dense, Flatten, Layer
from tests.explain.subjects import setting, two_two_two, waves


def opened(
    layers: list[Layer], weight: str, y: object = (0, 1, 2), inputs: tuple[int, ...] = (3,), **fields: object
) -> Opened:
    return setting(layers, waves(1, (3, *inputs)), y, **fields).open(weight, (0, 1, 2))  # type: ignore[arg-type]


def adds_up(found: Opened, position: int = 0) -> None:
    """Start · slopes · input is the sample's gradient, and the paths are the start."""
    product = found.start(position).value * found.source(position)
    for step in found.steps(position):
        product *= found.slope(step, position)
    assert product == pytest.approx(float(found.per_sample[position]), rel=1e-12)
    if found.paths(position):
        assert sum(path.value for path in found.paths(position)) == pytest.approx(
            found.start(position).value, rel=1e-11
        )


def test_a_hidden_weight_passes_its_activation_and_the_next_layer() -> None:
    found = opened([Dense(4, "tanh"), Dense(3)], "dense_1.W[0, 1]")
    assert found.route.z == "dense_1.z"
    assert found.route.slopes == (Slope("dense_1.a", "dense_1.z"),)
    assert found.route.readers == (Reader("dense_2.z", "dense_2.W"),)
    assert found.route.beyond is None
    adds_up(found)


def test_a_linear_layer_has_no_slope() -> None:
    found = opened([Dense(4), Dense(3)], "dense_1.W[0, 1]")
    assert found.route.slopes == ()
    assert found.start(0).name == "dense_1.z"
    adds_up(found)


def test_activation_layers_are_steps_of_their_own() -> None:
    layers: list[Layer] = [Dense(4, "tanh"), ActivationLayer("sigmoid"), Dense(3)]
    found = opened(layers, "dense_1.W[0, 1]")
    assert found.route.slopes == (Slope("dense_1.a", "dense_1.z"), Slope("activation_1.a", "dense_1.a"))
    assert len(found.paths(0)) == 3
    adds_up(found)


def test_softmax_is_passed_by_the_row() -> None:
    found = opened([Dense(4, "tanh"), Dense(3)], "dense_2.W[0, 1]")
    assert found.route.beyond == "y_hat"
    assert found.steps(0) == ()
    assert [path.k for path in found.paths(0)] == [0, 1, 2]
    adds_up(found)


def test_a_softmax_between_two_layers_is_passed_by_the_row_too() -> None:
    found = opened([Dense(4, "softmax"), Dense(3)], "dense_1.W[0, 1]")
    assert found.route.beyond == "dense_1.a"
    assert found.route.readers == ()
    assert len(found.paths(1)) == 4
    adds_up(found, 1)


def test_a_sigmoid_of_cross_entropy_is_a_step_like_any_other() -> None:
    """The safe form of the loss does not pass ŷ; the book's does."""
    found = opened([Dense(4, "tanh"), Dense(1)], "dense_2.W[0, 0]", y=(0, 1, 1))
    assert found.steps(0) == (Slope("y_hat", "dense_2.z"),)
    assert found.start(0).name == "y_hat"
    assert found.paths(0) == []
    adds_up(found)


def test_where_the_output_is_the_prediction_the_chain_starts_there() -> None:
    found = opened([Dense(4, "tanh"), Dense(2)], "dense_2.b[1]", y=waves(2, (3, 2)))
    assert found.route.beyond is None
    assert found.paths(0) == []
    assert found.is_bias
    adds_up(found)


@pytest.mark.parametrize("weight", ["dense_1.W[4, 1]", "dense_2.W[1, 2]"])
def test_flattening_is_passed_without_a_word(weight: str) -> None:
    layers: list[Layer] = [Flatten(), Dense(4, "relu"), Flatten(), Dense(3)]
    found = opened(layers, weight, inputs=(3, 2))
    adds_up(found)
    page = setting(layers, waves(1, (3, 3, 2)), [0, 1, 2]).page(weight, (0,))
    assert page.subtitle.startswith("weight from input 4" if weight.startswith("dense_1") else "weight from unit 1")  # type: ignore[union-attr]


def test_the_last_delta_is_the_one_of_the_book() -> None:
    """ŷ − y for cross-entropy given that the rows of y sum to 1; two factors for a squared sigmoid."""
    cross = opened([Dense(3)], "dense_1.W[0, 1]")
    assert cross.last_delta.is_short
    assert [fact.name for fact, _ in cross.last_delta.facts] == ["ROWS_SUM_TO_ONE"]
    squared = two_two_two().open("dense_1.W[0, 0]")
    assert not squared.last_delta.is_short
    assert [factor.of for factor in squared.factors(squared.route.readers[0], 0)] == ["loss", "prediction"]
