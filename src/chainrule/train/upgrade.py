"""Older versions of an experiment's file, brought up to today's one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from chainrule.errors import ExperimentError

Plain: TypeAlias = dict[str, Any]  # what TOML and JSON can say

FORMAT_VERSION: Final = 1

# From a version to the next: a pure function of plain data. Version 1 is the first, so nothing leads to it yet.
UPGRADES: Final[dict[int, Callable[[Plain], Plain]]] = {}


def upgrade(
    plain: Mapping[str, Any],
    where: str,
    *,
    current: int = FORMAT_VERSION,
    upgrades: Mapping[int, Callable[[Plain], Plain]] = UPGRADES,
) -> Plain:
    """The same experiment as the current version writes it.

    Args:
        plain: what was read; without a `format_version` it is taken for the current one, as people write it by hand.
        where: the file, for messages.
        current: the version wanted.
        upgrades: by version, what leads to the next.

    Raises: ExperimentError for a version that is no whole number from 1, or newer than the current one.
    """
    version = plain.get("format_version", current)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ExperimentError(f"{where}: format_version {version!r} does not exist; versions are 1 to {current}")
    if version > current:
        raise ExperimentError(
            f"{where} was written by a newer chainrule (format_version {version}); this one reads up to {current}: "
            "upgrade chainrule"
        )
    result = dict(plain)
    for step in range(version, current):
        result = upgrades[step](result)
    return {**result, "format_version": current}
