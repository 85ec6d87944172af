"""Blocks: labels in a left column, notes, steps, lists, and finding them by name."""

from __future__ import annotations

from typing import get_args

import pytest

import chainrule.document
from chainrule.document import (
    Block,
    Code,
    Document,
    Drawn,
    Equation,
    Equations,
    Group,
    Heading,
    Items,
    Labeled,
    Listing,
    Note,
    Number,
    Paragraph,
    Rule,
    Step,
    Strong,
    equals,
    find,
    number,
    plus,
    render_text,
    symbol,
    walk,
)
from chainrule.errors import UnknownNameError, ValueRangeError

a, b, z = symbol("a"), symbol("b"), symbol("z")


def lines(*blocks: Block, width: int = 60, color: bool = False) -> list[str]:
    """The blocks' lines, without the page's head."""
    return render_text(Document("t", blocks), width, color=color).splitlines()[2:]


def test_labels_share_one_column_across_groups() -> None:
    assert lines(Group((Labeled("The loss", (Paragraph("one"),)), Labeled("In", (Paragraph("two"),)))), Rule()) == [
        "The loss   one",
        "In         two",
        "",
        "─" * 60,
    ]


def test_labels_stand_above_on_a_narrow_page() -> None:
    assert lines(Labeled("The loss", (Paragraph("one"),)), width=30) == ["The loss", "  one"]
    assert lines(Labeled("The loss", (Paragraph("one"),), "warning"), width=30) == ["× The loss", "  one"]


def test_equations_are_aligned_on_their_relations() -> None:
    block = Equations((Equation(equals(symbol("abc"), z)), Equation(equals(a, plus(b, z)), value="by the chain rule")))
    assert lines(block, width=40) == ["abc = z", "  a = b + z            by the chain rule"]


def test_equations_may_be_labeled() -> None:
    block = Equations((Equation(equals(a, b), "hidden"), Equation(equals(z, b), "output")))
    assert lines(block) == ["hidden   a = b", "output   z = b"]


def test_a_value_that_finds_no_room_stands_under_its_equation() -> None:
    assert lines(Equations((Equation(equals(a, b), value="a long remark here"),)), width=20) == [
        "a = b",
        "  a long remark here",
    ]


def test_formulas_in_running_text_hold_together() -> None:
    text = ("the weight moves by ", equals(a, plus(b, z)), ", at last")
    assert lines(Paragraph(text), width=26) == ["the weight moves by", "a = b + z, at last"]


def test_steps_notes_lists_and_listings() -> None:
    shown = lines(
        Heading("Top"),
        Step(2, "Second", (Paragraph("inside"), Note((Paragraph("mind"),), "warning"))),
        Items(("x", ("y ", Strong("z"))), ordered=True),
        Items(("x",)),
        Listing(("chainrule  train digits",)),
    )
    assert shown == [
        *("Top", "───", ""),
        *("2. Second", "   inside", "", "   Warning", "     mind", ""),
        *("1. x", "2. y z", "", "• x", "", "  chainrule  train digits"),
    ]


def test_a_note_beside_labels_uses_their_column() -> None:
    assert lines(Labeled("Checked", (Paragraph("yes"),)), Note((Paragraph("it holds"),), "evidence")) == [
        "Checked    yes",
        "",
        "Evidence   it holds",
    ]


def test_title_and_context_stand_on_one_line_where_they_fit() -> None:
    document = Document("title", (), subtitle="sub", context="step 3")
    assert render_text(document, 30).splitlines()[0] == "title   sub             step 3"
    assert render_text(document, 20).splitlines()[0] == "title   sub   step 3"
    document = Document("a title", (), subtitle="sub", context="step 3")
    assert render_text(document, 20).splitlines()[:3] == ["a title", "sub", "step 3"]


def test_text_from_outside_is_never_passed_through() -> None:
    hostile = "\x1b]0;owned\x07"
    (shown,) = lines(Paragraph((hostile, Strong(hostile), Code(hostile), symbol(hostile))))[:1]
    assert "\x1b" not in shown
    assert shown.startswith("\\x1b]0;owned\\x07")
    assert "\\x1b" in "".join(lines(Paragraph(hostile), color=True))


def test_every_block_bears_a_name_and_data_whatever_kind_it_is_of() -> None:
    kinds = get_args(Block)
    for kind in (*kinds, Document):
        assert {"name", "data"} <= set(kind.__struct_fields__)
        assert getattr(chainrule.document, kind.__name__) is kind
    assert set(get_args(Drawn)) < set(kinds)
    homes = {kind.__module__.rpartition(".")[2] for kind in kinds}
    assert homes == {"tree", "table", "drawn"}


def test_a_block_is_found_by_its_name() -> None:
    inner = Paragraph(("g = ", Number(0.5)), name="gradient", data={"gradient": 0.5})
    document = Document("t", (Group((Step(1, "s", (Labeled("l", (inner,)),)),)),), name="page")
    assert find(document, "gradient") is inner
    assert find(document, "page") is document
    assert [type(block).__name__ for block in walk(document)] == ["Document", "Group", "Step", "Labeled", "Paragraph"]
    with pytest.raises(UnknownNameError, match="did you mean 'gradient'"):
        find(document, "gradeint")


def test_a_heading_needs_a_level() -> None:
    with pytest.raises(ValueRangeError, match="level 0"):
        Heading("t", 0)


def test_number_in_text_keeps_its_style() -> None:
    assert lines(Paragraph(("accuracy ", number(0.9694, 1, "percent")))) == ["accuracy 96.9%"]
