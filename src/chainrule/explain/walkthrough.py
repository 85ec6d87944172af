"""Sets an opened weight on a page: the question, the formulas, the numbers in their order, the evidence, a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.document import (
    Block,
    Cell,
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
    partial,
)
from chainrule.document.signs import with_signs
from chainrule.errors.counts import counted
from chainrule.explain.evidence import checked_blocks, witness_data
from chainrule.explain.narrow import narrow_data, narrow_weight, weight_block
from chainrule.explain.notation import LOSS, SAMPLE_LOSS, at, subscripted
from chainrule.explain.opened import Opened
from chainrule.explain.origin import origin_block
from chainrule.explain.page import Words
from chainrule.explain.paths import chosen, path_table, remainder, steps_table, way_back
from chainrule.explain.reading import Alive, alive_elsewhere, alive_weights, read_batch, read_sample, zero_factor
from chainrule.explain.steps import chain_steps
from chainrule.explain.update import Update, update_block, update_data, update_of

ALONE = ", alone"  # were this sample the whole batch
SIX = NumberStyle("significant", 6)
SIGNED = NumberStyle("significant", 6, signed=True)


def explain_sample(opened: Opened, position: int = 0) -> Document:
    """Why one sample wants this weight to change: every factor of ∂ℓ/∂w, and every path it is summed over.

    Args:
        opened: the weight, on a batch of this one sample.
        position: of the sample in the batch.
    """
    words, update = Words(opened), update_of(opened)
    blocks: tuple[Block, ...] = (
        words.book.network(),
        words.book.loss(float(opened.values["losses"][position])),
        *_origin(opened, words, position),
        words.chain(position),
        *path_table(opened, words, position),
        steps_table(opened, words, position),
        *way_back(opened, words, position),
        words.one_line(position),
        *chain_steps(opened, words),
        *_dead(opened, position),
        update_block(update, words.weight, opened.parameter, ALONE),
        *_evidence(opened, words),
        _facts(words),
        *_reading(() if opened.per_sample[position] == 0.0 else read_sample(opened, position, update)),
    )
    return with_signs(
        Document(
            opened.name,
            blocks,
            subtitle=words.place,
            context=f"{opened.subject.context} · {opened.subject.sample_in_words(position)}",
            name="explanation",
            data={**_sample_data(opened, position), **_shared_data(opened, update)},
        )
    )


def explain_batch(opened: Opened) -> Document:
    """Why a batch wants this weight to change: each sample's contribution, and their sum, the batch gradient."""
    words, update = Words(opened), update_of(opened)
    blocks: tuple[Block, ...] = (
        words.book.network(),
        words.book.mean_loss(float(opened.values["loss"])),
        *_origin(opened, words, None),
        words.batch_chain(),
        _samples(opened, words),
        *chain_steps(opened, words),
        *_dead(opened, None),
        update_block(update, words.weight, opened.parameter),
        *_evidence(opened, words),
        _facts(words),
        *_reading(read_batch(opened, update)),
    )
    return with_signs(
        Document(
            opened.name,
            blocks,
            subtitle=words.place,
            context=f"{opened.subject.context} · {counted(opened.samples, 'sample')}",
            name="explanation",
            data={**_batch_data(opened), **_shared_data(opened, update)},
        )
    )


def _origin(opened: Opened, words: Words, position: int | None) -> list[Labeled]:
    """What the input, the target and the outputs are in the data."""
    weight = opened.parameter, opened.index
    return origin_block(opened.subject, opened.way, [weight], book=words.book, position=position)


# ---- the samples of a batch ----


def _samples(opened: Opened, words: Words) -> Table:
    """A row a sample, the loudest first; what is left out is summed, and the total is the gradient."""
    terms = [float(term) for term in opened.contributions]
    shown, rest = chosen(terms)
    share = partial(LOSS, subscripted(SAMPLE_LOSS, at("n")))
    columns = (
        Column("sample", heading=True),
        Column("target"),
        *((Column(share, style=SIX),) if _weighted(opened) else ()),
        Column(words.delta_symbol(), style=SIGNED),
        *(() if opened.is_bias else (Column(words.source_symbol(), style=SIX),)),
        Column("contribution", style=SIGNED),
    )
    blank = (None,) * (len(columns) - 1)
    return Table(
        columns,
        tuple(Row(_sample_row(opened, place)) for place in shown),
        remainder=remainder([terms[place] for place in rest], len(columns)),
        total=Summary(("sum = ", partial(LOSS, words.weight)), (*blank, Number(opened.gradient, SIGNED))),
        name="samples",
        data={"terms": terms, "sum": opened.gradient},
    )


def _weighted(opened: Opened) -> bool:
    """Whether some samples count more than others."""
    return bool(np.ptp(opened.shares) > 0.0)


def _sample_row(opened: Opened, place: int) -> tuple[Cell, ...]:
    subject = opened.subject
    return (
        str(subject.rows[place]),
        subject.targets[place],
        *((Number(float(opened.shares[place])),) if _weighted(opened) else ()),
        Number(opened.delta(place)),
        *(() if opened.is_bias else (Number(opened.source(place)),)),
        Number(float(opened.contributions[place])),
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


def _evidence(opened: Opened, words: Words) -> list[Block]:
    narrow = narrow_weight(opened.subject, (opened.parameter, opened.index))
    return [*checked_blocks(opened.witnesses, partial(LOSS, words.weight)), *weight_block(narrow, opened.gradient)]


def _facts(words: Words) -> Labeled:
    return Labeled("Facts used", (Paragraph(words.facts()),), name="facts")


def _reading(sentences: tuple[Span, ...]) -> list[Block]:
    return [Labeled("Read on", (Paragraph(sentences),), name="reading")] if sentences else []


# ---- the same for programs ----


def _sample_data(opened: Opened, position: int) -> dict[str, Plain]:
    """The chain as numbers: `terms` are the paths carried through to the weight, and add up to `gradient`."""
    steps = list(reversed(opened.steps(position)))
    slopes = [opened.slope(step, position) for step in steps]
    rest = opened.source(position) * float(np.prod(slopes))
    paths, start = opened.paths(position), opened.start(position)
    terms = [path.value * rest for path in paths] or [start.value * rest]
    factors: list[Plain] = [
        {"of": step.upper, "by": step.lower, "value": slope} for step, slope in zip(steps, slopes, strict=True)
    ]
    return {
        "weight": opened.name,
        "sample": opened.subject.rows[position],
        "gradient": float(opened.per_sample[position]),
        "loss": float(opened.values["losses"][position]),
        "terms": terms,
        "paths": [
            {
                "through": p.reader.z if p.reader else opened.route.beyond,
                "unit": p.k,
                "factors": list(p.factors),
                "value": p.value,
            }
            for p in paths
        ],
        "adjoint": {"name": start.name, "value": start.value},
        "slopes": factors,
        "delta": {"name": opened.route.z, "value": opened.delta(position)},
        "input": opened.source(position),
        "witnesses": witness_data(opened.witnesses),
    }


def _shared_data(opened: Opened, update: Update | None) -> dict[str, Plain]:
    """When, of whom, what the update makes of it, and what training computes itself."""
    subject = opened.subject
    narrow = narrow_weight(subject, (opened.parameter, opened.index))
    alive = (alive_weights(opened) or alive_elsewhere(opened)) if opened.gradient == 0.0 else []
    return {
        "moment": subject.context,
        "rows": list(subject.rows),
        "targets": list(subject.targets),
        "parts": list(subject.parts),
        "update": None if update is None else update_data(update),
        "facts": sorted({str(fact) for fact, _ in opened.last_delta.facts}),
        "trained": narrow_data(narrow),
        **_alive_data(alive),
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
        "witnesses": witness_data(opened.witnesses),
    }
