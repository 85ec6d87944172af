"""Tables: aligned points, spanning sums, and what gives way when there is little room."""

from __future__ import annotations

import pytest

from chainrule.document import Code, Column, Document, Number, NumberStyle, Row, Summary, Table, render_text, symbol
from chainrule.errors import ShapeError

SIGNED = NumberStyle("fixed", 4, signed=True)


def lines(table: Table, width: int = 80, *, ascii: bool = False) -> list[str]:
    """The table's lines, without the page's head."""
    return render_text(Document("t", (table,)), width, ascii=ascii).splitlines()[2:]


def paths(note: str = "") -> Table:
    columns = (Column("path", heading=True), Column("factor", style=NumberStyle()), Column("product", style=SIGNED))
    rows = (Row(("unit 3", Number(12.5), Number(0.25)), note), Row(("unit 11", Number(0.0625), Number(-0.125))))
    remainder = Summary("and 13 more, together", (None, None, Number(0.0021)))
    return Table(columns, rows, remainder, Summary("sum", (None, None, Number(0.1271))))


def test_points_stand_under_one_another_and_sums_beside_their_labels() -> None:
    assert lines(paths("the largest")) == [
        "path       factor   product",
        "unit 3    12.5      +0.2500   the largest",
        "unit 11    0.0625   −0.1250",
        "and 13 more, together",
        "                    +0.0021",
        "                    ───────",
        "              sum   +0.1271",
    ]


def test_a_label_spans_the_empty_cells_before_the_first_number() -> None:
    wide = Table(
        (Column("a long row name", heading=True), Column("f", style=SIGNED), Column("product", style=SIGNED)),
        (Row(("unit 3", Number(0.5), Number(0.25))),),
        Summary("and 13 more, together", (None, None, Number(0.0021))),
        Summary("sum", (None, None, Number(0.2521))),
    )
    assert lines(wide) == [
        "a long row name         f   product",
        "unit 3            +0.5000   +0.2500",
        "    and 13 more, together   +0.0021",
        "                            ───────",
        "                      sum   +0.2521",
    ]


def test_a_note_moves_under_its_row_when_there_is_no_room_beside() -> None:
    shown = lines(paths("the largest of all the paths that lead on"), 50)
    row = next(place for place, line in enumerate(shown) if line.startswith("unit 3"))
    assert shown[row].split() == ["unit", "3", "12.5", "+0.2500"]
    assert " ".join(line.strip() for line in shown[row + 1 : row + 3]) == "the largest of all the paths that lead on"


def many(count: int) -> Table:
    columns = (Column("weight", heading=True), *(Column(Number(place)) for place in range(count)))
    return Table(columns, (Row(("W", *(Number(place + 0.123456789) for place in range(count)))),))


def test_fewer_digits_come_first() -> None:
    (header, row) = lines(many(6), 46)
    assert header.split() == ["weight", *"012345"]
    assert row.split()[1:] == ["0.123", "1.12", "2.12", "3.12", "4.12", "5.12"]


def test_then_the_middle_of_many_columns_is_elided_and_says_so() -> None:
    header, row, *said = lines(many(30), 40)
    assert header.split()[:2] == ["weight", "0"]
    assert header.split()[-2:] == ["…", "29"]
    assert row.split()[-1] == "29.12"
    shown = len(header.split()) - 1  # all but the ellipsis
    assert " ".join(said) == f"… {31 - shown} of 31 columns are not shown at this width"


def test_few_columns_are_stacked_which_loses_nothing() -> None:
    shown = lines(many(5), 20)
    assert shown == ["W", "  0  0.123457", "  1  1.12346", "  2  2.12346", "  3  3.12346", "  4  4.12346"]


def test_a_stacked_row_with_a_bare_number_says_of_what() -> None:
    for header, head in (("sample", "sample 1,203"), (symbol("i"), "i = 1,203")):
        columns = (Column(header, heading=True), Column("the sum of all"), Column("the largest part"))
        shown = lines(Table(columns, (Row(("1,203", Number(0.5), Number(0.25))),)), 30)
        assert [line.split("  ")[0] for line in shown][:1] == [head]
        assert [line.split()[-1] for line in shown[1:]] == ["0.5", "0.25"]
    named = Table((Column("unit", heading=True), Column("a" * 20), Column("b" * 20)), (Row(("unit 3", "x", "y")),))
    assert lines(named, 30)[0] == "unit 3"


def test_words_wrap_in_their_column() -> None:
    table = Table(
        (Column("name", heading=True), Column("meaning")),
        (Row(("eta", "the learning rate, by which every gradient is multiplied")), Row(("n", "samples"))),
    )
    assert lines(table, 32) == [
        "name   meaning",
        "eta    the learning rate, by",
        "       which every gradient is",
        "       multiplied",
        "n      samples",
    ]


def test_names_of_weights_hold_together() -> None:
    table = Table((Column("what"),), (Row((("the weight ", Code("dense_1.W[28, 3]"), " of the net"),)),))
    assert any("dense_1.W[28, 3]" in line for line in lines(table, 20))


def test_a_table_without_columns_rows_or_headers() -> None:
    assert lines(Table((), ())) == []
    assert lines(Table((Column("only a header"),), ())) == ["only a header"]
    assert lines(Table((Column(), Column()), (Row((symbol("x", 0), Number(0.05))),))) == ["x₀   0.05"]


def test_header_numbers_do_not_take_the_columns_style() -> None:
    assert lines(Table((Column(Number(3), style=SIGNED),), (Row((Number(0.5),)),)))[0].strip() == "3"


def test_wrong_number_of_cells_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 cells under 1 columns"):
        Table((Column("a"),), (Row(("x", "y")),))
    with pytest.raises(ShapeError, match="0 cells under 1 columns"):
        Table((Column("a"),), (), total=Summary("sum", ()))
