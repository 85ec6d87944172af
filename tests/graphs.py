"""Comparing graphs, not numbers: equal graphs are the same nodes, and both are shown where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.simplify import simplify
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact
from chainrule.graph.node import Graph, make_graph
from chainrule.graph.rewrite import Trail
from chainrule.graph.text import to_text

Given = Mapping[str, Iterable[Fact]]


def graph_of(formula: Expr, facts: Given | None = None) -> Graph:
    """The graph with this one output, called `out`."""
    return make_graph({"out": formula.node}, facts=facts)


def simplified(formula: Expr, facts: Given | None = None) -> tuple[Expr, Trail]:
    """The formula in its simplest form, and how it came about."""
    graph, trail = simplify(graph_of(formula, facts))
    return Expr(graph["out"]), trail


def slope(output: Expr, wrt: Expr, facts: Given | None = None) -> tuple[Expr, Trail]:
    """∂(sum of the output)/∂wrt in its simplest form, and how it came about."""
    (found,) = gradients(output.node, [wrt.node])
    return simplified(Expr(found), facts)


def assert_same_graph(found: Expr | Graph, expected: Expr | Graph) -> None:
    """Fail, showing both as text, unless the outputs are the same nodes under the same names."""
    left, right = (graph if isinstance(graph, Graph) else graph_of(graph) for graph in (found, expected))
    if left.outputs != right.outputs:
        pytest.fail(f"found\n{to_text(left)}\nexpected\n{to_text(right)}", pytrace=False)
