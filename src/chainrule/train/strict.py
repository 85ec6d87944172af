"""From plain data to a struct, refusing in words what does not belong there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import inspect

from chainrule.errors import ChainruleError, ExperimentError, UnknownNameError

T = TypeVar("T")

_WHERE: Final = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`")
_STEP: Final = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")


def convert(plain: Mapping[str, Any], wanted: type[T], where: str) -> T:
    """The struct that this plain data says.

    Args:
        plain: what TOML or JSON gave.
        wanted: a msgspec struct type that forbids unknown fields, as do the structs in it.
        where: the file, for messages.

    Raises:
        UnknownNameError: a key or a kind that does not exist, with its path and the nearest that does.
        ExperimentError: a value of the wrong type or without meaning, with its path.
    """
    _check_keys(plain, inspect.type_info(wanted), where, "")
    try:
        return msgspec.convert(plain, wanted, strict=True)
    except msgspec.ValidationError as error:
        raise _explained(error, where) from error


def _explained(error: msgspec.ValidationError, where: str) -> ExperimentError:
    text = str(error)
    found = _WHERE.search(text)
    path = found["path"].lstrip(".") if found else ""
    sentence = _MISSING.sub(r"the key '\1' is missing, add it", _WHERE.sub("", text))
    if not isinstance(error.__cause__, ChainruleError):
        sentence = sentence[:1].lower() + sentence[1:]
    return ExperimentError(": ".join(part for part in (where, path, sentence) if part))


def _check_keys(plain: object, kind: inspect.Type, where: str, path: str) -> None:
    """Refuse the first key or tag, depth first, that the type does not have."""
    if isinstance(kind, inspect.UnionType):
        kind = _member(plain, kind, where, path)
    if isinstance(kind, inspect.LiteralType) and isinstance(plain, str) and plain not in kind.values:
        raise UnknownNameError(f"{path} in {where}", plain, [str(value) for value in kind.values])
    if isinstance(kind, inspect.StructType) and isinstance(plain, Mapping):
        _check_struct(cast("Mapping[str, Any]", plain), kind, where, path)
    elif isinstance(kind, inspect.VarTupleType) and isinstance(plain, (list, tuple)):
        for index, item in enumerate(cast("Sequence[object]", plain)):
            _check_keys(item, kind.item_type, where, f"{path}[{index}]")


def _check_struct(plain: Mapping[str, Any], kind: inspect.StructType, where: str, path: str) -> None:
    fields = {field.encode_name: field.type for field in kind.fields}
    tag = [kind.tag_field] if kind.tag_field else []
    for key, value in plain.items():
        if key in fields:
            _check_keys(value, fields[key], where, f"{path}.{key}" if path else key)
        elif key not in tag:
            inside = f" in {path}" if path else ""
            raise UnknownNameError("key", key, [*tag, *fields], where=f"{inside} {'of' if inside else 'in'} {where}")


def _member(plain: object, union: inspect.UnionType, where: str, path: str) -> inspect.Type:
    """The struct of the union that the data's tag names; the union itself where there is none to choose."""
    structs = [kind for kind in union.types if isinstance(kind, inspect.StructType)]
    if not isinstance(plain, Mapping) or not structs:
        return union
    field = structs[0].tag_field
    if field is None or len(structs) == 1:
        return structs[0]
    tag = cast("Mapping[str, Any]", plain).get(field)
    if not isinstance(tag, str):
        known = ", ".join(str(kind.tag) for kind in structs)
        raise ExperimentError(f"{where}: {path} needs the key {field}, one of {known}")
    for kind in structs:
        if kind.tag == tag:
            return kind
    raise UnknownNameError(f"{field} of {path} in {where}", tag, [str(kind.tag) for kind in structs])
