"""What a person should know though nothing failed: a file was damaged, and another way was found."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO


class Notice(UserWarning):
    """Something to know that is no error, as one sentence; `warnings.filterwarnings` can silence or raise it."""


def warn(sentence: str) -> None:
    """Tell it: from Python as a warning, in the command line as a line on stderr."""
    warnings.warn(sentence, Notice, stacklevel=2)


@contextmanager
def notices_to(stream: TextIO) -> Generator[None]:
    """Write each notice as a line, rather than with the place in the code that gave it."""
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: object) -> None:
        if issubclass(category, Notice):
            stream.write(f"notice: {message}\n")
        else:
            shown(message, category, *where)  # pyright: ignore[reportArgumentType]

    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        warnings.showwarning = show
        yield
