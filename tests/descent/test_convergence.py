"""Runs whose end is known, named by their evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs.converging import convergence


def one_weight(rate: float, epochs: int) -> cr.Run:
    return cr.train(
        [cr.Dense(1, use_bias=False)], "one_weight", loss="mse", optimizer=cr.SGD(rate), epochs=epochs, dtype="float64",
        weights={"dense_1.W": [[0.7]]}, runs=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "epochs", "rest"),
    [(0.1, 100, "converged"), (0.1, 11, "still falling"), (0.8, 12, "diverging"), (0.1, 2, "too short"),
     (1e-5, 30, "plateau")],
)  # fmt: skip
def test_the_one_weight_network_ends_as_known(rate: float, epochs: int, rest: str) -> None:
    """The distance to 1/3 is multiplied by 1 − 2.88 η an update."""
    run = one_weight(rate, epochs)
    page = convergence(run)
    data: Any = page.data  # Any: plain JSON values
    assert data["rest"] == rest
    before, now = (float(run.at(step).weights["dense_1.W"][0, 0]) for step in (epochs - 1, epochs))
    assert data["update"] == pytest.approx(abs(now - before) / abs(now), rel=1e-9)
    window = np.array(run.history["loss"][-data["epochs"] :])
    half = len(window) // 2
    assert data["change"] == pytest.approx(window[half:].mean() / window[:half].mean() - 1)
    assert max(map(len, str(page).splitlines())) <= 80
