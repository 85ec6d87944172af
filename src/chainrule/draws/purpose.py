"""What a draw is for, as a number that is part of its counter."""

from __future__ import annotations

from enum import IntEnum


class Purpose(IntEnum):
    """The stream a draw belongs to, so that two uses of one seed never share a number.

    The numbers are part of every recorded run: a new purpose gets a new number, and none is ever reused or changed.
    Beside each stands what `step` counts within the purpose.
    """

    INITIALIZE = 1  # initial parameters; step: index of the parameter in the network
    SHUFFLE = 2  # order of the training rows; step: epoch
    SPLIT = 3  # which rows are held out; step: 0 test, 1 validation
    DROPOUT = 4  # masks; step: training step, with the index of the layer folded into the seed by its owner
    GENERATE = 5  # rows of generated data sets; step: index of the quantity drawn
    EXPLAIN = 6  # weights and directions picked for checking and explaining; step: index of the check
