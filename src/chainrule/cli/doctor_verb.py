"""`chainrule doctor`: what is installed, which backend works, what the terminal can show."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from chainrule.backends.choose import available
from chainrule.cli.parse import call
from chainrule.cli.screen import Screen, stdout
from chainrule.document import Column, Document, Labeled, Paragraph, Row, Table
from chainrule.errors import EXIT_FAILED, ChainruleError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD
from chainrule.runs.begin import train

PACKAGES: Final = ("chainrule", "numpy", "polars", "narwhals", "msgspec", "safetensors", "cyclopts", "rich")
# The one-weight network, x = 1.2, target 0.4: w - 0.1 · 2 (1.2 w - 0.4) · 1.2, from w = 0.7.
KNOWN_WEIGHT: Final = 0.5944
CLOSE: Final = 1e-15


def run(words: Sequence[str]) -> int:
    """Do what was typed after `chainrule doctor`."""
    return call("doctor", doctor, words)


def doctor(
    *, json: Annotated[bool, Parameter(negative=(), show_default=False, help="The findings as JSON.")] = False
) -> int:
    """Say what is installed, train a network whose answer is known on every backend, and look at the terminal."""
    screen = stdout()
    backends = [(name, *_tried(name, works, said)) for name, works, said in available()]
    healthy = any(works for _, works, _ in backends)
    if json:
        screen.json(
            {
                "healthy": healthy, "versions": _versions(), "processor": _processor(), "cores": os.cpu_count(),
                "backends": [{"name": name, "works": works, "said": said} for name, works, said in backends],
                "cache": str(_cache()),
            }
        )  # fmt: skip
    else:
        screen.show(_page(screen, backends, healthy))
    return 0 if healthy else EXIT_FAILED


def _tried(name: str, works: bool, said: str) -> tuple[bool, str]:
    """Whether the backend computes what is known, and a sentence."""
    if not works:
        return False, said
    try:
        found = train(
            [Dense(1, use_bias=False)], "one_weight", optimizer=SGD(0.1), epochs=1, dtype="float64", backend=name,
            loss="mse", weights={"dense_1.W": [[0.7]]}, runs=None,
        )  # fmt: skip
    except ChainruleError as error:
        return False, str(error)
    weight = float(found.weights["dense_1.W"][0, 0])
    if abs(weight - KNOWN_WEIGHT) > CLOSE:
        return False, f"computes {weight!r} where {KNOWN_WEIGHT} is known: reinstall chainrule and NumPy"
    return True, said


def _page(screen: Screen, backends: list[tuple[str, bool, str]], healthy: bool) -> Document:
    versions = Table((Column(heading=True), Column()), tuple(Row((name, said)) for name, said in _versions().items()))
    table = Table(
        (Column(heading=True), Column(), Column()),
        tuple(Row((name, "works" if works else "DOES NOT WORK", said)) for name, works, said in backends),
    )
    terminal = (
        f"{screen.width} columns, {'colors' if screen.color else 'no colors'}, "
        f"{'only ASCII' if screen.ascii else 'Unicode'}, {'a live line' if screen.live else 'no live line'}"
    )
    verdict = "Everything works." if healthy else "No backend works: nothing can be trained here."
    return Document(
        "Doctor",
        (
            Labeled("Versions", (versions,)),
            Labeled("Processor", (Paragraph(f"{_processor()}, {os.cpu_count()} cores, {platform.system()}"),)),
            Labeled("Backends", (table,)),
            Labeled("Terminal", (Paragraph(terminal),)),
            Labeled("Cache", (Paragraph(str(_cache())),)),
            Paragraph(verdict),
        ),
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    information = Path("/proc/cpuinfo")
    if sys.platform == "linux" and information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cache() -> Path:
    """The folder for what can be computed again."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("chainrule"))
