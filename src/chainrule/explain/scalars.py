"""A derivation in single numbers: each unit's forward pass, the way through the prediction, an equation a weight."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.document import (
    Block,
    Code,
    Equation,
    Equations,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Relation,
    Sum,
    equals,
    partial,
    times,
)
from chainrule.explain.chain import is_elementwise
from chainrule.explain.derivation import Piece
from chainrule.explain.derived import FILLED, Derived
from chainrule.explain.factors import Chain, chain_of
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import LOSS, Notation, at, subscripted
from chainrule.explain.scope import Weight
from chainrule.explain.subject import show_weight
from chainrule.explain.textbook import textbook

MOST: Final = 12  # weights of which each has its equation
LOUDEST: Final = 6  # of more, those with the largest gradients
FEW_UNITS: Final = 4  # units of a layer whose forward pass is written out
FEW_TERMS: Final = 4  # terms of a sum that is written out
WEIGHTS: Final = "weights "  # before a layer's name: the block of its weights' equations
NINE: Final = NumberStyle("significant", 9)


# ---- forward ----


def forward_scalars(derived: Derived) -> list[Block]:
    """Of one sample alone: what every unit of a few computes, with its numbers."""
    if not derived.alone:
        return []
    shown: list[Equation] = []
    for name in derived.made:
        node = derived.derivation.values[name]
        units = node.tensor.shape[-1]
        chosen = (
            [derived.unit_of(name)]
            if derived.unit_of(name) is not None
            else range(units)
            if isinstance(units, int)
            else []
        )
        if node.tensor.rank == 2 and len(chosen) <= FEW_UNITS:
            shown += [Equation(_computed(derived, name, int(unit or 0))) for unit in chosen]
    return [Labeled("Forward", (Equations(tuple(shown), inline=True),), name="forward")] if shown else []


def _computed(derived: Derived, name: str, unit: int) -> Relation:
    """One unit's value: its formula with short sums written out, the numbers in it, and the result."""
    node, labels = derived.derivation.values[name], at(None, unit)
    writer = Writer(derived.book.notation, unrolled=FEW_TERMS)
    formula = equals(derived.book.notation.name(node, labels), writer.write(node, labels, named=False))
    value = Number(float(derived.numbers[name][0, unit]), FILLED)
    return equals(formula.left, *(side for _, side in formula.rest), value)


# ---- the prediction ----


def prediction_block(derived: Derived) -> list[Block]:
    """How ∂L/∂z of the last layer comes about by way of the prediction: ∂L/∂ŷ · ∂ŷ/∂z = ŷ − y."""
    derivation = derived.derivation
    last, y_hat = derivation.last_z, derivation.canonical("y_hat")
    if not derivation.closes_up or y_hat == last or last not in derived.passed:
        return []
    slope_piece = _slope(derived, y_hat, last)
    k = "j" if slope_piece is not None else "k"
    of_loss, labels = derivation.by_prediction(y_hat), at(derived.sample, k)
    outer = _written(derived, of_loss, k)
    by_y = partial(derived.loss_of_sample, _name(derived, y_hat, k))
    by_z = partial(derived.loss_of_sample, _name(derived, last, "j"))
    link = partial(_name(derived, y_hat, k), _name(derived, last, "j"))
    lines = [equals(by_y, outer)]
    closed = derived.written(derived.piece(last), at(derived.sample, "j"))
    if slope_piece is None:
        lines.append(equals(by_z, Sum(times(by_y, link), labels[-1]), closed))
    else:
        slope = _written(derived, slope_piece, "j")
        lines += [equals(link, slope), equals(by_z, times(by_y, link), times(outer, slope), closed)]
    return [Labeled("The output", (Equations(tuple(Equation(line) for line in lines)),), name="output")]


def _slope(derived: Derived, upper: str, lower: str) -> Piece | None:
    """∂ŷ/∂z where it is elementwise."""
    values = derived.derivation.values
    if not is_elementwise(values[lower], values[upper]):
        return None
    form = textbook(derived.subject, upper, lower, (upper,))
    return Piece(upper, form.raw, form.whole, form.names, form.trail)


def _written(derived: Derived, piece: Piece, letter: str) -> Formula:
    labels = at(derived.sample, letter)
    return Writer(derived.notation(piece), derived.taken(labels)).write(piece.whole, labels)


def _name(derived: Derived, name: str, letter: str) -> Formula:
    return derived.book.notation.name(derived.derivation.values[name], at(derived.sample, letter))


# ---- an equation a weight ----


def weights_meant(derived: Derived) -> tuple[list[Weight], int]:
    """The weights that have an equation, the way back, and how many there are in all."""
    meant = [(name, _positions(derived, name)) for name in reversed_by_layer(derived)]
    count = sum(len(places) for _, places in meant)
    if count <= MOST:
        return [(name, index) for name, places in meant for index in places], count
    loud = [
        (abs(float(derived.gradients[name][index])), order, (name, index))
        for order, (name, _) in enumerate(meant)
        for index in _loudest(derived, name)
    ]
    chosen = sorted(loud, key=lambda each: -each[0])[:LOUDEST]
    return [weight for _, __, weight in sorted(chosen, key=lambda each: each[1])], count


def reversed_by_layer(derived: Derived) -> list[str]:
    """The parameters that are meant, the last layer's first, each layer's in order."""
    names = list(derived.gradients)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in names))
    return [name for layer in reversed(layers) for name in names if name.rpartition(".")[0] == layer]


def _positions(derived: Derived, name: str) -> list[tuple[int, ...]]:
    gradient, unit = derived.gradients[name], derived.unit_of(name)
    if gradient.size > MOST and unit is None:
        return [(0,) * gradient.ndim] * gradient.size  # only their number matters
    return [index for index in np.ndindex(*gradient.shape) if unit is None or index[-1] == unit]


def _loudest(derived: Derived, name: str) -> list[tuple[int, ...]]:
    sizes, unit = np.abs(derived.gradients[name]), derived.unit_of(name)
    if unit is not None:
        kept = np.full_like(sizes, -1.0)
        kept[..., unit] = sizes[..., unit]
        sizes = kept
    places = np.argsort(-sizes, axis=None, kind="stable")[:LOUDEST]
    found = [tuple(int(i) for i in np.unravel_index(int(place), sizes.shape)) for place in places]
    return [index for index in found if sizes[index] >= 0.0]


def weight_blocks(derived: Derived) -> list[Block]:
    """A numbered equation for every weight of a few, for the loudest of many, under the names of their layers."""
    weights, count = weights_meant(derived)
    chains = [chain_of(derived, weight) for weight in weights]
    blocks: list[Block] = []
    if len(weights) < count:
        said = f"the {len(weights):,} of {count:,} weights and biases with the largest gradients; --weight opens any"
        blocks.append(Labeled("Shown", (Paragraph(said),), name="shown"))
    for layer in dict.fromkeys(name.rpartition(".")[0] for name, _ in weights):
        shown = tuple(
            Equation(_equation(derived, chain), value=f"({place})")
            for place, chain in enumerate(chains, start=1)
            if chain.weight[0].rpartition(".")[0] == layer
        )
        data: list[Plain] = [_data(derived, chain) for chain in chains if chain.weight[0].rpartition(".")[0] == layer]
        blocks.append(Labeled(Code(layer), (Equations(shown),), name=WEIGHTS + layer, data={"weights": data}))
    return blocks


def _equation(derived: Derived, chain: Chain) -> Relation:
    """∂L/∂w = the chain in symbols = as formulas = in numbers = the gradient; of a batch the mean of the products."""
    name, index = chain.weight
    left = partial(LOSS, subscripted(derived.book.symbol_of(name), at(*index)))
    gradient = Number(float(derived.gradients[name][index]), NINE)
    symbols = times(*(factor.symbols for factor in chain.factors))
    formulas = times(*(factor.formula for factor in chain.factors))
    if derived.alone:
        return equals(left, symbols, formulas, times(*(factor.filled for factor in chain.factors)), gradient)
    return equals(left, _mean(derived, symbols), _mean(derived, formulas), gradient)


def _mean(derived: Derived, of_sample: Formula) -> Formula:
    """The mean loss's formula with something of each sample in the place of its loss."""
    named = {**derived.book.notation.symbols, derived.subject.losses: of_sample}
    return Writer(Notation(named, brief=True)).write(derived.subject.loss, None, named=False)


def _data(derived: Derived, chain: Chain) -> dict[str, Plain]:
    """The chain for programs: of one sample `terms` add up to `gradient`; of a batch it is its first sample's."""
    name, index = chain.weight
    alone: dict[str, Plain] = {
        "terms": list(chain.terms),
        "factors": [{"of": each.of, "by": each.by, "value": each.value} for each in chain.factors],
    }
    found: dict[str, Plain] = {"weight": show_weight(name, index), "gradient": float(derived.gradients[name][index])}
    return {**found, **(alone if derived.alone else {})}
