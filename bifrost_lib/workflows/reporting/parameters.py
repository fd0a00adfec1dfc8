"""The parameters of a report: read from its notebook, checked by name and by type."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import parse_moment
from bifrost_lib.core.errors import InputError, UnknownNameError

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NOTHING = ("", "none", "null")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell: its name, default, and the comment that explains it."""

    name: str
    default: Any
    help: str = ""

    def coerced(self, value: Any) -> Any:
        """Return `value`, or what the text `value` says, in the type of the default.

        Raises
        ------
        InputError
            If it is of another type.
        """
        if self.name == "at":
            return _moment(value)
        if self.default is None:
            return None if isinstance(value, str) and value.strip().lower() in _NOTHING else value
        return _typed(self.name, value, self.default)


def read_parameters(source: str) -> tuple[Parameter, ...]:
    """Return what a parameters cell assigns: literals, one a line, each with a comment as its help."""
    lines = source.splitlines()
    found = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            _, _, comment = lines[statement.lineno - 1].partition("  # ")
            name = statement.targets[0].id
            found.append(Parameter(name, ast.literal_eval(statement.value), comment.strip()))
    return tuple(found)


def checked_parameters(known: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return `given` with every value in its parameter's type.

    Raises
    ------
    UnknownNameError
        If the notebook has no such parameter; `error.nearest` is the likeliest one.
    InputError
        If a value is not of the parameter's type.
    """
    by_name = {parameter.name: parameter for parameter in known}
    for name in given:
        if name not in by_name:
            raise UnknownNameError("parameter", name, by_name)
    return {name: by_name[name].coerced(value) for name, value in given.items()}


def read_assignments(texts: Sequence[str]) -> dict[str, str]:
    """Read ``name=value`` texts as a command line gives them.

    Raises
    ------
    InputError
        If a text has no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip().isidentifier():
            raise InputError("-p", text, "name=value, for example -p top=3")
        if name.strip() in found:
            raise InputError("-p", text, f"{name.strip()} once")
        found[name.strip()] = value.strip()
    return found


def _moment(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
        return None
    if isinstance(value, datetime):
        value = value.isoformat()
    text = str(value).strip()
    if _DATE.fullmatch(text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise InputError("at", text, "a date such as 2026-09-30") from None
        return datetime.combine(day, time(23, 59, 59), EXCHANGE_TZ).astimezone(UTC).isoformat()
    return parse_moment(text).isoformat()


def _typed(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, list | tuple):
        return _list(name, value, default)
    if isinstance(default, dict):
        return _instance(name, _json(name, value, "a JSON object") if isinstance(value, str) else value, dict)
    if isinstance(default, bool):
        if isinstance(value, str) and value.lower() in _WORDS:
            return _WORDS[value.lower()]
        return _instance(name, value, bool)
    if isinstance(default, int | float):
        return _number(name, value, whole=isinstance(default, int))
    return _instance(name, value, str)


def _number(name: str, value: Any, *, whole: bool) -> Any:
    expected = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(name, value, expected)
    try:
        number = float(value)
    except ValueError:
        raise InputError(name, value, expected) from None
    if not abs(number) < float("inf") or (whole and number != int(number)):
        raise InputError(name, value, expected)
    return int(number) if whole else number


def _list(name: str, value: Any, default: Sequence[Any]) -> list[Any]:
    if isinstance(value, str):
        text = value.strip()
        parts = _json(name, text, "a JSON list") if text.startswith("[") else [part.strip() for part in text.split(",")]
        value = [part for part in parts if part != ""]
    if not isinstance(value, list | tuple):
        raise InputError(name, value, "a list, for example a,b")
    example = default[0] if default else ""
    return [_typed(name, part, example) for part in value]


def _json(name: str, text: str, expected: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise InputError(name, text, expected) from None


def _instance(name: str, value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        words = {str: "text", bool: "true or false", dict: "a JSON object"}
        raise InputError(name, value, words[kind])
    return value
