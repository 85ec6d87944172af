"""A document for programs: data by name, the sentences a person reads, and null where a number is not finite."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from chainrule.document import (
    Code,
    Document,
    Equation,
    Equations,
    Group,
    Labeled,
    Note,
    Number,
    Paragraph,
    Step,
    symbol,
    to_plain,
)
from chainrule.document.record import finite, to_json, to_record
from chainrule.errors import InputError
from tests.document import pages


def test_data_stand_by_name_and_the_page_beside_them() -> None:
    document = Document(("the ", Code("title")), (Paragraph("p"),), "sub", "con", data={"gradient": 0.1}, name="n")
    record = to_record(document)
    assert record == {
        "gradient": 0.1,
        "page": {
            "format_version": 1,
            "name": "n",
            "title": "the title",
            "subtitle": "sub",
            "context": "con",
            "sentences": [{"name": "", "label": "", "text": "p"}],
            "document": {
                key: value for key, value in to_plain(document).items() if key not in ("data", "format_version")
            },
        },
        "not_finite": {},
    }


def test_sentences_are_read_in_order_under_their_labels() -> None:
    inner = (Paragraph(("it is ", Number(0.25), " of ", symbol("W", (0, 3), 1))),)
    blocks = (
        Labeled("Read on", inner, name="reading"),
        Group((Note((Paragraph("noted", name="own"),)),), name="group"),
        Step(1, ("first ", Code("x")), (Equations((Equation(symbol("L"), value="a remark"), Equation(symbol("L")))),)),
    )
    page: Any = to_record(Document("t", blocks))["page"]
    assert page["sentences"] == [
        {"name": "reading", "label": "Read on", "text": "it is 0.25 of W¹₀₃"},
        {"name": "own", "label": "", "text": "noted"},
        {"name": "", "label": "first x", "text": "a remark"},
    ]


def test_what_is_not_finite_is_null_and_told_by_its_place() -> None:
    data = {"a": math.nan, "b": [1.0, {"c/d~e": -math.inf}], "good": 0.5}
    record: Any = json.loads(to_json(Document("t", (Paragraph((Number(math.inf),)),), data=data)))
    assert record["a"] is None
    assert record["b"] == [1.0, {"c/d~e": None}]
    assert record["page"]["document"]["blocks"][0]["content"] == [{"type": "number", "value": None}]
    assert record["not_finite"] == {
        "/a": "nan",
        "/b/1/c~1d~0e": "-inf",
        "/page/document/blocks/0/content/0/value": "inf",
    }
    assert record["page"]["sentences"][0]["text"] == "inf"


def test_floats_read_back_to_the_bit_and_ascii_is_ascii() -> None:
    document = pages.explained_weight()
    text = to_json(document, ascii=True)
    assert text.isascii()
    assert text.endswith("}\n")
    assert json.loads(text) == json.loads(to_json(document)) == to_record(document)
    assert finite({"x": (1, 2.5, math.nan), "y": "nan"}) == {"x": [1, 2.5, None], "y": "nan"}


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="a set came in a document's data"):
        to_json(Document("t", (), data={"values": {1, 2}}))  # pyright: ignore[reportArgumentType]
