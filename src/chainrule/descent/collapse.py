"""What the layers of a network come to without their activations: one linear map, or many, each for some rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.autodiff.reverse import gradients
from chainrule.autodiff.tidy import tidy
from chainrule.backends.choose import choose
from chainrule.backends.given import NUMPY
from chainrule.data.dataset import Array
from chainrule.descent.field import rows_of
from chainrule.descent.one_map import INPUT, OneMap, one_map
from chainrule.errors import RunError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, make_graph, transform
from chainrule.graph.primitives import apply
from chainrule.graph.retype import retype
from chainrule.train.prepare import Prepared

Floats = npt.NDArray[np.float64]

SAME: Final = 1e-9  # of the largest output: what float64 leaves of a difference after a few layers
MOST_ROWS: Final = 2000
PIECEWISE: Final = frozenset({"relu", "leaky_relu"})  # linear on each side of 0


@dataclass(frozen=True, eq=False, slots=True)
class Collapse:
    """A network held against one linear map of its inputs, z = x W + b, before the activation of its output.

    Attributes:
        symbols: what the layers come to, derived from the graph.
        sizes: numbers in each layer's parameters, by the layer's name.
        W: ∂z/∂x at one row, float64 (inputs, outputs).
        b: what is left there, (outputs,).
        scale: the largest |z| over the rows.
        off: the largest |z − (x W + b)| over all rows.
        product_off: where there is one product W¹ W² … for every row, how far it and what is left where x is 0 are at
            most from W and b; else None.
        off_here: the same over the rows with the pattern of that row; 0 where there are no patterns.
        here: how many rows have that pattern.
        patterns: how many patterns of units on and off the rows show; 0 unless every activation has straight sides.
        unexplained: the share of the variance of z over the rows that the best linear map leaves.
        rows: how many were looked at.
        activations: of the hidden layers, by layer.
    """

    symbols: OneMap
    sizes: Mapping[str, int]
    W: Floats
    b: Floats
    scale: float
    off: float
    product_off: float | None
    off_here: float
    here: int
    patterns: int
    unexplained: float
    rows: int
    activations: Mapping[str, str]

    @property
    def is_linear(self) -> bool:
        """Whether one map does for all rows what the network does, to rounding."""
        return self.off <= SAME * max(self.scale, 1.0)


def collapse_of(prepared: Prepared, state: Mapping[str, Array], backend: str) -> Collapse:
    """Multiply a network out.

    Args:
        prepared: experiment, data and graphs of the run.
        state: the weights, and what else the network reads.
        backend: what runs it.

    Raises: RunError for a network without a dense layer.
    """
    values = [name for name, _ in prepared.graphs.book.outputs if "." in name]
    names = [name for name in values if name.endswith(".z")]
    if not names:
        raise RunError("the network has no dense layer, so there is nothing to multiply out")
    network = _network(prepared.graphs.book, values)
    symbols = one_map(network, names)
    graph = _asked(network, names, symbols)
    rows = rows_of(prepared, MOST_ROWS)
    x = _inputs(prepared, state, rows, backend)
    found = choose(backend).evaluate(graph, _given(graph, state, x))
    z = found[names[-1]]
    patterns, row, alike = _patterns(prepared, found, names, len(rows))
    slopes = np.stack([found[f"slope_{k}"][row].reshape(-1) for k in range(z.shape[1])], axis=1)
    flat = x.reshape(len(x), -1)
    b = z[row] - flat[row] @ slopes
    off = np.abs(z - (flat @ slopes + b)).max(axis=1)
    return Collapse(
        symbols=symbols,
        sizes=_sizes(prepared),
        W=slopes,
        b=b,
        scale=float(np.abs(z).max()),
        off=float(off.max()),
        product_off=_product_off(found, slopes, b),
        off_here=float(off[alike].max()),
        here=int(alike.sum()),
        patterns=patterns,
        unexplained=_unexplained(flat, z),
        rows=len(rows),
        activations=_activations(prepared),
    )


def _network(book: Graph, names: Sequence[str]) -> Graph:
    """From the inputs as the first layer reads them to these values."""
    wide = retype(make_graph({name: book[name] for name in (INPUT, *names)}), "float64")
    begin = wide[INPUT]
    x = e.variable(INPUT, "float64", begin.tensor.shape).node
    image = transform(
        wide.results,
        lambda node, inputs: (
            x
            if node is begin
            else node
            if inputs == node.inputs
            else apply(node.primitive, *inputs, **dict(node.attributes))
        ),
    )
    return make_graph({name: image[wide[name]] for name in names})


def _asked(network: Graph, names: Sequence[str], symbols: OneMap) -> Graph:
    """The pre-activations with the slopes of the last one's columns; and the product of the layers, where there is one.

    Slopes and product are two ways to the same numbers: back from z to x, and from x forward to z.
    """
    x, last = network.input(INPUT), Expr(network[names[-1]])
    count = last.shape[-1]
    assert isinstance(count, int)  # of a dense layer
    slopes = {f"slope_{k}": gradients(e.sum(e.slice_axis(last, 1, k, k + 1)).node, [x])[0] for k in range(count)}
    product = {"product": symbols.product, "rest": symbols.rest} if symbols.product is not None else {}
    return tidy(make_graph({**{name: network[name] for name in names}, **slopes, **product}))


def _product_off(found: Mapping[str, Array], slopes: Floats, b: Floats) -> float | None:
    if "product" not in found:
        return None
    return max(float(np.abs(found["product"] - slopes).max()), float(np.abs(found["rest"] - b).max()))


def _inputs(prepared: Prepared, state: Mapping[str, Array], rows: npt.NDArray[np.int64], backend: str) -> Floats:
    """The rows as the first layer reads them, scaled."""
    book = prepared.graphs.book
    graph = retype(make_graph({INPUT: book[INPUT]}), "float64")
    columns = {name: column[rows] for name, column in prepared.columns.items()}
    given = {node.label: _typed({**state, **columns}[node.label], node.tensor.dtype) for node in graph.inputs}
    return np.asarray(choose(backend).evaluate(graph, given)[INPUT], np.float64)


def _given(graph: Graph, state: Mapping[str, Array], x: Floats) -> dict[str, Array]:
    return {node.label: _typed({**state, INPUT: x}[node.label], node.tensor.dtype) for node in graph.inputs}


def _typed(value: Array, dtype: str) -> Array:
    return np.asarray(value, NUMPY[dtype])


def _patterns(
    prepared: Prepared, found: Mapping[str, Array], names: list[str], rows: int
) -> tuple[int, int, npt.NDArray[np.bool_]]:
    """How many patterns of units on and off there are, a row with the most common, and the rows that share it."""
    kinds = {f"{layer}.z": kind for layer, kind in _activations(prepared).items()}
    seen = [found[name] > 0.0 for name in names if name in kinds]
    if not seen or not PIECEWISE.issuperset(kinds.values()):  # beside a curved one no pattern makes it linear
        return 0, 0, np.ones(rows, np.bool_)
    _, first, which, counts = np.unique(
        np.hstack(seen), axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    most = int(counts.argmax())
    return len(counts), int(first[most]), np.asarray(which).reshape(-1) == most


def _activations(prepared: Prepared) -> dict[str, str]:
    """Of the hidden layers that have one which is not linear."""
    layers = prepared.experiment.layers
    named = zip(layers.names[:-1], layers.layers[:-1], strict=True)
    return {name: layer.ends_in for name, layer in named if layer.ends_in not in (None, "linear")}


def _sizes(prepared: Prepared) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for each in prepared.graphs.parameters:
        layer = each.name.rpartition(".")[0]
        sizes[layer] = sizes.get(layer, 0) + int(np.prod(each.shape))
    return sizes


def _unexplained(x: Floats, z: Floats) -> float:
    """What the best linear map of least squares leaves of the variance of z."""
    design = np.hstack((x, np.ones((len(x), 1))))
    left = z - design @ np.linalg.lstsq(design, z, rcond=None)[0]
    spread = float(((z - z.mean(axis=0)) ** 2).sum())
    return float((left**2).sum()) / spread if spread else 0.0
