"""Derivatives in the form a textbook prints, with what had to be known to reach it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from chainrule.autodiff.forward import jvp
from chainrule.autodiff.picking import one_place
from chainrule.autodiff.reverse import adjoints
from chainrule.autodiff.simplify import simplify
from chainrule.explain.subject import Subject
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Node, make_graph, transform
from chainrule.graph.primitives import rebuild
from chainrule.graph.rewrite import Trail

FORMS_KEPT: Final = 64  # derivatives of the few networks that are explained one after the other
SHORT: Final = 8  # nodes: 2(ŷ − y)/3 has seven


class Simplified(msgspec.Struct, frozen=True):
    """A derivative in its textbook form.

    Attributes:
        whole: the derivative, as a function of the values it was cut at.
        names: by node, the name of the value that stands there: "dense_2.z", "y", "y_hat".
        trail: the identities that led there.
        raw: where they started, as the table of derivatives leaves it.
    """

    whole: Node
    names: Mapping[Node, str]
    trail: Trail
    raw: Node

    @property
    def factors(self) -> tuple[Node, ...]:
        """The factors of the outermost products, numbers left out; what has a name is not taken apart."""
        found: list[Node] = []
        pending = [self.whole]
        while pending:
            node = pending.pop(0)
            if node.primitive == "multiply" and node not in self.names:
                pending[:0] = node.inputs
            elif node.primitive != "constant":
                found.append(node)
        return tuple(found)

    @property
    def is_short(self) -> bool:
        """Whether it is one factor, told in a few signs, such as ŷ − y."""
        return len(self.factors) == 1 and self.is_brief

    @property
    def is_brief(self) -> bool:
        """Whether it is told in a few signs, such as a(1 − a)."""
        return len(self._written()) <= SHORT

    def _written(self) -> set[Node]:
        """The nodes down to those that have names."""
        found: set[Node] = set()
        pending = [self.whole]
        while pending:
            node = pending.pop()
            if node not in found:
                found.add(node)
                pending += () if node in self.names else node.inputs
        return found

    @property
    def facts(self) -> tuple[tuple[Fact, Node], ...]:
        """What had to be known of data, each once; what holds of every number, such as e^z > 0, is not told."""
        used = dict.fromkeys(each for step in self.trail for each in step.facts)
        return tuple((fact, node) for fact, node in used if node.primitive == "input")


def textbook(
    subject: Subject, upper: str, lower: str, keep: tuple[str, ...] = (), unit: int | None = None
) -> Simplified:
    """∂upper/∂lower as a function of `lower` and y alone, simplified.

    Args:
        subject: names the values; besides its own there are "y", "y_hat" and "losses".
        upper: what is differentiated.
        lower: what it is differentiated by.
        keep: values that may appear in the result, such as "y_hat".
        unit: of a row that depends on all of another, the unit of `lower` that moves: ∂ŷₖ/∂z₃ for every k.
    """
    book = {**subject.values, "y": subject.y, "y_hat": subject.y_hat, "losses": subject.losses}
    facts = tuple((name, tuple(found)) for name, found in subject.facts.items())
    return _textbook(tuple(book.items()), facts, upper, lower, keep, unit)


@lru_cache(maxsize=FORMS_KEPT)
def _textbook(
    named: tuple[tuple[str, Node], ...],
    known: tuple[tuple[str, tuple[Fact, ...]], ...],
    upper: str,
    lower: str,
    keep: tuple[str, ...],
    unit: int | None,
) -> Simplified:
    book = dict(named)
    held = {book[lower]: lower, book["y"]: "y"}
    facts = Facts(make_graph({"it": book[upper]}, facts=dict(known)).assumed())
    stand_ins = {node: e.variable(name, node.tensor.dtype, node.tensor.shape).node for node, name in held.items()}
    outputs = [book[name] for name in (upper, *keep)]
    image = transform(outputs, lambda node, inputs: stand_ins.get(node) or rebuild(node, inputs))
    above, below = image[book[upper]], stand_ins[book[lower]]
    assumed = {held[node]: sorted(facts.of(node)) for node in held}
    if unit is None:
        derivative = adjoints(above, [below])[below]
    else:
        derivative = jvp(above, {below: one_place(Expr(below), unit).node})
    graph, trail = simplify(make_graph({"it": derivative}, facts=assumed))
    names = {**{image[book[name]]: name for name in keep}, **{node: held[old] for old, node in stand_ins.items()}}
    return Simplified(graph["it"], names, trail, derivative)
