"""Sets an opened weight on a page: the question, the formulas, the numbers in their order, the evidence, a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.document import (
    Block,
    Code,
    Column,
    Content,
    Document,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Span,
    Summary,
    Table,
    equals,
    number,
    partial,
    symbol,
)
from chainrule.explain import page
from chainrule.explain.notation import LOSS
from chainrule.explain.opened import Opened
from chainrule.explain.reading import Alive, alive_elsewhere, alive_weights, read_batch, read_sample, zero_factor
from chainrule.explain.witness import Witness

MOST_ROWS = 8  # of a table of paths or samples; the rest is summed up in one line
SIX = NumberStyle("significant", 6)
SIGNED = NumberStyle("significant", 6, signed=True)


def explain_sample(opened: Opened, position: int = 0) -> Document:
    """Why one sample wants this weight to change: every factor of ∂ℓ/∂w, and every path it is summed over.

    Args:
        opened: the weight, on a batch of this one sample.
        position: of the sample in the batch.
    """
    words = page.Words(opened)
    blocks: tuple[Block, ...] = (
        words.network(),
        words.loss(position),
        words.chain(),
        *words.paths(position),
        *words.way_back(position),
        words.one_line(position),
        *_dead(opened, position),
        *words.update(float(opened.gradient)),
        *_evidence(opened),
        *_reading(opened, position),
    )
    row, target = opened.subject.rows[position], opened.subject.targets[position]
    return Document(
        opened.name,
        blocks,
        subtitle=words.place,
        context=f"{opened.subject.context} · sample {row} ({target})",
        name="explanation",
        data=_sample_data(opened, position),
    )


def explain_batch(opened: Opened) -> Document:
    """Why a batch wants this weight to change: each sample's contribution, and their sum, the batch gradient."""
    words = page.Words(opened)
    blocks: tuple[Block, ...] = (
        words.network(),
        Labeled("The loss", page.shown(words.mean_loss(), value=equals(LOSS, number(float(opened.values["loss"]), 9)))),
        Labeled("The chain", page.shown(words.batch_chain())),
        _samples(opened, words),
        *_dead(opened, None),
        *words.update(float(opened.gradient)),
        *_evidence(opened),
        *([] if opened.gradient == 0.0 else [Labeled("Read on", (Paragraph(read_batch(opened)),))]),
    )
    return Document(
        opened.name,
        blocks,
        subtitle=words.place,
        context=f"{opened.subject.context} · {opened.samples} samples",
        name="explanation",
        data=_batch_data(opened),
    )


# ---- the samples of a batch ----


def _samples(opened: Opened, words: page.Words) -> Table:
    """A row a sample, the loudest first; what is left out is summed, and the total is the gradient."""
    terms = opened.contributions
    order = [int(i) for i in np.argsort(-np.abs(terms), kind="stable")]
    shown, rest = order[:MOST_ROWS], order[MOST_ROWS:]
    columns = (
        Column("sample", heading=True),
        Column("target"),
        Column(words.delta_symbol(), style=SIGNED),
        *(() if opened.is_bias else (Column(words.source_symbol(), style=SIX),)),
        Column("contribution", style=SIGNED),
    )
    blank = (None,) * (len(columns) - 1)
    rows = tuple(Row(_sample_row(opened, p)) for p in shown)
    left_out = float(np.sum(terms[rest])) if rest else 0.0
    return Table(
        columns,
        rows,
        remainder=Summary(f"and {len(rest)} more, together", (*blank, Number(left_out, SIGNED))) if rest else None,
        total=Summary(("sum = ", partial(LOSS, words.weight)), (*blank, Number(opened.gradient, SIGNED))),
        name="samples",
        data={"terms": [float(t) for t in terms], "sum": opened.gradient},
    )


def _sample_row(opened: Opened, p: int) -> tuple[Content | None, ...]:
    subject = opened.subject
    source = () if opened.is_bias else (Number(opened.source(p)),)
    return (
        str(subject.rows[p]),
        subject.targets[p],
        Number(opened.delta(p)),
        *source,
        Number(float(opened.contributions[p])),
    )


# ---- dead ends, evidence, reading ----


def _dead(opened: Opened, position: int | None) -> list[Block]:
    """Where the gradient is exactly 0: which factor is 0, and weights that are alive."""
    gradient = opened.gradient if position is None else float(opened.per_sample[position])
    if gradient != 0.0:
        return []
    reason = zero_factor(opened, position) if position is not None else _dead_batch(opened)
    blocks: list[Block] = [Labeled("Why 0", (Paragraph(_sentence(reason)),), name="zero")]
    alive = alive_weights(opened) or alive_elsewhere(opened)
    if alive:
        blocks.append(Labeled("Alive", (Paragraph(_list_alive(alive)),), name="alive", data=_alive_data(alive)))
    return blocks


def _dead_batch(opened: Opened) -> Content:
    reasons = [zero_factor(opened, p) for p in range(opened.samples)]
    if all(reason is not None for reason in reasons):
        first = reasons[0]
        return (
            "every sample's contribution is exactly 0; of the first, ",
            *(first if isinstance(first, tuple) else ()),
        )
    return "the samples' contributions are not 0, but add up to exactly 0"


def _sentence(content: Content | None) -> Content:
    spans = content if isinstance(content, tuple) else (content or "",)
    first, *rest = spans
    begun = first[0].upper() + first[1:] if isinstance(first, str) and first else first
    return (begun, *rest, ".")


def _list_alive(alive: Sequence[Alive]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for position, each in enumerate(alive):
        spans += ["; " if position else "", Code(each.name), " gets ", Number(each.gradient, NumberStyle(digits=3))]
    return tuple(spans)


def _alive_data(alive: Sequence[Alive]) -> dict[str, Plain]:
    return {"alive": [{"weight": each.name, "gradient": each.gradient} for each in alive]}


def _evidence(opened: Opened) -> list[Block]:
    rows = tuple(_witness_row(witness) for witness in opened.witnesses)
    headers = ("by", symbol("h"), partial(LOSS, page.Words(opened).weight), "off by", "bound", None)
    checked = Table(tuple(Column(header, heading=header == "by") for header in headers), rows, name="witnesses")
    blocks: list[Block] = [Labeled("Checked", (checked,))]
    trained = opened.subject.trained.get(opened.parameter)
    if trained is not None:
        value = float(trained[opened.index])
        off = abs(value - opened.gradient)
        blocks.append(
            Labeled(
                f"In {trained.dtype}",
                (Paragraph(("training computes ", Number(value, SIX), ", off by ", number(off, 1), " from float64")),),
                name="trained",
                data={"gradient": value, "dtype": str(trained.dtype)},
            )
        )
    return blocks


def _witness_row(witness: Witness) -> Row:
    step = number(witness.step, 1, "scientific") if witness.step else ""
    value, off, bound = number(witness.value, 9), number(witness.difference, 1), number(witness.bound, 1)
    if witness.kink:
        return Row((witness.method, step, value, off, "", "a kink is too near"))
    return Row((witness.method, step, value, off, bound, "agrees" if witness.agrees else "DISAGREES"))


def _reading(opened: Opened, position: int) -> list[Block]:
    facts = page.Words(opened).facts()
    blocks: list[Block] = [Labeled("Facts used", (Paragraph(facts),), name="facts")]
    if float(opened.per_sample[position]) != 0.0:
        blocks.append(Labeled("Read on", (Paragraph(read_sample(opened, position)),), name="reading"))
    return blocks


# ---- the same for programs ----


def _witness_data(opened: Opened) -> list[Plain]:
    return [
        {
            "method": w.method,
            "step": w.step,
            "value": w.value,
            "bound": w.bound,
            "difference": w.difference,
            "agrees": w.agrees,
            "kink": w.kink,
        }
        for w in opened.witnesses
    ]


def _sample_data(opened: Opened, position: int) -> dict[str, Plain]:
    """The chain as numbers: `terms` are the paths carried through to the weight, and add up to `gradient`."""
    slopes = opened.slopes(position)
    rest = opened.source(position) * float(np.prod([each.value for each in slopes]))
    paths = opened.paths(position)
    terms = [path.value * rest for path in paths] or [float(opened.per_sample[position])]
    factors: list[Plain] = [{"name": each.name, "value": each.value} for each in slopes]
    return {
        "weight": opened.name,
        "sample": opened.subject.rows[position],
        "gradient": float(opened.per_sample[position]),
        "loss": float(opened.values["losses"][position]),
        "terms": terms,
        "paths": [
            {"through": p.reader.z if p.reader else "y_hat", "unit": p.k, "factors": list(p.factors), "value": p.value}
            for p in paths
        ],
        "adjoint": {"name": opened.route.top, "value": opened.adjoint_of_top(position)},
        "slopes": factors,
        "delta": {"name": opened.route.z, "value": opened.delta(position)},
        "input": opened.source(position),
        "witnesses": _witness_data(opened),
    }


def _batch_data(opened: Opened) -> dict[str, Plain]:
    positions = range(opened.samples)
    return {
        "weight": opened.name,
        "samples": list(opened.subject.rows),
        "gradient": opened.gradient,
        "loss": float(opened.values["loss"]),
        "terms": [float(t) for t in opened.contributions],
        "per_sample": [float(t) for t in opened.per_sample],
        "deltas": [opened.delta(p) for p in positions],
        "inputs": [opened.source(p) for p in positions],
        "witnesses": _witness_data(opened),
    }
