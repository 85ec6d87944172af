"""The numbers of a derivation: chains that multiply out, tables that hold the arrays, witnesses that can object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.document import Labeled, Number, Table, find, walk
from chainrule.explain.derived import Derived, extent, matrix
from chainrule.explain.evidence import slope_of
from chainrule.explain.factors import chain_of
from chainrule.explain.moves import moved
from chainrule.explain.saying import sentences
from chainrule.explain.witness import direction_witnesses
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam
from tests.explain.derivations import derivation, scoped, two_two_one
from tests.explain.in_torch import InTorch
from tests.explain.networks import ROWS, random_setting, random_weights
from tests.explain.subjects import setting, waves

SUM = 1e-12  # of Σ|terms|


def said(derived: Derived) -> str:
    """The sentences without their formulas."""
    return "".join(each if isinstance(each, str) else getattr(each, "text", "#") for each in sentences(derived))


@pytest.mark.parametrize("seed", range(24))
def test_a_chain_multiplies_out_to_what_pytorch_retains(seed: int) -> None:
    made, row = random_setting(seed), seed % ROWS
    derived, _ = scoped(made, (row,))
    theirs = InTorch(made, (row,)).backward()
    for text in random_weights(made, row, seed):
        name, _, place = text.partition("[")
        index = tuple(int(axis) for axis in place.rstrip("]").split(","))
        chain = chain_of(derived, (name, index))
        product = float(np.prod([factor.value for factor in chain.factors]))
        size = max(sum(map(abs, chain.terms)), 1e-300)
        assert abs(product - theirs[name][index]) <= 1e-9 * max(size, abs(theirs[name][index]))
        assert abs(sum(chain.terms) - chain.gradient) <= SUM * size


def test_every_weight_at_once_is_confirmed_and_a_wrong_slope_is_not() -> None:
    derived, _ = scoped(two_two_one(), (0, 1, 2, 3))
    slope = slope_of(derived)
    assert all(witness.agrees for witness in slope.witnesses)
    way, inputs = derived.way, derived.subject.inputs
    moving = {way.nodes[name]: each for name, each in slope.directions.items()}
    gradients = {way.nodes[name]: way.gradients[name] for name in slope.directions}
    wrong = direction_witnesses(way.nodes["loss"], moving, gradients, slope.claimed + 1e-6, inputs)
    assert not any(witness.agrees for witness in wrong)
    assert np.sqrt(sum(np.sum(each**2) for each in slope.directions.values())) == pytest.approx(1.0)


def test_only_what_is_meant_moves() -> None:
    derived, _ = scoped(two_two_one(), (0,), "dense_1[1]")
    directions = slope_of(derived).directions
    assert set(directions) == {"dense_1.W", "dense_1.b"}
    assert not directions["dense_1.W"][:, 0].any()
    assert directions["dense_1.W"][:, 1].all()


@pytest.mark.parametrize("optimizer", [SGD(0.5), SGD(0.1, 0.9, nesterov=True), Adam(0.01)])
def test_whole_parameters_move_as_the_rule_says(optimizer: Any) -> None:
    """Worked by hand in NumPy, from slots that are not 0."""
    made = two_two_one(
        optimizer=optimizer, step=3, slots={f"dense_1.W/{s}": waves(2, (2, 2), 0.1) ** 2 for s in optimizer.slots}
    )
    derived, _ = scoped(made, (0, 1, 2, 3))
    found = moved(derived)["dense_1.W"]
    g, w = derived.gradients["dense_1.W"], made.state["dense_1.W"]
    if isinstance(optimizer, Adam):
        m, v = 0.9 * found.slots["m"] + 0.1 * g, 0.999 * found.slots["v"] + 0.001 * g**2
        expected = w - 0.01 * (m / (1 - 0.9**4)) / (np.sqrt(v / (1 - 0.999**4)) + optimizer.epsilon)
    elif optimizer.slots:
        velocity = 0.9 * found.slots["velocity"] - 0.1 * g
        expected = w + 0.9 * velocity - 0.1 * g
    else:
        expected = w - 0.5 * g
    np.testing.assert_allclose(found.after, expected, rtol=1e-13)


def test_tables_hold_the_arrays_that_are_too_large_for_formulas() -> None:
    made = setting([Dense(12, "relu"), Dense(9, "tanh"), Dense(3)], waves(1, (4, 7)), [0, 1, 2, 0])
    derived, _ = scoped(made, (1,))
    page = derivation(made, (1,), "network", "layer")
    products = _table(find(page, "products dense_2.W"))
    gradient = derived.gradients["dense_2.W"]
    row = products.rows[0]
    source, first = row.cells[1], row.cells[2]
    assert isinstance(source, Number)
    assert isinstance(first, Number)
    assert abs(first.value) == pytest.approx(float(np.max(np.abs(gradient))), rel=1e-12)
    sizes = _table(find(derivation(made, (1,), "network", "matrix"), "sizes"))
    assert [row.cells[1] for row in sizes.rows if row.cells[1] == "12 × 9"]


def _table(block: object) -> Table:
    assert isinstance(block, Labeled)
    return next(each for each in walk(block) if isinstance(each, Table))


def test_extents_and_matrices() -> None:
    found = extent(np.array([[0.0, -3.0], [4.0, 0.0]]))
    assert (found.shape, found.norm, found.largest, found.place, found.zeros) == ((2, 2), 5.0, 4.0, (1, 0), 2)
    assert matrix(np.array([2.5])) == Number(2.5, matrix(np.array([2.5])).style)  # type: ignore[union-attr]


def test_sentences_follow_from_the_numbers() -> None:
    derived, _ = scoped(two_two_one(), (0,))
    assert "The largest gradient is that of dense_2.b[0]" in said(derived)
    assert "In dense_1 1 of 2 units passes nothing back. " in said(derived)
    silent = two_two_one()
    dead = {**silent.state, "dense_1.b": np.array([-9.0, -9.0])}
    hidden, _ = scoped(type(silent)(silent.prepared, dead), (0,), "dense_1")
    assert said(hidden).startswith("Every gradient is exactly 0")
    one, _ = scoped(two_two_one(), (0,), "dense_2.W[0, 0]")
    assert said(one).startswith("More of this weight changes the loss by # a unit: its input is #")
