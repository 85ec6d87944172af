"""The section on repeating a run: the experiment, the command, and what its bits depend on."""

from __future__ import annotations

import shlex

from chainrule.document import Block, Code, Heading, Labeled, Listing, Paragraph
from chainrule.report.material import Material, source
from chainrule.runs.summary import near
from chainrule.train.folder import RunFolder
from chainrule.train.serialize import to_toml
from chainrule.train.state import weights_sha256


def repeating(material: Material) -> list[Block]:
    """The commands, the experiment as a file, what ran it, and sums to compare with."""
    run = material.run
    toml = to_toml(run.experiment).rstrip("\n").split("\n")
    blocks: list[Block] = [Heading("How to repeat it")]
    if run.path is not None:
        where = shlex.quote(near(run.path))
        commands = (
            f"chainrule train {shlex.quote(near(run.path / 'experiment.toml'))}",
            f"chainrule evaluate {where}",
            f"chainrule report {where}",
        )
        blocks.append(Listing(commands, name="commands"))
    blocks += [
        Paragraph(("The experiment, as ", Code("experiment.toml"), ":")),
        Listing(tuple(toml), name="experiment"),
        *_ran_on(material),
        Labeled("Data", (Paragraph(("SHA-256 of the rows ", Code(run.record.split_sha256))),), name="data-sum"),
        Labeled(
            "Weights",
            (Paragraph((f"SHA-256 after step {run.step:,} ", Code(weights_sha256(run.weights)))),),
            name="weights-sum",
        ),
        source(Code("experiment.toml"), ", ", Code("summary.json"), " and the weights of the last checkpoint"),
    ]
    return blocks


def _ran_on(material: Material) -> list[Block]:
    """Processor and versions; the same bits come of the same ones."""
    run = material.run
    summary = RunFolder(run.path).read_summary() if run.path is not None else None
    said = f"{run.checkpoint.backend} backend"
    if summary is not None:
        versions = ", ".join(f"{name} {version}" for name, version in summary.versions.items())
        said += f", {summary.machine}, {versions}"
    rest = "; with the same, the same bits come out, elsewhere the same within rounding"
    return [Labeled("Ran on", (Paragraph(said + rest),), name="ran-on")]
