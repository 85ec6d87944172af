"""Arbitrary documents: any numbers, any text (controls, escapes, wide and combining characters), any nesting."""

from __future__ import annotations

from hypothesis import strategies as st

from chainrule.document import (
    Absolute,
    Beside,
    Call,
    Cases,
    Code,
    Column,
    Diagram,
    Differential,
    Document,
    Elided,
    Equation,
    Equations,
    Figure,
    Fraction,
    Group,
    Heading,
    Heatmap,
    Indexed,
    Indices,
    Items,
    Labeled,
    Landscape,
    Link,
    Listing,
    Matrix,
    Note,
    Number,
    NumberStyle,
    Paragraph,
    Parentheses,
    Picture,
    Pictures,
    Plus,
    Power,
    Product,
    Relation,
    Root,
    Row,
    Rule,
    Series,
    Stage,
    Step,
    Strong,
    Sum,
    Summary,
    Symbol,
    Table,
    Term,
    Transpose,
    Words,
)
from chainrule.document.drawn import FigureKind

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x07",
    "a\nb",
    "\u202eevil",
    "日本語",
    "e\u0301\u0302",
    "\u200b",
    "👩\u200d🔬",
    "\x9b2J",
    "\ud800",
]
words = st.one_of(
    st.text(max_size=24),
    st.sampled_from(HOSTILE),
    st.text(alphabet="abc d.[]_3", max_size=90),
)
styles = st.builds(
    NumberStyle,
    st.sampled_from(["significant", "fixed", "scientific", "percent", "count", "exact"]),
    st.integers(1, 17),
    st.booleans(),
    st.booleans(),
)
values = st.one_of(st.floats(), st.integers(-(2**63), 2**63), st.sampled_from([0.0, -0.0, 5e-324, 1.7e308]))
numbers = st.builds(Number, values, st.none() | styles)


def _tuples(of: st.SearchStrategy, most: int = 3, least: int = 0) -> st.SearchStrategy:
    return st.lists(of, min_size=least, max_size=most).map(tuple)


def _larger(part: st.SearchStrategy) -> st.SearchStrategy:
    maybe = st.none() | part
    marked = st.builds(
        Symbol,
        words,
        maybe,
        maybe,
        st.sampled_from([None, "hat", "bar", "tilde", "dot", "prime", "star"]),
        st.booleans(),
    )
    sides = _tuples(st.tuples(st.sampled_from(["=", "≈", "←", "≤", "∝"]), part))
    return st.one_of(
        marked,
        st.builds(Indices, _tuples(part)),
        st.builds(Indexed, part, _tuples(part)),
        st.builds(Differential, part, st.sampled_from(["∂", "d", "∇", "Δ"])),
        st.builds(Fraction, part, part),
        st.builds(Power, part, part),
        st.builds(Root, part),
        st.builds(Call, part, _tuples(part)),
        st.builds(Transpose, part),
        st.builds(Absolute, part, st.booleans()),
        st.builds(Parentheses, part),
        st.builds(Sum, part, maybe, maybe, maybe),
        st.builds(Product, _tuples(part), st.sampled_from(["dot", "space", "times", "elementwise", "outer"])),
        st.builds(Plus, _tuples(st.builds(Term, part, st.booleans()))),
        st.builds(Relation, part, sides),
        st.builds(Beside, _tuples(part)),
        st.integers(0, 15).flatmap(lambda columns: st.builds(Matrix, _tuples(_tuples(part, columns, columns), 14))),
        st.builds(Cases, _tuples(st.tuples(part, maybe))),
    )


formulas = st.recursive(
    st.one_of(st.builds(Symbol, words), numbers, st.builds(Words, words), st.just(Elided())), _larger, max_leaves=8
)
spans = st.one_of(words, st.builds(Strong, words), st.builds(Code, words), formulas)
contents = spans | _tuples(spans)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(0, 12))
    cells = _tuples(st.one_of(st.none(), numbers, numbers, contents), count, count)
    column = st.builds(
        Column,
        st.none() | contents,
        st.none() | contents,
        st.sampled_from([None, "left", "center", "right", "point"]),
        st.none() | styles,
        st.booleans(),
    )
    summary = st.none() | st.builds(Summary, contents, cells)
    rows = _tuples(st.builds(Row, cells, st.just("") | contents), 4)
    return Table(draw(_tuples(column, count, count)), draw(rows), draw(summary), draw(summary), draw(contents))


@st.composite
def figures(draw: st.DrawFn) -> Figure:
    kind: FigureKind = draw(st.sampled_from(["line", "scatter", "bar"]))
    count = draw(st.integers(0, 6))
    points = _tuples(values, count, count)
    series = draw(_tuples(st.builds(Series, words, points, points), 3))
    categories = draw(_tuples(words, count, count)) if kind == "bar" else ()
    labels = [draw(words) for _ in range(3)]
    decades = draw(st.booleans()), draw(st.booleans())
    return Figure(kind, series, labels[0], draw(contents), labels[1], labels[2], categories, *decades)


@st.composite
def heatmaps(draw: st.DrawFn) -> Heatmap:
    count = draw(st.integers(0, 4))
    counts = _tuples(_tuples(st.integers(0, 10**6), count, count), count, count)
    names = draw(_tuples(words, count, count))
    return Heatmap(names, draw(counts), draw(words), draw(contents), draw(words), draw(words))


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    units = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    stages = [
        Stage(draw(words), draw(words), count + draw(st.integers(0, 3)), tuple(range(count)), draw(_tuples(words, 5)))
        for count in units
    ]
    link = st.builds(Link, st.integers(0, 6), st.integers(0, 6), st.floats())
    return Diagram(tuple(stages), draw(_tuples(_tuples(link, 6), len(units) - 1, len(units) - 1)), draw(words))


@st.composite
def landscapes(draw: st.DrawFn) -> Landscape:
    places = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5, unique=True).map(sorted).map(tuple)
    x, y = draw(places), draw(places)
    heights = _tuples(_tuples(st.floats(), len(x), len(x)), len(y), len(y))
    count = draw(st.integers(0, 4))
    path = st.builds(Series, words, _tuples(values, count, count), _tuples(values, count, count))
    paths, title = draw(_tuples(path, 3)), draw(contents)
    said, across, up, value = (draw(words) for _ in range(4))
    return Landscape(x, y, draw(heights), said, paths, title, across, up, value, draw(st.booleans()))


@st.composite
def pictures(draw: st.DrawFn) -> Pictures:
    headers = draw(_tuples(words, 3))
    picture = st.builds(Picture, _tuples(_tuples(st.floats())), _tuples(words, len(headers), len(headers)))
    return Pictures(draw(_tuples(picture, 7)), headers, draw(words), draw(contents))


flat = st.one_of(
    st.builds(Heading, contents, st.integers(1, 4)),
    st.builds(Paragraph, contents),
    st.builds(Equations, _tuples(st.builds(Equation, formulas, contents, contents)), st.booleans()),
    st.builds(Items, _tuples(contents), st.booleans()),
    st.builds(Listing, _tuples(words)),
    tables(),
    figures(),
    heatmaps(),
    diagrams(),
    pictures(),
    landscapes(),
    st.builds(Rule),
)


def _nested(block: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(
        st.builds(Labeled, contents, _tuples(block)),
        st.builds(Group, _tuples(block)),
        st.builds(Step, st.integers(0, 12_345), contents, _tuples(block)),
        st.builds(Note, _tuples(block), st.sampled_from(["info", "warning", "evidence"])),
    )


blocks = st.recursive(flat, _nested, max_leaves=4)
documents = st.builds(Document, contents, _tuples(blocks), contents, contents)
