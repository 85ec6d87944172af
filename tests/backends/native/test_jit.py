"""Text becomes functions, here and for processors elsewhere; what cannot be is refused with a sentence."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from chainrule.backends.native import jit, machine
from chainrule.backends.native.ir import F32, I64, POINTER, Module
from chainrule.backends.native.machine import ISAS, Isa
from chainrule.errors import BackendError
from tests.absent import require

require("llvmlite", "pip install llvmlite")

BEST = machine.runnable()[0]
MACHINES = {"x86_64": 62, "aarch64": 183, "riscv64": 243}  # e_machine of an ELF file


def adding(number: int, name: str = "f") -> str:
    return f"define i64 @{name}(i64 %x) nounwind {{\n  %y = add i64 %x, {number}\n  ret i64 %y\n}}\n"


def loaded(*texts: str) -> jit.Library:
    return jit.load([jit.compile_object(text, BEST) for text in texts], ["f"])


def call(library: jit.Library, x: int) -> int:
    return library.function("f", ctypes.c_int64, result=ctypes.c_int64)(x)


def test_text_becomes_a_function() -> None:
    assert call(loaded(adding(2)), 40) == 42


def test_a_hasty_module_does_the_same_in_other_code() -> None:
    text = (
        "define i64 @f(i64 %x) {\nentry:\n  br label %again\nagain:\n"
        "  %k = phi i64 [ 0, %entry ], [ %m, %again ]\n  %s = phi i64 [ %x, %entry ], [ %t, %again ]\n"
        "  %t = add i64 %s, %k\n  %m = add i64 %k, 1\n  %c = icmp slt i64 %m, 10\n"
        "  br i1 %c, label %again, label %after\nafter:\n  ret i64 %t\n}\n"
    )
    assert call(loaded(jit.HASTY + text), 5) == call(loaded(text), 5) == 50
    assert jit.compile_object(jit.HASTY + text, BEST) != jit.compile_object(text, BEST)


def test_libraries_of_the_same_names_live_side_by_side() -> None:
    first, second = loaded(adding(1)), loaded(adding(2))
    assert (call(first, 0), call(second, 0)) == (1, 2)


def test_objects_are_linked_with_each_other() -> None:
    calling = "declare i64 @g(i64)\ndefine i64 @f(i64 %x) {\n  %y = call i64 @g(i64 %x)\n  ret i64 %y\n}\n"
    assert call(loaded(calling, adding(5, "g")), 1) == 6


def test_a_library_calls_another_and_keeps_it() -> None:
    other = jit.load([jit.compile_object(adding(7, "g"), BEST)], ["g"])
    calling = "declare i64 @g(i64)\ndefine i64 @f(i64 %x) {\n  %y = call i64 @g(i64 %x)\n  ret i64 %y\n}\n"
    library = jit.load([jit.compile_object(calling, BEST)], ["f"], uses=[other])
    kept = weakref.ref(other)
    del other
    gc.collect()
    assert kept() is not None
    assert call(library, 1) == 8


def test_addresses_may_be_given() -> None:
    made = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda x: 3 * x)
    address = ctypes.cast(made, ctypes.c_void_p).value
    assert address is not None
    calling = "declare i64 @g(i64)\ndefine i64 @f(i64 %x) {\n  %y = call i64 @g(i64 %x)\n  ret i64 %y\n}\n"
    library = jit.load([jit.compile_object(calling, BEST)], ["f"], given={"g": address})
    assert call(library, 14) == 42


def test_code_may_call_what_the_process_has() -> None:
    module = Module(BEST)
    b = module.function("f", None, [("to", POINTER), ("from", POINTER), ("n", I64)])
    b.module.declare("memcpy", POINTER, POINTER, POINTER, I64)
    b.call("memcpy", POINTER, *b.arguments)
    b.give()
    library = jit.load([jit.compile_object(module.text(), BEST)], ["f"])
    source, target = np.arange(5.0), np.zeros(5)
    library.function("f", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(target.ctypes.data, source.ctypes.data, 40)
    assert np.array_equal(source, target)


def test_a_function_keeps_its_code_in_memory() -> None:
    library = loaded(adding(1))
    gone = weakref.ref(library)
    function = library.function("f", ctypes.c_int64, result=ctypes.c_int64)
    del library
    gc.collect()
    assert gone() is not None
    assert function(1) == 2
    del function
    gc.collect()
    assert gone() is None


def test_threads_compile_and_load_at_once() -> None:
    results: dict[int, int] = {}

    def work(number: int) -> None:
        results[number] = call(loaded(adding(number)), 0)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: number for number in range(8)}


def test_text_that_is_wrong_is_refused() -> None:
    for text in ("define i64 @f(", "define i64 @f() {\n  ret i64 %x\n}\n", "define i32 @f() {\n  ret i64 0\n}\n"):
        with pytest.raises(BackendError, match="LLVM refuses generated code"):
            jit.compile_object(text, BEST)


def test_a_symbol_that_is_missing_is_refused() -> None:
    with pytest.raises(BackendError, match="cannot be linked"):
        jit.load([jit.compile_object(adding(1), BEST)], ["nowhere"])
    calling = "declare i64 @nowhere(i64)\ndefine i64 @f(i64 %x) {\n  %y = call i64 @nowhere(i64 %x)\n  ret i64 %y\n}\n"
    with pytest.raises(BackendError, match="cannot be linked"):
        loaded(calling)


# ---- other processors ----


@pytest.mark.parametrize("isa", ISAS, ids=lambda isa: isa.name)
def test_every_set_is_assembled(isa: Isa) -> None:
    image = jit.compile_object(adding(1), isa)
    architecture = jit.triple_for(isa).split("-")[0]
    if image[:4] == b"\x7fELF":
        assert int.from_bytes(image[18:20], "little") == MACHINES[architecture]
    assert jit.compile_object(adding(1), isa) == image


@pytest.mark.parametrize(
    ("name", "wanted", "unwanted"),
    [
        ("x86-64-v4", ["vfmadd", "%zmm"], ["callq"]),
        ("x86-64-v3", ["vfmadd", "%ymm"], ["%zmm", "callq"]),
        ("x86-64", ["mulps", "addps", "%xmm"], ["vfmadd", "%ymm", "callq"]),
        ("neon", ["fmla", ".4s"], ["\tbl\t"]),
    ],
)
def test_vectors_are_those_of_the_set(name: str, wanted: list[str], unwanted: list[str]) -> None:
    isa = machine.named(name)
    module = Module(isa)
    b = module.function("f", None, [("x", POINTER)])
    wide = F32.of(isa.lanes("float32"))
    x = b.load(wide, b.arguments[0])
    b.store(b.fma(x, x, x), b.arguments[0])
    b.give()
    text = jit.assembly(module.text(), isa)
    for word in wanted:
        assert word in text, f"{word} is missing in\n{text}"
    for word in unwanted:
        assert word not in text, f"{word} stands in\n{text}"


def test_code_is_a_function_of_the_set_alone() -> None:
    """Nothing of the machine that compiles flows in: two names of one processor's features would differ otherwise."""
    isa = machine.named("x86-64-v3")
    module = Module(isa)
    b = module.function("f", F32.of(8), [("x", F32.of(8))])
    b.give(b.fma(b.arguments[0], 2.0, 1.0))
    assert "zmm" not in jit.assembly(module.text(), isa)
    assert jit.host().cpu not in jit.assembly(module.text(), isa)


# ---- llvmlite missing ----

WITHOUT = """
import sys
sys.modules["llvmlite"] = None
sys.modules["llvmlite.binding"] = None
from chainrule.errors import BackendError
from chainrule.backends.native import cache, jit, machine
for ask in (machine.this_machine, jit.versions, jit.llvm, lambda: cache.object_code("", machine.ISAS[0])):
    try:
        ask()
    except BackendError as error:
        sentence = str(error)
    else:
        sys.exit("nothing was raised")
print(sentence)
"""


def test_without_llvmlite_there_is_a_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the native backend needs llvmlite, which cannot be loaded (")
    assert done.stdout.rstrip().endswith("run pip install llvmlite, or use the backend reference")


def test_importing_costs_no_llvmlite() -> None:
    ask = "import sys, chainrule.backends.native.cache; sys.exit('llvmlite' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0
