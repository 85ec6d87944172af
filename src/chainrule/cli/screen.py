"""The terminal: its width, its colors and its characters, and whether a person sits before it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import msgspec

from chainrule.cli.columns import NARROWEST, columns, is_colored, is_unicode
from chainrule.document import Document, render_text
from chainrule.document.record import finite


class Screen(msgspec.Struct, frozen=True):
    """How to write to a stream.

    Attributes:
        stream: stdout or stderr.
        width: columns.
        ascii: whether only ASCII characters can be shown.
        color: whether styles are wanted.
        live: whether a line can be rewritten in place.
        person: whether a person reads it, rather than a program.
    """

    stream: TextIO
    width: int
    ascii: bool
    color: bool
    live: bool
    person: bool

    def show(self, document: Document) -> None:
        """Write a document."""
        self.stream.write(render_text(document, self.width, ascii=self.ascii, color=self.color))
        self.stream.flush()

    def say(self, line: str) -> None:
        """Write a line."""
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def json(self, value: Mapping[str, Any] | list[Any]) -> None:
        """Write plain values as a line of JSON; numbers that JSON lacks, NaN and infinities, become null."""
        self.stream.write(json_line(value, ascii=self.ascii))
        self.stream.flush()


def json_line(value: Mapping[str, Any] | list[Any], *, ascii: bool = False) -> str:
    """Plain values as a line of JSON; numbers that JSON lacks, NaN and infinities, become null."""
    return json.dumps(finite(value), ensure_ascii=ascii) + "\n"


def screen_of(stream: TextIO, *, width: int | None = None, ascii: bool = False) -> Screen:
    """The screen behind a stream.

    Args:
        stream: stdout or stderr.
        width: columns asked for; None for those that COLUMNS or the terminal has, 80 where there is none.
        ascii: whether only ASCII was asked for.
    """
    person = stream.isatty()
    dumb = os.environ.get("TERM") == "dumb"
    return Screen(
        stream=stream,
        width=max(NARROWEST, width or columns()),
        ascii=ascii or not is_unicode(stream),
        color=is_colored(stream),
        live=person and not dumb and not os.environ.get("CI"),
        person=person,
    )


def stdout(*, width: int | None = None, ascii: bool = False) -> Screen:
    """Where data go."""
    return screen_of(sys.stdout, width=width, ascii=ascii)


def stderr() -> Screen:
    """Where progress goes."""
    return screen_of(sys.stderr)
