"""Two steps beside each other: sizes, changes, losses, gradients and updates, against sums written out here."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.backends import choose
from chainrule.backends.native import NativeBackend
from chainrule.backends.native.machine import runnable
from chainrule.runs import standing
from chainrule.runs.replaying import replayed
from chainrule.train.folder import RunFolder
from tests.absent import require


def size(values: Any) -> float:
    return float(np.sqrt(np.sum(np.square(values, dtype=np.float64))))


def test_sizes_changes_and_ratios_are_those_of_the_weights(digits_run: cr.Run) -> None:
    data: Any = replayed(digits_run, 100, 20).data
    now, before, origin = (digits_run.at(step).weights for step in (100, 99, 20))
    assert (data["step"], data["compared_with"], data["epoch"], data["steps_of_epoch"]) == (100, 20, 2, 10)
    assert [row["name"] for row in data["parameters"]] == list(now)
    for row in data["parameters"]:
        name = row["name"]
        assert row["norm"] == pytest.approx(size(now[name]), rel=1e-12)
        assert row["change"] == pytest.approx(size(now[name].astype(float) - origin[name]), rel=1e-12)
        update = size(now[name].astype(float) - before[name])
        assert row["update_to_weight"] == pytest.approx(update / size(before[name]), rel=1e-12)


def test_the_change_is_counted_from_the_power_of_two_before_where_nothing_is_said(digits_run: cr.Run) -> None:
    assert replayed(digits_run, 100).data["compared_with"] == 64
    assert replayed(digits_run, 64).data["compared_with"] == 32
    first: Any = replayed(digits_run, 0).data
    assert first["compared_with"] == 0
    assert all(row["change"] == 0.0 and row["update_to_weight"] is None for row in first["parameters"])
    last: Any = replayed(digits_run, digits_run.step).data
    assert last["parameters"][0]["norm"] == pytest.approx(size(digits_run.weights["dense_1.W"]), rel=1e-12)


def test_a_page_says_what_makes_the_bits(digits_run: cr.Run) -> None:
    text = replayed(digits_run, 100).text
    assert f"step 100 of {digits_run.step}" in text
    assert "the same bits" in text
    assert "--at 100" in text
    assert max(map(len, text.splitlines())) <= 80


def test_another_machine_is_told(tmp_path: Path) -> None:
    run = cr.train([cr.Dense(1)], "one_weight", epochs=3, runs=tmp_path)
    assert run.path is not None
    folder = RunFolder(run.path)
    summary = folder.summary.read_text()
    machine = folder.read_summary()
    assert machine is not None
    folder.summary.write_text(summary.replace(machine.machine, "Elsewhere x9"))
    assert "equal within rounding" in " ".join(replayed(run, 1).text.split())
    folder.summary.unlink()
    assert "not recorded" in " ".join(replayed(run, 1).text.split())


def test_code_that_rounds_otherwise_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor, or CHAINRULE_CPU, without fused multiply-adds gives other bits; wider vectors give the same."""
    require("llvmlite", "pip install llvmlite")
    run = cr.train([cr.Dense(1)], "one_weight", epochs=3, runs=tmp_path, backend="native")
    best = runnable()[0]
    for isa in runnable():
        monkeypatch.setitem(choose._loaded, "native", NativeBackend(isa))
        monkeypatch.setattr(choose, "_programs", OrderedDict())
        said = " ".join(replayed(run, 1).text.split())
        assert ("the same bits" in said) is (isa.fused == best.fused)
        assert ("equal within rounding" in said) is (isa.fused != best.fused)


def test_a_weight_is_explained_at_any_step(digits_run: cr.Run) -> None:
    """On the batch that the next step took; the update it shows is the one that was made."""
    weight, position = "dense_2.W[5, 2]", (5, 2)
    page: Any = digits_run.explain(weight, at=77)
    assert page.text.splitlines()[0].startswith("dense_2.W[5, 2]")
    assert "step 77 · batch 32 of epoch 2 · 32 samples" in page.text
    assert page.data == digits_run.at(77).explain(weight).data
    now, after = digits_run.at(77), digits_run.at(78)
    slot = "dense_2.W/velocity"
    moved = after.weights["dense_2.W"][position].astype(float) - now.weights["dense_2.W"][position]
    velocity = 0.9 * float(now.checkpoint.state[slot][position]) - 0.1 * page.data["gradient"]
    assert moved == pytest.approx(velocity, rel=1e-4, abs=1e-7)
    assert digits_run.explain(weight, at=0, sample=3).data == digits_run.explain(weight, at="start", sample=3).data
    with pytest.raises(cr.errors.RunError, match=f"has steps 0 to {digits_run.step}"):
        digits_run.explain(weight, at=9999)


def test_a_moment_predicts_with_its_own_weights(digits_run: cr.Run) -> None:
    x = digits_run.dataset.x[:200]
    early, late = digits_run.at(5), digits_run.at(digits_run.step)
    assert (late.predict(x) == digits_run.predict(x)).all()
    assert (early.predict(x) != digits_run.predict(x)).any()
    assert early.evaluate().metrics["accuracy"] < digits_run.evaluate().metrics["accuracy"]


@pytest.mark.parametrize(("work", "rows"), [(10**9, 1438), (400 * 1210, 400), (1, 256)])
def test_of_a_large_network_fewer_rows_are_compared_on(
    digits_run: cr.Run, monkeypatch: pytest.MonkeyPatch, work: int, rows: int
) -> None:
    assert sum(weight.size for weight in digits_run.weights.values()) == 1210
    monkeypatch.setattr(standing, "MOST_WORK", work)
    assert standing.training_rows(digits_run).tolist() == digits_run.prepared.rows[:rows].tolist()
    said = "all 1,438" if rows == 1438 else f"the first {rows}"
    assert f"loss and gradients on {said} training rows" in " ".join(str(replayed(digits_run, 2)).split())


def test_loss_and_gradients_are_taken_on_the_training_rows_at_both_steps(digits_run: cr.Run) -> None:
    """Witnesses: `evaluate` on those rows, and the gradients that `explain` opens one by one."""
    data: Any = replayed(digits_run, 100, 20).data
    rows = digits_run.prepared.rows
    x, y = digits_run.dataset.x[rows], digits_run.dataset.y[rows].astype(str)
    for step, scores, slope in ((20, "scores_then", "gradient_then"), (100, "scores", "gradient")):
        moment = digits_run.at(step)
        right = moment.evaluate(cr.load((x, y))).metrics
        assert data[scores]["loss"] == pytest.approx(right["loss"], rel=1e-5)
        assert data[scores]["accuracy"] == pytest.approx(right["accuracy"], rel=1e-12)
        opened: list[Any] = [
            moment.explain(f"dense_2.b[{k}]", samples=[int(row) for row in rows]).data for k in range(10)
        ]
        found = next(row for row in data["parameters"] if row["name"] == "dense_2.b")
        assert found[slope] == pytest.approx(size([each["gradient"] for each in opened]), rel=1e-9)


def test_the_weights_that_moved_most_are_named(digits_run: cr.Run) -> None:
    page = replayed(digits_run, 100, 20)
    data: Any = page.data
    now, then = digits_run.at(100).weights, digits_run.at(20).weights
    moves = {name: np.abs(now[name].astype(float) - then[name]) for name in now}
    largest = sorted((value for each in moves.values() for value in each.ravel().tolist()), reverse=True)[:6]
    assert [abs(each["now"] - each["then"]) for each in data["moved"]] == largest
    for each in data["moved"]:
        name, _, index = each["weight"].partition("[")
        place = tuple(int(part) for part in index.rstrip("]").split(","))
        assert (each["then"], each["now"]) == (float(then[name][place]), float(now[name][place]))
    text = " ".join(page.text.split())
    shares = {row["name"]: row["change"] / row["norm"] for row in data["parameters"]}
    most = max(shares, key=lambda name: shares[name])
    assert f"For its size {most} moved most: by {shares[most]:.0%} of it" in text
    fell = 1 - data["scores"]["loss"] / data["scores_then"]["loss"]
    assert f"the loss fell by {fell:.0%}" in text
    assert f"chainrule history {digits_run.name} --weight '{data['moved'][0]['weight']}'" in text


@pytest.mark.parametrize("count", [1, 6, 7, 99])
def test_the_largest_are_found_without_sorting_all_of_them(count: int) -> None:
    draws = np.random.default_rng(count).integers(0, 5, (4, 6)).astype(float)
    in_order = sorted(range(24), key=lambda place: -draws.reshape(-1)[place])
    assert standing._largest(draws, count).tolist() == in_order[:count]


def test_a_step_beside_itself_has_not_moved(digits_run: cr.Run) -> None:
    page = replayed(digits_run, 50, 50)
    assert page.data["moved"] == []
    assert "Read on" not in page.text
    assert page.data["scores"] == page.data["scores_then"]
