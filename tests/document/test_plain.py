"""Documents as JSON values: typed, exact, without anything JSON lacks."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.document import (
    Column,
    Document,
    Equation,
    Equations,
    Number,
    NumberStyle,
    Paragraph,
    Row,
    Table,
    equals,
    partial,
    symbol,
    to_plain,
)
from chainrule.errors import InputError


def test_every_part_bears_its_type_and_defaults_are_left_out() -> None:
    document = Document(
        "page",
        (Equations((Equation(equals(symbol("g"), partial(symbol("L"), symbol("w")))),), name="chain"),),
    )
    symbols = {name: {"type": "symbol", "name": name} for name in "gLw"}
    fraction = {
        "type": "fraction",
        "numerator": {"type": "differential", "of": symbols["L"]},
        "denominator": {"type": "differential", "of": symbols["w"]},
    }
    relation = {"type": "relation", "left": symbols["g"], "rest": [["=", fraction]]}
    assert to_plain(document) == {
        "format_version": 1,
        "type": "document",
        "title": "page",
        "blocks": [{"type": "equations", "name": "chain", "lines": [{"type": "equation", "formula": relation}]}],
    }


def test_table_cells_keep_value_and_style_apart() -> None:
    style = NumberStyle("fixed", 2)
    plain: Any = to_plain(Document("t", (Table((Column("x", style=style),), (Row((Number(0.123456),)),)),)))
    table = plain["blocks"][0]
    assert table["columns"][0]["style"] == {"type": "number_style", "kind": "fixed", "digits": 2}
    assert table["rows"][0]["cells"] == [{"type": "number", "value": 0.123456}]


def test_data_is_carried_as_it_is() -> None:
    data = {"terms": [0.1, -2e-300], "nested": {"weight": "W", "zero": True, "none": None, "count": 3}}
    plain: Any = to_plain(Document("t", (Paragraph("p", data=data),)))
    assert plain["blocks"][0]["data"] == data


def test_numbers_that_json_lacks_become_texts() -> None:
    data = {"values": (math.nan, math.inf, -math.inf)}
    plain: Any = to_plain(Document("t", (), data=data))
    assert plain["data"] == {"values": ["nan", "inf", "-inf"]}
    json.dumps(plain, allow_nan=False)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_read_back_to_the_bit(value: float) -> None:
    again = json.loads(json.dumps(to_plain(Document("t", (), data={"value": value}))))
    assert again["data"]["value"].hex() == value.hex()


class _Float(float):
    pass


def test_subclasses_of_float_become_floats() -> None:
    plain: Any = to_plain(Document("t", (), data={"value": _Float(0.5)}))
    assert type(plain["data"]["value"]) is float


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match="a set came in a document's data"):
        to_plain(Document("t", (), data={"values": {1, 2}}))  # pyright: ignore[reportArgumentType]
