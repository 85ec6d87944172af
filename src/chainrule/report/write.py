"""The report of a run: its sections in order, as a page and as one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chainrule.document import Block, Document, Heading, Paragraph
from chainrule.errors.calls import check_kind, checked_call
from chainrule.report.charts import write_charts
from chainrule.report.curves import learning
from chainrule.report.material import Material, gather, source
from chainrule.report.moments import moments_data, moments_of, probed_rows
from chainrule.report.outcome import outcome
from chainrule.report.over_time import over_time
from chainrule.report.repeating import repeating
from chainrule.report.telling import telling
from chainrule.report.trained import trained
from chainrule.runs.asking import rows_of_samples
from chainrule.runs.page import Page
from chainrule.runs.run import Run
from chainrule.runs.suggest import loudest_weight, telling_sample
from chainrule.train.durable import write_named
from chainrule.train.scores import scores_data

REPORT: Final = "report.html"  # in the folder of the run


@checked_call
def report(
    run: Run,
    output: str | Path | None = None,
    *,
    charts: str | Path | None = None,
    weight: str | None = None,
    sample: int | None = None,
) -> Page:
    """Tell a run on one page: what was trained on what, how it went, what it gets wrong, and how to repeat it.

    Every number comes from the files of the run, or is measured by asking its graph again at its steps, replayed bit
    for bit; each section says from where.

    Args:
        run: such as `train` or `open_run` hand out.
        output: an HTML file to write that needs nothing else: no network, no script; None writes nothing.
        charts: a folder to write every chart to as SVG, PNG and CSV; None writes none.
        weight: the one that is opened, such as "dense_1.W[3, 7]"; None for that of the largest gradient on the sample.
        sample: the row on which it is opened; None for one that the network gets wrong, or is furthest off on.

    Returns: the report as a page: `page.html` is the file's text, and a notebook shows it.
    Raises: RunError for a file of the run that is missing or damaged, and for a sample that does not exist; DataError
        when the data changed or are gone; UnknownNameError for a weight that does not exist; WriteError when a file
        cannot be written.
    """
    check_kind("the run", run, Run, "a run, such as cr.open_run() gives")
    for name, place in (("output", output), ("charts", charts)):
        if place is not None:
            check_kind(name, place, (str, Path), "a path, such as 'report.html'")
    document = report_of(run, weight, sample)
    page = Page(document)
    if charts is not None:
        write_charts(document, Path(charts))
    if output is not None:
        write_named(Path(output), page.html.encode())
    return page


def report_of(run: Run, weight: str | None = None, sample: int | None = None) -> Document:
    """The report as a document; arguments as in `report`."""
    material = gather(run)
    moments = moments_of(run)
    blocks = [
        *trained(material),
        *learning(material),
        *over_time(material, moments),
        *outcome(material),
        *telling(material),
        *_opened(material, weight, sample),
        *repeating(material),
    ]
    return Document(
        run.name,
        tuple(blocks),
        subtitle="the report of a run",
        context=f"step {run.step:,}",
        name="report",
        data={
            "run": run.name,
            "reason": run.reason,
            "step": run.step,
            "history": {name: list(run.history[name]) for name in run.history},
            "scores": {"part": "test" if material.held_out else "train", **scores_data(material.scores)},
            "probed_rows": [int(row) for row in probed_rows(run)],
            "moments": moments_data(moments),
        },
    )


def _opened(material: Material, weight: str | None, sample: int | None) -> Sequence[Block]:
    """One weight with all its numbers, as `explain` sets it."""
    run = material.run
    found, why = telling_sample(run) if sample is None else (rows_of_samples(run.prepared, [sample])[0], "")
    name = loudest_weight(run, found) if weight is None else weight
    opened = run.explain(name, sample=found).document
    of = name.partition("[")[0]
    said = f"{why[:1].upper()}{why[1:]}; of {of}, {name} has the largest gradient there." if why and not weight else ""
    return [
        Heading("An opened weight"),
        *([Paragraph(said)] if said else []),
        Heading((opened.title,) if isinstance(opened.title, str) else opened.title, level=2),
        *(Paragraph(part) for part in (opened.subtitle, opened.context) if part),
        *opened.blocks,
        source(f"the weights after step {run.step:,} and row {found} of the data, in float64"),
    ]
