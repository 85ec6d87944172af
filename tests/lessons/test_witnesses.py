"""What lessons say is computed again without them: by hand, by NumPy, or from known answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import Number, Table, find
from chainrule.draws import Purpose, normal
from tests.absent import require
from tests.lessons.runs import taught

SHARED = Path(__file__).resolve().parents[3] / "shared"
HOW = "it is shared beside the repository, and the values are public teaching material"


def numbers(lesson: str, statement: str) -> Any:
    return taught(lesson, 0).statement(statement).numbers


def cells(lesson: str, name: str) -> list[list[Any]]:
    found = find(taught(lesson, 0).page.document, name)
    assert isinstance(found, Table)
    return [[cell.value if isinstance(cell, Number) else cell for cell in row.cells] for row in found.rows]


def test_the_trace_of_one_weight_is_the_known_one() -> None:
    known = json.loads(require(SHARED / "golden" / "one_weight_trace.json", HOW).read_text())
    rows = cells("one-weight", "trace")
    off = [
        abs(ours - theirs[key])
        for (_, *own), theirs in zip(rows, known["rows"], strict=True)
        for ours, key in zip(own, ("loss", "weight", "output"), strict=True)
    ]
    assert len(off) == 33
    assert max(off) < 1e-15


def test_another_target_begins_with_another_loss() -> None:
    found = numbers("one-weight", "target")
    assert found["first_loss_with_other_target"] == pytest.approx((1.2 * 0.7 - 0.7) ** 2, rel=1e-12)


def test_a_chain_of_sigmoids_by_hand() -> None:
    def sigmoid(z: float) -> float:
        return 1 / (1 + math.exp(-z))

    value, product = 1.0, 1.0
    for _ in range(10):
        value = sigmoid(value)
        product *= value * (1 - value)
    assert numbers("vanishing", "product")["product"] == pytest.approx(product, rel=1e-9)
    assert numbers("vanishing", "product")["bound"] == 0.25**10


def test_the_slope_of_the_sigmoid_is_largest_at_a_quarter() -> None:
    assert numbers("vanishing", "quarter") == {"largest": 0.25, "at": 0.0}


def test_a_chain_of_tens_by_hand() -> None:
    assert numbers("exploding", "tenfold")["slope"] == pytest.approx(10.0**7, rel=1e-9)


def test_the_share_that_a_rate_leaves_by_hand() -> None:
    shares = numbers("learning-rate", "share")["shares"]
    assert shares["small"] == pytest.approx((1 - 2 * 0.1 * 1.44) ** 2, rel=1e-9)
    assert shares["too large"] == pytest.approx(1.2**2, rel=1e-9)


def test_linear_layers_multiply_out() -> None:
    rows = cells("activations", "map")
    moons = cr.load("moons", rows=400, noise=0.1, seed=0)
    run = cr.train(
        [*(cr.Dense(16, "linear") for _ in range(3)), cr.Dense(2)], moons, optimizer=cr.Adam(0.01), epochs=60,
        scale_features="none", dtype="float64", runs=None,
    )  # fmt: skip
    x = moons.x[:50].astype(np.float64)
    scores = x @ np.array([row[1:] for row in rows[:2]]) + np.array(rows[2][1:])
    share = 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))
    np.testing.assert_allclose(run.predict_proba(x)[:, 1], share, rtol=1e-9)


def test_units_are_dead_where_no_image_reaches_them() -> None:
    found = numbers("dying-relu", "rate")["dead"]
    digits = cr.load("digits")
    x = digits.x / 16
    layers = [cr.Dense(32, "relu", kernel_initializer="he_uniform"), cr.Dense(10)]
    run = cr.train(
        layers, x, digits.y, optimizer=cr.SGD(1.0), epochs=5, scale_features="none", test_fraction=0.0, runs=None
    )
    reached = np.any(x @ run.weights["dense_1.W"] + run.weights["dense_1.b"] > 0, axis=0)
    assert int(np.sum(~reached)) == found["1"]


def test_the_sizes_of_people_by_hand() -> None:
    rows = cells("unscaled-inputs", "slopes")
    assert rows[0][3] == pytest.approx(rows[0][2] / rows[0][1], rel=1e-12)
    assert rows[0][3] > 1000


def test_no_sigmoid_says_more_than_one() -> None:
    found = numbers("target-scale", "below")
    assert found["said"] <= 1.0 < found["smallest_target"]


def test_a_last_smaller_batch_is_counted() -> None:
    assert numbers("batch-sizes", "cut") == {"updates": 6, "last": 50}


def test_weights_by_hand_say_exclusive_or() -> None:
    for x1, x2, wanted, said in cells("xor", "by-hand"):
        score = 10 * max(0.0, x1 + x2) - 20 * max(0.0, x1 + x2 - 1) - 5
        assert said == pytest.approx(1 / (1 + math.exp(-score)), rel=1e-12)
        assert (said > 0.5) == wanted == (x1 != x2)


def test_where_xor_gets_stuck_is_where_rows_share_an_answer() -> None:
    places = {round(row[1], 2): row for row in cells("xor", "places")}
    thirds = (2 * math.log(3 / 2) + math.log(3)) / 4  # three rows answered with their mean, 2/3, and one right
    assert places[round(thirds, 2)][2] == "3 of 4"
    assert places[round(math.log(2), 2)][2] == "2 of 4"  # all four answered with 1/2
    assert sum(row[0] for row in places.values()) <= 100


def test_the_seeds_that_find_xor_find_it_alone_too() -> None:
    found = set[int]()
    for seed in range(12):
        run = cr.train(
            [cr.Dense(2, "relu"), cr.Dense(1, "sigmoid")], "xor", loss="binary_cross_entropy", optimizer=cr.Adam(0.05),
            batch_size=4, epochs=500, seed=seed, shuffle=False, runs=None,
        )  # fmt: skip
        found |= {seed} if run.evaluate("xor").metrics["accuracy"] == 1.0 else set()
    assert found == {seed for seed in numbers("xor", "finds")["right"] if seed < 12}
    assert found


def test_an_epoch_of_three_descents() -> None:
    found = numbers("three-descents", "updates")
    assert found == {"updates": {"batch": 1, "mini-batch": 6, "stochastic": 800}, "last_batch": 50}


def test_where_three_descents_lead() -> None:
    x = normal(0, Purpose.GENERATE, 0, (800, 2))
    y = x @ [[2.0], [-1.0]] + 0.5 * normal(0, Purpose.GENERATE, 1, (800, 1))
    best = np.linalg.lstsq(np.column_stack((x, np.ones(800))), y, rcond=None)[1][0] / 1600
    assert 0 <= numbers("three-descents", "settles")["losses"]["mini-batch"] - best < 0.01 * best


def test_the_nine_equations_by_hand() -> None:
    found = numbers("xor", "equations")["gradients"]
    run = cr.train([cr.Dense(2, "relu"), cr.Dense(1, "sigmoid")], "xor", epochs=1, dtype="float64", runs=None).at(0)
    (w1, b1, w2, b2), x = run.weights.values(), np.array([0.0, 1.0])
    z = x @ w1 + b1
    a = np.maximum(0.0, z)
    error = 1 / (1 + math.exp(-float((a @ w2 + b2)[0]))) - 1
    delta = error * w2[:, 0] * (z > 0)
    own = {"dense_1.b[0]": delta[0], "dense_1.b[1]": delta[1], "dense_2.b[0]": error}
    own |= {f"dense_1.W[{i}, {j}]": x[i] * delta[j] for i in range(2) for j in range(2)}
    own |= {f"dense_2.W[{i}, 0]": a[i] * error for i in range(2)}
    assert found == pytest.approx(own, rel=1e-12)
