"""The section that says what was trained on what, how it ended, and what the network looks like."""

from __future__ import annotations

from msgspec.structs import replace

from chainrule.document import Block, Code, Group, Heading, Labeled, Paragraph, Span
from chainrule.document.content import spans
from chainrule.errors.counts import counted
from chainrule.report.material import Material, source
from chainrule.runs.drawn import network_drawing
from chainrule.runs.summary import data_in_words, network_table, split_in_words, training_in_words
from chainrule.train.scores import metrics_in_words

STATES = {
    "completed": "complete",
    "interrupted": "interrupted on the way",
    "terminated": "terminated on the way",
    "non-finite": "stopped where the loss left the numbers",
    "unfinished": "not finished: killed on the way, or still under way",
    "replayed": "an earlier step, replayed",
}


def trained(material: Material) -> list[Block]:
    """Data, split, training, state and score, then the network drawn with its weights."""
    run = material.run
    said = [
        Labeled("Data", (Paragraph(data_in_words(run.record)),)),
        Labeled("Split", (Paragraph(split_in_words(run.record)),)),
        Labeled("Training", (Paragraph(training_in_words(run.experiment)),)),
        Labeled("State", (Paragraph(_state(material)),)),
        Labeled("Score", (Paragraph((f"on {material.part}: ", *_score(material))),), name="score"),
    ]
    return [
        Group(tuple(said)),
        source(
            Code("experiment.toml"), ", ", Code("data.json"), f" and the weights after step {run.step:,}; the score is "
            "measured anew",
        ),
        Heading("The network"),
        replace(network_drawing(run), title="Units and weights"),
        network_table(run.experiment, run.record),
        source(Code("experiment.toml"), f" and the weights after step {run.step:,}"),
    ]  # fmt: skip


def _state(material: Material) -> str:
    run = material.run
    epochs = f"{run.epochs:,} of {counted(run.experiment.epochs, 'epoch')}"
    steps = counted(run.step, "step")
    return f"{STATES.get(run.reason, run.reason)}, {epochs}, {steps}, {run.seconds:.3g} s of training"


def _score(material: Material) -> tuple[Span, ...]:
    return spans(metrics_in_words(material.scores.metrics, len(material.rows), material.run.record.weighted))
