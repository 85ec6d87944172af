"""Reports in a real browser, from the disk without a network: nothing overflows, light or dark, small or wide."""

from __future__ import annotations

import pytest

import chainrule as cr
from tests.document.browser import Looks, faults, look_at
from tests.report.conftest import TASKS

VIEWS = [(width, scheme) for width in (360, 1440) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def looks(digits_run: cr.Run, table_run: cr.Run, tmp_path_factory: pytest.TempPathFactory) -> Looks:
    """What the browser measured of each report, at each width and in each scheme."""
    folder = tmp_path_factory.mktemp("browser")
    reported = {"digits": digits_run, "table": table_run, "hostile": TASKS["hostile names"](folder)}
    return look_at({name: cr.report(run).html for name, run in reported.items()}, folder, VIEWS)


def test_nothing_overflows_and_nothing_is_loaded(looks: Looks) -> None:
    assert len(looks) == 3 * len(VIEWS)
    assert faults(looks) == []


def test_dark_surroundings_are_followed(looks: Looks) -> None:
    light, dark = (looks["digits", 1440, scheme] for scheme in ("light", "dark"))
    assert (light["ground"], dark["ground"]) == ("rgb(253, 253, 251)", "rgb(21, 24, 28)")
    assert light["ink"] != dark["ink"]
    assert (light["curve"], dark["curve"]) == ("rgb(11, 87, 208)", "rgb(138, 184, 255)")
