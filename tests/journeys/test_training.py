"""From a data set to a trained, explained and used network, each step a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from tests.absent import require
from tests.journeys.processes import chainrule
from tests.project import terminal

pytestmark = pytest.mark.journey
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
HOW = "it lies beside the repository"


def test_digits_are_learned_explained_and_checked(tmp_path: Path) -> None:
    trained = chainrule(["train", "digits"], tmp_path)
    assert trained.code == 0, trained.err
    assert trained.end["test"]["accuracy"] >= 0.96
    assert trained.end["test"]["rows"] == 359
    explained = chainrule(
        ["explain", "latest", "--weight", "dense_1.W[28, 3]", "--sample", "17", "--format", "json"], tmp_path
    )
    data = json.loads(explained.out)
    assert abs(sum(data["terms"]) - data["gradient"]) <= 1e-12 * sum(map(abs, data["terms"]))
    assert all(witness["difference"] <= witness["bound"] for witness in data["witnesses"])
    assert chainrule(["gradcheck", "latest"], tmp_path).code == 0
    run = cr.open_run(tmp_path / trained.end["run"])
    assert run.test == pytest.approx({"accuracy": trained.end["test"]["accuracy"], "loss": trained.end["test"]["loss"]})
    images = tmp_path / "images.npy"
    np.save(images, run.dataset.x[:20])
    predicted = chainrule(["predict", "digits", "images.npy"], tmp_path)
    assert predicted.out.split()[1:] == [str(each) for each in run.predict(images)]


def test_what_a_person_sees_is_what_is_typed_next(tmp_path: Path) -> None:
    shown = terminal.run(terminal.arguments("chainrule train digits --epochs 2"), tmp_path)
    assert shown.exit_code == 0
    assert "epoch 1/2" not in shown.text  # the live line is gone
    assert "Test     accuracy 0." in shown.text
    commands = [line.strip() for line in shown.text.splitlines() if line.startswith("  chainrule ")]
    assert len(commands) == 3
    for command in commands:
        assert terminal.run(terminal.arguments(command), tmp_path).exit_code == 0, command


def test_a_printed_experiment_repeats_the_run(tmp_path: Path) -> None:
    options = ["spirals", "--classes", "3", "--hidden", "8", "--epochs", "3", "--lr", "0.01", "--seed", "5"]
    written = chainrule(["train", *options, "--print-experiment"], tmp_path)
    (tmp_path / "experiment.toml").write_text(written.out)
    first, again = (chainrule(["train", *words], tmp_path) for words in (options, ["experiment.toml"]))
    weights = [(tmp_path / each.end["run"] / "weights.safetensors").read_bytes() for each in (first, again)]
    assert weights[0] == weights[1]
    assert Path(again.end["run"]).name == f"{Path(first.end['run']).name}-2"


def test_numbers_of_a_table_are_predicted(tmp_path: Path) -> None:
    source = require(SHARED / "tabular" / "mpg.csv", HOW)
    options = ["--target", "mpg", "--drop", "name,origin,horsepower", "--epochs", "80"]
    trained = chainrule(["train", str(source), *options], tmp_path)
    assert trained.code == 0, trained.err
    assert trained.end["test"]["r2"] > 0.75
    lines = source.read_text().splitlines()
    (tmp_path / "new.csv").write_text("\n".join([lines[0], *lines[1:6]]) + "\n")
    predicted = chainrule(["predict", "mpg", "new.csv"], tmp_path).out.splitlines()
    assert predicted[0] == "predicted_mpg"
    assert all(10 < float(value) < 30 for value in predicted[1:])


def test_names_of_a_table_are_classes(tmp_path: Path) -> None:
    source = require(SHARED / "tabular" / "penguins.csv", HOW)
    whole = [line for line in source.read_text().splitlines() if ",," not in line and "NA" not in line]
    (tmp_path / "penguins.csv").write_text("\n".join(whole) + "\n")
    trained = chainrule(["train", "penguins.csv", "--target", "species", "--drop", "island,sex"], tmp_path)
    assert trained.code == 0, trained.err
    assert trained.end["test"]["accuracy"] > 0.9
    assert [each["name"] for each in trained.end["test"]["classes"]] == ["Adelie", "Chinstrap", "Gentoo"]


def test_mnist_has_13002_weights_and_biases(tmp_path: Path) -> None:
    folder = require(SHARED / "mnist", HOW)
    shown = terminal.run(terminal.arguments(f"chainrule train '{folder}' --hidden 16,16 --epochs 1"), tmp_path)
    assert shown.exit_code == 0
    assert "13,002" in shown.text
    assert "60,000 train, 10,000 test" in shown.text
    assert cr.open_run(next((tmp_path / "runs").iterdir())).test["accuracy"] > 0.9  # pyright: ignore[reportOptionalSubscript]
