"""What a layer says of itself: the parameters it wants, the values it lets be seen, the name it bears."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

import msgspec

from chainrule.errors import ExperimentError
from chainrule.graph.expr import Expr
from chainrule.nn.initializers import Constant, InitializerChoice, initializer_named

Role: TypeAlias = Literal["kernel", "bias"]
Record: TypeAlias = Callable[[str, Expr], None]  # takes the name of a value within its layer ("z"), and the value
SampleShape: TypeAlias = tuple[int, ...]  # of one sample, without the axis n

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")


class Parameter(msgspec.Struct, frozen=True):
    """Numbers that training changes.

    Attributes:
        name: within its layer ("W"), or in the network ("dense_1.W").
        shape: of numbers only.
        initializer: of its first value.
        role: "kernel" for weights that multiply, "bias" for what is added.
    """

    name: str
    shape: tuple[int, ...]
    initializer: InitializerChoice
    role: Role


def checked_name(kind: str, name: object) -> None:
    """Refuse a name that would not be readable in dense_1.W[3, 7].

    Raises: ExperimentError when it is not None and not a word of letters, digits, _ and -.
    """
    if name is None or (isinstance(name, str) and _NAME.match(name)):
        return
    raise ExperimentError(f"a {kind} layer needs a name of letters, digits, _ and -, and got {name!r}; rename it")


def checked_initializer(choice: object) -> None:
    """Refuse what is no initializer.

    Raises: UnknownNameError for an unknown name; ExperimentError for what is neither a name nor a `Constant`.
    """
    if isinstance(choice, Constant):
        return
    if not isinstance(choice, str):
        raise ExperimentError(f"an initializer is a name or Constant(value), and got {choice!r}; give one of them")
    if choice == "constant":
        raise ExperimentError("the initializer constant needs a value, and got none; write Constant(0.1)")
    initializer_named(choice)
