"""Rewriting: what a pattern matches, what a rule may assume, and how far the driver goes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Graph, Node, make_graph
from chainrule.graph.rewrite import (
    Bindings,
    Context,
    Pattern,
    Rewriter,
    Rule,
    call,
    fill,
    identity,
    is_constant,
    matches,
    nonzero,
    rewrite,
    wild,
)
from chainrule.graph.tensor_type import TensorType
from chainrule.graph.verify import verify
from tests.graphs import assert_same_graph, graph_of

A, B = e.variable("a", "float64"), e.variable("b", "float64")
NEGATED = -A
_x, _y = wild("x y")

DOUBLE_NEGATION = identity("-(-x) -> x", call("negate", -_x), _x)
CANCEL = identity("x / y * y -> x", (_x / _y) * _y, _x, nonzero("y"))


def found(pattern: Pattern, formula: Expr) -> list[Bindings]:
    return list(matches(pattern, formula.node, {}))


def rewritten(formula: Expr, *rules: Rule) -> Expr:
    return Expr(verify(rewrite(graph_of(formula), rules)[0])["out"])


# ---- patterns ----


def test_a_hole_takes_anything() -> None:
    assert found(_x, A * B) == [{"x": (A * B).node}]


def test_a_name_that_stands_twice_is_one_thing() -> None:
    assert found(_x - _x, A - A) == [{"x": A.node}]
    assert found(_x - _x, A - B) == []


@pytest.mark.parametrize("function", ["add", "multiply", "maximum", "minimum"])
def test_operands_of_a_commutative_primitive_match_in_either_order(function: str) -> None:
    from_table = {"add": A + e.exp(B), "multiply": A * e.exp(B), "maximum": e.maximum(A, e.exp(B))}
    formula = from_table.get(function, e.minimum(A, e.exp(B)))
    pattern = call(function, call("exp", _x), _y)
    assert {"x": B.node, "y": A.node} in found(pattern, formula)


def test_other_operands_match_in_their_order_only() -> None:
    assert found(call("exp", _x) - _y, A - e.exp(B)) == []
    assert found(call("exp", _x) / _y, A / e.exp(B)) == []


def test_every_way_to_fill_the_holes_is_found() -> None:
    assert found(_x + _y, A + B) == [{"x": A.node, "y": B.node}, {"x": B.node, "y": A.node}]


def test_a_first_choice_that_fails_later_is_taken_back() -> None:
    """x + y with x = a fails at x * x; the other order fits."""
    assert found((_x + _y) * _y, (A + B) * A) == [{"x": B.node, "y": A.node}]


def test_numbers_match_by_value_over_any_shape() -> None:
    row = e.variable("r", "float32", (3,))
    assert found(_x * 1, row * 1.0) == [{"x": row.node}]
    assert found(_x * 1, row * 2.0) == []
    assert found(_x + 0, row + -0.0) == [{"x": row.node}]
    assert is_constant((row * 1.0).node.inputs[1], 1.0)
    assert not is_constant(row.node)


def test_a_number_is_no_variable_and_another_primitive_is_none() -> None:
    assert found(_x * 1, A * B) == []
    assert found(_x * 1, A + 1.0) == []


def test_operators_write_patterns_as_formulas() -> None:
    formulas = [
        (2 + _x, 2.0 + A),
        (2 - _x, 2.0 - A),
        (2 * _x, 2.0 * A),
        (2 / _x, 2.0 / A),
        (-_x, -A),
        (_x / 2, A / 2.0),
    ]
    for pattern, formula in formulas:
        assert {"x": A.node} in found(pattern, formula)
        assert fill(pattern, {"x": A.node}, A.type) is formula.node


def test_numbers_take_the_type_of_what_they_replace() -> None:
    kind = TensorType("float32", (2, 3))
    z = e.variable("z", "float32", (2, 3))
    assert fill(1 - _x, {"x": z.node}, kind) is (1.0 - z).node


# ---- rules ----


def test_a_rule_fires_where_its_condition_holds() -> None:
    assert_same_graph(rewritten(A / e.exp(B) * e.exp(B), CANCEL), A)


def test_a_rule_rests_where_its_condition_fails() -> None:
    assert_same_graph(rewritten(A / B * B, CANCEL), A / B * B)


@pytest.mark.parametrize(("fact", "fires"), [(Fact.POSITIVE, True), (Fact.NEGATIVE, True), (Fact.NONNEGATIVE, False)])
def test_nowhere_zero_is_positive_or_negative(fact: Fact, fires: bool) -> None:
    graph, trail = rewrite(graph_of(A / B * B, {"b": [fact]}), [CANCEL])
    assert_same_graph(Expr(graph["out"]), A if fires else A / B * B)
    assert [step.facts for step in trail] == ([((fact, B.node),)] if fires else [])


def test_the_trail_names_the_facts_of_the_match_that_fired() -> None:
    """The first order of σ(b) + exp(a) finds σ(b) positive and exp(a) not below 1; nothing of it is kept."""

    def asked(bound: Mapping[str, Node], context: Context) -> bool:
        return context.nonzero(bound["x"]) and context.holds(Fact.BELOW_ONE, bound["y"])

    rule = identity("x + y -> y", _x + _y, _y, asked)
    _, (step,) = rewrite(graph_of(e.sigmoid(B) + e.exp(A)), [rule])
    assert step.facts == ((Fact.POSITIVE, e.exp(A).node), (Fact.BELOW_ONE, e.sigmoid(B).node))


def test_a_fact_not_known_is_not_noted() -> None:
    context = Context(Facts())
    assert not context.holds(Fact.POSITIVE, A.node)
    assert context.used == []


# ---- the driver ----


def test_a_step_tells_what_stood_there_and_what_stands_there() -> None:
    graph, (step,) = rewrite(graph_of(e.exp(-NEGATED)), [DOUBLE_NEGATION])
    assert (step.rule, step.before, step.after) == ("-(-x) -> x", (-NEGATED).node, A.node)
    assert_same_graph(Expr(graph["out"]), e.exp(A))


def test_rules_go_on_until_none_fires() -> None:
    formula = A
    for _ in range(7):
        formula = -formula
    assert_same_graph(rewritten(formula, DOUBLE_NEGATION), -A)


def test_what_a_rule_makes_is_rewritten_too() -> None:
    rules = [identity("exp x -> -(-x)", call("exp", _x), call("negate", -_x)), DOUBLE_NEGATION]
    assert_same_graph(rewritten(e.exp(e.tanh(A)), *rules), e.tanh(A))


def test_the_first_rule_of_the_list_comes_first() -> None:
    to_a = identity("-> negate", call("exp", _x), -_x)
    to_b = identity("-> tanh", call("exp", _x), call("tanh", _x))
    assert_same_graph(rewritten(e.exp(A), to_a, to_b), -A)
    assert_same_graph(rewritten(e.exp(A), to_b, to_a), e.tanh(A))


def test_what_two_results_share_is_rewritten_once() -> None:
    shared = e.exp(-NEGATED)
    graph = make_graph({"p": (shared + B).node, "q": (shared * B).node})
    after, trail = rewrite(graph, [DOUBLE_NEGATION])
    assert len(trail) == 1
    assert [node for _, node in after.outputs] == [(e.exp(A) + B).node, (e.exp(A) * B).node]


def test_two_nodes_that_become_one_take_one_step_from_there() -> None:
    """exp(-(-a)) and exp(a) are one node once the first rule has fired; the second fires for both at once."""
    rules = [DOUBLE_NEGATION, identity("exp -> tanh", call("exp", _x), call("tanh", _x))]
    graph = make_graph({"p": e.exp(-NEGATED).node, "q": e.exp(A).node})
    after, trail = rewrite(graph, rules)
    assert [step.rule for step in trail] == ["-(-x) -> x", "exp -> tanh"]
    assert set(after.results) == {e.tanh(A).node}


def test_an_attempt_that_changes_nothing_is_no_step() -> None:
    same = Rule("nothing", ("exp",), lambda node, _: node)
    graph, trail = rewrite(graph_of(e.exp(A)), [same])
    assert (trail, graph) == ((), graph_of(e.exp(A)))


def test_a_rule_is_tried_at_its_roots_only() -> None:
    seen: list[Node] = []
    watch = Rule("watch", ("exp", "add"), lambda node, _: seen.append(node))
    rewrite(graph_of(e.exp(A) + e.tanh(B)), [watch])
    assert seen == [e.exp(A).node, (e.exp(A) + e.tanh(B)).node]


def test_rules_that_undo_each_other_run_out_of_fuel_and_leave_a_graph() -> None:
    back_and_forth = [
        identity("exp -> tanh", call("exp", _x), call("tanh", _x)),
        identity("tanh -> exp", call("tanh", _x), call("exp", _x)),
    ]
    graph = graph_of(e.exp(A) + B)
    rewriter = Rewriter(back_and_forth, Facts(), fuel=9)
    verify(graph.with_outputs({"out": rewriter.normalize(graph["out"])}))
    assert rewriter.fuel == 9 - len(rewriter.steps)


def test_facts_inputs_and_names_stay() -> None:
    graph = Graph((B.node, A.node), (("p", (-NEGATED).node), ("q", B.node)), (("a", (Fact.POSITIVE,)),))
    after, _ = rewrite(graph, [DOUBLE_NEGATION])
    assert after == Graph(graph.inputs, (("p", A.node), ("q", B.node)), graph.facts)


def test_a_chain_of_ten_thousand_nodes_needs_no_recursion() -> None:
    """The sign moves through all of them, one step at each."""
    through = identity("(-x) * y -> -(x * y)", (-_x) * _y, -(_x * _y))
    formula, expected = -A, A
    for _ in range(10_000):
        formula, expected = formula * B, expected * B
    graph, trail = rewrite(graph_of(formula), [through])
    assert len(trail) == 10_000
    assert graph["out"] is (-expected).node
