"""What is rewritten for a processor: which graphs change, how, and that values stay within what is promised."""

from __future__ import annotations

import numpy as np

from chainrule.backends.native.layout import Sizes
from chainrule.backends.native.lighten import lighten
from chainrule.graph import expr as e
from chainrule.graph.node import Graph
from chainrule.graph.tensor_type import named
from chainrule.graph.verify import verify
from tests.backends.native.agreement import both, distance, formula

ULPS = 1.5  # of a quotient that became a product with a reciprocal
N = named("n")
FEW, MANY = Sizes.of({}, "n", 32), Sizes.of({}, "n", 1_000)
x = e.variable("x", "float32", (N, 3))
s = e.variable("s", "float32", (3,))
a = e.variable("a", "float32", ())


def primitives(graph: Graph) -> list[str]:
    return [node.primitive for node in graph.nodes if node.primitive not in ("input", "broadcast", "constant")]


def test_a_quotient_by_what_all_rows_share_is_a_product() -> None:
    for divisor in (s, a):
        found = verify(lighten(formula(y=x / divisor), FEW))
        assert sorted(primitives(found)) == ["divide", "multiply"]
        (quotient,) = (node for node in found.nodes if node.primitive == "divide")
        assert quotient.tensor.shape == divisor.shape  # as few divisions as there are numbers
        assert found["y"].primitive == "multiply"


def test_a_quotient_row_by_row_stays() -> None:
    rows = e.sum(x, axes=(1,), keepdims=True)
    for graph in (formula(y=x / rows), formula(y=x / e.variable("z", "float32", (N, 3))), formula(y=a / e.exp(a))):
        assert primitives(lighten(graph, FEW)) == primitives(graph)


def test_a_comparison_reads_what_is_clipped() -> None:
    z = x + 1.0
    found = verify(lighten(formula(y=e.maximum(z, 0.0), open=(z > 0.0)), FEW))
    assert found["open"].inputs[0] is found["y"]
    alone = formula(open=(z > 0.0))
    assert primitives(lighten(alone, FEW)) == primitives(alone)


def test_values_are_within_the_bound_and_all_that_is_special_stays() -> None:
    rng = np.random.default_rng(2)
    drawn = rng.normal(size=(200, 3)).astype(np.float32)
    drawn[:6] = np.array([[0, -0.0, np.inf], [-np.inf, np.nan, 1]], np.float32).repeat(3, axis=0)
    for numbers in ([3.0, 0.1, -7.0], [0.0, -0.0, np.inf], [np.nan, 2.0**-126, 2.0**126], [1e-37, 1e37, -1e30]):
        ours, wanted = both(formula(y=x / s), {"x": drawn, "s": np.array(numbers, np.float32)})
        assert distance(ours["y"], wanted["y"]) <= ULPS
    clipped = formula(y=e.maximum(x, 0.0), open=e.select((x > 0.0), x, -1.0 + 0.0 * x))
    ours, wanted = both(clipped, {"x": drawn})
    assert all(np.array_equal(ours[name], wanted[name], equal_nan=True) for name in ours)


# ---- narrow sums over many rows ----


def product(columns: int) -> Graph:
    wide, narrow = e.variable("wide", "float32", (N, 16)), e.variable("narrow", "float32", (N, columns))
    y = e.matmul(e.transpose(wide, (1, 0)), narrow)
    return formula(y=y, next=0.5 * y)


def test_a_narrow_sum_over_many_rows_is_computed_turned() -> None:
    for columns in (2, 4, 7):
        found = verify(lighten(product(columns), MANY))
        (sums,) = (node for node in found.nodes if node.primitive == "matmul")
        assert sums.tensor.shape == (columns, 16)
        assert found["y"].tensor.shape == (16, columns)
    for graph, sizes in ((product(4), FEW), (product(8), MANY), (product(16), MANY), (product(1), MANY)):
        assert primitives(lighten(graph, sizes)) == primitives(graph)


def test_turning_changes_no_bit() -> None:
    rng = np.random.default_rng(4)
    wide, narrow = (rng.normal(size=(1_000, columns)).astype(np.float32) for columns in (16, 9))
    whole, _ = both(product(9), {"wide": wide, "narrow": narrow})
    for columns in (1, 2, 4, 8):
        part, wanted = both(product(columns), {"wide": wide, "narrow": narrow[:, :columns].copy()})
        for name in ("y", "next"):
            assert part[name].tobytes() == whole[name][:, :columns].tobytes()
            assert np.allclose(part[name], wanted[name], rtol=1e-5, atol=1e-3)
