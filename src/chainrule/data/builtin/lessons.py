"""The smallest data sets, small enough to compute by hand: XOR and the one-weight example."""

from __future__ import annotations

import numpy as np

from chainrule.data.dataset import Dataset, indexed_names
from chainrule.data.fingerprint import fingerprint
from chainrule.data.source import Source


def xor() -> Dataset:
    """Exclusive or: the four pairs of bits, class 1 where the two differ. No line separates the classes."""
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = np.array([0, 1, 1, 0], dtype=np.int32)
    return Dataset(
        name="xor",
        x=x,
        y=y,
        task="classification",
        source=Source(kind="builtin", name="xor", sha256=fingerprint(x, y)),
        feature_names=indexed_names("x", (2,)),
        class_names=("0", "1"),
        default_scaling="none",
        default_test_fraction=0.0,
    )


def one_weight() -> Dataset:
    """The one sample of the one-weight network: input 1.2, target 0.4."""
    x, y = np.array([[1.2]]), np.array([[0.4]])
    return Dataset(
        name="one_weight",
        x=x,
        y=y,
        task="regression",
        source=Source(kind="builtin", name="one_weight", sha256=fingerprint(x, y)),
        feature_names=("x",),
        target_names=("y",),
        default_scaling="none",
        default_test_fraction=0.0,
    )
