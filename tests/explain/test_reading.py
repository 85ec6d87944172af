"""The sentences are derived from the numbers: each branch, with the numbers that lead to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.document import Document, Labeled, find
from chainrule.document.text.spans import Pen
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam
from tests.explain.subjects import Setting, setting, two_two_two, waves

W = "dense_1.W[0, 0]"


def said(page: Document, block: str = "reading") -> str:
    """The words of a labeled block in one line."""
    found = find(page, block)
    assert isinstance(found, Labeled)
    pen = Pen()
    return " ".join(pen.line(each.content) for each in found.blocks)  # type: ignore[union-attr]


def through(
    first: list[list[float]], second: list[list[float]], x: list[float], y: list[float], **fields: Any
) -> Setting:
    """Two inputs, tanh, then linear outputs: everything by hand, halves of squared errors."""
    weights = {"dense_1.W": first, "dense_2.W": second}
    layers = [Dense(len(first[0]), "tanh", use_bias=False), Dense(len(second[0]), use_bias=False)]
    return setting(layers, [x], [y], weights=weights, loss="half_squared_error", **fields)


# ---- which way ----


def test_a_positive_gradient_moves_the_weight_down_and_a_negative_one_up() -> None:
    up = through([[0.1], [0.1]], [[1.0]], [1.0, 0.5], [5.0])
    down = through([[0.1], [0.1]], [[1.0]], [1.0, 0.5], [-5.0])
    assert said(up.page(W)).startswith("More of this weight lowers the loss, so the update moves it up. ")
    assert said(down.page(W)).startswith("More of this weight raises the loss, so the update moves it down. ")


def test_memory_may_outweigh_the_gradient() -> None:
    made = two_two_two(optimizer=SGD(0.1, momentum=0.9), slots={"dense_1.W/velocity": [[0.5, 0.0], [0.0, 0.0]]})
    assert "raises the loss, yet the update moves it up: what the optimizer remembers" in said(made.page(W))
    helped = two_two_two(optimizer=SGD(0.1, momentum=0.9), slots={"dense_1.W/velocity": [[-0.5, 0.0], [0.0, 0.0]]})
    assert "raises the loss, so the update moves it down." in said(helped.page(W))


def test_a_step_too_small_for_float64_is_told() -> None:
    made = two_two_two(optimizer=SGD(1e-30))
    assert "but the step is too small to change it." in said(made.page(W))


def test_a_frozen_weight_stays() -> None:
    page = two_two_two().page("dense_1.b[0]")
    assert "but it is not trained and stays as it is." in said(page)
    assert said(page, "update") == "none: dense_1.b is not trained"


# ---- paths ----


def test_paths_that_pull_against_each_other() -> None:
    """The worked example: +0.0553994 and -0.0190491, so 2 · 0.0190491 of 0.0744485 is lost."""
    assert (
        "Of 2 paths, 1 pulls the other way and cancels 51% of all pull. "
        "The largest, through k = 0, makes 74% of all pull." in said(two_two_two().page(W))
    )


def test_several_against_the_rest() -> None:
    made = through([[0.1], [0.1]], [[1.0, 1.0, -1.0, -1.0]], [1.0, 0.5], [-4.0, -4.0, -1.0, -1.0])
    assert "Of 4 paths, 2 pull the other way and cancel " in said(made.page(W))


def test_paths_that_agree() -> None:
    made = through([[0.1], [0.1]], [[1.0, 2.0]], [1.0, 0.5], [-5.0, -5.0])
    assert "Both paths pull the same way. The largest, through k = 1, makes " in said(made.page(W))
    three = through([[0.1], [0.1]], [[1.0, 2.0, 1.0]], [1.0, 0.5], [-5.0, -5.0, -5.0])
    assert "All 3 paths pull the same way" in said(three.page(W))


def test_a_single_path_is_not_told() -> None:
    assert "path" not in said(through([[0.1], [0.1]], [[1.0]], [1.0, 0.5], [5.0]).page(W))


# ---- small factors ----


def test_a_small_slope_is_pointed_at() -> None:
    """tanh(3) has the slope 0.00987."""
    made = through([[3.0], [0.0]], [[1.0]], [1.0, 1.0], [5.0])
    assert "What makes it small is the slope of the activation, 0.00987." in said(made.page(W))


def test_a_small_input_is_pointed_at() -> None:
    made = through([[0.1], [0.1]], [[1.0]], [0.02, 0.021], [5.0])
    assert "What makes it small is the input to this weight, 0.02." in said(made.page(W))


def test_of_two_small_factors_the_smaller_is_named() -> None:
    made = through([[60.0], [0.0]], [[1.0]], [0.05, 0.05], [5.0])
    assert "the slope of the activation, 0.00987" in said(made.page(W))


def test_ordinary_factors_are_not_blamed() -> None:
    assert "small" not in said(through([[0.1], [0.1]], [[1.0]], [1.0, 0.5], [5.0]).page(W))


def test_deltas_that_vanish_on_the_way_back() -> None:
    layers = [*(Dense(3, "sigmoid") for _ in range(6)), Dense(2)]
    made = setting(layers, waves(1, (2, 3)), [0, 1])
    text = said(made.page("dense_1.W[0, 0]"))
    norms = [np.linalg.norm(made.open(W).values[f"∂ dense_{i}.z"]) for i in (7, 1)]
    assert norms[1] < 0.01 * norms[0]
    assert f"On the way back the deltas shrink from {norms[0]:.3g} to " in text
    assert "On the way back" not in said(setting(layers[-3:], waves(1, (2, 3)), [0, 1]).page("dense_1.W[0, 0]"))


# ---- neighbors ----


def test_a_stronger_neighbor_is_named_with_its_factor() -> None:
    assert "With the same δ, dense_1.W[1, 0] gets exactly twice as much: its input is 0.1." in said(
        two_two_two().page(W)
    )
    made = through([[0.1], [0.1]], [[1.0]], [0.5, -1.6], [5.0])
    assert "dense_1.W[1, 0] gets 3.2 times as much the other way: its input is −1.6." in said(made.page(W))


def test_the_strongest_weight_itself_has_no_such_neighbor() -> None:
    made = through([[0.1], [0.1]], [[1.0]], [0.5, -1.6], [5.0])
    assert "same δ" not in said(made.page("dense_1.W[1, 0]"))
    nearly = through([[0.1], [0.1]], [[1.0]], [1.0, 1.2], [5.0])
    assert "same δ" not in said(nearly.page(W))


# ---- zeros ----


def zeros(**fields: Any) -> Setting:
    """A ReLU unit that is off on both samples beside one that is on; the last input is 0."""
    return setting(
        [Dense(2, "relu"), Dense(2)],
        [[1.0, 0.5, 0.0], [2.0, 1.0, 0.0]],
        [0, 1],
        weights={"dense_1.W": [[-1.0, 1.0], [-1.0, 1.0], [0.5, 0.5]], "dense_2.W": [[1.0, -1.0], [0.5, 0.0]]},
        **fields,
    )


def test_a_dead_unit_is_named_with_living_weights() -> None:
    page = zeros().page(W)
    assert said(page, "zero") == ("Unit 0 of dense_1 is off: its pre-activation is −1.5, where its slope is exactly 0.")
    alive = find(page, "alive").data["alive"]
    assert [each["weight"] for each in alive] == ["dense_1.W[0, 1]", "dense_1.W[1, 1]"]  # type: ignore[index,union-attr]
    for each in alive:  # type: ignore[union-attr]
        assert zeros().open(each["weight"]).gradient == each["gradient"] != 0.0
    with pytest.raises(LookupError):
        find(page, "reading")


def test_an_input_of_exactly_0() -> None:
    assert said(zeros().page("dense_1.W[2, 1]"), "zero") == "The input to this weight is exactly 0."


def test_every_zero_factor_is_told() -> None:
    text = said(zeros().page("dense_1.W[2, 0]"), "zero")
    assert text.startswith("The input to this weight is exactly 0; unit 0 of dense_1 is off")


def test_nothing_that_comes_back() -> None:
    made = through([[0.1], [0.1]], [[0.0]], [1.0, 0.5], [5.0])
    text = said(made.page(W), "zero")
    assert text == "Nothing comes back to unit 0 of dense_1: its adjoint is exactly 0, as is its only path."


def test_a_whole_parameter_that_is_dead_points_elsewhere() -> None:
    made = setting(
        [Dense(2, "relu"), Dense(2)],
        [[1.0, 1.0], [2.0, 2.0]],
        [0, 1],
        weights={"dense_1.W": -np.ones((2, 2)), "dense_2.W": np.eye(2), "dense_2.b": [0.5, 0.0]},
    )
    assert said(made.page(W), "alive").startswith("dense_2.b[")


def test_paths_that_cancel_exactly() -> None:
    made = through([[0.0], [0.0]], [[1.0, -1.0]], [1.0, 0.5], [5.0, 5.0])
    text = said(made.page(W), "zero")
    assert text == "Nothing comes back to unit 0 of dense_1: its adjoint is exactly 0, as its paths cancel."


# ---- batches ----


def test_a_batch_in_conflict_says_who_outvotes_whom() -> None:
    made = setting([Dense(1, use_bias=False)], [[1.0], [1.0], [3.0], [0.0]], [[1.0], [2.0], [-1.0], [9.0]],
                   weights={"dense_1.W": [[0.0]]}, loss="half_squared_error")  # fmt: skip
    opened = made.open("dense_1.W[0, 0]", range(4))
    assert [float(term) for term in opened.contributions] == [-0.25, -0.5, 0.75, 0.0]
    page = made.page("dense_1.W[0, 0]", range(4))
    assert said(page, "zero") == "The samples' contributions are not 0, but add up to exactly 0."
    assert said(page).startswith(
        "1 sample wants it smaller and 2 samples want it larger; 1 does not mind. Their wishes"
    )
    three = made.page("dense_1.W[0, 0]", (0, 2, 3))
    assert said(three) == (
        "1 sample wants it smaller and 1 sample wants it larger; 1 does not mind. Their wishes cancel 50% of each "
        "other. Sample 2 (-1) asks loudest and makes 75% of all wishes, and outvotes all others together. More of "
        "this weight raises their loss, so the update moves it down. "
    )


def test_a_loudest_sample_may_be_outvoted() -> None:
    made = setting([Dense(1, use_bias=False)], [[1.0]] * 3, [[2.0], [2.0], [-3.0]],
                   weights={"dense_1.W": [[0.0]]}, loss="half_squared_error")  # fmt: skip
    assert "Sample 2 (-3) asks loudest and makes 43% of all wishes, and is outvoted." in said(made.page(W, range(3)))


def test_a_batch_that_agrees() -> None:
    made = setting([Dense(1, use_bias=False)], [[1.0]] * 3, [[2.0], [2.5], [3.0]],
                   weights={"dense_1.W": [[0.0]]}, loss="half_squared_error", optimizer=Adam())  # fmt: skip
    text = said(made.page(W, range(3)))
    assert text.startswith("3 samples want it larger. Sample 2 (3) asks loudest")
    assert "cancel" not in text
    assert text.endswith("More of this weight lowers their loss, so the update moves it up. ")


def test_a_batch_of_zeros_says_why() -> None:
    page = zeros().page(W, (0, 1))
    assert said(page, "zero").startswith("Every sample's contribution is exactly 0; of the first, unit 0 of dense_1")


# ---- numbers that are none ----


def test_the_first_number_that_is_not_finite_is_named() -> None:
    made = two_two_two()
    broken = Setting(made.prepared, {**made.state, "dense_2.W": np.full((2, 2), np.nan)})
    assert (
        said(broken.page(W)) == "dense_2.W holds numbers that are not finite, so what follows from them says nothing."
    )
    assert said(broken.page(W, (0, 0))).startswith("dense_2.W holds numbers")
    grown = Setting(made.prepared, {**made.state, "dense_2.W": np.array([[np.inf, 0.0], [0.0, 0.0]])})
    assert said(grown.page(W)).startswith("dense_2.W holds")
