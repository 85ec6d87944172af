"""Formulas in a display: stacked, in tall parentheses, and broken where they are too long."""

from __future__ import annotations

import pytest

from chainrule.document import (
    Absolute,
    Beside,
    Cases,
    Formula,
    Fraction,
    Matrix,
    Number,
    Power,
    Sum,
    Transpose,
    Words,
    equals,
    partial,
    plus,
    relation,
    symbol,
    times,
)
from chainrule.document.text.breaking import fit, wrap
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.typeset import Typesetter

a, b, z, k = symbol("a"), symbol("b"), symbol("z"), symbol("k")
L = symbol("L")
chain = partial(L, symbol("W", (0, 0), 1))
matrix = Matrix(((Number(0.15), Number(-0.25)), (Number(12.5), b)))


def _drawn(text: str) -> list[str]:
    return text.strip("\n").split("\n")


DISPLAYS: list[tuple[Formula, str, str]] = [
    (chain, " ∂L  \n─────\n∂W¹₀₀", "   dL   \n--------\ndW1[0,0]"),
    (
        times(Sum(chain, k), a),
        "⎛     ∂L   ⎞    \n⎜ Σₖ ───── ⎟ · a\n⎝    ∂W¹₀₀ ⎠    ",
        "/          dL    \\    \n| sum_k -------- | * a\n\\       dW1[0,0] /    ",
    ),
    (matrix, "⎡  0.15  −0.25 ⎤\n⎣ 12.5     b   ⎦", "[  0.15  -0.25 ]\n[ 12.5     b   ]"),
    (Transpose(Matrix(((a,), (b,)))), "⎡ a ⎤ᵀ\n⎣ b ⎦ ", "[ a ]^T\n[ b ]  "),
    (
        Cases(((z, relation(z, ">", Number(0))), (a, relation(z, "=", Number(0))), (Number(0), None))),
        "⎧ z  if z > 0 \n⎨ a  if z = 0 \n⎩ 0  otherwise",
        "/ z  if z > 0 \n< a  if z = 0 \n\\ 0  otherwise",
    ),
    (Sum(a, k, Number(0), symbol("n")), " n   \n Σ  a\nk=0  ", " n   \nsum a\nk=0  "),
    (Power(symbol("e"), symbol("z", "k")), " zₖ\ne  ", " z[k]\ne    "),
    (Power(Fraction(a, b), Number(2)), "⎛  a  ⎞²\n⎜ ─── ⎟ \n⎝  b  ⎠ ", "/  a  \\  \n| --- |^2\n\\  b  /  "),
    (Absolute(Fraction(a, b)), "│  a  │\n│ ─── │\n│  b  │", "|  a  |\n| --- |\n|  b  |"),
    (Fraction(Number(1), Number(2)), "½", "1/2"),
]


@pytest.mark.parametrize(("formula", "unicode", "ascii"), DISPLAYS)
def test_display(formula: Formula, unicode: str, ascii: str) -> None:
    assert list(Typesetter().box(formula).lines) == unicode.split("\n")
    assert list(Typesetter(ascii=True).box(formula).lines) == ascii.split("\n")


def test_a_fraction_stands_on_the_baseline_of_what_is_beside_it() -> None:
    box = Typesetter().box(equals(a, Fraction(Fraction(a, b), b)))
    assert [line.rstrip() for line in box.lines] == ["      a", "     ───", "      b", "a = ─────", "      b"]
    assert box.baseline == 3


def test_a_long_equation_breaks_at_its_relations() -> None:
    long = equals(symbol("w"), *(plus(*[symbol(name)] * 4) for name in "abc"))
    assert list(fit(long, 20, Typesetter()).lines) == ["w = a + a + a + a", "  = b + b + b + b", "  = c + c + c + c"]


def test_a_long_sum_breaks_at_its_signs() -> None:
    lines = fit(equals(symbol("w"), plus(*[symbol("abc")] * 6)), 24, Typesetter()).lines
    assert [line.rstrip() for line in lines] == ["w = abc + abc + abc", "  + abc + abc + abc"]


def test_formulas_beside_each_other_move_under_one_another() -> None:
    lines = fit(Beside((equals(a, b), equals(b, z))), 12, Typesetter()).lines
    assert lines == ("a = b", "b = z")


def test_what_cannot_be_broken_is_written_in_one_line_and_wrapped() -> None:
    lines = fit(Fraction(plus(*[symbol("abc")] * 9), b), 20, Typesetter()).lines
    assert len(lines) > 1
    assert max(map(columns_of, lines)) <= 20
    assert "".join(lines).replace(" ", "") == "(" + "+".join(["abc"] * 9) + ")/b"


def test_a_large_matrix_is_elided_in_the_middle() -> None:
    large = Matrix(tuple(tuple(Number(row * 100 + column) for column in range(64)) for row in range(32)))
    box = fit(large, 60, Typesetter())
    assert box.width <= 60
    assert box.lines[0].split()[1:3] == ["0", "1"]
    assert box.lines[-1].split()[-2] == "3163"
    assert any("…" in line for line in box.lines)


@pytest.mark.parametrize(
    ("text", "width", "hang", "lines"),
    [
        ("one two three", 7, 0, ["one two", "three"]),
        ("one two three", 9, 2, ["one two", "  three"]),
        ("abcdefghij", 4, 0, ["abcd", "efgh", "ij"]),
        ("日本語日本", 5, 0, ["日本", "語日", "本"]),
        ("", 5, 0, [""]),
        ("a b", 1, 2, ["a", "b"]),
    ],
)
def test_wrap(text: str, width: int, hang: int, lines: list[str]) -> None:
    assert wrap(text, width, hang=hang) == lines


def test_words_in_a_formula_are_made_safe() -> None:
    assert Typesetter().text(Words("\x1b[31m")) == "\\x1b[31m"
