"""A page where it is wanted and as it is wanted: text, JSON, LaTeX or HTML, on stdout or in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from cyclopts import Parameter

from chainrule.cli.columns import NARROWEST
from chainrule.errors import ValueRangeError

if TYPE_CHECKING:
    from chainrule.document import Document

Form: TypeAlias = Literal["text", "json", "latex", "html"]


@dataclass(frozen=True, kw_only=True)
class Showing:
    """How a page is wanted, as flags.

    Attributes:
        format: "text", "json", "latex" or "html"; None for what the file's name ends in, text where that says nothing.
        output: a file to write, told on stderr; None for stdout.
        width: columns of text; None for those of the screen.
        ascii: only ASCII characters, in text and in JSON; LaTeX always is, and HTML says its characters itself.
    """

    format: Annotated[
        Form | None, Parameter(help="For people, programs, articles or browsers; text, or as the file ends.")
    ] = None
    output: Annotated[Path | None, Parameter(name=("--output", "-o"), help="A file to write; else stdout.")] = None
    width: Annotated[int | None, Parameter(help="Columns; those of the terminal where not said.")] = None
    ascii: Annotated[bool, Parameter(negative=(), show_default=False, help="Only ASCII characters.")] = False


AsWanted: TypeAlias = Annotated[Showing, Parameter(name="*")]
USUAL: Final = Showing()
ENDINGS: Final[dict[str, Form]] = {".json": "json", ".tex": "latex", ".html": "html", ".htm": "html"}


def show(document: Document, wanted: Showing) -> None:
    """Write the document as it is wanted.

    Raises: ValueRangeError for fewer columns than a page can have; WriteError for a file that cannot be written.
    """
    from chainrule.cli.screen import stderr, stdout
    from chainrule.train.durable import write_named

    if wanted.width is not None and wanted.width < NARROWEST:
        raise ValueRangeError(f"a page of {wanted.width} columns was asked for: give at least {NARROWEST}")
    output, ascii = wanted.output, wanted.ascii
    screen = stdout(width=wanted.width, ascii=ascii)
    form = wanted.format or ENDINGS.get("" if output is None else output.suffix.lower(), "text")
    if output is not None:
        write_named(output, _written(document, form, screen.width, ascii=ascii).encode())
        stderr().say(f"written to {output}")
    elif form == "text":
        screen.show(document)
    else:
        screen.stream.write(_written(document, form, screen.width, ascii=screen.ascii))


def _written(document: Document, form: str, width: int, *, ascii: bool) -> str:
    """The document in one of the forms."""
    match form:
        case "json":
            from chainrule.document.record import to_json

            return to_json(document, ascii=ascii)
        case "latex":
            from chainrule.document import render_latex

            return render_latex(document)
        case "html":
            from chainrule.document import render_html

            return render_html(document)
        case _:
            from chainrule.document import render_text

            return render_text(document, width, ascii=ascii)
