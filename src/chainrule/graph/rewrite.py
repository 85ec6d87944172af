"""Rewriting: patterns, rules with their side conditions, the driver that applies them, and the trail of what fired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import msgspec

from chainrule.graph import expr as e
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Graph, Node, unseen
from chainrule.graph.primitives import COMMUTATIVE, apply, rebuild
from chainrule.graph.tensor_type import TensorType

# ---- patterns ----

Bindings: TypeAlias = dict[str, Node]


class Pattern(msgspec.Struct, frozen=True, eq=False):
    """A formula with holes; operators build larger ones, so that a rule reads as in the book."""

    def __add__(self, other: Pattern | float) -> Pattern:
        return Applied("add", (self, _pattern(other)))

    def __radd__(self, other: float) -> Pattern:
        return Applied("add", (_pattern(other), self))

    def __sub__(self, other: Pattern | float) -> Pattern:
        return Applied("subtract", (self, _pattern(other)))

    def __rsub__(self, other: float) -> Pattern:
        return Applied("subtract", (_pattern(other), self))

    def __mul__(self, other: Pattern | float) -> Pattern:
        return Applied("multiply", (self, _pattern(other)))

    def __rmul__(self, other: float) -> Pattern:
        return Applied("multiply", (_pattern(other), self))

    def __truediv__(self, other: Pattern | float) -> Pattern:
        return Applied("divide", (self, _pattern(other)))

    def __rtruediv__(self, other: float) -> Pattern:
        return Applied("divide", (_pattern(other), self))

    def __neg__(self) -> Pattern:
        return Applied("negate", (self,))


class Wild(Pattern, frozen=True, eq=False):
    """A hole: matches anything, and the same thing wherever its name stands again."""

    name: str


class Literal(Pattern, frozen=True, eq=False):
    """A number, repeated over any shape."""

    value: float


class Applied(Pattern, frozen=True, eq=False):
    """A primitive without attributes applied to patterns; operands of a commutative one match in either order."""

    primitive: str
    inputs: tuple[Pattern, ...]


def wild(names: str) -> tuple[Wild, ...]:
    """Holes with these names: x, y = wild("x y")."""
    return tuple(Wild(name) for name in names.split())


def call(primitive: str, *inputs: Pattern) -> Pattern:
    """A primitive applied to patterns: call("exp", x)."""
    return Applied(primitive, inputs)


def _pattern(value: Pattern | float) -> Pattern:
    return value if isinstance(value, Pattern) else Literal(float(value))


def matches(pattern: Pattern, node: Node, bound: Bindings) -> Iterator[Bindings]:
    """Every way to fill the holes so that the pattern is the node."""
    match pattern:
        case Wild(name):
            if bound.setdefault(name, node) is node:
                yield bound
        case Literal(value):
            if is_constant(node, value):
                yield bound
        case Applied(primitive, inputs) if node.primitive == primitive:
            orders = [node.inputs]
            if primitive in COMMUTATIVE:
                orders.append(node.inputs[::-1])
            for order in orders:
                yield from _match_all(inputs, order, bound)
        case _:
            return


def _match_all(patterns: Sequence[Pattern], nodes: Sequence[Node], bound: Bindings) -> Iterator[Bindings]:
    if not patterns:
        yield bound
        return
    for first in matches(patterns[0], nodes[0], dict(bound)):
        yield from _match_all(patterns[1:], nodes[1:], first)


def fill(pattern: Pattern, bound: Bindings, type_: TensorType) -> Node:
    """The pattern with its holes filled; numbers take the given type."""
    match pattern:
        case Wild(name):
            return bound[name]
        case Literal(value):
            return e.constant(value, type_).node
        case Applied(primitive, inputs):
            return apply(primitive, *(fill(each, bound, type_) for each in inputs))
        case _:
            raise AssertionError(pattern)


def is_constant(node: Node, value: float | None = None) -> bool:
    """Whether a node is one number repeated over a shape (that number, if given)."""
    return node.primitive == "constant" and (value is None or node["value"] == value)


# ---- rules ----


@dataclass(slots=True)
class Context:
    """What a rule may ask: facts; those it was granted are noted for the trail."""

    facts: Facts
    used: list[tuple[Fact, Node]] = field(default_factory=list[tuple[Fact, Node]])

    def holds(self, fact: Fact, node: Node) -> bool:
        """Whether the fact is known of the node; if so the rule is taken to rest on it."""
        if fact not in self.facts.of(node):
            return False
        self.used.append((fact, node))
        return True

    def nonzero(self, node: Node) -> bool:
        """Whether no element of the node is 0."""
        return self.holds(Fact.POSITIVE, node) or self.holds(Fact.NEGATIVE, node)


Attempt: TypeAlias = Callable[[Node, Context], Node | None]
Condition: TypeAlias = Callable[[Mapping[str, Node], Context], bool]


class Rule(msgspec.Struct, frozen=True):
    """One identity: its statement, the primitives it may start from, and the attempt to apply it to a node."""

    name: str
    roots: tuple[str, ...]
    attempt: Attempt


def identity(name: str, left: Pattern, right: Pattern | float, when: Condition | None = None) -> Rule:
    """The rule left -> right, under a condition on what fills the holes."""
    assert isinstance(left, Applied)
    target = _pattern(right)

    def attempt(node: Node, context: Context) -> Node | None:
        before = len(context.used)
        for bound in matches(left, node, {}):
            if when is None or when(bound, context):
                return fill(target, bound, node.tensor)
            del context.used[before:]  # granted to a match that came to nothing
        return None

    return Rule(name, (left.primitive,), attempt)


def nonzero(*names: str) -> Condition:
    """The condition that what fills these holes is nowhere 0."""
    return lambda bound, context: all(context.nonzero(bound[name]) for name in names)


# ---- the driver ----


class Step(msgspec.Struct, frozen=True):
    """One rule that fired: what stood there, what stands there now, and the facts it rests on."""

    rule: str
    before: Node
    after: Node
    facts: tuple[tuple[Fact, Node], ...] = ()


Trail: TypeAlias = tuple[Step, ...]

_FUEL_PER_NODE: Final = 40  # rules fire at most this often per node of the graph; tests see that it is never reached


class Rewriter:
    """Applies rules from the inputs up until none fires, noting each step; time is linear in the graph."""

    def __init__(self, rules: Iterable[Rule], facts: Facts, fuel: int) -> None:
        self._by_root: dict[str, list[Rule]] = {}
        for rule in rules:
            for root in rule.roots:
                self._by_root.setdefault(root, []).append(rule)
        self._facts = facts
        self.fuel = fuel
        self.normal: dict[Node, Node] = {}
        self.steps: list[Step] = []

    def normalize(self, root: Node) -> Node:
        """The node that stands for `root` when no rule fires any more."""
        for node in unseen(root, self.normal):
            self.normal[node] = self._settle(rebuild(node, tuple(self.normal[i] for i in node.inputs)))
        return self.normal[root]

    def _settle(self, node: Node) -> Node:
        passed: list[Node] = []
        while node not in self.normal:
            passed.append(node)
            changed = self._fire(node)
            if changed is None:
                self.normal[node] = node
                break
            for part in changed.inputs:
                self.normalize(part)
            node = rebuild(changed, tuple(self.normal[i] for i in changed.inputs))
        self.normal.update(dict.fromkeys(passed, self.normal[node]))
        return self.normal[node]

    def _fire(self, node: Node) -> Node | None:
        for rule in self._by_root.get(node.primitive, ()):
            if self.fuel <= 0:
                return None
            context = Context(self._facts)
            after = rule.attempt(node, context)
            if after is not None and after is not node:
                self.fuel -= 1
                self.steps.append(Step(rule.name, node, after, tuple(dict.fromkeys(context.used))))
                return after
        return None


def rewrite(graph: Graph, rules: Iterable[Rule]) -> tuple[Graph, Trail]:
    """The graph with every rule applied until none fires, and the steps that led there."""
    rewriter = Rewriter(rules, Facts(graph.assumed()), _FUEL_PER_NODE * (len(graph.nodes) + 1))
    outputs = {name: rewriter.normalize(node) for name, node in graph.outputs}
    return graph.with_outputs(outputs), tuple(rewriter.steps)
