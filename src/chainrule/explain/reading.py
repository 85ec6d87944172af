"""What the numbers of an opened weight say: the largest path, the smallest factor, why a gradient is exactly 0.

No sentence is canned: each is chosen by the numbers and carries them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import Code, Content, Number, NumberStyle, Span
from chainrule.explain.numbers import evaluate
from chainrule.explain.opened import Opened, Path
from chainrule.explain.subject import show_weight

SMALL = 0.1  # a factor below this makes the product ten times smaller than its neighbors
THREE = NumberStyle("significant", 3)
PERCENT = NumberStyle("percent", 0)


@dataclass(frozen=True, slots=True)
class Alive:
    """A weight of the same layer that does get a gradient."""

    name: str
    gradient: float


def zero_factor(opened: Opened, position: int) -> Content | None:
    """Which factors make this sample's gradient exactly 0; None where it is not 0."""
    if opened.per_sample[position] != 0.0:
        return None
    unit = f"unit {opened.unit} of {opened.parameter.rpartition('.')[0]}"
    reasons: list[tuple[Span, ...]] = []
    if opened.source(position) == 0.0:
        reasons.append(("the input to this weight is exactly 0",))
    if any(factor.value == 0.0 for factor in opened.slopes(position)):
        z = float(opened.values[opened.route.z][position, opened.unit])
        reasons.append((f"{unit} is off: its pre-activation is ", Number(z, THREE), ", where its slope is exactly 0"))
    if opened.adjoint_of_top(position) == 0.0:
        count = len(opened.paths(position))
        said = f"nothing comes back to {unit}: its adjoint is exactly 0"
        reasons.append((f"{said}, as is each of its {count} paths" if count and _all_zero(opened, position) else said,))
    if not reasons:
        return ("the product of the factors is too small for float64 and became exactly 0",)
    joined: list[Span] = []
    for reason in reasons:
        joined += ["; " if joined else "", *reason]
    return tuple(each for each in joined if each)


def _all_zero(opened: Opened, position: int) -> bool:
    return all(path.value == 0.0 for path in opened.paths(position))


def alive_weights(opened: Opened, most: int = 3) -> list[Alive]:
    """The weights of the same parameter with the largest gradients over this batch, largest first."""
    gradient = opened.values["gradient"]
    order = np.argsort(-np.abs(gradient), axis=None, kind="stable")[:most]
    found = [_position(int(flat), gradient) for flat in order]
    return [Alive(show_weight(opened.parameter, i), float(gradient[i])) for i in found if gradient[i] != 0.0]


def _position(flat: int, array: Array) -> tuple[int, ...]:
    """The index of the element that stands at this place in the array's order."""
    return tuple(int(axis) for axis in np.unravel_index(flat, array.shape))


def alive_elsewhere(opened: Opened, most: int = 3) -> list[Alive]:
    """Where a whole parameter is dead, the largest gradients of the others."""
    others = {name: node for name, node in opened.way.gradients.items() if name != opened.parameter}
    if not others:
        return []
    best: list[Alive] = []
    for name, gradient in evaluate(others, opened.subject.inputs).items():
        flat = int(np.argmax(np.abs(gradient)))
        index = _position(flat, gradient)
        if gradient[index] != 0.0:
            best.append(Alive(show_weight(name, index), float(gradient[index])))
    return sorted(best, key=lambda each: -abs(each.gradient))[:most]


def read_sample(opened: Opened, position: int) -> tuple[Span, ...]:
    """One or two sentences on a gradient that is not 0."""
    gradient = float(opened.per_sample[position])
    way = "raises" if gradient > 0 else "lowers"
    move = "down" if gradient > 0 else "up"
    spans: list[Span] = [f"More of this weight {way} the loss, so the update moves it {move}. "]
    spans += _conflict(opened.paths(position))
    spans += _smallest(opened, position)
    spans += _stronger_neighbor(opened, position)
    return tuple(spans)


def _conflict(paths: list[Path]) -> list[Span]:
    """Whether the paths agree, and which one decides."""
    moving = [path for path in paths if path.value != 0.0]
    total = sum(path.value for path in moving)
    size = sum(abs(path.value) for path in moving)
    if len(moving) < 2 or size == 0.0:
        return []
    against = [path for path in moving if path.value * total < 0]
    strongest = max(moving, key=lambda path: abs(path.value))
    share = abs(strongest.value) / size
    spans: list[Span] = []
    if against:
        lost = 2 * sum(abs(path.value) for path in against) / size
        verb = "pulls" if len(against) == 1 else "pull"
        spans += [f"{len(against)} of {len(moving)} paths {verb} the other way and cancel ", Number(lost, PERCENT)]
        spans += [" of the whole; "]
    else:
        spans += [f"All {len(moving)} paths pull the same way; "]
    return [*spans, f"the one through k = {strongest.k} alone makes ", Number(share, PERCENT), " of all pull. "]


def _smallest(opened: Opened, position: int) -> list[Span]:
    """The factor that makes the gradient small, if one does."""
    factors = [("the slope of the activation", each.value) for each in opened.slopes(position)]
    if not opened.is_bias:
        factors.append(("the input to this weight", opened.source(position)))
    if not factors:
        return []
    words, value = min(factors, key=lambda each: abs(each[1]))
    if abs(value) >= SMALL:
        return []
    return [f"What makes it small is {words}, ", Number(value, THREE), ". "]


def _stronger_neighbor(opened: Opened, position: int) -> list[Span]:
    """The input of the same unit whose weight moves most: the same delta times a larger input."""
    if opened.is_bias:
        return []
    inputs = opened.values["source"][position]
    strongest = int(np.argmax(np.abs(inputs)))
    own = opened.source(position)
    ratio = float(inputs[strongest]) / own
    if strongest == opened.index[0] or abs(ratio) < 1.005:
        return []
    weight = show_weight(opened.parameter, (strongest, opened.unit))
    return [
        "With the same δ, ",
        Code(weight),
        " gets ",
        Number(ratio, THREE),
        " times as much, its input being ",
        Number(float(inputs[strongest]), THREE),
        ".",
    ]


def read_batch(opened: Opened) -> tuple[Span, ...]:
    """How the samples of a batch agree about a weight."""
    terms = opened.contributions
    larger, smaller = int(np.sum(terms < 0)), int(np.sum(terms > 0))
    none = len(terms) - larger - smaller
    size = float(np.sum(np.abs(terms)))
    if size == 0.0:
        return (f"None of the {len(terms)} samples has anything to say about this weight.",)
    agreement = abs(opened.gradient) / size
    strongest = int(np.argmax(np.abs(terms)))
    row = opened.subject.rows[strongest]
    return (
        f"{smaller} samples want it smaller, {larger} larger, and {none} do not mind. ",
        "What they ask for cancels to ",
        Number(agreement, PERCENT),
        " of what they ask for in all; ",
        f"sample {row} ({opened.subject.targets[strongest]}) asks loudest, with ",
        Number(abs(float(terms[strongest])) / size, PERCENT),
        ".",
    )
