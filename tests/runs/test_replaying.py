"""Where the weights stood: sizes, changes and the last update, against sums written out here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.runs.replaying import replayed
from chainrule.train.folder import RunFolder


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


def test_the_change_is_counted_from_the_checkpoint_before_where_nothing_is_said(digits_run: cr.Run) -> None:
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
