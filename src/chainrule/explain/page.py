"""The words and formulas of an opened weight's page, each a block, written in the subject's own notation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from chainrule.backends.protocol import Array
from chainrule.document import (
    Absolute,
    Beside,
    Block,
    Column,
    Content,
    Equation,
    Equations,
    Formula,
    Labeled,
    Number,
    NumberStyle,
    Row,
    Span,
    Sum,
    Summary,
    Symbol,
    Table,
    equals,
    number,
    partial,
    relation,
    symbol,
    times,
)
from chainrule.explain.chain import Reader
from chainrule.explain.formulas import Writer
from chainrule.explain.notation import LOSS, SAMPLE_LOSS, Y_HAT, Notation, X, Y, at, subscripted
from chainrule.explain.numbers import evaluate
from chainrule.explain.opened import Opened, Path, Simplified
from chainrule.explain.subject import UpdateRule
from chainrule.graph.facts import Fact
from chainrule.graph.node import Node, depends_on
from chainrule.graph.primitives import PRIMITIVES

MOST_PATHS = 8  # rows of the table of paths; the rest is summed up in one line
DEEP = 3  # layers from which the deltas on the way are worth a table
MOST_LAYERS = 6  # formulas of the network; a deeper one shows its first and its last
SIX = NumberStyle("significant", 6)
SIGNED = NumberStyle("significant", 6, signed=True)
K = symbol("k")
WELL_KNOWN = frozenset({Fact.NONNEGATIVE, Fact.BELOW_ONE, Fact.NEGATIVE})  # consequences nobody needs told


def shown(formula: Formula, *, inline: bool = False, value: Content = "") -> tuple[Equations]:
    """One displayed formula, with a value at the right margin."""
    return (Equations((Equation(formula, value=value),), inline=inline),)


class Words:
    """Writes one opened weight."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._subject = opened.subject

    # ---- symbols ----

    @cached_property
    def notation(self) -> Notation:
        """Symbols of the book's nodes; where a node has two names, z before a and ŷ before both."""
        subject = self._subject
        named: dict[Node, Formula] = {
            subject.values[name]: subject.symbols[name] for name in reversed(list(subject.values))
        }
        named |= {node: subject.symbols[name] for name, node in subject.parameters.items()}
        named |= {subject.x: X, subject.y: Y, subject.y_hat: Y_HAT}
        return Notation(named)

    @property
    def writer(self) -> Writer:
        """A writer in this notation."""
        return Writer(self.notation)

    def book_form(self, form: Simplified, node: Node, label: int | str) -> Formula:
        """A factor of a derivative in its textbook form, for one unit."""
        named = {stand_in: self._symbol_of(name) for stand_in, name in form.names.items()}
        return Writer(Notation(named), ["k"]).write(node, at(None, label))

    def whole_form(self, form: Simplified, label: int | str) -> Formula:
        """A derivative in its textbook form, for one unit."""
        written = [self.book_form(form, factor, label) for factor in form.factors]
        return written[0] if len(written) == 1 else times(*written)

    def _symbol_of(self, name: str) -> Symbol:
        return {"y": Y, "y_hat": Y_HAT, "x": X}.get(name) or self._subject.symbols[name]

    @cached_property
    def weight(self) -> Symbol:
        """The weight: W¹₀₃."""
        return subscripted(self._subject.symbols[self._opened.parameter], at(*self._opened.index))

    def value_symbol(self, name: str, label: int | str) -> Symbol:
        """One unit of a named value: a¹₃."""
        return subscripted(self._subject.symbols[name], at(label))

    def delta_of(self, z: str, label: int | str) -> Symbol:
        """δ of one unit: δ¹₃."""
        return subscripted(replace(self._subject.symbols[z], name="δ"), at(label))

    def delta_symbol(self) -> Symbol:
        """δ of the unit that the weight feeds."""
        return self.delta_of(self._opened.route.z, self._opened.unit)

    def source_symbol(self) -> Formula:
        """What the weight multiplies: x₂₈ or a¹₅."""
        source = self._opened.route.source
        book = next((v for n, v in self._named_sources() if self._opened.way.nodes[n] is source), self._subject.x)
        return self.notation.name(book, at(None, self._opened.index[0]))

    def _named_sources(self) -> list[tuple[str, Node]]:
        return [*self._subject.values.items(), ("x", self._subject.x)]

    @cached_property
    def place(self) -> str:
        """Where the weight stands, in words."""
        opened = self._opened
        last = opened.route.z == opened.last_z
        unit = f"{'output' if last else 'unit'} {opened.unit}"
        layer = opened.parameter.rpartition(".")[0]
        if opened.is_bias:
            return f"bias of {unit}" if last else f"bias of {unit} of {layer}"
        first = opened.route.source is opened.way.nodes["x"]
        start = f"{'input' if first else 'unit'} {opened.index[0]}"
        return f"weight from {start} to {unit}"

    # ---- the network and its loss ----

    def network(self) -> Labeled:
        """Every layer's formulas."""
        formulas = [self._definition(name, node) for name, node in self._distinct_values()]
        if len(formulas) > 2 * MOST_LAYERS:
            formulas = [*formulas[:MOST_LAYERS], symbol("…"), *formulas[-MOST_LAYERS:]]
        return Labeled("The network", shown(Beside(tuple(formulas)), inline=True), name="network")

    def _distinct_values(self) -> list[tuple[str, Node]]:
        seen: dict[Node, str] = {}
        for name, node in self._subject.values.items():
            seen.setdefault(node, name)
        seen.setdefault(self._subject.y_hat, "y_hat")
        return [(name, node) for node, name in seen.items()]

    def _definition(self, name: str, node: Node) -> Formula:
        """The value's own formula: whole where it can be, for one element k where a row is summed over."""
        labels = at(None, "k") if self._sums_over_rows(node) else None
        left = self.notation.name(node, labels)
        return equals(left, Writer(self.notation, ["k"]).write(node, labels, named=False))

    def _sums_over_rows(self, node: Node) -> bool:
        named = [each for each in self.notation.symbols if each is not node]
        between = [n for n in depends_on([node], named) if n not in self.notation.symbols]
        return any(PRIMITIVES[n.primitive].kind == "reduction" for n in between)

    def loss(self, position: int) -> Labeled:
        """The loss of one sample, with its value."""
        formula = equals(LOSS, self.writer.write(self._subject.losses, at(None), named=False))
        value = float(self._opened.values["losses"][position])
        return Labeled("The loss", shown(formula, inline=True, value=equals(LOSS, number(value, 9))), name="loss")

    def mean_loss(self) -> Formula:
        """L as the mean of ℓₙ."""
        named = {**self.notation.symbols, self._subject.losses: SAMPLE_LOSS}
        return equals(LOSS, Writer(Notation(named)).write(self._subject.loss, None, named=False))

    # ---- the chain ----

    def chain(self) -> Labeled:
        """∂L/∂w as the product of its factors, symbol by symbol."""
        factors = [*self._outer(), *self._steps(), *self._inner()]
        return Labeled("The chain", shown(equals(partial(LOSS, self.weight), times(*factors))), name="chain")

    def batch_chain(self) -> Formula:
        """The batch gradient as the mean of the samples' products."""
        delta = self.delta_symbol()
        per_sample = times(delta, self.source_symbol()) if not self._opened.is_bias else delta
        mean = Writer(Notation({**self.notation.symbols, self._subject.losses: per_sample}))
        return equals(partial(LOSS, self.weight), mean.write(self._subject.loss, None, named=False))

    def _outer(self) -> list[Formula]:
        """From the loss down to the last activation before the next layer."""
        opened, route = self._opened, self._opened.route
        top = self.value_symbol(route.top, opened.unit)
        if route.readers:
            return [self._through(reader, top) for reader in route.readers]
        if opened.prediction_paths is not None:
            y_k = subscripted(Y_HAT, at("k"))
            return [Sum(times(partial(LOSS, y_k), partial(y_k, top)), K)]
        return [partial(LOSS, self._prediction_or(top))]

    def _through(self, reader: Reader, top: Symbol) -> Formula:
        z_k = self.value_symbol(reader.z, "k")
        return Sum(times(partial(LOSS, z_k), partial(z_k, top)), K)

    def _prediction_or(self, top: Symbol) -> Symbol:
        node = self._subject.values[self._opened.route.top]
        return subscripted(Y_HAT, at(self._opened.unit)) if node is self._subject.y_hat else top

    def _steps(self) -> list[Formula]:
        unit = self._opened.unit
        return [
            partial(self.value_symbol(s.upper, unit), self.value_symbol(s.lower, unit))
            for s in reversed(self._opened.route.slopes)
        ]

    def _inner(self) -> list[Formula]:
        z = self.value_symbol(self._opened.route.z, self._opened.unit)
        return [partial(z, self.weight)]

    # ---- the numbers of the chain ----

    def paths(self, position: int) -> list[Block]:
        """The table of paths with their sum, then the steps from there to the weight."""
        found = self._opened.paths(position)
        blocks: list[Block] = [self._path_table(found, position)] if found else []
        return [*blocks, self._steps_table(position)]

    def _path_table(self, paths: list[Path], position: int) -> Table:
        opened = self._opened
        top, rest = _largest(paths)
        columns = (
            Column("through", heading=True),
            *(Column(header, second, style=SIX) for header, second in self._path_headers(paths[0].reader)),
            Column("product", style=SIGNED),
        )
        blank = (None,) * (len(columns) - 2)
        what = self.value_symbol(opened.route.top, opened.unit)
        left_out = sum(path.value for path in rest)
        return Table(
            columns,
            tuple(Row(self._path_row(path, columns)) for path in top),
            remainder=Summary(f"and {len(rest)} more, together", (None, *blank, Number(left_out, SIGNED)))
            if rest
            else None,
            total=Summary(
                ("sum = ", partial(LOSS, what)), (None, *blank, Number(opened.adjoint_of_top(position), SIGNED))
            ),
            name="paths",
            data={"terms": [path.value for path in paths], "sum": opened.adjoint_of_top(position)},
        )

    def _path_row(self, path: Path, columns: tuple[Column, ...]) -> tuple[Content | None, ...]:
        factors = [Number(value) for value in path.factors]
        missing = len(columns) - 2 - len(factors)
        name: tuple[Span, ...] = (equals(K, Number(path.k)),)
        if len(self._opened.route.readers) > 1 and path.reader is not None:
            name = (path.reader.z.rpartition(".")[0], " ", *name)
        return (name, *([None] * missing), *factors, Number(path.value))

    def _path_headers(self, reader: Reader | None) -> list[tuple[Formula, Formula | None]]:
        """Each factor of a path, with its formula under it where the symbol alone does not say it."""
        opened = self._opened
        if reader is None:
            y_k, form = subscripted(Y_HAT, at("k")), opened.prediction_slope
            return [
                (partial(LOSS, y_k), self.whole_form(form, "k")),
                (partial(y_k, self.value_symbol(opened.route.top, opened.unit)), None),
            ]
        weight = subscripted(self._subject.symbols[reader.W], at(opened.unit, "k"))
        delta = self.delta_of(reader.z, "k")
        if reader.z != opened.last_z:
            return [(delta, None), (weight, None)]
        form = opened.last_delta
        written = [self.book_form(form, factor, "k") for factor in form.factors]
        headers = [(delta, written[0])] if len(written) == 1 else [(each, None) for each in written]
        return [*headers, (weight, None)]

    def _steps_table(self, position: int) -> Table:
        """What the sum is multiplied with, one factor a line, and what has been reached after it."""
        opened = self._opened
        rows: list[Row] = []
        reached = opened.adjoint_of_top(position)
        if not opened.paths(position):
            rows.append(self._start_row(position))
        slopes = opened.slopes(position)
        for step, factor in zip(reversed(opened.route.slopes), slopes, strict=True):
            reached *= factor.value
            formula = self.whole_form(factor.form, opened.unit)
            after = (
                self.delta_symbol()
                if step is opened.route.slopes[0]
                else partial(LOSS, self.value_symbol(step.lower, opened.unit))
            )
            value = opened.delta(position) if step is opened.route.slopes[0] else reached
            rows.append(Row(("times", formula, Number(factor.value, SIX), "→", after, Number(value, SIGNED))))
        gradient = Number(float(opened.per_sample[position]), SIGNED)
        if opened.is_bias:
            last = Row(("times", Number(1), "", "→", partial(LOSS, self.weight), gradient))
        else:
            source = Number(opened.source(position), SIX)
            last = Row(("times", self.source_symbol(), source, "→", partial(LOSS, self.weight), gradient))
        columns = (Column(heading=True), Column(), Column(), Column(), Column(), Column())
        return Table(columns, (*rows, last), name="steps")

    def _start_row(self, position: int) -> Row:
        opened = self._opened
        top = self._prediction_or(self.value_symbol(opened.route.top, opened.unit))
        value = Number(opened.adjoint_of_top(position), SIGNED)
        return Row(("from", partial(LOSS, top), value, "", "", ""))

    def way_back(self, position: int) -> list[Block]:
        """How large the deltas are, layer by layer, on the way from the loss to the weight; for deep networks."""
        opened = self._opened
        names = [name for name in self._subject.values if name.endswith(".z")]
        passed = names[names.index(opened.route.z) :]
        if len(passed) < DEEP:
            return []
        rows: list[Row] = []
        for name in reversed(passed):
            deltas = opened.values[f"∂ {name}"][position]
            size, off = float(np.linalg.norm(deltas)), int(np.sum(deltas == 0.0))
            norm = Absolute(replace(self._subject.symbols[name], name="δ"), norm=True)
            rows.append(Row((name.rpartition(".")[0], norm, Number(size, SIX), f"{off} of {len(deltas)} exactly 0")))
        columns = (Column(heading=True), Column(), Column(), Column())
        return [Labeled("The way back", (Table(columns, tuple(rows), name="way back"),))]

    def one_line(self, position: int) -> Labeled:
        """∂L/∂w = δ · a, with its numbers."""
        opened = self._opened
        value = Number(float(opened.per_sample[position]), SIX)
        delta = Number(opened.delta(position), SIX)
        sides: list[Formula] = [self.delta_symbol(), delta]
        if not opened.is_bias:
            sides = [
                times(self.delta_symbol(), self.source_symbol()),
                times(delta, Number(opened.source(position), SIX)),
            ]
        if opened.route.z == opened.last_z and len(opened.last_delta.factors) == 1:
            book = self.book_form(opened.last_delta, opened.last_delta.factors[0], opened.unit)
            sides.insert(0, book if opened.is_bias else times(book, self.source_symbol()))
        line = equals(partial(LOSS, self.weight), *sides, *([] if opened.is_bias else [value]))
        return Labeled("In one line", shown(line, inline=True), name="gradient", data={"gradient": value.value})

    # ---- the update ----

    def update(self, gradient: float) -> list[Block]:
        """What the optimizer makes of the gradient: each of its formulas, filled in."""
        rule = self._subject.update
        if rule is None:
            return []
        lines = tuple(self._update_lines(rule, gradient))
        last = replace(lines[-1], value=f"({rule.said})")
        return [Labeled("The update", (Equations((*lines[:-1], last), inline=True),), name="update")]

    def _update_lines(self, rule: UpdateRule, gradient: float) -> list[Equation]:
        given = self._update_inputs(rule, gradient)
        values = {name: float(value) for name, value in evaluate(dict(rule.graph.outputs), given).items()}
        numbers: dict[Node, Formula] = {
            node: Number(float(given[node.label]), SIX) for node in rule.graph.inputs if node.label in given
        }
        lines: list[Equation] = []
        order = [name for name in rule.graph.output_names if name != "parameter"]
        for name in [*order, "parameter"]:
            node = rule.graph[name]
            target = self.weight if name == "parameter" else rule.symbols[name]
            filled = Writer(Notation(numbers)).write(node, None, named=False)
            lines.append(Equation(relation(target, "←", equals(filled, number(values[name], 9)))))
            numbers[node] = Number(values[name], SIX)
        return lines

    def _update_inputs(self, rule: UpdateRule, gradient: float) -> Mapping[str, Array]:
        index = self._opened.index
        slots = rule.slots.get(self._opened.parameter, {})
        given = {name: array[index] for name, array in slots.items()}
        given |= {"parameter": self._opened.values["weight"][index], "gradient": np.array(gradient)}
        given |= {"rate": np.array(rule.rate), "step": np.array(rule.step, dtype=np.uint32)}
        return {name: np.asarray(given[name]) for name in rule.graph.input_names}

    # ---- facts ----

    def facts(self) -> tuple[Span, ...]:
        """What had to be known to reach the textbook form of the last delta."""
        spans: list[Span] = []
        for fact, node in self._opened.last_delta.facts:
            if fact in WELL_KNOWN:
                continue
            spans += ["; " if spans else "", *self._fact(fact, node)]
        return tuple(spans) or ("none",)

    def _fact(self, fact: Fact, node: Node) -> list[Span]:
        written = self.book_form(self._opened.last_delta, node, "k") if node.tensor.rank == 2 else None
        if written is None:
            return []
        if fact is Fact.ROWS_SUM_TO_ONE:
            return [equals(Sum(written, K), Number(1))]
        return [relation(written, ">", Number(0))] if fact is Fact.POSITIVE else [written, f" is {fact}"]


def _largest(paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """The paths to show and the rest: all of a few, else the largest, none of which is 0."""
    if len(paths) <= MOST_PATHS and all(path.value != 0.0 for path in paths):
        return paths, []
    order = sorted(paths, key=lambda path: -abs(path.value))
    count = max(1, min(MOST_PATHS, sum(path.value != 0.0 for path in paths)))
    return order[:count], order[count:]
