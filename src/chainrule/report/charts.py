"""Every chart of a document as files: SVG, PNG, and the numbers behind it as CSV."""

from __future__ import annotations

from pathlib import Path

from chainrule.document import Document, Drawn, render_csv, walk
from chainrule.document.figure_png import render_png
from chainrule.document.figure_svg import render_svg
from chainrule.train.durable import make_folder, write_named


def charts_of(document: Document) -> dict[str, Drawn]:
    """What is drawn in it, by name and in order; what has no name of its own is counted."""
    found: dict[str, Drawn] = {}
    for block in walk(document):
        if isinstance(block, Drawn):
            found[_free(block.name or f"chart-{len(found) + 1}", found)] = block
    return found


def write_charts(document: Document, folder: Path) -> tuple[Path, ...]:
    """Write each chart of a document as NAME.svg, NAME.png and NAME.csv.

    Returns: the files, in order.
    Raises: WriteError when one cannot be written.
    """
    make_folder(folder)
    written: list[Path] = []
    for name, drawn in charts_of(document).items():
        files = {"svg": render_svg(drawn).encode(), "png": render_png(drawn), "csv": render_csv(drawn).encode()}
        for ending, content in files.items():
            path = folder / f"{name}.{ending}"
            write_named(path, content)
            written.append(path)
    return tuple(written)


def _free(name: str, taken: dict[str, Drawn]) -> str:
    """The name, or the first of name-2, name-3, … that nothing bears yet."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
