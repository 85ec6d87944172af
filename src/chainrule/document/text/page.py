"""Sets the blocks of a document under one another: labels in a left column, everything else beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

import msgspec
from msgspec.structs import replace

from chainrule.document import tree as t
from chainrule.document.behind import stages_of, tables_of, thinned
from chainrule.document.content import Content, spans
from chainrule.document.formula import Relation
from chainrule.document.text import boxes
from chainrule.document.text.boxes import Box
from chainrule.document.text.breaking import fit, wrap
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.charts import figure_lines
from chainrule.document.text.landscapes import landscape_lines
from chainrule.document.text.spans import Pen, Style
from chainrule.document.text.tables import table_lines

LABEL_GAP: Final = 3
NARROWEST_BESIDE: Final = 28  # columns; with less beside the labels, labels go above
MARGIN_GAP: Final = 2
SHORT_MARGIN: Final = 10  # columns: the number of an equation keeps its place beside it
MOST_ROWS: Final = 24  # of numbers that stand for a drawing
NARROWEST: Final = 12  # columns; nothing is indented into less
_NOTES: Final[dict[t.NoteKind, tuple[str, Style]]] = {
    "info": ("Note", "label"), "warning": ("Warning", "warning"), "evidence": ("Evidence", "evidence"),
}  # fmt: skip
_TONES: Final[dict[t.Tone, Style]] = {"plain": "label", "evidence": "evidence", "warning": "warning"}


class Page(msgspec.Struct, frozen=True):
    """A width, a pen, and the width of the label column (0: labels stand above)."""

    width: int
    pen: Pen
    labels: int = 0

    def document(self, document: t.Document) -> list[str]:
        """The whole page."""
        rule = [self.pen.plain("─") * self.width]
        return [*self._head(document), *rule, *self.labeled_for(document.blocks).apart(document.blocks)]

    def labeled_for(self, blocks: Sequence[t.Block]) -> Page:
        """The page with the label column these blocks need; notes alone need none."""
        bare = all(isinstance(block, t.Note) or not any(_labels([block])) for block in blocks)
        labels = [] if bare else [self.pen.line(label) for label in _labels(blocks)]
        widest = max(map(columns_of, labels), default=0)
        column = min(widest, self.width // 4) + LABEL_GAP if widest else 0
        return replace(self, labels=column if self.width - column >= NARROWEST_BESIDE else 0)

    def apart(self, blocks: Sequence[t.Block]) -> list[str]:
        """Blocks with a blank line between them."""
        parts = [lines for block in blocks if (lines := self.block(block))]
        return [line for place, lines in enumerate(parts) for line in ([""] * (place > 0) + lines)]

    def close(self, blocks: Sequence[t.Block]) -> list[str]:
        """Blocks without blank lines between them."""
        return [line for block in blocks for line in self.block(block)]

    def block(self, block: t.Block) -> list[str]:  # noqa: C901 - one case a kind of block
        """One block."""
        match block:
            case t.Heading():
                return self._heading(block)
            case t.Paragraph(content=content):
                return self.pen.wrapped(content, self.width)
            case t.Equations():
                return self._equations(block)
            case t.Labeled(blocks=blocks, tone=tone):
                return self._beside(block.marked, self._inner(blocks), _TONES[tone])
            case t.Group(blocks=blocks):
                return self.close(blocks)
            case t.Items():
                return self._items(block)
            case t.Listing(lines=lines):
                return self._listing(lines)
            case t.Table():
                return table_lines(block, self.width, self.pen, self.labels)
            case t.Figure():
                return figure_lines(block, self.width, self.pen)
            case t.Landscape():
                return landscape_lines(block, self.width, self.pen)
            case t.Heatmap() | t.Diagram() | t.Pictures():
                return self._drawn(block)
            case t.Step():
                return self._step(block)
            case t.Note():
                return self._note(block)
            case t.Rule():
                return [self.pen.plain("─") * self.width]
            case _:
                assert_never(block)

    def _head(self, document: t.Document) -> list[str]:
        title, subtitle, context = (
            self.pen.line(part) for part in (document.title, document.subtitle, document.context)
        )
        left = "   ".join(part for part in (self.pen.styled(title, "title"), subtitle) if part)
        free = self.width - columns_of(left) - columns_of(context)
        if free >= 3 * bool(context):
            return [(left + " " * free + context).rstrip()]
        title_lines = self.pen.wrapped(document.title, self.width, style="title")
        rest = [self.pen.wrapped(part, self.width) for part in (document.subtitle, document.context) if part]
        return title_lines + [line for lines in rest for line in lines]

    def _heading(self, heading: t.Heading) -> list[str]:
        lines = self.pen.wrapped(heading.text, self.width, style="strong")
        widest = max(map(columns_of, lines))
        return lines if heading.level > 1 else [*lines, self.pen.plain("─") * widest]

    def _inner(self, blocks: Sequence[t.Block]) -> list[str]:
        """Blocks beside a label."""
        indent = self.labels or self._indent(2)
        return replace(self, width=self.width - indent, labels=0).close(blocks)

    def _beside(self, label: Content, lines: Sequence[str], style: Style = "label") -> list[str]:
        if not self.labels:
            return [*self.pen.wrapped(label, self.width, style=style), *self._indented(lines, self._indent(2))]
        left = self.pen.wrapped(label, self.labels - LABEL_GAP, style=style)
        count = max(len(left), len(lines))
        left, right = ([*part, *[""] * (count - len(part))] for part in (left, lines))
        return [(boxes.pad(name, self.labels) + line).rstrip() for name, line in zip(left, right, strict=True)]

    def _equations(self, block: t.Equations) -> list[str]:
        labeled = any(equation.label for equation in block.lines)
        indent = (self.labels or self._indent(2)) if labeled else 0
        inner = self.width - indent
        setter = replace(self.pen.display, inline=block.inline)
        fitted = [fit(equation.formula, inner, setter, self._kept_for(equation)) for equation in block.lines]
        lines: list[str] = []
        for place, (equation, box) in enumerate(
            zip(block.lines, self._on_relations(block, fitted, inner), strict=True)
        ):
            apart = place > 0 and (box.height > 1 or fitted[place - 1].height > 1)
            rows = self._valued(box, equation.value, inner)
            lines += [""] * apart + (self._beside(equation.label, rows) if labeled else rows)
        return lines

    def _kept_for(self, equation: t.Equation) -> int:
        """The columns that a formula leaves to what stands at its margin, where that is short."""
        needed = columns_of(self.pen.line(equation.value)) + MARGIN_GAP
        return needed if MARGIN_GAP < needed <= SHORT_MARGIN else 0

    def _on_relations(self, block: t.Equations, fitted: Sequence[Box], width: int) -> Sequence[Box]:
        """Boxes moved right so that their first relations stand in one column, where there is room."""
        setter = replace(self.pen.display, inline=block.inline)
        lefts = [
            setter.held(line.formula.left, 2).width if isinstance(line.formula, Relation) else None
            for line in block.lines
        ]
        column = max((left for left in lefts if left is not None), default=0)
        moved = [
            boxes.beside(boxes.line(" " * (column - (column if left is None else left))), box)
            for left, box in zip(lefts, fitted, strict=True)
        ]
        return moved if all(box.width <= width for box in moved) else fitted

    def _valued(self, box: Box, value: Content, width: int) -> list[str]:
        """The equation, its value at the right margin on the baseline, or under it where there is no room."""
        lines = list(box.lines)
        text = self.pen.line(value)
        if not text:
            return lines
        free = width - columns_of(lines[box.baseline]) - columns_of(text)
        if free >= 2:
            lines[box.baseline] += " " * free + text
            return lines
        return lines + self._indented(self.pen.wrapped(value, width - self._indent(2)), self._indent(2))

    def _drawn(self, block: t.Heatmap | t.Diagram | t.Pictures) -> list[str]:
        """What characters cannot draw: the numbers behind it, as many as one looks through, and its sentence."""
        title = self.pen.wrapped(block.title, self.width, style="strong") if block.title else []
        behind = (stages_of(block),) if isinstance(block, t.Diagram) else tables_of(block)
        tables = [thinned(table, MOST_ROWS) for table in behind]
        rows = [line for table in tables for line in table_lines(table, self.width, self.pen, self.labels)]
        return [*title, *rows, *self.pen.wrapped(block.alternative, self.width)]

    def _items(self, block: t.Items) -> list[str]:
        lines: list[str] = []
        for place, item in enumerate(block.items):
            mark = f"{place + 1}. " if block.ordered else self.pen.plain("• ")
            wrapped = self.pen.wrapped(item, self.width - len(mark))
            lines += [(mark if row == 0 else " " * len(mark)) + text for row, text in enumerate(wrapped)]
        return lines

    def _listing(self, lines: Sequence[str]) -> list[str]:
        indent = self._indent(2)
        wrapped = [wrap(self.pen.plain(line), self.width - indent, hang=2) for line in lines]
        return self._indented([part for parts in wrapped for part in parts], indent)

    def _step(self, step: t.Step) -> list[str]:
        mark = f"{step.number}. "
        title = self.pen.wrapped((mark, *spans(step.title)), self.width, hang=len(mark), style="strong")
        indent = self._indent(len(mark))
        inner = replace(self, width=self.width - indent, labels=0).labeled_for(step.blocks)
        return [*title, *self._indented(inner.apart(step.blocks), indent)]

    def _note(self, note: t.Note) -> list[str]:
        word, style = _NOTES[note.kind]
        if self.labels:
            return self._beside(word, self._inner(note.blocks))
        indent = self._indent(2)
        inner = replace(self, width=self.width - indent, labels=0)
        return [self.pen.styled(word, style), *self._indented(inner.apart(note.blocks), indent)]

    def _indented(self, lines: Sequence[str], indent: int) -> list[str]:
        return [" " * indent + line if line else line for line in lines]

    def _indent(self, wished: int) -> int:
        """The indent, or none on a page too narrow for it."""
        return wished if self.width - wished >= NARROWEST else 0


def _labels(blocks: Sequence[t.Block]) -> Iterator[Content]:
    """The labels that share one column: of these blocks and of the groups among them."""
    for block in blocks:
        match block:
            case t.Labeled():
                yield block.marked
            case t.Equations(lines=lines):
                yield from (line.label for line in lines)
            case t.Note(kind=kind):
                yield _NOTES[kind][0]
            case t.Group(blocks=inner):
                yield from _labels(inner)
            case _:
                pass
