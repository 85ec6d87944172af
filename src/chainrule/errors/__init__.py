"""Every error raised on purpose, with its stable code and what to do next.

A message is one sentence: what came, what was wanted, what to do. The code names the page section in
`docs/errors.md`; the exit code is what the command line returns.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar, Final

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


class ChainruleError(Exception):
    """An error raised on purpose; its text is written for the person who reads it."""

    code: ClassVar[str] = "chainrule"
    exit_code: ClassVar[int] = EXIT_FAILED


class InputError(ChainruleError, ValueError):
    """What came from outside is not what was wanted: the caller can fix it."""

    code: ClassVar[str] = "input"
    exit_code: ClassVar[int] = EXIT_USAGE


class ShapeError(InputError):
    """Shapes do not fit together."""

    code: ClassVar[str] = "shape"


class DTypeError(InputError, TypeError):
    """The element types do not fit together."""

    code: ClassVar[str] = "dtype"


class ValueRangeError(InputError):
    """A number lies outside the range that has a meaning."""

    code: ClassVar[str] = "value-range"


class UnknownNameError(InputError, LookupError):
    """A name that does not exist, with the nearest ones that do."""

    code: ClassVar[str] = "unknown-name"

    def __init__(self, kind: str, name: str, options: Iterable[str], *, where: str = "") -> None:
        super().__init__(unknown_name(kind, name, options, where))


class UnknownAttributeError(InputError, AttributeError):
    """A name that a module does not have, with the nearest ones that it has."""

    code: ClassVar[str] = "attribute"

    def __init__(self, module: str, name: str, options: Iterable[str]) -> None:
        asked_by_tools = name.startswith("_")
        plain = f"module '{module}' has no attribute '{name}'"
        super().__init__(plain if asked_by_tools else unknown_name(f"name in {module}", name, options))


class ArgumentError(InputError, TypeError):
    """A call with an argument that it does not take, that it lacks, or that is of another kind."""

    code: ClassVar[str] = "argument"


class DataError(InputError):
    """The data cannot be used as they are: file, column and row are named."""

    code: ClassVar[str] = "data"


class UnreadableFileError(InputError, OSError):
    """A file that is missing, truncated, of another format or not permitted."""

    code: ClassVar[str] = "file"


class ExperimentError(InputError):
    """An experiment that contradicts itself or holds a key nobody knows."""

    code: ClassVar[str] = "experiment"


class RunError(InputError):
    """A run folder that is missing, damaged or not able to do what was asked."""

    code: ClassVar[str] = "run"


class GraphError(ChainruleError):
    """A graph that is not well formed."""

    code: ClassVar[str] = "graph"


class DerivativeError(ChainruleError, ValueError):
    """A derivative was asked for where none is defined."""

    code: ClassVar[str] = "derivative"


class BackendError(ChainruleError):
    """A backend that is missing or cannot run the graph."""

    code: ClassVar[str] = "backend"


class NonFiniteError(ChainruleError, ArithmeticError):
    """The loss became NaN or infinite during training."""

    code: ClassVar[str] = "non-finite"


class WriteError(ChainruleError, OSError):
    """A file could not be written; what was there before is intact."""

    code: ClassVar[str] = "write"


def unknown_name(kind: str, name: str, options: Iterable[str], where: str = "") -> str:
    """The sentence for a name that does not exist: what came and where, what it may have meant, what exists."""
    known = list(options)
    same = [option for option in known if option.casefold() == name.casefold()]
    close = same or difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    guess = f"did you mean '{close[0]}'? " if close else ""
    return f"unknown {kind} '{name}'{where}: {guess}{_listed(kind, known)}"


def _listed(kind: str, known: list[str], limit: int = 24) -> str:
    if not known:
        return f"there is no {kind} to choose from"
    shown = ", ".join(known[:limit])
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return f"known are {shown}{more}"
