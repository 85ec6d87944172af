"""The way of the weights, held against the same way walked step by step outside of the graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import chainrule as cr
from chainrule.data.dataset import Array
from chainrule.descent.walk import LENGTH, Walk, measured, place_of, walked
from chainrule.graph.verify import verify
from chainrule.nn.optimizers import Optimizer

OPTIMIZERS = [cr.SGD(0.1), cr.SGD(0.1, momentum=0.9), cr.Adam(0.01)]


def trained(optimizer: Optimizer, backend: str = "reference", frozen: tuple[str, ...] = ()) -> cr.Run:
    data = cr.load("moons", rows=40)
    net = [cr.Dense(5, "tanh"), cr.Dense(2)]
    return cr.train(
        net, data, optimizer=optimizer, batch_size=12, epochs=4, seed=3, runs=None, backend=backend, frozen=frozen
    )


def flat(weights: dict[str, Array], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    return np.concatenate([weights[name].astype(np.float64).reshape(-1) for name in names])


def walk_of(run: cr.Run, steps: list[int]) -> Walk:
    return walked(run.prepared, run.history, steps, run.at(0).checkpoint)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_sums_are_those_of_the_steps_one_by_one(optimizer: Optimizer) -> None:
    run = trained(optimizer)
    names = tuple(run.weights)
    places = np.stack([flat(run.at(step).weights, names) for step in range(run.step + 1)])
    updates = np.diff(places, axis=0)
    sizes = np.linalg.norm(updates, axis=1)
    cosines = np.sum(updates[1:] * updates[:-1], axis=1) / (sizes[1:] * sizes[:-1])
    walk = walk_of(run, [3, 7, run.step])
    assert walk.steps == (0, 3, 7, run.step)
    np.testing.assert_array_equal(walk.places, places[[0, 3, 7, run.step]])
    np.testing.assert_allclose(walk.lengths, [0.0, *(sizes[:k].sum() for k in (3, 7, run.step))], rtol=1e-12)
    np.testing.assert_allclose(walk.cosine, cosines.mean(), rtol=1e-10)
    np.testing.assert_allclose(walk.net, np.linalg.norm(places[-1] - places[0]), rtol=1e-12)
    assert walk.detour == pytest.approx(sizes.sum() / walk.net)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_measuring_leaves_the_bits_as_they_are(backend: str) -> None:
    run = trained(cr.Adam(0.01), backend)
    walk = walk_of(run, [run.step])
    np.testing.assert_array_equal(walk.places[-1], flat(run.weights, tuple(run.weights)))


def test_the_measuring_step_is_well_formed() -> None:
    step = trained(cr.SGD(0.1)).graphs.train
    probe = measured(step)
    verify(probe.graph)
    assert set(probe.measurements) == set(step.measurements)
    assert LENGTH in probe.state
    for name in step.updated:
        assert probe.graph[name] is step.graph[name]  # the same node, so the same bits


def test_frozen_weights_do_not_walk() -> None:
    run = trained(cr.SGD(0.1), frozen=("dense_1.*",))
    walk = walk_of(run, [run.step])
    assert walk.places.shape == (2, 5 * 2 + 2)
    np.testing.assert_array_equal(walk.places[-1], place_of(run.weights, ["dense_2.W", "dense_2.b"]))


def test_standing_still_has_no_direction() -> None:
    x = np.array([[1.0], [1.0]])
    run = cr.train(
        [cr.Dense(1, use_bias=False)], (x, 2.0 * x), weights={"dense_1.W": [[2.0]]}, optimizer=cr.SGD(0.1), epochs=3,
        runs=None, test_fraction=0.0, scale_features="none", scale_targets="none",
    )  # fmt: skip
    walk = walk_of(run, [run.step])
    assert walk.length == walk.net == 0.0
    assert np.isnan(walk.detour)
    assert np.isnan(walk.cosine)
