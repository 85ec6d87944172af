"""The cache of object code: what is kept, what decides its name, and that nothing wrong with it does harm."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chainrule.backends import kept_code
from chainrule.backends.native import cache, jit, machine
from chainrule.errors import BackendError
from tests.absent import require

require("llvmlite", "pip install llvmlite")

BEST = machine.runnable()[0]


def adding(number: int) -> str:
    return f"define i64 @f(i64 %x) nounwind {{\n  %y = add i64 %x, {number}\n  ret i64 %y\n}}\n"


def result_of(*texts: str) -> int:
    library = cache.load(texts, BEST, ["f"])
    return library.function("f", ctypes.c_int64, result=ctypes.c_int64)(40)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    new_process()
    folder = tmp_path / "kept"
    monkeypatch.setenv(kept_code.VARIABLE, str(folder))
    return folder


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What LLVM was asked to compile."""
    asked: list[str] = []
    real = jit.compile_object

    def counting(text: str, isa: machine.Isa) -> bytes:
        asked.append(text)
        return real(text, isa)

    monkeypatch.setattr(jit, "compile_object", counting)
    return asked


def new_process() -> None:
    """Forget what is in memory, as a new process has nothing there."""
    cache.settle()
    cache._objects.clear()


def only_file(home: Path) -> Path:
    (path,) = home.iterdir()
    return path


def test_what_was_compiled_once_is_loaded(home: Path, compiled: list[str]) -> None:
    assert result_of(adding(2)) == 42
    assert len(compiled) == 1
    new_process()
    assert result_of(adding(2)) == 42
    assert len(compiled) == 1
    assert only_file(home).name == cache.key(adding(2), BEST)


def test_memory_serves_before_the_folder(home: Path, compiled: list[str]) -> None:
    result_of(adding(2))
    cache.settle()
    only_file(home).unlink()
    assert cache.object_code(adding(2), BEST) == cache.object_code(adding(2), BEST)
    assert len(compiled) == 1


def test_warm_and_cold_give_the_same_bytes(home: Path) -> None:
    cold = cache.object_code(adding(3), BEST)
    new_process()
    assert cache.object_code(adding(3), BEST) == cold


def test_another_process_finds_it(home: Path) -> None:
    script = (
        "import sys\nfrom chainrule.backends.native import cache, jit, machine\n"
        "compiled, real = [], jit.compile_object\n"
        "jit.compile_object = lambda text, isa: compiled.append(text) or real(text, isa)\n"
        f"cache.load([{adding(9)!r}], machine.runnable()[0], ['f'])\nprint(len(compiled))\n"
    )
    counts = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in "ab"]
    assert [done.stdout for done in counts] == ["1\n", "0\n"]


# ---- the name ----


def test_everything_that_decides_the_code_decides_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = adding(1)
    names = {
        "as it is": cache.key(text, BEST),
        "text": cache.key(adding(2), BEST),
        "features": cache.key(text, replace(BEST, features=(*BEST.features, "aes"))),
        "processor": cache.key(text, replace(BEST, cpu="znver3")),
        "triple": cache.key(text, replace(BEST, architecture="riscv64", triple="riscv64-unknown-linux-gnu")),
    }
    for what, where, value in (
        ("options", jit, ("OPTIONS", "O3")),
        ("versions", jit, ("versions", lambda: "llvmlite 99")),
        ("format", cache, ("FORMAT", 99)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(where, *value)
            names[what] = cache.key(text, BEST)
    assert len(set(names.values())) == len(names)
    assert cache.key(text, BEST) == names["as it is"]


def test_the_folder_is_the_users_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kept_code.VARIABLE, raising=False)
    assert kept_code.folder() is not None
    assert str(kept_code.folder()).endswith(os.path.join("chainrule", "native"))  # noqa: PTH118 - the separator matters
    monkeypatch.setenv(kept_code.VARIABLE, "/somewhere/else")
    assert kept_code.folder() == Path("/somewhere/else")


# ---- what can be wrong with a file ----


def flipped(content: bytes) -> bytes:
    return content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]


@pytest.mark.parametrize(
    "damage",
    [flipped, lambda c: c[:-1], lambda c: c + b"\0", lambda c: b"", lambda c: c[:30], lambda c: b"x" * len(c)],
    ids=["flipped", "cut", "longer", "empty", "head only", "rubbish"],
)
def test_a_damaged_file_is_compiled_anew(home: Path, compiled: list[str], damage: Callable[[bytes], bytes]) -> None:
    result_of(adding(2))
    cache.settle()
    whole = only_file(home).read_bytes()
    only_file(home).write_bytes(damage(whole))
    new_process()
    assert result_of(adding(2)) == 42
    assert len(compiled) == 2
    cache.settle()
    assert only_file(home).read_bytes() == whole


def test_a_whole_file_under_another_name_is_not_taken(home: Path, compiled: list[str]) -> None:
    result_of(adding(2))
    cache.settle()
    only_file(home).rename(home / cache.key(adding(3), BEST))
    new_process()
    assert result_of(adding(3)) == 43
    assert len(compiled) == 2


def test_code_that_gives_the_wrong_answer_is_thrown_away(home: Path, compiled: list[str]) -> None:
    """A checksum says that bytes are as they were written, not that they were ever right."""
    name = cache.key(adding(2), BEST)
    wrong = adding(1000) + cache._check_text(name).replace(str(cache._check_number(name)), "1")
    home.mkdir()
    (home / name).write_bytes(cache._content(name, jit.compile_object(wrong, BEST)))
    compiled.clear()
    assert result_of(adding(2)) == 42
    assert len(compiled) == 1
    new_process()
    assert result_of(adding(2)) == 42
    assert len(compiled) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners and modes of files, which POSIX has")
def test_a_file_that_others_may_write_is_not_run(home: Path, compiled: list[str]) -> None:
    result_of(adding(2))
    cache.settle()
    assert stat.S_IMODE(only_file(home).stat().st_mode) == 0o600
    only_file(home).chmod(0o666)
    new_process()
    assert result_of(adding(2)) == 42
    assert len(compiled) == 2


# ---- what can be wrong with the folder ----


def test_a_folder_that_cannot_be_made_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(kept_code.VARIABLE, str(tmp_path / "file" / "below"))
    for _ in range(2):
        new_process()
        assert result_of(adding(2)) == 42
    assert len(compiled) == 2


def test_a_folder_that_cannot_be_written_only_costs_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    result_of(adding(1))
    new_process()
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr(os, "utime", refuse)
    compiled.clear()
    assert result_of(adding(1)) == 41  # reading is still good
    assert compiled == []
    for _ in range(2):
        new_process()
        assert result_of(adding(2)) == 42
    assert len(compiled) == 2
    assert len(list(home.iterdir())) == 1


def test_a_full_disk_leaves_nothing_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert result_of(adding(2)) == 42
    cache.settle()
    assert list(home.iterdir()) == []


def test_no_place_for_caches_only_costs_time(monkeypatch: pytest.MonkeyPatch, compiled: list[str]) -> None:
    monkeypatch.setattr(cache, "folder", lambda: None)
    for _ in range(2):
        new_process()
        assert result_of(adding(77)) == 117
    assert len(compiled) == 2


def test_the_longest_unused_files_go(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "FILES_KEPT", 8)
    for number in range(8):
        result_of(adding(number))
        cache.settle()
        os.utime(home / cache.key(adding(number), BEST), (number, number))
    new_process()
    result_of(adding(0))  # used again, so no longer the oldest
    result_of(adding(100))
    cache.settle()
    kept = {path.name for path in home.iterdir()}
    assert len(kept) == 7
    assert {cache.key(adding(number), BEST) for number in (0, 7, 100)} < kept
    assert cache.key(adding(1), BEST) not in kept


# ---- several modules ----


def test_modules_are_linked_whatever_they_come_from(home: Path, compiled: list[str]) -> None:
    calling = "declare i64 @g(i64)\ndefine i64 @f(i64 %x) {\n  %y = call i64 @g(i64 %x)\n  ret i64 %y\n}\n"
    called = adding(2).replace("@f", "@g")
    cache.object_code(called, BEST)
    new_process()
    assert result_of(calling, called) == 42
    assert len(compiled) == 2
    assert result_of(calling, called) == 42


def test_only_the_functions_asked_for_are_seen(home: Path) -> None:
    assert set(cache.load([adding(1)], BEST, ["f"]).addresses) == {"f"}


def test_text_that_is_wrong_is_refused_and_not_kept(home: Path) -> None:
    with pytest.raises(BackendError, match="LLVM refuses"):
        cache.object_code("define nothing", BEST)
    cache.settle()
    assert not home.exists()
