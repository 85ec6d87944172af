"""An experiment is written and read without loss, and refuses what it does not understand, with a way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from chainrule.data.load import load
from chainrule.data.source import Source
from chainrule.errors import DataError, ExperimentError, InputError, ShapeError, UnknownNameError, UnreadableFileError
from chainrule.nn.initializers import Constant
from chainrule.nn.layers import ActivationLayer, Dense, Flatten
from chainrule.nn.network import Network
from chainrule.nn.optimizers import SGD, Adam
from chainrule.train.experiment import Experiment, Preprocessing, SplitPlan, plain
from chainrule.train.resolve import design, resolve
from chainrule.train.serialize import from_json, from_toml, read_experiment, to_json, to_toml, write_experiment

FULL = Experiment(
    name="everything",
    data=Source(kind="builtin", name="spirals", sha256="0" * 64, rows=90, noise=0.1, classes=3, seed=5),
    preprocessing=Preprocessing(features="minmax", targets="none"),
    network=(
        Flatten(),
        Dense(7, "tanh", use_bias=False, kernel_initializer=Constant(0.1), name="first"),
        ActivationLayer("relu"),
        Dense(3),
    ),
    loss="cross_entropy",
    optimizer=SGD(0.1, momentum=0.9, nesterov=True),
    frozen=("first.*",),
    initial_weights="ab" * 32,
    split=SplitPlan(test_fraction=0.25, validation_fraction=0.1, stratify=False),
    epochs=3,
    batch_size=17,
    shuffle=False,
    seed=2**64 - 1,
    dtype="float64",
    backend="reference",
)
SMALL = Experiment(name="small", data=Source(kind="builtin", name="digits"), network=(Dense(10),))


@pytest.mark.parametrize("experiment", [FULL, SMALL], ids=["full", "small"])
def test_what_is_written_reads_back_equal(experiment: Experiment, tmp_path: Path) -> None:
    for text, read in ((to_toml(experiment), from_toml), (to_json(experiment), from_json)):
        back = read(text)
        assert back == experiment
        assert back.hash == experiment.hash
    for ending in ("toml", "json"):
        write_experiment(tmp_path / f"e.{ending}", experiment)
        assert read_experiment(tmp_path / f"e.{ending}") == experiment


def test_every_default_is_written_out() -> None:
    said = plain(SMALL)
    assert set(Experiment.__struct_fields__) - {"initial_weights"} == set(said)
    assert said["network"][0]["kernel_initializer"] == "glorot_uniform"
    assert said["optimizer"] == {
        "type": "adam",
        "learning_rate": 0.003,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
    }
    assert said["split"] == {"test_fraction": "auto", "validation_fraction": 0.0, "stratify": True}


def test_an_alias_is_written_by_its_name() -> None:
    assert FULL.loss == "categorical_cross_entropy"


def test_the_hash_covers_everything_but_the_name() -> None:
    assert SMALL.but(name="other").hash == SMALL.hash
    changes: list[dict[str, Any]] = [
        {"epochs": 21},
        {"seed": 1},
        {"batch_size": 31},
        {"dtype": "float64"},
        {"loss": "mse"},
        {"optimizer": Adam(learning_rate=0.003, beta_1=0.8)},
        {"network": (Dense(10, "sigmoid"),)},
        {"data": Source(kind="builtin", name="digits", sha256="1" * 64)},
        {"frozen": ("*.b",)},
        {"split": SplitPlan(test_fraction=0.3)},
        {"shuffle": False},
        {"preprocessing": Preprocessing(features="none")},
        {"backend": "reference"},
        {"initial_weights": "0" * 64},
    ]
    hashes = {SMALL.but(**change).hash for change in changes}
    assert len(hashes | {SMALL.hash}) == len(changes) + 1
    assert all(len(each) == 8 and int(each, 16) >= 0 for each in hashes)


def test_the_hash_is_the_same_everywhere() -> None:
    assert SMALL.hash == "f36a948f", "a recorded run would lose its name"


def test_the_lineage_is_kept_by_more_epochs_and_by_nothing_else() -> None:
    assert SMALL.but(epochs=99, name="longer", backend="reference").lineage == SMALL.lineage
    assert SMALL.but(seed=1).lineage != SMALL.lineage


BROKEN = {
    ("epochs = 20", "epoch = 20"): "unknown key 'epoch' in e.toml: did you mean 'epochs'?",
    ("units = 10", "unit = 10"): "unknown key 'unit' in network[0] of e.toml: did you mean 'units'?",
    (
        "learning_rate",
        "lerning_rate",
    ): "unknown key 'lerning_rate' in optimizer of e.toml: did you mean 'learning_rate'?",
    ("stratify", "stratified"): "unknown key 'stratified' in split of e.toml: did you mean 'stratify'?",
    ("sha256", "sha-256"): "unknown key 'sha-256' in data of e.toml: did you mean 'sha256'?",
    ('"adam"', '"adams"'): "unknown type of optimizer in e.toml 'adams': did you mean 'adam'?",
    ('type = "dense"\n', ""): "network[0] needs the key type, one of dense, activation, flatten",
    ("units = 10", "units = 0"): "network[0]: a dense layer needs a whole number of at least 1 as units, and got 0",
    ("units = 10", 'units = "ten"'): "network[0].units: expected `int`, got `str`",
    ('"linear"', '"liner"'): "network[0]: unknown activation 'liner': did you mean 'linear'?",
    ("beta_1 = 0.9", "beta_1 = 1.5"): "optimizer: adam needs a number from 0 to below 1 as beta_1, and got 1.5",
    ("seed = 0", "seed = -1"): "a seed is a whole number from 0",
    ('"float32"', '"float16"'): "unknown dtype in e.toml 'float16': did you mean 'float64'?",
    ('features = "auto"', 'features = "scaled"'): "unknown preprocessing.features in e.toml 'scaled'",
    ('loss = "auto"', 'loss = "crossentropy"'): "unknown loss 'crossentropy': did you mean 'cross_entropy'?",
    ("validation_fraction = 0.0", "validation_fraction = 1"): "split: the split needs a number from 0 to below 1",
    ("frozen = []", 'frozen = "*.b"'): "frozen: expected `array`, got `str`",
    ("format_version = 1", "format_version = 2"): "was written by a newer chainrule (format_version 2)",
    ('name = "small"', 'name = ""'): "an experiment needs a name that can be printed",
    ('name = "small"\n', ""): "e.toml: the key 'name' is missing, add it",
    ("seed = 0", "seed = "): "e.toml is not TOML",
    ("epochs = 20", "epochs = 0"): "an experiment needs a whole number of at least 1 as epochs, and got 0",
    ("epochs = 20", "epochs = 2.5"): "epochs: expected `int`, got `float`",
}


@pytest.mark.parametrize(("change", "sentence"), BROKEN.items(), ids=[" -> ".join(c).strip() for c in BROKEN])
def test_what_is_not_understood_is_refused(change: tuple[str, str], sentence: str) -> None:
    text = to_toml(SMALL.but(data=Source(kind="builtin", name="digits", sha256="0" * 64)))
    assert change[0] in text
    with pytest.raises(InputError) as raised:
        from_toml(text.replace(*change), "e.toml")
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[1]", "holds no object"), ("[" * 100_000, "is not JSON")]
)
def test_text_that_is_no_json_object_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ExperimentError, match=sentence):
        from_json(text, "e.json")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"none\.toml cannot be read"):
        read_experiment(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableFileError, match="is not UTF-8 text"):
        read_experiment(tmp_path / "bytes.toml")


def test_an_experiment_is_frozen_and_checks_its_parts() -> None:
    with pytest.raises(AttributeError):
        SMALL.epochs = 3  # type: ignore[misc]
    with pytest.raises(ExperimentError, match="split of an experiment is a SplitPlan"):
        SMALL.but(split={"test_fraction": 0.1})
    with pytest.raises(UnknownNameError, match="did you mean 'epochs'"):
        SMALL.but(epoch=3)
    with pytest.raises(ExperimentError, match="put it in brackets"):
        SMALL.but(frozen="*.b")
    with pytest.raises(ExperimentError, match="format_version is 7"):
        SMALL.but(format_version=7)
    with pytest.raises(ExperimentError, match="64 digits"):
        SMALL.but(initial_weights="abc")
    with pytest.raises(UnknownNameError, match="unknown dtype 'float16'"):
        SMALL.but(dtype="float16")
    with pytest.raises(UnknownNameError, match="unknown scaling 'scaled'"):
        Preprocessing(features="scaled")  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match="at least one layer"):
        SMALL.but(network=())


def test_design_takes_a_network_or_layers_or_neither() -> None:
    digits = load("digits")
    assert [layer.units for layer in design(digits).network if isinstance(layer, Dense)] == [64, 32, 10]
    assert design(digits, Network([Dense(10)])) == design(digits, [Dense(10)])
    assert design(digits, seed=3, name="mine").name == "mine"
    with pytest.raises(UnknownNameError, match="did you mean 'batch_size'"):
        design(digits, batchsize=3)


def test_auto_means_what_the_data_suggest_and_is_written_out() -> None:
    digits = resolve(design(load("digits")), load("digits"))
    assert digits.loss == "categorical_cross_entropy"
    assert digits.preprocessing == Preprocessing(features="unit", targets="none")
    assert digits.split.test_fraction == 0.2
    assert plain(digits) == {**plain(digits), "backend": "auto"}
    without = msgspec.json.encode({key: value for key, value in plain(digits).items() if key != "backend"})
    assert b"auto" not in without
    assert resolve(digits, load("digits")) == digits

    xor = load("xor")
    assert resolve(design(xor, [Dense(2, "relu"), Dense(1)]), xor).loss == "binary_cross_entropy"
    assert resolve(design(xor, [Dense(2, "sigmoid")]), xor).loss == "binary_cross_entropy"
    assert resolve(design(xor, [Dense(2)]), xor).split.test_fraction == 0.0
    numbers = load((np.eye(9), np.arange(9.0)))
    assert resolve(design(numbers), numbers).loss == "mean_squared_error"
    assert resolve(design(numbers), numbers).preprocessing == Preprocessing(
        features="standardize", targets="standardize"
    )


def test_network_loss_and_data_must_fit() -> None:
    digits, numbers = load("digits"), load((np.eye(9), np.arange(9.0)))
    with pytest.raises(ExperimentError, match=r"digits has 10 classes, and the network's output is \(5,\) a sample"):
        resolve(design(digits, [Dense(5)]), digits)
    with pytest.raises(ExperimentError, match="has 10 classes"):
        resolve(design(digits, [Dense(1)]), digits)
    with pytest.raises(ExperimentError, match="compares classes, and the target of arrays is a number"):
        resolve(design(numbers, loss="cross_entropy"), numbers)
    with pytest.raises(DataError, match=r"needs targets from 0 to 1, and y is 2\.0 at row 2"):
        resolve(design(numbers, loss="binary_cross_entropy"), numbers)
    scaled = Preprocessing(targets="standardize")
    with pytest.raises(ExperimentError, match=r"set preprocessing\.targets to none"):
        resolve(design(numbers, loss="binary_cross_entropy", preprocessing=scaled), numbers)
    images = load((np.zeros((4, 3, 3), dtype=np.float32) + np.arange(4)[:, None, None], np.array([0, 1, 0, 1])))
    with pytest.raises(ShapeError, match="put a flatten layer before it"):
        resolve(design(images, [Dense(2)]), images)
