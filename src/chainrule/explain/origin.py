"""Tells what the inputs and outputs on a page are in the data: columns, their values there, classes, targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from chainrule.document import Code, Labeled, Number, NumberStyle, Paragraph, Span, symbol
from chainrule.explain.book import Book
from chainrule.explain.chain import Way, route_of
from chainrule.explain.notation import at
from chainrule.explain.scope import Weight
from chainrule.explain.subject import Origin, Subject
from chainrule.graph.node import Node

MOST: Final = 6  # inputs, targets or classes that are named one by one
SHORT: Final = 24  # characters of a name that stays on one line
FOUR: Final = NumberStyle("significant", 4)

Told: TypeAlias = tuple[Span, ...]


class _Column(msgspec.Struct, frozen=True):
    """A column of the data: how the page writes what it becomes, its name, and its value in the one sample."""

    written: Span
    name: str
    value: float | None

    @property
    def is_index(self) -> bool:
        """Whether its name only counts, and says nothing that the symbol does not say."""
        return self.name.partition("[")[0] in ("x", "y")

    @property
    def said(self) -> Span:
        """Its name, whole where there is room."""
        return Code(self.name) if len(self.name) <= SHORT else self.name


def origin_block(
    subject: Subject, way: Way, weights: Iterable[Weight], *, book: Book | None = None, position: int | None = None
) -> list[Labeled]:
    """What inputs and targets are in the data, and which class an output is; nothing where that is no news.

    Args:
        subject: a loss on a batch.
        way: of the subject.
        weights: that the page names; those that multiply an input are told which.
        book: whose symbols the page writes; None where it names inputs by their numbers.
        position: of the one sample that is looked at; None for a batch.
    """
    origin = subject.origin
    if origin is None:
        return []
    inputs = list(_inputs(subject, way, weights, origin, book, position))
    told = [*_columns(inputs, origin.scaled), *_outputs(subject, origin, position)]
    spans = [span for place, each in enumerate(told) for span in (*("; ",) * bool(place), *each)]
    return [Labeled("In the data", (Paragraph(tuple(spans)),), name="origin")] if spans else []


def multiplied_inputs(subject: Subject, way: Way, parameter: str) -> Node | None:
    """What a parameter multiplies, where that is the samples' own numbers, if only laid out otherwise."""
    source = route_of(subject, way, parameter).source
    return source if source is not None and _unshaped(source) is _unshaped(way.nodes["x"]) else None


def _unshaped(node: Node) -> Node:
    """What a value was before it was only laid out otherwise."""
    return _unshaped(node.inputs[0]) if node.primitive == "reshape" else node


def _inputs(
    subject: Subject, way: Way, weights: Iterable[Weight], origin: Origin, book: Book | None, position: int | None
) -> Iterator[_Column]:
    """The features that the weights multiply, each once and in order."""
    sources = {name: multiplied_inputs(subject, way, name) for name in {name: None for name, _ in weights}}
    meant = {index[0]: source for name, index in weights if (source := sources[name]) is not None}
    for place, source in sorted(meant.items(), key=lambda each: each[0]):
        value = None if position is None else float(origin.x[position, place])
        yield _Column(_written(subject, way, source, place, book), origin.features[place], value)


def _written(subject: Subject, way: Way, source: Node, place: int, book: Book | None) -> Span:
    """An input as the page writes it: x₂₈, or by its number."""
    if book is None:
        return f"input {place}"
    named = next((each for name, each in subject.values.items() if way.nodes[name] is source), subject.x)
    return book.notation.name(named, at(None, place))


def _outputs(subject: Subject, origin: Origin, position: int | None) -> Iterator[Told]:
    """Each target with its scaling, or the class of each output."""
    if origin.y is not None:
        values = [None if position is None else float(each) for each in origin.y[position or 0]]
        named = enumerate(zip(origin.outputs, values, strict=True))
        yield from _columns([_Column(symbol("y", k), name, value) for k, (name, value) in named], origin.scaled_y)
    elif origin.outputs != tuple(map(str, range(len(origin.outputs)))):
        if subject.y_hat.tensor.shape[-1] == 1:
            yield (symbol("ŷ", 0), f" is the probability of {origin.outputs[-1]}")
            return
        said = [f"output {k} is {name}" if k == 0 else f"{k} {name}" for k, name in enumerate(origin.outputs[:MOST])]
        yield (", ".join(said) + _and_more(origin.outputs),)


def _columns(columns: list[_Column], scaled: str) -> Iterator[Told]:
    """x₂ is age, 38 before it was standardized; what is left out of the first is meant of the others too."""
    shown = [each for each in columns if scaled or not each.is_index][:MOST]
    if not shown:
        return
    if len(shown) > 1 and shown[0].value is None:
        yield _all(shown, scaled, _and_more(columns))
        return
    for place, each in enumerate(shown):
        more = _and_more(columns) if each is shown[-1] else ""
        yield tuple(span for span in (*_one(each, scaled, is_first=place == 0), more) if span)


def _one(column: _Column, scaled: str, *, is_first: bool) -> Told:
    """A column: x₁ is salary, 35000 before it was standardized; x₁ was 0.25 before it was scaled to 0…1."""
    verb = " is" if column.value is None or not column.is_index else " was"
    named: Told = () if column.is_index else (" ", column.said)
    head: Told = (column.written, verb if is_first else "", *named)
    if column.value is None:
        return (*head, ("" if column.is_index else ",") + f" {scaled}") if scaled else head
    before = f" before it was {scaled}" if scaled and is_first else ""
    return (*head, " " if column.is_index else ", ", Number(column.value, FOUR), before)


def _all(columns: list[_Column], scaled: str, more: str) -> Told:
    """Columns of a batch: x₀ is age, x₁ salary, each standardized; where names only count, x₀, x₁ are standardized."""
    is_index = all(each.is_index for each in columns)
    listed: list[Span] = []
    for place, each in enumerate(columns):
        listed += [", " if place else "", each.written]
        listed += [] if is_index else [" " if place else " is ", each.said]
    rest = f"{more} are {scaled}" if is_index else f"{more}, each {scaled}" if scaled else more
    return tuple(span for span in (*listed, rest) if span)


def _and_more(every: list[_Column] | tuple[str, ...]) -> str:
    """What is said of those that are not named."""
    return f", and {len(every) - MOST:,} more" if len(every) > MOST else ""
