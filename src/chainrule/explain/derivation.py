"""Derives, piece by piece, how a loss flows back: each adjoint from those of what reads it, each gradient from its own.

Every named value is cut off from what made it and becomes an input, so that differentiation is asked one step at a
time; each answer is simplified with what is known of the values, and the identities used are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec

from chainrule.autodiff.reverse import adjoints
from chainrule.autodiff.simplify import simplify
from chainrule.errors import DerivativeError
from chainrule.explain.book import Book
from chainrule.explain.subject import Subject
from chainrule.explain.textbook import textbook
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Node, make_graph, topological, transform
from chainrule.graph.primitives import rebuild
from chainrule.graph.rewrite import Trail

ADJOINT: Final = "∂ "  # before a value's name: the adjoint of it
LOSSES: Final = "losses"


class Piece(msgspec.Struct, frozen=True):
    """One formula of the way back.

    Attributes:
        name: of what the loss is differentiated by, a value or a parameter.
        raw: the derivative as the table of derivatives leaves it.
        whole: the same, simplified.
        names: by node, the name of what stands there: "dense_1.a", "dense_1.W", "y", or "∂ dense_1.z", an adjoint.
        trail: the identities that led from the one to the other.
    """

    name: str
    raw: Node
    whole: Node
    names: Mapping[Node, str]
    trail: Trail

    @property
    def facts(self) -> tuple[tuple[Fact, Node], ...]:
        """What had to be known of the data, each once."""
        used = dict.fromkeys(each for step in self.trail for each in step.facts)
        return tuple((fact, node) for fact, node in used if node.primitive == "input")


class Derivation:
    """The pieces of one subject, each derived when it is first asked for.

    Args:
        subject: a loss on a batch.
        mean: whether gradients are those of the mean loss L; else of a sample's own loss, ∂ℓₙ/∂w.
    """

    def __init__(self, subject: Subject, *, mean: bool) -> None:
        self.subject = subject
        self.mean = mean
        self._pieces: dict[str, Piece] = {}
        self._local: dict[str, Node] = {}

    # ---- what has a name ----

    @cached_property
    def values(self) -> dict[str, Node]:
        """Every value once, in order, by its first name, and the samples' losses."""
        return {**Book(self.subject).distinct, LOSSES: self.subject.losses}

    def canonical(self, name: str) -> str:
        """The first name of the same value: of a linear layer's activation, that of its pre-activation."""
        node = self.subject.y_hat if name == "y_hat" else self.subject.values[name]
        return next(first for first, each in self.values.items() if each is node)

    @cached_property
    def _given(self) -> dict[Node, str]:
        """What is cut off and becomes an input, by its name."""
        subject = self.subject
        named = {node: name for name, node in {**subject.parameters, **self.values}.items()}
        return {**named, subject.x: "x", subject.y: "y"}

    @cached_property
    def _stand_ins(self) -> dict[Node, Node]:
        return {node: _variable(name, node) for node, name in self._given.items()}

    @cached_property
    def _known(self) -> dict[str, Sequence[Fact]]:
        facts = Facts(make_graph({"it": self.subject.loss}, facts=dict(self.subject.facts)).assumed())
        return {name: sorted(facts.of(node)) for node, name in self._given.items()}

    def local(self, name: str) -> Node:
        """A value as a formula of the values and parameters that it reads, which are inputs."""
        if name not in self._local:
            root, cut = self.values[name], self._stand_ins
            image = transform(
                [root],
                lambda node, inputs: cut[node] if node in cut and node is not root else rebuild(node, inputs),
            )
            self._local[name] = image[root]
        return self._local[name]

    def forward(self, name: str) -> Piece:
        """A value of the values and parameters that it reads."""
        whole = self.local(name)
        return Piece(name, whole, whole, {node: node.label for node in _inputs([whole])}, ())

    def reads(self, name: str) -> list[str]:
        """The names of what a value is made of."""
        return [node.label for node in _inputs([self.local(name)])]

    def readers(self, name: str) -> list[str]:
        """The values that read a value or a parameter, in order."""
        return [each for each in self.values if each != name and name in self.reads(each)]

    # ---- the way back ----

    @cached_property
    def last_z(self) -> str:
        """The pre-activation that no further layer reads."""
        return [name for name in self.values if name.endswith(".z")][-1]

    @cached_property
    def closes_up(self) -> bool:
        """Whether ∂ℓ/∂z of the last layer is shorter told at once, as ŷ − y, than by way of ∂ℓ/∂ŷ."""
        return textbook(self.subject, LOSSES, self.last_z, ("y_hat",)).is_short

    @cached_property
    def backward(self) -> list[str]:
        """The values that the loss flows back through, the last first."""
        found = [name for name in reversed(self.values) if name != LOSSES and self._is_reached(name)]
        return [name for name in found if not (self.closes_up and self._is_beyond(name))]

    def _is_beyond(self, name: str) -> bool:
        """Whether the value comes after the last pre-activation."""
        names = list(self.values)
        return names.index(name) > names.index(self.last_z)

    def _is_reached(self, name: str) -> bool:
        """Whether the value lies on a way from a parameter to the loss."""
        below = topological([self.values[name]])
        return any(node in below for node in self.subject.parameters.values())

    def adjoint(self, name: str) -> Piece:
        """∂ℓ/∂v of a value, from the adjoints of the values that read it.

        Raises: DerivativeError where the loss does not depend on it.
        """
        key = ADJOINT + name
        if key not in self._pieces:
            closed = name == self.last_z and self.closes_up
            self._pieces[key] = self._closed(name) if closed else self._derived(name, self.values[name], mean=False)
        return self._pieces[key]

    def by_prediction(self, name: str) -> Piece:
        """∂ℓ/∂v by way of every value that reads it, also where it can be told at once."""
        return self._derived(name, self.values[name], mean=False)

    def gradient(self, parameter: str) -> Piece:
        """∂L/∂w, or ∂ℓ/∂w, of all weights of a parameter, from the deltas of what reads it.

        Raises: DerivativeError where the loss does not depend on it.
        """
        if parameter not in self._pieces:
            self._pieces[parameter] = self._derived(parameter, self.subject.parameter(parameter), mean=self.mean)
        return self._pieces[parameter]

    def _derived(self, name: str, node: Node, *, mean: bool) -> Piece:
        below, total = self._stand_ins[node], None
        locals_ = {reader: self.local(reader) for reader in self.readers(name)}
        for reader, upper in locals_.items():
            seed = None if reader == LOSSES else self._seed(reader, mean=mean)
            part = adjoints(upper, [below], seed).get(below)
            if part is not None:
                total = part if total is None else (Expr(total) + Expr(part)).node
        if total is None:
            raise DerivativeError(f"the loss does not depend on {name}, so nothing flows back through it")
        graph, trail = simplify(make_graph({"it": total, **locals_}, facts=self._known))
        names = {graph[reader]: reader for reader in locals_}
        names |= {node: node.label for node in _inputs([total, graph["it"]])}
        return Piece(name, total, graph["it"], names, trail)

    def _seed(self, reader: str, *, mean: bool) -> Node:
        """The adjoint of what reads a value, as an input; times the share of each sample in the mean."""
        node = self.values[reader]
        seed = _variable(ADJOINT + reader, node)
        if not mean:
            return seed
        losses = self.subject.losses
        share = Expr(adjoints(self.subject.loss, [losses])[losses])
        return (e.broadcast(share, node.tensor.shape, range(1, node.tensor.rank)) * Expr(seed)).node

    def _closed(self, name: str) -> Piece:
        """∂ℓ/∂z of the last layer in its textbook form."""
        form = textbook(self.subject, LOSSES, name, ("y_hat",))
        return Piece(name, form.raw, form.whole, form.names, form.trail)


def _inputs(roots: Sequence[Node]) -> list[Node]:
    return [node for node in topological(roots) if node.primitive == "input"]


def _variable(name: str, like: Node) -> Node:
    return e.variable(name, like.tensor.dtype, like.tensor.shape).node
