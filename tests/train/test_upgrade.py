"""Older files are brought up to today's version; newer ones are refused."""

from __future__ import annotations

import pytest

from chainrule.errors import ExperimentError
from chainrule.train.upgrade import FORMAT_VERSION, UPGRADES, upgrade


def test_every_older_version_has_its_upgrade() -> None:
    assert sorted(UPGRADES) == list(range(1, FORMAT_VERSION))


def test_upgrades_are_applied_one_after_the_other() -> None:
    upgrades = {
        1: lambda plain: {**{k: v for k, v in plain.items() if k != "lr"}, "rate": plain["lr"]},
        2: lambda plain: {**plain, "rates": [plain["rate"]]},
    }
    old = {"format_version": 1, "lr": 0.5}
    new = upgrade(old, "a.toml", current=3, upgrades=upgrades)
    assert new == {"format_version": 3, "rate": 0.5, "rates": [0.5]}
    assert old == {"format_version": 1, "lr": 0.5}, "the function is pure"
    assert upgrade({"format_version": 2, "rate": 1.0}, "a.toml", current=3, upgrades=upgrades)["rates"] == [1.0]


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(ExperimentError, match=r"a\.toml was written by a newer chainrule \(format_version 99\)"):
        upgrade({"format_version": 99}, "a.toml")


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_a_version_that_never_was_is_refused(version: object) -> None:
    with pytest.raises(ExperimentError, match="does not exist"):
        upgrade({"format_version": version}, "a.toml")


def test_a_file_written_by_hand_needs_no_version() -> None:
    assert upgrade({"name": "mine"}, "a.toml") == {"name": "mine", "format_version": FORMAT_VERSION}
