"""The public face: every name is there, lazily, and none is hidden by a room of the same name."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import chainrule
import chainrule as cr


def test_every_public_name_can_be_used_and_nothing_else_is_claimed() -> None:
    assert sorted(chainrule.__all__) == sorted(chainrule.FACE) == dir(cr)
    for name in chainrule.__all__:
        value = getattr(cr, name)
        assert isinstance(value, ModuleType) == (name in chainrule.MODULES), name
    assert len(chainrule.__all__) <= 42


@pytest.mark.parametrize(
    "statement",
    [
        "import chainrule as cr",
        "import chainrule.train.fit; import chainrule as cr",
        "import chainrule as cr; cr.open_run",
        "import chainrule as cr; from chainrule.train import experiment; assert experiment.Experiment is cr.Experiment",
    ],
)
def test_train_trains_whatever_was_imported_before(statement: str) -> None:
    script = f"{statement}\nassert callable(cr.train) and cr.train.__name__ == 'train', cr.train"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_name_that_does_not_exist_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean 'Network'"):
        _ = cr.Netwrk  # pyright: ignore[reportAttributeAccessIssue]
    assert not hasattr(cr, "__wrapped__")
