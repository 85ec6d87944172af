"""Products of matrices at the edges of their tiles, pieces and blocks: the same chain of sums whatever cuts it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.backends.native.kernels import NEAR
from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.machine import BYTES, Isa
from chainrule.backends.native.schedule import Roles, schedule
from chainrule.backends.native.stages import stages
from chainrule.backends.native.tiles import MOST_ROWS
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph
from chainrule.graph.tensor_type import DType
from tests.backends.native.agreement import ISAS, Array, formula, native

BLOCK = NEAR // (16 * BYTES["float32"])  # steps of the depth between which sums wait
ROWS = (1, 7, 16, 17, MOST_ROWS, 2 * MOST_ROWS + 5)
DEPTHS = (1, 3, 16, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 5, 3 * BLOCK + 16)
COLUMNS = (1, 3, 10, 16, 32, 33, 48, 70)


def product(kind: str, rows: int, depth: int, columns: int, dtype: DType) -> Expr:
    """X W, Xᵀ W or X Wᵀ, with something that follows."""
    x = e.variable("x", dtype, (depth, rows) if kind == "columns" else (rows, depth))
    w = e.variable("w", dtype, (columns, depth) if kind == "turned" else (depth, columns))
    left = e.swap_last(x) if kind == "columns" else x
    right = e.swap_last(w) if kind == "turned" else w
    return e.matmul(left, right)


def chain(x: Array, w: Array) -> Array:
    """Each element summed first to last; float64 holds the product of two float32 exactly, so each step rounds once."""
    total = np.zeros((x.shape[0], w.shape[1]), np.float32)
    for k in range(x.shape[1]):
        total = (total.astype(np.float64) + np.outer(x[:, k].astype(np.float64), w[k])).astype(np.float32)
    return total


def drawn(kind: str, rows: int, depth: int, columns: int) -> tuple[dict[str, Array], Array, Array]:
    """Inputs, and both operands as they are multiplied: multiples of 1/64, so that float64 rounds no sum of two."""
    rng = np.random.default_rng(rows + 100 * depth + columns)
    x: Any = (rng.integers(-64, 65, (rows, depth)) / 64).astype(np.float32)
    w: Any = (rng.integers(-2048, 2049, (depth, columns)) / 2048).astype(np.float32)
    given = {"x": x.T.copy() if kind == "columns" else x, "w": w.T.copy() if kind == "turned" else w}
    return given, x, w


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("kind", ["rows", "columns", "turned"])
def test_every_edge_gives_the_bits_of_a_plain_chain(kind: str, isa: Isa) -> None:
    sizes = [(rows, 19, 17) for rows in ROWS] + [(13, depth, columns) for depth in DEPTHS for columns in (16, 33)]
    sizes += [(13, 21, columns) for columns in COLUMNS] + [(MOST_ROWS + 1, BLOCK + 17, 70), (32, 32, 32), (64, 64, 64)]
    for rows, depth, columns in sizes:
        given, x, w = drawn(kind, rows, depth, columns)
        wanted, graph = chain(x, w), formula(y=product(kind, rows, depth, columns, "float32"))
        for hasty in (False, True):
            ours = native(isa, hasty=hasty).evaluate(graph, given)["y"]
            assert np.array_equal(ours, wanted), (rows, depth, columns, hasty)


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("kind", ["rows", "columns", "turned"])
def test_what_follows_sees_finished_sums(kind: str, isa: Isa) -> None:
    large = [(MOST_ROWS + 1, BLOCK + 1, 17), (3, BLOCK + 17, 70), (20, 2 * BLOCK, 33), (20, BLOCK, 10)]
    few_steps = [(rows, depth, c) for rows in (1, 7, 10, MOST_ROWS + 5) for depth in (2, 10, 16, 17) for c in (16, 17)]
    for rows, depth, columns in large + few_steps:
        given, x, w = drawn(kind, rows, depth, columns)
        y = product(kind, rows, depth, columns, "float32")
        for followed in (e.maximum(y, 0.0) + 1.0, e.maximum(y, 0.0) + 1.0 - e.absolute(y) / 2.0):
            ours = native(isa).evaluate(formula(y=followed), given)["y"]
            total = chain(x, w)
            plain = np.maximum(total, np.float32(0)) + np.float32(1)
            wanted = plain if followed.node.primitive == "add" else plain - np.abs(total) / np.float32(2)
            assert np.array_equal(ours, wanted), (rows, depth, columns)


@pytest.mark.parametrize("kind", ["rows", "columns", "turned"])
def test_float64_is_as_good_as_its_chain(kind: str) -> None:
    for rows, depth, columns in ((MOST_ROWS + 1, BLOCK // 2 + 1, 17), (13, BLOCK + 17, 3)):
        given, x, w = drawn(kind, rows, depth, columns)
        wide = {name: array.astype(np.float64) for name, array in given.items()}
        ours = native().evaluate(formula(y=product(kind, rows, depth, columns, "float64")), wide)["y"]
        assert np.array_equal(ours, x.astype(np.float64) @ w.astype(np.float64))  # exact: few bits each


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
@pytest.mark.parametrize("kind", ["rows", "columns"])
def test_what_runs_once_is_written_in_few_words(kind: str, isa: Isa) -> None:
    """In tiles of one row, with what follows in a loop of its own."""
    y = product(kind, 784, 10, 16, "float32")
    graph = formula(y=e.maximum(y, 0.0) + 1.0)
    quick, brief = (letters(graph, each) for each in (isa, isa.in_haste))
    assert brief < 0.65 * quick


def letters(graph: Graph, isa: Isa) -> int:
    """Of the text of all functions but the one that calls them."""
    return sum(map(len, stages(schedule(graph, Roles(graph.input_names), Sizes.of({})), isa).modules.values()))
