"""What passed between a client and a gateway, as lines of JSON; and whether two recordings have the same layouts."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.sim.wire.codec import decode_request, decode_response, load_families
from bifrost_lib.sim.wire.declare import MAX_VERSION, MIN_VERSION, REQUESTS, RESPONSES, Fixed, Gate, Layout, Part, Value
from bifrost_lib.sim.wire.errors import WireError
from bifrost_lib.sim.wire.framing import FrameReader

_ACCOUNT = re.compile(r"\b(D?[UFI])(\d{5,9})\b")


class Mask:
    """Replaces account ids, the same one always by the same: U1234567 by U0000001, DU7654321 by DU0000002."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return the text without account ids."""
        for account, shown in sorted(self._shown.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(account, shown)
        return _ACCOUNT.sub(lambda match: self._known(match[0], match[1]), text)

    def learn(self, accounts: str) -> None:
        """Remember ids that the gateway listed, whatever they look like."""
        for account in filter(None, accounts.split(",")):
            match = _ACCOUNT.fullmatch(account)
            self._known(account, match[1] if match else "U")

    def _known(self, account: str, prefix: str) -> str:
        if account in self._shown.values():
            return account
        return self._shown.setdefault(account, f"{prefix}{len(self._shown) + 1:07d}")


@dataclass
class Tap:
    """Listens to both directions of one connection and writes what it hears; it never raises.

    Parameters
    ----------
    write : callable
        Takes one line of text.
    elapsed_ms : callable
        Milliseconds since the recording began.
    mask : Mask
        Shared by all connections of a recording.
    connection : int
        Number of the connection, from 1.
    """

    write: Callable[[str], object]
    elapsed_ms: Callable[[], float]
    mask: Mask
    connection: int = 1
    _version: int = 0
    _greeted: set[str] = field(default_factory=set)
    _readers: dict[str, FrameReader | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        load_families()
        self._readers = {"request": FrameReader(greets=True), "response": FrameReader(greets=False)}

    def hear(self, direction: str, data: bytes) -> None:
        """Take bytes that passed; `direction` is ``request`` or ``response``."""
        reader = self._readers[direction]
        if reader is None:
            return
        try:
            frames = reader.feed(data)
        except WireError as problem:
            # From here on the frames of this direction cannot be told apart; the bytes still pass.
            self._readers[direction] = None
            self._line(direction, "Unreadable", [], problem.text)
            return
        for fields in frames:
            self._frame(direction, fields)

    def _frame(self, direction: str, fields: list[str]) -> None:
        if direction not in self._greeted:
            self._greeted.add(direction)
            if direction == "response" and fields[0].isdigit():
                self._version = int(fields[0])
            self._line(direction, "Greeting" if direction == "request" else "Handshake", fields, "")
            return
        layout = (REQUESTS if direction == "request" else RESPONSES).get(_number(fields[0]))
        if layout is None:
            self._line(direction, f"Unknown{fields[0][:8]}", fields, "no message of this number is known")
            return
        if direction == "response" and layout.number == 15 and len(fields) > 2:
            self.mask.learn(fields[2])
        self._line(direction, layout.message.__name__, fields, self._problem(direction, fields))

    def _problem(self, direction: str, fields: list[str]) -> str:
        if not MIN_VERSION <= self._version <= MAX_VERSION:
            return ""
        try:
            (decode_request if direction == "request" else decode_response)(fields, self._version)
        except WireError as problem:
            return problem.text
        return ""

    def _line(self, direction: str, name: str, fields: list[str], problem: str) -> None:
        said: dict[str, Any] = {
            "ms": round(self.elapsed_ms(), 3),
            "connection": self.connection,
            "direction": direction,
            "name": name,
            "version": self._version,
            "fields": [self.mask(text) for text in fields],
        }
        if problem:
            said["problem"] = self.mask(problem)
        self.write(json.dumps(said, ensure_ascii=False) + "\n")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1


@dataclass(frozen=True)
class Difference:
    """Where two recordings do not have the same layout of a message."""

    direction: str
    name: str
    what: str


@dataclass
class _Seen:
    counts: set[int] = field(default_factory=set)
    kinds: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    problems: set[str] = field(default_factory=set)


def compare(first: Path, second: Path) -> list[Difference]:
    """Return in which messages two recordings differ: how many fields, and numbers where the other has texts.

    Messages that only one of them has are no difference: people do different things. A message that the layouts of
    this package cannot read is one, in either recording.

    Raises
    ------
    FileFormatError
        If a line is no record.
    """
    load_families()
    seen = [_survey(first), _survey(second)]
    differences = [
        Difference(*key, f"cannot be read in {path.name}: {problem}")
        for path, survey in zip((first, second), seen, strict=True)
        for key, found in sorted(survey.items())
        for problem in sorted(found.problems)
    ]
    for key in sorted(seen[0].keys() & seen[1].keys()):
        differences += [Difference(*key, what) for what in _differences(*key, seen[0][key], seen[1][key])]
    return differences


def _survey(path: Path) -> dict[tuple[str, str], _Seen]:
    survey: dict[tuple[str, str], _Seen] = defaultdict(_Seen)
    for record in _records(path):
        found = survey[record["direction"], record["name"]]
        found.counts.add(len(record["fields"]))
        if record.get("problem"):
            found.problems.add(record["problem"])
        for position, text in enumerate(record["fields"]):
            if text:
                found.kinds[position].add(_kind(text))
    return survey


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                record = json.loads(line)
                if not isinstance(record["fields"], list):
                    raise TypeError
                yield {**record, "direction": str(record["direction"]), "name": str(record["name"])}
            except (ValueError, KeyError, TypeError):
                raise FileFormatError(path, "no record of a message", line=number) from None


def _kind(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return "text"
    return "number"


def _differences(direction: str, name: str, first: _Seen, second: _Seen) -> Iterator[str]:
    layout = _layout(direction, name)
    if layout is not None and not _always_alike(layout.parts):
        return  # rows and optional parts: reading them is the test
    if first.counts != second.counts:
        yield f"{_words(first.counts)} fields in one, {_words(second.counts)} in the other"
        return
    for position in sorted(first.kinds.keys() & second.kinds.keys()):
        one, other = first.kinds[position], second.kinds[position]
        if one.isdisjoint(other):
            yield f"field {position}: {_words(one)} in one, {_words(other)} in the other"


def _layout(direction: str, name: str) -> Layout | None:
    home = REQUESTS if direction == "request" else RESPONSES
    return next((layout for layout in home.values() if layout.message.__name__ == name), None)


def _always_alike(parts: tuple[Part, ...]) -> bool:
    return all(
        isinstance(part, str | Fixed | Value)
        or (isinstance(part, Gate) and not part.path and _always_alike(part.parts))
        for part in parts
    )


def _words(values: Iterable[object]) -> str:
    return " or ".join(map(str, sorted(values, key=str)))
