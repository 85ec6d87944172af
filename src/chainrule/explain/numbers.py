"""Runs a graph in float64 on the reference backend and hands out the value of any node that was asked for.

A value is shown because it was asked for as an output of the graph: no tracing, no second way to compute it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from chainrule.autodiff.stabilize import stabilize
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import choose
from chainrule.backends.protocol import Array
from chainrule.graph.node import Graph, Node, make_graph

KEPT: Final = 4  # graphs


def evaluate(outputs: Mapping[str, Node], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The values of nodes by name, on the reference backend.

    Args:
        outputs: what is asked for, by any name.
        inputs: a number for every input that the outputs need; others are ignored.
    """
    graph = _tidied(tuple(outputs.items()))
    return choose("reference").evaluate(graph, {name: inputs[name] for name in graph.input_names})


def evaluate_once(outputs: Mapping[str, Node], inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The same of a graph that is run but once, so that tidying it would take longer than running it."""
    graph = make_graph(dict(outputs))
    return choose("reference").evaluate(graph, {name: inputs[name] for name in graph.input_names})


@lru_cache(maxsize=KEPT)
def _tidied(outputs: tuple[tuple[str, Node], ...]) -> Graph:
    """The graph of these outputs; the last few are kept, as a witness asks for the same one again and again."""
    return tidy(make_graph(dict(outputs)))


def stable(nodes: Mapping[str, Node]) -> dict[str, Node]:
    """The same values in their safe forms, by the same names."""
    graph: Graph = stabilize(make_graph(dict(nodes)))
    return dict(graph.outputs)
