"""The page of a weight tells how its chain was simplified: formulas that are equal, and the laws that led there."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from chainrule.document import Equations, Labeled, find, render_latex, render_text, walk
from chainrule.explain.numbers import evaluate
from chainrule.explain.steps import LAWS, MOVES_A_SIGN, SIGNS
from chainrule.nn.layers import Dense
from tests.explain.derivations import derivation, formulas
from tests.explain.subjects import Setting, setting, two_two_two, waves

NETWORKS: dict[str, tuple[list[Dense], str]] = {
    "softmax": ([Dense(3, "tanh"), Dense(3)], "sparse_categorical_cross_entropy"),
    "sigmoid": ([Dense(3, "sigmoid"), Dense(3)], "sparse_categorical_cross_entropy"),
    "silu": ([Dense(2, "silu"), Dense(2, "tanh"), Dense(3)], "sparse_categorical_cross_entropy"),
}
MOVING = {LAWS[rule][0] for rule in MOVES_A_SIGN}


def network(name: str) -> Setting:
    layers, _ = NETWORKS[name]
    return setting(layers, waves(3, (4, 2)), [0, 1, 2, 1])


def laws(made: Setting, weight: str) -> list[list[dict[str, Any]]]:
    """Of each derivative on the page, the laws that were used."""
    block = find(made.page(weight), "simplified")
    assert isinstance(block, Labeled)
    found: list[Any] = [each.data["laws"] for each in walk(block) if isinstance(each, Equations)]
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_simplified_is_the_same_number(name: str) -> None:
    opened = network(name).open("dense_1.W[0, 1]")
    for form in (opened.last_delta, *(opened.formula(step) for step in opened.route.slopes)):
        given = {node: opened.values.get(node.label, opened.values["y"]) for node in form.names if not node.inputs}
        found = evaluate({"raw": form.raw, "whole": form.whole}, {node.label: each for node, each in given.items()})
        np.testing.assert_allclose(found["raw"], found["whole"], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_laws_are_those_of_the_derivation(name: str) -> None:
    """The whole derivation writes out each step to δ of the last layer; the weight's page names its laws."""
    made = network(name)
    last = made.open("dense_1.W[0, 1]").last_z
    whole: Any = find(derivation(made, (0,), "network"), f"simplified {last}").data["laws"]
    told = laws(made, "dense_1.W[0, 1]")[0]
    assert told == whole[1:]
    assert {(law, each["source"]) for each in told for law in each.get("laws", [each["law"]])} <= set(LAWS.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_steps_of_one_kind_are_one_step(name: str) -> None:
    """What only moves signs is named as a whole where it takes several laws, and never twice in a row."""
    made = network(name)
    last = made.open("dense_1.W[0, 1]").last_z
    page = derivation(made, (0,), "network")
    told: Any = find(page, f"simplified {last}").data["laws"]
    kinds = [SIGNS if set(each.get("laws", [each["law"]])) <= MOVING else each["law"] for each in told]
    assert all(before != after for before, after in itertools.pairwise(kinds))
    merged = [each for each in told if "laws" in each]
    assert merged
    assert all(each["law"] == SIGNS and len(each["laws"]) > 1 for each in merged)
    assert render_text(page, 80).count(f"{SIGNS} (field axioms)") >= len(merged)
    said = " ".join(render_text(made.page("dense_1.W[0, 1]"), 80).split())
    assert f"field axioms ({SIGNS};" in said
    assert "(−x)/y" not in said


def test_the_worked_example_is_told_in_a_line_a_derivative() -> None:
    page = two_two_two().page("dense_1.W[0, 0]")
    assert formulas(page, "simplified") == [
        "∂L/∂ŷⱼ = 2 · 1 · ½ · (ŷⱼ − yⱼ) = ŷⱼ − yⱼ",
        "∂a¹ⱼ/∂z¹ⱼ = 1 a¹ⱼ(1 − a¹ⱼ) = a¹ⱼ(1 − a¹ⱼ)",
    ]
    assert laws(two_two_two(), "dense_1.W[0, 0]")[1] == [{"law": "1 x = x", "source": "field axioms"}]
    assert "Simplified" in render_latex(page)


def test_a_batch_tells_the_same_as_a_sample() -> None:
    made = network("sigmoid")
    assert formulas(made.page("dense_1.b[0]", range(4)), "simplified") == formulas(
        made.page("dense_1.b[0]"), "simplified"
    )
