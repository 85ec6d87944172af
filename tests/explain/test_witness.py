"""Witnesses catch planted errors in the derivative table, and claim nothing at a kink."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from chainrule.autodiff.derivatives import DERIVATIVES
from chainrule.document import find, render_text
from chainrule.explain import chain, rounding, textbook
from chainrule.explain.witness import Witness
from chainrule.graph import expr as e
from chainrule.nn.layers import Dense
from tests.explain.subjects import Setting, setting, waves

METHODS = ["central difference", "complex step", "forward mode"]


def shallow(activation: str, **fields: Any) -> Setting:
    """A network of one hidden layer whose gradients are not 0."""
    weights = {"dense_1.W": waves(1, (2, 3)), "dense_1.b": waves(2, (3,)), "dense_2.W": waves(3, (3, 2))}
    return setting([Dense(3, activation), Dense(2)], waves(4, (3, 2)), [0, 1, 1], weights=weights, **fields)


def verdicts(made: Setting, weight: str = "dense_1.W[0, 1]", rows: tuple[int, ...] = (0,)) -> dict[str, bool]:
    return {witness.method: witness.agrees for witness in made.open(weight, rows).witnesses}


def test_all_agree_on_a_true_derivative() -> None:
    assert verdicts(shallow("tanh")) == dict.fromkeys(METHODS, True)
    assert verdicts(shallow("tanh"), rows=(0, 1, 2)) == dict.fromkeys(METHODS, True)


# ---- errors, planted in the table ----


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """What was derived with another table is forgotten, before and after."""
    kept = (chain._way, rounding._all_moved, textbook._textbook)
    for each in kept:
        each.cache_clear()
    yield
    for each in kept:
        each.cache_clear()


WRONG: dict[str, tuple[str, Callable[..., Any]]] = {
    "a wrong sign": ("tanh", lambda dy, y, x: (dy * (1.0 + y * y),)),
    "the whole with a wrong sign": ("tanh", lambda dy, y, x: (-(dy * (1.0 - y * y)),)),
    "a missing factor": ("tanh", lambda dy, y, x: (dy,)),
    "x in place of y": ("tanh", lambda dy, y, x: (dy * (1.0 - x * x),)),
    "half a product rule": ("sigmoid", lambda dy, y, x: (dy * y,)),
    "a thousandth too much": ("sigmoid", lambda dy, y, x: (dy * (1.001 * y * (1.0 - y)),)),
    "exp without itself": ("exp", lambda dy, y, x: (dy * x,)),
    "log upside down": ("log", lambda dy, y, x: (dy * x,)),
    "a product that is not transposed": ("matmul", lambda dy, y, a, b: (dy @ b.T, -(a.T @ dy))),
    "a sum that forgets to repeat": ("add", lambda dy, y, a, b: (dy, e.like(0.0, dy))),
}


@pytest.mark.parametrize("error", WRONG)
def test_central_difference_and_complex_step_catch_a_planted_error(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    primitive, rule = WRONG[error]
    monkeypatch.setitem(DERIVATIVES, primitive, rule)
    activation = primitive if primitive in ("tanh", "sigmoid") else "tanh"
    weight = "dense_1.b[1]" if primitive == "add" else "dense_1.W[0, 1]"
    found = verdicts(shallow(activation), weight)
    assert not found["central difference"]
    assert not found["complex step"]


def test_forward_mode_catches_an_error_in_the_way_back_alone() -> None:
    """It reads the same table, but multiplies from the other end."""
    opened = shallow("tanh").open("dense_1.W[0, 1]")
    wrong = {**opened.way.gradients, "dense_1.W": (e.Expr(opened.way.gradients["dense_1.W"]) * 1.001).node}
    opened.way = replace(opened.way, gradients=wrong)
    assert [witness.agrees for witness in opened.witnesses] == [False, False, False]


def test_a_disagreement_is_told_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DERIVATIVES, "tanh", WRONG["a missing factor"][1])
    assert shallow("tanh").text("dense_1.W[0, 1]").count("DISAGREES") == 2


# ---- kinks ----


def at_zero(activation: str, slope: float = 1.0) -> Setting:
    """One hidden unit whose pre-activation on the first sample is exactly 0, and on the second 3."""
    return setting(
        [Dense(1, activation), Dense(2)],
        [[slope, 1.0], [2.0, -1.0]],
        [0, 1],
        weights={"dense_1.W": [[1.0], [-slope]], "dense_1.b": [0.0], "dense_2.W": [[1.0, 2.0]]},
    )


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
def test_nothing_is_claimed_at_a_kink(activation: str) -> None:
    made = at_zero(activation)
    page = made.page("dense_1.W[0, 0]")
    witnesses = made.open("dense_1.W[0, 0]").witnesses
    assert witnesses
    assert all(each.kink and not each.agrees and each.verdict == "at a kink" for each in witnesses)
    text = render_text(page, 80)
    assert "agrees" not in text
    assert "DISAGREES" not in text
    assert "no derivative" in text
    assert find(page, "kink")


def test_a_kink_that_can_be_avoided_is_avoided_by_a_smaller_step() -> None:
    """The pre-activation is 1e-6, far nearer than the first step, which would see both slopes."""
    made = at_zero("relu")
    state = {**made.state, "dense_1.b": np.array([1e-6])}
    central, *_ = Setting(made.prepared, state).open("dense_1.W[0, 0]").witnesses
    assert not central.kink
    assert central.agrees
    assert central.step is not None
    assert central.step < 1e-6


def test_a_smooth_function_at_the_same_place_has_no_kink() -> None:
    for activation in ("softplus", "gelu", "silu", "tanh", "sigmoid"):
        witnesses = at_zero(activation).open("dense_1.W[0, 0]").witnesses
        assert all(each.agrees for each in witnesses), activation


def test_a_unit_at_its_kink_that_this_weight_cannot_move_is_no_kink() -> None:
    """With input 0 the weight moves nothing."""
    made = at_zero("relu", slope=0.0)
    assert all(each.agrees for each in made.open("dense_1.W[0, 0]").witnesses)


def test_numbers_that_are_not_finite_are_neither_agreement_nor_disagreement() -> None:
    verdict = Witness("central difference", 1e-4, float("nan"), float("nan"), float("nan"))
    assert not verdict.agrees
    assert verdict.verdict == "not finite"
