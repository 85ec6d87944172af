"""Backends by name, and the programs that are kept."""

from __future__ import annotations

import pytest

from chainrule.backends import choose as chooser
from chainrule.backends.choose import Choice, Offer, available, choose, chosen_for, compiled, names
from chainrule.backends.native import vocabulary
from chainrule.errors import BackendError, UnknownNameError
from chainrule.graph import expr as e
from chainrule.graph.node import make_graph
from tests.absent import require
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


def test_the_preferred_backend_runs_a_step_and_the_next_one_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    step = softmax_step()
    assert chosen_for(step) == Choice(chooser.OFFERS[0].name)
    assert chosen_for(step, "reference") == Choice("reference")
    broken = Offer("broken", "chainrule.backends.missing_module", "Backend", "never seen")
    monkeypatch.setattr(chooser, "OFFERS", (broken, chooser.OFFERS[-1]))
    choice = chosen_for(step)
    assert choice.name == "reference"
    assert choice.note.startswith("the reference backend trains: the backend broken cannot be loaded")
    with pytest.raises(BackendError, match="broken cannot be loaded"):
        chosen_for(step, "broken")
    monkeypatch.setattr(chooser, "OFFERS", (broken,))
    with pytest.raises(BackendError, match="no backend can run this here"):
        chosen_for(step)


def test_a_step_with_a_primitive_that_a_backend_lacks_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    require("llvmlite", "pip install llvmlite")
    monkeypatch.setitem(vocabulary.ABSENT, "matmul", "it is being repaired")
    step = softmax_step("float64", measure=("rows", "clock"))
    choice = chosen_for(step)
    assert choice.name == "reference"
    assert "cannot run matmul: it is being repaired" in choice.note


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
