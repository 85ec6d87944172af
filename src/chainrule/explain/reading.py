"""What the numbers of an opened weight say: the largest path, the smallest factor, why a gradient is exactly 0.

No sentence is canned: each is chosen by the numbers and carries them.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import Code, Content, Number, NumberStyle, Span
from chainrule.explain.numbers import evaluate
from chainrule.explain.opened import Opened, Path
from chainrule.explain.paths import DEEP, delta_norms
from chainrule.explain.subject import show_weight
from chainrule.explain.update import Update

SMALL = 0.1  # a factor below this makes the product ten times smaller than its neighbors
SMALLEST_SHARE = 0.01  # deltas that shrink below this on the way back, or grow beyond its inverse, are told
NOTABLE = 1.5  # times as much: from here on another weight of the unit is worth a word
THREE = NumberStyle("significant", 3)
PERCENT = NumberStyle("percent", 0)


class Alive(msgspec.Struct, frozen=True):
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
    if any(opened.slope(step, position) == 0.0 for step in opened.steps(position)):
        z = float(opened.values[opened.route.z][position, opened.unit])
        reasons.append((f"{unit} is off: its pre-activation is ", Number(z, THREE), ", where its slope is exactly 0"))
    if opened.start(position).value == 0.0:
        why = _nothing_back([path.value for path in opened.paths(position)])
        reasons.append((f"nothing comes back to {unit}: its adjoint is exactly 0{why}",))
    if not reasons:
        return ("the product of the factors is too small for float64 and became exactly 0",)
    joined: list[Span] = []
    for reason in reasons:
        joined += ["; " if joined else "", *reason]
    return tuple(each for each in joined if each)


def _nothing_back(paths: list[float]) -> str:
    """Why paths add up to exactly 0."""
    if not paths:
        return ""
    if any(paths):
        return ", as its paths cancel"
    return ", as is its only path" if len(paths) == 1 else f", as is each of its {len(paths):,} paths"


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


def read_sample(opened: Opened, position: int, update: Update | None) -> tuple[Span, ...]:
    """What a gradient that is not 0 says, and what the update makes of it."""
    gradient = float(opened.per_sample[position])
    if not math.isfinite(gradient):
        return _not_finite(opened)
    way = "raises" if gradient > 0 else "lowers"
    return (
        f"More of this weight {way} the loss, ",
        *_moved(gradient, update),
        *_conflict(opened.paths(position)),
        *_smallest(opened, position),
        *_vanishing(opened, position),
        *_stronger_neighbor(opened, position),
    )


def _not_finite(opened: Opened) -> tuple[Span, ...]:
    """Where the numbers stop being finite: the first parameter or value that holds NaN or infinity."""
    asked = {name: opened.way.nodes[name] for name in ("x", *opened.subject.parameters)}
    found = {**evaluate(asked, opened.subject.inputs), **opened.values}
    names = ["x", *opened.subject.parameters, *opened.subject.values, "y_hat", "losses", "loss"]
    first = next((name for name in names if not np.all(np.isfinite(found[name]))), None)
    if first is None:
        return ("On the way back a number grows beyond what float64 holds, so the gradient says nothing.",)
    return (Code(first), " holds numbers that are not finite, so what follows from them says nothing.")


def _moved(gradient: float, update: Update | None) -> list[Span]:
    """Whether the update follows the gradient: an optimizer that remembers may not."""
    if update is None:
        return ["but it is not trained and stays as it is. "]
    moved = update.after - update.before
    if moved == 0.0:
        return ["but the step is too small to change it. "]
    way = "up" if moved > 0 else "down"
    if moved * gradient < 0:
        return [f"so the update moves it {way}. "]
    return [f"yet the update moves it {way}: what the optimizer remembers of earlier steps outweighs this one. "]


def _conflict(paths: list[Path]) -> list[Span]:
    """Whether the paths agree, and which one decides."""
    moving = [path for path in paths if path.value != 0.0]
    total = sum(path.value for path in moving)
    size = sum(abs(path.value) for path in moving)
    if len(moving) < 2:
        return []
    against = [path for path in moving if path.value * total < 0]
    strongest = max(moving, key=lambda path: abs(path.value))
    which = "" if len(moving) == len(paths) else " that are not 0"
    all_of_them = "Both" if len(moving) == 2 else f"All {len(moving):,}"
    spans: list[Span] = [f"{all_of_them} paths{which} pull the same way. "]
    if against:
        lost = 2 * sum(abs(path.value) for path in against) / size
        verb = "pulls the other way and cancels" if len(against) == 1 else "pull the other way and cancel"
        spans = [f"Of {len(moving):,} paths{which}, {len(against):,} {verb} ", _share(lost), " of all pull. "]
    side = ", against the sum" if strongest in against else ""
    made = _share(abs(strongest.value) / size)
    return [*spans, f"The largest, through k = {strongest.k}, makes ", made, f" of all pull{side}. "]


def _smallest(opened: Opened, position: int) -> list[Span]:
    """The factor that makes the gradient small, if one does."""
    named = [("the slope of the activation", opened.slope(s, position)) for s in opened.steps(position)]
    if not opened.is_bias:
        named.append(("the input to this weight", opened.source(position)))
    small = [(words, value) for words, value in named if abs(value) < SMALL]
    if not small:
        return []
    words, value = min(small, key=lambda each: abs(each[1]))
    return [f"What makes it small is {words}, ", Number(value, THREE), ". "]


def _vanishing(opened: Opened, position: int) -> list[Span]:
    """How far the deltas have shrunk or grown on the way back, where it is by more than a factor of 100."""
    norms = [norm for norm in delta_norms(opened, position).values() if norm > 0.0]
    if len(norms) < DEEP or SMALLEST_SHARE < norms[-1] / norms[0] < 1.0 / SMALLEST_SHARE:
        return []
    verb = "shrink" if norms[-1] < norms[0] else "grow"
    return [f"On the way back the deltas {verb} from ", Number(norms[0], THREE), " to ", Number(norms[-1], THREE), ". "]


def _stronger_neighbor(opened: Opened, position: int) -> list[Span]:
    """The input of the same unit whose weight gets most: the same delta times a larger input."""
    if opened.is_bias:
        return []
    inputs = opened.values["source"][position]
    strongest = int(np.argmax(np.abs(inputs)))
    ratio = float(inputs[strongest]) / opened.source(position)
    if not abs(ratio) >= NOTABLE:
        return []
    weight = show_weight(opened.parameter, (strongest, opened.unit))
    other = " the other way" if ratio < 0 else ""
    return [
        "With the same δ, ",
        Code(weight),
        " gets ",
        *_times_as_much(abs(ratio)),
        f"{other}: its input is ",
        Number(float(inputs[strongest]), THREE),
        ".",
    ]


def _times_as_much(ratio: float) -> list[Span]:
    if math.isclose(ratio, round(ratio), rel_tol=1e-12) and round(ratio) == 2:
        return ["exactly twice as much"]
    return [Number(ratio, THREE), " times as much"]


def read_batch(opened: Opened, update: Update | None) -> tuple[Span, ...]:
    """How the samples of a batch agree about a weight; nothing where none has a wish."""
    terms = opened.contributions
    size = float(np.sum(np.abs(terms)))
    if not math.isfinite(size):
        return _not_finite(opened)
    if size == 0.0:
        return ()
    smaller, larger = int(np.sum(terms > 0)), int(np.sum(terms < 0))
    spans: list[Span] = [_wishes(smaller, larger, len(terms) - smaller - larger)]
    if smaller and larger:
        lost = 1.0 - abs(opened.gradient) / size
        spans += ["Their wishes cancel ", _share(lost), " of each other. "]
    strongest = int(np.argmax(np.abs(terms)))
    share = abs(float(terms[strongest])) / size
    row, target = opened.subject.rows[strongest], opened.subject.targets[strongest]
    spans += [f"Sample {row} ({target}) asks loudest and makes ", _share(share), " of all wishes"]
    if terms[strongest] * opened.gradient < 0:
        spans.append(", and is outvoted")
    elif abs(float(terms[strongest])) > size / 2:
        spans.append(", and outvotes all others together")
    spans.append(". ")
    if opened.gradient != 0.0:
        way = "raises" if opened.gradient > 0 else "lowers"
        spans += [f"More of this weight {way} their loss, ", *_moved(opened.gradient, update)]
    return tuple(spans)


def _wishes(smaller: int, larger: int, none: int) -> str:
    """How many samples want what, in words."""
    parts = [f"{_samples(smaller)} it smaller"] if smaller else []
    parts += [f"{_samples(larger)} it larger"] if larger else []
    said = " and ".join(parts)
    if none:
        said += f"; {none} {'does' if none == 1 else 'do'} not mind"
    return f"{said}. "


def _samples(count: int) -> str:
    return "1 sample wants" if count == 1 else f"{count:,} samples want"


def _share(share: float) -> Number | str:
    """A share as a percentage; one that rounds to all or nothing without being it is put in words."""
    if 0.995 <= share < 1.0:
        return "nearly all"
    return "less than 1%" if 0.0 < share < 0.005 else Number(share, PERCENT)
