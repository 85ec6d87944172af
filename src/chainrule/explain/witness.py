"""Independent witnesses of a derivative: each says what it measured and how far off it may be.

The central difference and the complex step know nothing of the derivative table; the tangent runs the same table
forward, so it catches an error in the way back. A witness agrees when it lies within its own bound.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from chainrule.autodiff.forward import jvp
from chainrule.backends.protocol import Array
from chainrule.errors import BackendError
from chainrule.explain.numbers import evaluate
from chainrule.explain.rounding import rounding_bound
from chainrule.graph import expr as e
from chainrule.graph.expr import Expr
from chainrule.graph.node import Node, topological

Index = tuple[int, ...]

FIRST_STEP: Final = 2.0**-13  # about 1.2e-4: near the cube root of ε times 20, where both errors are small
SMALLEST_STEP: Final = 2.0**-40
COMPLEX_STEP: Final = 1e-20  # its square vanishes beside 1 in float64


class Witness(msgspec.Struct, frozen=True):
    """One measurement of a derivative.

    Attributes:
        method: in words.
        step: h, or None where none is taken.
        value: what was measured.
        bound: how far the claimed gradient may lie from it, from rounding and truncation.
        difference: |value - claimed|.
        kink: whether the function has a kink so near that no step avoids it; then nothing is claimed, for without a
            derivative there is but the convention of the table.
    """

    method: str
    step: float | None
    value: float
    bound: float
    difference: float
    kink: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the claim lies within the bound; never at a kink."""
        return not self.kink and self.difference <= self.bound

    @property
    def verdict(self) -> str:
        """What it says of the claim, in a word or two."""
        if self.kink:
            return "at a kink"
        if not math.isfinite(self.difference):
            return "not finite"
        return "agrees" if self.agrees else "DISAGREES"


def witnesses(
    loss: Node, parameter: Node, index: Index, gradient: Node, claimed: float, inputs: Mapping[str, Array]
) -> list[Witness]:
    """Every witness that can be called for ∂loss/∂parameter[index].

    Args:
        loss: a scalar node.
        parameter: an input node of the loss.
        index: the position of the weight.
        gradient: the node of ∂loss/∂parameter, whose own rounding is part of every bound.
        claimed: the value to be confirmed.
        inputs: float64 numbers for the inputs.
    """
    moving = np.zeros(inputs[parameter.label].shape)
    moving[index] = 1.0
    size = max(1.0, abs(float(inputs[parameter.label][index])))
    return _called(loss, {parameter: moving}, rounding_bound(_entry(gradient, index), inputs), claimed, inputs, size)


def direction_witnesses(
    loss: Node,
    moving: Mapping[Node, Array],
    gradients: Mapping[Node, Node],
    claimed: float,
    inputs: Mapping[str, Array],
) -> list[Witness]:
    """Every witness that can be called for the slope of the loss where many weights move at once.

    Args:
        loss: a scalar node.
        moving: of each parameter that moves, an input node of the loss, how fast each of its weights does.
        gradients: the node of the gradient of each.
        claimed: Σ gradient · direction, to be confirmed.
        inputs: float64 numbers for the inputs.
    """
    given = {**inputs, **{_direction(node): array for node, array in moving.items()}}
    terms = [
        e.sum(Expr(gradients[node]) * e.variable(_direction(node), "float64", node.tensor.shape)) for node in moving
    ]
    slope = functools.reduce(Expr.__add__, terms)
    return _called(loss, moving, rounding_bound(slope.node, given), claimed, inputs, 1.0)


def _called(
    loss: Node, moving: Mapping[Node, Array], own: float, claimed: float, inputs: Mapping[str, Array], size: float
) -> list[Witness]:
    found = [_central_difference(loss, moving, claimed, own, inputs, size)]
    through_complex = _complex_step(loss, moving, claimed, own, inputs)
    if through_complex is not None:
        found.append(through_complex)
    found.append(_tangent(loss, moving, claimed, own, inputs))
    return [msgspec.structs.replace(witness, kink=found[0].kink) for witness in found]


def _direction(parameter: Node) -> str:
    return f"direction of {parameter.label}"


def _entry(node: Node, index: Index) -> Node:
    """One element of a node, as a scalar."""
    part = Expr(node)
    for axis, position in enumerate(index):
        part = e.slice_axis(part, axis, position, position + 1)
    return e.reshape(part, ()).node


def _central_difference(
    loss: Node, moving: Mapping[Node, Array], claimed: float, own: float, inputs: Mapping[str, Array], size: float
) -> Witness:
    """(L(w + h) - L(w - h)) / 2h; its truncation is estimated from twice the step."""
    outputs = {"loss": loss, **{f"side {i}": node for i, node in enumerate(_sides(loss))}}
    h = FIRST_STEP * size
    here = evaluate(outputs, inputs)
    while True:
        around = [evaluate(outputs, _shifted(inputs, moving, k * h)) for k in (-2, -1, 1, 2)]
        smooth = all(_same_side(here, each) for each in around)
        if smooth or h < SMALLEST_STEP:
            break
        h /= 4.0
    far, near = (
        (float(around[-k]["loss"]) - float(around[k - 1]["loss"])) / _width(inputs, moving, w)
        for k, w in ((1, 2 * h), (2, h))
    )
    rounding = 2.0 * rounding_bound(loss, inputs) / (2.0 * h)
    bound = abs(far - near) + rounding + own
    difference = abs(near - claimed)
    return Witness("central difference", h, near, bound, difference, kink=not smooth)


def _width(inputs: Mapping[str, Array], moving: Mapping[Node, Array], h: float) -> float:
    """The distance between w + h and w - h, as they are rounded where one weight moves."""
    ((parameter, direction),) = moving.items() if len(moving) == 1 else ((None, None),)
    if parameter is None or direction is None or np.count_nonzero(direction) != 1:
        return 2.0 * h
    weight = float(inputs[parameter.label][direction != 0.0][0])
    return (weight + h) - (weight - h)


def _shifted(inputs: Mapping[str, Array], moving: Mapping[Node, Array], by: float) -> dict[str, Array]:
    changed = {
        parameter.label: np.array(inputs[parameter.label], dtype=np.float64) + by * direction
        for parameter, direction in moving.items()
    }
    return {**inputs, **changed}


def _same_side(left: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    return all(np.array_equal(left[name], right[name]) for name in left if name != "loss")


def _sides(loss: Node) -> Iterable[Node]:
    """Conditions that change where the loss has a kink or a jump: on which side of it each element lies."""
    for node in topological([loss]):
        match node.primitive:
            case "maximum" | "minimum":
                yield (Expr(node.inputs[0]) > Expr(node.inputs[1])).node
            case "abs" | "sign":
                yield (Expr(node.inputs[0]) > 0.0).node
            case "select":
                yield node.inputs[0]
            case _:
                pass


def _complex_step(
    loss: Node, moving: Mapping[Node, Array], claimed: float, own: float, inputs: Mapping[str, Array]
) -> Witness | None:
    """Im L(w + ih) / h: no difference is taken, so nothing cancels; None where a primitive has no complex meaning.

    Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998.
    """
    changed = {
        parameter.label: np.array(inputs[parameter.label], dtype=np.complex128) + 1j * COMPLEX_STEP * direction
        for parameter, direction in moving.items()
    }
    try:
        value = evaluate({"loss": loss}, {**inputs, **changed})["loss"]
    except BackendError:
        return None
    derivative = float(np.imag(value)) / COMPLEX_STEP
    return Witness("complex step", COMPLEX_STEP, derivative, 2.0 * own, abs(derivative - claimed))


def _tangent(
    loss: Node, moving: Mapping[Node, Array], claimed: float, own: float, inputs: Mapping[str, Array]
) -> Witness:
    """The loss's tangent when these weights alone move: the same chain, multiplied from the other end."""
    directions = {
        parameter: e.variable(_direction(parameter), parameter.tensor.dtype, parameter.tensor.shape).node
        for parameter in moving
    }
    given = {_direction(parameter): direction for parameter, direction in moving.items()}
    value = float(evaluate({"tangent": jvp(loss, directions)}, {**inputs, **given})["tangent"])
    return Witness("forward mode", None, value, 2.0 * own, abs(value - claimed))
