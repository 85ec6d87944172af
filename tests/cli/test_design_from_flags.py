"""Every field of an experiment is a flag, and the printed experiment repeats the run."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from chainrule.cli.design_from_flags import experiment_of
from chainrule.cli.flags import NO_DATA_FLAGS, NO_FLAGS, DataFlags, ExperimentFlags
from chainrule.errors import InputError
from chainrule.nn.initializers import Constant
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD, Adam
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan
from chainrule.train.fit import fit
from chainrule.train.serialize import from_toml
from tests.cli.conftest import Command


def test_without_flags_it_is_the_default() -> None:
    experiment, dataset = experiment_of("digits", NO_DATA_FLAGS, NO_FLAGS)
    assert [layer.units for layer in experiment.network if isinstance(layer, Dense)] == [64, 32, 10]
    assert experiment.loss == "categorical_cross_entropy"
    assert dataset.row_count == 1797


def test_every_field_has_its_flag() -> None:
    data = DataFlags(
        rows=60, noise=0.1, data_seed=5, test_fraction=0.5, validation_fraction=0.25, stratify=False,
        scale_features="minmax",
    )  # fmt: skip
    flags = ExperimentFlags(
        hidden="8,4", activation="tanh", loss="cross_entropy", optimizer="nesterov", learning_rate=0.3, momentum=0.8,
        epochs=7, batch_size=9, shuffle=False, seed=11, frozen=("*.b,dense_1.W",), dtype="float64", backend="reference",
        name="mine",
    )  # fmt: skip
    experiment, dataset = experiment_of("moons", data, flags)
    assert dataset.row_count == 60
    assert (experiment.data.noise, experiment.data.seed) == (0.1, 5)
    assert experiment == Experiment(
        name="mine",
        data=dataset.source,
        preprocessing=Preprocessing(features="minmax", targets="none"),
        network=(Dense(8, "tanh"), Dense(4, "tanh"), Dense(2)),
        loss="categorical_cross_entropy",
        optimizer=SGD(0.3, momentum=0.8, nesterov=True),
        frozen=("*.b", "dense_1.W"),
        split=SplitPlan(test_fraction=0.5, validation_fraction=0.25, stratify=False),
        epochs=7,
        batch_size=9,
        shuffle=False,
        seed=11,
        dtype="float64",
        backend="reference",
    )


def test_a_rate_alone_changes_the_default_optimizer() -> None:
    experiment, _ = experiment_of("xor", NO_DATA_FLAGS, ExperimentFlags(learning_rate=0.5, beta_2=0.99))
    assert experiment.optimizer == Adam(0.5, beta_2=0.99)


def test_the_one_weight_set_is_trained_as_in_its_trace_and_flags_change_that() -> None:
    experiment, _ = experiment_of("one_weight", NO_DATA_FLAGS, NO_FLAGS)
    assert experiment.network == (Dense(1, use_bias=False, kernel_initializer=Constant(0.7)),)
    assert experiment.loss == "mean_squared_error"
    assert (experiment.optimizer, experiment.epochs, experiment.dtype) == (SGD(0.1), 11, "float64")
    faster, _ = experiment_of("one_weight", NO_DATA_FLAGS, ExperimentFlags(learning_rate=0.2, epochs=3))
    assert (faster.optimizer, faster.epochs) == (SGD(0.2), 3)
    deeper, _ = experiment_of("one_weight", NO_DATA_FLAGS, ExperimentFlags(hidden="3"))
    assert (len(deeper.network), deeper.optimizer, deeper.epochs) == (2, Adam(0.003), 20)


def test_xor_is_learned_by_default() -> None:
    experiment, dataset = experiment_of("xor", NO_DATA_FLAGS, NO_FLAGS)
    assert experiment.network == (Dense(8, "tanh"), Dense(2))
    for seed in (0, 1, 2):
        assert fit(experiment.but(seed=seed), dataset).history["accuracy"][-1] == 1.0


def test_images_of_mnist_go_through_two_layers_of_16(tmp_path: Path) -> None:
    for part, rows in (("train", 20), ("t10k", 10)):
        pixels = np.arange(rows * 784, dtype=np.uint32).astype(np.uint8).tobytes()
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">HBBIII", 0, 8, 3, rows, 28, 28) + pixels)
        labels = bytes(k % 10 for k in range(rows))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, rows) + labels)
    experiment, dataset = experiment_of(str(tmp_path), NO_DATA_FLAGS, NO_FLAGS)
    assert experiment.layers.parameter_count(tuple(dataset.x.shape[1:])) == 13_002
    curved, _ = experiment_of(str(tmp_path), NO_DATA_FLAGS, ExperimentFlags(activation="tanh"))
    assert [layer.units for layer in curved.network if isinstance(layer, Dense)] == [16, 16, 10]


def test_no_hidden_layer_is_said_with_layers() -> None:
    with pytest.raises(InputError, match="got nothing: for a network without hidden layers say every layer"):
        experiment_of("xor", NO_DATA_FLAGS, ExperimentFlags(hidden=""))
    experiment, _ = experiment_of("xor", NO_DATA_FLAGS, ExperimentFlags(layers="dense(2)"))
    assert experiment.network == (Dense(2),)


def test_the_printed_experiment_repeats_it_and_flags_override(command: Command, tmp_path: Path) -> None:
    printed = command("train", "spirals", "--hidden", "5", "--epochs", "3", "--print-experiment")
    assert printed.code == 0
    file = tmp_path / "experiment.toml"
    file.write_text(printed.out, encoding="utf-8")
    experiment, _ = experiment_of(str(file), NO_DATA_FLAGS, NO_FLAGS)
    assert experiment == from_toml(printed.out)
    changes = ExperimentFlags(epochs=9, learning_rate=0.25, layers="dense(6, sigmoid), dense(2)", seed=3)
    changed, _ = experiment_of(str(file), DataFlags(validation_fraction=0.5), changes)
    assert changed.network == (Dense(6, "sigmoid"), Dense(2))
    assert (changed.epochs, changed.seed, changed.optimizer.learning_rate) == (9, 3, 0.25)
    assert changed.split == SplitPlan(test_fraction=0.2, validation_fraction=0.5)
    assert changed.data == experiment.data


@pytest.mark.parametrize(
    ("data", "flags", "says"),
    [
        (NO_DATA_FLAGS, ExperimentFlags(hidden="a,b"), "whole numbers separated by commas"),
        (NO_DATA_FLAGS, ExperimentFlags(hidden="0"), "1 to 1,000,000 units, and got 0"),
        (NO_DATA_FLAGS, ExperimentFlags(hidden="64,,32"), "separated by commas, such as 64,32, and got '64,,32'"),
        (
            NO_DATA_FLAGS,
            ExperimentFlags(hidden="10000000000"),
            "1 to 1,000,000 units, and got 10000000000: choose fewer",
        ),
        (NO_DATA_FLAGS, ExperimentFlags(hidden="3", layers="dense(2)"), "leave --hidden"),
        (NO_DATA_FLAGS, ExperimentFlags(momentum=0.5), "--momentum is no option of adam"),
        (NO_DATA_FLAGS, ExperimentFlags(activation="rleu"), "did you mean 'relu'"),
        (NO_DATA_FLAGS, ExperimentFlags(loss="crossentropy"), "did you mean 'cross_entropy'"),
        (NO_DATA_FLAGS, ExperimentFlags(dtype="float16"), "float32"),
        (NO_DATA_FLAGS, ExperimentFlags(epochs=0), "epochs"),
        (NO_DATA_FLAGS, ExperimentFlags(seed=-1), "seed"),
        (DataFlags(target="y"), NO_FLAGS, "does not take the option target"),
        (DataFlags(scale_features="z"), NO_FLAGS, "scaling"),
        (DataFlags(test_fraction=1.5), NO_FLAGS, "test_fraction"),
    ],
)
def test_what_makes_no_sense_is_refused(data: DataFlags, flags: ExperimentFlags, says: str) -> None:
    with pytest.raises(InputError, match=says):
        experiment_of("xor", data, flags)


def test_the_data_of_a_written_experiment_stay(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "experiment.toml"
    file.write_text(command("train", "xor", "--print-experiment").out)
    assert "--target out" in command("train", str(file), "--target", "y").err
    file.write_text(file.read_text().replace("epochs", "epoch"))
    said = command("train", str(file))
    assert said.code == 2
    assert "did you mean 'epochs'" in said.err
