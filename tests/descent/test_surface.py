"""Surfaces: values against runs with these weights, planes, paths, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.descent.surface import plane_at_random
from chainrule.descent.walk import path_of
from chainrule.document import Landscape, find
from chainrule.errors import RunError, UnknownNameError, ValueRangeError

PAIR = ("dense_1.W[1, 2]", "dense_2.b[0]")


@pytest.fixture(scope="module")
def run() -> cr.Run:
    net = [cr.Dense(4, "tanh"), cr.Dense(2)]
    data = cr.load("moons", rows=50)
    return cr.train(net, data, epochs=6, batch_size=10, seed=2, dtype="float64", optimizer=cr.Adam(0.05), runs=None)


def test_two_weights_are_the_coordinates(run: cr.Run) -> None:
    data = run.surface(PAIR, points=5).data
    train, names = run.prepared.split.train, run.dataset.class_names
    x, y = run.dataset.x[train], [names[label] for label in run.dataset.y[train]]
    for row in (0, 2, 4):
        for column in (0, 3):
            weights = run.weights
            weights["dense_1.W"][1, 2] = data["x"][column]  # type: ignore[index]
            weights["dense_2.b"][0] = data["y"][row]  # type: ignore[index]
            other = replace(
                run, checkpoint=msgspec.structs.replace(run.checkpoint, state={**run.checkpoint.state, **weights})
            )
            assert data["losses"][row][column] == pytest.approx(other.evaluate(x, y).loss, rel=1e-12)  # type: ignore[index]


def test_the_path_is_that_of_the_run(run: cr.Run) -> None:
    path = run.surface(PAIR, points=3).data["path"]
    assert path["steps"] == list(range(run.step + 1))  # type: ignore[index]
    for step, x, y in zip(path["steps"], path["x"], path["y"], strict=True):  # type: ignore[index,arg-type]
        weights = run.at(step).weights
        assert (x, y) == (weights["dense_1.W"][1, 2], weights["dense_2.b"][0])


def test_the_grid_holds_the_path(run: cr.Run) -> None:
    for page in (run.surface(points=4), run.surface(PAIR, points=4), run.surface(points=4, directions="random")):
        data = page.data
        for axis in ("x", "y"):
            assert min(data[axis]) < min(data["path"][axis])  # type: ignore[index,type-var,operator,arg-type]
            assert max(data[axis]) > max(data["path"][axis])  # type: ignore[index,type-var,operator,arg-type]


def test_principal_directions_are_those_of_a_singular_value_decomposition(run: cr.Run) -> None:
    data = run.surface(points=2).data
    places = np.stack(
        [np.concatenate([w.reshape(-1) for w in run.at(k).weights.values()]) for k in range(run.step + 1)]
    )
    _, values, vectors = np.linalg.svd(places - places.mean(axis=0), full_matrices=False)
    shares = values**2 / (values**2).sum()
    assert data["shares"] == pytest.approx(list(shares[:2]), rel=1e-9)
    assert data["share_of_path"] == pytest.approx(shares[:2].sum(), rel=1e-9)
    wanted = (places - places[-1]) @ vectors[:2].T
    for axis, column in (("x", 0), ("y", 1)):
        assert np.abs(data["path"][axis]) == pytest.approx(np.abs(wanted[:, column]), abs=1e-9)  # type: ignore[index,arg-type]


def test_random_directions_have_filters_as_long_as_the_weights(run: cr.Run) -> None:
    path = path_of(run.prepared, run.history, [0, run.step], run.checkpoint_before)
    plane = plane_at_random(run.prepared, path, seed=5)
    weights, at = run.weights, 0
    for name, value in weights.items():
        for direction in (plane.across, plane.up):
            part = direction[at : at + value.size].reshape(value.shape)
            if name.endswith(".W"):
                np.testing.assert_allclose(np.linalg.norm(part, axis=0), np.linalg.norm(value, axis=0), rtol=1e-12)
            else:
                assert not part.any()
        at += value.size
    again, other = (plane_at_random(run.prepared, path, seed=seed) for seed in (5, 6))
    np.testing.assert_array_equal(plane.across, again.across)
    assert np.abs(plane.across - other.across).max() > 0.01
    cosine = plane.across @ plane.up / np.linalg.norm(plane.across) / np.linalg.norm(plane.up)
    assert abs(cosine) < 0.9


def test_a_page_says_what_it_shows(run: cr.Run) -> None:
    page = run.surface(points=6)
    drawn = find(page.document, "surface")
    assert page.document.name == "surface"
    landscape = next(block for block in page.document.blocks if isinstance(block, Landscape))
    assert drawn
    assert landscape.paths[0].x[-1] == pytest.approx(0.0, abs=1e-12)
    assert max(map(len, str(page).splitlines())) <= 80
    assert "hold" in str(page)
    assert page.html
    assert page.latex


def test_frozen_weights_and_wrong_requests_are_told(run: cr.Run) -> None:
    for call, error, said in (
        (lambda: run.surface(["dense_1.W[0, 0]"]), RunError, "of two weights, and 1 came"),
        (lambda: run.surface(["dense_2.b[0]", "dense_2.b[0]"]), RunError, "came twice"),
        (lambda: run.surface(points=1), ValueRangeError, "from 2 to 200"),
        (lambda: run.surface(directions="radom"), UnknownNameError, "did you mean 'random'"),  # type: ignore[arg-type]
        (lambda: run.surface(["dense_9.W[0, 0]", "dense_2.b[0]"]), UnknownNameError, "unknown parameter"),
    ):
        with pytest.raises(error, match=said):
            call()
    frozen = cr.train([cr.Dense(2)], cr.load("xor"), epochs=2, frozen=["*.b"], runs=None)
    with pytest.raises(RunError, match="is frozen"):
        frozen.surface(["dense_1.W[0, 0]", "dense_1.b[0]"])
    one = cr.train([cr.Dense(1, use_bias=False)], cr.load("one_weight"), epochs=4, runs=None)
    with pytest.raises(RunError, match=r"a straight line and has no second direction: .* the curve of one"):
        one.surface()


def test_of_weights_that_are_0_it_is_said_what_can_be_asked() -> None:
    """Nothing moves from there: each layer is multiplied with the zeros of the other."""
    layers = [cr.Dense(3, "relu", use_bias=False, kernel_initializer="zeros")]
    layers += [cr.Dense(2, use_bias=False, kernel_initializer="zeros")]
    still = cr.train(layers, cr.load("xor"), epochs=2, runs=None)
    with pytest.raises(RunError, match="never moved, so the path has no direction: name two weights"):
        still.surface()
    with pytest.raises(RunError, match="these are all 0: name two weights instead"):
        still.surface(directions="random")
    assert still.surface(["dense_1.W[0, 0]", "dense_2.W[0, 0]"], points=3).data["losses"]
