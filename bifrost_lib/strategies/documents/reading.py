"""Strategy documents as text: YAML or JSON in, YAML or JSON out, within limits that no honest document reaches."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import yaml

from bifrost_lib.core.errors import DocumentError, FileFormatError
from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.documents.part import Part

MOST_BYTES, MOST_VALUES, DEEPEST = 65_536, 5_000, 12
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
#: YAML also reads 045 as 37, 1:30 as 90 and 0x1F as 31, which nobody means; .nan and .inf are told by their field.
_PLAIN_NUMBER = re.compile(r"[-+]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][-+]?\d+)?|[-+]?\.(nan|inf)", re.IGNORECASE)


def read_document(source: str | Mapping[str, Any]) -> StrategyDocument:
    """Return the strategy document that a text or a mapping holds.

    Parameters
    ----------
    source : str or mapping
        YAML or JSON, at most 64 KiB, 5,000 values and 12 levels, without aliases and tags; or what they stand for.

    Raises
    ------
    DocumentError
        The first mistake: ``error.name`` is the path of the field (``legs[1].rule.target``), ``error.expected`` what
        would have been accepted and ``error.nearest`` the likeliest intention of an unknown word, or None.

    Examples
    --------
    >>> put = read_document("{name: put, view: up, legs: [{name: a, right: P, qty: -1, rule: {by: at_money}}]}")
    >>> put.legs[0].qty, put.risk_shape
    (-1, 'undefined')
    """
    return StrategyDocument(**read_mapping(source, expected="a mapping with name, view and legs"))


def read_mapping(source: str | Mapping[str, Any], *, expected: str = "a mapping") -> dict[str, Any]:
    """Return what a text or a mapping holds, within the limits of documents and of nothing but JSON's kinds of values.

    Raises
    ------
    DocumentError
        If it cannot be read, is no mapping or goes beyond the limits.
    """
    content = _parsed(source) if isinstance(source, str) else dict(source)
    if not isinstance(content, dict):
        raise DocumentError("document", content, expected)
    _check_values(content, "document", 1)
    return content


def write_document(document: StrategyDocument, *, form: Literal["yaml", "json"] = "yaml", full: bool = False) -> str:
    """Return a document as text that `read_document` reads to an equal one.

    Parameters
    ----------
    document : StrategyDocument
    form : {"yaml", "json"}
    full : bool
        Write every field; otherwise those that have their default value are left out.
    """
    content = document.model_dump(mode="json", exclude_defaults=not full)
    content = {"schema_version": document.schema_version, **content}
    for leg, part in zip(content["legs"], document.legs, strict=True):
        if part.rule is not None:
            leg["rule"] = {"by": part.rule.by, **leg["rule"]}
    if form == "json":
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return yaml.dump(content, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None)


def read_file(path: Path) -> StrategyDocument:
    """Return the document in a file.

    Raises
    ------
    FileFormatError
        If it cannot be opened or is no text in UTF-8.
    DocumentError
        If it holds no valid document.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FileFormatError(path, error.strerror or str(error)) from None
    if len(data) > MOST_BYTES:
        raise DocumentError("document", "more", f"at most {MOST_BYTES:,} bytes")
    try:
        return read_document(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FileFormatError(path, f"byte {error.start} is no UTF-8") from None


def _parsed(text: str) -> Any:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise DocumentError("document", f"{size:,} bytes", f"at most {MOST_BYTES:,} bytes")
    if text.lstrip().startswith("{"):
        # What is JSON is read as JSON, which is faster and has fewer surprises; YAML may begin like it.
        with suppress(ValueError, RecursionError):
            return json.loads(text, object_pairs_hook=_unique)
    try:
        return _yaml(text)
    except yaml.YAMLError as error:
        raise _not_readable(error) from None
    except (ValueError, RecursionError, OverflowError) as error:  # numbers of thousands of digits, impossible dates
        raise DocumentError("document", str(error).split(";")[0], "YAML or JSON") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise DocumentError("document", next(name for name in names if names.count(name) > 1), "each key once")
    return found


def _yaml(text: str) -> Any:
    # Events come one by one, so that a bomb is refused before anything is built from it.
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise DocumentError("document", f"*{event.anchor}", f"no aliases{_line(event)}")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise DocumentError("document", tag, f"no tags{_line(event)}")
        if depth > DEEPEST or count > 2 * MOST_VALUES:
            raise DocumentError("document", f"more{_line(event)}", _limits())
    root = yaml.compose(text, Loader=_LOADER)
    if root is not None:
        _check_nodes(root)
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader


def _check_nodes(node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag == _MERGE or not isinstance(key, yaml.ScalarNode):
                raise DocumentError("document", "a key", f"plain words as keys{_line(key)}")
            if key.value in seen:
                raise DocumentError("document", key.value, f"each key once{_line(key)}")
            seen.add(key.value)
            _check_nodes(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_nodes(item)
    elif node.tag in _NUMBERS and not _PLAIN_NUMBER.fullmatch(node.value):
        raise DocumentError("document", node.value, f"numbers such as 45 or -0.16{_line(node)}")


def _check_values(value: Any, where: str, depth: int) -> None:
    # Only what JSON has: dates, bytes and sets, which YAML also has, mean nothing here.
    if depth > DEEPEST:
        raise DocumentError(where[:120], "more", _limits())
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise DocumentError(where, key, "words as keys (in YAML, on, off, yes and no are none: quote them)")
            _check_values(item, f"{where}.{key}" if key.isidentifier() else where, depth + 1)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            _check_values(item, f"{where}[{position}]", depth + 1)
    elif value is not None and not isinstance(value, str | int | float | bool) and not isinstance(value, Part):
        raise DocumentError(where, value, "text, a number, true, false, a list or a mapping (quote dates)")


def _line(place: yaml.Event | yaml.Node) -> str:
    return "" if place.start_mark is None else f" (line {place.start_mark.line + 1})"


def _limits() -> str:
    return f"at most {DEEPEST} levels and {MOST_VALUES:,} values"


def _not_readable(error: yaml.YAMLError) -> DocumentError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it breaks"
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return DocumentError("document", f"{place}{problem}", "YAML or JSON")
