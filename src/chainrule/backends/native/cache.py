"""Object code kept from one process to the next, so that what was compiled once is only loaded.

A file bears the hash of all that decides its content and a checksum; a file that does not check is compiled anew. A
folder that is missing, unreadable, unwritable or not safe costs time and nothing else. Files are written after the code
is in use, by a thread of their own.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chainrule.backends.kept_code import folder
from chainrule.backends.native import jit
from chainrule.backends.native.machine import Isa
from chainrule.errors import BackendError

FORMAT: Final = 1  # of the files, and of what is added to a module
FILES_KEPT: Final = 4096  # of about 10 kB; the longest unused go first
OBJECTS_KEPT: Final = 512  # in memory
HEAD: Final = b"chainrule object code\n"
DIGEST: Final = hashlib.sha256().digest_size
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

_objects: Final[OrderedDict[str, bytes]] = OrderedDict()
_writers: Final[set[threading.Thread]] = set()
_lock: Final = threading.Lock()


def load(
    texts: Sequence[str],
    isa: Isa,
    symbols: Sequence[str],
    *,
    uses: Sequence[jit.Library] = (),
    given: Mapping[str, int] | None = None,
) -> jit.Library:
    """Modules as functions in memory, each taken from the cache where it is there.

    Before any other call, each module is asked for the number it was made with.

    Args:
        texts: in LLVM's assembly language.
        isa: what the code may use; this processor has it.
        symbols: the functions wanted.
        uses: libraries they may call.
        given: addresses of further symbols they may call.

    Raises: BackendError when LLVM refuses a text, a symbol is missing, or llvmlite is.
    """
    named = {key(text, isa): text for text in texts}
    checks = {_check_name(name): _check_number(name) for name in named}
    wanted = [*symbols, *checks]
    library = jit.load(_objects_of(named, isa), wanted, uses=uses, given=given)
    if any(library.function(name, result=ctypes.c_int64)() != number for name, number in checks.items()):
        _forget(named)
        library = jit.load(_objects_of(named, isa), wanted, uses=uses, given=given)
    for name in checks:
        del library.addresses[name]
    return library


def load_kept(names: Sequence[str], symbols: Sequence[str]) -> jit.Library | None:
    """Modules by their keys, without their text; None where one of them is not there, or is not what it should be."""
    images = [_remembered(name) or _read(name) for name in names]
    if not all(images):
        return None
    for name, image in zip(names, images, strict=True):
        _remember(name, image or b"")
    try:
        library = jit.load([image or b"" for image in images], [*symbols, *map(_check_name, names)])
    except BackendError:  # something is missing: all of it is made again
        return None
    if any(library.function(_check_name(n), result=ctypes.c_int64)() != _check_number(n) for n in names):
        _forget(names)
        return None
    for name in names:
        del library.addresses[_check_name(name)]
    return library


def keep(name: str, content: bytes) -> None:
    """Remember something under a hash of all that decides it, and write it like code."""
    _remember(name, content)
    _write_later({name: content})


def kept(name: str) -> bytes | None:
    """What was kept under a name; None where it is not there."""
    content = _remembered(name) or _read(name)
    if content is not None:
        _remember(name, content)
    return content


def object_code(text: str, isa: Isa) -> bytes:
    """The object code of one module, from the cache where it is there.

    Raises: BackendError when LLVM refuses the text, or llvmlite is missing.
    """
    return _objects_of({key(text, isa): text}, isa)[0]


def holds(text: str, isa: Isa) -> bool:
    """Whether a module's object code is in memory or in the folder; the file is not looked into."""
    name, home = key(text, isa), folder()
    with _lock:
        if name in _objects:
            return True
    try:
        return home is not None and (home / name).is_file()
    except OSError:
        return False


def key(text: str, isa: Isa) -> str:
    """A hash of everything that decides the object code, as hexadecimal digits."""
    parts = (
        str(FORMAT),
        jit.versions(),
        jit.OPTIONS,
        jit.triple_for(isa),
        isa.cpu,
        isa.feature_string,
        text,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def settle() -> None:
    """Wait until everything compiled so far is written, or could not be."""
    for writer in list(_writers):
        writer.join()


# ---- objects ----


def _objects_of(named: Mapping[str, str], isa: Isa) -> list[bytes]:
    """The object code of each text, by key: from memory, from its file, or compiled."""
    fresh: dict[str, bytes] = {}
    result: list[bytes] = []
    for name, text in named.items():
        image = _remembered(name) or _read(name)
        if image is None:
            image = fresh[name] = jit.compile_object(text + _check_text(name), isa)
        _remember(name, image)
        result.append(image)
    _write_later(fresh)
    return result


def _remembered(name: str) -> bytes | None:
    with _lock:
        image = _objects.get(name)
        if image is not None:
            _objects.move_to_end(name)
        return image


def _remember(name: str, image: bytes) -> None:
    with _lock:
        _objects[name] = image
        while len(_objects) > OBJECTS_KEPT:
            _objects.popitem(last=False)


def _forget(names: Iterable[str]) -> None:
    """Drop objects from memory and from the folder."""
    settle()
    home = folder()
    for name in names:
        with _lock:
            _objects.pop(name, None)
        if home is not None:
            with suppress(OSError):
                (home / name).unlink(missing_ok=True)


def _check_text(name: str) -> str:
    return f"\ndefine i64 @{_check_name(name)}() nounwind {{\n  ret i64 {_check_number(name)}\n}}\n"


def _check_name(name: str) -> str:
    return f"cr_check_{name[:32]}"


def _check_number(name: str) -> int:
    return int.from_bytes(bytes.fromhex(name[-16:]), "little", signed=True)


# ---- files ----


def _read(name: str) -> bytes | None:
    """What the file of that name holds, if it is whole and nobody else can have written it."""
    home = folder()
    if home is None:
        return None
    try:
        with (home / name).open("rb") as file:
            if not _is_safe(os.fstat(file.fileno())):
                return None
            content = file.read()
            _touch(file.fileno())
    except OSError:
        return None
    image = content[len(HEAD) + DIGEST :]
    return image if content == _content(name, image) else None


def _content(name: str, image: bytes) -> bytes:
    return HEAD + hashlib.sha256(bytes.fromhex(name) + image).digest() + image


def _is_safe(status: os.stat_result) -> bool:
    """Whether only this user, or the owner of the machine, can have written it; it will be run."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid in (os.getuid(), 0) and not status.st_mode & OTHERS_WRITE


def _touch(descriptor: int) -> None:
    """Say that a file was used, where that is possible."""
    if os.utime in os.supports_fd:
        with suppress(OSError):
            os.utime(descriptor)


def _write_later(images: Mapping[str, bytes]) -> None:
    """Write files in a thread, which the process waits for before it ends."""
    home = folder()
    if home is None or not images:
        return

    def write() -> None:
        try:
            _write(home, images)
        except OSError:
            pass  # a full disk or a folder that cannot be written: next time it is compiled again
        finally:
            _writers.discard(threading.current_thread())

    writer = threading.Thread(target=write, name="chainrule cache", daemon=False)
    _writers.add(writer)
    try:
        writer.start()
    except RuntimeError:  # the process is ending
        _writers.discard(writer)


def _write(home: Path, images: Mapping[str, bytes]) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, image in images.items():
        _write_whole(home / name, _content(name, image))
    _prune(home)


def _write_whole(path: Path, content: bytes) -> None:
    """The file under its name, whole or not at all."""
    import tempfile  # brings much along, and most processes write nothing

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix="new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _prune(home: Path) -> None:
    """Remove the files longest unused, when there are too many: so many that it is not soon to be done again."""
    paths = list(home.iterdir())
    if len(paths) > FILES_KEPT:
        for path in sorted(paths, key=_last_use)[: len(paths) - FILES_KEPT * 7 // 8]:
            path.unlink(missing_ok=True)


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # removed by another process
