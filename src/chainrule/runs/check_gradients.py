"""Gradients of weights picked at random, held against witnesses that know nothing of the chain rule."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.document import Block, Cell, Column, Document, Number, NumberStyle, Paragraph, Plain, Row, Table
from chainrule.draws import Purpose, permutation
from chainrule.errors import ValueRangeError
from chainrule.errors.calls import check_kind
from chainrule.errors.counts import counted, verb_of
from chainrule.explain.chain import Way, way_of
from chainrule.explain.numbers import evaluate
from chainrule.explain.opened import Opened
from chainrule.explain.subject import Subject, show_weight
from chainrule.explain.witness import Witness
from chainrule.runs.asking import moment_of, rows_of_batch
from chainrule.runs.page import Page
from chainrule.runs.subject import subject_of
from chainrule.train.watch import Told

if TYPE_CHECKING:
    from chainrule.runs.run import Run

GRADIENT: Final = NumberStyle("significant", 6, signed=True)
OFF: Final = NumberStyle("scientific", 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the witnesses say of one weight.

    Attributes:
        weight: as a person writes it.
        gradient: ∂L/∂w on the batch, float64.
        witnesses: each with its own measurement and bound.
    """

    weight: str
    gradient: float
    witnesses: tuple[Witness, ...]

    @property
    def agrees(self) -> bool:
        """Whether every witness that can tell lies within its bound."""
        return all(witness.agrees for witness in self.witnesses if not witness.kink)


@dataclass(frozen=True, slots=True, repr=False)
class Verdicts:
    """What the witnesses say of several weights; it shows itself as a page.

    Attributes:
        run: what was checked, and when.
        verdicts: one a weight.
    """

    run: str
    verdicts: tuple[Verdict, ...]

    @property
    def agree(self) -> bool:
        """Whether every weight's witnesses agree."""
        return all(verdict.agrees for verdict in self.verdicts)

    @property
    def page(self) -> Page:
        """A table of all weights: of every witness what it is off by, beside the bound that it must lie within."""
        columns = (
            Column("weight", heading=True),
            Column("gradient", style=GRADIENT),
            Column("by"),
            Column("off by", style=OFF),
            Column("bound", style=OFF),
            Column("verdict"),
        )
        blocks: tuple[Block, ...] = (
            Table(
                columns,
                tuple(row for verdict in self.verdicts for row in _rows(verdict)),
                caption="beside each gradient, how far every witness is off it, and how far it may be",
                name="verdicts",
            ),
            Paragraph(self._sentence()),
        )
        return Page(
            Document("Gradients", blocks, subtitle="against independent witnesses", context=self.run, data=self.data)
        )

    @property
    def data(self) -> dict[str, Plain]:
        """The verdicts as plain values."""
        weights: list[Plain] = [
            {
                "weight": verdict.weight,
                "gradient": verdict.gradient,
                "agrees": verdict.agrees,
                "witnesses": [
                    {
                        "method": each.method, "step": each.step, "value": each.value, "bound": each.bound,
                        "difference": each.difference, "agrees": each.agrees, "kink": each.kink,
                    }
                    for each in verdict.witnesses
                ],
            }
            for verdict in self.verdicts
        ]  # fmt: skip
        return {"agree": self.agree, "weights": weights}

    def __repr__(self) -> str:
        return repr(self.page)

    def _repr_html_(self) -> str:
        return self.page._repr_html_()  # pyright: ignore[reportPrivateUsage] - a notebook's own protocol

    def _sentence(self) -> str:
        count = len(self.verdicts)
        wrong = [verdict.weight for verdict in self.verdicts if not verdict.agrees]
        if wrong:
            lie = f"{counted(count, 'gradient')} {verb_of(len(wrong), 'lies', 'lie')}"
            return f"{len(wrong):,} of {lie} outside the bounds of their witnesses, {wrong[0]} first."
        alive = sum(verdict.gradient != 0.0 for verdict in self.verdicts)
        each = "Every gradient lies" if count > 1 else "The gradient lies"
        said = f"{alive:,} of {count:,} {verb_of(alive, 'is', 'are')} not 0"
        return f"{each} within the bound of each of its witnesses; {said}."


def check_gradients(
    run: Run, weights: int = 10, *, seed: int = 0, batch: int = 0, told: Told | None = None
) -> Verdicts:
    """Pick weights and ask their witnesses.

    Args:
        run: with its weights as they are.
        weights: how many.
        seed: of the pick.
        batch: on which rows, as in `Run.explain`.
        told: called with the weights done and those to do, after each.

    Raises: ArgumentError for what is no whole number; RunError for a batch that does not exist; ValueRangeError for
        fewer than one weight.
    """
    check_kind("weights", weights, Integral, "how many to pick, a whole number such as 10")
    check_kind("seed", seed, Integral, "a whole number, such as 0")
    if weights < 1:
        raise ValueRangeError(f"{weights} weights came: give at least 1")
    moment, epoch = moment_of(run, "now")
    rows, said = rows_of_batch(run.prepared, epoch, batch)
    subject = subject_of(run.prepared, moment, rows, (), run.checkpoint.backend)
    way = way_of(subject)
    picked, verdicts = _picked(subject, way, weights, seed), list[Verdict]()
    for name, index in picked:
        verdicts.append(_verdict(Opened(subject, name, index, way)))
        if told is not None:
            told(len(verdicts), len(picked))
    return Verdicts(f"{run.experiment.name} · {moment.said} · {said}", tuple(verdicts))


def _picked(subject: Subject, way: Way, count: int, seed: int) -> list[tuple[str, tuple[int, ...]]]:
    """Weights at random, half of them with a gradient that is not 0 where there are so many; in the network's order."""
    names = [name for name in subject.parameters if name in way.gradients]
    found = evaluate({name: way.gradients[name] for name in names}, subject.inputs)
    flat = np.concatenate([found[name].reshape(-1) for name in names])
    order = permutation(seed, Purpose.EXPLAIN, 0, len(flat))
    is_alive = flat[order] != 0.0
    alive, dead = order[is_alive], order[~is_alive]
    wanted = min(len(alive), max(-(-count // 2), count - len(dead)))
    chosen = np.sort(np.concatenate((alive[:wanted], dead[: count - wanted])))
    starts = np.cumsum([0, *(found[name].size for name in names)])
    return [_place(int(place), names, starts, [found[name].shape for name in names]) for place in chosen]


def _place(
    place: int, names: list[str], starts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], shapes: list[tuple[int, ...]]
) -> tuple[str, tuple[int, ...]]:
    which = int(np.searchsorted(starts, place, side="right")) - 1
    index = np.unravel_index(place - int(starts[which]), shapes[which])
    return names[which], tuple(int(each) for each in index)


def _verdict(opened: Opened) -> Verdict:
    return Verdict(show_weight(opened.parameter, opened.index), opened.gradient, tuple(opened.witnesses))


def _rows(verdict: Verdict) -> list[Row]:
    """A row a witness; the first names the weight."""
    heads = [(verdict.weight, Number(verdict.gradient)), *[(None, None)] * (len(verdict.witnesses) - 1)]
    return [Row((*head, *_cells(witness))) for head, witness in zip(heads, verdict.witnesses, strict=True)]


def _cells(witness: Witness) -> tuple[Cell, ...]:
    if witness.kink:
        return (witness.method, None, None, "kink")
    said = "agrees" if witness.agrees else "DISAGREES"
    return (witness.method, Number(witness.difference), Number(witness.bound), said)
