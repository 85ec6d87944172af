"""One weight on one batch, opened: every factor of its gradient as a number, with the formula it comes from."""

from __future__ import annotations

from functools import cached_property

import msgspec
import numpy as np

from chainrule.autodiff.forward import jvp
from chainrule.autodiff.per_sample import contributions
from chainrule.autodiff.reverse import adjoints
from chainrule.backends.protocol import Array
from chainrule.errors import ValueRangeError
from chainrule.explain.chain import Reader, Route, Slope, Way, is_elementwise, route_of, way_of
from chainrule.explain.numbers import evaluate, stable
from chainrule.explain.subject import Subject, show_weight
from chainrule.explain.textbook import Simplified, textbook
from chainrule.explain.witness import Witness, witnesses
from chainrule.graph import expr as e
from chainrule.graph.node import Node

EXACT = 1e-13  # of Σ|terms|: a product of factors that is further off from what it is equal to is not shown


class Path(msgspec.Struct, frozen=True):
    """One path: through unit k of a layer that reads the activation, or through element k of a row it is part of.

    Attributes:
        reader: the layer it passes; None for a path through a row, such as a softmax.
        k: the unit.
        factors: the values multiplied, in the order of the columns of the table.
        value: their product.
    """

    reader: Reader | None
    k: int
    factors: tuple[float, ...]
    value: float


class Start(msgspec.Struct, frozen=True):
    """Where the chain of one unit starts: the adjoint ∂ℓ/∂v of a value v, before any slope is multiplied to it."""

    name: str
    value: float


class Factor(msgspec.Struct, frozen=True):
    """One column of the table of paths: its values for every unit k, and the derivative it is of, if that is told.

    Attributes:
        values: of one sample, (k,).
        form: the textbook form, None where there is no short one.
        of: "delta", "loss" for ∂ℓ/∂ŷ, or "prediction" for ∂ŷ/∂z.
    """

    values: Array
    form: Simplified | None
    of: str


class Opened:
    """A weight of a subject, opened on the sample at `position` of the batch.

    Everything is computed in float64 from one graph; each part is computed when it is first asked for.
    """

    def __init__(self, subject: Subject, parameter: str, index: tuple[int, ...], way: Way | None = None) -> None:
        self.subject = subject
        self.parameter = parameter
        self.index = index
        self.way = way if way is not None else way_of(subject)
        self.route: Route = route_of(subject, self.way, parameter)
        self._formulas: dict[Slope, Simplified] = {}

    @property
    def name(self) -> str:
        """The weight as a person writes it."""
        return show_weight(self.parameter, self.index)

    @property
    def is_bias(self) -> bool:
        """Whether the weight multiplies nothing."""
        return self.route.source is None

    @property
    def unit(self) -> int:
        """The unit of the layer that the weight feeds."""
        return self.index[-1]

    @property
    def samples(self) -> int:
        """The number of samples in the batch."""
        return len(self.subject.rows)

    # ---- numbers ----

    @cached_property
    def values(self) -> dict[str, Array]:
        """Named values, their adjoints ("∂ dense_1.z") and the slopes ("dense_1.a / dense_1.z"), batch by batch."""
        way, route = self.way, self.route
        asked = {name: way.nodes[name] for name in ("loss", "losses", "y_hat", "y", *self.subject.values)}
        asked |= {f"∂ {n}": way.adjoints[v] for n in self.subject.values if (v := way.nodes[n]) in way.adjoints}
        asked |= {_key(s): _slope_node(way, s) for s in route.slopes}
        asked["weight"] = way.nodes[self.parameter]
        asked["shares"] = adjoints(way.nodes["loss"], [way.nodes["losses"]])[way.nodes["losses"]]
        asked["contributions"] = contributions(way.gradients[self.parameter], self.index)
        asked["gradient"] = way.gradients[self.parameter]
        asked["per sample"] = contributions(way.adjoints[way.nodes[self.parameter]], self.index)
        if route.source is not None:
            asked["source"] = route.source
        asked |= {f"W {reader.W}": way.nodes[reader.W] for reader in route.readers}
        found = evaluate(asked, self.subject.inputs)
        if np.isnan(found["shares"]).all() and not np.isnan(found["losses"]).any():
            raise ValueRangeError(
                "the weights of these samples sum to 0, so they have no mean loss to explain; choose one that counts"
            )
        return found

    @cached_property
    def gradient(self) -> float:
        """∂L/∂w of the whole batch."""
        return float(self.values["gradient"][self.index])

    @cached_property
    def contributions(self) -> Array:
        """Each sample's term; they add up to the gradient. Shape (n,)."""
        return np.array(self.values["contributions"], dtype=np.float64)

    @cached_property
    def per_sample(self) -> Array:
        """Each sample's own gradient ∂ℓₙ/∂w, shape (n,)."""
        return np.array(self.values["per sample"], dtype=np.float64)

    @cached_property
    def shares(self) -> Array:
        """∂L/∂ℓₙ: what a sample counts in the mean, wₙ / Σ wₙ. Shape (n,)."""
        return np.array(self.values["shares"], dtype=np.float64)

    def delta(self, position: int) -> float:
        """δ of the unit: ∂ℓₙ/∂z for the sample at this position."""
        return self._at(f"∂ {self.route.z}", position)

    def source(self, position: int) -> float:
        """What the weight multiplies; 1 for a bias."""
        if self.route.source is None:
            return 1.0
        return float(self.values["source"][position, self.index[0]])

    def steps(self, position: int) -> tuple[Slope, ...]:
        """The elementwise steps from the unit's z to where the chain starts, in order."""
        link = self._link
        return (*self.route.slopes, link) if link and self._through(position) is not None else self.route.slopes

    def slope(self, step: Slope, position: int) -> float:
        """∂upper/∂lower of the unit."""
        through = self._through(position) if step == self._link else None
        return float(through[1][self.unit]) if through else float(self.values[_key(step)][position, self.unit])

    def start(self, position: int) -> Start:
        """The adjoint that the chain starts with: of ŷ, or of the last activation before the next layer."""
        through = self._through(position)
        if self._link and through is not None:
            return Start(self._link.upper, float(through[0][self.unit]))
        return Start(self.route.top, self._at(f"∂ {self.route.top}", position))

    def _at(self, name: str, position: int) -> float:
        return float(self.values[name][position, self.unit])

    # ---- paths ----

    def paths(self, position: int) -> list[Path]:
        """The paths whose values add up to the adjoint that the chain starts with, in the order of the units."""
        if self.route.readers:
            return [path for reader in self.route.readers for path in self._by_layer(reader, position)]
        through = self._through(position)
        if self._link or through is None:
            return []
        outer, inner = through
        products = _products(outer, inner)
        return [Path(None, k, (float(outer[k]), float(inner[k])), float(products[k])) for k in range(len(outer))]

    def _by_layer(self, reader: Reader, position: int) -> list[Path]:
        deltas = self.values[f"∂ {reader.z}"][position]
        weights = self.values[f"W {reader.W}"][self.unit]
        columns = [*(factor.values for factor in self.factors(reader, position)), weights]
        products = _products(deltas, weights)
        return [
            Path(reader, k, tuple(float(column[k]) for column in columns), float(products[k]))
            for k in range(len(deltas))
        ]

    def factors(self, reader: Reader, position: int) -> list[Factor]:
        """The columns that make the deltas of a layer: δ itself, or ∂ℓ/∂ŷ and ∂ŷ/∂z where δ has no shorter form."""
        deltas = self.values[f"∂ {reader.z}"][position]
        if reader.z != self.last_z:
            return [Factor(deltas, None, "delta")]
        if self.last_delta.is_short:
            return [Factor(deltas, self.last_delta, "delta")]
        if self._apart is not None:
            outer, slope = (each[position] for each in self._apart)
            if _close(_products(outer, slope), deltas):
                forms = self.prediction_slope, self.formula(Slope("y_hat", self.last_z))
                return [Factor(outer, forms[0], "loss"), Factor(slope, forms[1], "prediction")]
        return [Factor(deltas, None, "delta")]

    @cached_property
    def _apart(self) -> tuple[Array, Array] | None:
        """∂ℓ/∂ŷ and ∂ŷ/∂z of the last layer, (n, k) each, where ŷ is made of z element by element."""
        z, y_hat = self.subject.values[self.last_z], self.subject.y_hat
        if z is y_hat or not is_elementwise(z, y_hat):
            return None
        return self._crossed("y_hat", self.last_z, np.ones_like(self.values[self.last_z]))

    def _through(self, position: int) -> tuple[Array, Array] | None:
        """∂ℓ/∂v and ∂v/∂top for each element of the row v beyond the top, (k,) each.

        None where there is none, and where floating point has lost it: ŷ may be 0 in ∂ℓ/∂ŷ = −y/ŷ.
        """
        if self._beyond is None:
            return None
        outer, inner = (each[position] for each in self._beyond)
        return (outer, inner) if _adds_up(_products(outer, inner), self._at(f"∂ {self.route.top}", position)) else None

    @cached_property
    def _beyond(self) -> tuple[Array, Array] | None:
        if self.route.beyond is None:
            return None
        moving = np.zeros_like(self.values[self.route.top])
        moving[:, self.unit] = 1.0
        return self._crossed(self.route.beyond, self.route.top, moving)

    @cached_property
    def _link(self) -> Slope | None:
        """The step to the value beyond the top, where it is elementwise."""
        beyond, top = self.route.beyond, self.route.top
        if beyond is None or not is_elementwise(self._book(top), self._book(beyond)):
            return None
        return Slope(beyond, top)

    def _crossed(self, upper: str, lower: str, moving: Array) -> tuple[Array, Array] | None:
        """∂ℓ/∂upper, and how upper moves with lower, in the forms that floating point survives."""
        above, below = self._book(upper), self._book(lower)
        outer = self.way.adjoints.get(self.way.nodes[upper])
        if outer is None:
            outer = adjoints(self.subject.losses, [above]).get(above)
        if outer is None:
            return None
        direction = e.variable("direction", below.tensor.dtype, below.tensor.shape)
        asked = stable({"outer": outer, "inner": jvp(above, {below: direction.node})})
        found = evaluate(asked, {**self.subject.inputs, "direction": moving})
        return found["outer"], found["inner"]

    def _book(self, name: str) -> Node:
        return self.subject.y_hat if name == "y_hat" else self.subject.values[name]

    # ---- formulas ----

    @cached_property
    def last_z(self) -> str:
        """The pre-activation that no further layer reads: where the loss begins."""
        names = [name for name in self.subject.values if name.endswith(".z")]
        return names[-1]

    @cached_property
    def last_delta(self) -> Simplified:
        """∂ℓ/∂z of the last layer in its textbook form: ŷ - y for cross-entropy."""
        return textbook(self.subject, "losses", self.last_z, ("y_hat",))

    @cached_property
    def prediction_slope(self) -> Simplified:
        """∂ℓ/∂ŷ in its textbook form: -y / ŷ for cross-entropy."""
        return textbook(self.subject, "losses", "y_hat")

    @cached_property
    def row_slope(self) -> Simplified | None:
        """How each element of the row beyond the top moves with the unit: ŷₖ(1[k = 3] - ŷ₃) for a softmax."""
        if self.route.beyond is None or self._link is not None:
            return None
        return textbook(self.subject, self.route.beyond, self.route.top, (self.route.beyond,), self.unit)

    def formula(self, step: Slope) -> Simplified:
        """A slope in its textbook form."""
        if step not in self._formulas:
            self._formulas[step] = textbook(self.subject, step.upper, step.lower, (step.upper,))
        return self._formulas[step]

    # ---- evidence ----

    @cached_property
    def witnesses(self) -> list[Witness]:
        """Independent measurements of the gradient."""
        loss, weight = self.way.nodes["loss"], self.way.nodes[self.parameter]
        gradient = self.way.gradients[self.parameter]
        return witnesses(loss, weight, self.index, gradient, self.gradient, self.subject.inputs)


def _key(slope: Slope) -> str:
    return f"{slope.upper} / {slope.lower}"


def _slope_node(way: Way, slope: Slope) -> Node:
    """∂upper/∂lower element by element, a node of their shape."""
    upper, lower = way.nodes[slope.upper], way.nodes[slope.lower]
    return adjoints(upper, [lower])[lower]


def _products(left: Array, right: Array) -> Array:
    """The products element by element; 0 · ∞ is not a number, and says so without a warning."""
    with np.errstate(invalid="ignore", over="ignore"):
        return left * right


def _close(products: Array, values: Array) -> bool:
    """Whether each product is finite and the value, up to rounding."""
    finite = bool(np.all(np.isfinite(products)) and np.all(np.isfinite(values)))
    return finite and bool(np.all(np.abs(products - values) <= EXACT * np.abs(values)))


def _adds_up(terms: Array, total: float) -> bool:
    """Whether the terms are finite and add up to the total, up to rounding."""
    finite = bool(np.all(np.isfinite(terms)) and np.isfinite(total))
    return finite and bool(np.abs(np.sum(terms) - total) <= EXACT * np.sum(np.abs(terms)))
