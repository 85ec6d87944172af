"""Walks a document's objects, knowing nothing of what they mean: a referee for what renderers must show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec

from chainrule.document import Formula

FORMULAS = get_args(Formula)


def parts_of(part: object) -> Iterator[object]:
    """The object and everything inside it."""
    yield part
    if isinstance(part, tuple):
        for item in part:
            yield from parts_of(item)
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from parts_of(getattr(part, name))


def formulas_in(part: object) -> Iterator[Formula]:
    """Every formula and every part of one."""
    for inner in parts_of(part):
        if isinstance(inner, FORMULAS):
            yield inner  # pyright: ignore[reportReturnType]
