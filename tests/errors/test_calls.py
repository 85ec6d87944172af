"""Calls that do not fit are answered in a sentence: what came, what was wanted, what to do."""

from __future__ import annotations

import inspect
import re

import pytest

from chainrule.errors import ArgumentError
from chainrule.errors.calls import checked_call


@checked_call
def bake(flour: float, water: float = 0.7, *, learning_rate: float = 0.1, epochs: int = 1) -> float:
    return flour * water * learning_rate * epochs


@checked_call
def stack(layers: list[int]) -> int:
    return len(layers)


class Oven:
    """Something with a method."""

    @checked_call
    def heat(self, degrees: float) -> float:
        return degrees


@pytest.mark.parametrize(
    ("arguments", "named", "sentence"),
    [
        ((1.0,), {"epohcs": 3}, "unknown argument of bake 'epohcs': did you mean 'epochs'? known are flour, water, le"),
        ((1.0,), {"lr": 0.1}, "unknown argument of bake 'lr': did you mean 'learning_rate'?"),
        ((1.0,), {"salt": 0.1}, "unknown argument of bake 'salt': known are flour, water, learning_rate, epochs"),
        ((1.0, 2.0, 3.0), {}, "bake takes 2 arguments by their place, flour, water, and 3 came: give the others by"),
        ((1.0,), {"flour": 2.0}, "flour came to bake twice, by its place and by its name: give it once"),
        ((), {"water": 2.0}, "bake needs flour, and got none: call it as bake(flour)"),
    ],
)
def test_a_call_that_does_not_fit_is_answered(
    arguments: tuple[float, ...], named: dict[str, float], sentence: str
) -> None:
    with pytest.raises(ArgumentError, match=re.escape(sentence)) as caught:
        bake(*arguments, **named)
    assert isinstance(caught.value, TypeError)
    assert caught.value.__suppress_context__


def test_several_arguments_of_what_takes_one_list_are_to_be_listed() -> None:
    with pytest.raises(ArgumentError, match=re.escape("stack takes one list of layers, and 2 arguments came: write")):
        stack(1, 2)  # pyright: ignore[reportCallIssue]


def test_a_method_does_not_count_itself() -> None:
    assert Oven().heat(220.0) == 220.0
    with pytest.raises(ArgumentError, match=re.escape("heat needs degrees, and got none: call it as heat(degrees)")):
        Oven().heat()  # pyright: ignore[reportCallIssue]
    with pytest.raises(ArgumentError, match="heat takes one list of degrees, and 2 arguments came"):
        Oven().heat(1.0, 2.0)  # pyright: ignore[reportCallIssue]


def test_a_call_that_fits_passes_and_its_own_type_errors_too() -> None:
    assert bake(2.0, 1.0, learning_rate=0.5, epochs=3) == 3.0
    assert list(inspect.signature(bake).parameters) == ["flour", "water", "learning_rate", "epochs"]
    with pytest.raises(TypeError) as caught:
        stack(3)  # pyright: ignore[reportArgumentType]
    assert not isinstance(caught.value, ArgumentError)
