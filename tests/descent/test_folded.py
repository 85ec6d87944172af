"""A run of layers without an activation between them is one map of the collapse, wherever in the network it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.descent.collapse import collapse_of
from chainrule.explain.numbers import evaluate
from chainrule.graph.node import make_graph

# Activations of hidden layers with 3, 4, … units; the links of the chain of changes; the layers that are one map.
NETWORKS: dict[str, tuple[list[str], list[str], list[list[str]]]] = {
    "at the beginning": (
        ["linear", "linear", "relu"],
        ["dz³ = dx W¹ W² W³", "dz⁴ = (dz³ ⊙ 1[z³ > 0]) W⁴"],
        [["dense_1", "dense_2", "dense_3"]],
    ),
    "in the middle and at the end": (
        ["tanh", "linear", "relu", "linear"],
        ["dz¹ = dx W¹", "dz³ = (dz¹ ⊙ (1 − (a¹)²)) W² W³", "dz⁵ = (dz³ ⊙ 1[z³ > 0]) W⁴ W⁵"],
        [["dense_2", "dense_3"], ["dense_4", "dense_5"]],
    ),
    "nowhere": (["relu", "relu"], ["dz¹ = dx W¹", "dz² = (dz¹ ⊙ 1[z¹ > 0]) W²", "dz³ = (dz² ⊙ 1[z² > 0]) W³"], []),
    "everywhere": (["linear", "linear"], ["W = W¹ W² W³"], [["dense_1", "dense_2", "dense_3"]]),
}


def trained(activations: list[str]) -> cr.Run:
    net = [*(cr.Dense(3 + k, kind) for k, kind in enumerate(activations)), cr.Dense(2)]
    return cr.train(net, cr.load("moons", rows=60), epochs=2, dtype="float64", backend="reference", runs=None)


def said(page: cr.Page) -> str:
    return " ".join(page.text.split())


@pytest.mark.parametrize("name", NETWORKS)
def test_each_run_of_linear_layers_is_folded(name: str) -> None:
    activations, links, folded = NETWORKS[name]
    page = trained(activations).collapse()
    assert " ".join(links) in said(page)
    assert page.data["folded"] == folded


def test_the_page_counts_what_one_layer_in_their_place_would_have() -> None:
    """3 units to 4 to 5 with biases are 16 + 25 numbers, and one map of 3 to 5 has 20."""
    sentence = (
        "dense_2 and dense_3 have no activation between them: together they are one linear map of 3 to 5, which has 20 "
        "numbers where they have 41."
    )
    assert sentence in said(trained(NETWORKS["in the middle and at the end"][0]).collapse())
    assert "no activation between them" not in said(trained(["relu", "relu"]).collapse())


@pytest.mark.parametrize("name", ["at the beginning", "in the middle and at the end", "nowhere"])
def test_folded_or_not_a_change_of_x_arrives_at_the_change_of_z(name: str) -> None:
    """The links one after the other, against the product of Jacobians written out here."""
    activations = NETWORKS[name][0]
    run = trained(activations)
    x, dx = np.array([[0.4, -0.7], [-1.1, 0.2]]), np.array([[0.3, -0.2], [1.0, 0.5]])
    given: dict[str, Any] = {**run.weights, "input": x, "d input": dx}
    value, change = x, dx
    for k, kind in enumerate([*activations, "linear"], 1):
        z = value @ run.weights[f"dense_{k}.W"] + run.weights[f"dense_{k}.b"]
        change = change @ run.weights[f"dense_{k}.W"]
        given |= {f"dense_{k}.z": z}
        value = {"linear": z, "relu": np.maximum(z, 0.0), "tanh": np.tanh(z)}[kind]
        slope = {"linear": np.ones_like(z), "relu": (z > 0.0) * 1.0, "tanh": 1.0 - np.tanh(z) ** 2}[kind]
        change = change * slope
    for link in collapse_of(run.prepared, run.checkpoint.state, "reference").symbols.links:
        inputs = make_graph({"it": link.change}).input_names
        given[f"d {link.name}"] = evaluate({"it": link.change}, {each: given[each] for each in inputs})["it"]
    np.testing.assert_allclose(given[f"d dense_{len(activations) + 1}.z"], change, rtol=1e-12, atol=1e-14)


def test_beside_a_curved_activation_no_pattern_is_linear() -> None:
    data: Any = trained(["tanh", "relu"]).collapse().data
    assert data["patterns"] == 0
    assert "on or off" not in said(trained(["tanh", "relu"]).collapse())
    assert "With tanh and relu between the layers" in said(trained(["tanh", "relu"]).collapse())
