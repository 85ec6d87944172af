"""What each sample of a batch wants of each of some weights, as numbers: a nudge is minus the sample's own gradient."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from chainrule.autodiff.per_sample import contributions
from chainrule.autodiff.reverse import adjoints
from chainrule.errors import ShapeError, UnknownNameError, ValueRangeError
from chainrule.explain.causes import causes_of
from chainrule.explain.chain import Way, route_of
from chainrule.explain.numbers import evaluate
from chainrule.explain.subject import MOST_ECHOED, Subject, show_weight

Floats: TypeAlias = npt.NDArray[np.float64]
Weight: TypeAlias = tuple[str, tuple[int, ...]]  # a parameter's name, and a position in it

BOUND: Final = 1e-12  # of Σ|terms|: rounding of a sum of float64 products stays far below
_UNIT: Final = re.compile(r"\s*(?P<layer>[^\[\]]+?)\s*\[\s*(?P<unit>[0-9]{1,18})\s*\]\s*")


class Nudges(msgspec.Struct, frozen=True, eq=False):
    """What the samples want of k weights.

    Attributes:
        subject: the batch.
        weights: which, in order.
        shares: what each sample counts in the mean, wₙ / Σ w, (n,).
        nudges: −∂ℓₙ/∂w, (k, n).
        average: Σ shares · nudges over the samples, (k,).
        gradients: ∂L/∂w as differentiation of the mean loss gives it, computed apart from the nudges, (k,).
        errors_first: minus what the gradient would be were δ averaged before it is multiplied with the averaged
            activation, (k,).
        causes: of each weight, why the sample that asks loudest asks it; empty sentences where nobody asks.
    """

    subject: Subject
    weights: tuple[Weight, ...]
    shares: Floats
    nudges: Floats
    average: Floats
    gradients: Floats
    errors_first: Floats
    causes: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """The weights as a person writes them."""
        return [show_weight(*weight) for weight in self.weights]

    @property
    def terms(self) -> Floats:
        """The share of each sample in the average, (k, n)."""
        return self.nudges * self.shares

    @property
    def sizes(self) -> Floats:
        """Σ|terms| of each weight, (k,)."""
        return np.sum(np.abs(self.terms), axis=1)


def nudges_of(subject: Subject, way: Way, weights: Sequence[Weight]) -> Nudges:
    """The nudges of some weights on the subject's batch, in float64.

    Args:
        subject: a loss on a batch.
        way: of the subject.
        weights: at least one.

    Raises: ValueRangeError when no weight is asked for, or the weights of the samples sum to 0; DerivativeError where
        the loss does not depend on a weight.
    """
    if not weights:
        raise ValueRangeError("no weight was named: give at least one")
    losses = way.nodes["losses"]
    asked = {"shares": adjoints(way.nodes["loss"], [losses])[losses], "losses": losses}
    for name in dict.fromkeys(name for name, _ in weights):
        route = route_of(subject, way, name)
        asked |= {f"gradient {name}": way.gradients[name], f"δ {name}": way.adjoint(route.z)}
        asked |= {} if route.source is None else {f"source {name}": route.source}
    for place, (name, index) in enumerate(weights):
        asked[f"own {place}"] = contributions(way.adjoints[way.nodes[name]], index)
    found = {name: np.asarray(value, dtype=np.float64) for name, value in evaluate(asked, subject.inputs).items()}
    shares = found["shares"]
    if np.isnan(shares).all() and not np.isnan(found["losses"]).any():
        raise ValueRangeError(
            "the weights of these samples sum to 0, so they have no mean loss; choose one that counts"
        )
    nudges = -np.stack([found[f"own {place}"] for place in range(len(weights))])
    loudest = np.argmax(np.abs(nudges * shares), axis=1).tolist()
    return Nudges(
        subject=subject,
        weights=tuple(weights),
        shares=shares,
        nudges=nudges,
        average=np.sum(nudges * shares, axis=1),
        gradients=np.array([found[f"gradient {name}"][index] for name, index in weights]),
        errors_first=np.array([_errors_first(found, shares, name, index) for name, index in weights]),
        causes=causes_of(subject, way, weights, loudest),
    )


def _errors_first(found: dict[str, Floats], shares: Floats, name: str, index: tuple[int, ...]) -> float:
    """Minus mean(δ) · mean(a): not the gradient, which is mean(δ · a)."""
    delta = float(np.sum(shares * found[f"δ {name}"][:, index[-1]]))
    if f"source {name}" not in found:
        return -delta
    return -delta * float(np.sum(shares * found[f"source {name}"][:, index[0]]))


# ---- which weights ----


def loudest(
    subject: Subject, way: Way, count: int, layer: str | None = None, unit: str | None = None
) -> tuple[Weight, ...]:
    """The weights with the largest |∂L/∂w|, the largest first.

    Args:
        subject: a loss on a batch.
        way: of the subject.
        count: how many.
        layer: "dense_1", or "dense_1.W": only of it; None for the whole network.
        unit: "dense_1[3]": only those that feed it.

    Raises: ValueRangeError for fewer than one; UnknownNameError for a layer that has no weights; ShapeError for a unit
        that does not exist.
    """
    if count < 1:
        raise ValueRangeError(f"the {count} loudest weights were asked for: ask for at least 1")
    only = None
    if unit is not None:
        layer, only = parse_unit(unit, subject)
    names = [name for name in way.gradients if layer is None or layer in (name, name.rpartition(".")[0])]
    if not names:
        raise UnknownNameError("layer", layer or "", layers(subject))
    found = evaluate({name: way.gradients[name] for name in names}, subject.inputs)
    ranked: list[tuple[float, Weight]] = []
    for name in names:
        sizes: Floats = np.abs(found[name].astype(np.float64))
        if only is not None:
            everywhere, sizes = sizes, np.full_like(sizes, -1.0)
            sizes[..., only] = everywhere[..., only]
        for place in np.argsort(-sizes, axis=None, kind="stable")[:count]:
            index = tuple(int(i) for i in np.unravel_index(int(place), sizes.shape))
            ranked += [(float(sizes[index]), (name, index))] if sizes[index] >= 0.0 else []
    return tuple(weight for _, weight in sorted(ranked, key=lambda each: -each[0])[:count])


def layers(subject: Subject) -> list[str]:
    """The layers that have weights."""
    return list(dict.fromkeys(name.rpartition(".")[0] for name in subject.parameters))


def parse_unit(text: str, subject: Subject) -> tuple[str, int]:
    """The layer and the number of a unit written "dense_1[3]".

    Raises: UnknownNameError for a layer that does not exist; ShapeError for a unit outside it.
    """
    match = _UNIT.fullmatch(text)
    named = match["layer"] if match else text.partition("[")[0].strip()
    if named not in layers(subject):
        raise UnknownNameError("layer", named, layers(subject))
    if match is None:
        raise ShapeError(f"'{text[:MOST_ECHOED]}' does not name one unit: write {named}[0]")
    width = subject.values[f"{named}.z"].tensor.shape[-1]
    assert isinstance(width, int)  # a layer's width is a number
    if int(match["unit"]) >= width:
        raise ShapeError(f"'{text.strip()}' lies outside {named}, which has units 0 to {width - 1}")
    return named, int(match["unit"])
