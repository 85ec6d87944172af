"""Batch, mini-batch and stochastic descent: sizes, bits, losses, and what is said of their ways."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest

import chainrule as cr
from chainrule.descent.three_ways import sizes, three_ways
from chainrule.document import Landscape, Table, find
from chainrule.errors import UnknownNameError
from chainrule.runs.descents import Descents, descents_of
from chainrule.train.resolve import design

NET = [cr.Dense(6, "tanh"), cr.Dense(2)]


@pytest.fixture(scope="module")
def moons() -> Descents:
    """800 training rows in batches of 150."""
    return cr.descent(NET, cr.load("moons", rows=1000), batch_size=150, epochs=3, seed=1)


def test_a_last_smaller_batch_is_kept_and_counted(moons: Descents) -> None:
    counted = {way.name: (way.batch_size, way.updates_per_epoch, way.last_batch, way.updates) for way in moons.ways}
    assert counted == {
        "batch": (800, 1, 800, 3),
        "mini-batch": (150, 6, 50, 18),
        "stochastic": (1, 800, 1, 2400),
    }
    assert "6 updates an epoch, 5 of 150 rows and one of the 50 that" in " ".join(str(moons).split())


@pytest.mark.parametrize(
    ("rows", "batch_size", "wanted"),
    [
        (800, 150, [("batch", 800), ("mini-batch", 150), ("stochastic", 1)]),
        (800, 800, [("batch", 800), ("mini-batch", 200), ("stochastic", 1)]),
        (800, 1, [("batch", 800), ("mini-batch", 200), ("stochastic", 1)]),
        (4, 32, [("batch", 4), ("mini-batch", 2), ("stochastic", 1)]),
        (3, 32, [("batch", 3), ("mini-batch", 2), ("stochastic", 1)]),
        (2, 32, [("batch", 2), ("stochastic", 1)]),
        (1, 32, [("batch", 1)]),
    ],
)
def test_sizes(rows: int, batch_size: int, wanted: list[tuple[str, int]]) -> None:
    assert list(sizes(rows, batch_size)) == wanted


def test_each_way_is_the_experiment_with_another_batch_size(moons: Descents) -> None:
    for way in moons.ways:
        alone = cr.train(
            NET, cr.load("moons", rows=1000), optimizer=cr.SGD(0.1), batch_size=way.batch_size, epochs=3, seed=1,
            runs=None,
        )  # fmt: skip
        run = moons.runs[way.name]
        assert run.history == alone.history
        for name, value in alone.weights.items():
            np.testing.assert_array_equal(run.weights[name], value)
        for name, value in alone.at(0).weights.items():
            np.testing.assert_array_equal(run.at(0).weights[name], value)
        assert way.walk is not None
        assert way.walk.steps[-1] == alone.step
        np.testing.assert_array_equal(
            way.walk.places[-1], np.concatenate([w.reshape(-1) for w in alone.weights.values()])
        )


def test_losses_are_those_of_all_training_rows(moons: Descents) -> None:
    for way in moons.ways:
        run = moons.runs[way.name]
        train = run.prepared.split.train
        x, y = run.dataset.x[train], [run.dataset.class_names[label] for label in run.dataset.y[train]]
        per = way.updates_per_epoch
        wanted = [run.at(epoch * per).evaluate(x, y).loss for epoch in range(4)]
        assert way.losses == pytest.approx(wanted, rel=1e-6)
    assert len({way.losses[0] for way in moons.ways}) == 1  # the same weights before the first update


def test_how_they_walk(moons: Descents) -> None:
    walks = {way.name: way.walk for way in moons.ways}
    assert moons["batch"].kind == "steady walk"
    assert moons["stochastic"].kind in ("zig-zag", "drunkard's walk")
    batch, stochastic = walks["batch"], walks["stochastic"]
    assert batch is not None
    assert stochastic is not None
    assert batch.detour < stochastic.detour
    assert batch.cosine > stochastic.cosine
    assert batch.detour >= 1.0


def test_the_page_holds_the_numbers(moons: Descents) -> None:
    data = json.loads(moons.page.to_json())
    assert [way["way"] for way in data["ways"]] == ["batch", "mini-batch", "stochastic"]
    for way, handed in zip(moons.ways, data["ways"], strict=True):
        assert tuple(handed["losses"]) == way.losses
        assert handed["walk"]["kind"] == way.kind
        assert handed["test"]["accuracy"] == moons.runs[way.name].test["accuracy"]  # type: ignore[index]
    table = find(moons.page.document, "ways")
    assert isinstance(table, Table)
    assert len(table.rows) == 3
    paths = find(moons.page.document, "paths")
    assert isinstance(paths, Landscape)
    for series in paths.paths:
        assert (series.x[0], series.y[0]) == pytest.approx((0.0, 0.0), abs=1e-12)  # they begin together
    assert max(map(len, str(moons).splitlines())) <= 80
    assert moons.page.html
    assert moons.page.latex


def test_a_single_row_has_one_way() -> None:
    found = cr.descent([cr.Dense(1, use_bias=False)], "one_weight", epochs=11, dtype="float64")
    assert [way.name for way in found.ways] == ["batch"]
    assert str(found).startswith("One descent")
    assert "Paths" not in str(found)


def test_a_way_that_leaves_the_numbers_is_told_of() -> None:
    x = np.linspace(-1.0, 1.0, 20)[:, None]
    found = cr.descent([cr.Dense(1)], (x, x**2), optimizer=cr.SGD(1e30), batch_size=5, epochs=3, test_fraction=0.0)
    assert not found.runs
    assert all(way.fit is None and way.problem for way in found.ways)
    assert "left the numbers" in str(found)
    assert json.loads(found.page.to_json())["ways"][0]["walk"] is None


def test_an_interrupt_ends_all_three(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    def interrupt(event: object) -> None:
        if isinstance(event, cr.TrainingStarted):
            started.append(event)
            signal.raise_signal(signal.SIGINT)

    data = cr.load("moons", rows=50)
    with pytest.raises(KeyboardInterrupt):
        three_ways(design(data, NET, optimizer=cr.SGD(0.1), epochs=2), data, listeners=(interrupt,))
    assert len(started) == 1


def test_an_experiment_that_exists() -> None:
    data = cr.load("xor")
    run = cr.train(NET, data, optimizer=cr.SGD(0.5), epochs=4, batch_size=2, runs=None)
    found = descents_of(run.experiment, data)
    np.testing.assert_array_equal(found.runs["mini-batch"].weights["dense_1.W"], run.weights["dense_1.W"])
    with pytest.raises(UnknownNameError, match="did you mean 'batch'"):
        found["bach"]
