"""Finding runs again, and what is said of those that are missing or damaged."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import render_text
from chainrule.errors.notices import Notice
from chainrule.runs.listing import listing_data, listing_of


@pytest.fixture
def copy(digits_run: cr.Run, tmp_path: Path) -> Path:
    """A copy of the run's folder that may be damaged."""
    assert digits_run.path is not None
    return Path(shutil.copytree(digits_run.path, tmp_path / "runs" / digits_run.path.name))


def test_an_opened_run_is_the_run_that_was_trained(digits_run: cr.Run, runs_folder: Path) -> None:
    assert digits_run.path is not None
    for which in (digits_run.path, str(digits_run.path), "latest", digits_run.name, "dig"):
        opened = cr.open_run(which, runs=runs_folder)
        assert opened.experiment == digits_run.experiment
        assert opened.history == digits_run.history
        assert opened.test == digits_run.test
        assert opened.reason == "completed"
        for name, value in digits_run.weights.items():
            assert opened.weights[name].tobytes() == value.tobytes()
    x = digits_run.dataset.x[:5]
    assert (opened.predict(x) == digits_run.predict(x)).all()
    assert opened.explain("dense_1.b[0]", sample=1).data == digits_run.explain("dense_1.b[0]", sample=1).data
    at_start = opened.explain("dense_1.b[0]", sample=1, at="start")
    assert at_start.data == digits_run.explain("dense_1.b[0]", sample=1, at="start").data


def test_a_name_that_fits_several_or_none_is_refused(copy: Path) -> None:
    shutil.copytree(copy, copy.with_name(f"{copy.name}-2"))
    assert cr.open_run(copy.name, runs=copy.parent).path == copy
    with pytest.raises(cr.errors.RunError, match="2 runs begin with 'digits'"):
        cr.open_run("digits", runs=copy.parent)
    with pytest.raises(cr.errors.RunError, match="known are digits-"):
        cr.open_run("penguins", runs=copy.parent)
    with pytest.raises(cr.errors.RunError, match="no run in"):
        cr.open_run(runs=copy)
    with pytest.raises(cr.errors.RunError, match=r"holds no experiment\.toml"):
        cr.open_run(copy.parent)


def test_a_run_whose_experiment_is_missing_is_told_by_its_name_too(copy: Path) -> None:
    (copy / "experiment.toml").unlink()
    for which in (copy, copy.name, copy.name[:8]):
        with pytest.raises(
            cr.errors.RunError, match=rf"{copy} is not the folder of a run: it holds no experiment\.toml, only"
        ):
            cr.open_run(which, runs=copy.parent)
    with pytest.raises(cr.errors.RunError, match="unknown run 'penguins' in"):
        cr.open_run("penguins", runs=copy.parent)


@pytest.mark.parametrize("file", ["experiment.toml", "data.json", "history.jsonl", "summary.json"])
def test_a_damaged_file_is_named(copy: Path, file: str) -> None:
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content[: len(content) // 3] + b"\x00{")
    with pytest.raises(cr.errors.RunError) as caught:
        _ = cr.open_run(copy).weights
    assert Path(file).name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["data.json", "history.jsonl"])
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(cr.errors.RunError, match=file.replace(".", r"\.")):
        cr.open_run(copy)


def test_weights_that_are_not_those_of_the_checkpoint_are_told(digits_run: cr.Run, copy: Path) -> None:
    file = copy / "weights.safetensors"
    content = file.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cr.open_run(copy)
    step = f"^the checkpoint of step {digits_run.step} serves, as {re.escape(str(file))} is damaged"
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.warns(Notice, match=rf"{step}: dense_\d\.[Wb] is another there; restore the file$"):
        opened = cr.open_run(copy)
    for name, value in digits_run.weights.items():
        assert opened.weights[name].tobytes() == value.tobytes()
    file.write_bytes(content[: len(content) // 3])
    with pytest.warns(Notice, match=rf"{step} or holds no tensors \(.*\): restore the file$"):
        cr.open_run(copy)


def test_a_run_that_was_killed_is_unfinished_and_goes_on(copy: Path) -> None:
    (copy / "summary.json").unlink()
    killed = cr.open_run(copy)
    assert killed.reason == "unfinished"
    assert killed.test is None
    assert killed.resume(4).reason == "completed"
    assert cr.open_run(copy).epochs == 4


def test_the_list_tells_runs_apart(copy: Path) -> None:
    damaged = Path(shutil.copytree(copy, copy.with_name("broken")))
    (damaged / "summary.json").write_text("{")
    found = {each.path.name: each for each in cr.list_runs(copy.parent)}
    assert found[copy.name].state == "completed"
    assert found["broken"].state == "damaged"
    text = render_text(listing_of(list(found.values()), copy.parent))
    assert "accuracy 0.9" in text
    assert "summary.json" in text.replace("\n", "")
    assert listing_data(found[copy.name])["epochs"] == 3
    assert "no run" in render_text(listing_of(cr.list_runs(copy / "nothing"), copy))


def test_what_cannot_be_looked_up_is_told_where_it_is_meant_and_passed_over_in_a_list(copy: Path) -> None:
    runs = copy.parent
    (runs / "loop").symlink_to("loop")
    for which in ("x" * 5000, runs / "loop"):
        with pytest.raises(cr.errors.UnreadableFileError, match="cannot be looked up"):
            cr.open_run(which, runs=runs)
    assert [each.path for each in cr.list_runs(runs)] == [copy]
    assert cr.open_run("latest", runs=runs).name == cr.open_run(copy).name


def test_arrays_are_kept_with_their_run(tmp_path: Path) -> None:
    rng = np.linspace(0.0, 1.0, 60).reshape(30, 2)
    data = (rng, np.arange(30) % 3)
    run = cr.train([cr.Dense(3)], data, epochs=2, runs=tmp_path)
    assert run.path is not None
    opened = cr.open_run(run.path)
    assert opened.evaluate().metrics == pytest.approx(run.evaluate().metrics)
    assert opened.resume(3).epochs == 3
    kept = next(run.path.glob("data-*.safetensors"))
    kept.write_bytes(kept.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(cr.errors.RunError, match="damaged"):
        cr.open_run(run.path).evaluate()
    kept.unlink()
    with pytest.raises(cr.errors.DataError, match="in memory"):
        cr.open_run(run.path).evaluate()
    assert cr.open_run(run.path, data=cr.load(data)).evaluate().rows == 6


def test_a_score_without_meaning_is_one_when_the_run_is_opened_too(tmp_path: Path) -> None:
    """R² of a single row is no number, which JSON cannot say."""
    rng = np.random.default_rng(1)
    run = cr.train([cr.Dense(1)], (rng.normal(size=(6, 2)), rng.normal(size=6)), epochs=1, runs=tmp_path)
    assert run.path is not None
    assert run.record.rows[2] == 1
    opened = cr.open_run(run.path)
    assert opened.test == pytest.approx(run.test, nan_ok=True)
    assert np.isnan((opened.test or {})["r2"])
    assert "R²" not in str(opened.summary())
    assert [each.state for each in cr.list_runs(tmp_path)] == ["completed"]


def test_data_that_changed_are_noticed(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n" + "".join(f"{k},{2 * k}\n" for k in range(20)))
    run = cr.train([cr.Dense(1)], cr.load(table, target="b"), epochs=1, runs=tmp_path / "runs")
    table.write_text(table.read_text().replace("3,6", "3,7"))
    with pytest.raises(cr.errors.DataError, match="changed"):
        cr.open_run(run.path or "").explain("dense_1.b[0]", sample=0)
