"""The days that a study keeps back: whatever is read through a study goes through here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError, InputError, NoDataError
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.studies.study import BacktestStudy, find_study

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube
    from bifrost_lib.strategies import StrategyDocument

#: Of larger grids a document is taken apart, instead of being compared with all that they make.
_COMPARED = 10_000


class HoldOutClosed(BifrostError):  # noqa: N818 (it says how things stand)
    """Days that a study keeps back were asked for before its choice was made.

    Attributes
    ----------
    study : str
    first, last : date
        The days kept back.
    """

    def __init__(self, study: str, first: date, last: date) -> None:
        self.study, self.first, self.last = study, first, last
        super().__init__(
            f"study {study!r} keeps {first} to {last} back until its choice is made; "
            f"end before {first}, or make the choice: bifrost study freeze {study}"
        )


def study_cubes(
    desk: Desk, study: BacktestStudy | str, *, start: date | None = None, end: date | None = None
) -> dict[str, ChainCube]:
    """Return the cubes of a study's symbols up to the day before its hold-out, and nothing of later days.

    Parameters
    ----------
    desk : Desk
    study : BacktestStudy or str
    start, end : date, optional
        A part of the days that may be seen. Default: all of them.

    Raises
    ------
    HoldOutClosed
        If `end` is a day kept back, or later. Frozen studies show theirs in `look_at_study` alone, which counts.
    InputError
        If the days are not the study's, or none of a symbol's sessions is among them.
    NoDataError
        If the store has nothing of a symbol.
    """
    study = find_study(desk, study) if isinstance(study, str) else study
    last = study.last_visible if end is None else end
    if last > study.last_visible:
        raise HoldOutClosed(study.name, study.holdout_start, study.holdout_end)
    first = study.start if start is None else start
    if not study.start <= first <= last:
        raise InputError("start", first, f"a day from {study.start} to {last}")
    return _cubes(desk, study.symbols, first, last)


def held_out_cubes(desk: Desk, study: BacktestStudy) -> dict[str, ChainCube]:
    """Return the cubes of a frozen study up to the last day of its hold-out, for a look that is counted.

    Raises
    ------
    HoldOutClosed
        If its choice is not made.
    NoDataError
        If the store has no session of the hold-out yet.
    """
    if not study.is_frozen:
        raise HoldOutClosed(study.name, study.holdout_start, study.holdout_end)
    cubes = _cubes(desk, study.symbols, study.start, study.holdout_end)
    for symbol, cube in cubes.items():
        if cube.end < study.holdout_start:
            days = f"{study.holdout_start} to {study.holdout_end}"
            raise NoDataError("sessions", symbol=symbol, days=days, hint=f"stored up to {cube.end}")
    return cubes


def check_not_kept_back(
    desk: Desk, documents: Iterable[StrategyDocument], symbols: Iterable[str], *, end: date | None = None
) -> None:
    """Refuse to replay the documents of an open study on the days that it keeps back, outside of the study too.

    Parameters
    ----------
    desk : Desk
    documents : iterable of StrategyDocument
    symbols : iterable of str
    end : date, optional
        The last day that is to be replayed. Default: the newest there is.

    Raises
    ------
    HoldOutClosed
        If one of the documents belongs to a study that is not frozen, of one of the symbols, and the days reach into
        those that it keeps back.

    Notes
    -----
    A document belongs to a study if it is the study's own or one of its grid's. One that trades otherwise is another
    strategy, whoever wrote it: what keeps people from peeking by small changes is that each study counts its looks.
    """
    asked, given = {symbol.upper() for symbol in symbols}, list(documents)
    listed = store.list_studies(desk.store)
    for row in listed[listed["frozen"].isna()].to_dict("records"):
        reaches = end is None or end >= row["holdout_start"]
        if reaches and asked & {*row["symbols"]} and _shares(find_study(desk, str(row["name"])), given):
            raise HoldOutClosed(str(row["name"]), row["holdout_start"], row["holdout_end"])


def _shares(study: BacktestStudy, documents: Iterable[StrategyDocument]) -> bool:
    # Whether one of the documents is the study's own or one of its grid's.
    from bifrost_lib.backtest import expand, grid_size

    grid: Any = study.grid or {}
    if study.has_ranges or (grid and grid_size(grid) > _COMPARED):
        return any(
            document.sha256 == study.document.sha256 or study.values_of(document) is not None for document in documents
        )
    hashes = {document.sha256 for document in (study.document, *(expand(study.document, grid) if grid else ()))}
    return any(document.sha256 in hashes for document in documents)


def _cubes(desk: Desk, symbols: Iterable[str], first: date, last: date) -> dict[str, ChainCube]:
    return {symbol: store.chain_cube(desk.store, symbol, start=first, end=last) for symbol in symbols}
