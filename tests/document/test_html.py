"""Documents as HTML: valid, safe, complete, and readable in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import HealthCheck, example, given, settings

from chainrule.document import (
    Cases,
    Code,
    Column,
    Document,
    Equation,
    Equations,
    Figure,
    Formula,
    Heading,
    Items,
    Labeled,
    Listing,
    Matrix,
    Note,
    Number,
    Paragraph,
    Row,
    Series,
    Step,
    Strong,
    Summary,
    Table,
    call,
    document_css,
    equals,
    juxtaposed,
    minus,
    plus,
    relation,
    render_html,
    symbol,
    times,
)
from chainrule.document.figure_svg import DARK, LIGHT
from chainrule.document.html import style
from chainrule.document.html.mathml import mathml
from tests.conftest import Golden
from tests.document import pages, strategies

PAGES: dict[str, Callable[[], Document]] = {
    "explained_weight": pages.explained_weight,
    "nudges": pages.nudges,
    "training": pages.training,
}
EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
XHTML: Final = "{http://www.w3.org/1999/xhtml}"
MATHML: Final = "{http://www.w3.org/1998/Math/MathML}"

# MathML Core: how many children an element takes, and which attributes. Source: W3C, MathML Core, section 3.
CHILDREN: Final[dict[str, int | None]] = {
    "math": None, "mrow": None, "mtable": None, "mtr": None, "mtd": None, "msqrt": None, "mphantom": None,
    "mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3,
    "mi": 0, "mn": 0, "mo": 0, "mtext": 0, "mspace": 0,
}  # fmt: skip
ATTRIBUTES: Final = {
    "math": {"displaystyle"}, "mo": {"form", "stretchy", "separator"}, "mover": {"accent"}, "mspace": {"width"},
    "mi": {"mathvariant", "class"}, "mn": {"class"}, "mtd": {"class"}, "mtable": {"class"},
}  # fmt: skip
ELEMENTS: Final = {
    "html", "head", "meta", "title", "style", "body", "article", "header", "h1", "h2", "h3", "h4", "h5", "h6", "p",
    "div", "span", "wbr", "strong", "code", "pre", "sup", "dl", "dt", "dd", "ul", "ol", "li", "table", "caption",
    "thead", "tbody", "tfoot", "tr", "th", "td", "figure", "figcaption", "details", "summary", "section", "aside", "hr",
}  # fmt: skip


def parsed(text: str) -> Any:  # an ElementTree element: its module's own types are generic beyond use here
    """The page's tree; a parse error of any kind raises."""
    return html5lib.HTMLParser(strict=True).parse(text)


def body(*blocks: object) -> str:
    """The blocks' HTML, without the page's head."""
    whole = render_html(Document("t", blocks), standalone=False)  # pyright: ignore[reportArgumentType]
    return whole.split("</header>", 1)[1].removesuffix("</article>\n")


def math_faults(tree: Any) -> Iterator[str]:
    for part in tree.iter():
        if not isinstance(part.tag, str) or not part.tag.startswith(MATHML):
            continue
        name = part.tag.removeprefix(MATHML)
        if name not in CHILDREN:
            yield f"{name} is not in MathML Core"
        elif CHILDREN[name] is not None and len(part) != CHILDREN[name]:
            yield f"{name} has {len(part)} children"
        yield from (f"{name} has {said}" for said in part.attrib if said not in ATTRIBUTES.get(name, set()))
        inner = {"mtable": "mtr", "mtr": "mtd"}.get(name)
        yield from (f"{name} holds {child.tag}" for child in part if inner and child.tag != MATHML + inner)


@pytest.mark.parametrize("page", PAGES)
def test_page_reads_as_kept(page: str, golden: Golden) -> None:
    text = render_html(PAGES[page]())
    parsed(text)
    style = document_css()
    assert text.count(style) == 1
    golden(f"{page}.html", text.replace(style, "/* document_css() */\n"))


def test_style_reads_as_kept(golden: Golden) -> None:
    golden("document.css", document_css())


@EXAMPLES
@given(strategies.documents)
@example(Document("<script>", (Paragraph("</style><script>alert(1)</script>"),), '" onload="x', "&amp;<!--"))
@example(Document("", (Figure("line", (), '"><script>', name='"><script>', title="<b>"),)))
def test_any_document_is_valid_and_inert(document: Document) -> None:
    text = render_html(document)
    tree = parsed(text)
    names = {part.tag.removeprefix(XHTML) for part in tree.iter() if part.tag.startswith(XHTML)}
    assert names <= ELEMENTS
    assert list(math_faults(tree)) == []
    attributes = {name for part in tree.iter() for name in part.attrib}
    assert not [name for name in attributes if name.startswith("on") or name in ("href", "src", "style", "action")]


@EXAMPLES
@given(strategies.formulas)
def test_any_formula_is_one_element(formula: Formula) -> None:
    root = ElementTree.fromstring(mathml(formula))  # noqa: S314 - written here, a line above
    assert root.tag in CHILDREN


def test_the_schema_can_object() -> None:
    tree = parsed("<!DOCTYPE html><title>t</title><math><mfrac><mi>x</mi></mfrac><mo href=x>y</mo><ms>z</ms></math>")
    assert list(math_faults(tree)) == ["mfrac has 1 children", "mo has href", "ms is not in MathML Core"]


def test_a_file_is_whole_and_a_fragment_is_a_part_of_it() -> None:
    document = Document("t & u", (Paragraph("p"),), "s", "c")
    whole, part = render_html(document), render_html(document, standalone=False)
    assert part in whole
    assert part.startswith('<article class="document"><header><h1>t &amp; u</h1>')
    assert "<title>t &amp; u</title>" in whole
    assert "default-src 'none'" in whole
    assert not re.search(r"https?://|<script|@import|url\(", whole)


def test_blocks_become_what_they_are() -> None:
    assert body(Heading("A", 1), Heading("B", 9)) == "<h2>A</h2>\n<h6>B</h6>"
    assert body(Items(("a", Strong("b")), ordered=True)) == "<ol><li>a</li><li><strong>b</strong></li></ol>"
    assert body(Listing(("a  <b>", "c"))) == "<pre><code>a  &lt;b&gt;\nc</code></pre>"
    assert body(Paragraph(("run ", Code("x")), name="go")) == '<p data-name="go">run <code>x</code></p>'
    assert 'class="note warning" aria-label="Warning"' in body(Note((Paragraph("p"),), kind="warning"))
    assert '<h3><span class="count">2.</span> T</h3>' in body(Step(2, "T"))


def test_labels_that_follow_each_other_are_one_list() -> None:
    text = body(Labeled("a", (Paragraph("1"),)), Labeled("b", (Paragraph("2"),)), Paragraph("p"))
    assert text == (
        "<dl><div><dt>a</dt><dd><p>1</p></dd></div><div><dt>b</dt><dd><p>2</p></dd></div></dl>\n<p>p</p>"
    )  # fmt: skip


x, y, z = symbol("x"), symbol("y"), symbol("z")


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        (symbol("W", (0, 0), 1), "<msubsup><mi>W</mi><mrow><mn>0</mn><mn>0</mn></mrow><mn>1</mn></msubsup>"),
        (symbol("y", accent="hat"), '<mover accent="true"><mi>y</mi><mo stretchy="false">\u02c6</mo></mover>'),
        (call("σ", z), "<mi>σ</mi><mo>&#x2061;</mo>"),
        (juxtaposed(x, minus(Number(1), x)), '<mo>&#x2062;</mo><mrow><mo form="prefix" stretchy="false">(</mo>'),
        (Number(-4.4e-10), "<mn>4.4</mn><mo>×</mo><msup><mn>10</mn><mrow><mo>−</mo><mn>10</mn></mrow></msup>"),
        (Number(float("inf")), "<mn>∞</mn>"),
        (relation(x, "<", y), '<mo form="infix">&lt;</mo>'),
        (Cases(((x, None),)), "<mtext>otherwise</mtext>"),
        (Matrix(((Number(1.5),), (Number(10),))), "<mn>10</mn><mphantom><mn>.0</mn></mphantom>"),
    ],
)
def test_formulas_become_mathml(formula: Formula, written: str) -> None:
    assert written in mathml(formula)


def test_an_equation_may_break_at_its_relations_and_its_long_sides_at_their_signs() -> None:
    short = body(Equations((Equation(equals(x, y, z)),)))
    assert short.count("<math") == 3
    terms = [times(symbol("w", (place, "j"), 2), symbol("x", place)) for place in range(12)]
    assert body(Equations((Equation(equals(x, plus(*terms))),))).count("<wbr>") == 12
    moved = relation(x, "←", equals(plus(*terms), Number(0.5)))  # as an update is written: w ← w − η g = 0.5
    assert body(Equations((Equation(moved),))).count("<wbr>") == 13


def test_an_aligned_equation_has_the_whole_line_where_no_value_stands_beside_it() -> None:
    text = body(Equations((Equation(equals(x, y)), Equation(equals(y, z), value="(SGD, η = 0.5, alone)"))))
    assert [text.count(f'<span class="{each}">') for each in ("right free", "right")] == [1, 1]


def test_a_table_ties_cells_to_their_headers() -> None:
    columns = (Column("name", heading=True), Column("v"))
    text = body(
        Table(columns, (Row(("a", Number(1.25)), "high"), Row(("b", Number(10)))), total=Summary("sum", (None, x)))
    )
    assert '<th scope="col" role="columnheader">name</th>' in text
    assert '<th scope="row" role="rowheader">a</th>' in text
    assert "high</td>" in text
    lacking = '<span class="padding" aria-hidden="true">&#x2008;&#x2007;&#x2007;</span>'
    assert f'<span class="number">10</span>{lacking}' not in text  # the formula in the sum leaves words, set left
    numbers = body(Table(columns, (Row(("a", Number(1.25))), Row(("b", Number(10))))))
    assert f'<span class="number">10</span>{lacking}' in numbers


@pytest.mark.parametrize(
    ("count", "headed", "layout"),
    [(2, True, "stays"), (6, True, "stacks"), (6, False, "flows"), (12, True, "scrolls")],
)
def test_a_wide_table_has_a_narrow_form(count: int, headed: bool, layout: str) -> None:
    columns = tuple(Column(f"column {place}" if headed else None) for place in range(count))
    text = body(Table(columns, (Row(tuple(Number(0.123456) for _ in columns), "a note"),)))
    assert f'<table class="{layout}"' in text
    assert text.count('<span class="of"') == (count if layout == "stacks" else 0)
    assert text.startswith('<div class="scroll" tabindex="0" role="region"') == (layout == "scrolls")
    assert text.count("a note") == 1


def test_a_figure_says_what_it_shows_and_lists_its_points() -> None:
    figure = Figure("line", (Series("a", (0, 1), (0.1, 0.2)), Series("b", (0, 1), (1e-12, 3))), "It rises.")
    text = body(figure)
    assert 'role="img" viewBox="0 0 400 240"><title>It rises.</title>' in text
    assert "<figcaption>It rises.</figcaption>" in text
    assert '<span class="number">1 × 10<sup>−12</sup></span>' in text
    long = Figure("line", (Series("a", tuple(range(500)), tuple(range(500))),), "Long.")
    listed = body(long)
    assert "every 2nd of 500 rows" in listed
    assert listed.count('role="rowheader"') == 251  # the last one too


def luminance(color: str) -> float:
    """Relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_color_is_readable_on_its_ground() -> None:
    modes = (style.LIGHT, style.DARK)
    assert all(mode in document_css() for mode in modes)
    for mode, series in zip(modes, (LIGHT, DARK), strict=True):
        colors = dict(re.findall(r"--([a-z]+):(#[0-9a-f]{6})", mode))
        for name in ("ink", "quiet", "accent", "warning", "evidence"):
            assert contrast(colors[name], colors["ground"]) >= 4.5, name
            assert contrast(colors[name], colors["faint"]) >= 4.5, name
        assert min(contrast(color, colors["ground"]) for color in series) >= 4.5
