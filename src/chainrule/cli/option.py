"""What can be typed after a verb, read from the annotations of its function: options, their names, kinds and places."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """How a parameter of a verb's function is typed, in its annotation.

    Attributes:
        help: the sentence of the help.
        name: as it is typed, "--lr", or several; () for the parameter's own; "*" for a record whose fields are options.
        group: of the help; "" for those of most verbs.
        negative: what says no to a flag; None for "--no-" and its name, () where there is no such word.
        show_default: whether the help says what it is where nothing is typed.
        metavar: what the help writes for its value; "" for its kind.
        parse: whether it can be typed at all.
    """

    help: str = ""
    name: str | tuple[str, ...] = ()
    group: str = ""
    negative: tuple[str, ...] | None = None
    show_default: bool = True
    metavar: str = ""
    parse: bool = True


class Setting(msgspec.Struct, frozen=True, eq=False):
    """One thing that can be typed.

    Attributes:
        owner: the parameter of the function that it belongs to.
        record: that the parameter takes; None where it takes the value itself.
        field: of the record.
        names: as it may be typed, the first as it is called; of what stands by its place a word in capitals.
        kind: of its value: str, int, float, bool, a path, a choice, or tuple[str, ...].
        place: how the function takes it.
        default: where nothing is typed; `Parameter.empty` where something must be.
        option: from its annotation.
    """

    owner: str
    record: Any  # a class that is a dataclass
    field: str
    names: tuple[str, ...]
    kind: Any  # an annotation
    place: Any  # an enumeration's member, of a type without a name
    default: Any  # of any kind
    option: Option

    @property
    def is_positional(self) -> bool:
        """Whether it is known by its place among the words."""
        return self.place is POSITIONAL or self.is_rest

    @property
    def is_rest(self) -> bool:
        """Whether it takes all the words that are left."""
        return self.place is REST

    @property
    def is_needed(self) -> bool:
        """Whether it must be typed."""
        return self.default is inspect.Parameter.empty and not self.is_rest

    @property
    def is_flag(self) -> bool:
        """Whether its name alone says yes."""
        return bare(self.kind) is bool

    @property
    def is_many(self) -> bool:
        """Whether it may be typed several times."""
        return get_origin(self.kind) is tuple

    @property
    def negatives(self) -> tuple[str, ...]:
        """What says no to a flag."""
        if not self.is_flag:
            return ()
        usual = tuple(f"--no-{name.removeprefix('--')}" for name in self.names if name.startswith("--"))
        return usual if self.option.negative is None else self.option.negative


POSITIONAL: Final = inspect.Parameter.POSITIONAL_ONLY
REST: Final = inspect.Parameter.VAR_POSITIONAL
KEYWORD: Final = inspect.Parameter.KEYWORD_ONLY


def settings_of(function: Callable[..., int]) -> list[Setting]:
    """All that can be typed after the verb of this function, in order."""
    whole = function.func if isinstance(function, partial) else function
    kinds = get_type_hints(whole, include_extras=True)
    found: list[Setting] = []
    for parameter in inspect.signature(whole).parameters.values():
        kind, option = _told(kinds[parameter.name])
        if option.name == "*":
            found += _fields(parameter.name, kind)
        elif option.parse:
            names = _names(parameter.name, option, is_word=parameter.kind in (POSITIONAL, REST))
            found.append(Setting(parameter.name, None, "", names, kind, parameter.kind, parameter.default, option))
    return found


def _fields(owner: str, record: Any) -> Iterator[Setting]:  # Any: a class that is a dataclass
    """The fields of a record, each an option."""
    kinds = get_type_hints(record, include_extras=True)
    for each in dataclasses.fields(record):
        kind, option = _told(kinds[each.name])
        yield Setting(owner, record, each.name, _names(each.name, option), kind, KEYWORD, each.default, option)


def _told(annotation: Any) -> tuple[Any, Option]:  # Any: annotations
    """The kind and the option in an annotation."""
    if get_origin(annotation) is not Annotated:
        return annotation, Option()
    kind, *notes = get_args(annotation)
    return kind, next((note for note in notes if isinstance(note, Option)), Option())


def _names(own: str, option: Option, *, is_word: bool = False) -> tuple[str, ...]:
    if is_word:
        return (own.upper(),)
    named = (option.name,) if isinstance(option.name, str) else option.name
    return named or (f"--{own.replace('_', '-')}",)


def bare(kind: Any) -> Any:  # Any: annotations
    """The kind of what is typed: of `int | None` int, of tuple[str, ...] str."""
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    others = [each for each in get_args(kind) if each is not type(None)]
    return others[0] if len(others) == 1 and get_origin(kind) is not Literal else kind


def choices_of(kind: Any) -> tuple[str, ...]:  # Any: an annotation
    """The words that a value may be, where there are a few."""
    inner = bare(kind)
    return get_args(inner) if get_origin(inner) is Literal else ()
