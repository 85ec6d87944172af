"""The words and formulas of an opened weight's page, each a block, written in the subject's own notation."""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from chainrule.document import (
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Span,
    Sum,
    Symbol,
    equals,
    partial,
    relation,
    symbol,
    times,
)
from chainrule.explain.arrangement import joined
from chainrule.explain.book import Book, shown
from chainrule.explain.chain import Reader
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import LOSS, Y_HAT, Notation, at, subscripted
from chainrule.explain.opened import Opened
from chainrule.explain.textbook import Simplified
from chainrule.graph.facts import Fact
from chainrule.graph.node import Node, depends_on

SIX = NumberStyle("significant", 6)
K = symbol("k")


class Words:
    """Writes one opened weight."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._subject = opened.subject
        self.book = Book(opened.subject)

    # ---- symbols ----

    @property
    def notation(self) -> Notation:
        """That of the subject."""
        return self.book.notation

    @property
    def writer(self) -> Writer:
        """A writer in this notation."""
        return Writer(self.notation)

    def form(self, form: Simplified, label: int | str) -> Formula:
        """A derivative in its textbook form, for one unit."""
        return self.form_of(form, form.whole, label)

    def form_of(self, form: Simplified, node: Node, label: int | str) -> Formula:
        """A part of a derivative in its textbook form, for one unit."""
        named: dict[Node, Formula] = {stand_in: self.book.symbol_of(name) for stand_in, name in form.names.items()}
        return Writer(Notation(named), ["k"]).write(node, at(None, label))

    @cached_property
    def weight(self) -> Symbol:
        """The weight: W¹₀₃."""
        return subscripted(self._subject.symbols[self._opened.parameter], at(*self._opened.index))

    def value_symbol(self, name: str, label: int | str) -> Symbol:
        """One unit of a named value: a¹₃."""
        return subscripted(self.book.symbol_of(name), at(label))

    def delta_of(self, z: str, label: int | str) -> Symbol:
        """δ of one unit: δ¹₃."""
        return subscripted(replace(self._subject.symbols[z], name="δ"), at(label))

    def reached(self, name: str) -> Formula:
        """The adjoint of a value of the unit: δ of a pre-activation, else ∂L/∂a."""
        unit = self._opened.unit
        return self.delta_of(name, unit) if name.endswith(".z") else partial(LOSS, self.value_symbol(name, unit))

    def delta_symbol(self) -> Symbol:
        """δ of the unit that the weight feeds."""
        return self.delta_of(self._opened.route.z, self._opened.unit)

    def source_symbol(self, sample: str | None = None) -> Formula:
        """What the weight multiplies: x₂₈ or a¹₅, of any sample or of the one that the letter says."""
        source = self._opened.route.source
        book = next((v for n, v in self._named_sources() if self._opened.way.nodes[n] is source), self._subject.x)
        return self.notation.name(book, at(sample, self._opened.index[0]))

    def _named_sources(self) -> list[tuple[str, Node]]:
        return [*self._subject.values.items(), ("x", self._subject.x)]

    @cached_property
    def place(self) -> str:
        """Where the weight stands, in words."""
        opened = self._opened
        last = opened.route.z == opened.last_z
        unit = f"{'output' if last else 'unit'} {opened.unit}"
        layer = opened.parameter.rpartition(".")[0]
        if opened.route.source is None:
            return f"bias of {unit}" if last else f"bias of {unit} of {layer}"
        deltas = [opened.way.nodes[name] for name in self._subject.values if name.endswith(".z")]
        first = opened.route.source not in depends_on([opened.route.source], deltas)
        return f"weight from {'input' if first else 'unit'} {opened.index[0]} to {unit}"

    # ---- the chain ----

    def chain(self, position: int) -> Labeled:
        """∂L/∂w as the product of its factors, symbol by symbol."""
        unit = self._opened.unit
        steps = [
            partial(self.value_symbol(step.upper, unit), self.value_symbol(step.lower, unit))
            for step in reversed(self._opened.steps(position))
        ]
        inner = partial(self.value_symbol(self._opened.route.z, unit), self.weight)
        product = times(*self._outer(position), *steps, inner)
        return Labeled("The chain", shown(equals(partial(LOSS, self.weight), product)), name="chain")

    def batch_chain(self) -> Labeled:
        """The batch gradient as the mean of the samples' products."""
        delta = subscripted(replace(self.delta_symbol(), sub=None), at("n", self._opened.unit))
        own = delta if self._opened.is_bias else times(delta, self.source_symbol("n"))
        mean = Writer(Notation({**self.notation.symbols, self._subject.losses: own}))
        formula = equals(partial(LOSS, self.weight), mean.write(self._subject.loss, None, named=False))
        return Labeled("The chain", shown(formula), name="chain")

    def _outer(self, position: int) -> list[Formula]:
        """From the loss down to the value that the chain of the unit starts with."""
        opened, route = self._opened, self._opened.route
        top = self.value_symbol(opened.start(position).name, opened.unit)
        if route.readers:
            return [self._by_layer(reader, top, position) for reader in route.readers]
        if route.beyond and opened.paths(position):
            row = self.value_symbol(route.beyond, "k")
            return [Sum(times(partial(LOSS, row), partial(row, top)), K)]
        return [partial(LOSS, top)]

    def _by_layer(self, reader: Reader, top: Symbol, position: int) -> Formula:
        z_k = self.value_symbol(reader.z, "k")
        if len(self._opened.factors(reader, position)) == 1:
            return Sum(times(partial(LOSS, z_k), partial(z_k, top)), K)
        y_k = subscripted(Y_HAT, at("k"))
        return Sum(times(partial(LOSS, y_k), partial(y_k, z_k), partial(z_k, top)), K)

    def one_line(self, position: int) -> Labeled:
        """∂L/∂w = δ · a, with its numbers."""
        opened = self._opened
        gradient, delta = float(opened.per_sample[position]), Number(opened.delta(position), SIX)
        delta_symbol = self.delta_symbol()
        sides: list[Formula] = [delta_symbol if opened.is_bias else times(delta_symbol, self.source_symbol())]
        if opened.route.z == opened.last_z and opened.last_delta.is_short:
            sides.append(self._times_source(self.form(opened.last_delta, opened.unit)))
        if not opened.is_bias:
            sides.append(times(delta, Number(opened.source(position), SIX)))
        line = equals(partial(LOSS, self.weight), *sides, Number(gradient, SIX))
        return Labeled("In one line", shown(line, inline=True), name="gradient", data={"gradient": gradient})

    def _times_source(self, factor: Formula) -> Formula:
        return factor if self._opened.is_bias else joined([factor, self.source_symbol()])

    # ---- facts ----

    def facts(self) -> tuple[Span, ...]:
        """What had to be known of the data to reach the textbook form of the last delta."""
        spans: list[Span] = []
        for fact, node in self._opened.last_delta.facts:
            said = self._fact(fact, node)
            spans += ["; " if spans and said else "", *said]
        return tuple(each for each in spans if each) or ("none",)

    def _fact(self, fact: Fact, node: Node) -> list[Span]:
        """The fact as a formula where it is one of every row of y, as "Σₖ yₖ = 1"."""
        written = self.form_of(self._opened.last_delta, node, "k")
        if fact is Fact.ROWS_SUM_TO_ONE:
            return [equals(Sum(written, K), Number(1))]
        return [relation(written, ">", Number(0))] if fact is Fact.POSITIVE else [written, f" is {fact}"]
