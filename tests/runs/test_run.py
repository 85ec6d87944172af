"""A run: what it predicts, how it is scored, how it goes on, what it tells of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.document import Diagram, walk


def test_history_reads_like_a_dict(digits_run: cr.Run) -> None:
    assert list(digits_run.history) == ["loss", "accuracy"]
    assert len(digits_run.history["loss"]) == 3
    assert digits_run.history["loss"][-1] < digits_run.history["loss"][0]
    with pytest.raises(cr.errors.UnknownNameError, match="did you mean 'loss'"):
        _ = digits_run.history["los"]


def test_a_history_shows_itself_as_a_table(digits_run: cr.Run) -> None:
    lines = repr(digits_run.history).splitlines()
    assert lines[0] == "History of 3 epochs"
    assert lines[1].split() == ["epoch", "loss", "accuracy"]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3"]
    assert float(lines[-1].split()[1]) == pytest.approx(digits_run.history["loss"][-1], rel=1e-5)
    long = cr.train([cr.Dense(2)], "xor", epochs=30, runs=None).history
    assert [line.split()[0] for line in repr(long).splitlines()[2:]] == [
        *("1", "2", "3", "4", "5"), "…", *("26", "27", "28", "29", "30"),
    ]  # fmt: skip
    assert repr(cr.History()).splitlines() == ["History of 0 epochs", "epoch"]


def test_a_page_shows_itself_at_a_prompt_and_in_a_notebook(digits_run: cr.Run) -> None:
    page = digits_run.explain("dense_1.W[28, 3]", sample=17)
    assert repr(page) == page.text.rstrip("\n")
    html = page._repr_html_()  # what a notebook asks for
    assert html.startswith("<style>")
    assert html.count("<article") == 1
    assert "<math" in html
    assert "<script" not in html
    assert "<html" not in html


def test_the_network_shows_itself_with_the_weights_of_the_step(digits_run: cr.Run) -> None:
    page = digits_run.network
    (drawn,) = [block for block in page.document.blocks if isinstance(block, Diagram)]
    weights = digits_run.weights
    names = {place: f"dense_{place + 1}.W" for place in range(len(drawn.links))}
    for place, links in enumerate(drawn.links):
        assert links
        for link in links:
            assert link.weight == weights[names[place]][link.source, link.target]
    before = digits_run.at(0)
    (first,) = [block for block in before.network.document.blocks if isinstance(block, Diagram)]
    assert (
        first.links[-1][0].weight
        == before.weights[names[len(names) - 1]][first.links[-1][0].source, first.links[-1][0].target]
    )
    assert page.data["parameters"] == sum(value.size for value in weights.values())
    for layer in page.data["layers"]:  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable] - a list
        own = [value.size for name, value in weights.items() if name.startswith(f"{layer['name']}.")]
        assert layer["parameters"] == sum(own)
    assert repr(page).startswith("Network")
    assert f"{page.data['parameters']:,}" in page.text
    assert "<svg" in page._repr_html_()
    assert "<svg" in page.html


def test_the_network_is_drawn_as_in_the_report(digits_run: cr.Run) -> None:
    told = [block for block in walk(cr.report(digits_run).document) if isinstance(block, Diagram)]
    own = [block for block in walk(digits_run.network.document) if isinstance(block, Diagram)]
    assert [each.links for each in told] == [each.links for each in own]
    assert [each.stages for each in told] == [each.stages for each in own]


def test_predictions_are_classes_and_fit_the_accuracy(digits_run: cr.Run) -> None:
    digits = cr.load("digits")
    test = digits_run.prepared.split.test
    said = digits_run.predict(digits.x[test])
    assert said.dtype == np.int64
    assert digits_run.test is not None
    assert np.mean(said == digits.y[test]) == pytest.approx(digits_run.test["accuracy"])
    assert digits_run.evaluate().metrics == pytest.approx(dict(digits_run.test))


def test_probabilities_add_up_and_their_largest_is_the_prediction(digits_run: cr.Run) -> None:
    x = cr.load("digits").x[:50]
    shares = digits_run.predict_proba(x)
    assert shares.shape == (50, 10)
    assert shares.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-6)
    assert (shares.argmax(axis=1) == digits_run.predict(x)).all()


def test_names_of_classes_come_back_as_they_were_given() -> None:
    x = np.array([[0.0], [1.0], [0.1], [0.9]])
    run = cr.train(
        [cr.Dense(2)],
        (x, np.array(["no", "yes", "no", "yes"])),
        optimizer=cr.Adam(0.1),
        test_fraction=0.0,
        epochs=100,
        runs=None,
    )
    assert run.predict(x).tolist() == ["no", "yes", "no", "yes"]


def test_a_single_sigmoid_predicts_two_probabilities() -> None:
    run = cr.train([cr.Dense(8, "tanh"), cr.Dense(1)], "xor", optimizer=cr.Adam(0.1), epochs=100, runs=None)
    assert run.experiment.loss == "binary_cross_entropy"
    assert run.predict(cr.load("xor").x).tolist() == [0, 1, 1, 0]
    shares = run.predict_proba("xor")
    assert shares.shape == (4, 2)
    assert shares.sum(axis=1) == pytest.approx(np.ones(4))


def test_numbers_are_predicted_in_their_own_units() -> None:
    x = np.linspace(0.0, 1.0, 40)[:, None]
    run = cr.train([cr.Dense(1)], (x, 1000.0 * x + 5000.0), optimizer=cr.SGD(0.3), epochs=60, runs=None)
    said = run.predict([[0.25]])
    assert said.shape == (1,)
    assert said[0] == pytest.approx(5250.0, abs=5.0)
    assert run.test is not None
    assert run.test["rmse"] < 5.0
    with pytest.raises(cr.errors.RunError, match="probabilities"):
        run.predict_proba(x)


def test_weights_are_copies(digits_run: cr.Run) -> None:
    before = digits_run.weights["dense_1.W"]
    before[:] = 0.0
    assert digits_run.weights["dense_1.W"].any()
    assert list(digits_run.weights) == ["dense_1.W", "dense_1.b", "dense_2.W", "dense_2.b"]


def test_going_on_in_memory_gives_the_bits_of_one_sitting() -> None:
    once = cr.train([cr.Dense(8, "tanh"), cr.Dense(2)], "spirals", epochs=6, runs=None)
    first = cr.train([cr.Dense(8, "tanh"), cr.Dense(2)], "spirals", epochs=2, runs=None)
    again = first.resume(6)
    assert first.epochs == 2
    assert again.history == once.history
    for name, value in once.weights.items():
        assert value.tobytes() == again.weights[name].tobytes(), name
    with pytest.raises(cr.errors.RunError, match="more than 6"):
        again.resume()


def test_a_run_stopped_within_an_epoch_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    stopper = cr.Stopper()

    def stop_soon(event: object) -> None:
        if isinstance(event, cr.SliceDone) and event.step > 20:
            stopper.ask()

    arguments: Any = {"epochs": 3, "seed": 3, "batch_size": 7}
    stopped = cr.train(None, "moons", runs=tmp_path, listeners=[stop_soon], stopper=stopper, **arguments)
    assert stopped.reason == "interrupted"
    assert stopped.test is None
    whole = cr.train(None, "moons", runs=None, **arguments)
    again = stopped.resume()
    assert again.reason == "completed"
    assert again.history == whole.history
    assert all(whole.weights[n].tobytes() == v.tobytes() for n, v in again.weights.items())


def test_an_experiment_repeats_its_run(digits_run: cr.Run) -> None:
    again = cr.run_experiment(digits_run.experiment, runs=None)
    assert again.history == digits_run.history


def test_the_summary_counts_every_number(digits_run: cr.Run) -> None:
    text = str(digits_run.summary())
    assert "1,210" in text  # 64·16 + 16 + 16·10 + 10
    assert "1,797 images of 8 × 8" in text
    assert digits_run.summary().data["parameters"] == 1210
    assert repr(digits_run).startswith("Run('digits-")


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((2, 3)), "shape"),
        (np.full((1, 64), 0.5), "before any scaling"),
        (np.full((1, 64), np.nan), "NaN"),
        ([["a"] * 64], "numbers"),
        (np.zeros((0, 64), np.uint8), "zero samples"),
    ],
)
def test_samples_that_do_not_fit_are_refused_in_a_sentence(digits_run: cr.Run, x: object, said: str) -> None:
    with pytest.raises(cr.errors.InputError, match=said):
        digits_run.predict(x)


def test_options_that_do_not_fit_are_refused_in_a_sentence() -> None:
    with pytest.raises(cr.errors.UnknownNameError, match="did you mean 'adam'"):
        cr.train(None, "xor", optimizer="adm", runs=None)
    with pytest.raises(cr.errors.UnknownNameError, match="parameter to freeze"):
        cr.train(None, "xor", frozen="dense_9.*", runs=None)
    with pytest.raises(cr.errors.ShapeError, match="weights of shape"):
        cr.train([cr.Dense(2)], "xor", weights={"dense_1.W": [[1.0]]}, runs=None)
    with pytest.raises(cr.errors.ExperimentError, match="2 units"):
        cr.train([cr.Dense(5)], "xor", runs=None)
    with pytest.raises(cr.errors.ValueRangeError, match="finite"):
        cr.train([cr.Dense(2)], "xor", weights={"dense_1.b": [np.nan, 0.0]}, runs=None)


def test_a_notebook_shows_the_summary(digits_run: cr.Run) -> None:
    shown = digits_run._repr_html_()  # what a notebook asks for
    assert digits_run.name in shown
    assert "<svg" in shown
    assert f"{digits_run.step:,} steps" in shown
