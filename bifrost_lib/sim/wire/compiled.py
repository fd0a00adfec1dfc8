"""Layouts made ready: for each message and version once, a function that writes it and one that reads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import Any, get_args, get_type_hints

from bifrost_lib.core.errors import InputError
from bifrost_lib.sim.wire.declare import LAYOUTS, MAX_VERSION, MIN_VERSION, Fixed, Gate, Many, Maybe, Part, Tail, Value
from bifrost_lib.sim.wire.errors import WireError
from bifrost_lib.sim.wire.fields import CODECS, Codec
from bifrost_lib.sim.wire.records import UNSET_DOUBLE, UNSET_INT, TagValue

Writer = Callable[[Any, list[str]], None]
#: What was read so far: attributes by name, for each part of the message by its path.
Values = dict[str, dict[str, Any]]
Reader = Callable[[Iterator[str], Values], None]


@cache
def compiled(message: Any, version: int) -> tuple[str, Writer, Callable[[Iterator[str]], Any]]:
    """Return the number of a message, what writes it and what reads it, in one version.

    Raises
    ------
    InputError
        If `message` is no message, or the version is not known.
    """
    layout = LAYOUTS.get(message)
    if layout is None:
        raise InputError("message", message.__name__, "a message of bifrost_lib.sim.wire")
    if not MIN_VERSION <= version <= MAX_VERSION:
        raise InputError("version", version, f"{MIN_VERSION} to {MAX_VERSION}")
    return (str(layout.number), *_record(message, layout.parts, version))


def _record(message: type, parts: tuple[Part, ...], version: int) -> tuple[Writer, Callable[[Iterator[str]], Any]]:
    """Return what writes and what reads a record, attributes of its parts included."""
    shown = parts or tuple(f.name for f in fields(message))
    writers, readers = _steps(message, _existing(shown, version), version)
    owners = [(path, *_placed(path), owner) for path, owner in _owners(message, shown)]

    def write(record: Any, out: list[str]) -> None:
        for put in writers:
            put(record, out)

    def read(rest: Iterator[str]) -> Any:
        values: Values = {path: {} for path, *_ in owners}
        for take in readers:
            take(rest, values)
        # From the innermost part outwards: the soft dollar tier, then the order, then the message.
        for path, outer, name, owner in owners[:-1]:
            values[outer][name] = owner(**values[path])
        return message(**values[""])

    return write, read


def _owners(message: type, parts: tuple[Part, ...]) -> list[tuple[str, type]]:
    paths = {""}
    for path in _paths(parts):
        names = path.split(".")[:-1]
        paths.update(".".join(names[:depth]) for depth in range(1, len(names) + 1))
    deepest_first = sorted(paths, key=lambda path: (-len(path.split(".")) if path else 1, path))
    return [(path, _type_of(message, path) if path else message) for path in deepest_first]


def _paths(parts: tuple[Part, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Gate):
            yield from _paths(part.parts)
        elif not isinstance(part, Fixed):
            yield part.path


def _existing(parts: tuple[Part, ...], version: int) -> list[Part]:
    # Gates of versions are decided here, once; what remains of a gate asks an attribute.
    found: list[Part] = []
    for part in parts:
        if not isinstance(part, Gate):
            found.append(part)
        elif part.first <= version <= part.last:
            found += [part] if part.path else _existing(part.parts, version)
    return found


def _steps(message: type, parts: list[Part], version: int) -> tuple[list[Writer], list[Reader]]:
    writers: list[Writer] = []
    readers: list[Reader] = []
    for values, group in groupby(parts, lambda part: isinstance(part, str | Value)):
        run = list(group)
        steps = [_run(message, run)] if values else [_step(message, part, version) for part in run]
        writers += [write for write, _ in steps]
        readers += [read for _, read in steps]
    return writers, readers


def _run(message: type, parts: list[Any]) -> tuple[Writer, Reader]:
    # Values in a row, most of every message: one loop instead of one call each.
    writes, reads = [], []
    for part in parts:
        path = part.path if isinstance(part, Value) else part
        codec = CODECS[part.codec] if isinstance(part, Value) else _codec_of(message, path)
        owner, name = _placed(path)
        writes.append((attrgetter(path), codec.write))
        # An empty text is a text; an empty number is what the attribute is when nothing was said.
        empty = "" if codec.empty == "" else _default(message, path, codec.empty)
        reads.append((owner, name, codec.read, empty))

    def put(record: Any, out: list[str]) -> None:
        out += [write(get(record)) for get, write in writes]

    by_owner = [(owner, [one[1:] for one in group]) for owner, group in groupby(reads, lambda one: one[0])]

    def take(rest: Iterator[str], values: Values) -> None:
        for owner, its in by_owner:
            found = values[owner]
            for name, read, empty in its:
                text = next(rest)
                found[name] = read(text) if text else empty

    return put, take


def _step(message: type, part: Part, version: int) -> tuple[Writer, Reader]:
    match part:
        case Fixed(text):
            return _fixed(text)
        case Gate():
            return _gate(message, part, version)
        case Many():
            return _many(message, part, version)
        case Maybe():
            return _maybe(message, part, version)
        case Tail(path):
            return _tail(path)
        case _:
            return _run(message, [part])


def _fixed(text: str) -> tuple[Writer, Reader]:
    def put(_: Any, out: list[str]) -> None:
        out.append(text)

    def skip(rest: Iterator[str], _: Values) -> None:
        next(rest)

    return put, skip


def _tail(path: str) -> tuple[Writer, Reader]:
    get, (owner, name) = attrgetter(path), _placed(path)
    codec = CODECS["options"]

    def put(record: Any, out: list[str]) -> None:
        options = get(record)
        out += [str(len(options)), codec.write(options)]

    def take(rest: Iterator[str], values: Values) -> None:
        # The number is the text without an "="; it says nothing that the options do not.
        values[owner][name] = codec.read("".join([text for text in rest if "=" in text]))

    return put, take


def _gate(message: type, gate: Gate, version: int) -> tuple[Writer, Reader]:
    get, (owner, name) = attrgetter(gate.path), _placed(gate.path)
    writers, readers = _steps(message, _existing(gate.parts, version), version)

    def put(record: Any, out: list[str]) -> None:
        if gate.test(get(record)):
            for write in writers:
                write(record, out)

    def take(rest: Iterator[str], values: Values) -> None:
        if gate.test(values[owner][name]):
            for read in readers:
                read(rest, values)

    return put, take


def _many(message: type, many: Many, version: int) -> tuple[Writer, Reader]:
    get, (owner, name) = attrgetter(many.path), _placed(many.path)
    write_row, read_row = _row(message, many, version)

    def put(record: Any, out: list[str]) -> None:
        rows = get(record)
        out.append(str(len(rows)))
        for row in rows:
            write_row(row, out)

    def take(rest: Iterator[str], values: Values) -> None:
        rows = []
        for _ in range(CODECS["int"].read(next(rest) or "0")):
            rows.append(read_row(rest))
        values[owner][name] = tuple(rows)

    return put, take


def _row(message: type, many: Many, version: int) -> tuple[Writer, Callable[[Iterator[str]], Any]]:
    if many.variants:
        return _variant(many, version)
    kind = get_args(_type_of(message, many.path))[0]
    if many.parts:
        return _record(kind, many.parts, version)
    codec = CODECS[kind.__name__]
    return (lambda row, out: out.append(codec.write(row))), (lambda rest: codec.read(next(rest)))


def _variant(many: Many, version: int) -> tuple[Writer, Callable[[Iterator[str]], Any]]:
    numbers = {kind: number for number, kind in many.variants.items()}
    rows = {number: _record(kind, (), version) for number, kind in many.variants.items()}

    def write(row: Any, out: list[str]) -> None:
        number = numbers[type(row)]
        out.append(str(number))
        rows[number][0](row, out)

    def read(rest: Iterator[str]) -> Any:
        number = CODECS["int"].read(next(rest))
        if number not in rows:
            raise WireError(320, f"Error reading request. {many.path}: unknown kind {number}")
        return rows[number][1](rest)

    return write, read


def _maybe(message: type, maybe: Maybe, version: int) -> tuple[Writer, Reader]:
    get, (owner, name) = attrgetter(maybe.path), _placed(maybe.path)
    write_part, read_part = _record(get_args(_type_of(message, maybe.path))[0], maybe.parts, version)

    def put(record: Any, out: list[str]) -> None:
        part = get(record)
        out.append("0" if part is None else "1")
        if part is not None:
            write_part(part, out)

    def take(rest: Iterator[str], values: Values) -> None:
        present = CODECS["bool"].read(next(rest) or "0")
        values[owner][name] = read_part(rest) if present else None

    return put, take


def _placed(path: str) -> tuple[str, str]:
    # Interned: a keyword that is the parameter's own string is found at once, one of 120 that only equals it is not.
    owner, _, name = path.rpartition(".")
    return owner, sys.intern(name)


def _type_of(message: type, path: str) -> Any:
    kind: Any = message
    for name in path.split("."):
        kind = get_type_hints(kind)[name]
    return kind


def _codec_of(message: type, path: str) -> Codec:
    kind = _type_of(message, path)
    if get_args(kind)[:1] == (TagValue,):
        return CODECS["options"]
    # Only where "no value" is the default does the field become empty.
    unset = _default(message, path, None) in (UNSET_INT, UNSET_DOUBLE)
    return CODECS[f"{kind.__name__} or empty" if unset else kind.__name__]


def _default(message: type, path: str, empty: Any) -> Any:
    owner, name = _placed(path)
    default = {f.name: f.default for f in fields(_type_of(message, owner) if owner else message)}[name]
    return empty if default is MISSING else default
