"""A document as plain JSON values: the same tree, each part a mapping with its `type`.

A field at its default is left out. Floats stay floats (JSON text holds their shortest exact form, so they read back
to the bit); nan and infinities, which JSON lacks, become the texts "nan", "inf" and "-inf".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

import msgspec

from chainrule.document.content import Named
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
    if isinstance(value, msgspec.Struct):
        return _part(value, lost)
    raise InputError(
        f"a {type(value).__name__} came in a document's data: give numbers, texts, lists and mappings (`.tolist()`)"
    )


def _part(part: msgspec.Struct, lost: Lost) -> dict[str, PlainValue]:
    kind = type(part)
    plain: dict[str, PlainValue] = {"type": _type_name(kind.__name__)}
    for name, usual in _fields(kind):
        value: object = getattr(part, name)
        if usual is msgspec.NODEFAULT or value != usual:
            plain[name] = _plain(value, lost)
    return plain


@lru_cache(maxsize=256)
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, object], ...]:
    """The fields of a kind of parts with their defaults, first those that every block has."""
    names, usual = kind.__struct_fields__, [_made(each) for each in kind.__struct_defaults__]
    found = dict(zip(names, [msgspec.NODEFAULT] * (len(names) - len(usual)) + usual, strict=True))
    shared = [name for name in Named.__struct_fields__ if issubclass(kind, Named)]
    return tuple({name: found[name] for name in (*shared, *names)}.items())


def _made(usual: Any) -> Any:  # Any: a default of any kind, or what makes one
    return usual.factory() if hasattr(usual, "factory") else usual


@lru_cache(maxsize=256)
def _type_name(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
