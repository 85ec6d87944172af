"""Every primitive has its cell in every table, or a reason for having none."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from chainrule.graph.primitives import PRIMITIVES

# Module, table, and the table of reasons, if the module has one.
TABLES = [
    ("chainrule.graph.facts", "FACT_RULES", None),
    ("chainrule.backends.reference.table", "TABLE", "ABSENT"),
    ("chainrule.autodiff.derivatives", "DERIVATIVES", "ABSENT"),
    ("chainrule.explain.formulas", "FORMULAS", "ABSENT"),
]


@pytest.mark.parametrize(("module", "table", "reasons"), TABLES, ids=str)
def test_every_cell_is_filled_or_absent_with_a_reason(module: str, table: str, reasons: str | None) -> None:
    found = importlib.import_module(module)
    filled: set[str] = set(getattr(found, table))
    absent: dict[str, Any] = getattr(found, reasons, {}) if reasons else {}
    assert filled | set(absent) == set(PRIMITIVES)
    assert not filled & set(absent)
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in absent.values())
