"""How tests run here: one thread for array libraries, and property tests that repeat exactly where it matters."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # read once, when the library is loaded

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "explore")

# A deadline would be a timed test; a loaded machine draws examples slowly, which says nothing about the program.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.register_profile(
    "thorough",
    deadline=None,
    print_blob=True,
    max_examples=2_000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(PROFILE)


def pytest_configure() -> None:
    """Take Ctrl-C where a shell let its background job ignore it, as all that tests start would else ignore it too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what a failure needs to be repeated."""
    absent = "fails" if os.environ.get("CHECK_ALL") == "1" else "is skipped"
    return [
        f"hypothesis profile: {PROFILE} (set HYPOTHESIS_PROFILE to ci, explore or thorough)",
        f"what needs something absent {absent} (CHECK_ALL=1 to fail)",
    ]
