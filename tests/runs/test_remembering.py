"""A weight's history: it adds up, for every optimizer; who moved it is who asked; what cannot be asked is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import Number
from chainrule.explain.weight_history_page import _along
from chainrule.runs.remembering import weight_history
from tests.train.observing import observed

OPTIMIZERS = {
    "sgd": cr.SGD(0.1),
    "momentum": cr.SGD(0.05, momentum=0.9),
    "nesterov": cr.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": cr.Adam(0.01),
}
WEIGHT = "dense_2.W[4, 1]"


def trained(optimizer: str, folder: Path | None = None, **options: Any) -> cr.Run:
    x = np.random.default_rng(1).normal(size=(50, 4))
    y = np.digitize(x[:, 0] * x[:, 1], [-0.3, 0.3])
    fields: dict[str, Any] = {"epochs": 8, "batch_size": 7, "test_fraction": 0.2, "seed": 5, **options}
    net = [cr.Dense(6, "tanh"), cr.Dense(3)]
    return cr.train(net, (x, y), optimizer=OPTIMIZERS[optimizer], runs=folder, **fields)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_parts_of_all_samples_add_up_to_the_change(optimizer: str, dtype: str) -> None:
    run = trained(optimizer, dtype=dtype, backend="reference")
    for first, last in ((0, 48), (17, 40)):
        data: Any = run.weight_history(WEIGHT, first=first, last=last, every=1).data
        change = float(run.at(last).weights["dense_2.W"][4, 1]) - float(run.at(first).weights["dense_2.W"][4, 1])
        assert data["change"] == pytest.approx(change, rel=1e-15)
        moved = sum(each["moved"] for each in data["samples"])
        assert change - moved - data["carried"] == pytest.approx(data["remainder"], abs=1e-15)
        assert abs(data["remainder"]) <= data["rounding"] < 1e-4 * abs(change)
        assert sum(each["visits"] for each in data["samples"]) == sum(
            5 if (step + 1) % 6 == 0 else 7 for step in range(first, last)
        )
        assert (data["carried"] != 0.0) == (first > 0 and optimizer != "sgd")
        assert data["taken_as_it_was"] == (["v"] if optimizer == "adam" else [])
        assert sum(each["moved"] for each in data["classes"]) == pytest.approx(moved, rel=1e-9)


def test_a_sample_of_plain_descent_moved_it_by_its_own_gradients(tmp_path: Path) -> None:
    """Witness: each visit's term, opened apart at that step by `nudges`, times η."""
    run = trained("sgd", tmp_path, dtype="float64", epochs=3)
    data: Any = run.weight_history(WEIGHT).data
    row = data["samples"][0]["sample"]
    total, visits = 0.0, 0
    for step in range(run.step):
        nudges: Any = run.nudges([WEIGHT], at=step).data
        if row in nudges["samples"]:
            place = nudges["samples"].index(row)
            total += 0.1 * nudges["weights"][0]["nudges"][place] * nudges["shares"][place]
            visits += 1
    assert data["samples"][0]["visits"] == visits == 3
    assert data["samples"][0]["moved"] == pytest.approx(total, rel=1e-9)
    sizes = [abs(each["moved"]) for each in data["samples"]]
    assert sizes == sorted(sizes, reverse=True)


def test_values_and_moves_are_those_of_the_run(tmp_path: Path) -> None:
    run = trained("adam", tmp_path)
    values = [float(state["dense_2.W"][4, 1]) for state in observed(run)]
    data: Any = run.weight_history(WEIGHT, top=5, every=1).data
    assert data["values"] == values
    assert data["steps"] == list(range(49))
    order = np.argsort(-np.abs(np.diff(values)), kind="stable")[:5]
    assert [move["step"] for move in data["moves"]] == order.tolist()
    for move in data["moves"]:
        assert (move["from"], move["to"]) == (values[move["step"]], values[move["step"] + 1])
        assert move["epoch"] == move["step"] // 6 + 1
        explained: Any = run.explain(WEIGHT, at=move["step"]).data
        assert {each["sample"] for each in move["samples"]} <= set(explained["samples"])
        assert move["gradient"] == pytest.approx(explained["gradient"], rel=1e-4, abs=1e-7)
    few: Any = run.weight_history(WEIGHT, every=20).data
    assert few["steps"] == [0, 20, 40, 48]
    assert few["values"] == [values[step] for step in few["steps"]]
    assert few["gradients"][-1] is None


def test_the_page_tells_it(tmp_path: Path) -> None:
    run = trained("adam", tmp_path)
    page = run.weight_history(WEIGHT)
    text = " ".join(page.text.split())
    assert text.startswith("dense_2.W[4, 1] weight from unit 4 to output 1")
    first: Any = page.data["samples"]
    assert f"sample {first[0]['sample']} (" in text
    assert "over 8 visits" in text
    assert "v, to which all samples contribute, is taken as it was" in text
    assert "within what rounding in float32 may make" in text
    assert "changed no bit of the state after step 48" in text
    assert f"chainrule explain {run.name} --weight 'dense_2.W[4, 1]' --at" in text
    assert max(map(len, page.text.splitlines())) <= 80
    assert "velocity makes of it in later steps" in " ".join(trained("momentum").weight_history(WEIGHT).text.split())
    plain = " ".join(trained("sgd").weight_history("dense_1.b[2]").text.split())
    assert "bias of unit 2 of dense_1" in plain
    assert "−η times its own term" in plain
    assert "by its batch" not in plain


def test_numbers_as_targets_and_a_single_step() -> None:
    x = np.linspace(-1, 1, 30)[:, None]
    run = cr.train([cr.Dense(1)], (x, 3 * x), optimizer=cr.SGD(0.1), epochs=1, batch_size=30, runs=None)
    page = run.weight_history("dense_1.W[0, 0]")
    assert page.data["classes"] == []
    assert "in 1 step, a change" in " ".join(page.text.split())


def test_a_weight_that_never_moved_says_so() -> None:
    x = np.zeros((20, 2))
    x[:, 1] = np.arange(20)
    run = cr.train([cr.Dense(1)], (x, x[:, 1]), optimizer=cr.SGD(0.01), epochs=2, scale_features="none", runs=None)
    text = " ".join(run.weight_history("dense_1.W[0, 0]").text.split())
    assert "it never moved" in text
    assert "largest moves" not in text


def test_what_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained("sgd", frozen=("dense_1.W",), epochs=2)
    refused: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"weight": "dense_9.W[0, 0]"}, cr.errors.UnknownNameError, "known are dense_1.W"),
        ({"weight": "dense_2.W[6, 0]"}, cr.errors.ShapeError, "which has 0 to 5"),
        ({"weight": "dense_2.W"}, cr.errors.ShapeError, "does not name one weight"),
        ({"weight": 3}, cr.errors.ArgumentError, "weight takes its name as text"),
        ({"weight": "dense_1.W[0, 0]"}, cr.errors.RunError, r"dense_1\.W is frozen"),
        ({"weight": WEIGHT, "last": 13}, cr.errors.RunError, "no steps from 0 to 13: .* has steps 0 to 12"),
        ({"weight": WEIGHT, "first": 5, "last": 5}, cr.errors.RunError, "no steps from 5 to 5"),
        ({"weight": WEIGHT, "first": -1}, cr.errors.RunError, "no steps from -1 to 12"),
        ({"weight": WEIGHT, "first": 1.5}, cr.errors.ArgumentError, "first takes the whole number"),
        ({"weight": WEIGHT, "top": 0}, cr.errors.ValueRangeError, "top is 0"),
        ({"weight": WEIGHT, "every": 0}, cr.errors.ValueRangeError, "every is 0"),
    ]
    for arguments, error, says in refused:
        with pytest.raises(error, match=says):
            run.weight_history(**arguments)
    monkeypatch.setattr("chainrule.runs.remembering.MOST_VISITS", 20)
    with pytest.raises(cr.errors.RunError, match="steps 0 to 12 make 84 visits of samples, and 20 can be held"):
        weight_history(run, WEIGHT)


@pytest.mark.parametrize(
    ("length", "change", "said"),
    [
        (0.33, 0.33, "; it hardly ever turned back"),
        (0.34, 0.33, "; it hardly ever turned back"),
        (0.66, 0.33, "; it went 0.66 up and down for that, 2 times as far"),
        (0.5, 0.0, "; it went 0.5 up and down for that"),
    ],
)
def test_how_far_a_weight_went_for_its_change(length: float, change: float, said: str) -> None:
    spans = [f"{span.value:g}" if isinstance(span, Number) else span for span in _along(length, change)]
    assert "".join(map(str, spans)) == said
