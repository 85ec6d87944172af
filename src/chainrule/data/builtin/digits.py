"""The 1,797 handwritten digits of 8 by 8 pixels that ship with the package."""

from __future__ import annotations

import numpy as np

from chainrule.data.dataset import Dataset, indexed_names
from chainrule.data.fingerprint import fingerprint
from chainrule.data.source import Source

SIDE = 8  # pixels
INK = 16  # value of a fully inked pixel: each counts the set pixels of a 4 by 4 block of the original bitmap
VALUES = "0123456789abcdefg"


def digits() -> Dataset:
    """Handwritten digits, 1,797 images of 8 by 8 pixels, values 0 (paper) to 16 (ink), uint8 (n, 64).

    Source: E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
        test part in its original order; CC BY 4.0. The file `digits.txt` beside this one says the same.
    """
    from importlib import resources  # 15 ms, and needed for this set only

    text = resources.files("chainrule.data.builtin").joinpath("digits.txt").read_text(encoding="ascii")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    value_of = np.zeros(128, dtype=np.uint8)
    value_of[[ord(character) for character in VALUES]] = np.arange(INK + 1)
    pixels = np.frombuffer("".join(image for image, _ in lines).encode("ascii"), dtype=np.uint8)
    x = value_of[pixels].reshape(len(lines), SIDE * SIDE)
    y = np.array([int(digit) for _, digit in lines], dtype=np.int32)
    return Dataset(
        name="digits",
        x=x,
        y=y,
        task="classification",
        source=Source(kind="builtin", name="digits", sha256=fingerprint(x, y)),
        feature_names=indexed_names("pixel", (SIDE, SIDE)),
        class_names=tuple(str(digit) for digit in range(10)),
        image_shape=(SIDE, SIDE),
        value_range=(0.0, float(INK)),
    )
