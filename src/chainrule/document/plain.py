"""A document as plain JSON values: the same tree, each part a mapping with its `type`.

A field at its default is left out. Floats stay floats (JSON text holds their shortest exact form, so they read back
to the bit); nan and infinities, which JSON lacks, become the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final, TypeAlias, cast

from chainrule.document.tree import Document
from chainrule.errors import InputError

FORMAT_VERSION: Final = 1

PlainValue: TypeAlias = "bool | int | float | str | list[PlainValue] | dict[str, PlainValue] | None"


def to_plain(document: Document) -> dict[str, PlainValue]:
    """The document as dicts, lists, texts, integers, floats, booleans and None.

    Raises:
        InputError: a block's `data` holds something else, such as an array.
    """
    return {"format_version": FORMAT_VERSION, **_part(document)}


def plain_value(value: object) -> PlainValue:
    """Any value of a document as plain JSON values."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _not_finite(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in cast("Sequence[object]", value)]
    if is_dataclass(value) and not isinstance(value, type):
        return _part(value)
    raise InputError(
        f"a {type(value).__name__} came in a document's data: give numbers, texts, lists and mappings (`.tolist()`)"
    )


def _part(part: object) -> dict[str, PlainValue]:
    plain: dict[str, PlainValue] = {"type": _type_name(type(part).__name__)}
    for entry in fields(part):  # pyright: ignore[reportArgumentType]
        value: object = getattr(part, entry.name)
        if not _is_default(entry, value):
            plain[entry.name] = plain_value(value)
    return plain


def _is_default(entry: Field[Any], value: object) -> bool:
    if entry.default_factory is not MISSING:
        return bool(value == entry.default_factory())
    return entry.default is not MISSING and value == entry.default


def _type_name(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"
