"""Grids and ranges of a document's parameters: which there are, which documents they make, and how many.

A grid is a mapping of parameter paths to what they may be, in YAML, JSON or Python:

    legs.short_put.rule.target: [-0.10, -0.16, -0.30]
    exits.take_profit.share: {low: 0.25, high: 0.75, step: 0.25}
    dte.target: {low: 30, high: 50}       # without a step: for random search
    exits.stop: [null, {share: 2.0}]      # whole parts are values too

Legs are named, lists are counted from 0 (``exits.roll.0.at``). A part that the document leaves out, such as its stop,
comes to be when one of its fields is set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from bifrost_lib.backtest.grids.paths import content_of, field_kind, parameter_paths, put_value, value_at
from bifrost_lib.core.errors import DocumentError, InputError
from bifrost_lib.strategies import StrategyDocument, read_mapping

MOST_DOCUMENTS = 100_000
_RANGE = ("low", "high", "step", "log")


@dataclass(frozen=True)
class Choices:
    """Values that a parameter may have, in the order in which they were given."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, in steps or without; `log` spreads random ones evenly over their logarithms."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def values(self) -> tuple[float, ...] | None:
        """The numbers of a span with steps, `high` included where a step meets it; None without steps."""
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        whole = isinstance(self.low, int) and isinstance(self.step, int)
        return tuple(self.low + k * self.step if whole else round(self.low + k * self.step, 12) for k in range(count))


Axis = Choices | Span
Grid = Mapping[str, Axis]


def read_grid(source: str | Mapping[str, Any]) -> dict[str, Axis]:
    """Return the grid that a text or a mapping describes.

    Parameters
    ----------
    source : str or mapping
        YAML or JSON, within the limits of documents, or what they stand for: ``{path: [values]}``,
        ``{path: {low, high, step, log}}`` or ``{path: value}``.

    Raises
    ------
    DocumentError
        `name` is the path that is not as it should be, or "grid".
    """
    try:
        content = read_mapping(source, expected="a mapping of parameters to lists of values")
    except DocumentError as error:
        raise DocumentError("grid", error.value, error.expected) from None
    if not content:
        raise DocumentError("grid", content, "at least one parameter with its values")
    return {path: _axis(path, value) for path, value in content.items()}


def grid_size(grid: Grid | Mapping[str, Any]) -> int:
    """Return how many documents a grid makes, without making any.

    Raises
    ------
    DocumentError
        If a range has no step.
    """
    return math.prod(len(_values(path, axis)) for path, axis in _checked(grid).items())


def assignments(grid: Grid | Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the value of each parameter for each document of `expand`, in its order: the last changes first."""
    axes = _checked(grid)
    for values in product(*(_values(path, axis) for path, axis in axes.items())):
        yield dict(zip(axes, values, strict=True))


def expand(
    document: StrategyDocument, grid: Grid | Mapping[str, Any], *, most: int = MOST_DOCUMENTS
) -> list[StrategyDocument]:
    """Return the documents of a grid, in the order of `assignments`.

    Parameters
    ----------
    document : StrategyDocument
        Everything that the grid does not name stays as it is here.
    grid : mapping
        See `read_grid`.
    most : int
        Refuse before making more than so many.

    Raises
    ------
    DocumentError
        If the document has no such parameter (`nearest` is the likeliest one that it has), or a value is none that it
        may have.
    InputError
        ``grid``: if it makes more documents than `most`.
    """
    axes = _checked(grid)
    check_paths(document, axes)
    size = grid_size(axes)
    if size > most:
        raise InputError("grid", f"{size:,} documents", f"at most {most:,}; take fewer values, or search at random")
    base = content_of(document, axes)
    return [_made(base, values) for values in assignments(axes)]


def draws(
    document: StrategyDocument, space: Grid | Mapping[str, Any], n: int, *, seed: int = 0
) -> list[dict[str, Any]]:
    """Return `n` different assignments drawn evenly from a space; the same seed draws the same ones.

    Raises
    ------
    InputError
        ``n``: if the space has fewer.
    """
    axes = _checked(space)
    check_paths(document, axes)
    whole = {path: field_kind(document, path) is int for path in axes}
    finite = all(_options(axis, whole[path]) is not None for path, axis in axes.items())
    size = math.prod(len(_options(axis, whole[path]) or ()) for path, axis in axes.items()) if finite else math.inf
    if not 1 <= n <= size:
        raise InputError("n", n, f"a number from 1 to {size:,}" if finite else "at least 1")
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, Any]] = {}
    while len(found) < n:
        values = {path: _draw(axis, whole[path], rng) for path, axis in axes.items()}
        found.setdefault(json.dumps(values, sort_keys=True), values)
    return list(found.values())


def random(
    document: StrategyDocument, space: Grid | Mapping[str, Any], n: int, *, seed: int = 0
) -> list[StrategyDocument]:
    """Return `n` different documents drawn evenly from a space of parameters, those of `draws`.

    Parameters
    ----------
    document : StrategyDocument
    space : mapping
        A grid whose ranges need no steps; whole numbers are drawn for parameters that are whole.
    n, seed : int
    """
    base = content_of(document, space)
    return [_made(base, values) for values in draws(document, space, n, seed=seed)]


def with_parameters(document: StrategyDocument, values: Mapping[str, Any]) -> StrategyDocument:
    """Return the document with other values of some parameters, validated like a new one."""
    check_paths(document, values)
    return _made(content_of(document, values), values)


def parameter(document: StrategyDocument, path: str) -> Any:
    """Return the value of a document's parameter; None where the part that holds it is left out."""
    check_paths(document, {path: None})
    return value_at(document, path)


def check_paths(document: StrategyDocument, paths: Mapping[str, Any]) -> None:
    """Raise `DocumentError` unless the document has all parameters, and none of them holds another."""
    known = parameter_paths(document)
    for path in paths:
        if path not in known:
            raise DocumentError("grid", path, f"a parameter of {document.name}", known=known)
        for other in paths:
            if other.startswith(path + "."):
                raise DocumentError("grid", other, f"one of both: {path} is the whole of which it is a part")


def _made(base: dict[str, Any], values: Mapping[str, Any]) -> StrategyDocument:
    content = deepcopy(base)
    for path, value in values.items():
        put_value(content, path, deepcopy(value))
    try:
        return StrategyDocument(**content)
    except DocumentError as error:
        chosen = ", ".join(f"{path} {json.dumps(value)}" for path, value in values.items())
        raise DocumentError(error.name, error.value, f"{error.expected}; with {chosen}") from None


def _checked(grid: Grid | Mapping[str, Any]) -> dict[str, Axis]:
    return {path: value if isinstance(value, Choices | Span) else _axis(path, value) for path, value in grid.items()}


def _axis(path: str, value: Any) -> Axis:
    if isinstance(value, list | tuple):
        if not value:
            raise DocumentError(path, value, "at least one value")
        return Choices(tuple(value))
    if not isinstance(value, Mapping):
        return Choices((value,))
    for key in value:
        if key not in _RANGE:
            raise DocumentError(path, key, "low, high, step or log (put a whole part into a list)", known=_RANGE)
    low, high = (_number(f"{path}.{key}", value.get(key)) for key in ("low", "high"))
    step = None if value.get("step") is None else _number(f"{path}.step", value["step"])
    if not low < high:
        raise DocumentError(f"{path}.high", high, f"a number > {low}")
    if step is not None and not step > 0:
        raise DocumentError(f"{path}.step", step, "a number > 0")
    if value.get("log") and not low > 0:
        raise DocumentError(f"{path}.low", low, "a number > 0 for a logarithm")
    return Span(low, high, step, bool(value.get("log")))


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DocumentError(name, value, "a number")
    return value


def _values(path: str, axis: Axis) -> tuple[Any, ...]:
    if axis.values is None:
        raise DocumentError(path, None, "a step, as a grid has an end; a range without one is for a search (--search)")
    return axis.values


def _options(axis: Axis, whole: bool) -> tuple[Any, ...] | None:
    # What a draw may give, where that can be listed.
    if axis.values is not None:
        return axis.values
    assert isinstance(axis, Span)  # noqa: S101 - choices always have values
    return tuple(range(math.ceil(axis.low), math.floor(axis.high) + 1)) if whole else None


def _draw(axis: Axis, whole: bool, rng: np.random.Generator) -> Any:
    options = _options(axis, whole)
    if options is not None and not (isinstance(axis, Span) and axis.log):
        return options[int(rng.integers(len(options)))]
    assert isinstance(axis, Span)  # noqa: S101 - only spans have no options
    if not axis.log:
        return float(rng.uniform(axis.low, axis.high))
    drawn = math.exp(rng.uniform(math.log(axis.low), math.log(axis.high)))
    return drawn if options is None else min(options, key=lambda option: abs(math.log(option / drawn)))
