"""What a page says to programs: terms that add up, a chain that multiplies out, witnesses within their bounds."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np
import pytest

from chainrule.document import Document, find
from chainrule.document.plain import plain_value
from chainrule.nn.activations import ACTIVATIONS
from chainrule.nn.layers import Layer
from tests.explain.networks import LOSSES, ROWS, SEEDS, random_setting, random_weights
from tests.explain.subjects import Setting

EXACT = 1e-12  # of Σ|terms|, in float64
CENTRAL_BOUND = 1e-4  # of the gradient or 1; a bound looser than this would confirm anything
COMPLEX_BOUND = 1e-9  # of Σ|terms|


@functools.cache
def pages(seed: int) -> list[Document]:
    """The pages of a seed's weights, each on one sample."""
    made = random_setting(seed)
    row = seed % ROWS
    return [made.page(weight, (row,)) for weight in random_weights(made, row, seed)]


def data_of(page: Document) -> dict[str, Any]:
    """As JSON brings it to another program."""
    return json.loads(json.dumps(plain_value(page.data)))


@pytest.mark.parametrize("seed", SEEDS)
def test_terms_add_up_to_the_gradient_and_witnesses_keep_their_bounds(seed: int) -> None:
    for page in pages(seed):
        data = data_of(page)
        terms, gradient = np.array(data["terms"]), data["gradient"]
        size = float(np.sum(np.abs(terms)))
        assert abs(np.sum(terms) - gradient) <= EXACT * size, page.title
        product = data["adjoint"]["value"] * data["input"] * np.prod([each["value"] for each in data["slopes"]])
        assert abs(product - gradient) <= EXACT * size
        assert abs(data["delta"]["value"] * data["input"] - gradient) <= EXACT * size
        for path in data["paths"]:
            assert np.prod(path["factors"]) == pytest.approx(path["value"], rel=1e-12, abs=1e-300)
        for witness in data["witnesses"]:
            assert witness["kink"] or witness["difference"] <= witness["bound"], (page.title, witness)
            assert witness["agrees"] is (witness["difference"] <= witness["bound"])


@pytest.mark.parametrize("seed", SEEDS)
def test_bounds_are_tight(seed: int) -> None:
    for page in pages(seed):
        data = data_of(page)
        size = float(np.sum(np.abs(data["terms"])))
        for witness in data["witnesses"]:
            if witness["method"] == "central difference" and not witness["kink"]:
                assert witness["bound"] <= CENTRAL_BOUND * max(1.0, abs(data["gradient"])), (page.title, witness)
            elif witness["method"] != "central difference":
                assert witness["bound"] <= COMPLEX_BOUND * size, (page.title, witness)


def test_every_seed_together_covers_what_it_should() -> None:
    made = [random_setting(seed) for seed in SEEDS]
    found = [random_weights(each, seed % ROWS, seed) for seed, each in enumerate(made)]
    assert sum(len(weights) for weights in found) >= 1.8 * len(SEEDS)  # a second weight, alive, nearly everywhere
    assert {each.prepared.record.weighted for each in made} == {True, False}
    assert {len(each.prepared.graphs.trainable) < len(each.names) for each in made} == {True, False}
    assert {any(name.endswith(".b") for name in each.names) for each in made} == {True, False}
    assert {sum(name.endswith(".W") for name in each.names) for each in made} == {1, 2, 3, 4}
    assert {each.prepared.experiment.loss for each in made} == set(LOSSES)
    used = {getattr(layer, "activation", getattr(layer, "kind", "")) for each in made for layer in _layers(each)}
    assert used == set(ACTIVATIONS)


def _layers(made: Setting) -> tuple[Layer, ...]:
    return made.prepared.experiment.network


def test_the_table_of_paths_holds_every_path() -> None:
    for seed in SEEDS[:12]:
        for page in pages(seed):
            paths = page.data["paths"]
            if paths:
                table = find(page, "paths")
                assert table.data["terms"] == [each["value"] for each in paths]  # type: ignore[index,call-overload]
                assert table.data["sum"] == pytest.approx(sum(table.data["terms"]), rel=1e-9, abs=1e-12)  # type: ignore[arg-type]
