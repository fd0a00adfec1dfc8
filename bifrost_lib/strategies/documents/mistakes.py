"""One clear error from a validation: which field, what was found, what was expected, and the nearest valid word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from bifrost_lib.core.errors import DocumentError

Step = str | int

_TAGGED = "rule"  # the field whose value says of which kind it is; a location names the kind after it
_KINDS = {
    "int": "a whole number", "float": "a number", "finite": "a finite number", "string": "text", "tuple": "a list",
    "dict": "a mapping", "bool": "true or false", "model": "a mapping",
}  # fmt: skip
_LIMITS = {
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number >= {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number <= {le}",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "lower-case letters, digits and underscores, a letter first",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
}


def mistake(
    expected: str, *, at: Sequence[Step] = (), value: Any = None, known: Iterable[str] = ()
) -> PydanticCustomError:
    """Return what a validator raises: what was `expected`, in which field below (`at`), the `value`, `known` words."""
    facts = {"expected": expected, "at": tuple(at), "value": value, "known": tuple(known)}
    return PydanticCustomError("mistake", "not what was expected", facts)


def first_mistake(error: ValidationError, model: type[BaseModel]) -> DocumentError:
    """Return the mistake to mend first: an unknown key, which explains the missing one beside it, else the first."""
    facts = error.errors(include_url=False)
    found = next((fact for fact in facts if fact["type"] == "extra_forbidden"), facts[0])
    where, kind, value = list(_without_tags(found["loc"])), found["type"], found["input"]
    context: dict[str, Any] = found.get("ctx", {})
    if kind == "mistake":
        shown = context["value"] if context["at"] else value
        return DocumentError(path_of([*where, *context["at"]]), shown, context["expected"], known=context["known"])
    if kind == "extra_forbidden":
        known = tuple(_parts_at(model, found["loc"][:-1])[0].model_fields)
        return DocumentError(path_of(where[:-1]), where[-1], "a known key", known=known)
    if kind == "missing":
        return DocumentError(path_of(where), None, _meaning(model, found["loc"]))
    if kind.startswith("union_tag"):
        by = value.get("by") if isinstance(value, dict) else value
        kinds = [str(part.model_fields["by"].default) for part in _parts_at(model, found["loc"])]
        return DocumentError(path_of([*where, "by"]), by, "one of " + ", ".join(kinds), known=kinds)
    if kind == "literal_error":
        words = [word for word in _words_at(model, found["loc"]) if isinstance(word, str)]
        expected = "one of " + ", ".join(words) if words else str(context["expected"])
        return DocumentError(path_of(where), value, expected, known=words)
    return DocumentError(path_of(where), value, _expected(found))


def path_of(location: Sequence[Step]) -> str:
    """Return a location as it is written: ``legs[1].rule.target``."""
    text = ""
    for step in location:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = step if step.isidentifier() and step.isascii() else ascii(step)
            text += f".{word[:60]}" if text else word[:60]
    return text or "document"


def _without_tags(location: Sequence[Step]) -> Iterable[Step]:
    before: Step = ""
    for step in location:
        if before != _TAGGED:
            yield step
        before = step if before != _TAGGED else ""


def _expected(found: ErrorDetails) -> str:
    if found["type"] == "string_pattern_mismatch" and "A-Z" in found["ctx"]["pattern"]:
        return "a symbol in capitals, such as SPY or BRK.B"
    if found["type"] in _LIMITS:
        return _LIMITS[found["type"]].format(**found["ctx"])
    return _KINDS.get(found["type"].split("_")[0], found["msg"].lower())


def _meaning(model: type[BaseModel], location: Sequence[Step]) -> str:
    field = _parts_at(model, location[:-1])[0].model_fields[str(location[-1])]
    return field.description or "a value"


def _parts_at(model: type[BaseModel], location: Sequence[Step]) -> list[type[BaseModel]]:
    # The models that may stand at a location: several where a kind is still to be chosen.
    choices = [model]
    for step in location:
        if isinstance(step, int):
            continue
        chosen = [part for part in choices if "by" in part.model_fields and part.model_fields["by"].default == step]
        choices = chosen if len(choices) > 1 else _of_kind(choices[0].model_fields[step].annotation, BaseModel)
    return choices


def _words_at(model: type[BaseModel], location: Sequence[Step]) -> list[Any]:
    names = [step for step in location if not isinstance(step, int)]
    return _literals(_parts_at(model, names[:-1])[0].model_fields[names[-1]].annotation)


def _literals(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [annotation] if not inner and not isinstance(annotation, type) else [w for a in inner for w in _literals(a)]


def _of_kind(annotation: Any, kind: type[BaseModel]) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, kind):
        return [annotation]
    return [part for inner in get_args(annotation) for part in _of_kind(inner, kind)]
