"""Documents as LaTeX: the pages as kept, what formulas become, and text that must not be obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chainrule.document import (
    Beside,
    Call,
    Cases,
    Code,
    Column,
    Document,
    Equation,
    Equations,
    Figure,
    Formula,
    Group,
    Items,
    Labeled,
    Listing,
    Matrix,
    Note,
    Number,
    NumberStyle,
    Paragraph,
    Power,
    Row,
    Series,
    Sum,
    Summary,
    Symbol,
    Table,
    Transpose,
    Words,
    equals,
    juxtaposed,
    minus,
    negative,
    number,
    partial,
    plus,
    relation,
    render_katex,
    render_latex,
    symbol,
    times,
)
from tests.conftest import Golden
from tests.document import pages, strategies

PAGES: dict[str, Callable[[], Document]] = {
    "explained_weight": pages.explained_weight,
    "nudges": pages.nudges,
    "training": pages.training,
}
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-z*]+)\}")
# Commands that read, write, define or run something; \advance and \setlength are ours, in fixed places.
DANGEROUS = re.compile(
    r"\\(input|include|openin|openout|write|read|immediate|def|edef|gdef|let|newcommand|catcode|csname|special|loop)\b"
)


def latex(*blocks: object) -> str:
    """The blocks' LaTeX, without preamble and head."""
    whole = render_latex(Document("t", blocks), standalone=False)  # pyright: ignore[reportArgumentType]
    return whole.split("\\medskip\\hrule\\medskip\n", 1)[1].strip()


def unescaped(text: str) -> str:
    """The LaTeX with a letter for each escaped special."""
    return re.sub(r"\\[\\{}$&#_%]", "x", text)


@pytest.mark.parametrize("page", PAGES)
def test_page_reads_as_kept(page: str, golden: Golden) -> None:
    golden(f"{page}.tex", render_latex(PAGES[page]()))


@EXAMPLES
@given(strategies.documents)
@example(Document("\\end{document}", (Paragraph("\\input{x} % & # $ ^^5c"), Listing(("\\\\[1cm]*",)))))
@example(Document("°×$αο", (Paragraph("°×"),), context=(Symbol("°×"),)))
def test_any_document_is_sound(document: Document) -> None:
    text = render_latex(document)
    assert text.isascii()
    assert not [sign for sign in text if sign < " " and sign != "\n"]
    bare = unescaped(text)
    assert "%" not in bare
    assert "#" not in bare
    assert "^^" not in bare
    assert all(bare.split("$")[1::2]), "an empty formula would begin a display"
    assert bare.count("$") % 2 == 0
    assert not DANGEROUS.search(text)
    assert nesting_fault(text) == ""
    assert brace_fault(bare) == ""


@EXAMPLES
@given(st.text())
@example("\\def\\x{")
@example("[a]*{b}`--''")
def test_text_is_never_a_command(text: str) -> None:
    shown = latex(Paragraph(text)).removesuffix("\\par")
    commands = set(re.findall(r"\\[A-Za-z]+", re.sub(r"\$[^$]*\$", "", shown.replace(r"\$", ""))))
    known = {"textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "ldots"}
    quotes = {"textquoteleft", "textquoteright", "textquotedblleft", "textquotedblright", "textendash", "textemdash"}
    letters = {"allowbreak", "ss", "ae", "AE", "oe", "OE", "o", "O", "textsterling", "u", "r", "H", "v", "c"}
    assert {command[1:] for command in commands} <= known | quotes | letters


def nesting_fault(text: str) -> str:
    """The first environment that is not closed where it must be, or ""."""
    open_ones: list[str] = []
    for kind, name in ENVIRONMENT.findall(text):
        if kind == "begin":
            open_ones.append(name)
        elif not open_ones or open_ones.pop() != name:
            return name
    return "".join(open_ones)


def brace_fault(bare: str) -> str:
    depth = 0
    for place, sign in enumerate(bare):
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return bare[:place][-40:]
    return "" if depth == 0 else "not closed"


x, y, z = symbol("x"), symbol("y"), symbol("z")


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (symbol("W", (0, 0), 1), "W_{00}^{1}"),
        (symbol("W", (28, 3), 1), "W_{28, 3}^{1}"),
        (symbol("y", "k", accent="hat"), r"\hat{y}_{k}"),
        (symbol("ŷ"), r"\hat{y}"),
        (symbol("θ", None, None, "tilde"), r"\tilde{\theta}"),
        (symbol("x", None, 2, "prime"), r"x^{\prime\,2}"),
        (Symbol("W", bold=True), r"\boldsymbol{W}"),
        (symbol("dense_1"), r"\text{dense\_1}"),
        (Call(symbol("softmax"), (z,)), r"\operatorname{softmax}(z)"),
        (Call(symbol("σ"), (partial(x, y),)), r"\sigma\!\left( \frac{\partial x}{\partial y} \right)"),
        (Power(symbol("z", None, 2), Number(2)), r"{(z^{2})}^{2}"),
        (Power(Number(1e-9), Number(2)), r"{(1 \times 10^{-9})}^{2}"),
        (Transpose(symbol("W")), r"{W}^{\top}"),
        (juxtaposed(x, minus(Number(1), x)), "x(1 - x)"),
        (juxtaposed(x, Number(2)), r"x \cdot 2"),
        (times(x, negative(y)), r"x \cdot (-y)"),
        (negative(plus(x, y)), "-(x + y)"),
        (Sum(x, symbol("n"), Number(1), symbol("N")), r"\sum_{n = 1}^{N} x"),
        (number(13002, 1, "count"), "13{,}002"),
        (number(0.97, 1, "percent"), r"97.0\%"),
        (Number(float("-inf")), r"-\infty"),
        (relation(x, "≤", y), r"x \leq y"),
        (Words("if so"), r"\text{if so}"),
        (Cases(((x, relation(x, ">", Number(0))), (Number(0), None))), "\\begin{cases} x & \\text{if } x > 0"),
        (Matrix(((Number(1.5), x), (Number(10), y))), r"{rc} 1.5 & x \\ 10\phantom{.0} & y"),
        (Beside((x, y)), r"x \qquad y"),
    ],
)
def test_formulas_are_written_as_in_a_book(formula: Formula, written: str) -> None:
    assert written in render_katex(formula)


def test_a_long_equation_breaks_at_its_relations_and_signs() -> None:
    terms = [times(symbol("w", (place, "j"), 2), symbol("x", place)) for place in range(12)]
    shown = latex(Equations((Equation(equals(z, plus(*terms), Number(1.5))),)))
    lines = shown.splitlines()[2:-1]
    assert lines[0].startswith("z &  = w_{0j}^{2} ")
    assert all(line.startswith(r" & \quad {} + ") for line in lines[1:-1])
    assert lines[-1] == " &  = 1.5"
    assert sum(line.count(r"\cdot") for line in lines) == 12


def test_what_cannot_break_is_shrunk_to_the_line() -> None:
    wide = Matrix((tuple(Number(place + 0.123456) for place in range(12)),))
    assert r"\resizebox{\ifdim\width>0.85\linewidth" in latex(Equations((Equation(equals(x, wide)),)))
    assert "resizebox" not in latex(Equations((Equation(equals(x, y)),)))


def test_equations_align_and_carry_label_and_value() -> None:
    shown = latex(Equations((Equation(equals(x, y), "first", ("is ", Number(3))), Equation(equals(z, y)))))
    assert shown.splitlines()[1:] == [
        r"\begin{flalign*}",
        r"&\text{first} & x &  = y & \text{is $3$}& \\",
        "& & z &  = y & &",
        r"\end{flalign*}",
    ]


def test_numbers_of_a_column_stand_point_under_point() -> None:
    rows = tuple(Row((Number(value),)) for value in (1.25, 10, 0.5))
    assert [line for line in latex(Table((Column("v"),), rows)).splitlines() if line.startswith("$")] == [
        r"$1.25$ \\",
        r"$10\phantom{.00}$ \\",
        r"$0.5\phantom{0}$ \\",
    ]


def test_too_many_columns_become_several_tables_that_repeat_the_names() -> None:
    columns = (Column("name", heading=True), *(Column(f"column {place}") for place in range(20)))
    row = Row(("a row", *(Number(place + 0.5) for place in range(20))), "a remark")
    shown = latex(Table(columns, (row,)))
    parts = shown.count(r"\begin{tabular}")
    assert parts >= 3
    assert shown.count("a row") == parts
    assert shown.count("a remark") == 1
    assert re.findall(r"\{column (\d+)\}", shown) == [str(place) for place in range(20)]


def test_words_wrap_and_long_tables_break_across_pages() -> None:
    long = "a remark that goes on and on, far beyond the edge of any page that was ever printed on paper"
    shown = latex(Table((Column("n"), Column("why")), tuple(Row((Number(n), long)) for n in range(40))))
    assert r"\begin{longtable}{r>{\raggedright\arraybackslash}p{" in shown
    assert r"\endhead" in shown


LONG: Final = "a remark that goes on and on, far beyond the edge of any page that was ever printed on paper"


def test_a_remark_stands_beside_its_row_or_under_it() -> None:
    """Beside it in a column squeezed to a few words it would make the table as high as a page."""
    columns = (Column("weight", heading=True), *(Column(f"sample {place}") for place in range(5)))
    cells = (*(Number(place + 0.25) for place in range(5)),)
    short = latex(Table(columns, (Row(("w", *cells), "a remark"), Row(("v", *cells)))))
    assert r" & a remark \\" in short
    assert r"\begin{tabular}{lrrrrrl}" in short
    under = latex(Table(columns, (Row(("w", *cells), LONG), Row(("v", *cells)))))
    assert r"\begin{tabular}{lrrrrr}" in under
    row, remark, next_row = under.partition(r"\midrule")[2].strip().splitlines()[:3]
    assert row.startswith("w & ")
    assert row.endswith(r"\\*")
    assert remark == rf"\multicolumn{{6}}{{>{{\raggedright\arraybackslash}}p{{30.5em}}}}{{{LONG}}} \\[3pt]"
    assert next_row.startswith("v & ")


def test_a_table_that_its_remarks_make_long_breaks_across_pages() -> None:
    columns = (Column("weight", heading=True), *(Column(f"sample {place}") for place in range(5)))
    rows = tuple(Row((f"w{n}", *(Number(place + 0.25) for place in range(5))), LONG) for n in range(10))
    assert r"\begin{tabular}" in latex(Table(columns, rows[:8]))
    assert r"\begin{longtable}" in latex(Table(columns, rows))


def test_sums_span_the_empty_cells_before_them() -> None:
    total = Summary("in all", (None, None, Number(3)))
    shown = latex(Table((Column("a"), Column("b"), Column("c")), (Row((x, y, Number(3))),), total=total))
    assert r"\multicolumn{2}{r}{in all} & $3$ \\" in shown
    bare = Summary("and 13 more", (None, None, None))
    assert r"\multicolumn{3}{l}{and 13 more} \\" in latex(
        Table((Column("a"), Column("b"), Column("c")), (), remainder=bare)
    )


def test_a_word_too_long_for_a_line_may_be_broken() -> None:
    assert latex(Paragraph("x" * 25)).count(r"\allowbreak{}") == 3
    assert "allowbreak" not in latex(Paragraph("twenty-four characters ok"))


def test_blocks_of_every_kind_nest_deeper_than_lists_may() -> None:
    deep: object = Paragraph("core")
    for _ in range(9):
        deep = Note((Labeled("in", (Group((deep,)),)),))
    shown = latex(deep, Items(("one", Code("two"))), Items(()))
    assert shown.count("leftskip") == 9
    assert "\\begin{itemize}\n\\item one\n\\item \\texttt{two}\n\\end{itemize}" in shown


def test_a_figure_is_drawn_from_its_data() -> None:
    figure = Figure("line", (Series("50% & more", (0, 1), (0, 1)), Series("b", (0, 1), (1, 0))), "It rises.", title="T")
    shown = latex(figure)
    assert shown.count(r"\draw[solid,") == 2  # the legend's and the curve
    assert shown.count(r"\draw[dashed,") == 2
    assert r"50\% \& more" in shown
    assert shown.startswith(r"\textbf{T}")
    assert "It rises." in shown


def test_a_fragment_has_no_preamble() -> None:
    document = Document("t", (Paragraph("p"),), "s", "c")
    whole, part = render_latex(document), render_latex(document, standalone=False)
    assert whole.startswith("\\documentclass")
    assert whole.endswith("\\end{document}\n")
    assert part in whole
    assert "documentclass" not in part


def test_numbers_never_look_rounded_to_nothing() -> None:
    assert render_katex(Number(4.4e-10, NumberStyle("fixed", 3))) == r"4.4 \times 10^{-10}"
