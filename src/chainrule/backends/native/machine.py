"""Instruction sets as data: what code for each may use, which one this processor gets, and what CHAINRULE_CPU says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import msgspec

from chainrule.backends.native import jit
from chainrule.errors import BackendError, UnknownNameError
from chainrule.graph.tensor_type import DType

VARIABLE: Final = "CHAINRULE_CPU"
KIB: Final = 1024

BYTES: Final[dict[DType, int]] = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "float16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "float64": 8,
}


class Block(msgspec.Struct, frozen=True):
    """The accumulators a product kernel keeps in registers.

    Attributes:
        rows: how many rows of the result at once, the preferred number first; all of them are good.
        vectors: how many vectors of columns.
    """

    rows: tuple[int, ...]
    vectors: int


@dataclass(frozen=True, slots=True)
class Isa:
    """One instruction set that code is generated for.

    Code is a function of these fields alone, never of the machine it is generated on: the same set gives the same
    machine code everywhere.

    Attributes:
        name: what CHAINRULE_CPU calls it.
        architecture: the first part of the triple of a machine that runs it; "" runs anywhere.
        triple: a machine that has it, to generate code for elsewhere.
        cpu: LLVM's name of a processor whose timing is assumed.
        features: LLVM's names of what code may use beyond the architecture; a processor lacking one cannot run it.
        vector_bytes: bytes in a vector register.
        registers: how many of those there are.
        fused: whether x · y + z is rounded once; without it the bits differ from those of the other sets.
        half: whether float16 is converted by instructions.
        blocks: for float32 and float64, the accumulators of a product kernel.
        near_cache: bytes of a weight panel that stays in the second-level cache beside what streams past it.
        brief: whether products take row by row, so that there is little code to write and to compile.
    """

    name: str
    architecture: str
    triple: str
    cpu: str
    features: tuple[str, ...]
    vector_bytes: int
    registers: int
    fused: bool
    half: bool
    blocks: Mapping[DType, Block] = field(hash=False)
    near_cache: int = 128 * KIB
    brief: bool = False

    def lanes(self, dtype: DType) -> int:
        """How many elements a vector register holds."""
        return self.vector_bytes // BYTES[dtype]

    @property
    def in_haste(self) -> Isa:
        """The same set, for code that runs but once; the bits are the same."""
        return replace(self, brief=True)

    @property
    def flushes(self) -> bool:
        """Whether numbers too small to be normal are taken as 0: everywhere but on processors nothing is known of."""
        return bool(self.architecture)

    @property
    def feature_string(self) -> str:
        """The features as LLVM takes them."""
        return ",".join(f"+{feature}" for feature in self.features)


_V3: Final = ("avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt")
_V4: Final = (*_V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

# Best first. Rows times vectors of accumulators, the operands and one spare fill the registers; the chains of dependent
# additions are at least latency times throughput (8 with two fused units of 4 cycles).
ISAS: Final[tuple[Isa, ...]] = (
    Isa(
        name="x86-64-v4",  # AVX-512 as servers have it since 2017
        architecture="x86_64",
        triple="x86_64-unknown-linux-gnu",
        cpu="x86-64-v4",
        features=_V4,
        vector_bytes=64,
        registers=32,
        fused=True,
        half=True,
        blocks={"float32": Block((14, 12, 10, 8), 2), "float64": Block((14, 12, 10, 8), 2)},
    ),
    Isa(
        name="x86-64-v3",  # AVX2 and FMA: Intel since 2013, AMD since 2015
        architecture="x86_64",
        triple="x86_64-unknown-linux-gnu",
        cpu="x86-64-v3",
        features=_V3,
        vector_bytes=32,
        registers=16,
        fused=True,
        half=True,
        blocks={"float32": Block((6, 5, 4), 2), "float64": Block((6, 5, 4), 2)},
    ),
    Isa(
        name="x86-64",  # SSE2, which every 64-bit x86 has; no fused multiplication
        architecture="x86_64",
        triple="x86_64-unknown-linux-gnu",
        cpu="x86-64",
        features=(),
        vector_bytes=16,
        registers=16,
        fused=False,
        half=False,
        blocks={"float32": Block((5, 4), 2), "float64": Block((5, 4), 2)},
    ),
    Isa(
        name="neon",  # every 64-bit ARM
        architecture="aarch64",
        triple="aarch64-unknown-linux-gnu",
        cpu="generic",
        features=("neon",),
        vector_bytes=16,
        registers=32,
        fused=True,
        half=True,
        blocks={"float32": Block((6, 5, 4), 4), "float64": Block((6, 5, 4), 4)},
    ),
    Isa(
        name="generic",  # anything LLVM knows; short vectors are taken apart where there are none
        architecture="",
        triple="riscv64-unknown-linux-gnu",
        cpu="",
        features=(),
        vector_bytes=16,
        registers=16,
        fused=False,
        half=False,
        blocks={"float32": Block((4,), 2), "float64": Block((4,), 2)},
    ),
)

_BY_NAME: Final = {isa.name: isa for isa in ISAS}
_OTHER_NAMES: Final = {"aarch64": "neon", "arm64": "neon", "avx2": "x86-64-v3", "avx512": "x86-64-v4"}


def named(name: str) -> Isa:
    """The instruction set of that name, whether this processor has it or not.

    Raises: UnknownNameError for another name.
    """
    found = _BY_NAME.get(_OTHER_NAMES.get(name, name))
    if found is None:
        raise UnknownNameError("instruction set", name, (*_BY_NAME, *_OTHER_NAMES))
    return found


def this_machine() -> Isa:
    """The instruction set to run here: what CHAINRULE_CPU names, else the best this processor has.

    Raises: UnknownNameError for a name that does not exist; BackendError for a set this processor lacks, or when
    llvmlite is missing.
    """
    return chosen(os.environ.get(VARIABLE, ""), jit.host())


def chosen(name: str, host: jit.Host) -> Isa:
    """The set named, or the best for a name of "", on a machine.

    Raises: as `this_machine`.
    """
    if not name:
        return next(isa for isa in ISAS if not missing(isa, host))
    wanted = named(name)
    absent = missing(wanted, host)
    if absent:
        raise BackendError(
            f"{VARIABLE} asks for {wanted.name}, and this processor ({host.cpu}) lacks {', '.join(absent)}; "
            f"unset it, or set it to {chosen('', host).name}"
        )
    return wanted


def missing(isa: Isa, host: jit.Host) -> tuple[str, ...]:
    """What a machine lacks to run code of this set; empty when it can."""
    if isa.architecture not in ("", host.architecture):
        return (f"the architecture {isa.architecture}",)
    if host.architecture == "aarch64":
        return ()  # every set here is what the architecture begins with
    return tuple(feature for feature in isa.features if feature not in host.features)


@lru_cache(maxsize=1)
def runnable() -> tuple[Isa, ...]:
    """Every instruction set this processor can run, the best first."""
    return tuple(isa for isa in ISAS if not missing(isa, jit.host()))
