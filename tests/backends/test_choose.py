"""Backends by name, and the programs that are kept."""

from __future__ import annotations

import pytest

from chainrule.backends import choose as chooser
from chainrule.backends.choose import Offer, available, choose, compiled, names
from chainrule.errors import BackendError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from tests.backends.networks import softmax_step


def test_a_backend_has_its_name_and_is_made_once() -> None:
    for name in names():
        if name != "auto":
            assert choose(name).name == name
            assert choose(name) is choose(name)
    assert choose() is choose("auto")
    assert choose("reference").evaluate(make_graph({"y": (e.variable("x", "float64") + 1).node}), {"x": 1.0})["y"] == 2


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="unknown backend 'referense': did you mean 'reference'"):
        choose("referense")


def test_each_backend_says_whether_it_works() -> None:
    listed = {name: (works, sentence) for name, works, sentence in available()}
    assert ("auto", *listed) == names()
    works, sentence = listed["reference"]
    assert works
    assert sentence


def test_a_backend_that_cannot_be_loaded_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Offer("broken", "chainrule.backends.missing_module", "Backend", "never seen")
    monkeypatch.setattr(chooser, "OFFERS", (broken, *chooser.OFFERS))
    name, works, sentence = available()[0]
    assert (name, works) == ("broken", False)
    assert "cannot be loaded" in sentence
    assert choose("auto").name != "broken"
    with pytest.raises(BackendError, match="broken cannot be loaded"):
        choose("broken")
    monkeypatch.setattr(chooser, "OFFERS", (broken,))
    with pytest.raises(BackendError, match="no backend works here"):
        choose()


def test_programs_are_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chooser, "PROGRAMS_KEPT", 2)
    first = compiled(softmax_step(), "reference")
    assert compiled(softmax_step(), "reference") is first
    compiled(softmax_step("float64"), "reference")
    assert compiled(softmax_step(), "reference") is first  # used again: now the younger one
    compiled(softmax_step(measure=("norm",)), "reference")
    assert compiled(softmax_step(), "reference") is first
    compiled(softmax_step(measure=("rows",)), "reference")
    compiled(softmax_step(measure=("clock",)), "reference")
    assert compiled(softmax_step(), "reference") is not first
