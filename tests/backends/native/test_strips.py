"""Strips: a large batch passes through the stages some rows at a time, and not one bit depends on it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.backends.native import NativeBackend, crew, strips
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.schedule import Roles, Schedule, schedule
from chainrule.backends.native.strips import Part
from chainrule.backends.protocol import Array, Step
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import make_graph
from tests.backends.native.agreement import REFERENCE, train
from tests.backends.native.networks import N, first_state, network_step, samples

BATCH = 299
NETWORKS: dict[str, dict[str, Any]] = {
    "regression": {"widths": (20, 33, 5), "optimizer": "adam"},
    "one output": {"widths": (9, 16, 1), "activation": "tanh"},
    "one input": {"widths": (1, 7, 1), "activation": "tanh"},
    "classes": {"widths": (40, 24, 17, 10), "loss": "cross_entropy", "optimizer": "momentum"},
    "wide": {"widths": (20, 70, 10), "loss": "cross_entropy"},
    "many classes": {"widths": (20, 18, 300), "loss": "cross_entropy"},
    "binary": {"widths": (6, 18, 1), "activation": "sigmoid", "loss": "binary", "optimizer": "decay"},
    "bytes": {"widths": (20, 18, 3), "stored": "uint8", "loss": "cross_entropy"},
    "float64": {"widths": (20, 18, 3), "dtype": "float64", "optimizer": "adam"},
}
Trained = tuple[dict[str, Array], dict[str, Array]]


def forced(patch: pytest.MonkeyPatch, *, near: int = 1) -> None:
    """Strips wherever they are possible, of as few rows as there can be."""
    patch.setattr(strips, "FAR", -1)
    patch.setattr(strips, "NEAR", near)


def planned(step: Step, batch: int) -> Schedule:
    return schedule(step.graph, Roles.of(step), Sizes.of({}, step.size, batch))


def same_bits(one: Trained, other: Trained) -> bool:
    pairs = zip(one, other, strict=True)
    return (
        all(a[name].tobytes() == b[name].tobytes() for a, b in pairs for name in a) and one[0].keys() == other[0].keys()
    )


@pytest.mark.parametrize("measure", [("loss",), ("loss", "rows", "norms", "means")], ids=["loss", "all"])
@pytest.mark.parametrize("name", NETWORKS)
def test_not_one_bit_depends_on_strips_or_threads(
    name: str, measure: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = network_step(**NETWORKS[name], measure=measure)
    start, data = first_state(step), samples(step, 2 * BATCH + 60)  # the last batch has 60 rows
    monkeypatch.setenv(crew.VARIABLE, "1")
    assert planned(step, BATCH).strips is None
    whole = train(step, NativeBackend(), start, data, BATCH, 4)
    forced(monkeypatch)
    assert planned(step, BATCH).strips is not None
    for threads in (1, 2, 3, 7):
        monkeypatch.setenv(crew.VARIABLE, str(threads))
        assert same_bits(train(step, NativeBackend(), start, data, BATCH, 4), whole)


@pytest.mark.parametrize("name", ["classes", "wide", "bytes", "regression", "one output"])
def test_threads_at_different_stages_of_a_strip_do_not_disturb_each_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = network_step(**NETWORKS[name])
    start, data = first_state(step), samples(step, 1260)
    monkeypatch.setenv(crew.VARIABLE, "1")
    whole = train(step, NativeBackend(), start, data, 600, 4)
    rows = 0
    for near in range(10_000, 400_000, 10_000):
        forced(monkeypatch, near=near)
        found = planned(step, 600).strips
        rows = found.rows if found is not None else 0
        if rows > strips.MOST_ROWS:
            break
    assert rows > strips.MOST_ROWS
    for threads in (2, 3, 5):
        monkeypatch.setenv(crew.VARIABLE, str(threads))
        assert same_bits(train(step, NativeBackend(), start, data, 600, 4), whole)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_strip_makes_row_by_row_shares_no_memory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch)
    made = planned(network_step(**NETWORKS[name]), 600)
    places = sorted((made.buffers[node] for node in made.near), key=lambda buffer: buffer.offset)
    assert len(places) > 2
    assert all(a.offset + a.layout.bytes <= b.offset for a, b in itertools.pairwise(places))


def test_what_a_product_reads_is_kept_where_its_transpose_is_kept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, v = (e.variable(n, "float32", shape) for n, shape in (("x", (N, 40)), ("w", (40, 7)), ("v", (7, 7))))
    a = e.tanh(x @ w)
    gram = e.transpose(a, (1, 0)) @ a / e.cast(e.size("n"), "float32")
    loss = e.mean(a) + e.mean(e.tanh(a @ v)) + e.mean(gram)
    slopes = [Expr(each) for each in gradients(loss.node, [w.node, v.node])]
    graph = make_graph({"w": (w - slopes[0]).node, "v": (v - slopes[1]).node, "loss": loss.node})
    step = Step(graph, ("w", "v"), ("x",))
    data = {"x": samples(network_step((40, 7)), 382)["x"]}
    start = {"w": data["x"][:40, :7] / 10, "v": data["x"][:7, :7]}
    forced(monkeypatch)
    ours, wanted = (train(step, backend, start, data, 382, 1) for backend in (NativeBackend(), REFERENCE))
    for name, array in wanted[0].items():
        np.testing.assert_allclose(ours[0][name], array, atol=1e-6)


def test_a_large_batch_of_a_small_network_is_cut_by_itself_and_agrees_with_the_reference() -> None:
    step = network_step((4, 32, 16, 4), activation="tanh", optimizer="adam", dtype="float64")
    found = planned(step, 10_000).strips
    assert found is not None
    assert found.rows % strips.MOST_ROWS == 0
    start, data = first_state(step), samples(step, 10_000)
    ours, wanted = (train(step, backend, start, data, 10_000, 3) for backend in (NativeBackend(), REFERENCE))
    for key, array in wanted[0].items():
        np.testing.assert_allclose(ours[0][key], array, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("widths", "batch"), [((784, 16, 16, 10), 10), ((784, 512, 512, 10), 128), ((4, 32, 4), 90)])
def test_small_batches_are_not_cut(widths: tuple[int, ...], batch: int) -> None:
    assert planned(network_step(widths), batch).strips is None


@pytest.mark.parametrize(
    ("widths", "rows"),
    [((784, 128, 64, 10), 96), ((784, 512, 512, 10), 192), ((784, 2_048, 2_048, 10), 672), ((784, 64, 10_000), 32)],
)
def test_a_strip_has_as_much_of_rows_as_of_the_weights_that_it_reads_again(widths: tuple[int, ...], rows: int) -> None:
    """Bytes of weights by bytes of a row, in whole blocks of rows, or in panels where rows are very wide."""
    made = planned(network_step(widths), 2_000)
    assert made.strips is not None
    assert made.strips.rows == rows


def test_what_only_strips_need_takes_the_room_of_one_strip() -> None:
    step = network_step((4, 32, 16, 4), activation="tanh")
    made = planned(step, 10_000)
    assert made.strips is not None
    assert made.near
    for node, buffer in made.buffers.items():
        rows = [extent for extent in buffer.layout.extents if extent.power]
        assert all(extent.most == (made.strips.rows if node in made.near else 10_000) for extent in rows)
    assert made.work_bytes < 1 << 20  # all rows at once would take six times as much


def test_no_two_values_that_are_needed_together_share_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch)
    made = planned(network_step((20, 33, 5), optimizer="adam", measure=("loss", "norms", "means")), BATCH)
    found = made.strips
    assert found is not None
    places = [b for b in (*made.buffers.values(), *made.carried.values()) if b.arena == "work"]
    for k, one in enumerate(places):
        for other in places[:k]:
            together = one.first <= other.last and other.first <= one.last
            apart = one.offset + one.layout.bytes <= other.offset or other.offset + other.layout.bytes <= one.offset
            assert apart or not together
    for node, buffer in (*made.buffers.items(), *made.carried.items()):
        if buffer.arena == "work" and found.inside(made.grouping.place[node]) and node not in made.near:
            assert buffer.first <= found.first
            assert buffer.last >= found.after - 1


def test_a_state_is_not_overwritten_while_strips_still_read_it(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch)
    x, w = e.variable("x", "float32", (N, 3)), e.variable("w", "float32", (3, 3))
    y = x @ w
    graph = make_graph({"w": (e.transpose(x, (1, 0)) @ y).node, "total": e.sum(y).node})
    step = Step(graph, ("w",), ("x",), (), None)
    made = planned(step, BATCH)
    assert made.strips is not None
    assert len(made.moves) == 1
    values = np.random.default_rng(3).normal(size=(BATCH, 3)).astype(np.float32) / 20
    start = {"w": np.eye(3, dtype=np.float32)}
    state, _ = train(step, NativeBackend(), start, {"x": values}, BATCH, 1)
    wanted = values.astype(np.float64).T @ values
    np.testing.assert_allclose(state["w"], wanted, rtol=1e-5, atol=1e-6)


def _parts(outputs: dict[str, Expr], columns: tuple[str, ...]) -> dict[str, Part]:
    """In which part the groups of a step run that make the outputs."""
    graph = make_graph({name: each.node for name, each in outputs.items()})
    made = schedule(graph, Roles(("w",), columns), Sizes.of({}, "n", BATCH))
    assert made.strips is not None
    return {name: made.strips.part(made.grouping.place[node]) for name, node in made.graph.outputs}


def test_what_needs_all_rows_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch)
    x, w = e.variable("x", "float32", (N, 20)), e.variable("w", "float32", (20, 20))
    z, v = x @ w, e.variable("v", "float32", (N, 6))
    mean = e.mean(z, 0)
    by_row = {"row by row": e.exp(z - e.max(z, 1, keepdims=True)), "column": e.slice_axis(e.exp(z), 1, 2, 9)}
    sums = {"sum": e.sum(z, 0), "all": e.sum(e.exp(z)), "largest": e.max(z, 0), "product": e.transpose(x, (1, 0)) @ z}
    later = {
        "mean": mean,
        "centered": e.exp(z - mean),
        "numbered": e.exp(v) * e.cast(e.iota((N, 6), 0), "float32"),
        "upside down": e.transpose(e.exp(x), (1, 0)),
    }
    found = _parts({**by_row, **sums, **later}, ("x", "v"))
    assert {found[name] for name in by_row} == {Part.ROWS}
    assert {found[name] for name in sums} == {Part.SUMS}
    assert {found[name] for name in later} == {Part.AFTER}
    assert _parts({"sum": e.sum(z, 0), "place": e.argmax(z, 0)}, ("x",))["place"] is Part.AFTER


def test_sums_of_no_columns_pass_in_strips_with_others(monkeypatch: pytest.MonkeyPatch) -> None:
    forced(monkeypatch)
    monkeypatch.setenv(crew.VARIABLE, "3")
    x, none = e.variable("x", "float32", (N, 3)), e.variable("none", "float32", (N, 0))
    y = e.tanh(x)
    outputs = {"total": e.sum(y, 0), "nothing": e.sum(none + none, 0)}
    step = Step(make_graph({name: each.node for name, each in outputs.items()}), (), ("x", "none"))
    assert planned(step, BATCH).strips is not None
    data = {
        "x": np.random.default_rng(3).normal(size=(BATCH, 3)).astype(np.float32),
        "none": np.zeros((BATCH, 0), "f4"),
    }
    ours, wanted = (train(step, backend, {}, data, BATCH, 1)[1] for backend in (NativeBackend(), REFERENCE))
    np.testing.assert_allclose(ours["total"], wanted["total"], rtol=1e-5, atol=1e-5)
    assert ours["nothing"].shape == wanted["nothing"].shape == (1, 0)
