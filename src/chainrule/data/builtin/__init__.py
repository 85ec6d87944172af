"""The data sets that ship with the package: one record each, from its name to what makes it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chainrule.data.builtin.digits import digits
from chainrule.data.builtin.lessons import one_weight, xor
from chainrule.data.builtin.plane import circles, moons, spirals
from chainrule.data.dataset import Dataset


class Builtin(msgspec.Struct, frozen=True):
    """A data set that ships with the package.

    Attributes:
        make: makes it, from the options it takes.
        about: what it is, in one line.
        options: names of the options it takes.
    """

    make: Callable[..., Dataset]
    about: str
    options: tuple[str, ...] = ()


BUILTIN: dict[str, Builtin] = {
    "digits": Builtin(digits, "1,797 handwritten digits, 8 by 8 pixels, 10 classes"),
    "xor": Builtin(xor, "exclusive or: 4 rows, 2 classes"),
    "moons": Builtin(moons, "two half circles reaching into each other", ("rows", "noise", "seed")),
    "circles": Builtin(circles, "a circle around a circle", ("rows", "noise", "seed")),
    "spirals": Builtin(spirals, "arms winding around the center", ("rows", "noise", "classes", "seed")),
    "one_weight": Builtin(one_weight, "one sample, input 1.2, target 0.4"),
}
