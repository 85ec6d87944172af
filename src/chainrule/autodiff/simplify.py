"""Identities that turn a derivative into the form a textbook prints, each with its side condition.

Proved for real numbers, for people to read; what runs is made by `stabilize` and `tidy`, which never regroup.
Simplification keeps the value and never makes a graph larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from chainrule.autodiff import algebra
from chainrule.autodiff.algebra import Flattener, Quotients, Term, Terms, TooLargeError
from chainrule.autodiff.picking import PICK, pick_quotient
from chainrule.autodiff.tidy import TIDY_RULES, rows_sum_to_one
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Graph, Node
from chainrule.graph.rewrite import Context, Literal, Rule, Trail, call, identity, is_constant, rewrite, wild
from chainrule.graph.tensor_type import TensorType

_x, _y = wild("x y")


def _above_a_share(node: Node, _: Context) -> Node | None:
    x, share = node.inputs
    for number, other in (share.inputs, share.inputs[::-1]) if share.primitive == "multiply" else ():
        if other is x and is_constant(number) and float(number["value"]) < 1.0:  # pyright: ignore[reportArgumentType]
            return (Expr(x) > e.like(0.0, Expr(x))).node
    return None


FUNCTION_RULES: Final[tuple[Rule, ...]] = (
    identity("log(exp x) -> x", call("log", call("exp", _x)), _x),
    identity("exp(log x) -> x, for x > 0", call("exp", call("log", _x)), _x),  # log x is defined for x > 0 alone
    identity("max(x, x) -> x", call("maximum", _x, _x), _x),
    identity("min(x, x) -> x", call("minimum", _x, _x), _x),
    Rule("x > c x -> x > 0, for c < 1", ("greater",), _above_a_share),  # (1 - c) x > 0
    identity("0 W -> 0", call("matmul", Literal(0.0), _x), 0.0),
    identity("W 0 -> 0", call("matmul", _x, Literal(0.0)), 0.0),
)


def simplify(graph: Graph) -> tuple[Graph, Trail]:
    """The same values in fewer operations, with the trail of the identities used.

    Facts of the graph's inputs are used where an identity needs them, and the trail names them.

    Returns: the graph, never with more nodes than before, and the steps that led to it.
    """
    quotients = _quotients(graph)
    stages: tuple[Iterable[Rule], ...] = (
        (*TIDY_RULES, *FUNCTION_RULES, *_algebra(quotients, expand=True)),
        (*TIDY_RULES, *FUNCTION_RULES, *_algebra(quotients, expand=False)),
        TIDY_RULES,
    )
    size = len(graph.nodes)
    for rules in stages:
        result, trail = rewrite(graph, rules)
        if len(result.nodes) <= size:
            return result, trail
    return graph, ()


def _quotients(graph: Graph) -> Quotients:
    """Every quotient of the graph by what it divides; those that are asked for, such as ŷ, before the others."""
    nodes = (*graph.results, *graph.nodes)
    return {(n.inputs[0], n.inputs[1]): n for n in nodes if n.primitive == "divide"}


def _algebra(quotients: Quotients, *, expand: bool) -> tuple[Rule, ...]:
    roots = tuple(sorted(algebra.ARITHMETIC))
    rules = [
        Rule("cancel and collect", roots, lambda node, context: _cancel(node, context, quotients)),
        Rule("take constant factors out of a sum", ("sum",), lambda node, context: _pull(node, context, quotients)),
        Rule("take a scalar out of a matrix product", ("matmul",), _scale),
        rows_sum_to_one,
        PICK,
        pick_quotient(quotients),
    ]
    if expand:
        rules.insert(1, Rule("multiply out and cancel", roots, lambda n, c: _expand(n, c, quotients)))
        rules.insert(2, Rule("factor out", ("add", "subtract"), lambda n, c: _factor(n, c, quotients)))
    return tuple(rules)


def _smaller(node: Node, candidate: Expr, quotients: Quotients) -> Node | None:
    return candidate.node if algebra.cost(candidate.node, quotients) < algebra.cost(node, quotients) else None


def _terms(node: Node, context: Context, keep: Callable[[Node], bool]) -> Terms | None:
    try:
        return Flattener(context, keep).terms(node)
    except TooLargeError:
        return None


def _cancel(node: Node, context: Context, quotients: Quotients) -> Node | None:
    """a·b/b -> a for b ≠ 0; x + x + x -> 3 x; x − x -> 0: products as they stand, sums inside them kept whole."""
    terms = _terms(node, context, lambda _: True)
    return None if terms is None else _smaller(node, algebra.write(terms, node.tensor, quotients), quotients)


def _expand(node: Node, context: Context, quotients: Quotients) -> Node | None:
    """(a/b + c)·b -> a + c·b for b ≠ 0, and further if more cancels."""
    if node.primitive not in ("multiply", "divide", "add", "subtract"):
        return None
    below = algebra.divisor_sums(node)
    terms = _terms(node, context, lambda s: s in below)
    if terms is None:
        return None
    first = algebra.write(terms, node.tensor, quotients)
    second = _terms(first.node, context, lambda _: False) if below else None
    candidates = [first] if second is None else [first, algebra.write(second, node.tensor, quotients)]
    return _smaller(node, min(candidates, key=lambda c: algebra.cost(c.node, quotients)), quotients)


def _factor(node: Node, context: Context, quotients: Quotients) -> Node | None:
    """a·c + b·c -> (a + b)·c."""
    terms = _terms(node, context, lambda _: True)
    if terms is None or len(terms) < 2:
        return None
    shared = algebra.common_factor(terms)
    if not shared.powers and shared.coefficient == 1:
        return None
    inner = algebra.write(algebra.divided(terms, shared), node.tensor, quotients)
    return _smaller(node, algebra.times(shared, inner, context, quotients), quotients)


def _pull(node: Node, context: Context, quotients: Quotients) -> Node | None:
    """Σ c·x -> c · Σ x, where c does not vary along the axes of the sum."""
    (inner,) = node.inputs
    if inner.primitive not in algebra.ARITHMETIC:
        return None
    axes = node.integers("axes")
    terms = _terms(inner, context, lambda _: True)
    if terms is None or len(terms) != 1:
        return None
    term = algebra.with_quotients(terms[0], quotients)
    outside = {reduced: k for a, k in term.powers.items() if (reduced := _without_axes(a, axes)) is not None}
    inside = {a: k for a, k in term.powers.items() if _without_axes(a, axes) is None}
    if not inside or (not outside and term.coefficient == 1):
        return None
    added = e.sum(algebra.write_term(Term(Fraction(1), inside), inner.tensor, quotients), axes)
    return algebra.times(Term(term.coefficient, outside), added, context, quotients).node


def _without_axes(node: Node, axes: tuple[int, ...]) -> Node | None:
    """A broadcast along the axes, with those axes left out; None for anything else."""
    if node.primitive != "broadcast":
        return None
    own = node.integers("axes")
    if not set(axes) <= set(own):
        return None
    kept = [a for a in range(node.tensor.rank) if a not in axes]
    shape = [node.tensor.shape[a] for a in kept]
    return e.broadcast(Expr(node.inputs[0]), shape, [kept.index(a) for a in own if a not in axes]).node


def _scale(node: Node, context: Context) -> Node | None:
    """A (c·B) -> c·(A B) for a number or scalar c."""
    left, right = node.inputs
    for position, operand in enumerate((left, right)):
        if operand.primitive not in ("multiply", "divide", "negate"):
            continue
        split = _scalar_part(operand, context)
        if split is None:
            continue
        coefficient, scalars, rest = split
        parts = [Expr(left), Expr(right)]
        parts[position] = rest
        product = parts[0] @ parts[1]
        powers = {_spread(a, product.type): k for a, k in scalars.items()}
        return algebra.times(Term(coefficient, powers), product, context, {}).node
    return None


def _scalar_part(operand: Node, context: Context) -> tuple[Fraction, dict[Node, int], Expr] | None:
    terms = _terms(operand, context, lambda _: True)
    if terms is None or len(terms) != 1:
        return None
    everywhere = tuple(range(operand.tensor.rank))
    scalars: dict[Node, int] = {}
    rest: dict[Node, int] = {}
    for atom, k in terms[0].powers.items():
        reduced = _without_axes(atom, everywhere)
        if reduced is None:
            rest[atom] = k
        else:
            scalars[reduced] = k
    if not rest or (not scalars and terms[0].coefficient == 1):
        return None
    return terms[0].coefficient, scalars, algebra.write_term(Term(Fraction(1), rest), operand.tensor, {})


def _spread(scalar: Node, type_: TensorType) -> Node:
    return e.broadcast(Expr(scalar), type_.shape, range(type_.rank)).node
