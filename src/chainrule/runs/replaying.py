"""What a run was at one of its steps, beside what it was at another: weights, loss, gradients, and what moved most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainrule.document import (
    Block,
    Code,
    Column,
    Document,
    Labeled,
    Listing,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Span,
    Table,
)
from chainrule.errors.counts import all_of, counted
from chainrule.runs.page import Page
from chainrule.runs.standing import (
    MovedWeight,
    Standing,
    most_moved,
    scores_at,
    standings,
    training_rows,
)
from chainrule.train.folder import RunFolder
from chainrule.train.keeper import machine, versions
from chainrule.train.thinning import last_kept

if TYPE_CHECKING:
    from chainrule.runs.run import Run

FOUR: Final = NumberStyle("significant", 4)
SIGNED: Final = NumberStyle("significant", 4, signed=True)
TWO: Final = NumberStyle("significant", 2)
PERCENT: Final = NumberStyle("percent", 0)
MOST_MOVED: Final = 6  # weights that are named


def replayed(run: Run, step: int, compare: int | None = None) -> Page:
    """What the run was at a step, beside what it was at another.

    Args:
        run: which has done that step.
        step: how many updates were done.
        compare: the other step; None for the last power of two before the step, or 0.

    Raises: RunError for a step that the run has not done, or where no checkpoint is whole.
    """
    before = run.at(step - 1) if 0 < step <= run.step else None
    moment = before.one_step_on() if before is not None and step < run.step else run.at(step)
    origin = compare if compare is not None else last_kept(max(step - 1, 0))
    earlier = run.at(origin)
    rows = training_rows(run)
    found = standings(moment, earlier, before, rows)
    scores = {origin: scores_at(earlier, rows), step: scores_at(moment, rows)}
    moved = most_moved(moment, earlier, MOST_MOVED)
    blocks: tuple[Block, ...] = (
        _scores(scores, origin, step),
        _weights(found, origin, step),
        *_moved(moved, origin, step),
        *_read_on(found, scores, origin, step),
        Labeled("Measured", (Paragraph(_on(run, len(rows))),), name="measured"),
        Labeled("Replayed", (Paragraph(exactness(run)),), name="replayed"),
        *_next(run, moved, step),
    )
    return Page(
        Document(
            run.name,
            blocks,
            subtitle=f"step {step:,} of {run.step:,}",
            context=f"{counted(moment.checkpoint.steps_of_epoch, 'step')} into epoch {moment.checkpoint.epoch + 1}",
            name="replay",
            data=_data(run, moment, origin, found, scores, moved),
        )
    )


def _scores(scores: dict[int, dict[str, float]], origin: int, step: int) -> Table:
    """The loss and what else is scored, at both steps."""
    names = list(scores[step])
    columns = (Column("step", heading=True), *(Column(name, style=FOUR) for name in names))
    rows = tuple(
        Row((str(each), *(Number(scores[each][name]) for name in names))) for each in dict.fromkeys((origin, step))
    )
    return Table(columns, rows, name="scores")


def _weights(found: list[Standing], origin: int, step: int) -> Table:
    columns = (
        Column("parameter", heading=True),
        Column("size", "‖w‖", style=FOUR),
        Column(f"since step {origin:,}", "‖w − w′‖", style=FOUR),
        Column("‖∂L/∂w‖", f"step {origin:,}", style=FOUR),
        Column("‖∂L/∂w‖", f"step {step:,}", style=FOUR),
        Column("last update", "/ size", style=FOUR),
    )
    rows = tuple(
        Row(
            (
                each.name,
                Number(each.norm),
                Number(each.change),
                Number(each.gradient_then),
                Number(each.gradient),
                None if each.ratio is None else Number(each.ratio),
            )
        )
        for each in found
    )
    return Table(columns, rows, name="weights")


def _moved(moved: list[MovedWeight], origin: int, step: int) -> tuple[Block, ...]:
    """The weights that are farthest from where they were."""
    if not moved:
        return ()
    columns = (
        Column("moved most", heading=True),
        Column(f"step {origin:,}", style=SIGNED),
        Column(f"step {step:,}", style=SIGNED),
        Column("moved by", style=SIGNED),
    )
    rows = tuple(Row((each.name, Number(each.then), Number(each.now), Number(each.now - each.then))) for each in moved)
    return (Table(columns, rows, name="moved"),)


def _read_on(found: list[Standing], scores: dict[int, dict[str, float]], origin: int, step: int) -> tuple[Block, ...]:
    """Which parameter moved most for its size, and what became of loss and gradient."""
    moving = [each for each in found if each.change > 0.0 and each.norm > 0.0]
    if step == origin or not moving:
        return ()
    most = max(moving, key=lambda each: each.change / each.norm)
    then, now = scores[origin]["loss"], scores[step]["loss"]
    fell = "fell" if now < then else "rose" if now > then else "stayed"
    spans: tuple[Span, ...] = (
        f"From step {origin:,} to step {step:,} the loss {fell}",
        *((" by ", Number(abs(now / then - 1.0), PERCENT)) if then > 0.0 and now != then else ()),
        ". For its size ", Code(most.name), " moved most: by ", Number(most.change / most.norm, PERCENT), " of it",
        *_steepest(found, step),
    )  # fmt: skip
    return (Labeled("Read on", (Paragraph(spans),), name="reading"),)


def _steepest(found: list[Standing], step: int) -> tuple[Span, ...]:
    """Where the gradient is steepest now, and how many times as steep as where it is flattest."""
    sloping = sorted((each for each in found if each.gradient > 0.0), key=lambda each: -each.gradient)
    if len(sloping) < 2:
        return (".",)
    first, last = sloping[0], sloping[-1]
    return (
        f". At step {step:,} the gradient is steepest in ", Code(first.name), ", ",
        Number(first.gradient / last.gradient, TWO), " times as steep as in ", Code(last.name), ".",
    )  # fmt: skip


def _on(run: Run, rows: int) -> str:
    """Which rows loss and gradients were taken on."""
    every, kind = rows == len(run.prepared.rows), "training row"
    which = all_of(rows, kind) if every else f"the first {counted(rows, kind)}"
    return f"loss and gradients on {which}, at both steps the same"


def exactness(run: Run) -> str:
    """Whether these are the bits of the training, as far as it is known what it ran on."""
    backend = run.checkpoint.backend
    summary = RunFolder(run.path).read_summary() if run.path else None
    if run.path is not None and summary is None:
        return f"by the {backend} backend, which trained it; on what machine it was trained is not recorded"
    if summary is not None and (summary.machine, summary.versions) != (machine(backend), versions()):
        trained = ", ".join((summary.machine, *(f"{name} {version}" for name, version in summary.versions.items())))
        return (
            f"by the {backend} backend, trained with {trained}: elsewhere equal within rounding, not always to the bit"
        )
    return f"by the {backend} backend, which trained it, on the same kind of machine: the same bits"


def _next(run: Run, moved: list[MovedWeight], step: int) -> list[Block]:
    if run.path is None or not moved:
        return []
    name = moved[0].name
    return [
        Listing(
            (
                f"chainrule explain {run.name} --weight '{name}' --at {step}",
                f"chainrule history {run.name} --weight '{name}'",
            ),
            name="next",
        )
    ]


def _data(
    run: Run,
    moment: Run,
    origin: int,
    found: list[Standing],
    scores: dict[int, dict[str, float]],
    moved: list[MovedWeight],
) -> dict[str, Plain]:
    return {
        "run": run.name,
        "step": moment.step,
        "epoch": moment.checkpoint.epoch,
        "steps_of_epoch": moment.checkpoint.steps_of_epoch,
        "backend": run.checkpoint.backend,
        "compared_with": origin,
        "scores": dict(scores[moment.step]),
        "scores_then": dict(scores[origin]),
        "parameters": [
            {
                "name": each.name, "norm": each.norm, "change": each.change, "update_to_weight": each.ratio,
                "gradient": each.gradient, "gradient_then": each.gradient_then,
            }
            for each in found
        ],
        "moved": [{"weight": each.name, "then": each.then, "now": each.now} for each in moved],
    }  # fmt: skip
