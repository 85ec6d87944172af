"""What the optimizer makes of a gradient: each of its formulas, filled in."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec.structs import replace

from chainrule.backends.protocol import Array
from chainrule.document import (
    Equation,
    Equations,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Symbol,
    equals,
    number,
    relation,
)
from chainrule.document.formula import Relator
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import Notation
from chainrule.explain.numbers import evaluate
from chainrule.explain.opened import Opened
from chainrule.explain.subject import UpdateRule
from chainrule.graph.node import Graph, Node, depends_on

if TYPE_CHECKING:
    from chainrule.explain.scope import Weight

SIX = NumberStyle("significant", 6)


class Update(msgspec.Struct, frozen=True):
    """One weight before and after a step.

    Attributes:
        rule: how it is moved.
        given: a number for each input of the rule.
        values: of every node of the rule.
    """

    rule: UpdateRule
    given: Mapping[str, Array]
    values: Mapping[Node, float]

    @property
    def before(self) -> float:
        """The weight before."""
        return float(self.given["parameter"])

    @property
    def after(self) -> float:
        """The weight after."""
        return self.values[self.rule.graph["parameter"]]


def update_of(opened: Opened) -> Update | None:
    """The update that the batch's gradient leads to; None where the weight is not trained."""
    rule = opened.subject.update
    if rule is None:
        return None
    return update_at(rule, (opened.parameter, opened.index), opened.values["weight"][opened.index], opened.gradient)


def update_at(rule: UpdateRule, weight: Weight, before: Array | float, gradient: float) -> Update:
    """The update of one weight with this gradient, at every node of the rule."""
    parameter, index = weight
    known = {name: array[index] for name, array in rule.slots.get(parameter, {}).items()}
    known |= {"parameter": np.asarray(before), "gradient": np.array(gradient)}
    known |= {"rate": np.array(rule.rate), "step": np.array(rule.step, dtype=np.uint32)}
    given = {name: np.asarray(known[name]) for name in rule.graph.input_names}
    nodes = rule.graph.nodes
    found = evaluate({str(place): node for place, node in enumerate(nodes)}, given)
    return Update(rule, given, {node: float(found[str(place)]) for place, node in enumerate(nodes)})


def update_block(update: Update | None, weight: Symbol, parameter: str, condition: str = "") -> Labeled:
    """The formulas with their numbers, slots first; the condition says when it would be made."""
    if update is None:
        return Labeled("The update", (Paragraph(f"none: {parameter} is not trained"),), name="update")
    lines = _lines(update, weight)
    last = replace(lines[-1], value=f"({update.rule.said}{condition})")
    block = Equations((*lines[:-1], last), inline=True)
    return Labeled("The update", (block,), name="update", data=update_data(update))


def update_data(update: Update) -> dict[str, Plain]:
    """The same as numbers by name: the weight, the rate, and each slot before, after, and divided by its time."""
    graph, rule = update.rule.graph, update.rule
    timed = of_time_alone(graph)
    slots: dict[str, Plain] = {}
    for name in (each for each in graph.output_names if each != "parameter"):
        moved: dict[str, Plain] = {"before": float(update.given[name]), "after": update.values[graph[name]]}
        hats = [update.values[node] for node in corrected(graph, graph[name], timed)]
        slots[name] = {**moved, "corrected": hats[0]} if hats else moved
    return {
        "before": update.before,
        "after": update.after,
        "gradient": float(update.given["gradient"]),
        "optimizer": rule.said,
        "learning_rate": rule.rate,
        "step": rule.step,
        "slots": slots,
    }


def _lines(update: Update, weight: Symbol) -> list[Equation]:
    """A line for each slot, for each slot divided by what depends on the time alone, and for the weight."""
    graph, symbols = update.rule.graph, update.rule.symbols
    timed = of_time_alone(graph)
    numbers: dict[Node, Formula] = {node: Number(update.values[node], SIX) for node in (*graph.inputs, *timed)}
    lines: list[Equation] = []
    for name in (each for each in graph.output_names if each != "parameter"):
        lines.append(_line(update, symbols[name], "←", graph[name], numbers))
        hat = replace(symbols[name], accent="hat")
        lines += [_line(update, hat, "=", node, numbers) for node in corrected(graph, graph[name], timed)]
    return [*lines, _line(update, weight, "←", graph["parameter"], numbers)]


def _line(update: Update, target: Symbol, sign: Relator, node: Node, numbers: dict[Node, Formula]) -> Equation:
    """The target, its formula filled in, its value; from here on the node is written as its value."""
    filled = Writer(Notation(numbers)).write(node, None, named=False)
    numbers[node] = Number(update.values[node], SIX)
    return Equation(relation(target, sign, equals(filled, number(update.values[node], 9))))


def corrected(graph: Graph, slot: Node, timed: Container[Node]) -> list[Node]:
    """The slot divided by what depends on the time alone: m̂ = m / (1 − βᵗ)."""
    return [
        node
        for node in graph.nodes
        if node.primitive == "divide" and node.inputs[0] is slot and node.inputs[1] in timed
    ]


def of_time_alone(graph: Graph) -> set[Node]:
    """What depends on the number of updates and on nothing else, such as 1 − βᵗ."""
    clocks = [node for node in graph.inputs if node.label == "step"]
    others = [node for node in graph.inputs if node.label != "step"]
    return depends_on(graph.results, clocks) - depends_on(graph.results, others)
