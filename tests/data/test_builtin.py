"""The built-in sets hold what they say, and generated ones are functions of their options."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from chainrule.data import BUILTIN, load, load_source
from chainrule.errors import InputError, UnknownNameError, ValueRangeError
from tests.absent import require

GENERATED = ("moons", "circles", "spirals")


@pytest.mark.parametrize("name", BUILTIN)
def test_every_set_loads_and_says_how_to_load_it_again(name: str) -> None:
    data = load(name)
    assert data.name == data.source.name == name
    assert data.source.kind == "builtin"
    again = load_source(data.source)
    assert np.array_equal(data.x, again.x)
    assert np.array_equal(data.y, again.y)


def test_digits() -> None:
    data = load("digits")
    assert (data.x.shape, data.x.dtype, data.y.dtype) == ((1797, 64), np.uint8, np.int32)
    assert (data.x.min(), data.x.max(), data.value_range) == (0, 16, (0.0, 16.0))
    assert np.bincount(data.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.class_names == tuple("0123456789")
    assert (data.image_shape, data.feature_names[11]) == ((8, 8), "pixel[1, 3]")
    assert data.x[0].reshape(8, 8)[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert int(data.x.sum()) == 561718


@pytest.mark.oracle
def test_digits_are_those_of_scikit_learn() -> None:
    require("sklearn", "pip install scikit-learn")
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    data = load("digits")
    assert np.array_equal(x, data.x)
    assert np.array_equal(y, data.y)


def test_digits_tell_their_source_and_license() -> None:
    text = resources.files("chainrule.data.builtin").joinpath("digits.txt").read_text(encoding="ascii")
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("Alpaydin" in line for line in head)
    assert any("CC BY 4.0" in line for line in head)
    assert len(text.splitlines()) == len(head) + 1797


def test_xor_and_one_weight() -> None:
    data = load("xor")
    assert data.y.tolist() == [int(a) ^ int(b) for a, b in data.x.tolist()]
    assert (data.default_scaling, data.default_test_fraction) == ("none", 0.0)
    single = load("one_weight")
    assert (single.x.tolist(), single.y.tolist(), single.task) == ([[1.2]], [[0.4]], "regression")
    assert (single.default_scaling, single.default_test_fraction) == ("none", 0.0)


@pytest.mark.parametrize("name", GENERATED)
def test_generated_sets_are_functions_of_their_options(name: str) -> None:
    data = load(name)
    assert data.x.shape == (500, 2)
    assert np.bincount(data.y).tolist() == [250, 250]
    assert (data.source.rows, data.source.seed) == (500, 0)
    assert load(name).source == data.source
    assert not np.any(load(name, seed=1).x == data.x)
    assert load(name, rows=7).row_count == 7
    assert np.array_equal(data.x, np.round(data.x, 6))


@pytest.mark.parametrize("name", GENERATED)
def test_noise_is_the_standard_deviation_around_the_curve(name: str) -> None:
    clean, noisy = load(name, noise=0.0, rows=4000), load(name, noise=0.3, rows=4000)
    difference = noisy.x - clean.x
    assert np.std(difference) == pytest.approx(0.3, rel=5 / np.sqrt(2 * 8000))
    assert np.array_equal(load(name, noise=0.0, rows=50).x, load(name, noise=0.0, rows=50, seed=9).x)


def test_the_curves_have_their_stated_shape() -> None:
    outer_radius = np.where(load("circles", noise=0.0).y == 0, 1.0, 0.5)
    assert np.hypot(*load("circles", noise=0.0).x.T) == pytest.approx(outer_radius, abs=2e-6)
    moons = load("moons", noise=0.0)
    centers = np.array([[0.0, 0.0], [1.0, 0.5]])[moons.y]
    assert np.hypot(*(moons.x - centers).T) == pytest.approx(1.0, abs=2e-6)
    assert np.all(moons.x[moons.y == 0, 1] >= 0)
    assert np.all(moons.x[moons.y == 1, 1] <= 0.5)
    circle = load("circles", noise=0.0, rows=8)
    assert len(np.unique(circle.x, axis=0)) == 8  # a closed curve does not visit its start twice
    spirals = load("spirals", noise=0.0, classes=3, rows=300)
    radius = np.hypot(*spirals.x.T)
    assert spirals.class_names == ("arm 0", "arm 1", "arm 2")
    assert (radius.min(), radius.max()) == (pytest.approx(0.1, abs=2e-6), pytest.approx(1.0, abs=2e-6))


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("moons", {"rows": 1}, "at least 2"),
        ("circles", {"noise": -0.1}, "standard deviation"),
        ("moons", {"noise": float("nan")}, "standard deviation"),
        ("spirals", {"classes": 1}, "2 to 10"),
        ("spirals", {"classes": 5, "rows": 4}, "at least 5"),
        ("moons", {"seed": -1}, "seed"),
    ],
)
def test_options_without_meaning_are_refused(name: str, options: dict[str, float], words: str) -> None:
    with pytest.raises(ValueRangeError, match=words):
        load(name, **options)  # pyright: ignore[reportArgumentType]  # one option at a time, each of its own type


def test_options_a_set_does_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="moons does not take the option classes: it takes rows, noise, seed"):
        load("moons", classes=2)
    with pytest.raises(InputError, match="xor does not take the option target: it takes no options"):
        load("xor", target="y")


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown data set 'digit': did you mean 'digits'\?"):
        load("digit")
