"""Boxes of text: rectangles of characters with a baseline, set beside and above one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from chainrule.document.text.characters import width

NARROWEST_BAR: Final = 3  # a fraction bar of one column reads as a minus sign

# opening and closing: alone, top, middle, bottom, and the piece at the center of three rows or more
_TALL: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "(": ("(", "⎛", "⎜", "⎝", "⎜"),
    ")": (")", "⎞", "⎟", "⎠", "⎟"),
    "[": ("[", "⎡", "⎢", "⎣", "⎢"),
    "]": ("]", "⎤", "⎥", "⎦", "⎥"),
    "{": ("{", "⎧", "⎪", "⎩", "⎨"),
    "|": ("|", "│", "│", "│", "│"),
    "‖": ("‖", "‖", "‖", "‖", "‖"),
    "": ("", "", "", "", ""),
}
_TALL_ASCII: Final[dict[str, tuple[str, str, str, str, str]]] = {
    "(": ("(", "/", "|", "\\", "|"),
    ")": (")", "\\", "|", "/", "|"),
    "[": ("[", "[", "[", "[", "["),
    "]": ("]", "]", "]", "]", "]"),
    "{": ("{", "/", "|", "\\", "<"),
    "|": ("|", "|", "|", "|", "|"),
    "‖": ("||", "||", "||", "||", "||"),
    "": ("", "", "", "", ""),
}


class Box(msgspec.Struct, frozen=True):
    """Lines of equal width; the baseline is the line that stands level with the text around."""

    lines: tuple[str, ...]
    baseline: int = 0

    @property
    def width(self) -> int:
        """Columns."""
        return width(self.lines[0])

    @property
    def height(self) -> int:
        """Lines."""
        return len(self.lines)


def line(text: str) -> Box:
    """A box of one line."""
    return Box((text,))


def block(lines: Sequence[str], baseline: int = 0) -> Box:
    """Lines padded at the right to equal width."""
    columns = max(map(width, lines))
    return Box(tuple(pad(text, columns) for text in lines), baseline)


def pad(text: str, columns: int) -> str:
    """The text with spaces after it."""
    return text + " " * (columns - width(text))


def pad_left(text: str, columns: int) -> str:
    """The text with spaces before it."""
    return " " * (columns - width(text)) + text


def center(text: str, columns: int) -> str:
    """The text with spaces on both sides, the odd one after it."""
    return pad(" " * ((columns - width(text)) // 2) + text, columns)


def beside(*boxes: Box) -> Box:
    """Boxes side by side, their baselines level."""
    if all(box.height == 1 for box in boxes):
        return line("".join(box.lines[0] for box in boxes))
    above = max(box.baseline for box in boxes)
    below = max(box.height - box.baseline for box in boxes)
    rows = [_raised(box, above, below) for box in boxes]
    return Box(tuple("".join(parts) for parts in zip(*rows, strict=True)), above)


def stacked(boxes: Sequence[Box], baseline: int) -> Box:
    """Boxes above one another, centered; the baseline is a line of the whole."""
    columns = max(box.width for box in boxes)
    return Box(tuple(center(text, columns) for box in boxes for text in box.lines), baseline)


def fraction(numerator: Box, denominator: Box, bar: str) -> Box:
    """Numerator over a bar over denominator, the bar on the baseline."""
    columns = max(numerator.width, denominator.width)
    tall = numerator.height > 1 or denominator.height > 1
    return stacked((numerator, line(bar * max(columns + 2 * tall, NARROWEST_BAR)), denominator), numerator.height)


def raised(base: Box, exponent: Box) -> Box:
    """The exponent above and to the right of the base."""
    rows = [" " * base.width + text for text in exponent.lines]
    rows += [text + " " * exponent.width for text in base.lines]
    return Box(tuple(rows), exponent.height + base.baseline)


def delimited(inner: Box, left: str, right: str, *, ascii: bool) -> Box:
    """The box between delimiters as tall as it is."""
    shapes = _TALL_ASCII if ascii else _TALL
    if inner.height == 1:
        return line(shapes[left][0] + inner.lines[0] + shapes[right][0])
    gap = Box((" ",) * inner.height, inner.baseline)
    opening, closing = (_delimiter(shapes[sign], inner) for sign in (left, right))
    return beside(opening, gap, inner, gap, closing) if right else beside(opening, gap, inner)


def grid(cells: Sequence[Sequence[Box]], gap: int, aligns: Sequence[str]) -> Box:
    """Cells in rows and columns; the baseline is the middle line."""
    widths = [max(box.width for box in column) for column in zip(*cells, strict=True)]
    rows: list[str] = []
    for row in cells:
        placed = [_placed(box, columns, align) for box, columns, align in zip(row, widths, aligns, strict=True)]
        gapped = [part for box in placed for part in (line(" " * gap), box)][1:]
        rows += beside(*gapped).lines
    return Box(tuple(rows), (len(rows) - 1) // 2)


def _placed(box: Box, columns: int, align: str) -> Box:
    place = {"left": pad, "right": pad_left, "center": center}[align]
    return Box(tuple(place(text, columns) for text in box.lines), box.baseline)


def _delimiter(shape: tuple[str, str, str, str, str], inner: Box) -> Box:
    _, top, middle, bottom, heart = shape
    rows = [top, *[middle] * (inner.height - 2), bottom]
    if inner.height > 2:
        rows[inner.height // 2] = heart
    return Box(tuple(rows), inner.baseline)


def _raised(box: Box, above: int, below: int) -> list[str]:
    blank = " " * box.width
    return [blank] * (above - box.baseline) + list(box.lines) + [blank] * (below - (box.height - box.baseline))
