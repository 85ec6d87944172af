"""Structs made by people: a call that does not fit their fields is answered in a sentence."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from chainrule.errors.calls import check_call


class _CheckedStruct(type(msgspec.Struct)):
    """What makes such a struct; read back from a file, a struct is checked by its reader."""

    if not TYPE_CHECKING:  # so that a type checker still sees the fields

        def __call__(cls, *arguments: Any, **named: Any) -> Any:  # Any: the fields check their values
            """An instance.

            Raises: ArgumentError for a field that does not exist, is missing, or came twice.
            """
            check_call(cls.__name__, inspect.signature(cls), arguments, named)
            return super().__call__(*arguments, **named)


class Spoken(
    msgspec.Struct, metaclass=_CheckedStruct, frozen=True, forbid_unknown_fields=True, repr_omit_defaults=True
):
    """The root of layers, optimizers, initializers with a value, and networks."""
