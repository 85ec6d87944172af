"""Takes the gradient of one weight apart: its factors from the loss to the weight, and the paths it is summed over.

Everything here is read off the graph of adjoints that differentiation made. Walking back from the loss, the weight's
pre-activation z has a delta; the delta is the adjoint of the activation a times the slope ∂a/∂z; and the adjoint of a
is a sum with one path for each unit of the next layer that reads a.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from chainrule.autodiff.reverse import adjoints
from chainrule.errors import DerivativeError
from chainrule.explain.numbers import stable
from chainrule.explain.subject import Subject
from chainrule.graph.node import Node, depends_on, topological, users
from chainrule.graph.primitives import PRIMITIVES

WAYS_KEPT: Final = 4  # networks whose weights are opened one after the other


class Slope(msgspec.Struct, frozen=True):
    """An elementwise step from one named value to the next: ∂a/∂z of each unit.

    Attributes:
        upper: the name of the value that is differentiated, "dense_1.a".
        lower: the name of the value it is differentiated by, "dense_1.z".
    """

    upper: str
    lower: str


class Reader(msgspec.Struct, frozen=True):
    """A layer that reads the activation: its pre-activation's name and its weight's name."""

    z: str
    W: str


class Route(msgspec.Struct, frozen=True):
    """The way from a weight to the loss, by the names of what is passed.

    Attributes:
        z: the pre-activation that the weight is part of.
        source: the node that the weight multiplies, shape (n, i); None for a bias.
        slopes: the elementwise steps from z on, in order.
        readers: the layers that read the last activation; none where the loss or a whole row reads it.
        beyond: where no layer reads it, the value it is part of: "y_hat", or a softmax between two layers; None where
            it is the prediction itself.
    """

    z: str
    source: Node | None
    slopes: tuple[Slope, ...]
    readers: tuple[Reader, ...]
    beyond: str | None

    @property
    def top(self) -> str:
        """The last value passed before the next layer or the loss."""
        return self.slopes[-1].upper if self.slopes else self.z


class Way(msgspec.Struct, frozen=True):
    """The safe forms of a subject's nodes, and each one's adjoint of the samples' losses.

    Attributes:
        nodes: by name, in the forms that floating point survives; values and parameters keep their names, the rest
            are "loss", "losses", "y_hat", "y" and "x".
        adjoints: ∂ℓₙ/∂v for every node v between the parameters and the losses.
        gradients: ∂L/∂parameter by the parameter's name.
    """

    nodes: Mapping[str, Node]
    adjoints: Mapping[Node, Node]
    gradients: Mapping[str, Node]

    def adjoint(self, name: str) -> Node:
        """∂ℓₙ/∂v of the value of that name, shape (n, ...)."""
        node = self.nodes[name]
        if node not in self.adjoints:
            raise DerivativeError(f"the loss does not depend on {name}, so nothing flows back through it")
        return self.adjoints[node]


def way_of(subject: Subject) -> Way:
    """The safe forms of everything named in a subject, differentiated once for all of its weights and rows."""
    named = {
        "loss": subject.loss,
        "losses": subject.losses,
        "y_hat": subject.y_hat,
        "y": subject.y,
        "x": subject.x,
        **subject.values,
        **subject.parameters,
    }
    return _way(tuple(named.items()), tuple(subject.parameters))


@lru_cache(maxsize=WAYS_KEPT)
def _way(named: tuple[tuple[str, Node], ...], parameters: tuple[str, ...]) -> Way:
    nodes = stable(dict(named))
    sources = [nodes[name] for name in parameters]
    back = adjoints(nodes["losses"], sources)
    total = adjoints(nodes["loss"], sources)
    gradients = {name: total[nodes[name]] for name in parameters if nodes[name] in total}
    return Way(nodes, back, gradients)


def route_of(subject: Subject, way: Way, parameter: str) -> Route:
    """The way from a parameter to the loss.

    Raises: DerivativeError when the loss does not depend on the parameter, or its layer names no pre-activation.
    """
    layer = parameter.rpartition(".")[0]
    z = f"{layer}.z"
    if z not in subject.values or way.nodes[parameter] not in way.adjoints:
        raise DerivativeError(f"{parameter} does not reach the loss, so there is no chain to write")
    slopes, beyond = _passed(subject, way, z)
    readers = _readers(subject, way, slopes[-1].upper if slopes else z)
    return Route(z, _source(way, parameter), slopes, readers, None if readers else beyond)


def _passed(subject: Subject, way: Way, z: str) -> tuple[tuple[Slope, ...], str | None]:
    """The elementwise steps from z on, and the first value after them that is not one."""
    slopes: list[Slope] = []
    current = z
    for name in _later(subject, z):
        here, there = way.nodes[current], way.nodes[name]
        if there is here:
            continue
        if there not in way.adjoints or not is_elementwise(here, there):
            return tuple(slopes), "y_hat" if subject.values.get(name) is subject.y_hat else name
        slopes.append(Slope(name, current))
        current = name
    return tuple(slopes), None


def _later(subject: Subject, z: str) -> list[str]:
    names = list(subject.values)
    return [*names[names.index(z) + 1 :], "y_hat"]


def is_elementwise(lower: Node, upper: Node) -> bool:
    """Whether each element of `upper` depends on the same element of `lower` and on no other."""
    between = depends_on([upper], [lower])
    if upper not in between:
        return False
    return all(node is lower or PRIMITIVES[node.primitive].kind == "elementwise" for node in between)


def _source(way: Way, parameter: str) -> Node | None:
    """What a weight multiplies: the left side of the product it is the right side of."""
    weight = way.nodes[parameter]
    for node in topological([way.nodes["loss"]]):
        if node.primitive == "matmul" and node.inputs[1] is weight:
            return node.inputs[0]
    return None


def _readers(subject: Subject, way: Way, top: str) -> tuple[Reader, ...]:
    """The layers whose product reads the value: their z and their W."""
    order = topological([way.nodes["losses"]])
    read_by = users(order)
    weights = {way.nodes[name]: name for name in subject.parameters}
    found: list[Reader] = []
    for node in read_by.get(way.nodes[top], ()):
        if node.primitive == "matmul" and node.inputs[0] is way.nodes[top] and node.inputs[1] in weights:
            W = weights[node.inputs[1]]
            found.append(Reader(f"{W.rpartition('.')[0]}.z", W))
    return tuple(found)
