"""The one module that speaks to llvmlite: text becomes object code, and object code becomes functions.

LLVM is not thread-safe, so everything happens under one lock. No module passes run: what is written is what is
compiled, with code generation at level 2, or 0 for a module that asks for haste.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from chainrule.errors import BackendError

if TYPE_CHECKING:
    from chainrule.backends.native.machine import Isa

OPTIMIZATION: Final = 2  # of code generation; 3 is no faster here and 0 is 1.8 times slower
HASTY: Final = "; compile hastily\n"  # begins a module that mostly calls: at level 0 it is compiled 7 times as quickly
ALIGNED: Final = "-x86-branches-within-32B-boundaries"  # a jump across one keeps its code out of many Intel decoders
OPTIONS: Final = f"O{OPTIMIZATION} pic small {ALIGNED}"  # what besides text and instruction set decides the object code

_lock: Final = threading.RLock()
_numbers: Final = itertools.count(1)


class Host(msgspec.Struct, frozen=True):
    """The machine this process runs on.

    Attributes:
        triple: as LLVM writes it.
        cpu: LLVM's name of the processor.
        features: what the processor has and the operating system allows.
    """

    triple: str
    cpu: str
    features: frozenset[str]

    @property
    def architecture(self) -> str:
        """The processor's kind."""
        return architecture_of(self.triple)


def architecture_of(triple: str) -> str:
    """The first part of a triple, with amd64 and arm64 under their other names."""
    first = triple.split("-", 1)[0]
    return "aarch64" if first == "arm64" else "x86_64" if first == "amd64" else first


@lru_cache(maxsize=1)
def llvm() -> Any:  # llvmlite has no types
    """llvmlite's binding, ready for this machine and all others it knows.

    Raises: BackendError when llvmlite is missing or broken.
    """
    with _lock:
        try:
            import llvmlite.binding as binding  # pyright: ignore[reportMissingTypeStubs] - it has none
        except (ImportError, OSError) as error:
            raise BackendError(
                f"the native backend needs llvmlite, which cannot be loaded ({error}); "
                "run pip install llvmlite, or use the backend reference"
            ) from error
        loaded: Any = binding
        loaded.initialize_all_targets()
        loaded.initialize_all_asmprinters()
        if str(loaded.get_process_triple()).startswith(("x86", "amd64", "i386", "i686")):
            loaded.set_option("chainrule", ALIGNED)
        return loaded


@lru_cache(maxsize=1)
def host() -> Host:
    """This machine.

    Raises: BackendError when llvmlite is missing.
    """
    binding = llvm()
    with _lock:
        try:
            features: dict[str, bool] = dict(binding.get_host_cpu_features())
        except RuntimeError:  # LLVM cannot ask this processor: then nothing beyond its architecture is used
            features = {}
        triple, cpu = str(binding.get_process_triple()), str(binding.get_host_cpu_name())
    return Host(triple, cpu, frozenset(name for name, present in features.items() if present))


def versions() -> str:
    """llvmlite's version and LLVM's."""
    binding = llvm()
    import llvmlite  # pyright: ignore[reportMissingTypeStubs] - it has none

    package: Any = llvmlite
    return f"llvmlite {package.__version__} llvm {'.'.join(map(str, binding.llvm_version_info))}"


def triple_for(isa: Isa) -> str:
    """This machine's triple when it is of the set's architecture, else that of a machine that has the set."""
    here = host()
    return here.triple if isa.architecture in ("", here.architecture) else isa.triple


# ---- text to object code ----


def compile_object(text: str, isa: Isa) -> bytes:
    """The object file of a module, for this machine or for another.

    Args:
        text: LLVM's assembly language; level 0 where it begins with `HASTY`.
        isa: what the code may use; it need not be what this processor has.

    Raises: BackendError when LLVM refuses the text, or llvmlite is missing.
    """
    with _lock:
        return bytes(_target_for(text, isa).emit_object(_verified(text, triple_for(isa))))


def assembly(text: str, isa: Isa) -> str:
    """The machine code of a module as the processor's assembly language.

    Raises: as `compile_object`.
    """
    with _lock:
        return str(_target_for(text, isa).emit_assembly(_verified(text, triple_for(isa))))


def _verified(text: str, triple: str) -> Any:
    binding = llvm()
    try:
        module = binding.parse_assembly(text)
        module.triple = triple
        module.verify()
    except RuntimeError as error:
        raise BackendError(f"LLVM refuses generated code: {error}; this is an error of chainrule, report it") from error
    return module


def _target_for(text: str, isa: Isa) -> Any:
    return _target(isa, triple_for(isa), 0 if text.startswith(HASTY) else OPTIMIZATION)


@lru_cache(maxsize=16)
def _target(isa: Isa, triple: str, level: int) -> Any:
    return (
        llvm()
        .Target.from_triple(triple)
        .create_target_machine(cpu=isa.cpu, features=isa.feature_string, opt=level, reloc="pic", codemodel="small")
    )


# ---- object code to functions ----


class Library:
    """Loaded object code; it stays in memory as long as this object, or a function taken from it, is alive."""

    __slots__ = ("__weakref__", "_tracker", "addresses", "name")

    def __init__(self, name: str, tracker: Any, addresses: dict[str, int]) -> None:
        self.name = name
        self.addresses = addresses
        self._tracker = tracker

    def function(self, name: str, *arguments: Any, result: Any = None) -> Any:
        """A callable that gives up Python's lock while it runs.

        Args:
            name: one of the symbols asked for in `load`.
            arguments: their ctypes types.
            result: the ctypes type of what it returns, None for nothing.
        """
        made = ctypes.CFUNCTYPE(result, *arguments)(self.addresses[name])
        made.library = self  # pyright: ignore[reportAttributeAccessIssue] - keeps the code in memory
        return made


def load(
    objects: Sequence[bytes],
    symbols: Sequence[str],
    *,
    uses: Sequence[Library] = (),
    given: Mapping[str, int] | None = None,
) -> Library:
    """Object code, linked and ready to be called.

    Args:
        objects: from `compile_object` for a set that this processor has. Damaged bytes may end the process: check
            what comes from outside first.
        symbols: the functions wanted from it.
        uses: libraries whose symbols it may call; it keeps them alive.
        given: addresses of further symbols it may call.

    Raises: BackendError when a symbol is missing, or llvmlite is.
    """
    builder = llvm().JITLibraryBuilder()
    for image in objects:
        builder.add_object_img(image)
    for library in uses:
        for name, address in library.addresses.items():
            builder.import_symbol(name, address)
    for name, address in (given or {}).items():
        builder.import_symbol(name, address)
    for name in symbols:
        builder.export_symbol(name)
    builder.add_current_process()
    label = f"chainrule_{next(_numbers)}"
    with _lock:
        try:
            tracker = builder.link(_linker(), label)
        except RuntimeError as error:
            raise BackendError(f"generated code cannot be linked: {error}; this is an error of chainrule") from error
    return Library(label, (tracker, tuple(uses)), {name: int(tracker[name]) for name in symbols})


@lru_cache(maxsize=1)
def _linker() -> Any:
    return llvm().create_lljit_compiler(use_jit_link=os.name != "nt", suppress_errors=True)
