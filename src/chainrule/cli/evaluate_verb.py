"""`chainrule evaluate`: how good a run is on the rows it held out, or on those of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from chainrule.cli.parse import call


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule evaluate`."""
    return call("evaluate", evaluate, words)


def evaluate(
    which: Annotated[str, Parameter(help="The run: its folder, the beginning of its name, or latest.")],
    file: Annotated[str | None, Parameter(help="Rows with targets; the held-out ones where not said.")] = None,
    /,
    *,
    json: Annotated[bool, Parameter(negative=(), show_default=False, help="The scores as JSON; so is a pipe.")] = False,
) -> int:
    """Score a run: accuracy and per-class precision, recall and F1; or errors in the target's own units."""
    from chainrule.cli.screen import stdout
    from chainrule.document import Document
    from chainrule.runs.opening import open_run
    from chainrule.train.scores import scores_block, scores_data, scores_table

    opened = open_run(which)
    scores = opened.evaluate(file)
    screen = stdout()
    if json or not screen.person:
        screen.json(scores_data(scores))
    else:
        what = "held-out rows" if file is None else file
        blocks = (scores_table(scores), scores_block(scores, weighted=opened.record.weighted))
        screen.show(
            Document(opened.name, blocks, subtitle=f"on {scores.rows:,} {what}" if file is None else f"on {what}")
        )
    return 0
