"""Laws of every document: it renders at every width, within it, safely, and loses no number."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chainrule.document import Document, Number, Paragraph, render_text, to_plain
from chainrule.errors import ValueRangeError
from tests.document import strategies

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def columns(line: str) -> int:
    """The referee's own count: combining characters and format marks 0, wide East Asian 2, all else 1."""
    return sum(
        0 if unicodedata.category(sign) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in line
    )


@EXAMPLES
@given(strategies.documents, st.integers(20, 120), st.booleans(), st.booleans())
@example(Document("日" * 50, (Paragraph("\x1b[2J"),)), 21, False, True)
def test_no_line_is_wider_than_asked(document: Document, width: int, ascii: bool, color: bool) -> None:
    text = render_text(document, width, ascii=ascii, color=color)
    assert text.endswith("\n")
    for line in ESCAPE.sub("", text).split("\n"):
        assert columns(line) <= width, line


@EXAMPLES
@given(strategies.documents, st.booleans())
def test_nothing_from_outside_controls_the_terminal(document: Document, ascii: bool) -> None:
    text = render_text(document, ascii=ascii).replace("\n", "")
    hidden = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    assert not [sign for sign in text if unicodedata.category(sign) in hidden]


@EXAMPLES
@given(strategies.documents, st.integers(20, 120))
def test_ascii_is_ascii(document: Document, width: int) -> None:
    assert render_text(document, width, ascii=True).isascii()


@EXAMPLES
@given(strategies.documents)
def test_color_adds_only_styles(document: Document) -> None:
    assert ESCAPE.sub("", render_text(document, color=True)).split() == render_text(document).split()


@EXAMPLES
@given(strategies.documents)
def test_plain_holds_every_number_and_survives_json(document: Document) -> None:
    plain = to_plain(document)
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again == plain
    held = sorted(map(_key, _plain_numbers(again)))
    assert held == sorted(map(_key, _tree_numbers(document)))


@given(st.integers(-5, 19))
def test_too_narrow_a_page_is_refused(width: int) -> None:
    with pytest.raises(ValueRangeError, match="at least 20 columns"):
        render_text(Document("t", ()), width)


def _tree_numbers(part: object) -> Iterator[float]:
    """The values of all `Number`s, found by walking the objects."""
    if isinstance(part, Number):
        yield part.value
    elif isinstance(part, tuple):
        for item in part:
            yield from _tree_numbers(item)
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            yield from _tree_numbers(getattr(part, name))


def _plain_numbers(plain: object) -> Iterator[object]:
    if isinstance(plain, dict):
        if plain.get("type") == "number":
            yield plain["value"]
        for item in plain.values():
            yield from _plain_numbers(item)
    elif isinstance(plain, list):
        for item in plain:
            yield from _plain_numbers(item)


def _key(value: object) -> str:
    if isinstance(value, str):
        return value
    assert isinstance(value, int | float)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return repr(value)
