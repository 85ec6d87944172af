"""What blocks are made of: words, code and formulas, and the name and the plain data that each may bear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from chainrule.document.formula import Formula

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that matter more than their neighbors."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be typed or found literally: a command, a parameter's name."""

    text: str


Span: TypeAlias = str | Strong | Code | Formula
Content: TypeAlias = Span | tuple[Span, ...]
Cell: TypeAlias = Content | None


def spans(content: Content) -> tuple[Span, ...]:
    """The pieces of a content, whether it was one piece or many."""
    return content if isinstance(content, tuple) else (content,)


def _no_data() -> Mapping[str, Plain]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Named:
    """What every block has: a stable name, or none, and plain values for programs."""

    name: str = ""
    data: Mapping[str, Plain] = field(default_factory=_no_data, hash=False)
