"""What a page writes with ⊙ or 1[…] it explains, once, in every format; a page without them says nothing of them."""

from __future__ import annotations

import pytest

from chainrule.document import (
    Column,
    Document,
    Equation,
    Equations,
    Formula,
    Labeled,
    Paragraph,
    Row,
    Table,
    call,
    find,
    number,
    relation,
    render_html,
    render_latex,
    render_text,
    symbol,
    times,
)
from chainrule.document.formula import Indexed, Number, Power, Product
from chainrule.document.signs import with_signs

A, B, Z = symbol("a"), symbol("b"), symbol("z")
MASK = Indexed(Number(1), (relation(Z, ">", number(0)),))
BY_ELEMENT = Product((A, Power(B, Number(2))), "elementwise")
SAID = {
    "elementwise": "A ⊙ B: product element by element",
    "erf": "erf(x): 2/√π times the area under e^(−t²) from 0 to x",
    "indicator": "1[c]: 1 if c holds, else 0",
}


def page(*formulas: Formula) -> Document:
    lines = Equations(tuple(Equation(each) for each in formulas))
    return with_signs(Document("page", (Paragraph("before"), Labeled("It", (lines,), name="it"), Paragraph("after"))))


@pytest.mark.parametrize(
    ("formulas", "used"),
    [
        ((call("erf", Z),), ["erf"]),
        ((call("exp", Z), times(call("erf", Z), MASK)), ["erf", "indicator"]),
        ((BY_ELEMENT,), ["elementwise"]),
        ((MASK,), ["indicator"]),
        ((A, times(B, MASK), BY_ELEMENT, MASK), ["elementwise", "indicator"]),
    ],
)
def test_each_sign_that_is_used_is_told_once(formulas: tuple[Formula, ...], used: list[str]) -> None:
    said = render_text(page(*formulas), 120)
    assert [name for name, sentence in SAID.items() if said.count(sentence) == 1] == used
    assert said.count("Signs") == 1
    assert said.index("before") < said.index("Signs") < said.index("It")


def test_a_page_without_them_stays_what_it_is() -> None:
    plain = Document("page", (Equations((Equation(times(A, B)),)), Paragraph("1[c] in words is no formula")))
    assert with_signs(plain) is plain


def test_what_is_told_is_not_told_again() -> None:
    assert with_signs(page(MASK)) == page(MASK)


def test_a_sign_in_the_head_of_a_table_counts() -> None:
    table = Table((Column("k", heading=True), Column(times(A, MASK))), (Row(("0", number(1))),))
    assert "1[c]: 1 if c holds" in render_text(with_signs(Document("page", (table,))), 80)


def test_every_format_tells_them() -> None:
    made = page(BY_ELEMENT, MASK)
    assert isinstance(find(made, "signs"), Labeled)
    ascii = render_text(made, 80, ascii=True)
    assert ascii.isascii()
    assert "A .* B: product element by element; 1[c]: 1 if c holds, else 0" in " ".join(ascii.split())
    assert r"$A \odot B$: product element by element" in render_latex(made)
    assert "⊙" in render_html(made).partition("Signs")[2].partition("else 0")[0]
