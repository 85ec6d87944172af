"""Forward mode: tangents by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.autodiff.forward import jvp
from chainrule.errors import DerivativeError, ShapeError
from chainrule.graph import expr as e
from chainrule.graph.node import topological
from tests.autodiff.networks import evaluate


def test_a_tangent_by_hand() -> None:
    """y = x z moves by ẋ z + x ż: at (3, 4) along (0.5, 2) by 2 + 6 = 8."""
    x, z, dx, dz = (e.variable(name, "float64") for name in ("x", "z", "dx", "dz"))
    moved = jvp((x * z).node, {x.node: dx.node, z.node: dz.node})
    given = {"x": 3.0, "z": 4.0, "dx": 0.5, "dz": 2.0}
    inputs = [v.node for v in (x, z, dx, dz)]
    assert evaluate([moved], inputs, {k: np.asarray(v) for k, v in given.items()}) == [8.0]


def test_a_matrix_moves_its_product() -> None:
    x, w, dw = (e.variable(name, "float64", shape) for name, shape in (("x", (2, 3)), ("w", (3, 4)), ("dw", (3, 4))))
    moved = jvp((x @ w).node, {w.node: dw.node})
    rng = np.random.default_rng(0)
    given = {name: rng.normal(size=shape) for name, shape in (("x", (2, 3)), ("w", (3, 4)), ("dw", (3, 4)))}
    (found,) = evaluate([moved], [v.node for v in (x, w, dw)], given)
    assert np.allclose(found, given["x"] @ given["dw"], rtol=1e-14)


def test_the_direction_of_a_direction() -> None:
    """x³ moves along v by 3 x² v, and that along v again by 6 x v²: at x = 2, v = 0.5 by 3."""
    x, v = e.variable("x", "float64"), e.variable("v", "float64")
    once = jvp((x**3).node, {x.node: v.node})
    twice = jvp(once, {x.node: v.node})
    given = {"x": np.asarray(2.0), "v": np.asarray(0.5)}
    assert evaluate([once, twice], [x.node, v.node], given) == [6.0, 3.0]


def test_what_does_not_move_stays() -> None:
    x, z = e.variable("x", "float64", (2,)), e.variable("z", "float64", (2,))
    assert jvp((x * 2.0).node, {z.node: z.node}) is e.like(0.0, x).node
    assert jvp(x.node, {}) is e.like(0.0, x).node


def test_nothing_of_the_dual_is_left() -> None:
    dual = e.variable("dual", "float64", (2,))
    moved = jvp(e.tanh(dual * dual).node, {dual.node: dual.node})
    assert {node.label for node in topological([moved]) if node.primitive == "input"} == {"dual"}


def test_a_chain_of_ten_thousand_nodes_needs_no_recursion() -> None:
    x = e.variable("x", "float64")
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    moved = jvp(y.node, {x.node: x.node})
    (found,) = evaluate([moved], [x.node], {"x": np.asarray(1.0)})
    assert found == pytest.approx(1.0001**10_000, rel=1e-11)


def test_a_tangent_of_another_type_is_refused() -> None:
    x, v = e.variable("x", "float64", (2,)), e.variable("v", "float64", (3,))
    with pytest.raises(ShapeError, match=r"the tangent of x is float64\[3\], and must be float64\[2\]"):
        jvp(x.node, {x.node: v.node})


def test_a_whole_number_does_not_move() -> None:
    k = e.variable("k", "int32", (2,))
    with pytest.raises(DerivativeError, match="which has no derivative"):
        jvp(e.cast(k, "float64").node, {k.node: k.node})
