"""What a derivation's numbers say: the loudest weight and why, what passes nothing, how deltas shrink on the way."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from chainrule.document import Code, Number, NumberStyle, Span
from chainrule.errors.counts import verb_of
from chainrule.explain.derivation import ADJOINT
from chainrule.explain.derived import Derived, extent
from chainrule.explain.subject import show_weight

THREE: Final = NumberStyle("significant", 3)
FAR: Final = 100.0  # deltas that shrink or grow by more than this on the way back are told


def sentences(derived: Derived) -> tuple[Span, ...]:
    """What a person should see in the numbers; nothing where no gradient is meant."""
    if not derived.gradients:
        return _nothing_to_learn(derived)
    lost = next((name for name, each in derived.gradients.items() if not np.all(np.isfinite(each))), None)
    if lost is not None:
        return (Code(lost), " has gradients that are not finite, so the numbers above say nothing.")
    return (*_loudest(derived), *_silent(derived), *_on_the_way(derived))


def _nothing_to_learn(derived: Derived) -> tuple[Span, ...]:
    layer = derived.scope.name
    if derived.passed:
        return (Code(layer), " has no weights: it passes the adjoint on, and nothing of it is updated.")
    return (Code(layer), " has no weights, and no layer before it has any: nothing flows back through it.")


def _loudest(derived: Derived) -> list[Span]:
    """The largest gradient, with the two numbers that make it where the batch is one sample."""
    if derived.scope.weight is not None:
        return _of_one(derived, *derived.scope.weight)
    sizes = {name: extent(_meant(derived, name)) for name in derived.gradients}
    name = max(sizes, key=lambda each: abs(sizes[each].largest))
    found, unit = sizes[name], derived.unit_of(name)
    if found.largest == 0.0:
        return ["Every gradient is exactly 0: nothing flows back to these weights. "]
    place = found.place if unit is None else (*found.place, unit)
    spans: list[Span] = ["The largest gradient is that of ", Code(show_weight(name, place)), ", "]
    spans.append(Number(found.largest, THREE))
    if derived.alone and len(place) == 2:
        spans += _made_of(derived, name, place)
    return [*spans, ". "]


def _of_one(derived: Derived, name: str, place: tuple[int, ...]) -> list[Span]:
    """The gradient of the one weight that is meant."""
    gradient = float(derived.gradients[name][place])
    spans: list[Span] = ["More of this weight changes the loss by ", Number(gradient, THREE), " a unit"]
    if derived.alone and len(place) == 2:
        spans += _made_of(derived, name, place)
    return [*spans, ". "]


def _made_of(derived: Derived, name: str, place: tuple[int, ...]) -> list[Span]:
    reader = derived.derivation.readers(name)[0]
    sources = [each for each in derived.derivation.reads(reader) if each not in derived.subject.parameters]
    if len(sources) != 1:
        return []
    source = float(derived.numbers[sources[0]][0, place[0]])
    delta = float(derived.numbers[ADJOINT + reader][0, place[1]])
    return [": its input is ", Number(source, THREE), ", the δ of its unit ", Number(delta, THREE)]


def _meant(derived: Derived, name: str) -> np.ndarray:
    gradient, unit = derived.gradients[name], derived.unit_of(name)
    return gradient if unit is None else gradient[..., unit]


def _silent(derived: Derived) -> list[Span]:
    """How many units pass nothing back, of the layers that are meant."""
    spans: list[Span] = []
    meant = [name for name in derived.passed if name.endswith(".z") and derived.layer_of(name) in derived.scope.layers]
    for name in meant if derived.scope.unit is None else []:
        deltas = derived.numbers[ADJOINT + name]
        dead = int(np.sum(np.all(deltas == 0.0, axis=0)))
        if dead:
            units = deltas.shape[-1]
            on = "" if derived.alone else " on every sample"
            few = f"{dead:,} of {units:,} units {verb_of(dead, 'passes', 'pass')}"
            said = f"{'its unit passes' if units == 1 else few} nothing back{on}. "
            spans += ["In ", Code(derived.layer_of(name)), f" {said}"]
    return spans


def _on_the_way(derived: Derived) -> list[Span]:
    """How far the deltas have shrunk or grown, where it is by more than a factor of 100."""
    names = [name for name in derived.passed if name.endswith(".z")]
    norms = [float(np.linalg.norm(derived.numbers[ADJOINT + name])) for name in names]
    if len(norms) < 2 or not norms[0] or not norms[-1] or abs(math.log(norms[-1] / norms[0])) < math.log(FAR):
        return []
    verb = "shrink" if norms[-1] < norms[0] else "grow"
    return [f"On the way back the deltas {verb} from ", Number(norms[0], THREE), " to ", Number(norms[-1], THREE), ". "]
