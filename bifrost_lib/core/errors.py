"""What can go wrong, as types that carry the facts and say what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class BifrostError(Exception):
    """Base of every error that a user of Bifrost is expected to see; the message is one clear line."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Children are made from facts, not from their message: one that comes from a worker is put together again.
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[BifrostError], args: tuple[Any, ...], facts: dict[str, Any]) -> BifrostError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


class InputError(BifrostError):
    """A value outside its domain: `name` is the argument, `expected` what would have been accepted."""

    def __init__(self, name: str, value: Any, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        super().__init__(f"{name}: got {_short(value)}, expected {expected}")


class UnknownNameError(InputError):
    """A name that is not one of the known ones; `nearest` is the likeliest intention, or None."""

    def __init__(self, name: str, value: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        close = get_close_matches(value, choices, n=1, cutoff=0.5)
        self.nearest = close[0] if close else None
        hint = f"did you mean {self.nearest!r}?" if self.nearest else "known: " + ", ".join(choices)
        super().__init__(name, value, f"a known name ({hint})")


class DocumentError(InputError):
    """A mistake in a document: `name` is the path of the field, `nearest` the likeliest of the words known there."""

    def __init__(self, name: str, value: Any, expected: str, *, known: Iterable[str] = ()) -> None:
        close = get_close_matches(value, list(known), n=1, cutoff=0.5) if isinstance(value, str) else []
        self.nearest = close[0] if close else None
        super().__init__(name, value, expected + (f" (did you mean {self.nearest!r}?)" if self.nearest else ""))
        if value is None:
            self.args = (f"{name}: got nothing, expected {self.expected}",)


class SettingsError(BifrostError):
    """A setting that cannot be used: `key` and `origin` say which one and where it was written."""

    def __init__(self, key: str, origin: str, problem: str) -> None:
        self.key, self.origin, self.problem = key, origin, problem
        super().__init__(f"setting {key} ({origin}): {problem}")


class NoDataError(BifrostError):
    """Nothing was known at `at`; `what` and `facts` say of what."""

    def __init__(self, what: str, *, at: datetime | None = None, hint: str = "", **facts: Any) -> None:
        self.what, self.at, self.facts = what, at, facts
        parts = [f"{key} {value}" for key, value in facts.items()]
        parts += [f"at {at.isoformat()}"] if at is not None else []
        super().__init__(f"no {what} for {', '.join(parts)}" + (f"; {hint}" if hint else ""))


class StaleQuoteError(BifrostError):
    """The newest data is older than the caller accepts; `age_s` and `max_age_s` are in seconds."""

    def __init__(self, what: str, *, age_s: float, max_age_s: float) -> None:
        self.what, self.age_s, self.max_age_s = what, age_s, max_age_s
        super().__init__(f"{what} is {age_s:.0f} s old, more than the {max_age_s:.0f} s allowed")


class FileFormatError(BifrostError):
    """A file that cannot be read: `path`, the `line` (1-based) or member where it breaks, and the `problem`."""

    def __init__(self, path: Path | str, problem: str, *, line: int | None = None, member: str | None = None) -> None:
        self.path, self.problem, self.line, self.member = Path(path), problem, line, member
        place = f"{path}" + (f", member {member}" if member else "") + (f", line {line}" if line is not None else "")
        super().__init__(f"{place}: {problem}")


class SourceUnavailable(BifrostError):  # noqa: N818 (the house's name for it)
    """A database, gateway or service does not answer; the only kind of error that is worth retrying."""

    def __init__(self, source: str, problem: str) -> None:
        self.source, self.problem = source, problem
        super().__init__(f"{source} is not available: {problem}")


class StoreError(BifrostError):
    """The database answers but cannot be used as it is (wrong version, missing rights, damaged files)."""


class EnvironmentProblem(BifrostError):  # noqa: N818
    """The machine lacks something that Bifrost needs; `remedy` says what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(f"{problem}; {remedy}")


def _short(value: Any) -> str:
    text = _written(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _written(value: Any) -> str:
    # As somebody would write it, not as code that makes it: 2026-01-02, not datetime.date(2026, 1, 2).
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Path | timedelta):
        return str(value)
    if type(value) in _BRACKETS:
        first, last = _BRACKETS[type(value)]
        return first + ", ".join(map(_written, value)) + last
    if type(value) is dict:
        return "{" + ", ".join(f"{_written(key)}: {_written(one)}" for key, one in value.items()) + "}"
    if getattr(value, "shape", None) == () and not isinstance(value, str):  # a scalar of numpy
        return str(value)
    return repr(value)


_BRACKETS: dict[type, tuple[str, str]] = {tuple: ("(", ")"), list: ("[", "]"), set: ("{", "}")}
