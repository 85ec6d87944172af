"""A document as one JSON object for programs: its numbers by name, the sentences a person reads, and the whole tree."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Final, cast

from chainrule.document.content import Content
from chainrule.document.plain import PlainValue, not_finite, plain_value, to_raw
from chainrule.document.text.spans import Pen
from chainrule.document.tree import Block, Document, Equations, Group, Labeled, Note, Paragraph, Step

PAGE: Final = "page"
NOT_FINITE: Final = "not_finite"
_PEN: Final = Pen()


def to_record(document: Document) -> dict[str, PlainValue]:
    """The document's data by name, then `page` and `not_finite`.

    `page` holds `format_version`, `name`, `title`, `subtitle`, `context`, `sentences` and `document`, the tree. A
    sentence is a mapping of the block's `name`, the `label` before it and its `text`. Where a number is NaN or
    infinite, which JSON lacks, stands null, and `not_finite` says which it was by the place, a JSON pointer (RFC 6901).

    Raises: InputError when the data hold something that JSON has not, such as an array.
    """
    tree = to_raw(document)
    page: dict[str, PlainValue] = {
        "format_version": tree.pop("format_version"),
        "name": document.name,
        "title": _PEN.line(document.title),
        "subtitle": _PEN.line(document.subtitle),
        "context": _PEN.line(document.context),
        "sentences": list(_said(document.blocks, "", "")),
        "document": {part: value for part, value in tree.items() if part != "data"},  # which stands above by name
    }
    lost: dict[str, PlainValue] = {}
    found = {name: _finite(value, f"/{_escaped(name)}", lost) for name, value in {**document.data, PAGE: page}.items()}
    return {**found, NOT_FINITE: lost}


def to_json(document: Document, *, ascii: bool = False) -> str:
    """The record as JSON on several lines, ending in a newline; floats read back to the bit."""
    return json.dumps(to_record(document), indent=1, ensure_ascii=ascii, allow_nan=False) + "\n"


def finite(value: object) -> PlainValue:
    """Plain JSON values with null for NaN and infinities."""
    return _finite(value, "", {})


def _finite(value: object, place: str, lost: dict[str, PlainValue]) -> PlainValue:
    """The value as plain JSON; what is not finite becomes None and is noted by its place."""
    if isinstance(value, float) and not math.isfinite(value):
        lost[place] = not_finite(value)
        return None
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(key): _finite(item, f"{place}/{_escaped(str(key))}", lost) for key, item in items}
    if isinstance(value, list | tuple):
        parts = cast("list[object] | tuple[object, ...]", value)
        return [_finite(item, f"{place}/{position}", lost) for position, item in enumerate(parts)]
    return plain_value(value)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


# ---- what a person reads ----


def _said(blocks: tuple[Block, ...], name: str, label: str) -> Iterator[dict[str, PlainValue]]:
    """Paragraphs and remarks beside formulas, in reading order, each under the name and label of what holds it."""
    for block in blocks:
        own = block.name or name
        match block:
            case Paragraph(content=content):
                yield _sentence(own, label, content)
            case Labeled(label=said, blocks=inner):
                yield from _said(inner, own, _PEN.line(said))
            case Step(title=said, blocks=inner):
                yield from _said(inner, own, _PEN.line(said))
            case Equations(lines=lines):
                yield from (_sentence(own, label, line.value) for line in lines if line.value)
            case Group(blocks=inner) | Note(blocks=inner):
                yield from _said(inner, own, label)
            case _:
                pass


def _sentence(name: str, label: str, content: Content) -> dict[str, PlainValue]:
    return {"name": name, "label": label, "text": _PEN.line(content)}
