"""How each primitive is written, whole and for one element, and the forms that a textbook has."""

from __future__ import annotations

import math

import pytest

from chainrule.document import Formula, symbol
from chainrule.document.text.typeset import Typesetter
from chainrule.explain.constants import written_number
from chainrule.explain.formulas import ABSENT, FORMULAS, Writer
from chainrule.explain.notation import Notation, at
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.primitives import PRIMITIVES
from chainrule.graph.tensor_type import named
from chainrule.nn.activations import ACTIVATIONS

N = named("n")
x, y = (e.variable(name, "float64", (N, 3)) for name in "xy")
b, W = e.variable("b", "float64", (3,)), e.variable("W", "float64", (3, 2))
more, less = x > y, y > x
seed, step = e.variable("seed", "uint32", (2,)), e.variable("step", "uint32")

# Of each primitive an example, how it is written whole, and how the element with these labels is.
WRITTEN: dict[str, tuple[Expr, str, list[str], str]] = {
    "input": (x, "x", ["n", "j"], "xₙⱼ"),
    "constant": (e.constant(2.0, x.type), "2", ["n", "j"], "2"),
    "size": (e.count(N, "int32"), "N", [], "N"),
    "iota": (e.iota((N, 3), 1), "[0 1 …]", ["n", "j"], "j"),
    "random_bits": (e.random_bits(seed, step, 1, (N, 3)), "u", ["n", "j"], "uₙⱼ"),
    "add": (x + y, "x + y", ["n", "j"], "xₙⱼ + yₙⱼ"),
    "subtract": (x - y, "x − y", ["n", "j"], "xₙⱼ − yₙⱼ"),
    "multiply": (x * y, "x ⊙ y", ["n", "j"], "xₙⱼ yₙⱼ"),
    "divide": (x / y, "x/y", ["n", "j"], "xₙⱼ/yₙⱼ"),
    "negate": (-x, "−x", ["n", "j"], "−xₙⱼ"),
    "power": (x**3.0, "x³", ["n", "j"], "xₙⱼ³"),
    "maximum": (e.maximum(x, 0.0), "max(0, x)", ["n", "j"], "max(0, xₙⱼ)"),
    "minimum": (e.minimum(x, y), "min(x, y)", ["n", "j"], "min(xₙⱼ, yₙⱼ)"),
    "exp": (e.exp(x), "eˣ", ["n", "j"], "e^xₙⱼ"),
    "log": (e.log(x), "log(x)", ["n", "j"], "log(xₙⱼ)"),
    "expm1": (e.expm1(x), "eˣ − 1", ["n", "j"], "e^xₙⱼ − 1"),
    "log1p": (e.log1p(x), "log(1 + x)", ["n", "j"], "log(1 + xₙⱼ)"),
    "sqrt": (e.sqrt(x), "√x", ["n", "j"], "√xₙⱼ"),
    "tanh": (e.tanh(x), "tanh(x)", ["n", "j"], "tanh(xₙⱼ)"),
    "sigmoid": (e.sigmoid(x), "σ(x)", ["n", "j"], "σ(xₙⱼ)"),
    "softplus": (e.softplus(x), "log(1 + eˣ)", ["n", "j"], "log(1 + e^xₙⱼ)"),
    "erf": (e.erf(x), "erf(x)", ["n", "j"], "erf(xₙⱼ)"),
    "abs": (e.absolute(x), "|x|", ["n", "j"], "|xₙⱼ|"),
    "sign": (e.sign(x), "sign(x)", ["n", "j"], "sign(xₙⱼ)"),
    "greater": (more, "x > y", ["n", "j"], "xₙⱼ > yₙⱼ"),
    "greater_equal": (x >= y, "x ≥ y", ["n", "j"], "xₙⱼ ≥ yₙⱼ"),
    "equal": (e.equal(x, y), "x = y", ["n", "j"], "xₙⱼ = yₙⱼ"),
    "logical_and": (e.logical_and(more, less), "(x > y) and (y > x)", ["n", "j"], "(xₙⱼ > yₙⱼ) and (yₙⱼ > xₙⱼ)"),
    "logical_not": (e.logical_not(more), "not (x > y)", ["n", "j"], "not (xₙⱼ > yₙⱼ)"),
    "select": (e.select(more, x, y), "{x if x > y; y otherwise}", ["n", "j"], "{xₙⱼ if xₙⱼ > yₙⱼ; yₙⱼ otherwise}"),
    "cast": (e.cast(more, "float64"), "1[x > y]", ["n", "j"], "1[xₙⱼ > yₙⱼ]"),
    "stop_gradient": (e.stop_gradient(x), "x", ["n", "j"], "xₙⱼ"),
    "reshape": (e.reshape(x, (N, 1, 3)), "x", ["n", "l", "j"], "xₙⱼ"),
    "transpose": (e.transpose(x, (1, 0)), "xᵀ", ["j", "n"], "xₙⱼ"),
    "broadcast": (e.broadcast(b, (N, 3), [0]), "b", ["n", "j"], "bⱼ"),
    "concatenate": (e.concatenate([x, y], 1), "[x y]", ["n", "j"], "[x y][n, j]"),
    "slice": (e.slice_axis(x, 1, 1, 3), "x[:, 1:3]", ["n", "j"], "x[n,j + 1]"),
    "pad": (e.pad(x, 1, 1, 0), "[0 x]", ["n", "j"], "[0 x][n, j]"),
    "sum": (e.sum(x, 1), "Σₖ xₖ", ["n"], "Σₖ xₙₖ"),
    "max": (e.max(x, 1), "maxₖ(xₖ)", ["n"], "maxₖ(xₙₖ)"),
    "argmax": (e.argmax(x), "argmaxₖ(xₖ)", ["n"], "argmaxₖ(xₙₖ)"),
    "matmul": (x @ W, "x W", ["n", "j"], "Σₖ xₙₖ Wₖⱼ"),
}


def text(formula: Formula) -> str:
    return Typesetter().text(formula)


def whole(value: Expr) -> str:
    return text(Writer(Notation({})).write(value.node))


def element(value: Expr, *labels: str | int | None) -> str:
    return text(Writer(Notation({})).write(value.node, at(*labels)))


def test_every_primitive_is_written_or_says_why_not() -> None:
    assert set(FORMULAS) | set(ABSENT) == set(PRIMITIVES)
    assert not set(FORMULAS) & set(ABSENT)
    assert set(WRITTEN) == set(FORMULAS)
    assert all(len(reason.split()) > 3 for reason in ABSENT.values())


@pytest.mark.parametrize("primitive", WRITTEN)
def test_each_primitive_whole_and_by_element(primitive: str) -> None:
    value, as_whole, labels, as_element = WRITTEN[primitive]
    assert value.node.primitive == primitive
    assert whole(value) == as_whole
    assert element(value, *labels) == as_element


def test_labels_that_are_not_said_leave_no_mark() -> None:
    assert element(x @ W, None, "j") == "Σₖ xₖ Wₖⱼ"
    assert element(x + b, None, 2) == "x₂ + b₂"
    assert element(e.slice_axis(x, 1, 1, 3), None, 0) == "x₁"


def test_letters_of_nested_sums_differ() -> None:
    square = e.variable("A", "float64", (3, 3))
    assert element(square @ (square @ square), "i", "j") == "Σₖ Aᵢₖ Σₘ Aₖₘ Aₘⱼ"


def test_a_sum_over_the_samples_is_over_n() -> None:
    assert whole(e.mean(e.variable("v", "float64", (N,)))) == "(Σₙ vₙ)/N"


@pytest.mark.parametrize(
    ("value", "as_element"),
    [
        (0.5 * e.sum((x - y) ** 2, 1), "½ Σₖ (xₖ − yₖ)²"),
        (e.mean((x - y) ** 2, 1), "⅓ Σₖ (xₖ − yₖ)²"),
        (-e.sum(x * e.log(y), 1), "−Σₖ xₖ log(yₖ)"),
    ],
)
def test_losses_read_as_in_the_book(value: Expr, as_element: str) -> None:
    assert element(value, None) == as_element


@pytest.mark.parametrize(
    ("value", "as_element"),
    [
        (x * (1.0 - x), "xⱼ(1 − xⱼ)"),
        (1.0 - x * x, "1 − xⱼ²"),
        (2.0 * (x - y) / 3.0, "⅔(xⱼ − yⱼ)"),
        (-(x - y), "yⱼ − xⱼ"),
        (-((x - 1.0) / y), "(1 − xⱼ)/yⱼ"),
        (-e.expm1(x), "1 − e^xⱼ"),
        (x / 1.0, "xⱼ"),
        (x * y * x, "xⱼ² · yⱼ"),
        (x * e.exp(y), "xⱼ e^yⱼ"),
        (2.0 * x, "2 xⱼ"),
        (x * e.sqrt(y), "xⱼ · √yⱼ"),
        (e.exp(x) / e.sum(e.exp(x), 1, keepdims=True), "e^xⱼ/(Σₖ e^xₖ)"),
        (e.select(more, x, 0.0), "xⱼ · 1[xⱼ > yⱼ]"),
        (e.select(more, 0.0, y) + e.cast(more, "float64"), "{1 if xⱼ > yⱼ; yⱼ otherwise}"),
        (e.select(more, 0.0, y) + 3.0 * e.cast(more, "float64"), "{3 if xⱼ > yⱼ; yⱼ otherwise}"),
        (e.cast(more, "float64") + e.cast(less, "float64"), "1[xⱼ > yⱼ] + 1[yⱼ > xⱼ]"),
    ],
)
def test_forms_of_a_textbook(value: Expr, as_element: str) -> None:
    assert element(value, None, "j") == as_element


def test_what_has_a_name_is_written_by_it() -> None:
    z = x @ W
    writer = Writer(Notation({x.node: symbol("a", None, 1), z.node: symbol("z", None, 2)}))
    assert text(writer.write(z.node)) == "z²"
    assert text(writer.write(z.node, named=False)) == "a¹ W"
    assert text(writer.write((z * z).node, at(None, 0))) == "(z²₀)²"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.5, "½"), (2.0, "2"), (-3.0, "−3"), (0.1, "0.1"), (0.25, "0.25"), (2 / 3, "⅔"), (1 / 7, "1/7"),
        (math.sqrt(2.0), "√2"), (2 / math.sqrt(math.pi), "2/√π"), (0.9999999999999999, "1"), (1 - 0.9, "0.1"),
        (1e300, "1e300"), (math.inf, "inf"), (1.7, "1.7"),
    ],
)  # fmt: skip
def test_numbers_as_a_person_writes_them(value: float, written: str) -> None:
    assert text(written_number(value)) == written


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_name_nothing_but_their_input(activation: str) -> None:
    written = element(ACTIVATIONS[activation].formula(x), None, "j")
    assert "x" in written
    assert not any(primitive in written for primitive in ("input", "cast", "broadcast", "select"))
