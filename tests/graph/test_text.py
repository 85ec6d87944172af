"""A graph as text: it reads well, comes back as the same nodes, and hostile text can only fail."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import GraphError
from chainrule.graph import expr as e
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import TensorType, named, product
from chainrule.graph.text import parse, to_text
from tests.laws.random_graphs import Example, examples

N, T = named("n"), named("t")
X, W = e.variable("x", "float32", (N,)), e.variable("w", "float32", (N,))
EXAMPLE = """graph:
  input x: float32[n]
  input w: float32[n]
  assume w: nonnegative
  %1 = multiply(x, w): float32[n]
  %2 = sum(%1, axes=(0,)): float32[]
  %3 = size(of=n): int32[]
  %4 = cast(%3, dtype="float32"): float32[]
  %5 = divide(%2, %4): float32[]
  output mean = %5
"""


def test_a_graph_reads_line_by_line() -> None:
    graph = make_graph({"mean": e.mean(X * W).node}, [X.node], {"w": [Fact.NONNEGATIVE]})
    assert to_text(graph) == EXAMPLE
    assert parse(EXAMPLE) == graph


def same(graph: Graph) -> None:
    """The graph comes back, with the very same nodes."""
    back = parse(to_text(graph))
    assert back == graph
    assert all(mine is theirs for mine, theirs in zip(back.nodes, graph.nodes, strict=True))


@given(examples())
def test_random_graphs_come_back(example: Example) -> None:
    same(example.graph)


@given(st.floats(), st.floats(width=32))
def test_every_float_comes_back(value: float, exponent: float) -> None:
    constant = e.constant(value, TensorType("float64"))
    graph = make_graph({"y": (constant**exponent).node})
    back = parse(to_text(graph))["y"].inputs[0]["value"]
    assert isinstance(back, float)
    assert back.hex() == value.hex()
    same(graph)


@pytest.mark.parametrize("value", [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e308, 0.1, 1e22, 1e-7])
def test_floats_at_the_edges_come_back(value: float) -> None:
    same(make_graph({"y": e.constant(value, TensorType("float64", (N,))).node}))


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_name_comes_back(name: str, output: str) -> None:
    x = e.variable(name, "float32", (2,))
    same(make_graph({output: e.exp(x).node}, facts={name: [Fact.ROWS_SUM_TO_ONE, Fact.POSITIVE]}))


@pytest.mark.parametrize(
    "name", ["graph", "input", "output", "assume", "NaN", "a.b", "%1", "@1", "x:", '"', "\n", "n=1"]
)
def test_names_that_look_like_the_language_come_back(name: str) -> None:
    same(make_graph({name: e.exp(e.variable(name, "float32")).node}))


@pytest.mark.parametrize("size", ["inf", "nan", "true", "graph", "float32", "e1"])
def test_sizes_that_look_like_values_come_back(size: str) -> None:
    dims = (named(size), product((3, named(size), T)), 0)
    x = e.variable("x", "int32", dims)
    same(make_graph({"y": e.broadcast(x, (2, *dims), (0,)).node, "s": e.size(size).node}))


def test_every_kind_of_attribute_comes_back() -> None:
    seed, step = e.variable("seed", "uint32", (2,)), e.variable("step", "uint32")
    bits = e.random_bits(seed, step, 4, (N, 3))
    flag = e.constant(True, TensorType("bool", (N, 3)))
    same(make_graph({"y": e.select(flag, e.cast(bits, "float32"), -0.0).node, "i": e.iota((N, 3), 1).node}))


def loop(depth: int) -> e.Expr:
    """A loop of a loop of … a sum."""
    h, x = e.variable("h", "float32"), e.variable("x", "float32")
    inner = h + x
    for level in range(depth):
        body = make_graph({"h": inner.node, "y": (h * x).node}, [h.node, x.node])
        xs = e.broadcast(x, (3,), (0,)) if level < depth - 1 else e.variable("xs", "float32", (T,))
        scan = apply("scan", h.node, xs.node, body=body, carries=1, xs=1)
        inner = e.Expr(apply("item", scan, index=0))
    return inner


def test_bodies_of_loops_come_back() -> None:
    graph = make_graph({"a": loop(1).node, "b": loop(3).node})
    text = to_text(graph)
    assert text.count("graph @") == 3  # the innermost is shared
    assert text.index("graph @1:") < text.index("body=@1")
    same(graph)


def test_an_empty_graph_comes_back() -> None:
    same(make_graph({}))
    same(Graph((X.node,), (("x", X.node),), (("x", ()),)))


def test_only_what_is_well_formed_is_written() -> None:
    with pytest.raises(GraphError, match="not listed"):
        to_text(Graph((), (("y", X.node),)))


def edited(old: str, new: str) -> str:
    assert old in EXAMPLE
    return EXAMPLE.replace(old, new)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 0: the text ends before a graph"),
        ("graph @1:\n", "line 1: the text ends before a graph"),
        ("hello", "line 1: 'hello' came, and graph is wanted"),
        ("graph", "line 1: the end of the line came, and a graph such as @1 or a mark is wanted"),
        ("graph (", r"line 1: '\(' came, and a label such as @1, or a colon"),
        (EXAMPLE + EXAMPLE, "line 11: 'graph' came, and the end of the text"),
        ("graph @1:\ngraph @1:\n", "line 2: '@1' came, and a label that is new"),
        (edited("float32[n]\n  input w", "float23[n]\n  input w"), "line 2: unknown dtype 'float23': did you mean"),
        (edited("input w", "input x"), "line 3: 'x' came, and an input with a new name"),
        (edited("w: nonneg", "v: nonneg"), "facts are assumed of v, which is no input"),
        (edited("nonnegative", "nonegative"), "line 4: unknown fact 'nonegative': did you mean 'nonnegative'"),
        (edited("multiply", "multipy"), "line 5: unknown primitive 'multipy': did you mean 'multiply'"),
        (edited("x, w)", "x, v)"), "line 5: unknown input 'v'"),
        (edited("x, w)", "x, %7)"), "line 5: '%7' came, and a value of a line above"),
        (edited("x, w)", "x, w"), "line 5: ':' came, and '\\)' is wanted"),
        (edited("(x, w): float32[n]", "(x): float32[n]"), "line 5: multiply takes 2 inputs, and got 1"),
        (edited("axes=", "axis="), "line 6: unknown attribute of sum 'axis': did you mean 'axes'"),
        (edited("axes=(0,)", "axes=(0,), axes=(0,)"), "line 6: 'axes' came, and an attribute that is new"),
        (edited("axes=(0,)", "axes=(1,)"), "line 6: axis 1 does not exist"),
        (
            edited("axes=(0,)): float32[]", "axes=(0,)): float32[n]"),
            r"line 6: 'float32\[n\]' came, and the type",
        ),
        (edited("axes=(0,)", "primitive=3"), "line 6: unknown attribute of sum 'primitive'"),
        (edited("of=n", "of=3"), "line 7: size reads a named size"),
        (edited('"float32"', '"\\q"'), r"line 8: '\"\\q\"' came, and a JSON string"),
        (edited("%5 = div", "%4 = div"), "line 9: '%4' came, and a label that is new"),
        (edited("%5 = div", "%5 div"), "line 9: 'divide' came, and '=' is wanted"),
        (edited("mean = %5", "mean = %6"), "line 10: '%6' came, and a value of a line above"),
        (edited("mean = %5", "mean = %5 %5"), "line 10: '%5' came, and the end of the line"),
        (EXAMPLE + "  output mean = %5\n", "2 outputs are named mean"),
        (edited("axes=(0,)", "axes=" + "(" * 40), "line 6: 'one more' came, and at most 8 tuples"),
        (edited("axes=(0,)", "axes=(" + "0," * 99 + ")"), "line 6: 'one more' came, and at most 64 entries"),
        (edited("axes=(0,)", "axes=(" + "9" * 5000 + ",)"), "line 6: '9{60}' came, and a whole number"),
        (edited("axes=(0,)", "axes=@1"), "line 6: '@1' came, and a graph that stands above"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        parse(text)


@given(st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.text(max_size=6))
def test_damaged_text_fails_with_an_error_of_ours(start: int, length: int, put: str) -> None:
    damaged = EXAMPLE[:start] + put + EXAMPLE[start + length :]
    with contextlib.suppress(GraphError):
        same(parse(damaged))


PIECES = [*"x=()[],:*3n", "%1", "%2", "@1", "-1", "1e9", '"a"', "scan", "float32"]


@given(st.lists(st.lists(st.sampled_from([*PIECES, "input", "output", "assume", "graph"]), max_size=8), max_size=6))
def test_any_tokens_fail_with_an_error_of_ours(lines: list[list[str]]) -> None:
    text = "graph:\n" + "\n".join(" ".join(line) for line in lines)
    with contextlib.suppress(GraphError):
        same(parse(text))
