"""What may be handed to a sitting of training beside the experiment: listeners, a stopper, room on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import NoneType
from typing import cast

from chainrule.errors.calls import check_kind
from chainrule.train.events import Listener
from chainrule.train.keeper import check_disk
from chainrule.train.stopping import Stopper


def checked_sitting(
    listeners: Iterable[Listener], stopper: Stopper | None = None, disk: float | None = None
) -> tuple[Listener, ...]:
    """The listeners, where everything is of its kind; asked before anything is loaded, written or run.

    Raises: ArgumentError for what is no list of functions, no `Stopper` or no number; ValueRangeError for less than
        nothing on the disk.
    """
    check_kind("listeners", listeners, Iterable, "a list of functions, such as [print]")
    told = tuple(listeners)
    for each in told:
        check_kind("a listener", each, cast("type", Callable), "a function of one event, such as print")
    check_kind("stopper", stopper, (Stopper, NoneType), "a `Stopper`, such as cr.Stopper()")
    check_disk(disk)
    return told
