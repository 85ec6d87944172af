"""Where the weights of a run stood at one of its steps: their size, how far they came, how far the last update went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.data.dataset import Array
from chainrule.document import (
    Block,
    Column,
    Document,
    Labeled,
    Listing,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Table,
)
from chainrule.runs.page import Page
from chainrule.train.folder import RunFolder
from chainrule.train.keeper import machine, versions
from chainrule.train.thinning import last_kept

if TYPE_CHECKING:
    from chainrule.runs.run import Run

FOUR: Final = NumberStyle("significant", 4)


@dataclass(frozen=True, slots=True)
class Standing:
    """One parameter at a step; sizes are Euclidean norms ‖w‖ over all its numbers, computed in float64.

    Attributes:
        name: of the parameter.
        norm: ‖w‖.
        change: ‖w − w′‖, with w′ at the step compared with.
        ratio: ‖Δw‖ / ‖w‖ of the update that led to the step, ‖w‖ before it; None before the first, and where ‖w‖ is 0.
    """

    name: str
    norm: float
    change: float
    ratio: float | None


def replayed(run: Run, step: int, compare: int | None = None) -> Page:
    """Where the weights stood at a step.

    Args:
        run: which has done that step.
        step: how many updates were done.
        compare: the step that the change is counted from; None for the last checkpoint before the step.

    Raises: RunError for a step that the run has not done, or a checkpoint that is missing or damaged.
    """
    before = run.at(step - 1) if 0 < step <= run.step else None
    moment = before.one_step_on() if before is not None and step < run.step else run.at(step)
    origin = compare if compare is not None else last_kept(max(step - 1, 0))
    earlier = run.at(origin)
    found = _standings(moment, earlier.weights, before.weights if before else None)
    place = f"{moment.checkpoint.steps_of_epoch} steps into epoch {moment.checkpoint.epoch + 1}"
    columns = (
        Column("parameter", heading=True),
        Column("size ‖w‖", style=FOUR),
        Column(f"change since step {origin}", style=FOUR),
        Column("last update / size", style=FOUR),
    )
    table = Table(
        columns,
        tuple(Row((each.name, Number(each.norm), Number(each.change), _cell(each.ratio))) for each in found),
        name="weights",
    )
    blocks: tuple[Block, ...] = (
        table,
        Labeled("Replayed", (Paragraph(exactness(run)),), name="replayed"),
        *_next(run, step),
    )
    return Page(
        Document(
            run.name,
            blocks,
            subtitle=f"step {step} of {run.step}",
            context=place,
            name="replay",
            data=_data(run, moment, origin, found),
        )
    )


def _standings(moment: Run, origin: dict[str, Array], before: dict[str, Array] | None) -> list[Standing]:
    found: list[Standing] = []
    for name, weight in moment.weights.items():
        ratio = None
        if before is not None and (size := _norm(before[name])) > 0.0:
            ratio = _norm(_minus(weight, before[name])) / size
        found.append(Standing(name, _norm(weight), _norm(_minus(weight, origin[name])), ratio))
    return found


def _minus(left: Array, right: Array) -> Array:
    return left.astype(np.float64) - right.astype(np.float64)


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))


def _cell(value: float | None) -> Number | None:
    return None if value is None else Number(value)


def exactness(run: Run) -> str:
    """Whether these are the bits of the training, as far as it is known what it ran on."""
    backend = run.checkpoint.backend
    summary = RunFolder(run.path).read_summary() if run.path else None
    if run.path is not None and summary is None:
        return f"by the {backend} backend, which trained it; on what machine it was trained is not recorded"
    if summary is not None and (summary.machine, summary.versions) != (machine(), versions()):
        trained = ", ".join((summary.machine, *(f"{name} {version}" for name, version in summary.versions.items())))
        return (
            f"by the {backend} backend, trained with {trained}: elsewhere equal within rounding, not always to the bit"
        )
    return f"by the {backend} backend, which trained it, on the same kind of machine: the same bits"


def _next(run: Run, step: int) -> list[Block]:
    first = next(iter(run.weights.items()), None)
    if first is None or run.path is None:
        return []
    name, weight = first
    position = ", ".join("0" for _ in weight.shape)
    typed = f"chainrule explain {run.name} --weight '{name}[{position}]' --at {step}"
    return [Listing((typed,), name="next")]


def _data(run: Run, moment: Run, origin: int, found: list[Standing]) -> dict[str, Plain]:
    return {
        "run": run.name,
        "step": moment.step,
        "epoch": moment.checkpoint.epoch,
        "steps_of_epoch": moment.checkpoint.steps_of_epoch,
        "backend": run.checkpoint.backend,
        "compared_with": origin,
        "parameters": [
            {"name": each.name, "norm": each.norm, "change": each.change, "update_to_weight": each.ratio}
            for each in found
        ],
    }
