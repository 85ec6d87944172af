"""Calls whose arguments do not fit, answered in a sentence before anything runs."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final, ParamSpec, TypeVar

from chainrule.errors import ArgumentError, unknown_name

_MOST: Final = reprlib.Repr()  # of a value that is told again

P = ParamSpec("P")
R = TypeVar("R")

# What other libraries call it, and what it may be called here: the first that the call takes is meant.
ELSEWHERE: Final[dict[str, tuple[str, ...]]] = {
    "lr": ("learning_rate", "optimizer"),
    "learning_rate": ("optimizer",),
    "learning_rate_init": ("learning_rate", "optimizer"),
    "eta": ("learning_rate", "optimizer"),
    "momentum": ("optimizer",),
    "betas": ("beta_1",),
    "eps": ("epsilon",),
    "max_iter": ("epochs",),
    "n_epochs": ("epochs",),
    "num_epochs": ("epochs",),
    "random_state": ("seed",),
    "test_size": ("test_fraction",),
    "validation_fraction": ("validation_split",),
    "callbacks": ("listeners",),
    "out_features": ("units",),
    "kernel_init": ("kernel_initializer",),
    "bias": ("use_bias",),
    "label": ("target",),
    "index": ("sample",),
    "row": ("sample",),
}


def checked_call(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which answers a call that does not fit its parameters with an ArgumentError."""
    signature = inspect.signature(function)
    said = function.__name__

    @functools.wraps(function)
    def checked(*arguments: P.args, **named: P.kwargs) -> R:
        check_call(said, signature, arguments, named)
        return function(*arguments, **named)

    return checked


def check_call(
    function: str, signature: inspect.Signature, arguments: Sequence[object], named: Mapping[str, object]
) -> None:
    """Hold the arguments of a call against what it takes.

    Args:
        function: what a person calls it.
        signature: of it, with no parameter left out that the arguments hold.
        arguments: those without a name.
        named: those with one.

    Raises: ArgumentError for a name that does not exist, with the nearest that does; for too many arguments, one that
        came twice, and one that is missing.
    """
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        raise ArgumentError(_problem(function, signature, arguments, named)) from None


def _problem(
    function: str, signature: inspect.Signature, arguments: Sequence[object], named: Mapping[str, object]
) -> str:
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    came = len(arguments) - ("self" in signature.parameters)
    takes = [each.name for each in parameters if each.kind is not inspect.Parameter.POSITIONAL_ONLY]
    for name in named:
        if name not in takes:
            return _unknown(function, name, takes)
    in_order = [each.name for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    if came > len(in_order):
        return _too_many(function, came, in_order, takes)
    for name in in_order[:came]:
        if name in named:
            return f"{name} came to {function} twice, by its place and by its name: give it once"
    missing = [each.name for each in parameters[came:] if each.default is each.empty and each.name not in named]
    count = "none" if len(missing) == 1 else "neither"
    return f"{function} needs {' and '.join(missing)}, and got {count}: call it as {function}({', '.join(missing)})"


def _unknown(function: str, name: str, takes: list[str]) -> str:
    kind = f"argument of {function}"
    meant = next((each for each in ELSEWHERE.get(name, ()) if each in takes), None)
    if meant is None:
        return unknown_name(kind, name, takes)
    return f"unknown {kind} '{name}': did you mean '{meant}'? known are {', '.join(takes)}"


def _too_many(function: str, came: int, in_order: list[str], takes: list[str]) -> str:
    if takes == in_order and len(takes) == 1:
        return f"{function} takes one list of {takes[0]}, and {came} arguments came: write {function}([…, …])"
    names = f", {', '.join(in_order)}" if in_order else ""
    rest = [name for name in takes if name not in in_order]
    remedy = f"give the others by name, as in {rest[0]}=…" if rest else "leave the others out"
    return f"{function} takes {len(in_order)} arguments by their place{names}, and {came} came: {remedy}"


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    """Hold an argument against the kinds that it may be of.

    Args:
        name: of the argument.
        value: what came.
        kinds: any of these; True and False are no numbers.
        wanted: the kinds in words, with an example.

    Raises: ArgumentError when it is of none of them.
    """
    is_truth = isinstance(value, bool) and bool not in (kinds if isinstance(kinds, tuple) else (kinds,))
    if is_truth or not isinstance(value, kinds):
        raise ArgumentError(f"{name} takes {wanted}, and {_MOST.repr(value)} came: give one")
