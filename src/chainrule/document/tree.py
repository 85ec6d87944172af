"""What a document is: blocks in reading order, each with an optional stable name and machine-readable data.

A block says what it is, never how it looks. `data` holds plain JSON values (the terms of a sum, a gradient, a bound)
so that a program reading the document needs no text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from chainrule.document.content import Content, Named, spans
from chainrule.document.drawn import Diagram, Figure, Heatmap, Landscape, Pictures
from chainrule.document.formula import Formula
from chainrule.document.table import Table
from chainrule.errors import UnknownNameError, ValueRangeError

NoteKind = Literal["info", "warning", "evidence"]
Tone = Literal["plain", "evidence", "warning"]

WARNING_MARK = "× "


class Heading(Named, frozen=True):
    """A title inside the document; level 1 is the highest."""

    text: Content
    level: int = 1

    def __post_init__(self) -> None:
        if self.level < 1:
            raise ValueRangeError(f"a heading got level {self.level}: give 1 for the highest, 2 below it, and so on")


class Paragraph(Named, frozen=True):
    """Running text with formulas and numbers in it."""

    content: Content


class Equation(msgspec.Struct, frozen=True):
    """One displayed formula, with a label at its left and a remark or value at the right margin."""

    formula: Formula
    label: Content = ""
    value: Content = ""


class Equations(Named, frozen=True):
    """Displayed formulas under one another, aligned on their first relation.

    Args:
        inline: set in one line each (a/b), as inside running text, rather than with stacked fractions.
    """

    lines: tuple[Equation, ...]
    inline: bool = False


class Labeled(Named, frozen=True):
    """A label in the left column, what it names beside it; its tone has a color, and of a warning a mark too."""

    label: Content
    blocks: tuple[Block, ...]
    tone: Tone = "plain"

    @property
    def marked(self) -> Content:
        """The label as it is shown: that of a warning with a mark, which needs no color."""
        return (WARNING_MARK, *spans(self.label)) if self.tone == "warning" else self.label


class Group(Named, frozen=True):
    """Blocks that belong together, set close."""

    blocks: tuple[Block, ...]


class Items(Named, frozen=True):
    """A list, numbered or not."""

    items: tuple[Content, ...]
    ordered: bool = False


class Listing(Named, frozen=True):
    """Lines to be read or typed exactly as they stand."""

    lines: tuple[str, ...]


class Step(Named, frozen=True):
    """A numbered step with a title and what belongs to it."""

    number: int
    title: Content
    blocks: tuple[Block, ...] = ()


class Note(Named, frozen=True):
    """A remark beside the matter: information, a warning, or evidence."""

    blocks: tuple[Block, ...]
    kind: NoteKind = "info"


class Rule(Named, frozen=True):
    """A line across the page."""


class Document(Named, frozen=True):
    """A page: the question first (title, subtitle, and at the right where and when), then the blocks."""

    title: Content
    blocks: tuple[Block, ...]
    subtitle: Content = ""
    context: Content = ""


Block: TypeAlias = (
    Heading
    | Paragraph
    | Equations
    | Labeled
    | Group
    | Items
    | Listing
    | Table
    | Figure
    | Heatmap
    | Diagram
    | Pictures
    | Landscape
    | Step
    | Note
    | Rule
)


def walk(block: Document | Block) -> Iterator[Document | Block]:
    """The block and everything inside it, in reading order."""
    yield block
    if isinstance(block, Document | Labeled | Group | Step | Note):
        for child in block.blocks:
            yield from walk(child)


def find(document: Document, name: str) -> Document | Block:
    """The first block of that name.

    Raises:
        UnknownNameError: no block bears it.
    """
    for block in walk(document):
        if block.name == name:
            return block
    raise UnknownNameError("block", name, sorted({block.name for block in walk(document) if block.name}))
