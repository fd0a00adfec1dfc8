"""The parameters of a document by path: ``legs.short_put.rule.target``, ``exits.roll.0.at``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel

from bifrost_lib.strategies import StrategyDocument

#: What says how a document reads, or by which names its legs are called: no parameters.
_FIXED = frozenset({"name", "view", "outlook", "risk", "aliases", "variant_of", "schema_version", "by"})


@lru_cache(maxsize=64)
def parameter_paths(document: StrategyDocument) -> tuple[str, ...]:
    """Return the paths of all parameters that a document has, wholes before their parts."""
    return tuple(path for path, _ in _walk(type(document), document, ""))


def field_kind(document: StrategyDocument, path: str) -> type | None:
    """Return int or float where a parameter is a number, else None."""
    return _kinds(document).get(path)


def content_of(document: StrategyDocument, paths: Iterable[str] = ()) -> dict[str, Any]:
    """Return what a document was made from: without defaults, and without what rules fill in from their targets.

    The parts that hold the parameters at `paths` are there in any case.
    """
    content: dict[str, Any] = _plain(document)
    for path in paths:
        place: Any = content
        part: Any = document
        for step in path.split(".")[:-1]:
            part = _below(part, step)
            if isinstance(place, dict) and place.get(step) is None:
                place[step] = {} if part is None else _plain(part)
            place = _in_content(place, step)
    return content


def put_value(content: dict[str, Any], path: str, value: Any) -> None:
    """Set a parameter in what `content_of` returned for its path."""
    *way, last = path.split(".")
    place: Any = content
    for step in way:
        place = _in_content(place, step)
    place[_place(place, last)] = value


def value_at(document: StrategyDocument, path: str) -> Any:
    """Return a parameter's value; None where the part that holds it is left out."""
    place: Any = document
    for step in path.split("."):
        place = _below(place, step)
    return place


def _below(part: Any, step: str) -> Any:
    if isinstance(part, tuple):
        return part[int(step)] if step.isdecimal() else next(leg for leg in part if leg.name == step)
    return getattr(part, step, None)


def _in_content(place: Any, step: str) -> Any:
    return place[_place(place, step)]


def _place(place: Any, step: str) -> str | int:
    if not isinstance(place, list):
        return step
    return int(step) if step.isdecimal() else [leg["name"] for leg in place].index(step)


@lru_cache(maxsize=64)
def _kinds(document: StrategyDocument) -> dict[str, type]:
    return {path: kind for path, kind in _walk(type(document), document, "") if kind is not None}


def _walk(model: type[BaseModel], part: Any, prefix: str) -> Iterator[tuple[str, type | None]]:
    for name, field in model.model_fields.items():
        if name in _FIXED:
            continue
        path, value = f"{prefix}{name}", getattr(part, name, None)
        kinds = list(_types(field.annotation))
        yield path, next((kind for kind in (int, float) if kind in kinds), None)
        if isinstance(value, BaseModel):
            yield from _walk(type(value), value, f"{path}.")
        elif isinstance(value, tuple):
            for place, one in enumerate(value):
                if isinstance(one, BaseModel):
                    step = f"{path}.{getattr(one, 'name', place)}"
                    yield step, None
                    yield from _walk(type(one), one, f"{step}.")
        elif value is None:
            parts = [kind for kind in kinds if issubclass(kind, BaseModel)]
            if len(parts) == 1:
                yield from _walk(parts[0], None, f"{path}.")


def _types(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        names = [name for name in type(value).model_fields if name in value.model_fields_set]
        if {"low", "high"} <= set(names) and {"target", "ratio"} & set(names):
            names = _without_filled_in(value, names)
        if "by" in type(value).model_fields:
            names = ["by", *(name for name in names if name != "by")]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


def _without_filled_in(part: BaseModel, names: list[str]) -> list[str]:
    # A range that is what its target alone would give was not chosen: it follows the target of each document.
    fewer = [name for name in names if name not in ("low", "high")]
    if any(type(part).model_fields[name].is_required() for name in ("low", "high")):
        return names
    same = type(part)(**{name: getattr(part, name) for name in fewer})
    return fewer if same.model_dump() == part.model_dump() else names
