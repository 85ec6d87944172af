"""A subject in the book's own notation: which symbol each value bears, and the network's formulas."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec
from msgspec.structs import replace

from chainrule.document import (
    Beside,
    Content,
    Equation,
    Equations,
    Formula,
    Labeled,
    Relation,
    Symbol,
    equals,
    number,
    partial,
    symbol,
)
from chainrule.explain.alike import stretches
from chainrule.explain.formulas import Labels, Writer
from chainrule.explain.notation import LOSS, SAMPLE_LOSS, Y_HAT, Notation, X, Y, at, subscripted
from chainrule.explain.subject import Subject
from chainrule.graph.node import Node
from chainrule.graph.primitives import PRIMITIVES

MOST_LAYERS: Final = 6  # formulas of the network; a deeper one shows its first and its last


def shown(formula: Formula, *, inline: bool = False, value: Content = "") -> tuple[Equations]:
    """One displayed formula, with a value at the right margin."""
    return (Equations((Equation(formula, value=value),), inline=inline),)


class Book:
    """Symbols and formulas of a subject.

    Args:
        subject: a loss on a batch.
        alone: whether the batch is one sample, over which nothing is summed.
        brief: whether what a single unit makes needs no subscript.
    """

    def __init__(self, subject: Subject, *, alone: bool = False, brief: bool = False) -> None:
        self._subject, self._alone, self._brief = subject, alone, brief

    @cached_property
    def notation(self) -> Notation:
        """Symbols of the book's nodes; where a node has two names, z before a and ŷ before both."""
        subject = self._subject
        named: dict[Node, Formula] = {
            subject.values[name]: subject.symbols[name] for name in reversed(list(subject.values))
        }
        named |= {node: subject.symbols[name] for name, node in subject.parameters.items()}
        named |= {subject.x: X, subject.y: Y, subject.y_hat: Y_HAT}
        return Notation(named, self._alone, self._brief)

    def symbol_of(self, name: str) -> Symbol:
        """The symbol of a named value or parameter; ŷ of the one that is the prediction."""
        subject = self._subject
        if name in ("x", "y", "y_hat", "losses"):
            return {"x": X, "y": Y, "y_hat": Y_HAT, "losses": SAMPLE_LOSS}[name]
        return Y_HAT if subject.values.get(name) is subject.y_hat else subject.symbols[name]

    def adjoint_of(self, name: str, loss: Symbol = LOSS) -> Formula:
        """The adjoint of a named value: δ of a pre-activation, else ∂L/∂a."""
        is_delta = name.endswith(".z")
        return replace(self._subject.symbols[name], name="δ") if is_delta else partial(loss, self.symbol_of(name))

    # ---- the network ----

    def network(self) -> Labeled:
        """Every layer's formulas, those of layers that are alike once."""
        own: dict[str, list[Relation]] = {}
        for name, node in self.distinct.items():
            own.setdefault(name.rpartition(".")[0], []).append(self.definition(node))
        told = stretches(list(own.items()))
        formulas = [formula for stretch in told for formula in (*stretch.formulas, *stretch.conditions)]
        if len(formulas) > 2 * MOST_LAYERS:
            formulas = [*formulas[:MOST_LAYERS], symbol("…"), *formulas[-MOST_LAYERS:]]
        return Labeled("The network", shown(Beside(tuple(formulas)), inline=True), name="network")

    @cached_property
    def distinct(self) -> dict[str, Node]:
        """Every value once, in order, by its first name; "y_hat" where no layer names the prediction."""
        seen: dict[Node, str] = {self._subject.x: "x"}
        for name, node in self._subject.values.items():
            seen.setdefault(node, name)
        seen.setdefault(self._subject.y_hat, "y_hat")
        return {name: node for node, name in seen.items() if name != "x"}

    def definition(self, node: Node) -> Relation:
        """The value's own formula: whole where it can be, for one element k where a row is summed over."""
        return self.element(node, at(None, "k") if self._needs_elements(node) else None)

    def element(self, node: Node, labels: Labels) -> Relation:
        """The formula of one element, by the labels of its axes; whole where there are none."""
        taken = [each.name for each in labels or () if isinstance(each, Symbol)]
        return equals(self.notation.name(node, labels), Writer(self.notation, taken).write(node, labels, named=False))

    # ---- the loss ----

    def loss(self, value: float) -> Labeled:
        """The loss of one sample, with its value."""
        formula = equals(LOSS, Writer(self.notation).write(self._subject.losses, at(None), named=False))
        return Labeled(
            "The loss", shown(formula, inline=True, value=equals(LOSS, number(float(value), 9))), name="loss"
        )

    def mean_loss(self, value: float) -> Labeled:
        """L as the mean of ℓₙ, with its value."""
        named = {**self.notation.symbols, self._subject.losses: SAMPLE_LOSS}
        formula = equals(
            LOSS,
            Writer(msgspec.structs.replace(self.notation, symbols=named)).write(self._subject.loss, None, named=False),
        )
        own = Writer(self.notation).write(self._subject.losses, at("n"), named=False)
        lines = (
            Equation(formula, value=equals(LOSS, number(float(value), 9))),
            Equation(equals(subscripted(SAMPLE_LOSS, at("n")), own)),
        )
        return Labeled("The loss", (Equations(lines, inline=True),), name="loss")

    def _needs_elements(self, node: Node) -> bool:
        """Whether there is a sum over rows, or a product of arrays, on the way from the values that have names."""
        pending, reached = list(node.inputs), {node}
        while pending:
            each = pending.pop()
            if each not in reached and not self.notation.knows(each):
                reached.add(each)
                pending += each.inputs
        return any(
            PRIMITIVES[each.primitive].kind == "reduction"
            or (each.primitive == "multiply" and all(i.primitive != "constant" for i in each.inputs))
            for each in reached
        )
