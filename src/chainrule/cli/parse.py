"""From the words after a verb to a call of its function; a mistake becomes one sentence."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal, cast, get_args, get_origin

from cyclopts import App, CycloptsError, Group, Parameter, Token, convert
from cyclopts.exceptions import MissingArgumentError, UnknownOptionError, UnusedCliTokensError
from rich.console import Console

from chainrule.cli.columns import columns, is_colored, is_unicode
from chainrule.errors import InputError, unknown_name

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")
NARROWEST_HELP: Final = 40  # columns; below that the boxes of the help have no room for a word


def call(verb: str, function: Callable[..., int], words: Sequence[str]) -> int:
    """Call the verb's function with its options.

    Args:
        verb: as it was typed: "train", "runs remove".
        function: takes positional words and options, as its annotations say.
        words: after the verb.

    Raises: InputError for an option that does not exist, lacks its value or has one of the wrong kind.
    """
    from chainrule.document.text.characters import to_ascii

    helped = io.StringIO()
    console = Console(file=helped, width=max(columns(), NARROWEST_HELP), force_terminal=is_colored(sys.stdout))
    app = application(f"chainrule {verb}", console)
    app.default(function)
    try:
        code: object = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        raise InputError(f"{_sentence(error, words)}; see chainrule {verb} --help") from error
    text = helped.getvalue()
    sys.stdout.write(text if is_unicode(sys.stdout) else to_ascii(text))
    return code if isinstance(code, int) else 0  # None after --help


def application(name: str, console: Console | None = None) -> App:
    """A command of that name without options of its own, which shows its help on the console."""
    return App(
        name=name, version_flags=[], help_format="plaintext", group_commands=Group("Help"), console=console,
        default_parameter=Parameter(converter=_converted), suppress_keyboard_interrupt=False,
    )  # fmt: skip


def _converted(kind: Any, tokens: Sequence[Token]) -> Any:  # Any: an annotation, and a value of it
    """The value of an option; whole numbers are never rounded to.

    Raises: InputError for anything else where a whole number, or one of a few words, is due.
    """
    came = tokens[-1] if tokens else None
    choices = _choices(kind)
    if came is not None and choices and came.value not in choices:
        raise InputError(unknown_name(came.keyword or "word", came.value, choices))
    if came is None or kind not in (int, int | None):
        return cast("object", convert(kind, tokens))
    if not _WHOLE.fullmatch(came.value):
        raise InputError(f"{came.keyword} takes a whole number, and got '{came.value}'")
    return int(came.value)


def _choices(kind: Any) -> tuple[str, ...]:  # Any: an annotation
    """The words that an option may be, where there are a few."""
    kinds = [kind, *get_args(kind)]
    return tuple(word for each in kinds if get_origin(each) is Literal for word in get_args(each))


def _sentence(error: CycloptsError, words: Sequence[str]) -> str:
    """What cyclopts found in these words, in the words of all our errors."""
    if isinstance(error.__cause__, InputError):
        return str(error.__cause__)
    if isinstance(error, UnknownOptionError):
        came, _, rest = str(error).removeprefix("Unknown option: ").partition(". Did you mean ")
        guess = f", did you mean {rest.removesuffix('?')}" if rest else ""
        return f"there is no option {came.strip('.').strip(chr(34))}{guess}"
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        if error.argument.index is not None:
            return f"{name.removeprefix('--').upper()} is missing"
        return f"{name} needs a value" if any(each in words for each in error.argument.names) else f"{name} is missing"
    if isinstance(error, UnusedCliTokensError):
        more = ", ".join(error.unused_tokens or ())
        return f"too many words came: {more} (several names for one option are joined by commas)"
    text = " ".join(str(error).split()).rstrip(".")
    return text[:1].lower() + text[1:]


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Names given several at a time, separated by commas; quotes protect a comma: `a,"b, c"`."""
    found: list[str] = []
    for line in csv.reader(list(values), skipinitialspace=True):
        found += [name.strip() for name in line if name.strip()]
    return tuple(found)


def numbers(option: str, text: str) -> tuple[int, ...]:
    """Whole numbers separated by commas.

    Raises: InputError for anything else.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"{option} takes whole numbers separated by commas, such as 64,32, and got '{text}'"
        ) from error


def moment(text: str) -> Literal["now", "start"] | int:
    """A moment of a run: now, start, or the number of a step.

    Raises: InputError for anything else.
    """
    if text == "now" or text == "start":
        return text
    try:
        return int(text)
    except ValueError as error:
        raise InputError(f"--at takes now, start or the number of a step, and got '{text}'") from error


def given(**options: Any) -> dict[str, Any]:  # Any: options of all types
    """The options that were typed."""
    return {name: value for name, value in options.items() if value is not None and value != ()}
