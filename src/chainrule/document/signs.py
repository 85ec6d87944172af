"""The signs of a page that not everybody reads: each that its formulas use is told, once, before the first of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from chainrule.document.content import Span
from chainrule.document.formula import Call, Indexed, Number, Power, Product, negative, symbol
from chainrule.document.tree import Block, Document, Labeled, Paragraph

NAME: Final = "signs"  # of the line
A, B, C, X = symbol("A"), symbol("B"), symbol("c"), symbol("x")
ERF: Final = symbol("erf")


class Sign(msgspec.Struct, frozen=True):
    """A sign: how a part of a formula is known to be one, and what it means."""

    is_one: Callable[[object], bool]
    meaning: tuple[Span, ...]


SIGNS: Final = (
    Sign(
        lambda part: isinstance(part, Product) and part.joint == "elementwise",
        (Product((A, B), "elementwise"), ": product element by element"),
    ),
    Sign(
        lambda part: isinstance(part, Call) and part.function == ERF,
        (
            Call(ERF, (X,)),
            ": 2/√π times the area under ",
            Power(symbol("e"), negative(Power(symbol("t"), Number(2)))),
            " from 0 to ",
            X,
        ),
    ),
    Sign(
        lambda part: isinstance(part, Indexed) and part.base == Number(1),
        (Indexed(Number(1), (C,)), ": 1 if ", C, " holds, else 0"),
    ),
)


def with_signs(document: Document) -> Document:
    """The document with a line on the signs it uses, before the block that uses one first; itself where none does."""
    found = [_used(block) for block in document.blocks]
    used = [sign for sign in SIGNS if any(sign in each for each in found)]
    if not used or any(isinstance(block, Labeled) and block.name == NAME for block in document.blocks):
        return document
    spans: list[Span] = []
    for sign in used:
        spans += ["; " if spans else "", *sign.meaning]
    line = Labeled("Signs", (Paragraph(tuple(spans)),), name=NAME)
    first = next(place for place, each in enumerate(found) if each)
    return msgspec.structs.replace(document, blocks=(*document.blocks[:first], line, *document.blocks[first:]))


def _used(block: Block) -> list[Sign]:
    parts = list(_parts(block))
    return [sign for sign in SIGNS if any(sign.is_one(part) for part in parts)]


def _parts(part: object) -> Iterator[object]:
    """Everything that a part of a document is made of, down to the last symbol."""
    if isinstance(part, tuple):
        for each in part:  # pyright: ignore[reportUnknownVariableType] - of any kind
            yield from _parts(each)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(part, msgspec.Struct):
        yield part
        for name in part.__struct_fields__:
            yield from _parts(getattr(part, name))
