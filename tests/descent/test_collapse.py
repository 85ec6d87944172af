"""Layers multiplied out, held against products of matrices in NumPy; patterns and best maps against counting anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import html5lib
import numpy as np
import pytest

import chainrule as cr
from chainrule.data.dataset import Array
from chainrule.descent.collapse import collapse_of
from chainrule.document import Document, render_html, render_latex, render_text
from chainrule.explain.numbers import evaluate
from chainrule.graph.node import Node, make_graph
from tests.conftest import Golden

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0.0),
    "tanh": np.tanh,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


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
        x = ACTIVATIONS[activation](values[-1])
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
    assert data["product_off"] < 1e-14


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
    assert "With tanh between the layers" in " ".join(str(curved).split())
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


# ---- in symbols ----

# Numbers that float64 adds and multiplies exactly, so that nothing on the page is rounding.
HALVES: dict[str, list[Any]] = {
    "dense_1.W": [[1.0, -0.5], [0.5, 2.0]],
    "dense_1.b": [0.5, -1.0],
    "dense_2.W": [[2.0], [1.5]],
    "dense_2.b": [0.25],
}
XOR: dict[str, list[Any]] = {
    "dense_1.W": [[1.0, 1.0], [1.0, 1.0]],
    "dense_1.b": [0.0, -1.0],
    "dense_2.W": [[10.0], [-20.0]],
    "dense_2.b": [-5.0],
}


def by_hand(activation: str, weights: dict[str, list[Any]], **layer: Any) -> cr.Run:
    net = [cr.Dense(2, activation, **layer), cr.Dense(1, "sigmoid", **layer)]
    run = cr.train(net, "xor", loss="binary_cross_entropy", weights=weights, epochs=1, dtype="float64", runs=None)
    return run.at(0)


def said(page: cr.Page) -> str:
    return " ".join(str(page).split())


def test_the_products_are_derived_and_give_the_numbers() -> None:
    page = by_hand("linear", HALVES).collapse()
    assert "z² = x W + b W = W¹ W² b = b¹ W² + b²" in said(page)
    data: Any = page.data  # Any: plain JSON values
    assert (data["W"], data["b"], data["product_off"]) == ([[1.25], [4.0]], [-0.25], 0.0)  # by hand


def test_without_biases_nothing_is_left_at_zero() -> None:
    weights = {name: value for name, value in HALVES.items() if name.endswith("W")}
    page = by_hand("linear", weights, use_bias=False).collapse()
    assert "z² = x W W = W¹ W² In numbers" in said(page)
    assert page.data["b"] == [0.0]


def test_a_deeper_one_is_nested() -> None:
    assert "W = W¹ W² W³ b = (b¹ W² + b²) W³ + b³" in said(trained("linear").collapse())


def test_a_change_of_shape_goes_without_a_word() -> None:
    pictures = np.random.default_rng(0).normal(size=(20, 3, 2))
    flat = cr.train([cr.Flatten(), cr.Dense(2), cr.Dense(1)], (pictures, pictures[:, 0, :1]), epochs=1, runs=None)
    page = flat.collapse()
    assert "z² = x W + b W = W¹ W² b = b¹ W² + b²" in said(page)
    assert page.data["product_off"] < 1e-12  # type: ignore[operator]


@pytest.mark.parametrize(
    ("activation", "between"),
    [
        ("relu", "dz² = (dz¹ ⊙ 1[z¹ > 0]) W²"),
        ("tanh", "dz² = (dz¹ ⊙ (1 − (a¹)²)) W²"),
        ("sigmoid", "dz² = (dz¹ ⊙ a¹ ⊙ (1 − a¹)) W²"),
        ("softmax", "dz² = (a¹ ⊙ (dz¹ − (Σₖ dz¹ₖ · e^z¹ₖ)/(Σₖ e^z¹ₖ))) W²"),
    ],
)
def test_an_activation_puts_the_row_between_the_factors(activation: str, between: str) -> None:
    page = trained(activation).collapse()
    assert f"dz¹ = dx W¹ {between}" in said(page)
    assert page.data["product_off"] is None
    assert page.data["linear"] is False


@pytest.mark.parametrize("activation", ["relu", "tanh", "softmax"])
def test_layer_by_layer_a_change_of_x_arrives_at_a_change_of_z(activation: str) -> None:
    """Every link filled in, each with the change that the one before gave, against a difference of the network."""
    run = trained(activation)
    found = collapse_of(run.prepared, run.checkpoint.state, "reference").symbols
    x, dx = inputs(run)[:3], np.array([[0.3, -0.2], [1.0, 0.5], [-0.4, 0.1]])
    given: dict[str, Array] = {**run.weights, "input": x, "d input": dx}
    at_x, after = passed(run, x, activation), passed(run, x + 1e-6 * dx, activation)
    for link in found.links:
        change = evaluate({"it": link.change}, {name: given[name] for name in graph_inputs(link.change)})["it"]
        given |= {link.name: at_x[link.name], f"d {link.name}": change}
        np.testing.assert_allclose((after[link.name] - at_x[link.name]) / 1e-6, change, rtol=1e-4, atol=1e-7)


def graph_inputs(node: Node) -> tuple[str, ...]:
    return make_graph({"it": node}).input_names


def passed(run: cr.Run, x: Array, activation: str) -> dict[str, Array]:
    """Every pre-activation by name, by hand."""
    values, z = hidden(run, x, activation)
    return {"dense_1.z": values[0], "dense_2.z": values[1], "dense_3.z": z}


def test_where_no_unit_changes_sides_the_page_says_why_it_is_linear() -> None:
    x = np.array([[1.0], [2.0], [3.0]])
    run = cr.train(
        [cr.Dense(1, "relu", use_bias=False), cr.Dense(1)], (x, x[:, 0]), weights={"dense_1.W": [[1.0]]}, epochs=1,
        scale_features="none", test_fraction=0.0, runs=None,
    )  # fmt: skip
    page = run.collapse()
    assert page.data["linear"] is True
    assert "No unit of the hidden layers changes sides on these rows" in said(page)
    assert "dz² = (dz¹ ⊙ 1[z¹ > 0]) W²" in said(page)


def test_a_deep_network_shows_its_first_and_its_last_layers() -> None:
    run = cr.train([*(cr.Dense(2, "tanh") for _ in range(14)), cr.Dense(2)], cr.load("moons", rows=40), epochs=1,
                   runs=None)  # fmt: skip
    text = said(run.collapse())
    assert "dz⁶ = " in text
    assert "dz⁷ = " not in text
    assert "dz¹⁵ = " in text


# ---- as it is kept ----


def page(name: str) -> Document:
    made = {"collapse.linear": ("linear", HALVES), "collapse.xor": ("relu", XOR)}
    return by_hand(*made[name]).collapse().document


STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
PAGES = ("collapse.linear", "collapse.xor")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("alphabet", ["unicode", "ascii"])
def test_it_reads_as_kept(name: str, alphabet: str, golden: Golden) -> None:
    text = render_text(page(name), 80, ascii=alphabet == "ascii")
    assert text.isascii() or alphabet == "unicode"
    golden(f"{name}.{alphabet}.80.txt", text)


@pytest.mark.parametrize("name", PAGES)
def test_it_is_kept_as_latex_and_html(name: str, golden: Golden) -> None:
    latex, html = render_latex(page(name)), render_html(page(name))
    assert latex.isascii()
    golden(f"{name}.tex", latex)
    html5lib.HTMLParser(strict=True).parse(html)
    assert not re.search(r"<script|https?://", html)
    golden(f"{name}.html", STYLE.sub("<style></style>", html))
