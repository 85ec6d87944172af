"""From the words after a verb to a call of its function; a mistake becomes one sentence."""

from __future__ import annotations

import csv
import difflib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NoReturn, TypeAlias

from chainrule.cli.option import Setting, bare, choices_of, settings_of
from chainrule.errors import InputError, unknown_name

Value: TypeAlias = Any  # of an option, of whatever kind that is

HELP: Final = ("--help", "-h")
END: Final = "--"  # what follows are words, whatever they begin with
YES, NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER: Final = re.compile(r"-[0-9.]")  # what begins so is no option


def call(verb: str, function: Callable[..., int], words: Sequence[str]) -> int:
    """Call the verb's function with its options, or show its help where that is asked for.

    Args:
        verb: as it was typed: "train", "runs remove".
        function: takes positional words and options, as its annotations say.
        words: after the verb.

    Raises: InputError for an option that does not exist, lacks its value or has one of the wrong kind.
    """
    if any(word in HELP for word in words[: words.index(END) if END in words else None]):
        from chainrule.cli.help import help_of

        sys.stdout.write(help_of(verb, function))
        return 0
    try:
        placed, named = _bound(settings_of(function), words)
    except InputError as error:
        raise InputError(f"{error}; see chainrule {verb} --help") from error
    return function(*placed, **named)


# ---- words and what they set ----


def _bound(settings: Sequence[Setting], words: Sequence[str]) -> tuple[list[Value], dict[str, Value]]:
    """What the function takes by place and by name."""
    bare_words, typed = _sorted(settings, words)
    placed: list[Value] = []
    for setting in (each for each in settings if each.is_positional):
        taken = bare_words if setting.is_rest else bare_words[:1]
        bare_words = bare_words[len(taken) :]
        placed += [_value(setting, setting.names[0], word) for word in taken]
        if not taken and setting.is_needed:
            raise InputError(f"{setting.names[0]} is missing")
    if bare_words:
        more = ", ".join(bare_words)
        raise InputError(f"too many words came: {more} (several names for one option are joined by commas)")
    for setting in settings:
        if setting.is_needed and not setting.is_positional and setting not in typed:
            raise InputError(f"{setting.names[0]} is missing")
    return placed, _by_name(typed)


def _sorted(settings: Sequence[Setting], words: Sequence[str]) -> tuple[list[str], dict[Setting, Value]]:
    """The words that stand by their place, and the values of options."""
    known = {name: each for each in settings if not each.is_positional for name in (*each.names, *each.negatives)}
    bare_words, typed, left = list[str](), dict[Setting, Value](), list(words)
    while left:
        word = left.pop(0)
        if word == END:
            return bare_words + left, typed
        if not _is_option(word):
            bare_words.append(word)
            continue
        name = word.partition("=")[0].replace("_", "-")
        setting = known.get(name) or _unknown(name, known)
        value = _flag(setting, name, word) if setting.is_flag else _taken(setting, name, word, left, known)
        _set(typed, setting, name, value)
    return bare_words, typed


def _is_option(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not _NUMBER.match(word)


def _unknown(name: str, known: Iterable[str]) -> NoReturn:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    raise InputError(f"there is no option {name}{f', did you mean {close[0]}' if close else ''}")


def _taken(setting: Setting, name: str, word: str, left: list[str], known: Mapping[str, Setting]) -> Value:
    """The value of an option: behind "=", or the next word."""
    _, equals, value = word.partition("=")
    if not equals:
        if not left or left[0] in (END, *HELP) or left[0].partition("=")[0] in known:
            raise InputError(f"{name} needs a value")
        value = left.pop(0)
    return _value(setting, name, value)


def _flag(setting: Setting, name: str, word: str) -> bool:
    """Yes, or no by another name; --json=false says so too."""
    _, equals, value = word.partition("=")
    if equals and value.lower() not in (*YES, *NO):
        raise InputError(f"{name} takes yes or no, and got '{value}'")
    return (name in setting.names) == (not equals or value.lower() in YES)


def _set(typed: dict[Setting, Value], setting: Setting, name: str, value: Value) -> None:
    if setting.is_many:
        typed[setting] = (*typed.get(setting, ()), value)
    elif setting in typed:
        raise InputError(f"{name} came twice: give it once")
    else:
        typed[setting] = value


def _by_name(typed: Mapping[Setting, Value]) -> dict[str, Value]:
    """The arguments by name; the fields of one record together."""
    found: dict[str, Value] = {}
    records: dict[str, tuple[type, dict[str, Value]]] = {}
    for setting, value in typed.items():
        if setting.record is None:
            found[setting.owner] = value
        else:
            records.setdefault(setting.owner, (setting.record, {}))[1][setting.field] = value
    return found | {owner: record(**fields) for owner, (record, fields) in records.items()}


def _value(setting: Setting, name: str, text: str) -> Value:
    """What was typed as what is meant; whole numbers are never rounded to.

    Raises: InputError for another kind, or for a word that is none of a few.
    """
    kind, choices = bare(setting.kind), choices_of(setting.kind)
    if choices and text not in choices:
        raise InputError(unknown_name(name, text, choices))
    if kind is int:
        if not _WHOLE.fullmatch(text):
            raise InputError(f"{name} takes a whole number, and got '{text}'")
        return int(text)
    if kind is float:
        try:
            return float(text)
        except ValueError as error:
            raise InputError(f"{name} takes a number, and got '{text}'") from error
    return text if choices or kind is str else kind(text)


# ---- what stands in one word ----


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
