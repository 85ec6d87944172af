"""What the optimizer makes of whole parameters' gradients: its rule in symbols, and each weight before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from chainrule.backends.protocol import Array
from chainrule.document import (
    Block,
    Column,
    Equation,
    Equations,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Table,
    relation,
    symbol,
)
from chainrule.document.formula import Relator
from chainrule.explain.derived import Derived
from chainrule.explain.formulas import Writer
from chainrule.explain.narrow import narrow_data, narrow_weight
from chainrule.explain.notation import Notation
from chainrule.explain.numbers import evaluate
from chainrule.explain.scope import Weight
from chainrule.explain.subject import UpdateRule, show_weight
from chainrule.explain.update import corrected, of_time_alone, update_at, update_data
from chainrule.graph import expr as e
from chainrule.graph.node import Graph, Node, make_graph
from chainrule.graph.primitives import apply
from chainrule.graph.tensor_type import TensorType, named

COUNT: Final = named("m")  # of the weights that a rule is applied to at once
FIVE: Final = NumberStyle("significant", 5)
THREE: Final = NumberStyle("significant", 3)
SIGNED: Final = NumberStyle("significant", 5, signed=True)
ALONE: Final = ", alone"  # were this sample the whole batch


class Moved(msgspec.Struct, frozen=True):
    """A parameter before and after a step.

    Attributes:
        before: its weights, float64.
        after: the same after the update.
        slots: by name, before the update.
    """

    before: Array
    after: Array
    slots: dict[str, Array]


def moved(derived: Derived) -> dict[str, Moved]:
    """Every parameter that is meant and trained, before and after the update that its gradient leads to."""
    rule = derived.subject.update
    if rule is None:
        return {}
    graph = _lifted(rule.graph)
    return {name: _moved(derived, rule, graph, name) for name in derived.gradients if name in rule.slots}


def _moved(derived: Derived, rule: UpdateRule, graph: Graph, name: str) -> Moved:
    before, gradient = np.asarray(derived.numbers[name], np.float64), derived.gradients[name]
    given = {slot: np.asarray(value, np.float64) for slot, value in rule.slots[name].items()}
    flat = {"parameter": before, "gradient": gradient, **given}
    inputs = {each: np.ravel(value) for each, value in flat.items()}
    inputs |= {"rate": np.full(before.size, rule.rate), "step": np.full(before.size, rule.step, np.uint32)}
    after = evaluate({"after": graph["parameter"]}, inputs)["after"]
    return Moved(before, np.asarray(after).reshape(before.shape), given)


def _lifted(graph: Graph) -> Graph:
    """A graph of scalars as the same for m numbers at once, element by element."""
    image: dict[Node, Node] = {}
    for node in graph.nodes:
        type_ = TensorType(node.tensor.dtype, (COUNT,))
        match node.primitive:
            case "input":
                image[node] = e.variable(node.label, type_.dtype, type_.shape).node
            case "constant":
                value = node["value"]
                assert isinstance(value, (int, float))
                image[node] = e.constant(value, type_).node
            case _:
                image[node] = apply(node.primitive, *(image[i] for i in node.inputs), **dict(node.attributes))
    return make_graph({name: image[node] for name, node in graph.outputs})


# ---- on the page ----


def move_blocks(derived: Derived, weights: Sequence[Weight]) -> list[Block]:
    """The rule, the weights shown before and after, and how far each parameter goes.

    Args:
        derived: the scope.
        weights: those that have a line of their own.
    """
    rule, found = derived.subject.update, moved(derived)
    still = [name for name in derived.gradients if name not in found]
    none = [Paragraph(f"{', '.join(still)} {'is' if len(still) == 1 else 'are'} not trained")] if still else []
    if rule is None or not found:
        return [Labeled("The update", (*none,), name="update")] if none else []
    weights = [(name, index) for name, index in weights if name in found]
    blocks: list[Block] = [_rule_block(rule, ALONE if derived.alone else ""), *none]
    blocks += [_weights_table(derived, rule, found, weights)] if weights else []
    blocks += [_sizes_table(derived, found)] if len(weights) < sum(each.before.size for each in found.values()) else []
    return [Labeled("The update", tuple(blocks), name="update", data=_data(derived, rule, weights))]


def _rule_block(rule: UpdateRule, condition: str) -> Equations:
    """The rule in symbols, slots first; what depends on the time alone is a number."""
    graph, symbols = rule.graph, rule.symbols
    timed = of_time_alone(graph)
    clock = {"step": np.array(rule.step, np.uint32)}
    ages = evaluate({str(place): node for place, node in enumerate(timed)}, clock) if timed else {}
    named: dict[Node, Formula] = {node: symbols[node.label] for node in graph.inputs if node.label in symbols}
    named |= {graph.input("parameter"): symbol("w")}
    named |= {node: Number(float(ages[str(place)]), THREE) for place, node in enumerate(timed)}
    lines: list[Equation] = []
    for name in (each for each in graph.output_names if each != "parameter"):
        lines.append(_line(symbols[name], "←", graph[name], named))
        hat = replace(symbols[name], accent="hat")
        lines += [_line(hat, "=", node, named) for node in corrected(graph, graph[name], timed)]
    last = _line(symbol("w"), "←", graph["parameter"], named)
    return Equations((*lines, replace(last, value=f"({rule.said}{condition})")), inline=True)


def _line(target: Formula, sign: Relator, node: Node, named: dict[Node, Formula]) -> Equation:
    """The target and its formula; from here on the node is written as the target."""
    written = Writer(Notation(named)).write(node, None, named=False)
    named[node] = target
    return Equation(relation(target, sign, written))


def _weights_table(derived: Derived, rule: UpdateRule, found: dict[str, Moved], weights: Sequence[Weight]) -> Table:
    slots = [name for name in rule.graph.output_names if name != "parameter"]
    columns = (
        Column("weight", heading=True),
        Column(symbol("g"), style=SIGNED),
        *(Column(rule.symbols[slot], style=THREE) for slot in slots),
        Column("before", style=FIVE),
        Column("after", style=FIVE),
    )
    rows = [
        Row(
            (
                show_weight(name, index),
                Number(float(derived.gradients[name][index])),
                *(Number(float(found[name].slots[slot][index])) for slot in slots),
                Number(float(found[name].before[index])),
                Number(float(found[name].after[index])),
            )
        )
        for name, index in weights
    ]
    return Table(columns, tuple(rows), name="moved weights")


def _sizes_table(derived: Derived, found: dict[str, Moved]) -> Table:
    columns = (
        Column("parameter", heading=True),
        Column("‖g‖", style=FIVE),
        Column("‖Δw‖", style=FIVE),
        Column("‖Δw‖/‖w‖", style=THREE),
    )
    rows: list[Row] = []
    for name, each in found.items():
        size, step = float(np.linalg.norm(each.before)), float(np.linalg.norm(each.after - each.before))
        share = Number(step / size) if size else None
        rows.append(Row((name, Number(float(np.linalg.norm(derived.gradients[name]))), Number(step), share)))
    return Table(columns, tuple(rows), name="moved parameters")


def _data(derived: Derived, rule: UpdateRule, weights: Sequence[Weight]) -> dict[str, Plain]:
    """Of each weight shown what its own page says of its update, and what training in its own dtype makes of it."""
    listed: list[Plain] = [
        {
            "weight": show_weight(*weight),
            **update_data(update_at(rule, weight, derived.numbers[name][index], float(derived.gradients[name][index]))),
            "trained": narrow_data(narrow_weight(derived.subject, weight)),
        }
        for weight in weights
        for name, index in [weight]
    ]
    return {"weights": listed}
