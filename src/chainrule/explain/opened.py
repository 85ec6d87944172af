"""One weight on one batch, opened: every factor of its gradient as a number, with the formula it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.autodiff.forward import jvp
from chainrule.autodiff.per_sample import contributions
from chainrule.autodiff.reverse import adjoints
from chainrule.autodiff.simplify import simplify
from chainrule.backends.protocol import Array
from chainrule.explain.chain import Reader, Route, Slope, Way, route_of, way_of
from chainrule.explain.numbers import evaluate, stable
from chainrule.explain.subject import Subject, show_weight
from chainrule.explain.witness import Witness, witnesses
from chainrule.graph import expr as e
from chainrule.graph.facts import Fact, Facts
from chainrule.graph.node import Node, make_graph, transform
from chainrule.graph.primitives import rebuild
from chainrule.graph.rewrite import Trail


@dataclass(frozen=True, slots=True)
class Factor:
    """One elementwise factor on the way: its value for this unit and sample, and its textbook form."""

    name: str
    form: Simplified
    value: float


@dataclass(frozen=True, slots=True)
class Path:
    """One path: through unit k of a layer that reads the activation, or through output k of a softmax.

    Attributes:
        reader: the layer it passes; None for a path through the prediction.
        k: the unit.
        factors: the values multiplied, in the order of the columns of the table.
        value: their product.
    """

    reader: Reader | None
    k: int
    factors: tuple[float, ...]
    value: float


@dataclass(frozen=True, slots=True)
class Simplified:
    """A derivative in its textbook form.

    Attributes:
        factors: the factors of its outermost products, as functions of the values it was cut at.
        names: by node, the name of the value that stands there: "dense_2.z", "y", "y_hat".
        trail: the identities that led there.
    """

    factors: tuple[Node, ...]
    names: Mapping[Node, str]
    trail: Trail

    @property
    def facts(self) -> tuple[tuple[Fact, Node], ...]:
        """What had to be known, each once."""
        return tuple(dict.fromkeys(each for step in self.trail for each in step.facts))


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
        asked |= {_key(s): slope_node(way.nodes, s) for s in route.slopes}
        asked["weight"] = way.nodes[self.parameter]
        asked["contributions"] = self.contribution_node
        asked["gradient"] = way.gradients[self.parameter]
        asked["per sample"] = contributions(way.adjoints[way.nodes[self.parameter]], self.index)
        if route.source is not None:
            asked["source"] = route.source
        asked |= {f"W {reader.W}": way.nodes[reader.W] for reader in route.readers}
        return evaluate(asked, self.subject.inputs)

    @cached_property
    def contribution_node(self) -> Node:
        """Each sample's own term in the batch gradient, shape (n,)."""
        return contributions(self.way.gradients[self.parameter], self.index)

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

    def delta(self, position: int) -> float:
        """δ of the unit: ∂ℓₙ/∂z for the sample at this position."""
        return self._at(f"∂ {self.route.z}", position)

    def source(self, position: int) -> float:
        """What the weight multiplies; 1 for a bias."""
        if self.route.source is None:
            return 1.0
        return float(self.values["source"][position, self.index[0]])

    def slopes(self, position: int) -> list[Factor]:
        """The elementwise steps from the unit's z to its last activation, last first, as the chain is written."""
        return [
            Factor(_key(s), self.slope_formulas[s], float(self.values[_key(s)][position, self.unit]))
            for s in reversed(self.route.slopes)
        ]

    def adjoint_of_top(self, position: int) -> float:
        """The adjoint of the last activation before the next layer or the loss."""
        return self._at(f"∂ {self.route.top}", position)

    def _at(self, name: str, position: int) -> float:
        return float(self.values[name][position, self.unit])

    def paths(self, position: int) -> list[Path]:
        """The paths whose values add up to the adjoint of the top, in the order of the units."""
        if self.route.readers:
            return [path for reader in self.route.readers for path in self._through(reader, position)]
        return self._through_prediction(position)

    def _through(self, reader: Reader, position: int) -> list[Path]:
        deltas = self.values[f"∂ {reader.z}"][position]
        weights = self.values[f"W {reader.W}"][self.unit]
        columns = self._factor_columns(reader.z, position) or [deltas]
        return [
            Path(reader, k, (*(float(c[k]) for c in columns), float(weights[k])), float(deltas[k] * weights[k]))
            for k in range(len(deltas))
        ]

    def _factor_columns(self, z: str, position: int) -> list[Array]:
        """The factors of the last layer's delta, one array a factor; nothing for a layer that another one reads."""
        if z != self.last_z:
            return []
        return [
            np.broadcast_to(values[position], self.values[f"∂ {z}"][position].shape) for values in self.last_factors
        ]

    def _through_prediction(self, position: int) -> list[Path]:
        """∂ℓ/∂ŷₖ · ∂ŷₖ/∂z for every output k that the pre-activation moves."""
        found = self.prediction_paths
        if found is None:
            return []
        outer, inner = found["outer"][position], found["inner"][position]
        return [
            Path(None, k, (float(outer[k]), float(inner[k])), float(outer[k] * inner[k])) for k in range(len(outer))
        ]

    @cached_property
    def prediction_paths(self) -> dict[str, Array] | None:
        """∂ℓ/∂ŷ and ∂ŷ/∂z of this unit, (n, k) each; None where z reaches ŷ as it is, or element by element."""
        subject, top = self.subject, self.route.top
        z = subject.values[top]
        if subject.y_hat is z or top != self.last_z:
            return None
        outer = adjoints(subject.losses, [subject.values[top]]).get(subject.y_hat)
        if outer is None:
            return None
        direction = e.variable("direction", z.tensor.dtype, z.tensor.shape)
        inner = jvp(subject.y_hat, {z: direction.node})
        unit = np.zeros(self.values[top].shape)
        unit[:, self.unit] = 1.0
        asked = stable({"outer": outer, "inner": inner})
        return evaluate(asked, {**subject.inputs, "direction": unit})

    # ---- formulas ----

    @cached_property
    def last_z(self) -> str:
        """The pre-activation that no further layer reads: where the loss begins."""
        names = [name for name in self.subject.values if name.endswith(".z")]
        return names[-1]

    @cached_property
    def last_delta(self) -> Simplified:
        """∂ℓ/∂z of the last layer in its textbook form: ŷ - y for cross-entropy."""
        return self._textbook("losses", self.last_z, ("y_hat",))

    @cached_property
    def last_factors(self) -> list[Array]:
        """The values of the factors of the last delta, each of shape (n, k)."""
        found = self.last_delta
        asked = stable({str(i): node for i, node in enumerate(found.factors)})
        given = {node.label: self.values[name] for node, name in found.names.items() if node.primitive == "input"}
        return list(evaluate(asked, {**self.subject.inputs, **given}).values())

    @cached_property
    def prediction_slope(self) -> Simplified:
        """∂ℓ/∂ŷ in its textbook form: -y / ŷ for cross-entropy."""
        return self._textbook("losses", "y_hat")

    @cached_property
    def slope_formulas(self) -> dict[Slope, Simplified]:
        """Each slope in its textbook form."""
        return {s: self._textbook(s.upper, s.lower, (s.upper,)) for s in self.route.slopes}

    def _textbook(self, upper: str, lower: str, keep: tuple[str, ...] = ()) -> Simplified:
        """∂upper/∂lower as a function of `lower` and y alone, simplified; `keep` names values that may appear in it."""
        book = self._book
        held = {book[lower]: lower, book["y"]: "y"}
        facts = Facts(make_graph({"it": book[upper]}, facts=dict(self.subject.facts)).assumed())
        stand_ins = {node: e.variable(name, node.tensor.dtype, node.tensor.shape).node for node, name in held.items()}
        outputs = [book[name] for name in (upper, *keep)]
        image = transform(outputs, lambda node, inputs: stand_ins.get(node) or rebuild(node, inputs))
        above, below = image[book[upper]], stand_ins[book[lower]]
        known = {held[node]: sorted(facts.of(node)) for node in held}
        graph, trail = simplify(make_graph({"it": adjoints(above, [below])[below]}, facts=known))
        names = {**{stand_ins[node]: name for node, name in held.items()}, **{image[book[n]]: n for n in keep}}
        return Simplified(_factors(graph["it"], names), names, trail)

    @cached_property
    def _book(self) -> dict[str, Node]:
        """The book's nodes by name."""
        subject = self.subject
        return {**subject.values, "y": subject.y, "y_hat": subject.y_hat, "losses": subject.losses}

    # ---- evidence ----

    @cached_property
    def witnesses(self) -> list[Witness]:
        """Independent measurements of the gradient."""
        loss, weight = self.way.nodes["loss"], self.way.nodes[self.parameter]
        gradient = self.way.gradients[self.parameter]
        return witnesses(loss, weight, self.index, gradient, self.gradient, self.subject.inputs)


def _key(slope: Slope) -> str:
    return f"{slope.upper} / {slope.lower}"


def slope_node(nodes: Mapping[str, Node], slope: Slope) -> Node:
    """∂upper/∂lower element by element, a node of their shape."""
    upper, lower = nodes[slope.upper], nodes[slope.lower]
    return adjoints(upper, [lower])[lower]


def _factors(product: Node, names: Mapping[Node, str]) -> tuple[Node, ...]:
    """The factors of the outermost products; what has a name is not taken apart."""
    factors: list[Node] = []
    pending = [product]
    while pending:
        node = pending.pop(0)
        if node.primitive == "multiply" and node not in names:
            pending[:0] = node.inputs
        else:
            factors.append(node)
    return tuple(factors)
