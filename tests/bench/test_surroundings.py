"""What the machine is called, where the system says its name and where it does not."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from chainrule.backends.native import jit
from chainrule.bench import surroundings
from chainrule.bench.surroundings import processor_name
from chainrule.errors import BackendError

ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"  # Neoverse N1
X86 = "processor\t: 0\nmodel name\t: Some Processor @ 2.50GHz\n"


def told(monkeypatch: pytest.MonkeyPatch, folder: Path, said: str, llvms: str | None) -> str:
    """The name where /proc/cpuinfo and LLVM say so; None for no LLVM."""

    def host() -> jit.Host:
        if llvms is None:
            raise BackendError("no llvmlite")
        return jit.Host("aarch64-unknown-linux-gnu", llvms, frozenset())

    (folder / "cpuinfo").write_text(said, encoding="utf-8")
    monkeypatch.setattr(surroundings, "PROC", folder)
    monkeypatch.setattr(surroundings.jit, "host", host)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    return processor_name()


@pytest.mark.parametrize(
    ("said", "llvms", "name"),
    [
        (X86, "cascadelake", "Some Processor @ 2.50GHz"),
        (ARM, "neoverse-n1", "neoverse-n1"),
        (ARM, "generic", "aarch64"),
        (ARM, None, "aarch64"),
    ],
)
def test_a_processor_is_called_what_the_system_or_llvm_calls_it(
    said: str, llvms: str | None, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert told(monkeypatch, tmp_path, said, llvms) == name
