"""Every number of a report against another source: the files of the run, a backpropagation by hand, scikit-learn."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

import chainrule as cr
from chainrule.document import Diagram, Figure, Heading, Heatmap, Number, Paragraph, Pictures, Table, find, walk
from chainrule.document.behind import tables_of
from chainrule.errors import DataError, RunError, UnknownNameError
from chainrule.report.moments import chosen_steps, moments_of, probed_rows
from chainrule.report.outcome import MOST_CLASSES, _most_mistaken
from chainrule.runs.suggest import loudest_weight


@pytest.fixture(scope="module")
def page(digits_run: cr.Run) -> cr.Page:
    return cr.report(digits_run)


def series(page: cr.Page, name: str) -> dict[str, tuple[float, ...]]:
    figure = find(page.document, name)
    assert isinstance(figure, Figure)
    return {one.name: one.y for one in figure.series}


# ---- from the files of the run ----


def test_learning_curves_are_the_lines_of_the_history(page: cr.Page, digits_run: cr.Run) -> None:
    assert digits_run.path is not None
    lines = [json.loads(line) for line in (digits_run.path / "history.jsonl").read_text().splitlines()]
    assert series(page, "loss") == {
        "training": tuple(line["loss"] for line in lines),
        "validation": tuple(line["val_loss"] for line in lines),
    }
    assert series(page, "accuracy")["validation"] == tuple(line["val_accuracy"] for line in lines)
    assert page.data["history"] == {name: [line[name] for line in lines] for name in digits_run.history}


def test_the_drawing_counts_and_weighs(page: cr.Page, digits_run: cr.Run) -> None:
    diagram = find(page.document, "drawing")
    assert isinstance(diagram, Diagram)
    assert [stage.remark for stage in diagram.stages] == ["64", "16 relu\n1,040", "10\n170"]
    assert "1,210 weights and biases" in diagram.alternative
    for links, name in zip(diagram.links, ("dense_1.W", "dense_2.W"), strict=True):
        weight = digits_run.weights[name]
        assert all(link.weight == weight[link.source, link.target] for link in links)
    size = np.linalg.norm(digits_run.weights["dense_1.W"], axis=1)
    assert {link.source for link in diagram.links[0]} == {*np.argsort(-size)[:9].tolist()}
    assert diagram.stages[-1].labels == tuple("0123456789")


# ---- from a replay ----


def by_hand(run: cr.Run, weights: dict[str, Any]) -> dict[str, float]:
    """What is probed, by a forward and a backward pass over a relu layer and a softmax, written out."""
    rows = probed_rows(run)
    x = run.dataset.x[rows].astype(float) / 16  # digits have 17 grays
    y = np.eye(10)[run.dataset.y[rows]]
    z1 = x @ weights["dense_1.W"] + weights["dense_1.b"]
    a1 = np.maximum(z1, 0)
    z2 = a1 @ weights["dense_2.W"] + weights["dense_2.b"]
    y_hat = np.exp(z2 - z2.max(axis=1, keepdims=True))
    y_hat /= y_hat.sum(axis=1, keepdims=True)
    delta2 = y_hat - y
    delta1 = (delta2 @ weights["dense_2.W"].T) * (z1 > 0)
    return {
        "a1": float(np.sqrt((a1**2).mean())),
        "zeros1": float((a1 == 0).mean()),
        "delta1": float(np.sqrt((delta1**2).mean())),
        "delta2": float(np.sqrt((delta2**2).mean())),
        "W1": float(np.linalg.norm(x.T @ delta1 / len(x))),
        "W2": float(np.linalg.norm(a1.T @ delta2 / len(x))),
    }


def test_the_inside_is_what_a_backpropagation_by_hand_finds(digits_run: cr.Run) -> None:
    moments = moments_of(digits_run)
    assert len(moments) > 8
    for moment in (moments[0], moments[4], moments[-1]):
        wanted = by_hand(digits_run, digits_run.at(moment.update - 1).weights)
        found = {
            "a1": moment.activations["dense_1"],
            "zeros1": moment.zeros["dense_1"],
            "delta1": moment.deltas["dense_1"],
            "delta2": moment.deltas["dense_2"],
            "W1": moment.gradients["dense_1.W"],
            "W2": moment.gradients["dense_2.W"],
        }
        assert found == pytest.approx(wanted, rel=1e-9)


def test_updates_are_those_that_were_made(page: cr.Page, digits_run: cr.Run) -> None:
    figure = find(page.document, "updates")
    assert isinstance(figure, Figure)
    (first, *_) = figure.series
    assert first.name == "dense_1.W"
    assert first.x[-1] == digits_run.step
    for update, ratio in list(zip(first.x, first.y, strict=True))[::4]:
        before, after = (digits_run.at(int(update) - back).weights["dense_1.W"] for back in (1, 0))
        assert ratio == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before), rel=1e-12)


def test_moments_are_two_in_each_doubling_and_the_last() -> None:
    assert chosen_steps(1) == (0,)
    assert chosen_steps(2) == (0, 1)
    assert chosen_steps(20) == (0, 1, 2, 3, 4, 6, 8, 12, 16, 19)


def test_reporting_does_not_disturb(digits_run: cr.Run) -> None:
    assert digits_run.path is not None
    before = {path: path.read_bytes() for path in digits_run.path.rglob("*") if path.is_file()}
    cr.report(digits_run)
    assert {path: path.read_bytes() for path in digits_run.path.rglob("*") if path.is_file()} == before


# ---- from what the network says ----


def test_confusion_is_that_of_scikit_learn(page: cr.Page, digits_run: cr.Run) -> None:
    heatmap = find(page.document, "confusion")
    assert isinstance(heatmap, Heatmap)
    rows = digits_run.prepared.split.test
    said = digits_run.predict(digits_run.dataset.x[rows])
    assert np.array_equal(heatmap.counts, confusion_matrix(digits_run.dataset.y[rows], said))
    right = int((said == digits_run.dataset.y[rows]).sum())
    assert heatmap.alternative.startswith(f"{right} of {len(rows)} rows are right.")


def test_of_many_classes_those_with_most_mistakes_are_shown() -> None:
    table = np.eye(30, dtype=np.int64) * 5
    table[3, 29] = 7
    table[8, 3] = 2
    shown = _most_mistaken(table)
    assert len(shown) == MOST_CLASSES
    assert {3, 8, 29} <= {*shown}
    assert shown == sorted(shown)


def test_telling_samples_are_the_extremes(page: cr.Page, digits_run: cr.Run) -> None:
    rows = digits_run.prepared.split.test
    y = digits_run.dataset.y[rows]
    shares = digits_run.predict_proba(digits_run.dataset.x[rows])
    losses, said = -np.log(shares[np.arange(len(y)), y]), shares.argmax(axis=1)
    by_loss = np.argsort(-losses)[:10]
    shown = told(page, "largest-loss")
    assert [row for row, *_ in shown] == rows[by_loss].tolist()
    assert [loss for *_, loss in shown] == pytest.approx(losses[by_loss].tolist())
    assert [called for _, called, _ in shown] == [f"{y[place]} → {said[place]}" for place in by_loss]
    wrong = np.flatnonzero(said != y)
    sure = wrong[np.argsort(-shares.max(axis=1)[wrong])][:10]
    assert [row for row, *_ in told(page, "surest-mistakes")] == rows[sure].tolist()
    typical = told(page, "most-typical")
    assert [called for _, called, _ in typical] == [f"{label} → {label}" for label in range(10)]
    assert typical[3][2] == pytest.approx(losses[y == 3].min())


def test_the_rows_whose_inside_is_measured_are_named(page: cr.Page, digits_run: cr.Run) -> None:
    """One of every six, of 1,294; the page says so, and its data lists them."""
    rows = sorted(digits_run.prepared.split.train.tolist())
    assert len(rows) == 1294
    assert page.data["probed_rows"] == rows[::6]
    assert "on 216 training rows, one of every 6 from the first on, and" in " ".join(page.text.split())


def test_the_weight_that_is_opened_has_a_gradient_where_there_is_one(runs_folder: Path) -> None:
    """All rows are right; the first one is (0, 0), on which no weight of the first layer has a gradient."""
    run = cr.train(None, "xor", epochs=60, dtype="float64", runs=runs_folder)
    assert run.history["accuracy"][-1] == 1.0
    said = " ".join(cr.report(run).text.split()).partition("An opened weight")[2].partition("Sample ")[2]
    shares = run.predict_proba(run.dataset.x)
    least = int(shares.max(axis=1).argmin())
    assert said.startswith(f"{least} is {run.dataset.y[least]}, as predicted, if least surely of 4; of dense_1.W, ")
    named = said.partition("of dense_1.W, ")[2].partition(" has the largest gradient there")[0]
    pages: list[Any] = [run.explain(f"dense_1.W[{i}, {j}]", sample=least).data for i in range(2) for j in range(8)]
    loudest = max(pages, key=lambda data: abs(data["gradient"]))
    assert loudest["gradient"] != 0
    assert named == loudest["weight"]


def test_a_bias_is_opened_where_no_weight_has_a_gradient() -> None:
    run = cr.train([cr.Dense(3, "tanh"), cr.Dense(1)], np.zeros((6, 2)), np.arange(6.0), epochs=1, runs=None)
    assert loudest_weight(run, 5).startswith("dense_1.b[")


def told(page: cr.Page, name: str) -> list[list[Any]]:
    """What stands under small pictures."""
    pictures = find(page.document, name)
    assert isinstance(pictures, Pictures)
    return [[part.value if isinstance(part, Number) else part for part in each.lines] for each in pictures.pictures]


def test_pictures_are_the_images(page: cr.Page, digits_run: cr.Run) -> None:
    pictures = find(page.document, "largest-loss")
    assert isinstance(pictures, Pictures)
    row = int(told(page, "largest-loss")[0][0])
    assert np.array_equal(np.array(pictures.pictures[0].shades), digits_run.dataset.x[row].reshape(8, 8) / 16)


def test_residuals_are_predicted_minus_true(table_run: cr.Run) -> None:
    page = cr.report(table_run)
    rows = table_run.prepared.split.test
    said, y = table_run.predict(table_run.dataset.x[rows]), table_run.dataset.y[rows]
    for place in (0, 1):
        figure = find(page.document, f"residuals-points-{place}")
        assert isinstance(figure, Figure)
        assert figure.series[0].x == pytest.approx(said[:, place].tolist())
        assert figure.series[0].y == pytest.approx((said - y)[:, place].tolist())
        bars = find(page.document, f"residuals-spread-{place}")
        assert isinstance(bars, Figure)
        assert sum(bars.series[0].y) == len(rows)
        ends = [[float(end.replace("−", "-")) for end in name.split(" to ")] for name in bars.categories]
        assert [high for _, high in ends[:-1]] == [low for low, _ in ends[1:]]
        assert [low <= value < high for low, high in ends for value in (said - y)[:, place]].count(True) == len(rows)
    table = find(page.document, "furthest-off")
    assert isinstance(table, Table)
    scaled = ((said - y) / table_run.dataset.y[table_run.prepared.split.train].std(axis=0)) ** 2
    assert table.rows[0].cells[0] == str(rows[scaled.sum(axis=1).argmax()])


def test_numbers_of_a_lone_target_stand_under_one_another_and_the_features_beside_them_are_told(
    tmp_path: Path,
) -> None:
    x = np.array([[np.sin(7 * row + 3 * column) for column in range(6)] for row in range(60)])
    run = cr.train([cr.Dense(1)], x, 1e5 * x[:, :1], epochs=2, name="large", runs=tmp_path)
    page = cr.report(run)
    table = find(page.document, "furthest-off")
    assert isinstance(table, Table)
    assert all(isinstance(cell, Number) for row in table.rows for cell in row.cells[1:])
    said = " ".join(str(page).split())
    assert "Beside it stand the 4 of 6 features with the largest weights in the first layer." in said
    assert re.search(r"typical error \(RMSE\) \d{5},", said)
    assert re.search(r"standard deviation \d{5}\.", said)


# ---- the whole ----


def test_each_section_says_where_its_numbers_come_from(page: cr.Page) -> None:
    """Between one heading of the first level and the next stands a line that names the source."""
    sections: list[list[object]] = [[]]
    for block in page.document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            sections.append([])
        sections[-1].append(block)
    assert len(sections) == 8
    for section in sections:
        named = [block for block in section if isinstance(block, Paragraph) and block.name == "source"]
        assert len(named) == 1, section[0]
        assert section[-1] is named[0]


def test_the_opened_weight_is_the_page_of_explain(page: cr.Page, digits_run: cr.Run) -> None:
    chosen = cr.report(digits_run, weight="dense_2.W[3, 7]", sample=17)
    opened = digits_run.explain("dense_2.W[3, 7]", sample=17).document
    assert all(block in chosen.document.blocks for block in opened.blocks)
    with pytest.raises(UnknownNameError, match=r"dense_3"):
        cr.report(digits_run, weight="dense_3.W[0, 0]")


def test_every_chart_is_written_three_times(digits_run: cr.Run, tmp_path: Path) -> None:
    page = cr.report(digits_run, tmp_path / "told.html", charts=tmp_path / "charts")
    assert (tmp_path / "told.html").read_text(encoding="utf-8") == page.html
    written = sorted(path.name for path in (tmp_path / "charts").iterdir())
    stems = {name.partition(".")[0] for name in written}
    assert {"drawing", "loss", "accuracy", "activations", "deltas", "gradients", "updates", "confusion"} < stems
    assert written == sorted(f"{stem}.{ending}" for stem in stems for ending in ("svg", "png", "csv"))
    assert all((tmp_path / "charts" / f"{stem}.png").read_bytes().startswith(b"\x89PNG") for stem in stems)
    with (tmp_path / "charts" / "loss.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["epoch", "training", "validation"]
    assert [float(row[1]) for row in rows[1:]] == digits_run.history["loss"]


def test_every_chart_has_its_numbers_beside_it(page: cr.Page) -> None:
    figures = [block for block in walk(page.document) if isinstance(block, Figure | Heatmap | Diagram | Pictures)]
    assert len(figures) >= 10
    assert page.html.count("<details>") == len(figures)
    assert all(tables_of(figure) for figure in figures)


def test_every_kind_of_task_is_told(any_run: cr.Run) -> None:
    page = cr.report(any_run)
    assert page.text
    assert len(page.html.encode()) < 2_000_000
    headings = [block.text for block in page.document.blocks if isinstance(block, Heading) and block.level == 1]
    assert headings[-1] == "How to repeat it"


def test_a_run_that_was_stopped_at_the_start_is_told(tmp_path: Path) -> None:
    stopper = cr.Stopper()
    stopper.ask()
    run = cr.train(None, "moons", epochs=2, stopper=stopper, runs=tmp_path)
    assert run.step == 0
    text = cr.report(run).text
    assert "No update is done yet" in text
    assert "No epoch is complete yet" in text


@pytest.mark.parametrize("name", ["history.jsonl", "data.json", "experiment.toml"])
def test_a_missing_file_is_named_in_a_sentence(name: str, digits_run: cr.Run, tmp_path: Path) -> None:
    folder = copied(digits_run, tmp_path)
    (folder / name).unlink()
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        cr.report(cr.open_run(folder))


@pytest.mark.parametrize("name", ["history.jsonl", "data.json", "summary.json"])
def test_a_damaged_file_is_named_in_a_sentence(name: str, digits_run: cr.Run, tmp_path: Path) -> None:
    folder = copied(digits_run, tmp_path)
    (folder / name).write_text("{\nnot what it was\n")
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        cr.report(cr.open_run(folder))


def test_data_that_changed_are_named_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("a,b,y\n" + "".join(f"{row},{row * row},{row / 7}\n" for row in range(40)))
    run = trained_on(file, tmp_path / "runs")
    file.write_text(file.read_text().replace("3,9,", "3,10,"))
    with pytest.raises(DataError, match=r"some\.csv"):
        cr.report(cr.open_run(run))


def trained_on(file: Path, runs: Path) -> Path:
    data = cr.load(file, target="y")
    path = cr.train(None, data, epochs=1, runs=runs).path
    assert path is not None
    return path


def copied(run: cr.Run, into: Path) -> Path:
    assert run.path is not None
    return Path(shutil.copytree(run.path, into / "copy"))
