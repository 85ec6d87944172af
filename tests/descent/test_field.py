"""The loss over coordinates, held against the loss of a run that has these weights, and against differences."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.data.dataset import Array
from chainrule.descent import field as f
from chainrule.descent.field import Field, field_graph, rows_of
from chainrule.graph.verify import verify

BACKENDS = ["reference", "native"]


def trained(activation: str = "tanh", **options: object) -> cr.Run:
    data = cr.load("moons", rows=60)
    net = [cr.Dense(5, activation), cr.Dense(2)]
    return cr.train(net, data, epochs=3, seed=2, dtype="float64", runs=None, **options)  # type: ignore[arg-type]


def random_directions(run: cr.Run, count: int) -> list[dict[str, Array]]:
    generator = np.random.default_rng(7)
    return [{name: generator.normal(size=w.shape) for name, w in run.weights.items()} for _ in range(count)]


def field_of(run: cr.Run, directions: list[dict[str, Array]], order: int = 0, backend: str = "reference") -> Field:
    return Field(run.prepared, run.checkpoint.state, directions, rows_of(run.prepared), backend, order)


def evaluated(run: cr.Run, directions: list[dict[str, Array]], place: tuple[float, ...]) -> float:
    """The loss of a run that has these weights, by `evaluate`."""
    moved = {
        name: w + sum(t * d[name] for t, d in zip(place, directions, strict=True)) for name, w in run.weights.items()
    }
    other = replace(run, checkpoint=msgspec.structs.replace(run.checkpoint, state={**run.checkpoint.state, **moved}))
    train = run.prepared.split.train
    names = run.dataset.class_names
    return other.evaluate(run.dataset.x[train], [names[label] for label in run.dataset.y[train]]).loss


@pytest.mark.parametrize("backend", BACKENDS)
def test_values_are_those_of_a_run_with_these_weights(backend: str) -> None:
    run = trained()
    directions = random_directions(run, 2)
    places = [(0.0, 0.0), (0.5, -1.0), (-2.0, 0.25), (0.0, 3.0)]
    found = field_of(run, directions, backend=backend).at(places)["loss"]
    wanted = [evaluated(run, directions, place) for place in places]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_slopes_and_bends_are_those_of_differences(activation: str, backend: str) -> None:
    run = trained(activation)
    field = field_of(run, random_directions(run, 2), order=2, backend=backend)
    h = 1e-4
    around = field.at([(0.1, 0.2), (0.1 + h, 0.2), (0.1 - h, 0.2), (0.1, 0.2 + h), (0.1, 0.2 - h)])
    loss = around["loss"]
    assert around["slope_0"][0] == pytest.approx((loss[1] - loss[2]) / (2 * h), rel=1e-5)
    assert around["slope_1"][0] == pytest.approx((loss[3] - loss[4]) / (2 * h), rel=1e-5)
    assert around["bend"][0] == pytest.approx((loss[1] - 2 * loss[0] + loss[2]) / h**2, rel=1e-3, abs=1e-5)


def test_places_and_rows_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained()
    directions = random_directions(run, 1)
    places = np.linspace(-1.0, 1.0, 11)[:, None]
    whole = field_of(run, directions, 1).at(places)
    monkeypatch.setattr(f, "ROWS_AT_ONCE", 13)
    monkeypatch.setattr(f, "PLACES_AT_ONCE", 4)
    for name, values in field_of(run, directions, 1).at(places).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-11)


def test_weighted_rows_count_as_they_weigh() -> None:
    generator = np.random.default_rng(1)
    x, weight = generator.normal(size=(30, 2)), generator.uniform(0.0, 2.0, size=30)
    data = cr.load((x, x[:, :1] * 2), sample_weight=weight)
    run = cr.train([cr.Dense(1)], data, epochs=2, dtype="float64", test_fraction=0.0, runs=None)
    found = field_of(run, random_directions(run, 1)).at([[0.0]])["loss"][0]
    x, y = run.prepared.columns["x"], run.prepared.columns["y"]
    said = (run.predict(x) - y[:, 0]) / run.prepared.record.targets.scale
    assert found == pytest.approx(float(np.average(said**2, weights=weight)), rel=1e-9)


def test_far_away_places_stay_among_the_numbers() -> None:
    run = trained()
    found = field_of(run, random_directions(run, 1), 1).at([[1e4], [-1e4]])
    assert np.isfinite(found["loss"]).all()
    assert np.isfinite(found["slope_0"]).all()


def test_the_graph_is_well_formed_and_moves_only_what_it_is_told_to() -> None:
    run = trained()
    graph = verify(field_graph(run.graphs.book, [["dense_1.W"]], 2))
    assert {"t_0", "d_0/dense_1.W"} <= set(graph.input_names)
    assert not any(name.startswith("d_0/dense_2") for name in graph.input_names)
    assert graph.output_names == ("loss", "slope_0", "bend")


def test_of_many_rows_some_are_taken_evenly() -> None:
    run = trained()
    some = rows_of(run.prepared, 10)
    assert len(set(some.tolist())) == 10
    assert set(some.tolist()) <= set(run.prepared.rows.tolist())
    assert rows_of(run.prepared) is run.prepared.rows
