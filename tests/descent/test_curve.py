"""The loss over one weight: the one-weight network to the last digit, slopes, minima, kinks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import RunError, ShapeError, UnknownNameError
from tests.absent import require

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="module")
def one_weight() -> cr.Run:
    return cr.train(
        [cr.Dense(1, use_bias=False)], cr.load("one_weight"), loss="mse", optimizer=cr.SGD(0.1), epochs=11,
        dtype="float64", weights={"dense_1.W": [[0.7]]}, runs=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def moons() -> cr.Run:
    net = [cr.Dense(4, "tanh"), cr.Dense(2)]
    return cr.train(net, cr.load("moons", rows=50), epochs=30, seed=2, dtype="float64", optimizer="adam", runs=None)


def test_the_one_weight_story(one_weight: cr.Run) -> None:
    """x = 1.2, y = 0.4: L = (1.2 w − 0.4)², ∂L/∂w = 2.88 w − 0.96, which is 0 at w = 1/3."""
    data = one_weight.curve("dense_1.W[0, 0]").data
    for place in data["places"]:  # type: ignore[union-attr]
        w = place["weight"]
        assert place["loss"] == pytest.approx((1.2 * w - 0.4) ** 2, rel=1e-12, abs=1e-15)
        assert place["slope"] == pytest.approx(2.88 * w - 0.96, rel=1e-12, abs=1e-14)
        assert place["bend"] == pytest.approx(2.88, rel=1e-12)
    assert data["minimum"]["weight"] == pytest.approx(1 / 3, rel=1e-14)  # type: ignore[index]
    assert data["parabola"] is True


def test_every_step_of_the_known_trace(one_weight: cr.Run) -> None:
    known = json.loads(
        require(SHARED / "golden" / "one_weight_trace.json", "it is shared beside the repository").read_text()
    )
    steps = one_weight.curve("dense_1.W[0, 0]").data["steps"]
    assert steps[0]["weight"] == known["w0"]  # type: ignore[index]
    for ours, before, row in zip(steps[1:], steps[:-1], known["rows"], strict=True):  # type: ignore[index,arg-type]
        assert ours["weight"] == pytest.approx(row["weight"], abs=1e-15)
        assert before["loss"] == pytest.approx(row["loss"], abs=1e-15)


def test_the_page_says_how_fast_it_nears_the_minimum(one_weight: cr.Run) -> None:
    said = " ".join(str(one_weight.curve("dense_1.W[0, 0]")).split())
    assert "L = 1.44 (w − 0.333333)²" in said
    assert "1 − η L″ = 1 − 0.1 · 2.88 = +0.712, so it comes nearer from one side" in said
    too_fast = one_weight.experiment.but(optimizer=cr.SGD(0.6), epochs=3, initial_weights=None)
    said = " ".join(str(cr.run_experiment(too_fast, runs=None).curve("dense_1.W[0, 0]")).split())
    assert "−0.728, so it overshoots, and comes nearer from side to side" in said
    far_too_fast = too_fast.but(optimizer=cr.SGD(0.8))
    said = " ".join(str(cr.run_experiment(far_too_fast, runs=None).curve("dense_1.W[0, 0]")).split())
    assert "so it grows: the rate is too large" in said


def test_slopes_are_those_of_explained_weights_and_of_differences(moons: cr.Run) -> None:
    for weight in ("dense_1.W[1, 2]", "dense_1.b[0]", "dense_2.W[3, 1]"):
        data = moons.curve(weight).data
        here = data["here"]
        rows = [int(row) for row in moons.prepared.rows]
        explained = moons.explain(weight, samples=rows).data["gradient"]
        assert here["slope"] == pytest.approx(explained, rel=1e-10, abs=1e-14)  # type: ignore[index,arg-type]
        places = data["places"]
        w, loss, slope = (np.array([place[key] for place in places]) for key in ("weight", "loss", "slope"))  # type: ignore[union-attr,index]
        between = np.diff(loss) / np.diff(w)
        assert np.abs(between - (slope[1:] + slope[:-1]) / 2).max() < 2e-2 * np.abs(slope).max()


def test_the_minimum_is_where_the_slope_crosses_zero(moons: cr.Run) -> None:
    found = 0
    for weight in ("dense_1.b[0]", "dense_1.b[1]", "dense_2.b[0]", "dense_2.W[0, 0]"):
        data = moons.curve(weight).data
        minimum = data["minimum"]
        if minimum is None:
            continue
        found += 1
        assert abs(minimum["slope"]) < 1e-9  # type: ignore[index,operator,arg-type]
        assert minimum["bend"] >= 0  # type: ignore[index,operator]
        near = [place["loss"] for place in data["places"] if abs(place["weight"] - minimum["weight"]) < 0.2]  # type: ignore[union-attr,index,operator]
        assert minimum["loss"] <= min(near) + 1e-12  # type: ignore[index,type-var,operator]
    assert found >= 2


def test_a_slope_that_is_rounding_is_told_as_0() -> None:
    x = np.array([[1.0], [2.0], [3.1]])
    options = {"optimizer": cr.SGD(0.1), "dtype": "float64", "runs": None, "test_fraction": 0.0}
    run = cr.train([cr.Dense(1)], x, 0.7 * x + 0.1, epochs=9, **options)
    said = " ".join(run.curve("dense_1.W[0, 0]").text.split())
    assert "where the slope is 0" in said
    assert not re.search(r"where the slope is \S*e-1\d", said)


def test_a_minimum_at_a_kink_is_told_as_one() -> None:
    """Of x = ±1 and y = −1 one unit max(0, w x) makes (|w| + 1)²/2 + 1/2: its slope jumps from −1 to +1 at 0."""
    x = np.array([[1.0], [-1.0]])
    y = np.array([-1.0, -1.0])
    run = cr.train(
        [cr.Dense(1, "relu", use_bias=False)], (x, y), loss="mse", optimizer=cr.SGD(0.01), epochs=1, dtype="float64",
        scale_features="none", scale_targets="none", test_fraction=0.0, runs=None,
        weights={"dense_1.W": [[0.5]]},
    )  # fmt: skip
    page = run.curve("dense_1.W[0, 0]", low=-1.0, high=1.7)
    assert page.data["minimum"]["weight"] == pytest.approx(0.0, abs=1e-10)  # type: ignore[index]
    below, above = page.data["jump"]  # type: ignore[misc]
    assert (below, above) == pytest.approx((-1.0, 1.0))
    assert "the slope jumps from −1 to +1" in " ".join(str(page).split())


def test_where_there_is_no_minimum_it_says_so() -> None:
    run = cr.train(
        [cr.Dense(1, use_bias=False)], cr.load("one_weight"), loss="mse", optimizer=cr.SGD(0.1), epochs=1, runs=None
    )
    page = run.curve("dense_1.W[0, 0]", low=1.0, high=2.0)
    assert page.data["minimum"] is None
    assert "ever less of this weight lowers the loss" in " ".join(str(page).split())


@pytest.mark.parametrize(
    ("weight", "ends", "error", "said"),
    [
        ("dense_3.W[0, 0]", {}, UnknownNameError, "unknown parameter 'dense_3.W'"),
        ("dense_1.W[9, 0]", {}, ShapeError, "lies outside dense_1.W"),
        ("dense_1.W[0, 0]", {"low": 2.0, "high": 1.0}, RunError, "give the smaller end first"),
    ],
)
def test_what_does_not_exist_is_told(
    moons: cr.Run, weight: str, ends: dict[str, float], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        moons.curve(weight, **ends)
