"""A signal ends a command wherever it comes, also where Python lets no exception through."""

from __future__ import annotations

import signal
import sys
import time
import weakref

import pytest

from chainrule.cli.signals import Stopped, signals_end


class Thing:
    """Something that can be gone."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_a_callback_swallows_comes_again(number: signal.Signals) -> None:
    """As of the nodes of graphs, which are told apart by weak references: thousands of them go in a second."""
    thing = Thing()
    kept = weakref.ref(thing, lambda _: signal.raise_signal(number))
    before = sys.unraisablehook, signal.getsignal(number)
    with pytest.raises(Stopped), signals_end() as signals:  # noqa: PT012 - the signal comes after a while
        del thing
        assert kept() is None
        assert signals.number == number
        for _ in range(6_000):
            time.sleep(0.01)
    assert (sys.unraisablehook, signal.getsignal(number)) == before


def test_what_else_is_lost_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_type))
    thing = Thing()
    kept = weakref.ref(thing, lambda _: 1 / 0)
    with signals_end():
        del thing
    assert kept() is None
    assert told == [ZeroDivisionError]
