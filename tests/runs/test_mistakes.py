"""What a person gets wrong in a call is answered in one sentence of chainrule's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr

WEIGHT = "dense_1.W[28, 3]"
FACE: Any = cr  # whose types a person at a prompt does not check


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"weight": 5}, "weight takes its name as text, such as 'dense_1.W[3, 7]', and 5 came: give one"),
        ({"sample": 1.5}, "sample takes the whole number of a row, such as 17, and 1.5 came: give one"),
        ({"sample": True}, "sample takes the whole number of a row, such as 17, and True came: give one"),
        ({"samples": 3}, "samples takes a list of rows, such as [3, 17], and 3 came: give one"),
        ({"samples": [1.5]}, "sample takes the whole number of a row, such as 17, and 1.5 came: give one"),
        ({"batch": "a"}, "batch takes the whole number of a batch, such as 0, and 'a' came: give one"),
        ({"sampel": 1}, "unknown argument of explain 'sampel': did you mean 'sample'?"),
    ],
)
def test_what_is_asked_of_a_weight_is_of_its_kind(digits_run: cr.Run, named: dict[str, Any], sentence: str) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=re.escape(sentence)):
        digits_run.explain(**{"weight": WEIGHT, **named})


def test_the_network_is_asked_for_by_truth(digits_run: cr.Run) -> None:
    ask: Any = digits_run.explain
    for came in ("yes", "no", 1, None):
        with pytest.raises(
            cr.errors.ArgumentError, match=f"^network takes True or False, and {came!r} came: give one$"
        ):
            ask(network=came)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda run: run.nudges(top="3"), "top takes a whole number, such as 8, and '3' came"),
        (lambda run: run.nudges(top=True), "top takes a whole number, such as 8, and True came"),
        (lambda run: run.nudges(layer=3), "layer takes its name as text, such as 'dense_1', and 3 came"),
        (lambda run: run.nudges(unit=3), "unit takes its name as text, such as 'dense_1[3]', and 3 came"),
        (lambda run: run.nudges(3), "weights takes a list of them, such as ['dense_1.W[3, 7]'], and 3 came"),
        (lambda run: run.nudges([3]), "weight takes its name as text, such as 'dense_1.W[3, 7]', and 3 came"),
        (lambda run: run.check_gradients(2, seed=1.5), "seed takes a whole number, such as 0, and 1.5 came"),
        (lambda run: run.plan("4"), "batch_size takes how many rows, a whole number such as 32, and '4' came"),
        (lambda run: run.curve(3), "weight takes its name as text, such as 'dense_1.W[3, 7]', and 3 came"),
        (lambda run: run.curve(WEIGHT, low="a"), "low takes a number, such as 0.5, and 'a' came"),
        (lambda run: run.curve(WEIGHT, high=True), "high takes a number, such as 0.5, and True came"),
        (lambda run: run.curve(WEIGHT, low=float("nan")), "low is nan: give a finite number"),
        (lambda run: run.surface([3, 4]), "weight takes its name as text, such as 'dense_1.W[3, 7]', and 3 came"),
        (lambda run: run.surface(directions="random", seed="a"), "seed takes a whole number, such as 0, and 'a' came"),
        (lambda run: run.summary().render("80"), "width takes how many columns, a whole number such as 80"),
        (lambda run: run.summary().render(ascii="no"), "ascii takes True or False, and 'no' came"),
        (lambda run: run.summary().render(color=1), "color takes True or False, and 1 came"),
        (lambda run: run.summary().to_json(ascii="no"), "ascii takes True or False, and 'no' came"),
        (lambda run: run.resume(9, disk="a"), "disk takes gigabytes, such as 0.5, and 'a' came"),
        (lambda run: cr.report(run, FACE.train), "output takes a path, such as 'report.html'"),
        (lambda run: cr.report(run, charts=FACE), "charts takes a path, such as 'report.html'"),
    ],
)
def test_what_is_asked_of_a_run_is_of_its_kind(
    digits_run: cr.Run, call: Callable[[Any], object], sentence: str
) -> None:
    with pytest.raises(cr.errors.InputError, match=re.escape(sentence)):
        call(digits_run)


LISTENERS = "listeners takes a list of functions, such as [print], and "


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"listeners": 3}, f"{LISTENERS}3 came: give one"),
        ({"listeners": print}, f"{LISTENERS}<built-in function print> came: give one"),
        ({"listeners": [3]}, "a listener takes a function of one event, such as print, and 3 came: give one"),
        ({"stopper": 3}, "stopper takes a `Stopper`, such as cr.Stopper(), and 3 came: give one"),
        ({"disk": "a"}, "disk takes gigabytes, such as 0.5, and 'a' came: give one"),
        ({"disk": -1.0}, "checkpoints cannot take -1.0 GB of the disk: give 0 or more"),
    ],
)
def test_what_is_handed_to_a_training_is_of_its_kind(
    digits_run: cr.Run, tmp_path: Path, named: dict[str, Any], sentence: str
) -> None:
    """However it begins or goes on, in a folder or in memory; nothing is written before."""
    in_memory = cr.train([cr.Dense(2)], "moons", epochs=1, runs=None)
    calls: list[Callable[..., object]] = [
        partial(digits_run.resume, 99),
        partial(in_memory.resume, 99),
        partial(cr.train, [cr.Dense(2)], "moons", runs=tmp_path),
        partial(cr.run_experiment, in_memory.experiment, runs=tmp_path),
    ]
    if "listeners" in named:
        calls.append(partial(cr.descent, [cr.Dense(2)], "moons"))
    for call in calls:
        with pytest.raises(cr.errors.InputError, match=re.escape(sentence)):
            call(**named)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cr.train([cr.Dense(2)], "moons", runs=FACE), "runs takes a folder, such as 'runs', or None"),
        (
            lambda: cr.train([cr.Dense(2)], "moons", weights=FACE, runs=None),
            "weights takes arrays by name, such as {'dense_1.W': [[0.7]]}",
        ),
        (lambda: cr.open_run("latest", data=FACE), "data takes a `Dataset`, such as cr.load('digits') gives, or None"),
        (lambda: cr.open_run("latest", runs=FACE), "runs takes a folder, such as 'runs'"),
    ],
)
def test_what_a_run_is_made_of_or_found_by_is_of_its_kind(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=re.escape(sentence)):
        call()


def test_one_weight_is_no_list_of_weights(digits_run: cr.Run) -> None:
    """It would be taken letter by letter."""
    with pytest.raises(cr.errors.ArgumentError, match=r"weights takes a list of them, such as \['dense_1.W\[3, 7\]'\]"):
        digits_run.nudges(WEIGHT)


def test_rows_may_come_as_an_array(digits_run: cr.Run) -> None:
    page = digits_run.explain(WEIGHT, samples=np.array([3, 17]))  # pyright: ignore[reportArgumentType]
    assert page.data == digits_run.explain(WEIGHT, samples=[3, 17]).data
    assert digits_run.explain(WEIGHT, sample=np.arange(4)[3]).data == digits_run.explain(WEIGHT, sample=3).data


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: FACE.gradient(1, 2),
            "formula takes a formula, such as cr.expr.var",
        ),
        (
            lambda: FACE.gradient(cr.expr.variable("a", "float64"), 2),
            "wrt takes a formula or a list of them, and 2 came",
        ),
        (lambda: FACE.evaluate(3), "formula takes a formula"),
        (lambda: FACE.open_run(3), "the run takes a folder, the beginning of a name, or 'latest', and 3 came"),
        (lambda: FACE.list_runs(3), "runs takes a folder, such as 'runs', and 3 came"),
        (lambda: FACE.run_experiment(3), "the experiment takes an `Experiment`, such as run.experiment, and 3 came"),
        (lambda: FACE.train(None, "xor", epohcs=3), "unknown argument of train 'epohcs': did you mean 'epochs'?"),
        (lambda: FACE.train(None, "xor", lr=3), "unknown argument of train 'lr': did you mean 'optimizer'?"),
        (lambda: FACE.train(None), "train needs data, and got none: call it as train(data)"),
        (lambda: FACE.load("digits", taget="a"), "unknown argument of load 'taget': did you mean 'target'?"),
        (lambda: FACE.load("table.csv", "price"), "targets came beside 'table.csv', which has its own: leave them out"),
        (lambda: FACE.load(cr.load("xor"), [1]), "targets came beside a Dataset, which has its own"),
    ],
)
def test_a_wrong_call_is_answered(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=re.escape(sentence)) as caught:
        call()
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


def test_a_layer_alone_is_no_network() -> None:
    with pytest.raises(cr.errors.ExperimentError, match="made of a list of layers"):
        cr.train(cr.Dense(2), "xor", runs=None)  # pyright: ignore[reportArgumentType]


def test_a_count_of_weights_is_whole(digits_run: cr.Run) -> None:
    with pytest.raises(cr.errors.ArgumentError, match=r"weights takes how many to pick, .* and 1\.5 came"):
        digits_run.check_gradients(1.5)  # pyright: ignore[reportArgumentType]


def test_samples_and_targets_may_come_one_after_the_other() -> None:
    x, y = cr.load("moons").x, cr.load("moons").y
    one, other = (cr.train([cr.Dense(2)], *data, epochs=2, runs=None) for data in ((x, y), ((x, y),)))
    assert one.history == other.history
    assert one.evaluate(x, y).metrics == one.evaluate((x, y)).metrics
    assert cr.load(x, y).source.sha256 == cr.load((x, y)).source.sha256


def test_a_data_set_has_rows() -> None:
    digits = cr.load("digits")
    assert len(digits) == 1797
    x, y = digits[17]
    assert (x == digits.x[17]).all()
    assert y == digits.y[17] == 7
    assert [len(part) for part in digits[:5]] == [5, 5]
    assert sum(1 for _ in cr.load("xor")) == 4
    with pytest.raises(IndexError):
        _ = digits[1797]
