"""Every row of the derivative table against witnesses that know nothing of it, to order 3."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from chainrule.autodiff.derivatives import ABSENT, DERIVATIVES, Adjoint
from chainrule.autodiff.forward import jvp
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological
from chainrule.graph.primitives import PRIMITIVES, apply
from tests.absent import require
from tests.laws.in_torch import run
from tests.laws.primitive_cases import CASES, SIZES, Case
from tests.laws.tower import Tower, build

STEP = 1e-5  # of central differences: the truncation and the rounding are both near 1e-11
COMPLEX_STEP = 1e-30
EXACT = 1e-10  # in units of max(1, |value|): witnesses without truncation

# Sources, and what answers ZERO or NO_DERIVATIVE to every input.
WITHOUT_ADJOINTS = {"input", "constant", "size", "iota", "random_bits", "sign", "stop_gradient", "argmax"}.union(
    {"greater", "greater_equal", "equal", "logical_and", "logical_not"}
)

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@cache
def tower(case: Case) -> Tower:
    return build(case)


def close(left: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    return bool(np.all(np.abs(left - right) <= tolerance * np.maximum(1.0, np.abs(right))))


# ---- the list and the tables cover each other ----


def test_each_primitive_has_a_derivative_or_a_reason_why_not() -> None:
    assert set(DERIVATIVES) | set(ABSENT) == set(PRIMITIVES)
    assert not set(DERIVATIVES) & set(ABSENT)


def test_each_derivative_is_held_against_the_laws() -> None:
    assert {case.primitive for case in CASES} == set(DERIVATIVES)


def test_the_names_of_cases_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@each_case
def test_a_case_holds_its_primitive(case: Case) -> None:
    assert case.primitive in {node.primitive for node in topological([tower(case).output])}


@each_case
def test_a_case_says_whether_it_is_flat(case: Case) -> None:
    """Else the laws below could hold because nothing happens."""
    gradient = tower(case).evaluate(tower(case).floors[0].gradient)
    assert any(np.any(each != 0.0) for each in gradient) == (case.kind == "smooth")


# ---- the witnesses ----


@each_case
def test_gradients_agree_with_central_differences(case: Case) -> None:
    its = tower(case)
    for floor in its.floors:
        found = its.evaluate(floor.gradient)
        for operand, gradient in zip(its.operands, found, strict=True):
            expected = np.zeros_like(gradient) if case.kind == "held" else differences(its, floor.scalar, operand)
            assert close(gradient, expected, case.tolerance), (floor.scalar, operand.label, gradient, expected)


def differences(its: Tower, scalar: Node, operand: Node) -> np.ndarray:
    """(f(x + h) - f(x - h)) / 2h for each element of an operand."""
    at = its.values[operand.label]
    result = np.empty_like(at)
    for place in np.ndindex(at.shape):
        moved = [at.copy(), at.copy()]
        moved[0][place] += STEP
        moved[1][place] -= STEP
        ahead, behind = (its.evaluate([scalar], {operand.label: x})[0] for x in moved)
        result[place] = (ahead - behind) / (moved[0][place] - moved[1][place])
    return result


@pytest.mark.parametrize("primitive", sorted(set(DERIVATIVES) - WITHOUT_ADJOINTS))
def test_a_derivative_off_by_a_thousandth_is_caught(primitive: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = DERIVATIVES[primitive]

    def wrong(*values: Expr, **attributes: Any) -> tuple[Adjoint, ...]:
        return tuple(a * 1.001 if isinstance(a, Expr) else a for a in right(*values, **attributes))

    monkeypatch.setitem(DERIVATIVES, primitive, wrong)
    its = build(next(case for case in CASES if case.primitive == primitive and case.kind == "smooth"))
    floor = its.floors[0]
    expected = [differences(its, floor.scalar, operand) for operand in its.operands]
    pairs = zip(its.evaluate(floor.gradient), expected, strict=True)
    assert not all(close(*pair, its.case.tolerance) for pair in pairs)


@pytest.mark.parametrize("case", [case for case in CASES if case.complex_orders], ids=lambda case: case.name)
def test_gradients_agree_with_the_complex_step(case: Case) -> None:
    its = tower(case)
    for floor in its.floors[: case.complex_orders]:
        for operand, gradient in zip(its.operands, its.evaluate(floor.gradient), strict=True):
            expected = complex_step(its, floor.scalar, operand)
            assert close(gradient, expected, EXACT), (floor.scalar, operand.label, gradient, expected)


def complex_step(its: Tower, scalar: Node, operand: Node) -> np.ndarray:
    """Im f(x + ih) / h for each element of an operand: no difference is taken, so nothing cancels."""
    at = its.values[operand.label].astype(np.complex128)
    result = np.empty(at.shape)
    for place in np.ndindex(at.shape):
        moved = at.copy()
        moved[place] += COMPLEX_STEP * 1j
        result[place] = np.imag(its.evaluate([scalar], {operand.label: moved})[0]) / COMPLEX_STEP
    return result


@each_case
def test_forward_is_the_transpose_of_reverse(case: Case) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩ for the function itself, its gradient, and the gradient of that."""
    its = tower(case)
    rng = np.random.default_rng(len(case.name))
    tangents = {node: apply("input", name=f"v_{node.label}", type=node.tensor) for node in its.operands}
    moves = {tangents[node].label: rng.normal(size=its.values[node.label].shape) for node in its.operands}
    with_tangents = Tower(
        case, its.operands, its.output, its.floors, [*its.inputs, *tangents.values()], {**its.values, **moves}
    )
    targets = [its.output]
    for floor in its.floors:
        pushed = [jvp(target, tangents) for target in targets]
        assert [each.type for each in pushed] == [target.type for target in targets]
        directions = [node for node in its.inputs if node.label.startswith(f"u{its.floors.index(floor)}_")]
        left = total([Expr(u) * Expr(p) for u, p in zip(directions, pushed, strict=True)])
        right = total([Expr(g) * Expr(tangents[x]) for g, x in zip(floor.gradient, its.operands, strict=True)])
        sizes = total([e.absolute(Expr(u) * Expr(p)) for u, p in zip(directions, pushed, strict=True)])
        (u_jv, jtu_v, scale) = with_tangents.evaluate([left, right, sizes])
        assert abs(u_jv - jtu_v) <= EXACT * max(1.0, scale), floor.scalar
        targets = floor.gradient


def total(parts: list[Expr]) -> Node:
    result = e.sum(parts[0])
    for part in parts[1:]:
        result = result + e.sum(part)
    return result.node


@pytest.mark.oracle
@each_case
def test_gradients_agree_with_pytorch(case: Case) -> None:
    torch = require("torch", "pip install 'chainrule[oracles]'")
    its = tower(case)
    values = {name: torch.tensor(value, requires_grad=name.startswith("x")) for name, value in its.values.items()}
    operands = [values[node.label] for node in its.operands]
    (output,) = run([its.output], values, SIZES)
    targets = [output]
    for order, floor in enumerate(its.floors):
        scalar = sum((values[f"u{order}_{i}"] * target).sum() for i, target in enumerate(targets))
        theirs = torch_gradient(torch, scalar, operands)
        for mine, other in zip(its.evaluate(floor.gradient), theirs, strict=True):
            assert close(mine, other.numpy(force=True), EXACT), (order, mine, other)
        targets = theirs


def torch_gradient(torch: Any, scalar: Any, operands: list[Any]) -> list[Any]:
    if not scalar.requires_grad:
        return [torch.zeros_like(x) for x in operands]
    found = torch.autograd.grad(scalar, operands, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, operands, strict=True)]
