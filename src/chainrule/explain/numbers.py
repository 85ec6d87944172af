"""Runs a graph in float64 on the reference backend and hands out the value of any node that was asked for.

A value is shown because it was asked for as an output of the graph: no tracing, no second way to compute it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import choose
from chainrule.backends.protocol import Array
from chainrule.graph.node import Graph, Node, make_graph


def evaluate(outputs: Mapping[str, Node], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The values of nodes by name, on the reference backend.

    Args:
        outputs: what is asked for, by any name.
        inputs: a number for every input that the outputs need; others are ignored.
    """
    graph = tidy(make_graph(dict(outputs)))
    return choose("reference").evaluate(graph, {name: inputs[name] for name in graph.input_names})


def stable(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The same values in their safe forms, by the same names."""
    graph: Graph = stabilize(make_graph(dict(nodes)))
    return dict(graph.outputs)
