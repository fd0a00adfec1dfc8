"""Splits of history in which nothing that was learned from is known beforehand.

A trade that is held from one stretch of time into the next belongs to both. Learning from it and testing beside it is
looking ahead, so what overlaps is purged, and what begins right after a test may be left out too (embargo).

References
----------
López de Prado (2018), "Advances in financial machine learning", chapter 7 (purging, embargo) and 12 (combinatorial
purged cross-validation); Pardo (2008), "The evaluation and optimization of trading strategies", on walking forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """Sessions to learn from and to test on, as positions: [train_start, train_stop) and [test_start, test_stop)."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


@dataclass(frozen=True, eq=False)
class Split:
    """Trades to learn from and to test on, as positions in the order they were given; `groups` are tested."""

    train: Indices
    test: Indices
    groups: tuple[int, ...]


def walk_forward(
    sessions: int, *, train: int, test: int, step: int | None = None, embargo: int = 0, anchored: bool = False
) -> list[Window]:
    """Return the windows in which a search learns from the past and is tested on what came next.

    Parameters
    ----------
    sessions, train, test : int
        Sessions there are, sessions to learn from (at least, when anchored), and sessions to test on.
    step : int, optional
        Sessions from one test to the next; `test` by default, so that tests follow each other without a gap.
    embargo : int
        Sessions between the two that belong to neither.
    anchored : bool
        Learn from the first session on, rather than from the newest `train`.

    Raises
    ------
    InputError
        If there are too few sessions for one window.

    Notes
    -----
    The last test may be shorter. A run on a window's training sessions ends with them: what is still open then
    is no result, so that nothing has to be purged.
    """
    stride = test if step is None else step
    for name, value in (("train", train), ("test", test), ("step", stride)):
        if value < 1:
            raise InputError(name, value, "at least 1 session")
    if embargo < 0:
        raise InputError("embargo", embargo, "a number of sessions >= 0")
    if sessions <= train + embargo:
        raise InputError("train", train, f"fewer than the {sessions} sessions there are, less the embargo")
    return [
        Window(0 if anchored else stop - train, stop, stop + embargo, min(stop + embargo + test, sessions))
        for stop in range(train, sessions - embargo, stride)
    ]


def purged_folds(opened: npt.ArrayLike, closed: npt.ArrayLike, *, folds: int = 5, embargo: Any = 0) -> list[Split]:
    """Return the splits of k-fold cross-validation over trades that overlap in time.

    Parameters
    ----------
    opened, closed : array_like (n,)
        Moments, or any numbers of one kind; a trade that is not closed (NaT, NaN) overlaps everything after it.
    folds : int
        2 to n. Trades are cut into so many groups by the order in which they were opened.
    embargo : number or timedelta64
        How long after a test nothing that is learned from is opened.
    """
    return purged_combinations(opened, closed, groups=folds, tested=1, embargo=embargo)


def purged_combinations(
    opened: npt.ArrayLike, closed: npt.ArrayLike, *, groups: int = 6, tested: int = 2, embargo: Any = 0
) -> list[Split]:
    """Return the splits of combinatorial purged cross-validation: each choice of `tested` groups is tested once.

    Parameters
    ----------
    opened, closed, embargo
        As for `purged_folds`.
    groups, tested : int
        The book's N and k.

    Notes
    -----
    A trade is purged if it was held at any time between a tested group's first opening and last closing. Groups that
    are tested and adjoin are one stretch. See `history_paths` for what the splits make up together.
    """
    begin, end = _moments(opened, closed)
    count = len(begin)
    if not 2 <= groups <= count:
        raise InputError("groups", groups, f"a number from 2 to {count}, the trades")
    if not 1 <= tested < groups:
        raise InputError("tested", tested, f"a number from 1 to {groups - 1}")
    group = np.empty(count, dtype=np.int64)
    for number, members in enumerate(np.array_split(np.argsort(begin, kind="stable"), groups)):
        group[members] = number
    return [_split(begin, end, group, chosen, embargo) for chosen in combinations(range(groups), tested)]


def history_paths(groups: int, tested: int) -> Indices:
    """Return which split tests which group on each path through history.

    Parameters
    ----------
    groups, tested : int
        As for `purged_combinations`, whose order of splits is meant.

    Returns
    -------
    int64 (paths, groups)
        Positions of splits. There are C(groups - 1, tested - 1) paths, each of which tests every group once: what a
        strategy would have done over the whole history, without one result that was learned from.
    """
    chosen = list(combinations(range(groups), tested))
    return np.array([[s for s, one in enumerate(chosen) if g in one] for g in range(groups)], dtype=np.int64).T


def _split(begin: Any, end: Any, group: Indices, chosen: tuple[int, ...], embargo: Any) -> Split:
    is_tested = np.isin(group, chosen)
    barred = is_tested.copy()
    for stretch in _stretches(chosen):
        inside = np.isin(group, stretch)
        first, last = begin[inside].min(), end[inside].max()
        held = (begin <= last) & (end >= first)
        barred |= held | ((begin > last) & (begin <= _later(last, embargo)))
    return Split(np.flatnonzero(~barred), np.flatnonzero(is_tested), chosen)


def _stretches(chosen: tuple[int, ...]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in chosen:
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found


def _moments(opened: npt.ArrayLike, closed: npt.ArrayLike) -> tuple[Any, Any]:
    begin, end = np.asarray(opened), np.asarray(closed)
    if begin.ndim != 1 or begin.shape != end.shape:
        raise InputError("closed", end.shape, f"as many moments as were opened, {begin.shape}")
    if begin.dtype.kind == "M":
        begin, end = begin.astype("datetime64[us]"), end.astype("datetime64[us]")
        unknown, forever = np.isnat(end), np.datetime64(2**62, "us")
    else:
        begin, end = begin.astype(np.float64), end.astype(np.float64)
        unknown, forever = np.isnan(end), math.inf  # type: ignore[assignment]
    end = np.where(unknown, forever, end)
    if not (begin <= end).all():
        raise InputError("opened", begin[~(begin <= end)][0], "a moment that is known and not after the closing")
    return begin, end


def _later(moment: Any, embargo: Any) -> Any:
    if isinstance(moment, np.datetime64) and embargo == 0:
        return moment
    return moment + embargo
