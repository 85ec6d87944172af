"""What is installed, which backend computes what is known, and what the terminal can show."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

from chainrule.backends.choose import available
from chainrule.backends.kept_code import folder
from chainrule.bench.surroundings import processor_name
from chainrule.cli.screen import Screen
from chainrule.document import Column, Document, Labeled, Paragraph, Row, Table
from chainrule.errors import ChainruleError
from chainrule.nn.layers import Dense
from chainrule.nn.optimizers import SGD
from chainrule.runs.begin import train

PACKAGES: Final = ("chainrule", "numpy", "llvmlite", "polars", "narwhals", "msgspec", "safetensors", "cyclopts", "rich")
NEEDED: Final = {"native": "llvmlite"}  # without these a backend is absent, not broken
# The one-weight network, x = 1.2, target 0.4: w - 0.1 · 2 (1.2 w - 0.4) · 1.2, from w = 0.7.
KNOWN_WEIGHT: Final = 0.5944
CLOSE: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Examined:
    """A backend: whether it computes what is known, a sentence, and whether what it needs is installed at all."""

    name: str
    works: bool
    said: str
    installed: bool = True

    @property
    def state(self) -> str:
        """In a word or two."""
        if not self.installed:
            return "not installed"
        return "works" if self.works else "DOES NOT WORK"


@dataclass(frozen=True, slots=True)
class Health:
    """What was found."""

    backends: tuple[Examined, ...]

    @property
    def is_good(self) -> bool:
        """Whether some backend works, and all do that are installed."""
        works = [each.works for each in self.backends if each.installed]
        return any(works) and all(works)

    def data(self) -> dict[str, Any]:
        """The findings as plain values."""
        return {
            "healthy": self.is_good, "versions": versions(), "processor": processor_name(), "cores": os.cpu_count(),
            "backends": [{"name": each.name, "works": each.works, "installed": each.installed, "said": each.said}
                for each in self.backends],
            "cache": cache(),
        }  # fmt: skip

    def page(self, screen: Screen) -> Document:
        """The findings as a page, with what this screen can show."""
        known = Table((Column(heading=True), Column()), tuple(Row((name, said)) for name, said in versions().items()))
        backends = Table(
            (Column(heading=True), Column(), Column()),
            tuple(Row((e.name, e.state, e.said)) for e in self.backends),
        )
        terminal = (
            f"{screen.width} columns, {'colors' if screen.color else 'no colors'}, "
            f"{'only ASCII' if screen.ascii else 'Unicode'}, {'a live line' if screen.live else 'no live line'}"
        )
        verdict = "Everything works." if self.is_good else "Not everything works."
        if not any(each.works for each in self.backends):
            verdict = "No backend works: nothing can be trained here."
        return Document(
            "Doctor",
            (
                Labeled("Versions", (known,)),
                Labeled("Processor", (Paragraph(f"{processor_name()}, {os.cpu_count()} cores, {platform.system()}"),)),
                Labeled("Backends", (backends,)),
                Labeled("Terminal", (Paragraph(terminal),)),
                Labeled("Cache", (Paragraph(cache()),)),
                Paragraph(verdict),
            ),
        )


def examine() -> Health:
    """Train a network whose answer is known on every backend."""
    return Health(tuple(_examined(name, works, said) for name, works, said in available()))


def _examined(name: str, works: bool, said: str) -> Examined:
    needed = NEEDED.get(name)
    if needed is not None and importlib.util.find_spec(needed) is None:
        return Examined(name, works=False, said=f"{needed} is not installed; the reference serves", installed=False)
    return Examined(name, *_tried(name, works, said))


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


def versions() -> dict[str, str]:
    """The versions of Python and of what chainrule leans on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def cache() -> str:
    """The folder in which compiled code is kept."""
    return str(folder() or "none: this system names no place for it")
