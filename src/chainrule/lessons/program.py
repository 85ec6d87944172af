"""A lesson as a program of its own: `python mine.py --format html --output mine.html`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import EXIT_FAILED, ChainruleError
from chainrule.runs.page import Page
from chainrule.train.durable import write_named

if TYPE_CHECKING:
    from chainrule.lessons.taught import Lesson


def run_as_program(lesson: Lesson, words: Sequence[str] | None = None) -> None:
    """Run the lesson as the words say, and write its page.

    Raises: SystemExit with 1 where a statement does not hold, and with an error's own code where one stops it.
    """
    asked = _parser(lesson).parse_args(words)
    try:
        taught = lesson.run(asked.seed)
        _write(_written(taught.page, asked.format), asked.output)
    except ChainruleError as error:
        sys.stderr.write(f"error[{error.code}]: {error}\n")
        raise SystemExit(error.exit_code) from None
    if not taught.holds:
        raise SystemExit(EXIT_FAILED)


def _parser(lesson: Lesson) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{lesson.title}: {lesson.question}")
    parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
    parser.add_argument("--format", choices=("text", "json", "latex", "html"), default="text")
    parser.add_argument("--output", "-o", type=Path, help="a file to write; else stdout")
    return parser


def _written(page: Page, form: str) -> str:
    match form:
        case "json":
            return page.to_json()
        case "latex":
            return page.latex
        case "html":
            return page.html
        case _:
            return page.text


def _write(text: str, output: Path | None) -> None:
    if output is not None:
        write_named(output, text.encode())
        return
    stream: object = sys.stdout
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")  # rather than fail where the terminal lacks a character
    sys.stdout.write(text)
