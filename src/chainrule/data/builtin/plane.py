"""Points of the plane in classes that no line separates: moons, circles, spirals.

A noiseless curve per class, evenly spaced, plus normal noise drawn from the seed. Row i belongs to class i modulo the
number of classes. Coordinates are rounded to six decimals, so that the last bit of a sine does not make the data of one
machine differ from another's.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from chainrule.data.dataset import Dataset, indexed_names
from chainrule.data.fingerprint import fingerprint
from chainrule.data.source import Source
from chainrule.draws import Purpose, normal
from chainrule.errors import ValueRangeError

DECIMALS = 6
MOST_ARMS = 10
TURNS = 1.25  # of a spiral arm around the center
INNER = 0.5  # radius of the inner circle, where the outer is 1
START = 0.1  # radius where a spiral arm begins, where it ends at 1

Floats = npt.NDArray[np.float64]


def moons(rows: int = 500, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles of radius 1, each reaching into the other."""
    _check(rows, noise, 2)
    label, along = _positions(rows, 2)
    angle = math.pi * along
    upper = np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    points = np.where(label[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    return _dataset("moons", points, label, ("upper", "lower"), noise, seed)


def circles(rows: int = 500, noise: float = 0.05, seed: int = 0) -> Dataset:
    """A circle of radius 1 around a circle of radius 0.5."""
    _check(rows, noise, 2)
    label, along = _positions(rows, 2, closed=True)
    angle = 2.0 * math.pi * along
    radius = np.where(label == 0, 1.0, INNER)
    points = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    return _dataset("circles", points, label, ("outer", "inner"), noise, seed)


def spirals(rows: int = 500, noise: float = 0.02, classes: int = 2, seed: int = 0) -> Dataset:
    """Arms that wind one and a quarter times around the center, one per class, out to radius 1."""
    if not 2 <= classes <= MOST_ARMS:
        raise ValueRangeError(f"spirals with {classes} classes: give 2 to {MOST_ARMS}, one arm each")
    _check(rows, noise, classes)
    label, along = _positions(rows, classes)
    angle = 2.0 * math.pi * (TURNS * along + label / classes)
    radius = START + (1.0 - START) * along
    points = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    return _dataset("spirals", points, label, tuple(f"arm {arm}" for arm in range(classes)), noise, seed, classes)


def _check(rows: int, noise: float, classes: int) -> None:
    if rows < classes:
        raise ValueRangeError(f"{rows} rows cannot hold {classes} classes: give at least {classes}")
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueRangeError(f"noise {noise} is no standard deviation: give 0 or a positive number")


def _positions(rows: int, classes: int, *, closed: bool = False) -> tuple[npt.NDArray[np.int32], Floats]:
    """Each row's class, and how far along the curve of its class it lies: 0 to 1, without 1 on a closed curve."""
    row = np.arange(rows)
    label, place = row % classes, row // classes
    last = (rows - 1 - label) // classes + (1 if closed else 0)
    return label.astype(np.int32), place / np.maximum(last, 1)


def _dataset(
    name: str,
    points: Floats,
    label: npt.NDArray[np.int32],
    class_names: tuple[str, ...],
    noise: float,
    seed: int,
    classes: int | None = None,
) -> Dataset:
    rows = len(points)
    x = np.round(points + noise * normal(seed, Purpose.GENERATE, 0, (rows, 2)), DECIMALS) + 0.0  # no -0.0
    source = Source(
        kind="builtin", name=name, sha256=fingerprint(x, label), rows=rows, noise=noise, classes=classes, seed=seed
    )
    return Dataset(
        name=name,
        x=x,
        y=label,
        task="classification",
        source=source,
        feature_names=indexed_names("x", (2,)),
        class_names=class_names,
        default_scaling="standardize",
    )
