"""A slice allocates nothing, and its bits are the same whether its code was compiled or found."""

from __future__ import annotations

import ctypes
import re
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from chainrule.backends import kept_code
from chainrule.backends.native import NativeBackend, cache, crew, driver
from chainrule.backends.native.compiled import Compiled
from chainrule.backends.native.program import NativeProgram
from chainrule.backends.protocol import StopFlag
from tests.backends.native.agreement import train
from tests.backends.native.networks import first_state, network_step, samples

ALLOWED = re.compile(r"@(llvm\.|cr_|syscall\b|sched_yield\b)")  # what generated code may call
SMALL = {"widths": (20, 18, 3), "optimizer": "adam", "loss": "cross_entropy"}
WIDE = {"widths": (200, 130, 70, 10), "loss": "cross_entropy"}


def compiled_for(settings: dict[str, Any], steps: int) -> tuple[NativeProgram, Compiled, Any]:
    """A program, its code after a first slice, and something that runs another."""
    step = network_step(**settings)
    program = NativeBackend().compile(step)
    state, data = program.start(first_state(step)), samples(step, 40)
    order = np.tile(np.arange(40), steps)
    held = [state]

    def run() -> None:
        offsets = np.arange(0, 40 * steps + 1, 40)
        rates = {name: np.full(steps, 0.01) for name in step.rates}
        held[0] = program.run(held[0], data, order, offsets, rates, 1, StopFlag()).state

    run()
    (compiled,) = program._compiled.values()
    return program, compiled, run


@pytest.mark.parametrize("settings", [SMALL, WIDE], ids=["small", "wide"])
def test_generated_code_calls_nothing_that_allocates(settings: dict[str, Any]) -> None:
    _, compiled, _ = compiled_for(settings, 1)
    texts = [*compiled.code.written.modules.values()]
    texts += [driver.entry(compiled.code, many=many).text for many in (False, True)]
    called = {call for text in texts for call in re.findall(r"call [^@\n]*(@[\w.]+)", text)}
    assert called
    assert all(ALLOWED.match(name) for name in called), called


def test_a_slice_makes_no_allocation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's allocations are counted by tracemalloc, those of the C library by what it says is in use."""
    monkeypatch.setenv(crew.VARIABLE, "1")
    _, compiled, run = compiled_for(WIDE, 30)
    entered = compiled._entries[False]
    found: list[tuple[int, int]] = []

    def counted(record: int, thread: int) -> int:
        before = in_use()
        tracemalloc.start()
        done = int(entered.function(record, thread))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        found.append((peak, in_use() - before))
        return done

    compiled._entries[False] = msgspec.structs.replace(entered, function=counted)
    for _ in range(3):
        run()
    python, library = map(min, zip(*found, strict=True))  # what a slice takes, each of them takes; other threads do not
    assert python < 1000, found  # of ctypes handing over two arguments
    assert library < 4096, found


class Usage(ctypes.Structure):
    """What the C library says of its memory."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "used", "free", "keep"]
    )


def in_use() -> int:
    """Bytes the C library has given out; 0 where it does not say."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        return 0
    ask.restype = Usage
    return int(ask().used)


@pytest.mark.parametrize("settings", [SMALL, WIDE], ids=["small", "wide"])
def test_the_bits_are_the_same_with_the_cache_cold_warm_or_spoiled(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kept_code.VARIABLE, str(tmp_path / "cache"))
    step = network_step(**settings)
    start, data = first_state(step), samples(step, 40)
    found: list[dict[str, Any]] = []
    for condition in ("cold", "warm", "spoiled"):
        cache.settle()
        cache._objects.clear()
        if condition != "cold":
            files = list((tmp_path / "cache").iterdir())
            assert files
            for file in files if condition == "spoiled" else ():
                file.write_bytes(file.read_bytes()[:-7])
        found.append(train(step, NativeBackend(), start, data, 10, 4)[0])
    for state in found[1:]:
        assert all(state[name].tobytes() == array.tobytes() for name, array in found[0].items())
