"""Tells what the symbols of an opened weight are in the data: a column, its value there, a class, a target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chainrule.document import Formula, Labeled, Number, NumberStyle, Paragraph, Span, symbol
from chainrule.explain.opened import Opened
from chainrule.explain.page import Words
from chainrule.explain.subject import Origin
from chainrule.graph.node import Node

MOST_OUTPUTS: Final = 6  # named one by one
FOUR: Final = NumberStyle("significant", 4)

Told = tuple[Span, ...]


def origin_block(opened: Opened, words: Words, position: int | None) -> list[Labeled]:
    """What the input and the target are in the data, and which class an output is; nothing where that is no news.

    Args:
        opened: the weight.
        words: that its page is written in.
        position: of the one sample that is looked at; None for a batch.
    """
    origin = opened.subject.origin
    if origin is None:
        return []
    told = [*_input(opened, words, origin, position), *_outputs(opened, origin, position)]
    spans = [span for place, each in enumerate(told) for span in (*("; ",) * bool(place), *each)]
    return [Labeled("In the data", (Paragraph(tuple(spans)),), name="origin")] if spans else []


def _input(opened: Opened, words: Words, origin: Origin, position: int | None) -> Iterator[Told]:
    """The feature that the weight multiplies, where it multiplies one."""
    source = opened.route.source
    if source is not None and _unshaped(source) is _unshaped(opened.way.nodes["x"]):
        feature = opened.index[0]
        value = None if position is None else float(origin.x[position, feature])
        yield from _said(words.source_symbol(), origin.features[feature], value, origin.scaled)


def _unshaped(node: Node) -> Node:
    """What a value was before it was only laid out otherwise."""
    return _unshaped(node.inputs[0]) if node.primitive == "reshape" else node


def _outputs(opened: Opened, origin: Origin, position: int | None) -> Iterator[Told]:
    """Each target with its scaling, or the class of each output."""
    width = opened.subject.y_hat.tensor.shape[-1]
    if origin.y is not None:
        for k, name in enumerate(origin.outputs[:MOST_OUTPUTS]):
            value = None if position is None else float(origin.y[position, k])
            yield from _said(symbol("y", k), name, value, origin.scaled_y)
    elif origin.outputs != tuple(map(str, range(len(origin.outputs)))):
        if width == 1:
            yield (symbol("ŷ", 0), f" is the probability of {origin.outputs[-1]}")
            return
        shown = origin.outputs[:MOST_OUTPUTS]
        said = [f"output {k} is {name}" if k == 0 else f"{k} {name}" for k, name in enumerate(shown)]
        more = len(origin.outputs) - len(shown)
        yield (", ".join(said) + (f", and {more:,} more" if more else ""),)


def _said(written: Formula, name: str, value: float | None, scaled: str) -> Iterator[Told]:
    """x₂ is age, 38 before it was standardized; a name that only counts is left out, and where that is all, all is."""
    is_index = name.partition("[")[0] in ("x", "y")
    if is_index and not scaled:
        return
    named = "" if is_index else f" is {name}"
    if value is None:
        rest: Told = (f"{' is' if is_index else ','} {scaled}",) if scaled else ()
    else:
        before = f" before it was {scaled}" if scaled else ""
        rest = (" was " if is_index else ", ", Number(value, FOUR), before)
    yield tuple(span for span in (written, named, *rest) if span)
