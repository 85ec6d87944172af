"""Writes the pieces of running text as one string, and wraps it; the only place that styles characters."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from chainrule.document.content import Code, Content, Strong, spans
from chainrule.document.text import breaking
from chainrule.document.text.characters import HELD, split_at, to_ascii, visible, width
from chainrule.document.text.typeset import Typesetter

Style = Literal["plain", "strong", "title", "label", "code", "quiet", "warning", "evidence"]

_CODES: Final[dict[Style, str]] = {
    "plain": "", "strong": "1", "title": "1", "label": "36", "code": "32", "quiet": "2",
    "warning": "33", "evidence": "34",
}  # fmt: skip


class Pen(msgspec.Struct, frozen=True):
    """How this page is written: its alphabet, and whether in color."""

    ascii: bool = False
    color: bool = False

    @property
    def display(self) -> Typesetter:
        """What sets formulas that stand alone."""
        return Typesetter(ascii=self.ascii)

    def plain(self, text: str) -> str:
        """Text from outside, made safe for this page."""
        shown = visible(text)
        return to_ascii(shown) if self.ascii else shown

    def line(self, content: Content) -> str:
        """A content as one line without breaks."""
        return self._joined(content).replace(HELD, " ")

    def held(self, content: Content) -> str:
        """A content as one line in which formulas and code hold together when it is wrapped."""
        return self._joined(content)

    def wrapped(self, content: Content, columns: int, *, hang: int = 0, style: Style = "plain") -> list[str]:
        """A content as lines no wider than the columns; formulas stay whole where they fit."""
        text = breaking.loosened(self._joined(content, style), columns - hang)
        return [line.replace(HELD, " ") for line in breaking.wrap(text, columns, hang=hang)]

    def clipped(self, text: str, columns: int) -> str:
        """The text, or as much of its beginning as fits before an ellipsis."""
        if width(text) <= columns:
            return text
        dots = self.plain("…")
        return split_at(text, columns - width(dots))[0] + dots if columns > width(dots) else split_at(text, columns)[0]

    def styled(self, text: str, style: Style) -> str:
        """The text in a style, where the page has color."""
        if not self.color or not text.strip() or not _CODES[style]:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"

    def _joined(self, content: Content, style: Style = "plain") -> str:
        return "".join(self._span(span, style) for span in spans(content))

    def _span(self, span: object, style: Style) -> str:
        match span:
            case str():
                return self._words(self.plain(span), style)
            case Strong(text):
                return self._words(self.plain(text), "strong")
            case Code(text):
                return self._words(self.plain(text), "code").replace(" ", HELD)
            case _:
                return self._words(self.display.text(span).replace(" ", HELD), style)  # pyright: ignore[reportArgumentType]

    def _words(self, text: str, style: Style) -> str:
        """Styled word by word, so that a line break never cuts a style in two."""
        return text if not self.color else " ".join(self.styled(word, style) for word in text.split(" "))
