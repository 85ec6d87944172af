"""The update on the page is the one that training makes, for every optimizer, at the first step and later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.document import find, render_text
from chainrule.explain.update import update_of
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam, Optimizer
from chainrule.train.fit import fit
from tests.explain.subjects import Setting, setting, two_two_two, waves

ROWS = 6
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": SGD(0.3),
    "momentum": SGD(0.1, momentum=0.9),
    "nesterov": SGD(0.1, momentum=0.8, nesterov=True),
    "adam": Adam(0.02),
    "adam without memory": Adam(0.02, beta_1=0.0),
}


def after(optimizer: Optimizer, epochs: int, **fields: Any) -> Setting:
    """The state after so many steps, each on all rows."""
    layers = [Dense(3, "tanh"), Dense(2)]
    made = setting(
        layers,
        waves(1, (ROWS, 2)),
        np.arange(ROWS) % 2,
        optimizer=optimizer,
        batch_size=ROWS,
        epochs=max(epochs, 1),
        **fields,
    )
    if epochs == 0:
        return made
    done = fit(made.prepared.experiment, made.prepared.dataset)
    return Setting(made.prepared, done.state, step=epochs)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("done", [0, 1, 4])
def test_the_update_is_what_training_does_next(optimizer: str, done: int) -> None:
    before, following = after(OPTIMIZERS[optimizer], done), after(OPTIMIZERS[optimizer], done + 1)
    for weight, name, index in (("dense_1.W[1, 2]", "dense_1.W", (1, 2)), ("dense_2.b[0]", "dense_2.b", (0,))):
        page = before.page(weight, range(ROWS))
        said = find(page, "update").data
        assert said["before"] == before.state[name][index]
        assert said["after"] == pytest.approx(float(following.state[name][index]), rel=1e-12)
        assert said["after"] != said["before"]


def test_a_weighted_batch_moves_as_training_moves_it() -> None:
    weights = [1.0, 3.0, 0.5, 2.0, 1.0, 0.25]
    before, following = (after(SGD(0.3), done, sample_weight=weights) for done in (0, 1))
    said = find(before.page("dense_1.W[0, 0]", range(ROWS)), "update").data
    assert said["after"] == pytest.approx(float(following.state["dense_1.W"][0, 0]), rel=1e-12)


def test_adam_is_told_with_its_corrected_means() -> None:
    slots = {"dense_1.W/m": [[0.001, 0.0], [0.0, 0.0]], "dense_1.W/v": [[1e-6, 0.0], [0.0, 0.0]]}
    made = two_two_two(optimizer=Adam(0.01), step=3, slots=slots)
    update = update_of(made.open("dense_1.W[0, 0]"))
    assert update is not None
    g = made.open("dense_1.W[0, 0]").gradient
    m, v = 0.9 * 0.001 + 0.1 * g, 0.999 * 1e-6 + 0.001 * g * g
    m_hat, v_hat = m / (1 - 0.9**4), v / (1 - 0.999**4)
    assert update.after == pytest.approx(0.15 - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-7), rel=1e-12)
    text = render_text(made.page("dense_1.W[0, 0]"), 80)
    for line in (
        f"m ← 0.9 · 0.001 + 0.1 · {g:.6g} = {m:.9g}",
        f"m̂ = {m:.6g}/0.3439",
        f"= {v_hat:.9g}",
        "(Adam, η = 0.01, alone)",
    ):
        assert line in text
    assert "e^" not in text.partition("The update")[2].partition("Checked")[0]  # the powers of β are numbers by now


def test_momentum_is_told_in_two_lines() -> None:
    made = two_two_two(optimizer=SGD(0.1, momentum=0.9), slots={"dense_1.W/velocity": [[0.001, 0.0], [0.0, 0.0]]})
    text = made.text("dense_1.W[0, 0]")
    assert "v ← 0.9 · 0.001 − 0.1 · 0.000438568 = 0.000856143" in text
    assert "W¹₀₀ ← 0.15 + 0.000856143 = 0.150856143" in text
    assert "(SGD with momentum 0.9, η = 0.1, alone)" in text


def test_what_is_not_trained_has_no_update() -> None:
    made = two_two_two()
    assert update_of(made.open("dense_1.b[0]")) is None
    assert find(made.page("dense_1.b[0]"), "update").data == {}
