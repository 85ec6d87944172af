"""Independent evidence beside a gradient: what each witness measured, how far off it is, the bound it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import (
    Block,
    Cell,
    Column,
    Labeled,
    Paragraph,
    Plain,
    Row,
    Table,
    number,
    symbol,
)
from chainrule.draws import Purpose, uniform
from chainrule.explain.witness import Witness, direction_witnesses, witnesses
from chainrule.graph.node import Node

if TYPE_CHECKING:
    from chainrule.explain.derived import Derived

AT_A_KINK: Final = (
    "Here the loss changes its slope from one side of this weight to the other, so it has no derivative; the gradient "
    "is the one that the convention gives, and no witness can confirm it."
)
SEED: Final = 0  # of the directions: the same in every view of the same weights


def checked_blocks(found: Sequence[Witness], head: Cell, said: str = "") -> list[Block]:
    """A row a witness, and what a kink means where there is one.

    Args:
        found: the witnesses of one slope.
        head: what they measured.
        said: along which direction, where it is not one weight.
    """
    headers: tuple[Cell, ...] = ("by", symbol("h"), head, "off by", "bound", None)
    columns = tuple(Column(header, heading=header == "by") for header in headers)
    table = Table(columns, tuple(map(_row, found)), name="witnesses")
    blocks: list[Block] = [Labeled("Checked", (table, Paragraph(said)) if said else (table,))]
    if any(witness.kink for witness in found):
        blocks.append(Labeled("At a kink", (Paragraph(AT_A_KINK),), name="kink"))
    return blocks


def _row(witness: Witness) -> Row:
    step = number(witness.step, 1, "scientific") if witness.step else ""
    value, off, bound = number(witness.value, 9), number(witness.difference, 1), number(witness.bound, 1)
    return Row((witness.method, step, value, off, "" if witness.kink else bound, witness.verdict))


def witness_data(found: Sequence[Witness]) -> list[Plain]:
    """The witnesses for programs."""
    return [
        {
            "method": each.method,
            "step": each.step,
            "value": each.value,
            "bound": each.bound,
            "difference": each.difference,
            "agrees": each.agrees,
            "kink": each.kink,
        }
        for each in found
    ]


# ---- of whole parameters ----


class Slope(msgspec.Struct, frozen=True):
    """The slope of the loss where many weights move at once.

    Attributes:
        directions: how fast each weight of each parameter moves.
        claimed: Σ gradient · direction.
        witnesses: what was measured instead.
    """

    directions: dict[str, Array]
    claimed: float
    witnesses: list[Witness]


def slope_of(derived: Derived) -> Slope:
    """All weights that are meant move at once, each up or down by draw; one weight alone moves by 1."""
    way, inputs = derived.way, derived.subject.inputs
    if derived.scope.weight is not None:
        name, index = derived.scope.weight
        claimed = float(derived.gradients[name][index])
        found = witnesses(way.nodes["loss"], way.nodes[name], index, way.gradients[name], claimed, inputs)
        return Slope({}, claimed, found)
    directions = _directions(derived)
    claimed = float(sum(np.sum(derived.gradients[name] * each) for name, each in directions.items()))
    moving: dict[Node, Array] = {way.nodes[name]: each for name, each in directions.items()}
    gradients = {way.nodes[name]: way.gradients[name] for name in directions}
    return Slope(directions, claimed, direction_witnesses(way.nodes["loss"], moving, gradients, claimed, inputs))


def _directions(derived: Derived) -> dict[str, Array]:
    """±1 for each weight that is meant, over the root of their number, so that no unit moves far; 0 for the others."""
    found: dict[str, Array] = {}
    for place, (name, gradient) in enumerate(derived.gradients.items()):
        signs = np.where(uniform(SEED, Purpose.EXPLAIN, place, gradient.shape) < 0.5, -1.0, 1.0)
        unit = derived.unit_of(name)
        if unit is not None:
            kept = np.zeros_like(signs)
            kept[..., unit] = signs[..., unit]
            signs = kept
        found[name] = signs
    count = sum(int(np.count_nonzero(each)) for each in found.values())
    return {name: each / np.sqrt(count) for name, each in found.items()}


def slope_blocks(derived: Derived, slope: Slope) -> list[Block]:
    """The witnesses, and along which direction they measured."""
    if derived.scope.weight is not None:
        return checked_blocks(slope.witnesses, derived.left(derived.scope.weight[0], derived.entry))
    count = sum(int(np.count_nonzero(each)) for each in slope.directions.values())
    said = "where the one weight moves: d is ±1"
    if count > 1:
        said = (
            f"where all {count:,} weights and biases move at once, up or down by draw: d is ±1 over the root of "
            f"{count:,}"
        )
    return checked_blocks(slope.witnesses, "Σ ∂L/∂w · d", said)
