"""A document as plain JSON values: the same tree, each part a mapping with its `type`.

A field at its default is left out. Floats stay floats (JSON text holds their shortest exact form, so they read back
to the bit); nan and infinities, which JSON lacks, become the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Final, TypeAlias, cast

from chainrule.document.tree import Document
from chainrule.errors import InputError

FORMAT_VERSION: Final = 1

PlainValue: TypeAlias = "bool | int | float | str | list[PlainValue] | dict[str, PlainValue] | None"
Lost: TypeAlias = "Callable[[float], PlainValue]"


def to_plain(document: Document) -> dict[str, PlainValue]:
    """The document as dicts, lists, texts, integers, floats, booleans and None.

    Raises:
        InputError: a block's `data` holds something else, such as an array.
    """
    return {"format_version": FORMAT_VERSION, **_part(document, not_finite)}


def to_raw(document: Document) -> dict[str, PlainValue]:
    """The same with NaN and infinities as the floats they are, which JSON text cannot hold."""
    return {"format_version": FORMAT_VERSION, **_part(document, float)}


def plain_value(value: object) -> PlainValue:
    """Any value of a document as plain JSON values."""
    return _plain(value, not_finite)


def not_finite(value: float) -> str:
    """The text that stands for NaN or an infinity."""
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def _plain(value: object, lost: Lost) -> PlainValue:
    """The value as plain JSON values; `lost` says what stands for a float that JSON lacks."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else lost(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item, lost) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item, lost) for item in cast("Sequence[object]", value)]
    if is_dataclass(value) and not isinstance(value, type):
        return _part(value, lost)
    raise InputError(
        f"a {type(value).__name__} came in a document's data: give numbers, texts, lists and mappings (`.tolist()`)"
    )


def _part(part: object, lost: Lost) -> dict[str, PlainValue]:
    plain: dict[str, PlainValue] = {"type": _type_name(type(part).__name__)}
    for entry in fields(part):  # pyright: ignore[reportArgumentType]
        value: object = getattr(part, entry.name)
        if not _is_default(entry, value):
            plain[entry.name] = _plain(value, lost)
    return plain


def _is_default(entry: Field[Any], value: object) -> bool:
    if entry.default_factory is not MISSING:
        return bool(value == entry.default_factory())
    return entry.default is not MISSING and value == entry.default


def _type_name(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
