"""Which facts follow, primitive by primitive; that they are true is the law in tests/laws."""

from __future__ import annotations

import pytest

from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.facts import Fact, Facts, closure
from chainrule.graph.tensor_type import named

N = named("n")
NAMES = {
    "p": (Fact.POSITIVE,),
    "q": (Fact.POSITIVE, Fact.BELOW_ONE),
    "m": (Fact.NEGATIVE,),
    "z": (Fact.NONNEGATIVE,),
    "b": (Fact.BINARY,),
    "s": (Fact.ROWS_SUM_TO_ONE,),
    "o": (Fact.ONE_HOT,),
    "f": (),
}
P, Q, M, Z, B, S, HOT, F = (e.variable(name, "float64", (N, 3)) for name in NAMES)
Y = e.variable("y", "int32", (N,))
U = e.variable("u", "uint32", (N,))
ASSUMED = {v.node: NAMES[v.node.label] for v in (P, Q, M, Z, B, S, HOT, F)} | {
    Y.node: (Fact.LABELS,),
    U.node: (Fact.POSITIVE,),
}
COMPARED = e.equal(e.reshape(Y, (N, 1)), e.iota((N, 3), 1))

FOLLOWS: list[tuple[Expr, Fact]] = [
    (e.like(2.0, F), Fact.POSITIVE),
    (e.like(0.0, F), Fact.BINARY),
    (e.like(-1.0, F), Fact.NEGATIVE),
    (e.cast(e.size("n"), "float64"), Fact.POSITIVE),
    (e.iota((N,), 0), Fact.NONNEGATIVE),
    (P + Z, Fact.POSITIVE),
    (M + M, Fact.NEGATIVE),
    (1 - Q, Fact.POSITIVE),
    (1 - Q, Fact.BELOW_ONE),
    (1 - B, Fact.BINARY),
    (P - M, Fact.POSITIVE),
    (M - Z, Fact.NEGATIVE),
    (M * M, Fact.POSITIVE),
    (P * M, Fact.NEGATIVE),
    (Q * Q, Fact.BELOW_ONE),
    (B * B, Fact.BINARY),
    (Z / P, Fact.NONNEGATIVE),
    (M / M, Fact.POSITIVE),
    (-P, Fact.NEGATIVE),
    (-Z, Fact.BELOW_ONE),
    (F**2, Fact.NONNEGATIVE),
    (M**2, Fact.POSITIVE),
    (P**-0.5, Fact.POSITIVE),
    (e.maximum(F, 0.0), Fact.NONNEGATIVE),
    (e.minimum(F, -1.0), Fact.NEGATIVE),
    (e.exp(F), Fact.POSITIVE),
    (e.exp(M), Fact.BELOW_ONE),
    (e.log(Q), Fact.NEGATIVE),
    (e.expm1(M), Fact.NEGATIVE),
    (e.log1p(P), Fact.POSITIVE),
    (e.sqrt(Q), Fact.BELOW_ONE),
    (e.tanh(P), Fact.POSITIVE),
    (e.tanh(F), Fact.BELOW_ONE),
    (e.sigmoid(F), Fact.POSITIVE),
    (e.sigmoid(F), Fact.BELOW_ONE),
    (e.softplus(F), Fact.POSITIVE),
    (e.erf(M), Fact.NEGATIVE),
    (e.absolute(F), Fact.NONNEGATIVE),
    (e.absolute(M), Fact.POSITIVE),
    (e.sign(M), Fact.NEGATIVE),
    (COMPARED, Fact.ONE_HOT),
    (e.cast(COMPARED, "float64"), Fact.ROWS_SUM_TO_ONE),
    (e.cast(F > 0, "float64"), Fact.BINARY),
    (e.select(F > 0, P, Q), Fact.POSITIVE),
    (e.stop_gradient(S), Fact.ROWS_SUM_TO_ONE),
    (e.reshape(S, (1, N, 3)), Fact.ROWS_SUM_TO_ONE),
    (e.broadcast_to(S, (2, N, 3)), Fact.ROWS_SUM_TO_ONE),
    (e.transpose(e.reshape(S, (1, N, 3)), (1, 0, 2)), Fact.ROWS_SUM_TO_ONE),
    (e.concatenate([P, Q], 1), Fact.POSITIVE),
    (e.slice_axis(B, 1, 0, 2), Fact.BINARY),
    (e.pad(Q, 1, 1, 1), Fact.BELOW_ONE),
    (e.sum(P, 0), Fact.POSITIVE),
    (e.max(M, 1), Fact.NEGATIVE),
    (e.argmax(F), Fact.NONNEGATIVE),
    (P.T @ Q, Fact.POSITIVE),
    (e.exp(F) / e.sum(e.exp(F), -1, keepdims=True), Fact.ROWS_SUM_TO_ONE),
    (HOT, Fact.ROWS_SUM_TO_ONE),
]


@pytest.mark.parametrize(("formula", "fact"), FOLLOWS)
def test_follows(formula: Expr, fact: Fact) -> None:
    assert fact in Facts(ASSUMED).of(formula.node)


WRONG: list[tuple[Expr, Fact]] = [
    (F, Fact.NONNEGATIVE),
    (P - Z, Fact.NONNEGATIVE),
    (P + M, Fact.POSITIVE),
    (1 - Z, Fact.POSITIVE),
    (Q + Q, Fact.BELOW_ONE),
    (P / F, Fact.POSITIVE),
    (F**3, Fact.NONNEGATIVE),
    (e.maximum(M, F), Fact.NEGATIVE),
    (e.minimum(P, F), Fact.POSITIVE),
    (e.exp(Z), Fact.BELOW_ONE),
    (e.log(P), Fact.NEGATIVE),
    (e.sqrt(Z), Fact.POSITIVE),
    (e.absolute(F), Fact.POSITIVE),
    (e.pad(P, 1, 1, 0), Fact.POSITIVE),
    (e.sum(Q, 0), Fact.BELOW_ONE),
    (e.transpose(S, (1, 0)), Fact.ROWS_SUM_TO_ONE),
    (e.broadcast_to(e.reshape(S, (N, 3, 1)), (N, 3, 4)), Fact.ROWS_SUM_TO_ONE),
    (e.slice_axis(S, 1, 0, 2), Fact.ROWS_SUM_TO_ONE),
    (e.concatenate([S, S], 1), Fact.ROWS_SUM_TO_ONE),
    (e.exp(F) / e.sum(e.exp(F), 0, keepdims=True), Fact.ROWS_SUM_TO_ONE),
    (e.exp(F) / e.sum(e.exp(Z), -1, keepdims=True), Fact.ROWS_SUM_TO_ONE),
    (e.equal(e.reshape(Y, (1, N)), e.iota((3, N), 0)), Fact.ONE_HOT),
    (e.equal(e.cast(F, "int32"), e.iota((N, 3), 1)), Fact.ONE_HOT),
    (-U, Fact.NEGATIVE),
    (1 - U, Fact.BELOW_ONE),
    (e.cast(U, "int32"), Fact.NONNEGATIVE),
    (e.cast(P, "int32"), Fact.POSITIVE),
    (e.sum(e.variable("none", "float64", (0,))), Fact.POSITIVE),
]


@pytest.mark.parametrize(("formula", "fact"), WRONG)
def test_does_not_follow(formula: Expr, fact: Fact) -> None:
    assert fact not in Facts(ASSUMED).of(formula.node)


def test_a_fact_brings_what_it_implies() -> None:
    assert closure(frozenset({Fact.ONE_HOT})) == {Fact.ONE_HOT, Fact.BINARY, Fact.NONNEGATIVE, Fact.ROWS_SUM_TO_ONE}
    for fact in Fact:
        assert closure(closure(frozenset({fact}))) == closure(frozenset({fact}))


def test_without_assumptions_nothing_is_known_of_an_input() -> None:
    assert Facts().of(P.node) == frozenset()


def test_what_cannot_be_zero() -> None:
    facts = Facts(ASSUMED)
    assert facts.nonzero((-P).node)
    assert facts.nonzero(e.exp(F).node)
    assert not facts.nonzero(Z.node)
