"""Dense networks written by hand, with several losses and sample weights, and values for all their inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph
from chainrule.graph.tensor_type import named

Array = npt.NDArray[Any]
Loss = Callable[[Expr, Expr], Expr]

N: Final = named("n")


def half_squared_error(z: Expr, y: Expr) -> Expr:
    return 0.5 * e.sum((z - y) ** 2, -1)


def cross_entropy(z: Expr, y: Expr) -> Expr:
    return e.log(e.sum(e.exp(z), -1)) - e.sum(y * z, -1)


def binary_cross_entropy(z: Expr, y: Expr) -> Expr:
    y_hat = e.sigmoid(z)
    return -e.mean(y * e.log(y_hat) + (1.0 - y) * e.log(1.0 - y_hat), -1)


def absolute_error(z: Expr, y: Expr) -> Expr:
    return e.sum(e.absolute(z - y), -1)


LOSSES: Final[tuple[Loss, ...]] = (half_squared_error, cross_entropy, binary_cross_entropy, absolute_error)


def relu(z: Expr) -> Expr:
    return e.maximum(z, 0.0)


@dataclass(frozen=True)
class Dense:
    """A network: its parameters by name, the loss of each sample, and the loss of the batch."""

    parameters: dict[str, Expr]
    sample_weights: Expr
    per_sample_loss: Expr
    mean: Expr
    weighted: Expr
    inputs: list[Node]

    def loss(self, weighted: bool) -> Expr:
        return self.weighted if weighted else self.mean


def dense(
    widths: Sequence[int], loss: Loss, activations: Sequence[Callable[[Expr], Expr]] = (e.tanh, e.sigmoid)
) -> Dense:
    """Layers of these widths with activations by turns, the last one linear.

    The loss of the batch is the mean, and, weighted, Σ wₙ ℓₙ / Σ wₙ.
    """
    x, y = e.variable("x", "float64", (N, widths[0])), e.variable("y", "float64", (N, widths[-1]))
    weights = e.variable("w", "float64", (N,))
    parameters: dict[str, Expr] = {}
    a = x
    for layer, (i, o) in enumerate(pairwise(widths), start=1):
        W = parameters[f"W{layer}"] = e.variable(f"W{layer}", "float64", (i, o))
        b = parameters[f"b{layer}"] = e.variable(f"b{layer}", "float64", (o,))
        z = a @ W + b
        a = z if layer == len(widths) - 1 else activations[(layer - 1) % len(activations)](z)
    losses = loss(a, y)
    inputs = [each.node for each in (x, y, weights, *parameters.values())]
    weighted = e.sum(weights * losses) / e.sum(weights)
    return Dense(parameters, weights, losses, e.mean(losses), weighted, inputs)


def values(network: Dense, samples: int, seed: int) -> dict[str, Array]:
    """Random parameters, data, one-hot targets and positive sample weights."""
    rng = np.random.default_rng(seed)
    result: dict[str, Array] = {}
    for node in network.inputs:
        shape = tuple(d if isinstance(d, int) else samples for d in node.tensor.shape)
        result[node.label] = rng.normal(size=shape)
    result["y"] = np.eye(result["y"].shape[1])[rng.integers(0, result["y"].shape[1], size=samples)]
    result["w"] = rng.uniform(0.25, 2.0, size=samples)
    return result


def row(batch: dict[str, Array], n: int) -> dict[str, Array]:
    """The batch of sample n alone."""
    return {name: value[n : n + 1] if name in ("x", "y", "w") else value for name, value in batch.items()}


def evaluate(nodes: Sequence[Node], inputs: Sequence[Node], given: dict[str, Array]) -> list[Array]:
    """The nodes on the reference backend."""
    graph = make_graph({str(i): node for i, node in enumerate(nodes)}, inputs)
    results = ReferenceBackend().evaluate(graph, given)
    return [results[str(i)] for i in range(len(nodes))]
