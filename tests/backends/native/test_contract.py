"""The contract of a compiled step, held by native code: the tests of the reference, run on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.backends import test_program as contract
from tests.backends.native.agreement import native

# The reference looks at its flag through Python, and its sums are NumPy's: these tests are its own.
ITS_OWN = {"test_what_was_done_before_a_stop_is_kept", "test_an_interrupt_leaves_the_state_as_it_was"}
TESTS: list[Callable[..., None]] = [
    test
    for name, test in vars(contract).items()
    if name.startswith("test_") and name not in ITS_OWN and not hasattr(test, "pytestmark") and "blas" not in name
]


@pytest.fixture(autouse=True)
def native_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "BACKEND", native())


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.__name__.removeprefix("test_"))
def test_the_contract(test: Callable[..., Any]) -> None:
    test()
