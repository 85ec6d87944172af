"""Sums of products as data: flattened, cancelled, collected and written down again."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import pytest

from chainrule.autodiff import algebra
from chainrule.autodiff.algebra import Flattener, Powers, Quotients, Term, Terms, TooLargeError
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Node
from chainrule.graph.rewrite import Context
from chainrule.graph.tensor_type import TensorType, named
from tests.graphs import assert_same_graph

N: Final = named("n")
A, B, C, D = (e.variable(name, "float64") for name in "abcd")
NOTHING: Final[Quotients] = {}
NUMBER: Final = TensorType("float64")


def context(**facts: Fact) -> Context:
    """What is known of a, b, c and d."""
    return Context(Facts({{"a": A, "b": B, "c": C, "d": D}[name].node: (fact,) for name, fact in facts.items()}))


def terms_of(formula: Expr, keep: Callable[[Node], bool] = lambda _: False, **facts: Fact) -> Terms:
    return Flattener(context(**facts), keep).terms(formula.node)


def term(coefficient: Fraction | float, *powers: tuple[Expr, int]) -> Term:
    return Term(Fraction(coefficient), {atom.node: k for atom, k in powers})


def powers(*pairs: tuple[Expr, int]) -> Powers:
    return {atom.node: k for atom, k in pairs}


def written(*terms: Term) -> Expr:
    return algebra.write(list(terms), NUMBER, NOTHING)


# ---- flatten ----

FLAT: Final[list[tuple[Expr, Terms]]] = [
    (A, [term(1, (A, 1))]),
    (e.constant(2.5, NUMBER), [term(2.5)]),
    (e.constant(0.0, NUMBER), []),
    (-A, [term(-1, (A, 1))]),
    (A + B, [term(1, (A, 1)), term(1, (B, 1))]),
    (A - B, [term(1, (A, 1)), term(-1, (B, 1))]),
    (A - A, []),
    (A + A, [term(2, (A, 1))]),
    (2.0 * A * B, [term(2, (A, 1), (B, 1))]),
    (A / 3.0, [term(Fraction(1, 3), (A, 1))]),
    (A / B, [term(1, (A, 1), (B, -1))]),
    (A / (B * C), [term(1, (A, 1), (B, -1), (C, -1))]),
    (A * A / B, [term(1, (A, 2), (B, -1))]),
    ((2.0 * A) ** 3, [term(8, (A, 3))]),
    (A**-1, [term(1, (A**-1, 1))]),
    (A**0.5, [term(1, (A**0.5, 1))]),
    (A**5, [term(1, (A**5, 1))]),
    ((A + B) ** 2, [term(1, (A + B, 2))]),
    ((A + B) * C, [term(1, (A, 1), (C, 1)), term(1, (B, 1), (C, 1))]),
    ((A + B) * (A - B), [term(1, (A, 2)), term(-1, (B, 2))]),
    (A / (B + C), [term(1, (A, 1), (B + C, -1))]),
    (A / e.like(0.0, A), [term(1, (A, 1), (e.like(0.0, A), -1))]),
    (e.exp(A + B), [term(1, (e.exp(A + B), 1))]),
]


@pytest.mark.parametrize(("formula", "expected"), FLAT, ids=[f"{k}: {f.node!r}" for k, (f, _) in enumerate(FLAT)])
def test_a_formula_as_terms(formula: Expr, expected: Terms) -> None:
    assert terms_of(formula) == expected


def test_sums_that_are_kept_stay_whole_in_products() -> None:
    kept = terms_of((A + B) * C + (A + B), keep=lambda _: True)
    assert kept == [term(1, (A + B, 1), (C, 1)), term(1, (A, 1)), term(1, (B, 1))]


def test_a_factor_cancels_where_it_is_nowhere_zero() -> None:
    assert terms_of(A * B / B, b=Fact.POSITIVE) == [term(1, (A, 1))]
    assert terms_of(A / B * B, b=Fact.NEGATIVE) == [term(1, (A, 1))]
    assert terms_of(A * B / B, b=Fact.NONNEGATIVE) == [term(1, (A * B / B, 1))]
    assert terms_of(A**3 / A, a=Fact.POSITIVE) == [term(1, (A, 2))]


def test_what_cancelled_is_noted_and_what_was_refused_is_not() -> None:
    given = context(b=Fact.POSITIVE)
    Flattener(given, lambda _: False).terms((A * B / B + A * C / C).node)
    assert given.used == [(Fact.POSITIVE, B.node)]


def test_a_product_goes_through_a_repetition() -> None:
    row = e.variable("r", "float64", (3,))
    repeated = e.broadcast(2.0 * row / e.exp(row), (N, 3), (0,))
    atoms = [(e.broadcast(x, (N, 3), (0,)), k) for x, k in ((row, 1), (e.exp(row), -1))]
    assert terms_of(repeated) == [term(2, *atoms)]


def test_a_sum_does_not_go_through_a_repetition() -> None:
    """A sum of repeated values would be added up n times."""
    row = e.variable("r", "float64", (3,))
    repeated = e.broadcast(row + e.exp(row), (N, 3), (0,))
    assert terms_of(repeated) == [term(1, (repeated, 1))]


def test_a_repetition_in_two_steps_is_the_one_in_one_step() -> None:
    row = e.variable("r", "float64", (3,))
    in_steps = e.broadcast(e.broadcast(A, (3,), (0,)) * row, (N, 3), (0,))
    at_once = e.broadcast(A, (N, 3), (0, 1))
    assert terms_of(at_once * in_steps) == [term(1, (at_once, 2), (e.broadcast(row, (N, 3), (0,)), 1))]


def test_whole_numbers_are_not_flattened() -> None:
    k = e.variable("k", "int32")
    assert terms_of(k + k) == [term(1, (k + k, 1))]


def test_beyond_a_dozen_terms_it_is_refused() -> None:
    many = [e.variable(f"x{k}", "float64") for k in range(8)]
    half = many[0] + many[1] + many[2] + many[3]
    with pytest.raises(TooLargeError):
        terms_of(half * (many[4] + many[5] + many[6] + many[7]))
    assert len(terms_of(half * (many[4] + many[5] + many[6]))) == 12


@pytest.mark.parametrize(("dtype", "factor", "times"), [("float64", 1e150, 3), ("float32", 1e13, 3)])
@pytest.mark.parametrize("sign", [1, -1])
def test_coefficients_out_of_range_are_refused(dtype: str, factor: float, times: int, sign: int) -> None:
    x = e.variable("x", dtype)  # type: ignore[arg-type] - a dtype
    for _ in range(times - 1):
        x = factor**sign * x
    assert len(terms_of(x)) == 1
    with pytest.raises(TooLargeError):
        terms_of(factor**sign * x)


def test_the_depth_is_bounded_so_that_the_work_for_a_node_is() -> None:
    """Eight products down, what is left is one atom, however long the chain."""
    formula = A
    for _ in range(40):
        formula = formula * B
    (product,) = terms_of(formula)
    left, cut = product.powers.values(), [atom for atom in product.powers if atom.primitive == "multiply"]
    assert list(left) == [1, 8]
    assert len(cut) == 1


# ---- terms ----


def test_like_terms_are_added_up_in_the_order_they_came() -> None:
    terms = [term(1, (A, 1)), term(2, (B, 1), (C, 1)), term(3, (A, 1)), term(-2, (C, 1), (B, 1))]
    assert algebra.collect(terms) == [term(4, (A, 1))]


def test_products_of_powers() -> None:
    none = context()
    assert algebra.merged(powers((A, 2)), powers((A, 1), (B, -1)), none) == powers((A, 3), (B, -1))
    assert algebra.merged(powers((A, 2)), powers((A, -2)), none) is None
    assert algebra.merged(powers((A, 2)), powers((A, -2)), context(a=Fact.POSITIVE)) == {}
    assert algebra.merged(powers((A, -1)), powers((A, -1)), none) == powers((A, -2))


def test_a_term_times_a_factor_it_divides_by() -> None:
    over_b = term(2, (C, 1), (B, -1))
    assert_same_graph(algebra.times(over_b, B, context(b=Fact.POSITIVE), NOTHING), 2.0 * C)
    assert_same_graph(algebra.times(over_b, B, context(), NOTHING), B * (2.0 * C / B))
    assert_same_graph(algebra.times(over_b, A, context(), NOTHING), 2.0 * A * C / B)


FACTORS: Final[list[tuple[Terms, Term, Terms]]] = [
    ([term(1, (A, 1), (C, 1)), term(1, (B, 1), (C, 1))], term(1, (C, 1)), [term(1, (A, 1)), term(1, (B, 1))]),
    ([term(2, (A, 1)), term(-2, (B, 1))], term(2), [term(1, (A, 1)), term(-1, (B, 1))]),
    ([term(2, (A, 1)), term(4, (B, 1))], term(1), [term(2, (A, 1)), term(4, (B, 1))]),
    ([term(1, (A, 3)), term(1, (A, 2), (B, 1))], term(1, (A, 2)), [term(1, (A, 1)), term(1, (B, 1))]),
    ([term(1, (A, -1)), term(1, (B, 1), (A, -2))], term(1, (A, -1)), [term(1), term(1, (B, 1), (A, -1))]),
    ([term(1, (A, 1)), term(1, (A, -1))], term(1), [term(1, (A, 1)), term(1, (A, -1))]),
]


@pytest.mark.parametrize(("terms", "factor", "rest"), FACTORS)
def test_what_terms_share(terms: Terms, factor: Term, rest: Terms) -> None:
    assert algebra.common_factor(terms) == factor
    assert algebra.divided(terms, factor) == rest


# ---- write ----


def test_terms_as_formulas() -> None:
    assert_same_graph(written(), e.constant(0.0, NUMBER))
    assert_same_graph(written(term(2)), e.constant(2.0, NUMBER))
    assert_same_graph(written(term(1, (A, 1))), A)
    assert_same_graph(written(term(-1, (A, 1))), -A)
    assert_same_graph(written(term(2, (A, 1), (B, 2))), 2.0 * A * B**2)
    assert_same_graph(written(term(1, (A, 1), (B, -1), (C, -2))), A / (B * C**2))
    assert_same_graph(written(term(1, (B, -1))), 1.0 / B)
    assert_same_graph(written(term(3, (B, -1))), 3.0 / B)


def test_what_is_added_comes_before_what_is_taken_away() -> None:
    assert_same_graph(written(term(-1, (A, 1)), term(1, (B, 1)), term(-2, (C, 1))), B - A - 2.0 * C)
    assert_same_graph(written(term(-1, (A, 1)), term(-1, (B, 1))), -A - B)


def test_a_fraction_is_written_as_one() -> None:
    """A third is no number that floats have; a tenth, as somebody wrote it, is the float it stands for."""
    assert_same_graph(written(term(Fraction(1, 3), (A, 1))), A / 3.0)
    assert_same_graph(written(term(Fraction(-2, 3), (A, 1))), -(2.0 * A / 3.0))
    assert_same_graph(written(term(Fraction(2, 3), (A, 1), (B, -1))), 2.0 * A / (3.0 * B))
    assert_same_graph(written(term(Fraction(1, 3))), e.constant(1.0, NUMBER) / 3.0)
    assert_same_graph(written(term(0.1, (A, 1))), 0.1 * A)
    assert_same_graph(written(term(0.5, (A, 1))), 0.5 * A)
    assert_same_graph(written(term(Fraction(0.1) / 3, (A, 1))), (0.1 / 3) * A)


def test_a_quotient_that_exists_is_written_with_itself() -> None:
    exists = {(A.node, B.node): (A / B).node}
    both = term(2, (A, 1), (C, 1), (B, -1))
    assert_same_graph(algebra.write_term(both, NUMBER, exists), 2.0 * C * (A / B))
    assert_same_graph(algebra.write_term(both, NUMBER, NOTHING), 2.0 * A * C / B)
    squared = term(1, (A, 2), (B, -1))
    assert_same_graph(algebra.write_term(squared, NUMBER, exists), A**2 / B)


@pytest.mark.parametrize(("formula", "expected"), FLAT, ids=[f"{k}: {f.node!r}" for k, (f, _) in enumerate(FLAT)])
def test_what_is_written_has_the_terms_it_was_written_from(formula: Expr, expected: Terms) -> None:
    again = terms_of(algebra.write(expected, formula.type, NOTHING))
    assert {t.key(): t.coefficient for t in again} == {t.key(): t.coefficient for t in expected}


# ---- cost ----


def test_cost_counts_distinct_operations_down_to_what_is_no_formula() -> None:
    assert algebra.cost(A.node, NOTHING) == 0
    assert algebra.cost((A * B + A * B).node, NOTHING) == 2
    assert algebra.cost((e.exp(A * B) + C).node, NOTHING) == 1
    assert algebra.cost((e.broadcast(A, (3,), (0,)) * 2.0).node, NOTHING) == 2


def test_a_quotient_of_the_graph_counts_as_one_operation() -> None:
    quotient = (A * B) / (C * D)
    exists = {(quotient.node.inputs[0], quotient.node.inputs[1]): quotient.node}
    assert algebra.cost((quotient + A).node, NOTHING) == 4
    assert algebra.cost((quotient + A).node, exists) == 2
    assert algebra.cost(quotient.node, exists) == 3  # itself, when it is what would be replaced


def test_the_search_for_cost_ends_at_its_limit() -> None:
    formula = A
    for _ in range(500):
        formula = formula * B
    assert algebra.cost(formula.node, NOTHING) == 96


def test_sums_below_a_fraction_line() -> None:
    formula = A / (B + C) + e.exp(A / (C + D)) * (A + B)
    assert algebra.divisor_sums(formula.node) == {(B + C).node}
