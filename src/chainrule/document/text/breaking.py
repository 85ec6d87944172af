"""Fits a formula into a width: whole, else broken at relations and signs, else in one line that wraps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from chainrule.document import formula as f
from chainrule.document.text.boxes import Box, beside, block, line
from chainrule.document.text.characters import HELD, split_at, strip_styles
from chainrule.document.text.characters import width as columns_of
from chainrule.document.text.typeset import BESIDE_GAP, Typesetter

SMALLER_MATRICES: Final = (8, 5, 3)
ENTRY_GAP: Final = "   "


def fit(formula: f.Formula, width: int, setter: Typesetter, spare: int = 0) -> Box:
    """The formula as a box no wider than the width; where it can be, with so many columns to spare."""
    for room in dict.fromkeys((max(width - spare, 1), width)):
        for candidate in (setter, *(replace(setter, matrix_limit=limit) for limit in SMALLER_MATRICES)):
            box = candidate.box(formula)
            if box.width <= room:
                return box
            broken = _broken(formula, room, candidate)
            if broken is not None:
                return broken
    return block(wrap(replace(setter, matrix_limit=SMALLER_MATRICES[-1]).text(formula), width, hang=2))


def wrap(text: str, width: int, *, hang: int = 0) -> list[str]:
    """Lines no wider than the width, broken at spaces, within a word only where it alone is too wide."""
    hang = hang if width > 4 * hang else 0
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        joined = f"{current} {word}" if current else word
        if columns_of(joined) <= width - (hang if lines else 0):
            current = joined
            continue
        if current.strip():
            lines.append(current)
        *full, current = _chunks(word, width - hang)
        lines += full
    lines = [*lines, current]
    return [" " * hang * (place > 0) + text for place, text in enumerate(lines)]


def side_by_side(entries: Sequence[str], width: int) -> list[str]:
    """As many entries a line as fit beside one another; one alone is broken only where it is wider than a line."""
    lines: list[str] = []
    for entry in entries:
        joined = f"{lines[-1]}{ENTRY_GAP}{entry}" if lines else entry
        if lines and columns_of(joined) <= width:
            lines[-1] = joined
        else:
            lines += wrap(entry, width)
    return lines


def loosened(text: str, width: int) -> str:
    """The text whose words too wide for a line have lost their held spaces and styles, so that they can be broken."""
    words = text.split(" ")
    return " ".join(word if columns_of(word) <= width else _loosened(strip_styles(word), width) for word in words)


def _loosened(word: str, width: int) -> str:
    """The word, broken outside of its brackets alone where that is enough."""
    depth, outside = 0, list[str]()
    for character in word:
        depth += (character in "([{") - (character in ")]}")
        outside.append(" " if character == HELD and depth <= 0 else character)
    parts = "".join(outside).split(" ")
    return " ".join(part if columns_of(part) <= width else part.replace(HELD, " ") for part in parts)


def _chunks(word: str, width: int) -> list[str]:
    if columns_of(word) <= width:
        return [word]
    word, parts = strip_styles(word), list[str]()
    while word:
        part, word = split_at(word, width)
        parts.append(part)
    return parts


def _broken(formula: f.Formula, width: int, setter: Typesetter) -> Box | None:
    """The formula over several lines, or None where a piece is too wide by itself."""
    if isinstance(formula, f.Beside):
        items = [setter.box(item) for item in formula.items]
        fits = all(item.width <= width for item in items)
        return _piled(_filled(items, width, 0, len(BESIDE_GAP)), 0, BESIDE_GAP) if fits else None
    hang = _hang(formula, width, setter)
    pieces = _pieces(formula, width - hang, setter)
    if any(piece.width > width - hang for piece in pieces):
        return None
    return _piled(_filled(pieces, width, hang), hang)


def _hang(formula: f.Formula, width: int, setter: Typesetter) -> int:
    """Where the lines after the first begin: under the first relation's sign, if that is not far to the right."""
    if not isinstance(formula, f.Relation):
        return 2
    left = setter.held(formula.left, 2).width
    return left if left <= width // 3 else 2


def _pieces(formula: f.Formula, width: int, setter: Typesetter) -> list[Box]:
    """The formula cut at its outermost signs, and the parts still too wide at theirs."""
    if isinstance(formula, f.Fraction) and isinstance(formula.numerator, f.Sum):  # Σ a · b over N as 1/N Σ a · b
        share = setter.box(f.Fraction(f.Number(1), formula.denominator))
        first, *others = _pieces(formula.numerator, width, setter)
        return [beside(share, line(" "), first), *others]
    if isinstance(formula, f.Sum) and isinstance(formula.body, f.Product):
        first, *others = setter.pieces(formula.body)
        return [beside(setter.box(replace(formula, body=f.Symbol(""))), first), *others]
    if not isinstance(formula, f.Relation | f.Plus | f.Product):
        return [setter.box(formula)]
    boxes = setter.pieces(formula)
    if isinstance(formula, f.Relation):
        sides = (formula.left, *(side for _, side in formula.rest))
        signs = ("", *(f" {sign} " for sign, _ in formula.rest))
        return [
            part
            for side, sign, box in zip(sides, signs, boxes, strict=True)
            for part in ([box] if box.width <= width else _side(side, sign, width, setter))
        ]
    return boxes


def _side(side: f.Formula, sign: str, width: int, setter: Typesetter) -> list[Box]:
    first, *others = _pieces(side, width, setter)
    return [beside(setter.sign(sign), first), *others]


def _filled(pieces: list[Box], width: int, hang: int, gap: int = 0) -> list[list[Box]]:
    rows: list[list[Box]] = [[]]
    used = 0
    for piece in pieces:
        needed = piece.width + gap * bool(rows[-1])
        if rows[-1] and used + needed > width:
            rows.append([])
            used, needed = hang, piece.width
        rows[-1].append(piece)
        used += needed
    return rows


def _piled(rows: list[list[Box]], hang: int, gap: str = "") -> Box:
    """Rows above one another, a blank line between them where any is tall."""
    gapped = [[part for box in row for part in (line(gap), box)][1:] or [line("")] for row in rows]
    boxes = [beside(line(" " * hang * (place > 0)), *row) for place, row in enumerate(gapped)]
    apart = any(box.height > 1 for box in boxes)
    lines = [text for place, box in enumerate(boxes) for text in ([""] * (apart and place > 0) + list(box.lines))]
    return block(lines, boxes[0].baseline)
