"""The section on single samples: the largest losses, the surest mistakes, the most typical of each class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from chainrule.document import (
    Block,
    Cell,
    Code,
    Column,
    Heading,
    Number,
    NumberStyle,
    Paragraph,
    Picture,
    Pictures,
    Row,
    Strong,
    Table,
    format_number,
)
from chainrule.report.material import Material, source
from chainrule.runs.suggest import sureness

MOST: Final = 10  # samples of a kind; five stand side by side
MOST_FEATURES: Final = 4  # beside a sample that is no picture: those that the first layer weighs most
FOUR: Final = NumberStyle("significant", 4)
TWO: Final = NumberStyle("significant", 2)

Places = npt.NDArray[np.int64]


def telling(material: Material) -> list[Block]:
    """Samples that say most about the network, drawn where they are images."""
    blocks: list[Block] = [Heading("Telling samples")]
    for title, name, places, sentence in _kinds(material):
        if len(places):
            blocks += _shown(material, title, name, places, sentence)
    where = f"what the network after step {material.run.step:,} says of the {material.part}, and its loss there"
    numbered = ("A row is one of the data set, counted from 0; ", Code("chainrule explain"), " takes it as a sample.")
    return [*blocks, Paragraph((*numbered, *_beside(material))), source(where)]


def _kinds(material: Material) -> Iterator[tuple[str, str, Places, str]]:
    """What is looked at: a title, a name, the places among the rows, and a sentence."""
    order = np.argsort(-material.losses, kind="stable")
    if not material.is_classification:
        yield "Furthest off", "furthest-off", order[:MOST], _loss_sentence(material, order)
        if len(order) > MOST:
            yield "Closest", "closest", order[::-1][:MOST], "The rows that are predicted best."
        return
    wrong = material.said != material.target
    yield "Largest loss", "largest-loss", order[:MOST], _loss_sentence(material, order)
    sure = np.array(
        [place for place in np.argsort(-sureness(material.y_hat, material.said), kind="stable") if wrong[place]],
        np.int64,
    )
    if {*sure[:MOST].tolist()} != {*order[:MOST].tolist()}:
        yield "Surest mistakes", "surest-mistakes", sure[:MOST], _sure_sentence(len(sure))
    yield "Most typical", "most-typical", _typical(material), "Of each class the row with the smallest loss."


def _typical(material: Material) -> Places:
    """Of each class the place of the smallest loss among what was called right; the first ten classes."""
    found: list[int] = []
    for label in range(len(material.run.record.class_names)):
        right = np.flatnonzero((material.target == label) & (material.said == label))
        if len(right):
            found.append(int(right[material.losses[right].argmin()]))
    return np.array(found[:MOST], dtype=np.int64)


def _loss_sentence(material: Material, order: Places) -> str:
    """How much of the whole loss these few rows make."""
    total = float(material.losses.sum())
    few = order[:MOST]
    if total <= 0 or len(few) == len(order):
        return "All rows, the largest loss first."
    share = float(material.losses[few].sum()) / total
    return f"These {len(few)} of {len(order):,} rows make {share:.0%} of the whole loss."


def _sure_sentence(wrong: int) -> str:
    of = "the only mistake" if wrong == 1 else f"{'all' if wrong <= MOST else 'the surest'} of {wrong:,} mistakes"
    return f"The network was wrong and sure of it, the surest first: {of}."


# ---- how they are shown ----


def _shown(material: Material, title: str, name: str, places: Places, sentence: str) -> list[Block]:
    if material.run.record.image_shape is not None:
        return [_pictures(material, title, name, places, sentence)]
    return [Paragraph((Strong(title), f". {sentence}")), _table(material, name, places)]


def _pictures(material: Material, title: str, name: str, places: Places, sentence: str) -> Pictures:
    shades = _shades(material, material.rows[places])
    pictures = tuple(
        Picture(shade, (Number(int(material.rows[place])), _called(material, int(place)), _loss(material, int(place))))
        for shade, place in zip(shades, places, strict=True)
    )
    said = "class → said" if material.is_classification else "true → said"
    return Pictures(pictures, ("row", said, "ℓ"), sentence, title=title, name=name)


def _shades(material: Material, rows: Places) -> list[tuple[tuple[float, ...], ...]]:
    """Images as gray, 0 the smallest value that a pixel can have and 1 the largest; colors are averaged."""
    record, dataset = material.run.record, material.run.dataset
    assert record.image_shape is not None
    images = dataset.x[rows].reshape(len(rows), *record.image_shape).astype(np.float64)
    gray = images.mean(axis=3) if images.ndim == 4 else images
    low, high = record.value_range or (float(gray.min()), float(gray.max()))
    scaled = (gray - low) / (high - low) if high > low else np.zeros_like(gray)
    return [tuple(tuple(line) for line in image.tolist()) for image in scaled]


def _table(material: Material, name: str, places: Places) -> Table:
    record, dataset = material.run.record, material.run.dataset
    features = _loudest_features(material)
    flat = dataset.x.reshape(dataset.row_count, -1)
    columns = (
        Column("row", heading=True),
        Column("class" if material.is_classification else "true", style=FOUR),
        Column("said", style=FOUR),
        Column("loss", style=FOUR),
        *(Column(record.feature_names[feature], style=FOUR) for feature in features),
    )
    rows = tuple(
        Row(
            (
                str(material.rows[place]),
                *(_cell(material, values, int(place)) for values in (material.target, material.said)),
                Number(float(material.losses[place])),
                *(Number(float(flat[material.rows[place], feature])) for feature in features),
            )
        )
        for place in places
    )
    return Table(columns, rows, name=name)


def _beside(material: Material) -> tuple[str, ...]:
    """Which features stand beside a row, where not all do."""
    count = len(material.run.record.feature_names)
    if material.run.record.image_shape is not None or count <= MOST_FEATURES:
        return ()
    return (f" Beside it stand the {MOST_FEATURES} of {count:,} features with the largest weights in the first layer.",)


def _loudest_features(material: Material) -> list[int]:
    """The features with the largest weights in the first layer, in their own order; else the first ones."""
    count = len(material.run.record.feature_names)
    if count <= MOST_FEATURES:
        return list(range(count))
    first = next(iter(material.run.weights.values()))
    if first.ndim != 2 or len(first) != count:
        return list(range(MOST_FEATURES))
    size = np.linalg.norm(first.astype(np.float64), axis=1)
    return sorted(int(feature) for feature in np.argsort(-size, kind="stable")[:MOST_FEATURES])


def _called(material: Material, place: int) -> str:
    return f"{_value(material, material.target, place)} → {_value(material, material.said, place)}"


def _cell(material: Material, values: npt.NDArray[np.generic], place: int) -> Cell:
    """A class by its name; a number that can stand under others; several, separated by commas."""
    lone = not material.is_classification and np.size(values[place]) == 1
    return Number(float(np.ravel(values[place])[0])) if lone else _value(material, values, place)


def _value(material: Material, values: npt.NDArray[np.generic], place: int) -> str:
    """A class by its name, or numbers in their own units."""
    if material.is_classification:
        return material.run.record.class_names[int(values[place])]
    return ", ".join(format_number(float(value), FOUR, minus="−") for value in np.atleast_1d(values[place]))


def _loss(material: Material, place: int) -> Number:
    return Number(float(material.losses[place]), TWO)
