"""Compiled loops that a process can call without importing the compiler.

Importing numba takes longer than most commands run. So a loop (a function of arrays, in a module that does import
numba) is compiled once per machine, its machine code is kept beside the other compiled kernels, and every later
process only maps that code. A loop must not allocate: callers pass it its outputs and its workspace.

The parameters of a loop are annotated with the names below, and it returns an int::

    def add_all(a: Floats, b: Floats, out: Floats) -> int: ...

    add_all = loop("bifrost_lib.somewhere.loops", "add_all")
"""

from __future__ import annotations

import ctypes
import hashlib
import inspect
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import cache_folder, keep, one_writer, sources_digest

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int64]
Table = npt.NDArray[np.float64]
Grid = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]

#: annotation -> (dtype, dimensions); arrays are C-contiguous.
_ARRAYS = {
    "Floats": ("float64", 1), "Flags": ("int8", 1), "Counts": ("int64", 1), "Table": ("float64", 2),
    "Grid": ("int64", 2), "Singles": ("float32", 1),
}  # fmt: skip
_SCALARS = {"int": "int64", "float": "float64"}


def loop(module: str, name: str) -> Callable[..., int]:
    """Return a function that calls loop `name` of `module`, compiled and loaded at its first call.

    The result takes the loop's arguments by position and returns its int. It releases the interpreter's lock while it
    runs, so threads run loops side by side. Arrays of another dtype or layout are refused with `TypeError`.
    """

    def call(*arguments: Any) -> int:
        return _machine_code(module, name)(*arguments)

    call.__name__, call.__qualname__, call.__module__ = name, name, module
    return call


def compile_loops(loops: Sequence[tuple[str, str]]) -> None:
    """Compile those (module, name) of `loops` into the cache that are not there yet, as many at once as cores.

    Where several processes do so, each loop is compiled by the one that comes first, and the others wait for it.
    """
    missing = [one for one in loops if not _kept(*one).exists()]
    processes = min(os.cpu_count() or 1, len(missing))
    with ThreadPoolExecutor(max(processes, 1)) as pool:
        list(pool.map(_compile, [missing[first::processes] for first in range(processes)]))


@cache
def _machine_code(module: str, name: str) -> Callable[..., int]:
    stored = _read(_kept(module, name)) or _compile([(module, name)])[0]
    size = struct.unpack_from("<q", stored)[0]
    kinds = json.loads(stored[8 : 8 + size])
    return _load(kinds, stored[8 + size :])


def _kept(module: str, name: str) -> Path:
    return cache_folder() / f"native-{_digest(module)}" / f"{module}.{name}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@cache
def _digest(module: str) -> str:
    """Name everything that the machine code depends on: sources, compiler, interpreter and processor."""
    import llvmlite  # type: ignore[import-untyped]
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    spec, numba = find_spec(module), find_spec("numba")
    if spec is None or spec.origin is None or numba is None or numba.origin is None:
        raise ModuleNotFoundError(module, name=module)
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    told = hashlib.blake2b(digest_size=8)
    for fact in (sources_digest(Path(spec.origin)), llvmlite.__version__, sys.version, *processor):
        told.update(fact.encode())
    for source in (Path(__file__), Path(numba.origin).with_name("_version.py")):
        told.update(source.read_bytes())
    return told.hexdigest()


def _compile(loops: Sequence[tuple[str, str]]) -> list[bytes]:
    # in a process of its own: there the compiler can be told to use the widest registers, and here nothing imports it
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    wide = ",-prefer-256-bit" if features.get("avx512f") else ""
    environment = os.environ | {
        "NUMBA_CPU_FEATURES": features.flatten() + wide,
        "NUMBA_DISABLE_JIT": "0",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    names = [f"{module}.{name}" for module, name in loops]
    done = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-m", __name__, *names],
        env=environment,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"cannot compile {', '.join(names)}: {done.stderr.decode(errors='replace')[-2000:]}")
    compiled, at = [], 0
    while at < len(done.stdout):
        size = struct.unpack_from("<q", done.stdout, at)[0]
        compiled.append(done.stdout[at + 8 : at + 8 + size])
        at += 8 + size
    return compiled


def _compiled_once(module: str, name: str) -> bytes:
    path = _kept(module, name)
    with one_writer(path):  # while this process waited, another may have compiled it
        stored = _read(path)
        if not stored:
            stored = _compiled_here(module, name)
            keep(path, stored)
    return stored


def _compiled_here(module: str, name: str) -> bytes:
    import llvmlite.binding as llvm
    import numba

    function = getattr(import_module(module), name)
    kinds = [str(parameter.annotation) for parameter in inspect.signature(function).parameters.values()]
    signature = numba.int64(*[_numba_type(numba, kind) for kind in kinds])
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled: Any = numba.njit(signature, error_model="numpy", fastmath={"contract"}, **options)(function)
    (overload,) = compiled.overloads.values()
    inner = overload.fndesc.llvm_func_name
    # the arrays that a loop sees are owned by its caller, so counting who uses them would count nothing
    text = re.sub(
        r"^ *(?:tail )?call void @NRT_(?:inc|dec)ref\(.*$", "", overload.library.get_llvm_str(), flags=re.MULTILINE
    )
    code = llvm.parse_assembly(text + _trampoline(inner, kinds))
    code.verify()
    machine = _machine(llvm)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(code, passes)
    if "@NRT_" in str(code):
        raise TypeError(f"{module}.{name} allocates memory, which a loop must leave to its caller")
    head = json.dumps(kinds).encode()
    return struct.pack("<q", len(head)) + head + bytes(machine.emit_object(code))


def _numba_type(numba: Any, kind: str) -> Any:
    if kind in _SCALARS:
        return getattr(numba, _SCALARS[kind])
    dtype, dimensions = _ARRAYS[kind]
    return numba.types.Array(getattr(numba, dtype), dimensions, "C")


def _trampoline(inner: str, kinds: list[str]) -> str:
    """Write the function that reads all arguments from one table of 8-byte words, and answers into it.

    An array is in the table as the address of its object, which says where its elements, its shape and its strides
    are. The compiled function takes it as owner, parent, size, item size, elements, shape and strides.
    """
    lines, passed = [], ["ptr %table", "ptr %problem"]
    for place, kind in enumerate(kinds, start=1):
        lines.append(f"  %at{place} = getelementptr i64, ptr %table, i64 {place}")
        if kind in _SCALARS:
            word = "i64" if kind == "int" else "double"
            lines.append(f"  %given{place} = load {word}, ptr %at{place}")
            passed.append(f"{word} %given{place}")
        else:
            lines.append(f"  %given{place} = load ptr, ptr %at{place}")
            passed.append(_array_parts(lines, place, *_ARRAYS[kind]))
    return "\n".join(
        [
            "\ndefine i32 @bifrost_loop(ptr %table) {",
            "  %problem = alloca ptr",
            *lines,
            f'  %status = call i32 @"{inner}"({", ".join(passed)})',
            "  ret i32 %status",
            "}\n",
        ]
    )


def _array_parts(lines: list[str], place: int, dtype: str, dimensions: int) -> str:
    # the head of every array object, as numpy keeps it for programs in C: elements, number of axes, shape, strides
    found = {}
    for name, word in (("elements", 0), ("shape", 2), ("strides", 3)):
        lines.append(f"  %a{name}{place} = getelementptr i8, ptr %given{place}, i64 {object.__basicsize__ + 8 * word}")
        lines.append(f"  %{name}{place} = load ptr, ptr %a{name}{place}")
    for name in ("shape", "strides"):
        for axis in range(dimensions):
            found[name, axis] = f"%{name}{place}.{axis}"
            lines.append(f"  %b{name}{place}.{axis} = getelementptr i64, ptr %{name}{place}, i64 {axis}")
            lines.append(f"  {found[name, axis]} = load i64, ptr %b{name}{place}.{axis}")
    size = found["shape", 0]
    if dimensions == 2:
        lines.append(f"  %size{place} = mul i64 {size}, {found['shape', 1]}")
        size = f"%size{place}"
    item = np.dtype(dtype).itemsize
    head = f"ptr null, ptr null, i64 {size}, i64 {item}, ptr %elements{place}"
    return ", ".join([head, *(f"i64 {one}" for one in found.values())])


def _machine(llvm: Any) -> Any:
    # position independent and small: constants are read where they lie instead of through 8-byte addresses
    features = os.environ.get("NUMBA_CPU_FEATURES") or llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3, reloc="pic", codemodel="small"
    )


@cache
def _engine_parts() -> tuple[Any, Any]:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm, _machine(llvm)


_engines: list[Any] = []  # the machine code lives as long as its engine


def _load(kinds: list[str], code: bytes) -> Callable[..., int]:
    llvm, machine = _engine_parts()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine, use_lmm=True)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(engine.get_function_address("bifrost_loop"))
    table_of = struct.Struct("=q" + "".join("d" if kind == "float" else "q" for kind in kinds))
    arrays = [
        (position, np.dtype(_ARRAYS[kind][0]), _ARRAYS[kind][1])
        for position, kind in enumerate(kinds)
        if kind in _ARRAYS
    ]

    def call(*arguments: Any) -> int:
        words = list(arguments)
        for position, dtype, dimensions in arrays:
            array = arguments[position]
            fits = isinstance(array, np.ndarray) and array.dtype == dtype and array.ndim == dimensions
            if not (fits and array.flags.c_contiguous):
                raise TypeError(f"a loop needs C-contiguous {dtype} of {dimensions} dimensions, got {array!r:.80}")
            words[position] = id(array)
        table = ctypes.create_string_buffer(table_of.pack(0, *words), table_of.size)
        if entry(table):
            raise RuntimeError("a compiled loop stopped with an error")
        return ctypes.c_int64.from_buffer(table).value

    return call


if __name__ == "__main__":
    for path in sys.argv[1:]:
        code = _compiled_once(*path.rsplit(".", 1))
        sys.stdout.buffer.write(struct.pack("<q", len(code)) + code)
