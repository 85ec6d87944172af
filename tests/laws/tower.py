"""Gradients of gradients of a case: each order is a scalar, so that every witness can be held against it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from chainrule.autodiff.reverse import gradients
from chainrule.backends.reference import ReferenceBackend
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, make_graph
from chainrule.graph.tensor_type import concrete
from tests.laws.primitive_cases import SIZES, Case, Values


@dataclass(frozen=True, slots=True)
class Floor:
    """One order of differentiation: a scalar, and its gradient with respect to each operand."""

    scalar: Node
    gradient: list[Node]


@dataclass(frozen=True, slots=True)
class Tower:
    """The orders of one case, with values for its operands x0, x1, … and for the random directions.

    Floor 0 differentiates ⟨u, f(x)⟩, and floor k the gradient below it: Σ ⟨uᵢ, gᵢ⟩ over the operands i.
    """

    case: Case
    operands: list[Node]
    output: Node
    floors: list[Floor]
    inputs: list[Node]
    values: dict[str, Values]

    def evaluate(self, nodes: list[Node], changed: dict[str, np.ndarray] | None = None) -> list[np.ndarray]:
        """The nodes on the reference backend, at the tower's values except those that are changed."""
        graph = make_graph({str(i): node for i, node in enumerate(nodes)}, self.inputs)
        results = ReferenceBackend().evaluate(graph, {**self.values, **(changed or {})})
        return [results[str(i)] for i in range(len(nodes))]


def build(case: Case) -> Tower:
    """The tower of a case; its values follow from the case's name."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    operands = [e.variable(f"x{i}", "float64", operand.shape) for i, operand in enumerate(case.operands)]
    values = {f"x{i}": operand.draw(rng) for i, operand in enumerate(case.operands)}
    inputs = [operand.node for operand in operands]
    output = case.build(*operands)
    floors: list[Floor] = []
    targets = [output]
    for order in range(case.order):
        scalar = e.like(0.0, e.sum(output))
        for i, target in enumerate(targets):
            direction = e.variable(f"u{order}_{i}", "float64", target.shape)
            values[direction.node.label] = rng.normal(size=concrete(target.shape, SIZES))
            inputs.append(direction.node)
            scalar = scalar + e.sum(direction * target)
        gradient = gradients(scalar.node, inputs[: len(operands)])
        floors.append(Floor(scalar.node, gradient))
        targets = [Expr(each) for each in gradient]
    return Tower(case, inputs[: len(operands)], output.node, floors, inputs, values)
