"""Layers multiplied out, held against products of matrices in NumPy; patterns and best maps against counting anew."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data.dataset import Array


def trained(activation: str, **options: object) -> cr.Run:
    net = [cr.Dense(8, activation), cr.Dense(5, activation), cr.Dense(2)]
    return cr.train(net, cr.load("moons", rows=100), epochs=5, seed=1, dtype="float64", runs=None, **options)  # type: ignore[arg-type]


def inputs(run: cr.Run) -> Array:
    """The training rows as the first layer reads them."""
    x = run.prepared.columns["x"][run.prepared.rows].astype(np.float64)
    scaling = run.record.features
    return (x - np.asarray(scaling.shift)) / np.asarray(scaling.scale)


def hidden(run: cr.Run, x: Array, activation: str) -> tuple[list[Array], Array]:
    """The pre-activations of the hidden layers, and z, by hand."""
    w, values = run.weights, []
    for layer in ("dense_1", "dense_2"):
        values.append(x @ w[f"{layer}.W"] + w[f"{layer}.b"])
        x = {"relu": lambda z: np.maximum(z, 0.0), "tanh": np.tanh, "linear": lambda z: z}[activation](values[-1])
    return values, x @ w["dense_3.W"] + w["dense_3.b"]


def test_linear_layers_are_the_product_of_their_matrices() -> None:
    run = trained("linear")
    page, w = run.collapse(), run.weights
    data: Any = page.data  # Any: plain JSON values
    assert data["linear"] is True
    np.testing.assert_allclose(data["W"], w["dense_1.W"] @ w["dense_2.W"] @ w["dense_3.W"], rtol=1e-12, atol=1e-14)
    b = (w["dense_1.b"] @ w["dense_2.W"] + w["dense_2.b"]) @ w["dense_3.W"] + w["dense_3.b"]
    np.testing.assert_allclose(data["b"], b, rtol=1e-12, atol=1e-14)
    x = inputs(run)
    off = np.abs(hidden(run, x, "linear")[1] - (x @ np.array(data["W"]) + np.array(data["b"]))).max()
    assert off < 1e-14 * 100
    assert data["off"] < 1e-13
    assert data["unexplained"] == pytest.approx(0.0, abs=1e-20)
    assert data["patterns"] == 0


def test_with_relu_there_is_a_map_for_each_pattern() -> None:
    run = trained("relu")
    data: Any = run.collapse().data  # Any: plain JSON values
    x = inputs(run)
    values, z = hidden(run, x, "relu")
    on = np.hstack([value > 0.0 for value in values])
    patterns, counts = np.unique(on, axis=0, return_counts=True)
    assert data["linear"] is False
    assert data["patterns"] == len(patterns) > 1
    assert data["rows_of_pattern"] == counts.max()
    assert data["off_in_pattern"] < 1e-13
    off = np.abs(z - (x @ np.array(data["W"]) + np.array(data["b"])))
    assert data["off"] == pytest.approx(off.max(), rel=1e-9)
    assert data["off"] > 1e-3


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_best_map_is_that_of_least_squares(activation: str) -> None:
    run = trained(activation)
    x = inputs(run)
    z = hidden(run, x, activation)[1]
    design = np.hstack((x, np.ones((len(x), 1))))
    left = z - design @ np.linalg.pinv(design) @ z
    wanted = (left**2).sum() / ((z - z.mean(axis=0)) ** 2).sum()
    assert run.collapse().data["unexplained"] == pytest.approx(wanted, rel=1e-8)
    assert wanted > 1e-6


def test_the_page_says_which_it_is() -> None:
    linear, curved = trained("linear").collapse(), trained("tanh").collapse()
    assert str(linear).startswith("One linear map")
    assert "81 numbers do what one map of 6 does" in " ".join(str(linear).split())
    assert str(curved).startswith("No linear map")
    assert "With tanh between the layers" in str(curved)
    assert "pattern" not in str(curved)
    for page in (linear, curved):
        assert max(map(len, str(page).splitlines())) <= 80
        assert json.loads(page.to_json())["rows"] == 80
        assert page.html
        assert page.latex


def test_one_layer_and_images_collapse_too() -> None:
    alone = cr.train([cr.Dense(2)], cr.load("spirals", rows=60), epochs=1, runs=None)
    found: Any = alone.collapse().data  # Any: plain JSON values
    np.testing.assert_allclose(found["W"], alone.weights["dense_1.W"], rtol=1e-6)
    pictures = np.random.default_rng(0).normal(size=(20, 3, 2))
    flat = cr.train([cr.Flatten(), cr.Dense(2), cr.Dense(1)], (pictures, pictures[:, 0, :1]), epochs=1, runs=None)
    data: Any = flat.collapse().data  # Any: plain JSON values
    w = flat.weights
    np.testing.assert_allclose(data["W"], w["dense_1.W"].astype(float) @ w["dense_2.W"], rtol=1e-5, atol=1e-6)
    assert data["linear"] is True
