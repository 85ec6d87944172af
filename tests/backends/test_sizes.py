"""Named sizes get one value each from the shapes of what is given."""

from __future__ import annotations

import pytest

from chainrule.backends.sizes import bind_sizes
from chainrule.errors import ShapeError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from chainrule.graph.tensor_type import Dim, named, product

N, T = named("n"), named("t")


def bind(types: dict[str, tuple[Dim, ...]], shapes: dict[str, tuple[int, ...]]) -> dict[str, int]:
    graph = make_graph({}, [e.variable(name, "float32", shape).node for name, shape in types.items()])
    return bind_sizes(graph, shapes)


@pytest.mark.parametrize(
    ("types", "shapes", "expected"),
    [
        ({"x": (N, 3), "y": (N,)}, {"x": (5, 3), "y": (5,)}, {"n": 5}),
        ({"x": (N, T)}, {"x": (5, 2)}, {"n": 5, "t": 2}),
        ({"x": (product((3, N)),)}, {"x": (12,)}, {"n": 4}),
        ({"x": (product((2, N, T)),), "y": (T,)}, {"x": (12,), "y": (3,)}, {"n": 2, "t": 3}),
        ({"x": (product((N, N)),)}, {"x": (49,)}, {"n": 7}),
        ({"x": (3,)}, {"x": (3,)}, {}),
        ({"x": (N,), "unused": (T,)}, {"x": (2,)}, {"n": 2}),
    ],
)
def test_sizes_are_found(
    types: dict[str, tuple[Dim, ...]], shapes: dict[str, tuple[int, ...]], expected: dict[str, int]
) -> None:
    assert bind(types, shapes) == expected


@pytest.mark.parametrize(
    ("types", "shapes", "sentence"),
    [
        ({"x": (N, 3), "y": (N,)}, {"x": (5, 3), "y": (4,)}, "y has n = 4, but x has n = 5; they must agree"),
        ({"x": (N, N)}, {"x": (5, 4)}, "x has n = 4, but x has n = 5"),
        ({"x": (N, 3)}, {"x": (5, 4)}, r"x has shape \(5, 4\), and \(n, 3\) is wanted"),
        ({"x": (N, 3)}, {"x": (5,)}, r"x has shape \(5,\), and \(n, 3\) is wanted"),
        ({"x": (N,)}, {"x": (0,)}, r"x has shape \(0,\), so n is 0; give at least one"),
        ({"x": (product((3, N)),)}, {"x": (10,)}, r"x has 10 where 3\*n is wanted: no whole n fits"),
        ({"x": (product((N, N)),)}, {"x": (50,)}, "no whole n fits"),
        ({"x": (product((N, T)),)}, {"x": (12,)}, r"x has n\*t = 12, which does not say what n and t are"),
        (
            {"x": (product((N, T)),), "y": (N,), "z": (T,)},
            {"x": (12,), "y": (3,), "z": (5,)},
            r"x has n\*t = 12, but y has n = 3 and z has t = 5",
        ),
    ],
)
def test_shapes_that_contradict_are_refused(
    types: dict[str, tuple[Dim, ...]], shapes: dict[str, tuple[int, ...]], sentence: str
) -> None:
    with pytest.raises(ShapeError, match=sentence):
        bind(types, shapes)
