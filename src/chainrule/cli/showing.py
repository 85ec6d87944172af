"""A page where it is wanted and as it is wanted: text, JSON, LaTeX or HTML, on stdout or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

from cyclopts import Parameter

if TYPE_CHECKING:
    from chainrule.document import Document

Form: TypeAlias = Literal["text", "json", "latex", "html"]
Format: TypeAlias = Annotated[
    Form | None, Parameter(help="For people, programs, articles or browsers; text, or as the file ends.")
]
Output: TypeAlias = Annotated[Path | None, Parameter(name=("--output", "-o"), help="A file to write; else stdout.")]

ENDINGS: Final[dict[str, Form]] = {".json": "json", ".tex": "latex", ".html": "html", ".htm": "html"}


def show(
    document: Document, form: Form | None, *, output: Path | None = None, width: int | None = None, ascii: bool = False
) -> None:
    """Write the document.

    Args:
        document: what is shown.
        form: "text", "json", "latex" or "html"; None for what the file's name ends in, text where that says nothing.
        output: a file to write, told on stderr; None for stdout.
        width: columns of text; None for those of the screen.
        ascii: only ASCII characters, in text and in JSON; LaTeX always is, and HTML says its characters itself.

    Raises: WriteError for a file that cannot be written.
    """
    from chainrule.cli.screen import stderr, stdout
    from chainrule.train.durable import write_named

    screen = stdout(width=width, ascii=ascii)
    form = form or ENDINGS.get("" if output is None else output.suffix.lower(), "text")
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
