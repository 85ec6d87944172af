"""Sets nudges on a page: a column a sample, their average, the proof, who agrees with whom, and the most telling."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from chainrule.document import (
    COUNT,
    Absolute,
    Block,
    Code,
    Column,
    Differential,
    Document,
    Labeled,
    Number,
    NumberStyle,
    Paragraph,
    Plain,
    Row,
    Span,
    Table,
    negative,
    partial,
    symbol,
)
from chainrule.errors.counts import counted, spelled, verb_of
from chainrule.explain.notation import LOSS
from chainrule.explain.nudges import BOUND, Floats, Nudges

MOST_SAMPLES: Final = 6  # columns that fit beside the names of weights; of more samples, the loudest
FEWER: Final = 4  # then so many, and one for all the others
EVEN: Final = 0.01  # of Σ|terms|: an average below it says that the wishes cancel
LITTLE: Final = 0.1  # of the loudest wish: below it a wish is little
NUDGE: Final = NumberStyle("significant", 3, signed=True, leading_zero=False)
THREE: Final = NumberStyle("significant", 3)
FOUR: Final = NumberStyle("significant", 4)
SIGNED: Final = NumberStyle("significant", 4, signed=True)
PERCENT: Final = NumberStyle("percent", 0)
COSINE: Final = NumberStyle("fixed", 2, signed=True)
MINUS_GRADIENT: Final = ("= ", negative(Differential(LOSS, "∇")))


def nudges_page(found: Nudges, extra: tuple[Block, ...] = ()) -> Document:
    """The page of some weights on a batch.

    Args:
        found: the nudges.
        extra: what else is told, before the evidence.
    """
    shown, rest = _shown(found)
    blocks: tuple[Block, ...] = (
        _table(found, shown, rest),
        *extra,
        *(_what_it_means(found, shown) if np.any(found.sizes > 0.0) else ()),
        Labeled("Checked", (Paragraph(_proof(found)),), name="proof"),
    )
    count = len(found.subject.rows)
    said = f"{found.subject.context} · {counted(count, 'sample')}"
    return Document("Nudges", blocks, context=said, name="nudges", data=_data(found))


def _what_it_means(found: Nudges, shown: list[int]) -> list[Block]:
    """What is worth saying where some sample asks for something."""
    return [*_sensitivity(found), *_together(found, shown), *_by_class(found), *_errors_first(found)]


def _shown(found: Nudges) -> tuple[list[int], list[int]]:
    """Which samples have a column: all of a few in their order, else the loudest."""
    count = len(found.subject.rows)
    if count <= MOST_SAMPLES:
        return list(range(count)), []
    sizes = found.sizes[:, None]
    loudness = np.sum(np.divide(np.abs(found.terms), sizes, out=np.zeros_like(found.terms), where=sizes > 0.0), axis=0)
    order = [int(place) for place in np.argsort(-loudness, kind="stable")]
    return order[:FEWER], sorted(order[FEWER:])


def _table(found: Nudges, shown: list[int], rest: list[int]) -> Table:
    """A row a weight; the others are averaged, so that shares times columns add up to the last one exactly."""
    subject, others = found.subject, f"other {len(rest):,}"
    columns = (
        Column("sample", "label", heading=True),
        *(Column(str(subject.rows[place]), subject.targets[place], style=NUDGE) for place in shown),
        *((Column(others, "their mean", style=NUDGE),) if rest else ()),
        Column("average", MINUS_GRADIENT, style=NUDGE),
    )
    means = _means(found, rest)
    rows = [
        Row(
            (
                name,
                *(Number(float(found.nudges[k, place])) for place in shown),
                *((Number(float(means[k])),) if rest else ()),
                Number(float(found.average[k])),
            ),
            _sentence(found, k),
        )
        for k, name in enumerate(found.names)
    ]
    if np.ptp(found.shares) > 0.0:
        whole = (Number(float(np.sum(found.shares[rest])), THREE),) if rest else ()
        weights = (Number(float(found.shares[place]), THREE) for place in shown)
        rows.insert(0, Row(("counts as", *weights, *whole, Number(1))))
    return Table(columns, tuple(rows), name="table")


def _means(found: Nudges, places: list[int]) -> Floats:
    """The mean nudge of some samples, each by its share, (k,)."""
    shares = found.shares[places]
    whole = float(np.sum(shares))
    if whole == 0.0:
        return np.zeros(len(found.weights))
    return np.sum(found.nudges[:, places] * shares, axis=1) / whole


# ---- what a row says ----


def _sentence(found: Nudges, k: int) -> str:
    """Who outvotes whom, from the numbers of one weight."""
    terms = found.terms[k]
    size, total = float(found.sizes[k]), float(found.average[k])
    if not math.isfinite(size):
        return "not all of these wishes are finite numbers"
    up, down = int(np.count_nonzero(terms > 0)), int(np.count_nonzero(terms < 0))
    if size == 0.0:
        return "no sample asks anything of this weight"
    none = len(terms) - up - down
    idle = f"; {spelled(none)} {verb_of(none, 'does', 'do')} not mind" if none else ""
    if not (up and down):
        return f"{_wants(up or down, 'larger' if up else 'smaller')}{idle}"
    if abs(total) < EVEN * size:
        return f"{_wants(up, 'larger')}, {_wants(down, 'smaller')}: they all but cancel{idle}"
    winners, losers = (up, down) if total > 0 else (down, up)
    winning, losing = ("larger", "smaller") if total > 0 else ("smaller", "larger")
    loud = int(np.argmax(np.abs(terms)))
    against = float(size - abs(total)) / 2
    if terms[loud] * total < 0:
        majority = _those(winners, winning)
        return f"{found.causes[k]}: it asks loudest, and is outvoted by {majority}{idle}"
    little = "a little " if float(np.max(-terms * np.sign(total))) < LITTLE * abs(terms[loud]) else ""
    others = _those(losers, f"{little}{losing}")
    if abs(terms[loud]) > against:
        alone = "alone outvotes" if winners > 1 else "outvotes"
        return f"{found.causes[k]}: it {alone} {others}{idle}"
    return f"{_those(winners, winning)} outvote {others}{idle}; loudest: {found.causes[k]}"


def _wants(count: int, what: str) -> str:
    return f"{spelled(count)} {verb_of(count, 'wants', 'want')} it {what}"


def _those(count: int, what: str) -> str:
    return f"the {spelled(count)} that {verb_of(count, 'wants', 'want')} it {what}"


# ---- importance ----


def _sensitivity(found: Nudges) -> list[Block]:
    """The weights by |∂L/∂w|, each with how many times more sensitive the loss is to it than to the least."""
    sizes, names = np.abs(found.gradients), found.names
    order = [k for k in _ranking(found) if sizes[k] > 0.0]
    if len(order) < 2:
        return []
    first, last = order[0], order[-1]
    spans: tuple[Span, ...] = (
        "the loss is ",
        Number(float(sizes[first] / sizes[last]), THREE),
        " times more sensitive to ",
        Code(names[first]),
        " than to ",
        Code(names[last]),
    )
    slope = Absolute(partial(LOSS, symbol("w")))
    columns = (Column("weight", heading=True), Column(slope, style=FOUR), Column("times", style=THREE))
    rows = tuple(Row((names[k], Number(float(sizes[k])), Number(float(sizes[k] / sizes[last])))) for k in order)
    table = (Table(columns, rows, name="ranking"),) if len(order) > 2 else ()
    return [Labeled("Importance", (*table, Paragraph(spans)), name="importance")]


def _ranking(found: Nudges) -> list[int]:
    """The weights, the one with the largest gradient first."""
    return [int(k) for k in np.argsort(-np.abs(found.gradients), kind="stable")]


# ---- who agrees with whom ----


def cosine(left: Floats, right: Floats) -> float | None:
    """How far two sets of wishes point the same way, −1 to 1; None where one is nothing or not finite."""
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(np.clip(np.dot(left, right) / size, -1.0, 1.0)) if 0.0 < size < math.inf else None


def _together(found: Nudges, shown: list[int]) -> list[Block]:
    """How many samples go with the average, and which two of those shown pull most against each other."""
    if len(found.subject.rows) < 2 or len(found.weights) < 2:
        return []
    agreeing = [cosine(column, found.average) for column in found.nudges.T]
    with_it = sum(each is not None and each > 0 for each in agreeing)
    against = sum(each is not None and each < 0 for each in agreeing)
    spans: list[Span] = [f"over these weights, {with_it} go with the average and {against} against it"]
    pairs = [(value, i, j) for i in shown for j in shown if i < j
             if (value := cosine(found.nudges[:, i], found.nudges[:, j])) is not None]  # fmt: skip
    if pairs and min(pairs)[0] < 0:
        value, i, j = min(pairs)
        rows, targets = found.subject.rows, found.subject.targets
        spans += [
            f"; sample {rows[i]} ({targets[i]}) and sample {rows[j]} ({targets[j]}) ",
            "pull most against each other, cosine ",
            Number(value, COSINE),
        ]
    return [Labeled("Samples", (Paragraph(tuple(spans)),), name="samples")]


class _Class(msgspec.Struct, frozen=True):
    """What the samples of a class want together.

    Attributes:
        name: of the class.
        samples: how many.
        along: cosine of their mean wish and the average of all; None where one of them is nothing.
        against: the class whose mean wish points most against theirs, with the cosine; None where none does.
    """

    name: str
    samples: int
    along: float | None
    against: tuple[float, str] | None


def _classes(found: Nudges) -> list[_Class]:
    """The classes of the batch, of at least two; none of targets that are numbers, or where each has one sample."""
    groups: dict[str, list[int]] = {}
    for place, target in enumerate(found.subject.targets):
        groups.setdefault(target, []).append(place)
    few = len(found.weights) < 2 or not 2 <= len(groups) < len(found.subject.rows)
    if few or not found.subject.targets_are_classes:
        return []
    means = {name: _means(found, places) for name, places in sorted(groups.items())}
    return [
        _Class(name, len(groups[name]), cosine(mean, found.average), _against(name, means))
        for name, mean in means.items()
    ]


def _against(name: str, means: Mapping[str, Floats]) -> tuple[float, str] | None:
    pairs = ((cosine(means[name], mean), other) for other, mean in means.items() if other != name)
    return min(((value, other) for value, other in pairs if value is not None and value < 0), default=None)


def _by_class(found: Nudges) -> list[Block]:
    """What the mean wish of each class has to do with the average, and which class it pulls most against."""
    rows: list[Row] = []
    for each in _classes(found):
        conflict = (None, None) if each.against is None else (each.against[1], Number(each.against[0]))
        along = None if each.along is None else Number(each.along)
        rows.append(Row((each.name, Number(each.samples), along, *conflict)))
    columns = (
        Column("label", heading=True),
        Column("samples", style=COUNT),
        Column("with the average", "cosine", style=COSINE),
        Column("most against"),
        Column(None, "cosine", style=COSINE),
    )
    return [Labeled("Classes", (Table(columns, tuple(rows), name="classes"),))] if rows else []


# ---- the slip, and the proof ----


def _errors_first(found: Nudges) -> list[Block]:
    """What averaging the errors before multiplying would have given instead."""
    weights = [k for k, (_, index) in enumerate(found.weights) if len(index) > 1]
    if not weights or len(found.subject.rows) < 2:
        return []
    delta, activation = symbol("δ"), symbol("a")
    columns = (
        Column("weight", heading=True),
        Column("average", MINUS_GRADIENT, style=SIGNED),
        Column("errors first", ("mean ", delta, " · mean ", activation), style=SIGNED),
        Column("off by", style=THREE),
    )
    rows = tuple(
        Row(
            (
                found.names[k],
                Number(float(found.average[k])),
                Number(float(found.errors_first[k])),
                Number(abs(float(found.errors_first[k] - found.average[k]))),
            )
        )
        for k in weights
    )
    return [
        Labeled("Not so", (Table(columns, rows, name="errors-first"), _missed(found, weights)), name="errors first")
    ]


def _missed(found: Nudges, weights: list[int]) -> Paragraph:
    """How far averaging the errors first misses, at worst."""
    wrong = sum(found.errors_first[k] * found.average[k] < 0 for k in weights)
    misses = [abs(found.errors_first[k] / found.average[k] - 1.0) for k in weights if found.average[k] != 0.0]
    around = f", and turns {wrong:,} of {len(weights):,} around" if wrong else ""
    at_worst: tuple[Span, ...] = (" by up to ", Number(float(max(misses)), PERCENT)) if misses else ()
    return Paragraph(("averaging the errors first misses", *at_worst, f"{around}; it is gradients that are averaged"))


def _proof(found: Nudges) -> tuple[Span, ...]:
    """That the average is the batch gradient with its sign turned, which was computed apart from it."""
    off, bound = np.abs(found.average + found.gradients), BOUND * found.sizes
    worst = int(np.argmax(off - bound))
    verdict = "agrees" if bool(np.all(off <= bound)) else "does not agree"
    return (
        "the gradient of the mean loss, computed apart, ",
        f"{verdict}: off by at most ",
        Number(float(np.max(off)), NumberStyle("significant", 1)),
        ", within ",
        Number(float(bound[worst]), NumberStyle("significant", 1)),
    )


def _data(found: Nudges) -> dict[str, Plain]:
    sizes = np.abs(found.gradients)
    least = float(np.min(sizes, where=sizes > 0.0, initial=math.inf))
    return {
        "samples": list(found.subject.rows),
        "labels": list(found.subject.targets),
        "shares": found.shares.tolist(),
        "weights": [
            {
                "weight": name,
                "nudges": found.nudges[k].tolist(),
                "average": float(found.average[k]),
                "gradient": float(found.gradients[k]),
                "times_the_least": float(sizes[k]) / least,
                "errors_first": float(found.errors_first[k]),
                "agreement": abs(float(found.average[k])) / float(found.sizes[k]) if found.sizes[k] > 0.0 else None,
                "sentence": _sentence(found, k),
                "cause": found.causes[k],
            }
            for k, name in enumerate(found.names)
        ],
        "ranking": [found.names[k] for k in _ranking(found)],
        "classes": [
            {
                "class": each.name,
                "samples": each.samples,
                "with_the_average": each.along,
                "most_against": None if each.against is None else each.against[1],
                "cosine": None if each.against is None else each.against[0],
            }
            for each in _classes(found)
        ],
    }
