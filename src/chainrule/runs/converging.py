"""Whether a run has come to rest, with the evidence."""

from __future__ import annotations

import math

from chainrule.descent.convergence import FLAT, STILL, Convergence, convergence_of
from chainrule.descent.walk import walked
from chainrule.document import Column, Document, Number, NumberStyle, Paragraph, Row, Table
from chainrule.errors import RunError
from chainrule.runs.page import Page
from chainrule.runs.run import Run

THREE = NumberStyle("significant", 3)


def convergence(run: Run) -> Page:
    """Whether the updates of a run have become ≈ 0, its loss lies on a plateau, swings, rises or still falls.

    Raises: RunError for a run without a complete epoch; DataError when the data changed.
    """
    if not run.history.epochs:
        raise RunError(f"{run.name} has no complete epoch yet: train it further")
    entries = run.history.entries
    start = entries[-2].step if len(entries) > 1 else 0
    walk = walked(run.prepared, run.history, [entries[-1].step], run.at(start).checkpoint)
    found = convergence_of(run.history["loss"], walk)
    values = {"update": found.update, "cosine": found.cosine, "change": found.change, "rises": found.rises}
    named = {
        "update": f"mean update of the last epoch, ‖Δw‖ / ‖w‖ (≈ 0 below {STILL:g})",
        "cosine": "mean cosine between an update and the one before",
        "change": f"change of the loss over the last {found.epochs} epochs (flat within {FLAT:.0%})",
        "rises": "share of these epochs in which the loss rose",
    }
    rows = tuple(Row((named[name], Number(value) if math.isfinite(value) else "-")) for name, value in values.items())
    table = Table((Column("evidence", heading=True), Column("value", style=THREE)), rows, name="evidence")
    data = {"rest": found.rest, "epochs": found.epochs, **values}
    blocks = (Paragraph(_said(found)), table)
    return Page(Document("Convergence", blocks, subtitle=f"of {run.name}", context=f"step {run.step}", data=data))


def _said(found: Convergence) -> str:
    moving = f"an update still moves the weights by {found.update:.2g} of their size"
    match found.rest:
        case "converged":
            return f"Converged: the updates have become ≈ 0, {found.update:.2g} of the size of the weights."
        case "plateau":
            return f"On a plateau: the loss changed by {found.change:+.2%}, while {moving}."
        case "oscillating":
            return f"Oscillating: the loss rose in {found.rises:.0%} of the last epochs, and {moving}."
        case "diverging":
            return f"Diverging: the loss changed by {found.change:+.1%}, and {moving}."
        case "still falling":
            return f"Still falling: the loss changed by {found.change:+.1%}, and {moving}; more epochs would lower it."
        case _:
            return f"Too short to tell: fewer than 4 epochs are complete, and {moving}."
