"""What blocks are made of: words, code and formulas, and the name and the plain data that each may bear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from chainrule.document.formula import Formula

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"


class Strong(msgspec.Struct, frozen=True):
    """Words that matter more than their neighbors."""

    text: str


class Code(msgspec.Struct, frozen=True):
    """Something to be typed or found literally: a command, a parameter's name."""

    text: str


Span: TypeAlias = str | Strong | Code | Formula
Content: TypeAlias = Span | tuple[Span, ...]
Cell: TypeAlias = Content | None


def spans(content: Content) -> tuple[Span, ...]:
    """The pieces of a content, whether it was one piece or many."""
    return content if isinstance(content, tuple) else (content,)


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What every block has: a stable name, or none, and plain values for programs."""

    name: str = ""
    data: Mapping[str, Plain] = msgspec.field(default_factory=dict[str, Plain])
