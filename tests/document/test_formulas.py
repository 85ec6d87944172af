"""Formulas in one line: names with their marks, and parentheses exactly where they are needed."""

from __future__ import annotations

import pytest

from chainrule.document import (
    Absolute,
    Beside,
    Call,
    Cases,
    Differential,
    Elided,
    Formula,
    Fraction,
    Indexed,
    Indices,
    Matrix,
    Number,
    NumberStyle,
    Parentheses,
    Plus,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
    Transpose,
    Words,
    call,
    equals,
    juxtaposed,
    minus,
    negative,
    partial,
    plus,
    relation,
    symbol,
    times,
)
from chainrule.document.text.typeset import Typesetter
from chainrule.errors import ValueRangeError

a, b, c, k = symbol("a"), symbol("b"), symbol("c"), symbol("k")
one, two = Number(1), Number(2)
half = Fraction(one, two)

NAMES: list[tuple[Formula, str, str]] = [
    (symbol("z", None, 1), "z¹", "z1"),
    (symbol("W", (0, 0), 1), "W¹₀₀", "W1[0,0]"),
    (symbol("W", (28, 3), 1), "W¹[28,3]", "W1[28,3]"),  # ₂₈₃ would be another weight
    (symbol("W", (0, "k"), 2), "W²₀ₖ", "W2[0,k]"),
    (symbol("W", ("i", "j")), "Wᵢⱼ", "W[i,j]"),
    (symbol("x", 12), "x₁₂", "x[12]"),
    (symbol("z", "c"), "z[c]", "z[c]"),  # there is no subscript c
    (symbol("L", "train"), "L_train", "L_train"),
    (symbol("y", "k", accent="hat"), "ŷₖ", "y_hat[k]"),
    (symbol("v", accent="dot"), "v̇", "v_dot"),
    (symbol("σ", accent="prime"), "σ′", "sigma'"),
    (symbol("δ", 0, 1), "δ¹₀", "delta1[0]"),
    (symbol("h", None, "t"), "hᵗ", "h^t"),
    (symbol("a", "k", minus(symbol("l"), one)), "aˡ⁻¹ₖ", "a[k]^(l-1)"),
    (symbol("h", 0, "Q"), "h₀^Q", "h[0]^Q"),
    (symbol("η"), "η", "eta"),
    (Symbol("x\x1b[2J\n"), "x\\x1b[2J\\n", "x\\x1b[2J\\n"),
    (Number(-0.5), "−0.5", "-0.5"),
    (Number(4.4e-10), "4.4e-10", "4.4e-10"),
    (Elided(), "…", "..."),
    (Words("otherwise"), "otherwise", "otherwise"),
    (Differential(symbol("L")), "∂L", "dL"),
    (Differential(symbol("L"), "∇"), "∇L", "grad L"),
]


@pytest.mark.parametrize(("formula", "unicode", "ascii"), NAMES)
def test_name(formula: Formula, unicode: str, ascii: str) -> None:
    assert Typesetter().text(formula) == unicode
    assert Typesetter(ascii=True).text(formula) == ascii


FORMULAS: list[tuple[Formula, str, str]] = [
    (plus(a, b), "a + b", "a + b"),
    (minus(a, plus(b, c)), "a − (b + c)", "a - (b + c)"),
    (minus(a, minus(b, c)), "a − (b − c)", "a - (b - c)"),
    (minus(a, Number(-0.5)), "a − (−0.5)", "a - (-0.5)"),
    (plus(Number(-0.5), a), "−0.5 + a", "-0.5 + a"),
    (plus(a, times(Number(-0.5), b)), "a + (−0.5 · b)", "a + (-0.5 * b)"),
    (negative(plus(a, b)), "−(a + b)", "-(a + b)"),
    (negative(negative(a)), "−(−a)", "-(-a)"),
    (minus(negative(a), b), "−a − b", "-a - b"),
    (times(a, plus(b, c)), "a · (b + c)", "a * (b + c)"),
    (times(a, Number(-2)), "a · (−2)", "a * (-2)"),
    (times(a, times(b, c)), "a · (b · c)", "a * (b * c)"),
    (times(times(a, b), c), "a · b · c", "a * b * c"),
    (times(a, Number(0.5, NumberStyle(signed=True))), "a · (+0.5)", "a * (+0.5)"),
    (times(a), "a", "a"),
    (times(), "1", "1"),
    (Plus(()), "0", "0"),
    (juxtaposed(a, b), "a b", "a b"),
    (juxtaposed(a, minus(one, a)), "a(1 − a)", "a (1 - a)"),
    (juxtaposed(a, two), "a · 2", "a * 2"),
    (juxtaposed(times(a, b), c), "(a · b) c", "(a * b) c"),
    (Product((a, b), "elementwise"), "a ⊙ b", "a .* b"),
    (Product((a, b), "times"), "a × b", "a x b"),
    (juxtaposed(half, a), "½ a", "1/2 a"),
    (Fraction(one, Number(64)), "1/64", "1/64"),
    (partial(symbol("L"), symbol("W", (0, 0), 1)), "∂L/∂W¹₀₀", "dL/dW1[0,0]"),
    (Fraction(plus(a, b), times(b, c)), "(a + b)/(b · c)", "(a + b)/(b * c)"),
    (Fraction(Fraction(a, b), c), "(a/b)/c", "(a/b)/c"),
    (times(Fraction(a, b), Fraction(b, c)), "a/b · b/c", "a/b * b/c"),
    (Power(a, two), "a²", "a^2"),
    (Power(minus(a, b), two), "(a − b)²", "(a - b)^2"),
    (Power(negative(a), two), "(−a)²", "(-a)^2"),
    (Power(Number(-2), two), "(−2)²", "(-2)^2"),
    (Power(symbol("z", None, 2), two), "(z²)²", "(z2)^2"),  # a layer's number is no exponent
    (Power(half, two), "(½)²", "(1/2)^2"),
    (Power(Power(a, b), c), "(aᵇ)ᶜ", "(a^b)^c"),
    (Power(symbol("e"), symbol("z", "k")), "e^zₖ", "e^z[k]"),
    (Power(symbol("e"), plus(symbol("q"), b)), "e^(q + b)", "e^(q + b)"),
    (Root(plus(a, b)), "√(a + b)", "sqrt(a + b)"),
    (Root(a), "√a", "sqrt(a)"),
    (Transpose(symbol("W")), "Wᵀ", "W^T"),
    (Transpose(juxtaposed(a, b)), "(a b)ᵀ", "(a b)^T"),
    (call("σ", a), "σ(a)", "sigma(a)"),
    (call("max", Number(0), a), "max(0, a)", "max(0, a)"),
    (Call(symbol("max", "k"), (a,)), "maxₖ(a)", "max[k](a)"),
    (Absolute(minus(a, b)), "|a − b|", "|a - b|"),
    (Absolute(a, norm=True), "‖a‖", "||a||"),
    (Indexed(juxtaposed(a, b), (Number(3), Number(7))), "(a b)[3, 7]", "(a b)[3, 7]"),
    (Indices((a, b)), "a, b", "a, b"),
    (Parentheses(a), "(a)", "(a)"),
    (Sum(a, k), "Σₖ a", "sum_k a"),
    (Sum(plus(a, b), k), "Σₖ (a + b)", "sum_k (a + b)"),
    (Sum(a, k, Number(0), Number(9)), "Σₖ₌₀⁹ a", "sum_{k=0}^9 a"),
    (Sum(a), "Σ a", "sum a"),
    (times(Sum(a, k), b), "(Σₖ a) · b", "(sum_k a) * b"),
    (times(b, Sum(a, k)), "b · Σₖ a", "b * sum_k a"),
    (plus(Sum(a, k), b), "Σₖ a + b", "sum_k a + b"),
    (equals(a, b, c), "a = b = c", "a = b = c"),
    (relation(a, "≈", b), "a ≈ b", "a ~= b"),
    (relation(a, "←", minus(a, b)), "a ← a − b", "a <- a - b"),
    (Beside((a, b)), "a    b", "a    b"),
    (Matrix(((a, b), (one, two))), "[a b; 1 2]", "[a b; 1 2]"),
    (Matrix(()), "[]", "[]"),
    (
        Cases(((a, relation(a, ">", Number(0))), (Number(0), None))),
        "{a if a > 0; 0 otherwise}",
        "{a if a > 0; 0 otherwise}",
    ),
]


@pytest.mark.parametrize(("formula", "unicode", "ascii"), FORMULAS)
def test_formula_in_one_line(formula: Formula, unicode: str, ascii: str) -> None:
    assert Typesetter().text(formula) == unicode
    assert Typesetter(ascii=True).text(formula) == ascii


def test_a_ragged_matrix_is_refused() -> None:
    with pytest.raises(ValueRangeError, match="rows of different lengths"):
        Matrix(((a,), (a, b)))


def test_formulas_are_values() -> None:
    assert partial(symbol("L"), a) == partial(symbol("L"), symbol("a"))
    assert len({plus(a, b), plus(a, b), plus(b, a)}) == 2
